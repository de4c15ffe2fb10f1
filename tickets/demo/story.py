"""The demo's people and tickets. The tickets are played through the product's own verbs and then dated back; nobody is told of them.

Only ever used where settings.DEMO is on: these accounts have a public password.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.auth.hashers import make_password
from django.db import models, transaction
from django.utils import timezone

from accounts import invitations
from accounts.models import AgentGroup, EmailDomain, Invitation, Membership, Organization, Role, User
from tickets import access, actions, measures, sharing, sweeps, tagging
from tickets.demo.files import demo_file
from tickets.demo.helpers import begin_draft, make_helpers, make_rules
from tickets.help import articles
from tickets.models import (
    Article,
    ArticleEvent,
    ArticleFeedback,
    ArticleVersion,
    Audience,
    AutomationRun,
    Channel,
    Comment,
    Event,
    EventKind,
    Follower,
    OrganizationShare,
    Priority,
    ProductArea,
    Status,
    Stretch,
    Ticket,
    TicketType,
)
from tickets.reading import mark_read
from tickets.sla import clocks
from tickets.sla.worktime import Calendar
from tickets.writing import prose

if TYPE_CHECKING:
    from collections.abc import Callable

PASSWORD = "demo"  # noqa: S105 public by intent
_STORIES = Path(__file__).with_name("tickets.toml")
_ARTICLES = Path(__file__).with_name("articles.toml")
_ORGANIZATIONS = {
    "acme.example": "Acme",
    "globex.example": "Globex",
    "northwind.example": "Northwind Logistics",
    "initech.example": "Initech",
}


@dataclass(frozen=True, slots=True)
class Person:
    """`what` is told where demo accounts are offered; who has none can't log in."""

    email: str
    name: str
    what: str = ""
    role: Role = Role.CUSTOMER
    group: str = ""


