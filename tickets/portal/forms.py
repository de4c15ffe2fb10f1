"""The portal's forms: they shape and check what is posted; the verbs decide."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.addresses import normalise_address
from accounts.models import TIME_ZONES
from tickets import access
from tickets.models import ProductArea
from tickets.uploads import EditorWidget, LineField, MessageForm, TextField

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import Organization, User

ONLY_ME = "me"
_LISTED = 200  # people to choose from; who has more writes addresses


class PeopleField(forms.MultipleChoiceField):
    """Some of the people whom one may find, from a list."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, people: list[User], **kwargs: Any) -> None:
        self._people = {str(person.pk): person for person in people}
        names = [_("%(name)s (support)") % {"name": one.display_name} if one.is_staff else one.display_name for one in people]
        super().__init__(choices=list(zip(self._people, names, strict=True)), **kwargs)

    def clean(self, value: Any) -> list[User]:
        return [self._people[pk] for pk in dict.fromkeys(super().clean(value))]


class AddressesField(LineField):
    """The same where they are too many for a list: by address. Unknown people and strangers are answered alike."""

    def __init__(self, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(limit=2_000, **kwargs)
        self._people = people

    def clean(self, value: Any) -> list[User]:
        wanted = {normalise_address(one) for one in re.split(r"[,;\s]+", super().clean(value)) if one}
        found = list(self._people.filter(email__in=wanted))
        if missing := sorted(wanted - {person.email for person in found}):
            words = _("You can share with people of your own organization. Nobody there has this address: %(addresses)s.")
            raise forms.ValidationError(words % {"addresses": ", ".join(missing)})
        return found


class NewTicketForm(MessageForm):
    """A ticket of one's own. Who belongs to one organization shares with it unless they say otherwise; who belongs to several must say."""

    field_order = ("subject", "text", "area", "share", "people")
    subject = LineField(
        label=gettext_lazy("Subject"),
        help_text=gettext_lazy("What is wrong, in a few words."),
        error_messages={"required": gettext_lazy("Write in a few words what this is about.")},
        widget=forms.TextInput(attrs={"data-draft": "new", "autocomplete": "off"}),
    )
    text = TextField(
        label=gettext_lazy("Description"),
        help_text=gettext_lazy("What did you do, what did you expect, and what happened instead?"),
        error_messages={"required": gettext_lazy("Describe what happened, so that we can help.")},
        widget=EditorWidget,
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, writer=person, **kwargs)
        if areas := {str(one.pk): one for one in ProductArea.objects.filter(is_retired=False)}:
            self.fields["area"] = forms.TypedChoiceField(
                choices=[("", _("Not sure, or something else")), *areas.items()],
                coerce=areas.__getitem__,
                empty_value=None,
                required=False,
                label=_("Product area"),
                error_messages={"invalid_choice": _("Choose an area of the list.")},
            )
        self._organizations = {str(one.pk): one for one in person.active_organizations()}
        if self._organizations:
            people = self._people_field(access.findable_by(person))
            self.fields |= {"share": self._share_field(has_people=bool(people)), **people}
            self.order_fields(self.field_order)

    def _people_field(self, people: QuerySet[User]) -> dict[str, forms.Field]:
        """None for who could share with nobody."""
        listed = list(people[: _LISTED + 1])
        if not listed:
            return {}
        words: dict[str, Any] = {
            "required": False,
            "label": _("Share with"),
            "help_text": _("They see the ticket, and get an email at each update."),
        }
        if len(listed) > _LISTED:
            hint = _(
                "Email addresses of people at your organization, with commas between them. They see the ticket, and get an email at each update."
            )
            return {"people": AddressesField(people, **words | {"help_text": hint})}
        gone = _("You can't share with one of those people any more. Look at the list, and choose again.")
        return {"people": PeopleField(listed, error_messages=dict.fromkeys(("invalid_choice", "invalid_list"), gone), **words)}

    def _share_field(self, *, has_people: bool) -> forms.ChoiceField:
        choices = [(pk, _("Everybody at %(organization)s, and support") % {"organization": one}) for pk, one in self._organizations.items()]
        only_me = _("Only me, support, and the people I name below") if has_people else _("Only me, and support")
        return forms.ChoiceField(
            label=_("Who can see it?"),
            choices=[*choices, (ONLY_ME, only_me)],
            initial=choices[0][0] if len(choices) == 1 else None,
            widget=forms.RadioSelect,
            error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose who may see this ticket.")),
        )

    def share_first_with(self, person: User, organization: Organization) -> None:
        """Chosen before anything is typed, and as easily not."""
        by_address = isinstance(self.fields.get("people"), AddressesField)
        chosen = {"share": str(organization.pk), "people": person.email if by_address else [str(person.pk)]}
        self.initial = {**self.initial, **chosen}

    @property
    def organization(self) -> Organization | None:
        """Which the ticket is shared with."""
        return self._organizations.get(self.cleaned_data.get("share", ""))


class JoinForm(forms.Form):
    """How a newcomer accepts an invitation."""

    name = LineField(
        limit=150,
        required=False,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Shown beside what you write."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password1 = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": gettext_lazy("Choose a password.")},
    )
    password2 = forms.CharField(
        label=gettext_lazy("Password (again)"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": gettext_lazy("Write the password a second time.")},
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._person = person

    def clean_password1(self) -> str:
        password: str = self.cleaned_data["password1"]
        validate_password(password, self._person)
        return password

    def clean(self) -> None:
        first, second = (self.cleaned_data.get(name) for name in ("password1", "password2"))
        if first and second and first != second:
            self.add_error("password2", _("The two passwords differ."))


class ProfileForm(forms.Form):
    name = LineField(
        limit=150,
        required=False,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Shown beside what you write."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("All times on these pages are in it."),
        error_messages={"invalid_choice": gettext_lazy("Choose a time zone of the list.")},
    )
    language = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Language"),
        help_text=gettext_lazy("Of these pages and of the mails you get."),
        error_messages={"invalid_choice": gettext_lazy("Choose a language of the list.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = [(zone, zone.replace("_", " ")) for zone in sorted(TIME_ZONES)]
        standard = _("As usual here (%(zone)s)") % {"zone": settings.TIME_ZONE}
        self.fields["time_zone"].choices = [("", standard), *zones]  # type: ignore[attr-defined] # a ChoiceField
        languages = dict(settings.LANGUAGES)
        browsers = _("As in my browser; mails in %(language)s") % {"language": languages[settings.LANGUAGE_CODE]}
        self.fields["language"].choices = [("", browsers), *languages.items()]  # type: ignore[attr-defined]
