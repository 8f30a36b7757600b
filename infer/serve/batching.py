"""Texts of many requests, read together: what arrives while the encoder is busy is its next batch."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from detente.infer.label.labeler import Detente, Groups, Sentence
from detente.infer.readings.document import Document
from detente.infer.readings.reading import Reading
from detente.infer.serve.limits import Budget

#: Sentences that are read together at most.
MOST: Final = 64

#: Sentences of one text among them: a long article doesn't keep the others waiting.
SHARE: Final = 16

#: Seconds that a batch waits for more, at most.
WAIT: Final = 0.002


@dataclass(eq=False, slots=True)
class _Job:
    """A text that is being read.

    Attributes:
        document: it.
        budget: of its request.
        groups: as in `Detente.label`.
        future: its readings, in order, `none` included.
        sentences: those to read; None until the states are found.
        answers: the readings of each, where they are there.
        taken: sentences that were given to a batch.
        left: sentences without an answer.
    """

    document: Document
    budget: Budget
    groups: Groups = True
    future: Future[list[Reading]] = field(default_factory=Future)
    sentences: list[Sentence] | None = None
    answers: list[list[Reading]] = field(default_factory=list)
    taken: int = 0
    left: int = 0

    def fail(self, error: Exception) -> None:
        with suppress(InvalidStateError):  # its client left
            self.future.set_exception(error)

    def finish(self) -> None:
        with suppress(InvalidStateError):
            self.future.set_result([reading for readings in self.answers for reading in readings])


#: A sentence of a batch: its text's job, and its number there.
_Place = tuple[_Job, int]


class Gatherer:
    """Threads that read what is waiting, each a batch at a time.

    Args:
        model: the model; opened with `threads=1`, since the threads here take a core each.
        workers: threads.
        gather: read texts of several requests together; without it each text is read alone.
        observe: told the sentences of each batch.
    """

    def __init__(
        self,
        model: Detente,
        *,
        workers: int,
        gather: bool = True,
        observe: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.model = model
        self._gather = gather
        self._observe = observe
        self._waiting: deque[_Job] = deque()
        self._ready = threading.Condition()
        self._stopped = False
        self._threads = [threading.Thread(target=self._work, name=f"reader-{n}", daemon=True) for n in range(workers)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Read what is waiting, then end the threads."""
        with self._ready:
            self._stopped = True
            self._ready.notify_all()
        for thread in self._threads:
            thread.join()

    def alive(self) -> bool:
        """Say whether every thread is at work."""
        return all(thread.is_alive() for thread in self._threads)

    async def read(self, document: Document, budget: Budget, groups: Groups = True) -> list[Reading]:
        """Read one text; a caller that is cancelled frees what it waited for.

        Args:
            document: the text.
            budget: of readings that its request may ask for.
            groups: as in `Detente.label`.

        Returns:
            Its readings, `none` included.

        Raises:
            Refusal: the text asks for more readings than there are left.
        """
        job = _Job(document, budget, groups)
        with self._ready:
            self._waiting.append(job)
            self._ready.notify()
        return await asyncio.wrap_future(job.future)

    def _work(self) -> None:
        while batch := self._batch():
            sentences = [job.sentences[number] for job, number in batch if job.sentences is not None]
            self._observe(len(sentences))
            try:
                readings = self.model.read(sentences)
                answers = [list(islice(readings, len(sentence.dyads))) for sentence in sentences]
            except Exception as error:
                for job in {job for job, _ in batch}:
                    job.fail(error)
                continue
            for (job, number), answer in zip(batch, answers, strict=True):
                job.answers[number] = answer
            self._count(batch)

    def _count(self, batch: list[_Place]) -> None:
        done = []
        with self._ready:
            for job, _ in batch:
                job.left -= 1
                if not job.left:
                    done.append(job)
        for job in done:
            job.finish()

    def _batch(self) -> list[_Place]:
        """Wait for texts and take sentences of them; empty when it is time to stop."""
        batch: list[_Place] = []
        deadline: float | None = None
        while len(batch) < MOST:
            job = self._next(deadline)
            if job is None:
                if batch or self._stopped:
                    return batch
                deadline = None
                continue
            batch += self._take(job, min(SHARE, MOST - len(batch)) if self._gather else MOST)
            if not self._gather and batch:
                return batch
            deadline = deadline or time.monotonic() + WAIT
        return batch

    def _next(self, deadline: float | None) -> _Job | None:
        """Return the text that is next; None if there is none until the deadline, or any more."""
        with self._ready:
            while not self._waiting:
                left = None if deadline is None else deadline - time.monotonic()
                if self._stopped or (left is not None and left <= 0):
                    return None
                self._ready.wait(left)
            return self._waiting.popleft()

    def _take(self, job: _Job, most: int) -> list[_Place]:
        """Take a text's next sentences; what is left of it goes to the end of the queue."""
        if job.future.cancelled():
            return []
        if job.sentences is None:
            try:
                job.sentences = [*self.model.sentences(job.document, groups=job.groups)]
                job.budget.spend(sum(len(sentence.dyads) for sentence in job.sentences))
            except Exception as error:
                job.fail(error)
                return []
            job.left = len(job.sentences)
            job.answers = [[]] * job.left
            if not job.left:
                job.finish()
        numbers = range(job.taken, min(job.taken + most, len(job.sentences)))
        job.taken = numbers.stop
        if job.taken < len(job.sentences):
            with self._ready:
                self._waiting.append(job)
                self._ready.notify()
        return [(job, number) for number in numbers]
