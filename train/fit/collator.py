"""Collate training rows into tensors, with swapped and masked states and a random order of each pair."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from detente.infer.encoder.truncation import Excerpt, marked
from detente.models.config import HEADS
from detente.models.features import Batch, Featurizer, Item, Span, tokens_of
from detente.train import entity_swap
from detente.train.examples import Label, Row, reverse_pair


@dataclass
class Collator:
    """Turns rows into the network's inputs and the targets of its heads.

    Attributes:
        featurizer: tokenizer and padding.
        entity_markers: whether to mark the actors in the text, one sequence per pair.
        heads: labels of each of the network's heads.
        label_smoothing: smoothing of one-hot labels.
        mask_fraction: fraction of rows whose states are masked.
        swap_fraction: fraction of rows whose states are swapped for random others.
        consistency_fraction: fraction of rows that get a copy with swapped states for the consistency loss.
        seed: random seed. The random choices for a batch depend on seed, epoch and batch alone, so that a resumed run
            repeats them.
        epoch: number of the epoch.
    """

    featurizer: Featurizer
    entity_markers: bool = False
    heads: Mapping[str, Sequence[str]] = field(default_factory=lambda: HEADS)
    label_smoothing: float = 0.0
    mask_fraction: float = 0.0
    swap_fraction: float = 0.0
    consistency_fraction: float = 0.0
    seed: int = 0
    epoch: int = 0
    rng: random.Random = field(init=False)
    mask: str = field(init=False)

    def __post_init__(self) -> None:
        tokenizer = self.featurizer.tokenizer
        self.mask = next(
            (m for m in ("<mask>", entity_swap.MASK) if tokenizer.token_to_id(m) is not None), entity_swap.MASK
        )

    def __call__(self, rows: Sequence[Row]) -> dict[str, Tensor | dict[str, Tensor]]:
        """Return the network's inputs by name and the targets of `loss`; swapped copies come after all other pairs."""
        self.rng = random.Random(repr((self.seed, self.epoch, [row.text for row in rows])))
        items: list[Item] = []
        labels: list[Label] = []
        copies: list[Item] = []
        originals: list[int] = []
        for row in map(self._shuffle_pairs, map(self._augment, rows)):
            has_copy = self.consistency_fraction and all(row.states) and self.rng.random() < self.consistency_fraction
            if has_copy and (swapped := entity_swap.swapper().swap_randomly(row, self.rng)):
                copies += self._inputs(swapped)[0]
                originals += range(len(labels), len(labels) + len(row.pairs))
            row_items, row_labels = self._inputs(row)
            items += row_items
            labels += row_labels
        batch = self.featurizer.batch(items + copies)
        inputs: dict[str, Tensor | dict[str, Tensor]] = {k: torch.from_numpy(v) for k, v in batch.arrays().items()}
        inputs["targets"] = self.targets(items, labels, batch) | {
            "originals": torch.tensor(originals, dtype=torch.long)
        }
        return inputs

    def _augment(self, row: Row) -> Row:
        """Return the row with its states masked, swapped or unchanged, at random; rows without states stay as is."""
        chance = self.rng.random()
        if not all(row.states) or chance >= self.mask_fraction + self.swap_fraction:
            return row
        if chance < self.mask_fraction:
            return entity_swap.mask_actors(row, self.mask) or row
        return entity_swap.swapper().swap_randomly(row, self.rng) or row

    def _shuffle_pairs(self, row: Row) -> Row:
        """Return the row with each pair in random order, unless the order has a meaning."""
        if row.ordered:
            return row
        flips = [self.rng.random() < 0.5 for _ in row.pairs]
        pairs = [pair[::-1] if flip else pair for pair, flip in zip(row.pairs, flips, strict=True)]
        labels = [reverse_pair(label) if flip else label for label, flip in zip(row.labels, flips, strict=True)]
        return replace(row, pairs=pairs, labels=labels)

    def _inputs(self, row: Row) -> tuple[list[Item], list[Label]]:
        """Return the network's inputs for a row, and its labels with cue offsets relative to those inputs."""
        if not self.entity_markers:
            return [row.item], row.labels
        excerpts = [marked(Excerpt(Item(row.text, row.actors, [pair]))) for pair in row.pairs]
        labels = [
            replace(label, cue=label.cue and [span_in_excerpt(excerpt, span) for span in label.cue])
            for excerpt, label in zip(excerpts, row.labels, strict=True)
        ]
        return [excerpt.item for excerpt in excerpts], labels

    def targets(self, items: Sequence[Item], labels: Sequence[Label], batch: Batch) -> dict[str, Tensor]:
        """Return the targets: a distribution [D, n] per head, `cue` [D, T] and `weight` [D].

        Zeros mean no label in a distribution, -1 not annotated in `cue`.

        Args:
            items: the first items of the batch, with D pairs in total.
            labels: labels of these pairs.
            batch: the batch; it may contain further items.
        """
        out: dict[str, Tensor] = {"weight": torch.tensor([label.weight for label in labels])}
        for head, names in self.heads.items():
            unlabelled = [0.0] * len(names)
            target = torch.tensor([label.heads.get(head, unlabelled) for label in labels])
            smoothing = self.label_smoothing * (target.amax(-1, keepdim=True) == 1)  # a soft label is smooth already
            out[head] = (1 - smoothing) * target + smoothing / len(names)
        cue = torch.full((len(labels), batch.input_ids.shape[1]), -1.0)
        pair = 0
        for item, encoding in zip(items, batch.encodings, strict=False):
            for label in labels[pair : pair + len(item.pairs)]:
                if label.cue is not None:
                    cue[pair, : len(encoding.ids)] = 0.0
                    for span in label.cue:
                        tokens = tokens_of(encoding, span)
                        cue[pair, tokens.start : tokens.stop] = 1.0
                pair += 1
        out["cue"] = cue
        return out


def span_in_excerpt(excerpt: Excerpt, span: Span) -> Span:
    """Return a span of the sentence as offsets into an excerpt of it."""
    origin = excerpt.origin or range(len(excerpt.item.text))
    return origin.index(span[0]), origin.index(span[1] - 1) + 1
