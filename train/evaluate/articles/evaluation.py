"""Evaluate `Detente.label` end to end on articles, stage by stage, against several annotators' labels.

A tone or direction counts as right if any annotator gave it, and no relationship if any annotator saw none. Intervals
resample articles with all their sentences (Field and Welsh 2007, "Bootstrapping clustered data").
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from detente._statistics import Estimate, estimate_from_draws, resampled_counts
from detente.data.codebook.label_schema import NONE
from detente.infer.label.labeler import Detente
from detente.train.evaluate.articles.gold import Article
from detente.train.evaluate.articles.outcomes import (
    CAUSES,
    ArticleOutput,
    PairOutcome,
    SentenceOutcome,
    pair_outcomes,
    read_article,
    sentence_outcomes,
)
from detente.train.evaluate.benchmarks import RESAMPLES
from detente.train.evaluate.calibration import BINS
from detente.train.evaluate.metrics import confusion
from detente.train.evaluate.slices import MIN_ROWS

Floats = npt.NDArray[np.float64]

#: Names and descriptions of the metrics, in the order of the stages.
FIGURES: Final = {
    "states_f1": "states, micro F1",
    "relation_f1": "relationship, F1",
    "tone_f1": "relationship with the right tone, F1",
    "clear_tone": "pairs that every reader is sure of, with the right tone",
    "direction": "direction, share right",
    "warmth_r": "warmth per article and dyad, r × 100",
    "tone_ece": "calibration error of the tone (ECE)",
}

_Ratio = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a set of sentences and pairs.

    Attributes:
        sentences: number of sentences.
        cut: number of these that overlap two or more of the model's sentences.
        joined: number of these that one of the model's sentences joins with the next.
        pairs: number of pairs of sentence and dyad that an annotator or the model labelled.
        metrics: metrics of `FIGURES` with 95 % intervals; None if undefined.
    """

    sentences: int
    cut: int
    joined: int
    pairs: int
    metrics: dict[str, Estimate | None]


@dataclass(frozen=True, slots=True)
class ArticleSlice:
    """The figures of one slice.

    Attributes:
        dimension: `states`, `source` or `found`.
        name: name of the slice.
        figures: figures of the slice; without sentences for `found`.
    """

    dimension: str
    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class ArticleEvaluation:
    """The evaluation of a model on articles.

    Attributes:
        model: name and version of the model.
        file: name of the file of articles.
        articles: number of articles.
        overall: figures on all articles.
        readers: agreement of the first two annotators in the same figures; empty if there is only one.
        slices: figures by number of states, kind of source and kind of mention.
        causes: number of errors by cause.
        confusion: counts [gold tone, predicted tone], in the order of `TONES`.
        errors: pairs with a wrong tone.
    """

    model: str
    file: str
    articles: int
    overall: Figures
    readers: dict[str, float]
    slices: list[ArticleSlice]
    causes: dict[str, int]
    confusion: list[list[int]]
    errors: list[PairOutcome]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values, without the list of errors, which holds the articles' sentences."""
        return {key: value for key, value in asdict(self).items() if key != "errors"}

    def figures(self) -> dict[str, float]:
        """Return the figures under names that MLflow accepts."""
        metrics = self.overall.metrics.items()
        return {f"articles_{name}": estimate.value for name, estimate in metrics if estimate}


def evaluate_articles(
    model: Detente,
    articles: Sequence[Article],
    *,
    file: str = "",
    resamples: int = RESAMPLES,
    progress: Callable[[str], None] = lambda _: None,
) -> ArticleEvaluation:
    """Label articles with a model and evaluate its readings.

    Args:
        model: model to evaluate.
        articles: labelled articles.
        file: name of the articles' file.
        resamples: number of bootstrap samples.
        progress: function called with the number of each article.
    """
    outputs = []
    for number, article in enumerate(articles, start=1):
        progress(f"article {number} of {len(articles)}")
        outputs.append(read_article(model, article))
    return compare(articles, outputs, model=model.engine.name, file=file, resamples=resamples)


