"""What the linker finds: mentions of states, and the dyads that they make."""

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
        via: what lies behind the words: the person's full name, the group's id; empty where the words say it all.
    """

    start: int
    end: int
    state: str
    how: str
    via: str = ""


def within(mentions: Iterable[Mention], start: int, end: int) -> list[Mention]:
    """Return the mentions that lie inside the span, in order."""
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
    """Return the dyads that a sentence's mentions make, each in alphabetical order, sorted.

    Args:
        mentions: the mentions of one sentence.
        outward: ids of the groups whose members are not read with each other (`groups.csv`); two states
            that are found only as members of such a group make no dyad.
    """
    found: dict[str, set[str]] = {}
    for m in mentions:
        found.setdefault(m.state, set()).add(m.via if m.how == "group" and m.via in outward else "")
    return [
        (a, b)
        for a, b in combinations(sorted(found), 2)
        if not (found[a] == found[b] and len(found[a]) == 1 and "" not in found[a])
    ]
