"""Shared parts of the static and the interactive chart of series: styles, texts and events."""

import csv
import datetime
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from detente._optional import MissingExtra
from detente.data.codebook.labels import TONES
from detente.data.gazetteer.gazetteer import tables
from detente.infer.readings.document import read_date, read_dyads

try:
    import pandas as pd
except ModuleNotFoundError as error:
    raise MissingExtra(error, "plot") from error


@dataclass(frozen=True, slots=True)
class Style:
    """The style of a dyad; dashes and markers also distinguish it in greyscale.

    Attributes:
        colour: hex code, from Okabe and Ito's palette for all types of colour vision.
        dashes: lengths of strokes and gaps in points; empty for a solid line. Dotted lines mean thin data.
        marker: matplotlib's name of the mark.
        shape: Vega's name of the same mark.
    """

    colour: str
    dashes: tuple[float, ...]
    marker: str
    shape: str


#: Styles in the order of the dyads; their number is the maximum number of dyads in a chart.
STYLES: Final = (
    Style("#0072B2", (), "o", "circle"),
    Style("#D55E00", (6, 2), "s", "square"),
    Style("#009E73", (8, 2, 1.5, 2), "^", "triangle-up"),
    Style("#CC79A7", (3.5, 1.5), "D", "diamond"),
    Style("#56B4E9", (10, 3), "v", "triangle-down"),
    Style("#8A6D00", (6, 2, 1.5, 2, 1.5, 2), "P", "cross"),
)


_LENGTHS: Final = {
    "day": pd.DateOffset(days=1),
    "week": pd.DateOffset(weeks=1),
    "month": pd.DateOffset(months=1),
    "quarter": pd.DateOffset(months=3),
    "year": pd.DateOffset(years=1),
}


@dataclass(frozen=True, slots=True)
class Event:
    """An event marked on a chart.

    Attributes:
        date: date of the event.
        label: short description.
        dyad: dyad of the event; empty if it concerns all.
    """

    date: datetime.date
    label: str
    dyad: str = ""


def read_events(file: str | os.PathLike[str]) -> list[Event]:
    """Load events from a CSV file in UTF-8 with the columns `date,label[,dyad]`, sorted by date.

    Raises:
        ValueError: a column is missing, or a row has no date or label, or an invalid dyad; the message has the line.
        OSError: the file can't be read.
    """
    with Path(file).open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        events = []
        try:
            for row in rows:
                events.append(_event(row))  # noqa: PERF401  (the error needs the line of the row)
        except (ValueError, csv.Error) as error:
            raise ValueError(f"{file}, line {rows.line_num}: {error}") from None
    return sorted(events, key=lambda event: event.date)


def _event(row: dict[str, str | None]) -> Event:
    if missing := {"date", "label"} - {*row}:
        raise ValueError(f"no column {' and '.join(sorted(missing))}; there are {', '.join(map(str, row))}")
    date, label, dyad = (" ".join((row.get(key) or "").split()) for key in ("date", "label", "dyad"))
    day = read_date(date)
    if day is None or not label:
        raise ValueError("an event needs a date and a label")
    return Event(day, label, "-".join(read_dyads([dyad])[0]) if dyad else "")


def styles(frame: pd.DataFrame) -> dict[str, Style]:
    """Return the style of each dyad, in the order of the frame.

    Raises:
        ValueError: the frame is empty, has too many dyads, or isn't the output of `series`.
    """
    if not {"period", "label", "labels", "scores", "shares"} <= {*frame.attrs}:
        raise ValueError(
            "the frame has lost what detente.series wrote into its attrs; carry them over: new.attrs = old.attrs"
        )
    dyads = [str(dyad) for dyad in frame["dyad"].unique()]
    if not 0 < len(dyads) <= len(STYLES):
        raise ValueError(f"a chart shows 1 to {len(STYLES)} dyads, not {len(dyads)}; choose with dyads=")
    scale(frame)
    return dict(zip(dyads, STYLES, strict=False))


def visible_events(events: Collection[Event], frame: pd.DataFrame) -> list[Event]:
    """Return the events of the frame's dyads and period of time, sorted by date."""
    first, last = limits(frame)
    dyads = {"", *frame["dyad"]}
    visible = [e for e in events if e.dyad in dyads and first <= pd.Timestamp(e.date) < last]
    return sorted(visible, key=lambda event: event.date)


def curve(frame: pd.DataFrame) -> tuple[str, str, str, str]:
    """Return the column names of the line, the ends of its interval, and the flag for thin data."""
    thin = "smooth_thin" if "smooth" in frame else "thin"
    if "corrected" in frame:
        return ("corrected", "corrected_low", "corrected_high", thin)
    return ("smooth", "smooth_low", "smooth_high", thin) if "smooth" in frame else ("warmth", "low", "high", thin)


def runs(rows: pd.DataFrame) -> Iterator[tuple[bool, slice]]:
    """Yield the segments of the line of one dyad, each with whether its data is thin.

    A missing period interrupts the line, and a line between two periods is thin if either is.
    """
    thin = rows[curve(rows)[3]].to_numpy()
    faint = thin[1:] | thin[:-1]
    joined = rows["period"].to_numpy()[1:] == (rows["period"] + length(rows)).to_numpy()[:-1]
    for (line, kind), places in groupby(range(len(faint)), key=lambda i: (bool(joined[i]), bool(faint[i]))):
        first, *rest = places
        if line:
            yield kind, slice(first, (rest or [first])[-1] + 2)


