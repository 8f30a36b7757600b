"""A text too long to be held with all its readings, in parts that aren't."""

from collections.abc import Iterator
from typing import Final

from detente.infer.text.sentences import split

#: Characters of the longest text that is read as one; the longest press conference of twenty years has as many.
LONGEST_TEXT: Final = 1 << 18


def windows(text: str) -> Iterator[tuple[int, str]]:
    """Cut a text between sentences into parts of at most `LONGEST_TEXT` characters.

    What refers to the text before ("the two countries") finds it within the same part only.

    Yields:
        Offset and text of each part; together they are the whole text.
    """
    start = 0
    while len(text) - start > LONGEST_TEXT:
        window = text[start : start + LONGEST_TEXT]
        sentences = split(window)
        # The last sentence may go on behind the window. Where none begins in its latter half, words are cut apart.
        cut = sentences[-1][0] if sentences else 0
        if cut < LONGEST_TEXT // 2:
            cut = window.rfind(" ", LONGEST_TEXT // 2) + 1 or LONGEST_TEXT
        yield start, window[:cut]
        start += cut
    yield start, text[start:]
