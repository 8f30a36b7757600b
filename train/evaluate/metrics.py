"""Compute the benchmarks' metrics, each as its source does, from gold labels and predictions."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix, f1_score

from detente.data.codebook.labels import TONES, WARMTH

Floats = npt.NDArray[np.float64]


def macro_f1(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> float:
    """Return the mean F1 over `labels`, in 0..1; a label that never occurs counts as 0, as in scikit-learn."""
    return float(f1_score(gold, predicted, labels=list(labels), average="macro", zero_division=0.0))


def micro_f1(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Return the share of correct rows, which is micro F1 over all classes."""
    return float(np.mean([g == p for g, p in zip(gold, predicted, strict=True)]))


def class_f1(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> dict[str, float]:
    """Return F1 by label."""
    scores = f1_score(gold, predicted, labels=list(labels), average=None, zero_division=0.0)
    return dict(zip(labels, map(float, scores), strict=True))


def relation_f1(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Return F1 of "the sentence presents a relationship" (any tone but `none`)."""
    return float(f1_score([g != "none" for g in gold], [p != "none" for p in predicted], zero_division=0.0))


def warmth_r(gold: Sequence[str], warmth: Sequence[float]) -> float:
    """Return Pearson's r of expected and gold warmth, over the rows with a relationship."""
    pairs = [(WARMTH[g], w) for g, w in zip(gold, warmth, strict=True) if g in WARMTH]
    if len({g for g, _ in pairs}) < 2 or len({w for _, w in pairs}) < 2:
        return 0.0
    return float(np.corrcoef(np.array(pairs).T)[0, 1])


def span_f1(text: str, gold: tuple[int, int] | None, predicted: tuple[int, int] | None) -> float:
    """Return F1 of the words of two spans of a text, as for answers in SQuAD (Rajpurkar et al., EMNLP 2016)."""
    predicted_words, gold_words = (set(_words(text, span)) for span in (predicted, gold))
    if not predicted_words or not gold_words:
        return float(predicted_words == gold_words)
    return 2 * len(predicted_words & gold_words) / (len(predicted_words) + len(gold_words))


def _words(text: str, span: tuple[int, int] | None) -> list[int]:
    start, end = span or (0, 0)
    return [m.start() for m in re.finditer(r"\w+", text) if start < m.end() and m.start() < end]


def confusion(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str] = TONES) -> npt.NDArray[np.int64]:
    """Return the confusion matrix, counts [gold label, predicted label]."""
    return np.asarray(confusion_matrix(gold, predicted, labels=list(labels)), dtype=np.int64)
