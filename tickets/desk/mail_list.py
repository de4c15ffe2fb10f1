"""The Mail page: what came in and what went out, and what became of each. Waiting mails of one sender for one reason stand in one row.

Quick at any number of mails: a whole address is looked up in an index, other words are looked for among the newest `SEARCHED` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Count, Max, Q
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.addresses import normalise_address
from notifications.models import UNDELIVERED, Delivery, State
from tickets import access
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.mail import WAITS, deliveries_for, inbound_for
from tickets.models import InboundMessage, InboundState, Mailbox
from tickets.paging import page_of
from tickets.search.full_text import words_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpResponse, QueryDict

    from accounts.models import User

ROWS = 50
SEARCHED = 10_000


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    label: str
    is_inbound: bool
    states: tuple[InboundState | State, ...]  # that it shows
    is_all: bool = False  # of them

    @property
    def model(self) -> type[InboundMessage | Delivery]:
        return InboundMessage if self.is_inbound else Delivery


def _tabs() -> list[Tab]:
    return [
        Tab("held", _("Needs you"), is_inbound=True, states=WAITS),
        Tab("in", _("All that came in"), is_inbound=True, states=tuple(InboundState), is_all=True),
        Tab("failed", _("Failed or came back"), is_inbound=False, states=UNDELIVERED),
        Tab("out", _("All that went out"), is_inbound=False, states=tuple(State), is_all=True),
    ]


@require_safe
@staff_required
def mail(request: StaffRequest) -> HttpResponse:
    tabs = _tabs()
    tab = next((tab for tab in tabs if tab.key == request.GET.get("tab")), tabs[0])
    mailboxes = list(access.mailboxes_for(request.user))
    filters = _read(request.GET, tab, mailboxes)
    found: QuerySet[Any] = inbound_for(request.user) if tab.is_inbound else deliveries_for(request.user)
    found = found.filter(filters.condition)
    is_grouped = tab.key == "held" and not filters.chosen
    page = page_of(_newest_of_each(found, request.user) if is_grouped else found, request_get=request.GET, order=("-id",), size=ROWS)
    if is_grouped:
        _count_others(page.rows, request.user)
    context = {
        "tabs": tabs,
        "tab": tab,
        "page": page,
        "filters": filters,
        "states": [(str(state), state.label) for state in tab.states],
        "mailboxes": mailboxes if tab.is_inbound and len(mailboxes) > 1 else [],
        "broken": [mailbox for mailbox in mailboxes if mailbox.is_active and mailbox.error],
        "searched": SEARCHED,
        "group": _group(filters, request.user),
        "stuck": Delivery.objects.stuck().count(),
    }
    return render(request, "desk/mail.html", context)


# --- Filters -------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Filters:
    """What the address asks for, less what makes no sense."""

    chosen: dict[str, str] = field(default_factory=dict)
    condition: Q = field(default_factory=Q)
    is_bounded: bool = False  # older mails were not looked at

    def add(self, name: str, value: str, condition: Q) -> None:
        self.chosen[name] = value
        self.condition &= condition


def _read(params: QueryDict, tab: Tab, mailboxes: list[Mailbox]) -> Filters:
    filters = Filters()
    if not tab.is_all:
        filters.condition = Q(state__in=tab.states)
    if (state := params.get("state", "")) in tab.states:
        filters.add("state", state, Q(state=state))
    if tab.is_inbound and (mailbox := params.get("mailbox", "")) in {str(mailbox.pk) for mailbox in mailboxes}:
        filters.add("mailbox", mailbox, Q(mailbox=mailbox))
    if words := " ".join(words_of(params.get("q", ""))):
        _add_words(filters, words, tab)
    if tab.key == "held" and (sender := params.get("sender", "")):
        filters.add("sender", sender, alike(sender, params.get("reason", "")))
        filters.chosen["reason"] = params.get("reason", "")
    return filters


def alike(sender: str, reason: str) -> Q:
    """Waiting mails of one sender for one reason."""
    clean_sender, clean_reason = sender.replace("\0", ""), reason.replace("\0", "")
    return Q(state__in=WAITS, from_address=clean_sender, reason=clean_reason) & ~Q(from_address="")


def _add_words(filters: Filters, words: str, tab: Tab) -> None:
    address = "from_address" if tab.is_inbound else "address"
    if _is_address(words):
        filters.add("q", words, Q(**{address: normalise_address(words)}))
        return
    newest = tab.model._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0
    said = Q(**{f"{address}__icontains": words}) | Q(subject__icontains=words)
    filters.add("q", words, said & Q(pk__gt=newest - SEARCHED))
    filters.is_bounded = newest > SEARCHED


def _is_address(words: str) -> bool:
    try:
        validate_email(words)
    except ValidationError:
        return False
    return True


# --- Alike ---------------------------------------------------------------------------------------------------------------------


def _newest_of_each(found: QuerySet[InboundMessage], user: User) -> QuerySet[InboundMessage]:
    """Of mails alike, the newest. One whose sender can't be read is like no other."""
    waiting = access.inbound_for(user).filter(state__in=WAITS)
    newest = waiting.values("from_address", "reason").annotate(newest=Max("pk")).values("newest")
    return found.filter(Q(from_address="") | Q(pk__in=newest))


def _count_others(rows: list[Any], user: User) -> None:
    """Gives each row `alike`, how many stand behind it (itself included), and `alike_url`, where they are."""
    waiting = access.inbound_for(user).filter(
        state__in=WAITS, from_address__in={row.from_address for row in rows}, reason__in={row.reason for row in rows}
    )
    counted = {(sender, reason): n for sender, reason, n in waiting.values_list("from_address", "reason").annotate(n=Count("pk"))}
    for row in rows:
        row.alike = counted.get((row.from_address, row.reason), 1) if row.from_address else 1
        row.alike_url = group_url(row.from_address, row.reason)


def group_url(sender: str, reason: str) -> str:
    return "?" + urlencode({"tab": "held", "sender": sender, "reason": reason})


def _group(filters: Filters, user: User) -> dict[str, Any]:
    """What the head of a list of mails alike says; empty for other lists."""
    if "sender" not in filters.chosen:
        return {}
    sender, reason = filters.chosen["sender"], filters.chosen["reason"]
    return {"sender": sender, "reason": reason, "count": access.inbound_for(user).filter(alike(sender, reason)).count()}
