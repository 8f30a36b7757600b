"""Mentions of states, the output of the linker, and the dyads that they form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """A span of the source text that refers to a state.

    Attributes:
        start: offset of the first character in the source text.
        end: offset after the last character.
        state: ISO 3166-1 alpha-3 code (`EUU` the European Union, `NAT` NATO).
        how: `name`, `demonym`, `capital`, `body`, `leader`, `group` or `context`.
        via: full name of the person or id of the group that the words refer to; empty for direct mentions.
    """

    start: int
    end: int
    state: str
    how: str
    via: str = ""


def within(mentions: Iterable[Mention], start: int, end: int) -> list[Mention]:
    """Return the mentions inside a span, in order."""
    return sorted(m for m in mentions if start <= m.start and m.end <= end)


def by_group(ways: Iterable[tuple[str, str]]) -> bool:
    """Return whether some state is known by the name of a group alone.

    Args:
        ways: state and `how` of each mention.
    """
    named: dict[str, bool] = {}
    for state, how in ways:
        named[state] = named.get(state, False) or how != "group"
    return not all(named.values())


def dyads(mentions: Sequence[Mention], outward: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """Return the dyads of a sentence, each in alphabetical order, sorted.

    Args:
        mentions: mentions in the sentence.
        outward: ids of the groups whose members form no dyads with each other (`groups.csv`): two states that are
            only mentioned as members of such a group are not a dyad.
    """
    sources: dict[str, set[str]] = {}
    for m in mentions:
        sources.setdefault(m.state, set()).add(m.via if m.how == "group" and m.via in outward else "")
    return [
        (a, b)
        for a, b in combinations(sorted(sources), 2)
        if not (sources[a] == sources[b] and len(sources[a]) == 1 and "" not in sources[a])
    ]
