"""A labelled example of any corpus, and the result of reading a split."""

from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

#: Start and end offsets (end exclusive) in the example's text.
Span = tuple[int, int]

#: The label fields of `Example`; a field is None if the corpus has no such label.
LABELS = ("tone", "direction", "confidence", "root", "quad", "binary", "sentiment", "polarity")


class CorpusError(Exception):
    """An error in finding, fetching or reading a corpus; the message says what, where and what to do."""


def sentence_id(text: str) -> str:
    """Return the id of a sentence, 12 hexadecimal digits; splits by this id never share a sentence."""
    return sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A sentence and an ordered pair of actors in it, with the labels of its corpus.

    Attributes:
        id: unique within the corpus.
        text: the sentence, without entity marks.
        a: spans of A: the first code of the dyad, PLV's source, DSE's p, NewsMTSC's target, labelled mention first.
        b: spans of B: the second code of the dyad, PLV's target, DSE's q; empty for NewsMTSC.
            Empty for A or B in 38 rows of PLV, where that actor is not in the sentence.
        split: `train`, `dev`, `test` (`test_mt` and `test_rw` in NewsMTSC).
        origin: the corpus and, if known, the source within it (`annotations/reuters21578`).
        dyad: ISO alpha-3 codes in alphabetical order (`CHN-USA`); empty if A and B have no state codes.
        date: ISO 8601 date; empty if unknown.
        tone: one of `labels.TONES`.
        direction: one of `labels.DIRECTIONS`, or `labels.NO_DIRECTION` for the tone `none`.
        cue: the span that expresses the tone; None for the tone `none`.
        confidence: 1 a guess, 2 probable, 3 clear.
        second: the annotator's second choice of tone, if any.
        root: one of `labels.ROOTS`.
        quad: one of `labels.QUADS`.
        sentiment: one of `labels.SENTIMENTS`.
        polarity: one of `labels.POLARITIES`.
        seen: whether an example outside the training file has the same text and spans as one in it.
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
        """The id of the sentence, the same in every corpus."""
        return sentence_id(self.text)

    @property
    def binary(self) -> str | None:
        """`cooperation` or `conflict`, from the quad class."""
        return self.quad and self.quad.split()[1]


@dataclass(frozen=True, slots=True)
class Problem:
    """A malformed record.

    Attributes:
        file: the file.
        line: number of the record's first line, from 1.
        reason: the fault; the row is left out unless the reason says otherwise.
    """

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Corpus:
    """The examples of a split, and the records that could not be read."""

    examples: list[Example]
    problems: list[Problem]
