"""The ticket's page: all of it, for every answer that shows it again. What its forms do is in `tickets.desk.verbs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from csp.decorators import csp_update
from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.models import Membership, Organization
from notifications import bounces, preferences
from tickets import access
from tickets.desk import links, snooze, tags
from tickets.desk.clock_panel import dials
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.forms import DeskShareForm, DraftForm, NoteForm, ReplyForm, StatusForm, TellForm
from tickets.desk.leaving import leaving_reply
from tickets.desk.offers import Offer, offers
from tickets.desk.timeline import Entry, timeline
from tickets.lifecycle import FINISHED, UNRESOLVED, Category
from tickets.merging import why_not_undone
from tickets.models import Draft, Follower, OrganizationShare, Ticket
from tickets.uploads import SeenField
from tickets.writing import drafts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.models import QuerySet
    from django.http import HttpResponse

    from accounts.models import User
    from tickets.desk.seen import Overtaken

ComposerForm: TypeAlias = ReplyForm | NoteForm | DraftForm
_NAMED = 3  # people named where all would be too many
_FOLLOWERS = preferences.with_level_of_each(  # put together once, which takes as long as to ask it
    bounces.with_suspensions(Follower.objects.all().with_newcomers().select_related("user", "added_by").order_by("id"))
)


@require_safe
@staff_required
def ticket(request: StaffRequest, number: int) -> HttpResponse:
    """A merged ticket leads to the one that it goes on in, unless it is itself what one wants to read, or one has words of one's own there.

    `?since=`: what others did after that event is marked.
    """
    found = find(request.user, number)
    stays = "stay" in request.GET or found.has_draft  # type: ignore[attr-defined] # annotated
    if found.merged_into and not stays and access.can_see(request.user, found.merged_into):
        return redirect(f"{reverse('desk_ticket', args=[found.merged_into_id])}#merged-{number}")
    return page(request, found, since=SeenField(required=False).clean(request.GET.get("since")))


@csp_update({"img-src": ["https:"]})  # type: ignore[arg-type] # django-csp has not heard of views with arguments
@require_safe
@staff_required
def pictures(request: StaffRequest, number: int, comment: int) -> HttpResponse:
    """The page with one message's pictures as they lie on other servers. The person's browser asks those, and nobody between; no other message's are loaded."""
    return page(request, find(request.user, number), pictures_of=comment)


def find(user: User, number: int) -> Ticket:
    """With what the page shows joined in. Raises Http404."""
    # No more joins than what every page shows: past six of them, planning takes PostgreSQL longer than all that it then does.
    among = Ticket.objects.select_related("status", "priority", "group", "assignee", "requester").annotate(others=_others(user))
    return access.get_ticket(user, number, among=drafts.with_marks(among, user))


def find_to_answer(user: User, number: int) -> Ticket:
    """As above; of a merged ticket, the one where the answer belongs."""
    found = find(user, number)
    goes_on = found.merged_into is not None and access.can_see(user, found.merged_into)
    return find(user, found.merged_into_id) if goes_on and found.merged_into_id else found


def _others(user: User) -> Subquery:
    """How many more tickets of the same requester this person sees: `open` and `finished`; None where there is none."""
    others = access.tickets_for(user).filter(requester=OuterRef("requester")).exclude(pk=OuterRef("pk")).order_by().values("requester")
    counted = {"open": _count_in(UNRESOLVED), "finished": _count_in(FINISHED)}
    return Subquery(others.annotate(counts=JSONObject(**counted)).values("counts"))


def _count_in(categories: Collection[Category]) -> Count:
    return Count("pk", filter=Q(category__in=categories))


