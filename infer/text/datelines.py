"""Detect datelines: "TOKYO, March 3 (Reuters) -" before the first sentence of a report."""

import re

_AGENCY = r"\([A-Z][\w./&\ -]{1,28}\)"
_TOWN = r"[A-Z][\w.'’]{1,40}+(?:\ [A-Z][\w.'’]{1,40}+){0,2}"
_DASH = r"(?:--++|\s[—–―]|[—–―](?=\s)|-(?=\s)|_(?=\s))"
#: Hyphens only occur within a word, so that the dash after the city isn't part of it.
_CITY_WORD = r"[A-Z](?:[A-Z.'’ÀÉÍÓÚÃÇ/]|-(?![\s-])){1,40}+"
_CITY = rf"{_CITY_WORD}(?:\ {_CITY_WORD}){{0,3}}"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,9}+"
#: White space within a paragraph.
_GAP = r"(?:[^\S\n]|\n(?![^\S\n]*+\n))"
_BODY = rf"""(?P<line>
        {_CITY}(?:,\ [A-Za-z][\w.'’ ]{{1,24}}){{0,3}}{_GAP}?(?:{_AGENCY}{_GAP}?)?{_GAP}?{_DASH}  # TOKYO (AP) -
      | {_CITY}:(?=\ [A-Z“"][a-z]{{0,40}}+\ [a-z])                                        # NEW DELHI: India said
      | {_TOWN}(?:,\ [A-Za-z][\w.'’ ]{{1,24}}){{0,3}}{_GAP}?{_AGENCY}{_GAP}?(?:{_DASH}|:)  # Tokyo (AP) --
      | {_TOWN},\ {_MONTH}\.?\ \d{{1,4}}+{_GAP}?{_DASH}                                   # Tokyo, March 3 -
      | {_CITY},\ {_MONTH}\ \d{{1,2}}\.\ /TASS/\.                                        # MOSCOW, March 3. /TASS/.
    )(?={_GAP}*+["“‘'(]*+[A-Z0-9][\w.,'’-]*+{_GAP}[^\n]{{0,80}}[a-z]{{2}})"""
DATELINES = re.compile(rf"""^[ \t>"“]*+{_BODY}""", re.VERBOSE | re.MULTILINE)
_DATELINE = re.compile(_BODY, re.VERBOSE)


def dateline(text: str, start: int, end: int) -> re.Match[str] | None:
    """Return the dateline at `start`, if that is the first word of a line and the line continues after it."""
    if not text[start].isupper():
        return None
    indent = text[max(0, start - 16) : start].rstrip(' \t\r>"“')
    if indent and not indent.endswith("\n"):
        return None
    head = text[start : start + 80]
    # Checking for the marks of a dateline first avoids the slow pattern for nearly every sentence.
    return _DATELINE.match(text, start, end) if any(mark in head for mark in "-–—―_(:/") else None
