"""Help articles as readers find them: who sees which, the address that stays, search, and whether it helped."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.factories import make_article, new_file
from tests.portal.pages import errors, has, words
from tests.tickets.test_attachments import png
from tickets.help import articles
from tickets.models import ArticleFeedback, Audience

pytestmark = pytest.mark.django_db

EVERYBODY, PEOPLE = Audience.EVERYBODY, Audience.PEOPLE


def listed(response) -> list[str]:
    """Titles in the list, in its order."""
    rows = re.findall(r'<ul class="article-list.*?</ul>', response.content.decode(), flags=re.DOTALL)
    return [re.sub(r"<[^>]+>", "", title) for block in rows for title in re.findall(r"<li><a [^>]*>(.*?)</a>", block)]


def browser(person=None) -> Client:
    client = Client()
    if person:
        client.force_login(person)
    return client


def fetch(client, address):
    """The answer, read to its end, which closes the file."""
    answer = client.get(address)
    if answer.streaming:
        list(answer)
    return answer


def ask(client, article, helpful, comment=""):
    return client.post(f"/articles/{article.pk}/feedback/", {"helpful": helpful, "comment": comment})


@pytest.fixture
def shelf(dan, acme, globex):
    make_article(dan, "For all")
    make_article(dan, "For people", readers=PEOPLE)
    make_article(dan, "For Acme", readers=acme)
    make_article(dan, "For Globex", readers=globex)
    make_article(dan, "Not yet", publish=False)
    articles.archive(make_article(dan, "No more"), actor=dan)


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        (None, ["For all"]),
        ("solo", ["For all", "For people"]),
        ("ana", ["For Acme", "For all", "For people"]),
        ("cleo", ["For Globex", "For all", "For people"]),
        ("dan", ["For Acme", "For Globex", "For all", "For people"]),
    ],
)
@pytest.mark.parametrize("address", ["/articles/", "/articles/?q=Studio"])
def test_articles_when_read_then_each_finds_those_that_are_for_them(request, shelf, who, sees, address):
    client = browser(request.getfixturevalue(who) if who else None)
    assert sorted(listed(client.get(address))) == sorted(sees)


def test_articles_when_membership_ends_then_so_does_the_view(ana, dan, acme):
    article = make_article(dan, readers=acme)
    ana.memberships.update(is_active=False)
    assert browser(ana).get(article.get_absolute_url()).status_code == 404


def test_articles_when_there_are_none_then_says_what_to_do(client, db):
    assert has(client.get("/articles/"), "Nothing is written down here yet", "Submit a ticket") == [True, True]


def test_articles_when_by_section_then_in_the_order_of_the_sections(client, dan):
    for section, title in (("First steps", "B"), ("Exports", "C"), ("First steps", "A")):
        make_article(dan, title, section=section)
    response = client.get("/articles/")
    assert listed(response) == ["A", "B", "C"]
    assert re.findall(r'<h2 id="section-\d+">(.*?)</h2>', response.content.decode()) == ["First steps", "Exports"]


def test_articles_when_a_section_is_long_then_the_rest_is_one_link_away(client, dan):
    made = [make_article(dan, f"Step {at}") for at in range(8)]
    section = made[0].section_id
    assert (len(listed(client.get("/articles/"))), has(client.get("/articles/"), "2 more in Using the Studio")) == (6, [True])
    assert len(listed(client.get(f"/articles/?section={section}"))) == 8


@pytest.mark.parametrize("section", ["0", "99999999999999999999", "x", "-1", "\0", "²"])
def test_articles_when_the_section_is_nonsense_then_nothing_breaks(client, dan, section):
    make_article(dan)
    assert client.get("/articles/", {"section": section}).status_code == 200


def test_articles_when_a_section_has_nothing_for_them_then_it_does_not_exist(client, dan, acme):
    article = make_article(dan, readers=acme, section="Acme's own")
    response = client.get(f"/articles/?section={article.section_id}")
    assert (response.status_code, "Acme" in response.content.decode()) == (404, False)


# --- Search --------------------------------------------------------------------------------------------------------------------


def test_search_when_words_stand_in_a_title_then_that_article_comes_first(client, dan):
    make_article(dan, "Invite a colleague", html="<p>They can export nothing at first. Export is for admins; to export, ask one.</p>")
    make_article(dan, "Export completion data")
    response = client.get("/articles/?q=how+do+I+export+data")
    assert listed(response) == ["Export completion data", "Invite a colleague"]
    assert "<mark>Export</mark> completion <mark>data</mark>" in response.content.decode()


def test_search_when_it_finds_a_place_in_the_text_then_shows_that_place(client, dan):
    filler = "<p>" + "Nothing of interest stands here. " * 40 + "</p>"
    make_article(dan, "Reports", html=f"{filler}<p>The quota is ten thousand rows.</p>{filler}")
    assert has(client.get("/articles/?q=quota"), "The quota is ten thousand rows.") == [True]


def test_search_when_a_title_holds_markup_then_it_is_words(client, dan):
    make_article(dan, "<b>Bold</b> & brave", html="<p>Text with &lt;script&gt; in it</p>")
    page = client.get("/articles/?q=bold+script").content.decode()
    assert ("&lt;b&gt;<mark>Bold</mark>&lt;/b&gt; &amp; brave" in page, "<script> in it" in page) == (True, False)


@pytest.mark.parametrize("query", ["nowhere", "the", "\0", "%", "_", "x" * 5000, "ﷺ" * 300, "\ud800"])
def test_search_when_nothing_matches_then_says_so(client, dan, query):
    make_article(dan)
    response = client.get("/articles/", {"q": query.encode("utf-8", "surrogatepass")})
    assert (response.status_code, has(response, "No article matches") == [True] or query == "\0") == (200, True)


# --- One article ---------------------------------------------------------------------------------------------------------------


def test_article_when_its_title_changes_then_old_addresses_lead_to_it(client, dan):
    article = make_article(dan, "Export data")
    old = article.get_absolute_url()
    articles.publish(articles.save(article, actor=dan, title="Take your data with you", html="<p>x</p>"), actor=dan)
    new = f"/articles/{article.pk}-take-your-data-with-you/"
    for address in (old, f"/articles/{article.pk}/", f"/articles/{article.pk}-anything/"):
        response = client.get(address)
        assert (response.status_code, response.url) == (302, new)
    assert client.get(new).status_code == 200


def test_article_when_its_title_has_no_letters_for_an_address_then_its_number_is_enough(client, dan):
    article = make_article(dan, "数据导出")
    assert (article.get_absolute_url(), client.get(article.get_absolute_url()).status_code) == (f"/articles/{article.pk}/", 200)


def test_article_when_a_newer_draft_exists_then_readers_see_what_is_published(client, dan):
    article = make_article(dan, html="<p>Old words</p>")
    articles.save(article, actor=dan, title="New title", html="<p>New words</p>")
    assert has(client.get(article.get_absolute_url()), "Old words", "New words", "New title") == [True, False, False]
    assert (listed(client.get("/articles/?q=new")), listed(client.get("/articles/?q=old"))) == ([], ["Export completion data"])


@pytest.mark.parametrize("hide", [articles.unpublish, articles.archive])
def test_article_when_taken_back_then_is_gone_for_readers(client, dan, hide):
    article = make_article(dan)
    address = article.get_absolute_url()
    hide(article, actor=dan)
    assert (client.get(address).status_code, listed(client.get("/articles/?q=export"))) == (404, [])
    assert ask(client, article, "no").status_code == 404


def test_article_when_written_by_hand_then_nothing_in_it_runs(client, dan):
    html = (
        '<h1>Big</h1><script>alert(1)</script><p onclick="x()" style="color:red">Hi <a href="java&#10;script:alert(1)">a</a>'
        '<a href=" DATA:text/html,x">b</a><a href="vbscript:x">c</a><a href="https://ok.example">d</a></p>'
        '<img src="https://evil.example/p.png"><iframe src="//evil.example"></iframe><svg onload="x()"></svg>'
    )
    page = client.get(make_article(dan, html=html).get_absolute_url()).content.decode()
    shown = re.search(r'<div class="prose article-prose">(.*?)</div>', page, re.DOTALL)[1]
    link = '<a target="_blank" rel="noopener noreferrer nofollow">'
    good = '<a href="https://ok.example" target="_blank" rel="noopener noreferrer nofollow">d</a>'
    assert shown == f'<h2 id="s1">Big</h2><p>Hi {link}a</a>{link}b</a>{link}c</a>{good}</p>'


def test_article_when_it_is_long_then_has_contents(client, dan):
    html = "".join(f"<h2>Part {at} &amp; more</h2><p>Words</p>" for at in range(4))
    page = client.get(make_article(dan, html=html).get_absolute_url()).content.decode()
    assert '<li><a href="#s2">Part 1 &amp; more</a></li>' in page
    assert 'class="contents"' not in client.get(make_article(dan, "Short").get_absolute_url()).content.decode()


def test_article_when_for_an_organization_then_names_none(ana, dan, acme, globex):
    article = make_article(dan, readers=acme)
    articles.place(article, actor=dan, section="X", audience=Audience.ORGANIZATIONS, organizations=[acme, globex])
    assert has(browser(ana).get(article.get_absolute_url()), "Only for your organization", "Globex") == [True, False]


def test_article_when_others_speak_of_the_same_then_they_are_related(client, dan, acme):
    article = make_article(dan, "Export completion data")
    make_article(dan, "Import completion data")
    make_article(dan, "Invite a colleague")
    make_article(dan, "Export completion data of Acme", readers=acme)
    assert listed(client.get(article.get_absolute_url())) == ["Import completion data"]


def test_picture_when_it_is_the_articles_own_then_is_shown_to_its_readers_alone(ana, cleo, dan, acme):
    article = make_article(dan, readers=acme, files=(new_file("shot.png", png()), new_file("steps.txt")))
    picture = article.files.get(name="shot.png")
    address = articles.file_url(picture)
    articles.publish(articles.save(article, actor=dan, title="T", html=f'<p>See <img src="{address}" alt="Menu"></p>'), actor=dan)
    page = browser(ana).get(f"/articles/{article.pk}-t/").content.decode()
    assert (f'<img src="{address}?inline=1" alt="Menu"' in page, "steps.txt" in page) == (True, False)  # kept by nobody
    answers = [fetch(browser(who), f"{address}?inline=1") for who in (ana, cleo, None, dan)]
    assert [answer.status_code for answer in answers] == [200, 404, 404, 200]
    assert (answers[0]["Content-Type"], answers[0]["Content-Disposition"]) == ("image/png", 'inline; filename="shot.png"')


def test_file_when_it_belongs_to_a_draft_then_readers_get_none(ana, dan):
    article = make_article(dan)
    articles.save(article, actor=dan, title="T", html="<p>x</p>", new_files=(new_file("secret.txt"),))
    address = articles.file_url(article.files.get())
    assert [fetch(browser(who), address).status_code for who in (ana, dan)] == [404, 200]


# --- Did it help? --------------------------------------------------------------------------------------------------------------


def test_feedback_when_given_then_is_kept_once_and_can_change(ana, dan):
    article, client = make_article(dan), browser(ana)
    assert ask(client, article, "no").url == f"{article.get_absolute_url()}#helpful"
    assert has(client.get(article.get_absolute_url()), "We are sorry", "What was missing or wrong?", "Thank you.") == [True, True, False]
    ask(client, article, "no", "The button is gone.")
    assert has(client.get(article.get_absolute_url()), "Thank you. The people who write these articles read it.") == [True]
    ask(client, article, "no")
    answers = ArticleFeedback.objects.values_list("reader", "visitor", "is_helpful", "comment")
    assert list(answers.all()) == [(ana.pk, "", False, "The button is gone.")]
    ask(client, article, "yes")
    assert list(answers.all()) == [(ana.pk, "", True, "")]


def test_feedback_when_by_strangers_then_counts_once_a_browser(dan):
    article, one, other = make_article(dan), browser(), browser()
    for client, helpful in ((one, "yes"), (one, "no"), (other, "yes")):
        ask(client, article, helpful)
    assert list(ArticleFeedback.objects.order_by("pk").values_list("reader", "is_helpful")) == [(None, False), (None, True)]
    assert has(one.get(article.get_absolute_url()), "We are sorry") == [True]
    assert has(browser().get(article.get_absolute_url()), "Did you find it helpful?") == [True]


def test_feedback_when_it_comes_from_elsewhere_then_is_refused(dan):
    client = Client(enforce_csrf_checks=True)
    assert (ask(client, make_article(dan), "yes").status_code, ArticleFeedback.objects.count()) == (403, 0)


def test_feedback_when_asked_for_by_get_then_changes_nothing(client, dan):
    article = make_article(dan)
    assert (client.get(f"/articles/{article.pk}/feedback/?helpful=yes").status_code, ArticleFeedback.objects.count()) == (405, 0)


def test_feedback_when_too_long_then_says_so_and_keeps_the_words(ana, dan):
    article, client = make_article(dan), browser(ana)
    ask(client, article, "no")
    response = ask(client, article, "no", "x" * 2001)
    assert (response.status_code, errors(response)) == (
        422,
        ["This is 2,001 characters long, and 2,000 fit. Shorten it, or attach it as a file."],
    )
    assert "x" * 2001 in response.content.decode()


@pytest.mark.parametrize("data", [{}, {"helpful": "maybe"}, {"helpful": ["a", "b"]}, {"helpful": "\0"}])
def test_feedback_when_nonsense_then_changes_nothing(client, dan, data):
    response = client.post(f"/articles/{make_article(dan).pk}/feedback/", data)
    assert (response.status_code, ArticleFeedback.objects.count()) == (302, 0)


def test_feedback_when_too_often_from_one_network_then_is_refused_kindly(dan):
    article = make_article(dan)
    codes = [ask(browser(), article, "no", "Spam").status_code for _at in range(21)]
    assert codes == [302] * 20 + [429]


# --- Cost ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 30])
@pytest.mark.parametrize(
    ("address", "queries"),
    [
        ("/articles/", 3),  # session, person, articles by section
        ("/articles/?q=export", 5),  # the words' spread, the best, the articles
        ("/articles/?section={section}", 4),  # section, its articles
        ("/articles/{pk}-export-rows-0/", 8),  # article, files, own answer, related ones as in a search
    ],
)
def test_pages_when_there_are_many_then_cost_the_same(ana, dan, django_assert_num_queries, count, address, queries):
    made = [make_article(dan, f"Export rows {at}", section=f"Section {at % 9}") for at in range(count)]
    address = address.format(pk=made[0].pk, section=made[0].section_id)
    client = browser(ana)
    with django_assert_num_queries(queries):
        assert "Export rows 0" in words(client.get(address))
