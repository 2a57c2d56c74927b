"""What a trained model answers, blended into what is learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from recognition.training.dataset import CLASSES, load
from recognition.training.distillation import answers_of, taught
from recognition.vision.classification import EmotionClassifier, softmax
from recognition.vision.manifest import read_manifest

from .conftest import noise

VOTES = {"happiness": 6, "neutral": 4}


@pytest.fixture(scope="module")
def teacher() -> EmotionClassifier:
    return EmotionClassifier(read_manifest(settings.BASE_DIR / "models/emotion_vgg16.json"))


@pytest.fixture
def data(folder):
    for i in range(16):
        folder.add("train", "happy", f"{i}.png", noise(i), VOTES if i % 2 else None)
    folder.add("test", "sad", "t.png", noise(99), VOTES)
    return load(folder.path, folder.write_votes(), validation_share=0.25)


def test_labels_and_answers_are_blended(data, teacher):
    answers = answers_of(teacher, data.train.images)

    blended = taught(data, teacher, 0.25).train

    expected = 0.75 * data.train.label_targets + 0.25 * answers["fer2013"]
    assert blended.label_targets == pytest.approx(expected, abs=1e-6)
    assert blended.label_targets.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(blended.images, data.train.images)


def test_images_without_votes_stay_without(data, teacher):
    without = ~data.train.has_votes
    assert without.any()
    assert not without.all()

    blended = taught(data, teacher, 0.5).train

    assert np.array_equal(blended.has_votes, data.train.has_votes)


def test_what_is_chosen_and_measured_on_keeps_what_people_said(data, teacher):
    after = taught(data, teacher, 1.0)

    for part in ("validation", "test"):
        before, now = getattr(data, part), getattr(after, part)
        assert np.array_equal(now.label_targets, before.label_targets)
        assert np.array_equal(now.vote_targets, before.vote_targets)


def test_the_answer_is_that_to_many_frames(data, teacher):
    """It is a distribution, the same each time, and not the answer to the image alone."""
    answers = answers_of(teacher, data.train.images)
    again = answers_of(teacher, data.train.images)
    alone = teacher.logits(data.train.images)

    for head, classes in CLASSES.items():
        assert answers[head].shape == (len(data.train), len(classes))
        assert answers[head].sum(axis=1) == pytest.approx(1.0, abs=1e-5)
        assert np.array_equal(answers[head], again[head])
        temperature = teacher.manifest.heads[head].temperature
        assert not np.allclose(answers[head], softmax(alone[head], temperature), atol=0.01)


def test_a_teacher_of_other_classes_is_refused(data, teacher):
    other = EmotionClassifier(teacher.manifest)
    head = teacher.manifest.heads["fer2013"]
    fewer = replace(head, classes=dict(list(head.classes.items())[:4]))
    other.manifest = replace(teacher.manifest, heads={**teacher.manifest.heads, "fer2013": fewer})

    with pytest.raises(ValueError, match="does not know"):
        taught(data, other, 0.5)


def test_shares_and_manifests_that_cannot_be_are_told(data, folder, teacher, tmp_path):
    with pytest.raises(ValueError, match="between 0 and 1"):
        taught(data, teacher, 1.5)
    with pytest.raises(CommandError, match="does not exist"):
        call_command("train_model", data=folder.path, teacher=tmp_path / "none.json")
