"""`detente link`: which states a text speaks of, and how well the linker does on a marked set."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detente.cli.options import BadUsage, Failure, day, read_text


def link(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Text file in UTF-8; - for standard input.")] = "",
    date: Annotated[str, typer.Option(metavar="DATE", help="Date of the text, such as 2021-03-10.")] = "",
    title: Annotated[str, typer.Option(metavar="TEXT", help="Title, if the text doesn't include it.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON line per mention.")] = False,
    check: Annotated[
        Path | None, typer.Option(metavar="MARKED", help="Marked sentences to measure precision and recall on.")
    ] = None,
) -> None:
    """Show which states a text mentions, where, and by which rule.

    [bold]Examples[/bold]

      detente link article.txt --date 2021-03-10

      echo "Washington and Tokyo agreed." | detente link -

      detente link --check tests/infer/linking/marked.jsonl
    """
    if bool(file) == (check is not None):
        raise BadUsage("give a FILE (- for standard input), or --check MARKED")
    if check is not None:
        _check(check)
        return
    from detente.infer.linking.linker import linker  # noqa: PLC0415  (loads the tables)

    text = read_text(file)
    mentions = linker().link(text, date=day(date), title=title)
    if json:
        import orjson  # noqa: PLC0415

        for m in mentions:
            record = {"start": m.start, "end": m.end, "text": text[m.start : m.end], "state": m.state}
            typer.echo(orjson.dumps({**record, "how": m.how, "via": m.via}))
        return
    table = Table("start", "end", "text", "state", "how", "via", box=box.SIMPLE_HEAD, pad_edge=False)
    for m in mentions:
        words = Text(" ".join(text[m.start : m.end].split()), overflow="fold")
        table.add_row(str(m.start), str(m.end), words, Text(m.state, "bold"), m.how, Text(m.via, overflow="fold"))
    Console().print(table if mentions else f"no state is mentioned in {file}", markup=False)


def _check(file: Path) -> None:
    from detente.infer.linking import evaluation  # noqa: PLC0415

    try:
        report = evaluation.check(file)
    except ValueError as error:
        raise Failure(str(error)) from error
    for line in report.lines():
        typer.echo(line)
