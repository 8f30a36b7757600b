"""Labels that the package carries without their text, which may not be copied; ids, offsets and labels may.

A line names a sentence of the corpus `transfer` by its id, or one of an article of `newsroom` by its offsets.
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
    """Read labels by the codebook of unlabelled sentences; `CODINGS` names a sentence by its id, the file has its text.

    Args:
        path: the sentences, a file of `texts.sentences`.
        split: what the examples are given as theirs.
    """

    def labels(sentence: unlabeled.Sentence, record: dict[str, Any]) -> dict[str, Any]:
        cue = span_of(sentence.text, *record["cue"]) if record["cue"] else None
        return {
            **by_codebook(sentence.text, {**record, "cue": ""}),
            "dyad": dyad_id(*record["id"].partition(":")[2].split("-")),
            "cue": cue,
        }

    return _carried(CODINGS, path, split, "codings", labels)


def events(path: Path, split: str) -> Corpus:
    """Read PLOVER codes of unlabelled sentences, of what A does to B; `EVENTS` and the file are as for `codings`."""

    def labels(_: unlabeled.Sentence, record: dict[str, Any]) -> dict[str, Any]:
        root = one_of(ROOTS, record["root"], "root")
        return {"root": root, "quad": QUAD_OF_ROOT[ROOTS.index(root)]}

    return _carried(EVENTS, path, split, "events", labels)


def newsroom(path: Path, split: str) -> Corpus:
    """Read labels by the codebook of every pair of states in whole articles.

    A line of `NEWSROOM` is one sentence: `article`, `span` (offsets in the article's text), `split`, `states` (code to
    the spans of its mentions in the sentence) and `pairs`, each with `dyad`, `tone`, `confidence` and, where there are
    any, `second` (the second-best tone), `direction` and `cue` (a span of the sentence).

    Args:
        path: the articles, a Parquet file with the columns id, date and text.
        split: `train` or `dev`, whose lines are read.
    """
    labels_of = _beside(path, NEWSROOM)
    articles = {id_: (date, text) for id_, date, text in unlabeled.rows(path, ("id", "date", "text"))}
    lines = [(number, row) for number, row in enumerate(gzip.decompress(labels_of.read_bytes()).splitlines(), 1)]

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

    return parsed(labels_of, lines, parse)


def _beside(path: Path, labels: Path) -> Path:
    """Return the file of labels of the same name that lies beside a corpus, or else the package's own."""
    beside = path.with_name(labels.name)
    return beside if beside.is_file() else labels


def _carried(
    labels_of: Path,
    path: Path,
    split: str,
    corpus: str,
    labels: Callable[[unlabeled.Sentence, dict[str, Any]], dict[str, Any]],
) -> Corpus:
    """Join a file of labels with the sentences that it names."""
    labels_of = _beside(path, labels_of)
    found = {sentence.id: sentence for sentence in unlabeled.sentences(path)}

    def parse(_: int, row: bytes) -> Iterator[Example]:
        record = orjson.loads(row)
        id_ = record["id"].partition(":")[0]
        if id_ not in found:
            raise ValueError(f"{path} has no sentence {id_}")
        sentence = found[id_]
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

    return parsed(labels_of, lines_of(labels_of), parse)
