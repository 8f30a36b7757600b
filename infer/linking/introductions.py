"""People whom no table knows but whom the text introduces: "Peruvian army spokesman Tomas Quiroz … Quiroz said".

A name after a state and an office belongs to that state for the rest of the text; the surname alone is enough then.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detente.infer.linking.mentions import Mention
from detente.infer.linking.officeholders import NOT_GIVEN
from detente.infer.text.normalize import Page, words

#: The nouns that make an office, as the linker's automaton finds them.
OFFICES = words(
    "minister spokesman spokeswoman spokesperson ambassador envoy secretary undersecretary president premier "
    "chancellor general commander admiral diplomat negotiator representative speaker adviser advisor counselor "
    "counsellor chief director deputy head official lawmaker senator governor consul"
)

#: How many characters before and after an office are read.
_REACH = 120
#: What may stand between a state and the office: capitalised words and those that name a ministry or a rank.
_BETWEEN = re.compile(
    r"(?:'s?)?(?:(?: |-)(?:[A-Z][\w.&-]*,?|and|of|for|the|foreign|external|prime|defen[cs]e|deputy|vice|chief|senior|"
    r"top|special|nuclear|trade|interior|finance|economy|economic|energy|oil|ministry|government|presidential|"
    r"parliament|parliamentary|parliament's|ministry's|army|military|navy|naval|air|force|armed|forces|state|"
    r"department|embassy|embassy's|intelligence|security|national|permanent|new|acting|assistant|under|lead|police|"
    r"affairs|policy|mission's|UN|U\.N\.|party|ruling|central|bank|justice|health|agriculture|environment|commerce|"
    r"cabinet|minister's|president's|spokesman|deputy))*(?: |-)"
)
_FORMER = re.compile(r"\b(?:former|late|ex|then|retired|one-time|onetime|future)\b", re.IGNORECASE)
_PARTICLE = r"(?:al|el|bin|bint|ibn|ben|de|del|della|di|da|do|dos|du|la|le|van|von|der|den|ter|ten|Abu|ul|ur)"
_NAME = rf"[A-Z][\w'’-]+(?: [A-Z]\.)?(?: (?:{_PARTICLE}[ -])*(?:al-|el-|ul-)?[A-Z][\w'’-]+){{1,3}}"
#: The name, after the rest of the office: "Minister of Trade and Industry Ann Lee".
_NAMED = re.compile(
    rf"(?:(?: of| for| to| at| in)(?: (?:the|and|of|for|[A-Z][\w-]*,?|foreign|affairs)){{1,7}}?)? (?P<name>{_NAME})"
)
#: The name before: "Ann Lee, Peru's trade minister".
_APPOSED = re.compile(rf"(?P<name>{_NAME}), (?:who is |now )?(?:the )?$")
_PLAIN = frozenset({"name", "demonym", "capital", "body"})
#: The last words of ministries, which a name does not end in.
_INSTITUTION = words(
    "Affairs Administration Agency Army Board Bureau Cabinet Commission Committee Congress Council Defence Defense "
    "Department Development East Economy Energy Finance Force Forces Foreign General Government House Industry "
    "Interior Intelligence Jr Justice Minister Ministry Nations Navy Office Officer Organization Parliament Party "
    "Policy President Relations Republic Monday Tuesday Wednesday Thursday Friday Saturday Sunday Secretary Security "
    "Senate Services Staff State States Trade Union West White"
)
#: States whose people are named by the first word of the name.
_FAMILY_FIRST = frozenset({"CHN", "KOR", "PRK", "TWN"})
_WORD_BEFORE = re.compile(r"([A-Z][\w'-]*\.?) $")
_WORD_AFTER = re.compile(r"(?: |-)[A-Z][\w'-]+")


@dataclass(frozen=True, slots=True)
class _Introduced:
    name: str
    state: str
    after: int


def resolve(page: Page, found: Sequence[Mention], offices: Sequence[tuple[int, int]]) -> list[Mention]:
    """Return the later mentions of people whom the text introduces, sorted.

    Args:
        page: the text.
        found: the mentions, sorted.
        offices: the spans of the nouns of `OFFICES`, in order.
    """
    people: dict[str, _Introduced | None] = {}
    for surname, person in _introductions(page, found, offices):
        known = people.setdefault(surname, person)
        if known is not None and known.state != person.state:
            people[surname] = None  # two of one surname: the text alone doesn't tell
    starts = [mention.start for mention in found]
    return sorted(
        mention
        for surname, person in people.items()
        if person is not None
        for mention in _later(page, surname, person)
        if not _covered(found, starts, mention)
    )


def _introductions(
    page: Page, found: Sequence[Mention], offices: Sequence[tuple[int, int]]
) -> Iterator[tuple[str, _Introduced]]:
    """Yield surnames and whose they are, in the text's order."""
    plain = page.plain
    starts = [mention.start for mention in found]
    for start, end in offices:
        at = bisect_left(starts, start)
        if at == 0:
            continue
        owner = found[at - 1]
        if owner.how not in _PLAIN or not owner.end <= start <= owner.end + _REACH or not _is_own(plain, owner, start):
            continue
        named = _NAMED.match(plain, end, end + _REACH) or _APPOSED.search(
            plain, max(0, owner.start - _REACH // 2), owner.start
        )
        if named is None:
            continue
        begins, stops = named.span("name")
        if any(begins < mention.end and mention.start < stops for mention in found[max(0, at - 3) : at + 3]):
            continue
        parts = named["name"].removesuffix("'s").split()
        surname = parts[0] if owner.state in _FAMILY_FIRST else parts[-1]
        if len(surname) > 1 and surname not in _INSTITUTION:
            yield surname, _Introduced(" ".join(parts), owner.state, max(stops, end))


def _is_own(plain: str, owner: Mention, start: int) -> bool:
    """Tell whether an office is of the state before it, and not a former one."""
    return bool(_BETWEEN.fullmatch(plain, owner.end, start)) and not _FORMER.search(
        plain, max(0, owner.start - 24), owner.start
    )


def _later(page: Page, surname: str, person: _Introduced) -> Iterator[Mention]:
    """Yield the places after the introduction where the surname stands for the person."""
    plain = page.plain
    at = plain.find(surname, person.after)
    while at >= 0:
        stop = at + len(surname)
        if not (plain[at - 1].isalnum() or plain[at - 1] in "-_@") and not plain[stop : stop + 1].isalnum():
            before = _WORD_BEFORE.search(plain, max(0, at - 24), at)
            given = before is not None and before[1].rstrip(".").lower() not in NOT_GIVEN and not _ends(before[1])
            if (not given or before is None or before[1] in person.name.split()) and not _WORD_AFTER.match(plain, stop):
                yield Mention(at, stop, person.state, "leader", person.name)
        at = plain.find(surname, stop)


def _ends(word: str) -> bool:
    """Tell whether a word with a full stop ends a sentence, so that it is no initial."""
    return word.endswith(".") and len(word) > 3


def _covered(found: Sequence[Mention], starts: Sequence[int], mention: Mention) -> bool:
    """Tell whether a mention overlaps one that is there."""
    at = bisect_left(starts, mention.end)
    return any(other.end > mention.start for other in found[max(0, at - 2) : at])
