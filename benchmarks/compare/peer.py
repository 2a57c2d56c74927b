"""Look at pictures with one program, and tell what it saw and what it cost.

Run by the Python in which that program is installed, so nothing but the standard library is
imported before it: ``PYTHON peer.py NAME BEGAN < jobs.jsonl > seen.jsonl``. Each line in is
``{"path": …, "is_face": …}``; `is_face` says that the picture is the crop of a face, in which none
has to be found. The first picture only warms up. Each line out has the faces (box and label) and
the milliseconds of processor time and of the clock; the last one has versions and memory.
"""

import contextlib
import json
import os
import re
import resource
import sys
import time
from importlib import metadata
from pathlib import Path

#: Name on the command line to the distributions whose versions are told; the first one is
#: what people install.
ABOUT = {
    "visage": ["visage", "ai-edge-litert", "opencv-python-headless"],
    "fer": ["fer", "tensorflow", "opencv-contrib-python", "opencv-python"],
    "fer-mtcnn": ["fer", "tensorflow", "facenet-pytorch", "torch"],
    "deepface-opencv": ["deepface", "tensorflow", "opencv-python"],
    "deepface-mtcnn": ["deepface", "tensorflow", "mtcnn"],
    "deepface-retinaface": ["deepface", "tensorflow", "retina-face"],
}
ROOT = Path(__file__).resolve().parents[2]


class Missing(Exception):
    """The program cannot do it here; the message says why."""


class Visage:
    """The recogniser of this repository, with one thread."""

    def __init__(self, _detector: str) -> None:
        sys.path.insert(0, str(ROOT))
        import cv2

        from recognition.vision.recognizer import EmotionRecognizer

        cv2.setNumThreads(1)
        self.recognizer = EmotionRecognizer(ROOT / "models" / "emotion_vgg16.json", num_threads=1)

    def photo(self, path: str) -> list:
        seen = self.recognizer.recognize(Path(path).read_bytes())
        return [
            ([face.box.x, face.box.y, face.box.width, face.box.height], face.label)
            for face in seen.faces
        ]

    def face(self, path: str) -> str:
        from recognition.vision.images import decode_gray

        image_gray, _size = decode_gray(Path(path).read_bytes())
        classifier = self.recognizer.classifier
        (row,) = classifier.classify(image_gray[None])
        return str(self.recognizer.manifest.labels[int(row.argmax())])


class Fer:
    """`fer` with the Haar cascade of its default, or with MTCNN."""

    def __init__(self, detector: str) -> None:
        if detector == "mtcnn":
            # Loaded after TensorFlow, which fer imports first, PyTorch's library crashes.
            import torchvision  # noqa: F401 (only whether it is there)
        import cv2
        from fer.fer import FER

        cv2.setNumThreads(1)
        self.read = cv2.imread
        self.program = FER(mtcnn=detector == "mtcnn")

    def photo(self, path: str) -> list:
        faces = self.program.detect_emotions(self.read(path))
        return [([int(v) for v in face["box"]], _largest(face["emotions"])) for face in faces]

    def face(self, path: str) -> str:
        image = self.read(path)
        height, width = image.shape[:2]
        faces = self.program.detect_emotions(image, face_rectangles=[(0, 0, width, height)])
        return _largest(faces[0]["emotions"])


class DeepFace:
    """`deepface` with one of its detectors.

    Where its weights for expressions cannot be had, it runs with random ones: they cost the same,
    and its labels are not told.
    """

    def __init__(self, detector: str) -> None:
        # The engine that it began with; its others have weights of their own.
        os.environ.setdefault("DEEPFACE_BACKEND_ENGINE", "tensorflow")
        from deepface import DeepFace
        from deepface.commons import weight_utils

        self.program, self.detector, self.has_weights = DeepFace, detector, True
        try:
            # Fetched at the first use.
            DeepFace.build_model("Emotion", "facial_attribute")
        except Exception:
            self.has_weights = False
            weight_utils.download_weights_if_necessary = lambda *_given, **_named: ""
            weight_utils.load_model_weights = lambda model, *_given, **_named: model

    def photo(self, path: str) -> list:
        try:
            faces = self._analyze(path, self.detector)
        except ValueError as error:  # What it raises where it finds none.
            if "Face could not be detected" not in str(error):
                raise
            return []
        return [(_box(face["region"]), self._label(face)) for face in faces]

    def face(self, path: str) -> "str | None":
        return self._label(self._analyze(path, "skip")[0])

    def _analyze(self, path: str, detector: str) -> list:
        return self.program.analyze(
            path, actions=["emotion"], detector_backend=detector, silent=True
        )

    def _label(self, face: dict) -> "str | None":
        return str(face["dominant_emotion"]) if self.has_weights else None


PROGRAMS = {"visage": Visage, "fer": Fer, "deepface": DeepFace}


def _largest(scores: dict) -> str:
    return str(max(scores, key=scores.__getitem__))


def _box(area: dict) -> list:
    return [int(area[key]) for key in ("x", "y", "w", "h")]


def one_core() -> None:
    """Pin this process to one core where the system can, and ask for one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for name in ("OMP", "OPENBLAS", "MKL", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ[f"{name}_NUM_THREADS" if "TF" not in name else f"{name}_THREADS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


def versions(name: str) -> dict:
    found = {}
    for distribution in ABOUT[name]:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[distribution] = metadata.version(distribution)
    if name == "visage":
        text = (ROOT / "pyproject.toml").read_text()
        found["visage"] = re.search(r'version = "(.+?)"', text).group(1)  # type: ignore[union-attr]
    return {"python": ".".join(map(str, sys.version_info[:3])), **dict(sorted(found.items()))}


def look(name: str, began: float) -> None:
    one_core()
    # What programs print on the way shall not stand between the lines.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    family, _, detector = name.partition("-")
    try:
        program = PROGRAMS[family](detector)
    except ImportError as error:
        raise Missing(f"{error.name} is not installed") from None
    first: dict = {}
    for line in sys.stdin:
        job = json.loads(line)
        processor, wall = time.process_time(), time.perf_counter()
        if job["is_face"]:
            faces = [(None, program.face(job["path"]))]
        else:
            faces = program.photo(job["path"])
        if not first:
            first = {"core_seconds": time.process_time(), "seconds": time.time() - began}
            continue
        cost = {
            "core_ms": (time.process_time() - processor) * 1000,
            "ms": (time.perf_counter() - wall) * 1000,
        }
        print(json.dumps({"faces": faces, **cost}), file=out, flush=True)
    unit = 1 if sys.platform == "darwin" else 1024
    about = {
        "versions": versions(name),
        "labels": getattr(program, "has_weights", True),
        "first_call": first,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6,
    }
    print(json.dumps({"about": about}), file=out, flush=True)


if __name__ == "__main__":
    try:
        look(sys.argv[1], float(sys.argv[2]))
    except Missing as error:
        sys.exit(f"NOT COMPARED: {error}")
