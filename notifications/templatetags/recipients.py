"""Who gets mails. Put together here: a template that looked up each part of each mail took longer than the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.models import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from notifications.models import Delivery

register = template.Library()

_LONGEST = 120  # characters of what a server said


@register.simple_tag
def recipients(deliveries: Iterable[Delivery]) -> str:
    """Each by name, which leads to the mail, with why they get it and what has come between."""
    return format_html_join(
        ", ",
        '<a href="{}">{}</a> ({})',
        (
            (reverse("desk_mail_out", args=[delivery.pk]), delivery.recipient.display_name, "; ".join([delivery.why, *_so_far(delivery)]))
            for delivery in deliveries
        ),
    )


def _so_far(delivery: Delivery) -> list[str]:
    found = [_("with the daily mail")] if delivery.state == State.COLLECTED else []
    if delivery.error and delivery.state == State.SENT:
        found.append(_("delayed: %(error)s") % {"error": Truncator(delivery.error).chars(_LONGEST)})
    elif delivery.error:
        tries = ngettext("%(count)d try so far", "%(count)d tries so far", delivery.attempts)
        found.append(tries % {"count": delivery.attempts})
    return found
