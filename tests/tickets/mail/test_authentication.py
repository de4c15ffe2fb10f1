"""Whether a sender's domain stands for a mail: what our server noted, what we find out ourselves, and what nobody is taken in by."""

from __future__ import annotations

import time
from base64 import b64encode

import pytest

from tests.tickets.mail.letters import letter
from tests.tickets.mail.name_server import Names, name_server, sealed, signed
from tickets.mail import lookups, signatures
from tickets.mail.authentication import authenticate
from tickets.models import Authentication, InboundMessage

pytestmark = pytest.mark.services  # answers of name servers are cached

PASSED, NONE, FAILED, UNKNOWN = Authentication.PASSED, Authentication.NONE, Authentication.FAILED, Authentication.UNKNOWN
OURS = "mx.support.example"


def judged(raw: bytes, **envelope) -> Authentication:
    return authenticate(InboundMessage(raw=raw, **envelope))[0]


def told(raw: bytes, **envelope) -> str:
    return authenticate(InboundMessage(raw=raw, **envelope))[1]


# --- As our mail server noted --------------------------------------------------------------------------------------------------


@pytest.fixture
def trusted(settings):
    settings.AUTHSERV_ID = [OURS]


def noted(*results: str, server: str = OURS, below: bytes = b"", **mail) -> bytes:
    """With our server's note on top, or below other fields."""
    note = "".join(f"Authentication-Results: {server}; {result}\r\n" for result in results)
    return (
        below
        + note.encode()
        + b"Received: from out.acme.example by mx.support.example; Sat, 21 Nov 2026 10:00:00 +0000\r\n"
        + letter(**mail)
    )


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ("dmarc=pass header.from=acme.example", PASSED),
        ("DMARC/1 = Pass (p=reject) header.from=ACME.example", PASSED),
        ("dmarc=fail (p=reject dis=none) header.from=acme.example", FAILED),
        ("dmarc=fail (p=NONE sp=NONE dis=NONE) header.from=acme.example", NONE),
        ('dmarc=fail reason="No valid SPF, no DKIM" header.from=acme.example (policy=quarantine)', FAILED),
        ("dmarc=fail action=none header.from=acme.example", NONE),
        ("dmarc=fail action=oreject header.from=acme.example", FAILED),
        ("dmarc=fail header.from=acme.example", FAILED),
        ("dmarc=pass header.from=evil.example", NONE),
        ("dmarc=none header.from=acme.example", NONE),
        ("dmarc=none; dkim=pass header.d=mail.acme.example", PASSED),
        ("dmarc=bestguesspass; spf=pass smtp.mailfrom=bounce@acme.example", PASSED),
        ("dmarc=temperror", UNKNOWN),
        ("dmarc=permerror", NONE),
        ("dkim=pass header.i=@acme.example header.b=x", PASSED),
        ("dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example", NONE),
        ("dkim=fail header.d=acme.example; spf=softfail smtp.mailfrom=acme.example", NONE),
        ("spf=pass (why; not) smtp.helo=acme.example", PASSED),
        ('dkim=fail reason="header.d=acme.example dkim=pass" header.d=evil.example', NONE),
        ("none", NONE),
    ],
)
def test_note_of_our_server_is_read(trusted, result, verdict):
    assert judged(noted(result)) == verdict


def test_notes_of_several_programs_of_our_server_are_one(trusted):
    assert judged(noted("spf=none", "dkim=pass header.d=acme.example", "dmarc=fail (p=reject) header.from=acme.example")) == FAILED


@pytest.mark.parametrize(
    "server", ["mx.evil.example", "mx.support.example.evil.example", f"{OURS} 2", f"(x) evil ({OURS})", f'"{OURS}', ""]
)
def test_note_of_another_server_is_not_believed(trusted, server):
    assert (judged(noted("dmarc=pass header.from=acme.example", server=server)), told(noted("x", server=server))) == (
        NONE,
        "Our mail server left no verdict.",
    )


@pytest.mark.parametrize("server", [OURS.upper(), f"{OURS} 1", f"(a (comment)) {OURS} (x;y)", f'"{OURS}"'])
def test_id_of_our_server_is_known_however_it_is_written(trusted, server):
    assert judged(noted("dmarc=pass header.from=acme.example", server=server)) == PASSED


