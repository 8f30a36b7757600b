"""Load the tables of states, names, people and groups (the CSV files of this folder) into plain records.

`README.md` explains every column. Dates have the precision of a day, a month or a year.
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
    """A period of time; an open start or end is `None`."""

    start: date | None
    end: date | None
    office: str = ""

    def holds(self, day: date) -> bool:
        """Return whether the day lies in the term, both ends included."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class SurfaceForm:
    """One way to write a state: a row of `names.csv`."""

    form: str
    state: str
    how: str
    flags: frozenset[str]
    term: Term


@dataclass(frozen=True, slots=True)
class Person:
    """A holder of one state's offices: the rows of `people.csv` with the same name.

    Attributes:
        name: most frequent full name in news.
        state: state of the offices.
        forms: all full names, `name` first.
        surname: short name at later mentions.
        surname_is_unique: whether the surname alone identifies the person while in office.
        terms: terms of office.
    """

    name: str
    state: str
    forms: tuple[str, ...]
    surname: str
    surname_is_unique: bool
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of states with dated membership; `expand` is `all` or `none` (see `linking.md`)."""

    id: str
    forms: tuple[str, ...]
    expand: str
    members: tuple[tuple[str, Term], ...]

    def members_on(self, day: date | None) -> list[str]:
        """Return the members on a day, sorted; without a day the present members, or all former ones."""
        if day is not None:
            return sorted({state for state, term in self.members if term.holds(day)})
        present = {state for state, term in self.members if term.end is None}
        return sorted(present or {state for state, _ in self.members})


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that refers to several states at once: a row of `phrases.csv`."""

    form: str
    states: tuple[str, ...]
    term: Term


@dataclass(frozen=True, slots=True)
class Tables:
    """The gazetteer, as the linker uses it.

    Attributes:
        states: English short name of each state, by code.
        territories: codes of territories, which are linked only on request.
        forms: rows of `names.csv`.
        people: office holders.
        groups: groups of states.
        phrases: rows of `phrases.csv`.
        not_states: forms of `not_states.csv`, by kind.
    """

    states: dict[str, str]
    territories: frozenset[str]
    forms: tuple[SurfaceForm, ...]
    people: tuple[Person, ...]
    groups: tuple[Group, ...]
    phrases: tuple[Phrase, ...]
    not_states: dict[str, frozenset[str]]


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a table as dictionaries; lines that begin with `#` are comments.

    Raises:
        ValueError: a row has more or fewer cells than the header.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(line for line in file if not line.startswith("#"))
        header = next(reader)
        for row in reader:
            if len(row) != len(header):
                raise ValueError(f"{path}: {len(row)} cells instead of {len(header)} in the row {row}; mend the table")
            yield dict(zip(header, row, strict=True))


def first_day(text: str) -> date | None:
    """Return the first day of `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; `None` for an empty text."""
    if not text:
        return None
    year, month, day = (*(int(part) for part in text.split("-")), 1, 1)[:3]
    return date(year, month, day)


def last_day(text: str) -> date | None:
    """Return the last day of `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; `None` for an empty text."""
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
        surname_is_unique=head["bare"] == "yes",
        terms=tuple(Term(first_day(r["start"]), last_day(r["end"]), r["office"]) for r in records),
    )


def load(folder: Path = FOLDER) -> Tables:
    """Load the tables of a folder.

    Raises:
        ValueError: a row is malformed.
        FileNotFoundError: a table is missing.
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
            SurfaceForm(
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
    """Return the tables of the package, loaded at the first call."""
    return load()
