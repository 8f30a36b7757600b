"""Swap states in a sentence, so that the model learns the tone from the words and not from the countries.

A mention is replaced by one of the same kind: a name by a name, an adjective by an adjective, a capital by a capital, a
leader by a leader of the same office. A row with a mention of any other kind is left unchanged.
"""

import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import pairwise

from detente.data.gazetteer.gazetteer import Form, Person, Tables, tables
from detente.models.features import Span
from detente.train.examples import Row

#: Replaces a masked mention; a token in the vocabulary of every BERT (MPNet and RoBERTa write `<mask>`).
MASK = "[MASK]"

#: Replacement states: those most written about in the news, each with every kind of mention.
REPLACEMENTS = (
    "ARG AUS BRA CAN CHN COL CUB DEU EGY ESP ETH FRA GBR GRC IDN IND "
    "IRN IRQ ISR ITA JPN KEN KOR MEX MYS NGA NOR PAK PER PHL POL PRK "
    "RUS SAU SWE SYR THA TUR UKR USA VEN VNM ZAF "
).split()

#: States led by the head of government, where the head of state is ceremonial.
PARLIAMENTARY = frozenset("AUS CAN DEU ESP ETH GBR GRC IND ISR ITA IRQ JPN MYS NOR PAK SWE THA".split())

#: Offices whose holder the news treats as the state's leader.
_LEADERS = ("head_of_state", "head_of_government", "party_leader")

#: States whose name takes "the" as a noun.
ARTICLE = frozenset({"USA", "GBR", "PHL", "ARE", "NLD", "EUU"})

#: Names that are also used as adjectives ("U.S. officials").
_NAME_OR_ADJECTIVE = re.compile(r"U\.?\s?S\.?(?:A\.?)?|U\.?K\.?|EU|E\.U\.|UAE|EC|UK")

#: Text that follows such a name when it is a noun ("the U.S. said", "the U.S., which").
_AFTER_NOUN = re.compile(
    r"\W*$|[’'.,;:?!)\"”–—-]"
    r"| (?:and|or|to|in|on|for|with|of|at|by|from|as|that|which|who|over|if|is|was|has|had|will|would|could|should|may"
    r"|must|can|did|does|said|says|also|not|were|are|have|against|after|before|during|because|while|but|than|into|under)\b"
)


@dataclass(frozen=True, slots=True)
class MentionKind:
    """The kind of a mention, which its replacement shares.

    Attributes:
        category: `name`, `adjective`, `people`, `capital` or an office.
        surname: whether a person is mentioned by surname alone.
    """

    category: str
    surname: bool = False