@pytest.mark.parametrize("name", ["Authentication-Results", "authentication-RESULTS", "Authentication-Results "])
def test_note_below_our_received_line_is_the_senders_and_not_believed(trusted, name):
    received = b"Received: from evil.example by mx.support.example; Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    forged = f"{name}: {OURS}; dmarc=pass header.from=acme.example\r\n".encode()
    assert judged(received + forged + letter()) == NONE
    assert judged(forged + received + letter()) == PASSED


def test_note_below_as_many_received_lines_as_our_server_writes_is_believed_and_the_topmost_alone(trusted, settings):
    hop = b"Received: by internal.support.example; Sat, 21 Nov 2026 10:00:01 +0000\r\n"
    raw = noted("dmarc=fail (p=reject) header.from=acme.example", below=hop)
    forged = raw.replace(b"From:", f"Authentication-Results: {OURS}; dmarc=pass header.from=acme.example\r\nFrom:".encode(), 1)
    settings.AUTHSERV_HOPS = 9
    assert [judged(raw), judged(forged)] == [FAILED, FAILED]
    settings.AUTHSERV_HOPS = 0
    assert judged(raw) == NONE


def test_note_that_says_more_than_ours_is_not_believed_below_it(trusted, settings):
    settings.AUTHSERV_HOPS = 9
    forged = f"Authentication-Results: {OURS}; dmarc=pass header.from=acme.example\r\n".encode()
    assert judged(noted("spf=none")) == NONE
    assert judged(noted("spf=none").replace(b"From:", forged + b"From:", 1)) == NONE


def test_note_without_an_id_is_believed_where_our_server_is_microsofts(settings):
    raw = b"Authentication-Results: spf=pass smtp.mailfrom=acme.example; dmarc=pass action=none header.from=acme.example\r\n" + letter()
    settings.AUTHSERV_ID = [OURS]
    assert judged(raw) == NONE
    settings.AUTHSERV_ID = ["outlook.com"]
    assert judged(raw) == PASSED


def test_mail_of_no_single_sender_is_proven_by_nothing(trusted):
    raw = noted("dmarc=pass header.from=acme.example", sender="ana@acme.example, eve@evil.example")
    assert (judged(raw), told(raw)) == (NONE, "It names no single sender.")


def test_nothing_is_said_where_neither_is_set():
    assert authenticate(InboundMessage(raw=noted("dmarc=pass"))) == (UNKNOWN, "")


@pytest.mark.parametrize(
    "field",
    [b"(" * 200_000, b"dmarc=pass;" * 20_000, b'"' + b"\\" * 200_000, b"a=b c.d=" * 2_000, b"\xff\x00" * 5_000, b"=?utf-8?q?x?=" * 1_000],
)
def test_hostile_note_costs_no_time(trusted, field):
    started = time.process_time()
    assert judged(b"Authentication-Results: mx.support.example; " + field + b"\r\n" + letter()) == NONE
    assert time.process_time() - started < 1


# --- As we find out ourselves --------------------------------------------------------------------------------------------------


@pytest.fixture
def world(settings, monkeypatch):
    """What the DNS says; mails are checked."""
    settings.CHECK_AUTHENTICATION = True
    names = Names()
    with name_server(names) as resolver:
        monkeypatch.setattr(lookups, "resolver", lambda: resolver)
        yield names


@pytest.fixture
def acme(world):
    """A domain that signs, names its server, and asks for proof."""
    world.publish_key("acme.example")
    world.publish_policy("acme.example", "p=reject")
    world.text("acme.example", "v=spf1 ip4:8.8.4.0/24 include:more.example -all")
    world.text("more.example", "v=spf1 a:out.more.example -all")
    world.records["out.more.example", "A"] = ["9.9.9.9"]
    return world


