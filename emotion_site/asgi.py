"""The ASGI application: HTTP by Django, WebSockets by Channels."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotion_site.settings")
django_application = get_asgi_application()

# Django must be set up before these modules are imported.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from emotion_site import request_bodies  # noqa: E402
from emotion_site.origin import SameOriginValidator  # noqa: E402
from recognition.routing import websocket_urlpatterns  # noqa: E402

request_bodies.install()

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": SameOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
