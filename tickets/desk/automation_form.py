"""The form of one automation rule: every condition and every step has its line, and what is filled in counts. Shapes and checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.addresses import normalise_address, validate_domain
from accounts.models import AgentGroup, Organization, User
from tickets import snoozing
from tickets.automation import deciding
from tickets.desk.forms import offered
from tickets.lifecycle import Category
from tickets.models import ON_TIME, AutomationRule, BusinessCalendar, Channel, Priority, ProductArea, Status, TicketType, When
from tickets.spans import units_of
from tickets.tagging import tags_of, tidy
from tickets.writing.placeholders import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.forms import BoundField

_NONE = "none"  # of a column that may be empty
_EMPTY = {"priority", "type", "group", "assignee", "area"}
_UNITS = {"minutes": 1, "hours": 60, "days": 1440}
_LINES = ("tag", "domain", "subject", "text")
_SET = ("type", "priority", "area", "group", "assignee", "status")
_WORDS_LIMIT = 5000  # characters


@dataclass(frozen=True, slots=True)
class Line:
    """A condition or a step, as the page shows it. `fields`: in the order of the sentence; `main` is the one that makes it count."""

    name: str
    label: str
    fields: list[BoundField]
    hint: str = ""
    main: int = 0

    @property
    def is_filled(self) -> bool:
        return bool(self.fields[self.main].value()) or any(field.errors for field in self.fields)


def _ticks(choices: Iterable[tuple[Any, Any]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=list(choices),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": gettext_lazy("What you chose is not in the list any more. Choose again.")},
    )


def _select(choices: Iterable[tuple[Any, Any]], **fields: Any) -> forms.ChoiceField:
    gone = {"invalid_choice": gettext_lazy("What you chose is not in the list any more. Choose again.")}
    return forms.ChoiceField(choices=list(choices), required=False, error_messages=gone, **fields)


def _area(*, rows: int, limit: int = _WORDS_LIMIT) -> forms.CharField:
    return forms.CharField(max_length=limit, required=False, widget=forms.Textarea(attrs={"rows": rows}))


def _number(most: int) -> forms.IntegerField:
    return forms.IntegerField(min_value=1, max_value=most, required=False)


def _named(rows: Iterable[Any]) -> list[tuple[str, str]]:
    return [(str(row.pk), str(row)) for row in rows]


class RuleForm(forms.Form):
    """`is_trial`: it is to be tried, not kept, so what it is called and what it does may still be open."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"), help_text=gettext_lazy("Tickets say “by rule …” with it."))
    is_active = forms.BooleanField(required=False)
    when = forms.ChoiceField(label=gettext_lazy("When"))
    number = _number(10_000)
    unit = _select([("minutes", gettext_lazy("minutes")), ("hours", gettext_lazy("hours")), ("days", gettext_lazy("days"))])
    reaches_back = forms.BooleanField(required=False)
    joint = _select([("all", gettext_lazy("all of these hold")), ("any", gettext_lazy("one of these holds"))])

    def __init__(self, data: Any = None, *, rule: AutomationRule, is_trial: bool = False) -> None:
        super().__init__(data, initial=_initial(rule))
        self.rule = rule
        self.is_trial = is_trial
        self.fields["name"].required = not is_trial
        happens = [(when.value, when.label) for when in When if when not in ON_TIME]
        passes = [(when.value, when.label) for when in ON_TIME]
        self.fields["when"].choices = [(_("Something happens"), happens), (_("A time has passed"), passes)]  # type: ignore[attr-defined]
        self._lexicon = deciding.Lexicon()
        self._rows = {name: _named(offered(model)) for name, model in _OFFERED.items()} | {
            "organization": _named(Organization.objects.only("name").order_by("name")),
            "hours": _named(BusinessCalendar.objects.all()),
            "assignee": _named(User.objects.active_staff().order_by("name", "email")),
        }
        self._add_conditions()
        self._add_steps()

    def _add_conditions(self) -> None:
        for name in deciding.CONDITIONS:
            is_word = name in ("subject", "text")
            both = (_("contains"), _("does not contain")) if is_word else (_("is"), _("is not"))
            both = (_("it is within those of"), _("it is outside those of")) if name == "hours" else both
            self.fields[f"not_{name}"] = _select([("", both[0]), ("not", both[1])])
            self.fields[f"if_{name}"] = (
                _area(rows=2) if name in _LINES else _ticks(self._with_named(f"if_{name}", name, self._choices(name)))
            )

    def _with_named(self, field: str, name: str, choices: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """And what the rule names, although it is retired, left or gone: else keeping the rule would take it out, and the rule would hold for more."""
        choices, said = list(choices), self.initial.get(field) or []
        known = {value for value, _label in choices}
        named = [str(value) for value in (said if isinstance(said, list) else [said])]
        return choices + [(value, self._lexicon.name_of(name, _key(name, value))) for value in named if value not in known]

    def _choices(self, name: str) -> list[tuple[str, str]]:
        if name == "hours":
            return self._rows["hours"]
        if name in ("category", "channel"):
            choices = Category.choices if name == "category" else Channel.choices
            return [(value, str(label)) for value, label in choices if value != Category.SPAM]
        return [(_NONE, _("nobody") if name == "assignee" else _("none")), *self._rows[name]] if name in _EMPTY else self._rows[name]

    def _add_steps(self) -> None:
        alone = {
            "group": [(deciding.NO_GROUP, _("No group"))],
            "assignee": [(deciding.NOBODY, _("Nobody")), (deciding.FEWEST, _("Who of its group has the fewest open tickets"))],
        }
        for name in _SET:
            choices = [("", _("Leave it")), *alone.get(name, ()), *self._rows[name]]
            self.fields[f"do_{name}"] = _select(self._with_named(f"do_{name}", name, choices))
        self.fields["do_tell_customer"] = forms.BooleanField(required=False, label=_("Tell the customer"))
        self.fields["do_tags"] = forms.CharField(max_length=400, required=False)
        self.fields["do_note"] = _area(rows=3)
        self.fields["do_reply"] = _area(rows=4)
        self.fields["do_snooze"] = _number(1000)
        self.fields["do_snooze_unit"] = _select([("hours", _("hours")), ("days", _("days"))])
        self.fields["do_spam"] = forms.BooleanField(required=False, label=_("Out of every queue, and nobody is mailed"))
        self.fields["do_people"] = _ticks(self._with_named("do_people", "assignee", self._rows["assignee"]))
        self.fields["do_groups"] = _ticks(self._with_named("do_groups", "group", self._rows["group"]))
        self.fields["do_words"] = _area(rows=2)

    # --- What the page shows ----------------------------------------------------------------------------------------------------

    def conditions(self) -> Iterator[Line]:
        hints = {
            "text": _("What was just said, or else what the ticket began with. One text a line; any of them will do."),
            "subject": _("One text a line; any of them will do."),
            "domain": _("One a line, such as example.com."),
            "organization": _("The requester's, or one that the ticket is shared with."),
            "tag": _("One a line."),
        }
        for name, label in deciding.CONDITIONS.items():
            if name not in ("area", "hours") or self._rows[name] or f"if_{name}" in self.initial:
                yield Line(name, str(label), [self[f"not_{name}"], self[f"if_{name}"]], hints.get(name, ""), main=1)

    def steps(self) -> Iterator[Line]:
        public, staff = (" ".join(f"{{{name}}}" for name in names) for names in (deciding.PUBLIC_PLACEHOLDERS, deciding.STAFF_PLACEHOLDERS))
        for name in ("type", "priority", "area", "group", "assignee"):
            if name != "area" or self._rows["area"] or "do_area" in self.initial:
                more = [self["do_tell_customer"]] if name == "priority" else []
                label = (
                    _("Assign it to") if name == "assignee" else _("Set the %(what)s to") % {"what": str(deciding.CONDITIONS[name]).lower()}
                )
                yield Line(name, label, [self[f"do_{name}"], *more])
        yield Line("tags", _("Add tags"), [self["do_tags"]], _("With commas between."))
        filled = _("These are filled in: %(names)s.")
        yield Line("note", _("Add an internal note"), [self["do_note"]], filled % {"names": staff})
        yield Line("reply", _("Reply to the customer"), [self["do_reply"]], filled % {"names": public})
        yield Line("status", _("Set the status to"), [self["do_status"]])
        yield Line("snooze", _("Snooze it for"), [self["do_snooze"], self["do_snooze_unit"]])
        yield Line("spam", _("Mark it as spam"), [self["do_spam"]])

    # --- Checks -----------------------------------------------------------------------------------------------------------------

    def clean_if_domain(self) -> str:
        return self._each_line("if_domain", self._checked_domain)

    def _checked_domain(self, line: str) -> str:
        domain = normalise_address(line)
        try:
            validate_domain(domain)
        except ValidationError as error:
            raise ValidationError(_("“%(line)s” is no mail domain. Write one such as example.com.") % {"line": line}) from error
        return domain

    def clean_if_tag(self) -> str:
        return self._each_line("if_tag", tidy)

    def _each_line(self, name: str, check: Any) -> str:
        return "\n".join(dict.fromkeys(filter(None, (check(line) for line in _lines(self.cleaned_data[name])))))

    def clean_do_note(self) -> str:
        return self._with_placeholders("do_note", deciding.STAFF_PLACEHOLDERS)

    def clean_do_words(self) -> str:
        return self._with_placeholders("do_words", deciding.STAFF_PLACEHOLDERS)

    def clean_do_reply(self) -> str:
        return self._with_placeholders("do_reply", deciding.PUBLIC_PLACEHOLDERS)

    def _with_placeholders(self, name: str, known: tuple[str, ...]) -> str:
        text: str = self.cleaned_data[name]
        if wrong := unknown(text, known):
            told = {"wrong": ", ".join(wrong), "known": ", ".join(f"{{{name}}}" for name in known)}
            raise ValidationError(_("%(wrong)s can't be filled in. These can: %(known)s.") % told)
        return text

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("when") in ON_TIME and "number" not in self.errors and not data.get("number"):
            self.add_error("number", _("Say how long."))
        if data.get("do_spam") and data.get("do_status"):
            self.add_error("do_spam", _("It is either spam, or has the status that you chose above."))
        if timedelta(minutes=(data.get("do_snooze") or 0) * _UNITS[data.get("do_snooze_unit") or "hours"]) > snoozing.LONGEST:
            self.add_error("do_snooze", _("A ticket can be snoozed for a year at most."))
        if data.get("do_words") and not (data.get("do_people") or data.get("do_groups")):
            self.add_error("do_words", _("Choose who is mailed."))
        if not self.is_trial and not self.errors and not self._steps_kept(data):
            self.add_error(None, _("Choose what the rule does, or it would do nothing."))
        return data

    # --- From and to the rule ---------------------------------------------------------------------------------------------------

    def fill(self) -> AutomationRule:
        """The rule as the valid form says, not saved."""
        data, rule = self.cleaned_data, self.rule
        rule.name, rule.is_active, rule.when = data["name"], data["is_active"], data["when"]
        rule.span = timedelta(minutes=data["number"] * _UNITS[data["unit"] or "hours"]) if rule.is_on_time else None
        rule.reaches_back = rule.is_on_time and data["reaches_back"]
        rule.is_any = data["joint"] == "any"
        rule.conditions = dict(self._conditions_kept(data))
        rule.steps = self._steps_kept(data)
        return rule

    def _conditions_kept(self, data: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        for name in deciding.CONDITIONS:
            values: list[Any] = _lines(data[f"if_{name}"]) if name in _LINES else [_key(name, value) for value in data[f"if_{name}"]]
            if values:
                yield name, {"values": values, "not": data[f"not_{name}"] == "not"}

    @staticmethod
    def _steps_kept(data: Mapping[str, Any]) -> dict[str, Any]:
        steps = {name: _key(name, data[f"do_{name}"]) for name in _SET if data.get(f"do_{name}")}
        if "priority" in steps:
            steps["tell_customer"] = data["do_tell_customer"]
        said: dict[str, Any] = {"tags": tags_of(data.get("do_tags", "")), "note": data.get("do_note"), "reply": data.get("do_reply")}
        said["spam"] = data.get("do_spam")
        if data.get("do_snooze"):
            said["snooze"] = data["do_snooze"] * _UNITS[data["do_snooze_unit"] or "hours"]
        people, groups = ([int(key) for key in data.get(f"do_{name}", ())] for name in ("people", "groups"))
        if people or groups:
            said["mail"] = {"people": people, "groups": groups, "words": data.get("do_words", "")}
        return steps | {name: value for name, value in said.items() if value}


_OFFERED: dict[str, type[Status | TicketType | Priority | ProductArea | AgentGroup]] = {
    "status": Status,
    "type": TicketType,
    "priority": Priority,
    "area": ProductArea,
    "group": AgentGroup,
}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _key(name: str, value: str) -> Any:
    """As a rule keeps it."""
    if name in ("category", "channel") or value in (deciding.NOBODY, deciding.FEWEST, deciding.NO_GROUP):
        return value
    return None if value == _NONE else int(value)


def _initial(rule: AutomationRule) -> dict[str, Any]:
    number, unit = units_of(rule.span) if rule.span else (None, "hours")
    said: dict[str, Any] = {
        "name": rule.name,
        "is_active": rule.is_active,
        "when": rule.when,
        "number": number,
        "unit": unit,
        "reaches_back": rule.reaches_back,
        "joint": "any" if rule.is_any else "all",
    }
    for name, condition in rule.conditions.items():
        said[f"not_{name}"] = "not" if condition.get("not") else ""
        said[f"if_{name}"] = _shown(name, condition["values"])
    return said | _initial_steps(rule.steps)


def _shown(name: str, values: list[Any]) -> Any:
    return "\n".join(values) if name in _LINES else [_NONE if value is None else str(value) for value in values]


def _initial_steps(steps: dict[str, Any]) -> dict[str, Any]:
    said = {f"do_{name}": value for name, value in steps.items()}
    said["do_tags"] = ", ".join(steps.get("tags", ()))
    if "snooze" in steps:
        said["do_snooze"], said["do_snooze_unit"] = units_of(timedelta(minutes=steps["snooze"]))
    mail = steps.get("mail", {})
    return said | {"do_people": mail.get("people", []), "do_groups": mail.get("groups", []), "do_words": mail.get("words", "")}
