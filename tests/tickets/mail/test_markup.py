"""What mail programs mark in their HTML as quoted or signed. The words beside the marks are in no language, so that the marks alone decide."""

from __future__ import annotations

import pytest

from tickets.mail.parse import ParsedMail, parse

NEW = "<div>It fails.</div>"
OLD = "<p>Please restart.</p>"


def read(html: str, *, subject: str = "Re: Printer") -> ParsedMail:
    return parse(f"Subject: {subject}\nContent-Type: text/html; charset=utf-8\n\n<html><body>{html}</body></html>".encode())


REST = {
    "outlook web": '<div id="appendonsend"></div><hr tabindex="-1"><div id="divRplyFwdMsg"><b>Xa:</b> Bob</div>{OLD}',
    "outlook web, passed on": '<div id="x_divRplyFwdMsg"><b>Xa:</b> Bob</div>{OLD}',
    "new outlook": '<div id="mail-editor-reference-message-container"><b>Xa:</b> Bob{OLD}</div>',
    "outlook 2013": "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><b>Xa:</b> Bob</div>{OLD}",
    "outlook 2007": "<div style='border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0in 0in 0in'><b>Xa:</b> Bob</div>{OLD}",
    "outlook, cleaned": '<div style="border: none; border-top: solid #E1E1E1 1.0pt; padding: 3.0pt"><b>Xa:</b> Bob</div>{OLD}',
    "outlook, other notation": '<div style="border-style: solid none none; border-top: 1pt solid rgb(225, 225, 225)"><b>Xa:</b> Bob</div>{OLD}',
    "hotmail": '<hr id="stopSpelling">Xa: Bob<br>{OLD}',
    "zimbra": '<hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>Xa: </b>"Bob"</div><div data-marker="__QUOTED_TEXT__">{OLD}</div>',
    "outlook express": '<div class="OutlookMessageHeader">Xa: Bob</div>{OLD}',
}
QUOTES = {
    "gmail": '<div class="gmail_quote"><div class="gmail_attr">Xa 2026 Bob ya<br></div><blockquote class="gmail_quote">{OLD}</blockquote></div>',
    "gmail, passed on": '<div class="x_gmail_quote"><div class="x_gmail_attr">Xa</div><blockquote class="x_gmail_quote">{OLD}</blockquote></div>',
    "k9": '<div class="gmail_quote">Xa 2026 ya Bob:<blockquote class="gmail_quote">{OLD}</blockquote></div>',
    "apple": '<blockquote type="cite"><div>Xa 2026, Bob ya:</div>{OLD}</blockquote>',
    "thunderbird": '<div class="moz-cite-prefix">Xa 2026 Bob ya:<br></div><blockquote type="cite">{OLD}</blockquote>',
    "yahoo": '<div id="yahoo_quoted_1" class="yahoo_quoted"><div>Xa 2026 Bob ya:</div>{OLD}</div>',
    "yahoo, passed on": '<div class="ydp12abyahoo_quoted"><div>Xa 2026 Bob ya:</div>{OLD}</div>',
    "proton": '<div class="protonmail_quote">Xa Bob ya:<br><blockquote class="protonmail_quote" type="cite">{OLD}</blockquote></div>',
    "tuta": '2 mars 2026, 09:00 av bob@x.example:<br><blockquote class="tutanota_quote">{OLD}</blockquote>',
    "zoho": '<div class="zmail_extra"><div>---- Xa ----</div><blockquote>{OLD}</blockquote></div>',
    "roundcube": '<p id="reply-intro">Xa 2026-03-02 09:00, Bob ya:</p><blockquote type="cite">{OLD}</blockquote>',
    "spark": '<div name="messageReplySection">Xa Bob ya:<br><blockquote type="cite">{OLD}</blockquote></div>',
    "netease": '<div id="isReplyContent"><p>Xa 2026 Bob ya:</p><blockquote>{OLD}</blockquote></div>',
    "mail.ru": "<blockquote>Понедельник, 2 марта 2026, 9:00 +03:00 от Bob &lt;bob@x.example&gt;:<br>{OLD}</blockquote>",
    "yandex": '<div>02.03.2026, 09:00, "Bob" &lt;bob@x.example&gt;:</div><blockquote>{OLD}</blockquote>',
    "airmail": '<p class="airmail_on">Xa 2026 Bob ya:</p><blockquote type="cite">{OLD}</blockquote>',
    "mailspring": '<div class="gmail_quote_attribution">Xa 2026 Bob ya:</div><blockquote class="gmail_quote">{OLD}</blockquote>',
    "freshdesk": '<div class="freshdesk_quote"><blockquote class="freshdesk_quote">Xa Bob ya:<br>{OLD}</blockquote></div>',
    "gmx": '<div name="quote"><div><b>Xa:</b> Montag<br><b>Ya:</b> Bob</div><div name="quoted-content">{OLD}</div></div>',
}
SIGNATURES = {
    "gmail": '<span class="gmail_signature_prefix">-- </span><br><div class="gmail_signature">Ana<br>Acme</div>',
    "outlook web": '<div id="Signature"><p>Ana</p></div>',
    "outlook on phones": '<div id="ms-outlook-mobile-signature"><div>Xa Outlook ya</div></div>',
    "thunderbird": '<pre class="moz-signature">-- \nAna</pre>',
    "proton": '<div class="protonmail_signature_block">Xa Proton ya</div>',
    "spark": '<div name="messageSignatureSection">Ana</div>',
}


