"""How passwords are kept in demo mode. Apart from all else, as Django loads it by its name in the settings."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class DemoPasswordHasher(Argon2PasswordHasher):
    """Known in demo mode alone: who goes on with a demo's database for real finds that its public password opens nothing any more."""

    algorithm = "demo"
