"""Unlabelled text in Parquet: sentences for distillation, articles for scoring."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from detente.data.corpora.examples import CorpusError


@dataclass(frozen=True, slots=True)
class Sentence:
    """An unlabelled sentence.

    Attributes:
        id: `examples.sentence_id` of the text.
        text: the sentence.
        date: ISO 8601 date; empty if unknown.
        title: title of the article; empty if unknown.
        states: ISO alpha-3 codes of the states found by a rough gazetteer.
        origin: corpus and source (`transfer/wh_briefings`).
    """

    id: str
    text: str
    date: str
    title: str
    states: tuple[str, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Article:
    """An unlabelled article.

    Attributes:
        id: unique within the file.
        date: ISO 8601 date; empty if unknown.
        title: headline; empty if there is none.
        text: body, with its line breaks.
        origin: corpus and source (`articles/reuters21578`).
    """

    id: str
    date: str
    title: str
    text: str
    origin: str


def sentences(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a file with the columns id, sentence, date, title, states, corpus; see `Sentence`."""
    for row in rows(path, ("id", "sentence", "date", "title", "states", "corpus")):
        id_, text, date, title, states, corpus = row
        yield Sentence(id_, text, date, title, tuple(states.split()), f"transfer/{corpus}")


def articles(path: Path) -> Iterator[Article]:
    """Yield the articles of a file with the columns id, date, title, text, corpus; see `Article`."""
    for row in rows(path, ("id", "date", "title", "text", "corpus")):
        id_, date, title, text, corpus = row
        yield Article(id_, date, title, text, f"articles/{corpus}")


def count(path: Path) -> int:
    """Return the number of rows, from the file's footer."""
    with pq.ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the rows, one batch in memory at a time; null values are empty strings."""
    with pq.ParquetFile(path) as file:
        for column in columns:
            if column not in file.schema_arrow.names:
                raise CorpusError(f"{path}: no column {column}; expected {', '.join(columns)}")
        for batch in file.iter_batches(batch_size=4096, columns=list(columns)):
            yield from zip(*([value or "" for value in batch[c].to_pylist()] for c in columns), strict=True)
