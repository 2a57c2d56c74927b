"""The site's addresses."""

from django.contrib import admin
from django.urls import include, path

from emotion_site.health import healthz

urlpatterns = [
    path("", include("recognition.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("recognition.api.urls")),
    path("healthz", healthz, name="healthz"),
]
