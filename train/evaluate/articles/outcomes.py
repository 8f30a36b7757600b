"""Compare a model's output for an article with its labels, sentence by sentence and pair by pair."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from detente.data.codebook.label_schema import NONE
from detente.data.codebook.labels import WARMTH
from detente.infer.label.labeler import Detente, sentence_spans
from detente.infer.linking.mentions import Mention
from detente.infer.readings.document import read_date
from detente.infer.readings.reading import Reading
from detente.models.features import Span
from detente.train.evaluate.articles.gold import Article, PairLabel

#: Causes of errors; the first that applies counts.
CAUSES: Final = ("cut", "state missed", "state invented", "relationship", "tone")

#: Kinds of mention, the most direct first.
WAYS: Final = ("name", "demonym", "capital", "body", "leader", "group", "context")
NOT_FOUND: Final = "not found"

#: Overlaps between predicted and gold sentences of up to this many characters (a quotation mark, a bullet) are ignored.
MARGIN: Final = 3

#: Sentences with at least this many states share one slice.
MANY: Final = 6


@dataclass(frozen=True, slots=True)
class ArticleOutput:
    """A model's output for an article.

    Attributes:
        sentences: spans of the sentences.
        mentions: mentions of states.
        readings: readings of every pair, including `none`.
    """

    sentences: Sequence[Span]
    mentions: Sequence[Mention]
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class SentenceOutcome:
    """The outcome for one gold sentence.

    Attributes:
        article: id of the article.
        number: number of the sentence, from 1.
        kind: kind of source.
        size: slice by number of states, according to the annotator with the most.
        cut: whether the sentence overlaps two or more of the model's.
        joined: whether one of the model's sentences overlaps this and another one.
        runs_on: whether one of the model's sentences overlaps this and a later one, so that a boundary is lost.
        ways: most direct kind of mention of each state that the model finds.
        states: states according to the annotator closest to the model.
        agreed: number of states that both of the first two annotators marked.
        named: sum of the numbers of states that the first two annotators marked.
    """

    article: str
    number: int
    kind: str
    size: str
    cut: bool
    joined: bool
    runs_on: bool
    ways: Mapping[str, str]
    states: frozenset[str]
    agreed: int
    named: int


@dataclass(frozen=True, slots=True)
class PairOutcome:
    """The outcome for a sentence and a dyad that an annotator or the model labelled.

    Attributes:
        article: id of the article.
        number: number of the sentence, from 1.
        kind: kind of source.
        size: slice by number of states in the sentence.
        sentence: text of the sentence.
        dyad: dyad in a reading's form.
        labels: labels by annotator; None for no relationship.
        gold: gold tone: the model's if any annotator gave it, else the first that isn't `none`.
        reading: the model's reading; None if there is none.
        ways: kinds of mention of the two states, the more direct first.
        cause: one of `CAUSES`; empty if the tone is right.
    """

    article: str
    number: int
    kind: str
    size: str
    sentence: str
    dyad: str
    labels: tuple[PairLabel | None, ...]
    gold: str
    reading: Reading | None
    ways: str
    cause: str

    @property
    def tone(self) -> str:
        """The predicted tone."""
        return self.reading.tone if self.reading else NONE

    @property
    def warmth(self) -> float | None:
        """The mean warmth of the annotators' tones; None if no annotator sees a relationship."""
        scores = [WARMTH[label.tone] for label in self.labels if label]
        return sum(scores) / len(scores) if scores else None

    @property
    def clear(self) -> bool:
        """Whether all annotators are sure of the same tone."""
        return len({label and label.tone for label in self.labels}) == 1 and all(
            label and label.confidence == 3 for label in self.labels
        )


def read_article(model: Detente, article: Article) -> ArticleOutput:
    """Return a model's output for an article, given text and date as by users."""
    spans = sentence_spans(article.text)
    mentions = model.linker.link(article.text, date=read_date(article.date), sentences=spans)
    return ArticleOutput(spans, mentions, model.label(article.text, date=article.date, include_none=True))


