"""Compute figures by class, dyad, decade and kind of source.

Every figure is a function of the confusion matrix. Resampling rows with replacement draws the matrix from a
multinomial distribution, so the intervals are those of a bootstrap over rows, as in the benchmarks.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detente._statistics import Estimate, interval, resampled_counts
from detente.data.codebook.labels import TONES
from detente.data.corpora.examples import Example
from detente.train.evaluate.benchmarks import RESAMPLES, Scores, gold, predicted
from detente.train.evaluate.metrics import confusion

Counts = npt.NDArray[np.integer[Any]]
Shares = npt.NDArray[np.float64]

#: Dyads with fewer rows are pooled.
MIN_ROWS: Final = 5


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """The figures of one label.

    Attributes:
        label: label of the head.
        rows: number of rows with the label.
        precision: precision of the label.
        recall: recall of the label.
        f1: harmonic mean of precision and recall.
    """

    label: str
    rows: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


@dataclass(frozen=True, slots=True)
class Slice:
    """The figures of the tone on one slice of the rows.

    Attributes:
        kind: `dyad`, `decade` or `source`.
        name: name of the slice.
        rows: number of rows.
        accuracy: share of correct tones.
        tone_f1: macro F1 over the tones that occur in the slice.
        relation_f1: F1 of "there is a relationship".
    """

    kind: str
    name: str
    rows: int
    accuracy: Estimate
    tone_f1: Estimate
    relation_f1: Estimate


def classes(counts: Counts, labels: Sequence[str], resamples: int = RESAMPLES) -> list[ClassFigures]:
    """Return the figures of each label that occurs in gold labels or predictions.

    Args:
        counts: [gold label, predicted label].
        labels: labels in the order of the matrix.
        resamples: number of bootstrap samples.
    """
    figures = [estimate(counts, figure, resamples) for figure in (precision, recall, f1)]
    rows, predictions = counts.sum(axis=1), counts.sum(axis=0)
    return [
        ClassFigures(label, int(rows[i]), *(figure[i] for figure in figures))
        for i, label in enumerate(labels)
        if rows[i] or predictions[i]
    ]


def slices(examples: Sequence[Example], scores: Sequence[Scores], resamples: int = RESAMPLES) -> list[Slice]:
    """Return the figures by dyad (frequent ones first, rare ones pooled), decade and kind of source.

    Args:
        examples: rows with a tone.
        scores: predictions for the rows.
        resamples: number of bootstrap samples.
    """
    labels, predictions = gold(examples, "tone"), predicted(scores, "tone", TONES)
    dyads = Counter(example.dyad for example in examples)
    frequent = [dyad for dyad, n in dyads.most_common() if n >= MIN_ROWS]
    pooled = f"{len(dyads) - len(frequent)} other dyads"
    names: dict[str, list[str]] = {
        "dyad": [example.dyad if dyads[example.dyad] >= MIN_ROWS else pooled for example in examples],
        "decade": [f"{example.date[:3]}0s" if example.date else "undated" for example in examples],
        "source": [example.origin.partition("/")[2] or example.origin for example in examples],
    }
    out = []
    for kind, row_names in names.items():
        for name in [*frequent, pooled] if kind == "dyad" else sorted(set(row_names)):
            rows = [i for i, row_name in enumerate(row_names) if row_name == name]
            if rows:
                counts = confusion([labels[i] for i in rows], [predictions[i] for i in rows])
                out.append(_slice(kind, name, counts, resamples))
    return out


def _slice(kind: str, name: str, counts: Counts, resamples: int) -> Slice:
    occurring = counts.sum(axis=1) > 0

    def tone_f1(matrices: Counts) -> Shares:
        mean: Shares = f1(matrices)[..., occurring].mean(axis=-1, keepdims=True)
        return mean

    figures = (accuracy, tone_f1, relation_f1)
    (accurate,), (tone,), (relation,) = (estimate(counts, figure, resamples) for figure in figures)
    return Slice(kind, name, int(counts.sum()), accurate, tone, relation)


def estimate(
    counts: Counts, figure: Callable[[Counts], Shares], resamples: int = RESAMPLES, seed: int = 0
) -> list[Estimate]:
    """Return each figure of a confusion matrix with its bootstrap 95 % interval.

    Args:
        counts: [gold label, predicted label], of at least one row.
        figure: function from counts [..., labels, labels] to figures [..., n].
        resamples: number of bootstrap samples.
        seed: random seed.
    """
    samples = np.concatenate(list(resampled_counts(counts.ravel(), draws=resamples, seed=seed)))
    drawn = figure(samples.reshape(-1, *counts.shape))
    return [Estimate(float(value), *interval(values)) for value, values in zip(figure(counts), drawn.T, strict=True)]


def accuracy(counts: Counts) -> Shares:
    """Return the accuracy, [..., 1]."""
    return _share(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))[..., None]


def precision(counts: Counts) -> Shares:
    """Return the precision of each label, [..., labels]; 0 for a label that is never predicted."""
    return _share(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-2))


def recall(counts: Counts) -> Shares:
    """Return the recall of each label, [..., labels]; 0 for a label that never occurs."""
    return _share(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))


def f1(counts: Counts) -> Shares:
    """Return F1 of each label, [..., labels]."""
    correct = np.diagonal(counts, axis1=-2, axis2=-1)
    return _share(2 * correct, counts.sum(axis=-1) + counts.sum(axis=-2))


def relation_f1(counts: Counts) -> Shares:
    """Return F1 of any tone but `none`, which is the first of `TONES`, [..., 1]."""
    correct = counts[..., 1:, 1:].sum(axis=(-2, -1))
    gold_relations, predictions = counts[..., 1:, :].sum(axis=(-2, -1)), counts[..., :, 1:].sum(axis=(-2, -1))
    return _share(2 * correct, gold_relations + predictions)[..., None]


def _share(part: Counts, total: Counts) -> Shares:
    return np.divide(part, total, out=np.zeros(np.shape(total)), where=np.asarray(total) > 0)
