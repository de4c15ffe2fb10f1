"""Makes the deliveries of each event that has none yet: the outbox' one reader. Sends nothing.

Events are claimed by their state under a lock, never by "newer than the last one seen", so that none is skipped when transactions commit out of order.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Invitation, Role, User
from notifications.audience import Told, audience
from notifications.channels import LEASE
from notifications.models import Change, Delivery, Kind, Reason, State
from notifications.preferences import wanted
from tickets.events import SAID_BY_CLOCKS
from tickets.models import Channel, Event, EventKind, Ticket

logger = logging.getLogger(__name__)

_BATCH = 500
_PUT_OFF = timedelta(minutes=5)
_TOLD_TOGETHER = (Kind.UPDATE, Kind.SHARED)
_AUTOMATIC = (Kind.CONFIRMATION, Kind.SET_PASSWORD)  # answers to a mail that came in, which a robot may answer again
_AUTOMATIC_LIMIT, _AUTOMATIC_SPAN = 10, timedelta(hours=3)
_ANSWER_LIMIT = 20  # mails to one person about mailed answers on one ticket, in the same span
# Asked for on our pages, by anybody: two kinds with a ration each, so that nobody can use up that of another's password link.
_LINKS, _WORDS = (Kind.RESET_PASSWORD, Kind.SET_PASSWORD), (Kind.PROVE_ADDRESS, Kind.KNOWN_ADDRESS)
_RESET_LIMIT, _RESET_SPAN = 3, timedelta(hours=1)
_INVITATION_LIMIT, _INVITATION_SPAN = 3, timedelta(days=1)


def relay_waiting() -> int:
    """Dispatches what waits, oldest first; an event that fails is told in the log, put off, and holds up no other. Returns how many were dispatched."""
    done = 0
    waiting = Event.objects.filter(dispatched_at=None, dispatch_at__lte=timezone.now()).order_by("id")
    for pk in list(waiting.values_list("pk", flat=True)[:_BATCH]):
        try:
            done += dispatch(pk)
        except Exception:
            logger.exception("event %s could not be dispatched; it is tried again in five minutes", pk)
            Event.objects.filter(pk=pk).update(dispatch_at=timezone.now() + _PUT_OFF)
    return done


@transaction.atomic
def dispatch(event_id: int) -> bool:
    """False when another worker has it, or had it."""
    # The ticket first: two workers take its events one after the other, so that its mails are made, and go, in the order things happened.
    Ticket.objects.select_for_update().only("pk").get(events=event_id)
    waiting = Event.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=event_id, dispatched_at=None)
    if not waiting:
        return False
    event = Event.objects.select_related("ticket__requester", "ticket__assignee", "ticket__group", "actor").get(pk=event_id)
    told = wanted(event, audience(event))
    if undone := event.data.get("undoes"):
        heard = _recall(undone)
        _send_after_all(undone)
        told = [(person, state) for person, state in told if person.user.pk in heard]
    for person, state in told:
        _queue(event, person, state)
    _invite_newcomer(event)
    Event.objects.filter(pk=event_id).update(dispatched_at=timezone.now())
    return True


def _queue(event: Event, told: Told, state: State = State.QUEUED) -> None:
    refusal = _ration(event, told)
    delivery = Delivery.objects.create(
        event=event,
        ticket=None if told.reason == Reason.ACCOUNT else event.ticket,
        recipient=told.user,
        address=told.user.email,
        kind=told.kind,
        reason=told.reason,
        state=State.CANCELLED if refusal else state,
        error=refusal,
        next_attempt_at=_goes_at(event, told),
    )
    if delivery.state == State.QUEUED and told.kind in _TOLD_TOGETHER and settings.MERGE_SECONDS:
        _tell_together(event, delivery)


# --- Several events in one mail ------------------------------------------------------------------------------------------------


def _goes_at(event: Event, told: Told) -> datetime:
    """An update waits for what the same person does next, and as long as a reply if it can be undone; nothing else waits, least of all a warning."""
    now = timezone.now()
    if told.kind != Kind.UPDATE or event.kind in SAID_BY_CLOCKS:
        return now
    return max(now, event.at + timedelta(seconds=settings.MERGE_SECONDS), _undoable_until(event))


def _undoable_until(event: Event) -> datetime:
    """Words have waited before they became an event, and what nobody did is never undone."""
    is_for_good = event.comment_id or event.actor_id is None
    return event.at + timedelta(seconds=0 if is_for_good else settings.UNDO_SECONDS)


def _tell_together(event: Event, new: Delivery) -> None:
    """What one person does in quick succession is one mail: of two updates the first tells both; "shared with you" goes at once and takes along what waits."""
    waiting = _waiting_mail(event, new)
    if waiting is None:
        return
    head, part = (new, waiting) if new.kind == Kind.SHARED else (waiting, new)
    if part.reason == Reason.MENTIONED:  # what concerns the person most is why they get the mail
        Delivery.objects.filter(pk=head.pk).update(reason=Reason.MENTIONED)
    if part is new and event.kind in SAID_BY_CLOCKS:
        Delivery.objects.filter(pk=head.pk).update(next_attempt_at=new.next_attempt_at)
    elif part is new and head.next_attempt_at < (until := _undoable_until(event)):
        Delivery.objects.filter(pk=head.pk).update(next_attempt_at=until)
    Delivery.objects.filter(Q(pk=part.pk) | Q(told_by=part)).update(state=State.MERGED, told_by=head)


def _waiting_mail(event: Event, new: Delivery) -> Delivery | None:
    """The last mail made for this person about this ticket, if it is of the same doer and the same secrecy, and no sender has begun with it.

    Its row is locked until our commit: a sender who comes now waits, and then tells of the new event too. Who reads it without the lock can hand
    an event to a mail that has just left. Not the last but one, so that nobody reads an answer before the question.
    Same secrecy: what `audience.may_be_told` asks when the mail leaves is then the same for all that it tells.
    """
    mails = Delivery.objects.filter(ticket=event.ticket, recipient=new.recipient).exclude(pk=new.pk)
    last = mails.exclude(state__in=(State.MERGED, State.COLLECTED, State.CANCELLED)).order_by("-id").first()
    if last is None:
        return None
    span = timedelta(seconds=settings.MERGE_SECONDS)
    alike = Delivery.objects.filter(
        event__actor=event.actor_id, event__is_internal=event.is_internal, event__at__range=(event.at - span, event.at + span)
    )
    untouched = alike.filter(pk=last.pk, kind__in=_TOLD_TOGETHER, state=State.QUEUED, attempts=0)
    return untouched.select_for_update(of=("self",)).first()


def _recall(undone: list[int]) -> set[int]:
    """Cancels the mails that tell of what was undone and that no sender has begun with. Answers who knows of it: who did it, and who has heard of it or
    of words said with it, which stay.
    """
    Event.objects.filter(pk__in=undone, comment=None, dispatched_at=None).update(dispatched_at=timezone.now())
    mails = Delivery.objects.filter(event__in=undone)
    of_others = Delivery.objects.filter(told_by=OuterRef("pk"), state=State.MERGED).exclude(event__in=undone)
    # Locked as in `_waiting_mail`: a sender who comes now waits, and tells of none of it.
    carriers = Delivery.objects.filter(Q(pk__in=mails.values("pk")) | Q(pk__in=mails.values("told_by")), state=State.QUEUED, attempts=0)
    waiting = [row.pk for row in carriers.filter(~(Exists(of_others) & Q(event__in=undone))).select_for_update(of=("self",))]
    unsent = mails.filter(Q(pk__in=waiting) | Q(told_by__in=waiting, state=State.MERGED) | Q(state=State.COLLECTED), event__comment=None)
    unsent.update(state=State.CANCELLED, told_by=None, error=_("It was undone before the mail left."))
    doers = Event.objects.filter(pk__in=undone, actor__isnull=False).values_list("actor", flat=True)
    return {*mails.exclude(state=State.CANCELLED).values_list("recipient", flat=True), *doers}


def _send_after_all(undone: list[int]) -> None:
    """What a sender refused while the ticket was spam, or out of somebody's sight, and it should not have been."""
    for hid in Event.objects.filter(pk__in=undone, kind__in=(EventKind.MARKED_SPAM, EventKind.GROUP_CHANGED)):
        refused = Delivery.objects.filter(ticket=hid.ticket_id, state=State.CANCELLED, attempts__gt=0).exclude(event__in=undone)
        since = refused.filter(next_attempt_at__gte=hid.at + LEASE)  # which a sender took when it began with the mail
        since.update(state=State.QUEUED, attempts=0, next_attempt_at=timezone.now(), error="")


