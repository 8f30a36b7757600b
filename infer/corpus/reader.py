"""The records of a corpus: JSON lines, CSV, TSV, Parquet or texts, in a fixed order, what can't be read told apart.

No more than a record or a few megabytes is in memory at a time, however large the corpus.
"""

import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import pyarrow as pa

from detente.data.tables_io import formats
from detente.data.tables_io.columns import Columns, SourceError, pick
from detente.data.tables_io.files import File, Files, find, opened
from detente.infer.corpus import dates
from detente.infer.readings.document import Document

_UNREADABLE: Final = (EOFError, OSError, zlib.error, pa.ArrowException)


@dataclass(frozen=True, slots=True)
class Record:
    """A record that can be labelled.

    Attributes:
        document: what is labelled.
        date: ISO 8601, as exact as it was given; None where unknown.
        source: the outlet; None where unknown.
        file: where it stands.
        line: of it, from 1, where the record begins; the row in Parquet.
    """

    document: Document
    date: str | None
    source: str | None
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Reject:
    """A record, or the rest of a file, that can't be read.

    Attributes:
        file: where it stands.
        line: of it, from 1; the row in Parquet.
        reason: why.
    """

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two records of a corpus.

    Attributes:
        file: number of the file.
        record: number of its records and rejects that stand before.
        check: CRC-32 of these.
    """

    file: int = 0
    record: int = 0
    check: int = 0


class Corpus:
    """A corpus to read, once or from a cursor on.

    Args:
        source: a file, a folder or `-`.
        columns: the names of its columns, see `Columns`.
        form: the files' format where their names don't tell; one of `files.FORMATS`.
        encoding: of its text.
        date_form: of `strptime`, for dates that can be read in several ways.

    Attributes:
        found: the files.
        position: bytes on disk read so far, of `found.size`.

    Raises:
        SourceError: there is no such corpus, or an argument can't be.
    """

    def __init__(
        self,
        source: str | os.PathLike[str],
        *,
        columns: Columns | None = None,
        form: str = "",
        encoding: str = "utf-8",
        date_form: str = "",
    ) -> None:
        self.columns = columns or Columns()
        self.encoding = formats.codec(encoding)
        self.date_form = date_form
        self._source, self._form = source, form
        self.found: Files = find(source, form)
        self.position = 0
        self._tell: Callable[[], int] = int

    def identity(self) -> dict[str, Any]:
        """Return what says whether this is the same corpus, read in the same way."""
        return {
            "files": len(self.found.files),
            "bytes": self.found.size,
            "digest": self.found.digest,
            "columns": {what: name for what, name in asdict(self.columns).items() if name},
            "encoding": self.encoding,
            "date_form": self.date_form,
        }

    def read(self, start: Cursor = Cursor()) -> Iterator[tuple[Cursor, Record | Reject]]:
        """Yield the records and rejects that stand behind a cursor, each with the cursor after it.

        Raises:
            SourceError: what stands before the cursor isn't what stood there, or the first file lacks a column.
            OSError: a file can't be opened.
        """
        files = self.found.files
        before = sum(file.size for file in files[: start.file])
        for number, file in enumerate(files[start.file :], start.file):
            known = start if number == start.file else Cursor(number)
            done = check = 0
            for entry in self._entries(file, is_first=number == 0):
                done, check = done + 1, _check(entry, check)
                if done > known.record:
                    self.position = before + self._tell()
                    yield Cursor(number, done, check), entry
                elif done == known.record and check != known.check:
                    raise SourceError(f"{file.name} isn't what it was when this run began; give another output folder")
            if done < known.record:
                raise SourceError(f"{file.name} has fewer records than when this run began; give another output folder")
            before += file.size
        self.position = before

    def check_unchanged(self) -> None:
        """Make sure that the files are those that were found at first; of standard input that can't be known.

        Raises:
            SourceError: a file was changed, replaced, added or taken away.
        """
        before = {file.path: file for file in self.found.files}
        try:
            after = {file.path: file for file in find(self._source, self._form).files}
        except SourceError:  # nothing is left
            after = {}
        for path in (*before, *after):
            if before.get(path) != after.get(path):
                what = "was added" if path not in before else "has gone" if path not in after else "was changed"
                raise SourceError(f"{path} {what} while it was read; score the corpus anew into another output folder")

    def _entries(self, file: File, *, is_first: bool) -> Iterator[Record | Reject]:
        if file.fault:
            yield Reject(file.name, 1, file.fault)
            return
        line = 0
        try:
            for line, row in self._rows(file):
                try:
                    if isinstance(row, ValueError):
                        raise row
                    yield self._record(file, line, *row)
                except (TypeError, ValueError) as error:
                    yield Reject(file.name, line, str(error))
        except SourceError as error:
            # A corpus that begins with it was asked for wrongly; later on it is one bad file among many.
            if is_first:
                raise SourceError(f"{file.path}: {error}") from error
            yield Reject(file.name, 1, str(error))
        except _UNREADABLE as error:
            if isinstance(error, OSError) and error.errno:  # the disk's fault: the run may go on later
                raise
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            yield Reject(file.name, line + 1, f"from here on the file can't be read: {reason}")

    def _rows(self, file: File) -> Iterator[formats.Row]:
        try:
            if file.format == "parquet":
                yield from self._parquet(file)
                return
            with opened(file) as (stream, self._tell):
                if file.format == "jsonl":
                    yield from formats.jsonl(stream, self.columns, self.encoding)
                elif file.format == "text":
                    yield formats.text(stream, file.name, self.encoding)
                else:
                    delimiter = "\t" if file.format == "tsv" else ","
                    yield from formats.delimited(stream, self.columns, self.encoding, delimiter)
        finally:
            self._tell = lambda: file.size

    def _parquet(self, file: File) -> Iterator[formats.Row]:
        with formats.opened_parquet(file.path) as parquet:
            number = 0
            self._tell = lambda: file.size * number // max(1, parquet.metadata.num_rows)
            for number, row in formats.parquet(parquet, self.columns):
                yield number, row

    def _record(self, file: File, line: int, columns: Columns, row: Mapping[str, Any]) -> Record:
        text = pick(row, columns.text)
        if text is None or text == "":
            raise ValueError(f"no text in {columns.text!r}")
        if isinstance(text, str) and len(text) > formats.LONGEST_RECORD:
            raise ValueError(formats.TOO_LONG)
        names = (columns.id, columns.title, columns.source, columns.speaker)
        given, title, source, speaker = (pick(row, name) for name in names)
        date = dates.iso(pick(row, columns.date), self.date_form)
        parts = {
            "text": text,
            "date": date,
            "title": title,
            "id": f"{file.name}:{line}" if given in (None, "") else given,
            "speaker": None if speaker in (None, "") else speaker,
            "dyads": row.get("dyads") if file.format == "jsonl" else None,
        }
        document = Document.from_record(parts)
        return Record(document, date, None if source in (None, "") else str(source), file.name, line)


def _check(entry: Record | Reject, check: int) -> int:
    if isinstance(entry, Reject):
        return zlib.crc32(str(entry).encode("utf-8", "backslashreplace"), check)
    document = entry.document
    head = f"{document.id}\0{entry.date}\0{entry.source}\0{document.title}\0{document.speaker}\0"
    return zlib.crc32(document.text.encode(), zlib.crc32(head.encode("utf-8", "backslashreplace"), check))
