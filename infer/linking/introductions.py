"""Resolve people outside the gazetteer whom the text introduces: "Peruvian army spokesman Tomas Quiroz … Quiroz said".

A name after a state and an office is linked to that state in the rest of the text, by the surname alone.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detente.infer.linking.mentions import Mention
from detente.infer.linking.officeholders import NOT_GIVEN_NAMES
from detente.infer.text.normalize import NormalizedText, words

#: The head nouns of offices, which are part of the linker's automaton.
OFFICES = words(
    "minister spokesman spokeswoman spokesperson ambassador envoy secretary undersecretary president premier "
    "chancellor general commander admiral diplomat negotiator representative speaker adviser advisor counselor "
    "counsellor chief director deputy head official lawmaker senator governor consul"
)

#: Number of context characters before and after an office.
_REACH = 120
#: Possible words between a state and the office: capitalised words, ministries and ranks.
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
_NAME = rf"[A-Z][\w'’-]{{1,40}}(?: [A-Z]\.)?(?: (?:{_PARTICLE}[ -]){{0,4}}(?:al-|el-|ul-)?[A-Z][\w'’-]{{1,40}}){{1,3}}"
#: The name, after the rest of the office: "Minister of Trade and Industry Ann Lee".
_NAMED = re.compile(
    rf"(?:(?: of| for| to| at| in)(?: (?:the|and|of|for|[A-Z][\w-]*,?|foreign|affairs)){{1,7}}?)? (?P<name>{_NAME})"
)
#: The name before: "Ann Lee, Peru's trade minister".
_APPOSED = re.compile(rf"(?P<name>{_NAME}), (?:who is |now )?(?:the )?$")
_PLAIN = frozenset({"name", "demonym", "capital", "body"})
#: Last words of institutions, which aren't surnames.
_INSTITUTION = words(
    "Affairs Administration Agency Army Board Bureau Cabinet Commission Committee Congress Council Defence Defense "
    "Department Development East Economy Energy Finance Force Forces Foreign General Government House Industry "
    "Interior Intelligence Jr Justice Minister Ministry Nations Navy Office Officer Organization Parliament Party "
    "Policy President Relations Republic Monday Tuesday Wednesday Thursday Friday Saturday Sunday Secretary Security "
    "Senate Services Staff State States Trade Union West White"
)
#: States with the family name first.
_FAMILY_FIRST = frozenset({"CHN", "KOR", "PRK", "TWN"})
_WORD_BEFORE = re.compile(r"([A-Z][\w'-]{0,23}\.?) $")
_WORD_AFTER = re.compile(r"(?: |-)[A-Z][\w'-]+")


@dataclass(frozen=True, slots=True)
class _Introduced:
    name: str
    state: str
    after: int


def resolve(text: NormalizedText, mentions: Sequence[Mention], offices: Sequence[tuple[int, int]]) -> list[Mention]:
    """Return the later mentions of people whom the text introduces, sorted.

    Args:
        text: text with the mentions.
        mentions: other mentions, sorted.
        offices: spans of the nouns in `OFFICES`, in order.
    """
    people: dict[str, _Introduced | None] = {}
    for surname, person in _introductions(text, mentions, offices):
        earlier = people.setdefault(surname, person)
        if earlier is not None and earlier.state != person.state:
            people[surname] = None  # two people with this surname: ambiguous
    starts = [mention.start for mention in mentions]
    return sorted(
        mention
        for surname, person in people.items()
        if person is not None
        for mention in _later(text, surname, person)
        if not _overlaps(mentions, starts, mention)
    )


def _introductions(
    text: NormalizedText, mentions: Sequence[Mention], offices: Sequence[tuple[int, int]]
) -> Iterator[tuple[str, _Introduced]]:
    """Yield surnames and the people introduced, in text order."""
    folded = text.folded
    starts = [mention.start for mention in mentions]
    for start, end in offices:
        index = bisect_left(starts, start)
        if index == 0:
            continue
        owner = mentions[index - 1]
        if (
            owner.how not in _PLAIN
            or not owner.end <= start <= owner.end + _REACH
            or not _belongs_to(folded, owner, start)
        ):
            continue
        named = _NAMED.match(folded, end, end + _REACH) or _APPOSED.search(
            folded, max(0, owner.start - _REACH // 2), owner.start
        )
        if named is None:
            continue
        name_start, name_end = named.span("name")
        if any(
            name_start < mention.end and mention.start < name_end for mention in mentions[max(0, index - 3) : index + 3]
        ):
            continue
        parts = named["name"].removesuffix("'s").split()
        surname = parts[0] if owner.state in _FAMILY_FIRST else parts[-1]
        if len(surname) > 1 and surname not in _INSTITUTION:
            yield surname, _Introduced(" ".join(parts), owner.state, max(name_end, end))


def _belongs_to(folded: str, owner: Mention, start: int) -> bool:
    """Return whether an office belongs to the state before it, and isn't a former one."""
    return bool(_BETWEEN.fullmatch(folded, owner.end, start)) and not _FORMER.search(
        folded, max(0, owner.start - 24), owner.start
    )


def _later(text: NormalizedText, surname: str, person: _Introduced) -> Iterator[Mention]:
    """Yield the mentions of a person by surname after the introduction."""
    folded = text.folded
    start = folded.find(surname, person.after)
    while start >= 0:
        end = start + len(surname)
        if not (folded[start - 1].isalnum() or folded[start - 1] in "-_@") and not folded[end : end + 1].isalnum():
            before = _WORD_BEFORE.search(folded, max(0, start - 24), start)
            is_name_part = (
                before is not None
                and before[1].rstrip(".").lower() not in NOT_GIVEN_NAMES
                and not _ends_sentence(before[1])
            )
            if (not is_name_part or before is None or before[1] in person.name.split()) and not _WORD_AFTER.match(
                folded, end
            ):
                yield Mention(start, end, person.state, "leader", person.name)
        start = folded.find(surname, end)


def _ends_sentence(word: str) -> bool:
    """Return whether a word with a full stop ends a sentence, and isn't an initial."""
    return word.endswith(".") and len(word) > 3


def _overlaps(mentions: Sequence[Mention], starts: Sequence[int], mention: Mention) -> bool:
    """Return whether a mention overlaps an existing one."""
    index = bisect_left(starts, mention.end)
    return any(existing.end > mention.start for existing in mentions[max(0, index - 2) : index])
