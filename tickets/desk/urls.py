"""The addresses of the desk. Each is behind `staff_required`."""

from __future__ import annotations

from django.urls import path

from tickets.desk import articles, mail, mail_list, mail_many, organizations, people, rules, verbs
from tickets.desk.dashboard import dashboard
from tickets.desk.new import ticket_new
from tickets.desk.queue import queue
from tickets.desk.related import related
from tickets.desk.ticket import pictures, ticket

_TICKET = "tickets/<int:number>/"
_ORGANIZATION = "organizations/<int:pk>/"

urlpatterns = [
    path("", dashboard, name="desk"),
    path("tickets/", queue, name="desk_tickets"),
    path("tickets/new/", ticket_new, name="desk_ticket_new"),
    path(_TICKET, ticket, name="desk_ticket"),
    path(f"{_TICKET}related/", related, name="desk_ticket_related"),
    path(f"{_TICKET}pictures/<int:comment>/", pictures, name="desk_ticket_pictures"),
    path(f"{_TICKET}reply/", verbs.reply, name="desk_ticket_reply"),
    path(f"{_TICKET}note/", verbs.note, name="desk_ticket_note"),
    path(f"{_TICKET}take/", verbs.take, name="desk_ticket_take"),
    path(f"{_TICKET}resolve/", verbs.resolve, name="desk_ticket_resolve"),
    path(f"{_TICKET}close/", verbs.close, name="desk_ticket_close"),
    path(f"{_TICKET}reopen/", verbs.reopen, name="desk_ticket_reopen"),
    path(f"{_TICKET}spam/", verbs.spam, name="desk_ticket_spam"),
    path(f"{_TICKET}not-spam/", verbs.not_spam, name="desk_ticket_not_spam"),
    path(f"{_TICKET}undo/<int:event>/", verbs.undo, name="desk_ticket_undo"),
    path(f"{_TICKET}status/", verbs.status, name="desk_ticket_status"),
    path(f"{_TICKET}priority/", verbs.priority, name="desk_ticket_priority"),
    path(f"{_TICKET}type/", verbs.type, name="desk_ticket_type"),
    path(f"{_TICKET}area/", verbs.area, name="desk_ticket_area"),
    path(f"{_TICKET}group/", verbs.group, name="desk_ticket_group"),
    path(f"{_TICKET}assignee/", verbs.assignee, name="desk_ticket_assignee"),
    path(f"{_TICKET}requester/", verbs.requester, name="desk_ticket_requester"),
    path(f"{_TICKET}follow/", verbs.follow, name="desk_ticket_follow"),
    path(f"{_TICKET}unfollow/", verbs.unfollow, name="desk_ticket_unfollow"),
    path(f"{_TICKET}mail/", verbs.mail_level, name="desk_ticket_mail"),
    path(f"{_TICKET}followers/add/", verbs.add_follower, name="desk_ticket_add_follower"),
    path(f"{_TICKET}followers/<int:pk>/remove/", verbs.remove_follower, name="desk_ticket_remove_follower"),
    path(f"{_TICKET}deliveries/<int:pk>/retry/", verbs.retry_delivery, name="desk_ticket_retry"),
    path("mail/", mail_list.mail, name="desk_mail"),
    path("mail/all/discard/", mail_many.discard_all, name="desk_mail_all_discard"),
    path("mail/all/open/", mail_many.open_all, name="desk_mail_all_open"),
    path("mail/all/spam/", mail_many.always_spam, name="desk_mail_all_spam"),
    path("mail/rules/", rules.mail_rules, name="desk_mail_rules"),
    path("mail/rules/new/", rules.mail_rule_new, name="desk_mail_rule_new"),
    path("mail/rules/<int:pk>/", rules.mail_rule, name="desk_mail_rule"),
    path("mail/rules/<int:pk>/move/", rules.mail_rule_move, name="desk_mail_rule_move"),
    path("mail/rules/<int:pk>/delete/", rules.mail_rule_delete, name="desk_mail_rule_delete"),
    path("mail/in/<int:pk>/", mail.mail_in, name="desk_mail_in"),
    path("mail/in/<int:pk>/raw/", mail.mail_raw, name="desk_mail_raw"),
    path("mail/in/<int:pk>/publish/", mail.publish, name="desk_mail_publish"),
    path("mail/in/<int:pk>/open/", mail.open_held, name="desk_mail_open"),
    path("mail/in/<int:pk>/discard/", mail.discard, name="desk_mail_discard"),
    path("mail/in/<int:pk>/replay/", mail.replay, name="desk_mail_replay"),
    path("mail/out/<int:pk>/", mail.mail_out, name="desk_mail_out"),
    path("mail/out/<int:pk>/retry/", mail.mail_out_retry, name="desk_mail_out_retry"),
    path("articles/", articles.article_list, name="desk_articles"),
    path("articles/new/", articles.article_new, name="desk_article_new"),
    path("articles/find/", articles.article_find, name="desk_article_find"),
    path("articles/words/", articles.article_words, name="desk_article_words"),
    path("articles/words/<int:pk>/ticket/", articles.article_ticket, name="desk_article_ticket"),
    path("articles/<int:pk>/", articles.article, name="desk_article"),
    path("articles/<int:pk>/place/", articles.article_place, name="desk_article_place"),
    path("articles/<int:pk>/publish/", articles.article_publish, name="desk_article_publish"),
    path("articles/<int:pk>/unpublish/", articles.article_unpublish, name="desk_article_unpublish"),
    path("articles/<int:pk>/archive/", articles.article_archive, name="desk_article_archive"),
    path("articles/<int:pk>/versions/<int:version>/", articles.article_version, name="desk_article_version"),
    path("articles/<int:pk>/versions/<int:version>/restore/", articles.article_restore, name="desk_article_restore"),
    path("organizations/", organizations.organizations, name="desk_organizations"),
    path("organizations/new/", organizations.organization_new, name="desk_organization_new"),
    path(_ORGANIZATION, organizations.organization, name="desk_organization"),
    path(f"{_ORGANIZATION}change/", organizations.change, name="desk_organization_change"),
    path(f"{_ORGANIZATION}switch/", organizations.switch, name="desk_organization_switch"),
    path(f"{_ORGANIZATION}domains/add/", organizations.add_domain, name="desk_organization_add_domain"),
    path(f"{_ORGANIZATION}domains/<int:domain>/remove/", organizations.remove_domain, name="desk_organization_remove_domain"),
    path(f"{_ORGANIZATION}invite/", organizations.invite, name="desk_organization_invite"),
    path(f"{_ORGANIZATION}invitations/<int:invitation>/resend/", organizations.resend, name="desk_organization_resend"),
    path(f"{_ORGANIZATION}invitations/<int:invitation>/revoke/", organizations.revoke, name="desk_organization_revoke"),
    path(f"{_ORGANIZATION}members/<int:person>/manager/", organizations.manager, name="desk_organization_manager"),
    path(f"{_ORGANIZATION}members/<int:person>/remove/", organizations.remove, name="desk_organization_remove"),
    path("people/", people.people, name="desk_people"),
    path("people/new/", people.person_new, name="desk_person_new"),
    path("people/<int:pk>/", people.person, name="desk_person"),
    path("people/<int:pk>/suspensions/<int:suspension>/lift/", people.lift, name="desk_person_lift"),
    path("people/<int:pk>/organizations/add/", people.add_to, name="desk_person_add_to"),
]
