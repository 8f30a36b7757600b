"""Named spans of processor time, measured while a `StageTimer` runs and free of cost otherwise."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, TypeVar

_T = TypeVar("_T")

#: The stages of scoring: reading records, splitting sentences, linking states, tokenizing, the network, turning its
#: outputs into readings, writing rows.
STAGES: Final = ("read", "split", "link", "tokenize", "encode", "decode", "write")

_running: list["StageTimer"] = []
_END: Final = object()


class StageTimer:
    """Processor time of each stage, summed over all threads; time within an inner span counts for that span alone.

    Attributes:
        seconds: processor time of each of `STAGES`.
        counts: totals of what was counted with `count`.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self._thread = threading.local()

    def shares(self) -> dict[str, float]:
        """Return each stage's share of the time of all."""
        total = sum(self.seconds.values())
        return {stage: self.seconds[stage] / total if total else 0.0 for stage in STAGES}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure every span of this process until the context ends."""
        _running.append(self)
        try:
            yield
        finally:
            _running.remove(self)

    @contextmanager
    def span(self, stage: str) -> Iterator[None]:
        """Measure one span of this thread."""
        outer = getattr(self._thread, "stage", None)
        self._switch(outer, stage)
        try:
            yield
        finally:
            self._switch(stage, outer)

    def add(self, name: str, number: int) -> None:
        """Add to a count."""
        with self._lock:
            self.counts[name] = self.counts.get(name, 0) + number

    def _switch(self, before: str | None, after: str | None) -> None:
        """Charge this thread's time since the last switch to the stage before."""
        now = time.thread_time()
        if before is not None:
            with self._lock:
                self.seconds[before] += now - self._thread.since
        self._thread.stage, self._thread.since = after, now


def span(stage: str) -> AbstractContextManager[None]:
    """Return a context whose processor time counts for a stage, if a timer is running."""
    return _running[-1].span(stage) if _running else nullcontext()


def timed(stage: str, values: Iterable[_T]) -> Iterator[_T]:
    """Yield values; the time that each takes to be made counts for a stage."""
    iterator = iter(values)
    while True:
        with span(stage):
            value = next(iterator, _END)
        if value is _END:
            return
        yield value  # type: ignore[misc]  # `_END` was excluded


def count(name: str, number: int) -> None:
    """Add to a count of the running timer, if there is one."""
    if _running:
        _running[-1].add(name, number)
