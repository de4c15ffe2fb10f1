"""The customers' addresses."""

from __future__ import annotations

from django.urls import path

from tickets.attachments import attachment

urlpatterns = [
    path("attachments/<int:pk>/<str:name>", attachment, name="attachment"),
]
