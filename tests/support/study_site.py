"""A site as participants of studies meet it, and a camera that shows a face."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.support import clip
from tests.support.site import Site

FAKE_CAMERA = "--use-fake-device-for-media-stream"
ALLOW = "--use-fake-ui-for-media-stream"
AUTOPLAY = "--autoplay-policy=no-user-gesture-required"


class StudySite(Site):
    """What a participant meets: nothing of it waits for a worker."""

    PROCESSES = ("redis", "web")

    def is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/take-part/withdraw/", timeout=10).status_code == 200
        except httpx.TransportError:
            return False


def camera_arguments(file: Path) -> list[str]:
    """Arguments of a browser whose camera shows a face that stays in view; writes the clip."""
    with file.open("wb") as frames:
        portrait = clip.astronaut()
        for index in range(60):
            frames.write(clip.jpeg_frame(portrait, 1.5 + 0.5 * index / 60))
    return [FAKE_CAMERA, ALLOW, AUTOPLAY, f"--use-file-for-fake-video-capture={file}"]
