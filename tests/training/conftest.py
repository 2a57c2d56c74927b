"""A tiny data set in the Kaggle layout, made of generated patterns."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

VOTE_FIELDS = [
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
    "unknown", "NF",
]  # fmt: skip


class KaggleFolder:
    """Writes images and votes where the loader looks for them."""

    def __init__(self, root: Path) -> None:
        self.path = root / "fer"
        self.votes_path = root / "votes.csv"
        self._rows: list[dict[str, object]] = []

    def add(
        self,
        split: str,
        label: str,
        name: str,
        image: NDArray[np.uint8],
        votes: dict[str, int] | None = None,
    ) -> None:
        """Save `image`; PNG, so that its pixels come back as they are.

        Args:
            votes: by column; None writes a row with empty columns, as for "not a face".
        """
        file = self.path / split / label / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
        counts = {field: "" if votes is None else votes.get(field, 0) for field in VOTE_FIELDS}
        self._rows.append({"split": split, "fer2013_label": label, "file": name, **counts})

    def write_votes(self) -> Path:
        with self.votes_path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["split", "fer2013_label", "file", *VOTE_FIELDS])
            writer.writeheader()
            writer.writerows(self._rows)
        return self.votes_path


@pytest.fixture
def folder(tmp_path: Path) -> KaggleFolder:
    return KaggleFolder(tmp_path)


def noise(seed: int, side: int = 48) -> NDArray[np.uint8]:
    """A grey image that no other seed gives."""
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
