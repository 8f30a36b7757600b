"""Why: phrases are taken out of the sentence, the model reads it again, and labelled sentences like it are looked up.

The phrases come from the model's own weights of the words (`PairOutput.cue`), what they weigh from taking them out.
Taking out one word after another finds less of what a reader would mark (word F1 0.33 in place of 0.58 on a hundred dev
rows): "and" between two names may weigh more than the verb, since without it the sentence is no sentence.
"""

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from detente.data.codebook.labels import TONES
from detente.infer.encoder import cue_span as cue
from detente.infer.encoder.base import Encoder, PairOutput
from detente.infer.readings.explanation import Like, Weight, Why
from detente.infer.readings.reading import Reading
from detente.models.features import Item, Span

if TYPE_CHECKING:
    from detente.infer.explain.nearest_examples import Neighbours

#: Thresholds of `cue.find` whose cues are weighed, from the shortest to the usual one.
THRESHOLDS: Final = (0.9, 0.7, cue.THRESHOLD)

#: The cue is the shortest that has this share of the weight of the weightiest.
SHARE: Final = 0.9

#: What makes a phrase beside the cue worth weighing, and worth showing. These numbers were chosen on dev rows of the
#: annotations; with them, an explanation takes less than ten times as long as a reading.
BESIDE: Final = 0.4
LEAST: Final = 0.1
MOST_BESIDE: Final = 4

#: Labelled sentences that a reading is given.
MOST_LIKE: Final = 3

#: Readings that are explained together.
AT_ONCE: Final = 128


class Explainer:
    """Gives readings their reasons.

    Args:
        engine: the model that read them.
        head: that the readings' tone and probabilities come from.
    """

    def __init__(self, engine: Encoder, head: str = "tone") -> None:
        self._engine = engine
        self._head = head
        self._neighbours: Neighbours | None = None
        self._lock = Lock()

    @property
    def neighbours(self) -> "Neighbours":
        """The labelled sentences; read at the first use, which takes seconds where the cache hasn't their vectors."""
        from detente.infer.explain.nearest_examples import Neighbours  # noqa: PLC0415  (what it needs is slow to import)

        with self._lock:
            if self._neighbours is None:
                self._neighbours = Neighbours.of(self._engine)
            return self._neighbours

    def explained(self, readings: Sequence[Reading]) -> list[Reading]:
        """Return readings with `why`; those of dyads that weren't found stay as they are."""
        out = list(readings)
        found = [at for at, reading in enumerate(readings) if reading.found]
        for first in range(0, len(found), AT_ONCE):
            part = found[first : first + AT_ONCE]
            for at, why in zip(part, self._whys([readings[at] for at in part]), strict=True):
                out[at] = replace(readings[at], why=why)
        return out

    def _whys(self, readings: Sequence[Reading]) -> list[Why]:
        items = [_item(reading) for reading in readings]
        answers = [pair for (pair,) in self._engine.predict(items)]
        related = [at for at, reading in enumerate(readings) if reading.tone != "none"]
        spans: list[tuple[Weight, ...]] = [()] * len(items)
        weighed = weigh(self._engine, [items[at] for at in related], [answers[at] for at in related], self._head)
        for at, weights in zip(related, weighed, strict=True):
            start = readings[at].start
            spans[at] = tuple(Weight(start + w.start, start + w.end, w.weight) for w in weights)
        whys = []
        for reading, item, answer, weights in zip(readings, items, answers, spans, strict=True):
            like: tuple[Like, ...] = ()
            if tuple(reading.probabilities) == TONES:  # the examples have labels of the shipped codebook
                like = self.neighbours.nearest(item.text, [*item.actors[0], *item.actors[1]], answer, MOST_LIKE)
            whys.append(Why(weights, like))
        return whys


