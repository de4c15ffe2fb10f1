"""What `manage.py seed` writes: people, and the stories of tickets, as plausible as a measurement needs, and the same for the same number.

Makes rows and writes none, in the same state as if the verbs had made them: clocks, stretches, words, postings and mails that were sent. Nobody's
address exists, and every event is marked as told, so that nobody is mailed.
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notifications.models import Delivery, Kind, Reason
from tickets.lifecycle import FINISHED, UNRESOLVED, Category
from tickets.models import (
    Attachment,
    Channel,
    Clock,
    Comment,
    Event,
    EventKind,
    Follower,
    IndexedTicket,
    OrganizationShare,
    Posting,
    Stretch,
    Ticket,
    TicketWords,
)
from tickets.models.posting import STAFF
from tickets.search import indexing, word_index
from tickets.search.words import GAP, document, tokens
from tickets.sla import clocks, escalation

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Model

    from accounts.models import AgentGroup, Organization, User
    from tickets.models import Priority, SlaSnapshot, Status, TicketType

YEARS = timedelta(days=730)
_WORDS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("seed_words.toml").read_text(encoding="utf-8"))
_SENTENCES = 4_000  # of each kind; a ticket has about twelve of them
_CHANNELS = [Channel.EMAIL, Channel.EMAIL, Channel.EMAIL, Channel.PORTAL, Channel.PORTAL, Channel.DESK]
_AT_NIGHT = (0, 1, 2, 3, 4, 5, 6, 19, 20, 21, 22, 23)
_SWEPT = timedelta(seconds=20)  # so long after a clock's moment a sweep has told of it
_ROOM = {
    Comment: 6,
    Event: 14,
}  # numbers that are kept free for each ticket: about twice as many as it needs, so that batches need not know each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    customers: list[User]
    organization_of: dict[int, Organization]  # by the person's id
    agents: list[User]
    group_of: dict[int, AgentGroup]  # by the agent's id
    statuses: dict[Category, Status]  # where each category begins; see `actions.default_status`
    waiting: list[Status]
    types: list[TicketType]
    priorities: list[Priority]
    promised: dict[tuple[int | None, ...], SlaSnapshot | None]  # by a ticket's `sla_key` without its requester


COLUMNS: dict[type[Model], tuple[str, ...]] = {
    model: tuple(names.split())
    for model, names in {
        Ticket: "id subject requester status category type priority group assignee channel created_at updated_at public_updated_at status_since "
        "first_response_at first_response_work waiting_since resolved_at resolution_work close_due_at closed_at sla due_at is_indexed",
        Comment: "id ticket author text is_internal channel created_at",
        Event: "id ticket kind actor comment is_internal data at dispatch_at dispatched_at",
        Follower: "ticket user added_by created_at",
        OrganizationShare: "ticket organization added_by created_at",
        Attachment: "comment file name content_type size sha256",
        Clock: "ticket metric round snapshot state target started_at runs spent since due_at breached_at ended_at told next_at",
        Stretch: "ticket kind began_at ended_at work_seconds",
        Delivery: "event ticket recipient address kind reason state attempts next_attempt_at message_id subject created_at sent_at bounced_at error",
        TicketWords: "ticket public internal size",
        IndexedTicket: "ticket scopes terms day",
        Posting: "scope term ticket impact day",
    }.items()
}
Rows = dict[type["Model"], list[tuple[Any, ...]]]  # of some tickets, in the order of `COLUMNS`


def _reader(model: type[Model]) -> Callable[[Model], tuple[Any, ...]]:
    return attrgetter(*(model._meta.get_field(name).attname for name in COLUMNS[model]))  # type: ignore[union-attr]


_ROW_OF = {model: _reader(model) for model in (Ticket, Clock, TicketWords, IndexedTicket)}


@dataclass(slots=True)
class _Text:
    """What somebody says, and the words that search finds in it: those of a sentence are looked for once, however often it is said."""

    text: str
    words: str


@dataclass(slots=True)
class Batch:
    """Some tickets one after the other."""

    random: random.Random
    comments: int  # the last numbers that were given
    events: int
    rows: Rows = field(default_factory=lambda: {model: [] for model in COLUMNS})


class Stories:
    """Tickets, each with a number above the last, opened about when its turn is."""

    def __init__(self, cast: Cast, *, count: int, now: datetime, seed: int = 1) -> None:
        self.cast, self.count, self.now, self.seed = cast, count, now, seed
        self.random = random.Random(seed)  # noqa: S311 a measurement must be the same again
        self.sentences = {kind: [self._sentence(kind) for _ in range(_SENTENCES)] for kind in ("subjects", "customer", "agent", "note")}
        # Some people ask often, most of them seldom.
        self.asks = list(accumulate(1 / (at + 20) for at in range(len(cast.customers))))
        self.words_of = {person.pk: document([person.name, person.email]) for person in cast.customers}

    def batch(self, first: int, size: int) -> Rows:
        """The same whichever others are made, and by whom."""
        chance = random.Random(f"{self.seed} {first}")  # noqa: S311
        batch = Batch(chance, comments=(first - 1) * _ROOM[Comment], events=(first - 1) * _ROOM[Event])
        for number in range(first, min(first + size, self.count + 1)):
            _Story(self, batch, number).tell()
        return batch.rows

    def _sentence(self, kind: str) -> _Text:
        pick = self.random.choice
        said = pick(_WORDS[kind]).format(
            feature=pick(_WORDS["features"]),
            thing=pick(_WORDS["things"]),
            module=pick(_WORDS["modules"]),
            browser=pick(_WORDS["browsers"]),
            team=pick(_WORDS["teams"]),
            person=f"{pick(_WORDS['first_names'])} {pick(_WORDS['last_names'])}",
            error=f"ERR_{self.random.randrange(1000, 4000)}",
            version=f"v{self.random.randrange(1, 5)}.{self.random.randrange(20)}.{self.random.randrange(10)}",
            file=file_name(self.random),
            number=f"{pick('ABCDEFGHKX')}-{self.random.randrange(10, 20_000)}",
            count=self.random.randrange(3, 400),
        )
        said = said[0].upper() + said[1:]
        return _Text(said, " ".join(tokens(said)))

    def created(self, number: int, chance: random.Random) -> datetime:
        """More and more of them a day, most of them at work."""
        share: float = ((number - chance.random()) / self.count) ** 0.8
        at = self.now - YEARS + YEARS * share
        is_late = at.hour in _AT_NIGHT and self.now - at > timedelta(days=1) and chance.random() < 0.8
        return at + timedelta(hours=9) if is_late else at


def file_name(chance: random.Random) -> str:
    return f"{chance.choice(_WORDS['file_names'])}-{chance.randrange(1000, 9999)}.{chance.choice(_WORDS['endings'])}"


class _Story:
    """One ticket, from mail to close as far as its age goes. What each step changes is what the verb of that name in `tickets.actions` does."""

    def __init__(self, stories: Stories, batch: Batch, number: int) -> None:
        self.all, self.batch, self.rows = stories, batch, batch.rows
        self.cast, self.random, self.now = stories.cast, batch.random, stories.now
        chance = self.random
        self.at = at = stories.created(number, chance)
        self.requester = chance.choices(self.cast.customers, cum_weights=stories.asks)[0]
        self.agent = chance.choice(self.cast.agents)  # who will take it
        self.subject = chance.choice(stories.sentences["subjects"])
        status = self.cast.statuses[Category.NEW]
        self.ticket = Ticket(
            pk=number,
            subject=self.subject.text,
            requester_id=self.requester.pk,
            status=status,
            category=status.category,
            priority=chance.choices(self.cast.priorities, range(1, len(self.cast.priorities) + 1))[0] if chance.random() < 0.8 else None,
            group=self.cast.group_of[self.agent.pk],
            channel=chance.choice(_CHANNELS).value,
            created_at=at,
            updated_at=at,
            public_updated_at=at,
            status_since=at,
            waiting_since=at,
            is_indexed=True,
        )
        self.clocks: list[Clock] = []
        self.first = ""  # what the customer wrote
        self.public, self.internal = [f"{GAP} {number} {GAP} {self.subject.words}"], [stories.words_of[self.requester.pk]]
        self.files: list[str] = []

    def tell(self) -> None:
        scopes = self._people()
        said = self._say(self.requester, "customer")
        self._record(EventKind.OPENED, self.requester, comment=said, quiet=False)
        if self.random.random() < 0.02 and self._later(1):
            moved = self._enter(self.cast.statuses[Category.SPAM])
            self._record(EventKind.MARKED_SPAM, self.random.choice(self.cast.agents), is_internal=True, type="", **moved)
        else:
            self._work()
        self._sweep(self.now)
        words = word_index.made_of_documents(self.ticket.pk, " ".join([*self.public, *self.files]), " ".join(self.internal))
        self._add(words)
        self._add(self.ticket)
        for clock in self.clocks:
            self._add(clock)
        if not self.ticket.is_spam:
            entry = indexing.entry(self.ticket, self.first, scopes=scopes)
            self._add(entry)
            self.rows[Posting].extend(indexing.postings(entry))

    def _add(self, row: Ticket | Clock | TicketWords | IndexedTicket) -> None:
        self.rows[type(row)].append(_ROW_OF[type(row)](row))

    def _people(self) -> list[int]:
        """Who sees it for belonging to a circle."""
        number, requester = self.ticket.pk, self.requester.pk
        self.rows[Follower].append((number, requester, requester, self.at))
        organization = self.cast.organization_of.get(requester)
        if organization is None or self.random.random() < 0.1:
            return [STAFF]
        self.rows[OrganizationShare].append((number, organization.pk, requester, self.at))
        return [STAFF, organization.pk]

    # --- What happens ------------------------------------------------------------------------------------------------------------

    def _later(self, hours: float) -> bool:
        """Time goes by, as it does: often little, seldom much. False when that is still to come, so that the story rests."""
        then = self.at + timedelta(hours=min(self.random.expovariate(1 / hours), 20 * hours))
        if then > self.now:
            return False
        self.at = then
        return True

    def _work(self) -> None:
        if not self._later(1.5):
            return
        agent, ticket = self.agent, self.ticket
        moved = self._enter(self.cast.statuses[Category.OPEN])
        ticket.assignee_id = agent.pk
        said = {"old": "", "new": agent.display_name, "assignee": agent.pk, "status": moved["new"]}
        self._record(EventKind.ASSIGNED, agent, is_internal=True, **said)
        ticket.public_updated_at = self.at
        if self.random.random() < 0.35:
            self._record(EventKind.NOTED, agent, comment=self._say(agent, "note"), is_internal=True)
        for _round in range(self.random.choice((1, 1, 1, 2, 2, 3))):
            if not self._round():
                return
        if self.random.random() < 0.012:  # nobody finds the cause
            return
        self._finish()

    def _round(self) -> bool:
        """The agent answers and the customer does. False when the story rests."""
        if not self._later(6):
            return False
        self._answer()
        if self.random.random() < 0.1:
            self._change_priority()
        if self.random.random() < 0.6:
            if not self._later(12):
                return False
            ticket = self.ticket
            ticket.waiting_since = ticket.waiting_since or self.at
            self._record(
                EventKind.COMMENTED,
                self.requester,
                comment=self._say(self.requester, "customer"),
                **self._enter(self.cast.statuses[Category.OPEN]),
            )
        return True

    def _answer(self) -> None:
        ticket = self.ticket
        if ticket.first_response_at is None:
            ticket.first_response_at, ticket.first_response_work = self.at, self._worked(ticket.created_at)
        elif ticket.waiting_since:
            self._stretch(Stretch.Kind.ANSWERED, ticket.waiting_since, self._worked(ticket.waiting_since))
        ticket.waiting_since = None
        said = self._say(self.agent, "agent")
        moved = self._enter(self.random.choice(self.cast.waiting)) if self.random.random() < 0.5 else {}
        self._record(EventKind.COMMENTED, self.agent, comment=said, type="", **moved)

    def _change_priority(self) -> None:
        ticket, priority = self.ticket, self.random.choice(self.cast.priorities)
        if priority.pk != ticket.priority_id:
            old = ticket.priority.name if ticket.priority else ""
            ticket.priority = priority
            self._record(EventKind.PRIORITY_CHANGED, self.agent, is_internal=True, old=old, new=priority.name)

    def _finish(self) -> None:
        if not self._later(14):
            return
        ticket = self.ticket
        if ticket.type_id is None:
            ticket.type = self.random.choice(self.cast.types)
        kind = EventKind.RESOLVED if self.cast.statuses[Category.RESOLVED].category == Category.RESOLVED else EventKind.CLOSED
        self._record(kind, self.agent, type=ticket.type.name if ticket.type else "", **self._enter(self.cast.statuses[Category.RESOLVED]))
        if self.random.random() < 0.06 and self._later(2):
            ticket.waiting_since = self.at
            self._record(EventKind.REOPENED, self.requester, **self._enter(self.cast.statuses[Category.OPEN]))
            if self._round():
                self._finish()
        elif ticket.close_due_at and ticket.close_due_at <= self.now:
            self.at = ticket.close_due_at
            self._record(EventKind.CLOSED, None, **self._enter(self.cast.statuses[Category.CLOSED]))

    def _enter(self, status: Status) -> dict[str, Any]:
        """As `actions.stand` and `measures.moved` have it."""
        ticket, before = self.ticket, self.ticket.status
        if status.pk == before.pk:
            return {}
        moved: dict[str, Any] = {
            "old": before.name,
            "new": status.name,
            "old_public": before.label_for_customers,
            "new_public": status.label_for_customers,
            "category": status.category,
            "old_category": before.category,
        }
        ticket.status, ticket.category, ticket.status_since = status, status.category, self.at
        if before.category in FINISHED and status.category in UNRESOLVED and ticket.resolved_at:
            self._stretch(Stretch.Kind.RESOLVED, ticket.resolved_at)
        if not ticket.is_finished:
            ticket.resolved_at = ticket.resolution_work = None
        elif ticket.resolved_at is None:
            ticket.resolved_at, ticket.resolution_work = self.at, self._worked(ticket.created_at)
        ticket.close_due_at = self.at + status.closes_after if status.closes_after else None
        ticket.closed_at = self.at if ticket.is_closed else None
        if ticket.is_finished:
            moved["ended"] = {"waiting_since": ticket.waiting_since.isoformat()} if ticket.waiting_since else {}
            ticket.waiting_since = None
        return moved

    # --- Rows --------------------------------------------------------------------------------------------------------------------

    def _worked(self, began: datetime) -> int | None:
        """As `measures.work_seconds`."""
        return int(self.ticket.sla.agreement.calendar.between(began, self.at).total_seconds()) if self.ticket.sla else None

    def _stretch(self, kind: Stretch.Kind, began: datetime, work: int | None = None) -> None:
        self.rows[Stretch].append((self.ticket.pk, kind.value, began, self.at, work))

    def _say(self, author: User, kind: str) -> int:
        said = self.random.choices(self.all.sentences[kind], k=self.random.choice((2, 3, 4, 5)))
        if kind == "customer" and self.random.random() < 0.5:
            reference = f"{self.ticket.pk * 7919 % 9_999_991:07d}"
            said.append(_Text(f"Our reference is {reference}.", f"our reference is {reference}"))
        text = " ".join([one.text for one in said])
        self.first = self.first or text
        (self.internal if kind == "note" else self.public).append(" ".join([GAP, *(one.words for one in said)]))
        self.batch.comments += 1
        pk = self.batch.comments
        channel = self.ticket.channel if kind == "customer" else Channel.DESK.value
        self.rows[Comment].append((pk, self.ticket.pk, author.pk, text, kind == "note", channel, self.at))
        if kind != "note" and self.random.random() < 0.03:
            name = file_name(self.random)
            self.files.append(document([name]))
            self.rows[Attachment].append((pk, f"attachments/seed/{pk}", name, "application/octet-stream", 1000, "0" * 64))
        return pk

    def _record(self, kind: EventKind, actor: User | None, *, comment: int | None = None, is_internal: bool = False, **data: Any) -> None:
        """What the ticket is by now, with its clocks, as the last that a step does."""
        self._sweep(self.at)
        ticket = self.ticket
        promised = self.cast.promised[ticket.sla_key[1:]]
        _touched, about_clocks = clocks.turn(ticket, self.clocks, promised, kind, actor=actor, at=self.at)
        ticket.updated_at = self.at
        if not is_internal:
            ticket.public_updated_at = self.at
        self._event(kind, actor, self.at, data | about_clocks, comment=comment, is_internal=is_internal)

    def _sweep(self, until: datetime) -> None:
        """What sweeps have told of its clocks by then."""
        while due := [clock for clock in self.clocks if clock.next_at and clock.next_at + _SWEPT <= until]:
            clock = min(due, key=lambda clock: clock.next_at or until)
            at = (clock.next_at or until) + _SWEPT
            kind, said = escalation.said_of(clock, at)
            clocks.tell([clock], said[clocks.KEY])
            self._event(kind, None, at, said, is_internal=True)

    def _event(
        self, kind: EventKind, actor: User | None, at: datetime, data: dict[str, Any], *, comment: int | None = None, is_internal: bool
    ) -> None:
        self.batch.events += 1
        who = actor.pk if actor else None
        self.rows[Event].append((self.batch.events, self.ticket.pk, kind.value, who, comment, is_internal, data, at, at, at))
        if kind in _MAILED:
            self._mail(kind, who, at)

    def _mail(self, kind: EventKind, actor: int | None, at: datetime) -> None:
        """The requester hears of what others do, the assignee of the requester's words. What else is told to staff they read at the desk."""
        if kind == EventKind.OPENED:
            self._deliver(self.requester, Kind.CONFIRMATION, Reason.REQUESTER, at)
        elif actor != self.requester.pk:
            self._deliver(self.requester, Kind.UPDATE, Reason.REQUESTER, at)
        else:
            self._deliver(self.agent, Kind.UPDATE, Reason.ASSIGNEE, at)

    def _deliver(self, person: User, kind: Kind, reason: Reason, at: datetime) -> None:
        event, ticket = self.batch.events, self.ticket
        subject = f"[#{ticket.pk}] {ticket.subject}"
        came = ("sent", None, "") if self.random.random() < 0.998 else ("bounced", at, "550 5.1.1 There is no such mailbox.")
        state, bounced_at, error = came
        whom = (event, ticket.pk, person.pk, person.email, kind.value, reason.value)
        self.rows[Delivery].append((*whom, state, 1, at, f"<seed.{event}.{person.pk}@support.example>", subject, at, at, bounced_at, error))


_MAILED = {EventKind.OPENED, EventKind.COMMENTED, EventKind.RESOLVED, EventKind.REOPENED, EventKind.CLOSED}


# --- People ------------------------------------------------------------------------------------------------------------------------


def names(count: int) -> list[tuple[str, str]]:
    """(name, what stands before the @): many share a first or a last name, no two an address."""
    first, last = _WORDS["first_names"], _WORDS["last_names"]
    found = []
    for at in range(count):
        one, other = first[at % len(first)], last[(at // len(first) + at) % len(last)]
        plain = other.encode("ascii", "ignore").decode().lower()
        found.append((f"{one} {other}", f"{one.lower()}.{plain}{at}"))
    return found


def companies(count: int) -> list[tuple[str, str]]:
    """(name, mail domain)"""
    one, other = _WORDS["companies"], _WORDS["trades"]
    found = []
    for at in range(count):
        again = at // (len(one) * len(other))
        name = f"{one[at % len(one)]} {other[at // len(one) % len(other)]}{f' {again + 1}' if again else ''}"
        found.append((name, f"{name.lower().replace(' ', '-')}.example"))
    return found
