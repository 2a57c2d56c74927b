"""The pages of one's webhooks, in the account area."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import signed_in
from recognition.models import Webhook, WebhookQuerySet
from recognition.refusals import Refusal
from recognition.webhooks import hooks
from recognition.webhooks.forms import WebhookForm

DELIVERIES_PER_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def webhooks(request: HttpRequest) -> HttpResponse:
    """One's webhooks, and the form for another; the answer to it shows the new secret."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            webhook = hooks.add(signed_in(request), form.cleaned_data["url"])
        except Refusal as error:
            form.add_error("url", str(error))
        else:
            return render(request, "webhooks/created.html", {"webhook": webhook})
    context = {"webhooks": _own(request), "form": form, "maximum": hooks.MAXIMUM_WEBHOOKS}
    return render(request, "webhooks/list.html", context)


@require_safe
@login_required
def webhook(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One webhook with the log of what was sent."""
    found = get_object_or_404(_own(request), pk=pk)
    log = Paginator(found.deliveries.all(), DELIVERIES_PER_PAGE)
    page = log.get_page(request.GET.get("page"))
    return render(request, "webhooks/detail.html", {"webhook": found, "page": page})


@require_POST
@login_required
def ping_webhook(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send a test message."""
    found = get_object_or_404(_own(request), pk=pk)
    hooks.ping(found)
    messages.success(request, _("Test sent. Refresh to see the result."))
    return redirect("webhook", pk)


@require_POST
@login_required
def switch_webhook(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Switch it on (``on=1``) or off."""
    hooks.switch(get_object_or_404(_own(request), pk=pk), on=request.POST.get("on") == "1")
    return redirect("webhook", pk)


@require_POST
@login_required
def delete_webhook(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Delete it with its log."""
    hooks.delete(get_object_or_404(_own(request), pk=pk))
    messages.success(request, _("Webhook deleted."))
    return redirect("webhooks")


def _own(request: HttpRequest) -> WebhookQuerySet:
    return Webhook.objects.for_owner(request.user)
