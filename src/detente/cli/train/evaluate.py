"""`detente evaluate` and `register`: what a model is worth, and which one is in use."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from detente.cli.optional_values import OptionalValues
from detente.cli.options import BadUsage, Failure
from detente.cli.train.train import measure_own, needs_extra

if TYPE_CHECKING:
    from detente.train.evaluate.articles.evaluation import ArticleEvaluation
    from detente.train.evaluate.report import Report

_MODEL: Final = "Model folder or hub id (default: the shipped model)."
_STORE: Final = "sqlite:///mlruns.db"


class EvaluateCommand(OptionalValues):
    """`detente evaluate`."""

    optional = ("--articles",)


def evaluate(
    model: Annotated[str, typer.Argument(help=_MODEL)] = "",
    corpora: Annotated[str, typer.Option(help="Corpora to measure on: plv,annotations (default: all).")] = "",
    articles: Annotated[
        str | None,
        typer.Option(
            metavar="[FILE]",
            help="Whole articles to measure on (default: dev articles of the corpora, else the project's own).",
        ),
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON lines file for the errors in the articles, by cause.")
    ] = None,
    split: Annotated[str, typer.Option(help="Split: test, or dev to choose between models.")] = "test",
    report: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder for the full report: Markdown, JSON and figures.")
    ] = None,
    tracking: Annotated[str, typer.Option(metavar="URI", help=f"MLflow store for the full report: {_STORE}.")] = "",
    experiment: Annotated[str, typer.Option(metavar="NAME", help="MLflow experiment.")] = "detente",
    swap: Annotated[
        str, typer.Option(metavar="SPLIT", help="Annotations for the swap test: dev, train or train+dev.")
    ] = "dev",
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="JSON file for the tables.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Markdown file for the tables.")] = None,
    baselines: Annotated[bool, typer.Option(help="Train and measure the baselines too.")] = True,
    labels: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="Table of labels by the model's own codebook.")
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Measure the explanations on the annotations' dev rows.")] = False,
    encoding: Annotated[str, typer.Option(help="Encoding of a CSV that is neither UTF-8, UTF-16 nor cp1252.")] = "",
) -> None:
    """Measure a model on whole articles, on benchmarks beside baselines and published figures, or on your own labels.

    [bold]Examples[/bold]

      detente evaluate

      detente evaluate runs/mini/model --articles --errors errors.jsonl

      detente evaluate runs/mini/model --corpora plv,annotations --split dev --json dev.json

      detente evaluate runs/mini/model --report report --tracking sqlite:///mlruns.db

      detente evaluate my-model --labels held-out.csv

    --articles labels whole articles and compares the output with gold labels stage by stage: sentences, states,
    relationship, tone, direction, warmth. With --report, this comes first.

    --report and --tracking add results by class, dyad, decade and kind of source, confusion matrices, the swap test,
    calibration, accuracy with abstention, and speed.
    """
    needs_extra()
    from detente.models.model_dir import ModelError, read_config, resolve  # noqa: PLC0415
    from detente.train.evaluate import evaluate as tables  # noqa: PLC0415

    if split not in tables.SPLITS:
        raise BadUsage(f"{split!r} is neither test nor dev")
    if swap not in ("dev", "train", "train+dev"):
        raise BadUsage(f"--swap: {swap!r} is none of dev, train, train+dev")
    file = _labelled_articles(articles, labels, errors)
    folder = resolve(model or None)
    own = read_config(folder).own
    if labels is not None:
        measure_own(folder, own, labels, encoding, json, markdown)
        return
    if own is not None:
        variables = ", ".join(variable.name for variable in own.variables)
        raise BadUsage(f"{folder} has a codebook of its own ({variables}); measure it on labels: --labels TABLE")
    if file is not None and not (report or tracking):
        if corpora:
            raise BadUsage("--articles measures whole articles alone; with --report, the corpora too")
        _measure_articles(folder, file, json, markdown, errors)
        return
    names = [name for name in corpora.split(",") if name]
    whole: Report | None = None
    with Console(stderr=True).status("measuring") as status:

        def show(name: str) -> None:
            status.update(f"measuring {name}")

        try:
            if report or tracking:
                from detente.train.evaluate.report import build  # noqa: PLC0415

                whole = build(
                    folder,
                    articles=file,
                    split=split,
                    corpora=names,
                    baselines=baselines,
                    swap_split=swap,
                    progress=show,
                )
                results = whole.results
            else:
                results = tables.evaluate(folder, split=split, corpora=names, baselines=baselines, progress=show)
        except ModelError:
            raise
        except ValueError as error:
            raise BadUsage(f"--corpora: {error}") from error
    console = Console()
    if whole and whole.articles:
        _show_articles(console, whole.articles, errors)
    console.print(tables.table(results, title=f"{folder.name}, {split}"))
    if json:
        tables.save(results, json)
    written = tables.markdown(results) + (f"\n{_explained(folder)}\n" if why else "")
    if markdown:
        markdown.write_text(written, "utf-8")
    if whole:
        _show(console, whole)
        _keep(whole, report, tracking, experiment)


def register(
    model: Annotated[str, typer.Argument(help=_MODEL)] = "",
    alias: Annotated[str, typer.Option(metavar="ALIAS", help="Alias of the new version.")] = "shipped",
    tracking: Annotated[str, typer.Option(metavar="URI", help="MLflow tracking URI.")] = _STORE,
    experiment: Annotated[str, typer.Option(metavar="NAME", help="MLflow experiment.")] = "detente",
) -> None:
    """Log a model to MLflow and register it as the next version of `detente`, under an alias.

    [bold]Example[/bold]

      detente register runs/mini/model --alias candidate

    `mlflow.pyfunc.load_model("models:/detente@candidate").predict(frame)` then labels a table of texts.
    """
    needs_extra()
    from detente.models.model_dir import resolve  # noqa: PLC0415
    from detente.train.settings import check_alias  # noqa: PLC0415

    try:
        check_alias(alias)
    except ValueError as error:
        raise BadUsage(f"--alias: {error}") from error
    folder = resolve(model or None)
    from detente.train.tracking.registry import NAME, register_folder  # noqa: PLC0415  (imports mlflow)

    try:
        version = register_folder(folder, alias, tracking, experiment)
    except ValueError as error:
        raise Failure(f"MLflow: {error}") from error
    typer.echo(f"{folder} is version {version} of {NAME}: models:/{NAME}@{alias}")


def _labelled_articles(file: str | None, labels: Path | None, errors: Path | None) -> Path | None:
    """Return the file of articles that is meant by `--articles`, the default one by its empty value."""
    if file is None:
        if errors is not None:
            raise BadUsage("--errors lists what is wrong in articles; give --articles too")
        return None
    if labels is not None:
        raise BadUsage("give --articles or --labels, not both")
    if file and Path(file).is_dir():
        raise BadUsage(f"--articles: {file} is a folder; the model comes first: detente evaluate MODEL --articles")
    from detente.train.evaluate.articles.gold import locate  # noqa: PLC0415

    return Path(file) if file else locate()


def _explained(folder: Path) -> str:
    """Measure the explanations; print and return the figures in Markdown."""
    from detente.infer.encoder.onnx import OnnxEncoder  # noqa: PLC0415
    from detente.train.evaluate import faithfulness  # noqa: PLC0415

    lines = "\n".join(faithfulness.markdown(faithfulness.faithfulness(OnnxEncoder(folder))))
    typer.echo(lines)
    return lines


def _measure_articles(folder: Path, file: Path, json: Path | None, markdown: Path | None, errors: Path | None) -> None:
    from detente._files import write_json  # noqa: PLC0415
    from detente.infer.label.labeler import load  # noqa: PLC0415
    from detente.train.evaluate.articles import render as article_tables  # noqa: PLC0415
    from detente.train.evaluate.articles.evaluation import evaluate_articles  # noqa: PLC0415
    from detente.train.evaluate.articles.gold import read_articles  # noqa: PLC0415

    labelled = read_articles(file)
    with Console(stderr=True).status("reading articles") as status:
        evaluation = evaluate_articles(load(folder), labelled, file=file.name, progress=status.update)
    _show_articles(Console(), evaluation, errors)
    if json:
        write_json(json, evaluation.to_dict())
    if markdown:
        markdown.write_text(article_tables.markdown(evaluation), "utf-8")


def _show_articles(console: Console, evaluation: "ArticleEvaluation", errors: Path | None) -> None:
    from detente.train.evaluate.articles.evaluation import write_errors  # noqa: PLC0415
    from detente.train.evaluate.articles.render import tables  # noqa: PLC0415

    for table in tables(evaluation):
        console.print(table)
    if errors:
        write_errors(evaluation, errors)


def _show(console: Console, whole: "Report") -> None:
    from detente.train.evaluate.render import swap_lines, written  # noqa: PLC0415

    if whole.swap:
        head, lines = swap_lines(whole)
        table = Table(*head, title=f"swap test, annotations {whole.swap_split}")
        for line in lines:
            table.add_row(*line)
        console.print(table)
    for one in whole.calibration:
        value, interval = written(one.ece)
        console.print(f"calibration error of {one.head}: {value} % ({interval}), {one.rows:,} rows", highlight=False)
    console.print(f"{whole.speed.sentences_per_s:,.0f} sentences a second by the engine alone", highlight=False)


def _keep(whole: "Report", folder: Path | None, tracking: str, experiment: str) -> None:
    from detente.train.evaluate.render import write  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        target = folder or Path(scratch)
        write(whole, target)
        if tracking:
            from detente.train.tracking.runs import log_report  # noqa: PLC0415  (imports mlflow)

            try:
                log_report(whole, target, tracking, experiment)
            except ValueError as error:
                raise Failure(f"MLflow: {error}") from error
    if folder:
        typer.echo(f"the report is in {folder / 'report.md'}")
