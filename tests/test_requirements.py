"""What the product depends on is what docs/decisions.md gives a reason for."""

from __future__ import annotations

import re

from tests.test_settings import ROOT


def test_direct_packages_when_pinned_then_each_has_its_reason_and_no_reason_is_left_of_one_that_went():
    pinned = (ROOT / "requirements.txt").read_text().partition("# needed by those above")[0]
    table = (ROOT / "docs" / "decisions.md").read_text().partition("| package | for |")[2].partition("\n\n")[0]
    explained = {name.split()[0] for row in re.findall(r"^\| ([A-Za-z].*?) \|", table, re.MULTILINE) for name in row.split(", ")}
    assert explained == set(re.findall(r"^([^#=\n]+)==", pinned, re.MULTILINE))
