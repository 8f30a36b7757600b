"""`detente train`, `export` and `evaluate`: the commands that need the extra `[train]`."""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from detente.cli_read import BadUsage, Failure

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


def evaluate(
    model: Annotated[str, typer.Argument(help="A model folder or a hub id; the shipped model if left out.")] = "",
    corpora: Annotated[str, typer.Option(help="Only these: plv,annotations.")] = "",
    split: Annotated[str, typer.Option(help="test, or dev for choosing between models.")] = "test",
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as JSON too.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as Markdown too.")] = None,
    baselines: Annotated[bool, typer.Option(help="Train the baselines and measure them beside the model.")] = True,
) -> None:
    """Measure a model on the benchmarks, beside baselines and published figures.

    [bold]Examples[/bold]

      detente evaluate

      detente evaluate runs/mini/model --corpora plv,annotations --split dev --json dev.json
    """
    needs_extra()
    from detente.models.store import resolve  # noqa: PLC0415
    from detente.train import evaluate as report  # noqa: PLC0415

    if split not in report.SPLITS:
        raise BadUsage(f"{split!r} is neither test nor dev")
    folder = resolve(model or None)
    with Console(stderr=True).status("measuring") as status:
        try:
            results = report.evaluate(
                folder,
                split=split,
                corpora=[name for name in corpora.split(",") if name],
                baselines=baselines,
                progress=lambda name: status.update(f"measuring {name}"),
            )
        except ValueError as error:
            raise BadUsage(f"--corpora: {error}") from error
    Console().print(report.table(results, title=f"{folder.name}, {split}"))
    if json:
        report.save(results, json)
    if markdown:
        markdown.write_text(report.markdown(results), "utf-8")


def needs_extra() -> None:
    """Raise a `Failure` unless the extra `[train]` is installed."""
    needed = ("torch", "transformers", "sklearn", "mlflow", "pydantic", "yaml")
    if missing := [name for name in needed if find_spec(name) is None]:
        raise Failure(f"{', '.join(missing)} not installed; training needs: pip install 'detente[train]'")
