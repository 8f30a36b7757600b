"""Other states in the same sentence: what makes a tone come from the words and not from the countries.

A mention is exchanged for one of the same kind: a name for a name, an adjective for an adjective, a capital for a
capital, a leader for a leader of the same office. A row that holds a mention of another kind is left as it is.
"""

import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import pairwise

from detente.data.gazetteer.gazetteer import Person, SurfaceForm, Tables, tables
from detente.models.features import Span
from detente.train.examples import Row

#: What hides a mention; a token of its own in the vocabulary of every BERT (MPNet and RoBERTa write `<mask>`).
MASK = "[MASK]"

#: The states that others are exchanged for: those that news writes most about, each with all kinds of mention.
OTHERS = (
    "ARG AUS BRA CAN CHN COL CUB DEU EGY ESP ETH FRA GBR GRC IDN IND "
    "IRN IRQ ISR ITA JPN KEN KOR MEX MYS NGA NOR PAK PER PHL POL PRK "
    "RUS SAU SWE SYR THA TUR UKR USA VEN VNM ZAF "
).split()

#: Where the head of government leads and the head of state is a figure of ceremony.
PARLIAMENTARY = frozenset("AUS CAN DEU ESP ETH GBR GRC IND ISR ITA IRQ JPN MYS NOR PAK SWE THA".split())

#: Offices whose holder news takes for the state's leader.
_LEADERS = ("head_of_state", "head_of_government", "party_leader")

#: Names that take "the" as a noun.
ARTICLE = frozenset({"USA", "GBR", "PHL", "ARE", "NLD", "EUU"})

#: Names that news uses as adjectives too ("U.S. officials").
_BOTH = re.compile(r"U\.?\s?S\.?(?:A\.?)?|U\.?K\.?|EU|E\.U\.|UAE|EC|UK")