def page(  # noqa: PLR0913 all by name
    request: StaffRequest,
    ticket: Ticket,
    *,
    form: ComposerForm | None = None,
    move: StatusForm | None = None,
    tell: TellForm | None = None,
    sharing: DeskShareForm | None = None,
    macro: dict[str, Any] | None = None,
    overtaken: Overtaken | None = None,
    since: int | None = None,
    pictures_of: int | None = None,
) -> HttpResponse:
    """`form`, `move`, `tell`, `sharing`: what was sent and not done, to be shown again with its text. `overtaken`: what happened meanwhile.

    `macro`: one that was chosen, and what it asks first. `pictures_of`: the comment whose remote pictures are shown.
    """
    news = {event.pk for event in overtaken.events} if overtaken else _since(request.user, ticket, since)
    own, leaving, senders = drafts.at(ticket, user=request.user)
    related = links.shown(request.user, ticket)
    parts = [ticket.pk, *(one.pk for one in related["merged"])]
    entries = timeline(request.user, ticket, parts=parts, news=news, pictures_of=pictures_of)
    followers: list[Any] = list(_FOLLOWERS.filter(ticket=ticket))
    stopped = [row for row in followers if row.suspension]
    offered = offers(ticket)
    own_level, general_level = preferences.chosen(request.user, ticket)
    organizations: list[Any] = list(_organizations(ticket))
    context = {
        "ticket": ticket,
        "entries": entries,
        "seen": entries[-1].event.pk if entries else 0,
        "conflict": str(overtaken) if overtaken else "",
        "properties": _properties(ticket, offered),
        "priorities": [priority for priority in offered["priority"] if priority.definition],
        "types": _options(offered["type"]),
        "move": move,
        "macro": macro,
        "tell": tell,
        "tells_priority": settings.TELL_PRIORITY or tell is not None,
        "followers": [(row, _("mail stopped") if row.suspension else preferences.said_of(row)) for row in followers],
        "stopped": stopped,
        "sharing": sharing or DeskShareForm(actor=request.user),
        "is_following": any(row.user_id == request.user.pk and not row.is_muted for row in followers),
        "own_level": own_level,
        "levels": preferences.choices(request.user, general=general_level),
        "organizations": organizations,
        **related,
        "why_merged_stays": why_not_undone(ticket) if ticket.merged_into_id else "",
        "mail": _mail_health(entries),
        "dials": dials(ticket, [entry.event for entry in entries], now=timezone.now()),
        **tags.shown(request.user, ticket),
        **snooze.shown(),
        "leaving": leaving and leaving_reply(leaving),
        "senders": senders,
        **_composer(
            ticket,
            form=form,
            drafts=own,
            wanted=request.GET.get("write", ""),
            statuses=offered["status"],
            mailed=[row.user for row in followers if not row.suspension and preferences.is_mailed(row, ticket)]
            + (preferences.mailed_for_all(ticket) if any(one.is_shared and one.is_followed for one in organizations) else []),
            me=request.user,
        ),
    }
    return render(request, "desk/ticket.html", context, status=_status(overtaken, form, move, tell, sharing, macro))


def _since(user: User, ticket: Ticket, event: int | None) -> set[int]:
    """What others did after this event."""
    if event is None:
        return set()
    return set(access.events_for(user, ticket).filter(pk__gt=event).exclude(actor=user).values_list("pk", flat=True))


def _status(overtaken: Overtaken | None, *forms: object) -> int:
    """409: done by nobody, as others were quicker. 422: something is missing."""
    if overtaken:
        return 409
    return 422 if any(form is not None for form in forms) else 200


# --- Composer ------------------------------------------------------------------------------------------------------------------


def _composer(
    ticket: Ticket,
    *,
    form: ComposerForm | None,
    drafts: list[Draft],
    wanted: str,
    statuses: list[Offer],
    mailed: list[User],
    me: User,
) -> dict[str, Any]:
    """With what was sent and not done, else with the draft: of the kind that is `wanted` ("reply", "note"), else the newest."""
    is_note = _is_note(form, drafts, wanted)
    draft = next((one for one in drafts if one.is_note == is_note), None)
    other = next((one for one in drafts if one.is_note != is_note), None)
    goes_on = draft if form is None else None
    shown = form or (ReplyForm.going_on(goes_on, ticket=ticket) if goes_on else ReplyForm(ticket=ticket, writer=me))
    chosen = str(goes_on.status_id or "") if goes_on else shown.data.get("status", "")
    had_files = form is not None and bool(form.files)  # only where no script uploads them before
    return {
        "form": shown,
        "is_note": is_note,
        "draft": draft,
        "other": other,
        "other_form": other and ReplyForm.going_on(other, ticket=ticket),
        "file_errors": [*shown.errors.get("files", []), *([_("Choose your files again.")] if had_files else [])],
        "statuses": _statuses_to_send_with(ticket, statuses, chosen=chosen),
        "hint": _("It is spam: nobody will be mailed.") if ticket.is_spam else _who_will_be_mailed(mailed, me=me),
        "find_url": f"{reverse('desk_article_find')}?ticket={ticket.pk}",
        "max_files": settings.MAX_FILES,
        "max_bytes": settings.MAX_FILE_BYTES,
    }


