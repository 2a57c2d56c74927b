"""Photos a second, from what `make bench` wrote."""

from __future__ import annotations

from typing import Any


def photos(content: dict[str, Any]) -> list[str]:
    """The machine as a sentence, and each way with its share of the bare loop's."""
    about = content["machine"]
    return [
        f"Measured on: {about['processor']}, {about['cores']} cores, load before it "
        f"{about['load_before']}, Python {about['python']}.",
        "",
        "| | photos/s | of the loop |",
        "| --- | ---: | ---: |",
        *(
            f"| {name} | {row['photos/s']:.1f} | {row['of the loop']:.2f} |"
            for name, row in content["figures"].items()
        ),
    ]


TABLES = {"rates": photos}
