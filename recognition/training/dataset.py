"""FER-2013 in its Kaggle layout, with FER+ votes, as arrays.

The data set is research material with known faults: train images that repeat test images,
train images that repeat each other under different labels, and labels that ten taggers
(FER+) often contradict. Loading removes the first two and keeps both sources of labels.

Sources: Goodfellow et al. 2013, "Challenges in Representation Learning"; Barsoum et al. 2016,
"Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution".
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: The classes of each source of labels, in the order of the outputs of the head that learns them:
#: those of FER-2013 are its folders, those of the taggers the columns of FER+.
CLASSES = {
    "fer2013": ("happy", "sad", "surprise", "neutral", "angry", "disgust", "fear"),
    "consensus": (
        "happiness", "sadness", "surprise", "neutral", "anger", "disgust", "fear", "contempt",
    ),
}  # fmt: skip
#: What people are shown, in the order of its probabilities.
LABELS = ("happy", "sad", "surprise", "neutral", "other")
#: The label of what has no word of its own.
OTHER = "other"
#: The first classes of either source mean these labels; all the rest are :data:`OTHER`.
NAMED = LABELS[:-1]
IMAGE_SIZE = 48

#: Standard deviation of the grey levels below which an image shows nothing.
BLANK_BELOW = 2.0

#: The columns that say which image the votes are of.
KEY_COLUMNS = ("split", "fer2013_label", "file")
#: Taggers an image had in FER+.
TAGGERS = 10
#: An image counts as labelled by consensus when one class has more than this many votes.
MAJORITY_VOTES = 5

SPLITS = frozenset({"train", "test"})

Votes = dict[tuple[str, str, str], NDArray[np.float32]]


class DatasetError(ValueError):
    """The folder, archive or table given is not in the expected layout."""


@dataclass(frozen=True)
class Examples:
    """Face crops with the labels of both sources.

    Attributes:
        images: uint8 ``(n, 48, 48)``.
        label_targets: float32 ``(n, 7)``, distribution over the classes of FER-2013 by its own
            labels.
        vote_targets: float32 ``(n, 8)``, distribution over FER+'s classes of the taggers' votes;
            all zeros where fewer than half of them chose any.
        vote_majority: bool ``(n,)``, one class has more than half of all votes.
    """

    images: NDArray[np.uint8]
    label_targets: NDArray[np.float32]
    vote_targets: NDArray[np.float32]
    vote_majority: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.images)

    @property
    def targets(self) -> dict[str, NDArray[np.float32]]:
        """What each head learns: float32 ``(n, number of its classes)``, zeros where nothing."""
        return {"fer2013": self.label_targets, "consensus": self.vote_targets}

    @property
    def has_label(self) -> NDArray[np.bool_]:
        return self.label_targets.sum(axis=1) > 0

    @property
    def has_votes(self) -> NDArray[np.bool_]:
        return self.vote_targets.sum(axis=1) > 0

    def take(self, indices: NDArray[np.intp] | NDArray[np.bool_]) -> Examples:
        """The chosen examples, in the given order."""
        return Examples(
            self.images[indices],
            self.label_targets[indices],
            self.vote_targets[indices],
            self.vote_majority[indices],
        )


@dataclass(frozen=True)
class Dataset:
    """The three parts used, and what was left out.

    Attributes:
        train: for fitting.
        validation: taken from the data set's train part; every choice is made on it.
        test: the data set's test part, untouched, every image in its place.
        test_repeated_in_train: bool ``(len(test),)``; these pixels also stood in train (from
            which they were removed).
        facts: counts of what was read, dropped and merged.
        fingerprint: SHA-256 over all file names and pixels, in hexadecimal.
        extra_fingerprint: the same of the extra training images; empty without any.
    """

    train: Examples
    validation: Examples
    test: Examples
    test_repeated_in_train: NDArray[np.bool_]
    facts: dict[str, int]
    fingerprint: str
    extra_fingerprint: str = ""


@dataclass(frozen=True)
class Record:
    """One file as read: where it stands and its pixels."""

    split: str
    folder: str
    name: str
    pixels: NDArray[np.uint8]


def image_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield ``(path inside the data set, bytes)`` of every image, in the order of the paths."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in {".jpg", ".jpeg", ".png"}:
                yield file.relative_to(path).as_posix(), file.read_bytes()
    elif path.is_file() and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.lower().endswith((".jpg", ".jpeg", ".png")):
                    yield name, archive.read(name)
    else:
        raise DatasetError(f"{path} is neither a folder nor a zip archive")


def read_records(path: Path, splits: frozenset[str] = SPLITS) -> list[Record]:
    records = []
    for name, data in image_files(path):
        parts = Path(name).parts
        if len(parts) < 3 or parts[-3] not in splits:
            continue
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image.convert("L"), dtype=np.uint8)
        if pixels.shape != (IMAGE_SIZE, IMAGE_SIZE):
            raise DatasetError(f"{name} is {pixels.shape[1]}×{pixels.shape[0]}, not 48×48")
        records.append(Record(parts[-3], parts[-2], parts[-1], pixels))
    if {record.split for record in records} != splits:
        wanted = " and ".join(f"{split}/<class>/…" for split in sorted(splits, reverse=True))
        raise DatasetError(f"{path} does not hold {wanted}")
    return records


def fingerprint_of(records: list[Record]) -> str:
    digest = hashlib.sha256()
    for record in records:
        digest.update(f"{record.split}/{record.folder}/{record.name}".encode())
        digest.update(record.pixels.tobytes())
    return digest.hexdigest()


def read_votes(path: Path) -> Votes:
    """Read the FER+ table: votes for each class by ``(split, folder, file)``.

    Images that FER+ dropped (empty columns) are left out.

    Raises:
        DatasetError: the table lacks a column, or holds no votes at all.
    """
    votes: Votes = {}
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        missing = {*KEY_COLUMNS, *CLASSES["consensus"]} - set(reader.fieldnames or ())
        if missing:
            raise DatasetError(f"{path} lacks the columns {', '.join(sorted(missing))}")
        for row in reader:
            if row[CLASSES["consensus"][0]]:
                split, folder, name = (row[column] for column in KEY_COLUMNS)
                votes[split, folder, name] = np.array(
                    [int(row[column]) for column in CLASSES["consensus"]], dtype=np.float32
                )
    if not votes:
        raise DatasetError(f"{path} holds no votes")
    return votes


def as_examples(groups: list[list[Record]], votes: Votes) -> Examples:
    """One example per group of files with the same pixels."""
    n = len(groups)
    images = np.zeros((n, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    label_targets = np.zeros((n, len(CLASSES["fer2013"])), np.float32)
    vote_targets = np.zeros((n, len(CLASSES["consensus"])), np.float32)
    majority = np.zeros(n, np.bool_)
    for i, group in enumerate(groups):
        images[i] = group[0].pixels
        folders = [record.folder for record in group]
        if all(folder in CLASSES["fer2013"] for folder in folders):
            for folder in folders:
                label_targets[i, CLASSES["fer2013"].index(folder)] += 1.0 / len(folders)
        counts = _mean_votes(group, votes)
        majority[i] = counts.max() > MAJORITY_VOTES
        if counts.sum() >= TAGGERS / 2:
            vote_targets[i] = counts / counts.sum()
    return Examples(images, label_targets, vote_targets, majority)


def _mean_votes(group: list[Record], votes: Votes) -> NDArray[np.float32]:
    """Votes for each class, averaged over the files that have any; zeros where none has."""
    found = [
        votes[key]
        for record in group
        if (key := (record.split, record.folder, record.name)) in votes
    ]
    if not found:
        return np.zeros(len(CLASSES["consensus"]), np.float32)
    return np.mean(found, axis=0, dtype=np.float32)


def _shows_named(group: list[Record], votes: Votes) -> bool:
    """Whether either source gives the image a label that has a word of its own."""
    if all(record.folder in NAMED for record in group):
        return True
    return bool(_mean_votes(group, votes)[: len(NAMED)].sum() >= TAGGERS / 2)


def _parts(
    named: NDArray[np.bool_], share: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Shuffle images and split off validation: indices of train and of validation.

    Images of the named labels are split on their own and first, as they were when models knew no
    others: what no such model was trained on stays out of training.
    """
    rng = np.random.default_rng(seed)
    train, validation = [], []
    for indices in (np.flatnonzero(named), np.flatnonzero(~named)):
        shuffled = indices[rng.permutation(len(indices))]
        n_validation = round(len(indices) * share)
        validation.append(shuffled[:n_validation])
        train.append(shuffled[n_validation:])
    return rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(validation))


