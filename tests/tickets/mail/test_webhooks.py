"""Mail posted by providers, in the forms that their documentation shows: who may post, what is kept, and when the answer is 200."""

from __future__ import annotations

import hmac
import json
import threading
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from time import process_time
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.db import OperationalError
from django.test import Client

from tests.factories import make_ticket
from tests.test_settings import PRODUCTION, told_by_settings
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets.mail import amazon_ses, ingest
from tickets.mail.form_data import read_form
from tickets.models import InboundMessage, InboundState, Ticket

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

PASSWORD = "provider:correct-horse-battery-staple"
MAILGUN_KEY = "key-of-mailgun"
SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())
SNS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CERTIFICATE = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
TOPIC = "arn:aws:sns:us-east-1:123456789012:support"
RAW = letter(subject="Player is blank", text="It is blank since this morning.\n").replace(b"\n", b"\r\n")
EIGHT_BIT = (
    b"From: ana@acme.example\r\nTo: support@support.example\r\nSubject: Caf\xe9\r\nMessage-ID: <8@x.example>\r\n\r\nna\xefve \x00\xff\r\n"
)


# --- What each provider posts --------------------------------------------------------------------------------------------------


def postmark(raw=None, **changes):
    """https://postmarkapp.com/developer/webhooks/inbound-webhook"""
    person = {"Email": "ana@acme.example", "Name": "Ana Ford", "MailboxHash": ""}
    ours = {"Email": "support@support.example", "Name": "", "MailboxHash": ""}
    event = {
        "FromName": "Ana Ford",
        "MessageStream": "inbound",
        "From": "ana@acme.example",
        "FromFull": person,
        "To": "support@support.example",
        "ToFull": [ours],
        "Cc": "",
        "CcFull": [],
        "Bcc": "",
        "BccFull": [],
        "OriginalRecipient": "support@support.example",
        "Subject": "Player is blank",
        "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b",
        "ReplyTo": "",
        "MailboxHash": "",
        "Date": "Sat, 21 Nov 2026 10:00:00 +0000",
        "TextBody": "It is blank since this morning.\n",
        "HtmlBody": "<p>It is blank since this morning.</p>",
        "StrippedTextReply": "",
        "Tag": "",
        "Headers": [
            {"Name": "Return-Path", "Value": "<bounces@acme.example>"},
            {"Name": "Received", "Value": "by p-pm-inbound01.aws.example with SMTP"},
            {"Name": "Message-ID", "Value": "<pieces@acme.example>"},
        ],
        "Attachments": [
            {
                "Name": "log.txt",
                "Content": b64encode(b"line").decode(),
                "ContentType": "text/plain",
                "ContentLength": 4,
                "ContentID": "",
            }
        ],
    }
    whole = {"RawEmail": raw.decode()} if raw else {}
    return {"data": json.dumps(event | whole | changes), "content_type": "application/json"}


def mailgun(raw=None, *, token="0" * 50, key=MAILGUN_KEY, **changes):
    """https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http"""
    timestamp = "1795255200"
    form = {
        "recipient": "support@support.example",
        "sender": "bounces@acme.example",
        "from": "Ana Ford <ana@acme.example>",
        "subject": "Player is blank",
        "timestamp": timestamp,
        "token": token,
        "signature": hmac.digest(key.encode(), f"{timestamp}{token}".encode(), "sha256").hex(),
    }
    if raw:
        return {
            "data": urlencode({**form, "body-mime": raw}, encoding="utf-8"),
            "content_type": "application/x-www-form-urlencoded",
        }
    headers = [
        ["From", "Ana Ford <ana@acme.example>"],
        ["To", "support@support.example"],
        ["Subject", "Player is blank"],
        ["Date", "Sat, 21 Nov 2026 10:00:00 +0000"],
        ["Message-Id", "<pieces@acme.example>"],
    ]
    pieces = {
        "body-plain": "It is blank since this morning.\n",
        "body-html": "<p>It is blank since this morning.</p>",
        "message-headers": json.dumps(headers),
        "attachment-count": "1",
    }
    return multipart(form | pieces | changes, attachment="attachment-1")


