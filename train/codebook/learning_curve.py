"""The learning curve: how good a model is by the number of labels that it learns from, and whether more would help."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from detente._statistics import interval, resampled_rows
from detente.infer.encoder.base import Floats
from detente.train.codebook import linear_probe
from detente.train.codebook.linear_probe import Ints
from detente.train.evaluate.metrics import macro_f1

#: Shares of the rows that are learnt from.
SHARES: Final = (0.125, 0.25, 0.5, 1.0)

#: Draws of each share below the whole: a small draw is a matter of luck.
DRAWS: Final = 2

RESAMPLES: Final = 200

#: A gain of macro F1 by the last doubling that says: label more.
WORTH: Final = 0.01


class Point(NamedTuple):
    """Macro F1 on rows that weren't learnt from.

    Attributes:
        rows: that were learnt from.
        macro_f1: 0..1, the mean over draws.
        low: of its 95 % interval, whole documents drawn.
        high: of the same.
    """

    rows: int
    macro_f1: float
    low: float
    high: float


def points(
    vectors: Floats, gold: Ints, groups: Ints, labels: Sequence[str], splits: Sequence[tuple[Ints, Ints]], seed: int
) -> list[Point]:
    """Learn from shares of the rows and measure each on the rows held out.

    Args:
        vectors: [rows, 2, width].
        gold: [rows], index of the label.
        groups: [rows], of rows that stand together.
        labels: in the codebook's order.
        splits: as `linear.folds` gives them.
        seed: of the draws.
    """
    tested = np.concatenate([test for _, test in splits])
    right = [labels[i] for i in gold[tested]]
    found = []
    for share in SHARES:
        draws, sizes = [], []
        for number in range(1 if share == 1.0 else DRAWS):
            answers: list[str] = []
            for train, test in splits:
                some = train if share == 1.0 else linear_probe.smaller(train, groups, gold, share, seed + number)
                sizes.append(len(some))
                logits = linear_probe.fit(vectors[some], gold[some], len(labels)).predict_logits(vectors[test])
                answers += [labels[i] for i in linear_probe.answers(logits).argmax(-1)]
            draws.append(answers)
        sampled = [
            macro_f1([right[i] for i in rows], [draws[0][i] for i in rows], labels)
            for rows in resampled_rows(groups[tested], draws=RESAMPLES, seed=seed)
        ]
        mean = float(np.mean([macro_f1(right, answers, labels) for answers in draws]))
        found.append(Point(round(float(np.mean(sizes))), mean, *interval(sampled)))
    return found


def verdict(curve: Sequence[Point]) -> str:
    """Say what the last doubling of the labels brought, and so whether more would help."""
    before, last = curve[-2:]
    gain = last.macro_f1 - before.macro_f1
    rise = f"from {before.rows} to {last.rows} labels macro F1 went from {_percent(before)} to {_percent(last)}"
    return f"{rise}: {'more labels would help' if gain >= WORTH else 'more labels alike would help little'}"


def save(curve: Sequence[Point], file: Path) -> None:
    """Write a curve as `file.csv` and, where matplotlib is installed, as `file.png`."""
    with file.with_suffix(".csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(Point._fields)
        writer.writerows([point.rows, *(round(value, 4) for value in point[1:])] for point in curve)
    from matplotlib.figure import Figure  # noqa: PLC0415  (drawing is not needed to train)

    figure = Figure(figsize=(4.5, 3), layout="constrained")
    axes = figure.subplots()
    sizes = [point.rows for point in curve]
    axes.fill_between(sizes, [100 * p.low for p in curve], [100 * p.high for p in curve], alpha=0.15, lw=0)
    axes.plot(sizes, [100 * p.macro_f1 for p in curve], marker="o")
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, list(map(str, sizes)))
    axes.minorticks_off()
    axes.set(xlabel="labels learnt from", ylabel="macro F1, %, on rows held out", title=verdict_title(curve))
    axes.title.set_fontsize(8)
    axes.grid(alpha=0.3)
    figure.savefig(file.with_suffix(".png"), dpi=200)


def verdict_title(curve: Sequence[Point]) -> str:
    """Return the verdict's last words, for a picture."""
    return verdict(curve).rpartition(": ")[2]


def slug(name: str) -> str:
    """Write a variable's name as part of a file's."""
    return re.sub(r"\W+", "_", name)


def _percent(point: Point) -> str:
    return f"{100 * point.macro_f1:.1f}"
