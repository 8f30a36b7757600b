"""Who is meant by a name: people by their dates of office, titles and earlier mentions."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from detente.data.gazetteer.gazetteer import Person
from detente.infer.linking.mentions import Mention
from detente.infer.text.normalize import Page, words

#: A person counts for a month after leaving office: news goes on to call them by it.
GRACE = timedelta(days=31)

#: How many mentions back the state of an ambiguous name is looked for.
_RECENT = 12
_HEADS = frozenset({"head_of_state", "head_of_government", "party_leader", "commission_president", "council_president"})
#: The office that a title before a surname speaks of; `None` is any office.
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
#: The last word of a title: a quick look before the slow one.
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
#: A full stop after a word ends a sentence, unless it shortens a given name (an initial) or a title.
_ENDED = re.compile(r"(?!(?:Rep|Gov|Capt|Sgt|Lt|Maj|Prof|Rev|Adm|Amb|Jr|Sr|Hon|Cpl|Pvt)\.)\w[\w'-]+\.\Z")
_NEXT = re.compile(r" ([A-Z][\w'-]+)")
_MIDDLE = re.compile(r"([A-Z][a-z]+) (?:[A-Z]\.? ?){1,2}$")
#: What makes a name a thing: "USS Ronald Reagan", "Reagan Library", "Donald Trump Jr.".
_THING = re.compile(
    r"(?:'s)? (?:(?:International |National |Presidential |Memorial ){0,4}(?:Airport|Library|Institute|Foundation|"
    r"Center|Centre|School|Building|Tower|Towers|Hotel|University|Avenue|Boulevard|Stadium|Museum|Organi[sz]ation|Jr\b|"
    r"Sr\b|National\b|International\b|Street|Road|Highway|Bridge|Prize|Doctrine|Plan\b))"
)
_SHIP = re.compile(r"\b(?:USS|HMS|carrier|Lake|Mount|Port|Fort|Saint|St\.) $")
_AT = re.compile(r"\b(?:in|near|at|from|to|of|outside) $")
#: Capitalised words that may stand before a surname and are no given name.
NOT_GIVEN = words(
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
    """Tell whether a person holds an office on a day, or left it within the month before."""
    return any(
        (term.start is None or term.start <= day) and (term.end is None or day <= term.end + GRACE)
        for term in person.terms
    )


def began(person: Person, day: date) -> bool:
    """Tell whether a person has come to head a government by a day."""
    return any(term.office in _HEADS and (term.start is None or term.start <= day) for term in person.terms)


class Offices:
    """Decides which person a name stands for, reading one text from its start to its end."""

    def __init__(self, page: Page, given: frozenset[str], found: Sequence[Mention]) -> None:
        """Start reading a text.

        Args:
            page: the text.
            given: given names, which make the surname after them another person's.
            found: the mentions before the name at hand; the linker adds to them as it reads on.
        """
        self._page = page
        self._given = given
        self._found = found
        self._seen: dict[str, Person] = {}

    def introduce(self, person: Person) -> None:
        """Remember that the full name stood in the text: the surname alone is this person from here on."""
        self._seen[person.surname] = person

    def full(self, people: Sequence[Person], start: int, end: int) -> Person | None:
        """Return the person that a full name stands for, or `None`."""
        day = self._page.day
        before, after = self._page.before(start), self._page.after(end)
        if _THING.match(after) or _SHIP.search(before):
            return None
        found = [p for p in people if day is None or in_office(p, day)]
        if not found and day is not None and _TEAM.match(after):
            found = [p for p in people if began(p, day)]
        if day is None and _FORMER.search(before) and "then" not in before:
            return None
        return self._one(found)

    def short(self, people: Sequence[Person], start: int, end: int) -> tuple[Person, int] | None:
        """Return the person that a surname stands for and where the name starts, or `None`."""
        page, day = self._page, self._page.day
        after = page.after(end)
        team = _TEAM.match(after)
        current = [p for p in people if day is None or in_office(p, day) or (team and began(p, day))]
        if not current:
            return None
        before = page.before(start)
        if not before.endswith(" "):
            before = ""  # no pattern below looks behind a mark
        if _THING.match(after) or _SHIP.search(before):
            return None
        if middle := _MIDDLE.search(before):  # "Joseph R. Biden"
            named = [p for p in current if any(form.split()[0] == middle[1] for form in p.forms)]
            person = self._one(named)
            return (person, start - len(middle[0])) if person else None
        if _ADDRESS.search(before) and (title := _TITLE.search(before)):
            if title["former"]:
                return None
            offices = next(o for n, (_, o) in enumerate(_TITLES) if title[f"t{n}"])
            meant = [p for p in current if offices is None or any(t.office in offices for t in p.terms)]
            if self._is_other(before, after, start, titled=True):
                return None
            person = self._one(meant or [p for p in current if p.bare])
            return (person, start) if person else None
        if self._is_other(before, after, start, titled=False):
            return None
        seen = self._seen.get(people[0].surname)
        if seen is not None and seen in current:
            if not seen.bare and _AT.search(before):
                return None
            return seen, start
        if (
            self._found
            and (beside := self._found[-1]).how == "leader"
            and _BESIDE.fullmatch(page.plain[beside.end : start])
        ):
            person = self._one(current) if len({p.state for p in current}) == 1 else None
            return (person, start) if person else None
        bare = [p for p in current if p.bare or (team and page.case(start) != "capitals")]
        if not bare or (day is None and any(p.state != bare[0].state for p in people)):
            return None
        person = self._one(bare)
        return (person, start) if person else None

    def _one(self, people: Sequence[Person]) -> Person | None:
        """Choose among people of one name: all of one state, or of the state that was named last."""
        if len({person.state for person in people}) == 1:
            return people[0]
        for mention in self._found[: -_RECENT - 1 : -1]:
            for person in people:
                if person.state == mention.state:
                    return person
        return None

    def _is_other(self, before: str, after: str, start: int, *, titled: bool) -> bool:
        """Tell whether the words around a surname make it another person's or a thing's name."""
        styled = self._page.case(start)
        follows = _NEXT.match(after)
        if follows and styled == "plain" and follows[1].lower() not in _FOLLOW and not follows[1].isupper():
            return True
        last = _LAST.search(before)
        if titled or not last or not last[1][0].isupper() or _ENDED.match(last[1]):
            return False
        word = last[1].rstrip(".")
        if word in self._given or word.capitalize() in self._given:
            return True
        if styled != "plain" or word.lower() in NOT_GIVEN or _COURTESY.search(before):
            return False
        opening = before[: last.start()].rstrip()
        return bool(opening) and opening[-1] not in '.!?":;-—–('
