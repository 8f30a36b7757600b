"""Read labelled articles: the states of every sentence and the label of every pair, by each of several annotators.

A line of a file is an article: `{"id", "date", "kind", "paragraphs": [["sentence", …], …], "states": [[codes of reader
1], [codes of reader 2]] per sentence, "labels": [{"sentence": number from 1, "dyad", "readings": [{"tone", "direction",
"confidence", "cue"} or null, …]}]}`. A pair that isn't listed is `none`,
and so is a null reading.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

import detente.data.corpora
from detente.data.codebook.label_schema import NONE
from detente.data.codebook.labels import DIRECTIONS, WARMTH
from detente.data.corpora.examples import CorpusError
from detente.data.corpora.load import on_disk
from detente.data.corpora.readers import lines_of, one_of
from detente.infer.readings.document import read_date
from detente.models.features import Span

#: File of the dev articles in a folder of corpora, used if it is on disk.
DEV: Final = Path("articles", "dev.jsonl")

#: The project's own articles, which are part of the package.
PROJECT_ARTICLES: Final = Path(detente.data.corpora.__file__).with_name("articles.jsonl")

_CODE = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class PairLabel:
    """One annotator's label of a related pair.

    Attributes:
        tone: any tone but `none`.
        direction: one of `labels.DIRECTIONS`.
        confidence: 1 a guess, 2 probable, 3 clear.
        cue: words that express the tone.
    """

    tone: str
    direction: str
    confidence: int
    cue: str


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A sentence and a dyad with a relationship according to at least one annotator.

    Attributes:
        sentence: index of the sentence in the article, from 0.
        dyad: dyad in a reading's form, `CHN-USA`.
        labels: labels by annotator; None for no relationship.
    """

    sentence: int
    dyad: str
    labels: tuple[PairLabel | None, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """A labelled article.

    Attributes:
        id: id, unique in its file.
        date: date in ISO 8601; empty if unknown.
        kind: kind of source: wire, daily, statement …
        text: text as a user would pass it: sentences joined by spaces, paragraphs by blank lines.
        sentences: spans of the sentences.
        states: codes of the states that the sentence refers to, by sentence and annotator.
        pairs: labelled pairs.
    """

    id: str
    date: str
    kind: str
    text: str
    sentences: tuple[Span, ...]
    states: tuple[tuple[frozenset[str], ...], ...]
    pairs: tuple[LabelledPair, ...]

    @property
    def readers(self) -> int:
        """Number of annotators."""
        return len(self.states[0])


def locate() -> Path:
    """Return the default file of articles: the dev articles if on disk, else the project's own."""
    return on_disk(str(DEV)) or PROJECT_ARTICLES


def read_articles(file: Path) -> list[Article]:
    """Read labelled articles.

    Raises:
        CorpusError: the file is malformed; the message names file, line and fault.
        OSError: the file can't be read.
    """
    articles: dict[str, Article] = {}
    for line, row in lines_of(file):
        try:
            article = _article(orjson.loads(row))
        except orjson.JSONDecodeError as error:
            raise CorpusError(f"{file}:{line}: not JSON: {error}") from error
        except ValueError as error:
            raise CorpusError(f"{file}:{line}: {error}") from error
        if article.id in articles:
            raise CorpusError(f"{file}:{line}: a second article {article.id}")
        articles[article.id] = article
    return list(articles.values())


def joined(paragraphs: Sequence[Sequence[str]]) -> tuple[str, tuple[Span, ...]]:
    """Return the text of paragraphs of sentences, and the span of each sentence."""
    text, spans = "", []
    for paragraph in paragraphs:
        gap = "\n\n" if text else ""
        for sentence in paragraph:
            start = len(text) + len(gap)
            text += gap + sentence
            spans.append((start, len(text)))
            gap = " "
    return text, tuple(spans)


def _article(record: Any) -> Article:
    values = _object(record, "an article")
    paragraphs = [
        [_string(sentence, "a sentence") for sentence in _list(paragraph, "a paragraph")]
        for paragraph in _list(_value(values, "paragraphs"), "paragraphs")
    ]
    date = _string(_value(values, "date"), "date", empty=True)
    read_date(date)
    text, spans = joined(paragraphs)
    states = tuple(
        tuple(_codes(codes) for codes in _list(readers, "a sentence's states"))
        for readers in _list(_value(values, "states"), "states")
    )
    if not spans:
        raise ValueError("the article has no sentences")
    if len(states) != len(spans):
        raise ValueError(f"states of {len(states)} sentences, and the article has {len(spans)}")
    if not states[0] or len({len(readers) for readers in states}) > 1:
        raise ValueError("states must have an entry for each reader, as many in every sentence")
    pairs = tuple(_pair(label, states) for label in _list(_value(values, "labels"), "labels"))
    if len({(pair.sentence, pair.dyad) for pair in pairs}) < len(pairs):
        raise ValueError("a dyad of a sentence is labelled twice")
    id_, kind = (_string(_value(values, key), key) for key in ("id", "kind"))
    return Article(id_, date, kind, text, spans, states, pairs)


def _pair(record: Any, states: Sequence[Sequence[frozenset[str]]]) -> LabelledPair:
    values = _object(record, "a label")
    number, dyad = _value(values, "sentence"), _string(_value(values, "dyad"), "dyad")
    if not isinstance(number, int) or not 1 <= number <= len(states):
        raise ValueError(f"a label's sentence is {number!r}, not a number from 1 to {len(states)}")
    codes = dyad.split("-")
    if len(codes) != 2 or codes[0] >= codes[1]:
        raise ValueError(f"sentence {number}: dyad is {dyad!r}, not two codes in alphabetical order")
    readings = _list(_value(values, "readings"), "readings")
    readers = states[number - 1]
    if len(readings) != len(readers):
        raise ValueError(f"sentence {number}, {dyad}: {len(readings)} readings, and {len(readers)} have read it")
    labels = []
    for reader, (reading, named) in enumerate(zip(readings, readers, strict=True), start=1):
        try:
            labels.append(None if reading is None else _label(reading))
        except ValueError as error:
            raise ValueError(f"sentence {number}, {dyad}: {error}") from error
        if reading is not None and not named.issuperset(codes):
            raise ValueError(f"sentence {number}, {dyad}: not both among the states of reader {reader}")
    return LabelledPair(number - 1, dyad, tuple(labels))


def _label(record: Any) -> PairLabel:
    values = _object(record, "a reading")
    if _value(values, "tone") == NONE:
        raise ValueError("a reading without a relationship is null")
    return PairLabel(
        one_of(tuple(WARMTH), values["tone"], "tone"),
        one_of(DIRECTIONS, _value(values, "direction"), "direction"),
        one_of((1, 2, 3), _value(values, "confidence"), "confidence"),
        _string(_value(values, "cue"), "cue", empty=True),
    )


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object, not {type(value).__name__}")
    return value


def _value(values: Mapping[str, Any], key: str) -> Any:
    if key not in values:
        raise ValueError(f"no {key!r}")
    return values[key]


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list, not {type(value).__name__}")
    return value


def _string(value: Any, name: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (empty or value.strip()):
        raise ValueError(f"{name} must be a string{'' if empty else ' with something in it'}, not {value!r}")
    return value


def _codes(values: Any) -> frozenset[str]:
    """Return the states that an annotator marked in a sentence."""
    for value in _list(values, "a reader's states"):
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            raise ValueError(f"{value!r} is no code of a state")
    return frozenset(values)
