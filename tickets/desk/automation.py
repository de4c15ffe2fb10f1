"""Admins' pages for automation: the rules in their order, one rule to be tried on past tickets before it is kept, and the log of what each did.

The verbs are in `tickets.automation.acting`. Rules that sort mail before there is a ticket have pages of their own, `tickets.desk.rules`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tickets import access
from tickets.automation import acting, deciding
from tickets.automation.rehearsal import Rehearsal, rehearse
from tickets.desk.automation_form import RuleForm
from tickets.desk.door import StaffRequest, admin_of, staff_required
from tickets.lifecycle import Category
from tickets.models import AutomationRule, AutomationRun, Outcome
from tickets.paging import page_of

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.models import User

_LATELY = timedelta(days=30)
_ROWS = 50
_TRIED, _MOST_TRIED = 200, 1000  # tickets
_DAYS = ("7", "30", "90")


def _rule(pk: int) -> AutomationRule:
    try:
        return AutomationRule.objects.get(pk=pk)
    except (AutomationRule.DoesNotExist, OverflowError) as error:
        raise Http404 from error


# --- The list ------------------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def rules(request: StaffRequest) -> HttpResponse:
    admin_of(request)
    lately = Q(runs__at__gte=timezone.now() - _LATELY)
    done, failed = Q(runs__outcome=Outcome.DONE), ~Q(runs__outcome=Outcome.DONE)
    found = AutomationRule.objects.annotate(done=Count("runs", filter=lately & done), failed=Count("runs", filter=lately & failed))
    lexicon = deciding.Lexicon()
    return render(request, "desk/automation_rules.html", {"rows": [_row(rule, lexicon) for rule in found.order_by("position", "id")]})


def _row(rule: AutomationRule, lexicon: deciding.Lexicon) -> dict[str, Any]:
    deeds = deciding.plan(rule, lexicon)
    return {
        "rule": rule,
        "when": deciding.when_in_words(rule),
        "conditions": deciding.conditions_in_words(rule, lexicon),
        "does": [deed.words for deed in deeds],
        "problem": next((deed.problem for deed in deeds if deed.problem), ""),
    }


@require_POST
@staff_required
def rule_move(request: StaffRequest, pk: int) -> HttpResponse:
    acting.move(_rule(pk), actor=admin_of(request), up=request.POST.get("to") == "up")
    return redirect("desk_automation")


@require_POST
@staff_required
def rule_switch(request: StaffRequest, pk: int) -> HttpResponse:
    admin = admin_of(request)
    rule = acting.switch(_rule(pk), actor=admin, on=request.POST.get("to") == "on")
    words = _("The rule “%(name)s” is in use from now on.") if rule.is_active else _("The rule “%(name)s” is switched off.")
    messages.success(request, words % {"name": rule})
    return redirect("desk_automation")


@require_POST
@staff_required
def rule_delete(request: StaffRequest, pk: int) -> HttpResponse:
    admin, rule = admin_of(request), _rule(pk)
    acting.delete(rule, actor=admin)
    messages.success(request, _("The rule “%(name)s” is gone. What it did to tickets stays.") % {"name": rule})
    return redirect("desk_automation")


# --- One rule ------------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def rule_new(request: StaffRequest) -> HttpResponse:
    return _edit(request, admin_of(request), AutomationRule())


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required
def rule(request: StaffRequest, pk: int) -> HttpResponse:
    return _edit(request, admin_of(request), _rule(pk))


def _edit(request: StaffRequest, admin: User, rule: AutomationRule) -> HttpResponse:
    is_trial = "try" in request.POST
    title = _("Rule “%(name)s”") % {"name": rule.name} if rule.pk else _("New rule")
    form = RuleForm(request.POST if request.method == "POST" else None, rule=rule, is_trial=is_trial)
    is_valid = form.is_valid()
    if is_valid and not is_trial:
        acting.keep(form.fill(), actor=admin)
        messages.success(request, _("The rule “%(name)s” is kept.") % {"name": rule})
        return redirect("desk_automation")
    among = request.POST.get("among", "")
    context = {
        "form": form,
        "rule": rule,
        "title": title,
        "among": among if among in _DAYS else "",
        "days": _DAYS,
        "tried": _TRIED,
        "rehearsal": _try(admin, form.fill(), among) if is_valid else None,
    }
    return render(request, "desk/automation_rule.html", context, status=422 if form.is_bound and not is_valid else 200)


def _try(admin: User, rule: AutomationRule, among: str) -> Rehearsal:
    """Among the newest tickets that this person sees, or those of the last days; private groups of others stay unseen."""
    now = timezone.now()
    tickets = access.tickets_for(admin).exclude(category=Category.SPAM).select_related("requester", "status").order_by("-pk")
    if among in _DAYS:
        tickets = tickets.filter(created_at__gte=now - timedelta(days=int(among)))
    return rehearse(rule, list(tickets[: _MOST_TRIED if among in _DAYS else _TRIED]), now=now)


# --- The log -------------------------------------------------------------------------------------------------------------------


@require_safe
@staff_required
def rule_log(request: StaffRequest, pk: int) -> HttpResponse:
    """Newest first; of tickets that this admin sees."""
    admin, rule = admin_of(request), _rule(pk)
    seen = access.tickets_for(admin).filter(pk=OuterRef("ticket"))
    runs = AutomationRun.objects.filter(Exists(seen), rule=rule).select_related("ticket")
    page = page_of(runs, request_get=request.GET, order=("-at", "-id"), size=_ROWS)
    return render(request, "desk/automation_log.html", {"rule": rule, "page": page})
