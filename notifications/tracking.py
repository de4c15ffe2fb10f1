"""What a provider that mail leaves through says became of it, posted to a webhook. Marks the delivery, as a bounce that comes by mail does.

Asked in the same way as mail that is posted: the same providers, password and signatures (`tickets.mail.webhooks`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anymail.signals import AnymailTrackingEvent, EventType
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from django.views.decorators.csrf import csrf_exempt

from notifications import bounces
from tickets.mail.webhooks import Proven, admit

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from tickets.mail.reports import Action

_VIEWS = {
    "amazon_ses": "notifications.tracking_amazon_ses.AmazonSes",
    "mailgun": "notifications.tracking.Mailgun",
    "postmark": "notifications.tracking.Postmark",
    "sendgrid": "notifications.tracking.SendGrid",
}
_ACTIONS: dict[str, Action] = {
    EventType.BOUNCED: "failed",
    EventType.REJECTED: "failed",
    EventType.FAILED: "failed",
    EventType.DEFERRED: "delayed",
}


@csrf_exempt
def tracking(request: HttpRequest, provider: str) -> HttpResponseBase:
    return admit(request, provider, _VIEWS)


class Marks(Proven):
    """Of a view for tracking. What came of a mail that is none of ours, or was only opened, is nothing to us."""

    def take(self, posted: list[AnymailTrackingEvent]) -> None:
        for event in posted:
            action, delivery = _ACTIONS.get(event.event_type), str((event.metadata or {}).get("delivery"))
            if action and delivery.isdecimal():
                words = event.mta_response or event.description or event.reject_reason or ""
                bounces.mark_told(int(delivery), address=event.recipient or "", action=action, diagnostic=words)


class Mailgun(Marks, MailgunTrackingWebhookView):  # type: ignore[misc] # anymail ships no types
    pass


class Postmark(Marks, PostmarkTrackingWebhookView):  # type: ignore[misc] # anymail ships no types
    pass


class SendGrid(Marks, SendGridTrackingWebhookView):  # type: ignore[misc] # anymail ships no types
    pass