def sentence_outcomes(article: Article, output: ArticleOutput) -> list[SentenceOutcome]:
    """Compare the sentences and states of an article with those of a model."""
    reach = [
        {index for index, (start, end) in enumerate(article.sentences) if _overlap(span, (start, end)) > MARGIN}
        for span in output.sentences
    ]
    outcomes = []
    for index, ((start, end), readers) in enumerate(zip(article.sentences, article.states, strict=True)):
        ways = _ways(mention for mention in output.mentions if start <= mention.start < end)
        overlapping = [reached for reached in reach if index in reached]
        first, second = readers[0], readers[min(1, len(readers) - 1)]
        outcomes.append(
            SentenceOutcome(
                article=article.id,
                number=index + 1,
                kind=article.kind,
                size=_size(max(map(len, readers))),
                cut=len(overlapping) > 1,
                joined=any(len(reached) > 1 for reached in overlapping),
                runs_on=any(max(reached) > index for reached in overlapping),
                ways=ways,
                states=min(readers, key=lambda states: (len(states ^ ways.keys()), -len(states & ways.keys()))),
                agreed=len(first & second),
                named=len(first) + len(second),
            )
        )
    return outcomes


def pair_outcomes(
    article: Article, output: ArticleOutput, sentences: Sequence[SentenceOutcome]
) -> Iterator[PairOutcome]:
    """Yield the outcome of each pair that an annotator or the model labelled.

    Args:
        article: labelled article.
        output: the model's output. A reading belongs to the sentence that it overlaps most; of several readings of a
            pair there, the first with a relationship counts.
        sentences: outcomes of the article's sentences.
    """
    labels = {(pair.sentence, pair.dyad): pair.labels for pair in article.pairs}
    readings: dict[tuple[int, str], Reading] = {}
    for candidate in output.readings:
        overlaps = [_overlap((candidate.start, candidate.end), span) for span in article.sentences]
        key = overlaps.index(max(overlaps)), candidate.dyad
        if key not in readings or readings[key].tone == NONE:
            readings[key] = candidate
    for index, dyad in sorted({*labels, *readings}):
        reading = readings.get((index, dyad))
        pair_labels = labels.get((index, dyad), (None,) * article.readers)
        tone = reading.tone if reading else NONE
        gold = nearer([label.tone if label else NONE for label in pair_labels], tone)
        ways = {**sentences[index].ways, **_ways(reading.mentions if reading else ())}
        pair = dyad.split("-")
        start, end = article.sentences[index]
        yield PairOutcome(
            article=article.id,
            number=index + 1,
            kind=article.kind,
            size=sentences[index].size,
            sentence=article.text[start:end],
            dyad=dyad,
            labels=pair_labels,
            gold=gold,
            reading=reading,
            ways=" + ".join(sorted((ways.get(state, NOT_FOUND) for state in pair), key=_directness)),
            cause=cause(gold, tone, pair, sentences[index], ways, frozenset().union(*article.states[index])),
        )


def nearer(tones: Sequence[str], tone: str) -> str:
    """Return the gold tone closest to the model's: `tone` if any annotator gave it, else the first but `none`."""
    return tone if tone in tones else next((related for related in tones if related != NONE), NONE)


def cause(
    gold: str,
    tone: str,
    pair: Collection[str],
    sentence: SentenceOutcome,
    linked: Collection[str],
    named: Collection[str],
) -> str:
    """Return the cause of a wrong tone, one of `CAUSES`, or an empty string if it is right.

    Args:
        gold: gold tone.
        tone: predicted tone.
        pair: the two states.
        sentence: outcome of their sentence.
        linked: states that the model finds in the sentence.
        named: states that any annotator marked in the sentence.
    """
    if tone == gold:
        return ""
    if sentence.cut or sentence.joined:
        return "cut"
    if tone == NONE and not set(linked).issuperset(pair):
        return "state missed"
    if gold == NONE and not set(named).issuperset(pair):
        return "state invented"
    return "relationship" if NONE in (gold, tone) else "tone"


def _overlap(first: Span, second: Span) -> int:
    """Return the number of characters that two spans share; if negative, the gap between them."""
    return min(first[1], second[1]) - max(first[0], second[0])


def _ways(mentions: Iterable[Mention]) -> dict[str, str]:
    """Return the most direct kind of mention of each state."""
    ways: dict[str, str] = {}
    for mention in mentions:
        ways[mention.state] = min(mention.how, ways.get(mention.state, mention.how), key=_directness)
    return ways


def _directness(way: str) -> tuple[int, str]:
    return (WAYS.index(way) if way in WAYS else len(WAYS) + (way == NOT_FOUND)), way


def _size(states: int) -> str:
    if states >= MANY:
        return f"{MANY} and more"
    return str(states) if states > 1 else "0 or 1"
