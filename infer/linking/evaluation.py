"""Measures the linker on sentences whose mentions are marked by hand (`tests/infer/linking/marked.jsonl`).

A row is `{"id", "date", "kind", "marked"}`, where `marked` is the text with its mentions in brackets:
`[USA:name|U.S.] and [CHN:demonym|Chinese] officials`, `[AUS+IND+JPN+USA:group|Quad]`.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from detente.infer.linking.linker import Linker, linker
from detente.infer.linking.mentions import Mention

_MARK = re.compile(r"\[([A-Z]{3}(?:\+[A-Z]{3})*):([a-z]+)\|([^\[\]|]+)\]")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with its mentions.

    Attributes:
        id: name of the row.
        text: the text, without brackets.
        day: the day that it was published, if known.
        kind: what the row tries ("plain", "context", a kind of trap).
        mentions: the mentions, sorted.
    """

    id: str
    text: str
    day: date | None
    kind: str
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How many mentions were right, found wrongly and missed, by exact span and state."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """Share of the found mentions that are right; 1 where nothing was found."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the marked mentions that were found; 1 where nothing is marked."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Error:
    """A mention that was found wrongly or missed."""

    row: Marked
    what: str
    mention: Mention

    def __str__(self) -> str:
        words = self.row.text[self.mention.start : self.mention.end]
        return f"{self.row.id} ({self.row.kind}) {self.what} {self.mention.state} {words!r} in: {self.row.text}"


@dataclass(slots=True)
class Report:
    """The result of a check: scores by kind and every error."""

    rows: int = 0
    kinds: dict[str, Score] = field(default_factory=dict)
    errors: list[Error] = field(default_factory=list)

    @property
    def total(self) -> Score:
        """The score over all rows."""
        return sum(self.kinds.values(), Score())

    def lines(self) -> list[str]:
        """Return the report as lines of text: the total, the kinds, the errors."""
        shown = {f"all ({self.rows} rows)": self.total} | dict(sorted(self.kinds.items()))
        return [
            *(f"{name:32} P {s.precision:.3f}  R {s.recall:.3f}  F1 {s.f1:.3f}" for name, s in shown.items()),
            *map(str, self.errors),
        ]


def unmark(marked: str) -> tuple[str, tuple[Mention, ...]]:
    """Return the text without its brackets, and the mentions that they mark."""
    text, mentions, at = "", [], 0
    for mark in _MARK.finditer(marked):
        text += marked[at : mark.start()]
        start, at = len(text), mark.end()
        text += mark[3]
        mentions += [Mention(start, len(text), state, mark[2]) for state in mark[1].split("+")]
    return text + marked[at:], tuple(sorted(mentions))


def load(path: Path) -> list[Marked]:
    """Read a marked file.

    Raises:
        ValueError: if a line is no JSON object, lacks a key, has a bad date or a bracket that marks nothing.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text, mentions = unmark(row["marked"])
            day = date.fromisoformat(row["date"]) if row["date"] else None
            rows.append(Marked(row["id"], text, day, row["kind"], mentions))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}:{number}: {error!r}; a row needs id, date (or null), kind and marked") from error
        if re.search(r"[\[\]|]", text):
            raise ValueError(f"{path}:{number}: a bracket marks nothing; write [USA:name|U.S.]")
    return rows


def check(path: Path, by: Linker | None = None) -> Report:
    """Link every row of a marked file and compare, by exact span and state."""
    return compare(load(path), by or linker())


def compare(rows: Iterable[Marked], by: Linker) -> Report:
    """Link every row and compare, by exact span and state."""
    report = Report()
    for row in rows:
        report.rows += 1
        marked = {(m.start, m.end, m.state): m for m in row.mentions}
        found = {(m.start, m.end, m.state): m for m in by.link(row.text, date=row.day)}
        wrong = [found[key] for key in sorted(found.keys() - marked.keys())]
        missed = [marked[key] for key in sorted(marked.keys() - found.keys())]
        score = Score(len(found.keys() & marked.keys()), len(wrong), len(missed))
        report.kinds[row.kind] = report.kinds.get(row.kind, Score()) + score
        report.errors += [Error(row, "wrong", m) for m in wrong] + [Error(row, "missed", m) for m in missed]
    return report
