"""Stand-off labels: the package contains ids, offsets and labels, but not the text, whose licence forbids copying.

A line refers to a sentence of the corpus `transfer` by its id, or to one in an article of `newsroom` by its offsets.
"""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from detente.data.codebook.labels import NO_DIRECTION, QUAD_OF_ROOT, ROOTS, TONES, dyad_id
from detente.data.corpora import unlabeled
from detente.data.corpora.examples import Corpus, Example
from detente.data.corpora.readers import by_codebook, lines_of, one_of, parsed, span_of

CODINGS: Final = Path(__file__).with_name("codings.jsonl")
EVENTS: Final = Path(__file__).with_name("events.jsonl")
NEWSROOM: Final = Path(__file__).with_name("newsroom.jsonl.gz")


def codings(path: Path, split: str) -> Corpus:
    """Read the codebook labels of `CODINGS`, joined with their sentences by id.

    Args:
        path: file of sentences, in the format of `unlabeled.sentences`.
        split: split of the examples.
    """

    def labels(sentence: unlabeled.Sentence, record: dict[str, Any]) -> dict[str, Any]:
        cue = span_of(sentence.text, *record["cue"]) if record["cue"] else None
        return {
            **by_codebook(sentence.text, {**record, "cue": ""}),
            "dyad": dyad_id(*record["id"].partition(":")[2].split("-")),
            "cue": cue,
        }

    return _join(CODINGS, path, split, "codings", labels)


def events(path: Path, split: str) -> Corpus:
    """Read the PLOVER codes of `EVENTS` (the action of A towards B), joined with their sentences like `codings`."""

    def labels(_: unlabeled.Sentence, record: dict[str, Any]) -> dict[str, Any]:
        root = one_of(ROOTS, record["root"], "root")
        return {"root": root, "quad": QUAD_OF_ROOT[ROOTS.index(root)]}

    return _join(EVENTS, path, split, "events", labels)


def newsroom(path: Path, split: str) -> Corpus:
    """Read the codebook labels of every pair of states in the articles of `newsroom`.

    A line of `NEWSROOM` is one sentence: `article`, `span` (offsets in the article's text), `split`, `states` (code to
    the spans of its mentions in the sentence) and `pairs`, each with `dyad`, `tone`, `confidence` and optionally
    `second` (second-best tone), `direction` and `cue` (a span of the sentence).

    Args:
        path: Parquet file of the articles, with the columns id, date and text.
        split: `train` or `dev`; other lines are skipped.
    """
    labels_file = _labels_file(path, NEWSROOM)
    articles = {id_: (date, text) for id_, date, text in unlabeled.rows(path, ("id", "date", "text"))}
    lines = [(number, row) for number, row in enumerate(gzip.decompress(labels_file.read_bytes()).splitlines(), 1)]

    def parse(_: int, row: bytes) -> Iterator[Example]:
        record = orjson.loads(row)
        if record["split"] != split:
            return
        id_, (start, end) = record["article"], record["span"]
        if id_ not in articles:
            raise ValueError(f"{path} has no article {id_}")
        date, article = articles[id_]
        span_of(article, start, end)
        text = article[start:end]
        states = {code: tuple(span_of(text, *span) for span in spans) for code, spans in record["states"].items()}
        for pair in record["pairs"]:
            first, second = pair["dyad"].split("-")
            labels = by_codebook(text, {"direction": NO_DIRECTION, **pair, "cue": ""})
            yield Example(
                id=f"{id_}:{start}:{pair['dyad']}",
                text=text,
                a=states[first],
                b=states[second],
                split=split,
                origin="newsroom",
                date=date,
                dyad=dyad_id(first, second),
                second=one_of(TONES, pair["second"], "second") if "second" in pair else None,
                **{**labels, "cue": span_of(text, *pair["cue"]) if "cue" in pair else None},
            )

    return parsed(labels_file, lines, parse)


def _labels_file(path: Path, labels: Path) -> Path:
    """Return the file of labels in the corpus's folder if there is one, else the package's."""
    override = path.with_name(labels.name)
    return override if override.is_file() else labels


def _join(
    labels_file: Path,
    path: Path,
    split: str,
    corpus: str,
    labels: Callable[[unlabeled.Sentence, dict[str, Any]], dict[str, Any]],
) -> Corpus:
    """Join a file of labels with the sentences that it refers to."""
    labels_file = _labels_file(path, labels_file)
    sentences = {sentence.id: sentence for sentence in unlabeled.sentences(path)}

    def parse(_: int, row: bytes) -> Iterator[Example]:
        record = orjson.loads(row)
        id_ = record["id"].partition(":")[0]
        if id_ not in sentences:
            raise ValueError(f"{path} has no sentence {id_}")
        sentence = sentences[id_]
        a, b = (tuple(span_of(sentence.text, *span) for span in record[actor]) for actor in "ab")
        yield Example(
            id=record["id"],
            text=sentence.text,
            a=a,
            b=b,
            split=split,
            origin=sentence.origin.replace("transfer", corpus),
            date=sentence.date,
            **labels(sentence, record),
        )

    return parsed(labels_file, lines_of(labels_file), parse)
