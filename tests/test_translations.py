"""What customers read is there in every language that is offered, whole and in order. The desk and the configuration are in English."""

from __future__ import annotations

import ast
import gettext
import re
import shutil
import subprocess
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

from accounts.models import User
from tests.factories import make_ticket

ROOT = Path(settings.BASE_DIR)
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
# Templates and modules whose words customers, or people about to log in, may read; mails to staff too.
DESKS_ALONE = {"rows.py", "finder.html"}  # parts that no page of the portal has
READ_BY_CUSTOMERS = [
    *(ROOT / "templates").glob("*.html"),
    *(
        path
        for room in ("account", "components", "emails", "mfa", "notifications", "portal", "socialaccount")
        for path in (ROOT / "templates" / room).rglob("*.*")
        if path.name not in DESKS_ALONE
    ),
    *(ROOT / "tickets" / "portal").rglob("*.py"),
    *(path for path in (ROOT / "tickets" / "templatetags").glob("*.py") if path.name not in DESKS_ALONE),
    *(
        ROOT / "accounts" / f"{name}.py"
        for name in "devices forms invitations own_addresses proof second_step single_sign_on views".split()
    ),
    *(
        ROOT / "tickets" / f"{name}.py"
        for name in (
            "actions events help/page invite_form lifecycle locking membership naming people ratelimit sharing uploading uploads writing/prose"
        ).split()
    ),
    *(ROOT / "notifications" / f"{name}.py" for name in ("account_adapter", "content", "forms", "models", "preferences", "views")),
]
_STRING = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(rf"\b(?:_|gettext|ngettext)\(\s*({_STRING})(?:\s*,\s*({_STRING}))?")
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|#\w*|<[^>]+>")
_FUNCTIONS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}


@cache
def messages(path: Path) -> dict[str, str]:
    """The English words of a file, each with its plural or ''. Without xgettext, which a machine may lack."""
    if path.suffix == ".py":
        return dict(_python_messages(path))
    found = _CALL.finditer(templatize(path.read_text(), origin=str(path)))
    return {ast.literal_eval(one[1]): ast.literal_eval(one[2]) if one[2] else "" for one in found}


def _python_messages(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _FUNCTIONS:
            one, *more = [part.value for part in node.args[:2] if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            yield one, more[0] if more else ""


def catalogue(compiled: bytes) -> dict[str | tuple[str, int], str]:
    found: dict[str | tuple[str, int], str] = gettext.GNUTranslations(BytesIO(compiled)).__dict__[
        "_catalog"
    ]  # there is no public way to ask
    return {words: translated for words, translated in found.items() if words}  # without its header


def folder_of(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES"


def placeholders(words: str) -> list[str]:
    return sorted(_PLACEHOLDER.findall(words))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", READ_BY_CUSTOMERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_words_when_customers_read_them_then_are_translated_with_all_their_parts(path, language):
    """What is missing: `make messages`, then write it into locale/<language>/LC_MESSAGES/django.po, then `make messages` again."""
    known = catalogue((folder_of(language) / "django.mo").read_bytes())
    missing, broken = [], []
    for one, plural in messages(path).items():
        keys = [(one, 0), (one, 1)] if plural else [one]
        translated = [known.get(key) for key in keys]
        missing += [one] if not all(translated) else []
        broken += [t for t, of in zip(translated, (one, plural), strict=False) if t and placeholders(t) != placeholders(of)]
    assert (missing, broken) == ([], [])


def test_words_when_looked_for_then_are_found():
    """Else the test above would pass by finding nothing."""
    found = messages(ROOT / "templates" / "emails" / "digest" / "subject.txt")
    assert found == {"%(site_name)s: news on %(tickets)s ticket": "%(site_name)s: news on %(tickets)s tickets"}
    assert "replied" in messages(ROOT / "tickets" / "events.py")
    assert sum(len(messages(path)) for path in READ_BY_CUSTOMERS) > 350


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_when_committed_then_is_made_from_its_source(language):
    if not shutil.which("msgfmt"):
        pytest.skip("msgfmt is not installed (apt-get install gettext)")
    folder = folder_of(language)
    made = subprocess.run(["msgfmt", "--check-format", "-o", "-", "django.po"], cwd=folder, capture_output=True, check=True).stdout
    assert catalogue(made) == catalogue((folder / "django.mo").read_bytes())


# --- Which language a page is in -----------------------------------------------------------------------------------------------


def language_of(response) -> str:
    (language,) = re.findall(r'<html lang="([\w-]+)"', response.content.decode())
    return language


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "answered"), [("", "en"), ("de", "de"), ("de-AT,de;q=0.9", "de"), ("fr, de;q=0.5", "de"), ("fr", "en"), ("x" * 5000, "en")]
)
def test_page_when_nobody_is_logged_in_then_is_in_the_browsers_language(client, asked, answered):
    response = client.get("/accounts/login/", headers={"accept-language": asked})
    assert (language_of(response), response["Content-Language"], "Accept-Language" in response["Vary"]) == (answered, answered, True)


@pytest.mark.django_db
@pytest.mark.parametrize(("chosen", "page"), [("de", "de"), ("en", "en"), ("", "de"), ("tlh", "en")])
def test_page_when_a_person_chose_then_is_in_it_whatever_the_browser_asks(client, ana, chosen, page):
    User.objects.filter(pk=ana.pk).update(language=chosen)
    client.force_login(ana)
    assert language_of(client.get("/tickets/", headers={"accept-language": "de"})) == page


@pytest.mark.django_db
def test_desk_when_a_person_chose_german_then_is_in_english_alone(client, dan):
    User.objects.filter(pk=dan.pk).update(language="de")
    client.force_login(dan)
    assert [language_of(client.get(path)) for path in ("/desk/", "/profile/")] == ["en", "de"]


@pytest.mark.django_db
def test_ticket_when_read_in_german_then_says_what_happened_and_keeps_what_people_wrote(workflow, client, ana, dan):
    ticket = make_ticket(ana, "My player is blank")
    User.objects.filter(pk=ana.pk).update(language="de")
    client.force_login(ana)
    page = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert [words in page for words in ("My player is blank", "Ihre Antwort", "Antwort senden", "Your reply")] == [True, True, True, False]
    assert ticket.status.label_for_customers in page


@pytest.mark.django_db
def test_date_when_shown_in_german_then_is_written_as_there(workflow, client, ana):
    User.objects.filter(pk=ana.pk).update(language="de")
    ticket = make_ticket(ana)
    client.force_login(ana)
    page = client.get(f"/tickets/{ticket.number}/").content.decode()
    months = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"]
    assert f"{ticket.created_at.day}. {months[ticket.created_at.month - 1]} {ticket.created_at:%Y, %H:%M} UTC" in page
