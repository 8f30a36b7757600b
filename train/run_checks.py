"""Checks before a training run starts, and of its exported model at the end."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detente._files import write_json
from detente.data.corpora import load as corpora
from detente.data.corpora.examples import CorpusError
from detente.infer.encoder.base import Encoder
from detente.infer.encoder.onnx import OnnxEncoder
from detente.models.features import Item
from detente.train.evaluate.benchmarks import DEV
from detente.train.examples import Row
from detente.train.settings import RENAMED, TrainArgs

RECORD = "run.json"

#: Settings that don't affect the trained weights.
_INCIDENTAL = ("output", "resume", "tracking", "experiment", "register", "checkpoint_minutes")

#: Largest median difference of tone probabilities between export and trained model; int8 causes a few hundredths.
MAX_DRIFT = 0.35

#: Smallest share of probes whose most probable tone must be the same.
MIN_SAME = 0.75


def check_metric(settings: TrainArgs) -> None:
    """Raise a `ValueError` unless the dev splits for the settings' metric are on disk."""
    evaluated = {benchmark.corpus for benchmark in DEV}
    if settings.metric == "dev_mean":
        needed = sorted(evaluated & set(settings.corpora))
        if not needed:
            raise ValueError(
                f"metric: dev_mean is a mean over corpora with a dev part ({', '.join(sorted(evaluated))}), and the "
                "run has none of them; add one to corpora"
            )
    else:
        corpus = next((name for name in evaluated if settings.metric.startswith(f"{name}_")), None)
        if corpus not in settings.corpora:
            raise ValueError(f"metric: {settings.metric} is not measured in this run; add its corpus or take dev_mean")
        needed = [str(corpus)]
    for name in needed:
        try:
            corpora.locate(name, "dev")
        except CorpusError as error:
            raise ValueError(f"metric: {settings.metric} needs a dev part that is not on disk: {error}") from error


def check_same_run(settings: TrainArgs, rows: Sequence[Row]) -> None:
    """Record a run's settings and data; raise a `ValueError` if its folder holds a different run.

    A finished or stopped run is resumed from its checkpoints, so changed settings would return the old weights.
    """
    record = {
        "settings": {key: value for key, value in settings.to_dict().items() if key not in _INCIDENTAL},
        "data": _digest(rows),
    }
    file = settings.output / RECORD
    if settings.resume and file.is_file():
        try:
            earlier = json.loads(file.read_text("utf-8"))
        except ValueError as error:
            raise ValueError(f"{file}: not JSON ({error}); delete the folder or give another output") from error
        if changes := _changes(earlier, record):
            raise ValueError(
                f"{settings.output} holds a run of other settings or data ({'; '.join(changes)}); give another output, "
                "or resume=false to begin anew"
            )
    elif settings.resume and any((settings.output / "checkpoints").glob("checkpoint-*")):
        raise ValueError(
            f"{settings.output} holds checkpoints of an older detente, which did not record its settings; give another "
            "output, or resume=false to begin anew"
        )
    write_json(file, record)


def check_export(folder: Path, trained: Encoder, rows: Sequence[Row], probes: int = 64) -> None:
    """Raise a `ValueError` if an exported model's predictions differ from the trained one's.

    Args:
        folder: folder of the exported model.
        trained: the model before its export.
        rows: training rows, the first of which serve as probes.
        probes: number of probes.
    """
    items = [Item(row.text, row.actors, row.pairs[:4]) for row in rows[:probes] if row.pairs]
    exported = [pair.heads["tone"] for pairs in OnnxEncoder(folder).predict(items) for pair in pairs]
    reference = [pair.heads["tone"] for pairs in trained.predict(items) for pair in pairs]
    drift = np.abs(np.array(exported) - np.array(reference)).max(axis=1)
    same = np.mean(np.argmax(exported, axis=1) == np.argmax(reference, axis=1))
    if same < MIN_SAME or np.median(drift) > MAX_DRIFT:
        raise ValueError(
            f"{folder}: the exported model reads {1 - same:.0%} of {len(drift)} probes otherwise than the trained one; "
            "train with `quantization_aware: true`, or export without int8"
        )


def _digest(rows: Sequence[Row]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        values = repr((row.text, row.actors, row.pairs, row.labels))
        # The field's old name, so that runs that were started before it was renamed can be resumed.
        digest.update(values.replace(", reversed_heads=", ", back=").encode())
    return digest.hexdigest()


def _changes(earlier: Any, record: dict[str, Any]) -> list[str]:
    """Return the differences between two records, in words."""
    if not isinstance(earlier, dict) or not isinstance(earlier.get("settings"), dict):
        return ["its record is malformed"]
    old = {RENAMED.get(key, key): value for key, value in earlier["settings"].items()}
    new = record["settings"]
    changes = [
        f"{key} was {json.dumps(old.get(key))}, is {json.dumps(new.get(key))}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]
    if not changes and earlier.get("data") != record["data"]:
        changes.append("the rows of its corpora have changed")
    return changes
