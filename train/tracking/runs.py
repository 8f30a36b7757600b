"""Log runs to MLflow: settings, code, data, curves, metrics, figures and the model."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.exceptions import MlflowException
from transformers import TrainerCallback

from detente.data.corpora.load import locate
from detente.models.config import HEADS
from detente.train.distill import soft_labels
from detente.train.evaluate.evaluate import Result
from detente.train.evaluate.figures import confusion_figure
from detente.train.evaluate.report import Report
from detente.train.provenance import code_version
from detente.train.settings import TrainArgs
from detente.train.tracking import registry


@contextmanager
def run(settings: TrainArgs) -> Iterator[None]:
    """Open an MLflow run and log the training run's settings, code version and data fingerprints."""
    mlflow.set_tracking_uri(settings.tracking)
    mlflow.set_experiment(settings.experiment)
    encoding = "a teacher, actors marked in the text" if settings.entity_markers else "one encoder pass for all dyads"
    with mlflow.start_run(
        run_name=f"{settings.name} {settings.version}, seed {settings.seed}",
        description=f"`detente train`: {settings.base} ({encoding}) on {', '.join(settings.corpora)}; the checkpoint "
        f"with the best {settings.metric}. Metrics `final_…` are the exported model's on the dev splits.",
    ):
        mlflow.log_params(settings.flat())
        mlflow.log_dict(settings.to_dict(), "settings.yaml")
        mlflow.set_tags({"command": "train", "model": settings.name, "code": code_version(), **fingerprints(settings)})
        yield


class Curves(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Logs loss and dev metrics during training."""

    def on_log(self, _args: Any, state: Any, _control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Log all numbers of an entry of the Trainer's log."""
        numbers = {k: float(v) for k, v in (logs or {}).items() if isinstance(v, int | float)}
        mlflow.log_metrics(numbers, step=state.global_step)


def fingerprints(settings: TrainArgs) -> dict[str, str]:
    """Return the SHA-256 of each corpus' training file; for soft labels, that of the manifest."""
    files = {
        name: corpus.soft / soft_labels.MANIFEST if corpus.soft else locate(name, "train")
        for name, corpus in settings.corpora.items()
    }
    return {f"data.{name}": hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def log_result(folder: Path, results: Sequence[Result], alias: str = "") -> None:
    """Log an exported model with dev metrics and confusion matrices, and register it if an alias is given."""
    for result in results:
        mlflow.log_metrics({f"final_{result.slug}_{metric}": value for metric, value in result.metrics.items()})
        for head, counts in result.confusion.items():
            figure = confusion_figure(np.array(counts), HEADS[head], f"{result.benchmark}, {head}")
            mlflow.log_figure(figure, f"confusion/{result.slug}_{head}.png")
    logged = registry.log_model(folder)
    if alias:
        registry.register(logged, folder, alias)


def log_report(report: Report, folder: Path, tracking: str, experiment: str) -> None:
    """Log a report in a new run: its folder, and every figure as a metric.

    Args:
        report: report on a model.
        folder: folder of the written report.
        tracking: MLflow tracking URI.
        experiment: MLflow experiment.

    Raises:
        ValueError: MLflow reports an error; its first line.
    """
    try:
        mlflow.set_tracking_uri(tracking)
        mlflow.set_experiment(experiment)
        with mlflow.start_run(
            run_name=f"{report.model}, report on {report.split}",
            description=f"`detente evaluate`: {report.model} on the {report.split} splits; `report.md` among the "
            "artifacts has the tables and pictures.",
            tags={"command": "evaluate", "model": report.model, "split": report.split, "code": report.code},
        ):
            mlflow.log_metrics(report.figures())
            mlflow.log_artifacts(str(folder), "report")
    except MlflowException as error:
        raise ValueError(str(error).splitlines()[0]) from error
