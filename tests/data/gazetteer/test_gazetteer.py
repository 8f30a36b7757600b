"""The tables keep to their own rules: codes, dates, terms, forms."""

import csv
import runpy
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from detente.data.gazetteer.gazetteer import FOLDER, Term, first_day, last_day, load, rows, tables

HOWS = {"name", "demonym", "capital", "body"}
OFFICES = {
    *("head_of_state", "head_of_government", "foreign_minister", "defence_minister", "vice_president", "treasury"),
    *("commerce", "trade_representative", "national_security_adviser", "party_leader", "diplomat"),
    *("commission_president", "council_president", "high_representative", "secretary_general"),
}
ASKED = [
    *("ARG", "AUS", "BRA", "CAN", "CHN", "DEU", "FRA", "GBR", "IDN", "IND", "ITA", "JPN", "KOR", "MEX", "RUS", "SAU"),
    *("TUR", "USA", "ZAF", "UKR", "ISR", "PSE", "IRN", "IRQ", "SYR", "EGY", "PAK", "AFG", "PRK", "TWN", "PHL", "VNM"),
]


def test_states_are_complete() -> None:
    kinds = [row["kind"] for row in rows(FOLDER / "states.csv")]
    assert kinds.count("un") == 193
    assert {"TWN", "PSE", "XKX", "VAT", "EUU", "NAT"} <= tables().states.keys()
    assert tables().territories == {"HKG"}
    assert len(kinds) == len(tables().states) == 200


def test_every_state_has_a_name_a_demonym_and_a_capital() -> None:
    for how, without in {
        "name": set(),
        "demonym": {"EUU", "NAT", "VAT", "DMA"},
        "capital": {"NAT", "SYC", "MCO", "HKG"},
    }.items():
        found = {form.state for form in tables().forms if form.how == how}
        assert tables().states.keys() - found <= without


def test_names_keep_to_the_columns() -> None:
    known = {"exact", "person", "prefix", "loose", "cue", "dated", "the", "actor"}
    for form in tables().forms:
        assert form.state in tables().states
        assert form.how in HOWS
        assert form.form == form.form.strip()
        assert all(flag in known or flag[4:] in tables().states for flag in form.flags), form
        assert form.term.start is None or form.term.end is None or form.term.start <= form.term.end


def test_a_form_of_two_states_has_dates() -> None:
    seen: dict[str, set[str]] = {}
    for form in tables().forms:
        if form.term == Term(None, None):
            seen.setdefault(form.form, set()).add(form.state)
    assert [form for form, states in seen.items() if len(states) > 1] == []


def test_people_keep_to_the_columns() -> None:
    for row in rows(FOLDER / "people.csv"):
        start, end = first_day(row["start"]), last_day(row["end"])
        assert row["state"] in tables().states, row
        assert row["office"] in OFFICES, row
        assert row["bare"] in {"yes", "no"}, row
        assert row["sure"] in {"yes", "month", "no"}, row
        assert row["aliases"].split("|")[-1].startswith("^"), row
        assert row["aliases"].count("^") == 1, row
        assert start is None or end is None or start <= end, row
        assert row["start"] or row["sure"] == "no", row
        assert end is None or end >= date(1987, 1, 1), row


@pytest.mark.parametrize("state", ASKED)
def test_offices_reach_to_today(state: str) -> None:
    heads = {"head_of_state", "head_of_government", "party_leader"}
    terms = [term for p in tables().people if p.state == state for term in p.terms]
    # Palestine has no minister of defence.
    for office in (heads, {"foreign_minister"}, *([{"defence_minister"}] if state != "PSE" else [])):
        begun = [term for term in terms if term.office in office and term.start]
        assert begun, (state, office)
        assert max(term.end or date.max for term in begun) >= date(2024, 1, 1), (state, office)


@pytest.mark.parametrize(
    ("state", "name", "day"),
    [
        ("USA", "Ronald Reagan", date(1987, 6, 12)),
        ("USA", "Antony Blinken", date(2021, 3, 10)),
        ("JPN", "Yasuhiro Nakasone", date(1987, 3, 1)),
        ("RUS", "Mikhail Gorbachev", date(1989, 12, 3)),
        ("GBR", "Margaret Thatcher", date(1990, 11, 1)),
        ("CHN", "Xi Jinping", date(2023, 11, 15)),
        ("EUU", "Ursula von der Leyen", date(2024, 6, 1)),
        ("NAT", "Jens Stoltenberg", date(2022, 2, 24)),
    ],
)
def test_who_was_in_office(state: str, name: str, day: date) -> None:
    holders = {p.name for p in tables().people if p.state == state and any(t.holds(day) for t in p.terms)}
    assert name in holders


def test_us_presidents_follow_each_other() -> None:
    terms = sorted(
        (term.start, term.end or date.max)
        for person in tables().people
        if person.state == "USA"
        for term in person.terms
        if term.office in {"head_of_state", "head_of_government"} and term.start
    )
    assert all(first[1] == second[0] for first, second in pairwise(terms))


