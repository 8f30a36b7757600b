"""Where a model is right and where not: figures by class, by dyad, by decade and by kind of source.

Every figure follows from counts by gold label and answer. Rows that are drawn again with replacement give counts that
are multinomial in those, so the intervals are those of a bootstrap over rows, as in the tables.
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
from detente.train.evaluate.benchmarks import RESAMPLES, Scores, gold, said
from detente.train.evaluate.metrics import confusion

Counts = npt.NDArray[np.integer[Any]]
Shares = npt.NDArray[np.float64]

#: A dyad with fewer rows is pooled with the other rare ones.
LEAST: Final = 5


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How one label is met.

    Attributes:
        label: of the head.
        rows: that have it.
        precision: share of the answers with this label that are right.
        recall: share of the rows with this label that are found.
        f1: their harmonic mean.
    """

    label: str
    rows: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


@dataclass(frozen=True, slots=True)
class Slice:
    """The tone on some of the rows.

    Attributes:
        kind: `dyad`, `decade` or `source`.
        name: of the slice.
        rows: in it.
        accuracy: share of tones that are right.
        tone_f1: macro F1 over the tones that the slice has.
        relation_f1: F1 of "there is a relationship".
    """

    kind: str
    name: str
    rows: int
    accuracy: Estimate
    tone_f1: Estimate
    relation_f1: Estimate


def classes(counts: Counts, labels: Sequence[str], resamples: int = RESAMPLES) -> list[ClassFigures]:
    """Return the figures of each label that a row or an answer has.

    Args:
        counts: [gold label, said label].
        labels: in the order of the matrix.
        resamples: of the bootstrap.
    """
    figures = [estimate(counts, figure, resamples) for figure in (precision, recall, f1)]
    rows, answers = counts.sum(axis=1), counts.sum(axis=0)
    return [
        ClassFigures(label, int(rows[at]), *(figure[at] for figure in figures))
        for at, label in enumerate(labels)
        if rows[at] or answers[at]
    ]


def slices(examples: Sequence[Example], scores: Sequence[Scores], resamples: int = RESAMPLES) -> list[Slice]:
    """Return the figures by dyad (the frequent ones first, the rare ones pooled), by decade and by kind of source.

    Args:
        examples: rows with a tone.
        scores: what a model says of each.
        resamples: of the bootstrap.
    """
    right, answer = gold(examples, "tone"), said(scores, "tone", TONES)
    dyads = Counter(example.dyad for example in examples)
    often = [dyad for dyad, n in dyads.most_common() if n >= LEAST]
    rest = f"{len(dyads) - len(often)} other dyads"
    names: dict[str, list[str]] = {
        "dyad": [example.dyad if dyads[example.dyad] >= LEAST else rest for example in examples],
        "decade": [f"{example.date[:3]}0s" if example.date else "undated" for example in examples],
        "source": [example.origin.partition("/")[2] or example.origin for example in examples],
    }
    out = []
    for kind, of in names.items():
        for name in [*often, rest] if kind == "dyad" else sorted(set(of)):
            rows = [at for at, other in enumerate(of) if other == name]
            if rows:
                counts = confusion([right[at] for at in rows], [answer[at] for at in rows])
                out.append(_slice(kind, name, counts, resamples))
    return out


def _slice(kind: str, name: str, counts: Counts, resamples: int) -> Slice:
    has = counts.sum(axis=1) > 0

    def tone_f1(some: Counts) -> Shares:
        mean: Shares = f1(some)[..., has].mean(axis=-1, keepdims=True)
        return mean

    (accurate,), (tone,), (relation,) = (estimate(counts, of, resamples) for of in (accuracy, tone_f1, relation_f1))
    return Slice(kind, name, int(counts.sum()), accurate, tone, relation)


def estimate(
    counts: Counts, figure: Callable[[Counts], Shares], resamples: int = RESAMPLES, seed: int = 0
) -> list[Estimate]:
    """Return each figure of a confusion matrix with its bootstrap 95 % interval.

    Args:
        counts: [gold label, said label], of at least one row.
        figure: from counts [..., labels, labels] to figures [..., n].
        resamples: of the bootstrap.
        seed: of its draws.
    """
    samples = np.concatenate(list(resampled_counts(counts.ravel(), draws=resamples, seed=seed)))
    drawn = figure(samples.reshape(-1, *counts.shape))
    return [Estimate(float(value), *interval(values)) for value, values in zip(figure(counts), drawn.T, strict=True)]


def accuracy(counts: Counts) -> Shares:
    """Return the share of answers that are right, [..., 1]."""
    return _share(np.trace(counts, axis1=-2, axis2=-1), counts.sum(axis=(-2, -1)))[..., None]


def precision(counts: Counts) -> Shares:
    """Return the precision of each label, [..., labels]; 0 for a label that is never said."""
    return _share(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-2))


def recall(counts: Counts) -> Shares:
    """Return the recall of each label, [..., labels]; 0 for a label that no row has."""
    return _share(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))


def f1(counts: Counts) -> Shares:
    """Return F1 of each label, [..., labels]."""
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    return _share(2 * right, counts.sum(axis=-1) + counts.sum(axis=-2))


def relation_f1(counts: Counts) -> Shares:
    """Return F1 of any tone but `none`, which is the first of `TONES`, [..., 1]."""
    found = counts[..., 1:, 1:].sum(axis=(-2, -1))
    related, said_so = counts[..., 1:, :].sum(axis=(-2, -1)), counts[..., :, 1:].sum(axis=(-2, -1))
    return _share(2 * found, related + said_so)[..., None]


def _share(part: Counts, whole: Counts) -> Shares:
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)
