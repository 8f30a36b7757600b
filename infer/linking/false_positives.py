"""Reject names that don't refer to a state, by rules for what no list can cover.

Longer forms that contain a name ("South China Morning Post") are listed in `not_states.csv` of the gazetteer instead.
"""

import re

from detente.data.gazetteer.gazetteer import SurfaceForm
from detente.infer.linking.homographs import is_bird, is_pronoun, is_team, is_us_state
from detente.infer.text.normalize import NormalizedText, words


def _either(words: str) -> str:
    """Return a pattern for any of the words: as is, capitalised or in capitals."""
    split = words.split()
    return "(?:" + "|".join(dict.fromkeys(v for w in split for v in (w, w.capitalize(), _upper(w)))) + ")"


def _upper(pattern: str) -> str:
    return re.sub(r"(?<!\\)[a-z]", lambda letter: letter[0].upper(), pattern)


# Context after a form. -----------------------------------------------------------------------------------------

_TREATY = re.compile(
    r"[ -](?:(?:\d{4}|COP\d+|"
    + _either("climate change peace nuclear trade interim ceasefire framework currency monetary debt")
    + r")[ -]){0,2}"
    + _either(
        "accords? agreements? treaty treaties round declaration protocols? pact conventions? communique statement "
        "principles consensus charter process club platform criteria format guidelines rules memorandum"
    )
    + r"\b"
)
#: A capital as the venue of talks: "the Minsk Group", "the Vienna talks".
_VENUE = re.compile(r"[ -](?:(?:nuclear|peace) )?(?:Group|II?|talks|negotiations|dialogues?)\b")
#: NATO as a figure of speech: "an Arab NATO", "a NATO-like pact".
_LIKE = re.compile(r"-(?:like|style|type)\b|'? regional\b")
_UNLIKE = re.compile(r"\b(?:Arab|Asian|Middle East(?:ern)?|[Rr]egional|Pacific|Gulf|[Mm]ini)[ -]$")
_CURRENCY = re.compile(
    r"(?:\$|[ -](?:"
    + _either(
        "dlrs? dollars? francs? marks? pesos? pesetas? lire lira yen yuan renminbi rupees? rupiah ringg?its? "
        "rou?bles? "
        "riyals? rials? kron(?:a|e|er|"
        "or) crowns? shillings? guilders? schillings? escudos? drachmas? dinars? dirhams? "
        "shekels? zlotys? forints? baht reals? cruzad[eo]s? australs? cents? pounds? sterling hryvnias? naira rands?"
    )
    + r"\b(?!-| (?:the|a|an|its)\b)|won\b(?=[,.;)(]|$|\s\()))"
)
_MANNER = re.compile(
    r"(?:-"
    + _either("speaking speakers? language style")
    + r"| "
    + _either(
        "languages? speakers? speaking subtitles? alphabets? accents? cuisines? restaurants? grammar dishes takeaway "
        "novels? poets? poetry literature mythology translation dialects? idiom vocabulary zodiac antiques?"
    )
    + r"| food(?! (?:aid|imports|exports|safety|security|prices|industry|suppl|minist|compan|producers))"
    r"| (?:descent|ancestry|heritage|extraction|parentage|stock|diaspora))\b"
)
_ORIGIN = re.compile(r" (?:origins?|roots|blood|background)\b")
_PLACE_AFTER = re.compile(
    r" (?:Sea|Ocean|Straits?|Channel|Gulf|River|Valley|Bay|Canal|Trench|Basin|Desert|Mountains?|Alps|Heights|County|"
    r"Street|Road|Avenue|Boulevard|Square|Bridge|(?:International )?Airport|Heathrow|Falls|Creek|Township|Peninsula|"
    r"peninsula|Antarctic Territory|Antilles|Current|Zoo|Cathedral|Castle)\b"
)
_FIRM = re.compile(
    r"(?: (?:[A-Z][\w.'-]*|&|and|of)){0,4}? (?:Airlines?|Airways|Air Lines|Inc|Incorporated|Corp|Corporation|Co|Ltd|"
    r"Limited|Plc|PLC|plc|LLC|LLP|AG|NV|Bhd|Berhad|GmbH|SpA|Holdings?|Bancorp|Bancshares|Telecom|Telecommunications|"
    r"Motors|Industries|Enterprises|Securities|Times|Herald|Tribune|Gazette|Chronicle|Telegraph|Observer|Morning Post|"
    r"Daily|Shimbun|Bourse|Stock Exchange|Symphony|Orchestra|Philharmonic|Opera|Ballet|University|"
    r"Institute of Technology|College|FC|F\.C\.|Football Club|Rugby|Open|Grand Prix|Olympics|Marathon|Masters|"
    r"Film Festival|Fashion Week|Motor Show|Auto Show|Biennale|Club)\b(?!-)"
)
_AGE = re.compile(r"(?:'s)? (?:syndrome|Syndrome|analogy|veterans?|vets?|era\b|-era)")
_FAMILY = re.compile(r" ([A-Z][a-z]+)\b(?! (?:of|and [A-Z]))")
_ALONE = re.compile(
    r"(?:'(?!s)|[.,;:!?)\"]|$|[-—–]|\s(?:of|in|on|at|for|and|or|but|where|that|if|is|was|would|could|by|as|from|"
    r"with)\b)"
)
_TONGUE_END = re.compile(
    r"(?:[.,;:!?)\"]|$| (?:and|or|as|to|at|on|with|when|but|by|for|before|after|while|is a language|script)\b)"
)
_PROVINCE = re.compile(r", ?\(?(?P<phrase>(?P<word>[A-Z][A-Za-z.]*)(?: [A-Z][a-z]+)?)")

