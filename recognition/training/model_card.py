"""The model card: what the manifest says, in words for people who decide about its use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SOURCE_NAMES = {"fer2013": "FER-2013 labels", "ferplus": "FER+ majority"}

_INTRODUCTION = """\
# Model card: {version}

Given a cropped face, this network estimates which of {n_labels} **apparent expressions** it shows:
{labels}. It reads how a face looks in one picture. It does not
know what a person feels, thinks or intends.

Generated from the manifest by `manage.py train_model` and `evaluate_model`; do not edit it.
"""

_DATA = """\
## Data

- **FER-2013** (Goodfellow et al. 2013, "Challenges in Representation Learning"): grey faces of
  48×48 pixels, gathered by web search. Its Kaggle edition states the Open Database licence and
  Database Contents licence. The pictures show real people who were not asked; treat the data, and
  with it this model, as **research-only** unless your own legal advice says otherwise.
"""

_VOTES = """\
- **FER+** (Barsoum et al. 2016, "Training Deep Networks for Facial Expression Recognition with
  Crowd-Sourced Label Distribution", MIT licence): ten taggers' votes for each of these images.
  "FER+ majority" means images on which more than half of all votes went to one of the labels.
"""

_IMAGENET = """\
- The convolutions start from **VGG16 weights trained on ImageNet** (Simonyan and Zisserman 2014;
  weights released by the authors under CC BY 4.0).
"""

_LIMITS = """\
## Limits, and for whom it fails

- **Only {n_labels} labels.** An angry, disgusted, afraid or contemptuous face, or one with no clear
  expression, is still given one of them, sometimes with high confidence.
- **The labels are opinions.** They tell what strangers saw in a small grey picture, without
  context. Where they disagree, no model can be right by all of them.
- **Groups of people are not measured.** The data names neither age, gender, skin tone, culture nor
  disability, so how errors fall on groups is unknown. Web searches show some people and posed
  expressions far more often than others. Expect more errors on people whom they seldom show, and
  do not take the averages above as a promise for anyone.
- **Faces that move or look otherwise** (facial palsy, Parkinson's disease, scars, autistic or
  culturally different ways of expression) are judged by a norm that may not fit. Not measured.
- **Pictures.** Expect more errors on faces that are turned, tilted, blurred, very small or partly
  hidden by masks, hands, glasses or hair. Not measured either: the figures are of crops as the
  data set made them. The site's own face detector frames faces differently, misses some, and now
  and then finds one where there is none.
- **Probabilities are calibrated on data like the training data.** On other pictures they can be
  too sure.
"""

_USE = """\
## Use

Meant for: demonstrations, teaching, research on expression recognition, and sorting one's own
photos, with a person who looks at the result and can correct it.

Must not be used:

- to judge what people feel, their honesty, health, character, performance or intentions;
- to decide about anybody: work, school, credit, insurance, migration, policing, medical care;
- at work or in education to infer emotions of staff, applicants, pupils or students (in the
  European Union, Article 5(1)(f) of Regulation (EU) 2024/1689 prohibits this save for medical
  or safety reasons);
- to watch people who do not know of it or have not agreed to it.
"""


def figures_of(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The test figures if the manifest has them, else those of validation."""
    figures: Mapping[str, Any] = content.get("evaluation") or content["validation"]
    return figures


def card(content: Mapping[str, Any], plots: Sequence[str] = ()) -> str:
    """The model card in Markdown.

    Args:
        content: the manifest.
        plots: paths of images, relative to the card.
    """
    n_labels = len(content["labels"])
    sections = [
        _INTRODUCTION.format(
            version=content["version"], n_labels=n_labels, labels=", ".join(content["labels"])
        ),
        _data(content),
        _method(content),
        *_figures(content),
        _LIMITS.format(n_labels=n_labels),
        _USE,
    ]
    if plots:
        sections.append("## Plots\n\n" + "\n".join(f"![{_alt(plot)}]({plot})" for plot in plots))
    return "\n".join(section.rstrip() + "\n" for section in sections)


def _extra(facts: Mapping[str, int]) -> str:
    """A row on images from elsewhere, where there are any."""
    if "extra_images_used" not in facts:
        return ""
    return f"| of these, from corrections on a site | {facts['extra_images_used']:,} |\n"


def _data(content: Mapping[str, Any]) -> str:
    data = content["training"]["data"]
    facts = data["facts"]
    text = _DATA
    if "ferplus" in data["classes"]["train"]:
        text += _VOTES
    if content["training"]["settings"]["initial_weights"] == "imagenet":
        text += _IMAGENET
    text += f"""
| | |
| --- | ---: |
| files | {facts["files"]:,} |
| train files dropped because they repeat a test image | \
{facts["train_files_repeated_in_test_dropped"]:,} |
| train files dropped because they are blank | {facts["train_files_blank_dropped"]:,} |
| train files merged with others of the same pixels | \
{facts["train_files_merged_as_repeats"]:,} |
| images trained on | {facts["train_images_used"]:,} |
{_extra(facts)}\
| images kept for validation, on which every choice was made | \
{facts["validation_images_used"]:,} |

Fingerprint of files and pixels: `{data["fingerprint"][:16]}…`. Images of each label:

"""
    rows = [
        [part, SOURCE_NAMES[source], *(f"{n:,}" for n in counts.values())]
        for part, sources in data["classes"].items()
        for source, counts in sources.items()
    ]
    return text + _table(["part", "labelled by", *content["labels"]], rows)


def _method(content: Mapping[str, Any]) -> str:
    settings, artefact = content["training"]["settings"], content["artefact"]
    cycles = "; then ".join(
        ", ".join(
            f"{stage['epochs']} at {stage['image_size']}×{stage['image_size']}"
            for stage in cycle["stages"]
        )
        + f" (peak learning rate {cycle['learning_rate']})"
        for cycle in settings["cycles"]
    )
    start = {None: "random weights", "imagenet": "ImageNet weights"}.get(
        settings["initial_weights"], f"the weights of `{settings['initial_weights']}`"
    )
    temperatures = ", ".join(
        f"{head} {value['temperature']:.2f}" for head, value in content["heads"].items()
    )
    heads = content["shown"]["heads"]
    shown = f"probabilities of head {heads[0]}"
    if len(heads) > 1:
        shown = f"mean probabilities of the heads {' and '.join(heads)}"
    mirrored = ", averaged over the crop and its mirror image" if content["shown"]["mirror"] else ""
    agreement = min(artefact["agreement_with_float"].values())
    versions = ", ".join(f"{k} {v}" for k, v in content["training"]["versions"].items())
    return f"""\
## Method

The 13 convolutions of VGG16 (Simonyan and Zisserman 2014) for one grey channel, with batch
normalisation, global average pooling, and two heads: `fer2013` learns the data set's labels,
`consensus` the taggers' votes. The input is a crop of \
{content["input"]["size"]}×{content["input"]["size"]} pixels, brought to zero mean
and unit variance.

- Epochs planned: {cycles}. Epoch {content["training"]["best_epoch"]} of \
{len(content["training"]["history"])} was the best on validation and is the one shipped.
- Start: {start}. SGD with Nesterov momentum, batch {settings["batch_size"]}, weight decay
  {settings["weight_decay"]}, label smoothing {settings["label_smoothing"]}, \
seed {settings["seed"]}.
- Temperatures, fitted on validation: {temperatures}.
- Shown: {shown}{mirrored}.
- Called uncertain below a confidence of {content["shown"]["uncertain_below"]:.2f}: the lowest
  value, not under one half, from which predictions on validation are right at least \
{content["shown"]["confident_accuracy_wanted"]:.0%} of the time by
  every source of labels (or the highest value tried, where none is).
- File: {artefact["bytes"] / 1e6:.1f} MB, {artefact["quantization"]}; the same label as the float32
  network on at least {agreement:.1%} of the validation crops, by head.
- Code: {content["training"]["code_version"] or "unknown"}. {versions}.
"""


def _figures(content: Mapping[str, Any]) -> Iterable[str]:
    evaluation = figures_of(content)
    if "evaluation" in content:
        yield "## Figures on test\n\nThe data set's test part, used for nothing else.\n"
        if evaluation["data_fingerprint"] != content["training"]["data"]["fingerprint"]:
            yield (
                "**These are not the files that the model was trained from**: some test images may "
                "have been trained on.\n"
            )
    else:
        yield (
            "## Figures on validation\n\nNot yet evaluated on test. These figures flatter: "
            "every choice was made on the same images.\n"
        )
    yield _table(
        ["labelled by", "faces", "accuracy", "macro-F1", "calibration error"],
        [_summary(source, name, f) for source, name, f in _rows(evaluation)],
    )
    if "agreement" in evaluation:
        agreement = evaluation["agreement"]
        yield (
            f"The two sources of labels agree on {agreement['accuracy']:.1%} of the "
            f"{agreement['n']:,} images that both label.\n"
        )
    for source, result in evaluation["sources"].items():
        yield _source(source, result)


def _rows(evaluation: Mapping[str, Any]) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    for source, result in evaluation["sources"].items():
        yield source, "shown", result["shown"]
        for head, figures in result["heads"].items():
            yield source, f"head {head}", figures


def _summary(source: str, name: str, figures: Mapping[str, Any]) -> list[str]:
    return [
        f"{SOURCE_NAMES[source]}, {name}",
        f"{figures['n']:,}",
        f"{figures['accuracy']:.1%}",
        f"{figures['macro_f1']:.3f}",
        f"{figures['expected_calibration_error']:.3f}",
    ]


def _source(source: str, result: Mapping[str, Any]) -> str:
    shown, confident = result["shown"], result["confident"]
    labels = list(shown["classes"])
    classes = _table(
        ["label", "precision", "recall", "F1", "faces"],
        [
            [
                label,
                f"{figures['precision']:.1%}",
                f"{figures['recall']:.1%}",
                f"{figures['f1']:.3f}",
                f"{figures['support']:,}",
            ]
            for label, figures in shown["classes"].items()
        ],
    )
    confusion = _table(
        ["true ↓ predicted →", *labels],
        [
            [label, *(f"{n:,}" for n in row)]
            for label, row in zip(labels, shown["confusion_matrix"], strict=True)
        ],
    )
    text = f"""\
### What is shown, by {SOURCE_NAMES[source]}

{classes}
{confusion}
{_mistakes(shown)}

{confident["share"]:.0%} of the faces are not called uncertain; {confident["accuracy"]:.1%} of \
those are right.
"""
    if "without_repeats" in result:
        part = result["without_repeats"]
        text += (
            f"Without the test images that also stood in the data set's train part "
            f"({part['n']:,} faces left): accuracy {part['accuracy']:.1%}.\n"
        )
    return text


def _mistakes(figures: Mapping[str, Any], n: int = 3) -> str:
    """The most frequent confusions, as shares of the true label's faces."""
    labels = list(figures["classes"])
    shares = sorted(
        (
            (count / max(1, sum(row)), true, called)
            for true, row in zip(labels, figures["confusion_matrix"], strict=True)
            for called, count in zip(labels, row, strict=True)
            if called != true
        ),
        reverse=True,
    )
    worst = min(figures["classes"].items(), key=lambda item: item[1]["recall"])
    listed = "; ".join(
        f"{share:.0%} of *{true}* are called *{called}*" for share, true, called in shares[:n]
    )
    return (
        f"It fails most on *{worst[0]}*, of which it finds {worst[1]['recall']:.0%}. "
        f"Most frequent mistakes: {listed}."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *(["---:"] * (len(head) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _alt(plot: str) -> str:
    return plot.rsplit("/", 1)[-1].removesuffix(".png").replace("_", " ")
