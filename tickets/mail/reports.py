"""What a bounce says: which mail could not be delivered, to whom, whether for good, and in the server's words.

Reads the reports of RFC 3464 and the plain texts that qmail, Exim, Exchange, Gmail and others send instead. Pure: no database, no clock, no settings;
within the limits of `structure`, in linear time. Anybody can write such a mail, so nothing here is proof: only the address it came to can be.

For `tickets.mail.ingest`: `InboundMessage.report` is `read_report(raw).as_json() | {"delivery": <id or None>, "proven": <bool>}`, where "proven" says
that the mail came to an address of `tokens.bounce_address`, and "delivery" is the one which that names. `notifications.bounces` does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import unescape
from itertools import islice
from typing import Any, Literal

from tickets.mail.addresses import sender
from tickets.mail.automatic import judge
from tickets.mail.charsets import clean_line, clean_text, decode
from tickets.mail.headers import Headers, make_headers, message_ids, read_fields
from tickets.mail.structure import Part, read_tree

Action = Literal["failed", "delayed", "other"]

_MAX_TEXT = 200_000  # characters looked at
_MAX_NOTICE = 20_000  # of them, before the returned mail
_MAX_HEAD = 65_536  # bytes of a returned mail
_MAX_RECIPIENTS, _MAX_IDS, _MAX_DIAGNOSTIC = 20, 10, 500
_MAX_TOLD = 1000  # characters of a refusal
_MAX_PARTS = 5  # of the text, and of returned mails

_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_RETURNED_TYPES = frozenset(
    {"message/rfc822", "message/rfc822-headers", "text/rfc822-headers", "message/global", "message/global-headers", "message/partial"}
)
_OTHER_REPORTS = frozenset({"feedback-report", "disposition-notification"})  # a complaint, a receipt: nothing about delivery

_FIELD = re.compile(r"([A-Za-z][A-Za-z-]{1,40}):[ \t]*(.*)")
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,2}\.\d{1,3})(?![\d.])")  # RFC 3463
_REPLY_AND_CODE = re.compile(r"[45]\d\d[ :-]{1,3}#?[45]\.\d{1,2}\.\d{1,3}")
_REPLY = re.compile(r"(?<![\d.])([45]\d\d)(?=[ :-])")  # RFC 5321
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"'`=|]{1,64}@[^\s<>()\[\]:;,\"'`@/]{1,253}")
_MESSAGE_ID = re.compile(r"^[> \t]{0,20}message-id:[ \t]{0,20}\n?[> \t]{0,20}<([^<>\s]{1,900})>", re.IGNORECASE | re.MULTILINE)
_TAG = re.compile(r"<(?:style|script)\b[^<>]{0,1000}>[^<]{0,20000}|<[^<>]{0,2000}>", re.IGNORECASE)

# The line that begins the mail which came back.
_RETURNED = re.compile(
    r"^[>\s]{0,4}(?:(?:received|return-path|dkim-signature|mime-version|x-[\w-]{2,40}): ?\S"
    r"|[-=_* ]{0,60}(?:this is a copy of (?:the|your) (?:message|headers)|below this line is a copy|original message|the header of the original"
    r"|message headers? follow|unsent message|returned message|the original message (?:follows|is|was:)|headers of the original|your original message"
    r"|ursprünglicher? (?:nachricht|kopfzeilen)|ursprüngliche (?:nachricht|kopfzeilen)|kopfzeilen der ursprünglichen|en-têtes (?:de message )?d.origine"
    r"|encabezados (?:de mensaje|del mensaje) original|intestazioni (?:originali|del messaggio)|message d.origine|mensaje original))",
    re.IGNORECASE | re.MULTILINE,
)
# How those begin that name themselves in the first lines alone.
_OPENING = re.compile(
    r"hi\. (?:this is (?:the|a) |the mta program)|this message was created automatically by (?:the )?(?:mail delivery|[\w. -]{0,40}e-?mail)"
    r"|this is the (?:mail system|postfix program) at host|this is an automatically generated delivery status"
    r"|delivery to the following recipients? (?:has )?(?:been )?(?:failed|delayed)|your message (?:was not delivered|could not be delivered|did not reach)"
    r"|this is a delivery status notification from|this is the dragonfly mail agent|[* ]{0,20}message from interscan"
    r"|delivery has failed to these recipients|the original message was received at |the following message to <",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"undeliver|not (?:be )?(?:been )?delivered|could ?n[o']t be (?:delivered|sent)|unable to deliver|delivery (?:has )?(?:to .{1,200})?fail|failed to deliver"
    r"|permanent (?:error|failure)|address not found|returned to sender|message (?:was )?rejected|did not reach|wasn't delivered|message blocked"
    r"|mail delivery failed|failure notice|returned mail|nicht zugestellt|unzustellbar|non remis|n'a pas pu être|no se (?:pudo|ha podido) entregar"
    r"|impossibile recapitare|mancato recapito|não (?:foi possível|pôde) |не (?:удалось|доставлен|может быть доставлен)|退信|无法(?:送达|投递|到达)"
    r"|配信(?:不能|できません)|kan ikke leveres|kunde inte levereras|kon niet worden|nie (?:można|udało się) dostarczyć",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"warning only|no need to re-?send|not need to re-?send|will be retried|still being (?:re)?tried|will (?:continue|keep|try)[^.]{0,40} (?:deliver|try|again)"
    r"|will retry|no action is required|has not yet been delivered|delivery incomplete|temporary problem delivering|recipients? (?:has|have) been delayed"
    r"|delivery (?:of your message )?(?:has been|was|is) delayed|wird weiter(?:hin)? versucht|continuer(?:a|ons) d'essayer",
    re.IGNORECASE,
)
_DELAY_SUBJECT = re.compile(
    r"delay|warning: |still being retried|delivery incomplete|verzöger|retard|retraso|ritard|atraso|vertraag|försen|forsink|opóźni",
    re.IGNORECASE,
)
_SUCCESS_SUBJECT = re.compile(r"(?:delivered|relayed|expanded|zugestellt|remis ?|entregado|recapitato): |success", re.IGNORECASE)

# What says nothing about the address itself: it may take the next mail.
_NOT_THE_ADDRESS = re.compile(
    r"\b(?:full|quota|storage|spam\w*|virus|malware|phish\w*|(?:black|block|deny)-?list\w*|policy|policies|reputation|dmarc|dkim|spf|dnsbl|rbl|spamhaus"
    r"|rate limit\w*|throttl\w*|gr[ea]y-?list\w*|too (?:large|big|long|many)|size limit|exceeds|relay(?:ing)? (?:access )?denied|not authori[sz]ed"
    r"|sender (?:address )?(?:rejected|verif\w*|denied|not allowed|unknown)|unsolicited|content"
    r"|voll|überschritten|pleine?|llen[ao]|piena)\b|переполнен|配额|容量",
    re.IGNORECASE,
)
_NOT_THE_ADDRESS_CODES = ("5.7.", "5.6.", "5.3.4", "5.2.2", "5.2.3", "5.1.7", "5.1.8", "5.1.9", "5.4.6")
_BAD_ADDRESS_CODES = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10", "5.2.1"})
_BAD_ADDRESS = re.compile(
    r"unknown (?:user|recipient|mailbox|address|local|account)|no such (?:user|mailbox|recipient|address|account|person|domain|local|host)"
    r"|(?:user|recipient|mailbox|address|account|addressee|domain|alias)\b[^.;]{0,60}?(?:not found|(?:does|did) ?n[o'’]t exist|not exist|unknown|invalid"
    r"|no longer|disabled|inactive|deactivated|closed|not (?:a )?(?:known|valid|listed|(?:currently )?in use)"
    r"|(?:wasn|couldn)['’]t (?:be )?found|unavailable|rejected: access denied)"
    r"|no mailbox|mailbox unavailable|address not found|recip(?:ient)?notfound|invalid (?:recipient|mailbox|user|address)|(?:domain|host)[\w ]{0,20} not found"
    r"|nxdomain|no mx\b|unrouteable address|bad destination|not our customer|isn't (?:a )?valid|(?:doesn['’]t|does not) have an?\b|no user record"
    r"|empfänger[^.;]{0,30}(?:unbekannt|nicht gefunden)|existiert nicht|unbekannter (?:empfänger|benutzer)|adresse wurde nicht gefunden"
    r"|n'existe pas|(?:destinataire|utilisateur) inconnu|introuvable|no existe|usuario desconocido|non esiste|utente sconosciuto|inesistente"
    r"|não existe|bestaat niet|nie istnieje|не существует|не найден|不存在|存在しない|見つかりません",
    re.IGNORECASE,
)
_NAMES = re.compile(r"\S{0,64}@\S{0,253}|https?://\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,24}\b(?:\[[\d.:a-f]*\])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Report:
    """`action`: "failed" for good, "delayed" and tried further, or "other" (it arrived, or was passed on). `status`: RFC 3463, '' where none is told."""

    action: Action
    status: str
    recipients: tuple[str, ...]
    diagnostic: str  # what the server said, on one line
    message_ids: tuple[str, ...]  # of the mail that came back, without angle brackets
    reporter: str  # the server that reports

    def as_json(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def read_report(raw: bytes) -> Report | None:
    """None for what is no report about delivery. Raises UnreadableMail as `parse` does."""
    root = read_tree(raw)
    if root.parameters.get("report-type", "").lower() in _OTHER_REPORTS:
        return None
    leaves = list(_leaves(root))
    text = _text(leaves)
    found = _structured(leaves) or _plain(root, text)
    if found is None:
        return None
    notice, reporter = _notice(text), found.reporter or sender(root.headers.all("from")).address.rpartition("@")[2]
    words = found.diagnostic or _server_words(notice)
    return Report(
        action=found.action,
        status=_precise(found.status, words),
        recipients=found.recipients or _addresses(notice, root.headers),
        diagnostic=clean_line(words, limit=_MAX_DIAGNOSTIC),
        message_ids=_returned_ids(root.headers, leaves, text),
        reporter=clean_line(reporter, limit=253),
    )


def says_address_is_bad(words: str) -> bool:
    """Whether a refusal means that nobody can be reached there: an unknown person or domain, a mailbox that was switched off. Not: full, spam, too large."""
    codes = _CODE.findall(words)
    told = _NAMES.sub(" ", words[:_MAX_TOLD])
    if _is_passing(codes, told) or any(code.startswith(_NOT_THE_ADDRESS_CODES) for code in codes) or _NOT_THE_ADDRESS.search(told):
        return False
    return not _BAD_ADDRESS_CODES.isdisjoint(codes) or bool(_BAD_ADDRESS.search(told))


def _is_passing(codes: list[str], told: str) -> bool:
    reply = _REPLY.search(told)
    return codes[0].startswith("4") if codes else bool(reply and reply[1].startswith("4"))


# --- RFC 3464 ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    action: Action
    status: str = ""
    recipients: tuple[str, ...] = ()
    diagnostic: str = ""
    reporter: str = ""


def _structured(leaves: list[Part]) -> _Found | None:
    """By the part made for machines. Of several recipients, the one that fared worst speaks."""
    part = next((leaf for leaf in leaves if leaf.content_type in _STATUS_TYPES), None)
    if part is None:
        return None
    blocks = list(islice(_blocks(clean_text(decode(part.content[:_MAX_TEXT]))), 1000))
    told = [block for block in blocks if "action" in block or "status" in block or "final-recipient" in block]
    if not told:
        return None
    worst = min(told, key=lambda block: ("failed", "delayed", "other").index(_action(block)))
    names = [_typed(block.get(name, "")) for block in told for name in ("final-recipient", "original-recipient")]
    return _Found(
        action=_action(worst),
        status=_code_in(worst.get("status", "")),
        recipients=tuple(dict.fromkeys(name.strip("<> ").lower() for name in names if "@" in name))[:_MAX_RECIPIENTS],
        diagnostic=_typed(worst.get("diagnostic-code", "")) or worst.get("status", "").partition("(")[2].rstrip(") "),
        reporter=next((_typed(block["reporting-mta"]) for block in blocks if "reporting-mta" in block), ""),
    )


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """Groups of fields between empty lines; of a field that is there twice the first counts."""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        block: dict[str, list[str]] = {}
        current: list[str] = []
        for line in paragraph.split("\n"):
            if line[:1] in {" ", "\t"}:
                current.append(line.strip())
            elif match := _FIELD.match(line):
                current = [match[2].strip()]
                block.setdefault(match[1].lower(), current)
        if block:
            yield {name: " ".join(lines) for name, lines in block.items()}


def _action(block: dict[str, str]) -> Action:
    word, status = block.get("action", "").lower().strip(), _code_in(block.get("status", ""))
    if word.startswith("failed") or (not word and status.startswith("5")):
        return "failed"
    if word.startswith("delayed") or (not word and status.startswith("4")):
        return "delayed"
    return "other"


def _typed(value: str) -> str:
    """`rfc822; a@b.example` and `smtp; 550 …` without their type."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and re.fullmatch(r"[\w-]{1,20}", kind.strip()) else value.strip()


