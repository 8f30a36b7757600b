"""The rows of a table in a file: CSV as spreadsheets write it, JSON lines, Parquet.

Excel saves semicolons where a comma is the decimal mark, `sep=;` as a first line, UTF-16 with tabs as "Unicode text",
and Windows' own encoding as plain "CSV".
"""

import codecs
import csv
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from detente.data.tables_io.columns import SourceError
from detente.data.tables_io.files import find, opened

#: Bytes of the largest table or export that is read: a million labelled sentences.
MAX_BYTES: Final = 512 << 20

#: A row of a table by its line (of Parquet: its number), or why it can't be read.
TableRow = tuple[int, Mapping[str, Any] | ValueError]

_ENCODED_BY_MARK: Final = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}

#: What Excel's plain CSV has in Western Europe and America.
_WINDOWS: Final = "cp1252"

#: Share of the letters that are not ASCII in the accented text of Western Europe, at most; other scripts have more.
_MAX_ACCENTED: Final = 0.25

#: Signs within a word: the accented letters of another Windows encoding, such as the Polish cp1250.
_SIGN_IN_WORD: Final = re.compile(r"[^\W\d_][³¹²¼½¾¿¡¥¢£¤¦ª»«±¶µ]+[^\W\d_]")

_FIRST_CELL: Final = re.compile(r'"?sep=(.)"?\r?(?:\n|$)', re.IGNORECASE)

_WORKBOOK: Final = "is a workbook; save the sheet as CSV UTF-8 and give that"


class LabelsError(SourceError):
    """A table of labels, or an export, that can't be read; the message says where, what and what to do."""


def key(name: str) -> str:
    """Return a column's name as names are compared: in small letters, without blanks around it."""
    return name.strip().casefold()


def read_rows(file: Path, encoding: str = "") -> Iterator[TableRow]:
    """Yield the rows of a table by line; in Parquet, by their number.

    Args:
        file: CSV, TSV, JSON lines or Parquet, which may be compressed.
        encoding: encoding of the text; empty to go by its first bytes: a byte order mark, UTF-8, or cp1252 where it
            can be nothing else.

    Raises:
        LabelsError: the file can't be read as a table.
    """
    if file.is_dir():
        raise LabelsError(f"{file} is a folder; give the file")
    if not file.exists():
        raise LabelsError(f"{file}: there is no such file")
    if file.suffix.lower() in {".xlsx", ".xls", ".ods"}:
        raise LabelsError(f"{file} {_WORKBOOK}")
    try:
        (source,) = find(file).files
        if source.format == "parquet":
            yield from enumerate(pq.read_table(source.path).to_pylist(), 1)
            return
        with opened(source) as (stream, _):
            data = stream.read(MAX_BYTES + 1)
    except (SourceError, pa.ArrowException, OSError, EOFError, zlib.error) as error:
        raise LabelsError(f"{file}: {error}".replace(f"{file}: {file}", str(file))) from error
    text = decode(data, file, encoding)
    yield from _json_lines(text) if source.format == "jsonl" else csv_rows(text, file)


def load_bytes(file: Path) -> bytes:
    """Return the bytes of an export.

    Raises:
        LabelsError: there is no such file, or it is a folder, empty or too large.
    """
    if file.is_dir():
        raise LabelsError(f"{file} is a folder; give the files")
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise LabelsError(f"{file}: there is no such file") from error
    if not data.strip():
        raise LabelsError(f"{file} is empty")
    return data


def decode(data: bytes, file: Path, encoding: str = "") -> str:
    """Return the text of a file.

    Args:
        data: the file's bytes.
        file: the file, for messages.
        encoding: as in `read_rows`.

    Raises:
        LabelsError: it is too large, a workbook, or in another encoding.
    """
    if len(data) > MAX_BYTES:
        raise LabelsError(f"{file} has over {MAX_BYTES >> 20} MB; export it in parts")
    if data.startswith(b"PK\x03\x04"):
        raise LabelsError(f"{file} {_WORKBOOK}, whatever its name")
    codec = encoding or next((name for mark, name in _ENCODED_BY_MARK.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(codec)
    except LookupError:
        raise LabelsError(f"{encoding!r} is no encoding; give one such as utf-8 or cp1252") from None
    except UnicodeError as error:
        western = "" if encoding or codec != "utf-8" else _western(data)
        if not western:
            line = data[: getattr(error, "start", 0)].count(b"\n") + 1
            raise LabelsError(
                f"{file}: not {codec.upper()} in line {line}; save it as CSV UTF-8, or name its encoding, such as "
                "--encoding cp1250"
            ) from None
        text = western
    if "\0" in text:
        raise LabelsError(f"{file} has a NUL byte: not a table; save it as CSV UTF-8")
    return text.removeprefix("\ufeff")


def _western(data: bytes) -> str:
    """Return bytes read as cp1252 if they look like accented text of Western Europe, else nothing."""
    try:
        text = data.decode(_WINDOWS)
    except UnicodeError:
        return ""
    letters = sum(map(str.isalpha, text))
    accented = sum(letter.isalpha() and not letter.isascii() for letter in text)
    return "" if accented > _MAX_ACCENTED * letters or _SIGN_IN_WORD.search(text) else text


def csv_rows(text: str, file: Path) -> Iterator[TableRow]:
    """Yield the rows under the header of CSV; the header shows the delimiter, or a line `sep=;` before it.

    Args:
        text: the table's text; rows without any value are passed over.
        file: the file, for messages.

    Raises:
        LabelsError: the header can't be read, or names a column twice.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
    named = _FIRST_CELL.match(text)
    skipped = 1 if named else 0
    text = text[named.end() :] if named else text
    unquoted = re.sub(r'"[^"]*"', "", text.split("\n", 1)[0])
    delimiter = named[1] if named else max(",;\t", key=unquoted.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise LabelsError(f"{file}: the first line is no header: {error}") from error
    keys = [key(name) for name in header]
    if twice := {name for name in header if name and keys.count(key(name)) > 1}:
        raise LabelsError(f"{file}: the header names {', '.join(sorted(twice))} twice")
    while True:
        line = reader.line_num + 1 + skipped
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, ValueError(f"not CSV: {error}")
            continue
        if not any(value.strip() for value in fields):
            continue
        if len(fields) != len(header):
            hint = f"; a sentence with a {delimiter!r} in it must be in quotes" if len(fields) > len(header) else ""
            yield line, ValueError(f"{len(fields)} fields, the header has {len(header)}{hint}")
        else:
            yield line, dict(zip(header, fields, strict=True))


def _json_lines(text: str) -> Iterator[TableRow]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield number, ValueError(f"not JSON: {error}")
        else:
            yield number, row if isinstance(row, dict) else ValueError("not a JSON object")
