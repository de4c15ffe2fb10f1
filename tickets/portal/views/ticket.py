"""One ticket, and everything that a customer can do with it. Each deed is a POST of its own that leads back to the page."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from notifications import preferences
from notifications.models import Level
from tickets import access, actions
from tickets.models import Channel, EventKind, Ticket
from tickets.people import ShareForm, share_by
from tickets.portal.door import PersonRequest, customer_required
from tickets.portal.people import people_of
from tickets.portal.timeline import Timeline, timeline
from tickets.portal.views.people import LIMIT as SHARE_LIMIT
from tickets.portal.words import standing
from tickets.ratelimit import is_too_often, refusal
from tickets.reading import mark_read, with_unread
from tickets.uploads import MessageForm, SeenField

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from tickets.models import Comment

_LIMIT = 30  # comments of one person in ten minutes
_VERB_LIMIT = 30  # closings, reopenings and the like, as each may mail all who follow
_RELATED = 10  # linked tickets that are shown
_NEWS = (EventKind.COMMENTED, EventKind.RESOLVED, EventKind.CLOSED, EventKind.REOPENED)  # what may change an answer


@require_safe
@customer_required
def ticket(request: PersonRequest, number: int) -> HttpResponse:
    """A merged ticket leads to the one that it goes on in, for who sees that."""
    found = _get(request, number)
    if found.merged_into and access.can_see(request.user, found.merged_into):
        return redirect("ticket", found.merged_into_id)
    return _page(request, found, MessageForm(writer=request.user))


@require_POST
@customer_required
def reply(request: PersonRequest, number: int) -> HttpResponse:
    found, form = _get(request, number), MessageForm(request.POST, request.FILES, writer=request.user)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    if news := _news(request, found, form.cleaned_data["seen"]):
        return _page(request, found, form, status=409, news=news)
    if is_too_often("comment", request.user, limit=_LIMIT):
        form.add_error("text", refusal())
        return _page(request, found, form, status=429)
    try:
        said = actions.comment(found, actor=request.user, message=form.message(Channel.PORTAL))
    except actions.KeyTaken as error:
        form.add_error("text", str(error))
        form.renew_key()
        return _page(request, found, form, status=409)
    mark_read(said.ticket, request.user)
    if said.ticket_id == number:
        messages.success(request, _posted(said))
    elif Ticket.objects.filter(pk=number, merged_into=said.ticket_id).exists():
        words = _("Ticket %(old)s goes on in this one, %(new)s. Your reply is posted here.")
        messages.success(request, words % {"old": number, "new": said.ticket_id})
    else:
        words = _("Ticket %(old)s was closed, so your reply opened this one, %(new)s. The two are linked.")
        messages.success(request, words % {"old": number, "new": said.ticket_id})
    return redirect(f"{reverse('ticket', args=[said.ticket_id])}#c{said.pk}")


def _posted(said: Comment) -> str:
    """With whom a name in it shared the ticket is said, as no script may have told it before."""
    names = ", ".join(said.events.get().data.get("shared_with", ()))
    if not names:
        return _("Your reply is posted.")
    return _("Your reply is posted. You named %(names)s, who can read this ticket from now on.") % {"names": names}


@require_POST
@customer_required
def seen(request: PersonRequest, number: int) -> HttpResponse:
    """The page was shown, up to this event. Sent by the page itself; who has no scripts has read it when they answer."""
    ticket = access.get_ticket(request.user, number)
    if newest := SeenField(required=False).clean(request.POST.get("seen")):
        mark_read(ticket, request.user, seen=newest)
    return HttpResponse(status=204)


def _verb(view: Callable[[PersonRequest, Ticket], str | None]) -> Callable[[HttpRequest, int], HttpResponse]:
    """Does the deed, and leads back to the ticket, to where the view says. Refused by the ticket's state, it says so there."""

    @wraps(view)
    def post(request: PersonRequest, number: int) -> HttpResponse:
        ticket = _get(request, number)
        if is_too_often("verb", request.user, limit=_VERB_LIMIT):
            messages.warning(request, refusal())
            return redirect("ticket", number=number)
        mark_read(ticket, request.user)
        anchor = None
        try:
            anchor = view(request, ticket)
        except actions.IllegalMove as refused:
            messages.warning(request, str(refused))
        return redirect(f"{reverse('ticket', args=[number])}{anchor or ''}")

    return require_POST(customer_required(post))


@_verb
def follow(request: PersonRequest, ticket: Ticket) -> None:
    preferences.follow(ticket, request.user)
    messages.success(request, preferences.promise(request.user, ticket), extra_tags=reverse("ticket_unfollow", args=[ticket.pk]))


@_verb
def unfollow(request: PersonRequest, ticket: Ticket) -> None:
    preferences.stop(ticket, request.user)
    words = _("You get no more email about this ticket. You still find it here.")
    messages.success(request, words, extra_tags=reverse("ticket_follow", args=[ticket.pk]))


@_verb
def mail_level(request: PersonRequest, ticket: Ticket) -> None:
    preferences.choose_for(ticket, request.user, request.POST.get("level", "?"))
    messages.success(request, preferences.promise(request.user, ticket))


