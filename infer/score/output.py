"""A folder of parts that a run can be stopped in at any moment, and go on from.

A part is written to a temporary file, which is then renamed; what was rejected in it is appended to `_rejects.jsonl`;
and only a line in `_manifest.jsonl` makes both count. What a killed run left that its manifest doesn't name is taken
away when the run is started again, and is made anew from the same records. Readers of folders of Parquet pass over
names that begin with an underscore.
"""

import hashlib
import io
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Final, Self

import filelock
import orjson
import pyarrow as pa

from detente._files import sha256
from detente.infer.corpus.reader import Cursor, Reject
from detente.infer.readings.table import SCHEMA, SCHEMA_VERSION, WRITERS, Writer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

MANIFEST: Final = "_manifest.jsonl"
REJECTS: Final = "_rejects.jsonl"

_LOCK: Final = "_lock"
_UNFINISHED: Final = "_unfinished.tmp"

#: What `REJECTS` was called before; `pandas.read_parquet` took it for a part.
_EARLIER_REJECTS: Final = "rejects.jsonl"

_PART = re.compile(r"part-\d{5,}\.\w+")


class OutputError(ValueError):
    """A folder that can't be written to; the message says why, and what to do."""


@dataclass(slots=True)
class Totals:
    """What the parts hold together.

    Attributes:
        parts: number of files.
        records: read, rejects included.
        rejected: of these, those that can't be read.
        readings: rows.
    """

    parts: int = 0
    records: int = 0
    rejected: int = 0
    readings: int = 0

    @property
    def documents(self) -> int:
        """Records that were labelled."""
        return self.records - self.rejected


class _Digested(io.FileIO):
    """A new file whose SHA-256 is taken from what is written, not from what a disk gives back."""

    def __init__(self, file: Path) -> None:
        super().__init__(file, "w")
        self.sha256 = hashlib.sha256()

    def write(self, data: "ReadableBuffer") -> int:
        """Write bytes at the end."""
        written = super().write(data)
        self.sha256.update(memoryview(data).cast("B")[:written])
        return written


@dataclass(slots=True)
class _Part:
    """A part that is being written."""

    file: _Digested
    stream: IO[bytes]
    writer: Writer
    rejects: list[bytes] = field(default_factory=list)
    records: int = 0
    readings: int = 0


