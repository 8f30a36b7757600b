"""Fake quantization: the torch model rounds weights and activations to int8, like the exported model."""

from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

#: The largest int8; a scale maps the largest absolute value of its group to it.
INT8_MAX: Final = 127

#: Minimum scale, so that a row of zeros has one.
MIN_SCALE: Final = 1e-8

#: Number of embedding weights that share a scale. Smaller blocks are more accurate and larger on disk.
BLOCK: Final = 32

#: Minimum scale of a block, limited by half precision.
MIN_BLOCK_SCALE: Final = 1e-6


class RoundedLinear(nn.Linear):
    """A linear layer with fake-quantized int8 operands: one scale per output for weights, one per row for inputs.

    A row is a token, so its rounding does not depend on its neighbours. Gradients pass through the rounding unchanged
    (the straight-through estimator; Bengio et al., 2013, arXiv:1308.3432; for int8 products Jacob et al., CVPR 2018).
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the product of the rounded input and weights, plus the bias."""
        return functional.linear(rounded(input), rounded(self.weight), self.bias)


class RoundedEmbedding(nn.Embedding):
    """A fake-quantized int8 embedding, with a scale in half precision for every `BLOCK` numbers of a row."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the rounded vector of each id, unrounded if its width is not a multiple of `BLOCK`."""
        values = super().forward(input)
        if self.embedding_dim % BLOCK:
            return values
        return rounded(values.reshape(*values.shape[:-1], -1, BLOCK), half=True).flatten(-2)


def rounded(values: Tensor, *, half: bool = False) -> Tensor:
    """Return the values rounded to int8 times a scale, with a straight-through gradient.

    Args:
        values: tensor [..., numbers that share a scale].
        half: whether the scale has half precision.
    """
    result: Tensor = _Round.apply(values, half)  # type: ignore[no-untyped-call]
    return result


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, half: bool) -> Tensor:  # noqa: ARG004  (torch's interface)
        scale = values.abs().amax(dim=-1, keepdim=True) / INT8_MAX
        scale = scale.clamp(min=MIN_BLOCK_SCALE).half().to(values.dtype) if half else scale.clamp(min=MIN_SCALE)
        return (values / scale).round().clamp_(-INT8_MAX, INT8_MAX).mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ARG004
        return gradients[0], None


#: The fake-quantized class of each plain layer.
_ROUNDED: Final[dict[type[nn.Module], type[nn.Module]]] = {nn.Linear: RoundedLinear, nn.Embedding: RoundedEmbedding}


def round_weights(model: nn.Module, *, rounded: bool = True) -> None:
    """Convert every linear layer and embedding of a model to fake quantization, or back; the weights are unchanged."""
    replacements = _ROUNDED if rounded else {new: old for old, new in _ROUNDED.items()}
    for module in model.modules():
        module.__class__ = replacements.get(type(module), type(module))
