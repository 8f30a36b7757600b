"""Run a training from settings to a model folder: read the corpora, train, calibrate, export, log."""

import logging
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
from transformers import TrainerCallback

from detente.data.corpora.load import read
from detente.infer.encoder.base import Floats
from detente.models.config import HEADS
from detente.models.encoder import PairEncoder
from detente.models.features import Featurizer
from detente.train.distill import soft_labels
from detente.train.evaluate import benchmarks
from detente.train.evaluate.evaluate import evaluate, save
from detente.train.examples import Row, Trust, rows_of
from detente.train.export.onnx import export
from detente.train.fit.trainer import fit
from detente.train.held_out import key, reserved
from detente.train.run_checks import check_export, check_metric, check_same_run
from detente.train.settings import TrainArgs
from detente.train.temperature import fit_temperatures
from detente.train.torch_encoder import TorchEncoder

log = logging.getLogger(__name__)


def train(settings: TrainArgs) -> Path:
    """Train, calibrate and export a model.

    Returns:
        The exported model's folder (`output/model`). `output/torch` holds the weights for further training,
        `output/dev.json` the exported model's figures on the dev splits.

    Raises:
        ValueError, CorpusError: the settings or the corpora are invalid; the message names the cause.
        FloatingPointError: the loss isn't finite.
    """
    check_metric(settings)
    settings.output.mkdir(parents=True, exist_ok=True)
    rows = training_rows(settings)
    check_same_run(settings, rows)
    if not settings.resume:
        shutil.rmtree(settings.output / "checkpoints", ignore_errors=True)
    with _tracked(settings) as tracking:
        callbacks: list[TrainerCallback] = [tracking.Curves()] if tracking else []
        model, featurizer = fit(settings, rows, lambda m, f: develop(m, f, settings), callbacks)
        model = calibrate(model.to("cpu"), featurizer, settings)
        model.save_pretrained(settings.output / "torch", featurizer.tokenizer)
        folder = export(model, featurizer.tokenizer, settings.output / "model")
        check_export(
            folder, TorchEncoder(model, Featurizer(featurizer.tokenizer, settings.max_length)), rows
        )  # an export reads whole texts
        evaluated = [b.corpus for b in benchmarks.DEV if b.corpus in settings.corpora]
        results = evaluate(folder, split="dev", corpora=evaluated, baselines=False)
        save(results, settings.output / "dev.json")
        if tracking:
            tracking.log_result(folder, results, settings.register)
    return folder


@contextmanager
def _tracked(settings: TrainArgs) -> Iterator[ModuleType | None]:
    """Open an MLflow run if the settings name a tracking URI."""
    if not settings.tracking:
        yield None
        return
    from detente.train.tracking import runs as tracking  # noqa: PLC0415  (MLflow takes seconds to import)

    with tracking.run(settings):
        yield tracking


def training_rows(settings: TrainArgs) -> list[Row]:
    """Return the training rows of all corpora of a run, repeated as its settings say.

    The sentences of the article evaluation are left out, even if a corpus contains them.
    """
    rows: list[Row] = []
    trust = Trust(settings.confidence, settings.agreement, settings.sentence_weight)
    held_out = reserved()
    for name, corpus in settings.corpora.items():
        if corpus.soft is not None:
            soft_rows = soft_labels.read(
                corpus.soft,
                weight=corpus.weight,
                temperature=corpus.temperature,
                limit=corpus.limit,
                seed=settings.seed,
            )
            rows += corpus.repeat * [row for row in soft_rows if key(row.text) not in held_out]
            continue
        loaded = read(name, "train+dev" if corpus.dev else "train")
        for problem in loaded.problems:
            log.warning("left out: %s", problem)
        examples = [example for example in loaded.examples if key(example.text) not in held_out]
        if corpus.limit is not None:
            examples = random.Random(settings.seed).sample(examples, min(corpus.limit, len(examples)))
        rows += rows_of(examples, name, trust, corpus.weight) * corpus.repeat
    log.info("%d training rows, %d pairs", len(rows), sum(len(row.pairs) for row in rows))
    return rows


def develop(model: PairEncoder, featurizer: Featurizer, settings: TrainArgs) -> dict[str, float]:
    """Evaluate a torch model on the dev splits of a run's corpora."""
    engine = TorchEncoder(model, featurizer, half=settings.precision == "bf16")
    return benchmarks.develop(engine, list(settings.corpora))


def calibrate(model: PairEncoder, featurizer: Featurizer, settings: TrainArgs) -> PairEncoder:
    """Fit each head's temperature on the dev splits and store it in the model's configuration."""
    heads: dict[str, tuple[list[Floats], list[int]]] = {}
    engine = TorchEncoder(model, featurizer, half=settings.precision == "bf16")
    for benchmark in benchmarks.DEV:
        if benchmark.corpus not in settings.corpora or settings.corpora[benchmark.corpus].dev:
            continue
        examples = benchmark.examples()
        for example, scores in zip(examples, benchmarks.scores_of(engine, benchmark, examples), strict=True):
            for head, labels in HEADS.items():
                if (label := getattr(example, head)) in labels:
                    probabilities, gold = heads.setdefault(head, ([], []))
                    probabilities.append(scores.heads[head].astype(np.float64))
                    gold.append(labels.index(label))
    model.spec = replace(model.spec, temperature=fit_temperatures(heads))
    return model