class Output:
    """The folder of a run, held by one process at a time.

    Args:
        folder: made where it isn't there.
        form: of the parts, a key of `rows.WRITERS`.
        run: what the rows depend on; a folder with parts of another run is refused.
        metadata: for the parts, where their format has a place for it.
        schema: of the rows.

    Attributes:
        totals: of the parts that count.
        cursor: place in the corpus behind the last of them.
        done: whether the run came to its end.

    Raises:
        OutputError: the folder can't be written, is in use, or holds something else.
    """

    def __init__(
        self,
        folder: Path,
        form: str,
        run: Mapping[str, Any],
        metadata: Mapping[str, str] | None = None,
        schema: pa.Schema = SCHEMA,
    ) -> None:
        self.folder = folder
        self.form = form
        self.totals = Totals()
        self.cursor = Cursor()
        self.done = False
        self._schema = schema
        self._metadata = {"detente.schema": SCHEMA_VERSION, **(metadata or {})}
        self._part: _Part | None = None
        with self._explained():
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / MANIFEST).exists() and any(file.name != _LOCK for file in folder.iterdir()):
                raise OutputError(f"{folder} isn't empty and holds no run of `detente score`; give a new folder")
            self._lock = _held(folder)
            try:
                self._manifest = (folder / MANIFEST).open("a+b")
                try:
                    self._recover({"run": {"schema": SCHEMA_VERSION, "format": form, **run}})
                except BaseException:
                    self._manifest.close()
                    raise
            except BaseException:
                self._lock.release()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let go of the folder; a part that wasn't committed is lost."""
        with suppress(OSError):  # on a full disk nothing more can be written, and nothing more needs to be
            if self._part is not None:
                self._part.writer.abandon()
                self._part.stream.close()
        with suppress(OSError, OutputError):
            self._check_folder()
            (self.folder / _UNFINISHED).unlink(missing_ok=True)
        with suppress(OSError):
            self._manifest.close()
        with suppress(OSError):
            self._lock.release()

    def add(self, batches: Iterable[pa.RecordBatch], rejects: Iterable[tuple[int, Reject]], records: int) -> None:
        """Add rows to the part that is being written.

        Args:
            batches: of the schema.
            rejects: each with its number in the corpus.
            records: number of records that end in what is added, rejects included.
        """
        with self._explained():
            part = self._open()
            for batch in batches:
                part.readings += batch.num_rows
                part.writer.write([batch])
            part.rejects += [_line({"document": number, **asdict(reject)}) for number, reject in rejects]
            part.records += records

    def commit(self, cursor: Cursor) -> None:
        """Make the part that is being written count.

        Args:
            cursor: place in the corpus behind its last record.
        """
        with self._explained():
            self._check_folder()
            part = self._open()
            name = f"part-{self.totals.parts:05}.{self.form}"
            part.writer.close()
            _to_disk(part.stream)
            size = part.stream.tell()
            part.stream.close()
            (self.folder / _UNFINISHED).replace(self.folder / name)
            rejects = 0
            if part.rejects or (self.folder / REJECTS).exists():
                with (self.folder / REJECTS).open("ab") as stream:
                    stream.writelines(part.rejects)
                    _to_disk(stream)
                    rejects = stream.tell()
            _folder_to_disk(self.folder)
            entry = {
                "part": name,
                "bytes": size,
                "sha256": part.file.sha256.hexdigest(),
                "records": part.records,
                "rejected": len(part.rejects),
                "readings": part.readings,
                "cursor": asdict(cursor),
                "rejects_bytes": rejects,
            }
            self._write(entry)
            self._count(entry)
            self._part = None

    def finish(self) -> None:
        """Note that the corpus came to its end."""
        with self._explained():
            self._write({"done": asdict(self.totals)})
        self.done = True

    def so_far(self) -> Totals:
        """Return the totals with the part that is being written."""
        part, known = self._part, self.totals
        if part is None:
            return replace(known)
        return Totals(
            known.parts,
            known.records + part.records,
            known.rejected + len(part.rejects),
            known.readings + part.readings,
        )

    def first_reject(self) -> str:
        """Return the first reject that counts: where it stands, and why."""
        with (self.folder / REJECTS).open("rb") as stream:
            reject = orjson.loads(stream.readline())
        return str(Reject(reject["file"], reject["line"], reject["reason"]))

    def _open(self) -> _Part:
        if self._part is None:
            file = _Digested(self.folder / _UNFINISHED)
            stream = io.BufferedWriter(file)
            self._part = _Part(file, stream, WRITERS[self.form](stream, self._metadata, self._schema))
        return self._part

    def _recover(self, header: dict[str, Any]) -> None:
        """Read the manifest, and take away all that it doesn't vouch for."""
        self._manifest.seek(0)
        data = self._manifest.read()
        whole = data[: data.rfind(b"\n") + 1]
        try:
            known, *entries = [orjson.loads(line) for line in whole.splitlines()] or [header]
        except orjson.JSONDecodeError as error:
            raise OutputError(f"{self.folder / MANIFEST} was changed ({error}); give another folder") from error
        parts = [entry for entry in entries if "part" in entry]
        if known != header:
            if any(entry["records"] > entry["rejected"] for entry in parts):
                raise OutputError(f"{self.folder} holds another run: {_difference(known, header)}; {_REFUSED}")
            whole, parts, entries = b"", [], []  # nothing was read under the other settings: not worth keeping
        if (self.folder / _EARLIER_REJECTS).exists():
            (self.folder / _EARLIER_REJECTS).replace(self.folder / REJECTS)
        rejects = 0
        for entry in parts:
            _check_part(self.folder / entry["part"], entry)
            self._count(entry)
            rejects = entry["rejects_bytes"]
        self.done = any("done" in entry for entry in entries)
        names = {entry["part"] for entry in parts}
        for file in self.folder.iterdir():
            if file.name == _UNFINISHED or (_PART.fullmatch(file.name) and file.name not in names):
                file.unlink()
        if (self.folder / REJECTS).exists() and (self.folder / REJECTS).stat().st_size > rejects:
            os.truncate(self.folder / REJECTS, rejects)
        if len(whole) < len(data):
            self._manifest.truncate(len(whole))
        if not whole:
            self._write(header)

    def _count(self, entry: Mapping[str, Any]) -> None:
        self.totals.parts += 1
        self.totals.records += entry["records"]
        self.totals.rejected += entry["rejected"]
        self.totals.readings += entry["readings"]
        self.cursor = Cursor(**entry["cursor"])

    def _check_folder(self) -> None:
        """Make sure that the folder is still the one that this run holds."""
        try:
            same = os.path.samestat(os.fstat(self._manifest.fileno()), (self.folder / MANIFEST).stat())
        except FileNotFoundError:
            same = False
        if not same:
            raise OutputError(
                f"{self.folder} was moved, deleted or made again while this run wrote to it; give another folder"
            )

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._check_folder()
        self._manifest.write(_line(entry))
        _to_disk(self._manifest)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.folder} can't be written: {error.strerror or error}; "
                "put that right and run the same command again: it goes on from what is there"
            ) from error


_REFUSED = "give another output folder, or delete this one to begin again"


def _line(record: Mapping[str, Any]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _to_disk(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _folder_to_disk(folder: Path) -> None:
    """Make renamed files survive a loss of power, where the system can."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _held(folder: Path) -> filelock.BaseFileLock:
    """Hold a folder until the lock is released or the process ends, however it ends."""
    lock = filelock.FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise OutputError(f"another run is writing to {folder}; wait for it or give another folder") from error
    return lock


def _check_part(file: Path, entry: Mapping[str, Any]) -> None:
    """Make sure that a part is what was written; earlier versions didn't note its size and digest.

    Raises:
        OutputError: it is missing, or was changed.
    """
    if not file.is_file():
        raise OutputError(f"{file} is missing, though it was written; {_REFUSED}")
    known = entry.get("bytes"), entry.get("sha256")
    if known[1] is not None and (file.stat().st_size, sha256(file)) != known:
        raise OutputError(f"{file} was changed or cut short since it was written; {_REFUSED}")


def _difference(known: Any, given: Any, name: str = "") -> str:
    """Say where two records of settings differ first."""
    if isinstance(known, dict) and isinstance(given, dict):
        for key in {**known, **given}:
            if known.get(key) != given.get(key):
                return _difference(known.get(key), given.get(key), key)
    return f"its {name} was {known!r}, now it is {given!r}"
