"""Valid image files with a few bytes changed, as Hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.corpus import FORMATS, small
from tests.support.pictures import encode

WHOLE = {name: encode(small().resize((48, 48)), name) for name in FORMATS}


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A valid file with bytes changed, cut out, doubled or put in."""
    data = bytearray(WHOLE[draw(st.sampled_from(sorted(WHOLE)))])
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        kind = draw(st.sampled_from(("change", "cut", "double", "insert")))
        if kind == "change":
            data[at] = draw(st.integers(0, 255))
        elif kind == "cut" and len(data) > 64:
            del data[at : at + draw(st.integers(1, 16))]
        elif kind == "double":
            data[at:at] = data[at : at + draw(st.integers(1, 64))]
        else:
            data[at:at] = draw(st.binary(min_size=1, max_size=8))
    return bytes(data)
