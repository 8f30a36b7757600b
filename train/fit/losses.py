"""Training losses: the supervised loss of the heads, and the consistency loss between a row and its swapped copy."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional

from detente.models.encoder import EncoderOutput

#: Weight of positive cue tokens: they are so rare that the head would otherwise learn to mark nothing.
CUE_POSITIVE = 4.0


def loss(readings: EncoderOutput, targets: Mapping[str, Tensor], factors: Mapping[str, float]) -> Tensor:
    """Return the mean over pairs of the weighted sum of the heads' cross-entropies.

    Args:
        readings: outputs for D pairs, followed by those for their swapped copies.
        targets: targets of the D pairs, from `Collator.targets`.
        factors: weight of each head (default 1).
    """
    weight = targets["weight"]
    pairs = len(weight)
    total = weight.new_zeros(())
    for head, logits in readings.heads.items():
        entropy = -(targets[head] * functional.log_softmax(logits[:pairs].float(), dim=-1)).sum(-1)
        total = total + factors.get(head, 1.0) * (weight * entropy).sum()
    gold, annotated = targets["cue"].clamp(min=0.0), targets["cue"] >= 0
    token = functional.binary_cross_entropy_with_logits(
        readings.cue[:pairs].float(), gold, reduction="none", pos_weight=gold.new_tensor(CUE_POSITIVE)
    )
    per_pair = (token * annotated).sum(-1) / annotated.sum(-1).clamp(min=1)
    total = total + factors.get("cue", 1.0) * (weight * per_pair).sum()
    return total / pairs


def inconsistency(readings: EncoderOutput, targets: Mapping[str, Tensor]) -> Tensor:
    """Return the consistency loss of the tone: the symmetric KL divergence between pairs and copies, averaged over D.

    Args:
        readings: outputs for D pairs, followed by those for their swapped copies.
        targets: `originals`, index of each copy's pair; `weight` [D].
    """
    pairs, originals = len(targets["weight"]), targets["originals"]
    tones = functional.log_softmax(readings.heads["tone"].float(), dim=-1)
    original, copy = tones[originals], tones[pairs:]
    return ((original.exp() - copy.exp()) * (original - copy)).sum() / (2 * pairs)
