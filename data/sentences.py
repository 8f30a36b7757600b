"""Splits text into sentences by `sentencex`, with offsets into the source text, and mends its faults on news.

The faults were measured on `tests/sentences/cases.jsonl`: no split after an abbreviation that ends a sentence, nor
inside quotation marks; a split after abbreviations that it doesn't know; a bare line break is no break, although
headlines, bullets and the indented paragraphs of wires end there; datelines and bullet signs are kept.
"""

import re
from functools import cache

import sentencex

from detente.data.page import dateline, words
from detente.data.tables import tables

_STARTERS = (
    r"[“\"‘]?(?:The|This|That|These|Those|A|An|It|Its|He|She|They|We|You|I|His|Her|Their|Our|My|There|Here|When|"
    r"While|If|As|After|Before|"
    r"Although|But|And|Yet|So|In|On|At|No|Nobody|None|Both|Each|Some|Many|Most|One|Two|What|Who|Why|How|Mr\.|Mrs\.|"
    r"Ms\.|Dr\.|Nor|"
    r"Then|Now|Not|Neither|Another|Others|Such|Since|For|By|With|Under|Last|Talks|Relations|Officials there)\s"
)
#: A mark that may end a sentence, its quotation marks, and white space before a capital.
_END = re.compile(r"[.!?]+[”\"’')]*\s+(?=[“\"‘(]?[A-Z])")
_ABBREVIATED = re.compile(r"\b(?:U\.S|U\.K|U\.N|E\.U|Co|Corp|Inc|Ltd|etc|pct|May|(?<=\d )[ap]\.m)\Z")
_WORD = re.compile(r"(?:([A-Za-z]*[a-z]{3})|\d)\Z")
_VERB = re.compile(
    r"[“\"‘]?([A-Z][a-z]+)\s(?:is|are|was|has|had|may|will|would|said|says|must|can|could|did|does|wants?|sent)\b"
)
_SPEECH = re.compile(
    r"(?:[A-Z][\w.]*\s){1,3}(?:asked|said|shouted|cried|wondered|added|says|asks)\b|(?:the|a|one|an)\s"
)
_TITLES = words(
    "Amb Ambs Ft Ret Atty Spc Supt Sgt Capt Cmdr Cpl Adm Prof Pres Gov Gen Sen Rep Reps Sens Rev Hon Messrs Mons "
    "Msgr Insp Brig Maj Dept Univ Bros Assn Intl Mfg Oper Pty Natl Govt Approx approx Avg avg incl resp Corp Inc "
    "Ltd Mmes Sept Sergt Lieut Pvt Col"
)
_PLACES = words(
    "Calif Wash Mass Conn Penn Minn Mich Miss Tenn Okla Ariz Ill Wis Colo Kan Ala Ark Fla Tex Ind Neb Nev Ore"
)
_ZONE = re.compile(r"(?:[ECMP][SD]?T|GMT|BST|UTC|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|local)\b")
_GOES_ON = re.compile(r"(?:in|from|of|to|and|or|for|on|at|by|with|than|per)\s")
_STARTS = re.compile(_STARTERS)
_BREAK = re.compile(r"\n(?=[ \t]*(?:[•*·▪‣●-]|\d{1,2}[.)])[ \t]+\S|[ \t]{2,}\S|[ \t]*Reuters?\s*(?:\n\s*\n|\Z))")
_NUMBERED = re.compile(r"(?:\A|\n)[ \t]*\d{1,2}\.\s*\Z")
_QUOTES = "”\"’'"
_STOPS = "." + _QUOTES
_BULLET = re.compile(r"(?:[•*·▪‣●]|-(?=\s)|--(?=\s)|\d{1,2}[.)](?=\s))\s*")
_HEADLINE = re.compile(r"\s*([^\n]{8,120}?)[ \t\r]*\n(?=[ \t]*[“\"A-Z])([^\n]*)")
_FUNCTION_WORD = re.compile(
    r"(?:\b(?:the|a|an|of|in|to|and|or|for|with|by|at|on|from|as|its|his|her|their|that|which|new|[A-Z][\w.]*\.)|"
    r"[.,;:!?”\"-])$",
    re.IGNORECASE,
)


def split(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences: in order, not overlapping, none empty, no white space at their edges.

    Datelines ("TOKYO, March 3 (Reuters) -") and bullet signs are no part of a sentence.
    """
    cuts = _kept(text)
    cuts.update(match.end() for match in _BREAK.finditer(text))
    cuts.update(match.end() for match in _END.finditer(text) if match.end() not in cuts and _ends(text, match))
    if headline := _HEADLINE.match(text):
        line, after = headline[1], headline[2]
        if (line.isupper() and not after.isupper()) or (len(line) < 45 and not _FUNCTION_WORD.search(line)):
            cuts.add(headline.end(1))
    spans = []
    start = 0
    for end in sorted(cuts):
        if span := _trim(text, start, end):
            spans.append(span)
        start = end
    return spans


def _kept(text: str) -> set[int]:
    """Return the ends of the pieces that `sentencex` cuts, without those after an abbreviation that goes on."""
    cuts = set()
    end = 0
    for piece in sentencex.segment("en", text):
        if end and not _goes_on(text, end):
            cuts.add(end)
        end += len(piece)
    cuts.add(len(text))
    return cuts


def _goes_on(text: str, end: int) -> bool:
    """Tell whether the sentence goes on where `sentencex` cuts it."""
    before = text[max(0, end - 24) : end]
    word = before.rstrip()
    if word[-1:] not in _STOPS or "\n" in before[len(word) :]:
        return False
    if word[-2:-1] in ("?", "!") and word[-1] in _QUOTES:
        return bool(_SPEECH.match(text, end))
    if not word.endswith("."):
        return False
    last = word[word.rfind(" ") + 1 : -1].lstrip("(“\"‘'")
    if last in _TITLES or (last in _PLACES and not _STARTS.match(text, end)):
        return True
    if last.endswith(".m") and _ZONE.match(text, end):
        return True
    if text[end].islower():
        return bool(_GOES_ON.match(text, end))
    return last.isdigit() and bool(_NUMBERED.search(before))


def _ends(text: str, match: re.Match[str]) -> bool:
    """Tell whether a sentence ends where `sentencex` sees none: after an abbreviation, or inside quotation marks."""
    start, end = match.span()
    before = text[max(0, start - 24) : start]
    if text[start] == "." and _ABBREVIATED.search(before):
        verb = _VERB.match(text, end)
        return bool(_STARTS.match(text, end) or (verb and verb[1] in _places()))
    word = _WORD.search(before)
    if not word or word[1] in _TITLES or word[1] in _PLACES or _NUMBERED.search(before + "."):
        return False
    return text[start] == "." or not _SPEECH.match(text, end)


@cache
def _places() -> frozenset[str]:
    """Return the one-word names of states and capitals: before a verb they begin a sentence."""
    return frozenset(form.form for form in tables().forms if form.how in {"name", "capital"} and form.form.isalpha())


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the span without white space, dateline and bullet at its edges; nothing if it is empty."""
    piece = text[start:end].rstrip()
    stop = start + len(piece)
    start = stop - len(piece.lstrip())
    if start == stop:
        return None
    mark = dateline(text, start, stop) if text[start].isalpha() else _BULLET.match(text, start, stop)
    if mark and (kept := text[mark.end() : stop].lstrip()):
        start = stop - len(kept)
    return start, stop
