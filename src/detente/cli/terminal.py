"""Render readings as a Rich table, for terminals of 80 columns and up or for a file."""

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

from detente.data.codebook.label_schema import NONE, SHIPPED, Variable
from detente.infer.readings.explanation import Why
from detente.infer.readings.reading import Reading

#: The tone is always written out; its colour only helps.
COLOURS: Final = {
    "none": "dim",
    "frosty": "bold blue",
    "neutral": "bold white",
    "engaging": "bold yellow",
    "alliance-building": "bold green",
}

#: Colours of labels of one's own, in their order, taken again where there are more.
OTHERS: Final = ("bold blue", "bold cyan", "bold yellow", "bold green", "bold magenta", "bold red")

#: Cells on each side of a warmth bar's middle.
_SIDE: Final = 4

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def show(
    readings: Sequence[Reading], console: Console, names: Mapping[str, str], tone: Variable = SHIPPED.tone
) -> None:
    """Print the readings of one text by sentence, and a summary by dyad under them.

    Args:
        readings: in the order of the text.
        console: where to.
        names: of the states, by code.
        tone: the variable that the tones are labels of.
    """
    console.print(_table(readings, tone))
    console.print(_summary(readings, names, tone))


def colour(label: str, tone: Variable) -> str:
    """Return the style that a label is written in."""
    if tone == SHIPPED.tone or label not in tone.labels or label == NONE:
        return COLOURS.get(label, "dim")
    return OTHERS[tone.labels.index(label) % len(OTHERS)]


def _most(tone: Variable) -> float:
    """Return the score furthest from 0, which a bar ends at."""
    return max(map(abs, tone.counted.values()), default=1.0) or 1.0


def _table(readings: Iterable[Reading], tone: Variable) -> Table:
    table = Table(box=box.HORIZONTALS, show_lines=True, expand=True, pad_edge=False)
    table.add_column("#", justify="right", style="dim", no_wrap=True)
    table.add_column("sentence, and what it says of each dyad", ratio=1)
    for number, (_, group) in enumerate(groupby(readings, key=lambda reading: reading.start), 1):
        of_sentence = list(group)
        table.add_row(str(number), Group(_sentence(of_sentence, tone), _dyads(of_sentence, tone)))
    return table


def _sentence(readings: Sequence[Reading], tone: Variable) -> Text:
    text = _plain(readings[0].sentence)
    for reading in readings:
        if reading.cue_start is not None and reading.cue_end is not None:
            style = f"{colour(reading.tone, tone)} underline"
            text.stylize(style, reading.cue_start - reading.start, reading.cue_end - reading.start)
    return text


def _dyads(readings: Iterable[Reading], tone: Variable) -> RenderableType:
    parts: list[RenderableType] = []
    for reading in readings:
        parts.append(_dyad(reading, tone))
        if reading.why is not None:
            parts.append(Padding(_why(reading, reading.why, tone), (0, 0, 1, 9)))
    return Padding(Group(*parts), (1, 0, 0, 0))


def _dyad(reading: Reading, tone: Variable) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    longest = max(map(len, tone.labels))
    for width in (7, min(longest, 24), 2 * _SIDE + 7 if tone.counted else 0):
        grid.add_column(no_wrap=True, width=width)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_row(
        Text(reading.dyad, "bold"),
        Text(reading.tone, colour(reading.tone, tone)),
        bar(None if reading.tone == NONE else reading.warmth, _most(tone)),
        _plain(reading.cue) if reading.found else Text("not both in this sentence", "dim"),
    )
    return grid


def _why(reading: Reading, why: Why, tone: Variable) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(ratio=1, overflow="fold")
    before = reading.probability
    for start, end, weight in why.spans:
        words = _plain(reading.sentence[start - reading.start : end - reading.start])
        words.stylize(f"{colour(reading.tone, tone)} underline")
        without = f"  {reading.tone} {before:.0%} → {max(0.0, before - weight):.0%}"
        grid.add_row("without", words.append(without, "dim not underline"))
    for like in why.like:
        sentence = _plain(like.sentence)
        if like.cue:
            at = like.sentence.index(like.cue)
            sentence.stylize(f"{COLOURS[like.tone]} underline", at, at + len(like.cue))
        sentence.append(f"  {like.dyad} ", "dim").append(like.tone, COLOURS[like.tone])
        grid.add_row("like", sentence.append(f" {like.similarity:.0%}", "dim"))
    return grid


def _summary(readings: Sequence[Reading], names: Mapping[str, str], tone: Variable) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    table.add_column("dyad", no_wrap=True)
    table.add_column("states", ratio=1, overflow="fold")
    table.add_column("tones", ratio=1, overflow="fold")
    table.add_column("mean warmth" if tone == SHIPPED.tone else f"mean {tone.name}", no_wrap=True)
    order = dict.fromkeys((*tone.labels, NONE))
    dyads: dict[str, list[Reading]] = {}
    for reading in readings:
        dyads.setdefault(reading.dyad, []).append(reading)
    for dyad, group in sorted(dyads.items(), key=lambda entry: (-len(entry[1]), entry[0])):
        counts = Counter(reading.tone for reading in group)
        warmths = [reading.warmth for reading in group if reading.warmth is not None and reading.tone != NONE]
        table.add_row(
            Text(dyad, "bold"),
            Text(" and ".join(names.get(state, state) for state in dyad.split("-"))),
            Text(", ").join(Text(f"{n} {label}", colour(label, tone)) for label in order if (n := counts[label])),
            bar(sum(warmths) / len(warmths) if warmths else None, _most(tone)),
        )
    sentences = len({reading.start for reading in readings})
    total = Text(f"{_count(sentences, 'sentence')}, {_count(len(dyads), 'dyad')}, {_count(len(readings), 'reading')}")
    return Group(total, table)


def bar(warmth: float | None, most: float = 1.0) -> Text:
    """Draw a number in -most..most as a bar from the middle, with the number beside it."""
    if warmth is None:
        return Text("")
    cells = round(abs(warmth) / most * _SIDE)
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
