"""One spelling for each address, and which domains may stand for an organization."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.addresses import domain_of, normalise_address
from accounts.models import EmailDomain, Membership, User
from tests.factories import make_user

KELVIN = "\N{KELVIN SIGN}"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ana@Acme.Example\n", "ana@acme.example"),
        ("ana@acme.example", "ana@acme.example"),
        (f"{KELVIN}im@acme.example", f"{KELVIN}im@acme.example"),
        ("ANA\N{LATIN SMALL LETTER DOTLESS I}@acme.example", "ana\N{LATIN SMALL LETTER DOTLESS I}@acme.example"),
        ("STRA\N{LATIN SMALL LETTER SHARP S}E@acme.example", "stra\N{LATIN SMALL LETTER SHARP S}e@acme.example"),
        ("Ana+Tag@Acme.Example", "ana+tag@acme.example"),
        ("", ""),
    ],
)
def test_address_when_normalised_then_ascii_letters_alone_are_lowered(typed, kept):
    assert normalise_address(typed) == kept


@pytest.mark.parametrize(
    ("address", "domain"), [("a@acme.example", "acme.example"), ('"a@b"@acme.example', "acme.example"), ("acme.example", ""), ("", "")]
)
def test_domain_of_address_is_what_follows_the_last_at(address, domain):
    assert domain_of(address) == domain


@pytest.mark.django_db
def test_account_when_address_differs_by_case_then_is_one():
    person = make_user("Kim@Acme.Example")
    assert User.objects.by_address("KIM@acme.EXAMPLE") == person


@pytest.mark.django_db
def test_account_when_address_folds_to_it_then_is_not_found():
    make_user("kim@acme.example")
    assert User.objects.by_address(f"{KELVIN}im@acme.example") is None


@pytest.mark.django_db
def test_account_when_tagged_then_is_another():
    make_user("kim@acme.example")
    assert User.objects.by_address("kim+x@acme.example") is None


@pytest.mark.parametrize("domain", ["gmail.com", "GMAIL.com ", "web.de", "support.example", "Support.Example"])
@pytest.mark.django_db
def test_domain_when_public_or_our_own_then_is_refused(acme, domain):
    with pytest.raises(ValidationError) as refusal:
        EmailDomain(organization=acme, domain=domain).full_clean()
    assert list(refusal.value.message_dict) == ["domain"]


@pytest.mark.parametrize(
    "domain", ["acme", "acme.", ".acme.example", "a b.example", "acme..example", "@acme.example", "", f"ac{KELVIN}e.example"]
)
@pytest.mark.django_db
def test_domain_when_malformed_then_is_refused(acme, domain):
    with pytest.raises(ValidationError) as refusal:
        EmailDomain(organization=acme, domain=domain).full_clean()
    assert list(refusal.value.message_dict) == ["domain"]


@pytest.mark.django_db
def test_domain_when_typed_carelessly_then_is_kept_in_one_spelling(acme):
    row = EmailDomain(organization=acme, domain=" Acme.Example\n")
    row.full_clean()
    assert row.domain == "acme.example"


@pytest.mark.django_db
def test_domain_when_another_organization_has_it_then_is_refused(acme, globex):
    EmailDomain.objects.create(organization=acme, domain="acme.example")
    with pytest.raises(ValidationError, match="already exists"):
        EmailDomain(organization=globex, domain="ACME.example").full_clean()


@pytest.mark.django_db
def test_teammates_when_one_is_inactive_in_the_organization_then_are_none(acme, ana, ben):
    assert (ana.is_teammate_of(ben), ben.is_teammate_of(ana)) == (True, True)
    Membership.objects.filter(user=ben).update(is_active=False)
    assert (ana.is_teammate_of(ben), ben.is_teammate_of(ana)) == (False, False)
