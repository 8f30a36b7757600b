"""The command line as a process."""

import os
import subprocess
import sys
from pathlib import Path


def run(*arguments: str | Path, given: str | bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m detente` with standard input."""
    data = given.encode() if isinstance(given, str) else given
    done = subprocess.run(
        [sys.executable, "-m", "detente", *map(str, arguments)],
        input=data,
        capture_output=True,
        check=False,
        timeout=300,
        env={**os.environ, "COLUMNS": "80", **environment},
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
