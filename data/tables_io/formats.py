"""What stands in a file, row by row: JSON lines, CSV, TSV, Parquet and texts."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import count
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final, Self

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detente.data.tables_io.columns import Columns, SourceError

#: Bytes (of Parquet: characters) of the longest record that is read; a longer one is a reject.
LONGEST_RECORD: Final = 64 << 20

TOO_LONG: Final = f"longer than {LONGEST_RECORD >> 20} MB"

#: Bytes of Parquet that are taken into memory at once, by the average of their rows.
_AT_ONCE: Final = 4 << 20

#: Lines of the longest row of CSV.
_MOST_LINES: Final = 1_000_000

#: Stands for a line that is too long. A quotation mark that opens nowhere is an error to the reader in every state.
_NO_ROW: Final = '"x"x'

_DAY_IN_NAME = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)(?!\d)")

#: A line or row by its number from 1, and what stands there or why that can't be read.
Row = tuple[int, tuple[Columns, Mapping[str, Any]] | ValueError]


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | ValueError]]:
    """Yield the lines with their numbers, blank ones too; of one that is too long only that it is."""
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
        SourceError: it is a JSON array.
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
    """Yield the rows under the header of CSV or TSV, quoted as in RFC 4180.

    Raises:
        SourceError: the header lacks a column, or names one twice.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_RECORD))
    lines = _Lines(stream, encoding)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = next(rows, None)
    except csv.Error as error:
        raise SourceError(f"the first line is no header: {error}") from error
    if header is None:
        return
    if twice := {name for name in header if name and header.count(name) > 1}:
        raise SourceError(f"the header names {', '.join(sorted(twice))[:200]} twice")
    chosen = columns.among(header)
    while True:
        lines.of_row.clear()
        number = lines.number + 1
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            first, *swallowed = lines.of_row
            if _are_rows(swallowed, len(header), delimiter):
                lines.put_back(swallowed)
                swallowed = []
            end = f", up to line {lines.number}" if swallowed else ""
            yield number, ValueError(TOO_LONG if first is _NO_ROW else f"not CSV: {error}{end}")
            continue
        if len(fields) != len(header):
            if fields:
                yield number, ValueError(f"{len(fields)} fields, the header has {len(header)}")
        elif any(map(_is_broken, fields)):
            yield number, ValueError(f"not {encoding.upper()}; give its encoding with --encoding")
        else:
            yield number, (chosen, dict(zip(header, fields, strict=True)))


class _Lines:
    """The lines of CSV, decoded; those of the row that is being read can be put back.

    Attributes:
        number: of lines read.
        of_row: those since it was last cleared.
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self.number = 0
        self.of_row: list[str] = []
        self._lines = _lines(stream)
        self._encoding = encoding
        self._again: deque[str] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._decoded()
        self.number += 1
        self.of_row.append(line)
        return line if len(self.of_row) <= _MOST_LINES else _NO_ROW

    def put_back(self, lines: Sequence[str]) -> None:
        """Give the last lines once more."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)

    def _decoded(self) -> str:
        _, line = next(self._lines)
        # Stray bytes become surrogates, so that the fault is that of one record.
        return _NO_ROW if isinstance(line, ValueError) else line.decode(self._encoding, "surrogateescape")


def _are_rows(lines: Sequence[str], fields: int, delimiter: str) -> bool:
    """Return whether most lines are rows by themselves: a quotation mark that nothing closed has swallowed them.

    Those of an article that is cut short are not, or seldom.
    """
    with_text = [line for line in lines if line.strip()]
    return fields > 1 and 2 * sum(line.count(delimiter) + 1 == fields for line in with_text) > len(with_text)


def opened_parquet(path: str) -> pq.ParquetFile:
    """Open Parquet so that texts stay in its dictionaries: a few kilobytes may say a long one many times."""
    meta = pq.read_metadata(path)
    columns = [meta.schema.column(number) for number in range(meta.num_columns)]
    texts = [
        column.path
        for column in columns
        if column.physical_type == "BYTE_ARRAY"
        and column.logical_type.type in ("STRING", "NONE")
        and not column.max_repetition_level
    ]
    # A buffer in place of whole column chunks: a file may be one row group.
    return pq.ParquetFile(path, metadata=meta, read_dictionary=texts, pre_buffer=False, buffer_size=1 << 20)


def parquet(file: pq.ParquetFile, columns: Columns) -> Iterator[Row]:
    """Yield the rows of Parquet, of the columns that count only.

    Raises:
        SourceError: a column is missing or nested.
    """
    nested = {field.name: field.type for field in file.schema_arrow if pa.types.is_nested(field.type)}
    asked = {name.split(".")[0] for name in asdict(columns).values()}
    try:
        # What is nested can be named but isn't guessed at.
        chosen = columns.among([name for name in file.schema_arrow.names if name not in nested or name in asked])
    except SourceError as error:
        hint = f"; of a nested column ({', '.join(nested)}) name a field, as in column.field"
        raise SourceError(f"{error}{hint if nested else ''}") from error
    if chosen.text in nested:
        raise SourceError(f"the column {chosen.text} is nested ({nested[chosen.text]}); name a field of it")
    wanted = sorted({name for name in asdict(chosen).values() if name})
    meta = file.metadata
    size = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
    at_once = max(1, min(4096, _AT_ONCE * meta.num_rows // max(1, size)))
    batches = file.iter_batches(batch_size=at_once, columns=wanted, use_threads=False)
    for number, row in enumerate((row for batch in batches for part in _slices(batch) for row in _dicts(part)), 1):
        yield number, row if isinstance(row, ValueError) else (chosen, row)


def _slices(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch where its rows' texts, taken out of their dictionaries, fill `_AT_ONCE`."""
    ends = np.cumsum(sum((_lengths(column) for column in batch.columns), np.zeros(batch.num_rows, np.int64)))
    start = 0
    while start < batch.num_rows:
        limit = _AT_ONCE + (ends[start - 1] if start else 0)
        stop = max(start + 1, int(np.searchsorted(ends, limit, "right")))
        yield batch.slice(start, stop - start)
        start = stop


def _lengths(column: pa.Array) -> "np.typing.NDArray[np.int64]":
    """Return the bytes of each row's text, 0 where there is none."""
    if pa.types.is_struct(column.type):
        return sum(map(_lengths, column.flatten()), np.zeros(len(column), np.int64))
    if not pa.types.is_dictionary(column.type):
        return np.zeros(len(column), np.int64)
    lengths = pc.binary_length(column.dictionary).take(column.indices)
    return np.asarray(lengths.fill_null(0), np.int64)


def text(stream: BinaryIO, name: str, encoding: str) -> Row:
    """Return a whole text; the date is one that its name holds (`2021-03-10`), the source its folder."""
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
    """Return a batch's rows; where one isn't UTF-8, the others all the same."""
    try:
        return batch.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError as error:
        if batch.num_rows == 1:
            return [ValueError(f"not UTF-8: {error.reason}")]
        return [row for at in range(batch.num_rows) for row in _dicts(batch.slice(at, 1))]


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
    """Return an encoding's usual name.

    Raises:
        SourceError: there is no such encoding, or a line's end isn't one byte in it.
    """
    try:
        name = codecs.lookup(encoding).name
        same = "\n".encode(name) == b"\n"
    except (LookupError, TypeError) as error:
        raise SourceError(f"{encoding!r} is no encoding of text; give one such as utf-8, cp1252 or latin-1") from error
    if not same:
        raise SourceError(f"{encoding} can't be read line by line; convert it: iconv -f {encoding} -t UTF-8")
    return name
