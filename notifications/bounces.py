"""What comes of mail that comes back: its delivery is marked, and an address that nobody can be reached at gets no more mail until somebody lifts that.

Only a report that came to the delivery's own return address (`tokens.bounce_address`) changes anything. Any other is shown where it says it belongs, as
what it is: a claim that anybody could have written.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.addresses import normalise_address
from accounts.models import User
from notifications.models import ACCOUNT_KINDS, Delivery, State, Suspension
from tickets import actions
from tickets.mail import ingest
from tickets.mail.reports import says_address_is_bad
from tickets.mail.tokens import read_message_id
from tickets.models import Follower, InboundMessage, InboundState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from tickets.mail.reports import Action

logger = logging.getLogger(__name__)

_BATCH = 200
_LIMIT, _SPAN = 3, timedelta(days=30)  # refused mails that say the address is bad, after which no more are sent
_MAX_WORDS = 500
_OURS_TO_MARK = (State.QUEUED, State.SENDING, State.SENT)  # queued: the server took it and then broke the line


# --- Reports -------------------------------------------------------------------------------------------------------------------


def match_reports() -> int:
    """Finds the delivery of each report that came in. One that can't be handled waits at the Mail page and holds up no other."""
    done = 0
    for pk in list(InboundMessage.objects.filter(state=InboundState.REPORT).order_by("id").values_list("pk", flat=True)[:_BATCH]):
        try:
            done += _match(pk)
        except OperationalError:
            raise  # the database's trouble, not the report's: the next run takes it up
        except Exception as error:
            logger.exception("report %s could not be handled", pk)
            ingest.fail_report(pk, f"{type(error).__name__}: {error}")
    return done


@transaction.atomic
def _match(pk: int) -> bool:
    """False when another worker has it, or had it."""
    waiting = InboundMessage.objects.select_for_update(of=("self",), skip_locked=True).defer("raw")
    message = waiting.filter(pk=pk, state=InboundState.REPORT).first()
    if message is None:
        return False
    delivery = _delivery_of(message)
    if delivery is None:
        logger.info("report %s is about no mail of ours that is known", pk)
        ingest.settle_report(message, _("A mail server reports on a mail that we can't tell."))
        return True
    is_proven = bool(message.report["proven"])
    message.ticket_id, message.report["delivery"] = delivery.ticket_id, delivery.pk
    if is_proven:
        _mark(delivery, message.report)
    ingest.settle_report(message, _reason(delivery, message.report, is_proven=is_proven))
    return True


def _delivery_of(message: InboundMessage) -> Delivery | None:
    """By the address the report came to; else by the Message-ID of a mail of ours in what came back, which all who got that mail know."""
    report = message.report
    deliveries = Delivery.objects.select_for_update(of=("self",)).select_related("recipient")
    if report["proven"]:
        return deliveries.filter(pk=report["delivery"]).first()
    ours = [name.lower() for name in report["message_ids"] if read_message_id(name) is not None]
    return deliveries.filter(message_id__in=ours).order_by("-id").first() if ours else None


@transaction.atomic
def mark_told(pk: int, *, address: str, action: Action, diagnostic: str) -> None:
    """By the provider that the mail left through, who proved to be it. Of another program's mail that has our mark the address is another."""
    delivery = Delivery.objects.select_for_update(of=("self",)).select_related("recipient").filter(pk=pk).first()
    # While it is being sent the row does not have the address yet.
    if delivery and normalise_address(address) in (delivery.address, delivery.recipient.email):
        _mark(delivery, {"action": action, "status": "", "diagnostic": diagnostic.replace("\0", "")})


def _mark(delivery: Delivery, report: dict[str, str]) -> None:
    if delivery.state not in _OURS_TO_MARK or report["action"] == "other":
        return
    delivery.error = words(report)
    if report["action"] == "failed":
        delivery.state, delivery.bounced_at = State.BOUNCED, timezone.now()
    delivery.save(update_fields=["state", "bounced_at", "error"])
    suspend_if_hopeless(delivery)


def words(report: dict[str, str]) -> str:
    """What the server said, with the status that it gave."""
    status, diagnostic = report["status"], report["diagnostic"]
    if not diagnostic:
        return status or _("The server gave no reason.")
    return (diagnostic if status in diagnostic else f"{status} {diagnostic}")[:_MAX_WORDS]


