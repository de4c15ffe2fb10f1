"""Every address of the product, by audience."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from helpdesk import views
from notifications import tracking
from tickets.mail import webhooks

urlpatterns = [
    path("", include("tickets.portal.urls")),
    path("desk/", include("tickets.desk.urls")),
    path("accounts/", include("accounts.urls")),
    path("mail/", include("notifications.urls")),
    path("webhooks/<slug:provider>/mime", webhooks.mime, name="webhook_mime"),
    path("webhooks/<slug:provider>/tracking", tracking.tracking, name="webhook_tracking"),
    path("admin/", admin.site.urls),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("site.css", views.site_css, name="site_css"),
    path("favicon.ico", views.favicon, name="favicon"),
]
