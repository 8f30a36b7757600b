"""The swap test: does a tone stay as it is when the states of a sentence are exchanged for others?

The tone must come from the words. A name is exchanged for a name, an adjective for an adjective, a capital for a
capital, a leader for a leader (`swap.Swapper`). A sentence is left out in which a mention has no like, in which a state
is mentioned otherwise than where it is marked (the exchange would be half done), or which speaks of the new state
already.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detente import _statistics
from detente._statistics import Estimate
from detente.data.corpora.examples import Example
from detente.infer.encoder.base import Encoder
from detente.infer.linking.linker import linker
from detente.infer.readings.document import read_date
from detente.models.features import Item
from detente.train.entity_swap import swapper
from detente.train.evaluate.benchmarks import RESAMPLES
from detente.train.examples import Row, rows_of

DRAWS: Final = 5

#: Dyads that are exchanged for each other: one state stays, the other changes.
PAIRS: Final = (("CHN-USA", "JPN-USA"), ("JPN-USA", "CHN-USA"), ("RUS-USA", "GBR-USA"), ("GBR-USA", "RUS-USA"))

#: What the exchange of every state is called.
ALL: Final = "all states"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What happened to the tones.

    Attributes:
        name: `ALL`, or the dyads: `CHN-USA to JPN-USA`.
        rows: sentences with a dyad that could be exchanged.
        left_out: rows that could not.
        sentences: of `rows`.
        readings: of the exchanged sentences, each draw for itself.
        changed: share of these whose tone is another than before; its bootstrap interval is over sentences. None
            where nothing could be exchanged; an interval needs two sentences.
    """

    name: str
    rows: int
    left_out: int
    sentences: int
    readings: int
    changed: Estimate | None


def swap_test(
    engine: Encoder, examples: Sequence[Example], draws: int = DRAWS, seed: int = 0, resamples: int = RESAMPLES
) -> list[Exchange]:
    """Exchange the states of labelled sentences, and count the tones that change.

    Args:
        engine: the model.
        examples: rows with dyads; their labels are not looked at.
        draws: how often all states of a sentence are exchanged.
        seed: of the draws.
        resamples: of the bootstrap.

    Returns:
        The exchange of all states first, then one for each of `PAIRS`.
    """
    rows = rows_of(examples, "")
    before = _tones(engine, [row.item for row in rows])
    named = [_named(row.text, row.date) | set(row.states) for row in rows]
    draw = random.Random(seed)
    everything = [
        (at, moved, range(len(row.pairs)))
        for _ in range(draws)
        for at, row in enumerate(rows)
        if (moved := swapper().drawn(row, draw, avoid=named[at])) and not named_still(moved, row)
    ]
    out = [_measured(ALL, engine, rows, before, everything, [range(len(row.pairs)) for row in rows], resamples)]
    for old, new in PAIRS:
        (gone,), (come,) = set(old.split("-")) - set(new.split("-")), set(new.split("-")) - set(old.split("-"))
        asked = [_pairs_of(row, old) for row in rows]
        some = [
            (at, moved, asked[at])
            for at, row in enumerate(rows)
            if asked[at]
            and come not in named[at]
            and (moved := swapper().swapped(row, {gone: come}))
            and not named_still(moved, row)
        ]
        out.append(_measured(f"{old} to {new}", engine, rows, before, some, asked, resamples))
    return out


def named_still(moved: Row, row: Row) -> bool:
    """Tell whether a state that was exchanged is still named somewhere in the sentence."""
    return not (set(row.states) - set(moved.states)).isdisjoint(_named(moved.text, moved.date))


def _named(text: str, date: str) -> set[str]:
    try:
        day = read_date(date)
    except ValueError:
        day = None
    return {mention.state for mention in linker().link(text, date=day)}


def _pairs_of(row: Row, dyad: str) -> list[int]:
    """Return the numbers of a row's pairs that are a dyad."""
    return [n for n, (a, b) in enumerate(row.pairs) if sorted((row.states[a], row.states[b])) == dyad.split("-")]


def _tones(engine: Encoder, items: Sequence[Item]) -> list[list[int]]:
    """Return the most probable tone of each pair of each item."""
    return [[int(pair.heads["tone"].argmax()) for pair in pairs] for pairs in engine.predict(items)]


def _measured(
    name: str,
    engine: Encoder,
    rows: Sequence[Row],
    before: Sequence[Sequence[int]],
    moved: Sequence[tuple[int, Row, Sequence[int]]],
    asked: Sequence[Sequence[int]],
    resamples: int,
) -> Exchange:
    """Read exchanged sentences and compare.

    Args:
        name: of the exchange.
        engine: the model.
        rows: as they were.
        before: tones of all their pairs.
        moved: number of a row, the row exchanged, and the pairs that count.
        asked: the pairs of each row that would count, had all been exchanged.
        resamples: of the bootstrap.
    """
    read = np.zeros(len(rows))
    changed = np.zeros(len(rows))
    after = _tones(engine, [row.item for _, row, _ in moved])
    for (at, _, pairs), tones in zip(moved, after, strict=True):
        read[at] += len(pairs)
        changed[at] += sum(tones[n] != before[at][n] for n in pairs)
    done = np.flatnonzero(read).tolist()
    exchanged = sum(len(asked[at]) for at in done)
    estimate = None
    if len(done):
        ends = _statistics.intervals(
            np.zeros(len(done), np.int64), read[done], changed[done], groups=1, draws=resamples
        )
        share = float(changed.sum() / read.sum())
        low, high = (share if math.isnan(end[0]) else float(end[0]) for end in ends)
        estimate = Estimate(share, low, high)
    left_out = sum(map(len, asked)) - exchanged
    return Exchange(name, exchanged, left_out, len(done), int(read.sum()), estimate)
