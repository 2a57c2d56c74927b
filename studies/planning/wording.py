"""What a new study tells its participants, until its researchers say it better.

Written for an ethics board: what is recorded, what is not, for how long, and how to withdraw. What
only the researchers know stands in square brackets; a study cannot open while one is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from studies.models import Study

#: Between the languages of one text.
SEPARATOR = "\n\n* * *\n\n"


def information(study: Study) -> str:
    """The information page of a study, in all of its languages."""
    return _in_each_language(study, _information)


def consent(study: Study) -> str:
    """The consent text of a study, in all of its languages."""
    return _in_each_language(study, _consent)


def names_day(text: str, languages: Iterable[str], day: date) -> bool:
    """Whether a text names a day to readers of each language; in figures, it does so to all."""
    return day.isoformat() in text or all(words in text for words in days(languages, day))


def days(languages: Iterable[str], day: date) -> list[str]:
    """A day as it is written in each of the languages."""
    written = []
    for language in languages:
        with translation.override(language):
            written.append(date_format(day, "DATE_FORMAT"))
    return list(dict.fromkeys(written))


def _in_each_language(study: Study, text: Callable[[Study], str]) -> str:
    texts = []
    for language in study.languages:
        with translation.override(language):
            texts.append(text(study))
    return SEPARATOR.join(texts)


def _known(study: Study) -> dict[str, str]:
    day = study.delete_on
    return {
        "name": study.responsible_name or _("[name of the person responsible]"),
        "institution": study.institution or _("[institution]"),
        "email": study.contact_email or _("[contact email]"),
        "title": study.title,
        "question": study.question or _("[what the study is about, in one or two sentences]"),
        "age": str(study.minimum_age),
        "day": date_format(day, "DATE_FORMAT") if day else _("[deletion date]"),
    }


def _information(study: Study) -> str:
    return _(
        "%(title)s\n"
        "\n"
        "What this is about: %(question)s\n"
        "\n"
        "What you will do: you watch and read what appears on the screen and answer a few "
        "questions, while the camera of your device looks at your face. You need a camera, "
        "light on your face, and a place where nobody else is in the picture.\n"
        "\n"
        "You don’t need an account, and nobody asks for your name.\n"
        "\n"
        "Responsible: %(name)s, %(institution)s. Questions: %(email)s"
    ) % _known(study)


def _consent(study: Study) -> str:
    return _(
        "What happens: while you take part, pictures from your camera are sent to the server of "
        "this website. There they are analysed at once by automatic recognition of facial "
        "expressions by software (AI). The software estimates how likely people would call the "
        "expression happy, sad, surprised, neutral or something else. It does not know what you "
        "feel, and it does not recognise who you are.\n"
        "\n"
        "What is stored: numbers, never pictures. For each moment: the estimates, where the face "
        "was in the picture and how sharp it was. Also your answers, when which part of the study "
        "was shown, and which text you agreed to and when. No picture and no video of you is "
        "stored, and no sound is recorded. Your name, your email address and your network address "
        "are not stored with your data.\n"
        "\n"
        "Who sees it: the study’s team. Results are published only for groups, or so that nobody "
        "can tell who you are.\n"
        "\n"
        "For how long: until %(day)s. Then everything that belongs to the study is deleted from "
        "this website.\n"
        "\n"
        "Taking part is voluntary. You can stop at any time without giving reasons and without "
        "disadvantages. At the end you get a withdrawal code. With it you can delete all your data "
        "later, too. Without it, ask us: if your link has a code or an ID, we can find your data "
        "by that; otherwise nobody can tell which data is yours.\n"
        "\n"
        "You have the right to access, rectification, erasure and restriction, and to complain to "
        "a data-protection authority. The legal basis is your consent (Art. 6(1)(a) and, where "
        "health could be inferred, Art. 9(2)(a) GDPR).\n"
        "\n"
        "Responsible: %(name)s, %(institution)s, %(email)s\n"
        "\n"
        "By agreeing you confirm that you are at least %(age)s years old, have read the "
        "information, and take part voluntarily."
    ) % _known(study)
