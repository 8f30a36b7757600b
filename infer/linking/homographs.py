"""Disambiguate homographs: Georgia, Brussels, Turkey, and US in a line of capitals."""

import re

from detente.infer.text.normalize import NormalizedText

_US_NAMES = (
    r"(?:Alabama|Arizona|Arkansas|California|Colorado|Florida|Illinois|Iowa|Kentucky|Louisiana|Maine|Maryland|"
    r"Michigan|Minnesota|Mississippi|Missouri|"
    r"Montana|Nevada|New (?:York|Jersey|Hampshire|Mexico)|(?:North|South) Carolina|the Carolinas|Ohio|Oklahoma|"
    r"Oregon|Pennsylvania|Tennessee|Texas|"
    r"Utah|Virginia|Washington state|Wisconsin)"
)
_US_CUE = re.compile(
    r"\b(?:Atlanta|Savannah|Augusta|Macon|Fulton County|Kemp|Raffensperger|Warnock|Ossoff|Abrams|Newt Gingrich|"
    r"Stacey|Zell Miller|Sam Nunn|Republicans?|Democrats?|"
    r"Democratic|GOP|Senate|Sen\.|Rep\.|congressman|Congressman|gubernatorial|governor|Gov\.|runoff|primary|"
    r"electoral|swing state|Trump|Biden|Alabama|Florida|"
    r"Tennessee|Carolina|Carolinas|Arizona|Wisconsin|Michigan|Pennsylvania|Nevada|Texas|Virginia|Mississippi|"
    r"Louisiana|Kentucky|Ohio|lawmakers in|U\.S\. state|US state|Fort Benning|"
    r"Dalton|Athens|Columbus|Brunswick|Tech\b|peach|peanut|Southern|plant in|county)\b"
)
_GEO_CUE = re.compile(
    r"\b(?:Tbilisi|Abkhazia\w*|Ossetia\w*|Saakashvili|Shevardnadze|Gamsakhurdia|Ivanishvili|Kobakhidze|Garibashvili|"
    r"Margvelashvili|Zurabishvili|Kavelashvili|"
    r"Russia\w*|Moscow|Kremlin|Soviet|Armenia\w*|Azerbaijan\w*|Caucasus|Ukrain\w+|Moldova\w*|NATO|EU|European|"
    r"Turkey|Turkish|Black Sea|Georgian\w*|Kazakhstan|Estonia|Latvia|Lithuania|Batumi|Gori|Adjara)\b"
)
_US_LIST_BEFORE = re.compile(
    rf"(?:{_US_NAMES}(?:,|,? and|,? or) |\b(?:[Ss]enators?|[Cc]ongressm[ae]n|[Rr]epresentatives?|[Gg]overnor|"
    rf"[Rr]epublicans?|[Dd]emocrats?|[Ll]awmakers) "
    r"(?:from|of|in) |\b(?:Gov|Sen|Rep)\. [A-Z][\w. ]+ of )$"
)
_US_LIST_AFTER = re.compile(
    rf"(?:,|,? and|,? or) {_US_NAMES}|'s? (?:governor|secretary of state|senators?|runoff|primary|\d+(?:st|nd|rd|"
    rf"th) (?:congressional )?district)"
    r"| (?:governor|Gov\.|Sen\.|Rep\.|Republican|Democrat|congressman|senator|runoff|primary|lawmaker|voters|state\b)"
)
_US_VERB = re.compile(
    r"\b(?:LETS?|GIVES?|GAVE|TELLS?|TOLD|HELP(?:S|ED)?|MAKES?|MADE|JOIN(?:S|ED)?|SHOW(?:S|ED)?|CALL(?:S|ED)?|LEAVES?|LEFT|"
    r"TEACH|TEACHES|TAUGHT|TRUSTS?|LIKES?|KILL(?:S|ED)?|HURTS?|PROTECTS?|HEARS?|AFFECTS?|COSTS?|COSTING|SAVES?|BRINGS?|"
    r"BROUGHT|KEEPS?|KEPT|TAKES?|REMINDS?|MEANS|LIED TO|ALL|BOTH) $"
)
_US_PREPOSITION = re.compile(r"\b(?:OF|FOR|WITH|TO|AMONG|BETWEEN|ABOUT|UPON|BEHIND|AROUND|AGAINST|FROM|ON) $")
_US_AFTER = re.compile(
    r"(?:\s{0,64}+$|\s{0,64}+[.!?,;\"']|\s{1,64}+(?:ALL|BOTH|TO|THE|A|AN|AND|OR|THAT|WHAT|HOW|WHY|WHEN|WHERE|"
    r"ABOUT|IF|KNOW|GO|BE|IN|ON|HAVE|NOT|AT|OUT|DOWN|UP|AS|FROM|BACK|MORE)\b)"
)
_US_OF = re.compile(r"\b(?:NONE|ALL|SOME|MOST|MANY|EACH|ONE|BOTH|ANY|TWO|THREE|FEW|REST|HALF|EVERY ONE) OF $")
_BRUSSELS_PLACE = re.compile(
    r"\b(?:in|to|from|at|near|outside|around|of|via|visit(?:s|ed|ing)?|through|leave|left) (?:the )?$", re.IGNORECASE
)
_BRUSSELS_TOWN = re.compile(
    r"(?:-based\b|'s)? (?:police|airport|metro|court|prosecutors?|suburbs?|district|street|hospital|attacks?|"
    r"bombings?|mayor|"
    r"residents|neighbou?rhood|station|hotel|Airport|Airlines)\b"
)
_SEATED = re.compile(r"\b(?:NATO|Nato|EU|E\.U\.|European|Europe|Stoltenberg|[Aa]lliance)\b")
_BELGIAN = re.compile(r"Belgi(?:um|an)|BELGI(?:UM|AN)")
_SPORT = re.compile(
    r"\b(?:World Cup|[Rr]ugby|[Cc]ricket|wickets?|innings|batsm[ae]n|bowlers?|goalkeeper|striker|midfielder|"
    r"Six Nations|Sevens|Ashes|football(?:ers?)?|quarter-?finals?|semi-?finals?|Euro \d{4}|Test series)\b"
)
_FEAST = re.compile(
    r"\b(?:cranberr|Thanksgiving|stuffing|roast|carv|gravy|breast|sandwich|poultry|meat|oven|feast|dinner|"
    r"Christmas lunch|pardon)",
    re.IGNORECASE,
)


