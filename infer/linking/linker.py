"""Finds the states that a text speaks of: one Aho-Corasick pass over every form in the tables, then rules.

The rules of what counts and how far a mention reaches are in `linking.md`; what is no state in `false_positives.py`,
who is in office in `officeholders.py`, "the two countries" and the like in `coreference.py`.
"""

import datetime
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter

from ahocorasick_rs import AhoCorasick

from detente.data.gazetteer.gazetteer import Form, Group, Person, Phrase, Tables, tables
from detente.infer.linking import coreference, introductions, office_anaphora
from detente.infer.linking import speaker as speakers
from detente.infer.linking.false_positives import Traps
from detente.infer.linking.homographs import brussels, may_be_pronoun
from detente.infer.linking.mentions import Mention
from detente.infer.linking.officeholders import Offices
from detente.infer.text.normalize import Page, fold
from detente.infer.text.sentences import split

#: The kinds of `not_states.csv` whose forms swallow what stands inside them; the other kinds serve rules.
_SWALLOW = ("place", "people", "thing", "history", "organisation", "person")
#: States whose people news writes with digraphs or without (Woerner, Wörner).
_DIGRAPHS = frozenset({"AUT", "CHE", "DEU", "DNK", "EST", "EUU", "FIN", "HUN", "NAT", "NOR", "SWE", "TUR"})
_DIGRAPH = re.compile("(?<=[AaOo])e|(?<=u)e(?!l)")
_OWNER = re.compile(r"(?:'s?)? (?:[a-z]+ )?$")
#: States that news makes a byword of.
_ANALOGY = re.compile("Vietnam|Afghanistan|Switzerland|Iraq|Cuba|Korea", re.IGNORECASE)
#: What each Korea calls itself: the North where the text has named it alone so far.
_KOREA = frozenset({"Korea", "Korean", "Koreans"})
_PREFIXED = re.compile(r"-[A-Z]")
_ARTICLE = re.compile(r"\b[Tt]he $")
_NO_NAME = re.compile(r"(?!(?: |-)[A-Z])")
#: What makes a continent an actor: a verb after it and no word before it that makes it a place.
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
    """Everything that one way of writing may stand for."""

    forms: list[Form] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    surnames: list[Person] = field(default_factory=list)
    group: Group | None = None
    phrases: list[Phrase] = field(default_factory=list)
    swallows: bool = False
    office: bool = False
    plural: bool = False

    @property
    def names(self) -> bool:
        """Whether the words may name a state."""
        return bool(self.forms or self.people or self.surnames or self.group or self.phrases)


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    entry: _Entry


