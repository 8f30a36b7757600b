"""`Encoder`: the contract of everything that predicts pairs, and the `PairOutput` that it returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from detente.models.config import ModelConfig
from detente.models.features import Item, Span

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class PairOutput:
    """The prediction for one pair of actors in a sentence.

    Attributes:
        heads: probabilities by head, each [labels of the head].
        cue: probability of each token being one of the words that show the tone, [tokens].
        spans: each token's characters in the sentence; empty for special tokens.
    """

    heads: Mapping[str, Floats]
    cue: Floats
    spans: Sequence[Span]


class Encoder(Protocol):
    """A model that predicts pairs: the exported network, the torch one, or a cache around either."""

    @property
    def config(self) -> ModelConfig:
        """The model's heads, labels and temperatures."""
        ...

    @property
    def name(self) -> str:
        """The model's name and version, as readings carry them."""
        ...

    @property
    def digest(self) -> str | None:
        """The hash of the model's files in hex; None for a model that isn't an exported folder."""
        ...

    def predict(self, items: Sequence[Item], *, symmetric: bool = True) -> list[list[PairOutput]]:
        """Predict every pair of every item.

        Args:
            items: sentences with their actors and pairs.
            symmetric: predict each pair in both orders and join the two, so that the result doesn't depend on the
                order in which the pair was given (a direction is seen from the pair's first actor). False where the
                order is part of the question, as in the benchmarks that name a source and a target.

        Returns:
            For each item one output per pair.
        """
        ...

    def predict_logits(self, items: Sequence[Item]) -> dict[str, Floats]:
        """Return each head's raw logits for every pair in its given order, [pairs of all items, labels of the head]."""
        ...


class EncoderWrapper:
    """An `Encoder` that passes everything on to another one; subclasses change `predict`.

    Args:
        encoder: the encoder that predicts.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def config(self) -> ModelConfig:
        """The wrapped encoder's configuration."""
        return self._encoder.config

    @property
    def name(self) -> str:
        """The wrapped encoder's name."""
        return self._encoder.name

    @property
    def digest(self) -> str | None:
        """The hash of the wrapped encoder's files."""
        return self._encoder.digest

    def predict(self, items: Sequence[Item], *, symmetric: bool = True) -> list[list[PairOutput]]:
        """Predict every pair of every item; see `Encoder.predict`."""
        return self._encoder.predict(items, symmetric=symmetric)

    def predict_logits(self, items: Sequence[Item]) -> dict[str, Floats]:
        """Return each head's raw logits; see `Encoder.predict_logits`."""
        return self._encoder.predict_logits(items)


def sigmoid(logits: Floats) -> Floats:
    """Return the probability of each logit."""
    shares: Floats = 1 / (1 + np.exp(-logits.clip(-30, 30)))
    return shares
