"""A corpus to a set of tasks: a random part for an honest test, and a part that is worth labelling."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from detente.data.annotation.label_studio import Task
from detente.data.annotation.label_table import TEST, TRAIN
from detente.data.codebook.label_schema import Scheme
from detente.data.gazetteer.gazetteer import tables
from detente.infer.corpus.reader import Corpus
from detente.infer.label.labeler import Detente
from detente.infer.readings.document import Dyad
from detente.infer.readings.reading import Reading
from detente.train.sampling import candidate_pool as pools
from detente.train.sampling.candidate_pool import Pool, Unit
from detente.train.sampling.uncertainty import choose, margin, vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How a sample was drawn; what its test part can be used for depends on it.

    Attributes:
        population: units (sentence and dyad) of the corpus.
        pool: of these, drawn at random and read by the model.
        test: tasks of the random part, a simple random sample of the population without replacement.
        inclusion: probability of a unit of the population to be in it.
        train: tasks that were chosen.
        dyads: that the population was limited to; empty for all.
        seed: of the random numbers.
        model: its name and version.
        records: of the corpus.
        rejected: of these, those that can't be read.
    """

    population: int
    pool: int
    test: int
    inclusion: float
    train: int
    dyads: list[str]
    seed: int
    model: str
    records: int
    rejected: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def sample(
    corpus: Corpus,
    model: Detente,
    scheme: Scheme,
    *,
    number: int,
    test: float = 0.3,
    dyads: frozenset[Dyad] = frozenset(),
    size: int = pools.POOL,
    predictions: bool = True,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Task], Design]:
    """Draw tasks from a corpus.

    Args:
        corpus: to read once.
        model: what it is unsure of is worth labelling; the last round's own model, once there is one.
        scheme: the codebook.
        number: of tasks; fewer where the corpus hasn't as many.
        test: part of them that is drawn at random.
        dyads: only these; all if empty.
        size: units that are read by the model at most.
        predictions: put the model's label into the tasks of the part `train`, where its labels are the codebook's. The
            random part has none: a coder who sees an answer tends to agree with it.
        seed: of the random numbers.
        progress: called with bytes read and units seen.

    Returns:
        The tasks in random order, and how they were drawn.

    Raises:
        SourceError: the corpus can't be read, or holds no dyad.
    """
    drawn = pools.draw(corpus, model, size=max(size, number), dyads=dyads, seed=seed, progress=progress)
    kept = drawn.units[: round(min(number, len(drawn.units)) * test)]
    rest = _others(drawn.units[len(kept) :], kept)
    readings = list(pools.read(rest, model))
    tasks = [_task(unit, TEST, scheme) for unit in kept]
    if rest:
        unsure = margin(np.array([list(reading.probabilities.values()) for reading in readings]))
        groups = [["-".join(unit.dyad) for unit in rest], [(unit.record.date or "")[:4] for unit in rest]]
        places = vectors([unit.sentence for unit in rest], seed)
        said = [reading.tone for reading in readings]
        rows = choose(unsure, said, places, number - len(kept), groups=groups)
        tasks += [_task(rest[row], TRAIN, scheme, readings[row] if predictions else None) for row in rows]
    # Mixed, so that coders who tire or learn do so over both parts alike.
    tasks = [tasks[at] for at in np.random.default_rng(seed).permutation(len(tasks)).tolist()]
    return tasks, _design(drawn, tasks, dyads, seed, model)


def _others(units: list[Unit], kept: list[Unit]) -> list[Unit]:
    """Return units whose sentence isn't in the test part, each sentence and dyad once."""
    tested = {unit.sentence for unit in kept}
    return list({(u.sentence, u.dyad): u for u in units if u.sentence not in tested}.values())


def _task(unit: Unit, part: str, scheme: Scheme, reading: Reading | None = None) -> Task:
    first, second = (tables().states.get(code, code) for code in unit.dyad)
    said = {} if reading is None else _said(scheme, reading)
    return Task(
        unit=unit.id,
        document=unit.record.document.id,
        sentence=unit.sentence,
        dyad="-".join(unit.dyad),
        states=(first, second),
        mentions=[(mention.start, mention.end) for mention in unit.mentions],
        date=unit.record.date or "",
        source=unit.record.source or "",
        part=part,
        predictions=said,
        score=reading.probability if reading is not None else 0.0,
        model=reading.model if reading is not None else "",
    )


def _said(scheme: Scheme, reading: Reading) -> dict[str, str]:
    """Return the label of each variable whose labels are among the model's."""
    known = reading.probabilities
    return {
        variable.name: max(variable.labels, key=lambda label: known[label])
        for variable in scheme.variables
        if known.keys() >= set(variable.labels)
    }


def _design(drawn: Pool, tasks: list[Task], dyads: frozenset[Dyad], seed: int, model: Detente) -> Design:
    tested = sum(task.part == TEST for task in tasks)
    return Design(
        population=drawn.population,
        pool=len(drawn.units),
        test=tested,
        inclusion=tested / drawn.population,
        train=len(tasks) - tested,
        dyads=["-".join(dyad) for dyad in sorted(dyads)],
        seed=seed,
        model=model.engine.name,
        records=drawn.records,
        rejected=drawn.rejected,
    )
