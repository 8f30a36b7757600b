"""Figures and how sure they are: the clustered bootstrap, Wilson's interval, calibration error, softmax.

Sentences of one document are alike, so documents are drawn, each with all its readings (Field and Welsh 2007,
"Bootstrapping clustered data").
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A group of more documents is drawn in so many bundles of them, put together at random: the interval is the same but
#: for a few hundredths of its width, and the time no longer grows with the archive.
BUNDLES: Final = 500

#: Means that are kept at a time: 16 MB.
_AT_ONCE: Final = 1 << 22


def intervals(
    group: Ints, weight: Floats, total: Floats, *, groups: int, draws: int, level: float = 0.95, seed: int = 0
) -> tuple[Floats, Floats]:
    """Return the interval of each group's mean, sum(total) / sum(weight), if its documents were drawn again.

    A group's interval depends on its own documents and the seed alone, not on what other groups there are.

    Args:
        group: int [C], the group of each document, in 0..groups-1; a document in two groups stands twice.
        weight: float [C], above 0, the weight of the document's readings.
        total: float [C], their weighted sum.
        groups: G, number of groups.
        draws: how often the documents are drawn.
        level: the part of the draws that lies inside.
        seed: of the random numbers.

    Returns:
        The lower and upper ends, float [G] each; NaN for a group with fewer than two documents.
    """
    ends = np.full((2, groups), np.nan)
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group, minlength=groups)
    starts = np.cumsum(sizes) - sizes
    tails = [50 * (1 - level), 50 * (1 + level)]
    for size in np.unique(sizes[sizes > 1]).tolist():
        alike = np.flatnonzero(sizes == size)
        for at in range(0, len(alike), step := max(1, _AT_ONCE // draws)):
            some = alike[at : at + step]
            cells = order[starts[some, None] + np.arange(size)]
            # Groups with as many documents share their draws: two matrix products serve all of them.
            random = np.random.default_rng([seed, size])
            if size > BUNDLES:
                cells = cells[:, random.permutation(size)]
            cuts = np.arange(min(size, BUNDLES)) * size // min(size, BUNDLES)
            parts = [np.add.reduceat(values[cells], cuts, axis=1, dtype=np.float32) for values in (total, weight)]
            counts = _draw(len(cuts), draws, random)
            ends[:, some] = np.percentile(np.divide(*(part @ counts for part in parts)), tails, axis=1)
    return ends[0], ends[1]


def _draw(size: int, draws: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Draw with replacement, as many as there are, and return how often each was drawn: [size, draws]."""
    picks = random.integers(size, size=(draws, size)) + size * np.arange(draws)[:, None]
    return np.bincount(picks.ravel(), minlength=draws * size).reshape(draws, size).T.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; NaN where it isn't defined."""

    value: float
    low: float
    high: float


_Z: Final = 1.959963984540054


def estimate_from_draws(value: float, drawn: Floats, *, skip_undefined: bool = False) -> Estimate:
    """Return a figure with the middle 95 % of its draws.

    Args:
        value: the figure.
        drawn: the figure of each draw, [draws].
        skip_undefined: leave out draws in which the figure isn't defined; otherwise one of them leaves no interval.
    """
    if skip_undefined:
        drawn = drawn[np.isfinite(drawn)]
    if np.isnan(value) or np.isnan(drawn).any() or not drawn.size:
        return Estimate(value, np.nan, np.nan)
    return Estimate(value, *interval(drawn))


def wilson(hits: int, of: int) -> Estimate:
    """Return a share with Wilson's 95 % interval (1927); NaN of nothing."""
    if not of:
        return Estimate(np.nan, np.nan, np.nan)
    share, scale = hits / of, 1 + _Z**2 / of
    middle = (share + _Z**2 / (2 * of)) / scale
    reach = _Z / scale * np.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    return Estimate(share, max(0.0, float(middle - reach)), min(1.0, float(middle + reach)))


def interval(values: Sequence[float] | Floats) -> tuple[float, float]:
    """Return the 2.5 and 97.5 percentiles of bootstrap values."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def resampled_rows(groups: Ints, *, draws: int, seed: int | np.random.Generator = 0) -> Iterator[Ints]:
    """Yield the rows of bootstrap samples: as many groups as there are, drawn with replacement, with all rows of each.

    Args:
        groups: int [rows], the group of each row, such as its document.
        draws: number of samples.
        seed: random seed, or a generator that is drawn on.
    """
    random = np.random.default_rng(seed)
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    for _ in range(draws):
        yield np.concatenate([members[i] for i in random.integers(len(members), size=len(members))])


def resampled_counts(counts: NDArray[np.floating | np.integer], *, draws: int, seed: int = 0) -> Iterator[Ints]:
    """Yield how often each unit, or cell of a table, comes in bootstrap samples: int [samples, units], some at a time.

    Args:
        counts: [units], how often each comes in the data: ones for units, or the counts of a table's cells.
        draws: number of samples.
        seed: random seed.
    """
    random = np.random.default_rng(seed)
    total = int(counts.sum())
    step = max(1, _AT_ONCE // len(counts))
    for first in range(0, draws, step):
        yield random.multinomial(total, counts / total, size=min(step, draws - first))


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """The rows of one bin of confidence.

    Attributes:
        number: index of the bin, from 0.
        rows: number of rows in it.
        confidence: mean probability of their most probable label.
        accuracy: share of them whose most probable label is right.
    """

    number: int
    rows: int
    confidence: float
    accuracy: float


def confidence_bins(top: NDArray[np.floating], right: NDArray[np.bool_], bins: int) -> list[ConfidenceBin]:
    """Group rows into bins of equal width by confidence; empty bins are left out.

    Args:
        top: float [rows], probability of the most probable label.
        right: bool [rows], whether that label is the right one.
        bins: number of bins.
    """
    bin_of = np.minimum((top * bins).astype(int), bins - 1)
    return [
        ConfidenceBin(number, int(inside.sum()), float(top[inside].mean()), float(right[inside].mean()))
        for number in np.unique(bin_of).tolist()
        for inside in [bin_of == number]
    ]


def ece(top: NDArray[np.floating], right: NDArray[np.bool_], bins: int = 15) -> float:
    """Return the expected calibration error of the top label (Guo et al., ICML 2017); see `confidence_bins`."""
    return float(sum(abs(b.accuracy - b.confidence) * (b.rows / len(top)) for b in confidence_bins(top, right, bins)))


def softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the probabilities of each row of logits."""
    powers: NDArray[np.floating] = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: NDArray[np.floating] = powers / powers.sum(axis=-1, keepdims=True)
    return shares
