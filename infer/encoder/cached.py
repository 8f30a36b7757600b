"""An engine that reads a sentence once, however often it comes, and not more pairs at a time than memory holds."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from detente.infer.encoder.onnx import Engine, PairReading
from detente.models.features import Item

_Key = tuple[str, tuple[tuple[tuple[int, int], ...], ...], tuple[tuple[int, int], ...]]

#: Pairs that are read at once: those of a thousand usual sentences, or of forty roll calls.
AT_ONCE: Final = 4096

#: Pairs whose answers are remembered, some 30 MB of them; what comes after these is read as often as it comes.
MOST: Final = 20_000


class Once(Engine):
    """Stands before an engine and remembers its first answers.

    Args:
        engine: reads what is new.
    """

    def __init__(self, engine: Engine) -> None:
        self.config = engine.config
        self._engine = engine
        self._known: dict[_Key, list[PairReading]] = {}
        self._pairs = 0

    def read(self, items: Sequence[Item], *, symmetric: bool = True) -> list[list[PairReading]]:
        """Read every pair of every item; see `Engine.read`."""
        keys = [_key(item) for item in items]
        new = {key: item for key, item in zip(keys, items, strict=True) if key not in self._known}
        read = (answer for some in _some(new.values()) for answer in self._engine.read(some, symmetric=symmetric))
        answers = dict(zip(new, read, strict=True))
        found = [answers[key] if key in answers else self._known[key] for key in keys]
        if self._pairs < MOST:
            self._known |= answers
            self._pairs += sum(map(len, answers.values()))
        return found


def _some(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Group items of at most `AT_ONCE` pairs."""
    some: list[Item] = []
    pairs = 0
    for item in items:
        pairs += len(item.pairs)
        if some and pairs > AT_ONCE:
            yield some
            some, pairs = [], len(item.pairs)
        some.append(item)
    if some:
        yield some


def _key(item: Item) -> _Key:
    return item.text, tuple(tuple(spans) for spans in item.actors), tuple(item.pairs)
