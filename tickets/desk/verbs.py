"""What the forms of the ticket's page do: find the ticket, check the form, call one verb, go back to the page.

Reply, note and moves of the status are refused while the page they come from is out of date (see `tickets.desk.seen`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.models import User
from notifications import preferences
from notifications.models import Delivery
from tickets import access, actions, sharing
from tickets.desk.back import back as _back
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.forms import DeskShareForm, NoteForm, ReplyForm, StatusForm, TellForm, property_form
from tickets.desk.mail import try_again
from tickets.desk.seen import Overtaken, unless_overtaken
from tickets.desk.ticket import find, find_to_answer, page
from tickets.lifecycle import FINISHED, Category
from tickets.mail import rules
from tickets.models import Channel, Draft, EventKind, MailRule, Ticket
from tickets.people import one_of, share_by
from tickets.uploads import KeyField, SeenField
from tickets.writing import drafts

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpResponse

    from accounts.models import Organization

_VERBS: dict[str, Callable[..., Ticket]] = {
    "priority": actions.set_priority,
    "type": actions.set_type,
    "area": actions.set_area,
    "group": actions.set_group,
    "assignee": actions.assign,
}


def _seen(request: StaffRequest) -> int | None:
    return SeenField(required=False).clean(request.POST.get("seen"))


def _draft_of(request: StaffRequest) -> UUID | None:
    """The version of the draft that the page had put into the composer."""
    return KeyField(required=False).clean(request.POST.get("draft"))


# --- Conversation --------------------------------------------------------------------------------------------------------------


@require_POST
@staff_required
def reply(request: StaffRequest, number: int) -> HttpResponse:
    """Public, unless the composer was switched to a note: where the two disagree, nothing goes out."""
    if request.POST.get("kind") == "note":
        return _note(request, number)
    ticket, known = find_to_answer(request.user, number), _draft_of(request)
    form = ReplyForm(request.POST, request.FILES, ticket=ticket, writer=request.user)
    if not form.is_valid():
        return page(request, ticket, form=form)
    try:
        with unless_overtaken(ticket, actor=request.user, seen=form.cleaned_data["seen"]):
            is_elsewhere = ticket.pk != number
            said = drafts.send(ticket, actor=request.user, **form.verb_arguments(), known=known, keeps_draft=is_elsewhere)
            if is_elsewhere:
                drafts.clear(Ticket(pk=number), actor=request.user, is_note=False, known=known)
    except Overtaken as overtaken:
        return page(request, find(request.user, ticket.number), form=form, overtaken=overtaken)
    except actions.KeyTaken as error:
        return _ask_again(request, ticket, form, error)
    except (actions.TypeRequired, actions.ReferenceRequired) as error:
        form.ask_for(error)
        return page(request, find(request.user, ticket.number), form=form)
    if isinstance(said, Draft):
        seconds = settings.UNDO_SECONDS
        words = ngettext("Your reply goes out in %(count)d second.", "Your reply goes out in %(count)d seconds.", seconds)
        return _back(request, ticket, words % {"count": seconds}, anchor="#leaving")
    return _back(request, ticket, _("Your reply is on its way."), anchor=f"#c{said.pk}")


@require_POST
@staff_required
def note(request: StaffRequest, number: int) -> HttpResponse:
    return _note(request, number)


def _note(request: StaffRequest, number: int) -> HttpResponse:
    ticket = find_to_answer(request.user, number)
    form = NoteForm(request.POST, request.FILES, writer=request.user)
    if not form.is_valid():
        return page(request, ticket, form=form)
    try:
        with unless_overtaken(ticket, actor=request.user, seen=form.cleaned_data["seen"]):
            said = actions.add_note(ticket, actor=request.user, message=form.message(Channel.DESK))
            drafts.clear(Ticket(pk=number), actor=request.user, is_note=True, known=_draft_of(request))
    except Overtaken as overtaken:
        return page(request, find(request.user, ticket.number), form=form, overtaken=overtaken)
    except actions.KeyTaken as error:
        return _ask_again(request, ticket, form, error)
    return _back(request, ticket, _("Your note is kept. Only staff see it."), anchor=f"#c{said.pk}")


def _ask_again(request: StaffRequest, ticket: Ticket, form: ReplyForm | NoteForm, error: actions.KeyTaken) -> HttpResponse:
    form.add_error("text", str(error))
    form.renew_key()
    return page(request, find(request.user, ticket.number), form=form)


# --- Course --------------------------------------------------------------------------------------------------------------------


@require_POST
@staff_required
def status(request: StaffRequest, number: int) -> HttpResponse:
    return _move(request, find(request.user, number), request.POST)


@require_POST
@staff_required
def resolve(request: StaffRequest, number: int) -> HttpResponse:
    """A change of the status like any other, but the button need not know which status that is."""
    data = request.POST.copy()
    data["status"] = str(actions.default_status(Category.RESOLVED).pk)
    return _move(request, find(request.user, number), data, deed=actions.resolve)


def _move(request: StaffRequest, ticket: Ticket, data: Any, *, deed: Callable[..., Ticket] | None = None) -> HttpResponse:
    """`deed`: the verb, where it knows the status by itself."""
    form = StatusForm(data, ticket=ticket)
    if not form.is_valid():
        return page(request, ticket, move=form)
    wanted = form.cleaned_data["status"]
    try:
        with unless_overtaken(ticket, actor=request.user, seen=form.cleaned_data["seen"]):
            drafts.settle(ticket, actor=request.user)
            given = {name: form.cleaned_data[name] for name in ("type", "reference")}
            (deed or partial(actions.change_status, status=wanted))(ticket, actor=request.user, **given)
    except Overtaken as overtaken:
        return page(request, find(request.user, ticket.number), overtaken=overtaken)
    except (actions.TypeRequired, actions.ReferenceRequired) as error:
        form.ask_for(error)
        return page(request, find(request.user, ticket.number), move=form)
    undo = _undo_of(request.user, ticket) if wanted.category in FINISHED else ""
    return _back(request, ticket, _("The status is %(status)s now.") % {"status": wanted}, undo=undo)


@require_POST
@staff_required
def close(request: StaffRequest, number: int) -> HttpResponse:
    return _do(request, number, actions.close, _("The ticket is closed."), can_undo=True)


@require_POST
@staff_required
def reopen(request: StaffRequest, number: int) -> HttpResponse:
    return _do(request, number, actions.reopen, _("The ticket is open again."))


@require_POST
@staff_required
def spam(request: StaffRequest, number: int) -> HttpResponse:
    if "always" in request.POST:
        return _always_spam(request, number)
    words = _("Marked as spam: it is out of every list, and nobody is mailed about it.")
    return _do(request, number, _put_into_spam, words, can_undo=True)


def _put_into_spam(ticket: Ticket, *, actor: User) -> None:
    actions.change_status(ticket, actor=actor, status=actions.default_status(Category.SPAM))


def _always_spam(request: StaffRequest, number: int) -> HttpResponse:
    sender = _sender_of(access.get_ticket(request.user, number))

    def deed(ticket: Ticket, *, actor: User) -> None:
        rules.remember_spammer(sender, actor=actor)
        _put_into_spam(ticket, actor=actor)

    words = _("Marked as spam, and new mail from %(who)s will be too. “Not spam” takes both back.")
    return _do(request, number, deed, words % {"who": sender})


@require_POST
@staff_required
def not_spam(request: StaffRequest, number: int) -> HttpResponse:
    words = _after_release(access.get_ticket(request.user, number))
    return _do(request, number, _take_out_of_spam, words)


def _after_release(ticket: Ticket) -> str:
    """What to expect of the sender's next mail."""
    sender = _sender_of(ticket)
    if rules.remembered(sender).filter(is_active=True).exists():
        return _("It is not spam: the ticket is back, and new mail from %(who)s is no spam any more.") % {"who": sender}
    rule = MailRule.objects.filter(messages__ticket=ticket, is_spam=True, is_active=True).first()
    if rule:
        return _("It is not spam: the ticket is back. The rule “%(rule)s” put it there; an admin can change it.") % {"rule": rule}
    return _("It is not spam: the ticket is back.")


