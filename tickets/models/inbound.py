"""Mail that came in: where from, the bytes as they were, and what became of them. Nothing here is ever deleted by the program."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.addresses import normalise_address
from accounts.models import AgentGroup
from tickets.models.conversation import Comment
from tickets.models.rule import MailRule
from tickets.models.ticket import Ticket

MAILBOX_GRACE = timedelta(minutes=10)  # a mailbox that fails for less is no news: mail servers restart


class ImapLogin(models.TextChoices):
    PASSWORD = "password", _("Password")
    OAUTH2 = "oauth2", _("OAuth2 (XOAUTH2)")


class Mailbox(models.Model):
    """An address of ours. With an IMAP host it is polled; mail by SMTP or pipe needs the address alone."""

    name = models.CharField(_("name"), max_length=80)
    address = models.EmailField(_("address"), unique=True)
    group = models.ForeignKey(
        AgentGroup,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("group"),
        help_text=_("Gets the tickets opened here."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    imap_host = models.CharField(_("IMAP host"), max_length=253, blank=True)
    imap_port = models.PositiveIntegerField(_("IMAP port"), default=993)
    imap_tls = models.BooleanField(_("TLS"), default=True)
    imap_user = models.CharField(_("user"), max_length=253, blank=True)
    imap_login = models.CharField(_("logs in by"), max_length=10, choices=ImapLogin.choices, default=ImapLogin.PASSWORD)
    imap_password = models.CharField(_("password"), max_length=253, blank=True)
    imap_folder = models.CharField(_("folder"), max_length=253, default="INBOX")
    oauth_token_url = models.URLField(
        _("token address"), blank=True, help_text=_("Where a refresh token is exchanged for an access token.")
    )
    oauth_client_id = models.CharField(_("client id"), max_length=253, blank=True)
    oauth_client_secret = models.CharField(_("client secret"), max_length=500, blank=True)
    oauth_scope = models.CharField(_("scope"), max_length=500, blank=True)
    oauth_refresh_token = models.TextField(_("refresh token"), blank=True)
    oauth_access_token = models.TextField(blank=True, editable=False)
    oauth_expires_at = models.DateTimeField(null=True, editable=False)
    import_since = models.DateTimeField(
        _("import mail since"), default=timezone.now, help_text=_("Mail that reached the server earlier stays there, untouched.")
    )
    # Where the last poll stopped. UIDs mean something only together with the folder's UIDVALIDITY (RFC 3501, 2.3.1.1).
    imap_uid_validity = models.BigIntegerField(null=True, editable=False)
    imap_last_uid = models.BigIntegerField(default=0, editable=False)
    polled_at = models.DateTimeField(null=True, blank=True, editable=False)
    error = models.CharField(max_length=500, blank=True, editable=False)  # of the last poll; empty when it went well
    failing_since = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.address

    @property
    def has_failed_for_long(self) -> bool:
        return self.failing_since is not None and self.failing_since < timezone.now() - MAILBOX_GRACE

    def clean(self) -> None:
        self.address = normalise_address(self.address)
        if "+" in self.address:
            raise ValidationError({"address": _("Write the address without a plus sign: replies use it.")})


class InboundState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    REPORT = "report", _("Delivery report")  # a bounce that `notifications` has not matched to its delivery yet; then it is ignored
    DONE = "done", _("Done")
    IGNORED = "ignored", _("Ignored")
    HELD = "held", _("Held")
    FAILED = "failed", _("Failed")
    DISCARDED = "discarded", _("Discarded")


class Authentication(models.TextChoices):
    """Whether the domain in From stands for the mail (DMARC, RFC 7489)."""

    UNKNOWN = "", _("Not checked")
    PASSED = "passed", _("Passed")
    NONE = "none", _("The domain says nothing")
    FAILED = "failed", _("Failed")


class InboundMessage(models.Model):
    """A mail, committed before the server's copy is touched."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.PROTECT, related_name="messages")
    raw = models.BinaryField()
    sha256 = models.CharField(max_length=64)  # of `raw`
    fingerprint = models.CharField(max_length=64, unique=True)  # of the message without what relays add: the same mail on two ways is one
    size = models.PositiveBigIntegerField()  # bytes
    envelope_from = models.CharField(max_length=320, blank=True)
    envelope_to = models.CharField(max_length=320, blank=True)
    client_ip = models.GenericIPAddressField(null=True)  # of the server that brought it to our own receiver
    client_name = models.CharField(max_length=253, blank=True)  # its HELO
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    repeats = models.PositiveIntegerField(default=0)  # how often the same mail came again
    # What the list at the desk shows; filled when it is handled.
    from_address = models.CharField(max_length=320, blank=True)
    subject = models.CharField(max_length=250, blank=True)
    message_id = models.CharField(max_length=250, blank=True)
    copied_to = models.JSONField(default=list)  # addresses in To and Cc that are neither ours nor got the ticket shared by it
    forwarded_from = models.CharField(max_length=320, blank=True)  # whose mail this passes on, as its text says: proves nothing
    authentication = models.CharField(max_length=10, choices=Authentication.choices, blank=True, default=Authentication.UNKNOWN)
    authentication_details = models.CharField(max_length=500, blank=True)
    report: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)  # what a bounce says, see `tickets.mail.reports`
    rule = models.ForeignKey(MailRule, on_delete=models.SET_NULL, null=True, related_name="messages")
    state = models.CharField(max_length=10, choices=InboundState.choices, default=InboundState.WAITING)
    reason = models.CharField(max_length=250, blank=True)  # in words, for staff
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    # The ticket it became part of; of a held mail, the ticket it claims to answer.
    ticket = models.ForeignKey(Ticket, on_delete=models.SET_NULL, null=True, related_name="inbound")
    comment = models.OneToOneField(Comment, on_delete=models.SET_NULL, null=True, related_name="inbound")

    class Meta:
        verbose_name = _("inbound mail")
        verbose_name_plural = _("inbound mail")
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], condition=Q(state="waiting"), name="inbound_waiting"),
            models.Index(fields=["state", "-id"], name="inbound_by_state"),
            models.Index(fields=["message_id"], name="inbound_by_message_id"),
            models.Index(fields=["from_address", "-id"], name="inbound_by_sender"),
            models.Index(fields=["id"], condition=Q(state="report"), name="inbound_report"),
        ]

    def __str__(self) -> str:
        return f"{self.from_address}: {self.subject}"
