"""What every page knows about the installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest

_THEMES = ("light", "dark")


def site(request: HttpRequest) -> dict[str, Any]:
    theme = request.COOKIES.get("theme", "")
    return {
        "site_name": settings.SITE_NAME,
        "site_logo": settings.SITE_LOGO,
        "accent": settings.ACCENT,
        "staff_mfa": settings.STAFF_MFA,
        "oidc_name": settings.OIDC_NAME if settings.OIDC_SERVER_URL else "",
        "signup_open": settings.SIGNUP != "off",
        "support_address": settings.SUPPORT_ADDRESS,
        "demo": settings.DEMO,
        "demo_accounts": _demo_accounts() if settings.DEMO else (),
        "theme": theme if theme in _THEMES else "",
    }


def _demo_accounts() -> list[dict[str, str]]:
    """For the login page of a demo, whose password is public."""
    from tickets.demo.story import DEMO_ACCOUNTS  # noqa: PLC0415 never loaded by a real installation

    return [{"email": one.email, "name": one.name, "role": one.what} for one in DEMO_ACCOUNTS]
