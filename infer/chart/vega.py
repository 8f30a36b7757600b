"""Draw series as a self-contained HTML page with an interactive Vega-Lite chart, without requests to other hosts."""

import html
from collections.abc import Sequence
from typing import Any, Final

import orjson

from detente._optional import MissingExtra
from detente.infer.chart import common as chart
from detente.infer.chart.common import Event, Style

try:
    import pandas as pd
    from vl_convert import javascript_bundle
except ModuleNotFoundError as error:
    raise MissingExtra(error, "plot") from error

#: A piece of a Vega-Lite specification, and rows of its data.
Spec = dict[str, Any]
Rows = list[dict[str, Any]]

#: Format of a period, by its first day.
_PERIOD_FORMATS: Final = {
    "day": "%d %B %Y",
    "week": "week of %d %B %Y",
    "month": "%B %Y",
    "quarter": "quarter from %B %Y",
    "year": "%Y",
}

_SNIPPET: Final = (
    "window.drawChart = spec => vegaEmbed('#chart', spec, {mode: 'vega-lite', actions: false, renderer: 'svg'})"
)

_WIDTH, _HEIGHT, _STRIP, _LANE = 880, 380, 60, 15
_INK, _FAINT, _GRID = "#222", "#6b6b6b", "#e4e4e4"

#: Tooltip fields of every chart: column, heading, d3 format.
_TOOLTIP_FIELDS: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("low", "95 % from", {"format": "+.2f"}),
    ("high", "to", {"format": "+.2f"}),
    ("sentences", "sentences", {"format": ","}),
    ("documents", "documents", {"format": ","}),
    ("sources", "sources", {"format": ","}),
)