def sendgrid(raw=None, *, key=SENDGRID_KEY, to=("support@support.example",)):
    """https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook"""
    form = {
        "from": "Ana Ford <ana@acme.example>",
        "to": "support@support.example",
        "subject": "Player is blank",
        "sender_ip": "192.0.2.7",
        "dkim": "{@acme.example : pass}",
        "SPF": "pass",
        "envelope": json.dumps({"to": to, "from": "bounces@acme.example"}),
        "charsets": '{"to":"UTF-8","from":"UTF-8","subject":"UTF-8","text":"UTF-8","html":"UTF-8"}',
    }
    if raw:
        post = multipart({**form, "email": raw})
    else:
        pieces = {
            "headers": "From: Ana Ford <ana@acme.example>\nTo: support@support.example\nSubject: Player is blank\n"
            "Date: Sat, 21 Nov 2026 10:00:00 +0000\nMessage-ID: <pieces@acme.example>\n",
            "text": "It is blank since this morning.\n",
            "html": "<p>It is blank since this morning.</p>",
            "attachments": "1",
            "attachment-info": '{"attachment1":{"filename":"log.txt","name":"log.txt","charset":"US-ASCII","type":"text/plain"}}',
        }
        post = multipart(form | pieces, attachment="attachment1")
    signature = b64encode(key.sign(b"1795255200" + post["data"], ec.ECDSA(hashes.SHA256()))).decode()
    headers = {"X-Twilio-Email-Event-Webhook-Signature": signature, "X-Twilio-Email-Event-Webhook-Timestamp": "1795255200"}
    return {**post, "headers": headers}


def multipart(form, *, attachment=""):
    """With the file log.txt in the field `attachment`. Values may be bytes that are no UTF-8."""
    body = b"".join(
        b'--xYzZY\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), as_bytes(text))
        for name, text in form.items()
    )
    if attachment:
        body += b'--xYzZY\r\nContent-Disposition: form-data; name="%b"; filename="log.txt"\r\n' % attachment.encode()
        body += b"Content-Type: text/plain\r\n\r\nline\r\n"
    return {"data": body + b"--xYzZY--\r\n", "content_type": "multipart/form-data; boundary=xYzZY"}


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def ses(raw=RAW, *, action="SNS", **changes):
    """https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-examples.html"""
    actions = {
        "SNS": {"type": "SNS", "topicArn": TOPIC, "encoding": "BASE64"},
        "UTF-8": {"type": "SNS", "topicArn": TOPIC, "encoding": "UTF8"},
        "S3": {"type": "S3", "topicArn": TOPIC, "bucketName": "mails", "objectKey": "in/d6iitobk75ur44p8kdnnp7g2n800"},
        "Lambda": {"type": "Lambda", "topicArn": TOPIC, "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:x"},
    }
    verdicts = {f"{name}Verdict": {"status": "PASS"} for name in ("spam", "virus", "spf", "dkim")}
    event = {
        "notificationType": "Received",
        "receipt": {
            "timestamp": "2026-11-21T10:00:00.000Z",
            "processingTimeMillis": 222,
            "recipients": ["support@support.example"],
            "action": actions[action],
            **verdicts,
        },
        "mail": {
            "timestamp": "2026-11-21T10:00:00.000Z",
            "source": "bounces@acme.example",
            "messageId": "d6iitobk75ur44p8kdnnp7g2n800",
            "destination": ["support@support.example"],
            "headersTruncated": False,
            "headers": [],
            "commonHeaders": {"subject": "Player is blank"},
        },
    }
    content = {"SNS": b64encode(raw).decode(), "UTF-8": raw.decode("utf-8", "replace")}.get(action)
    return sns("Notification", json.dumps(event | ({"content": content} if content else {})), **changes)


def sns(kind, message, *, key=SNS_KEY, version="2", **changes):
    """https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html"""
    note = {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": "2026-11-21T10:00:00.000Z",
    }
    signed = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
    if kind == "Notification":
        note["Subject"] = "Amazon SES Email Receipt Notification"
        signed.insert(2, "Subject")
    else:
        note["Token"], note["SubscribeURL"] = "2336412f37", "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"
        signed = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{note[name]}\n" for name in signed)
    signature = key.sign(text.encode(), padding.PKCS1v15(), {"1": hashes.SHA1, "2": hashes.SHA256}[version]())
    note |= {"SignatureVersion": version, "Signature": b64encode(signature).decode(), "SigningCertURL": CERTIFICATE} | changes
    headers = {"x-amz-sns-message-type": kind, "x-amz-sns-message-id": note["MessageId"], "x-amz-sns-topic-arn": TOPIC}
    return {"data": json.dumps(note), "content_type": "text/plain; charset=UTF-8", "headers": headers}


