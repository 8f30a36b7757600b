"""From text to readings: sentences, their states, what the model says of each dyad."""

import datetime
import os
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from detente._timing import count, span
from detente.data.codebook.label_schema import NONE, Scheme
from detente.data.codebook.labels import DIRECTIONS, NO_DIRECTION, QUADS, ROOTS, dyad_id, expected_warmth
from detente.infer.encoder import cue_span
from detente.infer.encoder.base import Encoder, PairOutput
from detente.infer.encoder.onnx import OnnxEncoder
from detente.infer.encoder.pair_orders import predicted_direction
from detente.infer.explain.occlusion import Explainer
from detente.infer.linking.linker import Linker, linker
from detente.infer.linking.mentions import Mention, by_group, dyads
from detente.infer.readings.document import Document, Dyad
from detente.infer.readings.reading import Answer, Reading
from detente.infer.text.sentences import split
from detente.models.config import head_of
from detente.models.features import Item, Span
from detente.models.model_dir import resolve, verify

#: Characters of the longest sentence read as one; longer ones (tables, lost full stops) are cut at clause marks.
LONGEST: Final = 1500

#: States of one sentence that are paired, the most mentioned first: 120 dyads. A roll call names more.
MOST_STATES: Final = 16

#: Sentences that are read together; among so many, those of similar length fill a batch.
AT_ONCE: Final = 512

#: Whether pairs count of which either state is known by a group's name alone; "all" with the looser groups (G7).
Groups = bool | Literal["all"]

