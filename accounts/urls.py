"""Addresses of the account pages, beside allauth's."""

from django.urls import path
from django.views.generic import RedirectView

from accounts import views

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="profile")),
    path("profile/", views.profile, name="profile"),
    path("activity/", views.activity, name="activity"),
    path("tokens/", views.api_tokens, name="api_tokens"),
    path("tokens/new/", views.new_api_token, name="new_api_token"),
    path("tokens/<int:pk>/delete/", views.delete_api_token, name="delete_api_token"),
    path("consent/", views.ask_consent, name="consent"),
    # Before allauth's.
    path("email/", views.EmailView.as_view(), name="account_email"),
    path("2fa/totp/activate/", views.ActivateTOTPView.as_view(), name="mfa_activate_totp"),
]