def compare(
    articles: Sequence[Article],
    outputs: Iterable[ArticleOutput],
    *,
    model: str = "",
    file: str = "",
    resamples: int = RESAMPLES,
) -> ArticleEvaluation:
    """Evaluate a model's output for articles; arguments as in `evaluate_articles`."""
    sentences: list[SentenceOutcome] = []
    pairs: list[PairOutcome] = []
    for article, output in zip(articles, outputs, strict=True):
        article_sentences = sentence_outcomes(article, output)
        sentences += article_sentences
        pairs += pair_outcomes(article, output, article_sentences)
    ids = [article.id for article in articles]
    return ArticleEvaluation(
        model=model,
        file=file,
        articles=len(articles),
        overall=figures_of(ids, sentences, pairs, resamples),
        readers=agreement(sentences, pairs) if min(article.readers for article in articles) > 1 else {},
        slices=_slices(ids, sentences, pairs, resamples),
        causes={name: sum(pair.cause == name for pair in pairs) for name in CAUSES},
        confusion=confusion([pair.gold for pair in pairs], [pair.tone for pair in pairs]).tolist() if pairs else [],
        errors=[pair for pair in pairs if pair.cause],
    )


def figures_of(
    articles: Sequence[str], sentences: Sequence[SentenceOutcome], pairs: Sequence[PairOutcome], resamples: int
) -> Figures:
    """Return the figures of a set of sentences and pairs.

    Args:
        articles: ids of all articles, which the bootstrap resamples.
        sentences: outcomes of the sentences.
        pairs: outcomes of the pairs.
        resamples: number of bootstrap samples.
    """
    number = {id_: row for row, id_ in enumerate(articles)}
    samples = np.concatenate(list(resampled_counts(np.ones(len(number)), draws=resamples)))

    def estimate(figure: Callable[[Floats], Floats], terms: Iterable[tuple[str, Sequence[float]]]) -> Estimate | None:
        """Return a figure of the sums over articles of `terms`, which are (article, [n])."""
        rows = list(terms)
        if not rows:
            return None
        sums = np.zeros((len(number), len(rows[0][1])))
        np.add.at(sums, [number[article] for article, _ in rows], np.array([values for _, values in rows]))
        with np.errstate(divide="ignore", invalid="ignore"):
            value, values = figure(sums.sum(axis=0)), figure(samples @ sums)
        if not np.isfinite(value):
            return None
        return estimate_from_draws(float(value), values, skip_undefined=True)

    def share(terms: Callable[[PairOutcome], _Ratio]) -> Estimate | None:
        return estimate(_ratio, ((pair.article, terms(pair)) for pair in pairs))

    return Figures(
        len(sentences),
        sum(sentence.cut for sentence in sentences),
        sum(sentence.runs_on for sentence in sentences),
        len(pairs),
        {
            "states_f1": estimate(_ratio, ((sentence.article, _states(sentence)) for sentence in sentences)),
            "relation_f1": share(_relation),
            "tone_f1": share(_tone),
            "clear_tone": share(lambda pair: (pair.clear and pair.tone == pair.gold, pair.clear)),
            "direction": share(_direction),
            "warmth_r": estimate(_correlation, warmth_moments(pairs)),
            "tone_ece": estimate(_ece, ((pair.article, _bin(pair)) for pair in pairs if pair.reading)),
        },
    )


def agreement(sentences: Sequence[SentenceOutcome], pairs: Sequence[PairOutcome]) -> dict[str, float]:
    """Return the agreement of the first two annotators, in a model's figures."""
    related, same_tone, same_direction, labels = 0, 0, 0, 0
    for pair in pairs:
        first, second = pair.labels[:2]
        labels += bool(first) + bool(second)
        if first and second:
            related += 1
            same_tone += first.tone == second.tone
            same_direction += first.direction == second.direction
    ratios = {
        "states_f1": (2 * sum(s.agreed for s in sentences), sum(s.named for s in sentences)),
        "relation_f1": (2 * related, labels),
        "tone_f1": (2 * same_tone, labels),
        "direction": (same_direction, related),
    }
    return {name: numerator / total for name, (numerator, total) in ratios.items() if total}


def warmth_moments(pairs: Sequence[PairOutcome]) -> list[tuple[str, Sequence[float]]]:
    """Return 1, x, y, x², y², xy of each article's dyads with warmth by both annotators and model.

    x is the annotators' mean warmth over the sentences in which any of them sees a relationship, y the model's over the
    sentences in which it sees one.
    """
    warmth: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for pair in pairs:
        gold, predicted = warmth.setdefault((pair.article, pair.dyad), ([], []))
        if pair.warmth is not None:
            gold.append(pair.warmth)
        if pair.reading and pair.reading.warmth is not None and pair.tone != NONE:
            predicted.append(pair.reading.warmth)
    means = [
        (article, np.mean(gold), np.mean(predicted))
        for (article, _), (gold, predicted) in warmth.items()
        if gold and predicted
    ]
    return [(article, [1.0, *map(float, (x, y, x * x, y * y, x * y))]) for article, x, y in means]


