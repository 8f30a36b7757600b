"""Evaluate the linker on sentences with hand-marked mentions (`tests/infer/linking/marked.jsonl`).

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
    """A text with its gold mentions.

    Attributes:
        id: id of the row.
        text: text without brackets.
        day: date of publication, if known.
        kind: phenomenon under test ("plain", "context", a kind of false positive).
        mentions: gold mentions, sorted.
    """

    id: str
    text: str
    day: date | None
    kind: str
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of correct, spurious and missed mentions, by exact span and state."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, addend: "Score") -> "Score":
        return Score(self.right + addend.right, self.wrong + addend.wrong, self.missed + addend.missed)

    @property
    def precision(self) -> float:
        """Share of the predicted mentions that are correct; 1 without predictions."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the gold mentions that are predicted; 1 without gold mentions."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Error:
    """A spurious or missed mention."""

    row: Marked
    outcome: str
    mention: Mention

    def __str__(self) -> str:
        words = self.row.text[self.mention.start : self.mention.end]
        return f"{self.row.id} ({self.row.kind}) {self.outcome} {self.mention.state} {words!r} in: {self.row.text}"


@dataclass(slots=True)
class Report:
    """The result of an evaluation: scores by kind, and all errors."""

    rows: int = 0
    kinds: dict[str, Score] = field(default_factory=dict)
    errors: list[Error] = field(default_factory=list)

    @property
    def total(self) -> Score:
        """The score over all rows."""
        return sum(self.kinds.values(), Score())

    def lines(self) -> list[str]:
        """Return the report as lines of text: the total, the kinds, the errors."""
        scores = {f"all ({self.rows} rows)": self.total} | dict(sorted(self.kinds.items()))
        return [
            *(
                f"{name:32} P {score.precision:.3f}  R {score.recall:.3f}  F1 {score.f1:.3f}"
                for name, score in scores.items()
            ),
            *map(str, self.errors),
        ]


def unmark(marked: str) -> tuple[str, tuple[Mention, ...]]:
    """Return the text without brackets, and the gold mentions."""
    text, mentions, end = "", [], 0
    for mark in _MARK.finditer(marked):
        text += marked[end : mark.start()]
        start, end = len(text), mark.end()
        text += mark[3]
        mentions += [Mention(start, len(text), state, mark[2]) for state in mark[1].split("+")]
    return text + marked[end:], tuple(sorted(mentions))


def load(path: Path) -> list[Marked]:
    """Load a marked file.

    Raises:
        ValueError: a line isn't a JSON object, lacks a key, or has an invalid date or bracket.
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


def check(path: Path, predictor: Linker | None = None) -> Report:
    """Return the report of a linker (default: the package's) on a marked file."""
    return compare(load(path), predictor or linker())


def compare(rows: Iterable[Marked], predictor: Linker) -> Report:
    """Return the report of a linker on marked rows, by exact span and state."""
    report = Report()
    for row in rows:
        report.rows += 1
        gold = {(m.start, m.end, m.state): m for m in row.mentions}
        predicted = {(m.start, m.end, m.state): m for m in predictor.link(row.text, date=row.day)}
        wrong = [predicted[key] for key in sorted(predicted.keys() - gold.keys())]
        missed = [gold[key] for key in sorted(gold.keys() - predicted.keys())]
        score = Score(len(predicted.keys() & gold.keys()), len(wrong), len(missed))
        report.kinds[row.kind] = report.kinds.get(row.kind, Score()) + score
        report.errors += [Error(row, "wrong", m) for m in wrong] + [Error(row, "missed", m) for m in missed]
    return report