WHOLE: dict[str, Any] = {"postmark": postmark, "mailgun": mailgun, "sendgrid": sendgrid, "amazon_ses": ses}
PIECES: dict[str, Any] = {"postmark": postmark, "mailgun": mailgun, "sendgrid": sendgrid}


# --- The world around ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(monkeypatch):
    """SNS's, fetched from nowhere. Gives the addresses that were asked."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, SNS_KEY.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    pem = built.sign(SNS_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    asked = []

    def get(url, **_options):
        asked.append(url)
        answer = requests.Response()
        answer.status_code, answer._content = 200, pem
        return answer

    amazon_ses._key.cache_clear()
    monkeypatch.setattr(requests, "get", get)
    return asked


class Amazon(BaseHTTPRequestHandler):
    """S3 and SNS, as far as boto3 asks them here."""

    def do_GET(self):
        raw = self.server.objects.get(self.path)
        self.answer(200 if raw else 404, raw or b"<Error><Code>NoSuchKey</Code></Error>")

    def do_POST(self):
        self.server.asked.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        confirmed = f"<ConfirmSubscriptionResult><SubscriptionArn>{TOPIC}:1</SubscriptionArn></ConfirmSubscriptionResult>"
        self.answer(200, f"<ConfirmSubscriptionResponse>{confirmed}</ConfirmSubscriptionResponse>".encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


@pytest.fixture
def amazon(settings, monkeypatch, doors):
    with ThreadingHTTPServer(("127.0.0.1", 0), Amazon) as server:
        server.objects, server.asked = {}, []
        settings.ANYMAIL = settings.ANYMAIL | {
            "AMAZON_SES_CLIENT_PARAMS": {
                "endpoint_url": f"http://127.0.0.1:{server.server_port}",
                "aws_access_key_id": "AKIDEXAMPLE",
                "aws_secret_access_key": "secret",
                "region_name": "us-east-1",
            }
        }
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


@pytest.fixture
def doors(settings, workflow, certificate):
    """All providers are switched on."""
    settings.MAIL_WEBHOOKS = ["amazon_ses", "mailgun", "postmark", "sendgrid"]
    public = SENDGRID_KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings.ANYMAIL = {
        "WEBHOOK_SECRET": PASSWORD,
        "MAILGUN_WEBHOOK_SIGNING_KEY": MAILGUN_KEY,
        "SENDGRID_INBOUND_WEBHOOK_VERIFICATION_KEY": b64encode(public).decode(),
    }


def send(provider, *, data, content_type, headers=None, password=PASSWORD, kind="mime"):
    """As a program does: no cookie, no token of a form."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    login = {"Authorization": f"Basic {b64encode(password.encode()).decode()}"} if password else {}
    return client.post(f"/webhooks/{provider}/{kind}", data, content_type, headers=(headers or {}) | login)


def said():
    """Of the one ticket that came of it all."""
    ingest.ingest_waiting()
    ticket = Ticket.objects.get()
    comment = ticket.comments.get()
    return ticket.requester.email, ticket.subject, comment.text, [file.name for file in comment.attachments.all()]


# --- What is kept --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", WHOLE)
def test_whole_mail_is_kept_byte_for_byte_and_becomes_a_ticket(doors, ana, provider):
    assert send(provider, **WHOLE[provider](RAW)).status_code == 200
    stored = InboundMessage.objects.get()
    assert (bytes(stored.raw), stored.state, stored.envelope_from, stored.envelope_to) == (
        RAW,
        InboundState.WAITING,
        "bounces@acme.example",
        "support@support.example",
    )
    assert said() == ("ana@acme.example", "Player is blank", "It is blank since this morning.", [])


@pytest.mark.parametrize("provider", PIECES)
def test_mail_in_pieces_is_put_together_and_becomes_a_ticket(doors, ana, provider):
    assert send(provider, **PIECES[provider]()).status_code == 200
    stored = InboundMessage.objects.get()
    assert (stored.envelope_from, stored.envelope_to) == ("bounces@acme.example", "support@support.example")
    assert said() == ("ana@acme.example", "Player is blank", "It is blank since this morning.", ["log.txt"])


@pytest.mark.parametrize("provider", ["mailgun", "sendgrid", "amazon_ses"])
def test_bytes_that_are_no_text_are_kept_too(doors, provider):
    assert send(provider, **WHOLE[provider](EIGHT_BIT)).status_code == 200
    assert bytes(InboundMessage.objects.get().raw) == EIGHT_BIT


