from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from recognition.training.dataset import CLASSES, NAMED, DatasetError, load, read_votes
from recognition.training.extra import add_extra

from .conftest import KaggleFolder, noise

HAPPY, SAD, SURPRISE, NEUTRAL, ANGRY, DISGUST, FEAR, CONTEMPT = range(8)


def load_one_train_image(folder: KaggleFolder, votes: Path | None = None):
    """Load with all of train in the train part."""
    return load(folder.path, votes, validation_share=0.0)


def test_train_images_that_repeat_test_images_are_dropped(folder):
    folder.add("train", "happy", "a.png", noise(1))
    folder.add("train", "happy", "b.png", noise(2))
    folder.add("test", "happy", "c.png", noise(1))
    folder.add("test", "happy", "d.png", noise(3))

    data = load_one_train_image(folder)

    assert len(data.train) == 1
    assert np.array_equal(data.train.images[0], noise(2))
    assert len(data.test) == 2
    assert data.test_repeated_in_train.tolist() == [True, False]
    assert data.facts["train_files_repeated_in_test_dropped"] == 1


def test_repeats_in_train_are_merged_and_share_their_labels(folder):
    folder.add("train", "happy", "a.png", noise(1))
    folder.add("train", "sad", "b.png", noise(1))
    folder.add("test", "happy", "c.png", noise(2))

    data = load_one_train_image(folder)

    assert len(data.train) == 1
    expected = np.zeros(len(CLASSES["fer2013"]))
    expected[[HAPPY, SAD]] = 0.5
    assert data.train.label_targets[0] == pytest.approx(expected)
    assert data.facts["train_files_merged_as_repeats"] == 1


def test_every_class_is_used(folder):
    folder.add("train", "angry", "a.png", noise(1), {"anger": 7, "contempt": 3})
    folder.add("train", "fear", "b.png", noise(2), {"neutral": 9, "fear": 1})
    folder.add("test", "disgust", "c.png", noise(3), {"disgust": 10})

    data = load_one_train_image(folder, folder.write_votes())

    first = next(i for i in range(2) if np.array_equal(data.train.images[i], noise(1)))
    assert data.train.label_targets[first].argmax() == ANGRY
    assert data.train.label_targets[1 - first].argmax() == FEAR
    assert data.train.vote_targets[first, [ANGRY, CONTEMPT]] == pytest.approx([0.7, 0.3])
    assert data.train.vote_targets[1 - first].argmax() == NEUTRAL
    assert data.test.label_targets.argmax() == data.test.vote_targets.argmax() == DISGUST


def test_blank_train_images_are_dropped(folder):
    folder.add("train", "happy", "a.png", np.full((48, 48), 7, np.uint8))
    folder.add("train", "happy", "b.png", noise(1))
    folder.add("test", "happy", "c.png", noise(2))

    data = load_one_train_image(folder)

    assert len(data.train) == 1
    assert data.facts["train_files_blank_dropped"] == 1


@pytest.mark.parametrize(
    ("votes", "target", "majority"),
    [
        ({"happiness": 8, "sadness": 2}, {HAPPY: 0.8, SAD: 0.2}, True),
        ({"happiness": 5, "sadness": 5}, {HAPPY: 0.5, SAD: 0.5}, False),
        ({"happiness": 3, "sadness": 3, "anger": 4}, {HAPPY: 0.3, SAD: 0.3, ANGRY: 0.4}, False),
        ({"happiness": 4, "anger": 6}, {HAPPY: 0.4, ANGRY: 0.6}, True),
        ({"happiness": 4, "unknown": 6}, {}, False),
        ({"happiness": 4, "unknown": 4, "NF": 1, "fear": 1}, {HAPPY: 0.8, FEAR: 0.2}, False),
        (None, {}, False),
    ],
)
def test_votes_become_targets(folder, votes, target, majority):
    folder.add("train", "happy", "a.png", noise(1), votes)
    folder.add("test", "happy", "c.png", noise(2), {"happiness": 10})

    data = load_one_train_image(folder, folder.write_votes())

    expected = np.zeros(len(CLASSES["consensus"]))
    for index, share in target.items():
        expected[index] = share
    assert data.train.vote_targets[0] == pytest.approx(expected)
    assert bool(data.train.vote_majority[0]) is majority


