"""What a mail says: everything its templates show, for the one person who reads it. Reads; asks `access` and `audience` what that person may know.

How much a mail holds is bounded, whatever people wrote: Gmail hides what lies beyond 102 KB of HTML. The rest is on the ticket's page.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl, urljoin

from django.conf import settings
from django.db.models.functions import Left
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from accounts import invitations, own_addresses
from accounts.proof import set_password_path
from notifications.answers import Answer, answer_path
from notifications.audience import may_be_told_of
from notifications.models import ACCOUNT_KINDS, Delivery, Kind, Reason, State
from notifications.unsubscribe import report_path, unsubscribe_path
from tickets import access
from tickets.events import Support, actor_for_customers, describe, rule_of
from tickets.models import Attachment, EventKind
from tickets.reports.asked import in_short, read
from tickets.reports.build import build
from tickets.reports.files import as_csv, file_name
from tickets.reports.tables import in_words, names, period_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from accounts.models import Invitation, User
    from notifications.models import ReportSubscription
    from tickets.models import Event, Ticket
    from tickets.reports.tables import Row

Known: TypeAlias = "dict[int, set[int]]"  # by ticket, whose names its customer has read

_WORDS = 12_000  # characters of new text in a mail, of all its events together
_EARLIER, _EARLIER_WORDS = 3, 600
_DIGEST_EVENTS, _DIGEST_WORDS = 40, 200
_REPORT_ROWS, _REPORT_COLUMNS = 40, 6  # more rows and wider tables are in the file alone
_PREVIEW = 120  # characters that programs show beside the subject


@dataclass(frozen=True, slots=True)
class File:
    name: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, or was said."""

    who: str
    did: str
    at: datetime
    text: str = ""
    is_cut: bool = False
    is_note: bool = False
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A ticket in a digest."""

    number: int
    subject: str
    status: str
    url: str
    entries: list[Entry]


def events_of(delivery: Delivery) -> list[Event]:
    """What the mail tells of, in order: its own event, and those that became a part of it, unless they have gone out of the person's sight since."""
    parts = delivery.tells.filter(state=State.MERGED).select_related("event__ticket__status", "event__actor", "event__comment")
    others = may_be_told_of(delivery.recipient, [part.event for part in parts.order_by("id") if part.event])
    own = [delivery.event] if delivery.event else []  # judged when the mail was taken up
    return sorted([*own, *others], key=lambda event: event.pk)


def context_of(delivery: Delivery, events: Sequence[Event]) -> dict[str, Any]:
    """For the templates of the delivery's kind."""
    recipient = delivery.recipient
    context: dict[str, Any] = {
        "site_name": settings.SITE_NAME,
        "accent": settings.ACCENT or "#0b6380",
        "on_accent": _ink_on(settings.ACCENT or "#0b6380"),
        "recipient": recipient,
        "for_staff": recipient.is_staff,
        "because": _because(delivery),
        "preferences_url": ""
        if delivery.reason in (Reason.ACCOUNT, Reason.INVITED)
        else urljoin(settings.SITE_URL, reverse("mail_preferences")),
    }
    if delivery.kind in ACCOUNT_KINDS:
        return context | _about_account(delivery)
    if delivery.invitation:
        return context | _about_invitation(delivery.invitation, recipient)
    if delivery.subscription:
        return context | _report(delivery.subscription, delivery)
    if delivery.kind == Kind.DIGEST:
        return context | _digest(delivery, events)
    return context | _about_ticket(delivery, events)


def _about_account(delivery: Delivery) -> dict[str, Any]:
    if delivery.kind == Kind.PROVE_ADDRESS:
        path = own_addresses.proof_path(delivery.recipient, delivery.address)
    elif delivery.kind == Kind.KNOWN_ADDRESS:
        path = reverse("account_login")
    elif delivery.kind == Kind.ACCOUNT_CHANGED:
        path = reverse("account_reset_password")
    else:
        path = set_password_path(delivery.recipient)
    return {
        "link": urljoin(settings.SITE_URL, path),
        "address": delivery.address,
        "change": delivery.get_change_display(),
        "support_address": settings.SUPPORT_ADDRESS,
    }


