"""Whole articles read by the codebook: the states of every sentence and every pair of them, by each of several readers.

A line of a file is an article: `{"id", "date", "kind", "paragraphs": [["sentence", …], …], "states": [[codes of reader
1], [codes of reader 2]] per sentence, "labels": [{"sentence": number from 1, "dyad", "readings": [{"tone", "direction",
"confidence", "cue"} or null, …]}]}`. A pair that isn't listed is `none`, as it is to a
reader whose reading is null.
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
from detente.data.corpora.load import folders
from detente.data.corpora.readers import lines_of, one_of
from detente.infer.readings.document import read_date
from detente.models.features import Span

#: The articles that are measured on where they are on disk, in a folder of corpora.
DEV: Final = Path("articles", "dev.jsonl")

#: The project's own articles, which anyone has.
OWN: Final = Path(detente.data.corpora.__file__).with_name("articles.jsonl")

_CODE = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class PairLabel:
    """How one reader reads a pair of states that a sentence presents a relationship of.

    Attributes:
        tone: any but `none`.
        direction: one of `labels.DIRECTIONS`.
        confidence: 1 a guess, 2 probable, 3 clear.
        cue: the words that show the tone.
    """

    tone: str
    direction: str
    confidence: int
    cue: str


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A sentence and a dyad that at least one reader reads as related.

    Attributes:
        sentence: its index in the article, from 0.
        dyad: as in a reading, `CHN-USA`.
        labels: by reader; None where the reader sees no relationship.
    """

    sentence: int
    dyad: str
    labels: tuple[PairLabel | None, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """A whole article with what its readers say of it.

    Attributes:
        id: unique in its file.
        date: ISO 8601; empty where unknown.
        kind: of source: wire, daily, statement …
        text: as a user would give it: sentences of a paragraph joined by a space, paragraphs by a blank line.
        sentences: where the sentences are in it.
        states: by sentence and reader, the codes of the states that the sentence speaks of.
        pairs: those that are labelled.
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
        """How many read it."""
        return len(self.states[0])


def locate() -> Path:
    """Return the file that is measured on unless another is given: articles dev if on disk, else the project's own."""
    return next((path for folder in folders() if (path := folder / DEV).is_file()), OWN)


def read_articles(file: Path) -> list[Article]:
    """Read labelled articles.

    Raises:
        CorpusError: something isn't as the format says; file, line and what is wrong.
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
    """Return the text of paragraphs of sentences, and where each sentence is in it."""
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
        for paragraph in _list(_of(values, "paragraphs"), "paragraphs")
    ]
    date = _string(_of(values, "date"), "date", empty=True)
    read_date(date)
    text, spans = joined(paragraphs)
    states = tuple(
        tuple(_codes(codes) for codes in _list(readers, "a sentence's states"))
        for readers in _list(_of(values, "states"), "states")
    )
    if not spans:
        raise ValueError("the article has no sentences")
    if len(states) != len(spans):
        raise ValueError(f"states of {len(states)} sentences, and the article has {len(spans)}")
    if not states[0] or len({len(readers) for readers in states}) > 1:
        raise ValueError("states must have an entry for each reader, as many in every sentence")
    pairs = tuple(_pair(label, states) for label in _list(_of(values, "labels"), "labels"))
    if len({(pair.sentence, pair.dyad) for pair in pairs}) < len(pairs):
        raise ValueError("a dyad of a sentence is labelled twice")
    id_, kind = (_string(_of(values, key), key) for key in ("id", "kind"))
    return Article(id_, date, kind, text, spans, states, pairs)


def _pair(record: Any, states: Sequence[Sequence[frozenset[str]]]) -> LabelledPair:
    values = _object(record, "a label")
    number, dyad = _of(values, "sentence"), _string(_of(values, "dyad"), "dyad")
    if not isinstance(number, int) or not 1 <= number <= len(states):
        raise ValueError(f"a label's sentence is {number!r}, not a number from 1 to {len(states)}")
    codes = dyad.split("-")
    if len(codes) != 2 or codes[0] >= codes[1]:
        raise ValueError(f"sentence {number}: dyad is {dyad!r}, not two codes in alphabetical order")
    readings = _list(_of(values, "readings"), "readings")
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
    if _of(values, "tone") == NONE:
        raise ValueError("a reading without a relationship is null")
    return PairLabel(
        one_of(tuple(WARMTH), values["tone"], "tone"),
        one_of(DIRECTIONS, _of(values, "direction"), "direction"),
        one_of((1, 2, 3), _of(values, "confidence"), "confidence"),
        _string(_of(values, "cue"), "cue", empty=True),
    )


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object, not {type(value).__name__}")
    return value


def _of(values: Mapping[str, Any], key: str) -> Any:
    if key not in values:
        raise ValueError(f"no {key!r}")
    return values[key]


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{what} must be a list, not {type(value).__name__}")
    return value


def _string(value: Any, what: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (empty or value.strip()):
        raise ValueError(f"{what} must be a string{'' if empty else ' with something in it'}, not {value!r}")
    return value


def _codes(values: Any) -> frozenset[str]:
    """Return the states that a reader names in a sentence."""
    for value in _list(values, "a reader's states"):
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            raise ValueError(f"{value!r} is no code of a state")
    return frozenset(values)
