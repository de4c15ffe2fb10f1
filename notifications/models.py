"""What people are told: one row for each mail to one person, there before the mail is. Written by `relay`, `digest`, `bounces` and
`channels`; `preferences` withdraws what a person no longer wants.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Invitation
from tickets.models import Event, Ticket


class Kind(models.TextChoices):
    """What a mail is, and the folder of its templates below `templates/emails/`."""

    CONFIRMATION = "confirmation", _("Confirmation")  # to who opened the ticket: number, link, what was received
    UPDATE = "update", _("Update")  # somebody said or did something
    SHARED = "shared", _("Shared")  # you now follow this ticket
    DIGEST = "digest", _("Daily digest")
    SET_PASSWORD = "set_password", _("Set a password")
    RESET_PASSWORD = "reset_password", _("Reset password")
    PROVE_ADDRESS = "prove_address", _("Prove an address")  # to the other address that a person added
    KNOWN_ADDRESS = "known_address", _("Address is known")  # somebody signed up with it, or wants it as theirs
    ACCOUNT_CHANGED = "account_changed", _("Account changed")
    INVITATION = "invitation", _("Invitation")  # into an organization; the only mail that holds its link
    INVITED = "invited", _("Somebody was invited")  # to who looks after the organization
    REPORT = "report", _("Report")  # each Monday, to who subscribed to it


# About the account alone. Those that are sent to where they say, not to the login: it is that address which is asked, or told.
ACCOUNT_KINDS = (Kind.SET_PASSWORD, Kind.RESET_PASSWORD, Kind.PROVE_ADDRESS, Kind.KNOWN_ADDRESS, Kind.ACCOUNT_CHANGED)
SENT_ELSEWHERE = (Kind.PROVE_ADDRESS, Kind.KNOWN_ADDRESS, Kind.ACCOUNT_CHANGED)


class Change(models.TextChoices):
    """What changed in how somebody logs in; the words are those of the mail that tells them."""

    PASSWORD = "password", _("Your password was changed.")
    ADDRESS = "address", _("You now log in with another email address.")
    REMOVED = "removed", _("An email address was removed from your account.")
    APP_ON = "app_on", _("An authenticator app now confirms who you are.")
    APP_OFF = "app_off", _("The authenticator app was switched off.")
    PASSKEY_ON = "passkey_on", _("A passkey was added.")
    PASSKEY_OFF = "passkey_off", _("A passkey was removed.")
    FORGOTTEN = "forgotten", _("Your second step was removed by our staff, as you had lost it.")
    CODES = "codes", _("New recovery codes were made; the old ones no longer work.")
    SINGLE_SIGN_ON = "single_sign_on", _("Your account was connected with single sign-on.")


class Reason(models.TextChoices):
    """Why this person is told; the mail says so at its end."""

    REQUESTER = "requester", _("requester")
    FOLLOWER = "follower", _("follower")
    ORGANIZATION = "organization", _("follows the organization")
    ASSIGNEE = "assignee", _("assignee")
    GROUP = "group", _("member of the group")
    MENTIONED = "mentioned", _("named in it")
    RULE = "rule", _("told by a rule")
    ACCOUNT = "account", _("owner of the account")
    DIGEST = "digest", _("chose the daily digest")
    INVITED = "invited", _("was invited")
    LEAD = "lead", _("looks after the organization")
    REPORT = "report", _("subscribed to a report")
    SLA = "sla", _("named by the SLA policy")


class State(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    BOUNCED = "bounced", _("Bounced")  # sent, and then another mail server said that it can't be delivered
    MERGED = "merged", _("In another mail")  # `told_by` tells of it
    COLLECTED = "collected", _("For the digest")  # waits for the day's digest
    FAILED = "failed", _("Failed")
    CANCELLED = (
        "cancelled",
        _("Not sent"),
    )  # the person lost sight of the ticket before it went, or had too many automatic mails


UNDELIVERED = (State.FAILED, State.BOUNCED)  # did not reach anybody, and staff can send them again


class ReportSubscription(models.Model):
    """A report that somebody at the desk is mailed each Monday. Written by `notifications.subscriptions` alone."""

    report = models.CharField(max_length=20)  # its name, see `tickets.reports.build`
    query = models.CharField(max_length=500, blank=True)  # what it asks for, as its address has it
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="report_subscriptions")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    next_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recipient", "report", "query"], name="one_subscription_a_person_and_report"),
        ]

    def __str__(self) -> str:
        return f"{self.report} to {self.recipient}"


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
    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, null=True, related_name="deliveries")
    subscription = models.ForeignKey(ReportSubscription, on_delete=models.SET_NULL, null=True, related_name="deliveries")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="deliveries")
    address = models.EmailField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    change = models.CharField(max_length=20, choices=Change.choices, blank=True)  # of Kind.ACCOUNT_CHANGED
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)  # while sending: when the lease ends
    error = models.CharField(max_length=500, blank=True)
    told_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="tells"
    )  # the mail that this one became a part of
    bounced_at = models.DateTimeField(null=True, editable=False)
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
            models.Index(fields=["ticket"], condition=Q(state__in=("failed", "bounced")), name="delivery_undelivered"),
            models.Index(fields=["address", "-created_at"], name="delivery_by_address"),
            models.Index(fields=["recipient", "-id"], name="delivery_by_recipient"),
            models.Index(fields=["recipient"], condition=Q(state="collected"), name="delivery_collected"),
            models.Index(fields=["recipient", "ticket", "event"], condition=Q(reason="mentioned"), name="delivery_that_names"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.address}"

    @property
    def why(self) -> str:
        """In a history: who opened the ticket is told that it has arrived, not what they said themselves."""
        # Not by get_…_display, which makes all the words there are for one.
        return str(Kind.CONFIRMATION.label).lower() if self.kind == Kind.CONFIRMATION else str(Reason(self.reason).label)


class Level(models.TextChoices):
    """How much mail a person wants."""

    ALL = "all", _("Every update of the tickets I follow")
    MINE = "mine", _("Only answers on my own tickets, and when somebody names me")
    DIGEST = "digest", _("One mail a day with everything that happened")
    NONE = "none", _("Nothing but mail about my account")


class MailPreference(models.Model):
    """Who has none wants `Level.ALL`."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_preference")
    level = models.CharField(_("Mail me"), max_length=10, choices=Level.choices, default=Level.ALL)

    def __str__(self) -> str:
        return f"{self.user}: {self.level}"


class TicketPreference(models.Model):
    """Another level than the person's own, for one ticket."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ticket_preferences")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="mail_preferences")
    level = models.CharField(max_length=10, choices=Level.choices)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "ticket"], name="one_preference_a_person_and_ticket")]

    def __str__(self) -> str:
        return f"{self.user} on #{self.ticket_id}: {self.level}"


class Suspension(models.Model):
    """Mail to an address stopped, as it came back again and again. Ends when staff or the person lift it; the row stays, as history."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_suspensions")
    address = models.EmailField()
    reason = models.CharField(max_length=500)  # in the words of the server that refused
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["address"], condition=Q(ended_at=None), name="one_suspension_an_address_at_a_time"),
        ]
        indexes: ClassVar = [models.Index(fields=["address", "-id"], name="suspension_by_address")]

    def __str__(self) -> str:
        return self.address
