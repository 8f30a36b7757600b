"""Temperature scaling (Guo et al., ICML 2017): one number per head, so that a probability means what it says."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from detente._statistics import softmax
from detente.infer.encoder.base import Floats

#: Temperatures that are tried: a fine grid is exact enough for one number and cannot diverge.
GRID = np.geomspace(0.25, 4.0, 241)


def nll(probabilities: Floats, gold: npt.NDArray[np.int64]) -> float:
    """Return the mean negative log likelihood of the right labels."""
    return float(-np.log(probabilities[np.arange(len(gold)), gold].clip(1e-12)).mean())


def temperature(probabilities: Floats, gold: npt.NDArray[np.int64]) -> float:
    """Return the temperature under which the right labels are most likely.

    Args:
        probabilities: [N, labels] of the uncalibrated head (the mean of both orders where the pair has none).
        gold: [N], index of the right label.
    """
    logits = np.log(probabilities.clip(1e-12))
    return best_temperature(lambda degree: softmax(logits / degree), gold)


def best_temperature(probabilities: Callable[[float], Floats], gold: npt.NDArray[np.int64]) -> float:
    """Return the temperature of the grid under which the right labels are most likely.

    Args:
        probabilities: the probabilities at a temperature, [N, labels].
        gold: [N], index of the right label.
    """
    return float(min(GRID, key=lambda degree: nll(probabilities(degree), gold)))


def fit_temperatures(heads: Mapping[str, tuple[Sequence[Floats], Sequence[int]]], least: int = 100) -> dict[str, float]:
    """Return the temperature of each head that has at least `least` dev rows.

    Args:
        heads: by head, the probabilities of each row and the index of its label.
        least: rows under which a temperature would be noise; the head keeps 1.
    """
    return {
        head: round(temperature(np.stack(rows), np.array(labels)), 4)
        for head, (rows, labels) in heads.items()
        if len(labels) >= least
    }
