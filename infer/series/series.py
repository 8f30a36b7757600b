"""The temperature of dyads over time: per dyad and period, how warm, how sure, on how much text."""

import datetime
import re
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from detente._optional import MissingExtra
from detente._statistics import Floats, Ints, intervals
from detente.data.codebook.label_schema import NONE, SHIPPED, Variable, column
from detente.data.codebook.labels import DIRECTIONS
from detente.infer.readings.document import read_dyads
from detente.infer.series.load import Readings, gather

try:
    import pandas as pd
except ModuleNotFoundError as error:
    raise MissingExtra(error, "plot") from error

#: Of each period: numpy's unit, how many of them, days by which the count is shifted (weeks begin on Monday, and
#: 1 January 1970 was a Thursday), and how many characters of an ISO date name one.
PERIODS: Final[dict[str, tuple[str, int, int, int]]] = {
    "day": ("D", 1, 0, 10),
    "week": ("D", 7, 3, 10),
    "month": ("M", 1, 0, 7),
    "quarter": ("M", 3, 0, 7),
    "year": ("Y", 1, 0, 4),
}

#: The tones that have a share, by the name of their column.
SHARES: Final = {column(tone): tone for tone in SHIPPED.tone.counted}

#: Fewer documents than this make a thin period: a bootstrap over so few says little, and too surely.
THIN: Final = 5

_DATE = re.compile(r"\d{4}(-\d\d){0,2}")

_FAR = 1 << 24  # more days than a calendar has: keys of two dyads are never neighbours


