"""Series: sums worked out by hand, weights against a plain loop, intervals that cover what they should."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente._statistics import BUNDLES, intervals
from detente.data.codebook.labels import TONES
from detente.infer.readings.document import Document
from detente.infer.readings.reading import Reading
from detente.infer.readings.table import SCHEMA, WRITERS
from detente.infer.series.series import PERIODS, SHARES, _weigh, series

Row = tuple[int, str, str, float, str, str | None, str | None]

#: document, dyad, tone, warmth, direction, date, source
ROWS: list[Row] = [
    (0, "CHN-USA", "frosty", -0.8, "a>b", "2021-03-01", "wire"),
    (0, "CHN-USA", "frosty", -0.6, "a>b", "2021-03-01", "wire"),
    (1, "CHN-USA", "engaging", 0.5, "mutual", "2021-03-31", "wire"),
    (2, "CHN-USA", "neutral", 0.1, "b>a", "2021-03-15", "daily"),
    (3, "CHN-USA", "alliance-building", 0.9, "b>a", "2021-05-02", "daily"),
    (3, "JPN-USA", "alliance-building", 1.0, "mutual", "2021-05-02", "daily"),
    (4, "CHN-USA", "none", 0.3, "n/a", "2021-03-02", "wire"),
    (5, "CHN-USA", "frosty", -1.0, "a>b", None, "wire"),
    (6, "CHN-USA", "frosty", -0.9, "a>b", "2021", "wire"),
    (7, "CHN-USA", "engaging", 0.4, "a>b", "2021-04", None),
]


def table(rows: Sequence[Row] = ROWS) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["document", "dyad", "tone", "warmth", "direction", "date", "source"])


def row(frame: pd.DataFrame, dyad: str, period: str) -> "pd.Series[float]":
    found = frame[(frame["dyad"] == dyad) & (frame["period"] == period)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_month_by_hand() -> None:
    march = row(series(table()), "CHN-USA", "2021-03-01")
    assert march["warmth"] == pytest.approx((-0.8 - 0.6 + 0.5 + 0.1) / 4)
    assert (march["sentences"], march["documents"], march["sources"]) == (4, 3, 2)
    assert [march[name] for name in SHARES] == [0.5, 0.25, 0.25, 0.0]
    assert march["balance"] == pytest.approx(0.5 - 0.25)
    assert march["mutual"] == 0.25
    assert march["thin"]
    assert march["low"] < march["warmth"] < march["high"]


def test_rows_and_their_order() -> None:
    frame = series(table())
    assert [f"{d} {p:%Y-%m-%d}" for d, p in zip(frame["dyad"], frame["period"], strict=True)] == [
        "CHN-USA 2021-03-01",
        "CHN-USA 2021-04-01",
        "CHN-USA 2021-05-01",
        "JPN-USA 2021-05-01",
    ]
    assert (frame.attrs["undated"], frame.attrs["read"]) == (2, 7)


def test_one_document_has_no_interval() -> None:
    april = row(series(table()), "CHN-USA", "2021-04-01")
    assert np.isnan(april["low"])
    assert np.isnan(april["high"])
    assert april["sources"] == 1


def test_a_date_counts_where_it_is_exact_enough() -> None:
    assert series(table(), period="year")["sentences"].tolist() == [7, 1]
    assert series(table(), period="day")["sentences"].sum() == 6
    assert series(table(), period="quarter")["sentences"].tolist() == [4, 2, 1]


@pytest.mark.parametrize(
    ("period", "start"),
    [
        ("day", "2021-03-10"),
        ("week", "2021-03-08"),  # a Monday
        ("month", "2021-03-01"),
        ("quarter", "2021-01-01"),
        ("year", "2021-01-01"),
    ],
)
def test_where_periods_start(period: str, start: str) -> None:
    frame = series(table([(0, "CHN-USA", "neutral", 0.0, "a>b", "2021-03-10", None)]), period=period)
    assert str(frame["period"][0].date()) == start


@given(st.dates(datetime.date(1700, 1, 1), datetime.date(2200, 12, 31)), st.sampled_from(sorted(PERIODS)))
def test_a_day_lies_in_its_period(day: datetime.date, period: str) -> None:
    frame = series(table([(0, "CHN-USA", "neutral", 0.0, "a>b", day.isoformat(), None)]), period=period)
    letter = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}[period]
    assert frame["period"][0] == pd.Period(day.isoformat(), letter).start_time


def test_filters() -> None:
    assert {*series(table(), dyads=[("USA", "JPN")])["dyad"]} == {"JPN-USA"}
    assert series(table(), sources=["daily"])["sentences"].sum() == 3
    assert series(table(), since="2021-04")["sentences"].sum() == 3
    assert series(table(), until="2021-03")["sentences"].sum() == 4
    assert series(table(), since=datetime.date(2021, 3, 15), until="2021-03-31")["sentences"].sum() == 2
    sure = table().assign(**{f"p_{t}": 0.1 for t in ("none", "neutral", "engaging", "alliance_building")})
    sure["p_frosty"] = np.where(sure["warmth"] < -0.7, 0.9, 0.5)
    assert series(sure, min_probability=0.8)["sentences"].sum() == 1


def test_sources_weigh_the_same() -> None:
    march = row(series(table(), source_cap=0), "CHN-USA", "2021-03-01")
    assert march["warmth"] == pytest.approx(((-0.8 - 0.6 + 0.5) / 3 + 0.1) / 2)
    assert march["neutral"] == pytest.approx(0.5)
    capped = row(series(table(), source_cap=0.6), "CHN-USA", "2021-03-01")
    assert capped["warmth"] == pytest.approx(0.6 * (-0.8 - 0.6 + 0.5) / 3 + 0.4 * 0.1)


def capped(counts: dict[int, int], cap: float) -> dict[int, float]:
    """Return each source's part of the weight, worked out step by step."""
    if len(counts) * cap <= 1:
        return dict.fromkeys(counts, 1 / len(counts))
    fixed: set[int] = set()
    while True:
        rest = sum(n for source, n in counts.items() if source not in fixed)
        left = 1 - cap * len(fixed)
        parts = {source: cap if source in fixed else left * n / rest for source, n in counts.items()}
        over = {source for source, part in parts.items() if part > cap + 1e-12}
        if not over:
            return parts
        fixed |= over


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=80),
    st.floats(0, 1, allow_subnormal=False),
)
def test_weights_against_a_plain_loop(readings: list[tuple[int, int]], cap: float) -> None:
    names, group = np.unique([g for g, _ in readings], return_inverse=True)
    source = np.array([s for _, s in readings])
    weight, sources = _weigh(group, source, cap)
    for number in range(len(names)):
        inside = group == number
        counts = {int(s): int(n) for s, n in zip(*np.unique(source[inside], return_counts=True), strict=True)}
        assert sources[number] == len(counts)
        assert weight[inside].sum() == pytest.approx(inside.sum())
        for s, part in capped(counts, cap).items():
            assert weight[inside & (source == s)].sum() / inside.sum() == pytest.approx(part, abs=1e-9)


