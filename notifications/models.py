"""What people are told: one row for each mail to one person, there before the mail is. Written by `relay` and `channels` alone."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models import Event, Ticket


class Kind(models.TextChoices):
    """What a mail is, and the folder of its templates below `templates/emails/`."""

    CONFIRMATION = "confirmation", _("Confirmation")  # to who opened the ticket: number, link, what was received
    UPDATE = "update", _("Update")  # somebody said or did something
    SHARED = "shared", _("Shared")  # you now follow this ticket
    SET_PASSWORD = "set_password", _("Set a password")
    RESET_PASSWORD = "reset_password", _("Reset password")


class Reason(models.TextChoices):
    """Why this person is told; the mail says so at its end."""

    REQUESTER = "requester", _("requester")
    FOLLOWER = "follower", _("follower")
    ASSIGNEE = "assignee", _("assignee")
    GROUP = "group", _("member of the group")
    ACCOUNT = "account", _("owner of the account")


class State(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    CANCELLED = (
        "cancelled",
        _("Not sent"),
    )  # the person lost sight of the ticket before it went, or had too many automatic mails


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self) -> DeliveryQuerySet:
        """Queued ones whose time has come, and those whose sender died with them (the lease is over).

        The second is for SQLite's clock, which cuts off parts of a millisecond: what was queued just now is due now.
        """
        return self.filter(state__in=(State.QUEUED, State.SENDING), next_attempt_at__lte=Now() + timedelta(seconds=1))

    def stuck(self) -> DeliveryQuerySet:
        """Due, and not even tried, because the mail server can't be reached."""
        return self.due().filter(attempts=0).exclude(error="")


class Delivery(models.Model):
    event = models.ForeignKey(Event, on_delete=models.CASCADE, null=True, related_name="deliveries")  # None: about the account alone
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, null=True, related_name="deliveries")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="deliveries")
    address = models.EmailField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)  # while sending: when the lease ends
    error = models.CharField(max_length=500, blank=True)
    message_id = models.CharField(max_length=200, blank=True, db_index=True)
    subject = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "recipient", "kind"], name="one_delivery_an_event_person_and_kind"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(state__in=("queued", "sending")), name="delivery_due"),
            models.Index(fields=["ticket"], condition=Q(state="failed"), name="delivery_failed"),
            models.Index(fields=["address", "-created_at"], name="delivery_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.address}"
