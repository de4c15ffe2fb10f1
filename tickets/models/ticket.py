"""The ticket itself, and who has a share in it. Written by `tickets.actions` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import AgentGroup, Invitation, Membership, Organization
from tickets.lifecycle import FINISHED, UNRESOLVED, Category
from tickets.models.workflow import Priority, ProductArea, Status, TicketType

if TYPE_CHECKING:
    from tickets.models.conversation import Comment


class Channel(models.TextChoices):
    PORTAL = "portal", _("Portal")
    EMAIL = "email", _("Email")
    DESK = "desk", _("Desk")


class TicketQuerySet(models.QuerySet["Ticket"]):
    def unresolved(self) -> TicketQuerySet:
        return self.filter(category__in=UNRESOLVED)

    def due_to_close(self) -> TicketQuerySet:
        """By the database's clock, so that a machine whose clock jumps closes nothing early."""
        return self.filter(close_due_at__lte=Now(), category=Category.RESOLVED)

    def due_to_wake(self) -> TicketQuerySet:
        return self.filter(snoozed_until__lte=Now())


class Ticket(models.Model):
    """One matter of one requester. Its number is its primary key."""

    subject = models.CharField(_("subject"), max_length=250)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="requested_tickets",
        verbose_name=_("requester"),
    )
    filer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="filed_tickets",
        verbose_name=_("filed by"),
        help_text=_("Who filed it on behalf of the requester."),
    )
    status = models.ForeignKey(Status, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("status"))
    # The status' category, kept here so that queues are ranges of one index. Moved together with the status, in one place.
    category = models.CharField(max_length=10, choices=Category.choices, editable=False)
    type = models.ForeignKey(TicketType, on_delete=models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("type"))
    priority = models.ForeignKey(
        Priority,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("priority"),
        db_index=False,  # see Meta
    )
    area = models.ForeignKey(
        ProductArea, on_delete=models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("product area")
    )
    group = models.ForeignKey(AgentGroup, on_delete=models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("group"))
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assigned_tickets",
        verbose_name=_("assignee"),
    )
    # Engineering's number for it, of a ticket that was handed over. Staff's own; see `tickets.models.release`.
    reference = models.CharField(_("engineering reference"), max_length=60, blank=True)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    follow_up_to = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="follow_ups")
    # The one that it goes on in, never itself merged: what was merged into this one is passed on with it.
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="merged")

    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now, editable=False)
    # Moves with what customers may see only, so that an internal note leaves no trace in their lists.
    public_updated_at = models.DateTimeField(default=timezone.now, editable=False)
    status_since = models.DateTimeField(default=timezone.now, editable=False)
    first_response_at = models.DateTimeField(null=True, editable=False)
    first_response_work = models.PositiveIntegerField(
        null=True, editable=False
    )  # seconds of business hours until it, see `tickets.measures`
    waiting_since = models.DateTimeField(
        null=True, editable=False
    )  # the oldest public word of a customer that no agent has answered, nor put aside to wait for more
    fix_confirmed_at = models.DateTimeField(null=True, editable=False)  # the customer said it works, but it still lacks a type
    resolved_at = models.DateTimeField(null=True, editable=False)
    resolution_work = models.PositiveIntegerField(null=True, editable=False)  # likewise
    close_due_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    snoozed_until = models.DateTimeField(null=True, editable=False)  # out of the lists of what is to be done; a customer's word ends it
    submission_key = models.UUIDField(null=True, unique=True, editable=False)  # of the form, so that a form sent twice is one ticket
    sla = models.ForeignKey("SlaSnapshot", on_delete=models.PROTECT, null=True, editable=False, related_name="tickets", db_index=False)
    due_at = models.DateTimeField(null=True, editable=False)  # the earliest of its clocks that run; written by `tickets.sla.clocks` alone
    is_indexed = models.BooleanField(default=False, editable=False)  # `Posting` has it as it is; whatever changes who sees it says no

    followers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Follower", through_fields=("ticket", "user"), related_name="followed_tickets"
    )
    organizations = models.ManyToManyField(Organization, through="OrganizationShare", related_name="shared_tickets")

    objects = TicketQuerySet.as_manager()
    locked_with: tuple[int | None, ...] | None = None  # its `sla_key` as `tickets.locking` read it

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(close_due_at=None) | Q(category=Category.RESOLVED), name="only_resolved_is_due_to_close"),
            models.CheckConstraint(condition=Q(closed_at=None) | Q(category=Category.CLOSED), name="closed_at_means_closed"),
            models.CheckConstraint(condition=Q(resolved_at=None) | ~Q(category__in=UNRESOLVED), name="unresolved_has_no_resolved_at"),
            models.CheckConstraint(condition=Q(snoozed_until=None) | Q(category__in=UNRESOLVED), name="only_unresolved_is_snoozed"),
            models.CheckConstraint(condition=Q(merged_into=None) | Q(category=Category.CLOSED), name="merged_is_closed"),
            models.CheckConstraint(condition=Q(merged_into=None) | ~Q(merged_into=F("id")), name="merged_into_another"),
            models.CheckConstraint(condition=Q(filer=None) | ~Q(filer=F("requester")), name="filer_is_another_person"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["category", "-updated_at", "-id"], name="ticket_by_category"),
            # The queue: as it is listed, and as it is counted, without a look at the tickets themselves.
            models.Index(fields=["-updated_at", "-id"], condition=Q(category__in=UNRESOLVED), name="ticket_in_queue"),
            models.Index(
                fields=["group", "assignee", "category", "status", "waiting_since", "due_at", "snoozed_until", "fix_confirmed_at", "id"],
                condition=Q(category__in=UNRESOLVED),
                name="ticket_counted",
            ),
            models.Index(fields=["-created_at", "-id"], name="ticket_by_creation"),
            models.Index(fields=["resolved_at"], condition=Q(resolved_at__isnull=False), name="ticket_by_resolution"),
            models.Index(fields=["-updated_at", "-id"], name="ticket_by_update"),
            models.Index(fields=["priority", "-updated_at", "-id"], name="ticket_by_priority"),
            models.Index(fields=["assignee", "category", "-updated_at"], name="ticket_by_assignee"),
            models.Index(fields=["group", "category", "-updated_at"], name="ticket_by_group"),
            models.Index(fields=["requester", "-public_updated_at"], name="ticket_by_requester"),
            models.Index(fields=["status", "status_since"], name="ticket_by_status_since"),
            models.Index(fields=["waiting_since"], condition=Q(waiting_since__isnull=False), name="ticket_waiting"),
            models.Index(fields=["close_due_at"], condition=Q(close_due_at__isnull=False), name="ticket_due_to_close"),
            models.Index(fields=["snoozed_until"], condition=Q(snoozed_until__isnull=False), name="ticket_to_wake"),
            models.Index(fields=["reference"], condition=~Q(reference=""), name="ticket_by_reference"),
            models.Index(fields=["-id"], condition=Q(is_indexed=False), name="ticket_to_index"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="ticket_by_due"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.subject}"

    @property
    def number(self) -> int:
        return self.pk

    @cached_property
    def description(self) -> Comment:
        """The first thing that was said on it."""
        return self.comments.earliest("pk")

    @property
    def sla_key(self) -> tuple[int | None, ...]:
        """What of itself decides which SLA it has."""
        return self.requester_id, self.group_id, self.type_id, self.priority_id

    @property
    def is_unresolved(self) -> bool:
        return self.category in UNRESOLVED

    @property
    def is_resolved(self) -> bool:
        return self.category == Category.RESOLVED

    @property
    def is_closed(self) -> bool:
        return self.category == Category.CLOSED

    @property
    def is_finished(self) -> bool:
        return self.category in FINISHED

    @property
    def is_spam(self) -> bool:
        return self.category == Category.SPAM


