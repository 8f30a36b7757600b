"""Count predictions in a scored corpus and look up gold rows, streaming with constant memory."""

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
    """Return the counts of a scored corpus and its prediction for each gold row.

    Rows are matched by document, sentence and dyad, else by sentence and dyad.

    Raises:
        FileNotFoundError: the folder doesn't exist or contains no part.
        ValueError: the folder isn't the output of `detente score`.
    """
    data = opened(folder, (*_NEEDED, *_OPTIONAL), _NEEDED)
    columns = [name for name in (*_NEEDED, *_OPTIONAL) if name in data.schema.names]
    sentences = pa.array(sorted({row.sentence for row in rows}), pa.string())
    keys = {(row.sentence, row.dyad) for row in rows}
    counts: Counter[str] = Counter()
    models: set[str] = set()
    by_document: dict[tuple[str, str, str], str] = {}
    by_sentence: dict[tuple[str, str], str] = {}
    related, warmth = 0, 0.0
    try:
        for batch in data.to_batches(columns=columns):
            if "found" in columns:  # requested dyads that aren't in the sentence are not readings
                batch = batch.filter(pc.fill_null(batch["found"], True))  # noqa: PLW2901
            counts.update(_counted(batch["tone"]))
            if "warmth" in columns:
                scored = batch["warmth"].filter(pc.not_equal(batch["tone"], "none")).drop_null()
                related, warmth = related + len(scored), warmth + float(pc.sum(scored).as_py() or 0.0)
            if "model" in columns:
                models.update(filter(None, pc.unique(batch["model"]).to_pylist()))
            for match in batch.filter(pc.is_in(batch["sentence"], sentences)).to_pylist():
                key = (match["sentence"], match["dyad"])
                if key in keys:
                    by_document.setdefault((match.get("id") or "", *key), match["tone"])
                    by_sentence.setdefault(key, match["tone"])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"{folder}: the parts aren't what `detente score` writes: {error}") from error
    predictions = [
        by_document.get((row.document, row.sentence, row.dyad)) or by_sentence.get((row.sentence, row.dyad))
        for row in rows
    ]
    return Scored(counts, warmth / related if related else float("nan"), predictions, ", ".join(sorted(models)))


def _counted(labels: pa.Array) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(labels).to_pylist()}
