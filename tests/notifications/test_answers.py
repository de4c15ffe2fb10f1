"""Our own mails, answered by the programs that people use: what is read is what the person wrote, and nothing of what we said."""

from __future__ import annotations

import html as html_entities
from email.message import EmailMessage

import pytest

from accounts.models import User
from tests.factories import make_ticket, make_user, message
from tests.notifications.test_render import html, text, to
from tickets import actions, sharing
from tickets.mail.parse import parse

pytestmark = pytest.mark.django_db
WROTE = "Thanks, that helped.\n\nOne question: will it stay so?"


@pytest.fixture(params=["customer", "customer in German", "note to staff", "confirmation", "shared"])
def mail(request, workflow, ana, ben, dan, eve):
    """Each with something said before."""
    ticket = make_ticket(ana, text="It is blank.\n\nSince this morning.")
    sharing.follow(ticket, actor=dan)
    if request.param.startswith("customer"):
        User.objects.filter(pk=ana.pk).update(language="de" if "German" in request.param else "")
        actions.comment(ticket, actor=dan, message=message("Did you try to reload?\n\nDan"))
        return to(ana)
    if request.param == "note to staff":
        actions.add_note(ticket, actor=eve, message=message("Between us: it is the cache."))
        return to(dan)
    if request.param == "shared":
        cleo = make_user("cleo@globex.example", "Cleo Roy")
        sharing.add_follower(ticket, actor=dan, person=cleo)
        return to(cleo)
    return to(ana)


def quoted(words: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in words.splitlines())


def body_of(mail) -> str:
    """What stands in the HTML's body, as programs copy it."""
    whole = html(mail)
    return whole[whole.index(">", whole.index("<body")) + 1 : whole.index("</body>")]


def answer(mail, *, plain: str = "", rich: str = "") -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = mail["To"], mail["Reply-To"], f"Re: {mail['Subject']}"
    made["Message-ID"], made["In-Reply-To"] = "<answer@elsewhere.example>", mail["Message-ID"]
    if plain:
        made.set_content(plain)
        if rich:
            made.add_alternative(rich, subtype="html")
    else:
        made.set_content(rich, subtype="html")
    return made.as_bytes()


def in_html(words: str) -> str:
    return "".join(f"<div>{html_entities.escape(line) or '<br>'}</div>" for line in words.split("\n"))


def gmail(mail) -> bytes:
    said = "On Sat, Nov 21, 2026 at 10:04 AM Dan Support (Helpdesk) <support@support.example> wrote:"
    style = "margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"
    rich = (
        f'<div dir="ltr">{in_html(WROTE)}</div><br><div class="gmail_quote gmail_quote_container">'
        f'<div dir="ltr" class="gmail_attr">{html_entities.escape(said)}<br></div>'
        f'<blockquote class="gmail_quote" style="{style}">{body_of(mail)}</blockquote></div>'
    )
    return answer(mail, plain=f"{WROTE}\n\n{said}\n\n{quoted(text(mail))}\n", rich=rich)


def outlook(mail) -> bytes:
    block = "From: Dan Support (Helpdesk) <support@support.example>\nSent: Saturday, November 21, 2026 10:04 AM\nTo: Ana Ford <ana@acme.example>"
    block += f"\nSubject: {mail['Subject']}"
    rich = (
        f'<html><body><div class="WordSection1">{in_html(WROTE)}<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in">'
        f"<p class=MsoNormal>{html_entities.escape(block).replace(chr(10), '<br>')}</p></div></div>{body_of(mail)}</div></body></html>"
    )
    return answer(mail, plain=f"{WROTE}\n\n{block}\n\n{text(mail)}", rich=rich)


def outlook_on_the_web(mail) -> bytes:
    rich = (
        f'<html><body><div class="elementToProof">{in_html(WROTE)}</div><hr style="display:inline-block;width:98%" tabindex="-1">'
        f'<div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Dan Support<br><b>Subject:</b> Re</div><div>{body_of(mail)}</div></body></html>'
    )
    return answer(mail, rich=rich)


def apple_mail(mail) -> bytes:
    said = "On 21. Nov 2026, at 10:04, Dan Support (Helpdesk) <support@support.example> wrote:"
    rich = (
        f'<html><body>{in_html(WROTE)}<div><br><blockquote type="cite"><div>{html_entities.escape(said)}</div><br class="Apple-interchange-newline">'
        f"<div>{body_of(mail)}</div></blockquote></div></body></html>"
    )
    return answer(mail, plain=f"{WROTE}\n\n> {said}\n> \n{quoted(text(mail))}\n", rich=rich)


def thunderbird(mail) -> bytes:
    return answer(mail, plain=f"{WROTE}\n\nAm 21.11.26 um 10:04 schrieb Dan Support (Helpdesk):\n{quoted(text(mail))}\n")


def without_any_mark(mail) -> bytes:
    """A phone's program that copies the text below: only our own line tells."""
    return answer(mail, plain=f"{WROTE}\n\n{text(mail)}")


def without_any_mark_in_html(mail) -> bytes:
    return answer(mail, rich=f"<html><body>{in_html(WROTE)}<br>{body_of(mail)}</body></html>")


@pytest.mark.parametrize(
    "program",
    [gmail, outlook, outlook_on_the_web, apple_mail, thunderbird, without_any_mark, without_any_mark_in_html],
    ids=lambda one: one.__name__,
)
def test_answer_when_a_program_quotes_our_mail_then_only_the_persons_words_are_read(mail, program):
    read = parse(program(mail))
    assert read.reply_text.strip() == WROTE
    assert [words for words in ("It is blank", "Did you try", "Between us", "##-") if words in read.reply_html] == []


def test_answer_when_an_agent_writes_nothing_then_our_mail_shows_customers_no_note(workflow, ana, dan, eve):
    """A file alone, say: with nothing typed above, what is quoted may be taken for the answer."""
    ticket = make_ticket(ana)
    sharing.follow(ticket, actor=dan)
    actions.add_note(ticket, actor=eve, message=message("Between us: it is the cache."))
    actions.comment(ticket, actor=ana, message=message("Well?"))
    mail = to(dan)
    read = parse(answer(mail, plain=text(mail), rich=html(mail)))
    assert "Between us" not in read.reply_text + read.reply_html + read.quoted_text + read.html
