"""The address that only a mail server answers to."""

from __future__ import annotations

import pytest

from tickets.mail.tokens import bounce_address, read_bounce_address


def test_bounce_address_names_its_delivery():
    assert read_bounce_address(bounce_address(delivery_id=1042)) == 1042


@pytest.mark.parametrize("mangle", [str.upper, "<{}>".format, " {} ".format])
def test_bounce_address_survives_what_servers_do_to_addresses(mangle):
    assert read_bounce_address(mangle(bounce_address(delivery_id=7))) == 7


def test_bounce_address_fits_in_an_envelope():
    assert len(bounce_address(delivery_id=10**15 - 1).partition("@")[0]) <= 64


@pytest.mark.parametrize(
    "forged",
    [
        lambda real: real.replace("b1-7-", "b1-8-"),
        lambda real: real.replace("b1-7-", "b1-07-"),
        lambda real: real.replace("b1-7-", "r1-7-"),
        lambda real: real.replace("@", "@x."),
        lambda real: f"x{real}",
        lambda real: real.replace("@", "a@"),
        lambda real: "",
        lambda real: "support+b1-7-@support.example",
    ],
)
def test_bounce_address_that_we_did_not_make_names_nothing(forged):
    assert read_bounce_address(forged(bounce_address(delivery_id=7))) is None
