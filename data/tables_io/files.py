"""The files of a corpus: found in a fixed order, and opened whatever they are compressed with."""

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
from typing import Any, BinaryIO, Final, NoReturn, cast

import pyarrow as pa

from detente._files import readable
from detente.data.tables_io.columns import SourceError

STANDARD_INPUT: Final = "-"

#: Formats by the ending of a file's name, `.gz` and `.zst` taken off.
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
        path: where it is; `-` for standard input.
        root: the folder that it was found in, ending in a slash; empty where the file itself was given.
        format: one of `FORMATS`.
        size: bytes on disk, 0 where unknown.
        changed: when its content last changed, in nanoseconds since 1970; 0 where unknown.
        inode: which file of the disk it is; 0 where unknown.
        fault: why it can't be read; empty where nothing is known against it.
    """

    path: str
    root: str
    format: str
    size: int
    changed: int = 0
    inode: int = 0
    fault: str = ""

    @property
    def name(self) -> str:
        """What readings and rejects call it: its path in the folder, or its name."""
        if self.path == STANDARD_INPUT:
            return "stdin"
        return readable(self.path.removeprefix(self.root).replace(os.sep, "/") if self.root else Path(self.path).name)


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a corpus, in the order in which they are read.

    Attributes:
        files: at least one.
        passed_over: number of files in the folder that are of no known kind.
        digest: of the files' names, sizes and times of change: another digest is another corpus.
    """

    files: list[File]
    passed_over: int
    digest: str

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def find(source: str | os.PathLike[str], form: str = "") -> Files:
    """Find the files of a corpus.

    Args:
        source: a file, a folder (read with those in it, by name; hidden files and `_*` are left alone), or `-`.
        form: one of `FORMATS`, for files whose names don't tell; a pipe (`<(zcat …)`) is else JSON lines, as is `-`.

    Raises:
        SourceError: there is no such file, its format isn't known, or the folder holds none.
        OSError: a folder can't be read.
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
        if not (kind := form or _format(path_) or ("" if root or Path(path_).is_file() else "jsonl")):
            passed_over += 1
            continue
        file = _file(path_, root, kind)
        digest.update(f"{file.name}\0{file.size}\0{file.changed}\n".encode())
        files.append(file)
    if not files:
        kinds = ", ".join(ENDINGS)
        what = "holds no file whose name" if Path(path).is_dir() else "has a name that"
        raise SourceError(f"{path} {what} ends in {kinds} (or these with .gz, .zst); say what it is with --from")
    return Files(files, passed_over, digest.hexdigest())


def _file(path: str, root: str, kind: str) -> File:
    try:
        status = os.stat(path)  # noqa: PTH116  (there may be a million of them)
    except FileNotFoundError:
        return File(path, root, kind, 0, fault="a link that leads nowhere")
    if stat.S_ISREG(status.st_mode):
        return File(path, root, kind, status.st_size, status.st_mtime_ns, status.st_ino)
    if root:  # nobody asked for it, and whoever opens it may wait forever
        return File(path, root, kind, 0, fault="no regular file, but a pipe, a socket or a device")
    if kind == "parquet":
        raise SourceError(f"{path}: Parquet can't be read from a pipe; give the file")
    return File(path, root, kind, 0)


def _walk(path: str) -> Iterator[tuple[str, str]]:
    """Yield the paths under a folder in a fixed order, or the path itself, each with its root."""
    if not Path(path).exists():
        raise SourceError(f"{path}: there is no such file or folder; give the path of a corpus, or -")
    if not Path(path).is_dir():
        yield path, ""
        return
    root = os.path.join(path, "")  # noqa: PTH118  (Path drops the slash)
    for folder, folders, names in os.walk(path, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if not name.startswith((".", "_")):
                yield os.path.join(folder, name), root  # noqa: PTH118


def _raise(error: OSError) -> NoReturn:
    """Stop at a folder that can't be read, which would else be passed over in silence."""
    raise error


def _format(path: str) -> str:
    name = path.lower()
    for ending in (".gz", ".zst"):
        name = name.removesuffix(ending)
    return ENDINGS.get(os.path.splitext(name)[1], "")  # noqa: PTH122


@contextmanager
def opened(file: File) -> Iterator[tuple[BinaryIO, Callable[[], int]]]:
    """Open a file's bytes, decompressed where its first bytes say so, and tell how much of it was read.

    Yields:
        The stream, and a function that gives the bytes read so far of the file as it is on disk.
    """
    if file.path == STANDARD_INPUT:
        yield _decompressed(cast("io.BufferedReader", sys.stdin.buffer)), int
        return
    with open(file.path, "rb", buffering=1 << 18) as raw:  # noqa: PTH123
        yield _decompressed(cast("io.BufferedReader", raw)), raw.tell if raw.seekable() else int


def _decompressed(raw: io.BufferedReader) -> BinaryIO:
    head = raw.peek(4)[:4]
    if head.startswith(_GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw))  # gives all that stands before a break
    if head == _ZSTD:
        stream: Any = pa.CompressedInputStream(raw, "zstd")
        return io.BufferedReader(stream, 1 << 16)
    return raw