# Context before a form. ---------------------------------------------------------------------------------------

#: The last words that the patterns for preceding context start from; one lookup avoids a dozen searches.
_LEADING_WORDS = words(
    "of the in into from speak speaks spoke spoken speaking learn learned learning study studying taught teach "
    "teaching fluent fluently translated read reads some broken perfect flawless classical colloquial ancient medieval "
    "ethnic overseas indigenous and or second another next new future modern mini de"
)
_TREATY_OF = re.compile(
    r"\b(?:[Tt]reat(?:y|ies)|[Aa]ccords?|[Cc]onvention|[Dd]eclaration|[Pp]eace|[Ss]pirit|[Bb]attle|[Ss]iege|"
    r"[Cc]ongress|"
    r"[Cc]harter|[Pp]act|[Ff]all|[Ll]iberation|[Ee]dict|[Cc]ouncil) of (?:the )?$"
)
_WATER_BEFORE = re.compile(
    r"\b(?:Gulf|Sea|Straits?|Bay|Lake|River|Bight|Isle|Duke|Duchess|Earl|Bishop|Archbishop|Cardinal|Lord|Port|Fort|"
    r"Cape|Mount|Camp) (?:of (?:the )?)?$"
)
_FIRM_OF = re.compile(
    r"\b(?:University|College|Institute|Museum|Diocese|Archdiocese|Club|Lloyds?|Bank and Trust|Zoo|Symphony|Cathedral|"
    r"Merchant|Radio Free|Radio|Islamic State|Island|Maid|Lady|Notre[- ]Dame|Boy Scouts|Girl Scouts|Battle|Miss|"
    r"Team|Little|New|"
    r"Banque Nationale de|Real) (?:of |in |de )?(?:the )?$"
)
_ETHNIC = re.compile(
    r"\b(?:(?:[Ee]thnic|ETHNIC|[Oo]verseas|[Ii]ndigenous)(?: and [a-z]+)?[ -]|"
    r"[Ee]thnic [A-Z]\w+(?:, [A-Z]\w+)*,? (?:and|or) )$"
)
_TONGUE = re.compile(
    r"\b(?:in|into|from|speaks?|spoken?|speaking|learn|learning|learned|study|studying|taught|teach|teaching|fluent|"
    r"fluently|translated|reads?|some|broken|perfect|flawless|classical|colloquial|Brazilian|Modern|[Aa]ncient|"
    r"medieval) $|"
    r"\bin (?:English|French|Spanish|Arabic|Russian|Chinese|German) (?:and|or) $|"
    r"\b(?:[Ff]luent in|[Ss]peaks?|[Ss]poken?) (?:[A-Z][a-z]+(?:, and | and |, ))+$"
)
_METAPHOR = re.compile(
    r"\b(?:a second|(?<!after )another|the next|a new|a future|next|the new|a modern|mini|a sort of|a kind of)[ -]$",
    re.IGNORECASE,
)
_PERSON_BEFORE = re.compile(
    r"\b(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Coach|Rep|Sen|Congressman|Lord|Lady|Sir|Judge|Justice|Sgt|Pvt|Capt|Lt|"
    r"Officer|Detective|Duke of)\.?|[A-Z][a-z]+ [A-Z]\.) $"
)
_GIVEN_NAME = re.compile(r"(?<![\w.])([A-Z][a-z]+|[A-Z]{3,}) $")
_CAPITALISED = re.compile(r"[a-z,;] ([A-Z][a-z]+) $")
_OF_OFFICE = re.compile(r"\b[A-Z]\w+ of $")

