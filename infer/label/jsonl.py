"""JSON lines in, readings out, as they come."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from detente.data.tables_io import formats
from detente.infer.label.labeler import Detente, Groups
from detente.infer.readings.document import Document

#: Bytes taken at once: what is waiting, up to this, is labelled together.
CHUNK = 1 << 18

#: Characters of the longest id that an error record carries.
MOST_OF_ID = 200


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that could not be read; its record takes the place of the readings."""

    line: int
    error: str
    id: Any = None

    def to_dict(self) -> dict[str, Any]:
        """Return the error record."""
        return {"id": self.id, "line": self.line, "error": self.error}


def label_lines(
    model: Detente,
    source: BinaryIO,
    sink: BinaryIO,
    *,
    include_none: bool = False,
    min_probability: float = 0.0,
    groups: Groups = True,
    explain: bool = False,
) -> tuple[int, int]:
    """Label the records of a stream (`Document.from_record`), one JSON line out per reading, flushed as they come.

    Args:
        model: the model.
        source: JSON lines in UTF-8; blank lines are passed over.
        sink: takes the readings in the order of the lines; a line that cannot be read gives one error record.
        include_none: as in `Detente.label`.
        min_probability: as in `Detente.label`.
        groups: as in `Detente.label`.
        explain: as in `Detente.label`.

    Returns:
        The number of lines read, and of those that were no record.
    """
    lines = errors = 0
    for waiting in _lines(source):
        records = [read_line(line, number) for number, line in waiting]
        documents = [record for record in records if isinstance(record, Document)]
        answers = model.label_many(
            documents, include_none=include_none, min_probability=min_probability, groups=groups, explain=explain
        )
        for record in records:
            rows = [record] if isinstance(record, Unreadable) else next(answers)
            sink.writelines(orjson.dumps(row.to_dict(), option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        sink.flush()
        lines += len(records)
        errors += len(records) - len(documents)
    return lines, errors


def read_line(line: bytes | None, number: int) -> Document | Unreadable:
    """Read one line.

    Args:
        line: the bytes of one record; None where it is too long.
        number: of the line, from 1.
    """
    if line is None:
        return Unreadable(number, formats.TOO_LONG)
    try:
        record = orjson.loads(line.removeprefix(codecs.BOM_UTF8) if number == 1 else line)
    except orjson.JSONDecodeError as error:
        return Unreadable(number, f"not JSON in UTF-8: {error}")
    try:
        return Document.from_record(record)
    except (TypeError, ValueError) as error:
        given = record.get("id") if isinstance(record, dict) else None
        known = (
            given if isinstance(given, int | float) or (isinstance(given, str) and len(given) <= MOST_OF_ID) else None
        )
        return Unreadable(number, str(error), known)


def _lines(source: BinaryIO) -> Iterator[list[tuple[int, bytes | None]]]:
    """Yield the numbered lines that are waiting; never wait for more before giving what is there.

    Of a line that is longer than any record may be nothing is held, and None is yielded.
    """
    number, begun, length = 0, bytearray(), 0
    while chunk := source.read1(CHUNK):  # type: ignore[attr-defined]  # every buffered stream has it
        *ended, rest = chunk.split(b"\n")
        if ended:
            is_too_long = length + len(ended[0]) > formats.LONGEST_RECORD
            lines = [None if is_too_long else bytes(begun + ended[0]), *ended[1:]]
            yield [(at, line) for at, line in enumerate(lines, number + 1) if line is None or line.strip()]
            number += len(lines)
            begun, length = bytearray(), 0
        length += len(rest)
        if length <= formats.LONGEST_RECORD:
            begun += rest
        else:
            begun.clear()
    if length > formats.LONGEST_RECORD or begun.strip():
        yield [(number + 1, None if length > formats.LONGEST_RECORD else bytes(begun))]