def _sender_of(ticket: Ticket) -> str:
    """Who wrote the mail that opened it: a machine's may be the ticket of somebody else. Else the requester."""
    first = ticket.inbound.filter(comment__isnull=False).order_by("pk") if ticket.channel == Channel.EMAIL else ticket.inbound.none()
    return first.values_list("from_address", flat=True).first() or ticket.requester.email


def _take_out_of_spam(ticket: Ticket, *, actor: User) -> None:
    if ticket.is_spam:
        rules.forget_spammer(_sender_of(ticket), actor=actor)
        actions.change_status(ticket, actor=actor, status=actions.default_status(Category.NEW))


def _do(
    request: StaffRequest,
    number: int,
    deed: Callable[..., object],
    words: str,
    *,
    can_undo: bool = False,
    guard: tuple[EventKind, ...] = (),
) -> HttpResponse:
    """What is one button and asks nothing. `guard`: see `unless_overtaken`."""
    ticket = access.get_ticket(request.user, number)
    try:
        with unless_overtaken(ticket, actor=request.user, seen=_seen(request), kinds=guard):
            if not guard:
                drafts.settle(ticket, actor=request.user)
            deed(ticket, actor=request.user)
    except Overtaken as overtaken:
        return page(request, find(request.user, number), overtaken=overtaken)
    return _back(request, ticket, words, undo=_undo_of(request.user, ticket) if can_undo else "")