# --- Rationing -----------------------------------------------------------------------------------------------------------------


def _ration(event: Event, told: Told) -> str:
    """Why this mail is held back, as robots seem to answer each other through us; '' when it may go. What was typed on our pages never is."""
    if event.comment is None or event.comment.channel != Channel.EMAIL:
        return ""
    if told.kind in _AUTOMATIC and _had_enough(told.user.email):
        return _("Held back: this address had 10 automatic mails within 3 hours.")
    if told.kind == Kind.UPDATE and _heard_enough(event, told.user):
        return _("Held back: this person had 20 mailed answers on this ticket within 3 hours.")
    return ""


def _heard_enough(event: Event, person: User) -> bool:
    """Two followers whose programs answer everything would go on for ever."""
    recent = Delivery.objects.filter(ticket=event.ticket, recipient=person, created_at__gt=timezone.now() - _AUTOMATIC_SPAN)
    mailed = recent.filter(kind=Kind.UPDATE, event__comment__channel=Channel.EMAIL)
    return mailed.exclude(state__in=(State.CANCELLED, State.MERGED, State.COLLECTED)).count() >= _ANSWER_LIMIT


def _had_enough(address: str) -> bool:
    recent = _mail_to(address).filter(kind__in=_AUTOMATIC, created_at__gt=timezone.now() - _AUTOMATIC_SPAN)
    return recent.exclude(state=State.CANCELLED).count() >= _AUTOMATIC_LIMIT


