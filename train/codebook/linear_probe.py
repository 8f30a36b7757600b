"""Linear heads on frozen pair vectors: what learns a scheme of one's own from a few hundred labels in seconds."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from detente._statistics import softmax
from detente.infer.encoder.base import Floats
from detente.infer.encoder.onnx import OnnxEncoder
from detente.infer.encoder.pair_orders import both_orders
from detente.models.config import HEADS
from detente.models.features import Item
from detente.models.model_dir import ONNX
from detente.train.codebook import onnx_heads
from detente.train.temperature import best_temperature

Ints = npt.NDArray[np.int64]

#: Rows to learn from and rows to measure on, by fold.
Splits = list[tuple[Ints, Ints]]

#: Strength of the weights' prior (scikit-learn's C, on standardized vectors). Chosen between 1e-5 and 1e-1 with 100 to
#: 900 rows of the annotations', DSE's and NewsMTSC's dev splits as labels; from 1e-4 to 1e-3 macro F1 moves by up to
#: three points (once six, on DSE with 900), now up, now down.
STRENGTH: Final = 3e-4

FOLDS: Final = 5

#: From so many rows on, one fifth is held out once; with fewer every row is, in turn (cross-validation).
PLENTY: Final = 2000

#: Logit of a label that no row has.
NEVER: Final = -20.0


class Vectors:
    """Pair vectors of an exported model, batched and cut as its predictions are.

    Args:
        folder: the model folder.
        without: heads whose hidden layer is left out.

    Attributes:
        names: the network's outputs that are joined, as `onnx_heads.vectors` gives them.
    """

    def __init__(self, folder: Path, without: Sequence[str] = ()) -> None:
        self._encoder = OnnxEncoder(folder)
        model = onnx.load(folder / ONNX, load_external_data=False)
        self.names = onnx_heads.vectors(model, [head for head in self._encoder.config.heads if head in HEADS], without)

    def of(self, items: Sequence[Item]) -> Floats:
        """Return the vectors of each item's one pair, in both of its orders: [items, 2, width]."""
        outputs = self._encoder.forward([both_orders(item) for item in items], self.names)
        joined: Floats = np.concatenate([outputs[name] for name in self.names], axis=-1)
        return joined.reshape(len(items), 2, -1)


@dataclass(frozen=True, slots=True)
class Head:
    """A linear head.

    Attributes:
        weights: [width, labels].
        bias: [labels].
    """

    weights: Floats
    bias: Floats

    def predict_logits(self, vectors: Floats) -> Floats:
        """Return the logits of vectors [rows, 2, width], as [rows, 2, labels]."""
        logits: Floats = vectors @ self.weights + self.bias
        return logits


def answers(logits: Floats, temperature: float = 1.0) -> Floats:
    """Return the probabilities that the engine gives for logits [rows, 2, labels]: the mean of both orders."""
    probabilities: Floats = softmax(logits / temperature).mean(axis=1)
    return probabilities


def temperature(logits: Floats, gold: Ints) -> float:
    """Return the temperature under which the right labels of rows that a head hasn't seen are most likely."""
    return best_temperature(lambda degree: answers(logits, degree), gold)


def fit(vectors: Floats, gold: Ints, labels: int) -> Head:
    """Fit a head to rows, both orders of each; each label weighs the same, however rare it is.

    Args:
        vectors: [rows, 2, width].
        gold: [rows], the index of each row's label.
        labels: how many there are; those that no row has get the logit `NEVER`.
    """
    rows = vectors.reshape(-1, vectors.shape[-1])
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    classifier = LogisticRegression(C=STRENGTH, max_iter=500, class_weight="balanced")
    classifier.fit((rows - middle) / spread, np.repeat(gold, 2))
    slopes, bias = classifier.coef_, classifier.intercept_
    if len(slopes) == 1:  # of two labels, scikit-learn keeps the second's
        slopes, bias = np.stack([-slopes[0], slopes[0]]) / 2, np.array([-bias[0], bias[0]]) / 2
    weights = np.zeros((rows.shape[1], labels))
    offsets = np.full(labels, NEVER)
    weights[:, classifier.classes_] = (slopes / spread).T
    offsets[classifier.classes_] = bias - (slopes / spread) @ middle
    return Head(weights, offsets)


def folds(gold: Ints, groups: Ints, seed: int) -> Splits:
    """Split rows so that no group is on both sides and each side has all labels, where that can be.

    Returns:
        Rows to learn from and rows to measure on: each row once for the latter, or a fifth of them (`PLENTY`).
    """
    most = min(FOLDS, len(np.unique(groups)), int(np.bincount(gold).max()))
    splitter = StratifiedGroupKFold(max(2, most), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a label rarer than the folds is told of by its count
        found = [(np.asarray(a), np.asarray(b)) for a, b in splitter.split(gold, gold, groups)]
    sound = [(a, b) for a, b in found if len(np.unique(gold[a])) > 1]
    return sound[:1] if len(gold) >= PLENTY else sound


def smaller(rows: Ints, groups: Ints, gold: Ints, share: float, seed: int) -> Ints:
    """Draw a share of rows, whole groups at a time and one of each label at least."""
    draw = np.random.default_rng(seed)
    order = draw.permutation(np.unique(groups[rows]))
    rank = {group: at for at, group in enumerate(order.tolist())}
    ranked = rows[np.argsort([rank[g] for g in groups[rows].tolist()], kind="stable")]
    kept = list(ranked[: max(2, round(share * len(rows)))])
    kept += [next(r for r in ranked if gold[r] == label) for label in set(gold[rows]) - set(gold[kept])]
    return np.array(kept)