def _reason(delivery: Delivery, report: dict[str, str], *, is_proven: bool) -> str:
    said = {
        "failed": _("The mail to %(who)s came back: %(words)s"),
        "delayed": _("The mail to %(who)s is delayed: %(words)s"),
        "other": _("A mail server has passed on the mail to %(who)s."),
    }[report["action"]] % {"who": delivery.recipient.display_name, "words": words(report)}
    return said if is_proven else _("Unproven: %(said)s") % {"said": said}


# --- Suspension ----------------------------------------------------------------------------------------------------------------


@transaction.atomic
def suspend_if_hopeless(delivery: Delivery) -> None:
    """Called when a mail came back or was refused for good. One lifted, or an address proven since, begins to count anew."""
    if not says_address_is_bad(delivery.error):
        return
    # Two bounces handled at the same moment must see each other.
    recipient = User.objects.select_for_update(no_key=True).get(pk=delivery.recipient_id)
    refused = Delivery.objects.filter(address=delivery.address, created_at__gt=_counted_since(delivery.address, recipient))
    refused = refused.filter(Q(state=State.BOUNCED) | Q(state=State.FAILED, error__startswith="5"))
    bad = [error for error in refused.order_by("-created_at").values_list("error", flat=True)[:100] if says_address_is_bad(error)]
    if len(bad) < _LIMIT:
        return
    started = {"user": recipient, "reason": delivery.error}
    if Suspension.objects.get_or_create(address=delivery.address, ended_at=None, defaults=started)[1]:
        logger.warning("mail to person %s is suspended", recipient.pk)


def _counted_since(address: str, recipient: User) -> datetime:
    lifted = Suspension.objects.filter(address=address).exclude(ended_at=None).order_by("-id").values_list("ended_at", flat=True).first()
    return max(filter(None, (timezone.now() - _SPAN, lifted, recipient.proven_at)))


def is_suspended(address: str) -> bool:
    return Suspension.objects.filter(address=address, ended_at=None).exists()


def running(person: User) -> Suspension | None:
    """The suspension of the address that the person gets mail at."""
    return Suspension.objects.filter(address=person.email, ended_at=None).first()


def with_suspensions(followers: QuerySet[Follower]) -> QuerySet[Follower]:
    """Each with the key of the `suspension` of this follower's address, None where mail goes there."""
    running = Suspension.objects.filter(address=OuterRef("user__email"), ended_at=None)
    return followers.annotate(suspension=Subquery(running.values("pk")))


def _claims() -> QuerySet[InboundMessage]:
    return InboundMessage.objects.filter(comment=None).exclude(report={})


def is_claimed() -> Exists:
    """Of a delivery: whether there is anything for `claims_about`, which few tickets have."""
    return Exists(_claims().filter(ticket=OuterRef("ticket")))


def claims_about(deliveries: Iterable[Delivery]) -> dict[int, list[InboundMessage]]:
    """Reports that say they are about these mails, and that nothing proves; by the delivery's key."""
    tickets = {delivery.ticket_id for delivery in deliveries if delivery.ticket_id}
    claims: dict[int, list[InboundMessage]] = defaultdict(list)
    for message in _claims().defer("raw").filter(ticket__in=tickets).order_by("-id")[:_BATCH]:
        if message.report.get("proven") is False:
            claims[message.report["delivery"]].append(message)
    return claims


def refusal(delivery: Delivery) -> str:
    """Why a mail must not go, as those before it came back; '' when it may. The link that a person asks for at "forgot password" always may."""
    is_asked_for = delivery.kind in ACCOUNT_KINDS and delivery.event_id is None
    if is_asked_for or not is_suspended(delivery.recipient.email):
        return ""
    return _("Mail to this address came back %(count)d times, so it was stopped.") % {"count": _LIMIT}


def lift(suspension: Suspension, *, actor: User) -> bool:
    """By staff, or by whose address it is now. What was not sent meanwhile stays unsent. False when somebody else was quicker."""
    if not (actor.is_staff or actor.email == suspension.address):
        raise actions.NotAllowed(_("Only our staff or the person can do that."))
    running = Suspension.objects.filter(pk=suspension.pk, ended_at=None)
    return running.update(ended_at=timezone.now(), ended_by=actor) == 1