@pytest.mark.parametrize("mark", [*REST.values(), *QUOTES.values()], ids=[*REST, *QUOTES])
def test_reply_when_program_marks_its_quote_then_is_without_it(mark: str) -> None:
    mail = read(NEW + mark.replace("{OLD}", OLD))
    assert (mail.reply_text, mail.quoted_text.splitlines()[-1]) == ("It fails.", "Please restart.")
    assert mail.reply_html.replace('<div id="appendonsend"></div>', "") == f"<body>{NEW}</body>"


@pytest.mark.parametrize("mark", SIGNATURES.values(), ids=SIGNATURES)
def test_reply_when_program_marks_its_signature_then_is_without_it(mark: str) -> None:
    mail = read(NEW + mark)
    assert (mail.reply_text, bool(mail.quoted_text)) == ("It fails.", True)


def test_reply_when_somebody_wrote_a_lot_into_the_signature_then_is_kept() -> None:
    assert read(f'{NEW}<div id="Signature">{"word " * 400}</div>').quoted_text == ""


@pytest.mark.parametrize("mark", REST.values(), ids=REST)
def test_reply_when_nothing_stands_above_the_mark_then_is_kept(mark: str) -> None:
    assert "Please restart." in read(mark.replace("{OLD}", OLD)).reply_text


@pytest.mark.parametrize(
    "html",
    [
        "<blockquote type=cite><p>On?</p></blockquote><p>Yes.</p><blockquote type=cite><p>Red?</p></blockquote><p>No.</p>",
        '<div class="gmail_quote"><div class="gmail_attr">Xa</div><blockquote class="gmail_quote">On?</blockquote><div>Yes.</div>'
        '<blockquote class="gmail_quote">Red?</blockquote><div>No.</div></div>',
    ],
)
def test_reply_when_answers_stand_between_marked_quotes_then_are_kept(html: str) -> None:
    assert read(html).reply_text.split() == ["Yes.", "No."]


@pytest.mark.parametrize(
    "html",
    [
        '<div class="moz-forward-container">---- Xa ----<table><tr><th>From:</th><td>b@x.eu</td></tr><tr><th>Date:</th><td>2026</td></tr></table>Old</div>',
        '<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>From: Bob<br>Subject: x</div><div>Old</div></div>',
        '<div id="isForwardContent"><p>From: b@x.example<br>Date: 2026</p>Old</div>',
    ],
)
def test_reply_when_program_marks_a_forward_then_is_kept_whole(html: str) -> None:
    assert read(NEW + html, subject="Printer").quoted_text == ""


def test_reply_when_our_line_stands_in_html_then_ends_with_the_attribution_above() -> None:
    html = f"{NEW}<div>Hii ni Bob aliandika 2026:</div><div>##- Please write your answer above this line -##</div>{OLD}"
    assert read(html).reply_html == f"<body>{NEW}</body>"