def test_images_of_the_named_labels_are_split_as_they_were_without_the_others(folder, tmp_path):
    """What a model that knew four labels was not trained on stays in validation."""
    alone = KaggleFolder(tmp_path / "alone")
    for i in range(40):
        for one in (folder, alone):
            one.add("train", NAMED[i % 4], f"{i}.png", noise(i), {"happiness": 10})
        folder.add("train", "angry", f"{i}.png", noise(100 + i), {"anger": 10})
    for one in (folder, alone):
        one.add("test", "happy", "c.png", noise(99), {"happiness": 10})

    without, with_others = (
        load(one.path, one.write_votes(), validation_share=0.25).validation.images
        for one in (alone, folder)
    )

    kept = {image.tobytes() for image in without}
    assert len(kept) == 10
    assert len(with_others) == 20
    assert kept < {image.tobytes() for image in with_others}


def test_without_votes_the_labels_stand_for_them(folder):
    folder.add("train", "happy", "a.png", noise(1))
    folder.add("test", "sad", "c.png", noise(2))

    data = load_one_train_image(folder)

    assert np.array_equal(data.train.vote_targets[:, :-1], data.train.label_targets)
    assert not data.train.vote_targets[:, CONTEMPT].any()
    assert data.test.vote_majority.tolist() == [True]


def test_images_that_ferplus_dropped_have_no_votes(folder):
    folder.add("train", "happy", "a.png", noise(1), None)
    folder.add("train", "happy", "b.png", noise(2), {"happiness": 10})

    assert list(read_votes(folder.write_votes())) == [("train", "happy", "b.png")]


def test_split_depends_on_the_seed_alone(folder):
    for i in range(40):
        folder.add("train", NAMED[i % 4], f"{i}.png", noise(i))
    folder.add("test", "happy", "c.png", noise(99))

    first, again, other = (
        load(folder.path, None, validation_share=0.25, seed=s) for s in (0, 0, 1)
    )

    assert (len(first.train), len(first.validation)) == (30, 10)
    assert np.array_equal(first.validation.images, again.validation.images)
    assert not np.array_equal(first.validation.images, other.validation.images)
    assert first.fingerprint == again.fingerprint == other.fingerprint


def test_no_image_is_in_two_parts(folder):
    for i in range(40):
        folder.add("train", NAMED[i % 4], f"{i}.png", noise(i % 20))
    folder.add("test", "happy", "c.png", noise(0))

    data = load(folder.path, None, validation_share=0.3)

    parts = [
        {image.tobytes() for image in p.images} for p in (data.train, data.validation, data.test)
    ]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 20


def test_a_zip_archive_gives_the_same_as_its_folder(folder, tmp_path):
    folder.add("train", "happy", "a.png", noise(1))
    folder.add("test", "sad", "c.png", noise(2))
    archive = tmp_path / "fer.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for image in folder.path.rglob("*.png"):
            file.write(image, image.relative_to(folder.path).as_posix())

    assert load(archive, None).fingerprint == load(folder.path, None).fingerprint


def test_another_layout_is_refused(folder, tmp_path):
    folder.add("train", "happy", "a.png", noise(1))
    with pytest.raises(DatasetError, match="train/<class>"):
        load(folder.path, None)
    with pytest.raises(DatasetError, match="neither a folder nor a zip"):
        load(tmp_path / "missing", None)


def test_another_image_size_is_refused(folder):
    folder.add("train", "happy", "a.png", noise(1, side=32))
    with pytest.raises(DatasetError, match="32×32"):
        load(folder.path, None)


@pytest.fixture
def extra(tmp_path: Path) -> KaggleFolder:
    return KaggleFolder(tmp_path / "extra")


def test_extra_images_join_the_train_part_alone(folder, extra):
    for i in range(20):
        folder.add("train", NAMED[i % 4], f"{i}.png", noise(i))
    folder.add("test", "happy", "t.png", noise(99))
    extra.add("train", "sad", "a.png", noise(200))
    extra.add("test", "sad", "b.png", noise(201))
    before = load(folder.path, None, validation_share=0.25)

    data = add_extra(before, extra.path)

    assert len(data.train) == len(before.train) + 1
    assert np.array_equal(data.train.images[-1], noise(200))
    assert data.train.label_targets[-1].argmax() == SAD
    assert data.train.has_votes[-1]
    assert np.array_equal(data.validation.images, before.validation.images)
    assert np.array_equal(data.test.images, before.test.images)
    assert data.facts["extra_images_used"] == 1
    assert data.facts["train_images_used"] == len(data.train)
    assert data.fingerprint == before.fingerprint
    assert data.extra_fingerprint
    assert not before.extra_fingerprint


