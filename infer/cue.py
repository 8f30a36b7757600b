"""The cue: the fewest consecutive words of a sentence that show the tone, from the model's weights of its tokens."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from detente.infer.engine import Floats
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
    words = [match.span() for match in _WORD.finditer(text)]
    starts = [start for start, _ in words]
    tokens: dict[int, list[float]] = {}
    for weight, (start, end) in zip(weights.tolist(), spans, strict=True):
        # By the last character: some tokenizers put the space before a word into its token.
        word = bisect_right(starts, end - 1) - 1
        if start < end and word >= 0 and end <= words[word][1]:
            tokens.setdefault(word, []).append(weight)
    best: tuple[float, int, int] | None = None
    total, first, last = 0.0, 0, -2
    for word in sorted(tokens):
        gain = sum(tokens[word]) / len(tokens[word]) - threshold
        if total <= 0.0 or word != last + 1:
            total, first = gain, word
        else:
            total += gain
        last = word
        if best is None or total > best[0]:
            best = total, first, last
    return None if best is None else (words[best[1]][0], words[best[2]][1])
