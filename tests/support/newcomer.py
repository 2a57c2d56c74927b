"""Somebody who has never seen the site, follows a tutorial word for word, and how long that takes.

A tutorial's step says in bold what is on the screen, and as code what is typed. The newcomer does
nothing else: a bold word that no page has, or that a step does not say, is an error. They read the
step, then every line of a page that they have not read before.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

#: Words a minute, of adults who read English silently (Brysbaert 2019), and of people who copy a
#: text on a keyboard, a word being five characters.
READ_A_MINUTE, TYPED_A_MINUTE, CHARACTERS_A_WORD = 238, 40, 5
#: Seconds to find, point at and press something, or to look at something that is filled in.
TARGET_SECONDS = 1.2
#: Seconds to find a picture on one's own computer.
FILE_SECONDS = 10.0


@dataclass
class Step:
    """A step of a tutorial and what it took.

    Attributes:
        text: as it reads, without its marks.
        bold, code: what it says is on the screen, and what is to be typed; `used` is what was.
        words, characters, targets, files: read, typed, pressed or looked at, looked for.
        page_seconds: that pages took to load.
    """

    number: int
    text: str
    bold: set[str]
    code: set[str]
    used: set[str] = field(default_factory=set)
    words: int = 0
    characters: int = 0
    targets: int = 0
    files: int = 0
    page_seconds: float = 0.0

    @property
    def own_seconds(self) -> float:
        """What the person takes, without the pages."""
        reading = self.words / READ_A_MINUTE
        typing = self.characters / (TYPED_A_MINUTE * CHARACTERS_A_WORD)
        return 60 * (reading + typing) + TARGET_SECONDS * self.targets + FILE_SECONDS * self.files

    @property
    def seconds(self) -> float:
        return self.own_seconds + self.page_seconds


def steps_of(markdown: str) -> list[Step]:
    """The numbered steps of a section."""
    found = re.findall(r"^(\d+)\. (.+?)(?=^\d+\. |^$|\Z)", markdown, re.MULTILINE | re.DOTALL)
    steps = []
    for number, marked in found:
        text = " ".join(marked.split())
        bold, code = re.findall(r"\*\*(.+?)\*\*", text), re.findall(r"`(.+?)`", text)
        steps.append(Step(int(number), re.sub(r"[*`]", "", text), set(bold), set(code)))
    return steps


class Newcomer:
    """Follows steps in a page.

    Args:
        on_page: called on each page once it has been read.
    """

    def __init__(self, page: Page, on_page: Callable[[Page], None] = lambda page: None) -> None:
        self.page, self.on_page = page, on_page
        self.step = Step(0, "", set(), set())
        self._known: set[str] = set()

    def begin(self, step: Step) -> None:
        self.step = step
        step.words += len(step.text.split())

    def open(self, path: str) -> None:
        self._loading(lambda: self.page.goto(path))

    def choose(self, name: str, *, opens: bool = True) -> None:
        """Press the link or button of that name, in what the page is about before its menus."""
        self._say(name)
        target = self._pressable(name)
        self.step.targets += 1
        if opens:
            self._loading(target.click)
        else:
            target.click()

    def type(self, label: str, text: str, *, own: bool = False) -> None:
        """Type what the step says, or something of one's own."""
        self._say(label)
        if not own:
            assert text in self.step.code, f"step {self.step.number} does not say “{text}”"
            self.step.used.add(text)
        self.step.targets += 1
        self.step.characters += len(text)
        self._field(label).fill(text)

    def tick(self, label: str) -> None:
        self._say(label)
        self.step.targets += 1
        self.page.get_by_role("checkbox", name=re.compile(f"^{re.escape(label)}")).check()

    def look_at(self, label: str) -> str:
        """Look at what a field holds; every word of it is read."""
        self._say(label)
        self.step.targets += 1
        value = self._field(label).input_value()
        self._read(value)
        return value

    def see(self, text: str) -> None:
        """Find words that the step says are there."""
        self._say(text)
        expect(self.page.get_by_text(text, exact=True).first).to_be_visible()

    def pick_file(self, label: str, name: str, kind: str, content: bytes) -> None:
        self._say(label)
        self.step.targets += 2
        self.step.files += 1
        file = {"name": name, "mimeType": kind, "buffer": content}
        self.page.get_by_label(label).set_input_files(file)  # type: ignore[arg-type]

    def _say(self, name: str) -> None:
        assert name in self.step.bold, f"step {self.step.number} does not say “{name}”"
        self.step.used.add(name)

    def _pressable(self, name: str) -> Locator:
        link = self.page.get_by_role("link", name=name, exact=True)
        found = link.or_(self.page.get_by_role("button", name=name, exact=True))
        inside = found.and_(self.page.locator("main *"))
        target = inside if inside.count() else found
        expect(target).to_have_count(1)
        return target

    def _field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    def _loading(self, act: Callable[[], object]) -> None:
        before = time.monotonic()
        with self.page.expect_navigation(wait_until="load"):
            act()
        self.step.page_seconds += time.monotonic() - before
        self._read(self.page.locator("body").inner_text())
        self.on_page(self.page)

    def _read(self, text: str) -> None:
        new = {line for line in map(str.strip, text.splitlines()) if line} - self._known
        self._known |= new
        self.step.words += sum(len(line.split()) for line in new)
