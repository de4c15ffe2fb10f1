"""Who may make an account for themselves: nobody, anybody, or people of the domains that organizations have. SIGNUP says which."""

from __future__ import annotations

from django.conf import settings

from accounts.addresses import domain_of
from accounts.models import EmailDomain

OFF, ON, DOMAINS = "off", "on", "domains"


def may_sign_up(address: str) -> bool:
    """For a normalised address. Never for our own, whose mail comes back to us."""
    local, _at, domain = address.rpartition("@")
    if settings.SIGNUP == OFF or f"{local.partition('+')[0]}@{domain}" == settings.SUPPORT_ADDRESS:
        return False
    return settings.SIGNUP == ON or EmailDomain.objects.filter(domain=domain_of(address), organization__is_active=True).exists()