def series(
    readings: Readings,
    *,
    period: str = "month",
    dyads: Iterable[str | Sequence[str]] | None = None,
    sources: Iterable[str] | None = None,
    since: str | datetime.date | None = None,
    until: str | datetime.date | None = None,
    min_probability: float = 0.0,
    groups: bool = True,
    source_cap: float = 1.0,
    smooth: int = 1,
    label: str = "",
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Sum up readings per dyad and period.

    Only readings that present a relationship count (`none` has no warmth), and only those dated exactly enough: one
    dated `2021` counts in years, not in months. Periods without any have no row.

    Args:
        readings: a folder that `detente score` wrote; a data frame with at least the columns dyad, tone, warmth and
            date; or documents with their readings: `zip(documents, model.label_many(documents))`.
        period: day, week (from Monday), month, quarter or year.
        dyads: only these, as `"CHN-USA"` or `("USA", "CHN")`; all if None.
        sources: only readings from these.
        since: the first day (of a month or year that is given: its first).
        until: the last day (of a month or year that is given: its last).
        min_probability: only readings whose tone is at least so probable.
        groups: whether readings count of which either state is known by a group's name alone ("the Quad").
        source_cap: the largest part of a dyad's period that one source may weigh. 1 leaves the readings as they are;
            0.5 keeps an outlet from weighing more than all others; 0 lets each source count the same.
        smooth: an odd number of periods. Above 1, `smooth`, `smooth_low`, `smooth_high` are warmth and interval over
            the readings of so many periods with the row's in the middle (a centred moving window), and `smooth_thin`
            tells whether they have fewer than 5 documents.
        label: show the share of this label in place of warmth, with its interval, in the columns `warmth`, `low` and
            `high`; for labels without scores, which have no warmth, and for any other.
        draws: of the bootstrap.
        seed: of the bootstrap; the same readings give the same interval, whatever else is in the table.

    Returns:
        A row per dyad and period, in their order:

        - `dyad`; `period`: its first day;
        - `warmth`: mean expected warmth, -1..1, or on the scale of a scheme of one's own; NaN where its labels have no
          scores; `low`, `high`: its 95 % bootstrap interval over documents, NaN where
          there is only one;
        - `sentences`, `documents`, `sources`: how many (a source that isn't known is one);
        - `frosty`, `neutral`, `engaging`, `alliance_building`: shares of the tones, which sum to 1; of a scheme of
          one's own, `share_LABEL`;
        - `balance`: part of the readings led by the dyad's first state less part led by its second, -1..1; `mutual`:
          part that neither leads;
        - `by_group`: part of which either state is known by a group's name alone; NaN where the readings don't tell;
        - `thin`: fewer than 5 documents.

        `attrs` says how it was made: label, labels, scores (of the labels that have one), shares (labels by column),
        period, smooth, source_cap, min_probability, groups, thin, models, and how many readings were `read` and
        `undated`.

    Raises:
        ValueError: an argument is out of range, a column is missing or malformed, or no reading is left.
        FileNotFoundError: the folder isn't there or holds no part.
        MissingExtra: pandas isn't installed.
    """
    if period not in PERIODS:
        raise ValueError(f"period {period!r} is none of {', '.join(PERIODS)}")
    if smooth < 1 or smooth % 2 == 0:
        raise ValueError(f"smooth must be an odd number of periods (1 for none), not {smooth}")
    if not 0 <= source_cap <= 1:
        raise ValueError(f"source_cap must lie in 0..1, not {source_cap}")
    wanted = ["-".join(dyad) for dyad in read_dyads(dyads)] if dyads is not None else []
    table = gather(readings, wanted, label)
    tone: Variable = table.attrs["tone"]
    if absent := [dyad for dyad in wanted if not (table["dyad"] == dyad).any()]:
        raise ValueError(f"no reading of {', '.join(absent)}")
    if not groups and table["by_group"].isna().any():
        raise ValueError("the readings don't say which rest on a group's name: no column by_group, and no mentions")
    dated = table["exact"] >= PERIODS[period][3]
    chosen = _chosen(table, sources, since, until, min_probability)
    if not groups:
        chosen &= ~table["by_group"].astype("bool")
    kept = table[dated & chosen]
    if kept.empty:
        raise ValueError(
            f"no reading is left of {len(table)}, {int((~dated).sum())} of them without a date that names a {period}; "
            f"widen the dates or the other limits"
        )
    frame = _sum_up(kept, shares(tone), period, source_cap, smooth, draws, seed)
    frame.attrs = {
        "label": label,
        "labels": list(tone.labels),
        "scores": tone.counted,
        "shares": shares(tone),
        "period": period,
        "smooth": smooth,
        "source_cap": source_cap,
        "min_probability": min_probability,
        "groups": groups,
        "thin": THIN,
        "models": sorted(map(str, kept["model"].dropna().unique())),
        "read": len(kept),
        "undated": int((~dated).sum()),
    }
    return frame


def _chosen(
    table: pd.DataFrame,
    sources: Iterable[str] | None,
    since: str | datetime.date | None,
    until: str | datetime.date | None,
    min_probability: float,
) -> "pd.Series[bool]":
    """Return which readings pass the filters."""
    keep = table["probability"] >= min_probability
    if sources is not None:
        names, there = [*sources], {*table["source"].cat.categories}
        if strange := [name for name in names if name not in there]:
            raise ValueError(f"no source {', '.join(strange)}; there are {', '.join(sorted(there)) or 'none'}")
        keep &= table["source"].isin(names)
    if since is not None:
        keep &= table["day"] >= _bound(since).start_time
    if until is not None:
        keep &= table["day"] <= _bound(until).end_time
    return keep


def _bound(date: str | datetime.date) -> pd.Period:
    """Read a day, month or year as the stretch of time that it is."""
    text = str(date).strip()[:10]
    try:
        if _DATE.fullmatch(text):
            return pd.Period(text, freq={4: "Y", 7: "M", 10: "D"}[len(text)])
    except ValueError:
        pass
    raise ValueError(f"{text!r} is not a date; write it as 2021-03-10, 2021-03 or 2021")


def shares(tone: Variable) -> dict[str, str]:
    """Return the labels that have a share, by the name of their column."""
    if tone == SHIPPED.tone:
        return SHARES
    return {f"share_{column(label)}": label for label in tone.labels if label != NONE}


def _sum_up(
    table: pd.DataFrame, shares: dict[str, str], period: str, source_cap: float, smooth: int, draws: int, seed: int
) -> pd.DataFrame:
    """Count and average, everything at once: a group is a dyad's period, a cell is a document in a group."""
    unit, length, shift, _ = PERIODS[period]
    at = (table["day"].to_numpy().astype(f"datetime64[{unit}]").astype(np.int64) + shift) // length
    dyads = table["dyad"].cat
    keys, group = np.unique(dyads.codes.to_numpy().astype(np.int64) * _FAR + at + _FAR // 2, return_inverse=True)
    weight, sources = _weigh(group, table["source"].cat.codes.to_numpy().astype(np.int64) + 1, source_cap)
    mass = _sum(group, weight)

    document = table["document"].to_numpy().astype(np.int64)
    cells, cell = np.unique(group * (document.max() + 1) + document, return_inverse=True)
    of_cell = cells // (document.max() + 1)
    weights, totals = _sum(cell, weight), _sum(cell, weight * table["warmth"].to_numpy())
    low, high = intervals(of_cell, weights, totals, groups=len(keys), draws=draws, seed=seed)

    def share(rows: "pd.Series[bool]") -> Floats:
        return _sum(group, weight * rows.to_numpy()) / mass

    documents = np.bincount(of_cell)
    ahead, behind, mutual = (share(table["direction"] == direction) for direction in DIRECTIONS)
    columns = {
        "dyad": pd.Categorical.from_codes(keys // _FAR, dyads.categories).astype("str"),
        "period": ((keys % _FAR - _FAR // 2) * length - shift).astype(f"datetime64[{unit}]").astype("datetime64[s]"),
        "warmth": _sum(of_cell, totals) / mass,
        "low": low,
        "high": high,
        "sentences": np.bincount(group),
        "documents": documents,
        "sources": sources,
        **{name: share(table["tone"] == tone) for name, tone in shares.items()},
        "balance": ahead - behind,
        "mutual": mutual,
        "by_group": _sum(group, weight * table["by_group"].to_numpy("float64", na_value=np.nan)) / mass,
        "thin": documents < THIN,
    }
    if smooth > 1:
        around, member = _windows(keys, of_cell, smooth // 2)
        low, high = intervals(around, weights[member], totals[member], groups=len(keys), draws=draws, seed=seed)
        columns |= {
            "smooth": _sum(around, totals[member]) / _sum(around, weights[member]),
            "smooth_low": low,
            "smooth_high": high,
            "smooth_thin": np.bincount(around) < THIN,
        }
    return pd.DataFrame(columns)


def _sum(group: Ints, values: Floats) -> Floats:
    return np.bincount(group, values).astype(np.float64, copy=False)


def _windows(keys: Ints, group: Ints, reach: int) -> tuple[Ints, Ints]:
    """Return each group around a cell, within reach, and the cell, so that a cell counts in all its neighbours."""
    around, members = [], []
    for step in range(-reach, reach + 1):
        wanted = keys[group] + step
        found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        member = np.flatnonzero(keys[found] == wanted)
        around.append(found[member])
        members.append(member)
    return np.concatenate(around), np.concatenate(members)


def _weigh(group: Ints, source: Ints, cap: float) -> tuple[Floats, Ints]:
    """Weigh readings so that no source has more than the cap of its group's weight.

    What the sources above the cap lose goes to the others, in proportion to their readings. Where the cap can't be
    kept (three sources, each at most a quarter), all sources weigh the same. A group's weights sum to its readings.

    Args:
        group: int [R], of each reading.
        source: int [R].
        cap: 0..1.

    Returns:
        The weights, float [R], and the number of sources of each group, int [G].
    """
    width = source.max() + 1
    pairs, pair, count = np.unique(group * width + source, return_inverse=True, return_counts=True)
    of = pairs // width
    sources = np.bincount(of)
    order = np.lexsort((-count, of))
    n, of = count[order], of[order]
    first = np.cumsum(sources) - sources
    rank = np.arange(len(n)) - first[of]
    readings = np.bincount(of, n)
    before = np.cumsum(n) - n
    rest = readings[of] - (before - before[first][of])
    # Once the larger sources are cut to the cap, the next may keep its part of what is left, or be cut as well.
    part = (1 - rank * cap) * n / rest
    cut = np.bincount(of, part > cap).astype(np.int64)
    edge = np.minimum(first + cut, len(n) - 1)[of]
    part = np.where(rank < cut[of], cap, (1 - rank[edge] * cap) * n / rest[edge])
    part = np.where(sources[of] * cap <= 1, 1 / sources[of], part)
    weight = np.empty(len(n))
    weight[order] = part * readings[of] / n
    return weight[pair], sources