_CLAUSE_MARK = re.compile(r"[;:,.)\]–—|](?=\s)|\n")
_WORD_START = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document, the mentions in it, and the dyads to be labelled."""

    document: Document
    span: Span
    mentions: Sequence[Mention]
    dyads: Sequence[Dyad]


class Detente:
    """A model with everything that stands before it; `detente.load` makes one.

    Args:
        engine: the exported network.
        states: finds the states; None for the one with the tables that the package carries.
    """

    def __init__(self, engine: Encoder, states: Linker | None = None) -> None:
        self.engine = engine
        self.linker = states or linker()
        self._asked = [(v, head_of(v), v.counted) for v in engine.config.scheme.variables]
        self._explainer = Explainer(engine, head_of(engine.config.scheme.tone))

    @property
    def scheme(self) -> Scheme:
        """The variables that the model answers, the first of which is the readings' tone, with labels and scores."""
        return self.engine.config.scheme

    def label(
        self,
        text: str,
        *,
        date: str | datetime.date | None = None,
        title: str = "",
        dyads: Iterable[Sequence[str]] | None = None,
        include_none: bool = False,
        min_probability: float = 0.0,
        groups: Groups = True,
        explain: bool = False,
        id: str = "",
        speaker: str = "",
    ) -> list[Reading]:
        """Label a sentence or an article.

        Args:
            text: the text; offsets in the readings count its characters.
            date: `2021-03-10`, `2021-03`, `2021` or a `datetime.date`; with it, offices are read by their holders.
            title: the article's title, which "the two countries" may point to.
            dyads: pairs of ISO 3166-1 alpha-3 codes (EUU the EU, NAT NATO) in any order. Exactly these are
                labelled, in this order, in each sentence, `none` included. Without it, every pair of states found.
            include_none: keep the pairs found that come out as `none`.
            min_probability: abstain: leave out readings whose tone is less probable than this.
            groups: False leaves out pairs of which either state is known by a group's name alone ("the Quad";
                `reading.by_group`); "all" reads the members of looser groups too (the G7, BRICS), which are else read
                only in dyads that are asked for.
            explain: say why, too: `reading.why` holds what the words weigh, and labelled sentences that read alike. It
                takes some seven times as long; a model's first explanation takes seconds more, for those sentences.
            id: carried by the readings.
            speaker: code of the state whose statement the text is: "we", "our", "us" and "ours" outside quotation marks
                are mentions of it.

        Returns:
            The readings by sentence, then by dyad.

        Raises:
            ValueError: the date is none, a dyad or the speaker isn't of known states, or an argument can't be.
            TypeError: an argument has the wrong type.
        """
        document = Document.of(text, date=date, title=title, dyads=dyads, id=id, speaker=speaker)
        (readings,) = self.label_many(
            [document],
            include_none=include_none,
            min_probability=min_probability,
            groups=groups,
            explain=explain,
        )
        return readings

    def label_many(
        self,
        documents: Iterable[Document],
        *,
        include_none: bool = False,
        min_probability: float = 0.0,
        groups: Groups = True,
        explain: bool = False,
    ) -> Iterator[list[Reading]]:
        """Label documents as they come, with sentences of several in a batch.

        Args:
            documents: may be endless; a few are read ahead.
            include_none: as in `label`.
            min_probability: as in `label`.
            groups: as in `label`.
            explain: as in `label`.

        Yields:
            The readings of each document, in their order.

        Raises:
            ValueError: `groups` can't be.
        """
        for group in _groups((document, [*self.sentences(document, groups=groups)]) for document in documents):
            readings = self.read([sentence for _, sentences in group for sentence in sentences])
            for document, sentences in group:
                own = islice(readings, sum(len(sentence.dyads) for sentence in sentences))
                kept = selected(document, own, include_none=include_none, min_probability=min_probability)
                yield self.explained(kept) if explain else kept

    def explained(self, readings: Sequence[Reading]) -> list[Reading]:
        """Return readings of this model with `why`; those of dyads that weren't found stay as they are."""
        return self._explainer.explained(readings)

    def sentences(self, document: Document, *, groups: Groups = True) -> Iterator[Sentence]:
        """Yield the sentences of a document in which there is a dyad to label; `groups` as in `label`.

        Raises:
            ValueError: `groups` can't be.
        """
        if groups not in (True, False, "all"):
            raise ValueError(f"groups must be True, False or 'all', not {groups!r}")
        text, asked = document.text, document.dyads
        spans = sentence_spans(text)
        wanted = {state for dyad in asked or () for state in dyad}
        with span("link"):
            mentions = self.linker.link(
                text,
                date=document.date,
                title=document.title,
                sentences=spans,
                wanted=wanted,
                every_group=groups == "all",
                speaker=document.speaker,
            )
        starts = [mention.start for mention in mentions]
        for start, end in spans:
            inside = mentions[bisect_left(starts, start) : bisect_left(starts, end)]
            inside = [mention for mention in inside if mention.end <= end]
            pairs = dyads(_most_mentioned(inside), self.linker.outward) if asked is None else asked
            if not groups:
                pairs = [dyad for dyad in pairs if not _by_group(dyad, inside)]
            if pairs:
                yield Sentence(document, (start, end), inside, pairs)

    def read(self, sentences: Sequence[Sentence]) -> Iterator[Reading]:
        """Yield a reading for each dyad of each sentence."""
        for at in range(0, len(sentences), AT_ONCE):
            part = sentences[at : at + AT_ONCE]
            for sentence, pairs in zip(part, self.engine.predict([_item(sentence) for sentence in part]), strict=True):
                answers = iter(pairs)
                states = {mention.state for mention in sentence.mentions}
                for dyad in sentence.dyads:
                    yield self._reading(sentence, dyad, next(answers) if states.issuperset(dyad) else None)

    def _reading(self, sentence: Sentence, dyad: Dyad, answer: PairOutput | None) -> Reading:
        start, end = sentence.span
        text = sentence.document.text[start:end]
        direction, words, root, quad = NO_DIRECTION, None, None, None
        said = self._answers(answer) if answer is not None else {}
        chosen = next(iter(said.values()), None)
        tone = NONE if chosen is None else chosen.label
        if answer is not None and tone != NONE:
            direction = DIRECTIONS[int(predicted_direction(answer.heads["direction"]))]
            words = cue_span.find(text, answer.cue, answer.spans)
            root = ROOTS[int(answer.heads["root"].argmax())]
            quad = QUADS[int(answer.heads["quad"].argmax())]
        return Reading(
            id=sentence.document.id,
            sentence=text,
            start=start,
            end=end,
            dyad=dyad_id(*dyad),
            tone=tone,
            warmth=None if chosen is None else chosen.score,
            probabilities=self._not_found if chosen is None else chosen.probabilities,
            direction=direction,
            cue="" if words is None else text[slice(*words)],
            cue_start=None if words is None else start + words[0],
            cue_end=None if words is None else start + words[1],
            root=root,
            quad=quad,
            mentions=tuple(mention for mention in sentence.mentions if mention.state in dyad),
            found=answer is not None,
            model=self.engine.name,
            variables={} if self.engine.config.own is None else said,
        )

    @property
    def _not_found(self) -> dict[str, float]:
        return {label: float(label == NONE) for label in self.scheme.tone.labels}

    def _answers(self, answer: PairOutput) -> dict[str, Answer]:
        """Return what is said of each variable, in their order."""
        said = {}
        for variable, head, scores in self._asked:
            probabilities = dict(zip(variable.labels, answer.heads[head].tolist(), strict=True))
            score = expected_warmth(probabilities, scores) if scores else None
            label = max(probabilities, key=probabilities.__getitem__)
            said[variable.name] = Answer(label=label, score=score, probabilities=probabilities)
        return said


