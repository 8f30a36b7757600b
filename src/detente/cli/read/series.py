"""`detente series`: how warm dyads were over time, as a table and as charts."""

from collections.abc import Iterable
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detente.cli.options import BadUsage, Failure, NoGroups
from detente.cli.terminal import bar

if TYPE_CHECKING:
    import pandas as pd

#: Dyads of a table or chart for which none are named.
TOP: Final = 4


def series(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder that `detente score` wrote.")],
    dyads: Annotated[
        str, typer.Option(metavar="DYADS", help="These: CHN-USA,JPN-USA. Else those with the most sentences (--top).")
    ] = "",
    top: Annotated[int, typer.Option(metavar="N", min=1, help="How many dyads, where none are named.")] = TOP,
    period: Annotated[str, typer.Option(metavar="PERIOD", help="day, week, month, quarter or year.")] = "month",
    since: Annotated[str, typer.Option(metavar="DATE", help="From this day, month or year on.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Up to and with this day, month or year.")] = "",
    sources: Annotated[str, typer.Option(metavar="NAMES", help="Only these sources, separated by commas.")] = "",
    min_probability: Annotated[
        float, typer.Option(metavar="P", min=0, max=1, help="Leave out less sure readings.")
    ] = 0.0,
    no_groups: NoGroups = False,
    source_cap: Annotated[
        float,
        typer.Option(metavar="PART", min=0, max=1, help="The most one source may weigh in a period; 0: all the same."),
    ] = 1.0,
    smooth: Annotated[int, typer.Option(metavar="N", help="Smooth over N periods, an odd number.")] = 1,
    label: Annotated[str, typer.Option(metavar="LABEL", help="The share of this label in place of warmth.")] = "",
    plot: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Draw it: .png, .svg, .pdf or .html; may be repeated.")
    ] = None,
    events: Annotated[Path | None, typer.Option(metavar="CSV", help="Events to mark on it: date,label[,dyad].")] = None,
    audit: Annotated[
        Path | None, typer.Option(metavar="JSON", help="Correct it by what `detente audit --json` wrote.")
    ] = None,
    title: Annotated[str, typer.Option(metavar="TEXT", help="Title of the chart.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Print every column as CSV.")] = False,
) -> None:
    """Show how warm dyads were over time: mean warmth with its 95 % interval, how much text, which tones.

    [bold]Examples[/bold]

      detente series scored --dyads CHN-USA,JPN-USA --since 2021

      detente series scored --dyads CHN-USA --period quarter --csv > china.csv

      detente series scored --dyads CHN-USA,JPN-USA --smooth 3 --plot chart.png --plot chart.html --events events.csv

    A period of fewer than 5 documents is thin: ~ in the table, hollow and dotted on the chart.
    """
    if events and not plot:
        raise BadUsage("--events are marked on a chart; name it with --plot FILE")
    try:
        from detente.infer.series import series as of  # noqa: PLC0415  (imports pandas)

        if period not in of.PERIODS:
            raise BadUsage(f"--period {period!r} is none of {', '.join(of.PERIODS)}")
        frame = of.series(
            out,
            period=period,
            dyads=_names(dyads) or None,
            sources=_names(sources) or None,
            since=since or None,
            until=until or None,
            min_probability=min_probability,
            groups=not no_groups,
            source_cap=source_cap,
            smooth=smooth,
            label=label,
        )
        frame = frame if dyads else _most_read(frame, top)
        if audit:
            from detente.infer.series.correction import correct, read_audit  # noqa: PLC0415

            frame = correct(frame, read_audit(audit))
        for file in plot or ():
            from detente.infer.chart.static import plot as draw  # noqa: PLC0415  (imports matplotlib)

            draw(frame, file, events=events or (), title=title)
            typer.echo(f"the chart is in {file}", err=True)
    except (ValueError, ModuleNotFoundError) as error:
        raise Failure(str(error)) from error
    if csv:
        typer.echo(frame.to_csv(index=False, float_format="%.6g"), nl=False)
    else:
        _show(frame, Console())


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _most_read(frame: "pd.DataFrame", top: int) -> "pd.DataFrame":
    counts = frame.groupby("dyad")["sentences"].sum()
    chosen = frame[frame["dyad"].isin(counts.nlargest(top).index)].reset_index(drop=True)
    chosen.attrs = frame.attrs
    return chosen


def _show(frame: "pd.DataFrame", console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    attrs, corrected = frame.attrs, "corrected" in frame
    value = "corrected" if corrected else f"share of {attrs['label']}" if attrs["label"] else "warmth"
    most = 1.0 if attrs["label"] else max(map(abs, attrs["scores"].values()), default=1.0)
    for heading in ("dyad", "period", value, "95 % interval", "sentences", "docs"):
        table.add_column(heading, no_wrap=True, justify="right" if heading in {"sentences", "docs"} else "left")
    before = ""
    for row in frame.to_dict("records"):
        if before and row["dyad"] != before:
            table.add_section()
        warmth, low, high = (
            row[f"corrected{end}"] if corrected else row[end.removeprefix("_") or "warmth"]
            for end in ("", "_low", "_high")
        )
        interval = f"{low:+.2f} to {high:+.2f}" if not isnan(low) else "one document"
        if isnan(warmth):
            interval = "no scores: --label"
        table.add_row(
            Text(row["dyad"] if row["dyad"] != before else "", "bold"),
            f"{row['period']:%Y-%m-%d}",
            bar(None if isnan(warmth) else warmth, most or 1.0),
            Text(interval, "dim" if row["thin"] else ""),
            f"{row['sentences']:,}",
            f"{'~' if row['thin'] else ''}{row['documents']:,}",
        )
        before = row["dyad"]
    console.print(table)
    undated = frame.attrs["undated"]
    lines: Iterable[str] = (
        f"{frame['sentences'].sum():,} sentences in {len(frame):,} rows",
        f"left out: {undated:,} readings without a date that names a {frame.attrs['period']}" if undated else "",
        "~ thin: fewer than 5 documents" if frame["thin"].any() else "",
        f"corrected by an audit of {frame.attrs['audit']:,} labelled sentences" if corrected else "",
    )
    for line in filter(None, lines):
        console.print(line, highlight=False)
