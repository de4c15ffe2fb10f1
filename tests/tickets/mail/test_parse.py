"""The parser as a whole, over small messages of our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.mail.markup import parse_html
from tickets.mail.parse import Address, ParsedMail, UnreadableMail, parse
from tickets.mail.structure import MAX_BYTES

EML = Path(__file__).parent / "eml"
HEAD = b"From: ana@orga.example\r\nSubject: x\r\n"


def read(name: str) -> ParsedMail:
    return parse((EML / f"{name}.eml").read_bytes())


def body(text: bytes, content_type: bytes = b"text/plain; charset=utf-8") -> ParsedMail:
    return parse(HEAD + b"Content-Type: " + content_type + b"\r\n\r\n" + text)


def names(mail: ParsedMail) -> list[str]:
    return [file.name for file in mail.attachments]


# Headers


def test_subject_when_encoded_in_pieces_then_is_joined() -> None:
    assert read("gmail_reply").subject == "Re: Rechnung für März"


def test_ids_when_given_then_have_no_brackets() -> None:
    mail = read("gmail_reply")
    assert (mail.message_id, mail.in_reply_to) == ("CAabc123@mail.orga.example", ("second@desk.example",))
    assert mail.references == ("first@desk.example", "second@desk.example")


def test_references_when_very_many_then_the_last_fifty_stay() -> None:
    ids = b" ".join(b"<%d@x>" % number for number in range(20_000))
    mail = parse(b"References: " + ids + b"\r\n\r\n")
    assert mail.references == tuple(f"{number}@x" for number in range(19_950, 20_000))


def test_people_when_name_holds_a_comma_then_is_one_address() -> None:
    mail = read("gmail_reply")
    assert mail.to == (Address("support@desk.example", "Support"),)
    assert mail.cc == (Address("ben@orga.example", "Kim, Ben"),)


def test_recipients_when_five_thousand_then_are_bounded() -> None:
    mail = parse(b"To: " + b",".join(b"p%d@x.example" % number for number in range(5_000)) + b"\r\n\r\n")
    assert len(mail.to) == 200


def test_delivered_to_when_given_then_is_read() -> None:
    assert read("gmail_reply").delivered_to == ("support@desk.example",)


def test_headers_when_raw_eight_bit_then_are_readable() -> None:
    mail = read("raw_eight_bit_headers")
    assert (mail.from_name, mail.subject) == ("José", "Señal caída")


def test_subject_when_it_hides_a_line_break_then_is_one_line() -> None:
    mail = parse(b"Subject: =?utf-8?q?Hi=0D=0ABcc:_all@x.example=00?=\r\n\r\n")
    assert mail.subject == "Hi Bcc: all@x.example"


def test_date_when_nonsense_then_stays_as_it_came() -> None:
    assert parse(b"Date: Thu, 99 Foo 99999\r\n\r\n").date == "Thu, 99 Foo 99999"


def test_mail_when_empty_then_all_is_empty() -> None:
    mail = parse(b"")
    assert (mail.from_address, mail.subject, mail.text, mail.attachments) == ("", "", "", ())


# Bodies


def test_text_when_gb2312_is_gb18030_then_is_readable() -> None:
    mail = read("gb2312_that_is_gb18030")
    assert (mail.subject, mail.text) == ("朱镕基你好", "朱镕基你好")


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        ("no-such-charset", "grün".encode(), "grün"),
        ("hex", "grün".encode("cp1252"), "grün"),
        ("base64", "grün".encode("cp1252"), "grün"),
        ("zip", "grün".encode("cp1252"), "grün"),
        ("rot13", "grün".encode("cp1252"), "grün"),
        ("us-ascii", "grün".encode("cp1252"), "grün"),
        ("iso-8859-1", "grün €".encode(), "grün €"),
        ("iso-8859-1", "it’s".encode("cp1252"), "it’s"),
        ("koi8-r", "привет".encode("koi8-r"), "привет"),
        ("utf-7", b"+AGE-bc", "abc"),
        ("iso-2022-jp", "日本".encode("iso2022_jp"), "日本"),
        ("shift_jis", "①".encode("cp932"), "①"),
        ("utf-16", "abc".encode("utf-16"), "abc"),
        ("idna", b"xn--a", "xn--a"),
        ("unicode_escape", b"\\u0041", "\\u0041"),
        ("utf-8", b"a\xffb\x00c", "aÿbc"),
        ("utf-8", "é".encode() + b"\xff", "é\ufffd"),
        ("iso-2022-jp", b"\x1b$B|b66-!\x1b(I1\x1b(B ok", "髙橋①ｱ ok"),
        ("iso-2022-jp", "日本".encode("cp932"), "日本"),
        ("big5", "嘅".encode("big5hkscs"), "嘅"),
    ],
)
def test_text_when_charset_is_odd_or_false_then_is_readable(charset: str, raw: bytes, text: str) -> None:
    assert body(raw, f"text/plain; charset={charset}".encode()).text == text


def test_text_when_utf7_makes_a_lone_surrogate_then_is_replaced() -> None:
    assert body(b"+2AA-x", b"text/plain; charset=utf-7").text.encode("utf-8")


def test_text_when_only_html_then_is_its_words_without_style() -> None:
    mail = body(b"<style>p {x}</style><p>Hello</p><p>there<br>you</p><script>bad()</script>", b"text/html")
    assert mail.text == "Hello\n\nthere\nyou"


def test_html_when_its_charset_stands_in_meta_then_is_used() -> None:
    assert body("<meta charset=koi8-r>привет".encode("koi8-r"), b"text/html").text == "привет"


def test_text_when_no_blank_line_ends_the_header_then_is_the_rest() -> None:
    assert parse(b"Subject: x\nno header at all\n").text == "no header at all"


def test_text_when_multipart_has_no_delimiter_then_is_shown_as_it_is() -> None:
    assert body(b"just words", b"multipart/mixed; boundary=zzz").text == "just words"


def test_text_when_boundary_is_not_declared_then_is_found() -> None:
    assert body(b"\r\n--abc\r\n\r\nfirst\r\n--abc--\r\n", b"multipart/mixed").text == "first"


def test_text_when_final_delimiter_is_missing_then_part_is_read() -> None:
    assert body(b"--b\r\n\r\nfirst", b"multipart/mixed; boundary=b").text == "first"


def test_body_when_text_surrounds_a_file_then_is_one_text() -> None:
    parts = b"--b\r\n\r\none\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b\r\n\r\ntwo\r\n--b--"
    assert body(parts, b"multipart/mixed; boundary=b").text == "one\n\ntwo"


# Files


def test_files_when_of_many_kinds_then_all_are_kept_with_names() -> None:
    expected = ["Résumé.pdf", "attachment-2.pdf", "invite.ics", "message.eml", "smime.p7s"]
    assert names(read("many_files")) == expected


def test_file_when_message_is_enclosed_then_is_kept_byte_for_byte() -> None:
    file = read("many_files").attachments[3]
    assert (file.content_type, file.content) == ("message/rfc822", b"Subject: inner\r\n\r\nx")


def test_image_when_shown_in_html_then_is_inline() -> None:
    (file,) = read("outlook_reply_with_inline_image").attachments
    assert (file.content_id, file.is_inline) == ("image001.png@01D", True)


def test_winmail_when_it_holds_a_file_then_is_unpacked() -> None:
    (file,) = read("winmail").attachments
    assert (file.name, file.content_type, file.content) == ("Längere Name.txt", "text/plain", b"inside\0")


def test_winmail_when_damaged_then_is_kept() -> None:
    mail = body(b"\x78\x9f\x3e\x22 broken", b"application/ms-tnef; name=winmail.dat")
    assert names(mail) == ["winmail.dat"]


def test_uuencoded_file_when_in_the_text_then_becomes_a_file() -> None:
    mail = read("uuencoded")
    assert (mail.text, names(mail)) == ("Before\n\nAfter", ["notes.txt"])
    assert mail.attachments[0].content == b"some bytes in a file"


@pytest.mark.parametrize(
    ("declared", "cleaned"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\a.doc", "a.doc"),
        (".htaccess", "htaccess"),
        ("gpj\u202e.exe", "gpj.exe"),
        ("a\x00b.txt", "ab.txt"),
        ("x" * 10_000 + ".pdf", "x" * 196 + ".pdf"),
        ("..", "attachment-1.bin"),
    ],
)
def test_file_name_when_hostile_then_is_cleaned(declared: str, cleaned: str) -> None:
    head = 'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="'
    raw = head.encode() + declared.encode().replace(b"\\", b"\\\\") + b'"\r\n\r\nx'
    assert names(parse(raw)) == [cleaned]


def test_file_when_name_breaks_the_line_then_no_header_is_made() -> None:
    raw = b"Content-Disposition: attachment; filename*=utf-8''a%0D%0ABcc:%20x.txt\r\n\r\nx"
    assert names(parse(raw)) == ["a Bcc: x.txt"]


# Limits


def nested(depth: int) -> bytes:
    level = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    return b"".join(level % (number, number) for number in range(depth))


@pytest.mark.parametrize("depth", [51, 900, 5_000])
def test_parts_when_nested_too_deeply_then_is_unreadable(depth: int) -> None:
    with pytest.raises(UnreadableMail, match="parts nested too deeply"):
        parse(nested(depth))


def test_parts_when_nested_fifty_deep_then_are_read() -> None:
    assert parse(nested(50) + b"\r\nwords").text == "words"


def test_parts_when_a_hundred_thousand_then_is_unreadable() -> None:
    with pytest.raises(UnreadableMail, match="too many parts"):
        body(b"--b\r\n\r\nx\r\n" * 100_000, b"multipart/mixed; boundary=b")


def test_mail_when_above_the_size_limit_then_is_unreadable() -> None:
    with pytest.raises(UnreadableMail, match="message too large"):
        parse(bytes(MAX_BYTES + 1))


def test_header_when_above_the_size_limit_then_is_unreadable() -> None:
    with pytest.raises(UnreadableMail, match="header too large"):
        parse(b"Subject: " + b"x" * 300_000)


def test_headers_when_above_their_number_then_is_unreadable() -> None:
    with pytest.raises(UnreadableMail, match="too many headers"):
        parse(b"a: b\r\n" * 1_001 + b"\r\n")


def test_enclosed_messages_when_nested_1200_deep_then_are_one_file() -> None:
    assert names(parse(b"Content-Type: message/rfc822\r\n\r\n" * 1_200)) == ["message.eml"]


@pytest.mark.parametrize(
    "header",
    ["Content-Disposition: attachment; name*", 'From: "', "From: (c):", "Message-ID: <[id]>", "From: <>", "To: " + "(" * 2_000],
)
def test_header_when_it_breaks_other_parsers_then_is_read(header: str) -> None:
    assert parse(f"{header}\r\nSubject: still here\r\n\r\n".encode()).subject == "still here"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2_000))
def test_parse_when_given_any_bytes_then_answers_or_refuses(raw: bytes) -> None:
    mail = parse(raw)
    json.dumps([mail.subject, mail.text, mail.from_name, names(mail)]).encode("ascii")


FRAGMENTS = [
    b"From: ", b"Subject: ", b"Content-Type: ", b"multipart/mixed; boundary=b", b"text/html; charset=", b"utf-7", b"\r\n", b"\n\n",
    b"--b\r\n", b"--b--", b"Content-Transfer-Encoding: base64\r\n", b"=?utf-8?q?", b"?=", b"<a@b>", b'"', b"(", b"\x00", b"\xff",
    b"> q\n", b"On 1 May 2026 a <a@b> wrote:\n", b"-- \n", b"<p>", b"<blockquote type=cite>", b"</div>", b"begin 644 a\n", b"\nend\n",
    b"application/ms-tnef\r\n\r\n\x78\x9f\x3e\x22\x01\x00", b"\x02\x02\x90", b"; name*0*=''%", b"From: a\nSent: b\nTo: c\nSubject: d\n",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=60))
def test_parse_when_given_pieces_of_mail_then_all_text_is_storable(pieces: list[bytes]) -> None:
    mail = parse(b"".join(pieces))
    texts = (mail.subject, mail.from_name, mail.text, mail.html, mail.reply_text, mail.quoted_text, mail.reply_html, *names(mail))
    assert [text for text in texts if "\x00" in text or text != text.encode("utf-8", "replace").decode()] == []


@pytest.mark.parametrize("opening", ["<a ", '<a title=">" ', "<a title='>' "])
def test_tag_with_absurdly_many_attributes_when_read_then_loses_them(opening: str) -> None:
    body = opening + " ".join(f"a{number}=1" for number in range(20_000)) + ">hello</a>"
    tree, _is_whole = parse_html(f"<p>before</p>{body}")
    assert tree is not None
    assert sum(len(node.attrib) for node in tree.iter()) == 0
