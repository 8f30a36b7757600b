"""Where the time goes: the stages of scoring, timed from outside, so that a run that isn't timed pays nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from types import GeneratorType
from typing import Any, Final

from detente.infer.corpus.reader import Corpus
from detente.infer.encoder.onnx import Engine
from detente.infer.label import labeler
from detente.infer.label.labeler import Detente
from detente.infer.linking.linker import Linker
from detente.infer.score import score
from detente.infer.score.output import Output
from detente.infer.text import chunks
from detente.models.features import Featurizer

#: What is timed: a function where it is looked up, and the stage that its time counts for, without the time of what
#: is timed within it. Decoding is what is left of labelling: pairing, joining a pair's two orders, the cue, readings.
TIMED: Final[tuple[tuple[Any, str, str], ...]] = (
    (Corpus, "read", "read"),
    (chunks, "split", "split"),
    (labeler, "split", "split"),
    (Linker, "link", "link"),
    (Featurizer, "tokenize", "tokenize"),
    (Featurizer, "batch", "tokenize"),
    (Engine, "_encode", "encode"),
    (Detente, "label_many", "decode"),
    (score, "label_pieces", "write"),
    (Output, "add", "write"),
    (Output, "commit", "write"),
)

STAGES: Final = tuple(dict.fromkeys(stage for *_, stage in TIMED))


class Watch:
    """Times the stages of everything that runs within `with watch.on():`, in all threads.

    Attributes:
        seconds: processor time of each of `STAGES`.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._lock = threading.Lock()
        self._here = threading.local()

    def shares(self) -> dict[str, float]:
        """Return each stage's share of the time of all."""
        total = sum(self.seconds.values())
        return {stage: self.seconds[stage] / total if total else 0.0 for stage in STAGES}

    @contextmanager
    def on(self) -> Iterator[None]:
        """Put a stopwatch around the functions of `TIMED`."""
        with ExitStack() as stack:
            for owner, name, stage in TIMED:
                stack.enter_context(replaced(owner, name, self._timed(getattr(owner, name), stage)))
            yield

    def _timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self._running(stage):
                answer = function(*args, **kwargs)
            return self._each(answer, stage) if isinstance(answer, GeneratorType) else answer

        return timed

    def _each(self, answers: Iterator[Any], stage: str) -> Iterator[Any]:
        end = object()
        while True:
            with self._running(stage):
                answer = next(answers, end)
            if answer is end:
                return
            yield answer

    @contextmanager
    def _running(self, stage: str) -> Iterator[None]:
        outer = getattr(self._here, "stage", None)
        self._turn(outer, stage)
        try:
            yield
        finally:
            self._turn(stage, outer)

    def _turn(self, before: str | None, after: str | None) -> None:
        """Charge this thread's time since the last turn to the stage before."""
        now = time.thread_time()
        if before is not None:
            with self._lock:
                self.seconds[before] += now - self._here.since
        self._here.stage, self._here.since = after, now


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Put something else in an attribute's place for a while."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
