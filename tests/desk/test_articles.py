"""Help articles at the desk: written, published, taken back; versions; what readers say and what becomes of it; links from tickets."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.models import AgentGroup
from tests.desk.conftest import logged_in
from tests.desk.pages import send, words
from tests.factories import make_article, make_ticket, message, new_file
from tests.tickets.test_attachments import png
from tickets import actions, files
from tickets.help import articles
from tickets.models import (
    Article,
    ArticleEvent,
    ArticleFeedback,
    ArticleLink,
    ArticleState,
    ArticleTerm,
    Audience,
    Channel,
    Event,
    OrganizationShare,
    Upload,
)

pytestmark = pytest.mark.django_db

LIST, NEW = "/desk/articles/", "/desk/articles/new/"
WRITTEN = {"title": "Export data", "section": "Using the Studio", "html": "<h2>How</h2><p>Choose Export.</p>"}


def at(article, page="") -> str:
    return f"/desk/articles/{article.pk}/{page}"


def link_to(article) -> str:
    return urljoin(settings.SITE_URL, article.get_absolute_url())


def history(article) -> list[str]:
    return list(article.events.order_by("pk").values_list("kind", flat=True))


# --- Writing -------------------------------------------------------------------------------------------------------------------


def test_article_when_written_then_is_a_draft_until_published(client, desk):
    response = desk.post(NEW, WRITTEN)
    article = Article.objects.get()
    assert (response.url, article.state, article.newest.text, history(article)) == (at(article), "draft", "How\nChoose Export.", ["saved"])
    assert client.get(article.get_absolute_url()).status_code == 404
    desk.post(at(article, "publish/"))
    assert client.get(article.get_absolute_url()).status_code == 200
    article.refresh_from_db()
    assert (article.state, article.published_id, history(article)) == ("published", article.newest_id, ["saved", "published"])


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"html": "", "text": "One line\nand <not> escaped"}, "One line\nand <not> escaped"),  # has a "<", so it counts as HTML
        ({"html": "", "text": "One\n\nTwo & three"}, "<p>One</p>\n\n<p>Two &amp; three</p>"),
        ({"html": "<p>Rich</p>", "text": "Rich"}, "<p>Rich</p>"),
    ],
)
def test_article_when_typed_without_the_editor_then_is_kept_too(desk, typed, kept):
    desk.post(NEW, {**WRITTEN, **typed})
    assert Article.objects.get().newest.html == kept


@pytest.mark.parametrize("missing", ["title", "section", "html"])
def test_article_when_something_is_missing_then_says_so_and_keeps_the_rest(desk, missing):
    response = desk.post(NEW, {**WRITTEN, missing: ""})
    page = response.content.decode()
    kept = [value for name, value in WRITTEN.items() if name not in (missing, "html")]
    assert (response.status_code, [value in page for value in kept], Article.objects.count()) == (422, [True] * len(kept), 0)


@pytest.mark.parametrize("html", ["<p> </p>", "<p></p><ul><li></li></ul>", "<script></script>"])
def test_article_when_there_is_nothing_to_read_in_it_then_is_refused(desk, html):
    assert desk.post(NEW, {**WRITTEN, "html": html}).status_code == 422


@pytest.mark.parametrize("bad", [{"title": "\0"}, {"title": "x" * 251}, {"html": "x" * 400_001}, {"section": "x" * 61}])
def test_article_when_too_long_or_nothing_then_is_refused(desk, bad):
    assert desk.post(NEW, {**WRITTEN, **bad}).status_code == 422


def test_article_when_saved_with_publish_then_both_happen(desk, dan):
    article = make_article(dan)
    desk.post(at(article), {"title": "Better", "html": "<p>Newer</p>", "since": article.newest_id, "then": "publish"})
    article.refresh_from_db()
    assert (article.published.title, history(article)) == ("Better", ["saved", "published", "saved", "published"])


def test_article_when_saved_unchanged_then_nothing_happens(desk, dan):
    article = make_article(dan)
    desk.post(at(article), {"title": article.title, "html": article.newest.html, "since": article.newest_id})
    assert (article.versions.count(), history(article)) == (1, ["saved", "published"])


def test_article_when_a_colleague_saved_meanwhile_then_nothing_is_lost(desk, dan, eve):
    article = make_article(dan)
    before = article.newest_id
    articles.save(article, actor=eve, title="Eve's", html="<p>Eve's words</p>")
    response = desk.post(at(article), {"title": "Dan's", "html": "<p>Dan's words</p>", "since": before})
    assert (response.status_code, "Eve Devops saved a newer version" in words(response)) == (409, True)
    assert ("Dan&#x27;s words" in response.content.decode(), article.versions.count()) == (True, 2)
    again = re.search(r'name="since" value="(\d+)"', response.content.decode())[1]
    desk.post(at(article), {"title": "Dan's", "html": "<p>Dan's words</p>", "since": again})
    assert list(article.versions.order_by("pk").values_list("title", flat=True)) == ["Export completion data", "Eve's", "Dan's"]


def test_files_when_unticked_then_leave_the_newest_version_alone(desk, dan):
    article = make_article(dan, files=(new_file("a.txt"), new_file("b.txt")))
    keep = article.files.get(name="a.txt")
    desk.post(
        at(article),
        {"title": "T", "html": "<p>x</p>", "kept": [keep.pk, "x", "²", "999999999999999999999"], "files": [new_file("c.txt").content]},
    )
    article.refresh_from_db()
    assert sorted(article.newest.files.values_list("name", flat=True))[:1] == ["a.txt"]
    assert [file.name for file in article.published.files.order_by("pk")] == ["a.txt", "b.txt"]


def test_upload_when_shown_in_the_text_then_is_the_articles_own(client, desk, dan):
    picture = files.keep(new_file("shot.png", png()), uploader=dan)
    desk.post(NEW, {**WRITTEN, "html": f'<p>Look: <img src="/uploads/{picture.pk}/" alt="Menu"></p>', "then": "publish"})
    article = Article.objects.get()
    address = articles.file_url(article.files.get())
    assert (article.newest.html, Upload.objects.count()) == (f'<p>Look: <img src="{address}" alt="Menu"></p>', 0)
    assert f'<img src="{address}?inline=1"' in client.get(article.get_absolute_url()).content.decode()


def test_upload_when_of_somebody_else_then_is_none_and_nothing_is_saved(desk, dan, eve):
    theirs = files.keep(new_file(), uploader=eve)
    article = make_article(dan)
    response = desk.post(at(article), {"title": "T", "html": "<p>New</p>", "uploads": f"{theirs.pk} 8 log.txt"})
    assert (response.status_code, "not here any more" in words(response)) == (409, True)
    assert (article.versions.count(), article.files.count(), Upload.objects.count()) == (1, 0, 1)


# --- For whom, and whether -----------------------------------------------------------------------------------------------------


def test_place_when_changed_then_counts_at_once_and_is_in_the_history(desk, dan, ana, acme):
    article = make_article(dan)
    data = {"section": "Acme's own", "audience": "organizations", "organizations": [acme.pk]}
    response = desk.post(at(article, "place/"), data, follow=True)
    assert ("From now on Acme can read it." in words(response), "put it in Acme's own, for Acme" in words(response)) == (True, True)
    assert [logged_in(who).get(article.get_absolute_url()).status_code for who in (ana, dan)] == [200, 200]
    desk.post(at(article, "place/"), {"section": "Acme's own", "audience": "people"})
    article.refresh_from_db()
    assert (article.audience, article.organizations.count()) == ("people", 0)


@pytest.mark.parametrize(
    "data",
    [
        {"section": "S", "audience": "organizations"},
        {"section": "S", "audience": "nobody"},
        {"section": "", "audience": "people"},
        {"section": "S", "audience": "organizations", "organizations": ["x"]},
    ],
)
def test_place_when_nonsense_then_changes_nothing(desk, dan, data):
    article = make_article(dan)
    assert desk.post(at(article, "place/"), data).status_code == 422
    article.refresh_from_db()
    assert (article.audience, article.section.name) == ("everybody", "Using the Studio")


def test_article_when_taken_back_then_its_words_are_in_no_index(desk, dan):
    article = make_article(dan)
    assert ArticleTerm.objects.filter(article=article).exists()
    desk.post(at(article, "unpublish/"))
    article.refresh_from_db()
    assert (article.state, article.published, ArticleTerm.objects.count()) == (ArticleState.DRAFT, None, 0)
    desk.post(at(article, "archive/"))
    assert (article.title in words(desk.get(LIST)), article.title in words(desk.get(f"{LIST}?show=archived"))) == (False, True)
    desk.post(at(article, "publish/"))
    assert ArticleTerm.objects.filter(article=article).exists()


def test_verbs_when_a_customer_calls_them_then_are_refused(ana, dan):
    article = make_article(dan)
    deeds = [
        lambda: articles.create(actor=ana, section="S", title="T", html="x"),
        lambda: articles.save(article, actor=ana, title="T", html="x"),
        lambda: articles.publish(article, actor=ana),
        lambda: articles.unpublish(article, actor=ana),
        lambda: articles.archive(article, actor=ana),
        lambda: articles.restore(article, actor=ana, version=article.newest),
        lambda: articles.place(article, actor=ana, section="S", audience=Audience.PEOPLE),
    ]
    before = ArticleEvent.objects.count()
    for deed in deeds:
        with pytest.raises(actions.NotAllowed):
            deed()
    assert ArticleEvent.objects.count() == before


# --- Versions ------------------------------------------------------------------------------------------------------------------


def test_version_when_brought_back_then_is_the_newest_draft(desk, dan):
    article = make_article(dan, html="<p>First words</p>", files=(new_file(),))
    first = article.newest
    articles.publish(articles.save(article, actor=dan, title="Second", html="<p>Second words</p>"), actor=dan)
    assert "First words" in words(desk.get(at(article, f"versions/{first.pk}/")))
    desk.post(at(article, f"versions/{first.pk}/restore/"))
    article.refresh_from_db()
    assert (article.newest.text, article.published.text, article.newest.files.count()) == ("First words", "Second words", 1)
    assert history(article)[-1] == "restored"


def test_version_when_of_another_article_then_does_not_exist(desk, dan):
    one, other = make_article(dan), make_article(dan, "Other")
    addresses = [at(one, f"versions/{other.newest_id}/"), at(one, "versions/99999999999999999999/")]
    assert [desk.get(address).status_code for address in addresses] == [404, 404]
    assert desk.post(at(one, f"versions/{other.newest_id}/restore/")).status_code == 404


def test_article_when_a_file_is_kept_by_nonsense_then_is_saved_without(desk, dan):
    article = make_article(dan)
    saved = desk.post(at(article), WRITTEN | {"kept": ["9" * 5000, "x", "²", ""]})
    article.refresh_from_db()
    assert (saved.status_code, article.newest.title, article.newest.files.count()) == (302, "Export data", 0)


# --- What readers say ----------------------------------------------------------------------------------------------------------


def test_no_with_words_when_clicked_then_is_the_readers_ticket(desk, dan, ana):
    article = make_article(dan)
    answer = articles.give_feedback(article, reader=ana, is_helpful=False, comment="Where is the button?")
    response = desk.post(f"/desk/articles/words/{answer.pk}/ticket/")
    answer.refresh_from_db()
    ticket = answer.ticket
    assert (response.url, ticket.requester, ticket.filer, ticket.subject) == (
        reverse("desk_ticket", args=[ticket.pk]),
        ana,
        dan,
        "Help article “Export completion data”",
    )
    said = f"About the help article “Export completion data” ({settings.SITE_URL}/articles/{article.pk}/):\n\nWhere is the button?"
    assert (ticket.description.text, OrganizationShare.objects.count()) == (said, 0)
    assert [desk.post(f"/desk/articles/words/{answer.pk}/ticket/").url, Event.objects.count()] == [response.url, 1]


def test_no_when_the_article_is_a_draft_again_then_its_ticket_tells_nothing_of_the_draft(desk, dan, ana):
    article = make_article(dan)
    answer = articles.give_feedback(article, reader=ana, is_helpful=False, comment="Where?")
    articles.save(articles.unpublish(article, actor=dan), actor=dan, title="We stop exports in May", html="<p>Not yet told.</p>")
    desk.post(f"/desk/articles/words/{answer.pk}/ticket/")
    answer.refresh_from_db()
    assert (answer.ticket.subject, "May" in answer.ticket.description.text, "may" in answer.ticket.description.text) == (
        "Help article “Export completion data”",
        False,
        False,
    )


def test_no_of_somebody_unknown_when_clicked_then_is_the_agents_ticket(desk, dan):
    answer = articles.give_feedback(make_article(dan), reader=None, visitor="v", is_helpful=False, comment="No.")
    assert "Open a ticket in my name" in words(desk.get("/desk/articles/words/"))
    desk.post(f"/desk/articles/words/{answer.pk}/ticket/")
    answer.refresh_from_db()
    assert (answer.ticket.requester, answer.ticket.filer) == (dan, None)


@pytest.mark.parametrize(("is_helpful", "comment"), [(True, "Fine"), (False, "")])
def test_other_answers_when_posted_to_then_make_no_ticket(desk, dan, ana, is_helpful, comment):
    answer = articles.give_feedback(make_article(dan), reader=ana, is_helpful=is_helpful, comment=comment)
    desk.post(f"/desk/articles/words/{answer.pk}/ticket/")
    answer.refresh_from_db()
    assert answer.ticket is None


def test_words_when_read_then_escape_what_readers_wrote(desk, dan, ana):
    article = make_article(dan)
    articles.give_feedback(article, reader=ana, is_helpful=False, comment="<script>alert(1)</script>")
    for address in ("/desk/articles/words/", at(article)):
        page = desk.get(address).content.decode()
        assert ("<script>alert" in page, "&lt;script&gt;alert" in page) == (False, True)


def test_list_when_readers_answered_then_shows_the_rate(desk, dan, ana, ben, cleo):
    article = make_article(dan)
    for reader, is_helpful in ((ana, True), (ben, False), (cleo, True)):
        articles.give_feedback(article, reader=reader, is_helpful=is_helpful)
    assert ("2 of 3" in words(desk.get(LIST)), "2 of 3 found it helpful" in words(desk.get(at(article)))) == (True, True)


# --- Links from tickets --------------------------------------------------------------------------------------------------------


def test_link_when_in_a_reply_then_the_article_knows_the_ticket(desk, dan, ticket):
    article, other = make_article(dan), make_article(dan, "Other")
    send(
        desk,
        ticket,
        "reply",
        text=f"See {link_to(article)} and {settings.SITE_URL}/articles/{other.pk}/, not {settings.SITE_URL}/articles/999/",
    )
    send(desk, ticket, "reply", text=f"Again: {link_to(article)}")
    assert sorted(ArticleLink.objects.values_list("article", "ticket")) == [(article.pk, ticket.pk), (other.pk, ticket.pk)]
    assert ticket.subject in words(desk.get(at(article)))


@pytest.mark.parametrize(
    "text", ["/articles/{pk}/", "https://elsewhere.example/articles/{pk}/", "{site}/articles/{pk}x", "{site}/articles/{pk}" + "0" * 30]
)
def test_link_when_it_leads_elsewhere_then_is_none(dan, ticket, text):
    article = make_article(dan)
    said = message(text.format(pk=article.pk, site=settings.SITE_URL), channel=Channel.DESK)
    actions.comment(ticket, actor=dan, message=said)
    assert ArticleLink.objects.count() == 0


def test_link_when_in_a_private_groups_ticket_then_others_do_not_see_it(dan, eve, ana):
    article = make_article(dan)
    private = AgentGroup.objects.create(name="People team", is_private=True)
    private.members.add(eve)
    make_ticket(ana, "Salary letter", group=private, message=message(f"I read {link_to(article)}"))
    assert ["Salary letter" in words(logged_in(who).get(at(article))) for who in (dan, eve)] == [False, True]


# --- Beside a reply ------------------------------------------------------------------------------------------------------------


def offered(response) -> list[tuple[str, bool]]:
    """Title, and whether the page says that the customer can't read it."""
    rows = re.findall(r'<li role="option" id.*?</li>', response.content.decode(), flags=re.DOTALL)
    return [(title, "can't read" in row) for row in rows for title in re.findall(r'data-title="(.*?)"', row)]


