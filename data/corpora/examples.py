"""One labelled example of any corpus, and what a reader gives back."""

from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

#: Offsets of the first character and after the last one, in the example's text.
Span = tuple[int, int]

#: The fields of `Example` that hold labels; what a corpus has no label for is None.
LABELS = ("tone", "direction", "confidence", "root", "quad", "binary", "sentiment", "polarity")


class CorpusError(Exception):
    """A corpus can't be found, fetched or read; the message says what, where and what to do."""


def sentence_id(text: str) -> str:
    """Return 12 hexadecimal digits that name a sentence: split by it, so that no sentence is on both sides."""
    return sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A sentence and an ordered pair of actors in it, with the labels that its corpus has.

    Attributes:
        id: unique within the corpus.
        text: the sentence, without marks.
        a: spans of A: the first code of the dyad, PLV's source, DSE's p, NewsMTSC's target, labelled mention first.
        b: spans of B: the second code of the dyad, PLV's target, DSE's q; empty for NewsMTSC.
            In 38 rows of PLV one of A and B is not in the sentence, and is empty.
        split: `train`, `dev`, `test` (`test_mt` and `test_rw` in NewsMTSC).
        origin: the corpus, and the source within it where that is known (`annotations/reuters21578`).
        dyad: ISO alpha-3 codes in alphabetical order (`CHN-USA`); empty where A and B aren't given as states.
        date: ISO 8601; empty where unknown.
        tone: one of `labels.TONES`.
        direction: one of `labels.DIRECTIONS`, or `labels.NO_DIRECTION` for the tone `none`.
        cue: the span that shows the tone; None where the tone is `none`.
        confidence: 1 a guess, 2 probable, 3 clear.
        second: the second-best tone, where the reader was unsure and named one.
        root: one of `labels.ROOTS`.
        quad: one of `labels.QUADS`.
        sentiment: one of `labels.SENTIMENTS`.
        polarity: one of `labels.POLARITIES`.
        seen: not in the training file itself, but the same text with the same spans is there.
    """

    id: str
    text: str
    a: tuple[Span, ...]
    b: tuple[Span, ...]
    split: str
    origin: str
    dyad: str = ""
    date: str = ""
    tone: str | None = None
    direction: str | None = None
    cue: Span | None = None
    confidence: int | None = None
    second: str | None = None
    root: str | None = None
    quad: str | None = None
    sentiment: str | None = None
    polarity: str | None = None
    seen: bool = False

    @property
    def sentence_id(self) -> str:
        """The name of the sentence, the same in every corpus."""
        return sentence_id(self.text)

    @property
    def binary(self) -> str | None:
        """`cooperation` or `conflict`, from the quad class."""
        return self.quad and self.quad.split()[1]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that could not be read as its format says.

    Attributes:
        file: the file.
        line: number of the line, or of the first line of a record that spans several, from 1.
        reason: what is wrong; the row is left out, unless it says otherwise.
    """

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Corpus:
    """What could be read of a split, and what could not."""

    examples: list[Example]
    problems: list[Problem]