class Swapper:
    """Swaps the states of rows by the gazetteer.

    Args:
        gazetteer: states, their names and their leaders.
    """

    def __init__(self, gazetteer: Tables) -> None:
        self.names = gazetteer.states
        self.forms: dict[tuple[str, str], list[Form]] = {}
        self.kinds: dict[tuple[str, str], MentionKind] = {}
        self.people: dict[str, list[Person]] = {}
        for form in gazetteer.forms:
            if "prefix" in form.flags:
                continue
            category = form.how
            if category == "demonym":
                singular = form.form.removesuffix("s")
                category = "people" if (form.state, singular) in self.kinds and singular != form.form else "adjective"
            if category in {"name", "adjective", "people", "capital"}:
                self.forms.setdefault((form.state, category), []).append(form)
                self.kinds[form.state, form.form] = MentionKind(category)
        for person in gazetteer.people:
            self.people.setdefault(person.state, []).append(person)
            office = person.terms[0].office
            for full in person.forms:
                self.kinds.setdefault((person.state, full), MentionKind(office))
            self.kinds.setdefault((person.state, person.surname), MentionKind(office, surname=True))

    def swap(self, row: Row, states: Mapping[str, str]) -> Row | None:
        """Return the row with states replaced; None if a mention has no counterpart.

        Args:
            row: row whose actors have states.
            states: new code by old code; all other states stay.
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
        swapped = apply_edits(row, edits)
        return swapped and replace(swapped, states=[states.get(state, state) for state in row.states])

    def swap_randomly(self, row: Row, rng: random.Random, avoid: Collection[str] = ()) -> Row | None:
        """Return the row with every state replaced by a random one; None if that is impossible.

        Args:
            row: row whose actors have states.
            rng: source of randomness for the choice among `REPLACEMENTS`.
            avoid: states never to be chosen, besides those of the row itself.
        """
        states = list(dict.fromkeys(row.states))
        available = [state for state in REPLACEMENTS if state not in states and state not in avoid]
        if len(states) > len(available):  # a roll call
            return None
        return self.swap(row, dict(zip(states, rng.sample(available, len(states)), strict=True)))

    def _edit(self, row: Row, start: int, end: int, old: str, new: str) -> tuple[int, int, str] | None:
        words = row.text[start:end]
        kind = self.kinds.get((old, words))
        if kind is None:
            return None
        article = re.search(r"\b[Tt]he $", row.text[:start])
        noun = article and _AFTER_NOUN.match(row.text, end)
        if kind.category == "name" and _NAME_OR_ADJECTIVE.fullmatch(words) and not noun:
            kind = MentionKind("adjective")
        if kind.category in {"adjective", "people", "capital"}:
            forms = self.forms.get((new, kind.category)) or self.forms.get((new, "adjective"))
            return (start, end, forms[0].form) if forms else None
        if kind.category == "name":
            name = self.names[new]
            if article and new not in ARTICLE:
                return article.start(), end, name
            return start, end, f"the {name}" if new in ARTICLE and not article else name
        person = self._holder(new, kind.category, row.date)
        return None if person is None else (start, end, person.surname if kind.surname else person.name)

    def _holder(self, state: str, office: str, day: str) -> Person | None:
        """Return the holder of an office on a day, or the state's leader if it has no such office."""
        when = date.fromisoformat(day) if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else date(2015, 1, 1)
        leaders = _LEADERS if state not in PARLIAMENTARY else ("head_of_government",)
        for wanted in leaders if office in _LEADERS else (office, *leaders):
            for person in self.people.get(state, ()):
                if any(term.office == wanted and term.holds(when) for term in person.terms):
                    return person
        return None


@cache
def swapper() -> Swapper:
    """Return the swapper over the package's gazetteer, built once."""
    return Swapper(tables())


def mask_actors(row: Row, mask: str = MASK) -> Row | None:
    """Return the row with every mention of its actors replaced by the encoder's mask token."""
    return apply_edits(row, [(start, end, mask) for spans in row.actors for start, end in spans])


def apply_edits(row: Row, edits: Sequence[tuple[int, int, str]]) -> Row | None:
    """Replace parts of the text and shift every span of the row accordingly.

    Args:
        row: row to edit.
        edits: (start, end, replacement); edits may touch but not overlap, and duplicates count once.

    Returns:
        The new row, or None if edits overlap.
    """
    ordered = sorted(set(edits))
    if any(previous[1] > following[0] for previous, following in pairwise(ordered)):
        return None
    text, position = "", 0
    for start, end, words in ordered:
        text += row.text[position:start] + words
        position = end
    text += row.text[position:]

    def shift_all(spans: Sequence[Span]) -> list[Span]:
        return [(_shift(ordered, start, is_end=False), _shift(ordered, end, is_end=True)) for start, end in spans]

    labels = [replace(label, cue=label.cue and shift_all(label.cue)) for label in row.labels]
    return replace(row, text=text, actors=[shift_all(spans) for spans in row.actors], labels=labels)


def _shift(edits: Sequence[tuple[int, int, str]], offset: int, *, is_end: bool) -> int:
    """Return an offset after the edits; one inside an edit moves to the edge that keeps the edit in the span.

    Args:
        edits: edits in order.
        offset: offset in the old text.
        is_end: whether the offset ends a span.
    """
    shift = 0
    for start, end, words in edits:
        if offset >= end:
            shift += len(words) - (end - start)
        elif start < offset:
            return start + shift + (len(words) if is_end else 0)
        else:
            break
    return offset + shift