def _code_in(text: str) -> str:
    match = _CODE.search(text)
    return match[1] if match else ""


def _precise(status: str, words: str) -> str:
    """The status, or the one in the server's words where it says no more than "failed"."""
    return _code_in(words) or status if not status or status.endswith(".0.0") else status


# --- Plain text ----------------------------------------------------------------------------------------------------------------


def _plain(root: Part, text: str) -> _Found | None:
    """By its text, if a machine sent it: what a person quotes from a report is none."""
    headers, start = root.headers, text.lstrip()[:400]
    report_type = root.parameters.get("report-type", "").lower()
    verdict = judge(headers, content_type=root.content_type, report_type=report_type, from_address=sender(headers.all("from")).address)
    notice, subject = _notice(text), headers.text("subject")
    if not (verdict.bounce or _OPENING.match(start) or _is_from_daemon(headers, notice)):
        return None
    named, told = headers.text("x-failed-recipients"), f"{subject}\n{notice}"
    if not (named or _CODE.search(notice) or _FAILURE.search(told) or _DELAY.search(told)):
        return None
    if _SUCCESS_SUBJECT.match(subject):
        return _Found("other")
    action: Action = "delayed" if _DELAY_SUBJECT.search(subject) or _DELAY.search(notice) else "failed"
    return _Found(action, recipients=tuple(dict.fromkeys(_found_addresses(named)))[:_MAX_RECIPIENTS])