def _about_invitation(invitation: Invitation, recipient: User) -> dict[str, Any]:
    """For who is invited, the only place where the link is ever written; for who looks after the organization, its page at the desk."""
    is_invited = invitation.person_id == recipient.pk
    path = invitations.link_path(invitation) if is_invited else reverse("desk_organization", args=[invitation.organization_id])
    return {
        "who": invitation.invited_by.display_name,
        "organization": invitation.organization.name,
        "address": invitation.address,
        "expires_at": invitation.expires_at,
        "link": urljoin(settings.SITE_URL, path),
    }


def _about_ticket(delivery: Delivery, events: Sequence[Event]) -> dict[str, Any]:
    event, recipient = delivery.event, delivery.recipient
    assert event is not None  # noqa: S101 for the type checker: only mails about an account or a digest have none
    ticket = event.ticket
    # "Shared with you" is told in words of its own; beside it stands what became a part of that mail, and what a new ticket says.
    is_told_already = delivery.kind == Kind.SHARED and event.kind != EventKind.OPENED
    told = [one for one in events if one != event] if is_told_already else events
    known = _known([event, *events], recipient)
    entries = _entries(told, recipient, known)
    return {
        "ticket": ticket,
        "ticket_url": _ticket_url(ticket, recipient),
        "status": _status(ticket, recipient),
        "unsubscribe_url": stop_url(delivery),
        "can_be_answered": True,
        "actor": _actor(event, recipient, known),
        "follows_all": delivery.reason == Reason.ORGANIZATION,
        "entries": entries,
        "is_internal": is_internal(events),
        "has_note": any(entry.is_note for entry in entries),
        "earlier": _earlier(events, recipient),
        **_question(ticket, events, recipient),
    } | _preview([entry.text or f"{entry.who} {entry.did}" for entry in entries] or [ticket.subject])


def _preview(parts: Sequence[str]) -> dict[str, str]:
    """What programs show beside the subject, filled up so that nothing else gets there."""
    words = Truncator(" · ".join(" ".join(part.split()) for part in parts if part)).chars(_PREVIEW)
    return {"preview": words, "preview_filler": "\u200c\xa0" * (_PREVIEW - len(words))}


def _entries(events: Sequence[Event], recipient: User, known: Known) -> list[Entry]:
    """The events with their whole words, until together they are too many."""
    files = _files([event.comment_id for event in events if event.comment_id])
    entries, room = [], _WORDS
    for event in events:
        entry = _entry(event, recipient, room, known)
        entries.append(replace(entry, files=tuple(files[event.comment_id])))
        room = max(0, room - len(entry.text))
    return entries


def _entry(event: Event, recipient: User, limit: int, known: Known) -> Entry:
    text = event.comment.text.strip() if event.comment else ""
    did = describe(event, for_staff=recipient.is_staff)
    if recipient.pk in event.data.get("named", {}).values():
        did = _("%(did)s and named you") % {"did": did}
    return Entry(
        who=_who(event, recipient, known),
        did=did,
        at=event.at,
        text=text[:limit].rstrip(),
        is_cut=len(text) > limit,
        is_note=event.is_internal and event.comment is not None,
    )


def _who(event: Event, recipient: User, known: Known) -> str:
    rule = rule_of(event)
    if rule and recipient.is_staff:
        return _("The rule “%(rule)s”") % {"rule": rule}
    actor = _actor(event, recipient, known)
    return actor.display_name if actor else ""


def _actor(event: Event, recipient: User, known: Known) -> User | Support | None:
    if recipient.is_staff:
        return event.actor
    return actor_for_customers(event, known.get(event.ticket_id, set()) | ({event.comment.author_id} if event.comment else set()))


def _known(events: Iterable[Event], recipient: User) -> Known:
    """By ticket, who wrote what a customer has read. Asked where somebody of ours did something without a word."""
    silent = {
        one.ticket_id
        for one in events
        if one.actor and one.actor.is_or_was_staff and not (one.comment and one.comment.author_id == one.actor_id)
    }
    return access.authors_read_by(recipient, silent) if silent and not recipient.is_staff else {}


