"""Files of stimuli as the archive has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.core.files.storage import default_storage

from studies.models import Block
from studies.planning.media import ENDINGS

FOLDER = "stimuli/"
#: Bytes that are read of a file at once.
PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Stimulus:
    """What one block showed."""

    block: Block

    @property
    def path(self) -> str:
        """In the archive: by the block's name, which is unique within the study."""
        return f"{FOLDER}{self.block.name}.{ENDINGS.get(self.block.media_type, 'bin')}"

    @property
    def row(self) -> tuple[str, str, str, int]:
        """As the codebook lists it: path, name of the block, its kind, bytes."""
        return self.path, self.block.name, self.block.kind, self.block.stored_bytes

    def pieces(self) -> Iterator[bytes]:
        """The file, read as it is asked for.

        Raises:
            FileNotFoundError: the study was deleted meanwhile.
        """
        with default_storage.open(str(self.block.file)) as file:
            yield from file.chunks(PIECE)


def of(blocks: Iterable[Block]) -> list[Stimulus]:
    """Those that are in storage, in the order of the blocks."""
    with_file = (block for block in blocks if block.file)
    return [Stimulus(one) for one in with_file if default_storage.exists(str(one.file))]
