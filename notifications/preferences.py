"""How much mail a person wants, of everything and of one ticket.

The rule: **following says whether, a level says how.** A customer is mailed about the tickets that they follow; "stop" on the ticket's page, behind the
link of a mail and in a mail program's own button is one verb, `tickets.sharing.unfollow`. How they are mailed is the level that they chose for the ticket
(`TicketPreference`), else for everything (`MailPreference`), else every update. So a customer can't choose `Level.NONE` for one ticket, as that is to stop
following, and choosing any other level is to follow: no two switches can say different things.
Staff are also told because a ticket is theirs or their group's, which following does not decide. For them `NONE` on a ticket is kept, ends following
too, and goes when they follow again. So it is for customers who follow everything of an organization: that is a choice on their membership and makes no row
on any ticket, so that leaving ends it and nothing has to be cleared away.

Levels are asked when deliveries are made. Mail about the account knows none, and who asked for something by opening a ticket gets its confirmation at
once unless they want nothing at all. Support hears of every customer's word (MISSION C9): where all of the staff who would be told want none of it, they
are told all the same. The daily digest counts as hearing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from notifications.audience import standing_memberships
from notifications.models import Delivery, Kind, Level, MailPreference, Reason, State, TicketPreference
from tickets import access, actions, sharing
from tickets.models import EventKind, Follower, Ticket

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from accounts.models import Organization
    from notifications.audience import Told
    from tickets.models import Event

# --- Asked when deliveries are made --------------------------------------------------------------------------------------------


def wanted(event: Event, told: Sequence[Told]) -> list[tuple[Told, State]]:
    """Those of them who want to hear of it, at once or with the day's digest. Two queries, however many they are."""
    named = {person.user.pk for person in told if person.reason == Reason.MENTIONED and not person.user.is_staff}
    levels = _levels([person.user for person in told], event.ticket, named=named)
    states = [(person, _state(person, event, levels.get(person.user.pk, Level.ALL))) for person in told]
    chosen = [(person, state) for person, state in states if state]
    if _is_a_customers(event) and not any(person.user.is_staff for person, _state_of in chosen):
        chosen += [(person, State.QUEUED) for person in told if person.user.is_staff]
    return chosen


def _levels(users: Sequence[User], ticket: Ticket, *, named: Collection[int] = ()) -> dict[int, str]:
    """`named`: customers whom the words name, who hear of it though they stopped this ticket."""
    general = MailPreference.objects.filter(user__in=users).values_list("user", "level")
    own = TicketPreference.objects.filter(user__in=users, ticket=ticket).values_list("user", "level")
    return dict(general) | {user: level for user, level in own if level != Level.NONE or user not in named}


def _state(person: Told, event: Event, level: str) -> State | None:
    if level == Level.NONE or (level == Level.MINE and not _is_for(person, event)):
        return None
    return State.COLLECTED if level == Level.DIGEST and person.kind != Kind.CONFIRMATION else State.QUEUED


def _is_for(person: Told, event: Event) -> bool:
    """Brought to the person by name, or more than a bare status on a ticket of their own."""
    if person.kind == Kind.SHARED:
        return event.actor_id != person.user.pk
    if person.reason in (Reason.MENTIONED, Reason.RULE):
        return True
    ticket = event.ticket
    is_own = person.user.pk in (ticket.requester_id, ticket.filer_id, ticket.assignee_id)
    return is_own and event.kind != EventKind.STATUS_CHANGED


def _is_a_customers(event: Event) -> bool:
    return event.actor is not None and not event.actor.is_staff


# --- What a person chose -------------------------------------------------------------------------------------------------------


def general_level(user: User) -> Level:
    chosen = MailPreference.objects.filter(user=user).values_list("level", flat=True).first()
    return Level(chosen or Level.ALL)


