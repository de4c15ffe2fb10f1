from __future__ import annotations

from django.urls import path

from notifications import views

urlpatterns = [
    path("", views.mail_preferences, name="mail_preferences"),
    path("again/", views.mail_again, name="mail_again"),
    path("unsubscribe/report/<str:token>/", views.unsubscribe_report, name="unsubscribe_report"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
