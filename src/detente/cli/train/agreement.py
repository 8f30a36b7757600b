"""`detente agreement`: how far coders agree, and where they don't."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detente.cli.options import Failure
from detente.cli.train.annotate import LISTED, Encoding, read_codebook

if TYPE_CHECKING:
    from detente._statistics import Estimate
    from detente.data.annotation.agreement import Agreement, Pair


def agreement(
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="Table written by `detente import`.")],
    codebook: Annotated[
        Path | None, typer.Option(metavar="YAML", help="Codebook; without it, labels have no order.")
    ] = None,
    variable: Annotated[str, typer.Option(metavar="NAME", help="Variable to measure (default: all).")] = "",
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV file for the sentences that coders disagree on.")
    ] = None,
    encoding: Encoding = "",
) -> None:
    """Measure the agreement of coders, and list their disagreements.

    [bold]Example[/bold]

      detente agreement labels.csv --codebook my.yaml --csv differences.csv

    Prints Krippendorff's alpha over all coders (nominal, and ordinal where the codebook says so), Cohen's kappa and a
    confusion matrix for each pair of coders, and 95 % intervals, resampled over sentences.
    """
    from detente.data.annotation.agreement import agreement as measure  # noqa: PLC0415
    from detente.data.annotation.label_table import read_labels  # noqa: PLC0415
    from detente.data.annotation.spreadsheets import LabelsError  # noqa: PLC0415
    from detente.data.codebook.label_schema import Variable  # noqa: PLC0415

    scheme = read_codebook(codebook) if codebook else None
    try:
        rows, names = read_labels(labels, scheme, variable=variable, encoding=encoding)
        if scheme is not None:
            variables = [v for v in scheme.variables if v.name in names]
        else:
            variables = []
            for name in names:
                seen = tuple(sorted({row.labels[name] for row in rows if name in row.labels}))
                if len(seen) < 2:
                    raise LabelsError(
                        f"{labels}: {name} has {len(seen)} label{'' if len(seen) == 1 else 's'} ({', '.join(seen)}); "
                        f"agreement needs two"
                    )
                variables.append(Variable(name=name, kind="nominal", labels=seen))
        results = [measure(rows, v) for v in variables]
    except ValueError as error:
        raise Failure(str(error)) from error
    console = Console()
    for result in results:
        _agreed(result, console)
    if csv:
        _differences(results, csv)
        typer.echo(f"the sentences they differ on are in {csv}", err=True)


def _agreed(result: "Agreement", console: Console) -> None:
    variable = result.variable
    console.print(
        f"[bold]{variable.name}[/bold]: {result.units:,} sentences labelled by two coders or more", highlight=False
    )
    for name, estimate in (("nominal", result.nominal), ("ordinal", result.ordinal)):
        if estimate is not None:
            console.print(f"Krippendorff's alpha, {name}: {told(estimate)}", highlight=False)
    for number, what in (
        (result.single, "labelled by one coder only"),
        (result.repeated, "labelled twice by one coder; the last counts"),
    ):
        if number:
            console.print(f"{number:,} {what}", highlight=False)
    for pair in result.pairs:
        console.print(_pair(pair, variable.labels))
    table = Table("dyad", "sentence", "said", title="they differ on", box=box.SIMPLE_HEAD, title_justify="left")
    for difference in result.differences[:LISTED]:
        said = "\n".join(f"{coder}: {label}" for coder, label in difference.said.items())
        table.add_row(Text(difference.row.dyad), Text(difference.row.sentence), Text(said))
    if result.differences:
        console.print(table)
    if (more := len(result.differences) - LISTED) > 0:
        console.print(f"and {more:,} more; --csv FILE lists all", highlight=False)


def _pair(pair: "Pair", labels: Sequence[str]) -> Table:
    weighted = f", weighted {told(pair.weighted)}" if pair.weighted else ""
    title = (
        f"{pair.first} (rows) and {pair.second}: {pair.units:,} sentences, {pair.same:.0%} alike, "
        f"Cohen's kappa {told(pair.kappa)}{weighted}"
    )
    table = Table("", title=Text(title), box=box.SIMPLE_HEAD, title_justify="left")
    for label in labels:
        table.add_column(Text(label), justify="right")
    for label, counts in zip(labels, pair.confusion.tolist(), strict=True):
        table.add_row(Text(label), *(str(count) if count else "·" for count in counts))
    return table


def _differences(results: Sequence["Agreement"], file: Path) -> None:
    from detente.data.annotation.label_table import COLUMNS, guarded, write_csv  # noqa: PLC0415

    coders = sorted({coder for result in results for coder in result.coders})
    write_csv(
        file,
        [*(name for name in COLUMNS if name != "coder"), "variable", *map(guarded, coders)],
        [
            [
                *(guarded(getattr(d.row, name)) for name in COLUMNS if name != "coder"),
                result.variable.name,
                *(d.said.get(coder, "") for coder in coders),
            ]
            for result in results
            for d in result.differences
        ],
    )


def told(estimate: "Estimate") -> str:
    """Write a figure with its interval."""
    if math.isnan(estimate.value):
        return "not defined: there is one label only"
    if math.isnan(estimate.low):
        return f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"
