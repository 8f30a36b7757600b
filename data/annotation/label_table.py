"""The table of labels: what coders said of a sentence and a dyad, read from what spreadsheets write, and written.

One row is one coder's answers for one unit (a sentence and a dyad), with the columns

    id, document, sentence, dyad, date, part, coder, and one column for each variable of the codebook

of which a table that is read needs the sentence, the dyad and a variable. `part` is `test` for units that were drawn at
random, and may be used to measure, and `train` for those that were chosen.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from typing import Any, Final

from detente._files import write_whole
from detente.data.annotation.spreadsheets import LabelsError, key, read_rows
from detente.data.codebook.label_schema import Scheme, Variable, label_text
from detente.data.corpora.examples import sentence_id
from detente.data.gazetteer.gazetteer import tables

#: Columns of the table that stand before the variables.
COLUMNS: Final = ("id", "document", "sentence", "dyad", "date", "part", "coder")

TEST, TRAIN = "test", "train"

#: What a spreadsheet takes for a formula, with the quotes that were put before it.
_FORMULA: Final = re.compile(r"(?<!')'*+[=+\-@\t\r]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One coder's labels for one sentence and dyad.

    Attributes:
        id: of the unit; empty where the table has none.
        document: id of its document.
        sentence: as it stands in the text.
        dyad: two codes in alphabetical order.
        date: ISO 8601; empty where unknown.
        part: `test`, `train`, or empty where unknown.
        coder: who labelled it; empty where unknown.
        labels: by variable; what wasn't labelled is left out.
        where: file and line, or what else names the row in a message.
    """

    id: str = ""
    document: str = ""
    sentence: str
    dyad: str
    date: str = ""
    part: str = ""
    coder: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    where: str = ""

    @property
    def unit(self) -> tuple[str, str, str]:
        """What two coders who labelled the same thing have in common."""
        return (self.document, sentence_id(self.sentence), self.dyad)


def guarded(text: str) -> str:
    """Return a text as a spreadsheet shows it and doesn't compute it: `=1+1` becomes `'=1+1`."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Undo `guarded`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def write_labels(rows: Iterable[Labelled], file: Path, scheme: Scheme) -> None:
    """Write the table, in UTF-8 with a byte order mark, by which Excel knows it; whole, or not at all."""
    names = [variable.name for variable in scheme.variables]
    write_csv(
        file,
        [*COLUMNS, *names],
        ([*(guarded(getattr(row, name)) for name in COLUMNS), *(row.labels.get(name, "") for name in names)]
         for row in rows),
    )  # fmt: skip


def write_csv(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write CSV for spreadsheets; whole, or not at all."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    write_whole(file, text.getvalue().encode("utf-8-sig"))


def read_labels(
    file: Path, scheme: Scheme | None = None, *, variable: str = "", encoding: str = ""
) -> tuple[list[Labelled], list[str]]:
    """Read a table of labels; capitals count neither in its header nor in its labels.

    Args:
        file: CSV, TSV, JSON lines or Parquet, see `spreadsheets.read_rows`.
        scheme: its variables are read and their labels checked. None to take any label.
        variable: the column to read where there is no scheme; if empty, the columns that aren't of `COLUMNS`.
        encoding: encoding of the file; empty to go by its first bytes.

    Returns:
        The rows, those without any label too, and the names of the variables.

    Raises:
        LabelsError: a column is missing, a row has no sentence or known dyad, or a label isn't in the codebook.
    """
    table = list(read_rows(file, encoding))
    for line, row in table:
        if isinstance(row, ValueError):
            raise LabelsError(f"{file}:{line}: {row}")
    header = {key(name): name for _, row in table if not isinstance(row, ValueError) for name in row}
    if not table:
        raise LabelsError(f"{file}: {'a header and no rows' if file.stat().st_size else 'is empty'}")
    if missing := [name for name in ("sentence", "dyad") if name not in header]:
        raise LabelsError(f"{file}: no column {' and '.join(missing)}; there are {', '.join(header.values())}")
    columns = _variables(file, header, scheme, variable)
    spellings: dict[tuple[str, str], str] = {}
    rows = []
    for line, row in table:
        cells = {key(n): v if isinstance(v, str) else cell_text(v) for n, v in row.items()}  # type: ignore[union-attr]  # no errors
        labels = {name: cells.get(column, "") for name, column in columns.items()}
        if scheme is None:  # a label is what it was called first, whatever its capitals
            labels = {name: spellings.setdefault((name, key(label)), label) for name, label in labels.items()}
        parts = {name: unguarded(cells.get(name, "")) for name in COLUMNS}
        rows.append(labelled(parts, labels, f"{file}:{line}", scheme))
    return rows, list(columns)


def _variables(file: Path, header: Mapping[str, str], scheme: Scheme | None, variable: str) -> dict[str, str]:
    """Return the column of each variable, as `key` writes it; the header's names by theirs."""
    others = [name for column, name in header.items() if column and column not in COLUMNS]
    if scheme is not None:
        names = [v.name for v in scheme.variables if not variable or v.name == variable]
        if not names:
            known = ", ".join(v.name for v in scheme.variables)
            raise LabelsError(f"the codebook has no variable {variable!r}; it has {known}")
        if len(names) == 1 and key(names[0]) not in header and "label" in header:
            return {names[0]: "label"}
        if missing := [name for name in names if key(name) not in header]:
            raise LabelsError(
                f"{file}: no column {', '.join(missing)} for the codebook's variables; "
                f"beside {', '.join(COLUMNS)} there are {', '.join(others) or 'none'}"
            )
        return {name: key(name) for name in names}
    if variable and key(variable) not in header:
        raise LabelsError(f"{file}: no column {variable!r}; there are {', '.join(header.values())}")
    if not (variable or others):
        raise LabelsError(f"{file}: no column with labels; there are {', '.join(header.values())}")
    return {name: key(name) for name in ([variable] if variable else others)}


