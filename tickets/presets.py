"""Each source's workflow as data; `manage.py preset` installs one. What stands already is left as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tickets.lifecycle import Category


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Rows by name, in the order they are offered."""

    statuses: dict[str, dict[str, Any]]
    types: dict[str, str]
    priorities: dict[str, str]  # from the most urgent down, with the definition
    groups: dict[str, str] = field(default_factory=dict)  # the first is the default
    # Priority ('' for all others) → first response, next response, resolution, in hours of work. Installed by `tickets.sla.preset`.
    sla: dict[str, tuple[int, int, int]] = field(default_factory=dict)


APTY = Preset(
    statuses={
        "Open": {"category": Category.NEW, "is_default": True},
        "In Progress": {"category": Category.OPEN, "is_default": True},
        "Waiting on Customer": {
            "category": Category.WAITING,
            "public_name": "Waiting for you",
            "is_default": True,
            "pauses_sla": True,
        },
        "Waiting on Dev Team": {"category": Category.WAITING, "public_name": "With our engineers"},
        "Pending": {"category": Category.WAITING, "public_name": "In Progress", "is_retired": True},
        "Resolved": {
            "category": Category.RESOLVED,
            "is_default": True,
            "pauses_sla": True,
            "requires_type": True,
            "closes_after": timedelta(hours=48),
        },
        "Closed": {"category": Category.CLOSED, "is_default": True, "pauses_sla": True},
        "Spam": {"category": Category.SPAM, "public_name": "Closed", "is_default": True, "pauses_sla": True},
    },
    types={
        "Bug": "A defect in the product",
        "Feature Request": "Something the product does not do yet",
        "Problem on Customer Side": "The cause lies in the customer's own systems",
        "Lack of Knowledge": "Know-how questions",
        "DevOps": "Environment, hosting, network",
        "Product Limitation": "Works as built, and can't do what is asked",
    },
    priorities={
        "Critical": (
            "A defect with no workaround: data corruption; the system hangs or is severely slow; a main function of a business-critical process "
            "fails; repeated crashes."
        ),
        "High": (
            "The application is available, but an essential component malfunctions or business is substantially hit; or a critical defect with an "
            "acceptable workaround."
        ),
        "Medium": "A defect that does not seriously affect business; the system works with some limits on minor functions.",
        "Low": "Routine requests: how-to questions, validation of new functionality, business use cases.",
    },
    groups={
        "Customer Support": "First answer to every customer",
        "CSM Support": "Content-related help by Customer Success",
        "DevOps": "Environment, hosting, network",
    },
    # The source promises times for each priority and does not say which; these are a beginning, which an admin changes.
    sla={"Critical": (1, 2, 8), "High": (2, 4, 16), "Medium": (4, 8, 40), "Low": (8, 16, 80), "": (4, 8, 40)},
)

APPRENTICE = Preset(
    statuses={
        "New": {"category": Category.NEW, "is_default": True},
        "In Progress": {"category": Category.OPEN, "is_default": True},
        # Waits for the customer, engineering, product or somebody else: the clock rests.
        "Blocked": {"category": Category.WAITING, "is_default": True, "pauses_sla": True},
        "Closed": {"category": Category.CLOSED, "is_default": True, "pauses_sla": True},
        "Closed - Escalated to TEM": {
            "category": Category.CLOSED,
            "public_name": "Closed - Escalated to engineering",
            "pauses_sla": True,
            "asks_reference": True,
        },
        # The source has none; what is thrown out of the queues has to be somewhere.
        "Spam": {"category": Category.SPAM, "public_name": "Closed", "is_default": True, "pauses_sla": True},
    },
    # The two that the source speaks of. No status requires one.
    types={"Bug": "A defect in the product", "Feature Request": "Should be considered a feature rather than a bug"},
    # The source refers to a table that is not public; these stand in for it.
    priorities=APTY.priorities,
    groups={"Apprentice Support": "Investigates every ticket", "Delivery Leads": "Look after the customers' organizations"},
    sla=APTY.sla,
)

PRESETS = {"apty": APTY, "apprentice": APPRENTICE}
