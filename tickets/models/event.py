"""The spine: one append-only row for each thing that happened. It is history, timeline and outbox at once. Created by `tickets.events.record` alone."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from tickets.models.conversation import Comment
from tickets.models.ticket import Ticket


class EventKind(models.TextChoices):
    OPENED = "opened"  # the ticket came to be; comment = its description
    COMMENTED = "commented"  # a reply; the status may have moved with it
    NOTED = "noted"  # an internal note
    STATUS_CHANGED = "status_changed"  # by hand
    RECATEGORISED = "recategorised"  # an admin changed what its status counts as
    RESOLVED = "resolved"
    CLOSED = "closed"  # by hand, or by itself: actor is None
    REOPENED = "reopened"
    FIX_CONFIRMED = "fix_confirmed"  # the requester's side says it works, but a type is missing
    ASSIGNED = "assigned"
    GROUP_CHANGED = "group_changed"
    TYPE_CHANGED = "type_changed"
    AREA_CHANGED = "area_changed"
    PRIORITY_CHANGED = "priority_changed"  # customers know of it only where a comment told them
    FOLLOWER_ADDED = "follower_added"
    FOLLOWER_REMOVED = "follower_removed"
    ORGANIZATION_ADDED = "organization_added"  # the ticket is shared with it
    ORGANIZATION_REMOVED = "organization_removed"
    MARKED_SPAM = "marked_spam"
    NOT_SPAM = "not_spam"
    STAFF_TOLD = "staff_told"  # a rule mails people of ours
    RULE_FAILED = "rule_failed"  # a rule could not do what it says, or was stopped; nothing of it stands
    SLA_WARNED = "sla_warned"  # a promised time is nearly over; data: sla (which clock), minutes (from the breach), tells (whom)
    SLA_BREACHED = "sla_breached"  # it is over; data: as above, and moment, when it was
    SLA_ESCALATED = "sla_escalated"  # and has been for a while
    REQUESTER_CHANGED = "requester_changed"  # staff confirmed whose ticket a forwarded mail is
    REFERENCE_CHANGED = "reference_changed"  # engineering's number for it
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    SNOOZED = "snoozed"
    LINKED = "linked"
    UNLINKED = "unlinked"
    MERGED = "merged"  # into another, in which it goes on
    UNMERGED = "unmerged"
    TOOK_IN = "took_in"  # the same two, on the history of the other
    GAVE_BACK = "gave_back"
    SPLIT = "split"  # a comment became a ticket of its own
    WOKEN = "woken"  # by hand, or when its time had come: actor is None


class Event(models.Model):
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=20, choices=EventKind.choices)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="events")  # None: by itself
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, null=True, related_name="events")
    is_internal = models.BooleanField(default=False)  # customers never see it
    data: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)  # names as they were, so that history stays true
    at = models.DateTimeField(default=timezone.now, editable=False)
    dispatch_at = models.DateTimeField(default=timezone.now, editable=False)  # put off where making its deliveries failed
    dispatched_at = models.DateTimeField(null=True, editable=False)  # when `notifications.relay` had made its deliveries

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["ticket", "id"], name="event_by_ticket"),
            models.Index(fields=["id"], condition=Q(dispatched_at=None), name="event_to_dispatch"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.ticket_id}"
