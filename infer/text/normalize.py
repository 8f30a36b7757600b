"""A text as the linker reads it: folded character by character, so that every offset stays true."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from detente.infer.text.datelines import DATELINES


def _folds() -> dict[str, str]:
    """Map letters with diacritics to their base, and typographic marks and white space to plain ones, one to one."""
    folds = dict(zip("øØłŁđıß", "oOlLdis", strict=True))
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base.isascii():
            folds[chr(code)] = base
    for plain, marks in {"'": "‘’ʼ´", '"': "“”«»„", "-": "‐‑", " ": "\u00a0\u2009\u202f"}.items():
        folds |= dict.fromkeys(marks, plain)
    return folds


_FOLDS = _folds()
_FOLDED = re.compile(f"[{''.join(_FOLDS)}]")
_WORD = re.compile(r"(?<![\w'-])[A-Za-z][A-Za-z'-]{3,}")
_LOWER = re.compile("[a-z]")
_UPPER = re.compile("[A-Z]")
_PARAGRAPH = re.compile(r"\n[ \t\r]*+\n")

#: Characters looked at on each side of a match.
REACH = 64
#: A line is judged by this many characters on each side of a match, so that a 10 MB line costs no more than another.
_LINE = 160


def words(text: str) -> frozenset[str]:
    """Return the words of a list that is written as a text."""
    return frozenset(text.split())


def fold(text: str) -> str:
    """Return the text with diacritics, typographic quotes and white space made plain; the length stays the same."""
    for space in "\n\r\t":
        text = text.replace(space, " ")
    # News is nearly all ASCII: replacing the rest one by one is ten times as fast as str.translate.
    return text if text.isascii() else _FOLDED.sub(lambda match: _FOLDS[match[0]], text)


@dataclass
class Page:
    """A text with its date and title.

    Attributes:
        text: the source text.
        day: the day that it was published, if known.
        title: its headline, if it stands apart from the text.
        plain: the folded text, of the same length.
    """

    text: str
    day: date | None = None
    title: str = ""
    plain: str = field(init=False)
    _lines: dict[tuple[int, int], str] = field(init=False, default_factory=dict)
    _paragraph: tuple[int, int] = field(init=False, default=(0, -1))

    def __post_init__(self) -> None:
        self.plain = fold(self.text)

    def before(self, at: int) -> str:
        """Return the folded characters before an offset, within reach."""
        return self.plain[max(0, at - REACH) : at]

    def after(self, at: int) -> str:
        """Return the folded characters from an offset on, within reach."""
        return self.plain[at : at + REACH]

    def case(self, at: int) -> str:
        """Return how the line around an offset is written: `capitals`, `title` (Most Words Capital) or `plain`."""
        block = at // _LINE
        start = max(self.text.rfind("\n", max(0, at - _LINE), at) + 1, (block - 1) * _LINE, 0)
        if (start, block) not in self._lines:
            stop = self.text.find("\n", at, at + _LINE)
            self._lines[start, block] = _case(self.plain[start : stop if stop >= 0 else (block + 2) * _LINE])
        return self._lines[start, block]

    def paragraph_end(self, at: int) -> int:
        """Return the offset where the paragraph around an offset ends (a blank line, or the end of the text)."""
        start, end = self._paragraph
        if not start <= at <= end:
            found = _PARAGRAPH.search(self.text, at)
            self._paragraph = at, found.start() if found else len(self.text)
        return self._paragraph[1]

    @cached_property
    def datelines(self) -> list[tuple[int, int]]:
        """The spans of datelines ("TOKYO, March 3 (Reuters) -"), in order."""
        return [match.span("line") for match in DATELINES.finditer(self.text)]


def _case(line: str) -> str:
    lower, upper = len(_LOWER.findall(line)), len(_UPPER.findall(line))
    if lower + upper > 3 and upper > 4 * lower:
        return "capitals"
    if not line.rstrip(" \"'").endswith((".", "?", "!")):
        words = _WORD.findall(line)
        if len(words) > 2 and sum(map(str.isupper, (word[0] for word in words))) >= 0.8 * len(words):
            return "title"
    return "plain"