class Linker:
    """Finds mentions of states in a text.

    Attributes:
        outward: ids of the groups whose members are not read with each other (see `mentions.dyads`).
    """

    def __init__(self, known: Tables | None = None) -> None:
        """Build the automaton.

        Args:
            known: the tables; those of the package if left out.
        """
        known = known or tables()
        self.outward = frozenset(group.id for group in known.groups if group.expand == "none")
        self._territories = known.territories
        self._states = frozenset(known.states)
        self._given = known.not_states.get("given", frozenset())
        self._traps = Traps(self._given, known.not_states.get("province", frozenset()))
        entries = _entries(known)
        self._entries = list(entries.values())
        self._people = {(person.state, person.name): person for person in known.people}
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
            text: one sentence or a whole article.
            date: the day it was published: people count while in office, groups with their members of that day.
            title: the headline, if it stands apart from the text: it introduces people and the states of
                context phrases.
            sentences: the sentences' spans, if they are known already.
            wanted: codes of states asked for: groups such as the G7 or ASEAN give their members among them, and
                territories (Hong Kong) are found.
            every_group: whether such groups give all of their members.
            speaker: code of the state whose statement the text is: its "we" and "our" are mentions of it.
        """
        page = Page(text, date, title)
        spans = split(text) if sentences is None else sentences
        members = frozenset(self._states if every_group else wanted)
        reader = _Reader(page, self._traps, self._given, members)
        if title:
            reader.introduce(self._hits(Page(title)))
        hidden = self._territories.difference(wanted)
        found = [mention for mention in reader.read(self._hits(page)) if mention.state not in hidden]
        if by_office := office_anaphora.resolve(page, found, reader.titles, self._people):
            found = sorted([*found, *by_office])
        pointing = coreference.resolve(
            page, spans, found, reader.plurals, lambda: self.link(title, date=date) if title else []
        )
        if speaker:
            found = sorted([*found, *pointing], key=attrgetter("start"))
            pointing = speakers.resolve(page, speaker, found)
        return sorted({*found, *pointing}, key=attrgetter("start", "end", "state", "how", "via"))

    def _hits(self, page: Page) -> Iterator[_Hit]:
        """Yield the matches that stand as words outside datelines, leftmost longest, in order."""
        plain = page.plain
        length = len(plain)
        matches = sorted(
            (start, -end, number)
            for number, start, end in self._automaton.find_matches_as_indexes(plain, overlapping=True)
            if not (start and (plain[start - 1].isalnum() or plain[start - 1] in "@_"))
            and not (end < length and (plain[end].isalnum() or plain[end] == "_"))
        )
        datelines = iter([*(page.datelines if matches else ()), (length, length)])
        line = next(datelines)
        last = 0
        for start, minus_end, number in matches:
            if start < last:
                continue
            last = -minus_end
            while line[1] <= start:
                line = next(datelines)
            entry = self._entries[number]
            if start < line[0] and not entry.swallows:
                yield _Hit(start, last, entry)


class _Reader:
    """Reads the matches of one text from its start to its end."""

    def __init__(self, page: Page, traps: Traps, given: frozenset[str], members: frozenset[str]) -> None:
        self._page = page
        self._traps = traps
        self._members = members
        self._found: list[Mention] = []
        self._doubtful: list[tuple[_Hit, Form]] = []
        self._foreign: set[str] = set()
        self.titles: list[tuple[int, int]] = []
        self.plurals: list[tuple[int, int]] = []
        self._offices = Offices(page, given, self._found)

    def introduce(self, hits: Iterator[_Hit]) -> None:
        """Remember the people named in full."""
        for hit in hits:
            for person in hit.entry.people:
                self._offices.introduce(person)

    def read(self, hits: Iterator[_Hit]) -> list[Mention]:
        """Return the mentions that need no sentence before them, sorted."""
        for hit in hits:
            entry = hit.entry
            if entry.office or entry.plural:
                (self.titles if entry.office else self.plurals).append((hit.start, hit.end))
                if not entry.names:
                    continue
            self._found += self._mentions(hit)
        first: dict[str, int] = {}
        for mention in self._found:
            first.setdefault(mention.state, mention.start)
        for hit, form in self._doubtful:
            if self._is_backed(hit, form, first):
                self._found.append(Mention(hit.start, hit.end, form.state, form.how))
        self._found.sort(key=attrgetter("start", "end", "state"))
        later = introductions.resolve(self._page, self._found, self.titles)
        return sorted([*self._found, *later], key=attrgetter("start", "end", "state")) if later else self._found

    def _mentions(self, hit: _Hit) -> list[Mention]:
        start, end, entry = hit.start, hit.end, hit.entry
        if entry.people:
            self.introduce(iter([hit]))
            if who := self._offices.full(entry.people, start, end):
                return [Mention(start, end, who.state, "leader", who.name)]
        if (form := self._form(entry)) is not None and self._stands(form, hit):
            if "cue" in form.flags or any(flag.startswith("not:") for flag in form.flags):
                self._doubtful.append((hit, form))
                return []
            state = self._meant(form, start, end)
            return [Mention(start, end, state, form.how)] if state else []
        if entry.surnames and (named := self._offices.short(entry.surnames, start, end)):
            who, begins = named
            return [Mention(begins, end, who.state, "leader", who.name)]
        if (group := entry.group) is not None:
            members = [m for m in group.at(self._page.day) if group.expand == "all" or m in self._members]
            return [Mention(start, end, member, "group", group.id) for member in members]
        day = self._page.day
        phrase = next((p for p in entry.phrases if day is None or p.term.holds(day)), None)
        return [Mention(start, end, state, "context") for state in phrase.states] if phrase else []

    def _meant(self, form: Form, start: int, end: int) -> str:
        """Return the state that a form means here: Brussels and Korea are two; empty for a mere venue."""
        if form.form == "Brussels":
            return brussels(self._page, start, end)
        if form.form in _KOREA and not self._page.plain.startswith("South", max(0, start - 6)):
            named = {mention.state for mention in self._found}
            return "PRK" if "PRK" in named and "KOR" not in named else form.state
        return form.state

    def _form(self, entry: _Entry) -> Form | None:
        """Return the row that holds at the text's date; without a date the first that needs none."""
        day = self._page.day
        for form in entry.forms:
            if form.term.holds(day) if day else "dated" not in form.flags:
                return form
        return None

    def _stands(self, form: Form, hit: _Hit) -> bool:
        if "prefix" in form.flags and not _PREFIXED.match(self._page.after(hit.end)):
            return False
        if "the" in form.flags and not (
            _ARTICLE.search(self._page.before(hit.start)) and _NO_NAME.match(self._page.after(hit.end))
        ):
            return False
        if "actor" in form.flags and (
            not _ACTS.match(self._page.after(hit.end)) or _PLACED.search(self._page.before(hit.start))
        ):
            return False
        if "loose" in form.flags and self._is_foreign(form, hit.start):
            return False
        if form.how == "name" and self._found and _ANALOGY.match(form.form) and self._is_owned(form, hit.start):
            return False
        if form.form == "US" and may_be_pronoun(self._page, hit.start, hit.end) and not self._is_near(hit.start):
            return False
        return not self._traps.refuses(form, self._page, hit.start, hit.end)

    def _is_foreign(self, form: Form, start: int) -> bool:
        """Tell whether a body that many states have is another state's here: "the Philippine Senate"."""
        kind = form.form.split()[0].lower()
        if self._found and (owner := self._found[-1]).state != form.state:
            between = _OWNER.fullmatch(self._page.plain[owner.end : start])
            if between and (owner.how == "demonym" or between[0].startswith("'")):
                self._foreign.add(kind)
                return True
        if self._found and self._found[-1].state == form.state and start - self._found[-1].end < 3:
            self._foreign.discard(kind)
        return kind in self._foreign

    def _is_near(self, start: int) -> bool:
        """Tell whether a state is named shortly before, in the same line."""
        near = self._page.text[max(0, start - 100) : start].rpartition("\n")[2]
        return bool(self._found) and self._found[-1].start >= start - len(near)

    def _is_owned(self, form: Form, start: int) -> bool:
        """Tell whether another state has it: "America's Vietnam"."""
        owner = self._found[-1]
        return owner.state != form.state and self._page.plain[owner.end : start] == "'s "

    def _is_backed(self, hit: _Hit, form: Form, first: dict[str, int]) -> bool:
        """Tell whether an ambiguous form is backed by the text up to the end of its paragraph.

        With the flag `cue` its state must be named there; with `not:XXX` its state, or else the state XXX must not be.

        Args:
            hit: where the form stands.
            form: the form.
            first: where each state is named first.
        """
        stop = self._page.paragraph_end(hit.end)
        if first.get(form.state, stop) < stop:
            return True
        twins = {flag[4:] for flag in form.flags if flag.startswith("not:")}
        return "cue" not in form.flags and all(first.get(twin, stop) >= stop for twin in twins)


