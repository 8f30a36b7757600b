"""Evaluate explanations: their words against annotated cues, and their faithfulness against random words.

An explanation is faithful if the model relies on it: without its words the tone becomes less probable
(comprehensiveness), with them alone it stays as probable (sufficiency). DeYoung et al.: ERASER, ACL 2020.
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

#: Number of random sets of words per row.
DRAWS = 5

RESAMPLES = 1000

#: Number of sentences for timing.
TIMED_SENTENCES = 40

NAMES = {
    "cue_f1": "cue against the annotated one, word F1",
    "comprehensiveness": "comprehensiveness: fall of the tone's probability without these words",
    "sufficiency": "sufficiency: fall with these words and the states alone (lower is better)",
}


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """The quality of a model's explanations, on rows with a tone.

    Attributes:
        rows: number of rows with a tone and an annotated cue.
        explained: number of these for which the model predicts a tone; the others have no explanation, and a cue F1 of
            0.
        figures: `cue_f1`, `comprehensiveness`, `sufficiency`, all in -1..1, in the order of the report.
        intervals: 95 % bootstrap interval of each figure, over rows.
        random: the same figures for equally many random words of the sentence.
        seconds: median time per sentence, without and with explanation.
    """

    rows: int
    explained: int
    figures: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    random: dict[str, float]
    seconds: tuple[float, float]

    @property
    def times(self) -> float:
        """Time with explanations relative to that without."""
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
    """Evaluate a model's explanations on the annotations.

    Args:
        engine: model to evaluate.
        split: split of the annotations; `dev`, since the test rows have no labels.
        limit: maximum number of rows; 0 for all.
        draws: number of random sets of words per row.
        resamples: number of bootstrap samples.
        seed: random seed.

    Raises:
        CorpusError: the annotations aren't on disk.
        ValueError: the model predicts no tone, so there are no explanations.
    """
    rows = [e for e in read("annotations", split).examples if e.tone != "none" and e.cue][: limit or None]
    items = [item_of(example) for example in rows]
    predictions = [pair for (pair,) in engine.predict(items)]
    toned = [index for index, pair in enumerate(predictions) if TONES[int(pair.heads["tone"].argmax())] != "none"]
    if not toned:
        raise ValueError(f"the model gives none of the {len(rows)} related rows of annotations {split} a tone")
    spans: list[list[Span]] = [[] for _ in rows]
    toned_pairs = [items[i] for i in toned], [predictions[i] for i in toned]
    for index, weights in zip(toned, weigh(engine, *toned_pairs), strict=True):
        spans[index] = [(start, end) for start, end, _ in weights]
    words = [_Words(item, pair, cues) for item, pair, cues in zip(items, predictions, spans, strict=True)]

    rng = np.random.default_rng(seed)
    explained = [[words[i].removable_explained for i in toned]]
    chance = [
        [_sample(rng, words[i].removable, len(words[i].removable_explained)) for i in toned] for _ in range(draws)
    ]
    pairs = list(zip(rows, words, strict=True))
    per_row = {
        "cue_f1": np.array([_f1(row, row_words.explained) for row, row_words in pairs]),
        "comprehensiveness": _fall(engine, *toned_pairs, explained, without),
        "sufficiency": _fall(engine, *toned_pairs, explained, _keep_words),
    }
    guesses = [[_f1(row, _sample(rng, w.all, len(w.explained))) for row, w in pairs] for _ in range(draws)]
    return Faithfulness(
        rows=len(rows),
        explained=len(toned),
        figures={name: float(values.mean()) for name, values in per_row.items()},
        intervals={name: _interval(values, resamples, seed) for name, values in per_row.items()},
        random={
            "cue_f1": float(np.mean(guesses)),
            "comprehensiveness": float(_fall(engine, *toned_pairs, chance, without).mean()),
            "sufficiency": float(_fall(engine, *toned_pairs, chance, _keep_words).mean()),
        },
        seconds=seconds(engine, [rows[i].text for i in toned[:TIMED_SENTENCES]]),
    )


def seconds(engine: Encoder, texts: Sequence[str]) -> tuple[float, float]:
    """Return the median seconds of `Detente.label` per text, without and with explanation."""
    model = Detente(engine)
    model.label(texts[0], explain=True)  # load everything first
    durations: dict[bool, list[float]] = {False: [], True: []}
    for text in texts:
        for explain, times in durations.items():
            start = time.perf_counter()
            model.label(text, explain=explain)
            times.append(time.perf_counter() - start)
    return float(np.median(durations[False])), float(np.median(durations[True]))


def markdown(result: Faithfulness) -> list[str]:
    """Return the figures as lines of Markdown, in per cent."""
    lines = []
    for name, value in result.figures.items():
        low, high = result.intervals[name]
        rows = result.rows if name == "cue_f1" else result.explained
        ends = f"{percent(low)}–{percent(high)}"
        lines.append([NAMES[name], f"{rows:,}", percent(value), ends, percent(result.random[name])])
    plain, explained = (1000 * value for value in result.seconds)
    head = ["explanations", "rows", "model", "95 % interval", "as many random words"]
    return [
        *markdown_table(head, lines).splitlines(),
        "",
        f"A sentence takes {plain:.1f} ms, with its explanation {explained:.1f} ms: {result.times:.1f} times as long.",
    ]


class _Words:
    """The words of a row within the model's input, and those of its explanation.

    The pair's mentions always stay in the sentence, so their words aren't `removable`.
    """

    def __init__(self, item: Item, pair: PairOutput, cues: Sequence[Span]) -> None:
        self.all = [word for _, word, _ in cue_span.weighed(item.text, pair.cue, pair.spans)]
        self.explained = [word for word in self.all if _overlaps(word, cues)]
        mentions = [span for spans in item.actors for span in spans]
        self.removable = [word for word in self.all if not _overlaps(word, mentions)]
        self.removable_explained = [word for word in self.removable if word in self.explained]


def _fall(
    engine: Encoder,
    items: Sequence[Item],
    predictions: Sequence[PairOutput],
    draws: Sequence[Sequence[Sequence[Span]]],
    edit: Callable[[Item, Sequence[Span]], Item],
) -> Floats:
    """Return how far the probability of each row's tone falls in an edited sentence, averaged over draws, [rows].

    Args:
        engine: model to evaluate.
        items: rows.
        predictions: predictions for the original rows.
        draws: words of each row, [draws, rows].
        edit: function that edits a row, given some of its words.
    """
    edited = [edit(item, words) for draw in draws for item, words in zip(items, draw, strict=True)]
    tones = np.array([pair.heads["tone"] for (pair,) in engine.predict(edited)]).reshape(len(draws), len(items), -1)
    before = np.array([pair.heads["tone"] for pair in predictions])
    tone = before.argmax(-1)
    rows = np.arange(len(items))
    fall: Floats = (before[rows, tone] - tones[:, rows, tone]).mean(0)
    return fall


def _keep_words(item: Item, words: Sequence[Span]) -> Item:
    """Return the item with only some words and its actors' mentions kept."""
    keep = np.zeros(len(item.text), dtype=bool)
    for start, end in [*words, *(span for spans in item.actors for span in spans)]:
        keep[start : end + 1] = True  # and the space or punctuation after it
    return only(item, keep)


def _sample(rng: np.random.Generator, words: Sequence[Span], count: int) -> list[Span]:
    return [words[i] for i in sorted(rng.choice(len(words), size=count, replace=False))]


def _f1(row: Example, words: Sequence[Span]) -> float:
    """Return F1 of some words against the annotated cue."""
    predicted, gold = _tokens(row.text, words), _tokens(row.text, [row.cue or (0, 0)])
    return 2 * len(predicted & gold) / max(len(predicted) + len(gold), 1)


def _tokens(text: str, spans: Sequence[Span]) -> set[int]:
    return {word.start() for word in re.finditer(r"\w+", text) if _overlaps(word.span(), spans)}


def _interval(values: Floats, resamples: int, seed: int) -> tuple[float, float]:
    rows = resampled_rows(np.arange(len(values)), draws=resamples, seed=seed)
    return interval([float(values[sample].mean()) for sample in rows])


def _overlaps(word: Span, spans: Iterable[Span]) -> bool:
    return any(start < word[1] and word[0] < end for start, end in spans)
