"""What MLflow keeps of a run: settings, code, data, curves, metrics, pictures and the model."""

import hashlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from transformers import TrainerCallback

from detente.data.corpora import locate
from detente.data.labels import TONES
from detente.train import pyfunc, soft
from detente.train.args import TrainArgs
from detente.train.evaluate import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@contextmanager
def run(settings: TrainArgs) -> Iterator[None]:
    """Open an MLflow run for a training run and log its settings, the code's version and the data's fingerprints."""
    mlflow.set_tracking_uri(settings.tracking)
    mlflow.set_experiment(settings.experiment)
    with mlflow.start_run(run_name=f"{settings.name} {settings.seed}"):
        mlflow.log_params(settings.flat())
        mlflow.log_dict(settings.to_dict(), "settings.yaml")
        mlflow.set_tags({"code": code_version(), **fingerprints(settings)})
        yield


class Curves(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Logs the loss and the dev metrics as the run goes."""

    def on_log(self, _args: Any, state: Any, _control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Log every number of an entry of the Trainer's log."""
        numbers = {k: float(v) for k, v in (logs or {}).items() if isinstance(v, int | float)}
        mlflow.log_metrics(numbers, step=state.global_step)


def code_version() -> str:
    """Return the commit of the code, with a mark if it was changed since; empty outside a checkout."""
    command = ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def fingerprints(settings: TrainArgs) -> dict[str, str]:
    """Return the SHA-256 of each corpus' training file; of soft labels, that of what says which teachers read what."""
    files = {
        name: corpus.soft / soft.MANIFEST if corpus.soft else locate(name, "train")
        for name, corpus in settings.corpora.items()
    }
    return {f"data.{name}": hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def confusion_figure(counts: Any, labels: Sequence[str] = TONES, title: str = "tone") -> "Figure":
    """Draw a confusion matrix, shares of each gold label, counts written in the cells.

    Args:
        counts: [gold label, said label].
        labels: in the order of the matrix.
        title: of the picture.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  (drawing is not needed to train)

    figure = Figure(figsize=(1.6 + 0.7 * len(labels), 1.2 + 0.7 * len(labels)), layout="constrained")
    axes = figure.subplots()
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), n in np.ndenumerate(counts):
        axes.text(
            column, row, str(n), ha="center", va="center", color="white" if shares[row, column] > 0.5 else "black"
        )
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="model", ylabel="label", title=title)
    return figure


def log_result(folder: Path, results: Sequence[Result]) -> None:
    """Log the exported model's folder, its dev metrics and its confusion matrix of tones."""
    for result in results:
        slug = result.benchmark.replace(",", "").replace(" ", "_")
        mlflow.log_metrics({f"final_{slug}_{metric}": value for metric, value in result.metrics.items()})
        if result.confusion:
            mlflow.log_figure(
                confusion_figure(np.array(result.confusion), title=result.benchmark), f"confusion/{slug}.png"
            )
    mlflow.pyfunc.log_model(
        name="model",
        python_model=pyfunc.__file__,
        artifacts={"model": str(folder)},
        signature=pyfunc.SIGNATURE,
        input_example=pyfunc.EXAMPLE,
        pip_requirements=[f"detente=={version('detente')}", "pandas"],
    )
