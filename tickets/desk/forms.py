"""The desk's forms: they shape and check what is posted; the verbs decide."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4, uuid5

from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AgentGroup, User
from tickets.actions import Message, ReferenceRequired, TypeRequired
from tickets.lifecycle import Category
from tickets.mail.route import is_ours
from tickets.models import Channel, Draft, Priority, ProductArea, Status, Ticket, TicketType
from tickets.people import ShareForm
from tickets.uploads import KeyField, MessageForm, SeenField, TextField


def offered(model: type[Status | TicketType | Priority | ProductArea | AgentGroup], *, current: int | None = None) -> QuerySet[Any]:
    """Retired entries are not offered, except `current`, the one that the ticket has."""
    return model._default_manager.filter(Q(is_retired=False) | Q(pk=current))


class _TypeWithStatus(forms.Form):
    """A status, and the type and the engineering reference that it may require, asked for in the same place."""

    status = forms.ModelChoiceField(
        Status.objects.none(),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("That status is not in the list any more. Choose again.")},
    )
    type = forms.ModelChoiceField(
        TicketType.objects.none(),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("That type is not in the list any more. Choose again.")},
    )

    reference = forms.CharField(required=False, max_length=60)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ticket = ticket
        self.needs_type = self.needs_reference = False
        self.fields["status"].queryset = offered(Status, current=ticket.status_id)  # type: ignore[attr-defined] # a ModelChoiceField
        self.fields["type"].queryset = offered(TicketType, current=ticket.type_id)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        status = cleaned.get("status")
        if status and status.requires_type and not (cleaned.get("type") or self.ticket.type_id):
            self.ask_for(TypeRequired(_("Choose a type first: “%(status)s” requires one.") % {"status": status}))
        if status and status.asks_reference and not (cleaned.get("reference") or self.ticket.reference):
            self.ask_for(ReferenceRequired(_("Write engineering's reference first: “%(status)s” asks for one.") % {"status": status}))
        return cleaned

    @property
    def verb(self) -> str:
        """What the button says that answers the question for a type."""
        return _("Resolve") if self.cleaned_data["status"].category == Category.RESOLVED else _("Set status")

    def ask_for(self, missing: TypeRequired | ReferenceRequired) -> None:
        if isinstance(missing, TypeRequired):
            self.needs_type = True
            self.add_error("type", str(missing))
        else:
            self.needs_reference = True
            self.add_error("reference", str(missing))


class ReplyForm(_TypeWithStatus, MessageForm):
    """A reply, and where the ticket goes with it."""

    def verb_arguments(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"message": self.message(Channel.DESK), "status": data["status"], "type": data["type"], "reference": data["reference"]}

    @classmethod
    def going_on(cls, draft: Draft, *, ticket: Ticket) -> ReplyForm:
        """With what was written before, and what was answered for its status. The editor knows a picture by the address of its upload."""
        answered = {"status": draft.status_id, "type": draft.type_id, "reference": draft.reference}
        initial = {"text": draft.text, "html": _IN_TEXT.sub(_address_of, draft.html), **answered}
        form = cls(ticket=ticket, writer=draft.writer, initial=initial)
        form.needs_type, form.needs_reference = draft.type_id is not None, bool(draft.reference)
        shown = {UUID(pk) for pk in _IN_TEXT.findall(draft.html)}
        form._beside = [upload for upload in draft.uploads.all() if upload.pk not in shown]
        return form


_IN_TEXT = re.compile(r'(?<= src=")cid:([0-9a-f-]{36})(?=")')


def _address_of(found: re.Match[str]) -> str:
    return reverse("upload", args=[found[1]])


class NoteForm(MessageForm):
    """An internal note: it has no status to go with it."""

    def message(self, channel: Channel) -> Message:
        return _as_note(super().message(channel))


def _as_note(message: Message) -> Message:
    """Its key is made of the form's: who goes back to a page that has sent a reply, and writes a note there, says another thing, and the other way round."""
    return replace(message, submission_key=message.submission_key and uuid5(message.submission_key, "note"))