def test_find_when_a_ticket_is_open_then_offers_what_goes_with_it(desk, dan, ana, globex):
    make_article(dan, "Export completion data")
    make_article(dan, "Export data of Globex", readers=globex)
    make_article(dan, "Export data, a draft", publish=False)
    make_article(dan, "Invite a colleague")
    ticket = make_ticket(ana, "Data export stops", text="It ends at 10,000 rows.")
    found = offered(desk.get(f"/desk/articles/find/?ticket={ticket.pk}"))
    assert sorted(found) == [("Export completion data", False), ("Export data of Globex", True)]
    assert offered(desk.get(f"/desk/articles/find/?ticket={ticket.pk}&q=invite")) == [("Invite a colleague", False)]


def test_find_when_the_ticket_is_hidden_then_does_not_exist(desk, secret):
    assert desk.get(f"/desk/articles/find/?ticket={secret.pk}").status_code == 404


@pytest.mark.parametrize("query", [{}, {"ticket": "x"}, {"ticket": "9" * 5000}, {"q": "\0"}, {"q": "nowhere"}])
def test_find_when_there_is_nothing_then_says_so(desk, dan, query):
    make_article(dan)
    assert "No article" in words(desk.get("/desk/articles/find/", query))


# --- Cost ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize(("address", "queries"), [(LIST, 3), ("/desk/articles/words/", 3), ("/desk/articles/{pk}/", 11)])
def test_pages_when_there_are_many_then_cost_the_same(desk, dan, ana, django_assert_num_queries, count, address, queries):
    made = [make_article(dan, f"Article {number}", section=f"Section {number % 9}") for number in range(count)]
    for article in made:
        articles.give_feedback(article, reader=ana, is_helpful=False, comment="Words")
    for number in range(count):
        ArticleFeedback.objects.create(article=made[0], version=made[0].newest, visitor=f"v{number}", is_helpful=False, comment="More")
    with django_assert_num_queries(queries):  # session, person, and the page's own
        desk.get(address.format(pk=made[0].pk))
