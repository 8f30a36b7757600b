"""The table of labels: what coders said of a sentence and a dyad, read from CSV as spreadsheets write it, and written.

One row is one coder's answers for one unit (a sentence and a dyad), with the columns

    id, document, sentence, dyad, date, part, coder, and one column for each variable of the codebook

of which a table that is read needs the sentence, the dyad and a variable. `part` is `test` for units that were drawn at
random, and may be used to measure, and `train` for those that were chosen.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from detente._files import write_whole
from detente.data.codebook.label_schema import Scheme
from detente.data.corpora.examples import sentence_id
from detente.data.gazetteer.gazetteer import tables

#: Columns of the table that stand before the variables.
COLUMNS: Final = ("id", "document", "sentence", "dyad", "date", "part", "coder")

TEST, TRAIN = "test", "train"

#: Bytes of the largest table or export that is read: a million labelled sentences.
MOST_BYTES: Final = 512 << 20

#: What a spreadsheet takes for a formula, with the quotes that were put before it.
_FORMULA: Final = re.compile(r"(?<!')'*+[=+\-@\t\r]")

_ENCODED_BY_MARK: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class LabelsError(ValueError):
    """A table of labels, or an export, that can't be read; the message says where, what and what to do."""


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


def load_bytes(file: Path) -> bytes:
    """Read a table or export of bearable size.

    Raises:
        LabelsError: there is no such file, or it is too large or empty.
    """
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= MOST_BYTES and not file.is_dir() else b""
    except FileNotFoundError as error:
        raise LabelsError(f"{file}: there is no such file") from error
    if file.is_dir():
        raise LabelsError(f"{file} is a folder; give the files")
    if size > MOST_BYTES:
        raise LabelsError(f"{file} has over {MOST_BYTES >> 20} MB; export it in parts")
    if not data.strip():
        raise LabelsError(f"{file} is empty")
    return data


def decoded(data: bytes, file: Path, encoding: str = "") -> str:
    """Return the text of a file: UTF-8, or what its byte order mark or the user says.

    Raises:
        LabelsError: it is in another encoding.
    """
    codec = encoding or next((name for mark, name in _ENCODED_BY_MARK.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        raise LabelsError(
            f"{file} is not {codec.upper()} (byte 0x{data[error.start]:02x} at offset {error.start}); save it as "
            f"'CSV UTF-8', or say what it is: --encoding cp1252"
        ) from None
    except LookupError:
        raise LabelsError(f"{encoding!r} is no encoding; give one such as utf-8 or cp1252") from None
    if "\0" in text:
        raise LabelsError(f"{file} has a NUL byte: not a table; save it as 'CSV UTF-8'")
    return text


def csv_rows(text: str, file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of CSV with their place; commas, semicolons or tabs, as the header shows.

    Raises:
        LabelsError: a row has more fields than the header, or the quotes don't close.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MOST_BYTES))
    first = text.split("\n", 1)[0].strip().strip('"')
    named = first[4:] if first.lower().startswith("sep=") else ""  # Excel's own way to name the delimiter
    skipped = 1 if named else 0
    if named:
        text = text.split("\n", 1)[1] if "\n" in text else ""
    header_line = re.sub(r'"[^"]*"', "", text.split("\n", 1)[0])
    delimiter = named or max(",;\t", key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if twice := {name for name in header if name and header.count(name) > 1}:
            raise LabelsError(f"{file}: the header names {', '.join(sorted(twice))} twice")
        line = reader.line_num
        for fields in reader:
            place, line = f"{file}:{line + 1 + skipped}", reader.line_num
            if not any(value.strip() for value in fields):
                continue
            if len(fields) > len(header):
                raise LabelsError(
                    f"{place}: {len(fields)} fields, the header has {len(header)}; a sentence with a {delimiter!r} in "
                    f"it must stand in quotes"
                )
            yield place, dict(zip(header, [*fields, *[""] * (len(header) - len(fields))], strict=True))
    except csv.Error as error:
        raise LabelsError(f"{file}:{reader.line_num + skipped}: not CSV: {error}") from error


def read_labels(
    file: Path, scheme: Scheme | None = None, *, variable: str = "", encoding: str = ""
) -> tuple[list[Labelled], list[str]]:
    """Read a table of labels.

    Args:
        file: CSV.
        scheme: its variables are read and their labels checked. None to take any label.
        variable: the column to read where there is no scheme; if empty, the columns that aren't of `COLUMNS`.
        encoding: of the file, if it isn't UTF-8.

    Returns:
        The rows, those without any label too, and the names of the variables.

    Raises:
        LabelsError: a column is missing, a row has no sentence or known dyad, or a label isn't in the codebook.
    """
    rows = list(csv_rows(decoded(load_bytes(file), file, encoding), file))
    if not rows:
        raise LabelsError(f"{file}: a header and no rows")
    header = list(rows[0][1])
    if missing := [name for name in ("sentence", "dyad") if name not in header]:
        raise LabelsError(f"{file}: no column {' and '.join(missing)}; there are {', '.join(header)}")
    columns = _variables(file, header, scheme, variable)
    found = [
        labelled(
            {name: unguarded(row.get(name, "")) for name in COLUMNS},
            {name: row.get(column, "") for name, column in columns.items()},
            place,
            scheme,
        )
        for place, row in rows
    ]
    return found, list(columns)


def _variables(file: Path, header: Sequence[str], scheme: Scheme | None, variable: str) -> dict[str, str]:
    """Return the column of each variable."""
    others = [name for name in header if name and name not in COLUMNS]
    if scheme is not None:
        names = [v.name for v in scheme.variables if not variable or v.name == variable]
        if not names:
            known = ", ".join(v.name for v in scheme.variables)
            raise LabelsError(f"the codebook has no variable {variable!r}; it has {known}")
        if len(names) == 1 and names[0] not in header and "label" in header:
            return {names[0]: "label"}
        if missing := [name for name in names if name not in header]:
            raise LabelsError(
                f"{file}: no column {', '.join(missing)} for the codebook's variables; "
                f"beside {', '.join(COLUMNS)} there are {', '.join(others) or 'none'}"
            )
        return {name: name for name in names}
    if variable and variable not in header:
        raise LabelsError(f"{file}: no column {variable!r}; there are {', '.join(header)}")
    if not (variable or others):
        raise LabelsError(f"{file}: no column with labels; there are {', '.join(header)}")
    return {name: name for name in ([variable] if variable else others)}


def labelled(parts: Mapping[str, str], labels: Mapping[str, str], where: str, scheme: Scheme | None = None) -> Labelled:
    """Check one row and return it.

    Raises:
        LabelsError: it has no sentence or known dyad, or a label isn't in the codebook.
    """
    said = {name: label.strip() for name, label in labels.items() if label.strip()}
    for variable in scheme.variables if scheme else ():
        if (label := said.get(variable.name)) is not None and label not in variable.labels:
            raise LabelsError(
                f"{where}: {label!r} is no label of {variable.name}; those are {', '.join(variable.labels)}"
            )
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
        labels=said,
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
