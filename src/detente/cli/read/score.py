"""`detente score`: a corpus of any size into a folder of readings."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich import progress as rich
from rich.console import Console

from detente.cli import options
from detente.cli.options import BadUsage, Failure
from detente.cli.read import spark

if TYPE_CHECKING:
    from detente.infer.score.score import Progress, Summary


def score(
    source: Annotated[str, typer.Argument(metavar="IN", help="A file or a folder; - for JSON lines as they come.")],
    target: Annotated[str, typer.Argument(metavar="OUT", help="Folder to write, or to go on with.")],
    text: options.Text = "",
    id_: options.Id = "",
    date: options.Date = "",
    title: options.Title = "",
    outlet: options.Outlet = "",
    speaker: options.Speaker = "",
    date_format: options.DateFormat = "",
    encoding: options.Encoding = "utf-8",
    input_format: options.InputFormat = "",
    output_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="Of the parts: parquet, jsonl or csv.")
    ] = "parquet",
    include_none: Annotated[bool, typer.Option("--all", help="Keep pairs without a relationship.")] = False,
    min_probability: Annotated[
        float, typer.Option(metavar="P", min=0, max=1, help="Leave out less sure readings.")
    ] = 0.0,
    no_groups: options.NoGroups = False,
    all_groups: options.AllGroups = False,
    model: Annotated[str, typer.Option(metavar="MODEL", help="A model folder or hub id, if not the shipped one.")] = "",
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Threads that label; one on each core by itself.")
    ] = None,
    batch_size: Annotated[
        int, typer.Option(metavar="N", min=1, help="Records labelled together at most; 16 batches are a part.")
    ] = 2000,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first record that can't be read.")] = False,
    engine: Annotated[
        str, typer.Option(metavar="ENGINE", help="local, or spark for a Spark cluster (extra `\\[spark]`).")
    ] = "local",
) -> None:
    """Label a corpus: JSON lines, CSV, TSV, Parquet or texts, .gz and .zst too, one file or a folder of them.

    [bold]Examples[/bold]

      detente score news.parquet readings

      detente score archive/ readings --text body --date published --workers 2

      zcat news.jsonl.gz | detente score - readings --format csv

      spark-submit --master yarn $(which detente) score hdfs:///news hdfs:///readings --from parquet --engine spark

    OUT gets one row per reading, part-*.parquet. A run that was stopped goes on where it was when the same command is
    given again. Records that can't be read are in _rejects.jsonl, with the reason and where they stand.
    """
    from detente.data.tables_io.columns import SourceError  # noqa: PLC0415
    from detente.data.tables_io.files import FORMATS  # noqa: PLC0415
    from detente.infer.readings.table import WRITERS  # noqa: PLC0415
    from detente.infer.score.output import OutputError  # noqa: PLC0415
    from detente.infer.score.score import score as run  # noqa: PLC0415  (imports pyarrow and the linker)

    for option, given, known in (("--from", input_format, FORMATS), ("--format", output_format, WRITERS)):
        if given and given not in known:
            raise BadUsage(f"{option}: {given!r} is none of {', '.join(known)}")
    columns = {"text": text, "id": id_, "date": date, "title": title, "source": outlet, "speaker": speaker}
    groups = options.which_groups(none=no_groups, every=all_groups)
    if engine not in ("local", "spark"):
        raise BadUsage(f"--engine: {engine!r} is neither local nor spark")
    if engine == "spark":
        if source == "-" or output_format == "csv" or encoding != "utf-8" or strict or workers:
            raise BadUsage("Spark reads no standard input and writes no CSV; --encoding, --strict, --workers are local")
        spark.score(
            source,
            # A local path must be whole: the workers stand elsewhere. An address (hdfs://) is left as it is.
            target if "://" in target else str(Path(target).resolve()),
            model=model,
            columns=columns,
            input_format=input_format,
            output_format=output_format,
            date_format=date_format,
            include_none=include_none,
            min_probability=min_probability,
            groups=groups,
        )
        return
    output = Path(target)
    with _Shown() as shown:
        try:
            summary = run(
                source,
                output,
                model=model or None,
                columns=columns,
                input_format=input_format,
                output_format=output_format,
                encoding=encoding,
                date_format=date_format,
                include_none=include_none,
                min_probability=min_probability,
                groups=groups,
                workers=workers,
                batch_size=batch_size,
                strict=strict,
                progress=shown.update,
            )
        except (OutputError, SourceError) as error:
            raise Failure(str(error)) from error
        except KeyboardInterrupt as error:
            raise Failure("stopped; give the same command again to go on") from error
    for line in _told(summary):
        typer.echo(line)


class _Shown:
    """Shows how far a run is: a bar in a terminal, elsewhere a line a minute."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = rich.Progress(
            rich.BarColumn(),
            rich.TaskProgressColumn(),
            rich.TextColumn("{task.description}"),
            rich.TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("opening", total=None)
        self._first: Progress | None = None
        self._began = self._told = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, now: "Progress") -> None:
        """Show where the run is."""
        first = self._first = self._first or now
        clock = time.monotonic()
        seconds = clock - self._began
        if first is now:
            self._began = clock
            self._bar.reset(self._task, total=now.size or None, completed=now.position)
            return
        records, size = now.totals.records - first.totals.records, now.position - first.position
        rate = f"{records / seconds:,.0f} documents/s"
        text = f"{now.totals.records:,} documents, {now.totals.readings:,} readings, {rate}"
        self._bar.update(self._task, completed=now.position, description=text)
        if self._bar.disable and clock - self._told >= 60:
            self._told = clock
            left = f"; {_time((now.size - now.position) * seconds / size)} left" if now.size and size else ""
            typer.echo(f"{text}{left}", err=True)


def _told(summary: "Summary") -> Iterator[str]:
    totals, new = summary.totals, summary.totals.records - summary.kept
    yield f"{_count(totals.readings, 'reading')} in {_count(totals.parts, 'part')} in {summary.output}"
    rate = f", {new / summary.seconds:,.0f} a second" if new > summary.seconds else ""
    kept = f"; {summary.kept:,} were there already" if summary.kept else ""
    yield f"{_count(new, 'record')} read in {_time(summary.seconds)}{rate}{kept}"
    if totals.rejected:
        rejects = summary.output / "_rejects.jsonl"
        yield f"{totals.rejected:,} of {_count(totals.records, 'record')} rejected; see {rejects}"
    if summary.passed_over:
        yield f"{_count(summary.passed_over, 'file')} of other kinds passed over"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
