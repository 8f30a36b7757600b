"""Measure calibration, and accuracy against coverage when unsure predictions are left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from detente._statistics import Estimate, confidence_bins, ece, interval, resampled_rows
from detente.infer.encoder.base import Floats
from detente.train.evaluate.benchmarks import RESAMPLES

#: Number of bins of the reliability diagram and the ECE, as in Guo et al. (ICML 2017).
BINS: Final = 15

#: Confidence thresholds (`min_probability`) of the coverage table.
THRESHOLDS: Final = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of the reliability diagram.

    Attributes:
        low: lower edge.
        high: upper edge.
        rows: number of rows whose top probability is in the bin.
        confidence: mean top probability of the rows.
        accuracy: share of the rows with the right label.
    """

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """Coverage and accuracy at one confidence threshold.

    Attributes:
        min_probability: smallest top probability of a row that counts.
        rows: number of rows that count.
        coverage: share of all rows that count.
        accuracy: share of these with the right label; None without rows.
    """

    min_probability: float
    rows: int
    coverage: float
    accuracy: Estimate | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well the probabilities of a head are calibrated.

    Attributes:
        head: name of the head.
        rows: number of rows with a label.
        temperature: temperature of the head's logits.
        ece: expected calibration error of the most probable label.
        ece_of_a_perfect_model: mean and 95 % interval of the ECE of a perfectly calibrated model on as many rows. The
            ECE of few rows is positive for every model, and one within this interval doesn't differ from 0
            (consistency resampling; Bröcker and Smith 2007, Vaicenavicius et al., AISTATS 2019).
        bins: non-empty bins of the reliability diagram.
        abstaining: coverage and accuracy by confidence threshold.
        curve: (coverage, accuracy) of the most confident 1, 2, … rows.
    """

    head: str
    rows: int
    temperature: float
    ece: Estimate
    ece_of_a_perfect_model: Estimate
    bins: list[Bin]
    abstaining: list[CoveragePoint]
    curve: list[tuple[float, float]]


def calibration(
    head: str, probabilities: Floats, labels: Sequence[int], temperature: float = 1.0, resamples: int = RESAMPLES
) -> Calibration:
    """Measure the calibration of a head.

    Args:
        head: name of the head.
        probabilities: [N, labels], N at least 1.
        labels: [N], index of the right label.
        temperature: temperature of the head's logits.
        resamples: number of bootstrap samples of rows.
    """
    distributions, gold = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    top, hit = distributions.max(axis=-1), distributions.argmax(axis=-1) == gold
    rng = np.random.default_rng(0)
    samples = list(resampled_rows(np.arange(len(gold)), draws=resamples, seed=rng))
    error = Estimate(ece(top, hit, BINS), *interval([ece(top[rows], hit[rows], BINS) for rows in samples]))
    perfect = [ece(top, rng.random(len(top)) < top, BINS) for _ in range(resamples)]
    points = [_coverage_point(threshold, top, hit, rng, resamples) for threshold in THRESHOLDS]
    order = np.argsort(-top, kind="stable")
    ranks = np.arange(1, len(order) + 1)
    curve = [
        (float(coverage), float(accuracy))
        for coverage, accuracy in zip(ranks / len(order), hit[order].cumsum() / ranks, strict=True)
    ]
    perfect_error = Estimate(float(np.mean(perfect)), *interval(perfect))
    return Calibration(head, len(gold), temperature, error, perfect_error, bins(top, hit), points, curve)


def bins(top: Floats, hit: npt.NDArray[np.bool_]) -> list[Bin]:
    """Return the non-empty bins, of equal width, of the rows' top probabilities.

    Args:
        top: [N], top probability.
        hit: [N], whether the most probable label is right.
    """
    return [
        Bin(b.number / BINS, (b.number + 1) / BINS, b.rows, b.confidence, b.accuracy)
        for b in confidence_bins(top, hit, BINS)
    ]


def _coverage_point(
    threshold: float, top: Floats, hit: npt.NDArray[np.bool_], rng: np.random.Generator, resamples: int
) -> CoveragePoint:
    sure = top >= threshold
    rows = int(sure.sum())
    if not rows:
        return CoveragePoint(threshold, 0, 0.0, None)
    share = float(hit[sure].mean())
    values = rng.binomial(rows, share, size=resamples) / rows
    return CoveragePoint(threshold, rows, rows / len(top), Estimate(share, *interval(values.tolist())))
