"""What an admin says about mail that machines send: how to know it, and what becomes of it. `tickets.mail.rules` applies it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AgentGroup
from tickets.models.workflow import Priority, TicketType


class MailRule(models.Model):
    """Every condition that is filled in must hold; of several lines in one, any. The first active rule that matches a mail is the one that counts."""

    name = models.CharField(_("name"), max_length=120)
    position = models.PositiveSmallIntegerField(_("position"), default=0, help_text=_("Lower ones are asked first."))
    is_active = models.BooleanField(_("active"), default=True)

    senders = models.TextField(_("sender"), blank=True, help_text=_("Whole addresses, one a line."))
    domains = models.TextField(_("sender's domain"), blank=True, help_text=_("Exactly these domains, one a line."))
    subjects = models.TextField(_("subject contains"), blank=True, help_text=_("One text a line; upper and lower case are the same."))
    header = models.CharField(_("header"), max_length=80, blank=True, help_text=_("Such as X-Mailer or List-Id."))
    header_values = models.TextField(_("header contains"), blank=True, help_text=_("One text a line. Empty: the header is there."))
    mailbox = models.ForeignKey("Mailbox", on_delete=models.CASCADE, null=True, blank=True, related_name="rules", verbose_name=_("mailbox"))

    is_spam = models.BooleanField(_("spam"), default=False, help_text=_("Out of every queue, and nobody is mailed."))
    group = models.ForeignKey(AgentGroup, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("group"))
    type = models.ForeignKey(TicketType, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("type"))
    priority = models.ForeignKey(Priority, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("priority"))
    is_quiet = models.BooleanField(_("no confirmation"), default=False, help_text=_("The sender gets no mail about the new ticket."))
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("requester"),
        help_text=_("Whose tickets they become where the sender is a machine that gets no account."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")

    class Meta:
        verbose_name = _("mail rule")
        verbose_name_plural = _("mail rules")
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(senders="") | ~Q(domains="") | ~Q(subjects="") | ~Q(header="") | Q(mailbox__isnull=False),
                name="mail_rule_has_a_condition",
                violation_error_message=_("Fill in at least one condition, or the rule would match every mail."),
            ),
            models.CheckConstraint(
                condition=~Q(header="") | Q(header_values=""),
                name="mail_rule_names_its_header",
                violation_error_message=_("Name the header that should contain this."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
