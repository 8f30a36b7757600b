"""Draw series as a static chart (PNG, SVG or PDF), or as an interactive page (`.html`)."""

import os
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from detente._optional import MissingExtra
from detente.infer.chart import common
from detente.infer.chart.common import Event, Style

try:
    import pandas as pd
    from matplotlib import style as looks
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator
except ModuleNotFoundError as error:
    raise MissingExtra(error, "plot") from error

#: File extensions of static charts.
PRINT: Final = (".png", ".svg", ".pdf")

_INK, _FAINT, _GRID = "#222222", "#6b6b6b", "#e4e4e4"

_LOOKS: Final = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Source Sans 3", "Helvetica Neue", "Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 8,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _FAINT,
    "axes.linewidth": 0.6,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "svg.fonttype": "none",  # keep text searchable and in the viewer's font
    "svg.hashsalt": "detente",  # reproducible files
    "pdf.fonttype": 42,
}

# Heights in inches, from the top.
_TITLE, _LEGEND, _LANE, _MAIN, _GAP, _STRIP, _TICKS, _LINE = 0.3, 0.24, 0.14, 2.7, 0.1, 0.5, 0.38, 0.12
_LEFT, _RIGHT = 0.62, 0.98  # the right margin has the names of the tones


def plot(
    frame: pd.DataFrame,
    file: str | os.PathLike[str],
    *,
    events: Iterable[Event] | str | os.PathLike[str] = (),
    title: str = "",
    width: float = 7.2,
) -> None:
    """Draw what `detente.series` returned, up to six dyads.

    Args:
        frame: output of `detente.series`.
        file: output file; `.png`, `.svg`, `.pdf`, or `.html` for a self-contained interactive page.
        events: events to mark, or a CSV file of them (`date,label[,dyad]`); other times and dyads are left out.
        title: title above the chart; in a paper, use the caption instead.
        width: width in inches; two columns of a journal are about 7. The font size is 6 to 8 points.

    Raises:
        ValueError: the file's ending is unknown, there are too many dyads, or the events can't be read.
        MissingExtra: matplotlib, or vl-convert for `.html`, isn't installed.
    """
    path = Path(file)
    frame = frame.reset_index(drop=True)
    listed = common.read_events(events) if isinstance(events, str | os.PathLike) else list(events)
    if path.suffix == ".html":
        from detente.infer.chart.vega import page  # noqa: PLC0415  (static charts don't need its library)

        path.write_text(page(frame, events=listed, title=title), "utf-8")
        return
    if path.suffix not in PRINT:
        raise ValueError(f"{path}: a chart's name ends in {', '.join(PRINT)} or .html")
    with looks.context(_LOOKS):
        metadata = {"Date": None} if path.suffix == ".svg" else {"CreationDate": None} if path.suffix == ".pdf" else {}
        draw(frame, events=listed, title=title, width=width).savefig(path, dpi=300, metadata=metadata)


