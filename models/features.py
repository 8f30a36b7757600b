"""Sentences and dyads as arrays: the one place that turns text into what the network reads, in training and in use."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

Span = tuple[int, int]

#: Tokens put around the actors' mentions for a model that reads markers (first and second actor).
MARKERS = ("[A]", "[/A]", "[B]", "[/B]")


@dataclass(frozen=True, slots=True)
class Item:
    """One sentence, its actors and the ordered pairs of them that are to be read.

    Attributes:
        text: the sentence.
        actors: for each actor the spans of its mentions in `text` (start, end; characters).
        pairs: (first, second) as indices into `actors`.
    """

    text: str
    actors: Sequence[Sequence[Span]]
    pairs: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Batch:
    """What the network reads, for S sentences of up to T tokens, up to K actors each, and D pairs in all.

    Attributes:
        input_ids: int64 [S, T].
        attention_mask: int64 [S, T].
        mentions: float32 [S, K, T]; a row weighs the tokens of one actor's mentions and sums to 1 ([CLS] alone
            where none of them lies within the tokens read).
        pairs: int64 [D, 2]; each actor as sentence * K + actor.
        encodings: the tokenizer's output, which maps tokens back to characters.
    """

    input_ids: npt.NDArray[np.int64]
    attention_mask: npt.NDArray[np.int64]
    mentions: npt.NDArray[np.float32]
    pairs: npt.NDArray[np.int64]
    encodings: list[Encoding]

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the network's inputs by name."""
        return {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "mentions": self.mentions,
            "pairs": self.pairs,
        }


class Featurizer:
    """Turns items into a batch with a fast tokenizer."""

    def __init__(self, tokenizer: Tokenizer, max_length: int) -> None:
        self.tokenizer = tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_length)
        self.pad = next((i for t in ("[PAD]", "<pad>") if (i := tokenizer.token_to_id(t)) is not None), 0)

    def tokenize(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokenize in parallel (the tokenizer's own threads)."""
        return self.tokenizer.encode_batch(list(texts))

    def batch(self, items: Sequence[Item], encodings: list[Encoding] | None = None) -> Batch:
        """Pad items to one batch; pairs keep the order of the items."""
        encodings = encodings or self.tokenize([item.text for item in items])
        length = max(len(e.ids) for e in encodings)
        width = max(len(item.actors) for item in items)
        ids = np.full((len(items), length), self.pad, dtype=np.int64)
        mask = np.zeros_like(ids)
        mentions = np.zeros((len(items), width, length), dtype=np.float32)
        pairs: list[tuple[int, int]] = []
        for row, (item, encoding) in enumerate(zip(items, encodings, strict=True)):
            n = len(encoding.ids)
            ids[row, :n] = encoding.ids
            mask[row, :n] = 1
            mentions[row, : len(item.actors)] = token_weights(encoding, item.actors, length)
            pairs.extend((row * width + a, row * width + b) for a, b in item.pairs)
        return Batch(ids, mask, mentions, np.array(pairs, dtype=np.int64).reshape(-1, 2), encodings)


def tokens_of(encoding: Encoding, span: Span) -> range:
    """Return the tokens that overlap a span of characters (empty where it was cut off)."""
    (tokens,) = _overlap(np.array(encoding.offsets), span).nonzero()
    return range(tokens[0], tokens[-1] + 1) if len(tokens) else range(0)


def token_weights(encoding: Encoding, actors: Sequence[Sequence[Span]], length: int) -> npt.NDArray[np.float32]:
    """Return for each actor the mean over the tokens of all its spans as weights, float32 [actors, length].

    An actor of whom nothing was read is looked for in [CLS].
    """
    weights = np.zeros((len(actors), length), dtype=np.float32)
    offsets = np.array(encoding.offsets)
    for row, spans in zip(weights, actors, strict=True):
        for span in spans:
            row[: len(offsets)][_overlap(offsets, span)] = 1.0
        if not row.any():
            row[0] = 1.0
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _overlap(offsets: npt.NDArray[np.int64], span: Span) -> npt.NDArray[np.bool_]:
    """Tell which tokens share a character with a span; special tokens have none."""
    starts, ends = offsets[:, 0], offsets[:, 1]
    return (starts < ends) & (starts < span[1]) & (ends > span[0])


def mark(item: Item) -> Item:
    """Write markers around the mentions of an item's one pair, for a model that reads them.

    Where mentions overlap, the first in the text is kept.
    """
    ((a, b),) = item.pairs
    spans = sorted((s, e, which) for which, actor in enumerate((a, b)) for s, e in item.actors[actor])
    text: list[str] = []
    actors: list[list[Span]] = [[], []]
    size = at = 0
    for start, end, which in spans:
        if start < at:
            continue
        left, right = f"{item.text[at:start]}{MARKERS[2 * which]} ", f"{item.text[start:end]} {MARKERS[2 * which + 1]}"
        text += [left, right]
        size += len(left)
        actors[which].append((size, size + end - start))
        size += len(right)
        at = end
    return Item("".join([*text, item.text[at:]]), actors, [(0, 1)])
