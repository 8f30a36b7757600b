"""Weights and products in int8: the torch model rounds as the exported one does, and is trained with its rounding."""

from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

#: The largest int8: a scale maps the greatest of the numbers that share it to this one.
MOST: Final = 127

#: No scale is smaller: a row of zeros would have none.
LEAST: Final = 1e-8

#: Weights of an embedding that share a scale. A smaller block is nearer to fp32 and adds a byte in sixteen.
BLOCK: Final = 32

#: The smallest scale of a block: scales are kept in half precision, which has no finer steps.
LEAST_BLOCK: Final = 1e-6


class RoundedLinear(nn.Linear):
    """A linear layer that multiplies int8 numbers: weights with a scale for each output, inputs with one for each row.

    A row is a token: its rounding does not depend on its neighbours. Training sees the rounding on the way forward and
    nothing of it on the way back (the straight-through estimator; Bengio et al., 2013, arXiv:1308.3432; for int8
    products Jacob et al., CVPR 2018).
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the product of the rounded input and the rounded weights, and the bias."""
        return functional.linear(rounded(input), rounded(self.weight), self.bias)


class RoundedEmbedding(nn.Embedding):
    """A table of vectors kept as int8, with a scale in half precision for every `BLOCK` numbers of a row."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the rounded vector of each id; as it is where its width is no multiple of a block."""
        values = super().forward(input)
        if self.embedding_dim % BLOCK:
            return values
        return rounded(values.reshape(*values.shape[:-1], -1, BLOCK), half=True).flatten(-2)


def rounded(values: Tensor, *, half: bool = False) -> Tensor:
    """Return the numbers of each last axis as int8 times a scale; a gradient passes as if nothing had been rounded.

    Args:
        values: [..., numbers that share a scale].
        half: whether the scale is kept in half precision.
    """
    result: Tensor = _Round.apply(values, half)  # type: ignore[no-untyped-call]
    return result


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, half: bool) -> Tensor:  # noqa: ARG004  (torch's interface)
        scale = values.abs().amax(dim=-1, keepdim=True) / MOST
        scale = scale.clamp(min=LEAST_BLOCK).half().to(values.dtype) if half else scale.clamp(min=LEAST)
        return (values / scale).round().clamp_(-MOST, MOST).mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ARG004
        return gradients[0], None


#: What takes the place of a plain layer of the same weights.
_ROUNDED: Final[dict[type[nn.Module], type[nn.Module]]] = {nn.Linear: RoundedLinear, nn.Embedding: RoundedEmbedding}


def round_weights(model: nn.Module, *, rounded: bool = True) -> None:
    """Make every linear layer and embedding of a model a rounded one, or a plain one again; the weights stay."""
    exchange = _ROUNDED if rounded else {new: old for old, new in _ROUNDED.items()}
    for module in model.modules():
        module.__class__ = exchange.get(type(module), type(module))
