from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    default_site = "emotion_site.admin_site.VisageAdminSite"


class SiteConfig(AppConfig):
    """The site itself, for its commands and checks."""

    name = "emotion_site"

    def ready(self) -> None:
        from emotion_site import checks  # noqa: F401  (they register themselves)
