"""Files: written atomically, and hashed."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any


def sha256(file: Path) -> str:
    """Return the hex digest of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def readable(name: str) -> str:
    r"""Return a file's name as Unicode, whatever the locale; bytes that aren't UTF-8 are written as `\xe9`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def write_json(file: Path, values: Any) -> None:
    """Write JSON atomically: a reader sees the old file or the new one, never half of it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as stream:
        json.dump(values, stream, indent=2, ensure_ascii=False)
        stream.write("\n")
    Path(stream.name).chmod(0o644)
    Path(stream.name).replace(file)


def write_whole(file: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