def _mail_to(address: str) -> QuerySet[Delivery]:
    """What the mailbox got: `ana+x@…` and `ana@…` may be two accounts, but it is one person whom we must not flood."""
    local, _at, domain = address.rpartition("@")
    plain = local.partition("+")[0]
    tagged = Q(email__startswith=f"{plain}+", email__endswith=f"@{domain}")
    return Delivery.objects.filter(recipient__in=User.objects.filter(tagged | Q(email=f"{plain}@{domain}")))


# --- Invitations ---------------------------------------------------------------------------------------------------------------


def relay_invitations() -> int:
    """As `relay_waiting`, for invitations: each is told in the log if it fails, tried again next time, and holds up no other."""
    done = 0
    for pk in list(Invitation.objects.filter(dispatched_at=None).order_by("id").values_list("pk", flat=True)[:_BATCH]):
        try:
            done += _dispatch_invitation(pk)
        except Exception:
            logger.exception("invitation %s could not be dispatched; it is tried again", pk)
    return done


@transaction.atomic
def _dispatch_invitation(pk: int) -> bool:
    waiting = Invitation.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, dispatched_at=None)
    invitation = waiting.select_related("organization__delivery_lead", "person", "invited_by").first()
    if invitation is None:
        return False
    if invitation.is_open:
        _queue_invitation(invitation)
    invitation.dispatched_at = timezone.now()
    invitation.save(update_fields=["dispatched_at"])
    return True


def _queue_invitation(invitation: Invitation) -> None:
    """To who is invited, at most 3 a day to one mailbox, whoever invites; and once to who looks after the organization, if a customer did it."""
    person, fields = invitation.person, {"invitation": invitation}
    recent = _mail_to(person.email).filter(kind=Kind.INVITATION, created_at__gt=timezone.now() - _INVITATION_SPAN)
    had_enough = recent.exclude(state=State.CANCELLED).count() >= _INVITATION_LIMIT
    Delivery.objects.create(
        recipient=person,
        address=person.email,
        kind=Kind.INVITATION,
        reason=Reason.INVITED,
        state=State.CANCELLED if had_enough else State.QUEUED,
        error=_("Held back: this address had 3 invitations within a day.") if had_enough else "",
        **fields,
    )
    if invitation.generation > 1 or invitation.invited_by.is_staff:
        return
    lead = invitation.organization.delivery_lead
    for staff in [lead] if lead and lead.is_staff else User.objects.active_staff().filter(role=Role.ADMIN):
        Delivery.objects.create(recipient=staff, address=staff.email, kind=Kind.INVITED, reason=Reason.LEAD, **fields)


# --- Mail about the account ----------------------------------------------------------------------------------------------------


def _invite_newcomer(event: Event) -> None:
    """Who opened a ticket without ever having had a password is sent one way to set it, once. The person's row is locked: five first mails at once make one."""
    if event.kind not in (EventKind.OPENED, EventKind.REQUESTER_CHANGED) or event.data.get("quiet") or event.ticket.is_spam:
        return
    requester = User.objects.select_for_update().get(pk=event.ticket.requester_id)
    if requester.has_usable_password() or not requester.is_active or requester.deliveries.filter(kind=Kind.SET_PASSWORD).exists():
        return
    _queue(event, Told(requester, Kind.SET_PASSWORD, Reason.ACCOUNT))


@transaction.atomic
def queue_password_link(user: User) -> None:
    """Asked for at "forgot password". The link itself is made when the mail is sent, and never stored."""
    _queue_asked_for(user, user.email, Kind.RESET_PASSWORD if user.has_usable_password() else Kind.SET_PASSWORD)


@transaction.atomic
def queue_sign_up_answer(user: User, address: str) -> None:
    """To whoever signed up: the link that begins the account, or word that there is one already."""
    _queue_asked_for(user, address, Kind.KNOWN_ADDRESS if user.has_usable_password() else Kind.SET_PASSWORD)


@transaction.atomic
def queue_address_proof(user: User, address: str) -> None:
    """To an address that somebody says is theirs too: the link that proves it, or to its owner word that it was tried."""
    owner = User.objects.by_address(address)
    _queue_asked_for(owner or user, address, Kind.KNOWN_ADDRESS if owner else Kind.PROVE_ADDRESS)


def _queue_asked_for(user: User, address: str, kind: Kind) -> None:
    """At most 3 an hour to one mailbox, whoever asks, and none to who is switched off."""
    if not User.objects.select_for_update().get(pk=user.pk).is_active:
        return
    sent = _mail_to(address) if kind in _LINKS else Delivery.objects.filter(address=address)
    alike = sent.filter(kind__in=_LINKS if kind in _LINKS else _WORDS, created_at__gt=timezone.now() - _RESET_SPAN)
    if alike.count() < _RESET_LIMIT:
        Delivery.objects.create(recipient=user, address=address, kind=kind, reason=Reason.ACCOUNT)


def queue_account_change(user: User, change: Change, *, address: str = "") -> None:
    """Tells whose account it is, at the login's address or the one given, what changed; so that a thief's change is noticed."""
    Delivery.objects.create(recipient=user, address=address or user.email, kind=Kind.ACCOUNT_CHANGED, reason=Reason.ACCOUNT, change=change)
