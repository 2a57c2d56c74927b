"""Photos that come with the site, for whoever has none at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile

from recognition.jobs.running import run
from recognition.models import Upload
from recognition.uploads import actions, processing

if TYPE_CHECKING:
    from accounts.models import User

#: What can be asked for, and the name that the photo then has. The files are in static/, because
#: pages show them as well; NOTICE says where they come from.
SAMPLES = {"portrait": "Astronaut.jpg", "prints": "Six prints.jpg"}


def add(owner: User, sample: str) -> Upload:
    """Upload a sample to somebody's account; one that is there already is returned as it is.

    Args:
        owner: whose photo it becomes; it counts like any other.
        sample: a key of :data:`SAMPLES`.

    Raises:
        ImageError, Refusal: as :func:`recognition.uploads.actions.create_upload` does.
    """
    path = finders.find(f"img/samples/{sample}.jpg")
    assert isinstance(path, str)
    file = SimpleUploadedFile(SAMPLES[sample], Path(path).read_bytes(), "image/jpeg")
    own = Upload.objects.for_owner(owner).filter(photo_deleted_at=None)
    there = own.filter(sha256=actions.content_sha256(file)).first()
    return there or actions.create_upload(owner, file)


def add_recognised(owner: User) -> None:
    """Upload every sample to somebody's account and look for faces in it here, without a worker.

    A sample that cannot be looked at now waits for the workers, as any photo does.

    Raises:
        ImageError, Refusal: as :func:`add` does.
    """
    for sample in SAMPLES:
        upload = add(owner, sample)
        run(Upload.objects.all(), str(upload.pk), processing.process)
    actions.decoding_pool().close()
