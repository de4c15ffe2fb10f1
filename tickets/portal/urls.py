"""The customers' addresses."""

from __future__ import annotations

from django.urls import path

from tickets.attachments import attachment, upload
from tickets.portal.views import articles, organizations, people, ticket
from tickets.portal.views.answer import answer
from tickets.portal.views.home import home
from tickets.portal.views.invitation import invitation
from tickets.portal.views.nameable import nameable_people
from tickets.portal.views.profile import profile
from tickets.portal.views.related import ticket_similar
from tickets.portal.views.ticket_export import ticket_export
from tickets.portal.views.ticket_list import organization_follow, ticket_list
from tickets.portal.views.ticket_new import ticket_new
from tickets.uploading import uploads

_TICKET = "tickets/<int:number>/"
_ORGANIZATION = "people/<int:pk>/"

urlpatterns = [
    path("", home, name="home"),
    path("tickets/", ticket_list, name="tickets"),
    path("tickets/organizations/<int:pk>/follow/", organization_follow, name="organization_follow"),
    path("tickets/export.csv", ticket_export, name="ticket_export"),
    path("tickets/new/", ticket_new, name="ticket_new"),
    path("tickets/new/nameable/", nameable_people, name="nameable"),
    path("tickets/similar/", ticket_similar, name="ticket_similar"),
    path(_TICKET, ticket.ticket, name="ticket"),
    path(f"{_TICKET}nameable/", nameable_people, name="ticket_nameable"),
    path(f"{_TICKET}reply/", ticket.reply, name="ticket_reply"),
    path(f"{_TICKET}seen/", ticket.seen, name="ticket_seen"),
    path(f"{_TICKET}follow/", ticket.follow, name="ticket_follow"),
    path(f"{_TICKET}unfollow/", ticket.unfollow, name="ticket_unfollow"),
    path(f"{_TICKET}share/", ticket.share, name="ticket_share"),
    path(f"{_TICKET}people/<int:pk>/add/", people.add_person, name="ticket_person_add"),
    path(f"{_TICKET}followers/<int:pk>/remove/", people.remove_person, name="ticket_person_remove"),
    path(f"{_TICKET}organizations/<int:pk>/add/", people.add_organization, name="ticket_organization_add"),
    path(f"{_TICKET}organizations/<int:pk>/remove/", people.remove_organization, name="ticket_organization_remove"),
    path(f"{_TICKET}mail/", ticket.mail_level, name="ticket_mail"),
    path(f"{_TICKET}fixed/", ticket.fixed, name="ticket_fixed"),
    path(f"{_TICKET}close/", ticket.close, name="ticket_close"),
    path(f"{_TICKET}reopen/", ticket.reopen, name="ticket_reopen"),
    path("articles/", articles.articles, name="articles"),
    path("articles/<int:pk>/", articles.article, name="article_by_number"),
    path("articles/<int:pk>-<slug:slug>/", articles.article, name="article"),
    path("articles/<int:pk>/feedback/", articles.feedback, name="article_feedback"),
    path("articles/files/<int:pk>/<str:name>", articles.article_file, name="article_file"),
    path("mail/answer/<str:token>/", answer, name="mail_answer"),
    path("people/find/", people.find, name="people_find"),
    path("people/", organizations.organizations, name="organizations"),
    path("people/invitations/<int:pk>/join/", organizations.join, name="invitation_join"),
    path("people/invitations/<int:pk>/decline/", organizations.decline, name="invitation_decline"),
    path(_ORGANIZATION, organizations.organization, name="organization"),
    path(f"{_ORGANIZATION}invite/", organizations.invite, name="organization_invite"),
    path(f"{_ORGANIZATION}invitations/<int:invitation>/resend/", organizations.resend, name="organization_resend"),
    path(f"{_ORGANIZATION}invitations/<int:invitation>/revoke/", organizations.revoke, name="organization_revoke"),
    path(f"{_ORGANIZATION}inviters/", organizations.inviters, name="organization_inviters"),
    path(f"{_ORGANIZATION}members/<int:person>/manager/", organizations.manager, name="organization_manager"),
    path(f"{_ORGANIZATION}members/<int:person>/remove/", organizations.remove, name="organization_remove"),
    path(f"{_ORGANIZATION}leave/", organizations.leave, name="organization_leave"),
    path("invitations/<str:token>/", invitation, name="invitation"),
    path("profile/", profile, name="profile"),
    path("uploads/", uploads, name="uploads"),
    path("uploads/<uuid:pk>/", upload, name="upload"),
    path("attachments/<int:pk>/<str:name>", attachment, name="attachment"),
]
