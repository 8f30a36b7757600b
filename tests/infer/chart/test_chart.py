"""Charts: files that can be read, that say what they show, and that ask nobody for anything."""

import datetime
import json
import re
import struct
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.dates import date2num

from detente.infer.chart.common import STYLES, Event, alone, lanes, note, read_events, runs, shown
from detente.infer.chart.static import draw, plot
from detente.infer.chart.vega import specification
from detente.infer.series.series import series

SVG = "{http://www.w3.org/2000/svg}"


def frame(
    dyads: tuple[str, ...] = ("CHN-USA", "JPN-USA"), smooth: int = 1, cap: float = 1, sure: float = 0
) -> pd.DataFrame:
    """Eight months; in March there is nothing, in May one document, in all others ten."""
    random = np.random.default_rng(1)
    rows = [
        (
            number * 100 + month * 10 + document,
            dyad,
            "neutral",
            random.uniform(-0.5, 0.5),
            f"2021-{month:02}-10",
            "wire",
        )
        for number, dyad in enumerate(dyads)
        for month in (1, 2, 4, 5, 6, 7, 8)
        for document in range(1 if month == 5 else 10)
    ]
    table = pd.DataFrame(rows, columns=["document", "dyad", "tone", "warmth", "date", "source"])
    return series(table.assign(model="tiny 1"), smooth=smooth, source_cap=cap, min_probability=sure)


EVENTS = [
    Event(datetime.date(2021, 2, 3), "a summit"),
    Event(datetime.date(2021, 2, 20), "tariffs </script><b>", "CHN-USA"),
    Event(datetime.date(2021, 7, 1), "a visit", "JPN-USA"),
    Event(datetime.date(2021, 7, 2), "another dyad's", "CHN-JPN"),
    Event(datetime.date(2020, 7, 2), "too early"),
]


