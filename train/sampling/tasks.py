"""Draw labelling tasks from a corpus: a random part for unbiased evaluation, and an informative part for training."""

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
    """The sampling design, which determines how the test part can be used.

    Attributes:
        population: number of units (sentence and dyad) in the corpus.
        pool: number of units drawn at random.
        test: number of tasks in the random part, a simple random sample of the population without replacement.
        inclusion: probability of each unit to be in the random part.
        train: number of tasks in the chosen part.
        dyads: dyads that the population is limited to; empty for all.
        seed: random seed.
        model: name and version of the model.
        records: number of records in the corpus.
        rejected: number of unreadable records.
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
        corpus: corpus to sample.
        model: model whose uncertainty guides the choice; after the first round, best the one trained on its labels.
        scheme: label schema of the codebook.
        number: maximum number of tasks.
        test: share of the random part.
        dyads: dyads to sample; empty for all.
        size: maximum number of units for the model to predict.
        predictions: whether to put the model's labels into the tasks of the part `train`, if they are in the schema.
            The random part never has any: coders tend to agree with a label that they see.
        seed: random seed.
        progress: function called with the numbers of bytes and units processed.

    Returns:
        The tasks in random order, and the design.

    Raises:
        SourceError: the corpus is unreadable or contains no dyad.
    """
    pool = pools.draw(corpus, model, size=max(size, number), dyads=dyads, seed=seed, progress=progress)
    test_units = pool.units[: round(min(number, len(pool.units)) * test)]
    candidates = _candidates(pool.units[len(test_units) :], test_units)
    readings = list(pools.predict(candidates, model))
    tasks = [_task(unit, TEST, scheme) for unit in test_units]
    if candidates:
        unsure = margin(np.array([list(reading.probabilities.values()) for reading in readings]))
        groups = [["-".join(unit.dyad) for unit in candidates], [(unit.record.date or "")[:4] for unit in candidates]]
        embeddings = vectors([unit.sentence for unit in candidates], seed)
        tones = [reading.tone for reading in readings]
        rows = choose(unsure, tones, embeddings, number - len(test_units), groups=groups)
        tasks += [_task(candidates[row], TRAIN, scheme, readings[row] if predictions else None) for row in rows]
    # Shuffled, so that fatigue and practice of the coders affect both parts alike.
    tasks = [tasks[i] for i in np.random.default_rng(seed).permutation(len(tasks)).tolist()]
    return tasks, _design(pool, tasks, dyads, seed, model)


def _candidates(units: list[Unit], test_units: list[Unit]) -> list[Unit]:
    """Return the units whose sentence isn't in the test part, each sentence and dyad once."""
    test_sentences = {unit.sentence for unit in test_units}
    return list({(u.sentence, u.dyad): u for u in units if u.sentence not in test_sentences}.values())


def _task(unit: Unit, part: str, scheme: Scheme, reading: Reading | None = None) -> Task:
    first, second = (tables().states.get(code, code) for code in unit.dyad)
    predictions = {} if reading is None else _predictions(scheme, reading)
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
        predictions=predictions,
        score=reading.probability if reading is not None else 0.0,
        model=reading.model if reading is not None else "",
    )


def _predictions(scheme: Scheme, reading: Reading) -> dict[str, str]:
    """Return the predicted label of each variable whose labels are among the model's."""
    probabilities = reading.probabilities
    return {
        variable.name: max(variable.labels, key=lambda label: probabilities[label])
        for variable in scheme.variables
        if probabilities.keys() >= set(variable.labels)
    }


def _design(pool: Pool, tasks: list[Task], dyads: frozenset[Dyad], seed: int, model: Detente) -> Design:
    test = sum(task.part == TEST for task in tasks)
    return Design(
        population=pool.population,
        pool=len(pool.units),
        test=test,
        inclusion=test / pool.population,
        train=len(tasks) - test,
        dyads=["-".join(dyad) for dyad in sorted(dyads)],
        seed=seed,
        model=model.engine.name,
        records=pool.records,
        rejected=pool.rejected,
    )
