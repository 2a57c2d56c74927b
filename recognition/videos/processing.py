"""What a worker does with a video: a slice of it at a time, so that photos come in between.

A slice of a video without full pictures in between first has to come to its place, which may take
many minutes and would be lost if it ended before it got on. So photos that people look at, and heat
maps, are done within it, and batches in half of its time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.dispatch import receiver
from django.utils.translation import gettext_noop

from operations import whole_copies
from recognition import quotas
from recognition.jobs.job import changed
from recognition.jobs.running import run
from recognition.jobs.transfers import meanwhile
from recognition.models import Recording, Upload, Video
from recognition.uploads import heat_maps, waiting
from recognition.videos import keeping
from recognition.vision.errors import VideoError, VideoTooCostly
from recognition.webhooks import deliveries

if TYPE_CHECKING:
    from recognition.videos.progress import Progress
    from recognition.vision.recognizer import EmotionRecognizer
    from recognition.vision.video.reader import VideoReader

logger = logging.getLogger(__name__)

#: Seconds after which a slice ends, and after which its work is saved.
SLICE_SECONDS, SAVE_SECONDS = 10.0, 2.0
#: Seconds of skipping that a slice makes up for by looking as long; with as much again for that,
#: and a beginning, it stays within its task's limit.
MADE_UP_SECONDS = 1500.0
#: Processor seconds that a video may take: to begin with, for each of its seconds, and for each
#: sample. Its reader may take four a second by itself, and skipping as much again; a sample takes
#: some hundredths. Not time on the clock, which passes as well while others have the processor.
FIRST_SECONDS, SECONDS_A_SECOND, SECONDS_A_SAMPLE = 120.0, 8.0, 0.25


def run_slice(video_id: str, *, seconds: float = SLICE_SECONDS) -> bool:
    """Look at a slice of a video, and queue the next one where there is more.

    Returns:
        Whether this call looked at any of it.
    """
    return run(
        Video.objects.all(),
        video_id,
        lambda video: _run_slice(video, seconds),
        delay=lambda video: video.back_off,
    )


def _run_slice(video: Video, seconds: float) -> None:
    # Here and not above: the parent of a worker's children must stay small, and a library
    # with threads of its own does not survive a fork.
    from recognition.videos.progress import Progress
    from recognition.vision.live import WORKING_SIDE
    from recognition.vision.video.order import Order
    from recognition.vision.video.reader import VideoReader

    recording = video.recording
    progress = Progress(video, recording)
    order = Order(
        frames_per_second=video.frames_per_second,
        longest_side=WORKING_SIDE,
        after_ms=progress.after_ms,
        maximum_ms=settings.VIDEO_MAXIMUM_MINUTES * 60_000,
    )
    recognizer = _recognizer(recording)

    def skipped() -> None:
        if progress.seconds_since_saved > SAVE_SECONDS:
            progress.keep()
            _let_people_in(progress)

    began = time.monotonic()
    try:
        with _as_path(video, progress) as path, VideoReader(path, order, skipped=skipped) as reader:
            if video.duration_ms is None and reader.info.duration_ms is not None:
                duration_ms = min(reader.info.duration_ms, order.maximum_ms)
                Video.objects.held(video).update(duration_ms=duration_ms)
            is_over = _look(reader, recognizer, progress, seconds, began)
    except VideoError as error:
        progress.end()
        progress.save(model_version=recognizer.manifest.version)
        Video.objects.fail(
            video,
            error_code=error.code,
            error_message=error.template,
            error_values=error.values,
        )
        return
    except FileNotFoundError:
        message = gettext_noop("The video has been deleted.")
        Video.objects.fail(video, error_code="video_missing", error_message=message)
        return
    reason = {} if is_over else _why_no_further(video, progress)
    if is_over or reason:
        progress.end()
    progress.save(model_version=recognizer.manifest.version)
    if not is_over and not reason and not _has_room(video):
        message = gettext_noop("Your storage was full before the video’s end.")
        reason = {"error_code": quotas.QuotaExceeded.code, "error_message": message}
        progress.end()
        progress.save()
    if is_over:
        Video.objects.finish(video)
    elif reason:
        Video.objects.fail(video, **reason)
    else:
        Video.objects.release(video)


def _why_no_further(video: Video, progress: Progress) -> dict[str, str]:
    """The fields that say why the rest of a video is not looked at; empty where it is."""
    if progress.is_full:
        message = gettext_noop("There is more in this video than one recording can hold.")
        return {"error_code": "too_long", "error_message": message}
    seconds = (progress.after_ms or 0) / 1000
    a_second = SECONDS_A_SECOND + SECONDS_A_SAMPLE * video.frames_per_second
    if progress.processor_seconds > FIRST_SECONDS + a_second * seconds:
        message = gettext_noop("Reading this video takes too much memory or time.")
        return {"error_code": VideoTooCostly.code, "error_message": message}
    return {}


def _has_room(video: Video) -> bool:
    """Whether its owner may store more, once the video itself is gone, where it is to go."""
    goes = 0 if keeping.is_to_stay(video) else video.stored_bytes
    return quotas.stored_bytes(video.owner).has_room_for(1 - goes)


def _look(
    reader: VideoReader,
    recognizer: EmotionRecognizer,
    progress: Progress,
    seconds: float,
    began: float,
) -> bool:
    """Look at frames until the slice or the video is over.

    Args:
        reader: of the video.
        recognizer: looks at them.
        progress: takes in what is seen.
        seconds: to look for.
        began: when the slice did. What it took to come to the first frame it takes again to
            look, so that skipping never takes more of a video's time than looking.

    Returns:
        Whether it is the video that is over.
    """
    from recognition.vision.live import LiveRecognizer
    from recognition.vision.watching import watch

    until = earliest = 0.0
    for watched in watch(reader, LiveRecognizer(recognizer), progress.state):
        progress.add(watched)
        now = time.monotonic()
        if not until:
            # From the first frame on, however long it took to come there: each slice gets on.
            skipping = min(now - began, MADE_UP_SECONDS)
            earliest = now + skipping
            until = max(now + seconds, earliest if skipping > SLICE_SECONDS else now)
        if progress.is_full or now >= until:
            return False
        if progress.seconds_since_saved > SAVE_SECONDS:
            progress.save(model_version=recognizer.manifest.version)
            if time.monotonic() < earliest:
                _let_people_in(progress)
            elif waiting.somebody_waits():
                return False
    return True


def _let_people_in(progress: Progress) -> None:
    """Do what people wait for, for a while, and batches for as long as the video had its turn.

    The claim on the video outlasts it.
    """
    began = time.monotonic()
    with progress.others():
        while time.monotonic() < began + SLICE_SECONDS and waiting.somebody_waits():
            is_drawn = heat_maps.draw_next()
            if not waiting.look_at_one(waiting.of_few()) and not is_drawn:
                break
        # From here on: what people wait for takes no time from batches.
        until = time.monotonic() + SAVE_SECONDS
        while time.monotonic() < until:
            if not waiting.look_at_one(Upload.objects.due()):
                return


def _recognizer(recording: Recording) -> EmotionRecognizer:
    """With the model that looked at the video so far, or the active one."""
    from recognition.model_registry.catalogue import manifest_of
    from recognition.model_registry.inference import active_recognizer, get_recognizer

    manifest = manifest_of(recording.model_version) if recording.model_version else None
    return get_recognizer(manifest) if manifest else active_recognizer()


@contextmanager
def _as_path(video: Video, progress: Progress) -> Iterator[Path]:
    """The video as a file of this machine, fetched where it is stored elsewhere.

    Raises:
        ClaimLost: as :meth:`Progress.keep`.
    """
    try:
        yield Path(video.file.path)
        return
    except NotImplementedError:
        pass
    with whole_copies.opened(str(video.file), partial(meanwhile, progress.keep)) as copy:
        yield Path(f"/dev/fd/{copy.fileno()}")


@receiver(changed, sender=Video)
def note_the_end(job: Video, **kwargs: Any) -> None:
    """Whichever way it ends: its file goes or is kept, and webhooks learn of it."""
    if job.is_finished:
        keeping.settle(job)
        wake_next(job)
        deliveries.record_video_finished(job)


def wake_next(video: Video) -> None:
    """Queue the next one of the same person: its own message came while this one was in work."""
    waiting = Video.objects.due().filter(owner_id=video.owner_id).exclude(pk=video.pk)
    if following := waiting.order_by("queued_at").first():
        Video.objects.enqueue(following.pk)
