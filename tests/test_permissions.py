"""Who gets what from every address: role × address × method. An address that is missing here fails the build, so that no page is nobody's thought.

Each row: what GET answers to each role, then what an empty POST answers. Roles, in order: anonymous, a customer who does not see the ticket, a teammate
who does, its requester, an agent, an agent outside the ticket's private group, an admin.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import invitations
from accounts.models import AgentGroup, EmailDomain
from accounts.own_addresses import proof_path
from notifications.answers import Answer, answer_path
from notifications.models import Delivery, Kind, Reason, State, Suspension
from notifications.subscriptions import subscribe
from notifications.unsubscribe import report_path, unsubscribe_path
from tests.factories import make_article, make_ticket, message, new_file
from tests.tickets.mail.letters import letter, signed_address, take_in
from tickets import actions, bulk, files, sharing
from tickets.help import articles
from tickets.models import Attachment, AutomationRule, CannedReply, Channel, Macro, MailRule, Release, SavedView
from tickets.reports.asked import read
from tickets.writing import drafts

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db

ROLES = ("anonymous", "stranger", "teammate", "requester", "agent", "outsider", "admin")
_ALL = "200 200 200 200 200 200 200"
_NOBODY = "405 405 405 405 405 405 405"
_NO_PERSON = "302 405 405 405 405 405 405"
_NOWHERE = "404 404 404 404 404 404 404"

TABLE: dict[str, tuple[str, str]] = {
    "home": ("200 200 200 200 302 302 302", _NOBODY),
    "tickets": ("302 200 200 200 302 302 302", _NOBODY),
    "ticket_export": ("302 200 200 200 302 302 302", _NOBODY),
    "ticket_new": ("302 200 200 200 302 302 302", "302 422 422 422 302 302 302"),
    "nameable": ("302 200 200 200 200 200 200", _NOBODY),
    "ticket_similar": (_NOBODY, "302 200 200 200 302 302 302"),
    "ticket": ("302 404 200 200 302 302 302", _NOBODY),
    "ticket_nameable": ("302 404 200 200 200 404 200", _NOBODY),
    "ticket_reply": (_NOBODY, "302 404 422 422 302 302 302"),
    "organization_follow": (_NOBODY, "302 404 302 302 302 302 302"),
    "ticket_seen": (_NOBODY, "302 404 204 204 302 302 302"),
    "ticket_follow": (_NOBODY, "302 404 302 302 302 302 302"),
    "ticket_unfollow": (_NOBODY, "302 404 302 302 302 302 302"),
    "ticket_share": (_NOBODY, "302 404 422 422 302 302 302"),
    "ticket_person_add": (_NOBODY, "302 404 404 302 302 302 302"),  # the teammate himself, whom nobody adds
    "ticket_person_remove": ("302 404 200 200 302 302 302", "302 404 200 302 302 302 302"),  # the teammate: himself asked first
    "ticket_organization_add": (_NOBODY, "302 404 302 302 302 302 302"),
    "ticket_organization_remove": ("302 404 200 200 302 302 302", "302 404 200 200 302 302 302"),
    "people_find": ("302 200 200 200 200 200 200", _NOBODY),
    "ticket_mail": (_NOBODY, "302 404 302 302 302 302 302"),
    "ticket_fixed": (_NOBODY, "302 404 302 302 302 302 302"),
    "ticket_close": (_NOBODY, "302 404 302 302 302 302 302"),
    "ticket_reopen": (_NOBODY, "302 404 302 302 302 302 302"),
    "articles": (_ALL, _NOBODY),
    "article": ("404 404 200 200 200 200 200", _NOBODY),
    "article_by_number": ("404 404 302 302 302 302 302", _NOBODY),
    "article_feedback": (_NOBODY, "404 404 302 302 302 302 302"),
    "article_file": ("404 404 200 200 200 200 200", _NOBODY),
    "profile": ("302 200 200 200 200 200 200", "302 302 302 302 302 302 302"),
    "organizations": ("302 302 302 302 302 302 302", _NOBODY),
    "organization": ("302 404 200 200 302 302 302", _NOBODY),
    "organization_invite": (_NOBODY, "302 404 422 422 302 302 302"),
    "organization_inviters": (_NOBODY, "302 404 422 422 302 302 302"),
    "organization_resend": (_NOBODY, "302 404 403 302 302 302 302"),
    "organization_revoke": (_NOBODY, "302 404 403 302 302 302 302"),
    "organization_manager": (_NOBODY, "302 404 403 403 302 302 302"),
    "organization_remove": ("302 404 404 404 302 302 302", "302 404 404 404 302 302 302"),
    "organization_leave": ("302 404 200 200 302 302 302", "302 404 302 302 302 302 302"),
    "invitation": ("200 200 200 200 200 200 200", "422 409 409 409 409 409 409"),
    "invitation_join": (_NOBODY, "302 404 404 404 302 302 302"),
    "invitation_decline": (_NOBODY, "302 404 404 404 302 302 302"),
    "attachment": ("302 404 200 200 200 404 200", _NOBODY),
    "uploads": (_NOBODY, "302 422 422 422 422 422 422"),
    "upload": ("302 404 404 200 404 404 404", _NOBODY),  # Ana's
    "desk": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_tickets": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_tickets_changes": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_tickets_complete": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_view_new": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_view": (_NOBODY, "302 404 404 404 302 404 404"),  # Dan's own
    "desk_columns": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_bulk_new": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_bulk": ("302 404 404 404 200 404 404", "302 404 404 404 302 404 404"),  # its maker's
    "desk_bulk_undo": (_NOBODY, "302 404 404 404 302 404 404"),
    "desk_ticket_new": ("302 404 404 404 200 200 200", "302 404 404 404 422 422 422"),
    "desk_ticket": ("302 404 404 404 200 404 200", _NOBODY),
    "desk_ticket_seen": (_NOBODY, "302 404 404 404 204 404 204"),
    "desk_ticket_related": ("302 404 404 404 200 404 200", _NOBODY),
    "desk_ticket_others": ("302 404 404 404 200 404 200", _NOBODY),
    "desk_ticket_pictures": ("302 404 404 404 200 404 200", _NOBODY),
    "desk_ticket_reply": (_NOBODY, "302 404 404 404 422 404 422"),
    "desk_ticket_note": (_NOBODY, "302 404 404 404 422 404 422"),
    "desk_ticket_draft": (_NOBODY, "302 404 404 404 422 404 302"),  # his is there already
    "desk_ticket_take_back": (_NOBODY, "302 404 404 404 302 302 302"),  # one's own words alone, whether or not the ticket is in sight
    "desk_drafts": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_draft_restore": (_NOBODY, "302 404 404 404 302 302 302"),  # what their session knows
    "desk_draft_discard": (_NOBODY, "302 404 404 404 302 404 404"),  # its writer's
    "desk_ticket_presence": (_NOBODY, "302 404 404 404 200 404 200"),
    "desk_ticket_canned": ("302 404 404 404 200 404 200", "302 404 404 404 404 404 404"),  # none is named
    "desk_ticket_canned_find": ("302 404 404 404 200 404 200", _NOBODY),
    "desk_ticket_macros": ("302 404 404 404 200 404 200", _NOBODY),
    "desk_ticket_macro": (_NOBODY, "302 404 404 404 409 404 409"),
    "desk_canned": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_canned_new": ("302 404 404 404 200 200 200", "302 404 404 404 422 422 422"),
    "desk_canned_reply": ("302 404 404 404 200 404 404", "302 404 404 404 422 404 404"),  # Dan's own
    "desk_canned_retire": (_NOBODY, "302 404 404 404 302 404 404"),
    "desk_canned_delete": (_NOBODY, "302 404 404 404 302 404 404"),
    "desk_canned_used": (_NOBODY, "302 404 404 404 204 404 404"),
    "desk_macros": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_macro_new": ("302 404 404 404 200 200 200", "302 404 404 404 422 422 422"),
    "desk_macro": ("302 404 404 404 200 200 200", "302 404 404 404 422 422 422"),  # everybody's
    "desk_macro_retire": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_macro_delete": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_ticket_take": (_NOBODY, "302 404 404 404 302 404 409"),
    "desk_ticket_resolve": (_NOBODY, "302 404 404 404 422 404 422"),
    "desk_ticket_close": (_NOBODY, "302 404 404 404 409 404 409"),
    "desk_ticket_reopen": (_NOBODY, "302 404 404 404 409 404 409"),
    "desk_ticket_spam": (_NOBODY, "302 404 404 404 409 404 409"),
    "desk_ticket_not_spam": (_NOBODY, "302 404 404 404 409 404 409"),
    "desk_ticket_undo": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_status": (_NOBODY, "302 404 404 404 422 404 422"),
    "desk_ticket_priority": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_type": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_area": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_group": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_assignee": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_follow": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_unfollow": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_requester": (_NOBODY, "302 404 404 404 422 404 422"),
    "desk_ticket_tag": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_untag": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_link": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_unlink": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_merge": ("302 404 404 404 200 404 200", "302 404 404 404 422 404 422"),
    "desk_ticket_unmerge": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_split": ("302 404 404 404 302 404 302", "302 404 404 404 302 404 302"),  # of the ticket's first message, which stays
    "desk_ticket_reference": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_releases": ("302 404 404 404 200 200 200", "302 404 404 404 422 422 422"),
    "desk_release": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_release_go_on": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_ticket_snooze": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_wake": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_mail": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_add_follower": (_NOBODY, "302 404 404 404 422 404 422"),
    "desk_ticket_remove_follower": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_put_back": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_add_organization": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_remove_organization": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_ticket_retry": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_mail": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_mail_all_discard": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_mail_all_open": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_mail_all_spam": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_mail_rules": ("302 404 404 404 404 404 200", _NOBODY),
    "desk_mail_rule_new": ("302 404 404 404 404 404 200", "302 404 404 404 404 404 422"),
    "desk_mail_rule": ("302 404 404 404 404 404 200", "302 404 404 404 404 404 422"),
    "desk_mail_rule_move": (_NOBODY, "302 404 404 404 404 404 302"),
    "desk_mail_rule_delete": (_NOBODY, "302 404 404 404 404 404 302"),
    "desk_automation": ("302 404 404 404 404 404 200", _NOBODY),
    "desk_automation_new": ("302 404 404 404 404 404 200", "302 404 404 404 404 404 422"),
    "desk_automation_rule": ("302 404 404 404 404 404 200", "302 404 404 404 404 404 422"),
    "desk_automation_log": ("302 404 404 404 404 404 200", _NOBODY),
    "desk_automation_move": (_NOBODY, "302 404 404 404 404 404 302"),
    "desk_automation_switch": (_NOBODY, "302 404 404 404 404 404 302"),
    "desk_automation_delete": (_NOBODY, "302 404 404 404 404 404 302"),
    "desk_mail_in": ("302 404 404 404 200 404 200", _NOBODY),
    "desk_mail_raw": ("302 404 404 404 200 404 200", _NOBODY),
    "desk_mail_publish": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_mail_open": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_mail_discard": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_mail_replay": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_mail_out": ("302 404 404 404 200 404 200", _NOBODY),
    "desk_mail_out_retry": (_NOBODY, "302 404 404 404 302 404 302"),
    "desk_articles": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_article_new": ("302 404 404 404 200 200 200", "302 404 404 404 422 422 422"),
    "desk_article_find": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_article_words": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_article_ticket": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_article": ("302 404 404 404 200 200 200", "302 404 404 404 422 422 422"),
    "desk_article_place": (_NOBODY, "302 404 404 404 422 422 422"),
    "desk_article_publish": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_article_unpublish": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_article_archive": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_article_version": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_article_restore": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_organizations": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_organization_new": ("302 404 404 404 200 200 200", "302 404 404 404 422 422 422"),
    "desk_organization": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_organization_change": (_NOBODY, "302 404 404 404 422 422 422"),
    "desk_organization_switch": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_organization_add_domain": (_NOBODY, "302 404 404 404 422 422 422"),
    "desk_organization_remove_domain": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_organization_invite": (_NOBODY, "302 404 404 404 422 422 422"),
    "desk_organization_resend": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_organization_revoke": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_organization_manager": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_organization_remove": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_reports": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_report_organizations": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_report": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_report_subscribe": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_report_stop": (_NOBODY, "302 404 404 404 302 404 404"),  # Dan's
    "desk_report_csv": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_people": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_person_new": ("302 404 404 404 200 200 200", "302 404 404 404 422 422 422"),
    "desk_person_add_to": (_NOBODY, "302 404 404 404 302 302 302"),
    "desk_person": ("302 404 404 404 200 200 200", _NOBODY),
    "desk_person_lift": (_NOBODY, "302 404 404 404 302 302 302"),
    "mail_again": (_NOBODY, "302 302 302 302 302 302 302"),
    "account_login": ("200 302 302 302 302 302 302", "200 302 302 302 302 302 302"),
    "account_logout": ("302 200 200 200 200 200 200", "302 302 302 302 302 302 302"),
    "account_signup": (_NOWHERE, _NOWHERE),  # SIGNUP is off
    "account_signup_done": (_NOWHERE, _NOBODY),
    "account_single_sign_on": (_NOBODY, _NOWHERE),  # no provider is configured
    "openid_connect_callback": (_NOWHERE, _NOBODY),
    "account_reauthenticate": ("302 200 200 200 200 200 200", "302 200 200 200 200 200 200"),
    "account_sessions": ("302 200 200 200 200 200 200", _NOBODY),
    "account_session_end": (_NOBODY, "302 302 302 302 302 302 302"),
    "account_sessions_end_others": (_NOBODY, "302 302 302 302 302 302 302"),
    "mfa_index": ("302 200 200 200 200 200 200", _NO_PERSON),
    "mfa_authenticate": ("302 302 302 302 302 302 302", "302 302 302 302 302 302 302"),  # for who is half logged in
    "mfa_reauthenticate": ("302 302 302 302 302 302 302", "302 302 302 302 302 302 302"),  # nobody here has a second step
    "mfa_activate_totp": ("302 302 302 302 302 302 302", "302 302 302 302 302 302 302"),  # asks for the password first
    "mfa_deactivate_totp": ("302 404 404 404 404 404 404", "302 404 404 404 404 404 404"),
    "mfa_view_recovery_codes": ("302 404 404 404 404 404 404", _NO_PERSON),
    "mfa_generate_recovery_codes": ("302 302 302 302 302 302 302", "302 302 302 302 302 302 302"),
    "mfa_download_recovery_codes": ("302 404 404 404 404 404 404", "302 404 404 404 404 404 404"),
    "mfa_list_webauthn": ("302 200 200 200 200 200 200", _NO_PERSON),
    "mfa_add_webauthn": ("302 302 302 302 302 302 302", "302 302 302 302 302 302 302"),
    "mfa_reauthenticate_webauthn": ("302 302 302 302 302 302 302", "302 302 302 302 302 302 302"),
    "mfa_edit_webauthn": ("302 302 302 302 302 302 302", "302 302 302 302 302 302 302"),
    "mfa_remove_webauthn": ("302 302 302 302 302 302 302", "302 302 302 302 302 302 302"),
    "mfa_login_webauthn": ("302 302 302 302 302 302 302", "302 302 302 302 302 302 302"),
    "account_email": ("302 200 200 200 200 200 200", "302 302 302 302 302 302 302"),  # asks for the password first
    "account_email_resend": (_NOBODY, "302 404 404 302 404 404 404"),
    "account_email_remove": (_NOBODY, "302 302 302 302 302 302 302"),  # the same
    "account_email_make_login": (_NOBODY, "302 302 302 302 302 302 302"),
    "account_prove_address": ("302 200 200 200 200 200 200", "302 200 200 302 200 200 200"),
    "account_set_password": ("302 302 302 302 302 302 302", "302 302 302 302 302 302 302"),
    "account_change_password": ("302 200 200 200 200 200 200", "302 200 200 200 200 200 200"),
    "account_reset_password": (_ALL, _ALL),
    "account_reset_password_done": (_ALL, _NOBODY),
    "account_reset_password_from_key": (_ALL, _ALL),
    "account_reset_password_from_key_done": (_ALL, _NOBODY),
    "mail_preferences": ("302 200 200 200 200 200 200", "302 422 422 422 422 422 422"),
    "unsubscribe": (_ALL, _ALL),
    "unsubscribe_report": (_ALL, _ALL),
    "mail_answer": ("200 404 404 200 404 404 404", "200 404 404 200 404 404 404"),
    "webhook_mime": (_NOWHERE, _NOWHERE),  # no provider is switched on
    "webhook_tracking": (_NOWHERE, _NOWHERE),
    "healthz": (_ALL, _NOBODY),
    "readyz": (_ALL, _NOBODY),
    "site_css": (_ALL, _NOBODY),
    "favicon": ("301 301 301 301 301 301 301", _NOBODY),
}


def names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace == "admin":
                continue  # tests/test_admin.py has its own walk
            yield from names(pattern.url_patterns, prefix)
        else:
            yield pattern.name or str(pattern.pattern)


@pytest.fixture(scope="module")
def world(lasting):
    """A ticket of Ana's in a private group that Dan is in and Eve is not, with all that hangs on one; and an article for Ana's organization."""
    acme, ana, ben, cleo, dan, eve, max_admin = (getattr(lasting, name) for name in "acme ana ben cleo dan eve max_admin".split())
    private = AgentGroup.objects.create(name="Private", is_private=True)
    private.members.add(dan, max_admin)
    beside = make_ticket(ana, group=private)
    ticket = make_ticket(ana, group=private, message=message(files=(new_file(),)))
    actions.take(ticket, actor=dan)
    actions.add_note(ticket, actor=dan, message=message("secret", channel=Channel.DESK, files=(new_file("note.txt"),)))
    sharing.add_follower(ticket, actor=dan, person=ben)
    held = take_in(letter("sten@else.example", to=signed_address(ticket, ana)))
    failed = Delivery.objects.create(
        event=ticket.events.first(),
        ticket=ticket,
        recipient=ana,
        address=ana.email,
        kind=Kind.UPDATE,
        reason=Reason.REQUESTER,
        state=State.FAILED,
    )
    rule = MailRule.objects.create(name="Sign-ups", domains="signup.example", is_spam=True, position=1)
    stopped = Suspension.objects.create(user=ana, address=ana.email, reason="550 5.1.1 User unknown")
    other = EmailAddress.objects.create(user=ana, email="ana@home.example")
    no = articles.give_feedback(make_article(eve), reader=ana, is_helpful=False, comment="Where is the button?")
    article = make_article(eve, readers=acme, files=(new_file("steps.txt"),))
    domain = EmailDomain.objects.create(organization=acme, domain="acme.example")
    invited = invitations.invite(actor=ana, organization=acme, address="new@acme.example")
    upload = files.keep(new_file(), uploader=ana)
    canned = CannedReply.objects.create(name="Mine", text="Hello", owner=dan)
    macro = Macro.objects.create(name="Take it", assigns="me")
    draft = drafts.save(ticket, actor=dan, message=message("not yet"))
    subscription = subscribe("volume", read({}, dan), actor=dan, recipient=dan)
    people = [None, cleo, ben, ana, dan, eve, max_admin]
    return {
        "ticket": ticket,
        "private": beside,
        "shipped": Release.objects.create(version="4.2", text="In {version}.", created_by=dan),
        "held": held,
        "failed": failed,
        "rule": rule,
        "automation": AutomationRule.objects.create(name="Greeting", when="opened", steps={"note": "Look."}),
        "stopped": stopped,
        "other": other,
        "article": article,
        "no": no,
        "domain": domain,
        "invited": invited,
        "upload": upload,
        "view": SavedView.objects.create(name="Mine", owner=dan),
        "bulk": bulk.prepare(actor=dan, numbers=[ticket.pk]),
        "subscription": subscription,
        "draft": draft,
        "canned": canned,
        "macro": macro,
        "people": people,
        "browsers": [logged_in(person) for person in people],
    }


def logged_in(person) -> Client:
    client = Client()
    if person:
        client.force_login(person)
    return client


def path_to(name: str, world) -> str:
    ticket, article = world["ticket"], world["article"]
    attachment = Attachment.objects.get(comment__ticket=ticket, comment__is_internal=False)
    arguments: dict[str, list[object]] = {
        "uploads": [],
        "upload": [world["upload"].pk],
        "desk_view": [world["view"].pk],
        "desk_bulk": [world["bulk"].pk],
        "desk_bulk_undo": [world["bulk"].pk],
        "attachment": [attachment.pk, attachment.name],
        "article": [article.pk, article.slug],
        "article_by_number": [article.pk],
        "article_feedback": [article.pk],
        "article_file": [article.files.get().pk, "steps.txt"],
        **{name: [article.pk] for name in TABLE if name.startswith("desk_article_")},
        **{key: [] for key in ("desk_articles", "desk_article_new", "desk_article_find", "desk_article_words")},
        "desk_article": [article.pk],
        **{name: [world["automation"].pk] for name in TABLE if name.startswith("desk_automation_")},
        "desk_automation_new": [],
        "desk_article_ticket": [world["no"].pk],
        "desk_article_version": [article.pk, article.newest_id],
        "desk_article_restore": [article.pk, article.newest_id],
        "account_reset_password_from_key": ["1", "set-password"],
        "account_session_end": [10_000_000],
        "mfa_edit_webauthn": [1],
        "mfa_remove_webauthn": [1],
        "account_email_resend": [world["other"].pk],
        "account_email_remove": [world["other"].pk],
        "account_email_make_login": [world["other"].pk],
        "account_prove_address": [proof_path(ticket.requester, world["other"].email).split("/")[-2]],
        "desk_ticket_remove_follower": [ticket.number, world["people"][2].pk],
        **{
            key: [ticket.number, ticket.organizations.get().pk]
            for key in TABLE
            if key.endswith(("_organization", "_organization_add", "_organization_remove")) and "ticket_" in key
        },
        "desk_ticket_put_back": [ticket.number, world["people"][2].pk],
        "ticket_person_add": [ticket.number, world["people"][2].pk],
        "ticket_person_remove": [ticket.number, ticket.follower_rows.get(user=world["people"][2]).pk],
        **{key: [world["shipped"].pk] for key in ("desk_release", "desk_release_go_on")},
        "desk_ticket_unlink": [ticket.number, world["private"].pk],
        "desk_ticket_split": [ticket.number, attachment.comment_id],
        "desk_ticket_undo": [ticket.number, ticket.events.latest("pk").pk],
        "desk_ticket_take_back": [ticket.number, world["draft"].pk],
        "desk_draft_discard": [world["draft"].pk],
        "desk_ticket_macro": [ticket.number, world["macro"].pk],
        **{f"desk_canned_{verb}": [world["canned"].pk] for verb in ("reply", "retire", "delete", "used")},
        **{name: [world["macro"].pk] for name in ("desk_macro", "desk_macro_retire", "desk_macro_delete")},
        "desk_ticket_pictures": [ticket.number, attachment.comment_id],
        "desk_ticket_retry": [ticket.number, world["failed"].pk],
        "mail_answer": [answer_path(Answer.BROKEN, ticket, ticket.requester).split("/")[-2]],
        "desk_mail_out": [world["failed"].pk],
        "desk_mail_out_retry": [world["failed"].pk],
        "invitation": [invitations.link_path(world["invited"]).split("/")[-2]],
        "desk_person_add_to": [ticket.requester_id],
        "desk_person": [ticket.requester_id],
        "desk_person_lift": [ticket.requester_id, world["stopped"].pk],
        "desk_report": ["volume"],
        "desk_report_subscribe": ["volume"],
        "desk_report_stop": [world["subscription"].pk],
        "unsubscribe_report": [report_path(world["subscription"]).split("/")[-2]],
        "desk_report_csv": ["times"],
        "webhook_mime": ["postmark"],
        "webhook_tracking": ["postmark"],
    }
    if name.startswith(("organization", "desk_organization", "invitation_")):
        return path_to_organization(name, world)
    if name == "unsubscribe":
        return unsubscribe_path(ticket, ticket.requester)
    if name in arguments:
        return reverse(name, args=arguments[name])
    if name in ("desk_mail_rules", "desk_mail_rule_new") or name.startswith("desk_mail_all_"):
        return reverse(name)
    if name.startswith("desk_mail_rule"):
        return reverse(name, args=[world["rule"].pk])
    if name.startswith("desk_mail_"):
        return reverse(name, args=[world["held"].pk])
    if name.startswith(("ticket_", "desk_ticket_")) and name not in ("ticket_new", "ticket_export", "ticket_similar", "desk_ticket_new"):
        return reverse(name, args=[ticket.number])
    return reverse(name, args=[ticket.number] if name in ("ticket", "desk_ticket") else [])


def path_to_organization(name: str, world) -> str:
    invited, domain = world["invited"], world["domain"]
    if name in ("organizations", "desk_organizations", "desk_organization_new"):
        return reverse(name)
    if name.startswith("invitation_"):
        return reverse(name, args=[invited.pk])
    last = {"resend": invited.pk, "revoke": invited.pk, "manager": world["people"][2].pk, "remove": world["people"][2].pk}
    part = name.rpartition("_")[2]
    more = [domain.pk] if name.endswith("remove_domain") else [last[part]] if part in last else []
    return reverse(name, args=[domain.organization_id, *more])


def answers(method: str, path: str, browsers: list[Client]) -> str:
    """Each role finds the world as it was, and is logged in: what the one before it did is undone."""
    codes = []
    for browser in browsers:
        cookies = copy(browser.cookies)
        with transaction.atomic():
            answer = getattr(browser, method)(path)
            if answer.streaming:  # a download keeps its file open until its end
                list(answer)
            codes.append(str(answer.status_code))
            transaction.set_rollback(True)
        browser.cookies = cookies
    return " ".join(codes)


def test_every_address_is_in_the_table():
    assert set(names(get_resolver().url_patterns)) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_each_role_gets_what_the_table_says(world, name):
    path = path_to(name, world)
    found = answers("get", path, world["browsers"]), answers("post", path, world["browsers"])
    assert found == TABLE[name]


def test_internal_file_is_for_staff_who_see_the_ticket_alone(world):
    secret = Attachment.objects.get(comment__is_internal=True)
    path = reverse("attachment", args=[secret.pk, secret.name])
    assert answers("get", path, world["browsers"]) == "302 404 404 404 200 404 200"
