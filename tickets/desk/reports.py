"""Reports: what is asked for lives in the address, so that a report can be kept, sent and gone back to. Shows counts of what this person sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Organization, User
from notifications import subscriptions
from notifications.models import ReportSubscription
from tickets import access
from tickets.charts import Chart, Series, Shape, chart, heat, shares
from tickets.desk.door import StaffRequest, staff_required
from tickets.desk.report_links import Links
from tickets.desk.vocabulary import FEW
from tickets.lifecycle import Category
from tickets.models import Priority, TicketType
from tickets.models.ticket import Channel
from tickets.reports.asked import BY, DEFAULT_SPAN, DIMENSIONS, ME, MEASURED, NONE, SPANS, STEPS, Asked, Dimension, in_short, read
from tickets.reports.build import REPORTS, build
from tickets.reports.files import as_csv, file_name
from tickets.reports.tables import Report, Row, Table, Unit, in_words, measure_names, names, period_in_words
from tickets.search.query import clean
from tickets.spreadsheets import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

_OVERVIEW, _TIMELESS = "overview", "oldest"
_MOST_OFFERED, _MAX_NAME = 20, 200


@require_safe
@staff_required
def report(request: StaffRequest, name: str = _OVERVIEW) -> HttpResponse:
    made, asked = _made(request, name)
    links = Links(asked)
    query = urlencode(asked.chosen)
    context = {
        "name": name,
        "title": names()[name],
        "tabs": _tabs(name, query),
        "measures": _measures(name, asked) if name in MEASURED else [],
        "filters": _filters(name, asked, request),
        "unknown": "" if "organization" in asked.chosen else request.GET.get("organization", "").strip()[:_MAX_NAME],
        "is_by_dates": name != _TIMELESS and (asked.span is None or request.GET.get("period") == "dates" or asked.is_bad_period),
        "is_bad_period": asked.is_bad_period,
        "clear_url": _url(name) if asked.chosen else "",
        "asked": asked,
        "period": "" if name == _TIMELESS else period_in_words(asked.period),
        "before": period_in_words(asked.period.before) if made.table.has_before else "",
        "tiles": [_shown(row, links, made.table) for row in made.tiles],
        "charts": _charts(name, made),
        "table": None
        if made.table.is_empty
        else _table(made.steps if name == _OVERVIEW and made.steps else made.table, links, is_heat=name == "hours"),
        "is_heat": name == "hours",
        "has_tickets": not made.table.is_empty or access.tickets_for(request.user).exclude(category=Category.SPAM).exists(),
        "subscribe_url": "" if asked.span is None else reverse("desk_report_subscribe", args=[name]) + (f"?{query}" if query else ""),
        "by_mail": _by_mail(request.user),
        "staff": User.objects.active_staff().exclude(pk=request.user.pk).order_by("name", "email"),
        "csv_url": reverse("desk_report_csv", args=[name]) + (f"?{query}" if query else ""),
    }
    return render(request, "desk/report.html", context)


@require_safe
@staff_required
def report_csv(request: StaffRequest, name: str) -> HttpResponse:
    made, asked = _made(request, name)
    disposition = f'attachment; filename="{file_name(name, asked)}"'
    return HttpResponse(as_csv(made), content_type=CONTENT_TYPE, headers={"Content-Disposition": disposition})


@require_safe
@staff_required
def offered_organizations(request: StaffRequest) -> JsonResponse:
    """As one types, for static/js/complete.js."""
    text = clean(request.GET.get("q", "")).strip()[:_MAX_NAME]
    nothing = [{"text": NONE, "note": str(DIMENSIONS["organization"].nothing)}] if NONE.startswith(text.lower()) else []
    found = Organization.objects.filter(name__icontains=text)[:_MOST_OFFERED]
    return JsonResponse({"options": [*nothing, *({"text": one.name} for one in found)]})


@require_POST
@staff_required
def subscribe(request: StaffRequest, name: str) -> HttpResponse:
    """What is asked for is in the address, as it is for the page."""
    if name not in REPORTS:
        raise Http404
    asked = read(request.GET.dict(), request.user)
    back = redirect(_url(name, urlencode(asked.chosen)) + "#by-mail")
    number = request.POST.get("recipient", "")
    is_number = number.isascii() and number.isdigit() and len(number) <= 18
    recipient = User.objects.active_staff().filter(pk=int(number)).first() if is_number else None
    if recipient is None:
        messages.error(request, _("Choose who gets the report: somebody who works at the desk."))
        return back
    made = subscriptions.subscribe(name, asked, actor=request.user, recipient=recipient)
    who = _("you") if recipient == request.user else recipient.display_name
    messages.success(request, _("Each Monday at 7:00 this report is mailed to %(who)s.") % {"who": who}, extra_tags=_stop_url(made))
    return back


@require_POST
@staff_required
def stop(request: StaffRequest, pk: int) -> HttpResponse:
    subscription = subscriptions.known_to(request.user).filter(pk=pk).first()
    if subscription is None:
        raise Http404
    subscriptions.end(subscription, actor=request.user)
    messages.success(request, _("The report is mailed no more."))
    return redirect(_url(subscription.report, subscription.query) + "#by-mail")


def _stop_url(subscription: ReportSubscription) -> str:
    return reverse("desk_report_stop", args=[subscription.pk])


def _by_mail(user: User) -> list[dict[str, Any]]:
    """What this person gets, or made for others, in words."""
    return [
        {
            "title": names().get(one.report, one.report),
            "href": _url(one.report, one.query),
            "words": in_short(read(dict(parse_qsl(one.query)), one.recipient), one.report),
            "recipient": "" if one.recipient_id == user.pk else one.recipient.display_name,
            "made_by": one.created_by.display_name if one.created_by and one.created_by_id != user.pk else "",
            "stop_url": _stop_url(one),
        }
        for one in subscriptions.known_to(user)
    ]


def _made(request: StaffRequest, name: str) -> tuple[Report, Asked]:
    if name not in REPORTS:
        raise Http404
    asked = read(_numbered(request.GET.dict()), request.user)
    if name not in BY:  # a property goes along in the address, for the reports that have rows by it
        asked = replace(asked, by=asked.step)
    return build(name, access.tickets_for(request.user), asked), asked


def _numbered(params: dict[str, str]) -> dict[str, str]:
    """With the number of the organization in the place of its name, or of what no other name has a part like."""
    text = clean(params.get("organization", "")).strip()[:_MAX_NAME]
    if not text or text == NONE or text.isdigit():
        return params
    ways = (Organization.objects.filter(**{f"name__{way}": text})[:2] for way in ("iexact", "istartswith", "icontains"))
    found = next(filter(None, map(list, ways)), [])
    return params | {"organization": str(found[0].pk) if len(found) == 1 else ""}


def _url(name: str, query: str = "") -> str:
    path = reverse("desk_reports") if name == _OVERVIEW else reverse("desk_report", args=[name])
    return f"{path}?{query}" if query else path


def _tabs(name: str, query: str) -> list[dict[str, Any]]:
    """The same question to every report."""
    return [{"label": label, "href": _url(key, query), "current": key == name} for key, label in names().items()]


def _measures(name: str, asked: Asked) -> list[dict[str, Any]]:
    others = {key: value for key, value in asked.chosen.items() if key != "measure"}
    return [
        {"label": label, "href": _url(name, urlencode(others | {"measure": key})), "current": key == asked.measure}
        for key, label in measure_names().items()
    ]


# --- Numbers as they are shown -------------------------------------------------------------------------------------------------


def _table(table: Table, links: Links, *, is_heat: bool) -> dict[str, Any]:
    rows = [_shown(row, links, table) for row in table.rows]
    if not table.is_mixed and isinstance(links.asked.by, Dimension):  # over time a chart shows it
        for row, share in zip(rows, shares(_first(row) for row in table.rows), strict=True):
            row["cells"][0]["share"] = share
    warmth = iter(heat(cell.value for row in table.rows for cell in row.cells[:-1])) if is_heat else None
    for row in rows if warmth else ():
        for cell in row["cells"][:-1]:
            cell["heat"] = next(warmth)  # type: ignore[arg-type]
    total = _shown(table.total, links, table) if table.total else None
    is_text = any(cell.unit is Unit.TEXT for row in table.rows for cell in row.cells)
    return {
        "is_text": is_text,
        "title": table.title,
        "head": table.head,
        "columns": table.columns,
        "rows": rows,
        "total": total,
        "note": table.note,
    }


def _first(row: Row) -> int | None:
    value = row.cells[0].value
    return value if isinstance(value, int) else None


def _shown(row: Row, links: Links, table: Table) -> dict[str, Any]:
    return {
        "label": row.label,
        "href": reverse("desk_ticket", args=[row.ticket.number]) if row.ticket else "",
        "cells": [
            {
                "words": in_words(cell.value, cell.unit),
                "before": in_words(cell.before, cell.unit) if table.has_before else "",
                "change": _change(cell.value, cell.before, cell.unit),
                "href": links.to(cell, row),
                "is_text": cell.unit is Unit.TEXT,
            }
            for cell in row.cells
        ],
    }


def _change(value: Any, before: Any, unit: Unit) -> str:
    """In percent of what it was; of shares, in points."""
    if unit is Unit.TEXT or value is None or before is None or value == before:
        return ""
    if unit is Unit.SHARE:
        return _("%(n)s points") % {"n": f"{value - before:+.1f}"}
    return f"{100 * (value - before) / before:+.0f} %" if before else ""


def _charts(name: str, made: Report) -> list[Chart]:
    table = made.steps
    if table is None or made.table.is_empty or len(table.rows) < 2:
        return []
    labels = [row.label for row in table.rows]

    def column(at: int, *, before: bool = False) -> list[int | None]:
        return [row.cells[at].before if before else row.cells[at].value for row in table.rows]

    if name == "times":
        series = [Series(table.columns[1], column(1), Shape.LINE), Series(table.columns[2], column(2), Shape.DASHES)]
        return [chart(table.title, labels, series, in_words=partial(in_words, unit=Unit.TIME), is_time=True)]
    words = partial(in_words, unit=Unit.COUNT)
    first = [Series(table.columns[0], column(0), Shape.BARS), Series(table.columns[1], column(1), Shape.LINE)]
    if name == "sla":
        return [chart(table.title, labels, first, in_words=words)]
    is_open = [Series(_("Open at the end"), column(3), Shape.LINE)]
    if table.has_before:
        is_open.append(Series(_("Period before"), column(3, before=True), Shape.DASHES))
    return [
        chart(_("Created and resolved"), labels, first, in_words=words),
        chart(_("Open at the end"), labels, is_open, in_words=words),
    ]


# --- The filter bar ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filter:
    """One select of the filter bar; without choices, a line in which one of too many is named."""

    name: str
    label: str
    choices: list[tuple[str, str]]
    chosen: str
    is_set: bool


def _filters(name: str, asked: Asked, request: StaffRequest) -> list[Filter]:
    found = []
    if name != _TIMELESS:
        is_by_dates = asked.span is None or request.GET.get("period") == "dates"
        span = "dates" if is_by_dates else (asked.span or DEFAULT_SPAN).value
        periods = [*((key.value, str(label)) for key, label in SPANS.items()), ("dates", _("From … to …"))]
        found.append(Filter("period", _("Period"), periods, span, is_set=span != DEFAULT_SPAN))
    if name in BY or name == _OVERVIEW:
        rows = [(step.value, _("By %(step)s") % {"step": str(label).lower()}) for step, label in STEPS.items()]
        if name in BY:
            rows += [(key, _("By %(step)s") % {"step": str(one.label).lower()}) for key, one in DIMENSIONS.items()]
        by = asked.by.key if isinstance(asked.by, Dimension) else asked.by.value
        found.append(Filter("by", _("Rows"), rows, by, is_set=asked.by != asked.period.usual_step()))
    for key, dimension in DIMENSIONS.items():
        chosen = asked.chosen.get(key, "")
        choices = _choices(key, request.user)
        if choices is None:
            written = (
                request.GET.get(key, "")[:_MAX_NAME] if chosen in ("", NONE) else dimension.names({int(chosen)}).get(int(chosen), chosen)
            )
            found.append(Filter(key, str(dimension.label), [], written, is_set=bool(chosen)))
        elif choices:
            anything = [("", _("Any %(property)s") % {"property": str(dimension.label).lower()})]
            nothing = [] if key == "channel" else [(NONE, str(dimension.nothing))]
            found.append(Filter(key, str(dimension.label), [*anything, *choices, *nothing], chosen, is_set=bool(chosen)))
    return found


def _choices(key: str, user: User) -> list[tuple[str, str]] | None:
    if key == "channel":
        return [(channel.value, str(channel.label)) for channel in Channel]
    if key == "agent":
        return [(ME, _("Me")), *_options(User.objects.active_staff().order_by("name", "email"))]
    if key == "organization":
        few = list(Organization.objects.all()[: FEW + 1])
        return _options(few) if len(few) <= FEW else None
    if key == "group":
        return _options(access.groups_for(user))
    return _options(TicketType.objects.all() if key == "type" else Priority.objects.all())


def _options(things: Iterable[Any]) -> list[tuple[str, str]]:
    return [(str(thing.pk), str(thing)) for thing in things]
