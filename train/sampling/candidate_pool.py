"""Draw candidates for labelling: a simple random sample of a corpus' units, in one pass.

A unit is a sentence and a dyad in it. Finding units needs no network, so a corpus of any size can be sampled; the model
then predicts the sample only. Vitter's reservoir sampling (1985, algorithm R) gives every unit the same probability,
whatever their number, in bounded memory.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from detente.data.corpora.examples import sentence_id
from detente.data.tables_io.columns import SourceError
from detente.infer.corpus.reader import Corpus, Record, Reject
from detente.infer.label.labeler import Detente, Sentence
from detente.infer.linking.mentions import Mention
from detente.infer.readings.document import Document, Dyad
from detente.infer.readings.reading import Reading
from detente.infer.text.chunks import windows

#: Number of units in the pool, which the model predicts in a minute or two.
POOL: Final = 10_000

#: Number of records between two progress reports.
_REPORT_INTERVAL: Final = 100


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence and a dyad in it.

    Attributes:
        record: record of the document, without its text.
        sentence: text of the sentence.
        start: offset of the sentence in the document.
        dyad: two codes in alphabetical order.
        mentions: mentions of the dyad's states, with offsets in the sentence.
    """

    record: Record
    sentence: str
    start: int
    dyad: Dyad
    mentions: tuple[Mention, ...]

    @property
    def id(self) -> str:
        """The unit's id: 12 hexadecimal digits of a hash of position and text, and the dyad."""
        place = sentence_id(f"{self.record.document.id}\0{self.start}\0{self.sentence}")
        return f"{place}:{'-'.join(self.dyad)}"


@dataclass(frozen=True, slots=True)
class Pool:
    """Units drawn from a corpus.

    Attributes:
        units: units in random order, so that the first n are a simple random sample too.
        population: number of units in the corpus.
        records: number of records in the corpus.
        rejected: number of unreadable records.
        first_reject: first unreadable record; empty if there is none.
    """

    units: list[Unit]
    population: int
    records: int
    rejected: int
    first_reject: str


def draw(
    corpus: Corpus,
    model: Detente,
    *,
    size: int = POOL,
    dyads: frozenset[Dyad] = frozenset(),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Pool:
    """Draw units from a corpus at random, all with the same probability.

    Args:
        corpus: corpus to sample.
        model: model that finds the sentences and their states.
        size: maximum number of units.
        dyads: dyads to sample; empty for all.
        seed: random seed.
        progress: function called regularly with the numbers of bytes and units processed.

    Raises:
        SourceError: the corpus or all of its records are unreadable, or no sentence has a dyad.
    """
    rng = random.Random(seed)
    reservoir: list[Unit] = []
    population = records = rejected = 0
    first_reject = ""
    for _, entry in corpus.read():
        records += 1
        if progress is not None and records % _REPORT_INTERVAL == 0:
            progress(corpus.position, population)
        if isinstance(entry, Reject):
            rejected += 1
            first_reject = first_reject or str(entry)
            continue
        for unit in _units(entry, model):
            if dyads and unit.dyad not in dyads:
                continue
            population += 1
            if len(reservoir) < size:
                reservoir.append(unit)
            elif (slot := rng.randrange(population)) < size:
                reservoir[slot] = unit
    if records == rejected:
        raise SourceError(f"none of the {records} records can be read{first_reject and f'; the first, {first_reject}'}")
    if not reservoir:
        names = ", ".join("-".join(dyad) for dyad in sorted(dyads))
        raise SourceError(f"no sentence of {records} records holds {names or 'two states'}")
    rng.shuffle(reservoir)
    return Pool(reservoir, population, records, rejected, first_reject)


def _units(record: Record, model: Detente) -> Iterator[Unit]:
    textless = replace(record, document=replace(record.document, text=""))
    for shift, text in windows(record.document.text):
        for sentence in model.sentences(replace(record.document, text=text, dyads=None)):
            start, end = sentence.span
            mentions = tuple(replace(m, start=m.start - start, end=m.end - start) for m in sentence.mentions)
            for dyad in sentence.dyads:
                dyad_mentions = tuple(mention for mention in mentions if mention.state in dyad)
                yield Unit(textless, text[start:end], shift + start, dyad, dyad_mentions)


def predict(units: list[Unit], model: Detente) -> Iterator[Reading]:
    """Yield the model's reading of each unit, including `none`."""
    yield from model.read(
        [
            Sentence(Document(u.sentence, id=u.record.document.id), (0, len(u.sentence)), u.mentions, [u.dyad])
            for u in units
        ]
    )
