"""Link the mentions of states in a text: one Aho-Corasick pass over all surface forms, then rules.

`linking.md` defines what counts as a mention and its span. `false_positives.py` rejects names that aren't states here,
`officeholders.py` resolves people, and `coreference.py` resolves phrases such as "the two countries".
"""

import datetime
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter

from ahocorasick_rs import AhoCorasick

from detente.data.gazetteer.gazetteer import Group, Person, Phrase, SurfaceForm, Tables, tables
from detente.infer.linking import coreference, introductions, office_anaphora
from detente.infer.linking import speaker as speakers
from detente.infer.linking.false_positives import FalsePositiveFilter
from detente.infer.linking.homographs import may_be_pronoun, resolve_brussels
from detente.infer.linking.mentions import Mention
from detente.infer.linking.officeholders import OfficeholderResolver
from detente.infer.text.normalize import NormalizedText, fold_diacritics
from detente.infer.text.sentences import split

#: The kinds of `not_states.csv` whose forms suppress the matches inside them; the other kinds are used by rules.
_SWALLOW = ("place", "people", "thing", "history", "organisation", "person")
#: States with names of people that are written with or without digraphs (Woerner, Wörner).
_DIGRAPHS = frozenset({"AUT", "CHE", "DEU", "DNK", "EST", "EUU", "FIN", "HUN", "NAT", "NOR", "SWE", "TUR"})
_DIGRAPH = re.compile("(?<=[AaOo])e|(?<=u)e(?!l)")
_OWNER = re.compile(r"(?:'s?)? (?:[a-z]+ )?$")
#: States that news uses as an analogy.
_ANALOGY = re.compile("Vietnam|Afghanistan|Switzerland|Iraq|Cuba|Korea", re.IGNORECASE)
#: Names of either Korea, which mean the North if the text has named only the North so far.
_KOREA = frozenset({"Korea", "Korean", "Koreans"})
_PREFIXED = re.compile(r"-[A-Z]")
_ARTICLE = re.compile(r"\b[Tt]he $")
_NO_NAME = re.compile(r"(?!(?: |-)[A-Z])")
#: A continent is an actor if a verb follows and no preposition or direction before it makes it a place.
_ACTS = re.compile(
    r" (?:has|have|had|is|was|will|would|must|should|can|could|may|might|wants?|said|says|seems|needs?|agreed|"
    r"announced|imposed|rejected|faces|remains|did|does|cannot)\b"
)
_PLACED = re.compile(
    r"\b(?:in|across|to|of|for|from|into|on|within|throughout|around|over|the|and|or|western|eastern|central|southern|"
    r"northern|new) $",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Entry:
    """All possible meanings of one surface form."""

    forms: list[SurfaceForm] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    surnames: list[Person] = field(default_factory=list)
    group: Group | None = None
    phrases: list[Phrase] = field(default_factory=list)
    swallows: bool = False
    office: bool = False
    plural: bool = False

    @property
    def names(self) -> bool:
        """Whether the words may refer to a state."""
        return bool(self.forms or self.people or self.surnames or self.group or self.phrases)


@dataclass(frozen=True, slots=True)
class _Match:
    start: int
    end: int
    entry: _Entry


class Linker:
    """Links mentions of states in a text.

    Attributes:
        outward: ids of the groups whose members form no dyads with each other (see `mentions.dyads`).
    """

    def __init__(self, gazetteer: Tables | None = None) -> None:
        """Build the automaton.

        Args:
            gazetteer: tables of names; default: the package's tables.
        """
        gazetteer = gazetteer or tables()
        self.outward = frozenset(group.id for group in gazetteer.groups if group.expand == "none")
        self._territories = gazetteer.territories
        self._states = frozenset(gazetteer.states)
        self._given_names = gazetteer.not_states.get("given", frozenset())
        self._false_positives = FalsePositiveFilter(
            self._given_names, gazetteer.not_states.get("province", frozenset())
        )
        entries = _entries(gazetteer)
        self._entries = list(entries.values())
        self._people = {(person.state, person.name): person for person in gazetteer.people}
        self._automaton = AhoCorasick(list(entries))

    def link(
        self,
        text: str,
        *,
        date: datetime.date | None = None,
        title: str = "",
        sentences: Sequence[tuple[int, int]] | None = None,
        wanted: Collection[str] = (),
        every_group: bool = False,
        speaker: str = "",
    ) -> list[Mention]:
        """Return the mentions in a text, sorted.

        Args:
            text: a sentence or an article.
            date: date of publication, which determines office holders and the members of groups.
            title: headline, if it isn't part of the text; it introduces people and the antecedents of phrases.
            sentences: spans of the sentences; default: the output of `split`.
            wanted: codes of requested states; groups such as the G7 or ASEAN are expanded to those of their members,
                and territories (Hong Kong) are linked.
            every_group: whether such groups are expanded to all members.
            speaker: code of the state whose statement the text is: its "we" and "our" are mentions of it.
        """
        normalized = NormalizedText(text, date, title)
        spans = split(text) if sentences is None else sentences
        members = frozenset(self._states if every_group else wanted)
        extractor = _MentionExtractor(normalized, self._false_positives, self._given_names, members)
        if title:
            extractor.introduce(self._matches(NormalizedText(title)))
        hidden = self._territories.difference(wanted)
        mentions = [mention for mention in extractor.extract(self._matches(normalized)) if mention.state not in hidden]
        if by_office := office_anaphora.resolve(normalized, mentions, extractor.titles, self._people):
            mentions = sorted([*mentions, *by_office])
        anaphora = coreference.resolve(
            normalized, spans, mentions, extractor.plurals, lambda: self.link(title, date=date) if title else []
        )
        if speaker:
            mentions = sorted([*mentions, *anaphora], key=attrgetter("start"))
            anaphora = speakers.resolve(normalized, speaker, mentions)
        return sorted({*mentions, *anaphora}, key=attrgetter("start", "end", "state", "how", "via"))

    def _matches(self, text: NormalizedText) -> Iterator[_Match]:
        """Yield the leftmost longest matches at word boundaries outside datelines, in order."""
        plain = text.folded
        length = len(plain)
        matches = sorted(
            (start, -end, number)
            for number, start, end in self._automaton.find_matches_as_indexes(plain, overlapping=True)
            if not (start and (plain[start - 1].isalnum() or plain[start - 1] in "@_"))
            and not (end < length and (plain[end].isalnum() or plain[end] == "_"))
        )
        datelines = iter([*(text.datelines if matches else ()), (length, length)])
        dateline = next(datelines)
        match_end = 0
        for start, minus_end, number in matches:
            if start < match_end:
                continue
            match_end = -minus_end
            while dateline[1] <= start:
                dateline = next(datelines)
            entry = self._entries[number]
            if start < dateline[0] and not entry.swallows:
                yield _Match(start, match_end, entry)


class _MentionExtractor:
    """Extracts mentions from the matches of one text, in reading order."""

    def __init__(
        self,
        text: NormalizedText,
        false_positives: FalsePositiveFilter,
        given_names: frozenset[str],
        members: frozenset[str],
    ) -> None:
        self._text = text
        self._false_positives = false_positives
        self._members = members
        self._mentions: list[Mention] = []
        self._ambiguous: list[tuple[_Match, SurfaceForm]] = []
        self._foreign: set[str] = set()
        self.titles: list[tuple[int, int]] = []
        self.plurals: list[tuple[int, int]] = []
        self._people = OfficeholderResolver(text, given_names, self._mentions)

    def introduce(self, matches: Iterator[_Match]) -> None:
        """Remember the people with full names among the matches."""
        for match in matches:
            for person in match.entry.people:
                self._people.introduce(person)

    def extract(self, matches: Iterator[_Match]) -> list[Mention]:
        """Return all mentions except anaphora across sentences, sorted."""
        for match in matches:
            entry = match.entry
            if entry.office or entry.plural:
                (self.titles if entry.office else self.plurals).append((match.start, match.end))
                if not entry.names:
                    continue
            self._mentions += self._mentions_of(match)
        first_starts: dict[str, int] = {}
        for mention in self._mentions:
            first_starts.setdefault(mention.state, mention.start)
        for match, form in self._ambiguous:
            if self._is_supported(match, form, first_starts):
                self._mentions.append(Mention(match.start, match.end, form.state, form.how))
        self._mentions.sort(key=attrgetter("start", "end", "state"))
        later = introductions.resolve(self._text, self._mentions, self.titles)
        return sorted([*self._mentions, *later], key=attrgetter("start", "end", "state")) if later else self._mentions

    def _mentions_of(self, match: _Match) -> list[Mention]:
        start, end, entry = match.start, match.end, match.entry
        if entry.people:
            self.introduce(iter([match]))
            if person := self._people.by_full_name(entry.people, start, end):
                return [Mention(start, end, person.state, "leader", person.name)]
        if (form := self._current_form(entry)) is not None and self._is_valid(form, match):
            if "cue" in form.flags or any(flag.startswith("not:") for flag in form.flags):
                self._ambiguous.append((match, form))
                return []
            state = self._resolve_state(form, start, end)
            return [Mention(start, end, state, form.how)] if state else []
        if entry.surnames and (resolved := self._people.by_surname(entry.surnames, start, end)):
            person, name_start = resolved
            return [Mention(name_start, end, person.state, "leader", person.name)]
        if (group := entry.group) is not None:
            members = [
                member
                for member in group.members_on(self._text.day)
                if group.expand == "all" or member in self._members
            ]
            return [Mention(start, end, member, "group", group.id) for member in members]
        day = self._text.day
        phrase = next((p for p in entry.phrases if day is None or p.term.holds(day)), None)
        return [Mention(start, end, state, "context") for state in phrase.states] if phrase else []

    def _resolve_state(self, form: SurfaceForm, start: int, end: int) -> str:
        """Return the state of a form, resolving Brussels and Korea; empty for a mere venue."""
        if form.form == "Brussels":
            return resolve_brussels(self._text, start, end)
        if form.form in _KOREA and not self._text.folded.startswith("South", max(0, start - 6)):
            named = {mention.state for mention in self._mentions}
            return "PRK" if "PRK" in named and "KOR" not in named else form.state
        return form.state

    def _current_form(self, entry: _Entry) -> SurfaceForm | None:
        """Return the first form valid at the text's date; without a date, the first one that isn't dated."""
        day = self._text.day
        for form in entry.forms:
            if form.term.holds(day) if day else "dated" not in form.flags:
                return form
        return None

    def _is_valid(self, form: SurfaceForm, match: _Match) -> bool:
        if "prefix" in form.flags and not _PREFIXED.match(self._text.after(match.end)):
            return False
        if "the" in form.flags and not (
            _ARTICLE.search(self._text.before(match.start)) and _NO_NAME.match(self._text.after(match.end))
        ):
            return False
        if "actor" in form.flags and (
            not _ACTS.match(self._text.after(match.end)) or _PLACED.search(self._text.before(match.start))
        ):
            return False
        if "loose" in form.flags and self._is_foreign(form, match.start):
            return False
        if form.how == "name" and self._mentions and _ANALOGY.match(form.form) and self._is_analogy(form, match.start):
            return False
        if form.form == "US" and may_be_pronoun(self._text, match.start, match.end) and not self._is_near(match.start):
            return False
        return not self._false_positives.rejects(form, self._text, match.start, match.end)

    def _is_foreign(self, form: SurfaceForm, start: int) -> bool:
        """Return whether a body that many states have belongs to another state: "the Philippine Senate"."""
        kind = form.form.split()[0].lower()
        if self._mentions and (owner := self._mentions[-1]).state != form.state:
            between = _OWNER.fullmatch(self._text.folded[owner.end : start])
            if between and (owner.how == "demonym" or between[0].startswith("'")):
                self._foreign.add(kind)
                return True
        if self._mentions and self._mentions[-1].state == form.state and start - self._mentions[-1].end < 3:
            self._foreign.discard(kind)
        return kind in self._foreign

    def _is_near(self, start: int) -> bool:
        """Return whether a state is mentioned shortly before, in the same line."""
        near = self._text.text[max(0, start - 100) : start].rpartition("\n")[2]
        return bool(self._mentions) and self._mentions[-1].start >= start - len(near)

    def _is_analogy(self, form: SurfaceForm, start: int) -> bool:
        """Return whether another state precedes as a possessive: "America's Vietnam"."""
        owner = self._mentions[-1]
        return owner.state != form.state and self._text.folded[owner.end : start] == "'s "

    def _is_supported(self, match: _Match, form: SurfaceForm, first_starts: dict[str, int]) -> bool:
        """Return whether the text up to the end of the paragraph supports an ambiguous form.

        The flag `cue` requires a mention of its state; `not:XXX` requires that, or no mention of the state XXX.

        Args:
            match: match of the form.
            form: ambiguous form.
            first_starts: offset of the first mention of each state.
        """
        paragraph_end = self._text.paragraph_end(match.end)
        if first_starts.get(form.state, paragraph_end) < paragraph_end:
            return True
        twins = {flag[4:] for flag in form.flags if flag.startswith("not:")}
        return "cue" not in form.flags and all(first_starts.get(twin, paragraph_end) >= paragraph_end for twin in twins)


def _entries(gazetteer: Tables) -> dict[str, _Entry]:
    """Return the meanings of every folded surface form, including those in capitals."""
    entries: dict[str, _Entry] = {}

    def entry(form: str, *, exact: bool = False) -> Iterator[_Entry]:
        plain = fold_diacritics(form)
        for surface in {plain} if exact else {plain, plain.upper(), plain[:1].upper() + plain[1:]}:
            yield entries.setdefault(surface, _Entry())

    for form in gazetteer.forms:
        for item in entry(form.form, exact="exact" in form.flags):
            item.forms.append(form)
    for person in gazetteer.people:
        for full in _spellings(person, person.forms):
            for item in entry(full):
                item.people.append(person)
        for short in _spellings(person, [person.surname]):
            for item in entry(short):
                item.surnames.append(person)
    for group in gazetteer.groups:
        for name in group.forms:
            for item in entry(name, exact=True):
                item.group = group
    for phrase in gazetteer.phrases:
        for item in entry(phrase.form):
            item.phrases.append(phrase)
    for noun in introductions.OFFICES:
        for item in entry(noun):
            item.office = True
    for noun in coreference.PLURALS:
        for item in entry(noun):
            item.plural = True
    for kind in _SWALLOW:
        for name in gazetteer.not_states.get(kind, ()):
            for item in entry(name):
                item.swallows = True
    return entries


def _spellings(person: Person, forms: Sequence[str]) -> list[str]:
    """Return the folded variants of a name, with and without Germanic digraphs."""
    plain = [fold_diacritics(form) for form in forms]
    if person.state in _DIGRAPHS:
        plain += [_DIGRAPH.sub("", form) for form in plain]
    return list(dict.fromkeys(plain))


@cache
def linker() -> Linker:
    """Return the linker for the package's tables, built at the first call."""
    return Linker()
