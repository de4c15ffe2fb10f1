from __future__ import annotations

import time

import pytest

from tickets.models import Attachment, Comment
from tickets.templatetags.rich import has_remote_pictures, rich, rich_text
from tickets.writing.tidy import MAX_DEPTH, tidy

LINK = 'target="_blank" rel="noopener noreferrer nofollow"'


def shown(html: str = "", *, text: str = "The text", quoted: str = "", files: tuple[Attachment, ...] = ()) -> str:
    comment = Comment(pk=1, text=text, html=html, quoted=quoted)
    comment.__dict__["_prefetched_objects_cache"] = {"attachments": files}
    return rich(comment).replace('rel="noopener noreferrer nofollow" target="_blank"', LINK)


def shown_with_remote(html: str) -> str:
    comment = Comment(pk=1, html=html)
    comment.__dict__["_prefetched_objects_cache"] = {"attachments": ()}
    return rich(comment, is_remote_shown=True)


@pytest.mark.parametrize(
    ("html", "remote"),
    [
        ('<img src="https://x.example/a.png?b=1&amp;c" alt="A">', '<img src="https://x.example/a.png?b=1&amp;c" alt="A" loading="lazy">'),
        ("<IMG\nSRC=HTTPS://x.example/a.png onload=x>", '<img src="HTTPS://x.example/a.png" alt="" loading="lazy">'),
        ("<img src='http://x.example/a.png'>", "<small>[Picture not shown]</small>"),
        ("<img src='https://x.example/a.png' width=1>x", "x"),
        ("<img src='data:image/png,x'>", "<small>[Picture not shown]</small>"),
        ("<img src='cid:none'>", "<small>[Picture not shown]</small>"),
    ],
)
def test_remote_pictures_when_asked_for_then_are_those_that_browsers_fetch_in_private(html, remote):
    assert shown_with_remote(html) == remote


@pytest.mark.parametrize(
    ("html", "has_any"),
    [
        ("<p><img alt=x src=https://x.example/a.png></p>", True),
        ("<img src='http://x.example/a.png'>", False),
        ("<img alt=x><a src=https://x.example/>", False),
        ("<img src=https://x.example/a.png>" + "&" * 60_000, False),
        ("", False),
    ],
)
def test_remote_pictures_are_offered_where_there_are_any(html, has_any):
    assert has_remote_pictures(Comment(html=html)) == has_any


def picture(**fields) -> Attachment:
    return Attachment(**{"pk": 7, "name": "a b.png", "content_id": "pic@x", "is_image": True, **fields})


def test_text_when_shown_then_is_escaped_in_paragraphs_with_links():
    assert shown(text="See https://x.example/?b=1&c=2 <b>\nnow\n\nBye") == (
        f'<p>See <a href="https://x.example/?b=1&amp;c=2" {LINK}>https://x.example/?b=1&amp;c=2</a> &lt;b&gt;<br>now</p>\n\n<p>Bye</p>'
    )


@pytest.mark.parametrize("text", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "https:evil"])
def test_text_when_scheme_is_none_of_ours_then_is_no_link(text):
    assert "<a" not in rich_text(text)


def test_quote_when_there_is_one_then_is_folded():
    assert shown(text="Hi", quoted="> <i>old</i>\n> words") == (
        '<p>Hi</p><details class="quoted"><summary class="small muted">Show quoted text</summary>'
        "<blockquote><p>&gt; &lt;i&gt;old&lt;/i&gt;<br>&gt; words</p></blockquote></details>"
    )


def test_html_when_harmless_then_keeps_its_structure():
    html = '<p>a <b>b</b><br>c</p><ul><li>x</li></ul><blockquote>q</blockquote><pre>p</pre><table><tbody><tr><td colspan="2">1</td></tr></tbody></table>'
    assert shown(html) == html


def test_headings_when_in_mail_then_are_bold_paragraphs():
    assert shown("<h1 class=x>Title</h1>x") == "<p><strong>Title</strong></p>x"


