"""`detente train` and `export`: the commands that need the extra `[train]`."""

import logging
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from detente.cli.options import BadUsage, Failure

if TYPE_CHECKING:
    from detente.data.codebook.label_schema import Scheme
    from detente.train.codebook.annotations import Names
    from detente.train.codebook.evaluation import Measured

Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings to override: epochs=2.")
]


def train(
    config: Annotated[Path | None, typer.Argument(help="Settings of a run, YAML.")] = None,
    overrides: Overrides = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="Table of your own labels: CSV, TSV, JSON lines or Parquet.")
    ] = None,
    codebook: Annotated[Path | None, typer.Option(metavar="YAML", help="Codebook: variables and their labels.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Folder for the new model.")] = None,
    base: Annotated[
        str, typer.Option(metavar="MODEL", help="A model folder or hub id to start from, if not the shipped one.")
    ] = "",
    name: Annotated[str, typer.Option(help="Name of the new model, if not the folder's.")] = "",
    sentence: Annotated[str, typer.Option(metavar="COLUMN", help="Sentence column.")] = "sentence",
    dyad: Annotated[str, typer.Option(metavar="COLUMN", help="Dyad column (CHN-USA), if any.")] = "dyad",
    label: Annotated[
        str, typer.Option(metavar="COLUMN", help="Label column, if it is not named after the variable.")
    ] = "label",
    document: Annotated[
        str, typer.Option(metavar="COLUMN", help="Document column; no split divides a document.")
    ] = "document",
    date: Annotated[str, typer.Option(metavar="COLUMN", help="Date column.")] = "date",
    encoding: Annotated[str, typer.Option(help="Encoding of a CSV that is neither UTF-8, UTF-16 nor cp1252.")] = "",
    without: Annotated[
        str, typer.Option(metavar="HEADS", help="Heads of the base whose features are not used: root,quad.")
    ] = "",
    finetune: Annotated[
        bool,
        typer.Option("--finetune", help="Fine-tune the whole network: minutes instead of seconds, for larger tables."),
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed of the splits.")] = 1,
) -> None:
    """Train a model from a settings file, or from a table of your own labels and its codebook.

    [bold]Examples[/bold]

      detente train train/configs/mini.yaml

      detente train train/configs/mini.yaml output=runs/short epochs=1 corpora.plv.repeat=2

      detente train --labels my.csv --codebook my.yaml --out my-model

    A run that was stopped resumes from its last checkpoint; MLflow records its curves (`mlflow ui --backend-store-uri
    sqlite:///mlruns.db`). With --labels, each row is a sentence, a dyad and a label, with one column per variable of
    the codebook. The new model is used like the shipped one, and its tone is the first variable's label;
    my-model/README.md reports how good it is and whether more labels would help. Only the heads are trained, in
    seconds; --finetune trains the whole network.
    """
    own = {"--labels": labels, "--codebook": codebook, "--out": out}
    if config is not None and any(own.values()):
        raise BadUsage("give a file of settings, or --labels, --codebook and --out; not both")
    if config is None and (missing := [option for option, value in own.items() if value is None]):
        if len(missing) == len(own):
            raise BadUsage("give a file of settings, or --labels TABLE --codebook YAML --out FOLDER")
        raise BadUsage(f"labels of one's own need {' and '.join(missing)} too")
    needs_extra()
    if config is None:
        from detente.train.codebook.annotations import Names  # noqa: PLC0415

        columns = Names(sentence=sentence, dyad=dyad, label=label, document=document, date=date)
        heads = [head for part in without.split(",") if (head := part.strip())]
        assert labels is not None
        assert codebook is not None
        assert out is not None
        _own(labels, codebook, out, base, name, columns, encoding, heads, finetune, seed)
        return
    from detente.train.settings import read_args  # noqa: PLC0415

    try:
        settings = read_args(config, overrides or [])
    except ValueError as error:
        raise Failure(str(error)) from error
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for chatty in ("alembic", "onnxruntime", "root", "mlflow"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    from detente.train.run import train as run  # noqa: PLC0415  (imports torch)

    try:
        folder = run(settings)
    except (ValueError, FloatingPointError) as error:
        raise Failure(str(error)) from error
    typer.echo(f"the model is in {folder}")


def _own(
    labels: Path,
    codebook: Path,
    out: Path,
    base: str,
    name: str,
    columns: "Names",
    encoding: str,
    without: list[str],
    finetune: bool,
    seed: int,
) -> None:
    from detente.data.codebook.label_schema import read_scheme  # noqa: PLC0415
    from detente.models.config import HEADS  # noqa: PLC0415
    from detente.models.model_dir import resolve  # noqa: PLC0415
    from detente.train.codebook import train as own  # noqa: PLC0415  (imports scikit-learn)
    from detente.train.codebook.annotations import read_table  # noqa: PLC0415

    if unknown := [head for head in without if head not in HEADS]:
        raise BadUsage(f"--without: {unknown[0]!r} is none of {', '.join(HEADS)}")
    try:
        own.free(out)
        scheme = read_scheme(codebook)
        table = read_table(labels, scheme, names=columns, encoding=encoding)
        for note in table.notes:
            typer.echo(f"{labels}: {note}", err=True)
        with Console(stderr=True).status("reading the sentences") as status:
            measured = own.train(
                table,
                scheme,
                out,
                base=resolve(base or None),
                name=name,
                without=without,
                finetune=finetune,
                seed=seed,
                progress=status.update,
            )
    except ValueError as error:
        raise Failure(str(error)) from error
    _show_own(measured, f"{out.name}: {len(table.rows)} of {table.read} rows")
    typer.echo(f"the model is in {out}; its report is {out / 'README.md'}")


def _show_own(measured: "list[Measured]", title: str) -> None:
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from detente.train.codebook import evaluation as report  # noqa: PLC0415

    head, lines = report.grid(measured)
    shown = Table(*head, title=escape(title))
    for line in lines:
        shown.add_row(*map(escape, line))
    console = Console()
    console.print(shown)
    for remark in report.remarks(measured):
        console.print(remark, highlight=False, markup=False)


def export(
    trained: Annotated[Path, typer.Argument(help="Folder of a trained model (`runs/NAME/torch`).")],
    output: Annotated[Path, typer.Argument(help="Output folder.")],
    fp32: Annotated[bool, typer.Option("--fp32", help="Keep fp32 weights instead of int8.")] = False,
    rounded: Annotated[
        bool, typer.Option("--rounded", help="Quantize activations too, even if the model was not trained for it.")
    ] = False,
) -> None:
    """Export a trained model as ONNX, for `detente.load`.

    [bold]Examples[/bold]

      detente export runs/mini/torch my-model

      detente export runs/base/torch detente-base --rounded

    --rounded doubles the speed. A model trained with quantized activations needs no such option; the predictions of any
    other change slightly, so measure it.
    """
    if fp32 and rounded:
        raise BadUsage("--fp32 keeps the weights as they are, --rounded rounds them; give one")
    needs_extra()
    from detente.models.encoder import PairEncoder  # noqa: PLC0415
    from detente.train.export.onnx import export as write  # noqa: PLC0415

    model, tokenizer = PairEncoder.from_pretrained(trained)
    if rounded:
        model.spec = replace(model.spec, rounded=True)
    typer.echo(f"the model is in {write(model, tokenizer, output, int8=not fp32)}")


def measure_own(
    folder: Path, scheme: "Scheme | None", labels: Path, encoding: str, json: Path | None, markdown: Path | None
) -> None:
    """Measure a model on labels by its own codebook, print the figures, and write them where asked."""
    from dataclasses import asdict  # noqa: PLC0415

    from detente._files import write_json  # noqa: PLC0415
    from detente.train.codebook import train as own  # noqa: PLC0415
    from detente.train.codebook.annotations import read_table  # noqa: PLC0415
    from detente.train.codebook.evaluation import markdown as report  # noqa: PLC0415

    if scheme is None:
        raise BadUsage(f"--labels measures models that `detente train --labels` made; {folder.name} isn't one")
    try:
        table = read_table(labels, scheme, encoding=encoding, part="test")
        for note in table.notes:
            typer.echo(f"{labels}: {note}", err=True)
        measured = own.measure(folder, table)
    except ValueError as error:
        raise Failure(str(error)) from error
    _show_own(measured, f"{folder.name}, {len(table.rows)} of {table.read} rows of {labels.name}")
    if json:
        write_json(json, [asdict(result) for result in measured])
    if markdown:
        markdown.write_text(report(measured), "utf-8")


def needs_extra() -> None:
    """Raise a `Failure` unless the extra `[train]` is installed."""
    needed = ("torch", "transformers", "sklearn", "mlflow", "pydantic", "yaml")
    if missing := [name for name in needed if find_spec(name) is None]:
        raise Failure(f"{', '.join(missing)} not installed; training needs: pip install 'detente[train]'")