def load(model: str | os.PathLike[str] | None = None, *, threads: int | None = None) -> Detente:
    """Open a model.

    Args:
        model: None for the shipped model; a folder; or a hub id (`owner/name`).
        threads: cores to use; None for all that this process may use.

    Raises:
        ModelError: there is no such model, or one of its files is missing or was changed.
    """
    folder = resolve(model)
    verify(folder)
    return Detente(OnnxEncoder(folder, threads=threads))


def selected(
    document: Document, readings: Iterable[Reading], *, include_none: bool = False, min_probability: float = 0.0
) -> list[Reading]:
    """Return those of a document's readings that were asked for; arguments as in `Detente.label`."""
    drop = NONE if document.dyads is None and not include_none else ""
    return [reading for reading in readings if reading.tone != drop and reading.probability >= min_probability]


def sentence_spans(text: str) -> list[Span]:
    """Return where the sentences of a text are, each at most `LONGEST` characters."""
    with span("split"):
        sentences = split(text)
    count("sentences", len(sentences))
    return [piece for sentence in sentences for piece in pieces(text, *sentence)]


def pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """Cut a sentence that is longer than `LONGEST` at its clause marks, else between words, else anywhere.

    Args:
        text: the source text.
        start: offset of the sentence.
        end: offset after it.

    Yields:
        Spans without surrounding whitespace, in order.
    """
    while end - start > LONGEST:
        middle, limit = start + LONGEST // 2, start + LONGEST
        marks = [match.end() for match in _CLAUSE_MARK.finditer(text, middle, limit)]
        cut = marks[-1] if marks else text.rfind(" ", middle, limit)
        if cut < 0:
            cut = limit
        yield start, start + len(text[start:cut].rstrip())
        first_word = _WORD_START.search(text, cut, end)
        start = first_word.start() if first_word else end
    if start < end:
        yield start, end


def _by_group(dyad: Dyad, mentions: Sequence[Mention]) -> bool:
    return by_group((mention.state, mention.how) for mention in mentions if mention.state in dyad)


def _most_mentioned(mentions: Sequence[Mention]) -> Sequence[Mention]:
    counts = Counter(mention.state for mention in mentions)
    if len(counts) <= MOST_STATES:
        return mentions
    kept = {state for state, _ in counts.most_common(MOST_STATES)}
    return [mention for mention in mentions if mention.state in kept]


def _item(sentence: Sentence) -> Item:
    """Make what the engine reads of a sentence; dyads that weren't found in it are left out."""
    start, end = sentence.span
    places: dict[str, list[Span]] = {}
    for mention in sentence.mentions:
        places.setdefault(mention.state, []).append((mention.start - start, mention.end - start))
    number = {state: at for at, state in enumerate(places)}
    pairs = [(number[a], number[b]) for a, b in sentence.dyads if a in number and b in number]
    return Item(sentence.document.text[start:end], list(places.values()), pairs)


def _groups(
    documents: Iterable[tuple[Document, list[Sentence]]],
) -> Iterator[list[tuple[Document, list[Sentence]]]]:
    """Gather documents until they hold `AT_ONCE` sentences to read."""
    group: list[tuple[Document, list[Sentence]]] = []
    size = 0
    for document, sentences in documents:
        group.append((document, sentences))
        size += len(sentences)
        if size >= AT_ONCE:
            yield group
            group, size = [], 0
    if group:
        yield group
