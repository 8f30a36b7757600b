"""Readings as a table that one likes to read, in a terminal of 80 columns and up, or in a file."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detente.data.labels import TONES
from detente.infer.reading import Reading

#: The tone is always written out; its colour only helps.
COLOURS: Final = {
    "none": "dim",
    "frosty": "bold blue",
    "neutral": "bold white",
    "engaging": "bold yellow",
    "alliance-building": "bold green",
}

#: Cells on each side of a warmth bar's middle.
_SIDE: Final = 4

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def show(readings: Sequence[Reading], console: Console, names: Mapping[str, str]) -> None:
    """Print the readings of one text by sentence, and a summary by dyad under them.

    Args:
        readings: in the order of the text.
        console: where to.
        names: of the states, by code.
    """
    console.print(_table(readings))
    console.print(_summary(readings, names))


def _table(readings: Iterable[Reading]) -> Table:
    table = Table(box=box.HORIZONTALS, show_lines=True, expand=True, pad_edge=False)
    table.add_column("#", justify="right", style="dim", no_wrap=True)
    table.add_column("sentence, and what it says of each dyad", ratio=1)
    for number, (_, group) in enumerate(groupby(readings, key=lambda reading: reading.start), 1):
        of_sentence = list(group)
        table.add_row(str(number), Group(_sentence(of_sentence), _dyads(of_sentence)))
    return table


def _sentence(readings: Sequence[Reading]) -> Text:
    text = _plain(readings[0].sentence)
    for reading in readings:
        if reading.cue_start is not None and reading.cue_end is not None:
            style = f"{COLOURS[reading.tone]} underline"
            text.stylize(style, reading.cue_start - reading.start, reading.cue_end - reading.start)
    return text


def _dyads(readings: Iterable[Reading]) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for width in (7, len("alliance-building"), 2 * _SIDE + 7):
        grid.add_column(no_wrap=True, width=width)
    grid.add_column(ratio=1, overflow="fold")
    for reading in readings:
        grid.add_row(
            Text(reading.dyad, "bold"),
            Text(reading.tone, COLOURS[reading.tone]),
            bar(None if reading.tone == "none" else reading.warmth),
            _plain(reading.cue) if reading.found else Text("not both in this sentence", "dim"),
        )
    return Padding(grid, (1, 0, 0, 0))


def _summary(readings: Sequence[Reading], names: Mapping[str, str]) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    table.add_column("dyad", no_wrap=True)
    table.add_column("states", ratio=1, overflow="fold")
    table.add_column("tones", ratio=1, overflow="fold")
    table.add_column("mean warmth", no_wrap=True)
    dyads: dict[str, list[Reading]] = {}
    for reading in readings:
        dyads.setdefault(reading.dyad, []).append(reading)
    for dyad, group in sorted(dyads.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        counts = Counter(reading.tone for reading in group)
        warmths = [reading.warmth for reading in group if reading.warmth is not None and reading.tone != "none"]
        table.add_row(
            Text(dyad, "bold"),
            Text(" and ".join(names.get(state, state) for state in dyad.split("-"))),
            Text(", ").join(Text(f"{counts[tone]} {tone}", COLOURS[tone]) for tone in TONES if counts[tone]),
            bar(sum(warmths) / len(warmths) if warmths else None),
        )
    sentences = len({reading.start for reading in readings})
    total = Text(f"{_count(sentences, 'sentence')}, {_count(len(dyads), 'dyad')}, {_count(len(readings), 'reading')}")
    return Group(total, table)


def bar(warmth: float | None) -> Text:
    """Draw a number in -1..1 as a bar from the middle, with the number beside it."""
    if warmth is None:
        return Text("")
    cells = round(abs(warmth) * _SIDE)
    cold, warm = (cells, 0) if warmth < 0 else (0, cells)
    style = COLOURS["frosty"] if warmth < 0 else COLOURS["alliance-building"]
    bar = Text.assemble(
        " " * (_SIDE - cold), ("█" * cold, style), ("│", "dim"), ("█" * warm, style), " " * (_SIDE - warm)
    )
    return bar.append(f" {warmth:+.2f}")


def _plain(text: str) -> Text:
    """Take out what would move the cursor or ring the bell; offsets stay."""
    return Text(_CONTROL.sub(" ", text), overflow="fold")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
