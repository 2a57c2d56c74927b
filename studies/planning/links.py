"""How people come in: one link, personal links from a list of codes, and a panel's link."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from recognition.refusals import Refusal
from recognition.uploads.reports import csv_line, safe_cell
from studies.models import PersonalLink, Study
from studies.models.studies import new_key

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Personal links of one study; attributes of each; characters of a list, a code and an attribute.
MAXIMUM_LINKS, MAXIMUM_ATTRIBUTES = 2000, 20
MAXIMUM_CHARACTERS, MAXIMUM_CODE, MAXIMUM_VALUE = 300_000, 80, 200
#: Bytes of the attributes of one study's links together, and different names of them.
MAXIMUM_STORED, MAXIMUM_NAMES = 600_000, 60


class BadList(Refusal):
    """A list of codes that cannot be read; the message says where."""

    code, status = "bad_list", 400


def url(study: Study) -> str:
    """Where anybody comes in; below SITE_URL, whatever a request says."""
    return f"{settings.SITE_URL}{reverse('taking_part:information', args=[study.link_key])}"


def personal_url(link: PersonalLink) -> str:
    """Where the one person comes in whom a link is for."""
    return f"{settings.SITE_URL}{reverse('taking_part:personal_information', args=[link.key])}"


def renew(study: Study) -> None:
    """Another key for the link that lets anybody in; the one before opens nothing any more."""
    Study.objects.filter(pk=study.pk).update(link_key=new_key())


def set_open(study: Study, is_open: bool) -> None:
    """Let anybody with the link in, or only those with personal links."""
    Study.objects.filter(pk=study.pk).update(is_link_open=is_open)


def delete(link: PersonalLink) -> None:
    """Delete a personal link; whoever came in by it stays in the study."""
    with transaction.atomic():
        # As whoever comes in by it does: they are in before, or stay outside.
        Study.objects.select_for_update(no_key=True).get(pk=link.study_id)
        link.delete()


def read_list(text: str) -> list[tuple[str, dict[str, str]]]:
    """Codes with their attributes, from lines of codes or a table.

    Args:
        text: one code a line; or CSV (commas, semicolons or tabs) whose first line names the
            columns, the first of which has the codes.

    Raises:
        BadList: it cannot be read.
    """
    if len(text) > MAXIMUM_CHARACTERS:
        raise BadList(_("The list is too long."))
    if "\0" in text:
        # No database keeps it.
        raise BadList(_("The file is not a text file."))
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if not lines:
        raise BadList(_("The list is empty."))
    separator = max("\t;,", key=lines[0].count)
    if separator not in lines[0]:
        return _checked([(line.strip(), {}) for line in lines])
    reader = csv.reader(lines, delimiter=separator)
    try:
        rows = [[cell.strip() for cell in row] for row in reader]
    except csv.Error:
        raise BadList(
            _("Line %(n)d has no code, or a text that is too long.") % {"n": reader.line_num}
        ) from None
    names = rows[0][1:]
    # Each link repeats them.
    is_long = any(len(name) > MAXIMUM_CODE for name in names)
    is_odd = not all(names) or len(set(names)) < len(names)
    if is_odd or is_long or len(names) > MAXIMUM_ATTRIBUTES:
        raise _bad_columns(MAXIMUM_ATTRIBUTES)
    return _checked([(row[0], dict(zip(names, row[1:], strict=False))) for row in rows[1:] if row])


def add(study: Study, codes: Sequence[tuple[str, dict[str, str]]]) -> int:
    """Make a personal link for each code that has none yet; returns how many are new.

    Raises:
        BadList: they would be more than :data:`MAXIMUM_LINKS`, or :data:`MAXIMUM_STORED`.
    """
    with transaction.atomic():
        locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        known = set(locked.personal_links.values_list("label", flat=True))
        new = [(label, values) for label, values in codes if label not in known]
        if len(known) + len(new) > MAXIMUM_LINKS:
            raise BadList(
                _("A study has at most %(most)d personal links.") % {"most": MAXIMUM_LINKS}
            )
        kept = locked.personal_links.values_list("attributes", flat=True)
        _check_attributes([*kept, *(values for _label, values in new)])
        PersonalLink.objects.bulk_create(
            PersonalLink(study=locked, label=label, attributes=values) for label, values in new
        )
    return len(new)


def _check_attributes(attributes: Sequence[dict[str, str]]) -> None:
    """Of all of a study's links: each repeats the names, and a download has a column for each."""
    if sum(len(json.dumps(values)) for values in attributes) > MAXIMUM_STORED:
        raise BadList(_("The list is too long."))
    if len({name for values in attributes for name in values}) > MAXIMUM_NAMES:
        raise _bad_columns(MAXIMUM_NAMES)


def _bad_columns(most: int) -> BadList:
    return BadList(
        _("The first line must name the columns, each with a different name, %(most)d at most.")
        % {"most": most}
    )


def as_csv(study: Study) -> Iterator[str]:
    """All personal links as CSV that no spreadsheet runs: code, URL, whether used, attributes."""
    links = list(study.personal_links.select_related("participation"))
    names = list(dict.fromkeys(name for link in links for name in link.attributes))
    yield csv_line(map(safe_cell, ["code", "url", "used", *names]))
    for link in links:
        values = [str(link.attributes.get(name, "")) for name in names]
        used = "yes" if hasattr(link, "participation") else "no"
        yield csv_line(map(safe_cell, [link.label, personal_url(link), used, *values]))


def _checked(rows: list[tuple[str, dict[str, str]]]) -> list[tuple[str, dict[str, str]]]:
    seen: set[str] = set()
    for number, (label, values) in enumerate(rows, start=1):
        too_long = [text for text in values.values() if len(text) > MAXIMUM_VALUE]
        if not label or len(label) > MAXIMUM_CODE or too_long:
            raise BadList(_("Line %(n)d has no code, or a text that is too long.") % {"n": number})
        if label in seen:
            raise BadList(_("The code “%(code)s” appears twice.") % {"code": label})
        seen.add(label)
    return rows


def read_file(data: bytes) -> str:
    """The text of a list that was sent as a file.

    Raises:
        BadList: it is no text.
    """
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return io.StringIO(data.decode(encoding)).read()
        except UnicodeDecodeError:
            continue
    raise BadList(_("The file is not a text file."))