@pytest.mark.parametrize("smooth", [1, 3])
def test_png_and_pdf(tmp_path: Path, smooth: int) -> None:
    plot(frame(smooth=smooth), tmp_path / "chart.png", events=EVENTS, title="Two dyads")
    data = (tmp_path / "chart.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert width == 2160  # 7.2 inches of 300 dots, whatever the labels
    assert height > 1000
    plot(frame(smooth=smooth), tmp_path / "chart.pdf")
    assert (tmp_path / "chart.pdf").read_bytes().startswith(b"%PDF")


def test_svg_says_what_it_shows(tmp_path: Path) -> None:
    plot(frame(), tmp_path / "chart.svg", events=EVENTS, title="Two dyads")
    text = " ".join("".join(node.itertext()) for node in ElementTree.parse(tmp_path / "chart.svg").iter(f"{SVG}text"))
    for words in ("Two dyads", "China–United States", "Japan–United States", "neutral", "a summit", "a visit"):
        assert words in text
    for words in ("95 % bootstrap interval over documents", "fewer than 5 documents", "122 sentences", "tiny 1"):
        assert words in text
    assert "another dyad's" not in text
    assert "too early" not in text


def test_the_same_chart_is_the_same_file(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        plot(frame(), tmp_path / name, events=EVENTS)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_thin_periods_are_hollow_and_dotted() -> None:
    axes, _ = draw(frame(("CHN-USA",))).axes
    hollow = [line for line in axes.get_lines() if line.get_marker() == "o" and line.get_markerfacecolor() == "white"]
    assert [np.asarray(line.get_xdata()).tolist() for line in hollow] == [[date2num(np.datetime64("2021-05-16T12:00"))]]
    dotted = [line for line in axes.get_lines() if line.get_linewidth() == 0.9]
    assert [np.size(line.get_xdata()) for line in dotted] == [3]  # April, May, June


def test_runs() -> None:
    rows = frame(("CHN-USA",))
    assert [*runs(rows)] == [(False, slice(0, 2)), (True, slice(2, 5)), (False, slice(4, 7))]
    lonely = rows.drop(index=[1, 5]).reset_index(drop=True)
    lonely.attrs = rows.attrs
    assert lonely["period"].dt.month.tolist() == [1, 4, 5, 6, 8]
    assert [*runs(lonely)] == [(True, slice(1, 4))]
    assert alone(lonely).tolist() == [True, True, False, True, True]


def test_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    plot(frame(smooth=3), tmp_path / "chart.html", events=EVENTS, title="Two <dyads>")
    page = (tmp_path / "chart.html").read_text("utf-8")
    assert "default-src 'none'" in page
    assert not re.search(
        r"<(?:link|img|iframe|object|embed|base)\b|<script[^>]*\bsrc\b|@import|\burl\(", head_and_body(page)
    )
    assert "://" not in head_and_body(page)
    # What is left in Vega itself: names of namespaces, and links for developers, none of which is loaded.
    hosts = {*re.findall(r"https?://([\w.-]+)", page)}
    assert hosts <= {"www.w3.org", "github.com", "vega.github.io"}


def head_and_body(page: str) -> str:
    """Return the page without what is inside its scripts."""
    return re.sub(r"(<script[^>]*>).*?(</script>)", r"\1\2", page, flags=re.DOTALL)


def test_page_escapes_what_it_is_given(tmp_path: Path) -> None:
    plot(frame(), tmp_path / "chart.html", events=EVENTS, title="Two <dyads>")
    page = (tmp_path / "chart.html").read_text("utf-8")
    assert "<h1>Two &lt;dyads></h1>" in page.replace("&gt;", ">")
    assert page.count("</script>") == 2
    (spec,) = re.findall(r"<script>drawChart\((.*)\);</script>", page)
    assert [event["label"] for event in json.loads(spec)["datasets"]["events"]] == [e.label for e in EVENTS[:3]]


@pytest.mark.parametrize("smooth", [1, 3])
def test_specification_is_vega_lite(smooth: int) -> None:
    spec = specification(frame(smooth=smooth), EVENTS)
    svg = vl_convert.vegalite_to_svg(spec)
    text = " ".join("".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text"))
    for words in ("China–United States", "a summit", "a visit", "documents", "neutral"):
        assert words in text
    assert len(spec["datasets"]["points"]) == 14
    assert len(spec["datasets"]["thin"]) == (0 if smooth == 3 else 6)


@given(st.lists(st.tuples(st.floats(0, 6), st.floats(0.1, 3)), max_size=20))
def test_labels_do_not_meet(events: list[tuple[float, float]]) -> None:
    events.sort()
    found = lanes([place for place, _ in events], [width for _, width in events])
    for one, ((place, width), lane) in enumerate(zip(events, found, strict=True)):
        for (other, _), other_lane in zip(events[one + 1 :], found[one + 1 :], strict=True):
            assert lane != other_lane or place + width <= other


def test_events_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text('\ufeffdate,label,dyad\n2021-07-01,a visit,USA-JPN\n2021-02-03,"a summit,  at last",\n', "utf-8")
    assert read_events(file) == [
        Event(datetime.date(2021, 2, 3), "a summit, at last"),
        Event(datetime.date(2021, 7, 1), "a visit", "JPN-USA"),
    ]
    file.write_text("label,date\nin a month,2021-07\n", "utf-8")
    assert read_events(file) == [Event(datetime.date(2021, 7, 15), "in a month")]
    assert [event.label for event in shown(read_events(file), frame())] == ["in a month"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("when,what\n2021,x\n", "line 2: no column date and label; there are when, what"),
        ("date,label\n2021-02-03,x\nsoon,y\n", "line 3: 'soon' is not a date"),
        ("date,label\n2021-02-03,\n", "line 2: an event needs a date and a label"),
        ("date,label,dyad\n2021-02-03,x,CHN\n", "line 2: 'CHN' is not a dyad"),
    ],
)
def test_events_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "events.csv").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=re.escape(f"events.csv, {message}")):
        read_events(tmp_path / "events.csv")


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a chart's name ends in .png, .svg, .pdf or .html"):
        plot(frame(), tmp_path / "chart.gif")
    many = ("CHN-USA", "JPN-USA", "RUS-USA", "KOR-USA", "IND-USA", "FRA-USA", "GBR-USA")
    assert len(many) == len(STYLES) + 1
    with pytest.raises(ValueError, match="a chart shows 1 to 6 dyads, not 7"):
        plot(frame(many), tmp_path / "chart.png")
    lost = frame()
    lost.attrs = {}
    with pytest.raises(ValueError, match=r"has lost what detente\.series wrote into its attrs"):
        plot(lost, tmp_path / "chart.png")


@pytest.mark.parametrize("ending", ["png", "html"])
def test_small_and_large_charts(tmp_path: Path, ending: str) -> None:
    six = frame(("CHN-USA", "JPN-USA", "RUS-USA", "KOR-USA", "IND-USA", "COD-PRK"))
    plot(six, tmp_path / f"six.{ending}")
    plot(six[six["dyad"] == "COD-PRK"].tail(1), tmp_path / f"one.{ending}")  # one period, an index that isn't 0..
    plot(frame(), tmp_path / f"narrow.{ending}", width=3.4)
    assert all((tmp_path / f"{name}.{ending}").stat().st_size > 5000 for name in ("six", "one", "narrow"))


def test_note_tells_how_it_was_made() -> None:
    assert "window of 3 months" in note(frame(smooth=3))
    assert "group's name" not in note(frame())
    half = frame()
    half["by_group"] = 0.5
    assert "; 50% of the readings rest on a group's name; " in note(half)
    half.attrs["groups"] = False
    assert "; without readings that rest on a group's name; " in note(half)
    assert "each source weighs the same" in note(frame(cap=0))
    assert "no source weighs more than 40% of a month" in note(frame(cap=0.4))
    assert "probability 0.5 and up" in note(frame(sure=0.5))
