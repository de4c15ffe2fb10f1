from __future__ import annotations

import time

import pytest

from tickets.writing.prose import kept, plain


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello <strong>you</strong></p><p>a<br>b</p>", "Hello you\n\na\nb"),
        (
            "<ul><li><p>one</p><p>more</p></li><li>two<ol><li>a</li><li>b<br>c</li></ol></li></ul>",
            "- one\n  more\n- two\n  1. a\n  2. b\n     c",
        ),
        ('<ol start="9"><li>nine</li><li>ten</li></ol><p>after</p>', "9. nine\n10. ten\n\nafter"),
        ('<ol start="x"><li>one</li></ol>', "1. one"),
        ("<blockquote><p>q</p><p>r</p></blockquote><p>s</p>", "> q\n>\n> r\n\ns"),
        ("<pre><code>  if x:\n    y</code></pre>", "  if x:\n    y"),
        ('<p>See <a href="https://x.example/a?b=1&amp;c">the page</a></p>', "See the page (https://x.example/a?b=1&c)"),
        (
            '<p><a href="https://x.example">https://x.example</a> <a href="mailto:a@x.example">a@x.example</a></p>',
            "https://x.example a@x.example",
        ),
        ('<img src="x" alt="A &amp; B"><p>c</p><img src="y">', "[A & B]\n\nc\n\n[Picture]"),
        ("<p>a&nbsp;b\nc &lt;i&gt;</p>", "a b c <i>"),
        ("<h2>Title</h2><script>x</script><style>y</style>z", "Title\n\nz"),
        ("<p></p><ul><li></li></ul><p> &nbsp; </p>", ""),
        ("just words", "just words"),
        ("</li></blockquote></ul></a>a</p><li>b", "a\n\n- b"),
    ],
)
def test_plain_reads_as_one_would_write_it_in_a_mail(html, text):
    assert plain(html) == text


@pytest.mark.parametrize(
    "html", ["", "<p>a</p><p>b<br>c</p>", "a<div>b</div>", "<p><span class=x>a</span></p>", "<script>x</script><p>a</p>"]
)
def test_kept_when_text_says_as_much_then_is_nothing(html):
    assert kept(html, picture=lambda _image: "") == ""


def test_kept_when_there_is_more_then_has_the_structure_and_the_pictures_it_is_given():
    html = '<p onclick="x">a <b style="y">b</b></p><img src="/1"><img src="/2">'
    assert kept(html, picture=lambda image: f"<img src={image['src']}>" if image["src"] == "/1" else "") == "<p>a <b>b</b></p><img src=/1>"


@pytest.mark.parametrize("html", ["<li>" * 100_000, "<a href=x>" * 40_000, "<blockquote><p>a" * 25_000, "<ol><li>" * 50_000, "&" * 400_000])
def test_plain_when_html_is_hostile_then_takes_no_time(html):
    start = time.process_time()
    plain(html[:400_000])
    assert time.process_time() - start < 3


def test_plain_when_quotes_are_made_for_it_then_stays_in_proportion():
    html = "<blockquote>" * 58 + "<p>a" * 20_000
    assert (plain("<blockquote>" * 20 + "deep"), len(plain(html)) < 7 * len(html)) == ("> " * 8 + "deep", True)
