"""Draws the pictures of the README and the docs, `table.svg` and `us-china.svg`: `make picture`."""

import io
import re
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

import detente
from detente.cli.terminal import show
from detente.data.gazetteer.gazetteer import tables

ROOT = Path(__file__).resolve().parents[1]
SEEDS = ROOT / "seeds"

console = Console(file=io.StringIO(), record=True, width=110, force_terminal=True, color_system="truecolor")
text = (SEEDS / "asia-trip.txt").read_text("utf-8")
show(detente.load().label(text, date="2021-03-10"), console, tables().states)
plain = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)  # rich loads its font from afar
svg = console.export_svg(title="detente label seeds/asia-trip.txt --date 2021-03-10", code_format=plain)
(ROOT / "docs" / "table.svg").write_text(svg, "utf-8")

with tempfile.TemporaryDirectory() as folder:
    detente.score(SEEDS / "dispatches.jsonl", Path(folder) / "readings")
    frame = detente.series(Path(folder) / "readings", dyads=["CHN-USA"], period="quarter", smooth=3)
detente.plot(frame, ROOT / "docs" / "us-china.svg", events=SEEDS / "events.csv")
