"""`detente bench`: how fast a corpus is scored on this machine, and how fast without detente."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from detente.cli.options import Failure
from detente.cli.train.train import needs_extra

if TYPE_CHECKING:
    from detente.models.features import Item


def bench(
    source: Annotated[str, typer.Argument(metavar="IN", help="Corpus, as for `detente score`.")],
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Maximum number of records.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="JSON file for the figures.")] = None,
    baseline_limit: Annotated[
        int, typer.Option(metavar="N", min=0, help="Dyads to time transformers' pipeline on; 0 skips it.")
    ] = 1000,
    text: Annotated[str, typer.Option(metavar="COLUMN", help="Column with the text.")] = "",
    model: Annotated[str, typer.Option(metavar="MODEL", help="A model folder or hub id, if not the shipped one.")] = "",
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Worker threads (default: one per core).")
    ] = None,
) -> None:
    r"""Measure the speed of scoring a corpus, without keeping the readings.

    [bold]Examples[/bold]

      detente bench news.parquet

      detente bench archive/ --limit 5000 --json bench.json

    For comparison, transformers' pipeline("text-classification") reads a sample of the same sentences, once for each of
    --baseline-limit dyads, with the same encoder in fp32 and batch_size=8 (needs the extra `\[train]`).
    """
    if baseline_limit:
        needs_extra()
    from detente.data.tables_io.columns import SourceError  # noqa: PLC0415
    from detente.infer.score import benchmark as measuring  # noqa: PLC0415  (imports pyarrow and the linker)

    console = Console()
    with Console(stderr=True).status("scoring") as status:
        try:
            run = measuring.run(
                source,
                limit=limit,
                sample=baseline_limit,
                model=model or None,
                columns={"text": text},
                workers=workers,
            )
        except SourceError as error:
            raise Failure(str(error)) from error
        figures = run.to_dict()
        if run.tally.sample:
            status.update("reading the same sentences with transformers")
            rate = measuring.engine_rate(run.tally.sample, model or None)
            figures |= _beside(run.tally.sample, rate, figures["dyads_per_s"])
    _show(console, figures)
    if json:
        import orjson  # noqa: PLC0415

        json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _beside(sample: "list[Item]", engine_rate: float, dyads_per_s: float) -> dict[str, Any]:
    from detente.train.evaluate.hf_baseline import measure  # noqa: PLC0415  (imports torch)

    by_dyad = measure([item.text for item in sample for _ in item.pairs])
    by_sentence = measure([item.text for item in sample])
    return {
        "pipeline_dyads": by_dyad.inputs,
        "pipeline_dyads_per_s": by_dyad.inputs_per_s,
        "pipeline_sentences_per_s": by_sentence.inputs_per_s,
        "pipeline_threads": by_dyad.threads,
        "pipeline_ratio": dyads_per_s / by_dyad.inputs_per_s,
        "engine_sentences_per_s": engine_rate,
        "sentence_ratio": engine_rate / by_sentence.inputs_per_s,
    }


def _show(console: Console, figures: dict[str, Any]) -> None:
    table = Table("", "", box=None, pad_edge=False, show_header=False)
    table.columns[1].justify = "right"
    for name, key, unit in (
        ("documents", "documents_per_s", "/s"),
        ("text", "mb_per_s", "MB/s"),
        ("sentences", "sentences_per_s", "/s"),
        ("sentences with a dyad", "encoded_sentences_per_s", "/s"),
        ("dyads", "dyads_per_s", "/s"),
        ("dyads, transformers' pipeline", "pipeline_dyads_per_s", "/s"),
        ("sentences with a dyad, the engine alone", "engine_sentences_per_s", "/s"),
        ("sentences, transformers' pipeline", "pipeline_sentences_per_s", "/s"),
        ("the run against the pipeline, per dyad", "pipeline_ratio", "times"),
        ("the engine against the pipeline, per sentence", "sentence_ratio", "times"),
        ("peak memory", "peak_rss_mb", "MB"),
    ):
        if key in figures:
            table.add_row(name, f"{figures[key]:,.1f} {unit}")
    for stage, share in figures["stages"].items():
        table.add_row(f"time in {stage}", f"{share:.1%}")
    read = f"{figures['documents']:,} documents, {figures['mb']:,.1f} MB, {figures['dyads']:,} dyads"
    console.print(f"{read} in {figures['seconds']:,.1f} s")
    console.print(table)
