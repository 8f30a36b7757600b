"""Are the explanations true? The words that they name, against those that readers marked, and against random words.

A cue is faithful where the model needs it: without it the tone becomes less probable (comprehensiveness), with it alone
it stays as probable (sufficiency). DeYoung et al.: ERASER, ACL 2020.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from detente._statistics import interval, resampled_rows
from detente.data.codebook.labels import TONES
from detente.data.corpora.examples import Example
from detente.data.corpora.load import read
from detente.infer.encoder import cue_span
from detente.infer.encoder.base import Encoder, Floats, PairOutput
from detente.infer.explain.occlusion import only, weigh, without
from detente.infer.label.labeler import Detente
from detente.models.features import Item, Span
from detente.train.evaluate.evaluate import markdown_table, percent
from detente.train.examples import item_of

#: Draws of random words for each row.
DRAWS = 5

RESAMPLES = 1000

#: Sentences whose time is taken.
TIMED = 40

NAMES = {
    "cue_f1": "cue against the annotated one, word F1",
    "comprehensiveness": "comprehensiveness: fall of the tone's probability without these words",
    "sufficiency": "sufficiency: fall with these words and the states alone (lower is better)",
}


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How good a model's explanations are, over the rows of which both the label and the model name a tone.

    Attributes:
        rows: with a tone and an annotated cue.
        explained: those that the model gives a tone; the others have no explanation, and count 0 in the cue's F1.
        figures: `cue_f1`, `comprehensiveness`, `sufficiency`, all in -1..1, in the order of the report.
        intervals: 95 % bootstrap interval of each, over rows.
        random: the same of as many random words of the sentence.
        seconds: for one reading, plain and explained, the median.
    """

    rows: int
    explained: int
    figures: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    random: dict[str, float]
    seconds: tuple[float, float]

    @property
    def times(self) -> float:
        """How many times as long an explained reading takes."""
        return self.seconds[1] / self.seconds[0]


