"""What a printed and an interactive chart of series share: their looks, their words, the events on them."""

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
    """How a dyad is drawn; it is told from the others by its dashes and markers too, for print in grey.

    Attributes:
        colour: hex, of Okabe and Ito's palette for every kind of colour vision.
        dashes: lengths of strokes and gaps in points; empty for a solid line. None is dotted: that means thin.
        marker: matplotlib's name of the mark.
        shape: Vega's name of the same mark.
    """

    colour: str
    dashes: tuple[float, ...]
    marker: str
    shape: str


#: In the order in which dyads take them; so many dyads are as much as a chart can show.
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
    """Something that a chart points to.

    Attributes:
        date: when it was.
        label: a few words.
        dyad: whose event it is; empty if it is everybody's.
    """

    date: datetime.date
    label: str
    dyad: str = ""


def read_events(file: str | os.PathLike[str]) -> list[Event]:
    """Read events from a CSV file in UTF-8 with the columns `date,label[,dyad]`, in the order of their dates.

    Raises:
        ValueError: a column is missing, or a row has no date or label or names no dyad; it names the line.
        OSError: the file can't be read.
    """
    with Path(file).open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        events = []
        try:
            for row in rows:
                events.append(_event(row))  # noqa: PERF401  (the line of a bad row is to be told)
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
    """Give each dyad of a frame its style, in the frame's order.

    Raises:
        ValueError: there is nothing to draw, there are more dyads than a chart can show, or the frame isn't what
            `series` made.
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


def shown(events: Collection[Event], frame: pd.DataFrame) -> list[Event]:
    """Return the events of the frame's dyads within its time, in order; each is drawn at its date."""
    first, last = limits(frame)
    dyads = {"", *frame["dyad"]}
    inside = [e for e in events if e.dyad in dyads and first <= pd.Timestamp(e.date) < last]
    return sorted(inside, key=lambda event: event.date)


def curve(frame: pd.DataFrame) -> tuple[str, str, str, str]:
    """Return the columns of a frame's line, of its interval's ends, and of where it stands on thin ground."""
    thin = "smooth_thin" if "smooth" in frame else "thin"
    if "corrected" in frame:
        return ("corrected", "corrected_low", "corrected_high", thin)
    return ("smooth", "smooth_low", "smooth_high", thin) if "smooth" in frame else ("warmth", "low", "high", thin)


def runs(rows: pd.DataFrame) -> Iterator[tuple[bool, slice]]:
    """Yield the stretches of neighbouring periods of one dyad that lines join, and whether they are on thin ground.

    Where a period is missing there is no line, and a line with a thin end is thin.
    """
    thin = rows[curve(rows)[3]].to_numpy()
    faint = thin[1:] | thin[:-1]
    joined = rows["period"].to_numpy()[1:] == (rows["period"] + length(rows)).to_numpy()[:-1]
    for (line, kind), places in groupby(range(len(faint)), key=lambda at: (bool(joined[at]), bool(faint[at]))):
        first, *rest = places
        if line:
            yield kind, slice(first, (rest or [first])[-1] + 2)


def alone(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Return which periods stand on firm ground but are on no line, so that their interval has to be drawn apart."""
    found = ~frame[curve(frame)[3]]
    for _, rows in frame.groupby("dyad"):
        for faint, run in runs(rows):
            if not faint:
                found[rows.index[run]] = False
    return found


def lanes(places: Sequence[float], widths: Sequence[float]) -> list[int]:
    """Return on which line of text, from 0 at the bottom, each event's label stands: the lowest that is free.

    Args:
        places: of the events from the left, in order; a label begins at its event.
        widths: of the labels, in the same unit.
    """
    # From the right, so that a stem meets no label of a later event on its way up.
    found: list[int] = []
    free: list[float] = []  # where each line's leftmost label begins
    for place, width in zip(reversed(places), reversed(widths), strict=True):
        lane = next((lane for lane, begin in enumerate(free) if place + width <= begin), len(free))
        free[lane:] = [place, *free[lane + 1 :]]
        found.append(lane)
    return found[::-1]


def domain(frame: pd.DataFrame) -> tuple[float, float]:
    """Return the lowest and highest warmth to show: all means, all intervals on firm ground, and zero."""
    _, low, high, thin = curve(frame)
    sound = frame[~frame[thin]]
    seen = pd.concat([frame["warmth"], sound[low], sound[high], pd.Series([0.0])])
    least, most = scale(frame)
    room = 0.06 * max(seen.max() - seen.min(), (most - least) / 4)
    edge = (most - least) / 40
    return max(float(seen.min() - room), least - edge), min(float(seen.max() + room), most + edge)


def scale(frame: pd.DataFrame) -> tuple[float, float]:
    """Return the least and the greatest value that can be: of warmth the scores of the labels, of a share 0 and 1.

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
    """Name what the curve shows."""
    label = frame.attrs["label"]
    return f"share of {label}" if label else "mean warmth" if _of_tones(frame) else "mean score"


def ticks(frame: pd.DataFrame) -> dict[str, float]:
    """Return the labels that stand beside the axis, each with its place."""
    return {} if frame.attrs["label"] else frame.attrs["scores"]


def _of_tones(frame: pd.DataFrame) -> bool:
    return tuple(frame.attrs["labels"]) == TONES


def limits(frame: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return where the first period begins and the last one ends."""
    return frame["period"].min(), frame["period"].max() + length(frame)


def length(frame: pd.DataFrame) -> pd.DateOffset:
    """Return how long a period of the frame is."""
    return _LENGTHS[frame.attrs["period"]]


def middle(frame: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    """Return where a period's mark stands: in its middle, so that events of that period fall around it."""
    return frame["period"] + (frame["period"] + length(frame) - frame["period"]) / 2


def name(dyad: str) -> str:
    """Write a dyad by the names of its states (`China–United States`)."""
    states = tables().states
    return "–".join(states.get(code, code) for code in dyad.split("-"))


def _ends(frame: pd.DataFrame) -> str:
    """Say which labels stand at the ends of the axis."""
    if frame.attrs["label"]:
        return ""
    scores: dict[str, float] = frame.attrs["scores"]
    ends = (min(scores, key=scores.__getitem__), max(scores, key=scores.__getitem__))
    low, high = (f"{signed(scores[label])} ({label})" for label in ends)
    return f", from {low} to {high}"


def signed(value: float) -> str:
    """Write a number with its sign, a minus as print has it."""
    return f"{value:+.2g}".replace("-", "−") if abs(value) > 1e-9 else "0"


def note(frame: pd.DataFrame) -> str:
    """Say under a chart what it shows, as a reader of a paper needs it."""
    how = frame.attrs
    what = measure(frame)
    period, smooth, thin = how["period"], how["smooth"], how["thin"]
    parts = [f"{what[0].upper()}{what[1:]} of sentences per {period}{_ends(frame)}"]
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
