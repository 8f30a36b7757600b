"""`detente corpora`: what there is to train and measure on."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from detente.data.corpora.load import Summary


def corpora(
    fetch: Annotated[str, typer.Option(metavar="NAME", help="Public corpus to download and check by SHA-256.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print as JSON, with label counts.")] = False,
) -> None:
    """List the corpora: description, files on disk, licence, size and rows.

    [bold]Examples[/bold]

      detente corpora

      detente corpora --fetch plv
    """
    from detente.data.corpora import load as corpora  # noqa: PLC0415  (imports pyarrow and pooch)

    if fetch:
        for path in corpora.fetch(fetch):
            typer.echo(path)
        return
    summaries = list(corpora.summary())
    if json:
        import orjson  # noqa: PLC0415

        typer.echo(orjson.dumps(summaries, default=str, option=orjson.OPT_INDENT_2))
        return
    table = Table(box=box.HORIZONTALS, show_lines=True, expand=True, pad_edge=False)
    table.add_column("corpus", style="bold", no_wrap=True)
    table.add_column("what", ratio=2, overflow="fold")
    table.add_column("rows on disk", ratio=2, overflow="fold")
    table.add_column("licence", ratio=1, overflow="fold")
    for summary in summaries:
        rows = ", ".join(f"{split} {count:,}" for split, count in summary.rows.items())
        size = f"{rows} ({summary.size / 1e6:.1f} MB)" if rows else ""
        missing = f"not on disk: {', '.join(summary.missing)}" if summary.missing else ""
        problems = f"{len(summary.problems)} rows with a problem" if summary.problems else ""
        disk = "\n".join(part for part in (size, _labels(summary), missing, problems) if part)
        table.add_row(summary.entry.name, Text(summary.entry.what), Text(disk), Text(summary.entry.licence))
    Console().print(table)
    console = Console(stderr=True)
    for summary in summaries:
        for problem in summary.problems:
            console.print(str(problem), markup=False, highlight=False, soft_wrap=True)


def _labels(summary: "Summary") -> str:
    """Say how often each value of a corpus' chief label stands in its training split."""
    counts = summary.labels.get("train", {})
    chief = next((counts[label] for label in ("tone", "quad", "sentiment", "polarity") if label in counts), {})
    return ", ".join(f"{value} {count:,}" for value, count in chief.items())
