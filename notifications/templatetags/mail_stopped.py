"""The banner for a person whose mail came back, on pages that know nothing of mail."""

from __future__ import annotations

from typing import Any

from django import template

from accounts.models import User
from notifications import bounces

register = template.Library()


@register.inclusion_tag("notifications/mail_stopped.html", takes_context=True)
def mail_stopped(context: dict[str, Any]) -> dict[str, Any]:
    person = context["request"].user
    suspension = bounces.running(person) if isinstance(person, User) else None
    return {"suspension": suspension, "csrf_token": context.get("csrf_token")}
