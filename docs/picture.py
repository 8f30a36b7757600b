"""Draws `docs/table.svg`, the picture of the README: `make picture`."""

import io
from pathlib import Path

from rich.console import Console

import detente
from detente.data.tables import tables
from detente.infer.table import show

ROOT = Path(__file__).resolve().parents[1]
console = Console(file=io.StringIO(), record=True, width=110, force_terminal=True, color_system="truecolor")
text = (ROOT / "seeds" / "asia-trip.txt").read_text("utf-8")
show(detente.load().label(text, date="2021-03-10"), console, tables().states)
console.save_svg(str(ROOT / "docs" / "table.svg"), title="detente label seeds/asia-trip.txt --date 2021-03-10")
