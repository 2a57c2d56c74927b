"""What is recognised with, what people may use, and for how long work may take."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from emotion_site.settings.environment import BASE_DIR, SIGNUP, env


def available_cores() -> int:
    """Cores this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


MODEL_MANIFEST = Path(
    env.str("MODEL_MANIFEST", default=str(BASE_DIR / "models" / "emotion_vgg16.json"))
)
#: Seconds for which a process goes on with the model it knows before it looks whether the
#: operator has made another one active.
MODEL_CHECK_SECONDS = 3.0
#: Threads of one classification. Worker processes use one each (see the Procfile): they look at
#: as many photos at a time as there are cores. With two, one live page gets a fifth more frames a
#: second, and 25 or 50 of them no fewer.
RECOGNIZER_THREADS = env.int("RECOGNIZER_THREADS", default=2)
#: What finds faces: BlazeFace and the Haar cascade together, or one of them alone.
DETECTOR = env.str("DETECTOR", default="both")
if DETECTOR not in {"both", "blazeface", "haar"}:
    raise ImproperlyConfigured("DETECTOR is both, blazeface or haar.")
#: Threads that look at live frames: one for each core that this process may use.
LIVE_THREADS = env.int("LIVE_THREADS", default=available_cores())
#: Participants of studies whose cameras are on at the same time, in all web processes together;
#: the next ones wait for their turn. Two cores were measured with 25 at 5 frames a second.
STUDY_PARTICIPANTS_AT_ONCE = env.int(
    "STUDY_PARTICIPANTS_AT_ONCE", default=max(1, available_cores() * 25 // 2)
)
#: Of these, how many that came by open links may share one network address: what nobody can hold
#: alone is left to others. 0 for all of them.
STUDY_PARTICIPANTS_PER_ADDRESS = env.int(
    "STUDY_PARTICIPANTS_PER_ADDRESS", default=max(1, STUDY_PARTICIPANTS_AT_ONCE * 3 // 4)
)
#: The largest live frame, in bytes. Whoever sends more than twice as much is cut off.
LIVE_MAXIMUM_BYTES = 512 * 1024
#: Sockets of each kind that may be open to one network address, which a whole room may share.
SOCKETS_PER_ADDRESS = env.int("SOCKETS_PER_ADDRESS", default=500)
MAXIMUM_ATTEMPTS = 3
#: A claim older than this belongs to a worker that died. Longer than the hard time limit.
CLAIM_SECONDS = env.int("CLAIM_SECONDS", default=50)
#: A queued upload that no worker took for this long is queued again.
REQUEUE_SECONDS = env.int("REQUEUE_SECONDS", default=60)
#: Days after which photos are deleted, their results kept: 0 for at once, none for never. Each
#: person may choose for themselves, up to the maximum.
RETENTION_DEFAULT_DAYS = env.int("RETENTION_DEFAULT_DAYS", default=None)
RETENTION_MAXIMUM_DAYS = env.int("RETENTION_MAXIMUM_DAYS", default=None)
#: Days in which people may take back that they deleted a photo; 0 for no trash.
TRASH_DAYS = env.int("TRASH_DAYS", default=30)
if not 0 <= TRASH_DAYS <= 30:
    raise ImproperlyConfigured("TRASH_DAYS is from 0 to 30.")
#: How many bytes a photo may have; `recognition.vision.images` looks at none above 100 MB.
PHOTO_MAXIMUM_BYTES = env.int("PHOTO_MAXIMUM_MEGABYTES", default=25) * 1024 * 1024
if not 1 <= PHOTO_MAXIMUM_BYTES // (1024 * 1024) <= 100:
    raise ImproperlyConfigured("PHOTO_MAXIMUM_MEGABYTES is from 1 to 100.")
#: How long a video may be, and how many bytes it may have.
VIDEO_MAXIMUM_MINUTES = env.int("VIDEO_MAXIMUM_MINUTES", default=120)
VIDEO_MAXIMUM_BYTES = env.int("VIDEO_MAXIMUM_MEGABYTES", default=500) * 1024 * 1024
#: Whether a video stays when it has been looked at, where its owner does not say.
VIDEO_KEEP = env.bool("VIDEO_KEEP", default=False)
#: Photos that this host decodes at the same time, in processes of their own.
DECODING_PROCESSES = env.int("DECODING_PROCESSES", default=available_cores())


def _quota(name: str, where_anybody_may_sign_up: int | None) -> int | None:
    """A quota from the environment; empty for none. Invited people have none by default."""
    if name not in os.environ:
        return where_anybody_may_sign_up if SIGNUP == "open" else None
    return env.int(name) if os.environ[name] else None


#: What one person may use, unless their own row says otherwise; None for as much as they like.
QUOTA_UPLOADS_A_DAY = _quota("QUOTA_UPLOADS_A_DAY", 500)
QUOTA_BYTES = _quota("QUOTA_BYTES", 2_000_000_000)
QUOTA_LIVE_MINUTES_A_DAY = _quota("QUOTA_LIVE_MINUTES_A_DAY", None)
#: Photos in one submission of the form that works without JavaScript.
MAXIMUM_FILES_PER_FORM = 50
