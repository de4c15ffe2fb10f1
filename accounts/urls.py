"""Logging in, signing up, and what one changes about that: allauth's pages that we use, and ours."""

from __future__ import annotations

from allauth.account import views
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from accounts import views as ours
from accounts.single_sign_on import PROVIDER

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("signup/", ours.sign_up, name="account_signup"),
    path("signup/done/", ours.sign_up_done, name="account_signup_done"),
    path("sso/login/", ours.single_sign_on, name="account_single_sign_on"),
    path("sso/callback/", ours.single_sign_on_back, kwargs={"provider_id": PROVIDER}, name="openid_connect_callback"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("second-step/", include("allauth.mfa.urls")),
    path("sessions/", ours.sessions, name="account_sessions"),
    path("sessions/others/end/", ours.sessions_end_others, name="account_sessions_end_others"),
    path("sessions/<int:pk>/end/", ours.session_end, name="account_session_end"),
    path("email/", ours.addresses, name="account_email"),
    path("email/<int:pk>/resend/", ours.address_resend, name="account_email_resend"),
    path("email/<int:pk>/remove/", ours.address_remove, name="account_email_remove"),
    path("email/<int:pk>/login/", ours.address_make_login, name="account_email_make_login"),
    path("email/prove/<str:key>/", ours.prove_address, name="account_prove_address"),
    path("password/change/", views.password_change, name="account_change_password"),
    # Where allauth sends who never had a password and wants to change it: setting one takes the mailed link.
    path("password/set/", RedirectView.as_view(pattern_name="account_reset_password"), name="account_set_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/key/done/", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
]
