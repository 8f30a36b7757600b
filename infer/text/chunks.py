"""Split very long texts into chunks so that memory stays bounded."""

from collections.abc import Iterator
from typing import Final

from detente.infer.text.sentences import split

#: Maximum length of a chunk in characters, about the longest press conference of twenty years.
LONGEST_TEXT: Final = 1 << 18


def windows(text: str) -> Iterator[tuple[int, str]]:
    """Yield chunks of at most `LONGEST_TEXT` characters, cut between sentences.

    Anaphora ("the two countries") is resolved within a chunk only.

    Yields:
        Offset and text of each chunk; the chunks cover the text without gaps.
    """
    start = 0
    while len(text) - start > LONGEST_TEXT:
        window = text[start : start + LONGEST_TEXT]
        sentences = split(window)
        # The last sentence may continue after the window. If none begins in its second half, cut at a space.
        cut = sentences[-1][0] if sentences else 0
        if cut < LONGEST_TEXT // 2:
            cut = window.rfind(" ", LONGEST_TEXT // 2) + 1 or LONGEST_TEXT
        yield start, window[:cut]
        start += cut
    yield start, text[start:]
