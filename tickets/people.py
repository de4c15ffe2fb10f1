"""Finding people by name, and the form that shares a ticket: the portal's and the desk's. All that is found starts at `access`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.db import transaction
from django.db.models import Q
from django.http import Http404, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from accounts.addresses import normalise_address
from accounts.models import Inviters, Organization, User
from tickets import access, sharing
from tickets.ratelimit import is_too_often
from tickets.search.full_text import words_of
from tickets.uploads import LineField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from tickets.models import Ticket

SHOWN = 8  # people who are offered at once
_LIMIT = 300  # questions of one person in ten minutes: each letter typed is one
_IDS = 20  # whom a form may name at once
_BIGGEST = 2**63 - 1


# --- Finding -------------------------------------------------------------------------------------------------------------------


def find_people(user: User, text: str) -> QuerySet[User]:
    """Among those this person may find, whose name has every word. An address is searched by staff; customers read it of nobody, and of who has no name
    only what is shown in its place: what stands before the @.
    """
    people = access.findable_by(user)
    for word in words_of(text):
        named = Q(name__icontains=word)
        if user.is_staff:
            named |= Q(email__icontains=word)
        elif "@" not in word:
            named |= Q(name="", email__istartswith=word)
        people = people.filter(named)
    return people


def find_organizations(user: User, text: str) -> QuerySet[Organization]:
    organizations = access.shareable_by(user)
    for word in words_of(text):
        organizations = organizations.filter(name__icontains=word)
    return organizations


@never_cache
def find(request: HttpRequest, user: User) -> JsonResponse:
    """What completes `q`, as JSON; with `ticket`, of those who are not on it yet. To staff, organizations as well."""
    if is_too_often("find", user, limit=_LIMIT):
        return JsonResponse({"people": [], "organizations": []}, status=429)
    text, ticket = request.GET.get("q", ""), _ticket(request, user)
    people, organizations = find_people(user, text), find_organizations(user, text) if user.is_staff else Organization.objects.none()
    if ticket:
        people = people.exclude(pk=ticket.requester_id).exclude(pk__in=access.followers_for(user, ticket).values("user"))
        organizations = organizations.exclude(share_rows__ticket=ticket)
    return JsonResponse(
        {
            "people": [
                {"id": one.pk, "name": one.display_name, "initials": one.initials, "note": _note(one, user)} for one in people[:SHOWN]
            ],
            "organizations": [{"id": one.pk, "name": one.name} for one in organizations[:SHOWN]],
        }
    )


def _ticket(request: HttpRequest, user: User) -> Ticket | None:
    number = request.GET.get("ticket", "")
    if not number:
        return None
    if not (number.isascii() and number.isdecimal()):
        raise Http404
    return access.get_ticket(user, int(number[:20]))


def _note(person: User, reader: User) -> str:
    """What tells people of one name apart, as far as the reader may know it."""
    if reader.is_staff:
        return person.email
    return _("Support") if person.is_staff else ""


def one_of(among: QuerySet[Any], pk: int) -> Any:
    """Raises Http404 alike for foreign and missing."""
    found = among.filter(pk=pk).first() if pk <= _BIGGEST else None
    if found is None:
        raise Http404
    return found


# --- Sharing -------------------------------------------------------------------------------------------------------------------


class _IdsField(forms.Field):
    """Primary keys. What is none is to the form as one that does not exist."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: object) -> list[int]:
        words = [str(one) for one in value][: _IDS + 1] if isinstance(value, list) else []
        if len(words) > _IDS or not all(word.isascii() and word.isdecimal() and len(word) < 20 and int(word) <= _BIGGEST for word in words):
            return [-1]
        return sorted({int(word) for word in words})


@transaction.atomic
def share_by(form: ShareForm, ticket: Ticket) -> str:
    """Does what a valid form asks for, all of it or nothing. Answers with what happened."""
    names, said = [*map(str, form.people), *map(str, form.organizations)], []
    for person in sorted(form.people, key=lambda person: person.pk):  # as their memberships are locked
        sharing.add_follower(ticket, actor=form.actor, person=person)
    for organization in form.organizations:
        sharing.add_organization(ticket, actor=form.actor, organization=organization)
    if form.address and form.actor.is_staff:
        sharing.add_follower(ticket, actor=form.actor, person=User.objects.admit(form.address))
        names.append(form.address)
    elif form.organization_of_newcomer and form.address:
        sharing.invite_follower(ticket, actor=form.actor, organization=form.organization_of_newcomer, address=form.address)
        said.append(_("An invitation is on its way to %(address)s. They see the ticket once they have joined.") % {"address": form.address})
    return " ".join([*([_("Shared with %(names)s.") % {"names": ", ".join(names)}] if names else []), *said])


