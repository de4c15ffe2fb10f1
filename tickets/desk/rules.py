"""Admins' pages for the rules that sort mail of machines: the list in its order, and one rule, to be tried on mail that came in before it is kept.

Shapes and checks; the verbs are in `tickets.mail.rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Substr
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.addresses import normalise_address, validate_domain
from accounts.models import AgentGroup, User
from tickets import access
from tickets.desk.door import StaffRequest, admin_of, staff_required
from tickets.desk.forms import offered
from tickets.mail import rules
from tickets.models import Event, EventKind, InboundMessage, InboundState, MailRule, Priority, TicketType
from tickets.paging import page_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

TRIED = 200  # mails that a rule is tried on
_LATELY = timedelta(days=30)
_SENDERS = 50  # remembered ones a page
_NAMED = 3  # texts of a condition that are named in the list


# --- The list ------------------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def mail_rules(request: StaffRequest) -> HttpResponse:
    admin_of(request)
    lately = Count("messages", filter=Q(messages__received_at__gte=timezone.now() - _LATELY))
    all_rules = MailRule.objects.select_related("mailbox", "group", "type", "priority", "requester", "created_by").annotate(matched=lately)
    own = [_row(rule) for rule in all_rules.filter(position__gt=rules.REMEMBERED).order_by("position", "id")]
    senders = page_of(all_rules.filter(position=rules.REMEMBERED), request_get=request.GET, order=("-id",), size=_SENDERS)
    return render(request, "desk/mail_rules.html", {"rules": own, "senders": senders})


def _row(rule: MailRule) -> dict[str, Any]:
    return {"rule": rule, "conditions": conditions(rule), "does": does(rule)}


def conditions(rule: MailRule) -> list[str]:
    """In words; all of them must hold."""
    senders, domains = _any_of(rule.senders), _any_of(rule.domains)
    subjects, values = _any_of(rule.subjects, quoted=True), _any_of(rule.header_values, quoted=True)
    found = [
        (senders, _("from %(what)s") % {"what": senders}),
        (domains, _("from anybody at %(what)s") % {"what": domains}),
        (subjects, _("subject contains %(what)s") % {"what": subjects}),
        (rule.header and values, _("header %(name)s contains %(what)s") % {"name": rule.header, "what": values}),
        (rule.header and not values, _("has a header %(name)s") % {"name": rule.header}),
        (rule.mailbox, _("sent to %(what)s") % {"what": rule.mailbox}),
    ]
    return [words for is_set, words in found if is_set]


def _any_of(text: str, *, quoted: bool = False) -> str:
    lines = [f"“{line}”" if quoted else line for line in rules.lines_of(text)]
    more = len(lines) - _NAMED
    if more > 0:
        lines = [*lines[:_NAMED], ngettext("%(count)d more", "%(count)d more", more) % {"count": more}]
    return _(" or ").join(lines)


def does(rule: MailRule) -> list[str]:
    """What becomes of the ticket, in words."""
    found = [
        (rule.is_spam, _("spam, and nobody is mailed")),
        (rule.group, _("group %(what)s") % {"what": _unless_retired(rule.group)}),
        (rule.type, _("type %(what)s") % {"what": _unless_retired(rule.type)}),
        (rule.priority, _("priority %(what)s") % {"what": _unless_retired(rule.priority)}),
        (rule.is_quiet and not rule.is_spam, _("no confirmation")),
        (rule.requester, _("for %(what)s") % {"what": rule.requester}),
    ]
    return [words for is_set, words in found if is_set]


def _unless_retired(thing: AgentGroup | TicketType | Priority | None) -> str:
    return _("%(what)s (retired, so it is left out)") % {"what": thing} if thing and thing.is_retired else str(thing)


@require_POST
@staff_required
def mail_rule_move(request: StaffRequest, pk: int) -> HttpResponse:
    rules.move(_rule(pk), actor=admin_of(request), up=request.POST.get("to") == "up")
    return redirect("desk_mail_rules")


@require_POST
@staff_required
def mail_rule_delete(request: StaffRequest, pk: int) -> HttpResponse:
    admin, rule = admin_of(request), _rule(pk)
    rules.delete(rule, actor=admin)
    messages.success(request, _("The rule “%(name)s” is gone. Tickets that it sorted stay as they are.") % {"name": rule})
    return redirect("desk_mail_rules")


def _rule(pk: int) -> MailRule:
    try:
        return MailRule.objects.select_related("mailbox", "group", "type", "priority", "requester").get(pk=pk)
    except (MailRule.DoesNotExist, OverflowError) as error:
        raise Http404 from error


# --- One rule ------------------------------------------------------------------------------------------------------------------


class MailRuleForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    """`is_trial`: it is to be tried, not kept, so what it is called and what it does may still be open."""

    requester = forms.EmailField(
        label=gettext_lazy("Whose tickets"),
        required=False,
        help_text=gettext_lazy(
            "An address. Spam and unknown machines make no account: their tickets are this person's, or else those of who wrote the rule."
        ),
    )

    class Meta:
        model = MailRule
        fields = (
            "name",
            "is_active",
            "senders",
            "domains",
            "subjects",
            "header",
            "header_values",
            "mailbox",
            "is_spam",
            "is_quiet",
            "group",
            "type",
            "priority",
            "requester",
        )

    def __init__(self, *args: Any, is_trial: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_trial = is_trial
        self.fields["name"].required = not is_trial
        self.fields["mailbox"].help_text = _("Where it came in.")
        for name in ("senders", "domains", "subjects", "header_values"):
            self.fields[name].widget.attrs["rows"] = 2
        nothing = {
            "mailbox": _("Any mailbox"),
            "group": _("As the mailbox says"),
            "type": _("Not set"),
            "priority": _("Not set"),
        }
        for name, label in nothing.items():
            self.fields[name].empty_label = label  # type: ignore[attr-defined] # a ModelChoiceField
        self.fields["group"].queryset = offered(AgentGroup, current=self.instance.group_id)  # type: ignore[attr-defined]
        self.fields["type"].queryset = offered(TicketType, current=self.instance.type_id)  # type: ignore[attr-defined]
        self.fields["priority"].queryset = offered(Priority, current=self.instance.priority_id)  # type: ignore[attr-defined]
        self.initial["requester"] = self.instance.requester.email if self.instance.requester else ""

    def clean_senders(self) -> str:
        return self._clean_lines("senders", validate_email, _("“%(line)s” is no whole address. Write one such as robot@example.com."))

    def clean_domains(self) -> str:
        return self._clean_lines("domains", validate_domain, _("“%(line)s” is no mail domain. Write one such as example.com."))

    def _clean_lines(self, name: str, check: Callable[[str], None], refusal: str) -> str:
        lines = [normalise_address(line) for line in rules.lines_of(self.cleaned_data[name])]
        for line in lines:
            try:
                check(line)
            except ValidationError as error:
                raise ValidationError(refusal % {"line": line}) from error
        return "\n".join(dict.fromkeys(lines))

    def clean_subjects(self) -> str:
        return "\n".join(rules.lines_of(self.cleaned_data["subjects"]))

    def clean_header_values(self) -> str:
        return "\n".join(rules.lines_of(self.cleaned_data["header_values"]))

    def clean_header(self) -> str:
        return str(self.cleaned_data["header"]).strip().rstrip(":")

    def clean_requester(self) -> User | None:
        address: str = self.cleaned_data["requester"]
        person = User.objects.by_address(address) if address else None
        if address and (person is None or not person.is_active):
            raise ValidationError(_("Nobody with an account here has this address."))
        return person

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.is_trial and not any(cleaned.get(name) for name in ("is_spam", "is_quiet", "group", "type", "priority", "requester")):
            self.add_error(None, _("Choose what happens to the mail, or the rule would do nothing."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def mail_rule_new(request: StaffRequest) -> HttpResponse:
    return _edit(request, admin_of(request), MailRule())


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def mail_rule(request: StaffRequest, pk: int) -> HttpResponse:
    return _edit(request, admin_of(request), _rule(pk))


def _edit(request: StaffRequest, admin: User, rule: MailRule) -> HttpResponse:
    is_trial = "try" in request.POST
    name = rule.name  # a form that is refused has changed the instance all the same
    form = MailRuleForm(request.POST if request.method == "POST" else None, instance=rule, is_trial=is_trial)
    is_valid = form.is_valid()
    if is_valid and not is_trial:
        rules.keep(form.instance, actor=admin)
        messages.success(request, _("The rule “%(name)s” is kept. It counts for mail that comes in from now on.") % {"name": form.instance})
        return redirect("desk_mail_rules")
    context = {
        "form": form,
        "rule": rule,
        "title": _("Rule “%(name)s”") % {"name": name} if rule.pk else _("New rule"),
        "trials": try_out(admin, form.instance) if is_valid else None,
        "tried": TRIED,
    }
    return render(request, "desk/mail_rule.html", context, status=422 if form.is_bound and not is_valid else 200)


# --- Trying --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """A mail that the rule matches, and what the rule would have done to it."""

    message: InboundMessage
    would: list[str]
    but: str  # why another decides


def try_out(user: User, rule: MailRule) -> list[Trial]:
    """Among the newest mails that this person sees, newest first. Headers are read only where the rule asks for one."""
    is_opening = Event.objects.filter(comment=OuterRef("comment"), kind=EventKind.OPENED)
    found = access.inbound_for(user).defer("raw").annotate(is_opening=Exists(is_opening)).order_by("-id")
    if rule.header:
        found = found.annotate(head=Substr("raw", 1, rules.HEAD))
    matched = [(message, facts) for message in found[:TRIED] for facts in [_facts(message)] if rules.matches(rule, facts)]
    before = _asked_before(rule, {facts.sender for _message, facts in matched}) if matched else []
    does_it = does(rule)
    return [Trial(message, does_it, _but(message, rules.first_match(before, facts))) for message, facts in matched]


def _facts(message: InboundMessage) -> rules.Facts:
    head = bytes(getattr(message, "head", b""))
    return rules.Facts(normalise_address(message.from_address), message.subject, message.mailbox_id, head)


def _asked_before(rule: MailRule, senders: set[str]) -> list[MailRule]:
    """Without those for other senders: agents may have remembered thousands."""
    active = MailRule.objects.filter(is_active=True)
    if not rule._state.adding:
        active = active.filter(Q(position__lt=rule.position) | Q(position=rule.position, pk__lt=rule.pk))
    return [other for other in active if not other.senders or not senders.isdisjoint(rules.lines_of(normalise_address(other.senders)))]


def _but(message: InboundMessage, earlier: MailRule | None) -> str:
    """Rules are asked about what would open a ticket."""
    if message.state in (InboundState.IGNORED, InboundState.REPORT):
        return _("It opens no ticket, so no rule is asked.")
    if message.ticket_id and not message.is_opening:  # type: ignore[attr-defined] # annotated
        return _("An answer on #%(number)s, which no rule touches.") % {"number": message.ticket_id}
    return _("“%(name)s” is asked first, and matches too.") % {"name": earlier} if earlier else ""