def _files(comments: Sequence[int]) -> defaultdict[int | None, list[File]]:
    found: defaultdict[int | None, list[File]] = defaultdict(list)
    for file in Attachment.objects.filter(comment__in=comments).order_by("id") if comments else ():
        url = urljoin(settings.SITE_URL, reverse("attachment", args=[file.pk, file.name]))
        found[file.comment_id].append(File(file.name, file.size, url))
    return found


def _earlier(events: Sequence[Event], recipient: User) -> list[Entry]:
    """The last words before these. Notes only where an answer is a note as well: a mail program may quote all of it, and nothing must come out that way."""
    first = events[0]
    comments = access.comments_for(recipient, first.ticket).filter(created_at__lte=first.at)
    comments = comments.exclude(pk__in=[event.comment_id for event in events if event.comment_id])
    if not is_internal(events):
        comments = comments.filter(is_internal=False)
    # Without reading the rest of what may be long.
    beginnings = comments.annotate(beginning=Left("text", _EARLIER_WORDS + 1)).defer("text", "html", "quoted")
    return [_said_before(comment) for comment in beginnings.select_related("author").order_by("-id")[:_EARLIER]]


def _said_before(comment: Any) -> Entry:
    text = comment.beginning.strip()
    return Entry(
        who=comment.author.display_name,
        did="",
        at=comment.created_at,
        text=text[:_EARLIER_WORDS].rstrip(),
        is_cut=len(comment.beginning) > _EARLIER_WORDS,
        is_note=comment.is_internal,
    )


def _digest(delivery: Delivery, events: Sequence[Event]) -> dict[str, Any]:
    """A section for each ticket; of very many events the newest, and how many there are `more`."""
    recipient = delivery.recipient
    shown = sorted(events[-_DIGEST_EVENTS:], key=lambda event: (event.ticket_id, event.pk))
    known = _known(shown, recipient)
    sections = [
        Section(
            number=ticket.number,
            subject=ticket.subject,
            status=_status(ticket, recipient),
            url=_ticket_url(ticket, recipient),
            entries=[_in_short(_entry(event, recipient, _DIGEST_WORDS, known)) for event in of_ticket],
        )
        for ticket, of_ticket in groupby(shown, key=lambda event: event.ticket)
    ]
    return {
        "sections": sections,
        "tickets": len({event.ticket_id for event in events}),
        "more": len(events) - len(shown),
        "home_url": urljoin(settings.SITE_URL, reverse("desk" if recipient.is_staff else "tickets")),
        "unsubscribe_url": stop_url(delivery),
    } | _preview([section.subject for section in sections])


# --- Reports -------------------------------------------------------------------------------------------------------------------


def _report(subscription: ReportSubscription, delivery: Delivery) -> dict[str, Any]:
    """As the recipient sees it now, of the period that ended when the mail was made; the whole table as a file."""
    recipient = delivery.recipient
    asked = read(dict(parse_qsl(subscription.query)), recipient, now=delivery.created_at)
    made = build(subscription.report, access.tickets_for(recipient), asked)
    table, words = made.table, in_short(asked, subscription.report)
    path = reverse("desk_report", args=[subscription.report])
    lines = [_line(row, has_before=table.has_before) for row in table.shown]
    fits = len(table.columns) <= _REPORT_COLUMNS
    return {
        "title": names()[subscription.report],
        "filters": words,
        "period": period_in_words(asked.period) if table.period else "",
        "before": period_in_words(asked.period.before) if table.has_before else "",
        "zone": asked.period.zone,
        "note": table.note,
        "head": table.head,
        "columns": table.columns,
        "lines": (lines[-_REPORT_ROWS:] if made.steps else lines[:_REPORT_ROWS]) if fits else [],
        "is_cut": fits and len(lines) > _REPORT_ROWS,
        "link": urljoin(settings.SITE_URL, f"{path}?{subscription.query}" if subscription.query else path),
        "unsubscribe_url": stop_url(delivery),
        "stop_label": _("Stop this report"),
        "file": (file_name(subscription.report, asked), as_csv(made)),
    } | _preview([names()[subscription.report], *words])


def _line(row: Row, *, has_before: bool) -> dict[str, Any]:
    cells = [
        {"words": in_words(cell.value, cell.unit), "before": in_words(cell.before, cell.unit) if has_before else ""} for cell in row.cells
    ]
    return {"label": row.label, "is_date": row.period is not None, "cells": cells}


