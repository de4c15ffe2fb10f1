"""The only place that turns a person into a queryset or a yes/no. What somebody may not see looks like what does not exist.

Lists, pages, attachments, articles, search and mail all start here and never widen what they are given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from accounts.addresses import domain_of, normalise_address
from accounts.models import AgentGroup, Membership, Organization, Role, User
from tickets.models import (
    Article,
    ArticleFile,
    ArticleState,
    Attachment,
    Audience,
    Comment,
    Event,
    Follower,
    InboundMessage,
    Mailbox,
    OrganizationShare,
    Tag,
    Tagging,
    Ticket,
    Upload,
)
from tickets.models.posting import STAFF

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import AnonymousUser

    from tickets.models.helper import Helper
    from tickets.models.ticket import FollowerQuerySet

H = TypeVar("H", bound="Helper")


def visible_to(user: User, *, path: str = "", numbers: Collection[int] | None = None, afresh: bool = False) -> Q:
    """The one rule (MISSION.md, "Access, in one rule") as a condition on tickets; with `path` ("ticket__"), on rows that have one.

    Who asks about several known tickets gives their `numbers`: else all that the person sees is listed, to look for those few in it.
    `afresh`: by what holds now, not when the request began. Who has waited for a lock needs it.
    """
    if not user.is_active:
        return Q(pk__in=())
    if user.is_staff:
        hidden = _hidden_groups(user, afresh=afresh)
        if hidden == []:  # a condition that is left out is neither put together nor planned
            return ~Q(pk__in=())
        is_hidden = Q(**{f"{path}group__in": hidden})
        return Q(**{f"{path}group": None}) | ~is_hidden | Q(**{f"{path}assignee": user})
    organizations = Membership.objects.filter(user=user, is_active=True, organization__is_active=True).values("organization")
    # One list of numbers, each part of it from an index: PostgreSQL would look through all tickets there are for conditions joined by OR.
    of_tickets = Q() if numbers is None else Q(pk__in=numbers)
    of_rows = Q() if numbers is None else Q(ticket__in=numbers)
    seen = Ticket.objects.filter(of_tickets, requester=user).values("pk")
    others = (
        Ticket.objects.filter(of_tickets, filer=user).values("pk"),
        Follower.objects.in_force().filter(of_rows, user=user).values("ticket"),
        OrganizationShare.objects.filter(of_rows, organization__in=organizations).values("ticket"),
    )
    return Q(**{f"{path}pk__in": seen.union(*others, all=True)})


def _hidden_groups(user: User, *, afresh: bool = False) -> QuerySet[AgentGroup] | list[int]:
    if user.hidden_groups is not None and not afresh:
        return user.hidden_groups
    own = AgentGroup.members.through.objects.filter(user=user)  # Django takes much longer to put `exclude(members=user)` together
    return AgentGroup.objects.filter(is_private=True).exclude(pk__in=own.values("agentgroup"))


def has_seen_tickets(user: User) -> Q:
    """The same rule as a condition on groups, for staff: those of whose tickets this person may see some, be it one that is theirs."""
    own = AgentGroup.members.through.objects.filter(agentgroup=OuterRef("pk"), user=user)
    return Q(is_private=False) | Exists(own) | Exists(Ticket.objects.filter(group=OuterRef("pk"), assignee=user))


def tickets_for(user: User | AnonymousUser) -> QuerySet[Ticket]:
    return Ticket.objects.filter(visible_to(user)) if isinstance(user, User) else Ticket.objects.none()


def scopes_of(user: User) -> list[int]:
    """The circles this person belongs to, as the index of related tickets has them. In more than `_MOST_SCOPES` organizations: the ones joined last."""
    if not user.is_active:
        return []
    if user.is_staff:
        return [STAFF, *(-group for group in user.agent_groups.filter(is_private=True).values_list("pk", flat=True)[:_MOST_SCOPES])]
    memberships = Membership.objects.filter(user=user, is_active=True, organization__is_active=True)
    return list(memberships.order_by("-pk").values_list("organization", flat=True)[:_MOST_SCOPES])


_MOST_SCOPES = 30


def seen_by_name(user: User, scopes: Collection[int]) -> list[int]:
    """Numbers of the tickets that this person sees for being named on them, and not for belonging to a circle of `scopes`: few, the newest first."""
    if user.is_staff:
        assigned = Ticket.objects.filter(assignee=user, group__in=_hidden_groups(user))
        return list(assigned.order_by("-pk").values_list("pk", flat=True)[:_MOST_BY_NAME])
    shared = OrganizationShare.objects.filter(organization__in=scopes)
    followed = Follower.objects.in_force().filter(user=user).exclude(Exists(shared.filter(ticket=OuterRef("ticket"))))
    filed = Ticket.objects.filter(filer=user).exclude(Exists(shared.filter(ticket=OuterRef("pk"))))
    numbers = followed.values_list("ticket", flat=True).union(filed.values_list("pk", flat=True))
    return list(numbers.order_by("-ticket")[:_MOST_BY_NAME])


_MOST_BY_NAME = 200


def can_see(user: User, ticket: Ticket) -> bool:
    return tickets_for(user).filter(pk=ticket.pk).exists()


def get_ticket(user: User, number: int, *, among: QuerySet[Ticket] | None = None) -> Ticket:
    """The ticket, from `among` (a queryset with what the page needs joined in). Raises Http404 alike for invisible and missing."""
    tickets = Ticket.objects.all() if among is None else among
    try:
        return tickets.filter(visible_to(user)).get(pk=number)
    except (Ticket.DoesNotExist, OverflowError) as error:
        raise Http404 from error


def comments_for(user: User, ticket: Ticket) -> QuerySet[Comment]:
    """The comments of a ticket that the caller got from `get_ticket`, oldest first."""
    return comments_of(user, [ticket.pk])


def comments_of(user: User, parts: Collection[int]) -> QuerySet[Comment]:
    """Of `parts_of` a ticket."""
    comments = Comment.objects.filter(ticket__in=parts).order_by("id")
    return comments if user.is_staff else comments.filter(is_internal=False)


def events_for(user: User, ticket: Ticket) -> QuerySet[Event]:
    """The history of a ticket that the caller got from `get_ticket`, and of what was merged into it, oldest first."""
    return events_of(user, parts_of(user, ticket))


def parts_of(user: User, ticket: Ticket) -> list[int]:
    """The number of a ticket from `get_ticket`, and those of the tickets merged into it that this person sees: a merge opens nobody's words to others."""
    return [ticket.pk, *tickets_for(user).filter(merged_into=ticket).order_by("pk").values_list("pk", flat=True)]