def draw(frame: pd.DataFrame, *, events: Sequence[Event] = (), title: str = "", width: float = 7.2) -> Figure:
    """Return the figure of a static chart; arguments as for `plot`."""
    with looks.context(_LOOKS):
        styles = common.styles(frame)
        listed = common.visible_events(events, frame)
        figure = Figure(figsize=(width, 1))
        FigureCanvasAgg(figure)
        begin, end = common.limits(frame)
        places = [(pd.Timestamp(event.date) - begin) / (end - begin) for event in listed]
        label_widths = _widths(figure, [event.label for event in listed], 6.5)
        overhang = [place * (width - _LEFT - _RIGHT) + w for place, w in zip(places, label_widths, strict=True)]
        right = max([_RIGHT, *(_RIGHT + extent - (width - _LEFT) for extent in overhang)])
        lanes = common.lanes([place * (width - _LEFT - right) for place in places], label_widths)
        note = textwrap.wrap(common.note(frame), int((width - _LEFT) * 21))
        names = [common.name(dyad) for dyad in styles]
        columns = max(1, min(len(names), int((width - _LEFT) / (max(_widths(figure, names, 8)) + 0.7))))
        legend = _LEGEND + 0.16 * (-(-len(names) // columns) - 1)
        top = (_TITLE if title else 0.04) + legend + _LANE * (1 + max(lanes, default=-1)) + 0.12
        height = top + _MAIN + _GAP + _STRIP + _TICKS + _LINE * len(note) + 0.06
        figure.set_figheight(height)

        def box(above: float, tall: float) -> tuple[float, float, float, float]:
            return _LEFT / width, 1 - (above + tall) / height, 1 - (_LEFT + right) / width, tall / height

        main = figure.add_axes(box(top, _MAIN))
        strip = figure.add_axes(box(top + _MAIN + _GAP, _STRIP), sharex=main)
        for dyad, style in styles.items():
            rows = frame[frame["dyad"] == dyad]
            _curve(main, rows, style)
            _counts(strip, rows, style, fill=len(styles) == 1)
        _axes(main, strip, frame, begin, end)
        _events(main, strip, listed, lanes, styles)
        handles = [_handle(style, name) for style, name in zip(styles.values(), names, strict=True)]
        figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(_LEFT / width, 1 - (_TITLE if title else 0.04) / height),
            ncols=columns,
            frameon=False,
            borderaxespad=0,
            borderpad=0.2,
            handlelength=3.2,
            columnspacing=2,
        )
        if title:
            figure.text(_LEFT / width, 1 - 0.08 / height, title, weight="bold", size=10, va="top")
        figure.text(_LEFT / width, 0.06 / height, "\n".join(note), size=6, color=_FAINT, va="bottom", linespacing=1.35)
        return figure


def _curve(axes: Axes, rows: pd.DataFrame, style: Style) -> None:
    line, low, high, _ = (rows[column].to_numpy() for column in common.curve(rows))
    dates = date2num(common.middle(rows))
    for faint, run in common.runs(rows):
        if faint:
            axes.plot(dates[run], line[run], color=style.colour, lw=0.9, ls=(0, (1, 1.8)), alpha=0.8)
            continue
        axes.plot(dates[run], line[run], color=style.colour, lw=1.5, ls=(0, style.dashes) if style.dashes else "-")
        axes.fill_between(dates[run], low[run], high[run], color=style.colour, alpha=0.14, lw=0)
    alone = common.alone(rows).to_numpy()
    axes.vlines(dates[alone], low[alone], high[alone], color=style.colour, alpha=0.3, lw=2.5)
    size, edge = (2.6, 0.6) if len(rows) > 40 else (3.8, 0.9)
    for hollow, face, order in ((False, style.colour, 4), (True, "white", 3)):
        selected = (rows["thin"] == hollow).to_numpy()
        axes.plot(
            dates[selected], rows["warmth"][selected], style.marker, color=style.colour, mfc=face, ms=size, mew=edge,
            alpha=0.55 if {"smooth", "corrected"} & {*rows} else 1, zorder=order,
        )  # fmt: skip


def _counts(axes: Axes, rows: pd.DataFrame, style: Style, fill: bool) -> None:
    """Draw the number of documents per period; the line breaks at missing periods."""
    documents = rows["documents"].to_numpy()
    begin, end = date2num(rows["period"]), date2num(rows["period"] + common.length(rows))
    if fill:
        axes.bar(begin, documents, end - begin, align="edge", color=style.colour, alpha=0.2, lw=0)
    for _, run in common.runs(rows):
        axes.stairs(documents[run], [*begin[run], end[run][-1]], baseline=None, color=style.colour, lw=0.9)
    axes.hlines(documents, begin, end, color=style.colour, lw=0.9)


def _axes(main: Axes, strip: Axes, frame: pd.DataFrame, begin: pd.Timestamp, end: pd.Timestamp) -> None:
    low, high = common.domain(frame)
    main.set(xlim=date2num([begin, end]), ylim=(low, high), ylabel=common.measure(frame))
    main.yaxis.set_major_formatter(lambda y, _: f"{y:.0%}" if frame.attrs["label"] else common.signed(y))
    main.axhline(0, color=_FAINT, lw=0.7, zorder=1)
    main.grid(axis="y", color=_GRID, lw=0.6)
    main.set_axisbelow(True)
    for tone, warmth in common.ticks(frame).items():
        if low <= warmth <= high:
            main.annotate(
                tone, (1, warmth), (5, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                va="center", size=6.5, style="italic", color=_FAINT, annotation_clip=False,
            )  # fmt: skip
            tick = Line2D([1, 1.006], [warmth] * 2, color=_FAINT, lw=0.6, clip_on=False)
            main.add_line(tick)
            tick.set_transform(main.get_yaxis_transform())
    locator = AutoDateLocator(minticks=4, maxticks=9)
    strip.xaxis.set_major_locator(locator)
    strip.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    strip.xaxis.get_offset_text().set(size=7)  # the year, if the ticks don't show it
    strip.set_ylabel("docs.", labelpad=8)
    strip.set_ylim(0, frame["documents"].max() * 1.12)
    strip.yaxis.set_major_locator(MaxNLocator(nbins=2, integer=True))
    main.tick_params(axis="x", length=0, labelbottom=False)
    for axes in (main, strip):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7)
    main.spines["bottom"].set_visible(False)


def _widths(figure: Figure, labels: Sequence[str], size: float) -> list[float]:
    """Return the widths of labels in inches, with padding."""
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]  # Agg's
    texts = [figure.text(0, 0, label, size=size) for label in labels]
    widths = [text.get_window_extent(renderer).width / figure.dpi + 0.1 for text in texts]
    for text in texts:
        text.remove()
    return widths


def _events(main: Axes, strip: Axes, events: Sequence[Event], lanes: Sequence[int], styles: dict[str, Style]) -> None:
    for event, lane in zip(events, lanes, strict=True):
        date = date2num(event.date)
        colour = styles[event.dyad].colour if event.dyad else _FAINT
        for axes in (main, strip):
            axes.axvline(date, color=colour, lw=0.6, alpha=0.45, zorder=1.5)
        height = 1 + (_LANE * lane + 0.1) / _MAIN
        stem = Line2D([date, date], [1, height + 0.08 / _MAIN], color=colour, lw=0.6, alpha=0.7, clip_on=False)
        main.add_line(stem)
        stem.set_transform(main.get_xaxis_transform())
        main.annotate(
            event.label, (date, height), (2.5, 0), xycoords=("data", "axes fraction"), textcoords="offset points",
            size=6.5, color=colour, annotation_clip=False, bbox={"fc": "white", "lw": 0, "pad": 0.6},
        )  # fmt: skip


def _handle(style: Style, label: str) -> Line2D:
    dashes = (0, style.dashes) if style.dashes else "-"
    return Line2D([], [], color=style.colour, ls=dashes, marker=style.marker, ms=4, lw=1.5, label=label)