def _entries(known: Tables) -> dict[str, _Entry]:
    """Return what every way of writing stands for, folded, capitals included."""
    entries: dict[str, _Entry] = {}

    def entry(form: str, *, exact: bool = False) -> Iterator[_Entry]:
        plain = fold(form)
        for surface in {plain} if exact else {plain, plain.upper(), plain[:1].upper() + plain[1:]}:
            yield entries.setdefault(surface, _Entry())

    for form in known.forms:
        for e in entry(form.form, exact="exact" in form.flags):
            e.forms.append(form)
    for person in known.people:
        for full in _spellings(person, person.forms):
            for e in entry(full):
                e.people.append(person)
        for short in _spellings(person, [person.surname]):
            for e in entry(short):
                e.surnames.append(person)
    for group in known.groups:
        for name in group.forms:
            for e in entry(name, exact=True):
                e.group = group
    for phrase in known.phrases:
        for e in entry(phrase.form):
            e.phrases.append(phrase)
    for noun in introductions.OFFICES:
        for e in entry(noun):
            e.office = True
    for noun in coreference.PLURALS:
        for e in entry(noun):
            e.plural = True
    for kind in _SWALLOW:
        for name in known.not_states.get(kind, ()):
            for e in entry(name):
                e.swallows = True
    return entries


def _spellings(person: Person, forms: Sequence[str]) -> list[str]:
    """Return the folded forms of a name, with and without Germanic digraphs."""
    plain = [fold(form) for form in forms]
    if person.state in _DIGRAPHS:
        plain += [_DIGRAPH.sub("", form) for form in plain]
    return list(dict.fromkeys(plain))


@cache
def linker() -> Linker:
    """Return the linker over the package's tables, built at the first call."""
    return Linker()
