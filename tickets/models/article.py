"""Help articles: what staff write once so that it need not be asked again. Written by `tickets.help.articles` alone.

Their words live in versions that are only ever added: readers see the one that is published, staff go on with the newest.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from tickets.models.conversation import StoredFile
from tickets.models.ticket import Ticket

_SLUG = 60  # characters of a title that are enough in an address


class ArticleSection(models.Model):
    """A shelf. One without articles that a person may read is not shown to them."""

    name = models.CharField(_("name"), max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("section of help articles")
        verbose_name_plural = _("sections of help articles")
        ordering: ClassVar = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class ArticleState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    ARCHIVED = "archived", _("Archived")


class Audience(models.TextChoices):
    EVERYBODY = "everybody", _("Everybody, also without an account")
    PEOPLE = "people", _("People who are logged in")
    ORGANIZATIONS = "organizations", _("Only these organizations")


class Article(models.Model):
    section = models.ForeignKey(ArticleSection, on_delete=models.PROTECT, related_name="articles", verbose_name=_("section"))
    state = models.CharField(max_length=10, choices=ArticleState.choices, default=ArticleState.DRAFT)
    audience = models.CharField(_("who can read it"), max_length=15, choices=Audience.choices, default=Audience.EVERYBODY)
    organizations = models.ManyToManyField(Organization, blank=True, related_name="articles", verbose_name=_("organizations"))
    published = models.ForeignKey("ArticleVersion", on_delete=models.PROTECT, null=True, related_name="+")  # what readers see
    newest = models.ForeignKey("ArticleVersion", on_delete=models.PROTECT, null=True, related_name="+")  # null only while being made
    published_at = models.DateTimeField(null=True, editable=False)  # the words that readers see, not the article's first day
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("help article")
        verbose_name_plural = _("help articles")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state=ArticleState.PUBLISHED, published__isnull=False, published_at__isnull=False)
                | (~Q(state=ArticleState.PUBLISHED) & Q(published=None, published_at=None)),
                name="published_article_has_words",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "section"], name="article_by_section")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("article", args=[self.pk, self.slug]) if self.slug else reverse("article_by_number", args=[self.pk])

    @property
    def shown(self) -> ArticleVersion | None:
        """What readers see, else what staff have written so far."""
        return self.published or self.newest

    @property
    def title(self) -> str:
        return self.shown.title if self.shown else ""

    @property
    def is_published(self) -> bool:
        return self.state == ArticleState.PUBLISHED

    @property
    def has_newer_draft(self) -> bool:
        return self.is_published and self.newest_id != self.published_id

    @property
    def slug(self) -> str:
        """Of the present title; '' where nothing of it can stand in an address."""
        return slugify(self.title)[:_SLUG].strip("-")


class ArticleFile(StoredFile):
    """A picture in an article's text, or a file below it. Readers get those of the published version."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="files")


class ArticleVersion(models.Model):
    """The words as somebody saved them. Never changed."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="versions")
    title = models.CharField(_("title"), max_length=250)
    html = models.TextField()  # as it was written; cleaned each time it is shown
    text = models.TextField()  # the same without markup, for search
    files = models.ManyToManyField(ArticleFile, related_name="versions")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["article", "-id"], name="version_by_article")]

    def __str__(self) -> str:
        return self.title


class ArticleEventKind(models.TextChoices):
    SAVED = "saved"
    RESTORED = "restored"  # data: version, the older one whose words came back
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    ARCHIVED = "archived"
    PLACED = "placed"  # in another section, or for other readers; data: section, readers, as they are called


class ArticleEvent(models.Model):
    """The history of an article, as `Event` is that of a ticket: one append-only row for each thing that happened."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=ArticleEventKind.choices)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(ArticleVersion, on_delete=models.CASCADE, null=True, related_name="events")
    data: models.JSONField[dict[str, Any]] = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["article", "-id"], name="article_event")]

    def __str__(self) -> str:
        return f"{self.kind} {self.article_id}"


class ArticleTerm(models.Model):
    """How much a term (see `tickets.search.terms`) says about a published article. Made anew with each publication, for search and suggestions."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="terms", db_index=False)
    term = models.IntegerField()
    weight = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["article", "term"], name="one_weight_a_term")]
        indexes: ClassVar = [models.Index(fields=["term", "article"], name="article_by_term")]

    def __str__(self) -> str:
        return f"{self.article_id}: {self.term}"


class ArticleFeedback(models.Model):
    """Whether an article helped: one answer a person, or, of somebody who is not logged in, one a browser. It can be changed."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="feedback")
    version = models.ForeignKey(ArticleVersion, on_delete=models.CASCADE, related_name="+")  # what they had read
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="article_feedback")
    visitor = models.CharField(max_length=32, blank=True)  # a random key in the session of somebody we don't know
    is_helpful = models.BooleanField()
    comment = models.TextField(blank=True)
    ticket = models.ForeignKey(Ticket, on_delete=models.SET_NULL, null=True, related_name="+")  # what became of it
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["article", "reader"], condition=Q(reader__isnull=False), name="one_answer_a_reader"),
            models.UniqueConstraint(fields=["article", "visitor"], condition=~Q(visitor=""), name="one_answer_a_visitor"),
            models.CheckConstraint(
                condition=Q(reader=None) & ~Q(visitor="") | Q(reader__isnull=False, visitor=""), name="answer_is_a_readers_or_a_visitors"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-id"], condition=~Q(comment=""), name="article_words_of_readers")]

    def __str__(self) -> str:
        return f"{self.article_id}: {'yes' if self.is_helpful else 'no'}"


class ArticleLink(models.Model):
    """A comment of the ticket has a link to the article."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="links")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="article_links", db_index=False)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["ticket", "article"], name="one_link_a_ticket")]

    def __str__(self) -> str:
        return f"#{self.ticket_id} → {self.article_id}"