def random_rows(months: int = 24, seed: int = 5) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows: list[Row] = []
    for document in range(months * 12):
        month = document % months
        day = f"{2000 + month // 12}-{month % 12 + 1:02}-{random.integers(1, 29):02}"
        mean = 0.5 * np.sin(month / 4) + random.normal(0, 0.3)
        for _ in range(1 + random.poisson(3)):
            warmth = float(np.clip(mean + random.normal(0, 0.2), -1, 1))
            tone = "frosty" if warmth < 0 else "engaging"
            rows.append((document, "CHN-USA", tone, warmth, "a>b", day, f"s{document % 3}"))
    return table(rows)


#: warmth, low, high, smooth, smooth_low, smooth_high
GOLDEN = [
    [-0.0093, -0.2601, 0.2009, 0.0556, -0.1336, 0.2403],
    [0.1022, -0.1449, 0.3650, 0.1451, 0.0111, 0.2864],
    [0.3279, 0.1728, 0.4838, 0.2562, 0.1234, 0.3810],
    [0.3775, 0.2485, 0.5171, 0.3936, 0.3128, 0.4838],
    [0.4814, 0.3612, 0.6416, 0.4375, 0.3556, 0.5203],
    [0.4514, 0.2995, 0.5968, 0.4653, 0.3617, 0.5730],
]


def test_golden() -> None:
    frame = series(random_rows(6), source_cap=0.5, smooth=3)
    found = frame[["warmth", "low", "high", "smooth", "smooth_low", "smooth_high"]].to_numpy()
    assert found == pytest.approx(np.array(GOLDEN), abs=1e-4)


def test_a_window_is_the_mean_of_its_readings() -> None:
    rows = random_rows()
    frame = series(rows, smooth=5)
    at = rows["date"].str[:7].map({f"{p:%Y-%m}": i for i, p in enumerate(frame["period"])})
    for number in range(len(frame)):
        around = rows[(at - number).abs() <= 2]
        assert frame["smooth"][number] == pytest.approx(around["warmth"].mean())
    assert ((frame["smooth_high"] - frame["smooth_low"]) < (frame["high"] - frame["low"])).mean() > 0.9


