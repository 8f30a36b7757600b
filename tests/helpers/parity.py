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
        margin: by head, the largest lead over its second label of a label that the other model doesn't give; 0 where
            both give all labels alike.
    """

    agreement: dict[str, float]
    distance: dict[str, float]
    margin: dict[str, float]


def parity(one: Encoder, other: Encoder, items: Sequence[Item]) -> Parity:
    """Compare two models on every pair of some items, in its given order."""
    agreement, distance, margin = {}, {}, {}
    first, second = (
        [pair for item in engine.predict(items, symmetric=False) for pair in item] for engine in (one, other)
    )
    for head in HEADS:
        a, b = (np.stack([pair.heads[head] for pair in pairs]) for pairs in (first, second))
        agreement[head] = float((a.argmax(-1) == b.argmax(-1)).mean())
        distance[head] = float(np.abs(a - b).max())
        ranked = np.sort(a, axis=-1)
        lead = ranked[:, -1] - ranked[:, -2]
        margin[head] = float(np.where(a.argmax(-1) == b.argmax(-1), 0.0, lead).max())
    return Parity(agreement, distance, margin)