def alone(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Return which periods have enough data but no line, so that their interval is drawn separately."""
    isolated = ~frame[curve(frame)[3]]
    for _, rows in frame.groupby("dyad"):
        for faint, run in runs(rows):
            if not faint:
                isolated[rows.index[run]] = False
    return isolated


def lanes(places: Sequence[float], widths: Sequence[float]) -> list[int]:
    """Return the line of text for each event's label: the lowest free one, from 0 at the bottom.

    Args:
        places: positions of the events from the left, sorted; a label begins at its event.
        widths: widths of the labels, in the same unit.
    """
    # From the right, so that stems don't cross the labels of later events.
    assigned: list[int] = []
    line_starts: list[float] = []  # start of each line's leftmost label
    for place, width in zip(reversed(places), reversed(widths), strict=True):
        lane = next((lane for lane, start in enumerate(line_starts) if place + width <= start), len(line_starts))
        line_starts[lane:] = [place, *line_starts[lane + 1 :]]
        assigned.append(lane)
    return assigned[::-1]


def domain(frame: pd.DataFrame) -> tuple[float, float]:
    """Return the limits of the axis, which include all means, the intervals with enough data, and zero."""
    _, low, high, thin = curve(frame)
    reliable = frame[~frame[thin]]
    values = pd.concat([frame["warmth"], reliable[low], reliable[high], pd.Series([0.0])])
    minimum, maximum = scale(frame)
    margin = 0.06 * max(values.max() - values.min(), (maximum - minimum) / 4)
    overshoot = (maximum - minimum) / 40
    return max(float(values.min() - margin), minimum - overshoot), min(
        float(values.max() + margin), maximum + overshoot
    )


def scale(frame: pd.DataFrame) -> tuple[float, float]:
    """Return the minimum and maximum possible value: the scores of the labels for warmth, 0 and 1 for a share.

    Raises:
        ValueError: the labels have no scores.
    """
    if frame.attrs["label"]:
        return 0.0, 1.0
    scores = {0.0, *frame.attrs["scores"].values()}
    if len(scores) == 1:
        raise ValueError(
            f"the labels {', '.join(frame.attrs['labels'])} have no scores, so there is no warmth to draw; "
            "name the label whose share is to be drawn (label=, --label)"
        )
    return min(scores), max(scores)


def measure(frame: pd.DataFrame) -> str:
    """Return the name of the quantity on the axis."""
    label = frame.attrs["label"]
    return f"share of {label}" if label else "mean warmth" if _of_tones(frame) else "mean score"


def ticks(frame: pd.DataFrame) -> dict[str, float]:
    """Return the labels beside the axis, each with its value."""
    return {} if frame.attrs["label"] else frame.attrs["scores"]


def _of_tones(frame: pd.DataFrame) -> bool:
    return tuple(frame.attrs["labels"]) == TONES


def limits(frame: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the start of the first period and the end of the last one."""
    return frame["period"].min(), frame["period"].max() + length(frame)


def length(frame: pd.DataFrame) -> pd.DateOffset:
    """Return the length of the frame's periods."""
    return _LENGTHS[frame.attrs["period"]]


def middle(frame: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    """Return the middle of each period, the position of its mark."""
    return frame["period"] + (frame["period"] + length(frame) - frame["period"]) / 2


def name(dyad: str) -> str:
    """Return a dyad with the names of its states (`China–United States`)."""
    states = tables().states
    return "–".join(states.get(code, code) for code in dyad.split("-"))


def _ends(frame: pd.DataFrame) -> str:
    """Return the description of the axis's range by its labels."""
    if frame.attrs["label"]:
        return ""
    scores: dict[str, float] = frame.attrs["scores"]
    ends = (min(scores, key=scores.__getitem__), max(scores, key=scores.__getitem__))
    low, high = (f"{signed(scores[label])} ({label})" for label in ends)
    return f", from {low} to {high}"


def signed(value: float) -> str:
    """Return a number with its sign, with a typographic minus."""
    return f"{value:+.2g}".replace("-", "−") if abs(value) > 1e-9 else "0"


def note(frame: pd.DataFrame) -> str:
    """Return the caption of a chart, with what the reader of a paper needs."""
    how = frame.attrs
    quantity = measure(frame)
    period, smooth, thin = how["period"], how["smooth"], how["thin"]
    parts = [f"{quantity[0].upper()}{quantity[1:]} of sentences per {period}{_ends(frame)}"]
    band = "band: 95 % bootstrap interval over documents"
    parts.append(f"line: centred window of {smooth} {period}s; {band}" if smooth > 1 else band)
    parts.append(f"hollow, dotted: fewer than {thin} documents")
    if "audit" in how:
        parts.append(f"line: corrected by an audit of {how['audit']:,} labelled sentences; marks: as read")
    if how["source_cap"] < 1:
        parts.append(
            "each source weighs the same"
            if how["source_cap"] == 0
            else f"no source weighs more than {how['source_cap']:.0%} of a {period}"
        )
    if how["min_probability"] > 0:
        parts.append(f"only readings of probability {how['min_probability']:g} and up")
    sentences = frame["sentences"].sum()
    if not how["groups"]:
        parts.append("without readings that rest on a group's name")
    elif (share := (frame["by_group"] * frame["sentences"]).sum(skipna=False) / sentences) > 0:
        parts.append(f"{share:.0%} of the readings rest on a group's name")
    parts.append(f"{sentences:,} sentences")
    return "; ".join(parts) + (f". Read by {', '.join(how['models'])}." if how["models"] else ".")