_PEOPLE = {
    "ana": Person("customer@acme.example", "Ana Ribeiro", "customer at Acme"),
    "ben": Person("teammate@acme.example", "Ben Whitaker", "her teammate at Acme"),
    "cleo": Person("customer@globex.example", "Cleo Marchetti", "customer at Globex"),
    "solveig": Person("solo@example.net", "Solveig Lund", "customer without an organization"),
    "priya": Person("agent@support.example", "Priya Nair", "agent in Customer Support", Role.AGENT, "Customer Support"),
    "tom": Person("agent2@support.example", "Tom Becker", "agent in DevOps", Role.AGENT, "DevOps"),
    "clara": Person("csm@support.example", "Clara Jensen", "Customer Success Manager of Acme", Role.CSM, "CSM Support"),
    "max": Person("admin@support.example", "Max Okafor", "admin", Role.ADMIN),
    "marek": Person("marek.dvorak@northwind.example", "Marek Dvořák"),
    "yuki": Person("yuki.tanaka@northwind.example", "Yuki Tanaka"),
    "raj": Person("raj.malhotra@initech.example", "Raj Malhotra"),
    "ads": Person("growth@cheap-leads.example", "Growth Team"),
    "freemium": Person("no-reply@signup.example", "Sign-up robot"),
}
_OFFICE = Calendar("UTC", (((540, 1020),),) * 5 + ((),) * 2)  # of the preset: nine to five, Monday to Friday
_MOMENT = timedelta(minutes=1)
_AREAS = ("Flows and balloons", "Editor", "Reports and exports", "Log-in and access")
DEMO_ACCOUNTS = tuple(person for person in _PEOPLE.values() if person.what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a story: who did what, when."""

    story: int
    at: datetime
    who: str
    does: str
    to: str = ""
    text: str = ""
    html: str = ""  # as the editor writes it, in the place of `text`
    files: tuple[str, ...] = ()
    by: Channel = Channel.PORTAL
    subject: str = ""
    requester: str = ""

    @property
    def message(self) -> actions.Message:
        text = prose.plain(self.html) if self.html else self.text.strip()
        return actions.Message(text=text, html=self.html, channel=self.by, files=tuple(demo_file(name) for name in self.files))


@dataclass(slots=True)
class _Cast:
    people: dict[str, User]
    tell: Callable[[Event], None]
    tickets: dict[int, Ticket] = field(default_factory=dict)  # by story


@transaction.atomic
def seed(now: datetime, *, tell: Callable[[Event], None]) -> int:
    """Plays every story's steps in the order of their time, so that numbers and history run with the clock. Returns how many tickets there are.

    `tell` gets each event as soon as it has happened, while the ticket is as it was then.
    """
    cast = _Cast(people=_make_people(), tell=tell)
    ProductArea.objects.bulk_create(ProductArea(name=name, position=at) for at, name in enumerate(_AREAS))
    for told in tomllib.loads(_ARTICLES.read_text())["article"]:
        _write_article(told, cast.people, now - span(told["age"]))
    make_rules(cast.people["max"])
    for step in sorted(stories(now), key=lambda step: step.at):
        _play(step, cast)
    _read_up(cast, now)
    _run_out()
    make_helpers(cast.people)
    begin_draft(cast.people["priya"], Ticket.objects.get(subject="Is there a student discount?"))
    return Ticket.objects.count()


def _read_up(cast: _Cast, now: datetime) -> None:
    """Customers have looked at all but the news of the last two days."""
    for person in (one for one in cast.people.values() if not one.is_staff):
        for ticket in access.tickets_for(person).filter(public_updated_at__lt=now - timedelta(days=2)):
            mark_read(ticket, person)


def _run_out() -> None:
    """What the tickets' clocks have to say by now was said in its time, and nobody is mailed about it."""
    while sweeps.tell_due_clocks():
        pass
    for event in Event.objects.filter(kind__in=(EventKind.SLA_WARNED, EventKind.SLA_BREACHED, EventKind.SLA_ESCALATED)):
        event.at = event.dispatched_at = datetime.fromisoformat(event.data["moment"])
        event.save(update_fields=["at", "dispatched_at"])


def stories(now: datetime) -> list[Step]:
    """Each with its staff's work in office hours; to the minute as it is told where that would not be over by `now`, or where a follow-up comes of it.

    So tickets are opened in one order whenever the demo is begun, and each keeps its number.
    """
    steps: list[Step] = []
    for number, story in enumerate(tomllib.loads(_STORIES.read_text())["ticket"]):
        lived = _lived(number, story, now, is_office=not _has_follow_up(story))
        steps += lived if lived[-1].at < now else _lived(number, story, now, is_office=False)
    return steps


def _lived(number: int, story: dict[str, Any], now: datetime, *, is_office: bool) -> list[Step]:
    """In an office, staff's hours and minutes are working time; days are days."""
    at = now - span(story["age"])
    steps = [
        Step(
            story=number,
            at=at,
            who=story.get("filer", story["from"]),
            does="open",
            text=story["text"],
            files=tuple(story.get("files", ())),
            by=Channel(story["by"]),
            subject=story["subject"],
            requester=story["from"],
        )
    ]
    for then in story.get("then", ()):
        after, is_staff = span(then["after"]), _is_staff(then.get("who", ""))
        days = timedelta(days=after.days)
        at = _OFFICE.add(at + days, max(after - days, _MOMENT)) or now if is_office and is_staff else at + after
        steps.append(_step(number, at, then))
    return steps


def _has_follow_up(story: dict[str, Any]) -> bool:
    return any(then["does"] == "closes" for then in story.get("then", ())[:-1])


def _is_staff(who: str) -> bool:
    return who != "" and _PEOPLE[who].role != Role.CUSTOMER


def _step(number: int, at: datetime, then: dict[str, Any]) -> Step:
    who = then.get("who", "")
    usual = Channel.DESK if _is_staff(who) else Channel.PORTAL
    return Step(
        story=number,
        at=at,
        who=who,
        does=then["does"],
        to=then.get("to", ""),
        text=then.get("text", ""),
        html=then.get("html", ""),
        files=tuple(then.get("files", ())),
        by=Channel(then.get("by", usual)),
    )


def span(text: str) -> timedelta:
    """ "3d 2h 10m" as a span."""
    parts = {unit: int(number) for number, unit in re.findall(r"(\d+)([dhm])", text)}
    return timedelta(days=parts.get("d", 0), hours=parts.get("h", 0), minutes=parts.get("m", 0))


# --- People ------------------------------------------------------------------------------------------------------------------


def _make_people() -> dict[str, User]:
    long_ago = timezone.now() - timedelta(days=60)
    password, none = make_password(PASSWORD), make_password(None)
    people = {}
    for key, person in _PEOPLE.items():
        fields = {"password": password, "proven_at": long_ago} if person.what else {"password": none}
        people[key] = User.objects.create(email=person.email, name=person.name, role=person.role, created_at=long_ago, **fields)
        if person.group:
            AgentGroup.objects.get(name=person.group).members.add(people[key])
    _make_organizations(people)
    return people


def _make_organizations(people: dict[str, User]) -> None:
    for domain, name in _ORGANIZATIONS.items():
        lead = people["clara"] if name in ("Acme", "Northwind Logistics") else None
        organization = Organization.objects.create(name=name, delivery_lead=lead)
        EmailDomain.objects.create(organization=organization, domain=domain)
        members = [person for person in people.values() if person.email.endswith(f"@{domain}")]
        Membership.objects.bulk_create(Membership(user=person, organization=organization) for person in members)
    Membership.objects.filter(user=people["ben"]).update(is_manager=True)
    acme = Organization.objects.get(name="Acme")
    invitations.invite(actor=people["ana"], organization=acme, address="nora.novak@acme.example", name="Nora Novak")
    initech = Organization.objects.get(name="Initech")
    Membership.objects.create(user=people["marek"], organization=initech)
    invitations.invite(actor=people["priya"], organization=initech, address=people["cleo"].email)
    Invitation.objects.update(dispatched_at=models.F("issued_at"))  # nobody is mailed as the demo begins


# --- Help articles -----------------------------------------------------------------------------------------------------------


def _write_article(told: dict[str, Any], people: dict[str, User], at: datetime) -> Article:
    """`picture:NAME` in the text is the address of that file of its own."""
    author, title = people[told["author"]], told["title"]
    attached = [demo_file(name) for name in told.get("files", ())]
    article = articles.create(actor=author, section=told["section"], title=title, html=told["html"].strip(), new_files=attached)
    html = told["html"].strip()
    for file in article.files.all():
        html = html.replace(f"picture:{file.name}", articles.file_url(file))
    kept = [file.pk for file in article.files.all()]
    article = articles.save(article, actor=author, title=title, html=html, kept=kept)
    if told.get("readers"):
        article = _put_before(article, told["readers"], author)
    if not told.get("draft"):
        article = articles.publish(article, actor=author)
    for number, said in enumerate(told.get("said", ())):
        reader, visitor = (people[said["who"]], "") if "who" in said else (None, f"visitor-{number}")
        answer = articles.give_feedback(
            article, reader=reader, visitor=visitor, is_helpful=said["helpful"], comment=said.get("comment", "")
        )
        ArticleFeedback.objects.filter(pk=answer.pk).update(at=at + timedelta(days=1, hours=5 * number))
    ArticleVersion.objects.filter(article=article).update(created_at=at)
    ArticleEvent.objects.filter(article=article).update(at=at)
    Article.objects.filter(pk=article.pk).update(created_at=at, published_at=at if article.is_published else None)
    return article


def _put_before(article: Article, readers: str, author: User) -> Article:
    """`readers`: an audience, or the one organization that the article is for."""
    if readers in Audience.values:
        return articles.place(article, actor=author, section=article.section.name, audience=Audience(readers))
    only = [Organization.objects.get(name=readers)]
    return articles.place(article, actor=author, section=article.section.name, audience=Audience.ORGANIZATIONS, organizations=only)


# --- Playing -----------------------------------------------------------------------------------------------------------------


def _play(step: Step, cast: _Cast) -> None:
    before = cast.tickets.get(step.story)
    times = _times(before)
    last_event, last_comment = _last(Event), _last(Comment)
    started = timezone.now()
    ticket = _VERBS[step.does](step, cast) if step.does in _VERBS else _change(step, cast)
    ticket.refresh_from_db()
    cast.tickets[step.story] = ticket
    _date_back(ticket, times if ticket == before else {}, step.at - started)
    Event.objects.filter(pk__gt=last_event).update(at=step.at, dispatched_at=step.at)  # so that nobody is mailed about the past
    Comment.objects.filter(pk__gt=last_comment).update(created_at=step.at)
    Follower.objects.filter(ticket=ticket, created_at__gte=started).update(created_at=step.at)
    OrganizationShare.objects.filter(ticket=ticket, created_at__gte=started).update(created_at=step.at)
    AutomationRun.objects.filter(ticket=ticket, at__gte=started).update(at=step.at)
    Stretch.objects.filter(ticket=ticket, ended_at__gte=started).update(ended_at=step.at)
    clocks.recompute(ticket.pk)
    measures.measure_again(ticket)
    for event in Event.objects.filter(pk__gt=last_event).order_by("pk"):
        cast.tell(event)


def _last(model: type[Event | Comment]) -> int:
    newest = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def _times(ticket: Ticket | None) -> dict[str, datetime | None]:
    fields = [each.attname for each in Ticket._meta.concrete_fields if isinstance(each, models.DateTimeField)]
    return {name: getattr(ticket, name) for name in fields} if ticket else {}


def _date_back(ticket: Ticket, before: dict[str, datetime | None], back: timedelta) -> None:
    """Moves every time that the step set, and those that wait in the future because of it, to where the step belongs."""
    changed = {name: value + back for name, value in _times(ticket).items() if value and value != before.get(name)}
    for name, value in changed.items():
        setattr(ticket, name, value)
    ticket.save(update_fields=list(changed))


def _open(step: Step, cast: _Cast) -> Ticket:
    requester = cast.people[step.requester]
    return actions.open_ticket(
        actor=cast.people[step.who],
        requester=requester,
        subject=step.subject,
        message=step.message,
        share_with=requester.active_organizations().first(),
    )


def _reply(step: Step, cast: _Cast) -> Ticket:
    status = Status.objects.get(name=step.to) if step.to else None
    return actions.comment(cast.tickets[step.story], actor=cast.people[step.who], message=step.message, status=status).ticket


def _note(step: Step, cast: _Cast) -> Ticket:
    return actions.add_note(cast.tickets[step.story], actor=cast.people[step.who], message=step.message).ticket


def _close_by_itself(step: Step, cast: _Cast) -> Ticket:
    ticket = cast.tickets[step.story]
    actions.close_if_due(ticket.pk)
    return ticket


_VERBS: dict[str, Callable[[Step, _Cast], Ticket]] = {"open": _open, "reply": _reply, "note": _note, "closes": _close_by_itself}


def _tell_priority(ticket: Ticket, actor: User, priority: Priority) -> Ticket:
    words = actions.Message(text=priority.words_for(ticket.requester.display_name), channel=Channel.DESK)
    return actions.set_priority(ticket, actor=actor, priority=priority, message=words)


def _change(step: Step, cast: _Cast) -> Ticket:
    """A verb whose words are not of the story; `step.to` is the name of what it sets."""
    ticket, actor = cast.tickets[step.story], cast.people[step.who]
    changes: dict[str, Callable[[], Ticket]] = {
        "take": lambda: actions.take(ticket, actor=actor),
        "assign": lambda: actions.assign(ticket, actor=actor, assignee=cast.people[step.to]),
        "group": lambda: actions.set_group(ticket, actor=actor, group=AgentGroup.objects.get(name=step.to)),
        "priority": lambda: actions.set_priority(ticket, actor=actor, priority=Priority.objects.get(name=step.to)),
        "tell": lambda: _tell_priority(ticket, actor, Priority.objects.get(name=step.to)),
        "type": lambda: actions.set_type(ticket, actor=actor, type=TicketType.objects.get(name=step.to)),
        "status": lambda: actions.change_status(ticket, actor=actor, status=Status.objects.get(name=step.to)),
        "spam": lambda: actions.change_status(ticket, actor=actor, status=Status.objects.get(name="Spam")),
        "resolve": lambda: actions.resolve(ticket, actor=actor, type=TicketType.objects.get(name=step.to)),
        "confirm": lambda: actions.confirm_fix(ticket, actor=actor),
        "tag": lambda: tagging.add_tags(ticket, actor=actor, names=step.to.split(",")),
        "close": lambda: actions.close(ticket, actor=actor),
        "reopen": lambda: actions.reopen(ticket, actor=actor),
        "follow": lambda: sharing.follow(ticket, actor=actor),
        "add": lambda: sharing.add_follower(ticket, actor=actor, person=cast.people[step.to]),
    }
    return changes[step.does]()