@_verb
def fixed(request: PersonRequest, ticket: Ticket) -> None:
    """It works: of an open ticket that settles the matter; of a resolved one it spares the wait until it closes."""
    if ticket.is_resolved:
        actions.close(ticket, actor=request.user)
        messages.success(request, _("Good to hear. The ticket is closed."))
        return
    settled = actions.confirm_fix(ticket, actor=request.user)
    resolved = _("Good to hear. The ticket is resolved.")
    closed = _("Good to hear. The ticket is closed.") if settled.is_closed else _("Good to hear. Support finishes the ticket.")
    messages.success(request, resolved if settled.is_resolved else closed)


@_verb
def close(request: PersonRequest, ticket: Ticket) -> None:
    actions.close(ticket, actor=request.user)
    messages.success(request, _("The ticket is closed."), extra_tags=reverse("ticket_reopen", args=[ticket.pk]))


@_verb
def reopen(request: PersonRequest, ticket: Ticket) -> str:
    actions.reopen(ticket, actor=request.user)
    messages.success(request, _("The ticket is open again. Tell us below what is still wrong."))
    return "#reply"


@require_POST
@customer_required
def share(request: PersonRequest, number: int) -> HttpResponse:
    """With all who are named, or, where one of them can't be found, with nobody."""
    found = _get(request, number)
    form = ShareForm(request.POST, actor=request.user, own=list(access.shareable_by(request.user)))
    if is_too_often("share", request.user, limit=SHARE_LIMIT):
        form.add_error("who", refusal())
        return _page(request, found, MessageForm(writer=request.user), status=429, sharing=form)
    try:
        done = share_by(form, found) if form.is_valid() else ""
    except actions.DomainError as refused:
        form.add_error("who", str(refused))
    if not form.is_valid():
        return _page(request, found, MessageForm(writer=request.user), status=422, sharing=form)
    messages.success(request, done)
    return redirect("ticket", number=number)


def _get(request: PersonRequest, number: int) -> Ticket:
    among = with_unread(Ticket.objects.select_related("status", "priority", "requester", "filer", "merged_into"), request.user)
    return access.get_ticket(request.user, number, among=preferences.with_levels(among, request.user))


def _news(request: PersonRequest, ticket: Ticket, seen: int | None) -> str:
    """What to say when others answered while this person wrote; '' when nobody did."""
    if seen is None:
        return ""
    since = access.events_for(request.user, ticket).filter(pk__gt=seen, kind__in=_NEWS).exclude(actor=request.user)
    count = since.count()
    if not count:
        return ""
    return ngettext(
        "While you were writing, something new came in; it is the last entry above. Your reply is not posted yet: look, then post it again.",
        "While you were writing, %(count)d new things came in; they are above. Your reply is not posted yet: look, then post it again.",
        count,
    ) % {"count": count}


def _page(
    request: PersonRequest, ticket: Ticket, form: MessageForm, *, status: int = 200, news: str = "", sharing: ShareForm | None = None
) -> HttpResponse:
    story = timeline(request.user, ticket)
    context = {
        "ticket": ticket,
        "standing": standing(ticket),
        "entries": story.entries,
        "files": story.files,
        "seen": story.seen,
        "priority": ticket.priority if ticket.priority_id == story.told_priority else None,  # theirs to know once they were told
        "form": form,
        "news": news,
        "max_files": settings.MAX_FILES,
        "max_bytes": settings.MAX_FILE_BYTES,
        **_people(request, ticket, story, sharing),
        **_related(request, ticket),
        **_offers(ticket),
    }
    return render(request, "portal/ticket.html", context, status=status)


def _people(request: PersonRequest, ticket: Ticket, story: Timeline, sharing: ShareForm | None) -> dict[str, Any]:
    answered = [entry.author for entry in story.entries if entry.kind == "reply" and isinstance(entry.author, User)]
    people = people_of(request.user, ticket, answered=answered)
    follows_all: bool = ticket.follows_all  # type: ignore[attr-defined] # annotated
    return {
        "people": people,
        "sharing": sharing or ShareForm(actor=request.user, own=people.own),
        "is_following": people.is_following or (follows_all and ticket.own_level != Level.NONE),  # type: ignore[attr-defined]
        "follows_all": follows_all,
        "levels": preferences.choices(request.user, general=ticket.general_level),  # type: ignore[attr-defined]
    }


def _related(request: PersonRequest, ticket: Ticket) -> dict[str, Any]:
    """The ticket it follows and those that follow it, as far as this person sees them."""
    linked = Q(follow_up_to=ticket) | Q(pk=ticket.follow_up_to_id) if ticket.follow_up_to_id else Q(follow_up_to=ticket)
    tickets = list(access.tickets_for(request.user).filter(linked).order_by("id")[:_RELATED])
    return {
        "follows": next((other for other in tickets if other.pk == ticket.follow_up_to_id), None),
        "follow_ups": [other for other in tickets if other.pk != ticket.follow_up_to_id],
    }


def _offers(ticket: Ticket) -> dict[str, bool]:
    """What the page offers; the verbs check for themselves."""
    return {
        # Asked where support had the last word.
        "can_confirm": ticket.is_unresolved and bool(ticket.first_response_at) and not (ticket.waiting_since or ticket.fix_confirmed_at),
        "can_close": ticket.is_unresolved,
        "can_reopen": ticket.is_closed and not ticket.merged_into_id,
        "opens_follow_up": ticket.is_closed and (ticket.merged_into_id is not None or not ticket.status.reopens_on_reply),
    }