def events_of(user: User, parts: Collection[int]) -> QuerySet[Event]:
    """Of `parts_of` a ticket, for who needs its parts anyway."""
    events = Event.objects.filter(ticket__in=parts).order_by("id")
    return events if user.is_staff else events.filter(is_internal=False)


def authors_read_by(user: User, numbers: Collection[int]) -> dict[int, set[int]]:
    """By ticket, of those that this person sees: who wrote what they read in public on its page, with what was merged into it. One query."""
    authors: dict[int, set[int]] = {number: set() for number in numbers}
    merged = Ticket.objects.filter(visible_to(user), merged_into__in=numbers).values("pk")
    said = Comment.objects.filter(Q(ticket__in=numbers) | Q(ticket__in=merged), is_internal=False).order_by()
    for number, into, author in said.values_list("ticket", "ticket__merged_into", "author").distinct():
        for page in (number, into or number):
            authors.get(page, set()).add(author)
    return authors


def get_attachment(user: User, pk: int) -> Attachment:
    """Raises Http404 alike for invisible and missing."""
    attachments = Attachment.objects.filter(comment__ticket__in=tickets_for(user))
    if not user.is_staff:
        attachments = attachments.filter(comment__is_internal=False)
    try:
        return attachments.get(pk=pk)
    except (Attachment.DoesNotExist, OverflowError) as error:
        raise Http404 from error


def articles_for(user: User | AnonymousUser) -> QuerySet[Article]:
    """Help articles: all of them for staff, drafts too; for everybody else those that are published for them."""
    if isinstance(user, User) and user.is_staff:
        return Article.objects.all()
    published = Article.objects.filter(state=ArticleState.PUBLISHED)
    if not isinstance(user, User) or not user.is_active:
        return published.filter(audience=Audience.EVERYBODY)
    theirs = Article.organizations.through.objects.filter(organization__in=user.active_organizations()).values("article")
    return published.filter(~Q(audience=Audience.ORGANIZATIONS) | Q(pk__in=theirs))


def get_article(user: User | AnonymousUser, pk: int) -> Article:
    """Raises Http404 alike for invisible and missing."""
    try:
        return articles_for(user).select_related("section", "published", "newest").get(pk=pk)
    except (Article.DoesNotExist, OverflowError) as error:
        raise Http404 from error


def get_article_file(user: User | AnonymousUser, pk: int) -> ArticleFile:
    """Readers get what belongs to the published words: a picture of a draft is as hidden as the draft. Raises Http404."""
    articles = articles_for(user)
    if isinstance(user, User) and user.is_staff:
        files = ArticleFile.objects.filter(article__in=articles)
    else:
        files = ArticleFile.objects.filter(versions__in=articles.values("published"))
    try:
        return files.get(pk=pk)
    except (ArticleFile.DoesNotExist, OverflowError) as error:
        raise Http404 from error


