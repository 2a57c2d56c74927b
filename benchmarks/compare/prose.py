"""The sentences of docs/COMPARISON.md."""

from __future__ import annotations

COMPOSED = (
    "Upright, turned and empty pictures are those of `benchmarks/detection_set.py`: one portrait "
    "in many sizes, cuts, lights and blurs, alone and in groups of eight. Visage's detection was "
    "developed with them, so they flatter it. A face is found where a box and its own have an "
    "intersection over union of at least 0.3."
)
PHOTOS_FOUND = (
    " On the photos any box counts as found, also a false one, which helps who has more of those. "
    "They show one face each, and many are cut so tight that the face fills the picture. "
    "Visage's thresholds were chosen on them, too."
)
FACES = (
    "FER-2013's test part in the four classes that all of them know, each picture given as the "
    "face that it is. A label is right if it is the most probable of *all* the labels that the "
    "program has: seven for the peers, five for Visage, whose *other* is wrong here. Visage was "
    "trained on FER-2013's train part; what the peers were trained on is for their authors to "
    "say."
)
PHOTOS_LABELLED = (
    "On the photos the largest face counts, and one that is not found is wrong. One student "
    "labelled them: expect 15 to 25 % of wrong labels, and read the differences between programs "
    "rather than the figures."
)
COSTS = (
    "Milliseconds and seconds are the processor's. The first call is everything from the start of "
    "Python to the first answer, with the files in the disk's cache; memory is the largest "
    "resident size of the process."
)
REPEAT = """\
## Repeat it

Needed are the peers, each in a virtual environment of its own outside this repository, and the \
data, which is not ours to give: FER-2013 in the folder layout of its best-known Kaggle edition, \
and photos as `<class>/<name>.jpg`.

<!-- block: network -->

    python3 -m venv ../fer && ../fer/bin/pip install fer tensorflow "setuptools<81" "moviepy<2"
    python3 -m venv ../deepface
    ../deepface/bin/pip install deepface tf-keras mtcnn flask "opencv-python<5"
    make compare FER=../fer/bin/python DEEPFACE=../deepface/bin/python \\
        ARGS="--faces fer2013.zip --photos photos.zip"

Without the data, faces found, false faces and costs are compared all the same, and a peer that \
is not there is named as missing. deepface fetches its weights from the internet at the first \
use. `--limit 500` in `ARGS` takes so many pictures of each part, always the same ones. The \
command writes `docs/figures/comparison.json` and this page.
"""