def cell_text(value: Any) -> str:
    """Return a cell as text: nothing for an empty one, `1` for a spreadsheet's 1.0, `yes` for true."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    return label_text(int(value) if isinstance(value, float) and value.is_integer() else value)


def label_in(variable: Variable, text: str) -> str | None:
    """Return the codebook's label that a cell names: exactly, or where that is clear, in other capitals."""
    if text in variable.labels:
        return text
    alike = [label for label in variable.labels if label.casefold() == text.casefold()]
    return alike[0] if len(alike) == 1 else None


def labelled(parts: Mapping[str, str], labels: Mapping[str, str], where: str, scheme: Scheme | None = None) -> Labelled:
    """Check one row and return it.

    Raises:
        LabelsError: it has no sentence or known dyad, or a label isn't in the codebook.
    """
    given = {name: label.strip() for name, label in labels.items() if label.strip()}
    for variable in scheme.variables if scheme else ():
        if (text := given.get(variable.name)) is None:
            continue
        if (label := label_in(variable, text)) is None:
            raise LabelsError(
                f"{where}: {text!r} is no label of {variable.name}; those are {', '.join(variable.labels)}"
            )
        given[variable.name] = label
    if not parts.get("sentence", "").strip():
        raise LabelsError(f"{where}: no sentence")
    codes = sorted(code.strip().upper() for code in parts.get("dyad", "").split("-"))
    known = tables().states
    if len(set(codes)) != 2 or not known.keys() >= set(codes):
        raise LabelsError(
            f"{where}: {parts.get('dyad', '')!r} is not a dyad; write two codes of `detente states`, such as CHN-USA"
        )
    return Labelled(
        **{name: parts.get(name, "").strip() for name in COLUMNS if name not in ("sentence", "dyad")},
        sentence=parts["sentence"],
        dyad="-".join(codes),
        labels=given,
        where=where,
    )


def conflicts(rows: Iterable[Labelled]) -> list[tuple[Labelled, Labelled, str]]:
    """Return the pairs of rows in which one coder gives a sentence and dyad two labels of a variable, and its name."""
    first: dict[tuple[str, str, str, str], Labelled] = {}
    found = []
    for row in rows:
        for name, label in row.labels.items():
            before = first.setdefault((row.coder, row.sentence, row.dyad, name), row)
            if before.labels[name] != label:
                found.append((before, row, name))
    return found
