"""Remembers which tickets lead to which help article, so that an article's page can say what it was needed for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.conf import settings

from tickets.models import Article, ArticleLink

if TYPE_CHECKING:
    from tickets.models import Comment

_MOST = 50  # links of one comment that count


def note_links(said: Comment) -> None:
    """Inside the transaction in which the comment is made. A link to nothing is none."""
    address = re.compile(rf"{re.escape(settings.SITE_URL.rstrip('/'))}/articles/(\d{{1,18}})(?![\d\w])")
    numbers = {int(number) for text in (said.text, said.html) for number in address.findall(text)[:_MOST]}
    if not numbers:
        return
    known = Article.objects.filter(pk__in=numbers).values_list("pk", flat=True)
    ArticleLink.objects.bulk_create([ArticleLink(article_id=pk, ticket_id=said.ticket_id) for pk in known], ignore_conflicts=True)
