"""The link that sets a password, which is also the proof that an address is its owner's. The mail that carries it is sent elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.utils import user_pk_to_url_str
from django.urls import reverse
from django.utils import timezone

from accounts.addresses import domain_of
from accounts.models import Membership
from accounts.tokens import SetPasswordTokens

if TYPE_CHECKING:
    from accounts.models import User


def set_password_path(user: User) -> str:
    """A new link, for the mail that is being sent; those before it die. Nothing but the mail ever holds it."""
    user.link_issued_at = timezone.now()
    user.save(update_fields=["link_issued_at"])
    token = SetPasswordTokens().make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": token})


def prove_address(user: User) -> None:
    """Something that only the owner of the address could have came back: memberships that waited for it begin."""
    if user.proven_at is None:
        user.proven_at = timezone.now()
        user.save(update_fields=["proven_at"])
        # Of a domain that was the organization's when the person came, and still is.
        guessed = Membership.objects.filter(user=user, awaits_proof=True, organization__domains__domain=domain_of(user.email))
        guessed.update(is_active=True, awaits_proof=False)