def test_a_window_passes_over_missing_periods_and_other_dyads() -> None:
    rows: list[Row] = [
        (0, "CHN-USA", "frosty", -1.0, "a>b", "2021-01-01", None),
        (1, "CHN-USA", "engaging", 0.5, "a>b", "2021-03-01", None),
        (2, "JPN-USA", "neutral", 0.0, "a>b", "2021-02-01", None),
    ]
    assert series(table(rows), smooth=3)["smooth"].tolist() == [-1.0, 0.5, 0.0]
    assert series(table(rows), smooth=5)["smooth"].tolist() == [-0.25, -0.25, 0.0]


def test_an_interval_does_not_depend_on_the_rest_of_the_table() -> None:
    rows = random_rows()
    alone = series(rows, since="2001-03", until="2001-03").iloc[0]
    beside = row(series(rows), "CHN-USA", "2001-03-01")
    assert [alone["low"], alone["high"]] == pytest.approx([beside["low"], beside["high"]], abs=1e-6)
    assert series(rows, seed=1)["low"].tolist() != series(rows)["low"].tolist()


def test_intervals_cover_the_mean_that_documents_are_drawn_from() -> None:
    random = np.random.default_rng(3)
    groups, size = 600, 40
    # Sentences of a document agree: drawing them one by one would cover the mean only two times in three.
    mean = random.normal(0.2, 0.5, (groups, size))
    weight = 1.0 + random.poisson(4, (groups, size)).astype(np.float64)
    group = np.repeat(np.arange(groups), size)
    low, high = intervals(group, weight.ravel(), (weight * mean).ravel(), groups=groups, draws=1000)
    assert 0.91 < ((low < 0.2) & (high > 0.2)).mean() < 0.97


def test_bundles_give_the_interval_of_documents() -> None:
    random = np.random.default_rng(4)
    size = 12 * BUNDLES
    values = random.normal(0, 1, size)
    low, high = intervals(np.zeros(size, np.int64), np.ones(size), values, groups=1, draws=2000)
    assert high[0] - low[0] == pytest.approx(2 * 1.96 / np.sqrt(size), rel=0.15)
    assert low[0] < values.mean() < high[0]


def test_a_group_without_documents_has_no_interval() -> None:
    low, _ = intervals(np.array([2, 2]), np.ones(2), np.array([0.0, 1.0]), groups=3, draws=100)
    assert np.isnan(low[:2]).all()
    assert low[2] == 0.0


def write(folder: Path, ending: str) -> Path:
    rows: list[dict[str, object]] = [
        {
            **dict.fromkeys(SCHEMA.names),
            "document": number, "id": "same", "dyad": dyad, "tone": tone, "warmth": warmth, "direction": direction,
            "date": date, "source": source, "sentence": 'Two\nlines, "both".', "start": 0, "end": 5, "cue": "",
            "mentions": [], "found": True, "by_group": False, "model": "tiny 1",
            **dict.fromkeys((f"p_{tone}" for tone in ("none", *SHARES)), 0.2),
        }
        for number, dyad, tone, warmth, direction, date, source in ROWS
    ]  # fmt: skip
    folder.mkdir()
    for number, part in enumerate((rows[:5], rows[5:])):
        with (folder / f"part-{number:05}.{ending}").open("wb") as stream:
            writer = WRITERS[ending](stream, {})
            writer.write([pa.RecordBatch.from_pylist(part, schema=SCHEMA)])
            writer.close()
    return folder


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_a_folder_of_parts_gives_what_the_frame_gives(tmp_path: Path, ending: str) -> None:
    folder = write(tmp_path / "scored", ending)
    pd.testing.assert_frame_equal(series(folder), series(table().assign(by_group=False)))
    assert series(folder).attrs["models"] == ["tiny 1"]
    assert {*series(str(folder), dyads=["JPN-USA"])["dyad"]} == {"JPN-USA"}


def grouped(frame: pd.DataFrame) -> list[float]:
    return [round(part, 3) for part in frame["by_group"]]


def test_the_part_that_rests_on_groups() -> None:
    frame = table().assign(by_group=[number in {0, 2, 4} for number in range(len(ROWS))])
    assert grouped(series(frame)) == [0.5, 0.0, 1.0, 0.0]
    without = series(frame, groups=False)
    assert grouped(without) == [0.0, 0.0, 0.0]
    assert without["sentences"].tolist() == [2, 1, 1]
    assert series(table())["by_group"].isna().all()
    with pytest.raises(ValueError, match="don't say which rest on a group's name"):
        series(table(), groups=False)


