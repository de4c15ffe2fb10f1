"""People and the organizations and groups they belong to. Says who somebody is; what they may see is decided by `tickets.access` alone."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.addresses import PUBLIC_MAIL_DOMAINS, domain_of, normalise_address, validate_domain

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

# What a browser's name for itself holds; the first that fits, as most of them claim to be others too.
_PROGRAMS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("CriOS", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "Mac"), ("Linux", "Linux"))

TIME_ZONES = frozenset(zoneinfo.available_timezones())  # asking reads hundreds of files


class Role(models.TextChoices):
    CUSTOMER = "customer", _("Customer")
    AGENT = "agent", _("Agent")
    CSM = "csm", _("Customer Success Manager")
    ADMIN = "admin", _("Admin")


class _ListOf(models.Func):
    """A column of a subquery in one value."""

    function = "JSONB_AGG"
    output_field = models.JSONField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **extra_context)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Without a password the account can be entered by a set-password link alone."""
        user = self.model(email=normalise_address(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, **{"role": Role.ADMIN, **fields})

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=normalise_address(username or ""))

    def by_address(self, address: str) -> User | None:
        """Whose address this is: the login, or another one that the person has proven."""
        address = normalise_address(address)
        others = self.filter(emailaddress__email=address, emailaddress__verified=True)
        return self.filter(email=address).first() or others.order_by("pk").first()

    def admit(self, address: str, *, name: str = "") -> User:
        """Whose address this is, or a new account that a set-password link alone opens. Its domain makes a member of it once the address is proven."""
        if known := self.by_address(address):
            return known
        address = normalise_address(address)
        person, made = self.get_or_create(email=address, defaults={"name": name[:150], "password": make_password(None)})
        domain = EmailDomain.objects.filter(domain=domain_of(address), organization__is_active=True).first() if made else None
        if domain:
            Membership.objects.get_or_create(
                user=person, organization=domain.organization, defaults={"is_active": False, "awaits_proof": True}
            )
        return person

    def automaton(self) -> User:
        """Whose name stands above what a rule writes, as words need an author: switched off, so that nobody can enter it, find it or mail it."""
        fields = {"name": settings.SITE_NAME[:150], "role": Role.AGENT, "is_active": False, "password": make_password(None)}
        return self.get_or_create(email="automation@helpdesk.invalid", defaults=fields)[0]

    def active_staff(self) -> models.QuerySet[User]:
        return self.filter(is_active=True).exclude(role=Role.CUSTOMER)

    def with_hidden_groups(self) -> models.QuerySet[User]:
        """Each with the numbers of the private groups they are no member of: what most of a page's queries turn on, known before the first of them."""
        own = AgentGroup.members.through.objects.filter(user=OuterRef(OuterRef("pk")))
        hidden = AgentGroup.objects.filter(is_private=True).exclude(pk__in=own.values("agentgroup")).order_by()
        numbers = Coalesce(Subquery(hidden.values(numbers=_ListOf("pk"))), Value([], models.JSONField()))
        return self.annotate(hidden_groups=numbers)  # type: ignore[no-redef] # the attribute says that it may be missing


