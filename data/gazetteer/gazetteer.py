"""The tables of states, names, people and groups (`tables/*.csv`), read once into plain records.

`tables/README.md` explains every column. Dates may be written to the day, the month or the year.
"""

import csv
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Term:
    """A stretch of time; an open end is `None`."""

    start: date | None
    end: date | None
    office: str = ""

    def holds(self, day: date) -> bool:
        """Tell whether the day lies in the term, both ends included."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write a state: one row of `names.csv`."""

    form: str
    state: str
    how: str
    flags: frozenset[str]
    term: Term


@dataclass(frozen=True, slots=True)
class Person:
    """A holder of offices of one state: the rows of `people.csv` with one name.

    Attributes:
        name: the full name that news writes most.
        state: the state that the offices belong to.
        forms: every full form, `name` first.
        surname: what news calls the person at later mentions.
        bare: whether the surname alone is the person, in office.
        terms: the times in office.
    """

    name: str
    state: str
    forms: tuple[str, ...]
    surname: str
    bare: bool
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of states with dated membership; `expand` is `all` or `none` (see `linking.md`)."""

    id: str
    forms: tuple[str, ...]
    expand: str
    members: tuple[tuple[str, Term], ...]

    def at(self, day: date | None) -> list[str]:
        """Return the members on a day, sorted; without a day the present ones, or the last there were."""
        if day is not None:
            return sorted({state for state, term in self.members if term.holds(day)})
        present = {state for state, term in self.members if term.end is None}
        return sorted(present or {state for state, _ in self.members})


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand for several states at a time: one row of `phrases.csv`."""

    form: str
    states: tuple[str, ...]
    term: Term


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that the linker knows.

    Attributes:
        states: English short name of each state, by code.
        territories: codes of those that are no states and are found only where they are asked for.
        forms: the rows of `names.csv`.
        people: the office holders.
        groups: the groups.
        phrases: the rows of `phrases.csv`.
        not_states: the forms of `not_states.csv`, by kind.
    """

    states: dict[str, str]
    territories: frozenset[str]
    forms: tuple[Form, ...]
    people: tuple[Person, ...]
    groups: tuple[Group, ...]
    phrases: tuple[Phrase, ...]
    not_states: dict[str, frozenset[str]]


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a table as dictionaries; lines that begin with `#` are comments.

    Raises:
        ValueError: if a row has more or fewer cells than the header.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(line for line in file if not line.startswith("#"))
        header = next(reader)
        for row in reader:
            if len(row) != len(header):
                raise ValueError(f"{path}: {len(row)} cells instead of {len(header)} in the row {row}; mend the table")
            yield dict(zip(header, row, strict=True))


def first_day(text: str) -> date | None:
    """Read `YYYY`, `YYYY-MM` or `YYYY-MM-DD` as the first day it may mean; empty text gives `None`."""
    if not text:
        return None
    year, month, day = (*(int(part) for part in text.split("-")), 1, 1)[:3]
    return date(year, month, day)


def last_day(text: str) -> date | None:
    """Read `YYYY`, `YYYY-MM` or `YYYY-MM-DD` as the last day it may mean; empty text gives `None`."""
    if not text:
        return None
    parts = [int(part) for part in text.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else 12
    return date(year, month, parts[2] if len(parts) > 2 else monthrange(year, month)[1])


def _person(records: list[dict[str, str]]) -> Person:
    head = records[0]
    aliases = head["aliases"].split("|")
    full = dict.fromkeys([head["name"], *(alias for alias in aliases if alias and not alias.startswith("^"))])
    return Person(
        name=head["name"],
        state=head["state"],
        forms=tuple(full),
        surname=next(alias[1:] for alias in aliases if alias.startswith("^")),
        bare=head["bare"] == "yes",
        terms=tuple(Term(first_day(r["start"]), last_day(r["end"]), r["office"]) for r in records),
    )


def load(folder: Path = FOLDER) -> Tables:
    """Read the tables of a folder.

    Raises:
        ValueError: if a row is malformed.
        FileNotFoundError: if a table is missing.
    """
    states = list(rows(folder / "states.csv"))
    people = sorted(rows(folder / "people.csv"), key=lambda r: (r["state"], r["name"]))
    groups = groupby(rows(folder / "groups.csv"), key=lambda r: r["group"])
    not_states: dict[str, set[str]] = {}
    for row in rows(folder / "not_states.csv"):
        not_states.setdefault(row["kind"], set()).add(row["form"])
    return Tables(
        states={row["state"]: row["name"] for row in states},
        territories=frozenset(row["state"] for row in states if row["kind"] == "territory"),
        forms=tuple(
            Form(
                form=row["form"],
                state=row["state"],
                how=row["how"],
                flags=frozenset(row["flags"].split()),
                term=Term(first_day(row["from"]), last_day(row["to"])),
            )
            for row in rows(folder / "names.csv")
        ),
        people=tuple(_person(list(records)) for _, records in groupby(people, key=lambda r: (r["state"], r["name"]))),
        groups=tuple(_group(name, list(records)) for name, records in groups),
        phrases=tuple(
            Phrase(row["form"], tuple(row["states"].split("+")), Term(first_day(row["from"]), last_day(row["to"])))
            for row in rows(folder / "phrases.csv")
        ),
        not_states={kind: frozenset(forms) for kind, forms in not_states.items()},
    )


def _group(name: str, records: list[dict[str, str]]) -> Group:
    forms = tuple(form for form in records[0]["forms"].split("|") if form)
    members = tuple((r["member"], Term(first_day(r["from"]), last_day(r["to"]))) for r in records)
    return Group(name, forms, records[0]["expand"], members)


@cache
def tables() -> Tables:
    """Return the tables that the package carries, read at the first call."""
    return load()