def is_pronoun(text: NormalizedText, start: int, end: int) -> bool:
    """Return whether US is the pronoun in a line of capitals: "TELL US MORE", "NONE OF US"."""
    if text.case(start) != "capitals":
        return False
    before = text.before(start)
    return bool(_US_OF.search(before) or (_US_VERB.search(before) and _US_AFTER.match(text.after(end))))


def may_be_pronoun(text: NormalizedText, start: int, end: int) -> bool:
    """Return whether US is probably the pronoun, unless the line mentions states: "GOOD NEWS FOR US"."""
    if text.case(start) != "capitals":
        return False
    return bool(_US_PREPOSITION.search(text.before(start)) and _US_AFTER.match(text.after(end)))


def is_team(text: NormalizedText, start: int, end: int) -> bool:
    """Return whether England, Scotland or Wales is a team: "England bowled first at the World Cup"."""
    return bool(_SPORT.search(text.folded, max(0, start - 400), end + 400))


def is_bird(text: NormalizedText, start: int, end: int) -> bool:
    """Return whether Turkey, at the start of a sentence, is the bird: "Turkey and cranberries"."""
    opening = text.before(start).rstrip(" \"'(")
    return opening[-1:] in ("", ".", "!", "?", ":") and bool(_FEAST.search(text.after(end)))


def is_us_state(text: NormalizedText, start: int, end: int) -> bool:
    """Return whether Georgia is the US state, by cues in its sentence, else in the preceding text."""
    sentence_start = max(text.folded.rfind(". ", max(0, start - 300), start), start - 300, 0)
    sentence_end = text.folded.find(". ", end, end + 300)
    sentence = text.folded[sentence_start : sentence_end if sentence_end >= 0 else end + 300].replace("Georgia", "")
    if _US_LIST_BEFORE.search(text.before(start)) or _US_LIST_AFTER.match(text.after(end)):
        return True
    if text.day is not None and text.day.year < 1991 and "Soviet" not in sentence:
        return True
    us_cue, georgian_cue = bool(_US_CUE.search(sentence)), bool(_GEO_CUE.search(sentence))
    if us_cue or georgian_cue:
        return not georgian_cue
    earlier = text.title + " " + text.folded[max(0, start - 1000) : start]
    return len(_US_CUE.findall(earlier)) > 2 * len(_GEO_CUE.findall(earlier))


def resolve_brussels(text: NormalizedText, start: int, end: int) -> str:
    """Return the state that Brussels refers to: the European Union, or Belgium near Belgians or as a place.

    As the seat of the European Union and NATO it is a mere venue: the result is empty.
    """
    around = text.folded[max(0, start - 200) : end + 200]
    if _BELGIAN.search(around) or _BRUSSELS_TOWN.match(text.after(end)):
        return "BEL"
    if _BRUSSELS_PLACE.search(text.before(start)):
        return "" if _SEATED.search(around) else "BEL"
    return "EUU"
