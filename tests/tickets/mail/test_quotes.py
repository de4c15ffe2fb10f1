"""What the person wrote is kept, what their program quoted is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tickets.mail.parse import ParsedMail, parse

EML = Path(__file__).parent / "eml"


def read(name: str) -> ParsedMail:
    return parse((EML / f"{name}.eml").read_bytes())


def mail(text: str, *, subject: str = "Re: Printer", kind: str = "text/plain") -> ParsedMail:
    return parse(f"Subject: {subject}\nContent-Type: {kind}; charset=utf-8\n\n{text}".encode())


def test_reply_when_from_gmail_then_is_the_new_text() -> None:
    assert read("gmail_reply").reply_text == "It still fails, sorry."


def test_reply_html_when_from_gmail_then_has_neither_quote_nor_its_image() -> None:
    assert read("gmail_reply").reply_html == '<body><div dir="ltr">It still <b>fails</b>, sorry.</div><br>\n</body>'


def test_quoted_text_when_from_gmail_then_is_the_rest() -> None:
    assert read("gmail_reply").quoted_text.splitlines()[-1] == "> Please restart the printer."


def test_reply_when_from_outlook_html_then_ends_at_the_header() -> None:
    assert read("outlook_reply_with_inline_image").reply_text == "See the picture:"


def test_reply_html_when_from_outlook_then_keeps_the_new_image() -> None:
    html = read("outlook_reply_with_inline_image").reply_html
    assert ("cid:image001.png@01D" in html, "Which door?" in html, "border-top" in html) == (True, False, False)


def test_reply_when_from_outlook_text_then_ends_at_the_rule() -> None:
    assert read("outlook_text_reply").reply_text == "Die linke Tür."


def test_forward_when_sent_on_then_is_kept_whole() -> None:
    parsed = read("forward")
    assert (parsed.reply_text, parsed.quoted_text) == (parsed.text, "")


def test_forward_when_only_the_body_says_so_then_is_kept_whole() -> None:
    parsed = mail("Look:\n\nBegin forwarded message:\n\nFrom: a@x.example\nSubject: b\n\nwords", subject="Lamp")
    assert parsed.reply_text == parsed.text


@pytest.mark.parametrize(
    "attribution",
    [
        "On Mon, Mar 2, 2026 at 9:00 AM Bob <bob@x.example> wrote:",
        "On Mon, Mar 2, 2026 at 9:00 AM Bob <\nbob@x.example> wrote:",
        "On 2 Mar 2026, at 09:00, Bob <bob@x.example>\nwrote:",
        "Am Mo., 2. März 2026 um 09:00 Uhr schrieb Bob <bob@x.example>:",
        "Le lun. 2 mars 2026 à 09:00, Bob <bob@x.example> a écrit :",
        "El lun, 2 mar 2026 a las 9:00, Bob (<bob@x.example>) escribió:",
        "Il giorno lun 2 mar 2026 alle ore 09:00 Bob <bob@x.example> ha scritto:",
        "Em seg., 2 de mar. de 2026 às 09:00, Bob <bob@x.example> escreveu:",
        "Op ma 2 mrt 2026 om 09:00 schreef Bob <bob@x.example>:",
        "Den mån 2 mars 2026 kl 09:00 skrev Bob <bob@x.example>:",
        "pon., 2 mar 2026 o 09:00 Bob <bob@x.example> napisał(a):",
        "2026年3月2日(月) 9:00 Bob <bob@x.example>:",
        "2026-03-02 9:00 GMT+01:00 Bob <bob@x.example>:",
    ],
)
@pytest.mark.parametrize("quote", ["> Please restart.", "Please restart."])
def test_reply_when_attribution_is_in_any_language_then_ends_there(attribution: str, quote: str) -> None:
    assert mail(f"Done.\n\n{attribution}\n\n{quote}\n").reply_text == "Done."


@pytest.mark.parametrize(
    "header",
    [
        "From: Bob\nSent: Monday\nTo: Ana\nSubject: Hi",
        "*From:* Bob <bob@x.example>\n*Sent:* Monday\n*Subject:* Hi",
        "Von: Bob\nGesendet: Montag\nAn: Ana\nBetreff: Hi",
        "De : Bob\nEnvoyé : lundi\nÀ : Ana\nObjet : Hi",
        "-----Original Message-----\nFrom: Bob\nSent: Monday",
        "-----Ursprüngliche Nachricht-----\nBob schrieb etwas",
    ],
)
def test_reply_when_original_follows_unmarked_then_ends_at_its_header(header: str) -> None:
    assert mail(f"Done.\n\n{header}\n\nPlease restart.").reply_text == "Done."


def test_reply_when_answers_stand_between_quotes_then_all_are_kept() -> None:
    text = "On 2 Mar 2026, Bob <bob@x.example> wrote:\n> Is it on?\n\nYes.\n\n> Is it red?\n\nNo.\n"
    assert mail(text).reply_text == "Yes.\n\nNo."


def test_reply_when_below_the_quote_then_is_kept() -> None:
    assert mail("On 2 Mar 2026 Bob wrote:\n> Is it on?\n\nYes.").reply_text == "Yes."


@pytest.mark.parametrize(
    "text",
    [
        "On Friday I will call you.\nThanks",
        "From: Berlin\nTo: Hamburg\nDate: 5 May 2026\nPlease book it.",
        "The customer wrote:\nI want my money back.",
        "Steps:\n- one\n- two",
        "He said: no.\nFrom: is a word here.",
        "Use --\nverbose -- always.",
        "Sent from my desk, which is better than a phone.\nBye",
    ],
)
def test_reply_when_typed_words_look_like_marks_then_are_kept(text: str) -> None:
    assert mail(f"Hello,\n\n{text}").reply_text == f"Hello,\n\n{text}"


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAna\nOrga Ltd",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Get Outlook for iOS<https://aka.ms/x>",
    ],
)
def test_reply_when_signed_by_the_program_then_signature_is_off(signature: str) -> None:
    assert mail(f"Done.\n\n{signature}\n").reply_text == "Done."


def test_reply_when_much_follows_two_dashes_then_is_kept() -> None:
    text = "One\n--\n" + "\n".join(f"line {number}" for number in range(20))
    assert mail(text).reply_text == text


def test_reply_when_only_a_quote_was_sent_then_is_the_whole_text() -> None:
    parsed = mail("> words\n> more")
    assert (parsed.reply_text, parsed.quoted_text) == ("> words\n> more", "")


def test_reply_when_answer_stands_above_our_line_then_ends_there() -> None:
    assert mail("Done.\n\n##- Please type your reply above this line -##\nTicket 1").reply_text == "Done."


def test_reply_when_html_answers_between_quotes_then_all_are_kept() -> None:
    html = "<blockquote type=cite>Is it on?</blockquote>Yes.<blockquote type=cite>Is it red?</blockquote>No."
    assert mail(html, kind="text/html").reply_html == "<body><br>Yes.<br>No.</body>"


def test_reply_when_html_indents_without_quoting_then_is_kept() -> None:
    assert mail("Code:<blockquote>x = 1</blockquote>", kind="text/html").reply_text == "Code:\n\nx = 1"


def test_reply_when_html_blockquote_follows_attribution_then_is_cut() -> None:
    html = "Hi.<br>2.3.2026, 9:00, Bob &lt;bob@x.example&gt;:<blockquote>Old</blockquote>"
    assert mail(html, kind="text/html").reply_text == "Hi."


def test_reply_html_when_nothing_is_quoted_then_is_empty() -> None:
    assert mail("<p>Hello</p>", kind="text/html").reply_html == ""


@pytest.mark.parametrize(
    "line", ["on x at y ", ">", "> \n", "On 1 May <\n", "wrote:\n", "-- \n", "From: a\n", "Sent from my x\n", "_" * 30 + "\n"]
)
def test_reply_when_a_megabyte_of_marks_then_nothing_typed_is_lost(line: str) -> None:
    parsed = mail("typed\n" + line * (500_000 // len(line)))
    assert parsed.reply_text.splitlines()[0] == "typed"


ORIGINAL = "------- Original Message -------"
ATTRIBUTION = "On Monday, March 2nd, 2026 at 9:00 AM, Bob <bob@x.example> wrote:"
HEADER = "From: Bob <bob@x.example>\nSent: Monday\nTo: Ana\nSubject: Hi"


@pytest.mark.parametrize("above", ["", "Hello,\n\n"])
@pytest.mark.parametrize("introduction", [f"{ORIGINAL}\n{ATTRIBUTION}", f"{ORIGINAL}\n{HEADER}", HEADER, ORIGINAL])
def test_reply_when_the_original_is_marked_then_answers_below_and_between_are_kept(above: str, introduction: str) -> None:
    text = f"{above}{introduction}\n\n> Is it on?\n\nYes.\n\n> Is it red?\n\nNo."
    assert mail(text).reply_text == f"{above}Yes.\n\nNo."


@pytest.mark.parametrize("mark", ["From: a@x.example\nTo: b@x.example", "Subject: wrong\nDate: missing", "-- wrote --", "> nothing"])
def test_reply_when_marks_are_typed_below_words_then_the_rest_is_kept(mark: str) -> None:
    assert mail(f"Hello\n{mark}\n\nThe rest.").reply_text.endswith("The rest.")