class FollowerQuerySet(models.QuerySet["Follower"]):
    def in_force(self) -> FollowerQuerySet:
        """Those that let their person see the ticket."""
        return self.filter(self._is_in_force())

    def with_newcomers(self) -> FollowerQuerySet:
        """Each with `awaited`: of who was invited and is no member yet, the address that was written; '' for all others.

        Nothing else may be shown of them: that we know somebody is not for who invites to learn.
        """
        written = Invitation.objects.filter(person=OuterRef("user"), organization=OuterRef("through")).order_by("-pk").values("address")[:1]
        awaited = Case(When(self._is_in_force(), then=Value("")), default=Subquery(written), output_field=models.CharField())
        return self.annotate(awaited=Coalesce(awaited, Value("?")))

    @staticmethod
    def _is_in_force() -> Q:
        memberships = Membership.objects.filter(is_active=True, organization__is_active=True)
        return Q(through=None) | Q(Exists(memberships.filter(user=OuterRef("user"), organization=OuterRef("through"))))


class Follower(models.Model):
    """A person who sees the ticket and, unless muted, gets mail at each update. The requester is one from the start."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="follower_rows")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="follower_rows")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    # Counts only while the person is an active member of it: they began to follow as one, or were invited into it with the ticket.
    through = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True, related_name="+")
    is_muted = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = FollowerQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["ticket", "user"], name="one_follower_row")]

    def __str__(self) -> str:
        return f"{self.user} follows {self.ticket_id}"

    @property
    def name(self) -> str:
        """What customers read; one of `with_newcomers`."""
        awaited: str = self.awaited  # type: ignore[attr-defined] # annotated
        return awaited.partition("@")[0] or self.user.display_name


class OrganizationShare(models.Model):
    """The ticket is shared with an organization: its active members see it. Organizations get no mail."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="share_rows")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="share_rows")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["ticket", "organization"], name="one_share")]

    def __str__(self) -> str:
        return f"{self.ticket_id} shared with {self.organization}"
