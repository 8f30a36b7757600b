"""How good a variable of one's own is answered: metrics with intervals, beside baselines, and what to say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.metrics import cohen_kappa_score

from detente._statistics import ece, interval, resampled_rows
from detente.data.codebook.label_schema import Variable
from detente.data.codebook.labels import expected_warmth
from detente.infer.encoder.base import Floats
from detente.train.codebook import learning_curve as curve
from detente.train.codebook.linear_probe import Ints
from detente.train.evaluate.evaluate import markdown_table, percent
from detente.train.evaluate.metrics import class_f1, confusion, macro_f1, micro_f1

#: Rows under which a label is called rare.
RARE: Final = 10

#: Draws of the bootstrap.
RESAMPLES: Final = 500


@dataclass(frozen=True, slots=True)
class Measured:
    """One variable, measured on rows that the model hasn't learnt from.

    Attributes:
        variable: its name.
        how: `5-fold cross-validation`, `held out`, or `a table of its own`.
        rows: that were measured on.
        learnt: rows that were there to learn from.
        counts: rows with each label, of all.
        metrics: in 0..1 (kappa and r in -1..1).
        intervals: 95 % bootstrap interval of each, whole documents drawn.
        baselines: the same metrics of each baseline on the same rows.
        confusion: counts by label and answer, in the codebook's order.
        curve: macro F1 by the number of rows learnt from, with its interval; empty where none was made.
    """

    variable: str
    how: str
    rows: int
    learnt: int
    counts: dict[str, int]
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    baselines: dict[str, dict[str, float]]
    confusion: list[list[int]]
    curve: list[curve.Point]


def measured(
    variable: Variable,
    gold: Ints,
    groups: Ints,
    said: Floats,
    everything: Ints,
    floors: Mapping[str, Floats],
    how: str,
    learnt: int,
    points: list[curve.Point],
) -> Measured:
    """Measure what is said of rows.

    Args:
        variable: whose labels.
        gold: [rows], index of the right label.
        groups: [rows], of rows that stand together.
        said: [rows, labels], probabilities.
        everything: the labels of all rows, those learnt from too.
        floors: what each baseline says of the rows.
        how: the rows were held out.
        learnt: how many were learnt from.
        points: of the learning curve.
    """
    drawn: dict[str, list[float]] = {}
    for sample in resampled_rows(groups, draws=RESAMPLES):
        for metric, value in metrics(variable, gold[sample], said[sample]).items():
            drawn.setdefault(metric, []).append(value)
    right, answer = (_names(variable, index) for index in (gold, said.argmax(-1)))
    return Measured(
        variable.name,
        how,
        len(gold),
        learnt,
        counts_of(everything, variable),
        metrics(variable, gold, said),
        {metric: interval(values) for metric, values in drawn.items()},
        {name: metrics(variable, gold, floor) for name, floor in floors.items()},
        confusion(right, answer, variable.labels).tolist(),
        points,
    )


def metrics(variable: Variable, gold: Ints, said: Floats) -> dict[str, float]:
    """Return macro F1 over the codebook's labels, accuracy, kappa, calibration error, F1 by label, and where the labels
    have scores, Pearson's r of the expected score with the label's.

    Args:
        variable: whose labels.
        gold: [rows], index of the right label.
        said: [rows, labels], probabilities.
    """  # noqa: D205  (one list)
    right, answer = _names(variable, gold), _names(variable, said.argmax(-1))
    both = {*right, *answer}
    weights = "quadratic" if variable.kind == "ordinal" else None
    indices = list(range(len(variable.labels)))
    out = {
        "macro_f1": macro_f1(right, answer, variable.labels),
        "accuracy": micro_f1(right, answer),
        "kappa": float(cohen_kappa_score(gold, said.argmax(-1), labels=indices, weights=weights))
        if len(both) > 1
        else 0.0,
        "ece": ece(said.max(-1).astype(np.float64), said.argmax(-1) == gold),
    }
    if scores := variable.counted:
        pairs = [
            (scores[label], expected_warmth(dict(zip(variable.labels, map(float, row), strict=True)), scores))
            for label, row in zip(right, said, strict=True)
            if label in scores
        ]
        varied = all(len(set(side)) > 1 for side in zip(*pairs, strict=True))
        out["score_r"] = float(np.corrcoef(np.array(pairs).T)[0, 1]) if pairs and varied else 0.0
    return out | {f"f1_{label}": f1 for label, f1 in class_f1(right, answer, variable.labels).items()}


def _names(variable: Variable, indices: Any) -> list[str]:
    return [variable.labels[i] for i in indices]


def counts_of(gold: Ints, variable: Variable) -> dict[str, int]:
    """Return how many rows have each label."""
    return dict(zip(variable.labels, np.bincount(gold, minlength=len(variable.labels)).tolist(), strict=True))


def grid(measured: Sequence[Measured]) -> tuple[list[str], list[list[str]]]:
    """Return a report's head and lines, one for each metric, in per cent."""
    floors = list(dict.fromkeys(name for result in measured for name in result.baselines))
    head = ["variable", "rows", "metric", "model", "95 % interval", *floors]
    lines = [
        [
            result.variable,
            f"{result.rows:,}",
            metric,
            percent(value),
            "–".join(map(percent, result.intervals[metric])),
            *(percent(result.baselines[name][metric]) for name in floors),
        ]
        for result in measured
        for metric, value in result.metrics.items()
    ]
    return head, lines


def remarks(measured: Sequence[Measured]) -> list[str]:
    """Say how each variable was measured, which labels are rare, and whether more labels would help."""
    lines = []
    for result in measured:
        lines.append(f"{result.variable}: {result.how}, no document or sentence on both sides")
        if result.learnt:
            rare = [f"{label} ({count})" for label, count in result.counts.items() if count < RARE]
            lines += [f"{result.variable}: rare labels, hardly learnt: {', '.join(rare)}"] if rare else []
        lines += [f"{result.variable}: {curve.verdict(result.curve)}"] if result.curve else []
    return lines


def markdown(measured: Sequence[Measured]) -> str:
    """Write a report as Markdown."""
    head, lines = grid(measured)
    return markdown_table(head, lines) + "\n" + "\n".join(f"- {remark}" for remark in remarks(measured)) + "\n"