@pytest.mark.parametrize("ending", sorted(WRITERS))
def test_an_older_folder_says_by_its_mentions_what_rests_on_groups(tmp_path: Path, ending: str) -> None:
    """Schema version 1 had no column `by_group`."""
    old = pa.schema([field for field in SCHEMA if field.name != "by_group"])
    mention = {"start": 0, "end": 1, "text": "x", "via": ""}
    ways = {"CHN-JPN": "name", "CHN-USA": "group"}
    rows = [
        {
            **dict.fromkeys(SCHEMA.names), "document": number, "id": "1", "dyad": dyad, "tone": "neutral",
            "warmth": 0.1, "direction": "a>b", "date": "2021-03-10", "sentence": "One.", "start": 0, "end": 4,
            "cue": "", "found": True, "model": "tiny 1",
            "mentions": [{**mention, "state": "CHN", "how": "name"}, {**mention, "state": dyad[4:], "how": how}],
            **dict.fromkeys((f"p_{tone}" for tone in ("none", *SHARES)), 0.2),
        }
        for number, (dyad, how) in enumerate(ways.items())
    ]  # fmt: skip
    (tmp_path / "old").mkdir()
    file = tmp_path / "old" / f"part-00000.{ending}"
    with file.open("wb") as stream:
        # CSV and JSON lines are written without the column as version 1 did.
        writer = WRITERS[ending](stream, {}, old)
        writer.write([pa.RecordBatch.from_pylist(rows, schema=old)])
        writer.close()
    assert b"by_group" not in file.read_bytes()
    assert grouped(series(tmp_path / "old")) == [0.0, 1.0]
    assert {*series(tmp_path / "old", groups=False)["dyad"]} == {"CHN-JPN"}


def reading(tone: str, warmth: float | None) -> Reading:
    probabilities = dict.fromkeys(TONES, 0.05) | {tone: 0.8}
    return Reading(
        id="", sentence="", start=0, end=0, dyad="CHN-JPN", tone=tone, warmth=warmth, probabilities=probabilities,
        direction="a>b", model="tiny 1",
    )  # fmt: skip


def test_documents_with_their_readings() -> None:
    documents = [Document.of("x", date=f"2021-0{month}-10") for month in (1, 1, 2)]
    found = [[reading("frosty", -0.5), reading("none", 0.2)], [reading("neutral", 0.1)], [reading("none", None)]]
    frame = series(zip(documents, found, strict=True), min_probability=0.8)
    assert frame["documents"].tolist() == [2]
    assert frame["warmth"].tolist() == [pytest.approx(-0.2)]
    assert frame.attrs["models"] == ["tiny 1"]


def pairs(count: int) -> list[tuple[Document, list[Reading]]]:
    return [(Document("", datetime.date(2021, 1, 1)), []) for _ in range(count)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: series(table(), period="decade"), "period 'decade' is none of day, week, month, quarter, year"),
        (lambda: series(table(), smooth=2), "smooth must be an odd number"),
        (lambda: series(table(), source_cap=1.5), "source_cap must lie in 0..1"),
        (lambda: series(table(), dyads=["CHN-JPN"]), "no reading of CHN-JPN"),
        (lambda: series(table(), dyads=["CHN-XXX"]), "'XXX' is not a known state"),
        (lambda: series(table(), sources=["weekly"]), "no source weekly; there are daily, wire"),
        (lambda: series(table(), since="March"), "'March' is not a date"),
        (lambda: series(table(), since="2022"), "no reading is left of 9, 2 of them without a date"),
        (lambda: series(table().drop(columns="warmth")), "no column warmth; there are document, dyad, tone"),
        (lambda: series(table().assign(tone="warm")), "column tone: 'warm' is none of none, frosty"),
        (lambda: series(table().assign(date="soon")), "column date: 'soon' is not a date"),
        (lambda: series(table().iloc[:0]), "no reading is left of 0"),
        (lambda: series(pairs(0)), "no reading is left of 0"),
        (lambda: series(pairs(2)), "no reading is left of 0"),
    ],
)
def test_what_cannot_be_summed_up(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_no_parts(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no part-\\* there; write them with `detente score"):
        series(tmp_path)


def test_parts_of_something_else(tmp_path: Path) -> None:
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "part-0.parquet")
    with pytest.raises(ValueError, match="no column dyad, tone, warmth, date; there are x"):
        series(tmp_path)