def with_levels(tickets: QuerySet[Ticket], user: User) -> QuerySet[Ticket]:
    """Each with what this person chose: for it (`own_level`, '' for none), for everything (`general_level`), for all of its organization (`follows_all`)."""
    own = TicketPreference.objects.filter(user=user, ticket=OuterRef("pk")).values("level")
    general = MailPreference.objects.filter(user=user).values("level")
    return tickets.annotate(
        own_level=Coalesce(Subquery(own), Value("")),
        general_level=Coalesce(Subquery(general), Value(Level.ALL.value)),
        follows_all=Exists(standing_memberships(OuterRef("pk")).filter(user=user))
        & ~Exists(Follower.objects.filter(ticket=OuterRef("pk"), user=user)),
    )


def chosen(user: User, ticket: Ticket) -> tuple[str, str]:
    """For this one ticket ('' for as usual), and for everything. One plain query: within the ticket's, it would take four times as long."""
    general = MailPreference.objects.filter(user=user).values_list(Value("general"), "level")
    levels = dict(general.union(TicketPreference.objects.filter(user=user, ticket=ticket).values_list(Value("own"), "level"), all=True))
    return levels.get("own", ""), levels.get("general", Level.ALL.value)


def of_single_tickets(user: User) -> QuerySet[TicketPreference]:
    return TicketPreference.objects.filter(user=user).select_related("ticket").order_by("-ticket")


def in_short(level: str) -> str:
    return {
        Level.ALL: _("every update"),
        Level.MINE: _("answers on your own tickets"),
        Level.DIGEST: _("once a day"),
        Level.NONE: _("nothing"),
    }[Level(level)]


def _offered(user: User) -> tuple[Level, ...]:
    return (Level.ALL, Level.DIGEST, Level.NONE) if user.is_staff else (Level.ALL, Level.DIGEST)


def choices(user: User, *, general: str) -> list[tuple[str, str]]:
    """What may be chosen for one ticket by somebody who wants this `general` level."""
    as_usual = _("As usual: %(level)s") % {"level": in_short(general)}
    return [("", as_usual), *((level.value, capfirst(in_short(level))) for level in _offered(user))]


def promise(user: User, ticket: Ticket) -> str:
    """What somebody who follows may expect, in a sentence."""
    level = _levels([user], ticket).get(user.pk, Level.ALL)
    return {
        Level.ALL: _("You get an email at each update."),
        Level.MINE: _("You follow this ticket. Your mail settings bring you answers on your own tickets only."),
        Level.DIGEST: _("What happens on this ticket is in your daily email."),
        Level.NONE: _("You follow this ticket. Your mail settings bring you no email about it."),
    }[Level(level)]


def promise_to_staff(user: User, ticket: Ticket) -> str:
    """As above, whether they follow or not."""
    level = _levels([user], ticket).get(user.pk, Level.ALL)
    if level == Level.NONE:
        return _("You get no mail about this ticket, as long as somebody else at the desk hears what customers say.")
    return _("Mail to you about this ticket: %(level)s.") % {"level": in_short(level)}


def with_level_of_each(followers: QuerySet[Follower]) -> QuerySet[Follower]:
    """Each with the `level` that this follower wants for the ticket."""
    own = TicketPreference.objects.filter(user=OuterRef("user"), ticket=OuterRef("ticket")).values("level")
    general = MailPreference.objects.filter(user=OuterRef("user")).values("level")
    return followers.annotate(level=Coalesce(Subquery(own), Subquery(general), Value(Level.ALL.value)))


def is_mailed(follower: Follower, ticket: Ticket) -> bool:
    """Whether an answer is mailed to this follower, now or with the digest; one of `with_level_of_each`."""
    level: str = follower.level  # type: ignore[attr-defined] # annotated
    is_own = follower.user_id in (ticket.requester_id, ticket.filer_id, ticket.assignee_id)
    return not follower.is_muted and (level in (Level.ALL, Level.DIGEST) or (level == Level.MINE and is_own))


def mailed_for_all(ticket: Ticket) -> list[User]:
    """Who is mailed an answer without a row on the ticket, as they follow everything of an organization that it is shared with."""
    own = TicketPreference.objects.filter(user=OuterRef("pk"), ticket=ticket).values("level")
    general = MailPreference.objects.filter(user=OuterRef("pk")).values("level")
    people = User.objects.filter(pk__in=standing_memberships(ticket).values("user")).exclude(follower_rows__ticket=ticket)
    people = people.annotate(level=Coalesce(Subquery(own), Subquery(general), Value(Level.ALL.value)))
    return list(people.filter(level__in=(Level.ALL, Level.DIGEST), is_active=True).order_by("pk"))


