"""What a training run is checked for before it begins, and its export before it is handed over."""

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
from detente.train.settings import TrainArgs

RECORD = "run.json"

#: Settings that don't change what is learnt.
_FREE = ("output", "resume", "tracking", "experiment", "register", "checkpoint_minutes")

#: How far a tone's probability in the export may be from the trained model's: int8 moves one by a few hundredths.
MAX_DRIFT = 0.35

#: How often the most probable tone must be the same.
MIN_SAME = 0.75


def check_metric(settings: TrainArgs) -> None:
    """Raise a `ValueError` unless the dev parts that the settings' metric is measured on are on disk."""
    measured = {benchmark.corpus for benchmark in DEV}
    if settings.metric == "dev_mean":
        needed = sorted(measured & set(settings.corpora))
        if not needed:
            raise ValueError(
                f"metric: dev_mean is a mean over corpora with a dev part ({', '.join(sorted(measured))}), and the run "
                "has none of them; add one to corpora"
            )
    else:
        corpus = next((name for name in measured if settings.metric.startswith(f"{name}_")), None)
        if corpus not in settings.corpora:
            raise ValueError(f"metric: {settings.metric} is not measured in this run; add its corpus or take dev_mean")
        needed = [str(corpus)]
    for name in needed:
        try:
            corpora.locate(name, "dev")
        except CorpusError as error:
            raise ValueError(f"metric: {settings.metric} needs a dev part that is not on disk: {error}") from error


def check_same_run(settings: TrainArgs, rows: Sequence[Row]) -> None:
    """Record what a run learns from, or raise a `ValueError` if its folder holds a run of other settings or data.

    A finished or stopped run is resumed from its checkpoints, so other settings would return the old weights.
    """
    record = {
        "settings": {key: value for key, value in settings.to_dict().items() if key not in _FREE},
        "data": _digest(rows),
    }
    file = settings.output / RECORD
    if settings.resume and file.is_file():
        try:
            known = json.loads(file.read_text("utf-8"))
        except ValueError as error:
            raise ValueError(f"{file}: not JSON ({error}); delete the folder or give another output") from error
        if changes := _changes(known, record):
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
    """Raise a `ValueError` unless an exported model answers as the trained one does.

    Args:
        folder: the exported model.
        trained: the model that was exported.
        rows: training rows, of which the first with pairs are read.
        probes: number of sentences.
    """
    items = [Item(row.text, row.actors, row.pairs[:4]) for row in rows[:probes] if row.pairs]
    ours = [pair.heads["tone"] for pairs in OnnxEncoder(folder).predict(items) for pair in pairs]
    theirs = [pair.heads["tone"] for pairs in trained.predict(items) for pair in pairs]
    drift = np.abs(np.array(ours) - np.array(theirs)).max(axis=1)
    same = np.mean(np.argmax(ours, axis=1) == np.argmax(theirs, axis=1))
    if same < MIN_SAME or np.median(drift) > MAX_DRIFT:
        raise ValueError(
            f"{folder}: the exported model reads {1 - same:.0%} of {len(drift)} probes otherwise than the trained one; "
            "train with `rounded: true`, or export without int8"
        )


def _digest(rows: Sequence[Row]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr((row.text, row.actors, row.pairs, row.labels)).encode())
    return digest.hexdigest()


def _changes(known: Any, record: dict[str, Any]) -> list[str]:
    """Return what differs between two records, in words."""
    if not isinstance(known, dict) or not isinstance(known.get("settings"), dict):
        return ["its record is malformed"]
    old, new = known["settings"], record["settings"]
    changes = [
        f"{key} was {json.dumps(old.get(key))}, is {json.dumps(new.get(key))}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]
    if not changes and known.get("data") != record["data"]:
        changes.append("the rows of its corpora have changed")
    return changes
