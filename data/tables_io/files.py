"""Find the files of a corpus in a fixed order, and open them with any compression."""

import gzip
import hashlib
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import pyarrow as pa

from detente.data.tables_io.columns import SourceError

STANDARD_INPUT: Final = "-"

#: Format by the extension of a file, without `.gz` and `.zst`.
ENDINGS: Final = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
    ".parquet": "parquet", ".pq": "parquet",
    ".txt": "text", ".text": "text", ".md": "text",
}  # fmt: skip
FORMATS: Final = tuple(dict.fromkeys(ENDINGS.values()))

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a corpus.

    Attributes:
        path: path; `-` for standard input.
        root: folder of the corpus, with a trailing slash; empty if the corpus is a single file.
        format: one of `FORMATS`.
        size: size on disk in bytes; 0 if unknown.
    """

    path: str
    root: str
    format: str
    size: int

    @property
    def name(self) -> str:
        """The name in readings and rejects: the path relative to the folder, or the file name."""
        if self.path == STANDARD_INPUT:
            return "stdin"
        return self.path.removeprefix(self.root).replace(os.sep, "/") if self.root else Path(self.path).name


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a corpus, in reading order.

    Attributes:
        files: one or more files.
        passed_over: number of files of unknown format in the folder.
        digest: hash of the files' names, sizes and modification times, which identifies the corpus.
    """

    files: list[File]
    passed_over: int
    digest: str

    @property
    def size(self) -> int:
        """Total size in bytes."""
        return sum(file.size for file in self.files)


def find(source: str | os.PathLike[str], form: str = "") -> Files:
    """Find the files of a corpus.

    Args:
        source: file, folder (searched recursively, in order of names, without hidden files and `_*`), or `-`.
        form: one of `FORMATS`, for files without a known extension.

    Raises:
        SourceError: the file doesn't exist, its format is unknown, or the folder has no readable file.
    """
    if form and form not in FORMATS:
        raise SourceError(f"{form!r} is not a format that can be read; those are {', '.join(FORMATS)}")
    path = os.fspath(source)
    if path == STANDARD_INPUT:
        if form == "parquet":
            raise SourceError("Parquet can't be read from standard input; give the file")
        return Files([File(path, "", form or "jsonl", 0)], 0, "standard input")
    digest = hashlib.sha256()
    files: list[File] = []
    passed_over = 0
    for path_, root in _walk(path):
        if not (kind := form or _format(path_)):
            passed_over += 1
            continue
        status = os.stat(path_)  # noqa: PTH116  (there may be a million of them)
        file = File(path_, root, kind, status.st_size if stat.S_ISREG(status.st_mode) else 0)
        digest.update(f"{file.name}\0{file.size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
        files.append(file)
    if not files:
        kinds = ", ".join(ENDINGS)
        fault = "holds no file whose name" if Path(path).is_dir() else "has a name that"
        raise SourceError(f"{path} {fault} ends in {kinds} (or these with .gz, .zst); say what it is with --from")
    return Files(files, passed_over, digest.hexdigest())


def _walk(path: str) -> Iterator[tuple[str, str]]:
    """Yield the files under a folder in a fixed order, or the path itself, each with its root."""
    if not Path(path).exists():
        raise SourceError(f"{path}: there is no such file or folder; give the path of a corpus, or -")
    if not Path(path).is_dir():
        yield path, ""
        return
    root = os.path.join(path, "")  # noqa: PTH118  (Path drops the slash)
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if not name.startswith((".", "_")):
                yield os.path.join(folder, name), root  # noqa: PTH118


def _format(path: str) -> str:
    name = path.lower()
    for ending in (".gz", ".zst"):
        name = name.removesuffix(ending)
    return ENDINGS.get(os.path.splitext(name)[1], "")  # noqa: PTH122


@contextmanager
def opened(file: File) -> Iterator[tuple[BinaryIO, Callable[[], int]]]:
    """Open a file as a byte stream, decompressed if its first bytes are those of gzip or zstd.

    Yields:
        The stream, and a function that returns the number of bytes read from disk so far.
    """
    if file.path == STANDARD_INPUT:
        yield _decompressed(cast("io.BufferedReader", sys.stdin.buffer)), int
        return
    with open(file.path, "rb", buffering=1 << 18) as raw:  # noqa: PTH123
        yield _decompressed(cast("io.BufferedReader", raw)), raw.tell


def _decompressed(raw: io.BufferedReader) -> BinaryIO:
    head = raw.peek(4)[:4]
    if head.startswith(_GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw))  # yields all data before a truncation
    if head == _ZSTD:
        stream: Any = pa.CompressedInputStream(raw, "zstd")
        return io.BufferedReader(stream, 1 << 16)
    return raw
