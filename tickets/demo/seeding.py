"""What `manage.py seed` writes: people, and the stories of tickets, as plausible as a measurement needs, and the same for the same number.

Makes rows and writes none. Nobody's address exists, and every event is marked as told, so that nobody is mailed.
"""

from __future__ import annotations

import json
import random
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tickets.lifecycle import Category
from tickets.models import Channel, EventKind
from tickets.search import word_index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounts.models import AgentGroup, Organization, User
    from tickets.models import Priority, Status, TicketType

YEARS = timedelta(days=730)
_WORDS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("seed_words.toml").read_text(encoding="utf-8"))
_SENTENCES = 4_000  # of each kind; a ticket has about twelve of them
_CHANNELS = [Channel.EMAIL, Channel.EMAIL, Channel.EMAIL, Channel.PORTAL, Channel.PORTAL, Channel.DESK]
_AT_NIGHT = (0, 1, 2, 3, 4, 5, 6, 19, 20, 21, 22, 23)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    customers: list[User]
    organization_of: dict[int, Organization]  # by the person's id
    agents: list[User]
    group_of: dict[int, int]  # by the agent's id
    groups: list[AgentGroup]
    statuses: dict[Category, Status]  # the default of each category
    waiting: list[Status]
    types: list[TicketType]
    priorities: list[Priority]


@dataclass(slots=True)
class Rows:
    """Of some tickets, in the order of `COLUMNS`."""

    tickets: list[tuple[Any, ...]] = field(default_factory=list)
    comments: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    followers: list[tuple[Any, ...]] = field(default_factory=list)
    shares: list[tuple[Any, ...]] = field(default_factory=list)
    attachments: list[tuple[Any, ...]] = field(default_factory=list)
    words: list[tuple[Any, ...]] = field(default_factory=list)


COLUMNS = {
    "tickets": "id subject requester status category type priority group assignee channel created_at updated_at public_updated_at "
    "status_since first_response_at waiting_since resolved_at close_due_at closed_at is_indexed",
    "comments": "id ticket author text is_internal channel created_at",
    "events": "id ticket kind actor comment is_internal data at dispatch_at dispatched_at",
    "followers": "ticket user added_by created_at",
    "shares": "ticket organization added_by created_at",
    "attachments": "comment file name content_type size sha256",
    "words": "ticket public internal size",
}


class Stories:
    """Tickets one after the other, each with a number above the last, opened later than it."""

    def __init__(self, cast: Cast, *, count: int, now: datetime, seed: int = 1) -> None:
        self.cast, self.count, self.now = cast, count, now
        self.random = random.Random(seed)  # noqa: S311 a measurement must be the same again
        self.comments = self.events = 0
        self.sentences = {kind: [self._sentence(kind) for _ in range(_SENTENCES)] for kind in ("subjects", "customer", "agent", "note")}
        # Some people ask often, most of them seldom.
        self.askers = self.random.choices(cast.customers, weights=[1 / (at + 20) for at in range(len(cast.customers))], k=count)

    def batches(self, size: int) -> Iterator[Rows]:
        for first in range(1, self.count + 1, size):
            rows = Rows()
            for number in range(first, min(first + size, self.count + 1)):
                _Story(self, rows, number).tell()
            yield rows

    def _sentence(self, kind: str) -> str:
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
            file=self.file_name(),
            number=f"{pick('ABCDEFGHKX')}-{self.random.randrange(10, 20_000)}",
            count=self.random.randrange(3, 400),
        )
        return said[0].upper() + said[1:]

    def file_name(self) -> str:
        return f"{self.random.choice(_WORDS['file_names'])}-{self.random.randrange(1000, 9999)}.{self.random.choice(_WORDS['endings'])}"

    def created(self, number: int) -> datetime:
        """More and more of them a day, most of them at work."""
        share: float = ((number - self.random.random()) / self.count) ** 0.8
        at = self.now - YEARS + YEARS * share
        is_late = at.hour in _AT_NIGHT and self.now - at > timedelta(days=1) and self.random.random() < 0.8
        return at + timedelta(hours=9) if is_late else at