#: What follows such a name where it is a noun ("the U.S. said", "the U.S., which").
_AFTER_NOUN = re.compile(
    r"\W*$|[’'.,;:?!)\"”–—-]"
    r"| (?:and|or|to|in|on|for|with|of|at|by|from|as|that|which|who|over|if|is|was|has|had|will|would|could|should|may"
    r"|must|can|did|does|said|says|also|not|were|are|have|against|after|before|during|because|while|but|than|into|under)\b"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a mention is, so that another can take its place: `name`, `adjective`, `people`, `capital` or an office."""

    what: str
    surname: bool = False


class Swapper:
    """Exchanges states for others, by the package's tables.

    Args:
        known: the tables.
    """

    def __init__(self, known: Tables) -> None:
        self.names = known.states
        self.forms: dict[tuple[str, str], list[SurfaceForm]] = {}
        self.kinds: dict[tuple[str, str], Kind] = {}
        self.people: dict[str, list[Person]] = {}
        for form in known.forms:
            if "prefix" in form.flags:
                continue
            what = form.how
            if what == "demonym":
                singular = form.form.removesuffix("s")
                what = "people" if (form.state, singular) in self.kinds and singular != form.form else "adjective"
            if what in {"name", "adjective", "people", "capital"}:
                self.forms.setdefault((form.state, what), []).append(form)
                self.kinds[form.state, form.form] = Kind(what)
        for person in known.people:
            self.people.setdefault(person.state, []).append(person)
            office = person.terms[0].office
            for full in person.forms:
                self.kinds.setdefault((person.state, full), Kind(office))
            self.kinds.setdefault((person.state, person.surname), Kind(office, surname=True))

    def swapped(self, row: Row, states: Mapping[str, str]) -> Row | None:
        """Exchange states, or return None where a mention has no like.

        Args:
            row: with the states of its actors.
            states: new code by old code; actors of other states keep theirs.
        """
        edits: list[tuple[int, int, str]] = []
        for state, spans in zip(row.states, row.actors, strict=True):
            if state not in states:
                continue
            for start, end in spans:
                edit = self._edit(row, start, end, state, states[state])
                if edit is None:
                    return None
                edits.append(edit)
        moved = edited(row, edits)
        return moved and replace(moved, states=[states.get(state, state) for state in row.states])

    def drawn(self, row: Row, draw: random.Random, avoid: Collection[str] = ()) -> Row | None:
        """Exchange all of a row's states for others, drawn anew; None where that cannot be.

        Args:
            row: with the states of its actors.
            draw: which of `OTHERS` they become.
            avoid: states that they must not become; those of the row itself never are.
        """
        states = list(dict.fromkeys(row.states))
        free = [state for state in OTHERS if state not in states and state not in avoid]
        if len(states) > len(free):  # a roll call
            return None
        return self.swapped(row, dict(zip(states, draw.sample(free, len(states)), strict=True)))

    def _edit(self, row: Row, start: int, end: int, old: str, new: str) -> tuple[int, int, str] | None:
        words = row.text[start:end]
        kind = self.kinds.get((old, words))
        if kind is None:
            return None
        the = re.search(r"\b[Tt]he $", row.text[:start])
        noun = the and _AFTER_NOUN.match(row.text, end)
        if kind.what == "name" and _BOTH.fullmatch(words) and not noun:
            kind = Kind("adjective")
        if kind.what in {"adjective", "people", "capital"}:
            found = self.forms.get((new, kind.what)) or self.forms.get((new, "adjective"))
            return (start, end, found[0].form) if found else None
        if kind.what == "name":
            name = self.names[new]
            if the and new not in ARTICLE:
                return the.start(), end, name
            return start, end, f"the {name}" if new in ARTICLE and not the else name
        person = self._holder(new, kind.what, row.date)
        return None if person is None else (start, end, person.surname if kind.surname else person.name)

    def _holder(self, state: str, office: str, day: str) -> Person | None:
        """Return who holds an office on a day, or who leads the state where it has no such office."""
        when = date.fromisoformat(day) if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else date(2015, 1, 1)
        leaders = _LEADERS if state not in PARLIAMENTARY else ("head_of_government",)
        for wanted in leaders if office in _LEADERS else (office, *leaders):
            for person in self.people.get(state, ()):
                if any(term.office == wanted and term.holds(when) for term in person.terms):
                    return person
        return None


@cache
def swapper() -> Swapper:
    """Return a swapper over the package's tables, made at the first call."""
    return Swapper(tables())


def masked(row: Row, mask: str = MASK) -> Row | None:
    """Hide every mention of the row's actors behind the token that hides words from the encoder."""
    return edited(row, [(start, end, mask) for spans in row.actors for start, end in spans])


def edited(row: Row, edits: Sequence[tuple[int, int, str]]) -> Row | None:
    """Put other words in place of some, and move every span of the row along.

    Args:
        row: what is edited.
        edits: (start, end, words); may touch, not overlap. Equal ones count once.

    Returns:
        The new row, or None where edits overlap.
    """
    ordered = sorted(set(edits))
    if any(left[1] > right[0] for left, right in pairwise(ordered)):
        return None
    text, at = "", 0
    for start, end, words in ordered:
        text += row.text[at:start] + words
        at = end
    text += row.text[at:]

    def moved(span: Span) -> Span:
        return _moved(ordered, span[0], last=False), _moved(ordered, span[1], last=True)

    def each(spans: Sequence[Span]) -> list[Span]:
        return [moved(span) for span in spans]

    labels = [replace(label, cue=label.cue and each(label.cue)) for label in row.labels]
    return replace(row, text=text, actors=[each(spans) for spans in row.actors], labels=labels)


def _moved(edits: Sequence[tuple[int, int, str]], offset: int, *, last: bool) -> int:
    """Return where an offset stands after the edits; one inside an edit goes to the edge that keeps it in the span.

    Args:
        edits: in order.
        offset: in the old text.
        last: whether it ends a span.
    """
    shift = 0
    for start, end, words in edits:
        if offset >= end:
            shift += len(words) - (end - start)
        elif start < offset:
            return start + shift + (len(words) if last else 0)
        else:
            break
    return offset + shift
