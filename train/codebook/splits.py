"""The rows of a table that have a label of one variable, and which of them stand or fall together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detente.data.annotation.spreadsheets import LabelsError
from detente.data.codebook.label_schema import Variable
from detente.train.codebook.annotations import Coded
from detente.train.codebook.evaluation import counts_of
from detente.train.codebook.linear_probe import Ints

#: Rows with a label under which nothing is learnt.
LEAST: Final = 10


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that have a label of one variable, and where they stand in the table."""

    at: Ints
    items: list[Coded]
    gold: Ints
    groups: Ints


def labelled_rows(rows: Sequence[Coded], variable: Variable) -> Rows:
    """Return the rows with a label of a variable.

    Raises:
        LabelsError: they are too few to learn from.
    """
    found = gathered(rows, variable)
    counts = counts_of(found.gold, variable)
    there = {label: count for label, count in counts.items() if count}
    said = ", ".join(f"{count} {label}" for label, count in there.items()) or "none"
    if len(there) == 1 and len(found.gold) >= LEAST:
        raise LabelsError(f"{variable.name}: all {len(found.gold)} rows are {next(iter(there))!r}; it takes two labels")
    if len(found.gold) < LEAST:
        raise LabelsError(
            f"{variable.name}: {len(found.gold)} rows with a label ({said}); it takes {LEAST} at least, and some "
            "hundred to be of use"
        )
    if len(np.unique(found.groups)) < 3 or sorted(there.values())[-2] < 2:
        raise LabelsError(f"{variable.name}: {said} in {len(np.unique(found.groups))} documents; too few to split")
    return found


def gathered(rows: Sequence[Coded], variable: Variable) -> Rows:
    """Return the rows with a label of a variable, however few."""
    at = np.array([i for i, row in enumerate(rows) if variable.name in row.labels], dtype=np.int64)
    items = [rows[i] for i in at]
    return Rows(at, items, np.array([row.labels[variable.name] for row in items], dtype=np.int64), groups_of(items))


def groups_of(rows: Sequence[Coded]) -> Ints:
    """Number the rows so that those of one document or of one sentence have one number, and so on from row to row."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while (above := parent.setdefault(key, key)) != key:
            parent[key] = key = parent[above]
        return key

    for row in rows:
        parent[root(f"sentence {row.item.text}")] = root(f"document {row.document}")
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(root(f"document {row.document}"), len(numbers)) for row in rows], dtype=np.int64
    )
