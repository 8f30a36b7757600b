"""The version of the code that produced a model or a report."""

import subprocess
from pathlib import Path


def code_version() -> str:
    """Return the commit of the code, marked `-dirty` if there are uncommitted changes; empty outside a checkout."""
    command = ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