def weigh(
    engine: Encoder, items: Sequence[Item], answers: Sequence[PairOutput], head: str = "tone"
) -> list[tuple[Weight, ...]]:
    """Weigh the phrases that show the answer of a head.

    Args:
        engine: the model.
        items: sentences with one pair each.
        answers: what the model says of these pairs.
        head: whose most probable label is explained.

    Returns:
        For each item the cue and the phrases beside it that weigh `LEAST`, in the order of the text, with offsets in
        the item's text. None where nothing that was read is a word.
    """
    found = [phrases(item, answer) for item, answer in zip(items, answers, strict=True)]
    cuts = [
        without(item, words) for item, of_item in zip(items, found, strict=True) for part in of_item for words in part
    ]
    again = iter([pair.heads[head] for (pair,) in engine.predict(cuts)])
    out = []
    for answer, of_item in zip(answers, found, strict=True):
        label = int(answer.heads[head].argmax())
        before = float(answer.heads[head][label])
        cues, beside = (
            [Weight(words[0][0], words[-1][1], before - float(next(again)[label])) for words in part]
            for part in of_item
        )
        out.append(tuple(sorted([*_shortest(cues), *(phrase for phrase in beside if phrase.weight >= LEAST)])))
    return out


def _shortest(cues: Sequence[Weight]) -> Sequence[Weight]:
    """Return the first of some cues that weighs nearly as much as any."""
    most = max((cue.weight for cue in cues), default=0.0)
    return [cue for cue in cues if cue.weight >= most - (1 - SHARE) * abs(most)][:1]


def phrases(item: Item, answer: PairOutput) -> tuple[list[list[Span]], list[list[Span]]]:
    """Return what may show the tone: phrases, each as the characters of its words.

    Returns:
        The cues at each of `THRESHOLDS`, and the weightiest runs of words beside them, no mentions of the pair.
    """
    words = list(cue.weighed(item.text, answer.cue, answer.spans))
    cues: list[list[Span]] = []
    for threshold in THRESHOLDS:
        start, end = cue.find(item.text, answer.cue, answer.spans, threshold) or (0, 0)
        within = [word for _, word, _ in words if start <= word[0] < end]
        if within and within not in cues:
            cues.append(within)
    taken = {word for within in cues for word in within}
    runs: list[tuple[float, list[Span]]] = []
    last = -2
    for number, word, weight in words:
        if word in taken or weight < BESIDE or _meets(word, item):
            continue
        if number == last + 1:
            runs[-1] = (runs[-1][0] + weight, [*runs[-1][1], word])
        else:
            runs.append((weight, [word]))
        last = number
    return cues, [run for _, run in sorted(runs, reverse=True)[:MOST_BESIDE]]


def without(item: Item, words: Sequence[Span]) -> Item:
    """Take words out of a sentence; mentions of its actors stay, since the question is about them."""
    keep, mentions = np.ones(len(item.text), dtype=bool), _mentions(item)
    for start, end in words:
        space = item.text[start - 1 : start] == " " and not mentions[start]
        keep[start - space : end] = False
    return only(item, keep)


def only(item: Item, keep: npt.NDArray[np.bool_]) -> Item:
    """Return the sentence with some of its characters, [characters], and the mentions of its actors."""
    stays = keep | _mentions(item)
    place = np.concatenate([[0], stays.cumsum()]).tolist()
    text = "".join(letter for letter, stay in zip(item.text, stays.tolist(), strict=True) if stay)
    return Item(text, [[(place[s], place[e]) for s, e in spans] for spans in item.actors], item.pairs)


def _mentions(item: Item) -> npt.NDArray[np.bool_]:
    """Tell which characters are in a mention, [characters]."""
    inside = np.zeros(len(item.text), dtype=bool)
    for spans in item.actors:
        for start, end in spans:
            inside[start:end] = True
    return inside


def _item(reading: Reading) -> Item:
    """Return a reading as what the network reads, its dyad the one pair."""
    spans = {
        state: [(m.start - reading.start, m.end - reading.start) for m in reading.mentions if m.state == state]
        for state in reading.dyad.split("-")
    }
    return Item(reading.sentence, list(spans.values()), [(0, 1)])


def _meets(word: Span, item: Item) -> bool:
    return any(start < word[1] and word[0] < end for spans in item.actors for start, end in spans)
