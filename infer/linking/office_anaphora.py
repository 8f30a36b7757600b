"""Resolve people who are mentioned by office alone: "the president", "the prime minister", "the Secretary".

The antecedent is the last mentioned holder of the office. If holders from two states were mentioned recently, there is
no mention, since a wrong state is worse than a missing one.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date

from detente.data.gazetteer.gazetteer import Person
from detente.infer.linking.mentions import Mention
from detente.infer.text.normalize import NormalizedText

#: Maximum distance to the antecedent, in characters.
_REACH = 2000
_ROLE = re.compile(r"(?<![\w-])[Tt]he (?P<role>(?:[Pp]rime |[Ff]oreign |[Dd]eputy |[Vv]ice[ -])?)$")
_GOES_ON = re.compile(r"(?: of\b| for\b| to the\b|-|,? [A-Z]|s\b)")
#: In these states, the head of government is called president; heads of state include monarchs and leaders.
_PRESIDENTS = frozenset({"IRN", "USA", "CHE"})
_CROWNED = frozenset(
    (
        "ARE BEL BHR BRN BTN DNK ESP GBR IRN JOR JPN KHM KWT LIE LSO LUX MAR MCO MYS NLD NOR OMN PRK QAT SAU SWE SWZ "
        "THA TON VAT"
    ).split()
)
#: Offices outside the gazetteer, resolved to the last person mentioned if all recent ones are of one state.
_SPEAKERS = frozenset(
    {"spokesman", "spokeswoman", "spokesperson", "minister", "ambassador", "envoy", "diplomat", "general", "negotiator"}
)
_CLOSE = 600
_CHANCELLORS = frozenset({"AUT", "DEU"})


def _holds(person: Person, role: str, day: date | None) -> bool:
    """Return whether a person holds the office that news calls by a role."""
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
    text: NormalizedText,
    mentions: Sequence[Mention],
    titles: Sequence[tuple[int, int]],
    people: Mapping[tuple[str, str], Person],
) -> list[Mention]:
    """Return the mentions of people by their office, sorted.

    Args:
        text: text with the mentions.
        mentions: other mentions, sorted.
        titles: spans of the head nouns of offices, in order.
        people: office holders by state and name.
    """
    folded = text.folded
    leader_mentions = [mention for mention in mentions if mention.how == "leader"]
    leader_starts = [mention.start for mention in leader_mentions]
    known_leaders = [(m, person) for m in mentions if m.how == "leader" and (person := people.get((m.state, m.via)))]
    known_starts = [mention.start for mention, _ in known_leaders]
    anaphora = []
    for start, end in titles if leader_mentions else ():
        before = _ROLE.search(folded, max(0, start - 16), start)
        if not before or _GOES_ON.match(folded, end):
            continue
        role = f"{before['role']}{folded[start:end]}".lower()
        recent = known_leaders[bisect_left(known_starts, start - _REACH) : bisect_left(known_starts, start)]
        holders = [person for _, person in recent if _holds(person, role, text.day)]
        if len({person.state for person in holders}) == 1:
            phrase_start = before.start("role")
            anaphora.append(Mention(phrase_start, end, holders[0].state, "context", holders[0].name))
        elif role in _SPEAKERS:
            recent_mentions = leader_mentions[
                bisect_left(leader_starts, start - _CLOSE) : bisect_left(leader_starts, start)
            ]
            if len({mention.state for mention in recent_mentions}) == 1:
                anaphora.append(Mention(start, end, recent_mentions[0].state, "context", recent_mentions[-1].via))
    return anaphora
