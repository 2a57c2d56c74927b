"""The sentences of docs/COMPARISON.md."""

from __future__ import annotations

COMPOSED = (
    "Upright, turned and empty pictures are those of `benchmarks/detection_set.py`: one portrait "
    "in many sizes, cuts, lights and blurs, alone and in groups of eight. Visage's detection was "
    "developed with them, so they flatter it; neither peer claims to find turned faces. Most of "
    "what Visage misses here are small faces in groups: 44 to 61 pixels in a picture of 1,600, "
    "pasted onto a texture."
)
PHOTOS_FOUND = (
    " The photos show one face each, and many are cut so tight that the face fills the picture. "
    "Visage's thresholds were chosen on them, too."
)
FACES = (
    "FER-2013's test part in the four classes that all three know, each picture given as the face "
    "that it is. A label is right if it is the most probable of *all* the labels that the program "
    "has: seven for the peers, five for Visage, whose *other* is wrong here. All three were "
    "trained on FER-2013's train part; what the peers' authors did with its test part is unknown "
    "to us."
)
PHOTOS_LABELLED = (
    "On the photos the largest face counts, and one that is not found is wrong. One student "
    "labelled them: expect 15 to 25 % of wrong labels, and read the differences between programs "
    "rather than the figures."
)
COSTS = (
    "Milliseconds and seconds are the processor's. The first call is everything from the start of "
    "Python to the first answer, with the files in the disk's cache; memory is the largest "
    "resident size of the process. Installed is what a program brings with all that it needs, "
    "packages for graphics cards left out; for Visage that is the whole site, with its web server, "
    "queue and database clients. Builds of TensorFlow or PyTorch for processors alone are smaller."
)
REPEAT = """\
## Repeat it

Needed are the peers, each in a virtual environment of its own outside this repository, and the \
data, which is not ours to give: FER-2013 in the folder layout of its best-known Kaggle edition, \
and photos as `<class>/<name>.jpg`.

    python3 -m venv ../fer && ../fer/bin/pip install fer tensorflow "setuptools<81" "moviepy<2"
    python3 -m venv ../deepface && ../deepface/bin/pip install deepface tf-keras
    make compare FER=../fer/bin/python DEEPFACE=../deepface/bin/python \\
        ARGS="--faces fer2013.zip --photos photos.zip"

Without the data, faces found, false faces and costs are compared all the same, and a peer that \
is not there is named as missing. deepface fetches its weights from the internet at the first \
use. `--limit 500` in `ARGS` takes so many pictures of each part, always the same ones. The \
command writes `docs/figures/comparison.json` and this page.
"""
