"""The speaker of a statement: "we", "our", "us" and "ours" are the state whose statement the text is.

Inside quotation marks somebody else may speak, so nothing is read there, nor in the rest of a paragraph after a
quotation mark that isn't closed: a wrong state is worse than a missing one.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from detente.infer.linking.mentions import Mention
from detente.infer.text.normalize import Page

#: "US" in capitals is a state's name, and "we" beside a hyphen, a slash or an @ is part of a word or an address.
_PRONOUN = re.compile(r"(?<![\w.@/-])(?:[Ww]e|WE|[Oo]urs?|OURS?|us)(?![\w@/-])")
_PARAGRAPH = re.compile(r"\n[ \t\r]*+\n|\Z")
#: A double quotation mark, or a single one that is no apostrophe: it opens before a word, and closes beside a mark.
_MARK = re.compile(
    r"""(?P<double>")|(?P<opens>(?<![\w.,!?])'(?=\w))|(?P<closes>(?<=[.,!?…])'(?!\w)|'(?=[.,;:!?)]|\Z))"""
)


def resolve(page: Page, state: str, found: Sequence[Mention]) -> list[Mention]:
    """Return the mentions of a text's speaker, sorted.

    Args:
        page: the text.
        state: whose statement it is.
        found: the other mentions, sorted; what they cover is passed over.
    """
    starts = [mention.start for mention in found]
    quoted = [*_quotations(page)]
    ends = [end for _, end in quoted]
    mentions = []
    for match in _PRONOUN.finditer(page.plain):
        start, end = match.span()
        at = bisect_left(starts, end)
        if any(mention.end > start for mention in found[max(0, at - 8) : at]):
            continue
        around = bisect_left(ends, end)
        if around == len(quoted) or quoted[around][0] > start:
            mentions.append(Mention(start, end, state, "context", "speaker"))
    return mentions


def _quotations(page: Page) -> Iterator[tuple[int, int]]:
    """Yield the spans between quotation marks, in order; one that isn't closed ends with its paragraph."""
    begin = 0
    for paragraph in _PARAGRAPH.finditer(page.text):
        stop = paragraph.start()
        opened: int | None = None
        single = False
        for mark in _MARK.finditer(page.plain, begin, stop):
            if opened is None:
                if mark["double"] or mark["opens"]:
                    opened, single = mark.start(), mark["double"] is None
            elif (mark["closes"] and single) or (mark["double"] and not single):
                yield opened, mark.end()
                opened = None
        if opened is not None:
            yield opened, stop
        begin = paragraph.end()
