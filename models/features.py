"""Convert sentences and dyads to the network's input arrays, in training and inference alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

Span = tuple[int, int]

#: Marker tokens around the mentions of the first and second actor, for models with entity markers.
MARKERS = ("[A]", "[/A]", "[B]", "[/B]")


@dataclass(frozen=True, slots=True)
class Item:
    """The input for one sentence: its actors and the ordered pairs of actors to predict.

    Attributes:
        text: the sentence.
        actors: spans of each actor's mentions in `text` (start, end; characters).
        pairs: ordered pairs (first, second) of indices into `actors`.
    """

    text: str
    actors: Sequence[Sequence[Span]]
    pairs: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of S sentences of up to T tokens, with up to K actors each and D pairs in total.

    Attributes:
        input_ids: int64 [S, T].
        attention_mask: int64 [S, T].
        mentions: float32 [S, K, T]; weights of the tokens in one actor's mentions, which sum to 1 ([CLS] alone if all
            mentions were truncated).
        pairs: int64 [D, 2]; each actor as sentence * K + actor.
        encodings: output of the tokenizer, which maps tokens to characters.
    """

    input_ids: npt.NDArray[np.int64]
    attention_mask: npt.NDArray[np.int64]
    mentions: npt.NDArray[np.float32]
    pairs: npt.NDArray[np.int64]
    encodings: list[Encoding]

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the network inputs by name."""
        return {
            "input_ids": self.input_ids,
            "attention_mask": self.attention_mask,
            "mentions": self.mentions,
            "pairs": self.pairs,
        }


class Featurizer:
    """Converts items to batches with a fast tokenizer."""

    def __init__(self, tokenizer: Tokenizer, max_length: int) -> None:
        self.tokenizer = tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(max_length)
        self.pad = next((i for t in ("[PAD]", "<pad>") if (i := tokenizer.token_to_id(t)) is not None), 0)

    def tokenize(self, texts: Sequence[str]) -> list[Encoding]:
        """Return the encodings of texts, tokenized in parallel (in the tokenizer's threads)."""
        return self.tokenizer.encode_batch(list(texts))

    def batch(self, items: Sequence[Item], encodings: list[Encoding] | None = None) -> Batch:
        """Return the items padded to one batch; pairs are in the order of the items."""
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
    """Return the range of tokens that overlap a span of characters (empty if it was truncated)."""
    (tokens,) = _overlap(np.array(encoding.offsets), span).nonzero()
    return range(tokens[0], tokens[-1] + 1) if len(tokens) else range(0)


def token_weights(encoding: Encoding, actors: Sequence[Sequence[Span]], length: int) -> npt.NDArray[np.float32]:
    """Return uniform weights over the tokens of each actor's mentions, float32 [actors, length].

    If all mentions of an actor were truncated, the weight is on [CLS].
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
    """Return which tokens overlap a span, bool [tokens]; special tokens never do."""
    starts, ends = offsets[:, 0], offsets[:, 1]
    return (starts < ends) & (starts < span[1]) & (ends > span[0])


def mark(item: Item) -> Item:
    """Return an item of one pair with markers around its mentions, for models with entity markers.

    Of overlapping mentions, only the first is marked.
    """
    ((a, b),) = item.pairs
    spans = sorted((s, e, side) for side, actor in enumerate((a, b)) for s, e in item.actors[actor])
    text: list[str] = []
    actors: list[list[Span]] = [[], []]
    size = position = 0
    for start, end, side in spans:
        if start < position:
            continue
        left, right = (
            f"{item.text[position:start]}{MARKERS[2 * side]} ",
            f"{item.text[start:end]} {MARKERS[2 * side + 1]}",
        )
        text += [left, right]
        size += len(left)
        actors[side].append((size, size + end - start))
        size += len(right)
        position = end
    return Item("".join([*text, item.text[position:]]), actors, [(0, 1)])