class User(AbstractBaseUser):
    """A person. The mail address is the login; it is kept in lower case (ASCII letters only, see `normalise_address`)."""

    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.CUSTOMER)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switch off instead of deleting: the history stays."))
    time_zone = models.CharField(_("time zone"), max_length=50, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)  # of pages and mails; empty: the browser's, the installation's
    proven_at = models.DateTimeField(
        _("address proven at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When a link or signed address sent there came back."),
    )
    link_issued_at = models.DateTimeField(null=True, editable=False)  # of the newest set-password link; older ones are worthless
    # Part of every reply address and session of this person: raising it makes the older ones worthless.
    token_generation = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    # Whoever a request comes from has it, see `UserManager.with_hidden_groups`; None: not known, the database is asked where it matters.
    hidden_groups: list[int] | None = None

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering: ClassVar = ["email"]
        indexes: ClassVar = [models.Index(fields=["name"], condition=~Q(role=Role.CUSTOMER), name="staff")]  # a few among all customers

    def __str__(self) -> str:
        return self.display_name

    def clean(self) -> None:
        self.email = normalise_address(self.email)
        others = User.objects.filter(emailaddress__email=self.email, emailaddress__verified=True)
        if others.exclude(pk=self.pk).exists():
            raise ValidationError({"email": _("Somebody else has proven that this address is theirs.")})

    @property
    def display_name(self) -> str:
        """The name, or what stands before the @: customers read it too, and addresses are not theirs to know."""
        return self.name or self.email.partition("@")[0]

    @property
    def known_zone(self) -> str | None:
        """The person's time zone; None, which is the installation's, for none and for one that this system does not know."""
        return self.time_zone if self.time_zone in TIME_ZONES else None

    @property
    def known_language(self) -> str:
        """Of mails: the person's; the installation's for none, and for one that is no longer offered."""
        return self.language if self.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE

    @property
    def initials(self) -> str:
        """One or two letters for the person chip."""
        words = self.display_name.replace(".", " ").split() or ["?"]
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    def leads(self, organization: Organization) -> bool:
        """May look after it: any one for agents and admins, a CSM those of their own."""
        return self.is_staff and (self.role != Role.CSM or organization.delivery_lead_id == self.pk)

    @transaction.atomic
    def is_called_anew(self) -> None:
        """To be called where name or address changes: search finds this person's tickets by the new one from the next sweep on.

        Before the person's own row is locked: every verb locks tickets first, and in order.
        """
        list(self.requested_tickets.select_for_update().order_by("pk").values_list("pk"))
        self.requested_tickets.update(is_indexed=False)

    def active_organizations(self) -> models.QuerySet[Organization]:
        """Those whose tickets this person sees."""
        return Organization.objects.filter(is_active=True, memberships__user=self, memberships__is_active=True)

    def is_teammate_of(self, other: User) -> bool:
        """Both are active members of one organization."""
        return Membership.objects.filter(user=other, is_active=True, organization__in=self.active_organizations()).exists()

    @property
    def is_staff(self) -> bool:
        """Works at the desk."""
        return self.is_active and self.role != Role.CUSTOMER

    @property
    def is_or_was_staff(self) -> bool:
        """Also who has left, and a rule: for what stands in the past, which stays ours."""
        return self.role != Role.CUSTOMER

    @property
    def is_admin(self) -> bool:
        """May also configure, in Django's admin."""
        return self.is_active and self.role == Role.ADMIN

    def leave_staff(self) -> None:
        """For who becomes a customer: what they followed as one of us would go on showing it. What is theirs, they see as its requester or filer."""
        self.follower_rows.filter(through=None).exclude(ticket__requester=self).delete()
        self.agent_groups.clear()
        self.led_organizations.update(delivery_lead=None)

    def get_session_auth_hash(self) -> str:
        """A session ends when the password or the role changes, and when what was signed for this person is revoked."""
        state = f"{super().get_session_auth_hash()}{self.token_generation}{self.role}"
        return salted_hmac("accounts.session", state, algorithm="sha256").hexdigest()

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_admin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_admin


class Inviters(models.TextChoices):
    """Whom the members of an organization may invite by themselves."""

    NOBODY = "nobody", _("Nobody: support invites people")
    DOMAINS = "domains", _("People with an address of its email domains")
    ANYBODY = "anybody", _("Anybody")

    @classmethod
    def up_to(cls, most: str) -> list[Inviters]:
        """Those that let no more people in."""
        return list(cls)[: list(cls).index(cls(most)) + 1]


