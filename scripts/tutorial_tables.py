"""How long the tutorial of docs/STUDIES.md takes, from what `make bench-tutorial` wrote."""

from __future__ import annotations

from typing import Any


def tutorial(content: dict[str, Any]) -> list[str]:
    """The sum on a laptop and on a phone, and of what it is one."""
    sums = [row for row in content["figures"] if row["wanted"]]
    laptop, phone = (row["values"] for row in sums)
    about = content["machine"]
    return [
        "From the sign-up form on, for somebody who has never seen the site and reads every word "
        f"of these steps and of the pages: **{_minutes(laptop)} on a laptop**, {_minutes(phone)} "
        f"on a phone. On the laptop that is {laptop['words']:,.0f} words at 238 a minute, "
        f"{laptop['characters']:.0f} characters typed at 40 words a minute, "
        f"{laptop['targets']:.0f} things pressed or looked at in 1.2 s each, 10 s to find a "
        f"picture, and {laptop['page_seconds']:.0f} s for the pages, measured in a browser that "
        f"does all of this (`make bench-tutorial`; {about['cores']} cores, {about['processor']}, "
        f"a load of {about['load_before']} before it)."
    ]


TABLES = {"tutorial": tutorial}


def _minutes(values: dict[str, float]) -> str:
    return f"{int(values['seconds']) // 60} min {int(values['seconds']) % 60} s"