def said_of(follower: Follower) -> str:
    """What staff should know of this follower's mail, '' for the usual; one of `with_level_of_each`."""
    level: str = follower.level  # type: ignore[attr-defined] # annotated
    if follower.is_muted:
        return _("muted")
    return {
        Level.ALL: "",
        Level.MINE: _("answers on their own tickets"),
        Level.DIGEST: _("once a day"),
        Level.NONE: _("wants no mail"),
    }[Level(level)]


# --- Choosing ------------------------------------------------------------------------------------------------------------------


@transaction.atomic
def choose(user: User, level: Level) -> None:
    """For everything. Who wants nothing gets nothing of what waits either, save about tickets with a level of their own."""
    MailPreference.objects.update_or_create(user=user, defaults={"level": level})
    if level == Level.NONE:
        _withdraw(user, ~Q(ticket__in=TicketPreference.objects.filter(user=user).values("ticket")))


@transaction.atomic
def choose_for(ticket: Ticket, user: User, level: str) -> None:
    """For one ticket that the person sees; '' for as usual."""
    if level not in ("", *_offered(user)):
        raise actions.IllegalMove(_("Choose how you want to be mailed about this ticket."))
    if level == Level.NONE:
        stop(ticket, user)
        return
    if not user.is_staff:
        follow(ticket, user)
    if level:
        TicketPreference.objects.update_or_create(user=user, ticket=ticket, defaults={"level": level})
    else:
        TicketPreference.objects.filter(user=user, ticket=ticket).delete()


@transaction.atomic
def follow(ticket: Ticket, user: User) -> None:
    if not _follows_all(user, ticket):
        sharing.follow(ticket, actor=user)
    TicketPreference.objects.filter(user=user, ticket=ticket, level=Level.NONE).delete()


@transaction.atomic
def stop(ticket: Ticket, user: User) -> None:
    """No more mails about it, not even those that wait."""
    sharing.unfollow(ticket, actor=user)
    if user.is_staff or _follows_all(user, ticket):
        TicketPreference.objects.update_or_create(user=user, ticket=ticket, defaults={"level": Level.NONE})
    else:
        TicketPreference.objects.filter(user=user, ticket=ticket).delete()
    _withdraw(user, Q(ticket=ticket))


def _follows_all(user: User, ticket: Ticket) -> bool:
    """Is told of the ticket for its organization's sake; who has a row on it, for the row's."""
    return standing_memberships(ticket).filter(user=user).exists() and not ticket.follower_rows.filter(user=user).exists()


@transaction.atomic
def follow_all(user: User, organizations: Collection[Organization]) -> None:
    """Of these organizations of the person's everything, of their others not."""
    memberships = Membership.objects.filter(user=user, is_active=True, organization__is_active=True)
    memberships.filter(organization__in=organizations).update(follows_all=True)
    memberships.exclude(organization__in=organizations).update(follows_all=False)


@transaction.atomic
def stop_digests(user: User) -> None:
    """No daily mail any more, and nothing at once in its place."""
    chosen = of_single_tickets(user).filter(level=Level.DIGEST)
    for preference in chosen.filter(ticket__in=access.tickets_for(user)):
        stop(preference.ticket, user)
    chosen.delete()  # of tickets that went out of sight
    if general_level(user) == Level.DIGEST:
        choose(user, Level.NONE)


def _withdraw(user: User, about: Q) -> None:
    """What no sender has begun with. Nothing of staff's: it may be the only mail by which support hears of a customer's words."""
    if user.is_staff:
        return
    states = (State.COLLECTED, State.QUEUED)
    waiting = Delivery.objects.filter(about, recipient=user, kind__in=(Kind.UPDATE, Kind.SHARED), state__in=states, attempts=0)
    waiting.update(state=State.CANCELLED, error=_("This person wanted no more mails before it left."))
