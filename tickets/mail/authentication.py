"""Whether the domain in From stands for a mail (DMARC, RFC 7489): as our own mail server noted, or else as we find out ourselves.

A note in a mail is believed only if it has the id of our mail server and stands where nobody else could have put it. Asks the DNS, so it must not be called
in a transaction; the time that takes is bounded. Must not decide what becomes of the mail.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import spf
from django.conf import settings
from django.utils.translation import gettext as _
from publicsuffixlist import PublicSuffixList

from tickets.mail.addresses import sender
from tickets.mail.headers import Headers, make_headers, read_fields
from tickets.mail.lookups import Lookups, Silence
from tickets.mail.results import Result, Results, read_arc_results, read_results
from tickets.mail.signatures import MAX_HEADER, MAX_SIGNATURES, Letter, Uncheckable, is_signed, sealed_by, signatures
from tickets.mail.structure import from_header_on
from tickets.models import Authentication

if TYPE_CHECKING:
    from tickets.models import InboundMessage

logger = logging.getLogger(__name__)

_SECONDS = 5.0  # for all that is asked about one mail
_MICROSOFT = "outlook.com"  # Microsoft 365 leaves its id out
_MAX_VOID = 2  # RFC 7208, 4.6.4

Verdict = tuple[Authentication, str]


def authenticate(message: InboundMessage) -> Verdict:
    """The verdict, and what it is based on, in words for staff."""
    try:
        verdict, why = _judge(message)
    except Silence:
        verdict, why = Authentication.UNKNOWN, _("It could not be checked: the DNS gave no answer in time.")
    except Uncheckable:
        verdict, why = Authentication.NONE, _("Its header or body is beyond what can be checked.")
    except Exception:
        logger.exception("the origin of inbound mail %s could not be checked", message.pk)
        verdict, why = Authentication.UNKNOWN, _("It could not be checked: our own program failed.")
    return verdict, why.replace("\0", "")[:500]


def _judge(message: InboundMessage) -> Verdict:
    if not (settings.AUTHSERV_ID or settings.CHECK_AUTHENTICATION):
        return Authentication.UNKNOWN, ""
    raw = from_header_on(bytes(message.raw))
    headers = _headers(raw)
    domain = sender(headers.all("from")).address.rpartition("@")[2].lower()
    if not domain:
        return Authentication.NONE, _("It names no single sender.")
    if settings.AUTHSERV_ID:
        return _noted(headers, domain)
    return _checked(Letter(raw), domain, message)


def _headers(raw: bytes) -> Headers:
    fields, _body = read_fields(raw, start=0, end=min(len(raw), MAX_HEADER))
    return make_headers(fields)


# --- As our mail server noted --------------------------------------------------------------------------------------------------


def _noted(headers: Headers, domain: str) -> Verdict:
    fields = _believed(headers)
    if not fields:
        return Authentication.NONE, _("Our mail server left no verdict.")
    results = [result for field in fields for result in field.results]
    source = fields[0].authserv_id or _MICROSOFT
    for result in results:
        if result.method == "dmarc" and (verdict := _of_dmarc(result, domain, source)):
            return verdict
    for result in results:
        if result.result == "pass" and _is_aligned(_proven_by(result), domain):
            return Authentication.PASSED, _("%(server)s says: %(method)s passed for %(domain)s.") % {
                "server": source,
                "method": result.method.upper(),
                "domain": _proven_by(result),
            }
    if any(result.result == "temperror" for result in results):
        return Authentication.UNKNOWN, _("%(server)s could not check it.") % {"server": source}
    return Authentication.NONE, _("%(server)s found nothing that stands for %(domain)s.") % {"server": source, "domain": domain}


def _believed(headers: Headers) -> list[Results]:
    """Our server's own: the first of its id and those beside it, above all Received lines but those that our server is known to put above (the setting)."""
    ours = {name.lower() for name in settings.AUTHSERV_ID}
    found: list[Results] = []
    hops = 0
    for name, value in headers.items:
        if name == "received":
            hops += 1
            if found or hops > settings.AUTHSERV_HOPS:
                break
        elif name == "authentication-results":
            field = read_results(value)
            if field and (field.authserv_id or _MICROSOFT) in ours:
                found.append(field)
    return found


def _of_dmarc(result: Result, domain: str, source: str) -> Verdict | None:
    """None where it decides nothing, so that SPF and DKIM have to."""
    about = result.properties.get("header.from", domain).rpartition("@")[2]
    if not _is_aligned(about, domain):
        return Authentication.NONE, _("%(server)s judged another sender: %(domain)s.") % {"server": source, "domain": about}
    names = {"server": source, "domain": domain, "policy": result.policy or result.deed or "?"}
    if result.result == "pass":
        return Authentication.PASSED, _("%(server)s says: DMARC passed for %(domain)s.") % names
    if result.result != "fail":
        return None
    if (result.policy or result.deed) == "none":
        return Authentication.NONE, _("%(server)s says: DMARC failed, but %(domain)s asks for nothing to be done about it.") % names
    return Authentication.FAILED, _("%(server)s says: DMARC failed for %(domain)s (policy: %(policy)s).") % names


def _proven_by(result: Result) -> str:
    """The domain that a result of DKIM or SPF speaks for; '' for those of other methods."""
    keys = {"dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom", "smtp.helo")}.get(result.method, ())
    return next((result.properties[key].rpartition("@")[2] for key in keys if result.properties.get(key)), "")


# --- As we find out ourselves --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Policy:
    """What a domain wants done with mail that it does not stand for."""

    wants: str = ""  # none, quarantine, reject; '' where it says nothing
    strict_dkim: bool = False
    strict_spf: bool = False


