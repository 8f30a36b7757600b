"""A table in a file, row by row: CSV as spreadsheets write it, JSON lines, Parquet."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from detente.data.tables_io import formats
from detente.data.tables_io.columns import Columns, SourceError
from detente.data.tables_io.files import File, find, opened

#: Bytes of the largest table that is read.
MOST_BYTES: Final = 256 << 20

#: Encodings by the mark that a file begins with.
_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}


def key(name: str) -> str:
    """Write a column's name as it is compared."""
    return name.strip().lower()


def rows(file: Path, sentence: str, encoding: str) -> Iterator[tuple[int, Mapping[str, Any] | ValueError]]:
    """Yield the rows of a table by line, with the names of their columns in small letters."""
    if file.is_dir():
        raise SourceError(f"{file} is a folder; give one table")
    if file.suffix.lower() in {".xlsx", ".xls", ".ods"}:
        raise SourceError(f"{file} is a workbook; save the sheet as CSV UTF-8 and give that")
    (found,) = find(file).files
    if found.size > MOST_BYTES:
        raise SourceError(f"{file} has over {MOST_BYTES >> 20} MB; a table of labels is smaller")
    try:
        for line, row in _READERS.get(found.format, _no_table)(found, sentence, encoding):
            if isinstance(row, ValueError):
                yield line, row
            else:
                yield line, {key(str(name)): value for name, value in row[1].items()}
    except (SourceError, pa.ArrowException) as error:
        hint = "; name it with --sentence" if "no column" in str(error) else ""
        raise SourceError(f"{file}: {str(error).replace('for the text', 'for the sentence')}{hint}") from error


def _no_table(file: File, sentence: str, encoding: str) -> Iterable[formats.Row]:  # noqa: ARG001  (as the readers)
    raise SourceError("not a table; give CSV, TSV, JSON lines or Parquet")


def _parquet(file: File, sentence: str, encoding: str) -> Iterable[formats.Row]:  # noqa: ARG001  (Parquet is UTF-8)
    table = pq.read_table(file.path)
    name = next((name for name in table.column_names if key(name) == key(sentence)), sentence)
    columns = Columns(text=name).among(table.column_names)
    return ((number, (columns, row)) for number, row in enumerate(table.to_pylist(), 1))


def _json_lines(file: File, sentence: str, encoding: str) -> Iterable[formats.Row]:
    with opened(file) as (stream, _):
        yield from formats.jsonl(stream, Columns(text=sentence), formats.codec(encoding or "utf-8"))


def _delimited(file: File, sentence: str, encoding: str) -> Iterable[formats.Row]:
    """Read a CSV whatever separates its fields, in the encoding that its first bytes tell or that was named."""
    with opened(file) as (stream, _):
        data = stream.read(MOST_BYTES + 1)
    if data.startswith(b"PK\x03\x04"):
        raise SourceError("is a workbook, whatever its name; save the sheet as CSV UTF-8 and give that")
    told = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding or told)
    except LookupError as error:
        raise SourceError(f"{encoding!r} is no encoding; give one such as cp1252") from error
    except UnicodeError as error:
        line = data[: getattr(error, "start", 0)].count(b"\n") + 1
        raise SourceError(
            f"not {(encoding or told).upper()} in line {line}; save it as CSV UTF-8, or name its encoding: "
            "--encoding cp1252 is what Excel's plain CSV has in Western Europe"
        ) from error
    head = text.lstrip("\ufeff").partition("\n")[0]
    delimiter = max("\t;,", key=head.count)
    header = next(csv.reader([head.rstrip("\r")], delimiter=delimiter), [])
    name = next((there for there in header if key(there) == key(sentence)), sentence)
    plain = io.BytesIO(text.lstrip("\ufeff").encode())
    return formats.delimited(plain, Columns(text=name), "utf-8", delimiter)


_READERS: Final = {"parquet": _parquet, "jsonl": _json_lines, "csv": _delimited, "tsv": _delimited}