def helpers_for(user: User, model: type[H]) -> QuerySet[H]:
    """Canned replies and macros, for staff: everybody's, those of their groups, and their own."""
    if not user.is_staff:
        return model._default_manager.none()
    return model._default_manager.filter(Q(owner=user) | Q(owner=None, group=None) | Q(group__in=user.agent_groups.all()))


def uploads_of(user: User) -> QuerySet[Upload]:
    """What this person has uploaded and not posted yet; nobody else sees it."""
    return Upload.objects.filter(uploader=user)


def tags_for(user: User) -> QuerySet[Tag]:
    """Those that stand on a ticket which this person sees: a private group's words are its own."""
    return Tag.objects.filter(Exists(Tagging.objects.filter(visible_to(user, path="ticket__"), tag=OuterRef("pk"))))


def inbound_for(user: User) -> QuerySet[InboundMessage]:
    """Mail that came in, for staff: of the tickets they see, and of none yet where its mailbox is not that of a private group of others.

    What came back of mail about no ticket is for admins: it may hold the link that opens somebody's account, or a digest with tickets of private groups.
    """
    if not user.is_staff:
        return InboundMessage.objects.none()
    of_no_ticket = Q(ticket=None) & (Q(mailbox__group=None) | ~Q(mailbox__group__in=_hidden_groups(user)))
    if not user.is_admin:
        of_no_ticket &= Q(report={})
    # Asked of the joined ticket: PostgreSQL would answer an Exists beside an OR by reading all tickets there are.
    return InboundMessage.objects.filter(of_no_ticket | (Q(ticket__isnull=False) & visible_to(user, path="ticket__")))


def mailboxes_for(user: User) -> QuerySet[Mailbox]:
    """Those whose mail this person may see, for staff."""
    if not user.is_staff:
        return Mailbox.objects.none()
    return Mailbox.objects.filter(Q(group=None) | ~Q(group__in=_hidden_groups(user)))


def findable_by(user: User) -> QuerySet[User]:
    """The other people this person may find by name, share with and name: staff everybody; customers their teammates, and who looks after them.

    By the same memberships as `visible_to`. Whoever is not in here is to this person as one who does not exist.
    """
    people = User.objects.filter(is_active=True).exclude(pk=user.pk).order_by("name", "email")
    if not user.is_active:
        return people.none()
    if user.is_staff:
        return people
    organizations = user.active_organizations()
    members = Membership.objects.filter(organization__in=organizations, is_active=True)
    leads = ~Q(role=Role.CUSTOMER) & Q(pk__in=organizations.exclude(delivery_lead=None).values("delivery_lead"))
    return people.filter(Q(pk__in=members.values("user")) | leads)


def groups_for(user: User) -> QuerySet[AgentGroup]:
    """Those whose tickets this person sees, for staff."""
    return AgentGroup.objects.filter(Q(is_private=False) | Q(members=user)).distinct() if user.is_staff else AgentGroup.objects.none()


def nameable_on(user: User, ticket: Ticket | None, *, is_internal: bool = False) -> QuerySet[User]:
    """The other people this person may name by "@" in words on a ticket that they see, or on one that they are about to file (None).

    Customers: whom they may find, and the staff who answered them here. The assignee who did not is nobody they know of, and of who stands outside
    their organizations nobody is in here, not even followers. Staff: whoever sees the ticket; in an internal note each other alone.
    """
    people = who_see(ticket) if ticket else User.objects.active_staff()
    if not user.is_active or (is_internal and not user.is_staff):
        people = people.none()
    elif not user.is_staff:
        found = findable_by(user).order_by()
        answered = Comment.objects.filter(ticket=ticket, is_internal=False).values("author") if ticket else ()
        staff = people.exclude(role=Role.CUSTOMER).filter(Q(pk__in=found.values("pk")) | Q(pk__in=answered))
        people = found.filter(role=Role.CUSTOMER) | staff
    elif is_internal:
        people = people.exclude(role=Role.CUSTOMER)
    return people.exclude(pk=user.pk).order_by("name", "email")


