"""What engineering has shipped, and which tickets were told of it. Written by `tickets.releases` alone."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.conversation import Comment
from tickets.models.ticket import Ticket


class Release(models.Model):
    """A version, and what is said on the tickets that waited for it."""

    version = models.CharField(_("version"), max_length=60, unique=True)
    text = models.TextField()  # with the placeholders of `Status.PLACEHOLDERS`
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.version


class ReleasePost(models.Model):
    """One ticket that is told of one release: at most once, whoever runs it how often. Without `comment` it waits to be posted."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="posts")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="release_posts")
    reference = models.CharField(max_length=60)  # by which it was found
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")  # who says it
    key = models.UUIDField(unique=True, default=uuid4, editable=False)  # the comment's, which is unique in its turn
    comment = models.OneToOneField(Comment, on_delete=models.SET_NULL, null=True, related_name="+")
    posted_at = models.DateTimeField(null=True, editable=False)
    problem = models.CharField(max_length=250, blank=True)  # why it could not be posted; it is tried again when a person says so

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["release", "ticket"], name="told_of_a_release_once")]
        indexes: ClassVar = [models.Index(fields=["release"], condition=Q(posted_at=None), name="release_to_post")]

    def __str__(self) -> str:
        return f"{self.release_id} on {self.ticket_id}"