def test_amazon_when_it_sends_the_mail_as_text_then_it_is_kept(doors):
    assert send("amazon_ses", **ses(action="UTF-8")).status_code == 200
    assert bytes(InboundMessage.objects.get().raw) == RAW


def test_amazon_when_the_mail_is_in_s3_then_it_is_fetched(amazon):
    amazon.objects["/mails/in/d6iitobk75ur44p8kdnnp7g2n800"] = EIGHT_BIT
    assert send("amazon_ses", **ses(action="S3")).status_code == 200
    assert bytes(InboundMessage.objects.get().raw) == EIGHT_BIT


def test_amazon_when_s3_has_no_such_mail_then_it_is_to_try_again(amazon):
    assert (send("amazon_ses", **ses(action="S3")).status_code, InboundMessage.objects.count()) == (500, 0)


def test_amazon_when_the_topic_asks_whether_we_want_it_then_we_say_so(amazon):
    answer = send("amazon_ses", **sns("SubscriptionConfirmation", f"You have chosen to subscribe to the topic {TOPIC}."))
    said = [{name: asked[name] for name in ("Action", "TopicArn", "Token")} for asked in amazon.asked]
    assert (answer.status_code, said) == (200, [{"Action": ["ConfirmSubscription"], "TopicArn": [TOPIC], "Token": ["2336412f37"]}])
    assert InboundMessage.objects.count() == 0


def test_mail_larger_than_a_form_of_ours_is_taken(doors):
    large = RAW + b"line of text\r\n" * 300_000
    assert send("mailgun", **mailgun(large)).status_code == 200
    assert bytes(InboundMessage.objects.get().raw) == large


def test_mail_above_the_limit_is_taken_once_and_shown_to_staff(doors, monkeypatch):
    monkeypatch.setattr("tickets.mail.structure.MAX_BYTES", 100_000)
    assert send("sendgrid", **sendgrid(RAW + b"line of text\r\n" * 10_000)).status_code == 200
    ingest.ingest_waiting()
    stored = InboundMessage.objects.get()
    assert (stored.state, stored.from_address, stored.subject) == (InboundState.FAILED, "ana@acme.example", "Player is blank")


@pytest.mark.parametrize(("megabytes", "status"), [(100, 401), (101, 413)])
def test_body_that_no_mail_can_have_is_refused_unread(doors, client, megabytes, status):
    assert client.post("/webhooks/postmark/mime", CONTENT_LENGTH=str(megabytes * 1024 * 1024)).status_code == status


def test_mail_to_several_of_our_addresses_is_kept_under_the_signed_one(doors, ana):
    signed = signed_address(make_ticket(ana), ana)
    send("sendgrid", **sendgrid(RAW, to=["support@support.example", signed]))
    assert InboundMessage.objects.get().envelope_to == signed


def test_envelope_that_no_database_would_take_does_not_lose_the_mail(doors):
    assert send("postmark", **postmark(RAW, OriginalRecipient="\0support@support.example")).status_code == 200
    assert InboundMessage.objects.get().envelope_to == ""


def test_mail_that_defies_being_put_together_waits_for_staff_as_it_was_posted(doors):
    post = mailgun(**{"message-headers": json.dumps([["From", "ana@acme.example"], ["Subject", "a\r\nBcc: all@acme.example"]])})
    assert send("mailgun", **post).status_code == 200
    ingest.ingest_waiting()
    stored = InboundMessage.objects.get()
    assert (stored.state, stored.subject) == (InboundState.HELD, "What Mailgun posted could not be read as a mail")
    enclosed = [part.get_payload(decode=True) for part in message_from_bytes(bytes(stored.raw)).walk() if part.get_filename()]
    assert enclosed == [post["data"]]


# --- Once ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("post", [partial(postmark, RAW), partial(sendgrid, RAW), ses, postmark, sendgrid])
def test_mail_posted_again_is_one(doors, post):
    provider = {"postmark": "postmark", "sendgrid": "sendgrid", "ses": "amazon_ses"}[getattr(post, "func", post).__name__]
    assert [send(provider, **post()).status_code for _again in range(2)] == [200, 200]
    assert InboundMessage.objects.count() == 1


