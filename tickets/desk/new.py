"""File for a customer: whose ticket it is, what it says, who may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Prefetch
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.models import AgentGroup, Membership, Organization, Role, User
from tickets import access, filing
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.forms import offered
from tickets.mail.automatic import is_machines
from tickets.mail.route import is_ours
from tickets.models import Channel, Priority, Ticket, TicketType
from tickets.uploads import EditorWidget, LineField, MessageForm, TextField

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpResponse

ONLY_THEM = "them"
_COMPLETED = 500  # people of a Customer Success Manager that the page knows by itself


class FileForm(MessageForm):
    """A ticket of somebody else's. Who has no account gets one only where `is_new` says that this is meant, so that a slip of the pen makes nobody."""

    field_order = ("email", "is_new", "name", "share", "tell", "subject", "text", "files", "priority", "type", "group")
    email = forms.EmailField(
        label=gettext_lazy("The customer's email"),
        max_length=254,
        error_messages={"required": gettext_lazy("Write the customer's email address.")},
        widget=forms.EmailInput(attrs={"list": "people", "autocomplete": "off"}),
    )
    is_new = forms.BooleanField(required=False, label=gettext_lazy("This person is new here: make an account"))
    name = LineField(required=False, limit=150, label=gettext_lazy("Their name"), widget=forms.TextInput(attrs={"autocomplete": "off"}))
    tell = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("Tell the customer"),
        help_text=gettext_lazy("They get a mail that says what you filed for them. Answers go to them either way."),
    )
    subject = LineField(
        label=gettext_lazy("Subject"),
        error_messages={"required": gettext_lazy("Write in a few words what this is about.")},
        widget=forms.TextInput(attrs={"data-draft": "file", "autocomplete": "off"}),
    )
    text = TextField(
        label=gettext_lazy("Description"),
        help_text=gettext_lazy("The customer reads it."),
        error_messages={"required": gettext_lazy("Describe what happened.")},
        widget=EditorWidget,
    )
    priority = forms.ModelChoiceField(Priority.objects.none(), required=False, empty_label=gettext_lazy("Not set"))
    type = forms.ModelChoiceField(TicketType.objects.none(), required=False, empty_label=gettext_lazy("Not set"))
    group = forms.ModelChoiceField(AgentGroup.objects.none(), required=False, empty_label=gettext_lazy("As usual"))

    is_unknown = False  # whether making an account is the question

    def __init__(self, *args: Any, staff: User, person: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, writer=staff, **kwargs)
        self.staff = staff
        if person:
            self.initial["email"] = person.email
        self._homes: list[Organization] = list(filing.homes(person.email)) if person else []
        choices = {"priority": offered(Priority), "type": offered(TicketType), "group": access.groups_for(staff).filter(is_retired=False)}
        for name, queryset in choices.items():
            self.fields[name].queryset = queryset  # type: ignore[attr-defined] # ModelChoiceFields
        self.fields["share"] = self._share_field(is_known=person is not None)
        self.order_fields(self.field_order)

    def _share_field(self, *, is_known: bool) -> forms.ChoiceField:
        """Whose requester is known names the organizations; until then it is theirs, whichever that is."""
        choices = [(str(one.pk), _("Everybody at %(organization)s, and support") % {"organization": one}) for one in self._homes]
        if len(choices) == 1:
            choices = [("", choices[0][1])]
        elif not is_known:
            choices = [("", _("Everybody at their organization, and support"))]
        return forms.ChoiceField(
            label=_("Who can see it?"),
            choices=[*choices, (ONLY_THEM, _("Only the customer, and support"))],
            initial="" if len(choices) == 1 else None if choices else ONLY_THEM,
            required=len(choices) > 1,
            widget=forms.RadioSelect,
            error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose who may see this ticket.")),
        )

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if is_ours(email):
            raise forms.ValidationError(_("This is our own address. Write the customer's own."))
        if is_machines(email):
            raise forms.ValidationError(_("Nobody reads what is mailed to this address. Write that of a person."))
        if not access.may_file_for(self.staff, email):
            raise forms.ValidationError(filing.refusal())
        person = User.objects.by_address(email)
        if person and not person.is_active:
            raise forms.ValidationError(_("This person's account is switched off."))
        self.is_unknown = person is None
        self._homes = list(filing.homes(email))
        self.fields["share"] = self._share_field(is_known=True)  # its turn to be cleaned comes after this one's
        return email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.is_unknown and not cleaned.get("is_new"):
            self.add_error("email", _("Nobody here has this address. If it is right, tick the box to make an account."))
        return cleaned

    @property
    def organization(self) -> Organization | None:
        """Which the ticket is shared with."""
        chosen: str = self.cleaned_data["share"]
        if chosen == "" and len(self._homes) == 1:
            return self._homes[0]
        return next((one for one in self._homes if str(one.pk) == chosen), None)

    def arguments(self) -> dict[str, Any]:
        """Of a valid form, for the verb."""
        data = self.cleaned_data
        chosen = {name: data[name] for name in ("name", "subject", "tell", "type", "priority", "group")}
        return {"address": data["email"], "message": self.message(Channel.DESK), "share_with": self.organization, **chosen}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def ticket_new(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, FileForm(staff=request.user, person=_person(request)), status=200)
    form = FileForm(request.POST, request.FILES, staff=request.user)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        ticket = filing.file_ticket(actor=request.user, **form.arguments())
    except IntegrityError:  # the key of the form belongs to something else, which no page of ours brings about
        form.add_error(None, _("This was not sent. Send it again."))
        form.renew_key()
        return _page(request, form, status=409)
    messages.success(request, _said(ticket, told=form.cleaned_data["tell"]))
    return redirect("desk_ticket", ticket.number) if access.can_see(request.user, ticket) else redirect("desk_tickets")


def _said(ticket: Ticket, *, told: bool) -> str:
    words = _("Ticket #%(number)s is filed for %(who)s, and a mail tells them.")
    quiet = _("Ticket #%(number)s is filed for %(who)s. No mail tells them; answers will go to them.")
    return (words if told else quiet) % {"number": ticket.number, "who": ticket.requester}


def _person(request: StaffRequest) -> User | None:
    """Whom the link that led here names."""
    pk = request.GET.get("for", "")
    return access.fileable_by(request.user).filter(pk=int(pk)).first() if pk.isascii() and pk.isdecimal() and len(pk) <= 18 else None


def _people(user: User) -> QuerySet[User]:
    """To complete an address with, where they are few enough to be known by the page."""
    people = access.fileable_by(user) if user.role == Role.CSM else User.objects.none()
    memberships = Membership.objects.filter(is_active=True, organization__is_active=True).select_related("organization")
    return people.prefetch_related(Prefetch("memberships", memberships)).order_by("name", "email")[:_COMPLETED]


def _page(request: StaffRequest, form: FileForm, *, status: int) -> HttpResponse:
    context = {
        "form": form,
        "people": _people(request.user),
        "is_csm": request.user.role == Role.CSM,
        "file_errors": [*form.errors.get("files", []), *([_("Choose your files again.")] if form.is_bound and form.files else [])],
        "max_files": settings.MAX_FILES,
        "max_bytes": settings.MAX_FILE_BYTES,
    }
    return render(request, "desk/ticket_new.html", context, status=status)
