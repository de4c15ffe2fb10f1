"""Canned replies: words that staff keep with placeholders, and fill in for a ticket. Also what macros have in common with them.

What is filled in is text, whoever wrote it: nothing in it is completed in turn, and in HTML it is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from django.conf import settings
from django.db import transaction
from django.db.models import F, ProtectedError
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, linebreaks
from django.utils.translation import gettext as _

from accounts.errors import IllegalMove, NotAllowed
from tickets import access
from tickets.models import Macro
from tickets.writing.placeholders import fill

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models import CannedReply, Ticket
    from tickets.models.helper import Helper

PLACEHOLDERS = ("name", "first_name", "organization", "number", "subject", "link", "agent")


@dataclass(frozen=True, slots=True)
class Words:
    text: str
    html: str  # always there, for the editor; cleaned where it is shown


def values(ticket: Ticket, *, agent: User) -> dict[str, str]:
    """What the placeholders stand for. One query."""
    name = ticket.requester.display_name
    organization = ticket.requester.active_organizations().order_by("name").first()
    return {
        "name": name,
        "first_name": name.split()[0] if name.strip() else name,
        "organization": organization.name if organization else "",
        "number": str(ticket.pk),
        "subject": ticket.subject,
        "link": urljoin(settings.SITE_URL, reverse("ticket", args=[ticket.pk])),
        "agent": agent.display_name,
    }


def filled(reply: CannedReply, known: dict[str, str]) -> Words:
    """`known`: of `values`."""
    html = reply.html or linebreaks(escape(reply.text))
    return Words(fill(reply.text, known), fill(html, {name: escape(value) for name, value in known.items()}))


# --- Keeping them --------------------------------------------------------------------------------------------------------------


def may_use(helper: Helper, user: User) -> bool:
    """Also whether they may change it."""
    return access.helpers_for(user, type(helper)).filter(pk=helper.pk).exists()


@transaction.atomic
def keep(helper: Helper, *, actor: User) -> None:
    """A new one, or one that was changed: by somebody who can use it, before and afterwards."""
    is_theirs = helper._state.adding or may_use(helper, actor)
    helper.changed_by, helper.changed_at = actor, timezone.now()
    helper.save()
    if not (is_theirs and may_use(helper, actor)):
        raise NotAllowed(_("That is not yours to change."))


@transaction.atomic
def delete(helper: Helper, *, actor: User) -> None:
    """Raises IllegalMove where a macro needs it, or a reply on its way out."""
    if not may_use(helper, actor):
        raise NotAllowed(_("That is not yours to change."))
    try:
        helper.delete()
    except ProtectedError as error:
        names = ", ".join(sorted(f"“{macro}”" for macro in error.protected_objects if isinstance(macro, Macro)))
        if not names:
            raise IllegalMove(_("Somebody is using it at this moment. Try again in some seconds.")) from error
        raise IllegalMove(
            _("It can't be deleted, as a macro uses it: %(names)s. Retire it instead, so that it is not offered.") % {"names": names}
        ) from error


def note_use(helper: Helper) -> None:
    """Counts; whoever uses two at once loses neither."""
    type(helper)._default_manager.filter(pk=helper.pk).update(used=F("used") + 1, used_at=timezone.now())
