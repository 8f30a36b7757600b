"""An encoder wrapper that caches repeated sentences and bounds the batch size."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from detente.infer.encoder.base import Encoder, EncoderWrapper, PairOutput
from detente.models.features import Item

_Key = tuple[str, tuple[tuple[tuple[int, int], ...], ...], tuple[tuple[int, int], ...], bool]

#: Pairs per call of the wrapped encoder: those of a thousand usual sentences, or of forty roll calls.
BATCH_PAIRS: Final = 4096

#: Pairs whose outputs are cached, some 30 MB of them; later sentences are predicted each time they occur.
MAX_CACHED: Final = 20_000


class CachedEncoder(EncoderWrapper):
    """An `Encoder` that remembers its first outputs.

    Args:
        encoder: predicts sentences that aren't in the cache.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self._outputs: dict[_Key, list[PairOutput]] = {}
        self._pairs = 0

    def predict(self, items: Sequence[Item], *, symmetric: bool = True) -> list[list[PairOutput]]:
        """Predict every pair of every item; see `Encoder.predict`."""
        keys = [_key(item, symmetric) for item in items]
        new = {key: item for key, item in zip(keys, items, strict=True) if key not in self._outputs}
        predicted = [
            outputs for batch in _batches(new.values()) for outputs in self._encoder.predict(batch, symmetric=symmetric)
        ]
        fresh = dict(zip(new, predicted, strict=True))
        joined = [fresh[key] if key in fresh else self._outputs[key] for key in keys]
        if self._pairs < MAX_CACHED:
            self._outputs |= fresh
            self._pairs += sum(map(len, predicted))
        return joined


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Group items of at most `BATCH_PAIRS` pairs."""
    batch: list[Item] = []
    pairs = 0
    for item in items:
        pairs += len(item.pairs)
        if batch and pairs > BATCH_PAIRS:
            yield batch
            batch, pairs = [], len(item.pairs)
        batch.append(item)
    if batch:
        yield batch


def _key(item: Item, symmetric: bool) -> _Key:
    return item.text, tuple(tuple(spans) for spans in item.actors), tuple(item.pairs), symmetric
