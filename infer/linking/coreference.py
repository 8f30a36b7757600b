"""Resolve anaphora to states mentioned earlier: "the two countries", "both sides", "his Japanese counterpart".

The antecedents are in the same sentence, else in the preceding sentences, else in the headline. Ambiguous phrases are
not resolved, since a wrong state is worse than a missing one.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from detente.infer.linking.mentions import Mention
from detente.infer.text.normalize import NormalizedText, words

#: Number of sentences searched for antecedents: the phrase's own and the preceding ones.
LOOK_BACK = 6
#: The same, for a plural without a number.
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
    rf"(?<![\w-])(?:(?:the|these|those|our|your|their|its|all|between) (?P<counted>(?P<number>two|three|"
    rf"four) (?P<kind>(?:[\w-]+ ){{0,2}}?)(?P<noun>{_NOUNS}))"
    rf"|(?P<pair>both (?:(?:of )?(?:our|the|these|their) )?(?P<pair_kind>(?:[\w-]+ )?)"
    rf"(?P<pair_noun>{_NOUNS})))(?![\w-])"
    r"(?! of (?:the )?(?:aisle|atlantic|pacific|border|story|debate|argument|coin|equation|house|congress|river|"
    r"street|strait|channel|capitol|issue|question))",
    re.IGNORECASE,
)
#: Plurals that refer to two states after a plain "the": "the leaders", "the two", "the pair".
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
#: Adjectives that introduce other states than the mentioned ones.
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
    r"\b(?P<possessive>his|her|their|"
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
    text: NormalizedText,
    sentences: Sequence[tuple[int, int]],
    mentions: Sequence[Mention],
    plurals: Sequence[tuple[int, int]],
    headline: Callable[[], list[Mention]],
) -> list[Mention]:
    """Return the mentions by anaphora, sorted.

    Args:
        text: text with the mentions.
        sentences: spans of its sentences, in order.
        mentions: other mentions, sorted.
        plurals: spans of the words in `PLURALS`.
        headline: function that returns the mentions in the headline, called only if needed.
    """
    resolver = _AnaphoraResolver(text, sentences, mentions, headline)
    matches: dict[int, re.Match[str] | tuple[int, int]] = {match.start(): match for match in _phrases(text.folded)}
    for start, end in plurals:
        if _ALONE.match(text.folded, end) and (article := _DEFINITE.search(text.folded, max(0, start - 16), start)):
            matches.setdefault(article.start(), (start, end))
    return [
        mention
        for _, match in sorted(matches.items())
        for mention in (resolver.resolve_plural(*match) if isinstance(match, tuple) else resolver.resolve_phrase(match))
    ]


def _phrases(folded: str) -> Iterator[re.Match[str]]:
    """Yield the phrases, unordered. Searching for their rare words first avoids the slow patterns."""
    for word, pattern, reach in _WORDS:
        position = folded.find(word)
        while position >= 0:
            for match in pattern.finditer(folded, max(0, position - reach), position + 96):
                if match.start() <= position < match.end():
                    yield match
            position = folded.find(word, position + 1)


class _AnaphoraResolver:
    """Resolves the anaphora of one text, in order, from its mentions by sentence."""

    def __init__(
        self,
        text: NormalizedText,
        sentences: Sequence[tuple[int, int]],
        mentions: Sequence[Mention],
        headline: Callable[[], list[Mention]],
    ) -> None:
        self._text = text
        self._sentences = sentences
        self._starts = [start for start, _ in sentences]
        self._mentions = [mention for mention in mentions if mention.how != "group"]
        self._offsets = [mention.start for mention in self._mentions]
        self._all_mentions = mentions
        self._all_starts = [mention.start for mention in mentions]
        self._resolved: dict[int, frozenset[str]] = {}
        self._headline = headline

    def resolve_phrase(self, match: re.Match[str]) -> list[Mention]:
        """Return the mentions by one phrase."""
        index = bisect_right(self._starts, match.start()) - 1
        if index < 0 or match.end() > self._sentences[index][1]:
            return []
        if "possessive" in match.re.groupindex:
            return self._counterpart(match, index)
        group = "counted" if match["counted"] else "pair"
        start, end = match.span(group)
        if _OTHERS.search(match["kind"] or match["pair_kind"] or "") or self._overlaps(start, end):
            return []
        count = _COUNTS[(match["number"] or "both").lower()]
        noun = (match["noun"] or match["pair_noun"]).lower()
        if noun == "parties":  # of one state's parliament, unless two states are mentioned nearby
            partisan = _PARTISAN.search(self._text.folded)
            states = frozenset() if partisan else self._recent(index, start, count, frozenset(), reach=_PLURAL_REACH)
        else:
            excluded = frozenset() if "side" in noun or "leader" in noun else _NO_COUNTRY
            states = self._antecedent(index, start, count, excluded)
        if states:
            self._resolved[index] = states
        return [Mention(start, end, state, "context") for state in sorted(states)]

    def _overlaps(self, start: int, end: int) -> bool:
        """Return whether a mention overlaps a span."""
        index = bisect_left(self._all_starts, end)
        return any(mention.end > start for mention in self._all_mentions[max(0, index - 8) : index])

    def resolve_plural(self, start: int, end: int) -> list[Mention]:
        """Return the mentions by a plural without a number, which refers to two states."""
        index = bisect_right(self._starts, start) - 1
        if index < 0 or end > self._sentences[index][1] or self._overlaps(start, end):
            return []
        states = self._recent(index, start, 2, frozenset(), _PLURAL_REACH)
        return [Mention(start, end, state, "context") for state in sorted(states)]

    def _between(self, start: int, end: int) -> list[Mention]:
        return self._mentions[bisect_left(self._offsets, start) : bisect_left(self._offsets, end)]

    def _antecedent(self, index: int, stop: int, count: int, excluded: frozenset[str]) -> frozenset[str]:
        """Return the antecedents of a phrase at `stop` in the sentence `index`; empty if they are ambiguous."""
        return self._recent(index, stop, count, excluded) or self._topic(count, excluded)

    def _recent(
        self, index: int, stop: int, count: int, excluded: frozenset[str], reach: int = LOOK_BACK
    ) -> frozenset[str]:
        """Return the states of the phrase's sentence or the preceding ones, if their number is `count`."""
        combined: frozenset[str] = frozenset()
        counts: Counter[str] = Counter()
        for number in range(index, max(-1, index - reach), -1):
            start, end = self._sentences[number]
            mentions = [m for m in self._between(start, min(end, stop)) if m.state not in excluded]
            states = frozenset(m.state for m in mentions)
            if number in self._resolved and len(self._resolved[number]) == count:
                return self._resolved[number]
            if len(states) == count:
                return states
            if len(states) > count:
                return self._coordinated(mentions, count)
            combined |= states
            if len(combined) == count:
                return combined
            if len(combined) > count:
                break
            counts.update(m.state for m in mentions)
        ranked = counts.most_common(count + 1)
        if len(ranked) > count and ranked[count - 1][1] > ranked[count][1] + 1:
            return frozenset(state for state, _ in ranked[:count])
        return frozenset()

    def _topic(self, count: int, excluded: frozenset[str]) -> frozenset[str]:
        """Return the states of the headline, else of the first sentence with mentions, if their number is `count`."""
        headline_states = self._headline_states - excluded
        if len(headline_states) == count:
            return headline_states
        lead_states = self._lead_states - excluded
        return lead_states if len(lead_states) == count and headline_states <= lead_states else frozenset()

    @cached_property
    def _headline_states(self) -> frozenset[str]:
        """The states of the headline."""
        return frozenset(mention.state for mention in self._headline() if mention.how != "group")

    @cached_property
    def _lead_states(self) -> frozenset[str]:
        """The states of the first sentence with mentions."""
        lead = next((span for span in self._sentences if self._between(*span)), (0, 0))
        return frozenset(mention.state for mention in self._between(*lead))

    def _coordinated(self, mentions: Sequence[Mention], count: int) -> frozenset[str]:
        """Return the first coordinated states of a sentence with many: "India and Pakistan"."""
        chain: list[str] = []
        last = -1
        for mention in mentions:
            if chain and _JOINED.fullmatch(self._text.folded[last : mention.start]):
                chain.append(mention.state)
            elif len(set(chain)) == count:
                break
            else:
                chain = [mention.state]
            last = mention.end
        return frozenset(chain) if len(set(chain)) == count else frozenset()

    def _counterpart(self, match: re.Match[str], index: int) -> list[Mention]:
        """Return the mention by "his" in "his Japanese counterpart", if the person was mentioned before."""
        start, end = self._sentences[index]
        sentence_mentions = self._between(start, end)
        if not sentence_mentions or any(mention.start < match.start("people") for mention in sentence_mentions):
            return []
        sentence_states = {mention.state for mention in sentence_mentions}
        for number in range(index - 1, max(-1, index - 1 - LOOK_BACK), -1):
            before = [m for m in self._between(*self._sentences[number]) if m.state not in sentence_states]
            leaders = [m for m in before if m.how == "leader"] or before
            if leaders:
                states = {m.state for m in leaders}
                is_clear = len(states) == 1
                return [Mention(*match.span("possessive"), leaders[0].state, "context")] if is_clear else []
        return []
