"""Normalize text for the linker, character by character, so that all offsets are preserved."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from detente.infer.text.datelines import DATELINES


def _folds() -> dict[str, str]:
    """Return the one-to-one map from letters with diacritics, typographic marks and white space to ASCII."""
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

#: Number of context characters on each side of a match.
REACH = 64
#: The case of a line is determined within blocks of this many characters, so that a 10 MB line isn't slow.
_LINE = 160


def words(text: str) -> frozenset[str]:
    """Return the set of the words in a text."""
    return frozenset(text.split())


def fold_diacritics(text: str) -> str:
    """Return the text with diacritics, typographic marks and white space replaced by ASCII, at the same length."""
    for space in "\n\r\t":
        text = text.replace(space, " ")
    # News is nearly all ASCII: replacing single characters is ten times as fast as str.translate.
    return text if text.isascii() else _FOLDED.sub(lambda match: _FOLDS[match[0]], text)


@dataclass
class NormalizedText:
    """A text with its folded form, date and title.

    Attributes:
        text: source text.
        day: date of publication, if known.
        title: headline, if it isn't part of the text.
        folded: folded text, of the same length.
    """

    text: str
    day: date | None = None
    title: str = ""
    folded: str = field(init=False)
    _lines: dict[tuple[int, int], str] = field(init=False, default_factory=dict)
    _paragraph: tuple[int, int] = field(init=False, default=(0, -1))

    def __post_init__(self) -> None:
        self.folded = fold_diacritics(self.text)

    def before(self, offset: int) -> str:
        """Return the folded context before an offset."""
        return self.folded[max(0, offset - REACH) : offset]

    def after(self, offset: int) -> str:
        """Return the folded context after an offset."""
        return self.folded[offset : offset + REACH]

    def case(self, offset: int) -> str:
        """Return the case of the line at an offset: `capitals`, `title` (Most Words Capital) or `plain`."""
        block = offset // _LINE
        start = max(self.text.rfind("\n", max(0, offset - _LINE), offset) + 1, (block - 1) * _LINE, 0)
        if (start, block) not in self._lines:
            stop = self.text.find("\n", offset, offset + _LINE)
            self._lines[start, block] = _case(self.folded[start : stop if stop >= 0 else (block + 2) * _LINE])
        return self._lines[start, block]

    def paragraph_end(self, offset: int) -> int:
        """Return the end of the paragraph at an offset (a blank line, or the end of the text)."""
        start, end = self._paragraph
        if not start <= offset <= end:
            blank_line = _PARAGRAPH.search(self.text, offset)
            self._paragraph = offset, blank_line.start() if blank_line else len(self.text)
        return self._paragraph[1]

    @cached_property
    def datelines(self) -> list[tuple[int, int]]:
        """Spans of the datelines ("TOKYO, March 3 (Reuters) -"), in order."""
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