def crlf(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.mark.parametrize("way", [(b"simple", b"simple"), (b"relaxed", b"relaxed"), (b"relaxed", b"simple"), (b"simple", b"relaxed")])
@pytest.mark.parametrize(
    "text", ["Short.\n", "", "\n\n", "  \t \n", "a  b \t c \n\n d\t\n \n\n\n", "no end", "x" * 1_048_570 + "  \n" * 9 + "y \t z\n\n"]
)
def test_signature_of_the_senders_domain_stands_for_the_mail(acme, way, text):
    raw = crlf(letter(text="").rstrip(b"\n") + b"\n\n" + text.encode())
    letter_ = signed(raw, "acme.example", canonicalize=way)
    assert told(letter_) == "Signed by acme.example (DKIM)."
    assert judged(letter_) == PASSED


def test_signature_holds_for_a_mail_with_bare_line_feeds(acme):
    assert judged(signed(crlf(letter()), "acme.example").replace(b"\r\n", b"\n")) == PASSED


def test_signature_of_a_subdomain_stands_for_the_mail_unless_the_domain_wants_its_own(acme):
    acme.publish_key("news.acme.example")
    raw = signed(crlf(letter()), "news.acme.example")
    assert judged(raw) == PASSED
    acme.publish_policy("acme.example", "p=reject; adkim=s")
    assert judged(raw) == NONE


def test_second_signature_counts_where_the_first_fails(acme):
    raw = signed(crlf(letter()), "acme.example")
    broken = b"DKIM-Signature: v=1; a=rsa-sha256; d=acme.example; s=old; h=from; bh=AAAA; b=AAAA\r\n"
    assert judged(broken + raw) == PASSED


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"blank since", b"blanc since"),
        (b"From: Ana", b"From: Eva"),
        (b"From:", b"From: Eve <eve@acme.example>\r\nFrom:"),
        (b"Subject:", b"Subject: Other\r\nSubject:"),
        (b"To:", b"Content-Type: text/html\r\nTo:"),
        (b"a=rsa-sha256", b"a=rsa-sha1"),
    ],
)
def test_changed_mail_fails(acme, was, becomes):
    raw = signed(crlf(letter()), "acme.example")
    assert was in raw
    assert judged(raw.replace(was, becomes, 1)) in ((NONE,) if b"eve@" in becomes else (FAILED,))


def test_signature_that_leaves_from_out_or_a_part_of_the_body_counts_for_nothing(acme, monkeypatch):
    raw = crlf(letter())
    part = signed(raw, "acme.example", length=True)
    assert [judged(part), judged(part + b"And pay to this account.\r\n")] == [PASSED, FAILED]
    with monkeypatch.context() as patch:  # dkimpy refuses to make such a signature
        patch.setattr("dkim.DKIM.sign", _without_from)
        no_from = signed(raw, "acme.example")
    assert b"h=subject" in no_from
    assert judged(no_from) == FAILED


def _without_from(self, selector, domain, key, **_how):
    import dkim
    from dkim.canonicalization import CanonicalizationPolicy

    self.hasher = dkim.HASH_ALGORITHMS[b"rsa-sha256"]
    body = dkim.base64.b64encode(self.hasher(self.body.rstrip(b"\r\n") + b"\r\n").digest())
    fields = [(b"v", b"1"), (b"a", b"rsa-sha256"), (b"c", b"simple/simple"), (b"d", domain), (b"s", selector), (b"h", b"subject")]
    fields += [(b"bh", body), (b"b", b"0" * 60)]
    made = self.gen_header(
        fields, [b"subject"], CanonicalizationPolicy.from_c_value(b"simple/simple"), b"DKIM-Signature", dkim.parse_pem_private_key(key)
    )
    return b"DKIM-Signature: " + made


@pytest.mark.parametrize(
    ("envelope", "verdict"),
    [
        ({"client_ip": "8.8.4.4", "envelope_from": "bounce@acme.example"}, PASSED),
        ({"client_ip": "9.9.9.9", "envelope_from": "bounce@acme.example"}, PASSED),
        ({"client_ip": "8.8.8.8", "envelope_from": "bounce@acme.example"}, FAILED),
        ({"client_ip": "8.8.4.4", "envelope_from": "x@evil.example"}, FAILED),
        ({"client_ip": "8.8.4.4", "envelope_from": "", "client_name": "acme.example"}, PASSED),
        ({"client_ip": "127.0.0.1", "envelope_from": "bounce@acme.example"}, NONE),
        ({}, NONE),
    ],
    ids=["its server", "by include", "a stranger's server", "another's envelope", "null sender", "behind our own server", "by IMAP"],
)
def test_unsigned_mail_is_judged_by_the_server_that_sent_it_where_that_is_known(acme, envelope, verdict):
    assert judged(letter(), **envelope) == verdict


