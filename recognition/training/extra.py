"""More training images than the data set has, such as the corrections of a site's people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.training.dataset import (
    BLANK_BELOW,
    CLASSES,
    NAMED,
    OTHER,
    Dataset,
    Examples,
    Record,
    as_examples,
    fingerprint_of,
    labels_as_votes,
    read_records,
)


def add_extra(data: Dataset, path: Path) -> Dataset:
    """Add images to the train part, and to no other.

    They carry a label but no votes; where the data set has no votes either, the label stands
    for them. What repeats an image of the data set is left out, above all of its validation and
    test parts.

    Args:
        data: the data set, as :func:`load` gives it.
        path: folder or zip archive holding ``train/<label>/*``, as the site's command
            ``export_corrections`` writes it. What is filed under *other* shows some class
            without a word of its own: each as probably as it is frequent in the train part.

    Raises:
        DatasetError: the layout is not the expected one.
    """
    records = read_records(path, frozenset({"train"}))
    known = {
        image.tobytes()
        for part in (data.train, data.validation, data.test)
        for image in part.images
    }
    groups: dict[bytes, list[Record]] = defaultdict(list)
    n_repeated = n_blank = n_other = 0
    for record in records:
        key = record.pixels.tobytes()
        if record.folder not in {*CLASSES["fer2013"], OTHER}:
            n_other += 1
        elif key in known:
            n_repeated += 1
        elif record.pixels.std() < BLANK_BELOW:
            n_blank += 1
        else:
            groups[key].append(record)
    distinct = list(groups.values())
    extra = as_examples(distinct, {})
    for i, group in enumerate(distinct):
        extra.label_targets[i] = _extra_target([record.folder for record in group], data.train)
    if np.array_equal(data.train.vote_targets, labels_as_votes(data.train).vote_targets):
        extra = labels_as_votes(extra)
    train = Examples(
        *(
            np.concatenate([getattr(part, name.name) for part in (data.train, extra)])
            for name in fields(Examples)
        )
    )
    facts = {
        "extra_files": len(records),
        "extra_files_of_other_classes_dropped": n_other,
        "extra_files_repeated_in_data_dropped": n_repeated,
        "extra_files_blank_dropped": n_blank,
        "extra_files_merged_as_repeats": sum(len(group) - 1 for group in groups.values()),
        "extra_images_used": len(extra),
        "train_images_used": len(train),
    }
    return replace(
        data, train=train, facts={**data.facts, **facts}, extra_fingerprint=fingerprint_of(records)
    )


def _extra_target(folders: list[str], train: Examples) -> NDArray[np.float32]:
    """The distribution over FER-2013's classes of an image that is filed under these labels."""
    rest = train.label_targets.sum(axis=0)
    rest[: len(NAMED)] = 0.0
    targets = np.eye(len(rest), dtype=np.float32)
    shares = rest / rest.sum() if rest.any() else np.zeros_like(rest)
    of_folder = dict(zip(CLASSES["fer2013"], targets, strict=True)) | {OTHER: shares}
    mean: NDArray[np.float32] = np.mean([of_folder[folder] for folder in folders], axis=0)
    return mean
