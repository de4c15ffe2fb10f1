"""The way in for mail that a provider posts to us: who posts is proven, the mail is stored and committed, and only then the answer is 200.

django-anymail's views prove who posts and put a mail together that a provider took apart. A mail that is posted as it came in is kept exactly so, and
nothing here reads it: that is for `tickets.mail.ingest`, which survives hostile ones.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from email.message import EmailMessage
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from anymail.exceptions import AnymailConfigurationError, AnymailError
from anymail.utils import get_request_basic_auth
from anymail.webhooks.base import AnymailBaseWebhookView
from anymail.webhooks.mailgun import MailgunInboundWebhookView
from anymail.webhooks.postmark import PostmarkInboundWebhookView
from anymail.webhooks.sendgrid import SendGridBaseWebhookView, SendGridInboundWebhookView
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.crypto import constant_time_compare
from django.utils.datastructures import MultiValueDict
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt

from tickets.mail import ingest
from tickets.mail.form_data import BrokenForm, read_form
from tickets.tasks import wake_ingest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http.response import HttpResponseBase

logger = logging.getLogger(__name__)

_VIEWS = {  # by path, as Amazon's needs a library of 26 MB that nobody else should have to load
    "amazon_ses": "tickets.mail.amazon_ses.AmazonSes",
    "mailgun": "tickets.mail.webhooks.Mailgun",
    "postmark": "tickets.mail.webhooks.Postmark",
    "sendgrid": "tickets.mail.webhooks.SendGrid",
}
_WHOLE_MAILS = ("body-mime", "email")  # the fields in which Mailgun and SendGrid post a mail as it came in


@csrf_exempt
def mime(request: HttpRequest, provider: str) -> HttpResponseBase:
    return admit(request, provider, _VIEWS)


def admit(request: HttpRequest, provider: str, views: dict[str, str]) -> HttpResponseBase:
    """A provider that is not switched on has no address. Nothing of what is posted is read before the password in front of it is right."""
    secret = settings.ANYMAIL.get("WEBHOOK_SECRET")
    if provider not in settings.MAIL_WEBHOOKS or not secret:
        raise Http404
    if not constant_time_compare(get_request_basic_auth(request) or "", secret):
        logger.warning("a post to the webhook of %s had no password, or a wrong one", provider)
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Basic"})  # Amazon sends one only when it is asked for
    try:
        _take_body(request)
    except BrokenForm as error:
        logger.warning("a post to the webhook of %s can't be read: %s", provider, error)
        return HttpResponse(status=400)
    view: Callable[[HttpRequest], HttpResponseBase] = import_string(views[provider]).as_view()
    return view(request)


def _take_body(request: Any) -> None:
    """Where Django would put it, and without its limit for forms (`SizeMiddleware` has ours). Raises BrokenForm."""
    body = request.read()
    if len(body) != int(request.META.get("CONTENT_LENGTH") or 0):
        raise BrokenForm("it ends early")
    request._body, request._files = body, MultiValueDict()
    form = QueryDict(mutable=True)
    if request.content_type in ("multipart/form-data", "application/x-www-form-urlencoded"):
        for field in read_form(body, boundary=request.content_params.get("boundary", "")):
            if field.filename is None:
                # Latin-1 gives each byte a character, and each character its byte again.
                text = field.content.decode("latin-1") if field.name in _WHOLE_MAILS else field.content.decode("utf-8", "replace")
                form.appendlist(field.name, text)
            else:
                request._files.appendlist(field.name, SimpleUploadedFile(field.filename or "file", field.content, field.content_type))
    request.POST = form


@dataclass(frozen=True)
class Posted:
    """A mail, and what its envelope said."""

    raw: bytes
    sender: object
    recipients: Iterable[object]


class Proven(AnymailBaseWebhookView):  # type: ignore[misc] # anymail ships no types
    """Stands before one of anymail's views: what the view makes of a post is handed to `take` instead of signalled."""

    def post(self, request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
        """What can't be stored now is answered with 5xx, here or by Django, so that the provider tries again."""
        try:
            self.run_validators(request)
        except (AnymailError, AttributeError, LookupError, TypeError, ValueError) as error:  # the words of some quote what was posted
            logger.warning("a post to the webhook of %s was refused: %s", self.esp_name, type(error).__name__)
            return HttpResponse(status=400)
        try:
            self.take(self.parse_events(request))
        except Error:
            logger.exception("what %s posted could not be stored", self.esp_name)
            return HttpResponse(status=503)
        return HttpResponse()

    def take(self, posted: list[Any]) -> None:
        """Commits it. Raises django.db.Error when it can't."""
        raise NotImplementedError


class Stores(Proven):
    """Of a view for inbound mail, which makes a `Posted` of each."""

    def take(self, posted: list[Posted]) -> None:
        for mail in posted:
            _store(mail)
        if posted:
            wake_ingest()

    def put_together(self, by_anymail: Callable[[Any], Any], esp_event: object) -> bytes:
        """For a mail that was posted in pieces. One that defies this is kept as it was posted, for staff to see."""
        try:
            message = by_anymail(esp_event).message
            _name_boundaries(message)
            return bytes(message)
        except AnymailConfigurationError:  # it is no mail at all
            raise
        except Exception:
            logger.exception("a mail that %s had taken apart could not be put together", self.esp_name)
            return _enclosed(self.request.body, provider=self.esp_name)


class Postmark(Stores, PostmarkInboundWebhookView):  # type: ignore[misc] # anymail ships no types
    """Whole mails where "Include raw email content in JSON payload" is ticked."""

    def esp_to_anymail_event(self, esp_event: dict[str, Any]) -> Posted:
        whole = esp_event.get("RawEmail")
        raw = to_bytes(whole) if whole else self.put_together(super().esp_to_anymail_event, esp_event)
        # Postmark puts the envelope's sender before the mail's own headers.
        first: dict[str, str] = next(iter(esp_event.get("Headers") or []), {})
        sender = first.get("Value", "").strip("<>") if first.get("Name", "").lower() == "return-path" else ""
        return Posted(raw, sender, [esp_event.get("OriginalRecipient")])


class Mailgun(Stores, MailgunInboundWebhookView):  # type: ignore[misc] # anymail ships no types
    """Whole mails to addresses that end in "mime", as ours does."""

    def esp_to_anymail_event(self, esp_event: HttpRequest) -> Posted:
        form = esp_event.POST
        whole = form.get("body-mime")
        raw = whole.encode("latin-1") if whole else self.put_together(super().esp_to_anymail_event, esp_event)
        return Posted(raw, form.get("sender"), [form.get("recipient")])


class SendGrid(Stores, SendGridBaseWebhookView, SendGridInboundWebhookView):  # type: ignore[misc] # anymail ships no types
    """Whole mails where "POST the raw, full MIME message" is ticked. Its signature is checked where its key is set."""

    key_setting_name = "inbound_webhook_verification_key"

    def esp_to_anymail_event(self, esp_event: HttpRequest) -> Posted:
        form = esp_event.POST
        whole = form.get("email")
        raw = whole.encode("latin-1") if whole else self.put_together(super().esp_to_anymail_event, esp_event)
        envelope = json.loads(form.get("envelope") or "{}")
        return Posted(raw, envelope.get("from"), envelope.get("to") or [])


def to_bytes(text: str) -> bytes:
    """Of a mail in JSON. Half a surrogate pair is no reason to lose it."""
    return text.encode("utf-8", "surrogatepass")


def _store(mail: Posted) -> None:
    mailbox, envelope_to = ingest.meant_for(list(filter(None, map(_address, mail.recipients))))
    ingest.store(mail.raw, mailbox=mailbox, envelope_from=_address(mail.sender), envelope_to=envelope_to)


def _address(value: object) -> str:
    """Empty for what no database would take."""
    return value if isinstance(value, str) and value.isprintable() else ""


def _name_boundaries(message: Any) -> None:
    """By what the parts say: Python's boundaries are random, and a mail posted again would be another mail."""
    parts = list(message.walk())
    digest = sha256()
    for part in parts:
        if not part.is_multipart():
            digest.update(str(part.get_payload()).encode("utf-8", "surrogatepass"))
    for number, part in enumerate(parts):
        if part.get_content_maintype() == "multipart" and part.get_boundary() is None:
            part.set_boundary(f"{digest.hexdigest()}-{number}")


def _enclosed(body: bytes, *, provider: str) -> bytes:
    """A mail that names no sender, so that it waits for staff."""
    mail = EmailMessage()
    mail["Subject"] = f"What {provider} posted could not be read as a mail"
    mail.set_content("It is enclosed as it was posted.\n")
    mail.add_attachment(body, maintype="application", subtype="octet-stream", filename="posted.bin")
    return bytes(mail)