#: Heads of government who held the office side by side: rivals, two prime ministers, one who stood in for another.
SIDE_BY_SIDE = [
    *({"Ariel Sharon", "Ehud Olmert"}, {"Hun Sen", "Norodom Ranariddh"}, {"Hun Sen", "Ung Huot"}),
    *({"Selim Hoss", "Michel Aoun"}, {"Abdullah al-Thinni", "Fayez al-Sarraj"}),
    *({"Abdullah al-Thinni", "Abdul Hamid Dbeibah"}, {"Tantely Andrianarivo", "Jacques Sylla"}),
    *({"Ivan Silayev", "Boris Yeltsin"}, {"Ali Khamenei", "Mir Hossein Mousavi"}),
]


def test_no_two_heads_of_government_at_once() -> None:
    """Dates to the month may overlap by that month."""
    heads: dict[str, list[tuple[date, date, str]]] = {}
    for row in rows(FOLDER / "people.csv"):
        if row["office"] == "head_of_government":
            span = last_day(row["start"]) or date.min, first_day(row["end"]) or date.max
            heads.setdefault(row["state"], []).append((*span, row["name"]))
    at_once = [
        (state, a[2], b[2])
        for state, terms in heads.items()
        for a, b in combinations(terms, 2)
        if a[0] < b[1] and b[0] < a[1] and {a[2], b[2]} not in SIDE_BY_SIDE
    ]
    assert at_once == []


def test_no_gap_of_over_a_year_is_unmarked() -> None:
    spans: dict[tuple[str, str], list[tuple[date, date]]] = {}
    marked: dict[tuple[str, str], list[tuple[date, date]]] = {}
    for row in rows(FOLDER / "people.csv"):
        span = first_day(row["start"]) or date.min, last_day(row["end"]) or date.max
        spans.setdefault((row["state"], row["office"]), []).append(span)
    born = {
        state: min(
            start for office in ("head_of_state", "head_of_government") for start, _ in spans.get((state, office), ())
        )
        for state, _ in spans
        if {(state, "head_of_state"), (state, "head_of_government")} & spans.keys()
    }
    for row in rows(FOLDER / "gaps.csv"):
        assert row["why"] in {"none", "missing"}
        span = first_day(row["from"]) or date.min, last_day(row["to"]) or date.max
        marked.setdefault((row["state"], row["office"]), []).append(span)
    unmarked = []
    for row in rows(FOLDER / "states.csv"):
        for office in ("head_of_state", "head_of_government") if row["kind"] in {"un", "observer"} else ():
            key = row["state"], office
            at = max(date(1990, 1, 1), born[row["state"]])
            for start, end in [*sorted([*spans.get(key, []), *marked.get(key, [])]), (date(2026, 1, 1), date.max)]:
                unmarked += [(*key, at, start)] if (start - at).days > 366 else []
                at = max(at, end)
    assert unmarked == []


def test_a_person_is_written_alike_in_every_row() -> None:
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for row in rows(FOLDER / "people.csv"):
        said = row["aliases"], row["bare"]
        assert seen.setdefault((row["state"], row["name"]), said) == said, row


def test_the_coverage_shown_is_that_of_the_tables() -> None:
    shown = {state: years for state, _, years in runpy.run_path("docs/officeholders.py")["coverage"]()}
    assert len(shown) == len(tables().states) - 3
    assert shown["SVK"]["head_of_government"] == "1992-2025"
    assert shown["USA"]["head_of_government"] == "none"
    assert all(years["head_of_state"] or years["head_of_government"] for years in shown.values())


def test_groups_have_the_members_of_the_day() -> None:
    groups = {group.id: group for group in tables().groups}
    assert groups["quad"].members_on(date(2021, 3, 12)) == ["AUS", "IND", "JPN", "USA"]
    assert groups["quad"].members_on(date(2012, 1, 1)) == []
    assert "RUS" in groups["G8"].members_on(date(2006, 7, 15))
    assert groups["G8"].members_on(None) == sorted(["CAN", "DEU", "FRA", "GBR", "ITA", "JPN", "RUS", "USA"])
    assert len(groups["eu"].members_on(date(2021, 1, 1))) == 27
    assert len(groups["nato"].members_on(date(2024, 7, 9))) == 32
    assert "IRN" in groups["brics"].members_on(None)
    for group in groups.values():
        assert group.expand in {"all", "none"}
        assert all(member in tables().states for member, _ in group.members)


def test_phrases_speak_of_known_states() -> None:
    assert all(state in tables().states for phrase in tables().phrases for state in phrase.states)


def test_dates_to_the_month_and_year() -> None:
    assert first_day("1991") == date(1991, 1, 1)
    assert last_day("1991") == date(1991, 12, 31)
    assert last_day("1992-02") == date(1992, 2, 29)
    assert first_day("") is last_day("") is None


def test_a_malformed_row_is_named(tmp_path: Path) -> None:
    for table in FOLDER.glob("*.csv"):
        (tmp_path / table.name).write_bytes(table.read_bytes())
    with (tmp_path / "states.csv").open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(["ZZZ", "Nowhere"])
    with pytest.raises(ValueError, match=r"states\.csv.*2 cells instead of 3"):
        load(tmp_path)


def test_comments_are_skipped(tmp_path: Path) -> None:
    table = tmp_path / "states.csv"
    table.write_text("# what it is\nstate,name,kind\nFRA,France,un\n", encoding="utf-8")
    assert list(rows(table)) == [{"state": "FRA", "name": "France", "kind": "un"}]
