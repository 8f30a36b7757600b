"""`detente label` and `states`."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from detente.cli import options
from detente.cli.options import BadUsage, day, read_text

if TYPE_CHECKING:
    from detente.infer.label.labeler import Groups


def label(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A text in UTF-8; - for standard input.")] = "",
    date: Annotated[str, typer.Option(metavar="DATE", help="Date of the text, 2021-03-10.")] = "",
    title: Annotated[str, typer.Option(metavar="TEXT", help="Its title, where it isn't part of the text.")] = "",
    speaker: Annotated[
        str, typer.Option(metavar="CODE", help='The state whose statement it is: its "we" and "our".')
    ] = "",
    dyads: Annotated[str, typer.Option(help="Label exactly these: CHN-USA,JPN-USA.", metavar="DYADS")] = "",
    include_none: Annotated[bool, typer.Option("--all", help="Keep pairs without a relationship.")] = False,
    min_probability: Annotated[
        float, typer.Option(metavar="P", min=0, max=1, help="Leave out less sure readings.")
    ] = 0.0,
    no_groups: options.NoGroups = False,
    all_groups: options.AllGroups = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why: words that weigh, sentences like it.")] = False,
    model: Annotated[str, typer.Option(metavar="MODEL", help="A model folder or hub id, if not the shipped one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON line per reading.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Read JSON lines and write JSON lines, as they come.")] = False,
) -> None:
    """Label the relationships in a text, sentence by sentence.

    [bold]Examples[/bold]

      detente label article.txt --date 2021-03-10

      detente label article.txt --dyads CHN-USA,JPN-USA --json

      detente label article.txt --explain

      echo '{"id": "1", "text": "Japan thanked India."}' | detente label --jsonl

    With --jsonl a line is {"id", "text", "date"?, "title"?, "speaker"?, "dyads"?: [["CHN", "USA"]]}; a line
    that cannot be read is answered with {"id", "line", "error"}, and the rest goes on.
    """
    groups = options.which_groups(none=no_groups, every=all_groups)
    if jsonl:
        if date or title or speaker or dyads:
            raise BadUsage("with --jsonl, date, title, speaker and dyads stand in each line")
        _label_lines(file, model, include_none, min_probability, groups, explain)
        return
    if not file:
        raise BadUsage("give a FILE, - for a text on standard input, or --jsonl for JSON lines")
    from detente.infer.readings.document import Document, read_dyads  # noqa: PLC0415  (loads the tables)

    try:
        pairs = read_dyads([pair.strip() for pair in dyads.split(",")]) if dyads else None
    except ValueError as error:
        raise BadUsage(f"--dyads: {error}") from error
    text, at = read_text(file), day(date)
    try:
        document = Document.of(text, date=at, title=title, speaker=speaker, id="" if file == "-" else Path(file).stem)
    except ValueError as error:
        raise BadUsage(f"--{error}") from error
    document = replace(document, dyads=pairs)
    from detente.infer.label.labeler import load  # noqa: PLC0415  (loads the linker)

    detente = load(model or None)
    (readings,) = detente.label_many(
        [document], include_none=include_none, min_probability=min_probability, groups=groups, explain=explain
    )
    if json:
        import orjson  # noqa: PLC0415

        for reading in readings:
            sys.stdout.buffer.write(orjson.dumps(reading.to_dict(), option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
    elif readings:
        from detente.cli.terminal import show  # noqa: PLC0415
        from detente.data.gazetteer.gazetteer import tables  # noqa: PLC0415

        show(readings, Console(), tables().states, detente.scheme.tone)
    else:
        more = "" if include_none else "; --all shows the pairs of states without one"
        typer.echo(f"no relationship between two states found in {file}{more}")


def _label_lines(
    file: str, model: str, include_none: bool, min_probability: float, groups: "Groups", explain: bool
) -> None:
    from detente.infer.label.jsonl import label_lines  # noqa: PLC0415
    from detente.infer.label.labeler import load  # noqa: PLC0415

    detente = load(model or None)
    with sys.stdin.buffer if file in {"", "-"} else Path(file).open("rb") as source:
        lines, errors = label_lines(
            detente,
            source,
            sys.stdout.buffer,
            include_none=include_none,
            min_probability=min_probability,
            groups=groups,
            explain=explain,
        )
    if errors:
        typer.echo(f"detente: {errors} of {lines} lines could not be read; see their error records", err=True)


def states() -> None:
    """List the states and their codes.

    [bold]Example[/bold]

      detente states | grep Korea
    """
    from detente.data.gazetteer.gazetteer import tables  # noqa: PLC0415

    table = Table("code", "state", box=None, pad_edge=False)
    for code, name in sorted(tables().states.items()):
        table.add_row(code, name)
    Console().print(table)
