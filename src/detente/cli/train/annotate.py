"""`detente sample` and `import`: sentences to coders, and what they gave back."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import progress as rich
from rich.console import Console

from detente.cli import options
from detente.cli.options import BadUsage, Failure

if TYPE_CHECKING:
    from detente.data.annotation.label_studio import Task
    from detente.data.annotation.label_table import Labelled
    from detente.data.codebook.label_schema import Scheme
    from detente.train.sampling.tasks import Design

#: Rows that a message lists.
LISTED = 20

Codebook = Annotated[Path, typer.Option(metavar="YAML", help="Codebook: variables and their labels.")]
Encoding = Annotated[str, typer.Option(help="Encoding of a CSV that is neither UTF-8, UTF-16 nor cp1252.")]


def sample(
    corpus: Annotated[str, typer.Argument(metavar="CORPUS", help="File or folder, as for `detente score`.")],
    codebook: Codebook,
    number: Annotated[int, typer.Option("-n", "--number", metavar="N", min=1, help="Number of sentences.")] = 300,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Task file, .json; an interface and a CSV are written beside it.")
    ] = Path("tasks.json"),
    test: Annotated[
        float, typer.Option(metavar="PART", min=0, max=1, help="Fraction drawn at random, as an unbiased test set.")
    ] = 0.3,
    dyads: Annotated[str, typer.Option(metavar="DYADS", help="Dyads to draw from: CHN-USA,JPN-USA.")] = "",
    model: Annotated[
        str,
        typer.Option(metavar="MODEL", help="Model whose uncertainty guides the choice, if not the shipped one."),
    ] = "",
    pool: Annotated[int, typer.Option(metavar="N", min=1, help="Size of the random pool to choose from.")] = 10_000,
    predictions: Annotated[bool, typer.Option(help="Show coders the model's label, except in the random part.")] = True,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0,
    text: options.Text = "",
    id_: options.Id = "",
    date: options.Date = "",
    title: options.Title = "",
    outlet: options.Outlet = "",
    date_format: options.DateFormat = "",
    encoding: options.Encoding = "utf-8",
    input_format: options.InputFormat = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """Draw sentences worth labelling from a corpus, as Label Studio tasks and as a spreadsheet.

    [bold]Examples[/bold]

      detente sample news.parquet --codebook my.yaml -n 300 --out tasks.json

      detente sample news.parquet --codebook my.yaml -n 100 --model my-model --seed 2 --out second.json

    Writes tasks.json (to import), tasks.xml (to paste as the labelling interface), tasks.csv (for coders who use a
    spreadsheet instead) and tasks.sample.json (how the sample was drawn). By default, three in ten sentences are drawn
    at random and marked `test`; the others are those the model is least sure of, varied in wording, label, dyad and
    year.
    """
    if out.suffix != ".json":
        raise BadUsage(f"--out: {out} must end in .json; the other files are named after it")
    files = {ending: out.with_suffix(ending) for ending in (".json", ".xml", ".csv", ".sample.json")}
    if not force and (there := [str(file) for file in files.values() if file.exists()]):
        raise Failure(f"{', '.join(there)} is there, perhaps with labels; give another --out, or --force")
    scheme = read_codebook(codebook)
    if find_spec("sklearn") is None:
        raise Failure("scikit-learn isn't installed; choosing sentences needs: pip install 'detente[train]'")
    from detente.data.annotation.label_studio import page  # noqa: PLC0415
    from detente.data.tables_io.columns import Columns, SourceError  # noqa: PLC0415
    from detente.infer.corpus.reader import Corpus  # noqa: PLC0415
    from detente.infer.label.labeler import load  # noqa: PLC0415
    from detente.infer.readings.document import read_dyads  # noqa: PLC0415
    from detente.train.sampling.tasks import sample as draw  # noqa: PLC0415  (imports scikit-learn)

    try:
        interface = page(scheme)
    except ValueError as error:
        raise Failure(f"{codebook}: {error}") from error
    try:
        wanted = frozenset(read_dyads([pair.strip() for pair in dyads.split(",")])) if dyads else frozenset()
    except ValueError as error:
        raise BadUsage(f"--dyads: {error}") from error
    try:
        source = Corpus(
            corpus,
            columns=Columns(text, id_, date, title, outlet),
            form=input_format,
            encoding=encoding,
            date_form=date_format,
        )
        with _Bar(source.found.size) as bar:
            tasks, design = draw(
                source,
                load(model or None),
                scheme,
                number=number,
                test=test,
                dyads=wanted,
                size=pool,
                predictions=predictions,
                seed=seed,
                progress=bar.update,
            )
    except SourceError as error:
        raise Failure(str(error)) from error
    _write(tasks, design, interface, scheme, files)
    for line in _drawn(tasks, design, scheme, number, predictions):
        typer.echo(line)


def _write(tasks: Sequence["Task"], design: "Design", interface: str, scheme: "Scheme", files: dict[str, Path]) -> None:
    import orjson  # noqa: PLC0415

    from detente._files import write_whole  # noqa: PLC0415
    from detente.data.annotation.label_table import COLUMNS, guarded, write_csv  # noqa: PLC0415

    names = [variable.name for variable in scheme.variables]
    write_csv(
        files[".csv"],
        [*COLUMNS, *names],
        [
            [*map(guarded, (t.unit, t.document, t.sentence, t.dyad, t.date, t.part)), "", *("" for _ in names)]
            for t in tasks
        ],
    )
    write_whole(files[".xml"], interface.encode())
    write_whole(files[".sample.json"], orjson.dumps(design.to_dict(), option=orjson.OPT_INDENT_2))
    write_whole(files[".json"], orjson.dumps([task.to_dict() for task in tasks], option=orjson.OPT_INDENT_2))
    typer.echo(
        f"tasks in {files['.json']}, their labelling interface in {files['.xml']}, a spreadsheet in {files['.csv']}"
    )


def _drawn(
    tasks: Sequence["Task"], design: "Design", scheme: "Scheme", number: int, predictions: bool
) -> Iterable[str]:
    yield (
        f"{design.test:,} drawn at random of {design.population:,} sentences with a dyad, {design.train:,} chosen of "
        f"{design.pool - design.test:,} that {design.model} read"
    )
    if len(tasks) < number:
        yield f"{number:,} were asked for; the corpus has no more that differ"
    if predictions and design.train and not any(task.predictions for task in tasks):
        names = ", ".join(variable.name for variable in scheme.variables)
        yield f"no pre-annotations: {names} isn't what the model reads; `detente train --labels` makes one that does"
    if design.rejected:
        yield f"{design.rejected:,} of {design.records:,} records can't be read"


def import_(
    exports: Annotated[list[Path], typer.Argument(metavar="EXPORT...", help="Exports: JSON, JSON-MIN, CSV or TSV.")],
    codebook: Codebook,
    out: Annotated[Path, typer.Option(metavar="CSV", help="Output table.")] = Path("labels.csv"),
    encoding: Encoding = "",
) -> None:
    """Read coders' labels, from Label Studio exports or spreadsheets, into one table.

    [bold]Examples[/bold]

      detente import project-1.json --codebook my.yaml --out labels.csv

      detente import anna.csv ben.csv --codebook my.yaml

    The table has one row per coder and sentence: id, document, sentence, dyad, date, part, coder, and one column per
    variable. If a spreadsheet has no coder column, its file name is used.
    """
    from detente.data.annotation.label_studio_import import read_exports  # noqa: PLC0415
    from detente.data.annotation.label_table import conflicts, write_labels  # noqa: PLC0415
    from detente.data.annotation.spreadsheets import LabelsError  # noqa: PLC0415
    from detente.infer.linking.absent_states import absent  # noqa: PLC0415

    scheme = read_codebook(codebook)
    if any(out.resolve() == export.resolve() for export in exports):
        raise BadUsage(f"--out: {out} is one of the exports; give another name")
    try:
        found = read_exports(exports, scheme, encoding=encoding)
    except LabelsError as error:
        raise Failure(str(error)) from error
    write_labels(found.rows, out, scheme)
    units, coders = {row.unit for row in found.rows}, {row.coder for row in found.rows}
    typer.echo(
        f"{len(found.rows):,} rows in {out}: {len(units):,} sentences and dyads, coders: {', '.join(sorted(coders))}"
    )
    for number, what in (
        (found.skipped, "annotations that were skipped are left out"),
        (found.unlabelled, "tasks or rows that nobody has labelled are left out"),
        (found.partial, "rows lack a label of a variable"),
        (sum(found.strangers.values()), f"answers to other questions are left out: {', '.join(found.strangers)}"),
    ):
        if number:
            typer.echo(f"{number:,} {what}", err=True)
    _list(
        [f"{row.where}: {row.dyad} isn't in: {row.sentence[:80]}" for row in absent(found.rows)],
        "whose states weren't found",
    )
    _list(
        [
            f"{a.where} and {b.where}: {a.labels[name]} or {b.labels[name]}: {a.sentence[:80]}"
            for a, b, name in conflicts(found.rows)
        ],
        "that one coder labelled twice, differently",
    )


def _list(lines: Sequence[str], what: str) -> None:
    if lines:
        typer.echo(f"{len(lines):,} {what}:", err=True)
        for line in lines[:LISTED]:
            typer.echo(f"  {line}", err=True)
        if len(lines) > LISTED:
            typer.echo(f"  and {len(lines) - LISTED:,} more", err=True)


def read_codebook(file: Path) -> "Scheme":
    """Read a codebook.

    Raises:
        Failure: it can't be read, or what reads it isn't installed.
    """
    if find_spec("yaml") is None:
        raise Failure("PyYAML isn't installed; reading a codebook needs: pip install 'detente[train]'")
    from detente.data.codebook.label_schema import read_scheme  # noqa: PLC0415

    try:
        return read_scheme(file)
    except ValueError as error:
        raise Failure(str(error)) from error


class _Bar:
    """Shows how far a corpus was read, in a terminal."""

    def __init__(self, size: int) -> None:
        console = Console(stderr=True)
        self._bar = rich.Progress(
            rich.BarColumn(),
            rich.TaskProgressColumn(),
            rich.TextColumn("{task.description}"),
            rich.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._size = size
        self._task = self._bar.add_task("opening", total=size or None)

    def __enter__(self) -> "_Bar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, position: int, units: int) -> None:
        """Show where the run is."""
        self._bar.update(self._task, completed=position, description=f"{units:,} sentences with a dyad")


def listed(rows: Sequence["Labelled"], most: int = 3) -> str:
    """Name a few rows in one line."""
    names = "; ".join(f"{row.where} {row.dyad} {row.sentence[:60]!r}" for row in rows[:most])
    return f"{names}; and {len(rows) - most:,} more" if len(rows) > most else names
