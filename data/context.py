"""Words that point back to states named earlier: "the two countries", "both sides", "his Japanese counterpart".

A phrase is resolved from its own sentence, else from the sentences before it, else from the headline. Where the
text leaves a choice there is no mention: a wrong state is worse than a missing one.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from detente.data.mentions import Mention
from detente.data.page import Page

#: How many sentences before the phrase are looked at.
LOOK_BACK = 6

_COUNTS = {"two": 2, "both": 2, "three": 3, "four": 4}
_NOUNS = (
    r"countries|nations|sides|governments|neighbou?rs|powers|allies|leaders|presidents|prime ministers|premiers|"
    r"(?:foreign |defen[cs]e |trade |finance )?ministers|capitals|states|peoples|partners|rivals|foes|adversaries|"
    r"militaries|armies|delegations|economies|heads of (?:state|government)|chiefs of state|governments|republics|"
    r"superpowers|giants|enemies|monarchies|democracies|navies|top diplomats|diplomats|chancellors"
)
_PHRASE = re.compile(
    rf"(?<![\w-])(?:(?:the|these|those|our|your|their|its|all|between) (?P<some>(?P<number>two|three|"
    rf"four) (?P<kind>(?:[\w-]+ ){{0,2}}?)(?P<noun>{_NOUNS}))"
    rf"|(?P<pair>both (?:(?:of )?(?:our|the|these|their) )?(?P<sort>(?:[\w-]+ )?)(?P<what>{_NOUNS})))(?![\w-])"
    r"(?! of (?:the )?(?:aisle|atlantic|pacific|border|story|debate|argument|coin|equation|house|congress|river|"
    r"street|strait|channel|capitol|issue|question))",
    re.IGNORECASE,
)
#: Adjectives that speak of others than the states at hand.
_OTHERS = re.compile(
    r"\b(?:other|more|new|additional|last|first|latest|next|main|major|biggest|largest|baltic|nordic|party|us|u\.s|"
    r"republican|democratic|key|opposing|warring)\b",
    re.IGNORECASE,
)
_NO_COUNTRY = frozenset({"EUU", "NAT"})
_JOINED = re.compile(
    r"(?:'s?)?(?:, |,? (?:and|or|with|versus|vs\.?|against|to) (?:the |its |his |neighbou?ring |both )?|"
    r" ?[-–/&] ?)(?:the )?",
    re.IGNORECASE,
)
_COUNTERPART = re.compile(
    r"\b(?P<whose>his|her|their|"
    r"its)\b(?: [\w-]+){0,2}? (?P<people>[A-Z][\w.]*(?: [A-Z]\w+)?)(?: [\w-]+){0,3}? (?:counterparts?|"
    r"opposite numbers?)\b",
    re.IGNORECASE,
)

_WORDS = (
    *(
        (word, _PHRASE, 8)
        for number in ("two", "three", "four", "both")
        for word in (f"{number} ", f"{number.capitalize()} ", f"{number.upper()} ")
    ),
    *((word, _COUNTERPART, 64) for word in ("counterpart", "COUNTERPART", "opposite number")),
)


def resolve(
    page: Page, sentences: Sequence[tuple[int, int]], found: Sequence[Mention], headline: Callable[[], list[Mention]]
) -> list[Mention]:
    """Return the mentions that point back, sorted.

    Args:
        page: the text.
        sentences: the spans of its sentences, in order.
        found: the other mentions, sorted.
        headline: gives the mentions of the headline, called only where they are needed.
    """
    story = _Story(page, sentences, found, headline)
    matches = {match.start(): match for match in _phrases(page.plain)}
    return [mention for at in sorted(matches) for mention in story.read(matches[at])]


def _phrases(plain: str) -> Iterator[re.Match[str]]:
    """Yield the phrases, in no order. Their rare words are looked for first: a search by the patterns is slow."""
    for word, pattern, reach in _WORDS:
        at = plain.find(word)
        while at >= 0:
            for match in pattern.finditer(plain, max(0, at - reach), at + 96):
                if match.start() <= at < match.end():
                    yield match
            at = plain.find(word, at + 1)


class _Story:
    """The mentions of a text by sentence; those that point back are added as they are found."""

    def __init__(
        self,
        page: Page,
        sentences: Sequence[tuple[int, int]],
        found: Sequence[Mention],
        headline: Callable[[], list[Mention]],
    ) -> None:
        self._page = page
        self._sentences = sentences
        self._starts = [start for start, _ in sentences]
        self._found = [mention for mention in found if mention.how != "group"]
        self._offsets = [mention.start for mention in self._found]
        self._taken = {(mention.start, mention.end) for mention in found}
        self._resolved: dict[int, frozenset[str]] = {}
        self._headline = headline

    def read(self, match: re.Match[str]) -> list[Mention]:
        """Return the mentions of one phrase."""
        at = bisect_right(self._starts, match.start()) - 1
        if at < 0 or match.end() > self._sentences[at][1]:
            return []
        if "whose" in match.re.groupindex:
            return self._counterpart(match, at)
        part = "some" if match["some"] else "pair"
        start, end = match.span(part)
        if _OTHERS.search(match["kind"] or match["sort"] or "") or any(s < end and start < e for s, e in self._taken):
            return []
        count = _COUNTS[(match["number"] or "both").lower()]
        noun = (match["noun"] or match["what"]).lower()
        states = self._antecedent(at, start, count, frozenset() if "side" in noun or "leader" in noun else _NO_COUNTRY)
        if states:
            self._resolved[at] = states
        return [Mention(start, end, state, "context") for state in sorted(states)]

    def _between(self, start: int, end: int) -> list[Mention]:
        return self._found[bisect_left(self._offsets, start) : bisect_left(self._offsets, end)]

    def _antecedent(self, at: int, stop: int, count: int, without: frozenset[str]) -> frozenset[str]:
        """Return the states that a phrase at `stop`, in sentence `at`, stands for; empty where that is unclear."""
        gathered: frozenset[str] = frozenset()
        often: Counter[str] = Counter()
        for number in range(at, max(-1, at - LOOK_BACK), -1):
            start, end = self._sentences[number]
            mentions = [m for m in self._between(start, min(end, stop)) if m.state not in without]
            states = frozenset(m.state for m in mentions)
            if number in self._resolved and len(self._resolved[number]) == count:
                return self._resolved[number]
            if len(states) == count:
                return states
            if len(states) > count:
                return self._joined(mentions, count)
            gathered |= states
            if len(gathered) == count:
                return gathered
            if len(gathered) > count:
                break
            often.update(m.state for m in mentions)
        ranked = often.most_common(count + 1)
        if len(ranked) > count and ranked[count - 1][1] > ranked[count][1] + 1:
            return frozenset(state for state, _ in ranked[:count])
        titled = frozenset(m.state for m in self._headline() if m.how != "group") - without
        return titled if len(titled) == count and gathered <= titled else frozenset()

    def _joined(self, mentions: Sequence[Mention], count: int) -> frozenset[str]:
        """Return the states that a sentence of many names side by side, the first such: "India and Pakistan"."""
        chain: list[str] = []
        last = -1
        for mention in mentions:
            if chain and _JOINED.fullmatch(self._page.plain[last : mention.start]):
                chain.append(mention.state)
            elif len(set(chain)) == count:
                break
            else:
                chain = [mention.state]
            last = mention.end
        return frozenset(chain) if len(set(chain)) == count else frozenset()

    def _counterpart(self, match: re.Match[str], at: int) -> list[Mention]:
        """Read "his Japanese counterpart": the person behind "his", if named in a sentence before."""
        start, end = self._sentences[at]
        here = self._between(start, end)
        if not here or any(mention.start < match.start("people") for mention in here):
            return []
        own = {mention.state for mention in here}
        for number in range(at - 1, max(-1, at - 1 - LOOK_BACK), -1):
            before = [m for m in self._between(*self._sentences[number]) if m.state not in own]
            leaders = [m for m in before if m.how == "leader"] or before
            if leaders:
                states = {m.state for m in leaders}
                one = len(states) == 1
                return [Mention(*match.span("whose"), leaders[0].state, "context")] if one else []
        return []
