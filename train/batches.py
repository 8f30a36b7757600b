"""Rows as tensors: the collator of training, with the order of a pair drawn anew each time."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from detente.infer.excerpt import Excerpt, marked
from detente.models.config import HEADS
from detente.models.encoder import Readings
from detente.models.features import Batch, Featurizer, Item, Span, tokens_of
from detente.train import swap
from detente.train.rows import Label, Row, flipped

#: A cue's words are few: a token of the cue counts as this many others, or the head would learn to mark nothing.
CUE_POSITIVE = 4.0


@dataclass
class Collator:
    """Turns rows into the network's inputs and the targets of its heads.

    Attributes:
        featurizer: tokenizer and padding.
        markers: mark the actors in the text, one sequence per pair.
        smoothing: label smoothing.
        masked: share of rows whose states are hidden.
        swapped: share of rows whose states are exchanged for others.
        seed: of what is drawn.
    """

    featurizer: Featurizer
    markers: bool = False
    smoothing: float = 0.0
    masked: float = 0.0
    swapped: float = 0.0
    seed: int = 0
    draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def __call__(self, rows: Sequence[Row]) -> dict[str, Tensor | dict[str, Tensor]]:
        """Return inputs by name and, under `targets`, what `loss` takes."""
        items, labels = [], []
        for row in map(self._changed, rows):
            pairs, known = [], []
            for (a, b), label in zip(row.pairs, row.labels, strict=True):
                flip = not row.ordered and self.draw.random() < 0.5
                pairs.append((b, a) if flip else (a, b))
                known.append(flipped(label) if flip else label)
            item = Item(row.text, row.actors, pairs)
            if self.markers:
                for pair, label in zip(pairs, known, strict=True):
                    excerpt = marked(Excerpt(Item(row.text, row.actors, [pair])))
                    items.append(excerpt.item)
                    labels.append(
                        Label(label.heads, label.weight, label.cue and [placed(excerpt, span) for span in label.cue])
                    )
            else:
                items.append(item)
                labels.extend(known)
        batch = self.featurizer.batch(items)
        inputs: dict[str, Tensor | dict[str, Tensor]] = {k: torch.from_numpy(v) for k, v in batch.arrays().items()}
        inputs["targets"] = self.targets(items, labels, batch)
        return inputs

    def _changed(self, row: Row) -> Row:
        """Hide or exchange the states of some rows that say which they are."""
        chance = self.draw.random()
        if not all(row.states) or chance >= self.masked + self.swapped:
            return row
        return (swap.masked(row) if chance < self.masked else swap.swapper().drawn(row, self.draw)) or row

    def targets(self, items: Sequence[Item], labels: Sequence[Label], batch: Batch) -> dict[str, Tensor]:
        """Return a distribution [D, n] by head (zeros: no label), `cue` [D, T] (-1: not annotated) and `weight` [D]."""
        out: dict[str, Tensor] = {"weight": torch.tensor([label.weight for label in labels])}
        for head, names in HEADS.items():
            none = [0.0] * len(names)
            target = torch.tensor([label.heads.get(head, none) for label in labels])
            known = target.sum(-1, keepdim=True)
            out[head] = (1 - self.smoothing) * target + self.smoothing * known / len(names)
        cue = torch.full((len(labels), batch.input_ids.shape[1]), -1.0)
        at = 0
        for item, encoding in zip(items, batch.encodings, strict=True):
            for label in labels[at : at + len(item.pairs)]:
                if label.cue is not None:
                    cue[at, : len(encoding.ids)] = 0.0
                    for span in label.cue:
                        tokens = tokens_of(encoding, span)
                        cue[at, tokens.start : tokens.stop] = 1.0
                at += 1
        out["cue"] = cue
        return out


def placed(excerpt: Excerpt, span: Span) -> Span:
    """Return where a span of the sentence stands in an excerpt of it."""
    origin = excerpt.origin or range(len(excerpt.item.text))
    return origin.index(span[0]), origin.index(span[1] - 1) + 1


def loss(readings: Readings, targets: Mapping[str, Tensor], factors: Mapping[str, float]) -> Tensor:
    """Return the loss: per pair, the sum of its heads' cross-entropies times its weight; the mean over pairs.

    Args:
        readings: of D pairs.
        targets: as `Collator.targets` gives them.
        factors: weight of each head; 1 where it is missing.
    """
    weight = targets["weight"]
    total = weight.new_zeros(())
    for head, logits in readings.heads.items():
        entropy = -(targets[head] * functional.log_softmax(logits.float(), dim=-1)).sum(-1)
        total = total + factors.get(head, 1.0) * (weight * entropy).sum()
    gold, known = targets["cue"].clamp(min=0.0), targets["cue"] >= 0
    token = functional.binary_cross_entropy_with_logits(
        readings.cue.float(), gold, reduction="none", pos_weight=gold.new_tensor(CUE_POSITIVE)
    )
    per_pair = (token * known).sum(-1) / known.sum(-1).clamp(min=1)
    total = total + factors.get("cue", 1.0) * (weight * per_pair).sum()
    return total / len(weight)
