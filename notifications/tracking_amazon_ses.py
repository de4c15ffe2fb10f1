"""The view of `notifications.tracking` that needs boto3."""

from __future__ import annotations

from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView

from notifications.tracking import Marks
from tickets.mail.amazon_ses import SignedBySns


class AmazonSes(Marks, SignedBySns, AmazonSESTrackingWebhookView):  # type: ignore[misc] # anymail ships no types
    pass
