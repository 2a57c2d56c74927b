"""A study for pictures: made up, and the same every time. Runs in a site's shell.

Fourteen people look at a photo of a cat (Chelsea by Stéfan van der Walt, CC0) and read a text, in
two conditions; what their faces do is drawn from curves with noise, and nobody's.
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from typing import Any

import numpy as np
import skimage.data
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from accounts.models import User
from recognition.models import Recording
from recognition.series.columns import Sample
from recognition.series.storing import SeriesWriter
from studies.models import Answer, Block, Condition, Member, Participation, Study, Visit
from studies.planning import wording
from tests.support import pictures, studies
from tests.support.series import LABELS

#: Milliseconds from start to end of each block of the study.
TIMES = {"baseline": (0, 6000), "cat": (7000, 17_000), "letter": (18_000, 28_000)}
END_MS, STEP_MS = 30_000, 200
N_FINISHED = 12
#: Who took part is deleted a year after the study.
DAYS_KEPT = 365


def make(email: str) -> None:
    """Give somebody the study and one that is open and empty; prints the first's id, and the
    other's link."""
    owner = User.objects.get(email=email)
    study, empty = _cats(owner), _walk(owner)
    sys.stdout.write(json.dumps([str(study.pk), empty.link_key]) + "\n")


def _open(owner: User, title: str, question: str, **fields: Any) -> Study:
    day: date = timezone.now().date() + timedelta(days=DAYS_KEPT)
    study = studies.open_study(
        owner,
        title,
        question=question,
        responsible_name="Dr Ada Example",
        delete_on=day,
        **{"languages": ["en"], **fields},
    )
    study.information, study.consent_text = wording.information(study), wording.consent(study)
    study.save()
    return study


def _cats(owner: User) -> Study:
    question = "Do pictures of cats make people smile more than a letter from an office does?"
    study = _open(owner, "Cats and letters", question, n_came=19, n_withdrawn=1)
    alone, together = (studies.condition(study, name) for name in ("alone", "with music"))
    cat = pictures.encode(Image.fromarray(skimage.data.chelsea()), quality=85)
    add = studies.block
    rest = "Please look at the cross and relax your face."
    add(study, Block.Kind.BASELINE, "baseline", seconds=6, text=rest)
    add(study, Block.Kind.IMAGE, "cat", seconds=10, file=cat, media_type="image/jpeg")
    letter = "Dear Sir or Madam, your application has arrived. Please send form 27b as well."
    add(study, Block.Kind.TEXT, "letter", seconds=10, text=letter)
    ends = ["not at all", "very much"]
    add(study, Block.Kind.SCALE, "liked", text="How much did you like the cat?", answers=ends)
    random = np.random.default_rng(1)
    for number in range(1, N_FINISHED + 3):
        _take_part(study, number, (alone, together)[number % 2], random)
    Member.objects.create(study=study, email="grace@example.org", role=Member.Role.EDITOR)
    for label, age in (("A-01", "18–29"), ("A-02", "30–49"), ("A-03", "30–49")):
        studies.personal_link(study, label, age=age)
    return study


def _walk(owner: User) -> Study:
    question = "Does thinking of the sea change what faces look like?"
    study = _open(owner, "A walk by the sea", question, languages=["en", "de"], n_came=0)
    study.information = (
        "You think of the sea and answer a question. It takes two minutes. You need a camera, and "
        "light on your face."
    )
    study.save()
    words = "Think of the last time you were by the sea. What did you see, hear and smell?"
    studies.block(study, Block.Kind.TEXT, "words", text=words)
    ends = ["bad", "good"]
    studies.block(
        study, Block.Kind.SCALE, "mood", text="How do you feel now?", steps=7, answers=ends
    )
    return study


def _take_part(
    study: Study, number: int, condition: Condition, random: np.random.Generator
) -> None:
    """The last but one leaves in the middle, and the last is still there."""
    has_left, is_there = number == N_FINISHED + 1, number == N_FINISHED + 2
    until_ms = 20_000 if has_left or is_there else END_MS
    now = timezone.now()
    began = now - timedelta(minutes=(N_FINISHED + 2 - number) * 17)
    ended = began + timedelta(milliseconds=until_ms)
    recording = Recording.objects.create(started_at=began, ended_at=ended, model_version="vgg16-1")
    face = int(random.integers(110, 190))
    writer = SeriesWriter(recording)
    for time_ms, chances in zip(
        range(0, until_ms, STEP_MS), _probabilities(random, until_ms // STEP_MS), strict=True
    ):
        probabilities = dict(zip(LABELS, (float(value) for value in chances), strict=True))
        label = max(probabilities, key=lambda name: probabilities[name])
        is_unsure = probabilities[label] < 0.5
        place = (240, 120, face, face)
        writer.add([Sample(time_ms, 1, *place, label, is_unsure, probabilities, 0.25, face, 1.0)])
        if random.random() < 0.02 * (number % 3):
            writer.add([])
    writer.save()
    states = Participation.State
    state = states.LEFT if has_left else states.RUNNING if is_there else states.FINISHED
    one = studies.participation(
        study,
        condition=condition,
        state=state,
        recording=recording,
        finished_at=ended if state == states.FINISHED else None,
        attributes={"age": "18–29" if number % 3 else "30–49"},
        camera={
            "face_share": 1.0, "frames_per_second": 5.0, "face_height": float(face),
            "brightness": round(float(random.uniform(0.3, 0.6)), 3),
        },
    )  # fmt: skip
    Participation.objects.filter(pk=one.pk).update(seen_at=ended)
    for block in study.blocks.all():
        start_ms, end_ms = TIMES.get(block.name, (until_ms, until_ms))
        if start_ms < end_ms <= until_ms:
            Visit.objects.create(participation=one, block=block, start_ms=start_ms, end_ms=end_ms)
        elif block.is_question and state == states.FINISHED:
            Answer.objects.create(participation=one, block=block, number=3 + number % 5)


def _probabilities(random: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Of each of the labels over time, (n, 5): a smile at the cat, and less than that after it."""
    seconds = np.arange(n) * STEP_MS / 1000
    latency, strength = random.uniform(0.6, 1.6), random.uniform(0.5, 2.6)
    cat = _rise(seconds - 7 - latency) * np.exp(-np.clip(seconds - 9, 0, None) / 9)
    cat *= seconds < 17.5
    letter = _rise(seconds - 18.5 - latency) * random.uniform(0.2, 1.6)
    surprise = np.exp(-(((seconds - 7.9 - latency / 2) / 0.7) ** 2)) * random.uniform(0.3, 1.8)
    level = np.array([-1.6, -1.5, -2.2, 0.9, -1.7])
    logits = np.tile(level + random.normal(0, 0.15, 5), (n, 1))
    logits[:, 0] += 2 * strength * cat
    logits[:, 1] += letter
    logits[:, 2] += 1.5 * surprise
    noise = random.normal(0, 0.25, (n, 5))
    for index in range(1, n):
        noise[index] += 0.85 * noise[index - 1]
    found = np.exp(logits + noise)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _rise(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-4 * seconds)))
