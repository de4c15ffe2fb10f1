"""Who logs in with a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import User

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


class AddressBackend(AuthenticationBackend):  # type: ignore[misc] # allauth ships no types
    """allauth's, with our own idea of whose an address is: one person's, by the login or by an address they have proven."""

    def _authenticate_by_email(self, email: str, password: str) -> AbstractBaseUser | None:
        found: AbstractBaseUser | None = self._check_password(User.objects.by_address(email), password)
        return found

    def get_user(self, user_id: int) -> User | None:
        """Of a session. What is asked on every page comes with the same query, which is put together once."""
        user = _PEOPLE.filter(pk=user_id).first()
        return user if self.user_can_authenticate(user) else None


_PEOPLE = User.objects.with_hidden_groups().order_by()
