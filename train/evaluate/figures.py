"""The report's pictures (matplotlib, drawn without a display)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from detente.data.codebook.labels import TONES
from detente.train.evaluate.calibration import Calibration
from detente.train.evaluate.slices import Slice

_OURS, _EDGE = "#2b6cb0", "#a0aec0"


def confusion_figure(counts: Any, labels: Sequence[str] = TONES, title: str = "tone") -> Figure:
    """Draw a confusion matrix, shares of each gold label, counts written in the cells.

    Args:
        counts: [gold label, said label].
        labels: in the order of the matrix.
        title: of the picture.
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


def reliability_figure(found: Calibration) -> Figure:
    """Draw a reliability diagram: how often the answers of each probability are right, and how many rows that is."""
    figure = Figure(figsize=(4.2, 4.8), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    width = found.bins[0].high - found.bins[0].low
    at = [(one.low + one.high) / 2 for one in found.bins]
    upper.bar(at, [one.accuracy for one in found.bins], width, color=_OURS, edgecolor="white")
    upper.plot([one.confidence for one in found.bins], [one.accuracy for one in found.bins], "o", color="black", ms=3)
    upper.plot((0, 1), (0, 1), ":", color="black", lw=1)
    upper.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    upper.set_title(f"{found.head}: expected calibration error {100 * found.ece.value:.1f} %", fontsize="medium")
    lower.bar(at, [one.rows for one in found.bins], width, color=_EDGE, edgecolor="white")
    lower.set(xlabel="probability of the answer", ylabel="rows")
    return figure


def coverage_figure(found: Calibration) -> Figure:
    """Draw how right the surest answers are, by the share of rows that are answered."""
    figure = Figure(figsize=(4.8, 3.6), layout="constrained")
    axes: Axes = figure.subplots()
    kept = [one for one in found.abstaining if one.accuracy]
    axes.plot(*zip(*found.curve, strict=True), color=_OURS, lw=1.2)
    for one in kept:
        assert one.accuracy is not None
        axes.plot((one.coverage, one.coverage), (one.accuracy.low, one.accuracy.high), color=_EDGE, lw=1.5, zorder=1)
        axes.annotate(
            f"{one.min_probability:g}",
            (one.coverage, one.accuracy.value),
            xytext=(3, 5),
            textcoords="offset points",
            fontsize="small",
        )
    axes.plot([k.coverage for k in kept], [k.accuracy.value for k in kept if k.accuracy], "o", color=_OURS, ms=4)
    axes.set(xlabel="share of rows that are answered", ylabel="share of these that is right", xlim=(0, 1.03))
    axes.set_title(f"{found.head}: abstaining below min_probability", fontsize="medium")
    return figure


def slices_figure(found: Sequence[Slice]) -> Figure:
    """Draw the accuracy of every slice with its interval."""
    figure = Figure(figsize=(5.6, 1.0 + 0.24 * len(found)), layout="constrained")
    axes: Axes = figure.subplots()
    for at, one in enumerate(found):
        axes.plot((one.accuracy.low, one.accuracy.high), (at, at), color=_EDGE, lw=2)
        axes.plot(one.accuracy.value, at, "o", color=_OURS, ms=4)
    axes.set_yticks(range(len(found)), [f"{one.name} ({one.rows})" for one in found], fontsize="small")
    axes.set(xlabel="share of tones that is right, 95 % interval", xlim=(0, 1), ylim=(len(found) - 0.5, -0.5))
    for at in range(1, len(found)):
        if found[at].kind != found[at - 1].kind:
            axes.axhline(at - 0.5, color="black", lw=0.5)
    return figure
