"""Resolve names of office holders by dates of office, titles and earlier mentions."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from detente.data.gazetteer.gazetteer import Person
from detente.infer.linking.mentions import Mention
from detente.infer.text.normalize import NormalizedText, words

#: Time after leaving office in which news still uses the title.
GRACE = timedelta(days=31)

#: Number of preceding mentions that are searched for the state of an ambiguous name.
_RECENT = 12
_HEADS = frozenset({"head_of_state", "head_of_government", "party_leader", "commission_president", "council_president"})
#: The offices that a title before a surname can refer to; `None` is any office.
_TITLES: tuple[tuple[str, frozenset[str] | None], ...] = (
    (r"(?:deputy|vice) (?:prime minister|premier)|DPM|SM|(?:deputy|under|assistant) ?secretary(?: of state)?|"
     r"undersecretary|senior minister|(?:deputy|vice) (?:foreign )?minister|ambassador|spokes(?:man|woman|person)|"
     r"(?:special )?(?:envoy|representative|coordinator)|state councill?or|speaker|admiral|adm\.", None),
    (r"vice[ -]president", frozenset({"vice_president", "head_of_state", "commission_president"})),
    (r"president|pres\.|chairman|general secretary|secretary[ -]general|party (?:chief|leader|boss)", None),
    (r"(?:prime minister|premier|chancellor|taoiseach|PM)", frozenset({"head_of_government", "council_president"})),
    (r"(?:foreign|external affairs) (?:minister|secretary)|secretary of state", frozenset({"foreign_minister"})),
    (r"defen[cs]e (?:minister|secretary|chief)|secretary of defen[cs]e", frozenset({"defence_minister"})),
    (r"treasury (?:secretary|chief)|secretary of the treasury", frozenset({"treasury"})),
    (r"commerce secretary|secretary of commerce", frozenset({"commerce"})),
    (r"trade representative", frozenset({"trade_representative"})),
    (r"national security advis[eo]r", frozenset({"national_security_adviser"})),
    (r"(?:supreme |paramount )?leader|(?:crown )?prince|king|queen|emperor|emir|sultan|ayatollah|pope", None),
    (r"secretary|minister|counsell?or|representative|commissioner|marshal|general|gen\.|colonel|col\.", None),
)  # fmt: skip
_TITLE = re.compile(
    r"(?<![\w-])(?:(?P<former>former|ex|late|retired|one-time|onetime)\b[^.;:,]{0,30}?[ -])?(?:"
    + "|".join(f"(?P<t{number}>{pattern})" for number, (pattern, _) in enumerate(_TITLES))
    + r")(?:-(?:designate|elect))? $",
    re.IGNORECASE,
)
#: The last word of a title, a fast check before the slow pattern.
_ADDRESS = re.compile(
    r"(?:president|pres\.|chairman|secretary|general|chief|leader|boss|minister|premier|chancellor|taoiseach|pm|"
    r"state|defen[cs]e|"
    r"treasury|commerce|representative|advis[eo]r|prince|king|queen|emperor|emir|sultan|ayatollah|pope|counsell?or|"
    r"commissioner|"
    r"marshal|gen\.|colonel|col\.|designate|elect|dpm|sm|undersecretary|envoy|coordinator|ambassador|spokesman|"
    r"spokeswoman|spokesperson|councill?or|speaker|admiral|adm\.) \Z",
    re.IGNORECASE,
)
_COURTESY = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Sir|Lady|Madame?|Comrade|Gen|Col|Sen)\.? $")
_FORMER = re.compile(r"\b(?:former|late|ex)\b[ -][^.;:,\n]{0,48}$", re.IGNORECASE)
_TEAM = re.compile(r"(?:'s)?[ -](?:(?i:administration|government|cabinet|presidency|officials)|White House|era)\b")
_BESIDE = re.compile(r"[-–]|,? and |, ")
_LAST = re.compile(r"([^\W\d_][\w.'-]{0,63}) $")
#: A word with a full stop that ends a sentence, and isn't an initial or a title.
_ENDED = re.compile(r"(?!(?:Rep|Gov|Capt|Sgt|Lt|Maj|Prof|Rev|Adm|Amb|Jr|Sr|Hon|Cpl|Pvt)\.)\w[\w'-]{1,63}\.\Z")
_NEXT = re.compile(r" ([A-Z][\w'-]+)")
_MIDDLE = re.compile(r"([A-Z][a-z]+) (?:[A-Z]\.? ?){1,2}$")
#: Words that make a name a thing or another person: "USS Ronald Reagan", "Reagan Library", "Donald Trump Jr."
_THING = re.compile(
    r"(?:'s)? (?:(?:International |National |Presidential |Memorial ){0,4}(?:Airport|Library|Institute|Foundation|"
    r"Center|Centre|School|Building|Tower|Towers|Hotel|University|Avenue|Boulevard|Stadium|Museum|Organi[sz]ation|Jr\b|"
    r"Sr\b|National\b|International\b|Street|Road|Highway|Bridge|Prize|Doctrine|Plan\b))"
)
_SHIP = re.compile(r"\b(?:USS|HMS|carrier|Lake|Mount|Port|Fort|Saint|St\.) $")
_LOCATIVE = re.compile(r"\b(?:in|near|at|from|to|of|outside) $")
#: Capitalised words that may precede a surname but aren't given names.
NOT_GIVEN_NAMES = words(
    "the a an and or but if as when while for in on at with since after before under by both neither nor to from "
    "of yet so although because former then meanwhile here there why how what will can did does is has had was "
    "were that this where who whose than like against between about into over without today yesterday tomorrow "
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december mr mrs ms dr president minister premier chancellor secretary chairman "
    "leader king queen prince emperor pope ayatollah general marshal colonel senator representative governor "
    "ambassador comrade sir lady madam counselor counsellor director adviser advisor said says told not also even "
    "only once still now"
)
_FOLLOW = words(
    "administration government cabinet white house monday tuesday wednesday thursday friday saturday sunday "
    "january february march april may june july august september october november december said says"
)


def in_office(person: Person, day: date) -> bool:
    """Return whether a person holds an office on a day, or left it within the preceding month."""
    return any(
        (term.start is None or term.start <= day) and (term.end is None or day <= term.end + GRACE)
        for term in person.terms
    )


def has_led(person: Person, day: date) -> bool:
    """Return whether a person has become head of a government or state by a day."""
    return any(term.office in _HEADS and (term.start is None or term.start <= day) for term in person.terms)


class OfficeholderResolver:
    """Resolves names of people in one text, in reading order."""

    def __init__(self, text: NormalizedText, given_names: frozenset[str], mentions: Sequence[Mention]) -> None:
        """Prepare for a text.

        Args:
            text: text to resolve names in.
            given_names: given names, after which a surname is another person's.
            mentions: mentions before the current name; a list to which the linker appends.
        """
        self._text = text
        self._given_names = given_names
        self._mentions = mentions
        self._introduced: dict[str, Person] = {}

    def introduce(self, person: Person) -> None:
        """Register a full name, so that the surname alone refers to this person from now on."""
        self._introduced[person.surname] = person

    def by_full_name(self, people: Sequence[Person], start: int, end: int) -> Person | None:
        """Return the person that a full name refers to, or `None`."""
        day = self._text.day
        before, after = self._text.before(start), self._text.after(end)
        if _THING.match(after) or _SHIP.search(before):
            return None
        holders = [person for person in people if day is None or in_office(person, day)]
        if not holders and day is not None and _TEAM.match(after):
            holders = [person for person in people if has_led(person, day)]
        if day is None and _FORMER.search(before) and "then" not in before:
            return None
        return self._choose(holders)

    def by_surname(self, people: Sequence[Person], start: int, end: int) -> tuple[Person, int] | None:
        """Return the person that a surname refers to and the start of the name, or `None`."""
        text, day = self._text, self._text.day
        after = text.after(end)
        is_team = _TEAM.match(after)
        current = [
            person for person in people if day is None or in_office(person, day) or (is_team and has_led(person, day))
        ]
        if not current:
            return None
        before = text.before(start)
        if not before.endswith(" "):
            before = ""  # all patterns below require a space before the name
        if _THING.match(after) or _SHIP.search(before):
            return None
        if middle := _MIDDLE.search(before):  # "Joseph R. Biden"
            namesakes = [person for person in current if any(form.split()[0] == middle[1] for form in person.forms)]
            person = self._choose(namesakes)
            return (person, start - len(middle[0])) if person else None
        if _ADDRESS.search(before) and (title := _TITLE.search(before)):
            if title["former"]:
                return None
            offices = next(offices for index, (_, offices) in enumerate(_TITLES) if title[f"t{index}"])
            holders = [
                person for person in current if offices is None or any(term.office in offices for term in person.terms)
            ]
            if self._is_other_name(before, after, start, titled=True):
                return None
            person = self._choose(holders or [person for person in current if person.surname_is_unique])
            return (person, start) if person else None
        if self._is_other_name(before, after, start, titled=False):
            return None
        introduced = self._introduced.get(people[0].surname)
        if introduced is not None and introduced in current:
            if not introduced.surname_is_unique and _LOCATIVE.search(before):
                return None
            return introduced, start
        if (
            self._mentions
            and (preceding := self._mentions[-1]).how == "leader"
            and _BESIDE.fullmatch(text.folded[preceding.end : start])
        ):
            person = self._choose(current) if len({person.state for person in current}) == 1 else None
            return (person, start) if person else None
        candidates = [
            person for person in current if person.surname_is_unique or (is_team and text.case(start) != "capitals")
        ]
        if not candidates or (day is None and any(person.state != candidates[0].state for person in people)):
            return None
        person = self._choose(candidates)
        return (person, start) if person else None

    def _choose(self, people: Sequence[Person]) -> Person | None:
        """Return the person if all candidates are of one state, else the one whose state was mentioned last."""
        if len({person.state for person in people}) == 1:
            return people[0]
        for mention in self._mentions[: -_RECENT - 1 : -1]:
            for person in people:
                if person.state == mention.state:
                    return person
        return None

    def _is_other_name(self, before: str, after: str, start: int, *, titled: bool) -> bool:
        """Return whether the words around a surname make it the name of another person or thing."""
        styled = self._text.case(start)
        follows = _NEXT.match(after)
        if follows and styled == "plain" and follows[1].lower() not in _FOLLOW and not follows[1].isupper():
            return True
        last = _LAST.search(before)
        if titled or not last or not last[1][0].isupper() or _ENDED.match(last[1]):
            return False
        word = last[1].rstrip(".")
        if word in self._given_names or word.capitalize() in self._given_names:
            return True
        if styled != "plain" or word.lower() in NOT_GIVEN_NAMES or _COURTESY.search(before):
            return False
        opening = before[: last.start()].rstrip()
        return bool(opening) and opening[-1] not in '.!?":;-—–('
