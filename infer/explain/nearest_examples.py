"""The labelled sentences that a model reads most like a given one, from the project's own corpus."""

import hashlib
import re
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Final, Self

import numpy as np
import pooch
from rich.console import Console
from rich.progress import track

from detente.data.corpora.examples import Example
from detente.data.corpora.load import locate, read
from detente.infer.encoder.base import Encoder, Floats, PairOutput
from detente.infer.readings.explanation import Like
from detente.models.features import Item, Span

#: What the vectors are made of; a change gives the files in the cache another name.
FORM: Final = b"1"

#: The share of the words in the similarity; the rest is that of the model's answers. The nearest example has the gold
#: tone on 74.5 % of the annotations' dev rows, as the model itself; with half for the words, on 70.5 %.
WORDS: Final = 0.2

#: Sentences of the corpus that are read between two steps of the progress bar.
STEP: Final = 128

_WORD: Final = re.compile(r"[^\W\d_]{2,}")


class Neighbours:
    """Labelled sentences and what a model says of each.

    Two readings are as similar as the model's answers to all its questions, and the sentences' words, are: answers by
    the overlap of their probabilities (Bhattacharyya's coefficient, the mean over heads), words by the cosine of their
    inverse document frequencies, the mentions of the dyad's states left out.

    Args:
        examples: sentences labelled with a tone.
        vectors: what the model says of each (`vectors_of`), [examples, D].
    """

    def __init__(self, examples: Sequence[Example], vectors: Floats) -> None:
        self._examples = examples
        self._vectors = vectors.astype(np.float32)
        self._words = _Words([_words(example.text, (*example.a, *example.b)) for example in examples])
        self._plain = [_plain(example.text) for example in examples]

    @classmethod
    def of(cls, engine: Encoder) -> Self:
        """Take the project's own corpus; an exported model's vectors are cached for the user."""
        examples = read("detente", "train").examples
        file = None if engine.digest is None else _file(engine.digest)
        vectors = None if file is None else _load(file, len(examples))
        if vectors is None:
            vectors = _predict(engine, examples)
            if file is not None:
                _save(file, vectors)
        return cls(examples, vectors)

    def nearest(self, text: str, mentions: Iterable[Span], reading: PairOutput, count: int) -> tuple[Like, ...]:
        """Return the examples most similar to a reading, the most similar first, no sentence twice.

        Args:
            text: the sentence that was read; it is not among the answers itself.
            mentions: of the dyad's states in it.
            reading: what the model says of the dyad.
            count: how many to return; fewer where there are no more.
        """
        (vector,) = vectors_of([reading])
        words = self._words.cosine(_words(text, mentions))
        similarity = ((1 - WORDS) * (self._vectors @ vector) + WORDS * words).clip(0.0, 1.0)
        like: dict[str, Like] = {}
        itself = _plain(text)
        for at in np.argsort(-similarity, kind="stable"):
            example = self._examples[at]
            if len(like) == count:
                break
            if example.tone is not None and self._plain[at] not in {itself, *like}:
                cue = "" if example.cue is None else example.text[slice(*example.cue)]
                like[self._plain[at]] = Like(example.text, example.dyad, example.tone, cue, float(similarity[at]))
        return tuple(like.values())


class _Words:
    """Which texts hold a word, and how much of their words texts share; a word counts for its rarity.

    Args:
        texts: the words of each.
    """

    def __init__(self, texts: Sequence[set[str]]) -> None:
        self._size = len(texts)
        rows: dict[str, list[int]] = {}
        for row, words in enumerate(texts):
            for word in words:
                rows.setdefault(word, []).append(row)
        self._rows = {word: np.array(places) for word, places in rows.items()}
        self._lengths = np.array([self._length(words) for words in texts])

    def cosine(self, words: set[str]) -> Floats:
        """Return the cosine of some words with each text, 0..1, [texts]."""
        shared = np.zeros(self._size)
        for word in words & self._rows.keys():
            shared[self._rows[word]] += self._rarity(word) ** 2
        cosines: Floats = shared / np.maximum(self._lengths * self._length(words), 1e-9)
        return cosines

    def _rarity(self, word: str) -> float:
        return float(np.log((1 + self._size) / (1 + len(self._rows.get(word, ())))))

    def _length(self, words: set[str]) -> float:
        return float(np.sqrt(sum(self._rarity(word) ** 2 for word in words)))


def vectors_of(readings: Sequence[PairOutput]) -> Floats:
    """Return what a model says of each pair as a vector of length 1, [readings, labels of all heads].

    The roots of the probabilities: the product of two vectors is the mean overlap of their answers. Of the direction
    it counts who leads or that neither does, not which of the two states stands first in the alphabet.
    """
    rows = []
    for reading in readings:
        *leads, neither = reading.heads["direction"]
        heads = {**reading.heads, "direction": np.array([*sorted(leads), neither])}
        rows.append(np.concatenate([np.sqrt(heads[name] / len(heads)) for name in sorted(heads)]))
    return np.array(rows, dtype=np.float32)


def _predict(engine: Encoder, examples: Sequence[Example]) -> Floats:
    """Have the model read all examples, with a bar that shows how far it is."""
    items = []
    for _, group in groupby(examples, key=lambda example: example.text):
        labels = list(group)
        actors = [spans for label in labels for spans in (label.a, label.b)]
        items.append(Item(labels[0].text, actors, [(2 * at, 2 * at + 1) for at in range(len(labels))]))
    console = Console(stderr=True)
    steps = track(
        range(0, len(items), STEP),
        "reading the labelled examples, once for this model",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    answers = [pair for at in steps for pairs in engine.predict(items[at : at + STEP]) for pair in pairs]
    return vectors_of(answers)


def _file(digest: str) -> Path:
    """Return where the vectors of a model are kept: another file for another model or corpus."""
    corpus = locate("detente", "train").read_bytes()
    parts = (hashlib.sha256(FORM).digest(), bytes.fromhex(digest), hashlib.sha256(corpus).digest())
    name = hashlib.sha256(b"".join(parts)).hexdigest()
    return Path(pooch.os_cache("detente")) / "neighbours" / f"{name}.npz"


def _load(file: Path, size: int) -> Floats | None:
    """Return the vectors of a file, or None where there are none that can be used."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            vectors: Floats = kept["vectors"]  # the archive's checksum is compared
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    whole = vectors.ndim == 2 and len(vectors) == size and vectors.dtype == np.float16 and np.isfinite(vectors).all()
    return vectors if whole else None


def _save(file: Path, vectors: Floats) -> None:
    """Keep vectors, atomically; where the cache can't be written to, they are made anew next time."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            np.savez(Path(folder) / file.name, vectors=vectors.astype(np.float16))
            (Path(folder) / file.name).replace(file)


def _words(text: str, mentions: Iterable[Span]) -> set[str]:
    """Return the words of a sentence without those of some mentions."""
    spans = list(mentions)
    found = _WORD.finditer(text)
    return {m[0].casefold() for m in found if not any(m.start() < end and start < m.end() for start, end in spans)}


def _plain(text: str) -> str:
    """Return what two copies of a sentence share, whatever their spaces, dashes and quotation marks."""
    return " ".join(re.findall(r"\w+", text.casefold()))
