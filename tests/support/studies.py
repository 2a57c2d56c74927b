"""Studies and what belongs to them, as rows: what tests of studies begin with."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from accounts.models import User
from recognition.models import Recording
from studies.models import Block, Condition, Member, Participation, PersonalLink, Study
from tests.support.series import write_series

CONSENT = "I agree that software (AI) reads my apparent expression while I take part."


def draft_study(owner: User, title: str = "Faces and sounds", **fields: Any) -> Study:
    """A study with all its texts, that nobody can take part in yet."""
    values: dict[str, Any] = {
        "question": "Do sounds change faces?",
        "responsible_name": "Dr Ada Lovelace",
        "institution": "University of Examples",
        "contact_email": "ada@example.org",
        "ethics_reference": "2026-17",
        "information": "You will see pictures and answer questions.",
        "consent_text": CONSENT,
        "languages": ["en", "de"],
        "forbidden_uses_confirmed_at": timezone.now(),
    }
    return Study.objects.create(owner=owner, title=title, **values | fields)


def open_study(owner: User, title: str = "Faces and sounds", **fields: Any) -> Study:
    """A study that people can come into; its blocks are for the test to add."""
    values = {"status": Study.Status.OPEN, "opened_at": timezone.now()}
    return draft_study(owner, title, **values | fields)


def ready_study(owner: User, **fields: Any) -> Study:
    """A draft with a text to read, from which nothing is missing before it can open."""
    study = draft_study(owner, **{"delete_on": date(2099, 12, 31), **fields})
    block(study, name="text-1")
    return study


def block(study: Study, kind: str = Block.Kind.TEXT, name: str = "", **fields: Any) -> Block:
    """The study's next block; `file` may be bytes."""
    number = study.blocks.count() + 1
    content = fields.pop("file", None)
    if kind == Block.Kind.TEXT:
        fields.setdefault("text", "Read this.")
    made = Block(study=study, number=number, kind=kind, name=name or f"block-{number}", **fields)
    if isinstance(content, bytes):
        made.stored_bytes = len(content)
        made.file.save("stimulus", ContentFile(content), save=False)
    elif content is not None:
        made.file = content
    made.save()
    return made


def condition(study: Study, name: str) -> Condition:
    return Condition.objects.create(study=study, name=name)


def member(study: Study, user: User, role: str = Member.Role.VIEWER) -> Member:
    """Somebody who has taken up their place in the team."""
    return Member.objects.create(study=study, email=user.email, user=user, role=role)


def personal_link(study: Study, label: str = "A-17", **attributes: str) -> PersonalLink:
    return PersonalLink.objects.create(study=study, label=label, attributes=attributes)


def participation(study: Study, **fields: Any) -> Participation:
    """Somebody who has agreed; everything else as `fields` say.

    Its withdrawal code and its key are random: nobody can come in with them.
    """
    number = study.participations.count() + 1
    values: dict[str, Any] = {
        "number": number,
        "code_hash": _hash_of_something(),
        "key_hash": _hash_of_something(),
        "language": "en",
        "consent_version": study.consent_version,
        "consent_text": study.consent_text,
        "sequence": list(study.blocks.values_list("pk", flat=True)),
    }
    return Participation.objects.create(study=study, **values | fields)


def checked(part: Participation) -> Participation:
    """The same participant, having passed the camera check."""
    part.camera = {"face_share": 1.0, "frames_per_second": 10.0, "face_height": 200.0}
    part.save(update_fields=["camera"])
    return part


def with_series(part: Participation) -> Participation:
    """The same participant, with a recording of a minute that belongs to nobody else."""
    now = timezone.now()
    checked(part)
    part.recording = Recording.objects.create(
        started_at=now - timedelta(seconds=60), ended_at=now, stored_bytes=1000
    )
    write_series(part.recording)
    part.save()
    return part


def _hash_of_something() -> str:
    return hashlib.sha256(secrets.token_bytes()).hexdigest()