def _undo_of(user: User, ticket: Ticket) -> str:
    own = ticket.events.filter(actor=user).order_by("pk").last()
    return reverse("desk_ticket_undo", args=[ticket.number, own.pk]) if own else ""


@require_POST
@staff_required
def undo(request: StaffRequest, number: int, event: int) -> HttpResponse:
    """Needs no `seen`: the verb refuses once anything at all has happened since."""
    ticket = actions.undo(access.get_ticket(request.user, number), actor=request.user, event_id=event)
    return _back(request, ticket, _("Undone: the status is %(status)s again.") % {"status": ticket.status})


# --- Properties ----------------------------------------------------------------------------------------------------------------


@require_POST
@staff_required
def take(request: StaffRequest, number: int) -> HttpResponse:
    return _do(request, number, actions.take, _("The ticket is yours."), guard=(EventKind.ASSIGNED,))


@require_POST
@staff_required
def assignee(request: StaffRequest, number: int) -> HttpResponse:
    return _set(request, number, "assignee", guard=(EventKind.ASSIGNED,))


@require_POST
@staff_required
def priority(request: StaffRequest, number: int) -> HttpResponse:
    if "tell" in request.POST:
        return _tell_priority(request, number)
    return _set(request, number, "priority", guard=(EventKind.PRIORITY_CHANGED,))


def _tell_priority(request: StaffRequest, number: int) -> HttpResponse:
    """In two steps: the words are shown, to be changed, before anything is done. A priority without words is never told."""
    ticket = find(request.user, number)
    choice = property_form(request.POST, name="priority", ticket=ticket)
    if not choice.is_valid() or choice.value is None or not choice.value.public_comment:
        return _set(request, number, "priority", guard=(EventKind.PRIORITY_CHANGED,))
    if "text" not in request.POST:
        return page(request, ticket, tell=TellForm.asking(choice.value, ticket=ticket))
    form = TellForm(request.POST, ticket=ticket)
    if not form.is_valid():
        return page(request, ticket, tell=form)
    try:
        with unless_overtaken(ticket, actor=request.user, seen=form.cleaned_data["seen"], kinds=(EventKind.PRIORITY_CHANGED,)):
            actions.set_priority(ticket, actor=request.user, priority=choice.value, message=form.message())
    except Overtaken as overtaken:
        return page(request, find(request.user, number), tell=form, overtaken=overtaken)
    return _back(request, ticket, _("The priority is %(value)s now, and the customer is told.") % {"value": choice.value})


@require_POST
@staff_required
def type(request: StaffRequest, number: int) -> HttpResponse:  # noqa: A001 named as its address
    return _set(request, number, "type", guard=(EventKind.TYPE_CHANGED,))


@require_POST
@staff_required
def area(request: StaffRequest, number: int) -> HttpResponse:
    return _set(request, number, "area", guard=(EventKind.AREA_CHANGED,))


@require_POST
@staff_required
def group(request: StaffRequest, number: int) -> HttpResponse:
    return _set(request, number, "group", guard=(EventKind.GROUP_CHANGED,))


def _set(request: StaffRequest, number: int, name: str, *, guard: tuple[EventKind, ...]) -> HttpResponse:
    """Whoever changed the same property meanwhile is heard first; what happened otherwise doesn't matter to it."""
    ticket = find(request.user, number)
    form = property_form(request.POST, name=name, ticket=ticket)
    if name not in request.POST or not form.is_valid():
        messages.error(request, _("That is not in the list any more. Choose again."))
        return redirect("desk_ticket", number)
    try:
        with unless_overtaken(ticket, actor=request.user, seen=form.cleaned_data["seen"], kinds=guard):
            _VERBS[name](ticket, actor=request.user, **{name: form.value})
    except Overtaken as overtaken:
        return page(request, find(request.user, number), overtaken=overtaken)
    return _back(request, ticket, _said(name, form.value))


