"""The ASGI application: HTTP by Django, WebSockets by Channels."""

import os
import sys

import django

from emotion_site import data_folder

# Beside threads that look at frames and build pages, the event loop waits for the interpreter at
# each of its many small steps, by default up to 5 ms a time. With 50 people and 10 live pages on
# two cores a tenth of that brought the 95th percentile from 459 to 175 ms for pages and from 240
# to 99 ms for live labels, and cost no throughput.
sys.setswitchinterval(0.0005)

# What a process writes is for its own user; where others read it, its code says so.
os.umask(0o077)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotion_site.settings")
data_folder.prepare()
django.setup(set_prefix=False)

# Django must be set up before these modules are imported, hence below.
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

from emotion_site import request_bodies, socket_bounds
from emotion_site.client_headers import TrustedScope
from emotion_site.origin import (
    PagesAndPrograms,
    SameOriginValidator,
    nothing_here,
)
from emotion_site.page_turns import FairTurns
from emotion_site.request_threads import RequestThreads
from emotion_site.socket_threads import SocketThreads
from emotion_site.socket_turns import FairHandshakes
from emotion_site.visitors import LimitedSockets
from operations.threads_in_turn import Threads
from recognition.routing import token_urlpatterns, websocket_urlpatterns
from studies.routing import websocket_urlpatterns as study_urlpatterns

request_bodies.install()
socket_bounds.install()

# Without the last, an unknown path would be a failure with a traceback.
nowhere = re_path("", nothing_here)
sockets = URLRouter([*websocket_urlpatterns, *study_urlpatterns, nowhere])
pages = SameOriginValidator(AuthMiddlewareStack(LimitedSockets(sockets)))
programs = URLRouter([*token_urlpatterns, nowhere])
socket_threads = Threads(settings.SOCKET_THREADS, "socket")
fair_sockets = SocketThreads(FairHandshakes(PagesAndPrograms(pages, programs)), socket_threads)
application = TrustedScope(
    ProtocolTypeRouter(
        {
            "http": FairTurns(request_bodies.BodiesInPieces(RequestThreads())),
            "websocket": fair_sockets,
        }
    )
)
