"""Read the rows of JSON lines, CSV, TSV, Parquet and text files."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import count
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from detente.data.tables_io.columns import Columns, SourceError

#: Size limit of a record in bytes (in Parquet: characters); longer records are rejected.
LONGEST_RECORD: Final = 64 << 20

TOO_LONG: Final = f"longer than {LONGEST_RECORD >> 20} MB"

#: Target size of a Parquet batch in bytes, estimated from the mean size of a row.
_BATCH_BYTES: Final = 4 << 20

_DAY_IN_NAME = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)(?!\d)")

#: The number of a line or row, from 1, and its content or the reason why it can't be read.
Row = tuple[int, tuple[Columns, Mapping[str, Any]] | ValueError]


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | ValueError]]:
    """Yield all lines with their numbers; a line that is too long is an error."""
    for number in count(1):
        line = stream.readline(LONGEST_RECORD + 1)
        if not line:
            return
        if len(line) <= LONGEST_RECORD:
            yield number, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(1 << 20)
        yield number, ValueError(TOO_LONG)


def jsonl(stream: BinaryIO, columns: Columns, encoding: str) -> Iterator[Row]:
    """Yield the records of JSON lines.

    Raises:
        SourceError: the file is a JSON array.
    """
    for number, line in _lines(stream):
        if isinstance(line, ValueError):
            yield number, line
        elif stripped := line.strip():
            if number == 1 and stripped == b"[":
                raise SourceError("a JSON array, not JSON lines; convert it: jq -c '.[]' FILE")
            try:
                row = orjson.loads(stripped if encoding == "utf-8" else _decode(stripped, encoding))
            except orjson.JSONDecodeError as error:
                yield number, ValueError(f"not JSON in UTF-8: {error}" if encoding == "utf-8" else f"not JSON: {error}")
            except ValueError as error:
                yield number, error
            else:
                yield number, _object(row, columns)


def _object(row: Any, columns: Columns) -> tuple[Columns, Mapping[str, Any]] | ValueError:
    if not isinstance(row, dict):
        return ValueError(f"a record must be a JSON object, not {type(row).__name__}")
    try:
        return columns.among(tuple(row), optional=True), row
    except SourceError as error:
        return error


def delimited(stream: BinaryIO, columns: Columns, encoding: str, delimiter: str) -> Iterator[Row]:
    """Yield the rows of CSV or TSV with a header, quoted as in RFC 4180.

    Raises:
        SourceError: the header lacks a column, or has duplicates.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_RECORD))
    too_long = False

    def decoded_lines() -> Iterator[str]:
        nonlocal too_long
        for _, line in _lines(stream):
            too_long = isinstance(line, ValueError)
            # Invalid bytes become surrogates, so that only their record is rejected. A stray quote is an error in any
            # state of the csv reader.
            yield '"x"x' if isinstance(line, ValueError) else line.decode(encoding, "surrogateescape")

    rows = csv.reader(decoded_lines(), delimiter=delimiter, strict=True)
    try:
        header = next(rows, None)
    except csv.Error as error:
        raise SourceError(f"the first line is no header: {error}") from error
    if header is None:
        return
    if duplicates := {name for name in header if name and header.count(name) > 1}:
        raise SourceError(f"the header names {', '.join(sorted(duplicates))} twice")
    chosen = columns.among(header)
    while True:
        number = rows.line_num + 1
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, ValueError(TOO_LONG if too_long else f"not CSV: {error}")
            continue
        if len(fields) != len(header):
            if fields:
                yield number, ValueError(f"{len(fields)} fields, the header has {len(header)}")
        elif any(map(_is_broken, fields)):
            yield number, ValueError(f"not {encoding.upper()}; give its encoding with --encoding")
        else:
            yield number, (chosen, dict(zip(header, fields, strict=True)))


def parquet(file: pq.ParquetFile, columns: Columns) -> Iterator[Row]:
    """Yield the rows of Parquet, reading only the columns of a document.

    Raises:
        SourceError: a column is missing or nested.
    """
    nested = {field.name: field.type for field in file.schema_arrow if pa.types.is_nested(field.type)}
    configured = {name.split(".")[0] for name in asdict(columns).values()}
    try:
        # Nested columns can be configured but aren't detected.
        chosen = columns.among([name for name in file.schema_arrow.names if name not in nested or name in configured])
    except SourceError as error:
        hint = f"; of a nested column ({', '.join(nested)}) name a field, as in column.field"
        raise SourceError(f"{error}{hint if nested else ''}") from error
    if chosen.text in nested:
        raise SourceError(f"the column {chosen.text} is nested ({nested[chosen.text]}); name a field of it")
    wanted = sorted({name for name in asdict(chosen).values() if name})
    meta = file.metadata
    size = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
    batch_size = max(1, min(4096, _BATCH_BYTES * meta.num_rows // max(1, size)))
    batches = file.iter_batches(batch_size=batch_size, columns=wanted, use_threads=False)
    for number, row in enumerate((row for batch in batches for row in _dicts(batch)), 1):
        yield number, row if isinstance(row, ValueError) else (chosen, row)


def text(stream: BinaryIO, name: str, encoding: str) -> Row:
    """Return a text file as one row; a date in its name (`2021-03-10`) is its date, its folder the source."""
    data = stream.read(LONGEST_RECORD + 1)
    if len(data) > LONGEST_RECORD:
        return 1, ValueError(TOO_LONG)
    try:
        article = _decode(data.removeprefix(codecs.BOM_UTF8), encoding)
    except ValueError as error:
        return 1, error
    if "\0" in article:
        return 1, ValueError("has a NUL byte: not a text, or UTF-16")
    path = PurePosixPath(name)
    day = _DAY_IN_NAME.search(path.name)
    source = str(path.parent) if path.parent.name else None
    row = {"text": article, "id": name, "date": day and day[1], "source": source}
    return 1, (Columns("text", "id", "date", "", "source"), row)


def _dicts(batch: pa.RecordBatch) -> Iterable[Mapping[str, Any] | ValueError]:
    """Return a batch's rows, with an error in place of each row that isn't UTF-8."""
    try:
        return batch.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError as error:
        if batch.num_rows == 1:
            return [ValueError(f"not UTF-8: {error.reason}")]
        return [row for index in range(batch.num_rows) for row in _dicts(batch.slice(index, 1))]


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        byte = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise ValueError(f"not {encoding.upper()} ({byte}); give its encoding with --encoding") from None


def _is_broken(field: str) -> bool:
    try:
        field.encode()
    except UnicodeEncodeError:
        return True
    return False


def codec(encoding: str) -> str:
    """Return the canonical name of an encoding.

    Raises:
        SourceError: the encoding is unknown, or doesn't encode a line feed as one byte.
    """
    try:
        name = codecs.lookup(encoding).name
        ascii_newline = "\n".encode(name) == b"\n"
    except (LookupError, TypeError) as error:
        raise SourceError(f"{encoding!r} is no encoding of text; give one such as utf-8, cp1252 or latin-1") from error
    if not ascii_newline:
        raise SourceError(f"{encoding} can't be read line by line; convert it: iconv -f {encoding} -t UTF-8")
    return name
