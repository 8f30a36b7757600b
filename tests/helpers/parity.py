"""Does the exported model say what the trained one says?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detente.infer.encoder.base import Encoder
from detente.models.config import HEADS
from detente.models.features import Item


@dataclass(frozen=True, slots=True)
class Parity:
    """How near two models are on the same pairs.

    Attributes:
        agreement: by head, the share of pairs to which both give the same label.
        distance: by head, the largest difference of a label's probability.
    """

    agreement: dict[str, float]
    distance: dict[str, float]


def parity(one: Encoder, other: Encoder, items: Sequence[Item]) -> Parity:
    """Compare two models on every pair of some items, in its given order."""
    agreement, distance = {}, {}
    first, second = (
        [pair for item in engine.predict(items, symmetric=False) for pair in item] for engine in (one, other)
    )
    for head in HEADS:
        a, b = (np.stack([pair.heads[head] for pair in pairs]) for pairs in (first, second))
        agreement[head] = float((a.argmax(-1) == b.argmax(-1)).mean())
        distance[head] = float(np.abs(a - b).max())
    return Parity(agreement, distance)