@pytest.mark.parametrize("raw", [RAW, None], ids=["whole", "pieces"])
def test_mailgun_when_it_posts_again_under_another_token_then_the_mail_is_one(doors, raw):
    assert [send("mailgun", **mailgun(raw, token=token * 50)).status_code for token in "01"] == [200, 200]
    assert InboundMessage.objects.count() == 1


@pytest.mark.parametrize("provider", WHOLE)
def test_mail_that_came_by_another_way_before_is_one_ticket(doors, ana, provider):
    take_in(RAW.replace(b"\r\n", b"\n"))
    assert (
        send(provider, **WHOLE[provider](b"Received: by inbound.provider.example; Sat, 21 Nov 2026 10:00:01 +0000\r\n" + RAW)).status_code
        == 200
    )
    assert (InboundMessage.objects.count(), Ticket.objects.count()) == (1, 1)


# --- Who may post --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["", "provider:", "provider:wrong", ":", PASSWORD + "x"])
@pytest.mark.parametrize("provider", WHOLE)
def test_wrong_password_is_asked_again_and_nothing_is_kept(doors, provider, password):
    answer = send(provider, **WHOLE[provider](RAW), password=password)
    assert (answer.status_code, answer["WWW-Authenticate"], InboundMessage.objects.count()) == (401, "Basic", 0)


FORGED = {
    "mailgun, another key": ("mailgun", mailgun(RAW, key="another")),
    "mailgun, a token that is no text": ("mailgun", mailgun(RAW, token="é")),
    "mailgun, in pieces": ("mailgun", mailgun(key="another")),
    "mailgun, no form": ("mailgun", {"data": "{", "content_type": "application/json"}),
    "mailgun, unsigned": ("mailgun", multipart({"body-mime": RAW})),
    "sendgrid, another key": ("sendgrid", sendgrid(RAW, key=ec.generate_private_key(ec.SECP256R1()))),
    "sendgrid, unsigned": ("sendgrid", sendgrid(RAW) | {"headers": {}}),
    "sendgrid, altered": ("sendgrid", sendgrid(RAW) | {"data": sendgrid(RAW)["data"].replace(b"blank", b"black")}),
    "ses, another key": ("amazon_ses", ses(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))),
    "ses, altered": ("amazon_ses", ses(Timestamp="2026-11-22T10:00:00.000Z")),
    "ses, another hash": ("amazon_ses", ses(SignatureVersion="3")),
    "ses, no note": ("amazon_ses", {"data": "[]", "content_type": "text/plain"}),
    "ses, no JSON": ("amazon_ses", {"data": "{", "content_type": "text/plain"}),
    "ses, no headers": ("amazon_ses", ses() | {"headers": {}}),
    "sns, altered": ("amazon_ses", sns("SubscriptionConfirmation", "", Token="mine")),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_post_is_refused_and_nothing_is_kept(amazon, name):
    provider, post = FORGED[name]
    assert (send(provider, **post).status_code, InboundMessage.objects.count(), amazon.asked) == (400, 0, [])


@pytest.mark.parametrize("version", ["1", "2"])
def test_amazon_when_it_signs_by_either_version_then_it_is_believed(doors, version):
    assert send("amazon_ses", **ses(version=version)).status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
        "https://sns.evil.example/x.amazonaws.com/x.pem",
        "https://evil.example/?https://sns.us-east-1.amazonaws.com/x.pem",
        "https://mails.s3.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com:8443@evil.example/x.pem",
        "http://127.0.0.1/x.pem",
    ],
)
def test_certificate_from_elsewhere_is_not_even_fetched(doors, certificate, url):
    assert (send("amazon_ses", **ses(SigningCertURL=url)).status_code, certificate) == (400, [])


def test_certificate_is_fetched_once(doors, certificate):
    for _again in range(2):
        send("amazon_ses", **ses())
    assert certificate == [CERTIFICATE]


@pytest.mark.parametrize("provider", [*WHOLE, "mandrill"])
def test_provider_that_is_not_switched_on_has_no_address(doors, settings, provider):
    settings.MAIL_WEBHOOKS = []
    assert (send(provider, **postmark(RAW)).status_code, InboundMessage.objects.count()) == (404, 0)


@pytest.mark.parametrize("provider", WHOLE)
def test_without_a_password_of_ours_there_is_no_door(doors, settings, provider):
    settings.ANYMAIL = settings.ANYMAIL | {"WEBHOOK_SECRET": ""}
    assert (send(provider, **WHOLE[provider](RAW), password="").status_code, InboundMessage.objects.count()) == (404, 0)


