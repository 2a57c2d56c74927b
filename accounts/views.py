"""The account pages that are ours; allauth has those of signing in, two factors and sessions."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.manage_email import sync_user_email_address
from allauth.account.views import EmailView as AllauthEmailView
from allauth.mfa.totp.views import ActivateTOTPView as AllauthActivateTOTPView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import consent, tokens
from accounts.activity import find_pages, group
from accounts.forms import ConsentForm, ProfileForm, TokenForm
from accounts.http import signed_in
from accounts.models import ApiToken, AuditEvent
from accounts.purposes import ACCOUNT

EVENTS_PER_PAGE = 25


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """One's name and e-mail address."""
    form = ProfileForm(request.POST or None, instance=signed_in(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Name saved."))
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form})


@require_safe
@login_required
def activity(request: HttpRequest) -> HttpResponse:
    """What happened to one's account and data, newest first."""
    user = signed_in(request)
    events = AuditEvent.objects.for_owner(user).select_related("actor")
    page = Paginator(events, EVENTS_PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    context = {"page": page, "groups": group(shown), "pages": find_pages(user, shown)}
    return render(request, "accounts/activity.html", context)


@require_safe
@login_required
def api_tokens(request: HttpRequest) -> HttpResponse:
    found = ApiToken.objects.for_owner(signed_in(request))
    return render(request, "accounts/tokens.html", {"tokens": found})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required
@never_cache
def new_api_token(request: HttpRequest) -> HttpResponse:
    """Make a token; the answer shows its key, which no later page can."""
    user = signed_in(request)
    form = TokenForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            token, key = tokens.create(user, data["name"], data["scope"], data["days"])
        except IntegrityError:
            # Another request has just made one of that name: the form now says so itself.
            form = TokenForm(request.POST, user=user)
        else:
            return render(request, "accounts/token_created.html", {"token": token, "key": key})
    return render(request, "accounts/token_new.html", {"form": form})


@require_POST
@login_required
def delete_api_token(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in(request)
    tokens.delete(get_object_or_404(ApiToken.objects.for_owner(user), pk=pk), user)
    messages.success(request, _("Token deleted. Programs using it can no longer sign in."))
    return redirect("api_tokens")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def ask_consent(request: HttpRequest) -> HttpResponse:
    """Asks those who have not agreed to the present text, and sends them on."""
    form = ConsentForm(request.POST or None)
    target = request.POST.get("next") or request.GET.get("next") or ""
    # Anything else may be the name of a page to Django.
    if not target.startswith("/") or not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = resolve_url("home")
    if request.method == "POST" and form.is_valid():
        consent.give(signed_in(request), ACCOUNT)
        return redirect(target)
    return render(request, "accounts/consent.html", {"form": form, "next": target})


class ActivateTOTPView(AllauthActivateTOTPView):
    """Where several requests set up an app at once, the first one does; the others lead to it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            # allauth takes an address without a row for a verified one, but a reset does not.
            sync_user_email_address(signed_in(request))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)
        except IntegrityError:
            return redirect("mfa_index")
        return response


class EmailView(AllauthEmailView):
    """A change of address begins here, and ends with the link in the mail to the new one.

    allauth's view would also take away the present address, or the new one for it without its
    being confirmed: by buttons of a page for several addresses.
    """

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        is_present = request.POST.get("email", "").lower() == signed_in(request).email
        if "action_primary" in request.POST or ("action_remove" in request.POST and is_present):
            return redirect("account_email")
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response