def labels_as_votes(examples: Examples) -> Examples:
    """Where there are no taggers' votes, the data set's labels stand for them."""
    missing = len(CLASSES["consensus"]) - len(CLASSES["fer2013"])
    return replace(
        examples,
        vote_targets=np.pad(examples.label_targets, ((0, 0), (0, missing))),
        vote_majority=examples.has_label,
    )


def load(
    path: Path, votes_path: Path | None, *, validation_share: float = 0.1, seed: int = 0
) -> Dataset:
    """Read the data set, drop what train shares with test, merge repeats, split off validation.

    Args:
        path: folder or zip archive holding ``train/<class>/*`` and ``test/<class>/*``.
        votes_path: the FER+ table; without it the taggers' votes are the data set's labels.
        validation_share: share of the distinct train images kept for validation.
        seed: decides which.

    Raises:
        DatasetError: the layout is not the expected one, or the table holds no votes for it.
    """
    records = read_records(path)
    votes = read_votes(votes_path) if votes_path else {}
    keys = {(record.split, record.folder, record.name) for record in records}
    if votes_path and not keys & votes.keys():
        raise DatasetError(f"{votes_path} holds no votes for the images in {path}")
    test_records = [record for record in records if record.split == "test"]
    test_pixels = {record.pixels.tobytes() for record in test_records}
    groups: dict[bytes, list[Record]] = defaultdict(list)
    train_pixels = set()
    n_dropped = n_blank = 0
    for record in records:
        if record.split != "train":
            continue
        key = record.pixels.tobytes()
        train_pixels.add(key)
        if key in test_pixels:
            n_dropped += 1
        elif record.pixels.std() < BLANK_BELOW:
            n_blank += 1
        else:
            groups[key].append(record)

    distinct = list(groups.values())
    pool = as_examples(distinct, votes)
    test = as_examples([[record] for record in test_records], votes)
    if not votes:
        pool, test = labels_as_votes(pool), labels_as_votes(test)
    usable = pool.has_label | pool.has_votes
    pool = pool.take(usable)
    named = np.array([_shows_named(group, votes) for group in distinct])[usable]
    train, validation = _parts(named, validation_share, seed)
    repeated = np.array([record.pixels.tobytes() in train_pixels for record in test_records])
    return Dataset(
        train=pool.take(train),
        validation=pool.take(validation),
        test=test,
        test_repeated_in_train=repeated,
        facts={
            "files": len(records),
            "train_files_repeated_in_test_dropped": n_dropped,
            "train_files_blank_dropped": n_blank,
            "train_files_merged_as_repeats": sum(len(group) - 1 for group in groups.values()),
            "train_images_used": len(train),
            "validation_images_used": len(validation),
        },
        fingerprint=fingerprint_of(records),
    )
