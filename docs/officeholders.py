"""Who is known when: the years for which the tables hold each state's leaders and ministers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from detente.data.gazetteer.gazetteer import FOLDER, Term, first_day, last_day, rows, tables

#: The offices shown, with their columns' names.
OFFICES = {
    "head_of_state": "head of state",
    "head_of_government": "head of government",
    "foreign_minister": "foreign minister",
    "defence_minister": "defence minister",
}
#: The years shown.
YEARS = range(1990, 2026)


def years(terms: Iterable[Term]) -> list[int]:
    """Return the years that a term touches."""
    return [year for year in YEARS if any(_touches(term, year) for term in terms)]


def spans(found: list[int]) -> str:
    """Write years as spans: 1990-1993, 1997."""
    parts: list[list[int]] = []
    for year in found:
        if parts and parts[-1][-1] == year - 1:
            parts[-1].append(year)
        else:
            parts.append([year])
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts)


def coverage() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield each state's code, its name and, by office, the years with a holder; `none` if there is no such office."""
    held: defaultdict[tuple[str, str], list[Term]] = defaultdict(list)
    for person in tables().people:
        for term in person.terms:
            held[person.state, term.office].append(term)
    without: defaultdict[tuple[str, str], list[Term]] = defaultdict(list)
    for gap in rows(FOLDER / "gaps.csv"):
        if gap["why"] == "none":
            without[gap["state"], gap["office"]].append(Term(first_day(gap["from"]), last_day(gap["to"])))
    for state, name in tables().states.items():
        if state in tables().territories or state in {"EUU", "NAT"}:
            continue
        shown = {office: spans(years(held[state, office])) for office in OFFICES}
        for office in OFFICES:
            if not shown[office] and without[state, office]:
                shown[office] = "none"
        yield state, name, shown


def table() -> str:
    """Return the table in Markdown."""
    lines = [f"| state | | {' | '.join(OFFICES.values())} |", "|---|---|" + "---|" * len(OFFICES)]
    lines += [f"| {state} | {name} | {' | '.join(shown.values())} |" for state, name, shown in coverage()]
    return "\n".join(lines) + "\n"


def _touches(term: Term, year: int) -> bool:
    return (term.start or date.min).year <= year <= (term.end or date.max).year