@pytest.mark.parametrize("before", [b"\r\n", b"\n \t\n", b"\xef\xbb\xbf"], ids=["blank line", "blank lines", "byte order mark"])
def test_sender_below_what_stands_before_the_header_is_judged_all_the_same(acme, before):
    assert judged(before + letter(), client_ip="8.8.8.8", envelope_from="x@evil.example") == FAILED
    assert judged(before + b"Received: from a by b\r\n" + signed(crlf(letter()), "acme.example")) == PASSED


def test_sender_in_a_mail_whose_lines_end_in_carriage_returns_is_judged_all_the_same(acme):
    assert judged(letter().replace(b"\n", b"\r"), client_ip="8.8.8.8", envelope_from="x@evil.example") == FAILED


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        ("p=quarantine", FAILED),
        ("p=none", NONE),
        ("p=reject; pct=0", NONE),
        ("p=none; sp=reject", NONE),
        ("rua=mailto:x@acme.example", NONE),
    ],
)
def test_failing_mail_is_what_the_domain_says_that_it_is(acme, policy, verdict):
    acme.publish_policy("acme.example", policy)
    assert judged(letter(), client_ip="8.8.8.8", envelope_from="x@acme.example") == verdict


def test_subdomain_without_a_policy_has_its_organizations(acme):
    mail = {"raw": letter("Ana <ana@eu.acme.example>"), "client_ip": "8.8.8.8", "envelope_from": "x@evil.example"}
    assert judged(**mail) == FAILED
    acme.publish_policy("acme.example", "p=reject; sp=none")
    assert judged(**mail) == NONE


def test_domain_with_two_policies_or_none_asks_for_nothing(acme):
    acme.text("_dmarc.acme.example", "v=DMARC1; p=reject", "v=DMARC1; p=none")
    assert judged(letter(), client_ip="8.8.8.8", envelope_from="x@evil.example") == NONE
    assert judged(letter("x@nobody.example"), client_ip="8.8.8.8") == NONE


@pytest.mark.parametrize(("trusted", "verdict"), [(["lists.example"], PASSED), (["other.example"], FAILED), ([], FAILED)])
def test_list_that_changed_a_mail_vouches_for_it_where_we_trust_the_list(acme, settings, trusted, verdict):
    settings.TRUSTED_ARC_DOMAINS = trusted
    acme.publish_key("lists.example")
    changed = signed(crlf(letter()), "acme.example").replace(b"blank since", b"blank [list] since")
    passed_on = sealed(
        b"Authentication-Results: lists.example; dmarc=pass header.from=acme.example\r\n" + changed, "lists.example", server="lists.example"
    )
    assert judged(passed_on) == verdict
    assert judged(passed_on.replace(b"[list]", b"[evil]")) == FAILED


def test_forged_seal_of_a_trusted_list_vouches_for_nothing(acme, settings):
    settings.TRUSTED_ARC_DOMAINS = ["lists.example"]
    acme.publish_key("lists.example", bits=1024)  # not the key that it was sealed with
    raw = sealed(
        b"Authentication-Results: lists.example; dmarc=pass header.from=acme.example\r\n" + crlf(letter()),
        "lists.example",
        server="lists.example",
    )
    assert judged(raw, client_ip="8.8.8.8", envelope_from="x@evil.example") == FAILED


# --- The DNS ---------------------------------------------------------------------------------------------------------------------


def test_silent_dns_is_asked_once_and_then_left_alone(acme, monkeypatch):
    monkeypatch.setattr(lookups, "_PER_QUESTION", 0.2)
    acme.silent = True
    assert (judged(letter()), told(letter())) == (UNKNOWN, "It could not be checked: the DNS gave no answer in time.")
    asked = len(acme.asked)
    assert (judged(letter()), len(acme.asked)) == (UNKNOWN, asked)