def test_extra_images_that_the_data_set_has_are_left_out(folder, extra):
    for i in range(20):
        folder.add("train", NAMED[i % 4], f"{i}.png", noise(i))
    folder.add("test", "happy", "t.png", noise(99))
    for i in (*range(20), 99):
        extra.add("train", "happy", f"{i}.png", noise(i))
    extra.add("train", "happy", "blank.png", np.full((48, 48), 7, np.uint8))
    extra.add("train", "bored", "unknown.png", noise(300))
    extra.add("train", "happy", "new.png", noise(301))
    extra.add("train", "sad", "again.png", noise(301))

    before = load(folder.path, None, validation_share=0.25)
    data = add_extra(before, extra.path)

    assert len(data.train) == len(before.train) + 1
    assert data.train.label_targets[-1][[HAPPY, SAD]] == pytest.approx([0.5, 0.5])
    assert {name: n for name, n in data.facts.items() if name.startswith("extra")} == {
        "extra_files": 25,
        "extra_files_of_other_classes_dropped": 1,
        "extra_files_repeated_in_data_dropped": 21,
        "extra_files_blank_dropped": 1,
        "extra_files_merged_as_repeats": 1,
        "extra_images_used": 1,
    }


def test_extra_images_of_no_word_count_for_the_classes_without_one(folder, extra):
    for i, label in enumerate(["happy", "angry", "angry", "angry", "fear"]):
        folder.add("train", label, f"{i}.png", noise(i))
    folder.add("test", "happy", "t.png", noise(99))
    extra.add("train", "other", "a.png", noise(200))
    extra.add("train", "disgust", "b.png", noise(201))

    data = add_extra(load_one_train_image(folder), extra.path)

    images = [image.tobytes() for image in data.train.images]
    other, disgusted = (
        data.train.label_targets[images.index(noise(i).tobytes())] for i in (200, 201)
    )
    assert other[[ANGRY, FEAR]] == pytest.approx([0.75, 0.25])
    assert disgusted.argmax() == DISGUST


def test_extra_images_have_no_votes_where_others_have(folder, extra):
    folder.add("train", "happy", "a.png", noise(1), {"happiness": 6, "sadness": 4})
    folder.add("test", "happy", "c.png", noise(2), {"happiness": 10})
    extra.add("train", "sad", "a.png", noise(3))

    data = add_extra(load_one_train_image(folder, folder.write_votes()), extra.path)

    assert data.train.has_votes.tolist() == [True, False]
    assert data.train.has_label.tolist() == [True, True]


def test_an_extra_folder_of_another_layout_is_refused(folder, extra, tmp_path):
    folder.add("train", "happy", "a.png", noise(1))
    folder.add("test", "happy", "c.png", noise(2))
    data = load_one_train_image(folder)
    with pytest.raises(DatasetError, match="neither"):
        add_extra(data, tmp_path / "missing")
    extra.path.mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"does not hold train/<class>/…$"):
        add_extra(data, extra.path)


def test_a_table_without_votes_is_refused(folder):
    folder.add("train", "happy", "a.png", noise(1))
    folder.add("test", "happy", "b.png", noise(2))
    with pytest.raises(DatasetError, match="holds no votes"):
        load(folder.path, folder.write_votes())


def test_a_table_of_other_images_is_refused(folder):
    folder.add("train", "happy", "a.png", noise(1), {"happiness": 10})
    folder.add("test", "happy", "b.png", noise(2))
    votes = folder.write_votes()
    votes.write_text(votes.read_text().replace("a.png", "z.png"))
    with pytest.raises(DatasetError, match="no votes for the images"):
        load(folder.path, votes)


def test_a_table_that_lacks_columns_is_refused(folder):
    folder.add("train", "happy", "a.png", noise(1))
    folder.add("test", "happy", "b.png", noise(2))
    folder.votes_path.write_text("split,file,happiness\n")
    with pytest.raises(DatasetError, match=r"lacks the columns anger, .* fer2013_label, neutral"):
        load(folder.path, folder.votes_path)
