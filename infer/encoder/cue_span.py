"""The cue: the fewest consecutive words of a sentence that show the tone, from the model's weights of its tokens."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from detente.infer.encoder.base import Floats
from detente.models.features import Span

#: A word earns its place by being more likely in the cue than out of it. Lower gives longer cues.
THRESHOLD: Final = 0.5

#: A word with what holds it together: "U.S.-led", "don't", "2+2", "1.5".
_WORD: Final = re.compile(r"\w+(?:[-+'’./&]\w+)*")


def find(text: str, weights: Floats, spans: Sequence[Span], threshold: float = THRESHOLD) -> Span | None:
    """Find the run of words with the greatest sum of (weight - threshold).

    Args:
        text: the sentence.
        weights: probability of each token being in the cue, [tokens].
        spans: each token's characters in the sentence, empty for tokens that stand for none.
        threshold: the weight at which a word neither helps nor hurts.

    Returns:
        The characters of at least one word, or None where no token read stands in a word.
    """
    best: tuple[float, Span] | None = None
    total, first, last = 0.0, 0, -2
    for number, (start, end), weight in weighed(text, weights, spans):
        if total <= 0.0 or number != last + 1:
            total, first = weight - threshold, start
        else:
            total += weight - threshold
        last = number
        if best is None or total > best[0]:
            best = total, (first, end)
    return None if best is None else best[1]


def weighed(text: str, weights: Floats, spans: Sequence[Span]) -> Iterator[tuple[int, Span, float]]:
    """Yield each word that the model has read: its number, its characters, the mean of its tokens' weights.

    Args:
        text: as in `find`.
        weights: as in `find`.
        spans: as in `find`.
    """
    words = [match.span() for match in _WORD.finditer(text)]
    starts = [start for start, _ in words]
    tokens: dict[int, list[float]] = {}
    for weight, (start, end) in zip(weights.tolist(), spans, strict=True):
        # By the last character: some tokenizers put the space before a word into its token.
        word = bisect_right(starts, end - 1) - 1
        if start < end and word >= 0 and end <= words[word][1]:
            tokens.setdefault(word, []).append(weight)
    for word in sorted(tokens):
        yield word, words[word], sum(tokens[word]) / len(tokens[word])
