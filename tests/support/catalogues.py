"""Catalogues of translations, read as they are written."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

from tests.support.site import ROOT


class Entry(NamedTuple):
    """A message and its translations: one, or one for each plural form."""

    key: str
    singular: str
    plural: str
    translations: tuple[str, ...]
    flags: frozenset[str]


def catalogue(language: str, root: Path = ROOT) -> Path:
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def entries(file: Path) -> list[Entry]:
    """What a catalogue holds, without its header."""
    found = []
    for block in file.read_text(encoding="utf-8").strip().split("\n\n")[1:]:
        fields: dict[str, str] = {}
        flags: set[str] = set()
        name = ""
        for line in block.splitlines():
            if line.startswith("#,"):
                flags |= {flag.strip() for flag in line[2:].split(",")}
            if line.startswith("#"):
                continue
            if not line.startswith('"'):
                name, line = line.split(" ", 1)
            fields[name] = fields.get(name, "") + ast.literal_eval(line)
        context = f"{fields['msgctxt']}\x04" if "msgctxt" in fields else ""
        translations = tuple(text for name, text in fields.items() if name.startswith("msgstr"))
        singular, plural = fields["msgid"], fields.get("msgid_plural", "")
        found.append(Entry(context + singular, singular, plural, translations, frozenset(flags)))
    return found


def placeholders(text: str) -> list[str]:
    return sorted(set(re.findall(r"%\(\w+\)[a-z]|%%|\{\w+\}|</?\w+|(?<=href=)\S+?(?=>)", text)))
