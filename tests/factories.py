"""Plain functions that make what a test needs, through the product's own verbs."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from django.core.files.base import ContentFile

from accounts.models import Membership, Organization, Role, User
from tickets import actions
from tickets.files import NewFile
from tickets.help import articles
from tickets.models import Article, Audience, BusinessCalendar, Channel, SlaPolicy, SlaStep, SlaTarget, Ticket, WorkingSpan

PASSWORD = "correct horse battery"


def make_user(email: str, name: str = "", organization: Organization | None = None, *, role: Role = Role.CUSTOMER) -> User:
    user = User.objects.create_user(email, PASSWORD, name=name, role=role)
    if organization:
        Membership.objects.create(user=user, organization=organization)
    return user


def message(text: str = "It is broken.", *, channel: Channel = Channel.PORTAL, **fields: Any) -> actions.Message:
    return actions.Message(text=text, channel=channel, **fields)


def new_file(name: str = "log.txt", content: bytes = b"one line") -> NewFile:
    return NewFile(name=name, content=ContentFile(content))


def make_ticket(
    requester: User, subject: str = "Player is blank", *, text: str = "It is broken.", share: bool = True, **fields: Any
) -> Ticket:
    """Opened in the portal by its requester, and shared with their organization."""
    shared = requester.active_organizations().first() if share else None
    fields = {"actor": requester, "share_with": shared, "message": message(text), **fields}
    return actions.open_ticket(requester=requester, subject=subject, **fields)


def make_article(
    author: User,
    title: str = "Export completion data",
    *,
    html: str = "<p>Open the Studio and choose Export.</p>",
    section: str = "Using the Studio",
    readers: Audience | Organization = Audience.EVERYBODY,
    files: tuple[NewFile, ...] = (),
    publish: bool = True,
) -> Article:
    """Written, and unless said otherwise published, by `author`. `readers`: an audience, or the one organization that it is for."""
    article = articles.create(actor=author, section=section, title=title, html=html, new_files=files)
    if isinstance(readers, Organization):
        article = articles.place(article, actor=author, section=section, audience=Audience.ORGANIZATIONS, organizations=[readers])
    elif readers != Audience.EVERYBODY:
        article = articles.place(article, actor=author, section=section, audience=readers)
    return articles.publish(article, actor=author) if publish else article


OFFICE = "09:00-17:00"


def make_policy(
    name: str = "Standard", *, zone: str = "Europe/Berlin", hours: str = OFFICE, steps: tuple[str, ...] = (), **fields: Any
) -> SlaPolicy:
    """Work from Monday to Friday, and for every priority 4 hours to the first response, 2 to a next one, 16 to the resolution, unless `fields` say otherwise.

    `steps`: "first before 30", "resolution after 60", in minutes.
    """
    calendar = BusinessCalendar.objects.create(name=f"Hours of {name}", zone=zone)
    opens, closes = (time.fromisoformat(at) for at in hours.split("-"))
    WorkingSpan.objects.bulk_create(WorkingSpan(calendar=calendar, weekday=day, opens=opens, closes=closes) for day in range(5))
    promised = {"first_response": timedelta(hours=4), "next_response": timedelta(hours=2), "resolution": timedelta(hours=16)}
    target = {name: fields.pop(name, span) for name, span in promised.items()}
    policy = SlaPolicy.objects.create(name=name, calendar=calendar, **fields)
    SlaTarget.objects.create(policy=policy, **target)
    for step in steps:
        metric, side, minutes = step.split()
        SlaStep.objects.create(policy=policy, metric=metric, side=side, span=timedelta(minutes=int(minutes)))
    return policy
