"""Every write to a help article is a verb here, as those to a ticket are in `tickets.actions`. Staff write and publish; readers say whether it helped.

A verb is one transaction: lock the article's row, check the permission, change, record one event of the article's own history.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from accounts.errors import DomainError, IllegalMove, NotAllowed
from tickets import access, actions, files
from tickets.help import article_search
from tickets.models import (
    Article,
    ArticleEvent,
    ArticleEventKind,
    ArticleFeedback,
    ArticleFile,
    ArticleSection,
    ArticleState,
    ArticleVersion,
    Audience,
    Channel,
    Upload,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from accounts.models import Organization, User
    from tickets.files import NewFile
    from tickets.models import Ticket

_UPLOAD = re.compile(r'<img[^<>]{0,500}?\ssrc="/uploads/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/"')
_BLOCK_END = re.compile(r"<(?:br\s*/?|/(?:p|li|h[1-6]|pre|blockquote|tr|div))>", re.IGNORECASE)


class Overtaken(DomainError):
    """Somebody saved a newer version meanwhile."""


# --- Writing -------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def create(
    *, actor: User, section: str, title: str, html: str, new_files: Collection[NewFile] = (), uploads: Collection[UUID] = ()
) -> Article:
    """A draft. A section that is not there yet comes to be, behind the others."""
    _check(actor)
    article = Article.objects.create(section=_section(section))
    html, added = _take_uploads(article, actor=actor, html=html, uploads=uploads)
    return _write(article, actor=actor, title=title, html=html, kept=added, new_files=new_files)


@transaction.atomic
def save(
    article: Article,
    *,
    actor: User,
    title: str,
    html: str,
    kept: Collection[int] = (),
    new_files: Collection[NewFile] = (),
    uploads: Collection[UUID] = (),
    since: int | None = None,
) -> Article:
    """A newer version, which readers don't see until it is published. `kept`: the files of the version before that stay; pictures in the text stay anyway.
    `uploads`: files of the same person that came before; those that the text shows need not be named.

    Raises Overtaken when `since` is no longer the newest version.
    """
    article = _lock(article, actor)
    newest = article.newest
    if newest and since is not None and newest.pk != since:
        raise Overtaken(
            _("%(who)s saved a newer version while you were writing. Yours is not saved yet: save it again to put it on top of theirs.")
            % {"who": newest.author}
        )
    html, added = _take_uploads(article, actor=actor, html=html, uploads=uploads)
    files_before = set(newest.files.values_list("pk", flat=True)) if newest else set()
    stays = {*files_before.intersection(kept), *added}
    if newest and not new_files and (newest.title, newest.html, files_before) == (title, html, stays | _pictures_in(article, html)):
        return article
    return _write(article, actor=actor, title=title, html=html, kept=stays, new_files=new_files)


def _take_uploads(article: Article, *, actor: User, html: str, uploads: Collection[UUID]) -> tuple[str, list[int]]:
    """They become the article's own files, and the text shows them as such. Somebody else's are as good as none."""
    wanted = {*uploads, *(UUID(pk) for pk in _UPLOAD.findall(html))}
    kept = list(Upload.objects.select_for_update().filter(pk__in=wanted, uploader=actor).order_by("created_at")) if wanted else []
    if len(kept) < len(wanted):
        raise actions.NotStored(actions.gone())
    added = []
    for upload in kept:
        address = reverse("upload", args=[upload.pk])
        file = files.attach_kept_to_article(article, upload)
        html = html.replace(address, file_url(file))
        added.append(file.pk)
    return html, added


def _write(article: Article, *, actor: User, title: str, html: str, kept: Collection[int], new_files: Collection[NewFile]) -> Article:
    version = ArticleVersion.objects.create(article=article, title=title, html=html, text=text_of(html), author=actor)
    try:
        added = [files.attach_to_article(article, new).pk for new in new_files]
    except OSError as error:
        raise actions.NotStored(_("The files could not be stored, so nothing was saved. Try again in a few minutes.")) from error
    version.files.set({*kept, *_pictures_in(article, html), *added})
    article.newest = version
    article.save(update_fields=["newest"])
    _record(article, ArticleEventKind.SAVED, actor=actor, version=version)
    return article


def text_of(html: str) -> str:
    return unescape(strip_tags(_BLOCK_END.sub("\n", html))).strip()


def _pictures_in(article: Article, html: str) -> set[int]:
    return {file.pk for file in article.files.all() if file_url(file) in unescape(html)}


def file_url(file: ArticleFile) -> str:
    return reverse("article_file", args=[file.pk, file.name])


@transaction.atomic
def restore(article: Article, *, actor: User, version: ArticleVersion) -> Article:
    """The words of an older version become the newest once more; readers see them when they are published."""
    article = _lock(article, actor)
    if version.pk == article.newest_id:
        return article
    again = ArticleVersion.objects.create(article=article, title=version.title, html=version.html, text=version.text, author=actor)
    again.files.set(version.files.all())
    article.newest = again
    article.save(update_fields=["newest"])
    _record(article, ArticleEventKind.RESTORED, actor=actor, version=again, restored=version.pk)
    return article


# --- What readers see ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def publish(article: Article, *, actor: User) -> Article:
    """Its newest version, to its audience. Any of our staff may."""
    article = _lock(article, actor)
    if article.is_published and article.published_id == article.newest_id:
        return article
    article.state, article.published, article.published_at = ArticleState.PUBLISHED, article.newest, timezone.now()
    return _show(article, ArticleEventKind.PUBLISHED, actor=actor)


@transaction.atomic
def unpublish(article: Article, *, actor: User) -> Article:
    """A draft again, out of readers' sight."""
    return _hide(article, ArticleState.DRAFT, ArticleEventKind.UNPUBLISHED, actor=actor)


