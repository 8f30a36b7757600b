"""Splits text into sentences by `sentencex`, with offsets into the source text, and mends its faults on news.

The faults were measured on `tests/infer/text/cases.jsonl`: no split after an abbreviation that ends a sentence, nor
inside quotation marks; a split after abbreviations that it doesn't know; a bare line break is no break, although
headlines, bullets and the indented paragraphs of wires end there; datelines and bullet signs are kept; initials that
a hyphen joins ("China-U.S.") are cut apart. Each paragraph is read by itself: its sentences don't depend on the others.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import sentencex

from detente.data.gazetteer.gazetteer import tables
from detente.infer.text.datelines import dateline
from detente.infer.text.normalize import words

_STARTERS = (
    r"[“\"‘]?(?:The|This|That|These|Those|A|An|It|Its|He|She|They|We|You|I|His|Her|Their|Our|My|There|Here|When|"
    r"While|If|As|After|Before|"
    r"Although|But|And|Yet|So|In|On|At|No|Nobody|None|Both|Each|Some|Many|Most|One|Two|What|Who|Why|How|Mr\.|Mrs\.|"
    r"Ms\.|Dr\.|Nor|"
    r"Then|Now|Not|Neither|Another|Others|Such|Since|For|By|With|Under|Last|Talks|Relations|Officials there)\s"
)
#: A mark that may end a sentence, its quotation marks, and white space before a capital.
_END = re.compile(r"(?<![.!?])[.!?]++[”\"’')]*+\s++(?=[“\"‘(]?[A-Z])")
_ABBREVIATED = re.compile(r"\b(?:U\.S|U\.K|U\.N|E\.U|Co|Corp|Inc|Ltd|etc|pct|May|(?<=\d )[ap]\.m)\Z")
#: A word after which a full stop ends the sentence; shorter ones may be abbreviations, save a few.
_WORD = re.compile(
    r"(?:(?<![A-Za-z])([A-Za-z]*[a-z]{3})|\d|(?<![\w.'’])(?:us|it|is|so|be|do|to|up|in|on|me|go|we|he|by|of|at|if|my|am|as))"
    r"\Z"
)
#: What follows an initial or an abbreviation of capitals that was cut apart: "China-U." "S. relations".
_INITIAL = re.compile(r"(?<![^\W_]{2})(?<![a-z])[A-Z]\.\Z")
_STATE = re.compile(r"\b(?:U\.S|U\.K|U\.N|E\.U)\.\Z")
#: The wire of 1987 capitalises what follows "U.S."; a verb that no question begins with goes on.
_CAPITALISED = re.compile(
    r"(?:Has|Have|Had|Is|Are|Was|Were|Be|Will|Would|Should|Shall|Could|Can|Cannot|May|Might|Must|Does|Did|Do|Said)\s"
    r"(?!(?:you|he|she|it|they|we|the|this|that|these|those|there|any|anyone|a|an|your|his|her|its|their|our)\b)[a-z]|"
    r"Nor\s(?!(?:is|are|was|were|has|have|had|will|would|can|could|should|must|may|do|does|did)\b)|"
    r"Which\s(?:is|are|was|were|has|have|had|will|would|could|holds|means|[a-z]+ed)\s|"
    r"Or\s|Of\s(?:\d|its\b|his\b)|(?:Relations|Talks)\s[Ww]ith\b|(?:First|Second|Third|Fourth|Fifth|Sixth|Seventh|Eighth|Ninth|Tenth)\s[A-Z]"
)
_VERB = re.compile(
    r"[“\"‘]?([A-Z][a-z]+)\s(?:is|are|was|has|had|may|will|would|said|says|must|can|could|did|does|wants?|sent)\b"
)
_SPEECH = re.compile(
    r"(?:[A-Z][\w.]{0,40}+\s){1,3}(?:asked|said|shouted|cried|wondered|added|says|asks)\b|(?:the|a|one|an)\s"
)
_TITLES = words(
    "Amb Ambs Ft Ret Atty Spc Supt Sgt Capt Cmdr Cpl Adm Prof Pres Gov Gen Sen Rep Reps Sens Rev Hon Messrs Mons "
    "Msgr Insp Brig Maj Dept Univ Bros Assn Intl Mfg Oper Pty Natl Govt Approx approx Avg avg incl resp Corp Inc "
    "Ltd Mmes Sept Sergt Lieut Pvt Col Mr Mrs Ms Dr"
)
_PLACES = words(
    "Calif Wash Mass Conn Penn Minn Mich Miss Tenn Okla Ariz Ill Wis Colo Kan Ala Ark Fla Tex Ind Neb Nev Ore"
)
_ZONE = re.compile(
    r"(?:[ECMP][SD]?T|GMT|BST|UTC|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|local|(?:[A-Z][\w-]{1,20}\s){1,3}time)\b"
)
_GOES_ON = re.compile(r"(?:in|from|of|to|and|or|for|on|at|by|with|than|per)\s")
_STARTS = re.compile(_STARTERS)
#: A remark within the sentence: a dash before lower case, or brackets.
_ASIDE = re.compile(r"[—–-]{1,3}\s?[a-z]|\[[^\[\]\n]{1,40}\]")
_WORD_START = re.compile(r"\S")
_PARAGRAPH = re.compile(r"\n[^\S\n]*+\n\s*+")
_LINE = re.compile(
    r"^(?P<indent>[ \t]*+)"
    r"(?:(?P<sign>(?:[•*·▪‣●-]|\d{1,2}[.)])[ \t]++)(?=\S)|(?P<agency>Reuters?\s*+\Z)|(?P<other>[^\sa-z]))?",
    re.MULTILINE,
)
_NUMBERED = re.compile(r"(?:\A|\n)[ \t]*+\d{1,2}\.\s*+\Z")
_QUOTES = "”\"’'"
_MARKS = ".?!" + _QUOTES
_BULLET = re.compile(r"(?:[•*·▪‣●]|-(?=\s)|--(?=\s)|\d{1,2}[.)](?=\s))\s*")
_HEADLINE_AFTER = re.compile(r"[“\"A-Z]")
_FUNCTION_WORD = re.compile(
    r"(?:\b(?:the|a|an|of|in|to|and|or|for|with|by|at|on|from|as|its|his|her|their|that|which|new|"
    r"[A-Z][\w.]{0,120}\.)|[.,;:!?”\"-])$",
    re.IGNORECASE,
)


#: Characters that `sentencex` is given at a time: its time grows with the square of the quotation marks among them.
_AT_ONCE: Final = 4096


def split(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences: in order, not overlapping, none empty, no white space at their edges.

    Datelines ("TOKYO, March 3 (Reuters) -") and bullet signs are no part of a sentence.
    """
    spans: list[tuple[int, int]] = []
    for start, end in _paragraphs(text):
        paragraph = text[start:end]
        cuts = _cuts(paragraph)
        if not spans and (headline := _headline(paragraph)):
            cuts.add(headline)
        first = 0
        for cut in sorted(cuts):
            if span := _trim(paragraph, first, cut):
                spans.append((start + span[0], start + span[1]))
            first = cut
    return spans


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans between blank lines, without white space at their ends; a first line keeps its indent."""
    start = text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1
    for blank in _PARAGRAPH.finditer(text, start):
        yield start, start + len(text[start : blank.start()].rstrip())
        start = text.rfind("\n", 0, blank.end()) + 1
    yield start, start + len(text[start:].rstrip())


def _cuts(text: str) -> set[int]:
    """Return the offsets in a paragraph at which a sentence ends."""
    cuts = {end for end in _pieces(text) if not _goes_on(text, end)}
    cuts.update(match.end() for match in _END.finditer(text) if match.end() not in cuts and _ends(text, match))
    indent = len(text) - len(text.lstrip())
    if mark := dateline(text, indent, len(text)) if indent < len(text) else None:
        after = _WORD_START.search(text, mark.end())
        cuts = {cut for cut in cuts if after and cut > after.start()}
    cuts.update(_breaks(text))
    cuts.add(len(text))
    return cuts


def _pieces(text: str) -> Iterator[int]:
    """Yield the ends of the pieces that `sentencex` cuts a paragraph into, save the last.

    A long paragraph is given in parts, each from the piece on that the part before it may have cut short.
    """
    start = 0
    while start < len(text):
        part = text[start : start + _AT_ONCE]
        stop = start + len(part)
        ends = []
        end = 0
        for piece in sentencex.segment("en", part):
            end = part.index(piece, end) + len(piece)  # it leaves out blank lines
            ends.append(start + end)
        ends = [end for end in ends if end < stop]
        yield from ends
        if stop == len(text):
            return
        start = ends[-1] if ends else max(text.rfind(" ", start, stop) + 1, start + _AT_ONCE // 2)


def _breaks(text: str) -> Iterator[int]:
    """Yield where a line break ends a sentence: before bullets, numbers, indented lines and the wire's signature.

    A line that begins in lower case goes on, and so does one that is indented as far as the text of a bullet above it.
    """
    hanging = -1
    for line in _LINE.finditer(text):
        indent = len(line["indent"])
        if line["sign"]:
            hanging = line.end() - line.start()
        elif not line["agency"] and (not line["other"] or indent < 2 or indent == hanging):
            continue
        yield line.start()


def _headline(text: str) -> int | None:
    """Return where the headline ends that is the first line of a text's first paragraph, if there is one."""
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    line = text[start:end].rstrip(" \t\r")
    after = text[end + 1 :].partition("\n")[0].lstrip(" \t")
    if end < 0 or not 8 <= len(line) <= 120 or not _HEADLINE_AFTER.match(after):
        return None
    if (line.isupper() and not after.isupper()) or (len(line) < 45 and not _FUNCTION_WORD.search(line)):
        return start + len(line)
    return None


