"""`manage.py forget_second_step ana@example.com`: for who lost phone and recovery codes. Make sure by another way who is asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Removes a person's authenticator app, passkeys and recovery codes, and tells them by mail. The password stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")

    @transaction.atomic
    def handle(self, *_args: Any, **options: Any) -> None:
        person = User.objects.by_address(options["address"])
        if person is None:
            raise CommandError(f"Nobody has the address {options['address']}.")
        removed, _each = Authenticator.objects.filter(user=person).delete()
        if removed:
            get_adapter().tell_second_step_forgotten(person)
        self.stdout.write(f"{person.email}: {removed} removed.")