#: Capitalised words that don't make the adjacent state name a person's.
_OFFICIAL = words(
    "President Prime Minister Premier Chancellor Foreign Defence Defense Finance Interior Secretary King Queen "
    "Emperor Crown "
    "Prince Ambassador Parliament Government Cabinet Army Navy Air Force Police Mayor Trade Economic Economy "
    "Central Bank "
    "Supreme Court National First Deputy Vice Day Week Monday Tuesday Wednesday Thursday Friday Saturday Sunday "
    "January "
    "February March April May June July August September October November December Border Embassy Security Council "
    "State "
    "Strategic Summit Task Policy Desk Coast Free Peace Conference Forum Energy Oil Chief General High Commission "
    "Says Said "
    "Will Has And Must Can Not Joint Nuclear Military Human Study Relations War Crisis Deal Talks Attorney Health "
    "Education "
    "Agriculture Commerce Environment Transport Special Envoy Office Metropolitan Bureau Plus Bilateral"
)
_HOMOGRAPH_RULES = {
    **{"Georgia": is_us_state, "Turkey": is_bird, "US": is_pronoun},
    **dict.fromkeys(("England", "Scotland", "Wales"), is_team),
}


def _may_match_before(before: str) -> bool:
    """Return whether the preceding context may match: its last word is capitalised or in `_LEADING_WORDS`."""
    if not before.endswith((" ", "-")):
        return False
    last = before[before.rfind(" ", 0, -1) + 1 : -1]
    return last[:1].isupper() or last in _LEADING_WORDS


class FalsePositiveFilter:
    """Rejects names, demonyms and capitals that don't refer to their state in context."""

    def __init__(self, given_names: frozenset[str], provinces: frozenset[str]) -> None:
        """Set the word lists of the rules.

        Args:
            given_names: given names, for "Jim Jordan".
            provinces: states and provinces of North America, for "Athens, Georgia".
        """
        self._given_names = given_names
        self._provinces = provinces

    def rejects(self, form: SurfaceForm, text: NormalizedText, start: int, end: int) -> bool:
        """Return whether the context of a form makes it something other than a mention of its state."""
        if form.how == "body":
            return False
        if (homonym := _HOMOGRAPH_RULES.get(form.form)) and homonym(text, start, end):
            return True
        before, after = text.before(start), text.after(end)
        if not _may_match_before(before):
            before = ""
        if self._is_elsewhere(form, before, after) or self._is_person(form, text, before, after, start):
            return True
        if form.how == "demonym":
            return _CURRENCY.match(after) is not None or self._is_manner(form, text, before, after, start)
        if before and (_TREATY_OF.search(before) or _FIRM_OF.search(before) or _WATER_BEFORE.search(before)):
            return True
        if _PLACE_AFTER.match(after):
            return True
        if form.how == "capital":
            venue = _VENUE.match(after) and not before.endswith("-")
            return bool(venue or _TREATY.match(after) or _FIRM.match(after))
        return bool(
            _CURRENCY.match(after)
            or _AGE.match(after)
            or (form.state == "NAT" and (_LIKE.match(after) or _UNLIKE.search(before)))
            or (_FIRM.match(after) and text.case(start) == "plain")
            or (_METAPHOR.search(before) and _ALONE.match(after))
        )

    def _is_manner(self, form: SurfaceForm, text: NormalizedText, before: str, after: str, start: int) -> bool:
        """Return whether a demonym refers to a language, a diaspora, a thing or a firm."""
        if _MANNER.match(after) or (before.endswith("of ") and _ORIGIN.match(after)):
            return True
        if before and _TONGUE.search(before) and _TONGUE_END.match(after) and not form.form.endswith("s"):
            return True
        if before and _ETHNIC.search(before):
            return True
        return bool(_PLACE_AFTER.match(after) or (_FIRM.match(after) and text.case(start) == "plain"))

    def _is_elsewhere(self, form: SurfaceForm, before: str, after: str) -> bool:
        """Return whether the name is a town in North America: "Athens, Georgia", but not "France, Italy, Georgia"."""
        if form.how == "name" and before.endswith(", ") and after.startswith(", Georgia"):
            return False
        place = _PROVINCE.match(after) if form.state != "USA" else None
        return place is not None and not self._provinces.isdisjoint(
            name for part in place.group("word", "phrase") for name in (part, part.rstrip("."))
        )

    def _is_person(self, form: SurfaceForm, text: NormalizedText, before: str, after: str, start: int) -> bool:
        """Return whether the form is part of a person's name: "Jim Jordan", "Jordan Peele", "Mrs. French"."""
        if before and _PERSON_BEFORE.search(before):
            return True
        if form.how not in {"name", "capital"}:
            return False
        given_name = _GIVEN_NAME.search(before) if before else None
        if given_name and given_name[1].capitalize() in self._given_names and text.case(start) != "capitals":
            return form.form.isalpha()
        if "person" not in form.flags or (before and _OF_OFFICE.search(before)):
            return False
        neighbours = [
            _CAPITALISED.search(before) if before else None,
            _FAMILY.match(after) if form.how == "name" else None,
        ]
        return any(word and word[1] not in _OFFICIAL for word in neighbours) and text.case(start) == "plain"