def _said(name: str, value: object) -> str:
    if value is None:
        return {
            "priority": _("The ticket has no priority now."),
            "type": _("The ticket has no type now."),
            "area": _("The ticket has no product area now."),
            "group": _("The ticket is in no group now."),
            "assignee": _("The ticket is nobody's now."),
        }[name]
    return {
        "priority": _("The priority is %(value)s now."),
        "type": _("The type is %(value)s now."),
        "area": _("The product area is %(value)s now."),
        "group": _("The group is %(value)s now."),
        "assignee": _("The ticket is %(value)s's now."),
    }[name] % {"value": value}


# --- People --------------------------------------------------------------------------------------------------------------------


@require_POST
@staff_required
def follow(request: StaffRequest, number: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    preferences.follow(ticket, request.user)
    return _back(request, ticket, preferences.promise(request.user, ticket))


@require_POST
@staff_required
def unfollow(request: StaffRequest, number: int) -> HttpResponse:
    ticket = sharing.unfollow(access.get_ticket(request.user, number), actor=request.user)
    return _back(request, ticket, _("You no longer follow this ticket."))


@require_POST
@staff_required
def mail_level(request: StaffRequest, number: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    preferences.choose_for(ticket, request.user, request.POST.get("level", "?"))
    return _back(request, ticket, preferences.promise_to_staff(request.user, ticket))


@require_POST
@staff_required
def add_follower(request: StaffRequest, number: int) -> HttpResponse:
    """Shares the ticket: with people, organizations, or an address."""
    ticket = find(request.user, number)
    form = DeskShareForm(request.POST, actor=request.user)
    if not form.is_valid():
        return page(request, ticket, sharing=form)
    return _back(request, ticket, share_by(form, ticket))


@require_POST
@staff_required
def requester(request: StaffRequest, number: int) -> HttpResponse:
    """Whose ticket a forwarded mail is: its text names somebody, and a person confirms it here."""
    ticket = find(request.user, number)
    form = DeskShareForm(request.POST, actor=request.user)
    if not form.is_valid() or not (form.people or form.address):
        return page(request, ticket, sharing=form)
    person = form.people[0] if form.people else User.objects.admit(form.address)
    sharing.change_requester(ticket, actor=request.user, requester=person)
    return _back(request, ticket, _("This is %(who)s's ticket now, and they get a mail that says so.") % {"who": person})


@require_POST
@staff_required
def put_back(request: StaffRequest, number: int, pk: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    person: User = one_of(access.findable_by(request.user), pk)
    sharing.add_follower(ticket, actor=request.user, person=person)
    return _back(request, ticket, _("Shared with %(names)s.") % {"names": person})


@require_POST
@staff_required
def remove_follower(request: StaffRequest, number: int, pk: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    person: User = one_of(User.objects.filter(follower_rows__ticket=ticket), pk)
    sharing.remove_follower(ticket, actor=request.user, person=person)
    undo = reverse("desk_ticket_put_back", args=[number, pk]) if person.is_active and person != request.user else ""
    return _back(request, ticket, _("%(who)s is no longer on this ticket.") % {"who": person}, undo=undo)


@require_POST
@staff_required
def add_organization(request: StaffRequest, number: int, pk: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    organization: Organization = one_of(access.shareable_by(request.user), pk)
    sharing.add_organization(ticket, actor=request.user, organization=organization)
    return _back(request, ticket, _("Shared with everybody at %(organization)s.") % {"organization": organization})


@require_POST
@staff_required
def remove_organization(request: StaffRequest, number: int, pk: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    organization: Organization = one_of(ticket.organizations.all(), pk)
    sharing.remove_organization(ticket, actor=request.user, organization=organization)
    undo = reverse("desk_ticket_add_organization", args=[number, pk]) if organization.is_active else ""
    return _back(request, ticket, _("%(organization)s no longer sees this ticket.") % {"organization": organization}, undo=undo)


# --- Mail ----------------------------------------------------------------------------------------------------------------------


@require_POST
@staff_required
def retry_delivery(request: StaffRequest, number: int, pk: int) -> HttpResponse:
    ticket = access.get_ticket(request.user, number)
    try_again(request, get_object_or_404(Delivery.objects.filter(ticket=ticket).select_related("recipient"), pk=pk))
    return redirect("desk_ticket", number)
