"""The site's addresses."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.i18n import set_language

from emotion_site import documentation, installing, operator
from emotion_site.health import healthz, live
from emotion_site.metrics_page import page as metrics_page
from recognition.api.views.documents import unknown

# One way in, with one limit and two-factor codes: the administration has no sign-in of its own.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", include("recognition.urls")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("studies/", include("studies.urls")),
    path("take-part/", include("studies.taking_part.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("studies.api")),
    path("api/v1/", include("recognition.api.urls")),
    re_path("^api/", unknown),
    path("metrics", metrics_page, name="metrics"),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("service-worker.js", installing.service_worker, name="service_worker"),
    path("offline/", installing.offline, name="offline"),
    path("docs/", documentation.home, name="documentation"),
    path("docs/<path:path>", documentation.file, name="documentation_file"),
    path("legal/", operator.legal, name="legal"),
    path("language/", set_language, name="set_language"),
    path("healthz", healthz, name="healthz"),
    path("healthz/live", live, name="healthz_live"),
]