def write_errors(evaluation: ArticleEvaluation, file: Path) -> None:
    """Write the errors as JSON lines, sorted by cause."""
    with file.open("wb") as out:
        for pair in sorted(evaluation.errors, key=lambda pair: CAUSES.index(pair.cause)):
            out.write(orjson.dumps(_error(pair), option=orjson.OPT_APPEND_NEWLINE))


def _error(pair: PairOutcome) -> dict[str, Any]:
    reading = pair.reading
    return {
        "cause": pair.cause,
        "article": pair.article,
        "sentence": pair.number,
        "dyad": pair.dyad,
        "labels": [label.tone if label else NONE for label in pair.labels],
        "tone": pair.tone,
        "probability": round(reading.probability, 4) if reading else None,
        "found": pair.ways,
        "text": pair.sentence,
    }


def _slices(
    articles: Sequence[str], sentences: Sequence[SentenceOutcome], pairs: Sequence[PairOutcome], resamples: int
) -> list[ArticleSlice]:
    ways = Counter(pair.ways for pair in pairs)
    frequent = [way for way, rows in ways.most_common() if rows >= MIN_ROWS]
    pooled = f"{len(ways) - len(frequent)} other ways"
    sizes = sorted({sentence.size for sentence in sentences})
    kinds = [kind for kind, _ in Counter(sentence.kind for sentence in sentences).most_common()]

    def slice_of(
        dimension: str, name: str, slice_sentences: Sequence[SentenceOutcome], slice_pairs: Sequence[PairOutcome]
    ) -> ArticleSlice:
        return ArticleSlice(dimension, name, figures_of(articles, slice_sentences, slice_pairs, resamples))

    parts = [
        *(
            slice_of("states", n, [s for s in sentences if s.size == n], [p for p in pairs if p.size == n])
            for n in sizes
        ),
        *(
            slice_of("source", n, [s for s in sentences if s.kind == n], [p for p in pairs if p.kind == n])
            for n in kinds
        ),
        *(slice_of("found", n, [], [p for p in pairs if p.ways == n]) for n in frequent),
        slice_of("found", pooled, [], [p for p in pairs if p.ways not in frequent]),
    ]
    return [part for part in parts if part.figures.sentences or part.figures.pairs]


def _states(sentence: SentenceOutcome) -> _Ratio:
    return 2 * len(sentence.states & sentence.ways.keys()), len(sentence.states) + len(sentence.ways)


def _relation(pair: PairOutcome) -> _Ratio:
    gold, predicted = pair.gold != NONE, pair.tone != NONE
    return 2 * (gold and predicted), gold + predicted


def _tone(pair: PairOutcome) -> _Ratio:
    return 2 * (pair.gold == pair.tone != NONE), (pair.gold != NONE) + (pair.tone != NONE)


def _direction(pair: PairOutcome) -> _Ratio:
    """Return (right, 1) if the model and any annotator see a relationship; any annotator's direction is right."""
    directions = [label.direction for label in pair.labels if label]
    if not directions or not pair.reading or pair.tone == NONE:
        return 0, 0
    return pair.reading.direction in directions, 1


def _bin(pair: PairOutcome) -> list[float]:
    """Return [rows, probability, right] of a pair's predicted tone (`none` too) in its bin, and 0 in all other bins."""
    assert pair.reading is not None
    terms = np.zeros((BINS, 3))
    probability = pair.reading.probability
    terms[min(int(probability * BINS), BINS - 1)] = 1, probability, pair.tone == pair.gold
    return list(map(float, terms.ravel()))


def _ece(sums: Floats) -> Floats:
    """Return the expected calibration error (Guo et al., ICML 2017) from sums of `_bin`."""
    rows, probability, right = np.moveaxis(sums.reshape(*sums.shape[:-1], BINS, 3), -1, 0)
    error: Floats = np.abs(right - probability).sum(axis=-1) / rows.sum(axis=-1)
    return error


def _ratio(sums: Floats) -> Floats:
    ratio: Floats = sums[..., 0] / sums[..., 1]
    return ratio


def _correlation(sums: Floats) -> Floats:
    """Return Pearson's r from sums of `warmth_moments`; NaN if either side is constant."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread = (n * xx - x * x) * (n * yy - y * y)
    r: Floats = np.where(spread > 1e-9, n * xy - x * y, np.nan) / np.sqrt(np.maximum(spread, 1e-9))
    return r