def who_see(ticket: Ticket) -> QuerySet[User]:
    """`visible_to`, asked the other way round."""
    private = AgentGroup.objects.filter(tickets=ticket, is_private=True)
    in_group = AgentGroup.members.through.objects.filter(agentgroup=ticket.group_id).values("user")
    shared = OrganizationShare.objects.filter(ticket=ticket, organization__is_active=True).values("organization")
    members = Membership.objects.filter(is_active=True, organization__in=shared).values("user")
    followers = Follower.objects.in_force().filter(ticket=ticket).values("user")
    staff = ~Q(role=Role.CUSTOMER) & (~Exists(private) | Q(pk__in=in_group) | Q(pk__in=(ticket.assignee_id,)))
    customers = Q(role=Role.CUSTOMER) & (Q(pk__in=(ticket.requester_id, ticket.filer_id)) | Q(pk__in=followers) | Q(pk__in=members))
    return User.objects.filter(staff | customers, is_active=True)


def is_on(user: User, ticket: Ticket) -> bool:
    """Already takes part: requester, filer, assignee or follower. Enough for a bare ticket number in a subject, when `can_see` is too little."""
    return (
        user.pk in (ticket.requester_id, ticket.filer_id, ticket.assignee_id) or ticket.follower_rows.in_force().filter(user=user).exists()
    )


def shareable_by(user: User) -> QuerySet[Organization]:
    """The organizations this person may share a ticket with: staff any, customers their own."""
    if user.is_staff:
        return Organization.objects.filter(is_active=True)
    return user.active_organizations() if user.is_active else Organization.objects.none()


def followers_for(user: User, ticket: Ticket) -> FollowerQuerySet:
    """The followers that this person may know of, on a ticket from `get_ticket`: to customers, the customers, and the staff whom customers brought in."""
    rows = Follower.objects.filter(ticket=ticket)
    return rows if user.is_staff else rows.filter(Q(user__role=Role.CUSTOMER) | Q(added_by__role=Role.CUSTOMER))


def sees_only_by_following(user: User, ticket: Ticket) -> bool:
    """Whether taking the follower row away would take the ticket away."""
    if user.is_staff or user.pk in (ticket.requester_id, ticket.filer_id):
        return False
    return not _giving(user, ticket).exists()


def sees_only_by(organization: Organization, user: User, ticket: Ticket) -> bool:
    """Whether taking the ticket from the organization would take it from this person, who sees it."""
    return losing(ticket, organization).filter(pk=user.pk).exists()


def losing(ticket: Ticket, organization: Organization) -> QuerySet[User]:
    """The people who see the ticket because it is shared with this organization, and in no other way."""
    members = Membership.objects.filter(is_active=True, organization__is_active=True)
    others = OrganizationShare.objects.filter(ticket=ticket).exclude(organization=organization)
    followers = Follower.objects.in_force().filter(ticket=ticket)
    shared = members.filter(organization__in=others.values("organization"))
    people = User.objects.filter(is_active=True, role=Role.CUSTOMER, pk__in=members.filter(organization=organization).values("user"))
    people = people.exclude(pk__in=followers.values("user")).exclude(pk__in=shared.values("user"))
    return people.exclude(pk__in=[pk for pk in (ticket.requester_id, ticket.filer_id) if pk])


def membership_giving(user: User, ticket: Ticket) -> Organization | None:
    """The organization by which alone this customer sees the ticket, if they do; of several, the first."""
    if user.is_staff or user.pk in (ticket.requester_id, ticket.filer_id):
        return None
    return _giving(user, ticket).first()


def _giving(user: User, ticket: Ticket) -> QuerySet[Organization]:
    return user.active_organizations().filter(share_rows__ticket=ticket)


def fileable_by(user: User) -> QuerySet[User]:
    """Customers whom this member of staff may file a ticket for: a Customer Success Manager, the people of the organizations they look after."""
    customers = User.objects.filter(is_active=True, role=Role.CUSTOMER)
    if not user.is_staff:
        return User.objects.none()
    return customers.filter(memberships__in=_led_memberships(user)).distinct() if user.role == Role.CSM else customers


def may_file_for(user: User, address: str) -> bool:
    """As above, by address: one that nobody has yet counts as its domain's. Says nothing of whether anybody has it."""
    if not user.is_staff or user.role != Role.CSM:
        return user.is_staff
    address = normalise_address(address)
    led = Organization.objects.filter(delivery_lead=user, is_active=True)
    person = User.objects.by_address(address)
    of_theirs = _led_memberships(user).filter(user=person) if person else Membership.objects.none()
    return of_theirs.exists() or led.filter(domains__domain=domain_of(address)).exists()


def _led_memberships(user: User) -> QuerySet[Membership]:
    """Also of those who have not proven their address yet."""
    led = Membership.objects.filter(organization__delivery_lead=user, organization__is_active=True)
    return led.filter(Q(is_active=True) | Q(awaits_proof=True))
