"""What was said on a ticket. The first public comment is its description."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Channel, Ticket


class Comment(models.Model):
    """A reply, or an internal note, which no customer ever sees."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments")
    text = models.TextField(_("text"))  # plain, what the person wrote, without quotes
    html = models.TextField(blank=True)  # as it came; cleaned each time it is shown, by the `rich` filter alone
    quoted = models.TextField(blank=True)  # what a mail program added below or above
    is_internal = models.BooleanField(default=False)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    submission_key = models.UUIDField(null=True, unique=True, editable=False)
    # The comment of another ticket that became this one's description.
    split_from = models.OneToOneField("self", on_delete=models.SET_NULL, null=True, editable=False, related_name="split_off")

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        indexes: ClassVar = [models.Index(fields=["ticket", "id"], name="comment_by_ticket")]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:50]}"


def generated_name(_file: StoredFile, _filename: str) -> str:
    """Where the bytes lie. Nothing of the sender's file name reaches the disk."""
    key = uuid4().hex
    return f"attachments/{key[:2]}/{key}"


class StoredFile(models.Model):
    """Bytes that somebody sent. Type and name were decided by `tickets.files`."""

    file = models.FileField(upload_to=generated_name, max_length=100)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()  # bytes
    sha256 = models.CharField(max_length=64)
    is_image = models.BooleanField(default=False)  # a picture that browsers can show and that we have checked

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Attachment(StoredFile):
    """A file of a comment, seen by those who see the comment."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="attachments")
    content_id = models.CharField(max_length=250, blank=True)  # of a picture inside a mail's text

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")


class Upload(StoredFile):
    """A file that came before the words it goes with: seen by its uploader alone, until a comment of theirs takes it or a day has passed."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