# The policy forbids loading anything, whatever the page contains; Vega compiles its expressions, hence eval.
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1080px; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.35rem; margin: 0 0 1rem }}
p {{ color: #555; font-size: .85rem; max-width: 62rem }}
#chart {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-size: .8rem; font-variant-numeric: tabular-nums }}
th, td {{ padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #e4e4e4 }}
summary {{ cursor: pointer; font-size: .9rem }}
details > div {{ overflow-x: auto }}
</style>
</head>
<body>
<h1>{title}</h1>
<div id="chart"></div>
<p>Drag over the lower panel to look closer (double-click there for all). Click a dyad in the legend to see it alone,
shift-click to add one, click beside them for all. Point at a mark for its figures.</p>
<p>{note}</p>
<details><summary>The figures</summary><div>{table}</div></details>
<script>{bundle}</script>
<script>drawChart({spec});</script>
</body>
</html>
"""


def page(frame: pd.DataFrame, *, events: Sequence[Event] = (), title: str = "") -> str:
    """Return the HTML page; arguments and errors as for `detente.plot`."""
    heading = title or ", ".join(chart.name(dyad) for dyad in chart.styles(frame))
    spec = orjson.dumps(specification(frame, events)).decode()
    digits = dict.fromkeys(frame.select_dtypes("float"), 4)
    return _PAGE.format(
        title=html.escape(heading),
        note=html.escape(chart.note(frame)),
        table=frame.round(digits).to_html(index=False, border=0, na_rep=""),
        bundle=javascript_bundle(_SNIPPET),
        spec=spec.replace("<", "\\u003c"),  # a label may hold </script>
    )


def specification(frame: pd.DataFrame, events: Sequence[Event] = ()) -> Spec:
    """Return the Vega-Lite specification: events and curves above a strip of document counts with a brush to zoom."""
    styles = chart.styles(frame)
    stems = _stems(frame, chart.visible_events(events, frame), styles)
    begin, end = chart.limits(frame)
    return {
        "datasets": {
            "points": _points(frame),
            "firm": _lines(frame, thin=False),
            "thin": _lines(frame, thin=True),
            "events": stems,
            "zero": [{"at": begin.isoformat(), "warmth": 0}, {"at": end.isoformat(), "warmth": 0}],
            "tones": [{"tone": tone, "warmth": warmth} for tone, warmth in chart.ticks(frame).items()],
        },
        "vconcat": [_main(frame, styles), _strip(styles)],
        "spacing": 12,
        "config": {
            "font": "system-ui, sans-serif",
            "view": {"stroke": None},
            "axis": {"gridColor": _GRID, "domainColor": _FAINT, "tickColor": _FAINT, "titleFontWeight": 500},
        },
    }


def _main(frame: pd.DataFrame, styles: dict[str, Style]) -> Spec:
    """Return the panel of the curves; the brush in the strip selects its range of time."""
    _, low, high, _ = chart.curve(frame)
    bottom, top = chart.domain(frame)
    x = {
        "field": "at", "type": "temporal", "title": None, "axis": {"grid": False},
        "scale": {"domain": {"param": "time"}, "nice": False},
    }  # fmt: skip
    y = {
        "type": "quantitative", "title": chart.measure(frame), "scale": {"domain": [bottom, top], "nice": False},
        "axis": {"labelExpr": "datum.value ? format(datum.value, '+.2~f') : '0'"},
    }  # fmt: skip
    legend = {"title": None, "orient": "top", "symbolSize": 90, "symbolOpacity": 1, "symbolDash": [1, 0], "offset": 6}
    colour, dashes, shape = (look | {"legend": legend} for look in _looks(styles))
    faded = {"condition": {"param": "dyads", "value": 1}, "value": 0.06}
    of_dyad = {"x": x, "color": colour, "detail": {"field": "run"}, "opacity": faded}
    line = {**of_dyad, "y": {**y, "field": "line"}}
    layers: list[tuple[str, Spec, Spec]] = [
        ("zero", {"type": "line", "color": _FAINT, "strokeWidth": 1}, {"x": x, "y": {**y, "field": "warmth"}}),
        (
            "firm",
            {"type": "area", "fillOpacity": 0.15},
            {**of_dyad, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        ),
        ("firm", {"type": "line", "strokeWidth": 2.2}, {**line, "strokeDash": dashes}),
        ("thin", {"type": "line", "strokeWidth": 1.4, "strokeDash": [1.5, 3]}, line),
    ]
    alone = {
        "data": {"name": "points"},
        "transform": [{"filter": "datum.alone"}],
        "mark": {"type": "rule", "clip": True, "strokeWidth": 4, "strokeOpacity": 0.3},
        "encoding": {**of_dyad, "y": {**y, "field": low}, "y2": {"field": high}},
    }
    points = {
        "data": {"name": "points"},
        "params": [{"name": "dyads", "select": {"type": "point", "fields": ["name"]}, "bind": "legend"}],
        "mark": {"type": "point", "clip": True, "size": 40, "strokeWidth": 1.4},
        "encoding": {
            "x": x,
            "y": {**y, "field": "warmth"},
            "color": colour,
            "shape": shape,
            "opacity": faded,
            "fill": {**colour, "condition": {"test": "datum.thin", "value": "white"}, "legend": None},
            "tooltip": [{"field": field, "title": title} | form for field, title, form in _tooltip(frame)],
        },
    }
    tones = {
        "data": {"name": "tones"},
        "transform": [{"filter": f"{bottom} <= datum.warmth && datum.warmth <= {top}"}],
        "mark": {"type": "text", "clip": False, "align": "left", "dx": 6, "fontStyle": "italic", "color": _FAINT},
        "encoding": {"x": {"value": _WIDTH}, "y": {**y, "field": "warmth"}, "text": {"field": "tone"}},
    }
    curves = [
        {"data": {"name": data}, "mark": {**mark, "clip": True}, "encoding": encoding}
        for data, mark, encoding in layers
    ]
    return {"width": _WIDTH, "height": _HEIGHT, "layer": [*curves, alone, points, tones, *_event_layers(x)]}


def _tooltip(frame: pd.DataFrame) -> list[tuple[str, str, dict[str, str]]]:
    """Return the tooltip fields of a mark: column, heading, d3 format if any."""
    number = {"format": ".0%" if frame.attrs["label"] else "+.2f"}
    return [
        ("name", "dyad", {}),
        ("when", "period", {}),
        ("warmth", chart.measure(frame), number),
        *_TOOLTIP_FIELDS,
        *((name, label, {"format": ".0%"}) for name, label in frame.attrs["shares"].items()),
        ("balance", "balance of direction", {"format": "+.2f"}),
    ]


def _event_layers(x: Spec) -> list[Spec]:
    """Return the layers of the events in the visible range: stems, and labels above the curves."""
    common: Spec = {"data": {"name": "events"}, "transform": [{"filter": {"param": "time", "empty": True}}]}
    encoding: Spec = {
        "x": x,
        "y": {"field": "top", "type": "quantitative", "scale": None, "axis": None},  # pixels, above the panel
        "color": {"field": "colour", "type": "nominal", "scale": None},
        "tooltip": [
            {"field": "label", "title": "event"},
            {"field": "at", "type": "temporal", "format": "%d %B %Y", "title": "date"},
        ],
    }
    label = {"type": "text", "clip": False, "align": "left", "dx": 4, "baseline": "middle", "fontSize": 11}
    halo = {"stroke": "white", "strokeWidth": 4}  # a stem passes behind the label
    written = encoding | {"text": {"field": "label"}}
    return [
        {
            **common,
            "mark": {"type": "rule", "clip": False, "opacity": 0.5},
            "encoding": encoding | {"y2": {"value": _HEIGHT}},
        },
        {**common, "mark": label | halo, "encoding": written | {"color": {"value": "white"}}},
        {**common, "mark": label, "encoding": written},
    ]


def _strip(styles: dict[str, Style]) -> Spec:
    """Return the panel of the document counts, with the brush."""
    colour, *_ = _looks(styles)
    return {
        "width": _WIDTH,
        "height": _STRIP,
        "data": {"name": "points"},
        "params": [{"name": "time", "select": {"type": "interval", "encodings": ["x"]}}],
        "mark": {"type": "rect", "opacity": 0.4},
        "encoding": {
            "x": {
                "field": "begin",
                "type": "temporal",
                "title": None,
                "axis": {"grid": False},
                "scale": {"nice": False},
            },
            "x2": {"field": "end"},
            "y": {"field": "documents", "type": "quantitative", "title": "documents", "axis": {"tickCount": 3}},
            "y2": {"datum": 0},
            "color": colour | {"legend": None},
        },
    }


def _looks(styles: dict[str, Style]) -> tuple[Spec, Spec, Spec]:
    """Return the encodings of the dyads' names as colours, dashes and shapes."""
    names = [chart.name(dyad) for dyad in styles]

    def look(values: list[Any]) -> Spec:
        return {"field": "name", "type": "nominal", "scale": {"domain": names, "range": values}}

    dyad_styles = styles.values()
    return (
        look([style.colour for style in dyad_styles]),
        look([list(style.dashes) or [1, 0] for style in dyad_styles]),
        look([style.shape for style in dyad_styles]),
    )


def _points(frame: pd.DataFrame) -> Rows:
    """Return a row per period and dyad, with the fields of the tooltip."""
    rows = frame.assign(
        name=frame["dyad"].map(chart.name),
        when=frame["period"].dt.strftime(_PERIOD_FORMATS[frame.attrs["period"]]),
        at=_text(chart.middle(frame)),
        begin=_text(frame["period"]),
        end=_text(frame["period"] + chart.length(frame)),
        alone=chart.alone(frame),
    ).drop(columns=["period"])
    return _records(rows)


def _lines(frame: pd.DataFrame, thin: bool) -> Rows:
    """Return the points of the thin or the other lines and bands, each with the number of its segment."""
    line, low, high, _ = chart.curve(frame)
    parts = [
        rows[run] for _, rows in frame.groupby("dyad", sort=False) for faint, run in chart.runs(rows) if faint == thin
    ]
    return [
        row
        for number, part in enumerate(parts)
        for row in _records(
            pd.DataFrame(
                {
                    "name": part["dyad"].map(chart.name),
                    "at": _text(chart.middle(part)),
                    "line": part[line],
                    "low": part[low],
                    "high": part[high],
                    "run": number,
                }
            )
        )
    ]


def _stems(frame: pd.DataFrame, events: Sequence[Event], styles: dict[str, Style]) -> Rows:
    """Return a row per event, with the height of its label above the panel."""
    begin, end = chart.limits(frame)
    places = [(pd.Timestamp(event.date) - begin) / (end - begin) * _WIDTH for event in events]
    lanes = chart.lanes(places, [6.2 * len(event.label) + 12 for event in events])  # a letter is about 6 pixels wide
    return [
        {
            "at": f"{event.date}T00:00",  # with a time, so that browsers use their local time zone as for the periods
            "label": event.label,
            "top": -10 - _LANE * lane,
            "colour": styles[event.dyad].colour if event.dyad else _FAINT,
        }
        for event, lane in zip(events, lanes, strict=True)
    ]


def _text(times: "pd.Series[pd.Timestamp]") -> "pd.Series[str]":
    return times.dt.strftime("%Y-%m-%dT%H:%M:%S")


def _records(rows: pd.DataFrame) -> Rows:
    """Return the rows as records with rounded numbers; orjson writes NaN as null."""
    return [{str(key): value for key, value in row.items()} for row in rows.round(4).to_dict("records")]
