"""What lets people install the site as an app: its manifest, its worker, and a page for no network.

The worker keeps that page and what it is drawn with, and nothing of anybody's.
"""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

#: Of the header in the light theme; the pages say when it is dark.
THEME_COLOUR = "#ffffff"
#: Files that the page for no network is drawn with.
OFFLINE_FILES = ("css/offline.css", "img/icon.svg")


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What the site is called and looks like as an app, and what may be shared into it."""
    icons = [
        {"src": static(f"img/icon-{side}.png"), "sizes": f"{side}x{side}", "type": "image/png"}
        for side in (192, 512)
    ]
    maskable = {**icons[1], "src": static("img/icon-maskable.png"), "purpose": "maskable"}
    shortcuts = {
        "home": pgettext("verb", "Upload"),
        "live": _("Live"),
        "history": _("History"),
        "statistics": _("Statistics"),
    }
    content = {
        "id": "/",
        "name": "Visage",
        "short_name": "Visage",
        "description": _("Expressions in photos and videos"),
        "lang": get_language(),
        "start_url": reverse("home"),
        "scope": "/",
        "display": "standalone",
        "theme_color": THEME_COLOUR,
        "background_color": THEME_COLOUR,
        "icons": [*icons, maskable],
        "shortcuts": [{"name": name, "url": reverse(page)} for page, name in shortcuts.items()],
        "share_target": {
            "action": reverse("shared_photos"),
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"files": [{"name": "images", "accept": ["image/*"]}]},
        },
    }
    return JsonResponse(content, content_type="application/manifest+json")


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The worker's script; at the root, because it sees only what is below its own address."""
    page = render_to_string("offline.html", request=request)
    context = {
        # Browsers install a script that differs, and with it the page as it is by then.
        "version": hashlib.sha256(page.encode()).hexdigest()[:16],
        "offline": reverse("offline"),
        "shared": reverse("shared_photos"),
        "files": [static(name) for name in OFFLINE_FILES],
    }
    answer = render(request, "service-worker.js", context, content_type="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Shown by the worker where no page can be had; the same for everybody."""
    return render(request, "offline.html")
