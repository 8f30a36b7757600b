"""Words that point back to states named earlier: "the two countries", "both sides", "his Japanese counterpart".

A phrase is resolved from its own sentence, else from the sentences before it, else from the headline. Where the
text leaves a choice there is no mention: a wrong state is worse than a missing one.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from detente.infer.linking.mentions import Mention
from detente.infer.text.normalize import Page, words

#: How many sentences are looked at: the phrase's own and those before it.
LOOK_BACK = 6
#: The same for a plural without a number.
_PLURAL_REACH = 2

_COUNTS = {"two": 2, "both": 2, "three": 3, "four": 4}
_NOUNS = (
    r"countries|nations|sides|governments|neighbou?rs|powers|allies|leaders|presidents|prime ministers|premiers|"
    r"(?:foreign |defen[cs]e |trade |finance )?ministers|capitals|states|peoples|partners|rivals|foes|adversaries|"
    r"militaries|armies|delegations|economies|heads of (?:state|government)|chiefs of state|governments|republics|"
    r"superpowers|giants|enemies|monarchies|democracies|navies|top diplomats|diplomats|chancellors|parties|men|"
    r"officials|envoys|negotiators|authorities|forces|teams|chiefs"
)
_PHRASE = re.compile(
    rf"(?<![\w-])(?:(?:the|these|those|our|your|their|its|all|between) (?P<some>(?P<number>two|three|"
    rf"four) (?P<kind>(?:[\w-]+ ){{0,2}}?)(?P<noun>{_NOUNS}))"
    rf"|(?P<pair>both (?:(?:of )?(?:our|the|these|their) )?(?P<sort>(?:[\w-]+ )?)(?P<what>{_NOUNS})))(?![\w-])"
    r"(?! of (?:the )?(?:aisle|atlantic|pacific|border|story|debate|argument|coin|equation|house|congress|river|"
    r"street|strait|channel|capitol|issue|question))",
    re.IGNORECASE,
)
#: Plurals that stand for two states after "the" alone: "the leaders", "the two", "the pair".
PLURALS = words(
    "countries nations leaders presidents premiers ministers parties delegations neighbours neighbors governments two "
    "pair"
)
_ALONE = re.compile(
    r"(?:[.,;]|'s? | (?:also|both|then|have|had|has|are|were|will|would|should|could|can|may|met|agreed|discussed|"
    r"signed|vowed|spoke|held|exchanged|reaffirmed|expressed|welcomed|said|noted|talked|underscored|emphasi[sz]ed|"
    r"stressed|committed|reviewed|decided|did|do|called|affirmed|recogni[sz]ed|highlighted|reiterated|shared|shook|"
    r"plan|looked|pledged|urged|concurred|acknowledged|explored|touched|look|continued|planned|intend|hope)\b)"
)
_DEFINITE = re.compile(r"(?<![\w-])[Tt]he (?:(?:prime|foreign|defen[cs]e|trade|finance|Prime|Foreign|Defen[cs]e) )?$")
#: Adjectives that speak of others than the states at hand.
_OTHERS = re.compile(
    r"\b(?:other|more|new|additional|last|first|latest|next|main|major|biggest|largest|baltic|nordic|party|us|u\.s|"
    r"republican|democratic|key|opposing|warring)\b",
    re.IGNORECASE,
)
_PARTISAN = re.compile(
    r"Congress\b|[Ee]lections?\b|Republicans?\b|Democrats?\b|[Cc]oalition|Labou?r\b|[Cc]onservatives\b"
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
    page: Page,
    sentences: Sequence[tuple[int, int]],
    found: Sequence[Mention],
    plurals: Sequence[tuple[int, int]],
    headline: Callable[[], list[Mention]],
) -> list[Mention]:
    """Return the mentions that point back, sorted.

    Args:
        page: the text.
        sentences: the spans of its sentences, in order.
        found: the other mentions, sorted.
        plurals: the spans of the words of `PLURALS`.
        headline: gives the mentions of the headline, called only where they are needed.
    """
    story = _Story(page, sentences, found, headline)
    matches: dict[int, re.Match[str] | tuple[int, int]] = {match.start(): match for match in _phrases(page.plain)}
    for start, end in plurals:
        if _ALONE.match(page.plain, end) and (article := _DEFINITE.search(page.plain, max(0, start - 16), start)):
            matches.setdefault(article.start(), (start, end))
    return [
        mention
        for _, match in sorted(matches.items())
        for mention in (story.plural(*match) if isinstance(match, tuple) else story.read(match))
    ]


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
        self._all = found
        self._all_starts = [mention.start for mention in found]
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
        if _OTHERS.search(match["kind"] or match["sort"] or "") or self._is_taken(start, end):
            return []
        count = _COUNTS[(match["number"] or "both").lower()]
        noun = (match["noun"] or match["what"]).lower()
        if noun == "parties":  # of one state's parliament, unless two states stand close by
            partisan = _PARTISAN.search(self._page.plain)
            states = frozenset() if partisan else self._near(at, start, count, frozenset(), reach=_PLURAL_REACH)
        else:
            without = frozenset() if "side" in noun or "leader" in noun else _NO_COUNTRY
            states = self._antecedent(at, start, count, without)
        if states:
            self._resolved[at] = states
        return [Mention(start, end, state, "context") for state in sorted(states)]

    def _is_taken(self, start: int, end: int) -> bool:
        """Tell whether a mention overlaps a span."""
        at = bisect_left(self._all_starts, end)
        return any(mention.end > start for mention in self._all[max(0, at - 8) : at])

    def plural(self, start: int, end: int) -> list[Mention]:
        """Return the mentions of a plural without a number, which here is two."""
        at = bisect_right(self._starts, start) - 1
        if at < 0 or end > self._sentences[at][1] or self._is_taken(start, end):
            return []
        states = self._near(at, start, 2, frozenset(), _PLURAL_REACH)
        return [Mention(start, end, state, "context") for state in sorted(states)]

    def _between(self, start: int, end: int) -> list[Mention]:
        return self._found[bisect_left(self._offsets, start) : bisect_left(self._offsets, end)]

    def _antecedent(self, at: int, stop: int, count: int, without: frozenset[str]) -> frozenset[str]:
        """Return the states that a phrase at `stop`, in sentence `at`, stands for; empty where that is unclear."""
        return self._near(at, stop, count, without) or self._principal(count, without)

    def _near(self, at: int, stop: int, count: int, without: frozenset[str], reach: int = LOOK_BACK) -> frozenset[str]:
        """Return the states of the phrase's own sentence, or of those before it, where they are as many as it says."""
        gathered: frozenset[str] = frozenset()
        often: Counter[str] = Counter()
        for number in range(at, max(-1, at - reach), -1):
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
        return frozenset()

    def _principal(self, count: int, without: frozenset[str]) -> frozenset[str]:
        """Return the states that the text is about, of the headline or else of the first sentence that names any."""
        titled = self._titled - without
        if len(titled) == count:
            return titled
        states = self._lead - without
        return states if len(states) == count and titled <= states else frozenset()

    @cached_property
    def _titled(self) -> frozenset[str]:
        """The states of the headline."""
        return frozenset(mention.state for mention in self._headline() if mention.how != "group")

    @cached_property
    def _lead(self) -> frozenset[str]:
        """The states of the first sentence that names any."""
        lead = next((span for span in self._sentences if self._between(*span)), (0, 0))
        return frozenset(mention.state for mention in self._between(*lead))

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
