"""Labels that the package carries without their text: a line names a sentence of the corpus `transfer` by its id.

The text of that corpus may not be copied; ids, offsets and labels may.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from detente.data import texts
from detente.data.examples import Corpus, Example
from detente.data.labels import QUAD_OF_ROOT, ROOTS, dyad_id
from detente.data.readers import by_codebook, lines_of, one_of, parsed, span_of

CODINGS: Final = Path(__file__).with_name("codings.jsonl")
EVENTS: Final = Path(__file__).with_name("events.jsonl")


def codings(path: Path, split: str) -> Corpus:
    """Read labels by the codebook of unlabelled sentences; `CODINGS` names a sentence by its id, the file has its text.

    Args:
        path: the sentences, a file of `texts.sentences`.
        split: what the examples are given as theirs.
    """

    def labels(sentence: texts.Sentence, record: dict[str, Any]) -> dict[str, Any]:
        cue = span_of(sentence.text, *record["cue"]) if record["cue"] else None
        return {
            **by_codebook(sentence.text, {**record, "cue": ""}),
            "dyad": dyad_id(*record["id"].partition(":")[2].split("-")),
            "cue": cue,
        }

    return _carried(CODINGS, path, split, "codings", labels)


def events(path: Path, split: str) -> Corpus:
    """Read PLOVER codes of unlabelled sentences, of what A does to B; `EVENTS` and the file are as for `codings`."""

    def labels(_: texts.Sentence, record: dict[str, Any]) -> dict[str, Any]:
        root = one_of(ROOTS, record["root"], "root")
        return {"root": root, "quad": QUAD_OF_ROOT[ROOTS.index(root)]}

    return _carried(EVENTS, path, split, "events", labels)


def _carried(
    labels_of: Path,
    path: Path,
    split: str,
    corpus: str,
    labels: Callable[[texts.Sentence, dict[str, Any]], dict[str, Any]],
) -> Corpus:
    """Join a file of labels, or the one of its name that lies beside other sentences, with what it names."""
    beside = path.with_name(labels_of.name)
    labels_of = beside if beside.is_file() else labels_of
    found = {sentence.id: sentence for sentence in texts.sentences(path)}

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