def _in_short(entry: Entry) -> Entry:
    return replace(entry, text=" ".join(entry.text.split()))


def is_internal(events: Sequence[Event]) -> bool:
    """Whether the mail tells of something that customers never see; then its answer is not for them either."""
    return any(event.is_internal for event in events)


def _question(ticket: Ticket, events: Sequence[Event], recipient: User) -> dict[str, Any]:
    """Of a ticket that was resolved, and still is: when it closes, and for customers the way to each of the two answers."""
    if not (ticket.is_resolved and any(_resolves(event) for event in events)):
        return {}
    asks = {"closes_at": ticket.close_due_at}
    if recipient.is_staff:
        return asks
    fixed, broken = (urljoin(settings.SITE_URL, answer_path(answer, ticket, recipient)) for answer in Answer)
    return asks | {"fixed_url": fixed, "broken_url": broken}


def _resolves(event: Event) -> bool:
    return event.kind == EventKind.RESOLVED or event.data.get("category") == "resolved"


def _ticket_url(ticket: Ticket, recipient: User) -> str:
    return urljoin(settings.SITE_URL, reverse("desk_ticket" if recipient.is_staff else "ticket", args=[ticket.number]))


def _status(ticket: Ticket, recipient: User) -> str:
    return ticket.status.name if recipient.is_staff else ticket.status.label_for_customers


_STOPPABLE = (Reason.REQUESTER, Reason.FOLLOWER, Reason.ORGANIZATION, Reason.GROUP, Reason.MENTIONED)


def stop_url(delivery: Delivery) -> str:
    """Where mails about the ticket, or the daily one, can be stopped; '' for who is told because the work is theirs, which no link ends.

    One of a group is not alone.
    """
    if delivery.kind == Kind.DIGEST:
        return urljoin(settings.SITE_URL, unsubscribe_path(None, delivery.recipient))
    if delivery.subscription:
        return urljoin(settings.SITE_URL, report_path(delivery.subscription))
    if delivery.event is None or delivery.reason not in _STOPPABLE:
        return ""
    return urljoin(settings.SITE_URL, unsubscribe_path(delivery.event.ticket, delivery.recipient))


def _because(delivery: Delivery) -> str:
    event = delivery.event
    number, who = (event.ticket.number, event.actor.display_name if event.actor else "") if event else (0, "")
    if delivery.subscription and (by := delivery.subscription.created_by) and by != delivery.recipient:
        who = by.display_name
    return {
        Reason.REQUESTER: _("You get this mail because ticket #%(number)s is yours."),
        Reason.FOLLOWER: _("You get this mail because you follow ticket #%(number)s."),
        Reason.ORGANIZATION: _(
            "You get this mail because you follow everything of your organization, and ticket #%(number)s is shared with it."
        ),
        Reason.ASSIGNEE: _("You get this mail because ticket #%(number)s is assigned to you."),
        Reason.GROUP: _("You get this mail because ticket #%(number)s waits for your group."),
        Reason.MENTIONED: _("You get this mail because %(who)s named you on ticket #%(number)s."),
        Reason.RULE: _("You get this mail because a rule of our desk tells you of ticket #%(number)s."),
        Reason.ACCOUNT: _("You get this mail because of your account here.")
        if delivery.kind == Kind.ACCOUNT_CHANGED
        else _("You get this mail because somebody wrote to us from your address, or asked for it."),
        Reason.DIGEST: _("You get this mail because you chose one mail a day."),
        Reason.INVITED: _("You get this mail because somebody wrote your address into an invitation. If you do not know them, do nothing."),
        Reason.SLA: _("You get this mail because the SLA policy of ticket #%(number)s names you or your group."),
        Reason.REPORT: _("You get this mail each Monday because %(who)s subscribed you to this report.")
        if who
        else _("You get this mail each Monday because you subscribed to this report."),
        Reason.LEAD: _("You get this mail because you look after this organization."),
    }[Reason(delivery.reason)] % {"number": number, "who": who}


def _ink_on(colour: str) -> str:
    """White or near-black, whichever reads better on a `#rrggbb` (relative luminance of WCAG)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return "#211e1a" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 else "#ffffff"