def faithfulness(
    engine: Encoder,
    *,
    split: str = "dev",
    limit: int = 0,
    draws: int = DRAWS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Faithfulness:
    """Measure the explanations of a model on the annotations.

    Args:
        engine: the model.
        split: of the annotations; `dev`, since the test rows have no labels.
        limit: the first rows only; 0 for all.
        draws: of random words for each row.
        resamples: of the bootstrap.
        seed: of the draws.

    Raises:
        CorpusError: the annotations aren't on disk.
        ValueError: there is no explanation to measure, since the model gives no row a tone.
    """
    rows = [e for e in read("annotations", split).examples if e.tone != "none" and e.cue][: limit or None]
    items = [item_of(example) for example in rows]
    read_so = [pair for (pair,) in engine.predict(items)]
    toned = [at for at, pair in enumerate(read_so) if TONES[int(pair.heads["tone"].argmax())] != "none"]
    if not toned:
        raise ValueError(f"the model gives none of the {len(rows)} related rows of annotations {split} a tone")
    spans: list[list[Span]] = [[] for _ in rows]
    for at, weights in zip(toned, weigh(engine, [items[i] for i in toned], [read_so[i] for i in toned]), strict=True):
        spans[at] = [(start, end) for start, end, _ in weights]
    words = [_Words(item, pair, cues) for item, pair, cues in zip(items, read_so, spans, strict=True)]

    draw = np.random.default_rng(seed)
    ours = [[words[at].free_ours for at in toned]]
    others = [[_drawn(draw, words[at].free, len(words[at].free_ours)) for at in toned] for _ in range(draws)]
    some = [items[at] for at in toned], [read_so[at] for at in toned]
    pairs = list(zip(rows, words, strict=True))
    per_row = {
        "cue_f1": np.array([_f1(row, of_row.ours) for row, of_row in pairs]),
        "comprehensiveness": _fall(engine, *some, ours, without),
        "sufficiency": _fall(engine, *some, ours, _alone),
    }
    guesses = [[_f1(row, _drawn(draw, w.all, len(w.ours))) for row, w in pairs] for _ in range(draws)]
    return Faithfulness(
        rows=len(rows),
        explained=len(toned),
        figures={name: float(values.mean()) for name, values in per_row.items()},
        intervals={name: _interval(values, resamples, seed) for name, values in per_row.items()},
        random={
            "cue_f1": float(np.mean(guesses)),
            "comprehensiveness": float(_fall(engine, *some, others, without).mean()),
            "sufficiency": float(_fall(engine, *some, others, _alone).mean()),
        },
        seconds=seconds(engine, [rows[at].text for at in toned[:TIMED]]),
    )


def seconds(engine: Encoder, texts: Sequence[str]) -> tuple[float, float]:
    """Return how long `Detente.label` takes for a sentence, plain and explained: medians over texts, read in turn."""
    model = Detente(engine)
    model.label(texts[0], explain=True)  # opens what is opened once
    taken: dict[bool, list[float]] = {False: [], True: []}
    for text in texts:
        for explain, times in taken.items():
            before = time.perf_counter()
            model.label(text, explain=explain)
            times.append(time.perf_counter() - before)
    return float(np.median(taken[False])), float(np.median(taken[True]))


def markdown(result: Faithfulness) -> list[str]:
    """Write the figures as lines of Markdown, in per cent."""
    lines = []
    for name, value in result.figures.items():
        low, high = result.intervals[name]
        rows = result.rows if name == "cue_f1" else result.explained
        between = f"{percent(low)}–{percent(high)}"
        lines.append([NAMES[name], f"{rows:,}", percent(value), between, percent(result.random[name])])
    plain, explained = (1000 * value for value in result.seconds)
    head = ["explanations", "rows", "model", "95 % interval", "as many random words"]
    return [
        *markdown_table(head, lines).splitlines(),
        "",
        f"A sentence takes {plain:.1f} ms, with its explanation {explained:.1f} ms: {result.times:.1f} times as long.",
    ]


class _Words:
    """The words of a row that the model has read, and which of them the explanation names.

    Those of the mentions of the pair stay in the sentence whatever is taken out, so they aren't `free`.
    """

    def __init__(self, item: Item, pair: PairOutput, cues: Sequence[Span]) -> None:
        self.all = [word for _, word, _ in cue_span.weighed(item.text, pair.cue, pair.spans)]
        self.ours = [word for word in self.all if _meets(word, cues)]
        mentions = [span for spans in item.actors for span in spans]
        self.free = [word for word in self.all if not _meets(word, mentions)]
        self.free_ours = [word for word in self.free if word in self.ours]


def _fall(
    engine: Encoder,
    items: Sequence[Item],
    answers: Sequence[PairOutput],
    draws: Sequence[Sequence[Sequence[Span]]],
    edit: Callable[[Item, Sequence[Span]], Item],
) -> Floats:
    """Return by how much the probability of each row's tone falls in an edited sentence, the mean over draws, [rows].

    Args:
        engine: the model.
        items: the rows.
        answers: what it says of them.
        draws: words of each row, [draws, rows].
        edit: makes another sentence of a row and some of its words.
    """
    edited = [edit(item, words) for draw in draws for item, words in zip(items, draw, strict=True)]
    tones = np.array([pair.heads["tone"] for (pair,) in engine.predict(edited)]).reshape(len(draws), len(items), -1)
    before = np.array([answer.heads["tone"] for answer in answers])
    said = before.argmax(-1)
    rows = np.arange(len(items))
    fall: Floats = (before[rows, said] - tones[:, rows, said]).mean(0)
    return fall


def _alone(item: Item, words: Sequence[Span]) -> Item:
    """Leave some words in a sentence, and the mentions of its actors."""
    keep = np.zeros(len(item.text), dtype=bool)
    for start, end in [*words, *(span for spans in item.actors for span in spans)]:
        keep[start : end + 1] = True  # with the space, or the mark, that parts it from the next word
    return only(item, keep)


def _drawn(draw: np.random.Generator, words: Sequence[Span], count: int) -> list[Span]:
    return [words[at] for at in sorted(draw.choice(len(words), size=count, replace=False))]


def _f1(row: Example, said: Sequence[Span]) -> float:
    """Return F1 of some words against those of the annotated cue."""
    ours, theirs = _tokens(row.text, said), _tokens(row.text, [row.cue or (0, 0)])
    return 2 * len(ours & theirs) / max(len(ours) + len(theirs), 1)


def _tokens(text: str, spans: Sequence[Span]) -> set[int]:
    return {word.start() for word in re.finditer(r"\w+", text) if _meets(word.span(), spans)}


def _interval(values: Floats, resamples: int, seed: int) -> tuple[float, float]:
    rows = resampled_rows(np.arange(len(values)), draws=resamples, seed=seed)
    return interval([float(values[sample].mean()) for sample in rows])


def _meets(word: Span, spans: Iterable[Span]) -> bool:
    return any(start < word[1] and word[0] < end for start, end in spans)
