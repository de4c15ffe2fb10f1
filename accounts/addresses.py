"""Mail addresses as identities: one spelling for each, and which domains may stand for an organization. Pure."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\Z", re.ASCII)

# Anybody can get an address here, so a shared domain says nothing about a shared employer.
PUBLIC_MAIL_DOMAINS = frozenset(
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com aol.com icloud.com me.com mac.com gmx.com gmx.de "
    "gmx.net web.de t-online.de freenet.de mail.com mail.ru yandex.com yandex.ru proton.me protonmail.com pm.me tutanota.com tuta.io zoho.com "
    "fastmail.com hey.com qq.com 163.com 126.com sina.com naver.com daum.net orange.fr free.fr laposte.net libero.it wp.pl o2.pl seznam.cz "
    "rediffmail.com comcast.net verizon.net att.net btinternet.com".split()
)


def normalise_address(address: str) -> str:
    """Lower-cases ASCII letters alone: Unicode case folding would make other people's addresses equal (the Kelvin sign folds to k)."""
    return address.strip().translate(_ASCII_LOWER)


def domain_of(address: str) -> str:
    """The domain of a normalised address; '' when there is none."""
    return address.rpartition("@")[2] if "@" in address else ""


def validate_domain(value: str) -> None:
    if not _DOMAIN.match(normalise_address(value)):
        raise ValidationError(_("Write a mail domain such as example.com."))
