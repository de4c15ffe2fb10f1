"""Splitting: what a customer wrote on a ticket becomes a ticket of its own. A verb like those of `tickets.actions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import IllegalMove
from tickets import actions, files
from tickets.events import record
from tickets.locking import lock, save
from tickets.models import EventKind
from tickets.search import word_index

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models import Comment, Ticket


@transaction.atomic
def split(ticket: Ticket, *, actor: User, comment: Comment, subject: str) -> Ticket:
    """A new ticket of the comment's author, filed by who splits; its first message is a copy, files and all, as history is only ever added to.

    Shared with the organization that the ticket is shared with, where the author belongs to it: nobody else reads it. A comment is split once: the
    second time answers with the ticket that stands.
    """
    ticket = lock(ticket, actor, staff_only=True)
    if comment.ticket_id != ticket.pk:
        raise IllegalMove(_("That message belongs to another ticket."))
    if earlier := type(comment).objects.filter(split_from=comment).select_related("ticket").first():
        return earlier.ticket
    if refusal := why_not(ticket, comment):
        raise IllegalMove(refusal)
    new = actions.open_ticket(
        actor=actor,
        requester=comment.author,
        subject=subject,
        message=actions.Message(text=comment.text, html=comment.html, quoted=comment.quoted, channel=actions.Channel(comment.channel)),
        share_with=comment.author.active_organizations().filter(share_rows__ticket=ticket).first(),
        area=ticket.area,
        group=ticket.group,
        follow_up_to=ticket,
        split_from=comment,
    )
    for attachment in comment.attachments.order_by("pk"):
        files.attach_copy(new.description, attachment)
    word_index.write([new.pk])
    save(ticket)
    record(ticket, EventKind.SPLIT, actor=actor, is_internal=True, new=f"#{new.pk}", message=comment.pk)
    return new


def why_not(ticket: Ticket, comment: Comment) -> str:
    """'' for what can be split off: the answers of customers."""
    if comment.is_internal or comment.author.is_or_was_staff:
        return _("Only what a customer wrote can become a ticket of its own.")
    if comment.pk == ticket.description.pk:
        return _("This is what the ticket is about. There would be nothing left of it.")
    return ""
