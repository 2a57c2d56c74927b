from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    default_site = "emotion_site.admin_site.VisageAdminSite"


class SiteConfig(AppConfig):
    """The site itself, for its commands and checks."""

    name = "emotion_site"

    def ready(self) -> None:
        from whitenoise.middleware import WhiteNoiseFileResponse

        from emotion_site import checks  # noqa: F401  (they register themselves)

        # Each piece is a message through the event loop: at Django's 4 kB, sixty clients that
        # asked for one large file kept everybody's pages for 16 s.
        WhiteNoiseFileResponse.block_size = 64 * 1024
