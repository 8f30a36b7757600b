"""Sentences that could be labelled: a simple random sample of a corpus' units, drawn as it streams by.

A unit is a sentence and a dyad that is found in it. Finding them needs no network, so that a corpus of any size can be
drawn from; the model then reads what was drawn. Vitter's reservoir (1985, algorithm R) holds every unit with the same
probability, whatever their number, and no more than it has room for is in memory.
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

#: Units that are held: the model reads so many in a minute or two.
POOL: Final = 10_000

#: Records between two reports.
_EVERY: Final = 100


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence and a dyad, with what is known of them.

    Attributes:
        record: its document, without its text.
        sentence: as it stands in the text.
        start: offset of it.
        dyad: two codes in alphabetical order.
        mentions: of states in the sentence, offsets counted from its start.
    """

    record: Record
    sentence: str
    start: int
    dyad: Dyad
    mentions: tuple[Mention, ...]

    @property
    def id(self) -> str:
        """Names the unit: 12 hexadecimal digits of where it stands and what it says, and the dyad."""
        place = sentence_id(f"{self.record.document.id}\0{self.start}\0{self.sentence}")
        return f"{place}:{'-'.join(self.dyad)}"


@dataclass(frozen=True, slots=True)
class Pool:
    """Units drawn from a corpus.

    Attributes:
        units: in random order, so that the first n are a simple random sample too.
        population: units of the corpus.
        records: read.
        rejected: of these, those that can't be read.
        first_reject: the first of them; empty if there is none.
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
    """Draw units of a corpus at random, each with the same probability.

    Args:
        corpus: to read once.
        model: finds the sentences and their states.
        size: of the reservoir.
        dyads: only these; all if empty.
        seed: of the random numbers.
        progress: called now and then with the bytes read and the units seen.

    Raises:
        SourceError: the corpus can't be read, or none of its records can, or no sentence has a dyad.
    """
    chance = random.Random(seed)
    held: list[Unit] = []
    population = records = rejected = 0
    first_reject = ""
    for _, entry in corpus.read():
        records += 1
        if progress is not None and records % _EVERY == 0:
            progress(corpus.position, population)
        if isinstance(entry, Reject):
            rejected += 1
            first_reject = first_reject or str(entry)
            continue
        for unit in _units(entry, model):
            if dyads and unit.dyad not in dyads:
                continue
            population += 1
            if len(held) < size:
                held.append(unit)
            elif (place := chance.randrange(population)) < size:
                held[place] = unit
    if records == rejected:
        raise SourceError(f"none of the {records} records can be read{first_reject and f'; the first, {first_reject}'}")
    if not held:
        which = ", ".join("-".join(dyad) for dyad in sorted(dyads))
        raise SourceError(f"no sentence of {records} records holds {which or 'two states'}")
    chance.shuffle(held)
    return Pool(held, population, records, rejected, first_reject)


def _units(record: Record, model: Detente) -> Iterator[Unit]:
    bare = replace(record, document=replace(record.document, text=""))
    for shift, text in windows(record.document.text):
        for found in model.sentences(replace(record.document, text=text, dyads=None)):
            start, end = found.span
            mentions = tuple(replace(m, start=m.start - start, end=m.end - start) for m in found.mentions)
            for dyad in found.dyads:
                of_dyad = tuple(mention for mention in mentions if mention.state in dyad)
                yield Unit(bare, text[start:end], shift + start, dyad, of_dyad)


def read(units: list[Unit], model: Detente) -> Iterator[Reading]:
    """Yield what the model says of each unit, `none` included."""
    yield from model.read(
        [
            Sentence(Document(u.sentence, id=u.record.document.id), (0, len(u.sentence)), u.mentions, [u.dyad])
            for u in units
        ]
    )