def test_slow_domain_keeps_no_other_from_being_checked(acme, monkeypatch):
    monkeypatch.setattr(lookups, "_PER_QUESTION", 0.2)
    acme.slow.add("_dmarc.slow.example")
    assert judged(letter("x@slow.example")) == UNKNOWN
    assert judged(signed(crlf(letter()), "acme.example")) == PASSED


def test_time_for_a_mail_is_bounded_however_many_answers_are_late(acme, monkeypatch):
    monkeypatch.setattr("tickets.mail.authentication._SECONDS", 0.5)
    acme.slow.update(f"s{n}._domainkey.acme.example" for n in range(9))
    started = time.monotonic()
    raw = crlf(letter())
    fields = b"".join(signed(raw, "acme.example", selector=f"s{n}").removesuffix(raw) for n in range(9))
    assert judged(fields + raw) == UNKNOWN
    assert time.monotonic() - started < 3


def test_signatures_of_strangers_ask_nobody(acme):
    fields = b"".join(b"DKIM-Signature: v=1; a=rsa-sha256; d=evil%d.example; s=s; h=from; bh=AAAA; b=AAAA\r\n" % n for n in range(200))
    assert judged(fields + letter()) == NONE
    assert {name for name in acme.asked if "evil" in name} == set()


# --- Hostile mail ----------------------------------------------------------------------------------------------------------------

SPACES = b" " * 300_000
FIELD = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=acme.example; s=s1; h=%s; bh=AAAA; b=AAAA\r\n"
HOSTILE = {
    "50 MB of lines": FIELD % b"from" + letter() + b"\n" * (50 << 20),
    "50 MB of words": FIELD % b"from" + letter() + b"a " * (25 << 20),
    "50 MB of spaces": FIELD % b"from" + letter() + b" \t" * (25 << 20) + b"x",
    "10,000 signatures": (FIELD % b"from") * 900 + letter(),
    "too many fields": (FIELD % b"from") * 10_000 + letter(),
    "names of fields": FIELD % b":".join(b"x%d" % n for n in range(1_000)) + letter(),
    "spaces in a signature": FIELD % (b"from" + SPACES) + letter(),
    "spaces after b": b"DKIM-Signature: d=acme.example; b" + b"\r\n " * 60_000 + b"\r\n" + letter(),
    "nonsense": b"DKIM-Signature: \xff\x00;;=;d=acme.example;i=\xff\r\nARC-Seal: i=99999999999999999999\r\n" + letter(),
    "one long line": b"From:" + b"x" * (1 << 20),
    "nothing": b"",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_hostile_mail_is_judged_in_no_time(acme, settings, raw):
    settings.TRUSTED_ARC_DOMAINS = ["lists.example"]
    started = time.process_time()
    assert judged(raw, client_ip="8.8.8.8", envelope_from="x@evil.example") in (NONE, FAILED)
    assert time.process_time() - started < 2


def key_of(modulus: int, exponent: int) -> str:
    """An RSA key as it is published (DER), of any size."""
    numbers = b"".join(_der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in (modulus, exponent))
    return f"v=DKIM1; k=rsa; p={b64encode(_der(0x30, numbers)).decode()}"


def _der(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


@pytest.mark.parametrize("bits", [512, 20_000])
def test_key_that_is_too_short_or_too_long_proves_nothing(acme, bits):
    acme.text("s1._domainkey.acme.example", key_of((1 << bits) - 3, (1 << bits) - 5))
    started = time.process_time()
    assert judged(signed(crlf(letter()), "acme.example")) == FAILED
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "record",
    ["v=DKIM1; p=", "v=DKIM1", "", "v=DKIM1; k=ed25519; p=AAAA", "v=DKIM1; p=!!!!", "v=DKIM1; p=MAA=", "v=DKIM1; p=" + "MIIB" * 400],
)
def test_nonsense_for_a_key_proves_nothing(acme, record):
    acme.text("s1._domainkey.acme.example", record)
    assert judged(signed(crlf(letter()), "acme.example")) == FAILED


def test_failure_of_our_own_says_so_and_stops_no_mail(acme, monkeypatch):
    monkeypatch.setattr(signatures.Letter, "all", lambda *_args: 1 / 0)
    assert (judged(letter()), told(letter())) == (UNKNOWN, "It could not be checked: our own program failed.")