class DraftForm(MessageForm):
    """What the composer holds before it is sent: nothing is asked of it yet."""

    is_unfinished = True
    needs_type = False
    kind = forms.CharField(required=False)
    status = forms.ModelChoiceField(Status.objects.filter(is_retired=False), required=False)
    draft = KeyField(required=False)  # the version that the page knows

    def verb_arguments(self) -> dict[str, Any]:
        data, message = self.cleaned_data, self.message(Channel.DESK)
        is_note = data["kind"] == "note"
        return {
            "message": _as_note(message) if is_note else message,
            "is_note": is_note,
            "status": data["status"],
            "known": data["draft"],
        }


class StatusForm(_TypeWithStatus):
    seen = SeenField(required=False)

    def clean_status(self) -> Status:
        status: Status | None = self.cleaned_data["status"]
        if status is None:
            raise forms.ValidationError(_("Choose a status of the list."))
        return status


class PropertyForm(forms.Form):
    """One property, on its own. Empty means none."""

    def __init__(self, data: Any, *, name: str, queryset: QuerySet[Any]) -> None:
        super().__init__(data)
        self.name = name
        self.fields[name] = forms.ModelChoiceField(queryset, required=False)
        self.fields["seen"] = SeenField(required=False)

    @property
    def value(self) -> Any:
        return self.cleaned_data[self.name]


class TellForm(forms.Form):
    """A priority, and the words that tell the customer of it. Shown first with the priority's own, which the agent may change."""

    priority = forms.ModelChoiceField(Priority.objects.none(), widget=forms.HiddenInput)
    text = TextField(error_messages={"required": gettext_lazy("Write what the customer is to read, or set it without telling.")})
    key = KeyField(required=False, initial=uuid4)
    seen = SeenField(required=False)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["priority"].queryset = offered(Priority, current=ticket.priority_id)  # type: ignore[attr-defined] # a ModelChoiceField

    @classmethod
    def asking(cls, priority: Priority, *, ticket: Ticket) -> TellForm:
        """As it is first shown."""
        return cls(ticket=ticket, initial={"priority": priority, "text": priority.words_for(ticket.requester.display_name)})

    @property
    def chosen(self) -> Priority:
        """Of a form that is shown: its priority is not what can be wrong with it."""
        chosen: Priority = self.cleaned_data["priority"] if self.is_bound else self.initial["priority"]
        return chosen

    def message(self) -> Message:
        return Message(text=self.cleaned_data["text"], channel=Channel.DESK, submission_key=self.cleaned_data["key"])


def property_form(data: Any, *, name: str, ticket: Ticket) -> PropertyForm:
    """Garbage instead of an entry of the list is an error, never "none"."""
    return PropertyForm(data, name=name, queryset=property_choices(name, ticket))


def property_choices(name: str, ticket: Ticket) -> QuerySet[Any]:
    match name:
        case "priority":
            return offered(Priority, current=ticket.priority_id)
        case "type":
            return offered(TicketType, current=ticket.type_id)
        case "area":
            return offered(ProductArea, current=ticket.area_id)
        case "group":
            return offered(AgentGroup, current=ticket.group_id)
    return assignees(ticket)


def assignees(ticket: Ticket) -> QuerySet[User]:
    """Our staff, and whoever has the ticket although they have left."""
    has_it = [ticket.assignee_id] if ticket.assignee_id else []
    return (User.objects.active_staff() | User.objects.filter(pk__in=has_it)).order_by("name", "email")


class DeskShareForm(ShareForm):
    """Anybody, by name or address. Somebody new gets an account only where `is_new` says that this is meant, so that a slip of the pen makes nobody."""

    is_new = forms.BooleanField(required=False, label=gettext_lazy("This person is new here: make an account"))

    field_order = ("is_new", "person", "organization", "who")
    is_unknown = False  # whether making an account is the question

    def _meet(self, address: str) -> None:
        person = User.objects.by_address(address)
        if is_ours(address):
            self.add_error("who", _("This is our own address: its mail comes in here anyway. Add the person's own address."))
        elif person and not person.is_active:
            self.add_error("who", _("This person's account is switched off."))
        elif person:
            self.people = [person]
        elif self.cleaned_data["is_new"]:
            self.address = address
        else:
            self.is_unknown = True
            self.add_error("who", _("Nobody here has this address. If it is right, tick the box to make an account."))