class _Story:
    """One ticket, from mail to close as far as its age goes."""

    def __init__(self, stories: Stories, rows: Rows, number: int) -> None:
        self.all, self.rows, self.number = stories, rows, number
        self.cast, self.random, self.now = stories.cast, stories.random, stories.now
        self.at = self.updated = self.public = stories.created(number)
        self.requester = stories.askers[number - 1]
        self.channel = self.random.choice(_CHANNELS)
        self.status = self.cast.statuses[Category.NEW]
        self.agent: User | None = None
        self.type: TicketType | None = None
        self.facts: dict[str, datetime | None] = defaultdict(lambda: None)
        self.public_words, self.internal_words = [str(number)], [self.requester.name, self.requester.email]

    def tell(self) -> None:
        created = self.at
        self.facts["waiting_since"] = self.facts["status_since"] = created
        self._record(EventKind.OPENED, self.requester, comment=self._say(self.requester, "customer"), data='{"quiet": false}')
        self._people(created)
        if self.random.random() < 0.02 and self._later(1):
            self._move(Category.SPAM, EventKind.MARKED_SPAM, self.random.choice(self.cast.agents), is_internal=True)
        else:
            self._work()
        agent, group = self.agent, self.random.choice(self.cast.groups).pk
        subject = self.random.choice(self.all.sentences["subjects"])
        words = word_index.of(self.number, public=[subject, *self.public_words], internal=self.internal_words)
        self.rows.words.append(tuple(word_index.prepared(words)))
        self.rows.tickets.append(
            (
                self.number,
                subject,
                self.requester.pk,
                self.status.pk,
                self.status.category,
                self.type.pk if self.type else None,
                self.random.choices(self.cast.priorities, weights=range(1, len(self.cast.priorities) + 1))[0].pk
                if self.random.random() < 0.8
                else None,
                self.cast.group_of.get(agent.pk, group) if agent else group,
                agent.pk if agent else None,
                self.channel,
                created,
                self.updated,
                self.public,
                *(
                    self.facts[name]
                    for name in ("status_since", "first_response_at", "waiting_since", "resolved_at", "close_due_at", "closed_at")
                ),
                True,
            )
        )

    def _people(self, created: datetime) -> None:
        self.rows.followers.append((self.number, self.requester.pk, self.requester.pk, created))
        organization = self.cast.organization_of.get(self.requester.pk)
        if organization and self.random.random() < 0.9:
            self.rows.shares.append((self.number, organization.pk, self.requester.pk, created))

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
        self.agent = self.random.choice(self.cast.agents)
        before = self.status
        self.status = self.cast.statuses[Category.OPEN]
        said = json.dumps({"old": "", "new": self.agent.display_name, "assignee": self.agent.pk, "status": self.status.name})
        self._record(EventKind.ASSIGNED, self.agent, data=said, is_internal=True)
        self.public = self.at if before != self.status else self.public
        if self.random.random() < 0.35:
            self._record(EventKind.NOTED, self.agent, comment=self._say(self.agent, "note"), is_internal=True)
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
        agent = self.agent or self.cast.agents[0]
        self.facts["first_response_at"] = self.facts["first_response_at"] or self.at
        self.facts["waiting_since"] = None
        before = self.status
        self.status = self.random.choice(self.cast.waiting) if self.random.random() < 0.5 else self.status
        data = _moved(before, self.status) if before != self.status else "{}"
        self._record(EventKind.COMMENTED, agent, comment=self._say(agent, "agent"), data=data)
        self.public = self.at
        if self.random.random() < 0.1:
            self._record(EventKind.PRIORITY_CHANGED, agent, data='{"old": "", "new": "High"}', is_internal=True)
        if self.random.random() < 0.6:
            if not self._later(12):
                return False
            before, self.status = self.status, self.cast.statuses[Category.OPEN]
            self.facts["waiting_since"] = self.at
            data = _moved(before, self.status) if before != self.status else "{}"
            self._record(EventKind.COMMENTED, self.requester, comment=self._say(self.requester, "customer"), data=data)
            self.public = self.at
        return True

    def _finish(self) -> None:
        if not self._later(14):
            return
        self.type = self.type or self.random.choice(self.cast.types)
        self._move(Category.RESOLVED, EventKind.RESOLVED, self.agent)
        self.facts |= {"resolved_at": self.at, "waiting_since": None}
        due = self.at + timedelta(hours=48)
        if self.random.random() < 0.06 and self._later(2):
            self._move(Category.OPEN, EventKind.REOPENED, self.requester)
            self.facts |= {"resolved_at": None, "waiting_since": self.at}
            if self._round():
                self._finish()
        elif due > self.now:
            self.facts["close_due_at"] = due
        else:
            self.at = due
            self._move(Category.CLOSED, EventKind.CLOSED, None)
            self.facts["closed_at"] = due

    def _move(self, category: Category, kind: EventKind, actor: User | None, *, is_internal: bool = False) -> None:
        before, self.status = self.status, self.cast.statuses[category]
        if category == Category.SPAM:
            self.facts["waiting_since"] = None
        self._record(kind, actor, data=_moved(before, self.status), is_internal=is_internal)
        self.public = self.at

    # --- Rows --------------------------------------------------------------------------------------------------------------------

    def _say(self, author: User, kind: str) -> int:
        said = " ".join(self.random.choices(self.all.sentences[kind], k=self.random.choice((2, 3, 4, 5))))
        if kind == "customer" and self.random.random() < 0.5:
            said += f" Our reference is {self.number * 7919 % 9_999_991:07d}."
        words = self.internal_words if kind == "note" else self.public_words
        words.append(said)
        self.all.comments += 1
        pk = self.all.comments
        channel = self.channel if kind == "customer" else Channel.DESK
        self.rows.comments.append((pk, self.number, author.pk, said, kind == "note", channel, self.at))
        if self.random.random() < 0.03:
            name = self.all.file_name()
            words.append(name)
            self.rows.attachments.append((pk, f"attachments/seed/{pk}", name, "application/octet-stream", 1000, "0" * 64))
        return pk

    def _record(
        self, kind: EventKind, actor: User | None, *, comment: int | None = None, data: str = "{}", is_internal: bool = False
    ) -> None:
        self.all.events += 1
        who = actor.pk if actor else None
        self.rows.events.append((self.all.events, self.number, kind.value, who, comment, is_internal, data, self.at, self.at, self.at))
        self.updated = self.at
        if "category" in data:
            self.facts["status_since"] = self.at


@cache
def _moved(old: Status, new: Status) -> str:
    """What the event of a move says."""
    public = {"old_public": old.label_for_customers, "new_public": new.label_for_customers}
    return json.dumps({"old": old.name, "new": new.name, **public, "category": new.category, "old_category": old.category})


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
