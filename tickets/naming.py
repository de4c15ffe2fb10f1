"""Naming somebody in what one says: who may be named, and what it brings about.

It never tells who else there is: whoever may not be named is to the author as one who does not exist, and the words stay words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tickets import access
from tickets.locking import hold_memberships
from tickets.models import Channel, Follower
from tickets.writing import prose
from tickets.writing.mentions import Nameable, mentions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import User
    from tickets.models import Comment, Ticket


_CODE = re.compile(r"<(code|pre)\b[^<>]*>.*?</\1>", re.DOTALL)


def nameable(people: Iterable[User]) -> list[Nameable]:
    return [Nameable(one.pk, one.name, one.email.partition("@")[0]) for one in people]


def name_people(said: Comment, ticket: Ticket, *, author: User) -> dict[str, Any]:
    """Part of the verb that says something: shares the ticket with who is named and does not see it yet. Answers what the event keeps.

    `named`: the words and whom they mean. `shared_with`: names. All who may be named and do not see the ticket are the author's teammates, whom
    the author could share it with as well.
    """
    if "@" not in said.text or ticket.is_spam:
        return {}
    people = {one.pk: one for one in access.nameable_on(author, ticket, is_internal=said.is_internal)}
    named = {one.words: one.id for one in mentions(_spoken(said), nameable(people.values()))}
    if not named:
        return {}
    see = set(access.who_see(ticket).filter(pk__in=named.values()).values_list("pk", flat=True))
    newcomers = _still_nameable([people[pk] for pk in dict.fromkeys(named.values()) if pk not in see], ticket, author=author)
    if not (named := {words: pk for words, pk in named.items() if pk in see or people[pk] in newcomers}):
        return {}
    Follower.objects.bulk_create(
        [Follower(ticket=ticket, user=person, added_by=author) for person in newcomers],
        update_conflicts=True,  # who followed as a member of an organization that they have left
        unique_fields=["ticket", "user"],
        update_fields=["added_by", "through"],
    )
    return {"named": named} | ({"shared_with": [person.display_name for person in newcomers]} if newcomers else {})


def _still_nameable(newcomers: list[User], ticket: Ticket, *, author: User) -> list[User]:
    """Without who leaves the author's organization at this moment."""
    if not newcomers:
        return []
    hold_memberships(newcomers)
    known = set(access.nameable_on(author, ticket).filter(pk__in=[person.pk for person in newcomers]))
    return [person for person in newcomers if person in known]


def _spoken(said: Comment) -> str:
    """The words without what our editor marked as code, of which the plain text knows nothing."""
    if said.channel == Channel.EMAIL or not _CODE.search(said.html):
        return said.text
    return prose.plain(_CODE.sub(" ", said.html))