def _is_from_daemon(headers: Headers, notice: str) -> bool:
    """By a name without an address, or by the null sender together with an error's code: absence notes have that sender too."""
    if "mailer-daemon" in headers.first("from")[:200].lower():
        return True
    is_null = "<>" in (path.strip() for path in headers.all("return-path"))
    return is_null and bool(_REPLY.search(notice) and _FAILURE.search(notice))


def _leaves(part: Part) -> Iterator[Part]:
    if not part.children:
        yield part
    for child in part.children:
        yield from _leaves(child)


def _text(leaves: list[Part]) -> str:
    """What people are told. The HTML is read only where there is no plain text."""
    plain = [_decoded(leaf) for leaf in _first(leaves, "text/plain")]
    pieces = plain or [_untagged(_decoded(leaf)) for leaf in _first(leaves, "text/html")]
    return "\n\n".join(pieces)[:_MAX_TEXT]


def _first(leaves: list[Part], content_type: str) -> list[Part]:
    return [leaf for leaf in leaves if leaf.content_type == content_type][:_MAX_PARTS]


def _decoded(part: Part) -> str:
    return clean_text(decode(part.content[:_MAX_TEXT], part.parameters.get("charset", "")))


def _untagged(html: str) -> str:
    return unescape(_TAG.sub("\n", html))


