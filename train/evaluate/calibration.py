"""Do probabilities mean what they say, and what does a reader gain who leaves out the unsure ones?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from detente._statistics import Estimate, confidence_bins, ece, interval, resampled_rows
from detente.infer.encoder.base import Floats
from detente.train.evaluate.benchmarks import RESAMPLES

#: Bins of the diagram and of its error, as in Guo et al. (ICML 2017).
BINS: Final = 15

#: Values of `min_probability` in the table of abstention.
THRESHOLDS: Final = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bin:
    """The rows whose most probable label is about as probable.

    Attributes:
        low: edge of the bin.
        high: the other edge.
        rows: in it.
        confidence: their mean probability.
        accuracy: share of them that are right.
    """

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left if the rows are left out that are less sure.

    Attributes:
        min_probability: of the most probable label.
        rows: left.
        coverage: share of all rows that they are.
        accuracy: share of them that are right; None where none is left.
    """

    min_probability: float
    rows: int
    coverage: float
    accuracy: Estimate | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well the probabilities of a head are calibrated.

    Attributes:
        head: whose.
        rows: with a label.
        temperature: that the model divides the head's logits by.
        ece: expected calibration error of the most probable label.
        ece_of_a_perfect_model: what it would be, on average and in 95 % of draws, if rows were right as often as their
            probabilities say: few rows give an error to every model, and one within this interval can't be told from
            nought (consistency resampling; Bröcker and Smith 2007, Vaicenavicius et al., AISTATS 2019).
        bins: of the reliability diagram; empty ones are left out.
        abstaining: accuracy and coverage by `min_probability`.
        curve: (coverage, accuracy) of the surest 1, 2, … rows.
    """

    head: str
    rows: int
    temperature: float
    ece: Estimate
    ece_of_a_perfect_model: Estimate
    bins: list[Bin]
    abstaining: list[Kept]
    curve: list[tuple[float, float]]


def calibration(
    head: str, probabilities: Floats, labels: Sequence[int], temperature: float = 1.0, resamples: int = RESAMPLES
) -> Calibration:
    """Measure the calibration of a head.

    Args:
        head: its name.
        probabilities: [N, labels], N at least 1.
        labels: [N], index of the right label.
        temperature: of the head.
        resamples: of the bootstrap over rows.
    """
    shares, right = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    top, hit = shares.max(axis=-1), shares.argmax(axis=-1) == right
    draw = np.random.default_rng(0)
    drawn = list(resampled_rows(np.arange(len(right)), draws=resamples, seed=draw))
    error = Estimate(ece(top, hit, BINS), *interval([ece(top[rows], hit[rows], BINS) for rows in drawn]))
    perfect = [ece(top, draw.random(len(top)) < top, BINS) for _ in range(resamples)]
    kept = [_kept(threshold, top, hit, draw, resamples) for threshold in THRESHOLDS]
    order = np.argsort(-top, kind="stable")
    taken = np.arange(1, len(order) + 1)
    curve = [
        (float(share), float(of)) for share, of in zip(taken / len(order), hit[order].cumsum() / taken, strict=True)
    ]
    least = Estimate(float(np.mean(perfect)), *interval(perfect))
    return Calibration(head, len(right), temperature, error, least, bins(top, hit), kept, curve)


def bins(top: Floats, hit: npt.NDArray[np.bool_]) -> list[Bin]:
    """Group rows into bins of equal width by the probability of their answer.

    Args:
        top: [N], that probability.
        hit: [N], whether the answer is right.
    """
    return [
        Bin(b.number / BINS, (b.number + 1) / BINS, b.rows, b.confidence, b.accuracy)
        for b in confidence_bins(top, hit, BINS)
    ]


def _kept(threshold: float, top: Floats, hit: npt.NDArray[np.bool_], draw: np.random.Generator, resamples: int) -> Kept:
    sure = top >= threshold
    rows = int(sure.sum())
    if not rows:
        return Kept(threshold, 0, 0.0, None)
    share = float(hit[sure].mean())
    values = draw.binomial(rows, share, size=resamples) / rows
    return Kept(threshold, rows, rows / len(top), Estimate(share, *interval(values.tolist())))
