"""Rows as tensors: the collator of training, with the order of a pair drawn anew each time."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from detente.infer.encoder.truncation import Excerpt, marked
from detente.models.config import HEADS
from detente.models.features import Batch, Featurizer, Item, Span, tokens_of
from detente.train import entity_swap
from detente.train.examples import Label, Row, flipped


@dataclass
class Collator:
    """Turns rows into the network's inputs and the targets of its heads.

    Attributes:
        featurizer: tokenizer and padding.
        markers: mark the actors in the text, one sequence per pair.
        heads: labels of each head that the network has.
        smoothing: label smoothing of hard labels.
        masked: share of rows whose states are hidden.
        swapped: share of rows whose states are exchanged for others.
        twins: share of the rows that say which their states are, beside which another one with other states is put.
        seed: random seed. The draws for a batch depend on it, on the epoch and on the batch alone, so that a resumed
            run draws what an undisturbed one would.
        epoch: number of the epoch.
    """

    featurizer: Featurizer
    markers: bool = False
    heads: Mapping[str, Sequence[str]] = field(default_factory=lambda: HEADS)
    smoothing: float = 0.0
    masked: float = 0.0
    swapped: float = 0.0
    twins: float = 0.0
    seed: int = 0
    epoch: int = 0
    draw: random.Random = field(init=False)
    mask: str = field(init=False)

    def __post_init__(self) -> None:
        tokenizer = self.featurizer.tokenizer
        self.mask = next(
            (m for m in ("<mask>", entity_swap.MASK) if tokenizer.token_to_id(m) is not None), entity_swap.MASK
        )

    def __call__(self, rows: Sequence[Row]) -> dict[str, Tensor | dict[str, Tensor]]:
        """Return inputs by name and, under `targets`, what `loss` takes; the pairs of twins stand behind all others."""
        self.draw = random.Random(repr((self.seed, self.epoch, [row.text for row in rows])))
        items: list[Item] = []
        labels: list[Label] = []
        twins: list[Item] = []
        first: list[int] = []
        for row in map(self._ordered, map(self._changed, rows)):
            twice = self.twins and all(row.states) and self.draw.random() < self.twins
            if twice and (twin := entity_swap.swapper().drawn(row, self.draw)):
                twins += self._shown(twin)[0]
                first += range(len(labels), len(labels) + len(row.pairs))
            shown, known = self._shown(row)
            items += shown
            labels += known
        batch = self.featurizer.batch(items + twins)
        inputs: dict[str, Tensor | dict[str, Tensor]] = {k: torch.from_numpy(v) for k, v in batch.arrays().items()}
        inputs["targets"] = self.targets(items, labels, batch) | {"twins": torch.tensor(first, dtype=torch.long)}
        return inputs

    def _changed(self, row: Row) -> Row:
        """Hide or exchange the states of some rows that say which they are."""
        chance = self.draw.random()
        if not all(row.states) or chance >= self.masked + self.swapped:
            return row
        if chance < self.masked:
            return entity_swap.masked(row, self.mask) or row
        return entity_swap.swapper().drawn(row, self.draw) or row

    def _ordered(self, row: Row) -> Row:
        """Draw the order of each pair, unless the row's order means something."""
        if row.ordered:
            return row
        flips = [self.draw.random() < 0.5 for _ in row.pairs]
        pairs = [pair[::-1] if flip else pair for pair, flip in zip(row.pairs, flips, strict=True)]
        labels = [flipped(label) if flip else label for label, flip in zip(row.labels, flips, strict=True)]
        return replace(row, pairs=pairs, labels=labels)

    def _shown(self, row: Row) -> tuple[list[Item], list[Label]]:
        """Return what the network reads of a row, and the labels with their cues where they stand in that."""
        if not self.markers:
            return [row.item], row.labels
        excerpts = [marked(Excerpt(Item(row.text, row.actors, [pair]))) for pair in row.pairs]
        labels = [
            replace(label, cue=label.cue and [placed(excerpt, span) for span in label.cue])
            for excerpt, label in zip(excerpts, row.labels, strict=True)
        ]
        return [excerpt.item for excerpt in excerpts], labels

    def targets(self, items: Sequence[Item], labels: Sequence[Label], batch: Batch) -> dict[str, Tensor]:
        """Return a distribution [D, n] by head (zeros: no label), `cue` [D, T] (-1: not annotated) and `weight` [D].

        Args:
            items: the first of the batch, D pairs in all.
            labels: of these pairs.
            batch: may hold more items behind these.
        """
        out: dict[str, Tensor] = {"weight": torch.tensor([label.weight for label in labels])}
        for head, names in self.heads.items():
            none = [0.0] * len(names)
            target = torch.tensor([label.heads.get(head, none) for label in labels])
            smoothing = self.smoothing * (target.amax(-1, keepdim=True) == 1)  # a soft label is smooth already
            out[head] = (1 - smoothing) * target + smoothing / len(names)
        cue = torch.full((len(labels), batch.input_ids.shape[1]), -1.0)
        at = 0
        for item, encoding in zip(items, batch.encodings, strict=False):
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
