"""The administration: Django's, with a first page that tells how the site is doing."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView


class VisageAdminSite(AdminSite):
    site_title = _("Visage admin")
    site_header = _("Visage admin")
    index_title = _("Dashboard")
    # Not admin/index.html: each application's page extends that, and has none of these figures.
    index_template = "admin/dashboard.html"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """As Django's, with :class:`GuardedAdmin` under whatever class it is."""
        from emotion_site.guarded_admin import GuardedAdmin

        admin_class = admin_class or GuardedAdmin
        if not issubclass(admin_class, GuardedAdmin):
            module = {"__module__": admin_class.__module__, "__doc__": admin_class.__doc__}
            admin_class = type(admin_class.__name__, (GuardedAdmin, admin_class), module)
        super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        # The account's page counts wrong ones, tells people, and keeps the session in their list.
        own_password = self.admin_view(RedirectView.as_view(pattern_name="account_change_password"))
        return [
            path("services/", self.admin_view(require_safe(self.services)), name="services"),
            path("password_change/", own_password, name="password_change"),
            path("password_change/done/", own_password, name="password_change_done"),
            path("logout/", _sign_out, name="logout"),
            *super().get_urls(),
        ]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        # Not above: the site is made before the models are loaded.
        from emotion_site import dashboard

        return super().index(request, {**dashboard.from_database(), **(extra_context or {})})

    def services(self, request: HttpRequest) -> HttpResponse:
        """What has to be asked for elsewhere, and is fetched by the first page: it may take a
        second, or two where nothing answers."""
        from emotion_site import dashboard

        return TemplateResponse(request, "admin/_services.html", dashboard.from_services())


def _sign_out(request: HttpRequest) -> HttpResponse:
    """As everywhere: other tabs are told, and photos that were not sent are forgotten."""
    return redirect("account_logout", preserve_request=True)
