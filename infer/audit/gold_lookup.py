"""A folder that `detente score` wrote, counted, and rows looked up in it; a few megabytes in memory, however large."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from detente.data.annotation.label_table import Labelled
from detente.infer.audit.audit import Scored
from detente.infer.readings.table import opened

_NEEDED: Final = ("sentence", "dyad", "tone")
_OPTIONAL: Final = ("id", "warmth", "model", "found")


def look_up(folder: Path, rows: Sequence[Labelled]) -> Scored:
    """Count a scored corpus, and find the label of each row: by document, sentence and dyad, else by these two.

    Raises:
        FileNotFoundError: the folder isn't there or holds no part.
        ValueError: it isn't what `detente score` writes.
    """
    data = opened(folder, (*_NEEDED, *_OPTIONAL), _NEEDED)
    columns = [name for name in (*_NEEDED, *_OPTIONAL) if name in data.schema.names]
    wanted = pa.array(sorted({row.sentence for row in rows}), pa.string())
    asked = {(row.sentence, row.dyad) for row in rows}
    counts: Counter[str] = Counter()
    models: set[str] = set()
    exact: dict[tuple[str, str, str], str] = {}
    alike: dict[tuple[str, str], str] = {}
    related, warmth = 0, 0.0
    try:
        for batch in data.to_batches(columns=columns):
            if "found" in columns:  # a dyad that was asked for and isn't there is no reading of the sentence
                batch = batch.filter(pc.fill_null(batch["found"], True))  # noqa: PLW2901
            counts.update(_counted(batch["tone"]))
            if "warmth" in columns:
                known = batch["warmth"].filter(pc.not_equal(batch["tone"], "none")).drop_null()
                related, warmth = related + len(known), warmth + float(pc.sum(known).as_py() or 0.0)
            if "model" in columns:
                models.update(filter(None, pc.unique(batch["model"]).to_pylist()))
            for hit in batch.filter(pc.is_in(batch["sentence"], wanted)).to_pylist():
                key = (hit["sentence"], hit["dyad"])
                if key in asked:
                    exact.setdefault((hit.get("id") or "", *key), hit["tone"])
                    alike.setdefault(key, hit["tone"])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"{folder}: the parts aren't what `detente score` writes: {error}") from error
    said = [exact.get((row.document, row.sentence, row.dyad)) or alike.get((row.sentence, row.dyad)) for row in rows]
    return Scored(counts, warmth / related if related else float("nan"), said, ", ".join(sorted(models)))


def _counted(labels: pa.Array) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(labels).to_pylist()}