def _notice(text: str) -> str:
    """`text` up to the mail that came back."""
    returned = _RETURNED.search(text)
    return text[: returned.start() if returned else None][:_MAX_NOTICE]


def _server_words(notice: str) -> str:
    """The paragraph that tells the error: one with a code is likelier to than one with a number, and that than one with words for failure."""
    paragraphs = [paragraph.strip() for paragraph in re.split(r"\n[ \t]*\n", notice) if paragraph.strip()]
    for telling in (_REPLY_AND_CODE, _CODE, _REPLY, _BAD_ADDRESS, _NOT_THE_ADDRESS, _FAILURE):
        for paragraph in paragraphs:
            if telling.search(_ADDRESS.sub(" ", paragraph)):
                return paragraph
    return ""


def _addresses(notice: str, headers: Headers) -> tuple[str, ...]:
    """Those that the text names, but for the report's own sender and reader and for whom to ask."""
    own = {
        found.lower()
        for name in ("from", "to", "reply-to", "delivered-to")
        for value in headers.all(name)
        for found in _ADDRESS.findall(value[:2000])
    }
    named = dict.fromkeys(_found_addresses(_MESSAGE_ID.sub("", notice)))
    names = (name for name in named if name not in own and not name.startswith(("postmaster@", "mailer-daemon@", "abuse@")))
    return tuple(islice(names, _MAX_RECIPIENTS))


def _found_addresses(text: str) -> Iterator[str]:
    return (found.lower().removeprefix("mailto:").rstrip(".!?>") for found in _ADDRESS.findall(text[:_MAX_NOTICE]))


# --- The mail that came back ---------------------------------------------------------------------------------------------------


def _returned_ids(headers: Headers, leaves: list[Part], text: str) -> tuple[str, ...]:
    """Message-IDs of what came back: enclosed, quoted, or said by the report to be what it answers."""
    returned = islice((leaf for leaf in leaves if leaf.content_type in _RETURNED_TYPES), _MAX_PARTS)
    found = [name for leaf in returned for name in _ids_of(leaf)]
    found += [clean_line(name) for name in islice((match[1] for match in _MESSAGE_ID.finditer(text)), _MAX_IDS)]
    for name in ("in-reply-to", "references", "x-original-message-id"):
        found += message_ids(headers.first(name)[:10_000])
    return tuple(dict.fromkeys(name[:250] for name in found))[:_MAX_IDS]


def _ids_of(part: Part) -> tuple[str, ...]:
    head = part.content[:_MAX_HEAD].lstrip(b"\r\n")
    fields, _body = read_fields(head, start=0, end=len(head))
    return message_ids(make_headers(fields).first("message-id"))