def _goes_on(text: str, end: int) -> bool:
    """Tell whether the sentence goes on where `sentencex` cuts it."""
    before = text[max(0, end - 24) : end]
    word = before.rstrip()
    if word == before:
        return bool(_INITIAL.search(word)) and text[end].isalnum()
    if not word:
        return False
    last = word.split()[-1][:-1].lstrip("(“\"‘'")
    if word[-1] == "." and last in _TITLES:
        return True
    if word[-1] not in _MARKS or "\n" in before[len(word) :]:
        return False
    if _ASIDE.match(text, end):
        return True
    if word[-2:-1] in ("?", "!") and word[-1] in _QUOTES:
        return bool(_SPEECH.match(text, end))
    if word[-1] != ".":
        return False
    if last in _PLACES and not _STARTS.match(text, end):
        return True
    if last.endswith(".m") and _ZONE.match(text, end):
        return True
    if _STATE.search(word) and _CAPITALISED.match(text, end):
        return True
    if text[end].islower():
        return bool(_GOES_ON.match(text, end))
    return last.isdigit() and bool(_NUMBERED.search(before))


def _ends(text: str, match: re.Match[str]) -> bool:
    """Tell whether a sentence ends where `sentencex` sees none: after an abbreviation, or inside quotation marks."""
    start, end = match.span()
    before = text[max(0, start - 24) : start]
    if text[start] == "." and _ABBREVIATED.search(before):
        if _STATE.search(before + ".") and _CAPITALISED.match(text, end):
            return False
        verb = _VERB.match(text, end)
        return bool(_STARTS.match(text, end) or (verb and verb[1] in _places()))
    if text.startswith("..", start) and before.rstrip()[-1:] in (*_MARKS,) and before[-1:].isspace():
        return True
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