def test_refusal_says_nothing_of_the_mail_in_the_log(doors, caplog):
    send("amazon_ses", data="{ It is blank since this morning", content_type="text/plain")
    assert "the webhook of Amazon SES was refused: AnymailAPIError" in caplog.text
    assert "this morning" not in caplog.text


# --- What fails ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", WHOLE)
def test_database_that_is_away_makes_the_provider_try_again(doors, monkeypatch, provider):
    def fail(*_args, **_kwargs):
        raise OperationalError("the database is away")

    monkeypatch.setattr(InboundMessage.objects, "get_or_create", fail)
    assert send(provider, **WHOLE[provider](RAW)).status_code == 503


@pytest.mark.parametrize("kept", [-4, -20, -200])
def test_form_that_breaks_off_is_no_mail(doors, kept):
    """Mailgun's signature would not tell."""
    post = mailgun(**{"body-mime": RAW.decode()})
    assert send("mailgun", **post).status_code == 200
    answer = send("mailgun", **post | {"data": post["data"][:kept]})
    assert (answer.status_code, InboundMessage.objects.count()) == (400, 1)


def test_post_that_breaks_off_is_no_mail(doors):
    login = {"Authorization": f"Basic {b64encode(PASSWORD.encode()).decode()}"}
    environment = {"wsgi.input": BytesIO(RAW), "CONTENT_LENGTH": str(len(RAW) + 1)}
    answer = Client().post("/webhooks/postmark/mime", content_type="application/json", headers=login, **environment)
    assert (answer.status_code, InboundMessage.objects.count()) == (400, 0)


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1_000, 400)])
def test_form_of_a_thousand_fields_is_not_read(doors, more, status):
    assert send("mailgun", **mailgun(**{f"x{number}": "" for number in range(more)})).status_code == status


def test_worker_is_woken_once_the_mail_is_committed(doors, monkeypatch):
    seen = []
    monkeypatch.setattr("tickets.mail.webhooks.wake_ingest", lambda: seen.append(InboundMessage.objects.count()))
    send("postmark", **postmark(RAW))
    assert seen == [1]


@pytest.mark.parametrize(
    ("provider", "post"),
    [
        ("postmark", postmark(RecordType="Bounce")),
        ("amazon_ses", ses(action="Lambda")),
        ("mailgun", mailgun(event="delivered")),
    ],
)
def test_post_that_is_no_mail_is_an_error_that_the_provider_shows(doors, provider, post):
    assert (send(provider, **post).status_code, InboundMessage.objects.count()) == (500, 0)


# --- Settings ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"MAIL_WEBHOOKS": ""}, []),
        ({"MAIL_WEBHOOKS": "postmark,amazon_ses,sendgrid", "ANYMAIL_WEBHOOK_SECRET": PASSWORD}, []),
        ({"MAIL_WEBHOOKS": "postmark"}, ["ANYMAIL_WEBHOOK_SECRET"]),
        ({"MAIL_WEBHOOKS": "postmark", "ANYMAIL_WEBHOOK_SECRET": "no-colon-but-long-enough"}, ["ANYMAIL_WEBHOOK_SECRET"]),
        ({"MAIL_WEBHOOKS": "postmark", "ANYMAIL_WEBHOOK_SECRET": "provider:short"}, ["ANYMAIL_WEBHOOK_SECRET"]),
        ({"MAIL_WEBHOOKS": "mailgun", "ANYMAIL_WEBHOOK_SECRET": PASSWORD}, ["ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY"]),
        (
            {"MAIL_WEBHOOKS": "mailgun", "ANYMAIL_WEBHOOK_SECRET": PASSWORD, "ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY": " "},
            ["ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY"],
        ),
        ({"MAIL_WEBHOOKS": "pigeon", "ANYMAIL_WEBHOOK_SECRET": PASSWORD}, ["MAIL_WEBHOOKS"]),
    ],
)
def test_settings_when_a_secret_is_missing_then_name_it(variables, told):
    assert told_by_settings(**PRODUCTION | variables) == told


def test_form_whose_file_has_a_hostile_name_costs_little():
    name = b'; a="x' * 100_000
    began = process_time()
    field = read_form(
        b'--b\r\nContent-Disposition: form-data; name="attachment1"; filename="' + name + b'"\r\n\r\nhello\r\n--b--', boundary="b"
    )[0]
    assert (field.name, field.content, process_time() - began < 1) == ("attachment1", b"hello", True)
