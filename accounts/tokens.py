"""The token in a link that sets a password. Apart from `accounts.proof`, as allauth loads it while it is loading itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.http import base36_to_int

if TYPE_CHECKING:
    from accounts.models import User

RESET_SECONDS = 3600


class SetPasswordTokens(PasswordResetTokenGenerator):
    """Used once, dead when a newer one is issued, good for an hour, or for PASSWORD_RESET_TIMEOUT where no password was ever set."""

    def check_token(self, user: User | None, token: str | None) -> bool:
        if user is None or not token or not super().check_token(user, token):
            return False
        age = self._num_seconds(self._now()) - base36_to_int(token.partition("-")[0])
        return not user.has_usable_password() or age <= RESET_SECONDS

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.link_issued_at}{user.is_active}"