class Organization(models.Model):
    """A customer company, or a site of one."""

    name = models.CharField(_("name"), max_length=150, unique=True)
    delivery_lead = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="led_organizations",
        limit_choices_to=~Q(role=Role.CUSTOMER),
        verbose_name=_("Customer Success Manager"),
        help_text=_("Who looks after this organization."),
    )
    invitations_by_members = models.CharField(_("members may invite"), max_length=10, choices=Inviters.choices, default=Inviters.DOMAINS)
    inviters_at_most = models.CharField(
        _("its managers may allow at most"),
        max_length=10,
        choices=Inviters.choices,
        default=Inviters.DOMAINS,
        help_text=_("How far its own managers may open this by themselves; closing it is always theirs to do."),
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("An inactive organization lets nobody see anything."))
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="organizations")

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class EmailDomain(models.Model):
    """A mail domain of an organization. Matched exactly: a sub-domain or a look-alike is another domain."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(_("domain"), max_length=253, unique=True, validators=[validate_domain])

    class Meta:
        verbose_name = _("email domain")
        verbose_name_plural = _("email domains")
        ordering: ClassVar = ["domain"]

    def __str__(self) -> str:
        return self.domain

    def clean(self) -> None:
        self.domain = normalise_address(self.domain)
        if self.domain in PUBLIC_MAIL_DOMAINS:
            raise ValidationError(
                {"domain": _("Anybody can have an address at this mail provider, so it can't stand for an organization.")}
            )
        if self.domain == settings.SUPPORT_DOMAIN:
            raise ValidationError({"domain": _("This is our own mail domain.")})


class Membership(models.Model):
    """A person in an organization. One that was guessed from a mail's domain is inactive until the person has proven the address."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("person"))
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("organization"))
    is_active = models.BooleanField(_("active"), default=True)
    is_manager = models.BooleanField(_("manager"), default=False, help_text=_("May remove members, and make others managers."))
    follows_all = models.BooleanField(_("follows all tickets"), default=False, help_text=_("Gets mail of each ticket shared with it."))
    awaits_proof = models.BooleanField(_("awaits proof"), default=False, help_text=_("Becomes active when the person proves the address."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "organization"], name="one_membership")]

    def __str__(self) -> str:
        return f"{self.user} · {self.organization}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> InvitationQuerySet:
        """Neither accepted nor revoked; those whose time is over too, as they can be sent again."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self) -> InvitationQuerySet:
        """Those that can be accepted."""
        return self.pending().filter(expires_at__gt=timezone.now(), organization__is_active=True, person__is_active=True)


class Invitation(models.Model):
    """An organization waits for a person, who is a member once they have accepted. Written by `accounts.invitations` alone.

    It is its own outbox: the mail is made by `notifications.relay` while `dispatched_at` is empty. The link is not kept anywhere.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations")
    address = models.EmailField()  # as the inviter wrote it; whose it is, is not theirs to know
    name = models.CharField(max_length=150, blank=True)  # likewise
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    generation = models.PositiveIntegerField(default=1)  # part of the link: a newer one makes the older worthless
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    issued_at = models.DateTimeField(default=timezone.now, editable=False)  # of this generation
    expires_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True, editable=False)
    accepted_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "address"], condition=Q(accepted_at=None, revoked_at=None), name="one_pending_invitation"
            ),
            models.CheckConstraint(condition=Q(accepted_at=None) | Q(revoked_at=None), name="accepted_or_revoked"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(dispatched_at=None), name="invitation_waiting"),
            models.Index(fields=["invited_by", "-issued_at"], name="invitation_by_inviter"),
        ]

    def __str__(self) -> str:
        return f"{self.address} · {self.organization}"

    @property
    def display_name(self) -> str:
        return self.name or self.address.partition("@")[0]

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_open(self) -> bool:
        """As `InvitationQuerySet.open` says it."""
        is_over = self.accepted_at or self.revoked_at or self.is_expired
        return not is_over and self.organization.is_active and self.person.is_active


class AgentGroup(models.Model):
    """A team at the desk. The tickets of a private group are seen by its members alone."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    description = models.CharField(_("description"), max_length=250, blank=True)
    is_private = models.BooleanField(_("private"), default=False, help_text=_("Only its members see its tickets."))
    is_default = models.BooleanField(_("default"), default=False, help_text=_("Takes tickets that come with no group."))
    is_retired = models.BooleanField(_("retired"), default=False, help_text=_("Kept for old tickets, never offered again."))
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="agent_groups",
        blank=True,
        limit_choices_to=~Q(role=Role.CUSTOMER),
        verbose_name=_("members"),
    )

    class Meta:
        verbose_name = _("agent group")
        verbose_name_plural = _("agent groups")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_group"),
            models.CheckConstraint(condition=Q(is_default=False) | Q(is_retired=False), name="default_group_is_not_retired"),
        ]

    def __str__(self) -> str:
        return self.name


class Device(models.Model):
    """A browser in which somebody is logged in. Goes with its session. Written by `accounts.devices` alone."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="devices")
    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="device")
    auth_hash = models.CharField(max_length=128)  # of the person when it logged in
    browser = models.CharField(max_length=300, blank=True)  # as it calls itself
    address = models.GenericIPAddressField(null=True)
    began_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"

    @property
    def name(self) -> str:
        """Such as "Firefox on Linux": enough to tell one's own browsers apart."""
        program = next((name for mark, name in _PROGRAMS if mark in self.browser), "")
        system = next((name for mark, name in _SYSTEMS if mark in self.browser), "")
        if program and system:
            return gettext("%(program)s on %(system)s") % {"program": program, "system": system}
        return program or system or gettext("A browser we don't know")
