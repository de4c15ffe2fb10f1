"""Each kind of mail has its three templates, and there are no others."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from notifications.models import Kind

FOLDER = Path(settings.BASE_DIR) / "templates" / "emails"


@pytest.mark.parametrize("kind", Kind)
def test_kind_of_mail_when_listed_then_has_its_three_templates(kind):
    assert sorted(path.name for path in (FOLDER / kind).iterdir()) == ["body.html", "body.txt", "subject.txt"]


def test_folders_of_mail_when_listed_then_each_is_a_kind():
    assert sorted(path.name for path in FOLDER.iterdir() if path.is_dir()) == sorted(Kind)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.txt")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_text_template_when_it_shows_words_then_does_not_escape_them(path):
    words = path.read_text()
    assert "autoescape off" in words or "emails/base.txt" in words or path.parent == FOLDER  # a part of one that does