class ShareForm(forms.Form):
    """Whom to share a ticket with: chosen (`person`, `organization`) or written (`who`: a name, or an address). All of them, or none."""

    who = LineField(limit=254, required=False, label=gettext_lazy("Name or email address"))
    person = _IdsField(required=False)
    organization = _IdsField(required=False)

    def __init__(self, *args: Any, actor: User, own: Sequence[Organization] = (), **kwargs: Any) -> None:
        """`own`: the customer's organizations."""
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.inviting = [one for one in own if one.invitations_by_members != Inviters.NOBODY]
        choices = [(str(one.pk), one.name) for one in self.inviting]
        wrong = _("Choose one of your organizations.")
        self.fields["into"] = forms.ChoiceField(choices=choices, required=False, error_messages={"invalid_choice": wrong})
        self.people: list[User] = []
        self.organizations: list[Organization] = []
        self.address = ""  # of somebody who has to be invited
        self.candidates: list[User] = []  # whom `who` may mean, where it means several

    @property
    def nobody(self) -> str:
        """The same for who is foreign, who does not exist, and what is no name at all."""
        if self.actor.is_staff:
            return _("Nobody here has that name. Check how it is written, or write the email address.")
        if self.inviting:
            return _("None of your colleagues has that name. Check how it is written, or invite them by their email address.")
        return _("None of your colleagues has that name. Check how it is written.")

    @property
    def organization_of_newcomer(self) -> Organization | None:
        """Which a new address is invited into."""
        chosen = self.cleaned_data.get("into")
        return next((one for one in self.inviting if str(one.pk) == chosen or len(self.inviting) == 1), None)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        people, organizations, who = cleaned.get("person") or [], cleaned.get("organization") or [], cleaned.get("who") or ""
        if people or organizations:
            self._choose(people, organizations)
        elif "@" in who:
            self._write_to(who)
        elif who:
            self._name(who)
        elif "who" in cleaned:
            self.add_error("who", _("Write the name of the person to share it with."))
        return cleaned

    def _choose(self, people: list[int], organizations: list[int]) -> None:
        self.people = list(access.findable_by(self.actor).filter(pk__in=people))
        self.organizations = list(access.shareable_by(self.actor).filter(pk__in=organizations))
        if len(self.people) != len(people) or len(self.organizations) != len(organizations):
            self.add_error("who", self.nobody)

    def _write_to(self, address: str) -> None:
        """Somebody who may be found, else somebody to be invited; that is decided without a look at who else there is."""
        try:
            address = normalise_address(forms.EmailField().clean(address))
        except forms.ValidationError:
            self.add_error("who", _("Write an email address such as name@example.com."))
            return
        self._meet(address)

    def _meet(self, address: str) -> None:
        person = User.objects.by_address(address)
        if person and access.findable_by(self.actor).filter(pk=person.pk).exists():
            self.people = [person]
        elif not self.inviting:
            self.add_error("who", self.nobody)
        elif self.organization_of_newcomer is None:
            self.add_error("into", _("Choose the organization that this person belongs to."))
        else:
            self.address = address

    def _name(self, name: str) -> None:
        """Only a whole name is taken at its word: a part of one may mean somebody else."""
        found = list(find_people(self.actor, name)[: SHOWN + 1])
        people = [one for one in found if one.display_name.casefold() == name.casefold()]
        organizations = list(access.shareable_by(self.actor).filter(name__iexact=name)[:1])
        if len(people) + len(organizations) == 1:
            self.people, self.organizations = people, organizations
        elif found:
            self.candidates = (people or found)[:SHOWN]
            self.add_error("who", _("Whom do you mean? Choose one."))
        else:
            self.add_error("who", self.nobody)
