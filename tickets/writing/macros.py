"""Macros: several changes of a ticket in one click and one transaction, each by its ordinary verb, with its own event. All of them, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import IllegalMove
from tickets import actions
from tickets.actions import Message
from tickets.locking import lock
from tickets.models import Channel, Macro
from tickets.tagging import add_tags, tags_of
from tickets.writing import canned
from tickets.writing.placeholders import fill

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models import Ticket, TicketType


@dataclass(frozen=True, slots=True)
class Effects:
    """What a macro will do to a ticket, in words; `reply` and `note` filled in for it."""

    changes: list[str]
    reply: canned.Words | None
    note: str

    def __bool__(self) -> bool:
        return bool(self.changes or self.reply or self.note)


def effects(macro: Macro, *, known: dict[str, str], type: TicketType | None = None) -> Effects:
    """`known`: of `canned.values`; without them placeholders stand as they are. `type`: in place of the macro's. No query of a macro `with_parts`."""
    tags, chosen = tags_of(macro.tags), type or macro.type
    assigned = {
        Macro.Assigns.ME: _("assign it to me"),
        Macro.Assigns.NOBODY: _("assign it to nobody"),
        Macro.Assigns.PERSON: _("assign it to %(what)s") % {"what": macro.assignee},
    }
    changes = [
        (macro.status, _("set the status to %(what)s") % {"what": macro.status}),
        (chosen, _("set the type to %(what)s") % {"what": chosen}),
        (macro.priority, _("set the priority to %(what)s") % {"what": macro.priority}),
        (macro.assigns, assigned.get(Macro.Assigns(macro.assigns), "")),
        (macro.to_group, _("move it to %(what)s") % {"what": macro.to_group}),
        (tags, _("tag it %(what)s") % {"what": ", ".join(tags)}),
    ]
    reply = canned.filled(macro.reply, known) if macro.reply else None
    return Effects([words for is_set, words in changes if is_set], reply, fill(macro.note, known))


def check(macro: Macro) -> None:
    """A macro that names what is gone is changed by somebody, not done by halves. Raises IllegalMove."""
    for part in (macro.status, macro.type, macro.priority, macro.to_group):
        if part and part.is_retired:
            raise IllegalMove(_("“%(part)s” is retired: change the macro “%(macro)s”.") % {"part": part, "macro": macro})
    if macro.assignee and not macro.assignee.is_staff:
        raise IllegalMove(_("%(who)s no longer works here: change the macro “%(macro)s”.") % {"who": macro.assignee, "macro": macro})


def reply_of(macro: Macro, ticket: Ticket, *, actor: User) -> Message | None:
    """What it says to the customer, filled in as of now."""
    if macro.reply is None:
        return None
    words = canned.filled(macro.reply, canned.values(ticket, agent=actor))
    return Message(text=words.text, html=words.html if macro.reply.html else "", channel=Channel.DESK)


@transaction.atomic
def do(
    macro: Macro,
    ticket: Ticket,
    *,
    actor: User,
    type: TicketType | None = None,
    reference: str = "",
    message: Message | None = None,
    seen: int | None = None,
) -> None:
    """`type`: in place of the macro's. `reference`: for its status. `message`, `seen`: see `reply_of` and `actions.comment`. Raises TypeRequired."""
    check(macro)
    ticket = lock(ticket, actor, staff_only=True)
    does = effects(macro, known=canned.values(ticket, agent=actor))
    if chosen := type or macro.type:
        actions.set_type(ticket, actor=actor, type=chosen)
    if macro.priority:
        actions.set_priority(ticket, actor=actor, priority=macro.priority)
    if macro.tags:
        add_tags(ticket, actor=actor, names=tags_of(macro.tags))
    if macro.assigns:
        actions.assign(ticket, actor=actor, assignee=actor if macro.assigns == Macro.Assigns.ME else macro.assignee)
    if does.note:
        actions.add_note(ticket, actor=actor, message=Message(text=does.note, channel=Channel.DESK))
    _say_and_move(macro, ticket, actor=actor, reference=reference, message=message, seen=seen)
    if macro.to_group:  # last: it may take the ticket out of sight
        actions.set_group(ticket, actor=actor, group=macro.to_group)
    canned.note_use(macro)


def _say_and_move(macro: Macro, ticket: Ticket, *, actor: User, reference: str, message: Message | None, seen: int | None) -> None:
    """The reply, and the status with it; where there is none, the status alone."""
    if macro.reply and message:
        actions.comment(ticket, actor=actor, message=message, status=macro.status, reference=reference, seen=seen)
        canned.note_use(macro.reply)
    elif macro.status:
        actions.change_status(ticket, actor=actor, status=macro.status, reference=reference)