@transaction.atomic
def archive(article: Article, *, actor: User) -> Article:
    """Out of readers' sight, and out of the way of staff."""
    return _hide(article, ArticleState.ARCHIVED, ArticleEventKind.ARCHIVED, actor=actor)


def _hide(article: Article, state: ArticleState, kind: ArticleEventKind, *, actor: User) -> Article:
    article = _lock(article, actor)
    if article.state == state:
        return article
    article.state, article.published, article.published_at = state, None, None
    return _show(article, kind, actor=actor)


def _show(article: Article, kind: ArticleEventKind, *, actor: User) -> Article:
    article.save(update_fields=["state", "published", "published_at"])
    article_search.index(article)
    _record(article, kind, actor=actor, version=article.published)
    return article


@transaction.atomic
def place(article: Article, *, actor: User, section: str, audience: Audience, organizations: Collection[Organization] = ()) -> Article:
    """Its section, and who can read it once it is published; at once, where it is."""
    article = _lock(article, actor)
    chosen = set(organizations) if audience == Audience.ORGANIZATIONS else set()
    if audience == Audience.ORGANIZATIONS and not chosen:
        raise IllegalMove(_("Choose at least one organization, or nobody could read it."))
    if (article.section.name, article.audience, set(article.organizations.all())) == (section, audience, chosen):
        return article
    article.section, article.audience = _section(section), audience
    article.save(update_fields=["section", "audience"])
    article.organizations.set(chosen)
    _record(article, ArticleEventKind.PLACED, actor=actor, section=article.section.name, readers=readers(article))
    return article


def readers(article: Article) -> str:
    """Who can read it, in words that go on a sentence: "everybody"."""
    match article.audience:
        case Audience.EVERYBODY:
            return _("everybody")
        case Audience.PEOPLE:
            return _("people who are logged in")
    return ", ".join(sorted(organization.name for organization in article.organizations.all()))


# --- What readers say ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def give_feedback(article: Article, *, reader: User | None, visitor: str = "", is_helpful: bool, comment: str = "") -> ArticleFeedback:
    """Whether it helped; once for each reader, who can say otherwise later. `visitor`: a key for one whom we don't know."""
    version = article.published
    if version is None:
        raise IllegalMove(_("This article is not published any more."))
    who: dict[str, Any] = {"reader": reader} if reader else {"reader": None, "visitor": visitor}
    answer, _made = ArticleFeedback.objects.get_or_create(article=article, **who, defaults={"version": version, "is_helpful": is_helpful})
    words = comment or (
        answer.comment if answer.is_helpful == is_helpful else ""
    )  # what was said with the other answer is taken back with it
    answer.version, answer.is_helpful, answer.comment, answer.at = version, is_helpful, words, timezone.now()
    answer.save()
    return answer


def feedback_for(user: User) -> QuerySet[ArticleFeedback]:
    return ArticleFeedback.objects.filter(article__in=access.articles_for(user)) if user.is_staff else ArticleFeedback.objects.none()


@transaction.atomic
def open_ticket_about(answer: ArticleFeedback, *, actor: User) -> Ticket:
    """The reader's ticket where we know them, else the agent's own. Not shared with the reader's organization: they wrote to us alone."""
    _check(actor)
    answer = ArticleFeedback.objects.select_for_update(of=("self",)).select_related("version", "reader").get(pk=answer.pk)
    if answer.ticket:
        return answer.ticket
    if answer.is_helpful or not answer.comment:
        raise IllegalMove(_("Only a “No” with words can become a ticket."))
    title = answer.version.title  # what they had read: today's may be a draft's
    url = urljoin(settings.SITE_URL, reverse("article_by_number", args=[answer.article_id]))
    text = _("About the help article “%(title)s” (%(url)s):") % {"title": title, "url": url}
    answer.ticket = actions.open_ticket(
        actor=actor,
        requester=answer.reader if answer.reader and answer.reader.is_active else actor,
        subject=_("Help article “%(title)s”") % {"title": title},
        message=actions.Message(text=f"{text}\n\n{answer.comment}", channel=Channel.DESK),
    )
    answer.save(update_fields=["ticket"])
    return answer.ticket


# --- Inside --------------------------------------------------------------------------------------------------------------------


def _check(actor: User) -> None:
    if not actor.is_staff:
        raise NotAllowed(_("Only our staff can do that."))


def _lock(article: Article, actor: User) -> Article:
    """As it is now, its row ours until the commit."""
    _check(actor)
    Article.objects.select_for_update().only("pk").get(pk=article.pk)
    return Article.objects.select_related("section", "published", "newest__author").get(pk=article.pk)


def _section(name: str) -> ArticleSection:
    last = ArticleSection.objects.order_by("-position").values_list("position", flat=True).first()
    found, _made = ArticleSection.objects.get_or_create(name=name, defaults={"position": (last or 0) + 1})
    return found


def _record(article: Article, kind: ArticleEventKind, *, actor: User, version: ArticleVersion | None = None, **data: Any) -> None:
    ArticleEvent.objects.create(article=article, kind=kind, actor=actor, version=version, data=data, at=timezone.now())
