"""The swap test: how often does the tone change when the states of a sentence are swapped for others?

The tone should follow from the words, not from the countries. A name is replaced by a name, an adjective by an
adjective, a capital by a capital, a leader by a leader (`entity_swap.Swapper`). A sentence is left out if a mention has
no counterpart, if a state has unmarked mentions too (the swap would be incomplete), or if it names the new state
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

#: Swaps of one dyad for another: one state stays, the other changes.
PAIRS: Final = (("CHN-USA", "JPN-USA"), ("JPN-USA", "CHN-USA"), ("RUS-USA", "GBR-USA"), ("GBR-USA", "RUS-USA"))

#: Name of the swap of every state.
ALL: Final = "all states"

#: Index of a row, the row after a swap, and the indices of its pairs that count.
Swap = tuple[int, Row, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """The result of one swap.

    Attributes:
        name: `ALL`, or the dyads: `CHN-USA to JPN-USA`.
        rows: number of sentences and dyads that could be swapped.
        left_out: number of those that couldn't.
        sentences: number of sentences among `rows`.
        readings: number of readings of swapped sentences, over all draws.
        changed: share of these readings with a changed tone, with a bootstrap interval over sentences (of at least
            two); None if nothing could be swapped.
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
    """Swap the states of sentences and count the tones that change.

    Args:
        engine: model to test.
        examples: rows with dyads, whose labels aren't used.
        draws: number of random swaps of all states per sentence.
        seed: random seed of the swaps.
        resamples: number of bootstrap samples.

    Returns:
        The swap of all states, followed by those of `PAIRS`.
    """
    rows = rows_of(examples, "")
    before = _tones(engine, [row.item for row in rows])
    named = [_named(row.text, row.date) | set(row.states) for row in rows]
    rng = random.Random(seed)
    swaps: list[Swap] = [
        (index, swapped, range(len(row.pairs)))
        for _ in range(draws)
        for index, row in enumerate(rows)
        if (swapped := swapper().swap_randomly(row, rng, avoid=named[index])) and not still_named(swapped, row)
    ]
    out = [_compare(ALL, engine, rows, before, swaps, [range(len(row.pairs)) for row in rows], resamples)]
    for old, new in PAIRS:
        (removed,), (added,) = set(old.split("-")) - set(new.split("-")), set(new.split("-")) - set(old.split("-"))
        eligible = [_pairs_of(row, old) for row in rows]
        swaps = [
            (index, swapped, eligible[index])
            for index, row in enumerate(rows)
            if eligible[index]
            and added not in named[index]
            and (swapped := swapper().swap(row, {removed: added}))
            and not still_named(swapped, row)
        ]
        out.append(_compare(f"{old} to {new}", engine, rows, before, swaps, eligible, resamples))
    return out


def still_named(swapped: Row, row: Row) -> bool:
    """Return whether a replaced state is still named somewhere in the sentence."""
    return not (set(row.states) - set(swapped.states)).isdisjoint(_named(swapped.text, swapped.date))


def _named(text: str, date: str) -> set[str]:
    try:
        day = read_date(date)
    except ValueError:
        day = None
    return {mention.state for mention in linker().link(text, date=day)}


def _pairs_of(row: Row, dyad: str) -> list[int]:
    """Return the indices of a row's pairs that are the given dyad."""
    return [n for n, (a, b) in enumerate(row.pairs) if sorted((row.states[a], row.states[b])) == dyad.split("-")]


def _tones(engine: Encoder, items: Sequence[Item]) -> list[list[int]]:
    """Return the index of the most probable tone of each pair of each item."""
    return [[int(pair.heads["tone"].argmax()) for pair in pairs] for pairs in engine.predict(items)]


def _compare(
    name: str,
    engine: Encoder,
    rows: Sequence[Row],
    before: Sequence[Sequence[int]],
    swaps: Sequence[Swap],
    eligible: Sequence[Sequence[int]],
    resamples: int,
) -> Exchange:
    """Compare the tones of swapped sentences with the original ones.

    Args:
        name: name of the swap.
        engine: model to test.
        rows: original rows.
        before: tones of all their pairs.
        swaps: rows that could be swapped.
        eligible: pairs of each original row that would count if every row could be swapped.
        resamples: number of bootstrap samples.
    """
    readings = np.zeros(len(rows))
    changed = np.zeros(len(rows))
    after = _tones(engine, [row.item for _, row, _ in swaps])
    for (index, _, pairs), tones in zip(swaps, after, strict=True):
        readings[index] += len(pairs)
        changed[index] += sum(tones[n] != before[index][n] for n in pairs)
    sentences = np.flatnonzero(readings).tolist()
    swapped = sum(len(eligible[index]) for index in sentences)
    estimate = None
    if len(sentences):
        ends = _statistics.intervals(
            np.zeros(len(sentences), np.int64), readings[sentences], changed[sentences], groups=1, draws=resamples
        )
        share = float(changed.sum() / readings.sum())
        low, high = (share if math.isnan(end[0]) else float(end[0]) for end in ends)
        estimate = Estimate(share, low, high)
    left_out = sum(map(len, eligible)) - swapped
    return Exchange(name, swapped, left_out, len(sentences), int(readings.sum()), estimate)
