"""How fast a corpus is scored: the run that users make, measured as it goes."""

import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from detente._timing import StageTimer
from detente.infer.corpus.reader import Cursor, Record, Reject
from detente.infer.encoder.base import Encoder, EncoderWrapper, PairOutput
from detente.infer.label.labeler import load
from detente.infer.score.score import score
from detente.models.features import Item


@dataclass(slots=True)
class Tally:
    """What went through a run.

    Attributes:
        documents: records that could be read.
        bytes: of their texts, in UTF-8.
        sentences: of these texts.
        encoded: sentences with a dyad, each as often as it comes.
        dyads: in these.
        sample: of the sentences with a dyad, drawn evenly from all, in their order.
    """

    documents: int = 0
    bytes: int = 0
    sentences: int = 0
    encoded: int = 0
    dyads: int = 0
    sample: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """A run and how long it took.

    Attributes:
        tally: what went through.
        seconds: from the opening of the model to the last part on disk.
        stages: share of each stage in the processor time of all (`STAGES`).
        peak_rss_mb: the most memory that the process has held, 10^6 bytes.
    """

    tally: Tally
    seconds: float
    stages: Mapping[str, float]
    peak_rss_mb: float

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        tally, seconds = self.tally, self.seconds
        return {
            "documents": tally.documents,
            "mb": tally.bytes / 1e6,
            "sentences": tally.sentences,
            "encoded_sentences": tally.encoded,
            "dyads": tally.dyads,
            "seconds": seconds,
            "documents_per_s": tally.documents / seconds,
            "mb_per_s": tally.bytes / 1e6 / seconds,
            "sentences_per_s": tally.sentences / seconds,
            "encoded_sentences_per_s": tally.encoded / seconds,
            "dyads_per_s": tally.dyads / seconds,
            "stages": dict(self.stages),
            "outside_encoder": 1 - self.stages["encode"],
            "peak_rss_mb": self.peak_rss_mb,
        }


def run(
    source: str | os.PathLike[str],
    *,
    limit: int | None = None,
    sample: int = 0,
    model: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Run:
    """Score a corpus into a folder that is thrown away, and measure it.

    Args:
        source: as in `score`.
        limit: records to take; None for all.
        sample: dyads that the sentences of `Tally.sample` hold together.
        model: as in `load`.
        options: of `score`.

    Raises:
        SourceError: the corpus can't be read.
        ModelError: there is no such model.
    """
    timer, observer = StageTimer(), _Observer(limit, sample)
    with tempfile.TemporaryDirectory() as scratch, timer.running():
        began = time.perf_counter()
        score(source, Path(scratch) / "readings", model=model, observer=observer, **options)
        seconds = time.perf_counter() - began
    observer.tally.sentences = timer.counts.get("sentences", 0)
    observer.tally.sample = observer.drawn()
    return Run(observer.tally, seconds, timer.shares(), peak_rss_mb())


def engine_rate(items: Sequence[Item], model: str | os.PathLike[str] | None = None) -> float:
    """Return how many sentences a second the engine alone reads on all cores, every dyad of them."""
    engine = load(model).engine
    engine.predict(items[:64])
    began = time.perf_counter()
    engine.predict(items)
    return len(items) / (time.perf_counter() - began)


def peak_rss_mb() -> float:
    """Return the most memory that this process has held, in 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


class _Observer:
    """Counts what passes in a run, draws a sample, and ends the corpus at a limit."""

    def __init__(self, limit: int | None, sample: int) -> None:
        self.tally = Tally()
        self._limit = limit
        self._sample = sample
        self._random = random.Random(0)
        self._lock = threading.Lock()
        self._kept: list[tuple[int, Item]] = []

    def records(self, entries: Iterator[tuple[Cursor, Record | Reject]]) -> Iterator[tuple[Cursor, Record | Reject]]:
        """Yield the entries up to the limit, and count them."""
        for cursor, entry in islice(entries, self._limit):
            if isinstance(entry, Record):
                self.tally.documents += 1
                self.tally.bytes += len(entry.document.text.encode())
            yield cursor, entry

    def encoder(self, encoder: Encoder) -> Encoder:
        """Return an encoder that notes what it is given."""
        return _ObservedEncoder(encoder, self.note)

    def note(self, items: Sequence[Item]) -> None:
        """Count sentences and draw the sample from them."""
        with self._lock:
            for item in items:
                self.tally.encoded += 1
                self.tally.dyads += len(item.pairs)
                self._draw(item)

    def _draw(self, item: Item) -> None:
        """Keep as many sentences as there may be dyads in the sample, each as likely as another."""
        number = self.tally.encoded
        if len(self._kept) < self._sample:
            self._kept.append((number, item))
        elif (place := self._random.randrange(number)) < self._sample:
            self._kept[place] = (number, item)

    def drawn(self) -> list[Item]:
        """Return the sample, in the order of the corpus: neighbours in a batch are those of a whole run."""
        self._random.shuffle(self._kept)
        dyads = 0
        sample = []
        for number, item in self._kept:
            if (dyads := dyads + len(item.pairs)) > self._sample:
                break
            sample.append((number, item))
        return [item for _, item in sorted(sample, key=itemgetter(0))]


class _ObservedEncoder(EncoderWrapper):
    """An encoder that passes its items to a function before it predicts them."""

    def __init__(self, encoder: Encoder, note: Callable[[Sequence[Item]], None]) -> None:
        super().__init__(encoder)
        self._note = note

    def predict(self, items: Sequence[Item], *, symmetric: bool = True) -> list[list[PairOutput]]:
        self._note(items)
        return super().predict(items, symmetric=symmetric)
