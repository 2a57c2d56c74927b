"""One of everything that is stored, for tests that open every address."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.utils import timezone

from accounts import tokens
from accounts.models import AuditEvent, Consent, User
from accounts.purposes import ACCOUNT
from recognition.models import (
    DataExport,
    LiveUsage,
    Marker,
    ModelChoice,
    ModelComparison,
    Prediction,
    Recording,
    StretchAnswer,
    Upload,
    Video,
    VideoTransfer,
    Webhook,
    WebhookDelivery,
)
from studies.models import Block, Condition, Member, Participation, PersonalLink, Study
from tests.support.pictures import encode, meadow
from tests.support.series import write_series
from tests.support.signing_in import switch_on_two_factors

#: The arguments of an address, by the name of the thing behind it.
Arguments = dict[str, dict[str, Any]]

PROBABILITIES = {"happy": 0.7, "sad": 0.1, "surprise": 0.1, "neutral": 0.1}


def make(upload: Upload) -> Arguments:
    """Give a photo's owner one of everything."""
    owner, now = upload.owner, timezone.now()
    begun = now - timedelta(seconds=90)
    samples = [[1, "happy", 0.0, 60.0, 0.9], [1, "sad", 60.0, 80.0, 0.6], [2, "sad", 1, 2, 0.5]]
    box = {"x": 177, "y": 66, "width": 96, "height": 96}
    face, _is_new = Prediction.objects.get_or_create(
        upload=upload,
        index=0,
        defaults={**box, "label": "happy", "confidence": 0.7, "probabilities": PROBABILITIES},
    )
    face.heat_map.save("heat-map.png", ContentFile(encode(meadow().resize((96, 96)), "PNG")))
    export = DataExport.objects.create(
        owner=owner,
        status=DataExport.Status.DONE,
        progress=1.0,
        finished_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=7),
    )
    export.file.save("export.zip", ContentFile(b"an archive"))
    EmailAddress.objects.get_or_create(user=owner, email=owner.email, defaults={"primary": True})
    webhook = Webhook.objects.create(
        owner=owner, url="https://alice.example/hook", secret="whsec_of_alice"
    )
    session = Recording.objects.create(owner=owner, started_at=begun, ended_at=now, samples=samples)
    write_series(session)
    film = Recording.objects.create(
        owner=owner, source=Recording.Source.VIDEO, started_at=begun, ended_at=now
    )
    video = Video.objects.create(
        owner=owner, recording=film, name="film of Alice.mp4", byte_size=9, stored_bytes=9
    )
    video.file.save("video", ContentFile(b"a video"))
    watched = Recording.objects.create(
        owner=owner, source=Recording.Source.VIDEO, started_at=begun, ended_at=now
    )
    kept = Video.objects.create(
        owner=owner,
        recording=watched,
        name="kept film of Alice.mp4",
        container="mov",
        byte_size=12,
        stored_bytes=12,
        status=Video.Status.DONE,
        keep=True,
    )
    kept.file.save("video", ContentFile(b"a kept video"))
    study = Study.objects.create(owner=owner, title="Study of Alice")
    block = Block(study=study, number=2, name="image-1", kind="image", media_type="image/jpeg")
    block.file.save("image", ContentFile(encode(meadow(), "JPEG")))
    condition = Condition.objects.create(study=study, name="condition of Alice")
    member = Member.objects.create(study=study, email="colleague@alice.example")
    link = PersonalLink.objects.create(study=study, label="code of Alice")
    part = Participation.objects.create(
        study=study, number=1, code_hash="hash-of-a-code", key_hash="hash-of-a-key",
        language="en", consent_version=1, consent_text="I agree.",
    )  # fmt: skip
    rows = {
        "video": video,
        "kept video": kept,
        "upload": upload,
        "face": face,
        "export": export,
        "webhook": webhook,
        "session": session,
        "marker": Marker.objects.create(recording=session, time_ms=5000, name="bell of Alice"),
        "transfer": VideoTransfer.objects.create(
            owner=owner, name="next film of Alice.mp4", byte_size=9, stored_bytes=9
        ),
        "answer": StretchAnswer.objects.create(
            recording=session, face=1, start_ms=1000, end_ms=2000, label="neutral"
        ),
        "usage": LiveUsage.objects.create(owner=owner, day=now.date(), seconds=60),
        "delivery": WebhookDelivery.objects.create(webhook=webhook, event="ping", payload={}),
        "token": tokens.create(owner, "laptop of Alice", "read", 30)[0],
        "event": AuditEvent.objects.create(user=owner, action="signed_in"),
        "consent": Consent.objects.get(user=owner, purpose=ACCOUNT),
        "person": owner,
        "group": Group.objects.create(name="friends"),
        "address": EmailAddress.objects.create(user=owner, email="alice.two@example.org"),
        "factor": RecoveryCodes.activate(owner).instance,
        "sign-in": UserSession.objects.create(
            user=owner, ip="192.0.2.7", session_key="k", user_agent="Mosaic", data={}
        ),
        "choice": ModelChoice.objects.create(
            manifest="emotion_vgg16.json", version="a", chosen_by=owner
        ),
        "study": study,
        "block": block,
        "condition": condition,
        "member": member,
        "link": link,
        "participation": part,
        "comparison": ModelComparison.objects.create(candidate="candidate.json"),
    }
    stimulus = Block.objects.create(study=rows["study"], number=1, name="sea", kind=Block.Kind.TEXT)
    running = Study.objects.create(
        owner=owner, title="Faces", status=Study.Status.OPEN, opened_at=now, languages=["en"]
    )
    shown = Block.objects.create(study=running, number=1, name="words", kind=Block.Kind.TEXT)
    invited = PersonalLink.objects.create(study=running, label="A-17")
    return {
        "open study": {"link_key": running.link_key},
        "running study": {"pk": running.pk},
        "block of the running study": {"pk": running.pk, "block": shown.pk},
        "personal link": {"key": invited.key},
        **{name: {"pk": row.pk} for name, row in rows.items()},
        **{f"{name}, administered": {"object_id": row.pk} for name, row in rows.items()},
        "person": {"id": owner.pk},
        "study as CSV": {"pk": rows["study"].pk, "file": "participants.csv"},
        "stimulus of the study": {"pk": rows["study"].pk, "block": stimulus.pk},
        "session as CSV": {"pk": session.pk, "file_format": "csv"},
        "marker of the session": {"pk": session.pk, "marker": rows["marker"].pk},
        "block of the study": {"pk": study.pk, "block": block.pk},
        "condition of the study": {"pk": study.pk, "condition": condition.pk},
        "link of the study": {"pk": study.pk, "link": link.pk},
        "participant of the study": {"pk": study.pk, "number": part.number},
        "member of the study": {"pk": study.pk, "member": member.pk},
        "key of an invitation": {"key": "made-up"},
        "answer in the session": {"pk": session.pk, "answer": rows["answer"].pk},
        "upload as JSON": {"pk": upload.pk, "file_format": "json"},
        "as JSON": {"file_format": "json"},
        "face of the upload": {"pk": upload.pk, "face": face.pk},
        "first face of the upload": {"pk": upload.pk, "index": 0},
        "page of the upload": {
            "content_type_id": ContentType.objects.get_for_model(Upload).pk,
            "object_id": upload.pk,
        },
        "page of the documentation": {"path": "no/such.html"},
        "key of a mail": {"key": "made-up"},
        "key of a person": {"uidb36": user_pk_to_url_str(owner), "key": "made-up"},
        "application": {"app_label": "recognition"},
        "nothing": {"url": "no/such/page/"},
    }


def write(operator: str) -> None:
    """Write the arguments as JSON: for a shell of a site with the photos that are named here.

    Args:
        operator: e-mail address of who becomes one, with two factors.
    """
    user = User.objects.get(email=operator)
    user.is_staff = user.is_superuser = True
    user.save()
    switch_on_two_factors(user)
    failure = {"error_code": "unreadable", "error_message": "This cannot be read."}
    Upload.objects.filter(name="failed.jpg").update(status=Upload.Status.FAILED, **failure)
    found = make(Upload.objects.get(name="two.jpg"))
    sys.stdout.write(json.dumps(found, default=str) + "\n")
