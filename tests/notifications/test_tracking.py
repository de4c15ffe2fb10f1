"""What providers say became of our mail, in the forms that their documentation shows."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import mail
from django.utils import timezone

from notifications.channels import deliver_due
from notifications.models import Delivery, State, Suspension
from notifications.relay import relay_waiting
from tests.factories import make_ticket
from tests.tickets.mail.test_webhooks import MAILGUN_KEY, SENDGRID_KEY, certificate, doors, send, sns  # noqa: F401 two are fixtures

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("doors"),
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

SAID = "550 5.1.1 The email account that you tried to reach does not exist"


@pytest.fixture
def delivery(ana):
    """Of the mail that confirms Ana's ticket, which has left."""
    make_ticket(ana)
    return send_all().get(address=ana.email)


@pytest.fixture
def key(settings):
    public = SENDGRID_KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings.ANYMAIL = settings.ANYMAIL | {"SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": b64encode(public).decode()}


def send_all():
    relay_waiting()
    Delivery.objects.filter(state=State.QUEUED).update(next_attempt_at=timezone.now())
    deliver_due()
    return Delivery.objects.filter(state=State.SENT)


def postmark(pk, *, to="ana@acme.example", kind="HardBounce", words=SAID):
    """https://postmarkapp.com/developer/webhooks/bounce-webhook"""
    event = {
        "RecordType": "Bounce",
        "MessageStream": "outbound",
        "ID": 4323372036854775807,
        "Type": kind,
        "TypeCode": 1,
        "Name": "Hard bounce",
        "Tag": "",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {"delivery": str(pk)},
        "ServerID": 23,
        "Description": "The server was unable to deliver your message.",
        "Details": f"smtp;{words}",
        "Email": to,
        "From": "support@support.example",
        "BouncedAt": "2026-11-21T10:00:00Z",
        "DumpAvailable": False,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "Player is blank",
    }
    return {"data": json.dumps(event), "content_type": "application/json"}


def mailgun(pk, *, to="ana@acme.example", kind="permanent", words=SAID, key=MAILGUN_KEY):
    """https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks"""
    signature = hmac.digest(key.encode(), b"1795255200" + b"0" * 50, "sha256").hex()
    event = {
        "signature": {"timestamp": "1795255200", "token": "0" * 50, "signature": signature},
        "event-data": {
            "id": "G9Bn5sl1TC6nu79C8C0bwg",
            "timestamp": 1795255200.0,
            "event": "failed",
            "severity": kind,
            "reason": "generic",
            "delivery-status": {"code": 550, "message": words, "description": "", "attempt-no": 1},
            "message": {"headers": {"to": to, "message-id": "1@support.example", "from": "support@support.example", "subject": "x"}},
            "recipient": to,
            "user-variables": {"delivery": str(pk)},
            "tags": [],
        },
    }
    return {"data": json.dumps(event), "content_type": "application/json"}


def sendgrid(pk, *, to="ana@acme.example", kind="bounce", words=SAID, key=SENDGRID_KEY):
    """https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"""
    event = {
        "email": to,
        "timestamp": 1795255200,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": kind,
        "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
        "sg_message_id": "14c5d75ce93.dfd.64b469",
        "reason": words,
        "status": "5.1.1",
        "type": "bounce",
        "delivery": str(pk),
    }
    data = json.dumps([event]).encode()
    signature = b64encode(key.sign(b"1795255200" + data, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {"X-Twilio-Email-Event-Webhook-Signature": signature, "X-Twilio-Email-Event-Webhook-Timestamp": "1795255200"}
    return {"data": data, "content_type": "application/json", "headers": headers}


def ses(pk, *, to="ana@acme.example", words=SAID, **changes):
    """https://docs.aws.amazon.com/ses/latest/dg/notification-examples.html"""
    recipient = {"emailAddress": to, "status": "5.1.1", "action": "failed", "diagnosticCode": f"smtp; {words}"}
    event = {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [recipient],
            "timestamp": "2026-11-21T10:00:00.000Z",
            "feedbackId": "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa068a-000000",
        },
        "mail": {
            "timestamp": "2026-11-21T09:59:59.000Z",
            "source": "support@support.example",
            "messageId": "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa0680-000000",
            "destination": [to],
            "headersTruncated": False,
            "headers": [{"name": "X-Metadata", "value": json.dumps({"delivery": str(pk)})}],
        },
    }
    return sns("Notification", json.dumps(event), **changes)


PROVIDERS: dict[str, Any] = {"postmark": postmark, "mailgun": mailgun, "sendgrid": sendgrid, "amazon_ses": ses}
track = partial(send, kind="tracking")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_mail_that_came_back_is_marked_with_the_servers_words(delivery, key, provider):
    assert track(provider, **PROVIDERS[provider](delivery.pk)).status_code == 200
    delivery.refresh_from_db()
    assert (delivery.state, SAID in delivery.error, delivery.bounced_at is None) == (State.BOUNCED, True, False)


@pytest.mark.parametrize(("provider", "kind"), [("postmark", "Transient"), ("mailgun", "temporary"), ("sendgrid", "deferred")])
def test_mail_that_is_delayed_is_sent_still(delivery, key, provider, kind):
    words = "451 4.7.1 Greylisted, try again later"
    assert track(provider, **PROVIDERS[provider](delivery.pk, kind=kind, words=words)).status_code == 200
    delivery.refresh_from_db()
    assert (delivery.state, words in delivery.error) == (State.SENT, True)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_mail_of_somebody_else_is_nothing_to_us(delivery, key, provider):
    answers = [
        track(provider, **PROVIDERS[provider](delivery.pk, to="else@acme.example")).status_code,
        track(provider, **PROVIDERS[provider]("newsletter-7")).status_code,
        track(provider, **PROVIDERS[provider](delivery.pk + 1000)).status_code,
        track(provider, **PROVIDERS[provider]("9" * 30)).status_code,
    ]
    delivery.refresh_from_db()
    assert (answers, delivery.state, delivery.error) == ([200] * 4, State.SENT, "")


def test_mail_that_was_opened_says_nothing_about_delivery(delivery, key):
    assert track("sendgrid", **sendgrid(delivery.pk, kind="open")).status_code == 200
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (State.SENT, "")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_wrong_password_marks_nothing(delivery, key, provider):
    assert track(provider, **PROVIDERS[provider](delivery.pk), password="provider:wrong").status_code == 401
    delivery.refresh_from_db()
    assert delivery.state == State.SENT


@pytest.mark.parametrize(
    ("provider", "forged"),
    [
        ("mailgun", {"key": "another"}),
        ("sendgrid", {"key": ec.generate_private_key(ec.SECP256R1())}),
        ("amazon_ses", {"Timestamp": "2026-11-22T10:00:00.000Z"}),
    ],
)
def test_wrong_signature_marks_nothing(delivery, key, provider, forged):
    assert track(provider, **PROVIDERS[provider](delivery.pk, **forged)).status_code == 400
    delivery.refresh_from_db()
    assert delivery.state == State.SENT


def test_address_that_comes_back_again_and_again_gets_no_more(ana):
    for number in range(3):
        make_ticket(ana, f"Ticket {number}")
        for sent in send_all().filter(address=ana.email):
            track("postmark", **postmark(sent.pk))
    assert Suspension.objects.get().address == ana.email


def test_mail_carries_the_mark_that_providers_give_back(delivery):
    assert [sent.metadata for sent in mail.outbox if "ana@acme.example" in sent.to[0]] == [{"delivery": str(delivery.pk)}]