def test_links_when_in_mail_then_open_apart_and_tell_nobody():
    assert shown('<a href="https://x.example" class="btn" onclick="x()">go</a>') == f'<a href="https://x.example" {LINK}>go</a>'


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "java&#10;script:alert(1)",
        "&#106;avascript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,&lt;script&gt;alert(1)&lt;/script&gt;",
        "vbscript:x",
        "cid:pic@x",
        "/desk/",
        "//evil.example",
        "\\\\evil.example",
        "file:///etc/passwd",
    ],
)
def test_links_when_scheme_is_none_of_ours_then_are_dead(href):
    assert shown(f'<a href="{href}">go</a>', files=(picture(),)) == f"<a {LINK}>go</a>"


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("a<script>alert(1)</script>b", "ab"),
        ("a<ScRiPt >alert(1)</sCrIpT\n>b", "ab"),
        ("a<script>alert(1)", "a"),
        ("a<style>*{display:none}</style>b", "ab"),
        ("a<svg onload=alert(1)><script>1</script></svg>b", "ab"),
        ("a<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", "a<table></table>"),
        ('a<a href="data:text/html,<script>alert(1)</script>">b</a>', 'a&lt;a href="data:text/html,"&gt;b'),
        ("a<iframe src=//x></iframe><object data=x></object><embed src=x>b", "ab"),
        ("a<form action=//x><input value=1><button>b</button></form>c", "abc"),
        ('a<p style="position:fixed" id="main" class="btn" onclick="x()" data-once>b</p>', "a<p>b</p>"),
        ("a<base href=//x><meta http-equiv=refresh content=0><link rel=stylesheet href=//x>b", "ab"),
        ("a<!-- <b> -->b<!--[if mso]><p>c</p><![endif]--><![if !mso]>d<![endif]>", "abd"),
        ("a<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>b", "a[Picture not shown]'&gt;b"),
        ("</div></article></main>a", "a"),
        ("<b>a", "<b>a</b>"),
        ("2 < 3 > 1 & 4 &lt;b&gt;", "2 &lt; 3 &gt; 1 &amp; 4 &lt;b&gt;"),
        ("<title>x</title>a", "a"),
    ],
)
def test_html_when_hostile_then_only_words_are_left(html, left):
    assert shown(html).replace("<small>", "").replace("</small>", "") == left


def test_picture_when_attached_then_is_shown_in_place():
    html = '<img src="cid:pic%40x" alt="A &quot;chart&quot;" onerror=x style=y>'
    assert shown(html, files=(picture(),)) == ('<img src="/attachments/7/a%20b.png?inline=1" alt="A &quot;chart&quot;" loading="lazy">')


@pytest.mark.parametrize(
    "src", ["https://x.example/t.gif", "//x.example/t.gif", "data:image/png;base64,xx", "cid:other", "/attachments/9/x?inline=1", ""]
)
def test_picture_when_not_attached_then_is_named(src):
    assert shown(f'<img src="{src}" alt="Logo">', files=(picture(),)) == "<small>[Picture not shown: Logo]</small>"


@pytest.mark.parametrize("fields", [{"is_image": False}, {"content_id": ""}])
def test_picture_when_attachment_is_none_then_is_named(fields):
    assert shown('<img src="cid:pic@x">', files=(picture(**fields),)) == "<small>[Picture not shown]</small>"


def test_picture_when_it_tracks_then_leaves_no_trace():
    assert shown('a<img src="https://x.example/t.gif" width="1" height="1">b') == "ab"


@pytest.mark.parametrize("html", ["", "<p> &nbsp; </p>", "<style>x</style>", "x" * 500_001])
def test_html_when_empty_or_too_long_then_text_is_shown(html):
    assert shown(html) == "<p>The text</p>"


def test_text_when_too_long_then_says_so():
    assert shown(text="word " * 100_000).endswith("word</p><p><small>[The rest is too long to be shown.]</small></p>")


