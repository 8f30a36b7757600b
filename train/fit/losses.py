"""The losses of training: of the heads, and of a pair of rows that differ in their states alone."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional

from detente.models.encoder import EncoderOutput

#: A cue's words are few: a token of the cue counts as this many others, or the head would learn to mark nothing.
CUE_POSITIVE = 4.0


def loss(readings: EncoderOutput, targets: Mapping[str, Tensor], factors: Mapping[str, float]) -> Tensor:
    """Return the loss: per pair, the sum of its heads' cross-entropies times its weight; the mean over pairs.

    Args:
        readings: of D pairs, and of their twins behind them.
        targets: as `Collator.targets` gives them, of the D pairs.
        factors: weight of each head; 1 where it is missing.
    """
    weight = targets["weight"]
    pairs = len(weight)
    total = weight.new_zeros(())
    for head, logits in readings.heads.items():
        entropy = -(targets[head] * functional.log_softmax(logits[:pairs].float(), dim=-1)).sum(-1)
        total = total + factors.get(head, 1.0) * (weight * entropy).sum()
    gold, known = targets["cue"].clamp(min=0.0), targets["cue"] >= 0
    token = functional.binary_cross_entropy_with_logits(
        readings.cue[:pairs].float(), gold, reduction="none", pos_weight=gold.new_tensor(CUE_POSITIVE)
    )
    per_pair = (token * known).sum(-1) / known.sum(-1).clamp(min=1)
    total = total + factors.get("cue", 1.0) * (weight * per_pair).sum()
    return total / pairs


def inconsistency(readings: EncoderOutput, targets: Mapping[str, Tensor]) -> Tensor:
    """Return how far the tone moves when the states are exchanged: the mean over D pairs of KL both ways, halved.

    Args:
        readings: of D pairs, and of their twins behind them.
        targets: `twins`, the pair that each twin is one of; `weight`, of the D pairs.
    """
    pairs, first = len(targets["weight"]), targets["twins"]
    tones = functional.log_softmax(readings.heads["tone"].float(), dim=-1)
    one, other = tones[first], tones[pairs:]
    return ((one.exp() - other.exp()) * (one - other)).sum() / (2 * pairs)
