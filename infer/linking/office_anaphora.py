"""People who are called by their office alone: "the president", "the prime minister", "the Secretary".

The office points back to the last person named who holds it. Where holders of two states were named lately there is
no mention: a wrong state is worse than a missing one.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date

from detente.data.gazetteer.gazetteer import Person
from detente.infer.linking.mentions import Mention
from detente.infer.text.normalize import Page

#: How many characters back a holder of the office is looked for.
_REACH = 2000
_ROLE = re.compile(r"(?<![\w-])[Tt]he (?P<role>(?:[Pp]rime |[Ff]oreign |[Dd]eputy |[Vv]ice[ -])?)$")
_GOES_ON = re.compile(r"(?: of\b| for\b| to the\b|-|,? [A-Z]|s\b)")
#: Monarchs and leaders stand among heads of state too; these heads of government are called president.
_PRESIDENTS = frozenset({"IRN", "USA", "CHE"})
_CROWNED = frozenset(
    (
        "ARE BEL BHR BRN BTN DNK ESP GBR IRN JOR JPN KHM KWT LIE LSO LUX MAR MCO MYS NLD NOR OMN PRK QAT SAU SWE SWZ "
        "THA TON VAT"
    ).split()
)
#: Offices that a table can't tell apart: the person named shortly before, if all that are named there are of one state.
_SPEAKERS = frozenset(
    {"spokesman", "spokeswoman", "spokesperson", "minister", "ambassador", "envoy", "diplomat", "general", "negotiator"}
)
_CLOSE = 600
_CHANCELLORS = frozenset({"AUT", "DEU"})


def _holds(person: Person, role: str, day: date | None) -> bool:
    """Tell whether a person holds the office that news calls so."""
    offices = {term.office for term in person.terms if day is None or term.holds(day)}
    state = person.state
    if role == "president":
        return ("head_of_state" in offices and state not in _CROWNED) or (
            "head_of_government" in offices and state in _PRESIDENTS
        )
    if role in {"prime minister", "premier"}:
        return "head_of_government" in offices and state not in _PRESIDENTS | _CHANCELLORS
    if role == "chancellor":
        return "head_of_government" in offices and state in _CHANCELLORS
    if role == "foreign minister":
        return "foreign_minister" in offices and state != "USA"
    if role == "secretary":
        return state == "USA" and not offices.isdisjoint(
            {"foreign_minister", "defence_minister", "treasury", "commerce"}
        )
    return False


def resolve(
    page: Page, found: Sequence[Mention], titles: Sequence[tuple[int, int]], people: Mapping[tuple[str, str], Person]
) -> list[Mention]:
    """Return the mentions of people by their office, sorted.

    Args:
        page: the text.
        found: the mentions, sorted.
        titles: the spans of nouns that make an office, in order.
        people: the office holders by state and name.
    """
    plain = page.plain
    named = [mention for mention in found if mention.how == "leader"]
    places = [mention.start for mention in named]
    leaders = [(m, person) for m in found if m.how == "leader" and (person := people.get((m.state, m.via)))]
    starts = [mention.start for mention, _ in leaders]
    pointing = []
    for start, end in titles if named else ():
        before = _ROLE.search(plain, max(0, start - 16), start)
        if not before or _GOES_ON.match(plain, end):
            continue
        role = f"{before['role']}{plain[start:end]}".lower()
        near = leaders[bisect_left(starts, start - _REACH) : bisect_left(starts, start)]
        holders = [person for _, person in near if _holds(person, role, page.day)]
        if len({person.state for person in holders}) == 1:
            begins = before.start("role")
            pointing.append(Mention(begins, end, holders[0].state, "context", holders[0].name))
        elif role in _SPEAKERS:
            last = named[bisect_left(places, start - _CLOSE) : bisect_left(places, start)]
            if len({mention.state for mention in last}) == 1:
                pointing.append(Mention(start, end, last[0].state, "context", last[-1].via))
    return pointing
