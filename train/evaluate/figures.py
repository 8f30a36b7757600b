"""Draw the report's figures with matplotlib, without a display."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from detente.data.codebook.labels import TONES
from detente.train.evaluate.calibration import Calibration
from detente.train.evaluate.slices import Slice

_BLUE, _GREY = "#2b6cb0", "#a0aec0"


def confusion_figure(counts: Any, labels: Sequence[str] = TONES, title: str = "tone") -> Figure:
    """Draw a confusion matrix, colored by the share of each gold label, with counts in the cells.

    Args:
        counts: [gold label, predicted label].
        labels: labels in the order of the matrix.
        title: title of the figure.
    """
    figure = Figure(figsize=(1.6 + 0.7 * len(labels), 1.2 + 0.7 * len(labels)), layout="constrained")
    axes = figure.subplots()
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), n in np.ndenumerate(counts):
        axes.text(
            column, row, str(n), ha="center", va="center", color="white" if shares[row, column] > 0.5 else "black"
        )
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="model", ylabel="label", title=title)
    return figure


def reliability_figure(calibration: Calibration) -> Figure:
    """Draw a reliability diagram: accuracy by predicted probability, and the number of rows per bin."""
    figure = Figure(figsize=(4.2, 4.8), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    width = calibration.bins[0].high - calibration.bins[0].low
    centers = [(bin_.low + bin_.high) / 2 for bin_ in calibration.bins]
    upper.bar(centers, [bin_.accuracy for bin_ in calibration.bins], width, color=_BLUE, edgecolor="white")
    upper.plot(
        [bin_.confidence for bin_ in calibration.bins],
        [bin_.accuracy for bin_ in calibration.bins],
        "o",
        color="black",
        ms=3,
    )
    upper.plot((0, 1), (0, 1), ":", color="black", lw=1)
    upper.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    upper.set_title(
        f"{calibration.head}: expected calibration error {100 * calibration.ece.value:.1f} %", fontsize="medium"
    )
    lower.bar(centers, [bin_.rows for bin_ in calibration.bins], width, color=_GREY, edgecolor="white")
    lower.set(xlabel="probability of the answer", ylabel="rows")
    return figure


def coverage_figure(calibration: Calibration) -> Figure:
    """Draw accuracy against coverage, with the confidence thresholds marked."""
    figure = Figure(figsize=(4.8, 3.6), layout="constrained")
    axes: Axes = figure.subplots()
    points = [point for point in calibration.abstaining if point.accuracy]
    axes.plot(*zip(*calibration.curve, strict=True), color=_BLUE, lw=1.2)
    for point in points:
        assert point.accuracy is not None
        axes.plot(
            (point.coverage, point.coverage), (point.accuracy.low, point.accuracy.high), color=_GREY, lw=1.5, zorder=1
        )
        axes.annotate(
            f"{point.min_probability:g}",
            (point.coverage, point.accuracy.value),
            xytext=(3, 5),
            textcoords="offset points",
            fontsize="small",
        )
    axes.plot(
        [point.coverage for point in points],
        [point.accuracy.value for point in points if point.accuracy],
        "o",
        color=_BLUE,
        ms=4,
    )
    axes.set(xlabel="share of rows that are answered", ylabel="share of these that is right", xlim=(0, 1.03))
    axes.set_title(f"{calibration.head}: abstaining below min_probability", fontsize="medium")
    return figure


def slices_figure(slices: Sequence[Slice]) -> Figure:
    """Draw the accuracy of every slice, with its interval."""
    figure = Figure(figsize=(5.6, 1.0 + 0.24 * len(slices)), layout="constrained")
    axes: Axes = figure.subplots()
    for index, part in enumerate(slices):
        axes.plot((part.accuracy.low, part.accuracy.high), (index, index), color=_GREY, lw=2)
        axes.plot(part.accuracy.value, index, "o", color=_BLUE, ms=4)
    axes.set_yticks(range(len(slices)), [f"{part.name} ({part.rows})" for part in slices], fontsize="small")
    axes.set(xlabel="share of tones that is right, 95 % interval", xlim=(0, 1), ylim=(len(slices) - 0.5, -0.5))
    for index in range(1, len(slices)):
        if slices[index].kind != slices[index - 1].kind:
            axes.axhline(index - 0.5, color="black", lw=0.5)
    return figure
