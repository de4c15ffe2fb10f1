"""What is like the ticket that somebody is writing, and help articles that may answer it: a part of the submit page, asked for as they type.

By POST, though it changes nothing: what people write belongs into no address, and so into no log or history.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from tickets.help import article_search
from tickets.portal.door import PersonRequest, customer_required
from tickets.portal.views.articles import published_for
from tickets.portal.words import standing
from tickets.ratelimit import is_too_often
from tickets.search.similar import Question, similar, with_story

_ARTICLES = 3
_LIMIT = 400  # questions of one person in ten minutes: more than anybody types


@require_POST
@customer_required
def ticket_similar(request: PersonRequest) -> HttpResponse:
    if is_too_often("similar", request.user, limit=_LIMIT):
        return HttpResponse(status=429)
    asked = Question(request.POST.get("subject", ""), request.POST.get("text", ""), at=timezone.now())
    found = similar(request.user, asked, among=with_story())
    articles = article_search.suggest(published_for(request), asked.subject, asked.text, limit=_ARTICLES)
    context = {"articles": articles, "found": [(ticket, standing(ticket)) for ticket in found]}
    return render(request, "portal/related_found.html", context)