N = 490_000
FLOODS = {
    "deep": "<div>" * (N // 5),
    "formats": "".join(f"<b a{at}>" for at in range(N // 9)),
    "formats and cells": "".join(f"<b a{at}>" for at in range(1000)) + "</p><p>x" * 50_000,
    "tables": "<table><tr><td>" * (N // 15),
    "attributes": "<a " + " ".join(f"a{at}=1" for at in range(N // 9)) + ">",
    "quotes": '<a "<b " ' * (N // 9),
    "open tags": "<a x" * (N // 4),
    "comments": "<!--" * (N // 4),
    "unseen": "<svg>" * (N // 5),
    "styles": "<select></selec" * (N // 15),
    "less": "<" * N,
    "ampersands": "&" * N,
    "links": "<a href=https://x.example>x</a>" * (N // 31),
    "ends": "<b><i>" * 30 + "</p></td></i>" * (N // 13),
    "equals": "<a href" + "=" * (N - 10) + ">",
    "letters": "<td " + "a" * (N - 10) + ">",
}


@pytest.mark.parametrize("kind", FLOODS)
def test_html_when_made_to_be_slow_then_is_not(kind):
    started = time.process_time()
    shown(FLOODS[kind])
    assert time.process_time() - started < 3


@pytest.mark.parametrize("text", ["a.b.c." * 50_000, "(" * 290_000, "http://" * 40_000, "a@b.c," * 40_000, "\n" * 290_000, "&lt;" * 70_000])
def test_text_when_made_to_be_slow_then_is_not(text):
    started = time.process_time()
    rich_text(text)
    assert time.process_time() - started < 3


def test_tidy_when_tags_nest_too_deep_then_keeps_the_words_and_the_rest():
    html = "<div>" * 100 + "in" + "</div>" * 100 + "<p>after</p>"
    left = "<div>" * MAX_DEPTH + "in" + "</div>" * MAX_DEPTH + "<p>after</p>"
    assert tidy(html, picture=lambda _image: "") == left


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<ul><li>a<li>b</ul>c", "<ul><li>a</li><li>b</li></ul>c"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"),
        ("<div><table><tr><td>a</div>b</table>c</div>", "<div><table><tr><td>ab</td></tr></table>c</div>"),
        ('<a title="a>b" href=x?a=1&b>c</a>', '<a href="x?a=1&amp;b">c</a>'),
        ("<p title=it's>a</p>", "<p>a</p>"),
        ("<o:p>a</o:p><span>b</span>", "ab"),
    ],
)
def test_tidy_when_markup_is_loose_then_reads_it_as_browsers_do(html, left):
    assert tidy(html, picture=lambda _image: "") == left


# --- Who is named --------------------------------------------------------------------------------------------------------------


def marked(html: str = "", *, text: str = "", named: tuple[str, ...]) -> str:
    comment = Comment(pk=1, text=text, html=html)
    comment.__dict__["_prefetched_objects_cache"] = {"attachments": ()}
    return rich(comment, named=named).replace('<span class="mention">', "[[").replace("</span>", "]]")


@pytest.mark.parametrize(
    ("text", "named", "expected"),
    [
        ("Hi @Ben Ode, @ben & @Benny", ("@Ben Ode", "@ben"), "<p>Hi [[@Ben Ode]], [[@ben]] &amp; @Benny</p>"),
        ("@O'Brien <b> @a&b", ("@O'Brien", "@a&b"), "<p>[[@O'Brien]] &lt;b&gt; [[@a&amp;b]]</p>"),
        ("x@ben @ben", ("@ben",), "<p>x@ben [[@ben]]</p>"),
        ("@ben", (), "<p>@ben</p>"),
        ("@.* @x", ("@.*",), "<p>[[@.*]] @x</p>"),
    ],
)
def test_names_are_marked_in_text(text, named, expected):
    assert marked(text=text, named=named) == expected


@pytest.mark.parametrize(
    ("html", "named", "expected"),
    [
        ("<p><b>@Ben</b> and @Ben</p>", ("@Ben",), "<p><b>[[@Ben]]</b> and [[@Ben]]</p>"),
        (
            """<a href="https://x.example/?a= @ben>'&quot;">y</a>""",
            ("@ben",),
            f"""<a href="https://x.example/?a= @ben&gt;'&quot;" {LINK}>y</a>""",
        ),
        ("<p>@Be<i>n</i></p>", ("@Ben",), "<p>@Be<i>n</i></p>"),
        ("<p>@<script>x</script></p>", ("@<script>x</script>",), "<p>@</p>"),
    ],
)
def test_names_are_marked_in_html_and_never_in_a_tag(html, named, expected):
    assert marked(html, named=named).replace('rel="noopener noreferrer nofollow" target="_blank"', LINK) == expected
