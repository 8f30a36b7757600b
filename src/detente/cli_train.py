"""`detente train` and `export`: the commands that need the extra `[train]`."""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from detente.cli_read import Failure

Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings that differ: epochs=2.")
]


def train(
    config: Annotated[Path, typer.Argument(help="A run's settings, YAML.")],
    overrides: Overrides = None,
) -> None:
    """Train, calibrate and export a model by a file of settings.

    [bold]Examples[/bold]

      detente train train/configs/mini.yaml

      detente train train/configs/mini.yaml output=runs/short epochs=1 corpora.plv.repeat=2

    A run that was stopped goes on from its last checkpoint; MLflow keeps its curves (`mlflow ui --backend-store-uri
    sqlite:///mlruns.db`).
    """
    needs_extra()
    from detente.train.args import read_args  # noqa: PLC0415

    try:
        settings = read_args(config, overrides or [])
    except ValueError as error:
        raise Failure(str(error)) from error
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for chatty in ("alembic", "onnxruntime", "root", "mlflow"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    from detente.train.run import train as run  # noqa: PLC0415  (imports torch)

    typer.echo(f"the model is in {run(settings)}")


def export(
    trained: Annotated[Path, typer.Argument(help="Folder of a trained model (`runs/NAME/torch`).")],
    output: Annotated[Path, typer.Argument(help="Folder to write.")],
    fp32: Annotated[bool, typer.Option("--fp32", help="Keep the weights as they are instead of int8.")] = False,
) -> None:
    """Export a trained model as ONNX, for `detente.load`.

    [bold]Example[/bold]

      detente export runs/mini/torch my-model
    """
    needs_extra()
    from detente.models.encoder import PairEncoder  # noqa: PLC0415
    from detente.train.export import export as write  # noqa: PLC0415

    typer.echo(f"the model is in {write(*PairEncoder.from_pretrained(trained), output, int8=not fp32)}")


def needs_extra() -> None:
    """Raise a `Failure` unless the extra `[train]` is installed."""
    needed = ("torch", "transformers", "sklearn", "mlflow", "pydantic", "yaml")
    if missing := [name for name in needed if find_spec(name) is None]:
        raise Failure(f"{', '.join(missing)} not installed; training needs: pip install 'detente[train]'")
