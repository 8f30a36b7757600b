"""Soft labels on disk: a teacher's predictions for unlabelled sentences, a Parquet row per sentence and dyad."""

import json
import random
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from detente._statistics import softmax
from detente.data.corpora.examples import CorpusError
from detente.models.config import HEADS
from detente.train.examples import Label, Row

MANIFEST: Final = "_manifest.json"

#: Version of the folder's layout.
FORMAT: Final = 1

#: Heads with one prediction per dyad, independent of the order of its states.
JOINED: Final = ("tone", "direction", "sentiment")

#: Heads about what the first actor does to the second, with a prediction for each order.
ORDERED: Final = ("root", "quad")

_SPAN = pa.list_(pa.int32(), 2)

SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("date", pa.string()),
        ("dyad", pa.string()),
        ("a", pa.list_(_SPAN)),
        ("b", pa.list_(_SPAN)),
        *((head, pa.list_(pa.float32(), len(HEADS[head]))) for head in (*JOINED, *ORDERED)),
        *((f"{head}_back", pa.list_(pa.float32(), len(HEADS[head]))) for head in ORDERED),
        ("cue", pa.list_(pa.int32())),  # nullable, so not of fixed size
    ]
)


def part(folder: Path, number: int) -> Path:
    """Return the path of a part."""
    return folder / f"part-{number:05}.parquet"


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a folder's manifest; empty if there is none.

    Raises:
        CorpusError: the manifest is malformed.
    """
    try:
        values = json.loads((folder / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CorpusError(
            f"{folder / MANIFEST}: not JSON ({error}); delete the folder and run `detente teach`"
        ) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise CorpusError(f"{folder / MANIFEST} isn't of format {FORMAT}; delete the folder and run `detente teach`")
    return values


def read(
    folder: Path, *, weight: float = 1.0, temperature: float = 1.0, limit: int | None = None, seed: int = 0
) -> list[Row]:
    """Read soft labels as training rows, one per sentence.

    Args:
        folder: finished folder written by `detente teach`.
        weight: factor of the rows' loss.
        temperature: temperature of the distributions (Hinton et al. 2015); above 1 flattens, below 1 sharpens.
        limit: maximum number of sentences, a fixed random sample; None for all.
        seed: random seed of the sample.

    Raises:
        CorpusError: the folder is missing, unfinished or unreadable.
    """
    manifest = read_manifest(folder)
    if not manifest.get("done"):
        problem = "isn't finished; give the same command again" if manifest else "holds no soft labels; make them"
        raise CorpusError(f"{folder} {problem}: detente teach MODEL --output {folder}")
    files = [part(folder, number) for number in range(manifest["parts"])]
    try:
        sample: set[str] | None = None
        if limit is not None:
            ids = dict.fromkeys(id_ for file in files for id_ in pq.read_table(file, columns=["id"])["id"].to_pylist())
            sample = set(random.Random(seed).sample(list(ids), min(limit, len(ids))))
        return [
            _row(records, weight, temperature)
            for id_, records in groupby(_records(files), key=lambda record: record["id"])
            if sample is None or id_ in sample
        ]
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise CorpusError(f"{folder} can't be read ({reason}); delete it and run `detente teach` again") from error


def softened(probabilities: npt.ArrayLike, temperature: float) -> list[float]:
    """Return a distribution rescaled to a temperature."""
    logits = np.log(np.asarray(probabilities, dtype=np.float64).clip(np.finfo(np.float64).tiny))
    shares: list[float] = softmax(logits / temperature).tolist()
    return shares


def _records(files: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        with pq.ParquetFile(file) as source:
            for batch in source.iter_batches(batch_size=4096, columns=SCHEMA.names):
                yield from batch.to_pylist()


def _row(records: Iterator[dict[str, Any]], weight: float, temperature: float) -> Row:
    row: Row | None = None
    for record in records:
        row = row or Row(record["text"], [], [], [], [], "transfer", ordered=False, date=record["date"])
        first, second = record["dyad"].split("-")
        a, b = ([(start, end) for start, end in record[actor]] for actor in "ab")
        row.pairs.append((row.actor(first, a), row.actor(second, b)))
        heads = {head: softened(record[head], temperature) for head in (*JOINED, *ORDERED)}
        reversed_heads = {head: softened(record[f"{head}_back"], temperature) for head in ORDERED}
        cue = [(record["cue"][0], record["cue"][1])] if record["cue"] else []
        row.labels.append(Label(heads, weight, cue, reversed_heads))
    assert row is not None, "a group has a record"
    return row
