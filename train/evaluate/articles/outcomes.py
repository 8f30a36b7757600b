"""What becomes of each sentence and each pair of a labelled article that a model reads by itself, from text to tone."""

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

#: Why a pair is wrong; of several causes the first is an error's.
CAUSES: Final = ("cut", "state missed", "state invented", "relationship", "tone")

#: How a state is found, the most direct way first.
WAYS: Final = ("name", "demonym", "capital", "body", "leader", "group", "context")
NOT_FOUND: Final = "not found"

#: A sentence of ours that reaches no further into one of the readers' (a quotation mark, a bullet) doesn't count.
MARGIN: Final = 3

#: The most states of a sentence that have a slice of their own.
MANY: Final = 6


@dataclass(frozen=True, slots=True)
class ArticleOutput:
    """What a model makes of an article.

    Attributes:
        sentences: where it sees them.
        mentions: of states.
        readings: of every pair that it finds, `none` included.
    """

    sentences: Sequence[Span]
    mentions: Sequence[Mention]
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class SentenceOutcome:
    """What became of one of the readers' sentences.

    Attributes:
        article: its id.
        number: of the sentence, from 1.
        kind: of source.
        size: slice by number of states, by the reader who sees the most.
        cut: two or more of the model's sentences overlap it.
        joined: one of the model's sentences overlaps it and another.
        runs_on: one of them overlaps it and a later one: so many boundaries are lost.
        ways: by state that the model finds in it, the most direct way in which it is found.
        states: the states by the reader who is nearer to the model.
        agreed: both of the first two readers name so many states.
        named: the first two readers name so many, together.
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
    """What became of a sentence and a dyad that the readers or the model read.

    Attributes:
        article: its id.
        number: of the sentence, from 1.
        kind: of source.
        size: slice by number of states in the sentence.
        sentence: its text.
        dyad: as in a reading.
        labels: by reader; None where the reader sees no relationship.
        gold: the tone of the reader who is nearer: the model's if a reader has it, else the first that isn't `none`.
        reading: the model's; None where it has none.
        ways: how each of the two states was found, the more direct first.
        cause: one of `CAUSES`; empty where the tone is right.
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
        """The model's."""
        return self.reading.tone if self.reading else NONE

    @property
    def warmth(self) -> float | None:
        """The mean warmth of the readers' tones; None where no reader sees a relationship."""
        scores = [WARMTH[label.tone] for label in self.labels if label]
        return sum(scores) / len(scores) if scores else None

    @property
    def clear(self) -> bool:
        """Whether every reader is sure of one and the same tone."""
        return len({label and label.tone for label in self.labels}) == 1 and all(
            label and label.confidence == 3 for label in self.labels
        )


def read_article(model: Detente, article: Article) -> ArticleOutput:
    """Let a model read an article as users do, from its text and its date."""
    spans = sentence_spans(article.text)
    mentions = model.linker.link(article.text, date=read_date(article.date), sentences=spans)
    return ArticleOutput(spans, mentions, model.label(article.text, date=article.date, include_none=True))


def sentence_outcomes(article: Article, output: ArticleOutput) -> list[SentenceOutcome]:
    """Compare the sentences and states of an article with those that a model sees."""
    reach = [
        {index for index, (start, end) in enumerate(article.sentences) if _overlap(span, (start, end)) > MARGIN}
        for span in output.sentences
    ]
    outcomes = []
    for index, ((start, end), readers) in enumerate(zip(article.sentences, article.states, strict=True)):
        ways = _ways(mention for mention in output.mentions if start <= mention.start < end)
        reaching = [reached for reached in reach if index in reached]
        first, second = readers[0], readers[min(1, len(readers) - 1)]
        outcomes.append(
            SentenceOutcome(
                article=article.id,
                number=index + 1,
                kind=article.kind,
                size=_size(max(map(len, readers))),
                cut=len(reaching) > 1,
                joined=any(len(reached) > 1 for reached in reaching),
                runs_on=any(max(reached) > index for reached in reaching),
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
    """Yield what became of each pair that a reader labelled or the model read.

    Args:
        article: that was read.
        output: of the model. A reading counts for the sentence that it overlaps most; of several readings of the same
            pair there, the first with a relationship counts.
        sentences: outcomes of the article's sentences.
    """
    labels = {(pair.sentence, pair.dyad): pair.labels for pair in article.pairs}
    read: dict[tuple[int, str], Reading] = {}
    for candidate in output.readings:
        overlaps = [_overlap((candidate.start, candidate.end), span) for span in article.sentences]
        key = overlaps.index(max(overlaps)), candidate.dyad
        if key not in read or read[key].tone == NONE:
            read[key] = candidate
    for index, dyad in sorted({*labels, *read}):
        reading = read.get((index, dyad))
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
    """Return the tone by the reader who is nearer: `tone` if a reader has it, else the first that isn't `none`."""
    return tone if tone in tones else next((related for related in tones if related != NONE), NONE)


def cause(
    gold: str,
    tone: str,
    pair: Collection[str],
    sentence: SentenceOutcome,
    linked: Collection[str],
    named: Collection[str],
) -> str:
    """Return why a pair is wrong, one of `CAUSES`, or nothing if it is right.

    Args:
        gold: tone by the nearer reader.
        tone: of the model.
        pair: the two states.
        sentence: that they are in.
        linked: states that the model finds in it.
        named: states that any reader names in it.
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
    """Return how many characters two spans share; below 0 the gap between them."""
    return min(first[1], second[1]) - max(first[0], second[0])


def _ways(mentions: Iterable[Mention]) -> dict[str, str]:
    """Return the most direct way in which each state is found."""
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
