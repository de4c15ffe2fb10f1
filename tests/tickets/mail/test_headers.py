"""Header fields as programs really write them."""

from __future__ import annotations

import pytest

from tickets.mail.parse import parse

# The declared name of a file: RFC 2231, RFC 2047 where it is not allowed, and neither.
FILE_NAMES = [
    ("Content-Disposition: attachment; filename*=UTF-8''%E2%82%AC%20Rechnung.pdf", "€ Rechnung.pdf"),
    (
        "Content-Disposition: attachment;\r\n filename*0*=UTF-8''%E2%82%AC%20Rech;\r\n filename*1*=nung%20M%C3%A4rz;\r\n filename*2=.pdf",
        "€ Rechnung März.pdf",
    ),
    ("Content-Disposition: attachment;\r\n filename*0*=UTF-8''M%C3;\r\n filename*1*=%A4rz.pdf", "März.pdf"),
    ('Content-Disposition: attachment;\r\n filename*0="a very long name ";\r\n filename*1="goes on.pdf"', "a very long name goes on.pdf"),
    ("Content-Disposition: attachment;\r\n filename*0*=UTF-8''M%C3%A4rz;\r\n filename*1=\"100%25.pdf\"", "März100%25.pdf"),
    (
        "Content-Disposition: attachment" + "".join(f'; filename*{number}="p{number}"' for number in range(12)),
        "p0p1p2p3p4p5p6p7p8p9p10p11",
    ),
    ('Content-Disposition: attachment; filename="=?utf-8?B?w5xiZXJzaWNodC5wZGY=?="', "Übersicht.pdf"),
    ("Content-Disposition: attachment; filename==?iso-8859-1?Q?=DCbersicht=2Epdf?=", "Übersicht.pdf"),
    ('Content-Disposition: attachment;\r\n filename="=?utf-8?B?w5xiZXJzaQ==?=\r\n =?utf-8?B?Y2h0LnBkZg==?="', "Übersicht.pdf"),
    ('Content-Disposition: attachment;\r\n filename="=?utf-8?B?5pel5g==?=\r\n =?utf-8?B?nKwucGRm?="', "日本.pdf"),
    ('Content-Disposition: attachment; filename="Größe.pdf"', "Größe.pdf"),
    ("Content-Disposition: attachment; filename=my big file.pdf", "my big file.pdf"),
    ('Content-Disposition: attachment; filename="a;b.pdf"', "a;b.pdf"),
    ('Content-Disposition: attachment; filename="a \\"b\\" c.pdf"', 'a "b" c.pdf'),
    ("Content-Disposition: attachment; filename=\"EUR.pdf\"; filename*=UTF-8''%E2%82%AC.pdf", "€.pdf"),
    ('Content-Disposition: attachment; filename="=?ISO-2022-JP?B?GyRCOCtAUT1xGyhC?=.pdf"', "見積書.pdf"),
    ("Content-Disposition: attachment; filename*=Shift_JIS''%8C%A9%90%CF%8F%91.pdf", "見積書.pdf"),
    ('Content-Disposition: attachment; filename="a%20b.pdf"', "a%20b.pdf"),
    ('Content-Disposition: attachment;\r\n\tfilename="Long name with\r\n spaces.pdf"', "Long name with spaces.pdf"),
    ("Content-Disposition: attachment; filename*0==?utf-8?B?w5xiZXI=?=; filename*1==?utf-8?B?c2ljaHQucGRm?=", "Übersicht.pdf"),
    ('Content-Disposition: attachment; filename = "spaced.pdf"', "spaced.pdf"),
    ('Content-Disposition: ATTACHMENT; FILENAME="Upper.PDF"', "Upper.PDF"),
    ('Content-Disposition: attachment; filename="x.pdf";', "x.pdf"),
]


@pytest.mark.parametrize(("header", "name"), FILE_NAMES)
def test_file_name_when_declared_in_any_way_then_is_readable(header: str, name: str) -> None:
    (file,) = parse(f"Content-Type: application/pdf\r\n{header}\r\n\r\nx".encode()).attachments
    assert file.name == name


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        ("Größe", "Größe"),
        ("=?utf-8?Q?Gr=C3=B6=C3=9Fe und?=", "Größe und"),
        ("=?utf-8?B?R3LD?= =?utf-8?B?tsOfZQ==?=", "Größe"),
        ("=?utf-8?Q?Gr=C3=B6?==?utf-8?Q?=C3=9Fe?=", "Größe"),
        ("=?utf-8*de?Q?Gr=C3=B6=C3=9Fe?=", "Größe"),
        ("Re:=?utf-8?Q?Gr=C3=B6=C3=9Fe?=:x", "Re:Größe:x"),
        ("=?iso-8859-1?q?a_b?=", "a b"),
        ("=?UTF-8?b?R3LDtsOfZQ==?=", "Größe"),
        ("=?utf-8?B?R3LDtsOfZQ?=", "Größe"),
        ("=?foo?Q?Gr=C3=B6=C3=9Fe?=", "Größe"),
        ("=?utf-8?Q??= x", "x"),
        ("=?utf-8?Q?Gr=C3=B6?= =?iso-8859-1?Q?=DFe?=", "Größe"),
        ("a =? b ?= c", "a =? b ?= c"),
        ("one\r\n two\r\n\tthree", "one two three"),
    ],
)
def test_subject_when_encoded_in_any_way_then_is_readable(value: str, subject: str) -> None:
    assert parse(f"Subject: {value}\r\n\r\nx".encode()).subject == subject


def test_headers_when_raw_in_the_charset_of_the_body_then_are_readable() -> None:
    raw = 'From: 王芳 <ana@x.example>\r\nSubject: 报告\r\nContent-Type: text/plain; charset="gb2312"; name="报告.txt"\r\n\r\n报告'.encode(
        "gbk"
    )
    mail = parse(raw)
    assert (mail.from_name, mail.subject, mail.text) == ("王芳", "报告", "报告")


def test_headers_when_raw_utf8_beside_another_charset_then_are_readable() -> None:
    assert parse("Subject: Größe\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nx".encode()).subject == "Größe"


@pytest.mark.parametrize("before", [b"\r\n", b"\n\n", b"\xef\xbb\xbf", b" \r\n\t\r\n"])
def test_headers_when_something_empty_stands_before_them_then_are_read(before: bytes) -> None:
    mail = parse(before + b"From: ana@x.example\r\nSubject: x\r\n\r\nwords")
    assert (mail.from_address, mail.subject, mail.text) == ("ana@x.example", "x", "words")


def test_text_when_there_are_no_headers_then_is_all_of_it() -> None:
    assert parse(b"\nNote: this is text\n").text == "Note: this is text"


def test_content_type_when_it_hides_a_control_character_then_is_plain_text() -> None:
    assert (
        parse(b"Content-Type: \x00ext/plain; name=a.txt\r\nContent-Disposition: attachment\r\n\r\nx").attachments[0].content_type
        == "text/plain"
    )