def _is_note(form: ComposerForm | None, drafts: list[Draft], wanted: str) -> bool:
    if form is not None:
        return isinstance(form, NoteForm) or form.data.get("kind") == "note"
    return wanted == "note" if wanted in ("reply", "note") else any(one.is_note for one in drafts[:1])


def _statuses_to_send_with(ticket: Ticket, statuses: list[Offer], *, chosen: str) -> list[tuple[str, str]]:
    """The first is what the page has chosen: to send only, or what was chosen before it was shown again."""
    words = [("", _("Only send"))]
    words += [
        (str(status.pk), _("Send and set to %(status)s") % {"status": status})
        for status in statuses
        if status.category != Category.SPAM and status.pk != ticket.status_id
    ]
    return sorted(words, key=lambda choice: choice[0] != chosen)


def _who_will_be_mailed(people: list[User], *, me: User) -> str:
    names = [person.display_name for person in people if person != me and person.is_active]
    if not names:
        return _("Nobody who gets mail follows this ticket: nobody will be mailed.")
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    if more > 0:
        shown += " " + ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}
    return _("Mails %(names)s") % {"names": shown}


# --- Side ----------------------------------------------------------------------------------------------------------------------


def _options(things: Iterable[Any]) -> list[tuple[str, str]]:
    return [(str(thing.pk), str(thing)) for thing in things]


def _properties(ticket: Ticket, offered: dict[str, list[Offer]]) -> list[dict[str, Any]]:
    """Each its own form. Spam has its own button, so that nobody throws a ticket out by a slip in a list."""
    statuses = [status for status in offered["status"] if status.category != Category.SPAM or status.pk == ticket.status_id]
    rows = [
        ("status", _("Status"), "", statuses),
        ("priority", _("Priority"), _("Not set"), offered["priority"]),
        ("type", _("Type"), _("Not set"), offered["type"]),
        ("area", _("Product area"), _("Not set"), offered["area"]),
        ("group", _("Group"), _("No group"), offered["group"]),
        ("assignee", _("Assignee"), _("Nobody"), offered["assignee"]),
    ]
    return [
        {
            "name": name,
            "label": label,
            "empty": empty,
            "choices": _options(things),
            "chosen": getattr(ticket, f"{name}_id"),
            "action": reverse(f"desk_ticket_{name}", args=[ticket.number]),
            "key": _KEYS.get(name, ""),
            "tell": name == "priority" and any(priority.is_told for priority in things),
        }
        for name, label, empty, things in rows
        if things or name != "area"  # where an admin made some
    ]


_KEYS = {"status": "s", "priority": "p", "type": "t", "group": "g", "assignee": "a"}  # see static/js/keys.js


def _organizations(ticket: Ticket) -> QuerySet[Organization]:
    """The requester's, and those that the ticket is shared with; usually the same. `is_followed`: some members follow all that is shared with it."""
    of_requester = Membership.objects.filter(user=ticket.requester_id, is_active=True).values("organization")
    shared = OrganizationShare.objects.filter(ticket=ticket).values("organization")
    standing = Membership.objects.filter(organization=OuterRef("pk"), follows_all=True, is_active=True)
    found = Organization.objects.filter(pk__in=of_requester.union(shared)).select_related("delivery_lead")
    return found.annotate(is_requesters=Q(pk__in=of_requester), is_shared=Q(pk__in=shared), is_followed=Exists(standing))


def _mail_health(entries: list[Entry]) -> dict[str, Any]:
    """`failed`: also those that came back."""
    failed = [(entry.anchor, len(entry.mailed.failed) + len(entry.mailed.bounced)) for entry in entries]
    return {
        "sent": sum(len(entry.mailed.sent) for entry in entries),
        "waiting": sum(len(entry.mailed.waiting) for entry in entries),
        "failed": sum(count for _anchor, count in failed),
        "first_failed": next((anchor for anchor, count in failed if count), ""),
    }
