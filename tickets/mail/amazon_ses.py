"""Mail that Amazon SES receives and has SNS post to us. Needs boto3, to confirm the subscription and to fetch mails from S3.

django-anymail checks the password alone, and leaves SNS's signature unread. It is checked here, so that a password that leaked is not enough to
hand in mail. The signature alone would not be enough either: SNS signs for anybody who has a topic.
"""

from __future__ import annotations

import re
from base64 import b64decode
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import requests
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.webhooks.amazon_ses import AmazonSESBaseWebhookView, AmazonSESInboundWebhookView
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tickets.mail.webhooks import Posted, Stores, to_bytes

if TYPE_CHECKING:
    from django.http import HttpRequest

# https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
_CERTIFICATE = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[A-Za-z0-9-]+\.pem")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}  # the topic's owner chooses; 1 is SNS's default


class SignedBySns(AmazonSESBaseWebhookView):  # type: ignore[misc] # anymail ships no types
    """anymail calls this and its own checks, whatever overrides what."""

    def validate_request(self, request: HttpRequest) -> None:
        _check_signature(self._parse_sns_message(request))


class AmazonSes(Stores, SignedBySns, AmazonSESInboundWebhookView):  # type: ignore[misc] # anymail ships no types
    """Mails come whole: in the notification up to 150 KB, else from the S3 bucket that it names."""

    def esp_to_anymail_events(self, ses_event: dict[str, Any], sns_message: dict[str, Any]) -> list[Posted]:
        receipt = ses_event.get("receipt", {})
        action = receipt.get("action", {}) if ses_event.get("notificationType") == "Received" else {}
        match action.get("type"):
            case "SNS":
                content = ses_event["content"]
                raw = b64decode(content) if action.get("encoding") == "BASE64" else to_bytes(content)
            case "S3":
                raw = b"".join(self.fetch_s3_chunks(action["bucketName"], action["objectKey"]))
            case _:
                super().esp_to_anymail_events(ses_event, sns_message)  # raises, and says what is set up in another way than it should be
                return []
        return [Posted(raw, ses_event.get("mail", {}).get("source"), receipt.get("recipients") or [])]


def _check_signature(note: dict[str, Any]) -> None:
    """Raises AnymailWebhookValidationFailure, or whatever reading a note raises that is none of SNS's."""
    signed = "".join(f"{name}\n{note[name]}\n" for name in _SIGNED[note["Type"]] if name in note)
    if not _CERTIFICATE.fullmatch(note["SigningCertURL"]):
        raise AnymailWebhookValidationFailure("The certificate is not one of SNS.")
    key = _key(note["SigningCertURL"])
    try:
        key.verify(b64decode(note["Signature"]), signed.encode(), PKCS1v15(), _HASHES[note["SignatureVersion"]]())
    except InvalidSignature as error:
        raise AnymailWebhookValidationFailure("SNS did not sign this.") from error


@lru_cache(maxsize=16)
def _key(url: str) -> RSAPublicKey:
    """That TLS proves the host is all that says whose it is; nothing is followed to another."""
    answer = requests.get(url, timeout=5, allow_redirects=False)
    answer.raise_for_status()
    key = x509.load_pem_x509_certificate(answer.content).public_key()
    if not isinstance(key, RSAPublicKey):
        raise AnymailWebhookValidationFailure("The certificate has no RSA key.")
    return key