def _checked(letter: Letter, domain: str, message: InboundMessage) -> Verdict:
    """Only what could stand for the domain in From is looked at: nobody else's name servers can make us wait."""
    lookups = Lookups(seconds=_SECONDS)
    policy = _policy(domain, lookups)
    own = [found for found in signatures(letter) if _is_aligned(found.domain, domain, strict=policy.strict_dkim)]
    for signature in own[:MAX_SIGNATURES]:
        if is_signed(letter, signature, lookups):
            return Authentication.PASSED, _("Signed by %(domain)s (DKIM).") % {"domain": signature.domain}
    by_spf = _ask_spf(message, domain, lookups, strict=policy.strict_spf)
    if by_spf == "pass":
        return Authentication.PASSED, _("Came from a server of %(domain)s (SPF).") % {"domain": domain}
    if forwarder := _vouching(letter, domain, lookups):
        return Authentication.PASSED, _("%(forwarder)s passed it on and says that it stood for %(domain)s (ARC).") % {
            "forwarder": forwarder,
            "domain": domain,
        }
    return _unproven(policy, domain, is_forged=bool(own), by_spf=by_spf)


def _unproven(policy: _Policy, domain: str, *, is_forged: bool, by_spf: str) -> Verdict:
    if policy.wants not in {"quarantine", "reject"}:
        return Authentication.NONE, _("Nothing proves that it is from %(domain)s, which does not ask for proof.") % {"domain": domain}
    if not is_forged and not by_spf:
        return Authentication.NONE, _("It is not signed by %(domain)s, and which server sent it is not known.") % {"domain": domain}
    return Authentication.FAILED, _(
        "%(domain)s asks for proof (DMARC: %(policy)s). Signature: %(signature)s. Sending server: %(server)s."
    ) % {
        "domain": domain,
        "policy": policy.wants,
        "signature": _("false") if is_forged else _("none"),
        "server": by_spf or _("not known"),
    }


def _policy(domain: str, lookups: Lookups) -> _Policy:
    """Of the domain, else of its organization."""
    if tags := _dmarc_record(domain, lookups):
        wants = tags.get("p", "none")
    elif (parent := _organization(domain)) != domain and (tags := _dmarc_record(parent, lookups)):
        wants = tags.get("sp", tags.get("p", "none"))
    else:
        return _Policy()
    is_trial = tags.get("pct") == "0" or tags.get("t") == "y"
    return _Policy("none" if is_trial else wants, strict_dkim=tags.get("adkim") == "s", strict_spf=tags.get("aspf") == "s")


def _dmarc_record(domain: str, lookups: Lookups) -> dict[str, str]:
    """Empty also where there are several, which counts as none (RFC 7489, 6.6.3)."""
    texts = [text.decode("ascii", "replace") for text in lookups.texts(f"_dmarc.{domain}") if text.startswith(b"v=DMARC1")]
    if len(texts) != 1:
        return {}
    pairs = [piece.partition("=") for piece in texts[0][:4_000].split(";")]
    return {name.strip().lower(): value.strip().lower() for name, _equals, value in pairs}


class _Spf(spf.query):  # type: ignore[misc] # pyspf has no types
    """pyspf, which asks the DNS through us."""

    def __init__(self, *, ip: str, mail_from: str, helo: str, lookups: Lookups) -> None:
        super().__init__(i=ip, s=mail_from, h=helo)
        self._lookups = lookups

    def dns(self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False) -> list[Any]:  # noqa: FBT001, FBT002 as pyspf calls it
        found = [_READERS[qtype](record) for record in self._lookups.ask(str(name), qtype)] if qtype in _READERS else []
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > _MAX_VOID:
                raise spf.PermError("too many names that do not exist")
        return found


_READERS: dict[str, Any] = {
    "A": lambda record: record.address,
    "AAAA": lambda record: record.address,
    "MX": lambda record: (record.preference, record.exchange.to_text(omit_final_dot=True)),
    "PTR": lambda record: record.target.to_text(omit_final_dot=True),
    "TXT": lambda record: record.strings,
}


def _ask_spf(message: InboundMessage, domain: str, lookups: Lookups, *, strict: bool) -> str:
    """SPF's result (RFC 7208) if it could stand for the domain; '' where the sending server is not known, as behind a mail server of ours."""
    if not message.client_ip or not ip_address(message.client_ip).is_global:
        return ""
    speaks_for = (message.envelope_from or message.client_name).rpartition("@")[2].lower()
    if not _is_aligned(speaks_for, domain, strict=strict):
        return _("of another domain")
    asked = _Spf(ip=message.client_ip, mail_from=message.envelope_from, helo=message.client_name, lookups=lookups)
    return str(asked.check()[0])


def _vouching(letter: Letter, domain: str, lookups: Lookups) -> str:
    """The trusted forwarder that sealed the mail last and saw it pass; '' when there is none."""
    if not settings.TRUSTED_ARC_DOMAINS:
        return ""
    sealer, said = sealed_by(letter, lookups)
    seen = read_arc_results(said) if sealer in settings.TRUSTED_ARC_DOMAINS else None
    passed = seen and any(
        result.result == "pass" and _is_aligned(result.properties.get("header.from", "").rpartition("@")[2], domain)
        for result in seen.of("dmarc")
    )
    return sealer if passed else ""


# --- Which domains belong together ---------------------------------------------------------------------------------------------


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _organization(domain: str) -> str:
    """The registered domain above it: acme.example of mail.acme.example."""
    return str(_suffixes().privatesuffix(domain) or domain)


def _is_aligned(proven: str, domain: str, *, strict: bool = False) -> bool:
    if not proven or not domain:
        return False
    return proven == domain if strict else _organization(proven) == _organization(domain)
