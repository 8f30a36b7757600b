"""The benchmarks: their rows, the order of their pairs, and their metrics as published.

The dev splits select models and thresholds; the test splits are read once, for the report.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detente._statistics import ece, interval, resampled_rows
from detente.data.codebook.labels import DIRECTIONS, POLARITIES, QUADS, ROOTS, SENTIMENTS, TONES, expected_warmth
from detente.data.corpora.examples import Example
from detente.data.corpora.load import read
from detente.infer.encoder import cue_span as cue
from detente.infer.encoder.base import Encoder, Floats
from detente.models.features import Span
from detente.train.evaluate.metrics import class_f1, macro_f1, micro_f1, relation_f1, span_f1, warmth_r
from detente.train.examples import item_of

Metrics = dict[str, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """A model's predictions for one row.

    Attributes:
        heads: probabilities by head, each [labels of the head].
        cue: span of the cue in the sentence; None for a model without cues.
    """

    heads: Mapping[str, Floats]
    cue: Span | None = None


Measure = Callable[[Sequence[Example], Sequence[Scores]], Metrics]

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One table of the report.

    Attributes:
        name: name in the report.
        corpus: name of the corpus.
        split: split of the corpus.
        measure: function for the metrics, each in 0..1 (Pearson's r in -1..1).
        ordered: whether the order of A and B is given (PLV, DSE); otherwise predictions are averaged over both orders,
            as in use.
        unseen: whether to leave out rows whose text is in the training split too.
        training: splits that baselines are trained on.
    """

    name: str
    corpus: str
    split: str
    measure: Measure
    ordered: bool = True
    unseen: bool = False
    training: str = "train"

    def examples(self) -> list[Example]:
        """Return the rows."""
        return [e for e in read(self.corpus, self.split).examples if not (self.unseen and e.seen)]


def predicted(scores: Sequence[Scores], head: str, labels: Sequence[str]) -> list[str]:
    """Return a head's most probable label for every row."""
    return [labels[int(np.argmax(s.heads[head]))] for s in scores]


def gold(examples: Sequence[Example], head: str) -> list[str]:
    """Return a head's gold labels, which every row must have."""
    labels = [getattr(e, head) for e in examples]
    if None in labels:
        raise ValueError(f"a row without {head}: {examples[labels.index(None)].id}")
    return labels


def plv(examples: Sequence[Example], scores: Sequence[Scores]) -> Metrics:
    """Return PLV's metrics (Hu et al., ACL 2024): macro F1 of binary, quad and root classes over all rows."""
    quad, root = predicted(scores, "quad", QUADS), predicted(scores, "root", ROOTS)
    binary = [label.split()[1] for label in quad]
    return {
        "binary_f1": macro_f1([str(e.binary) for e in examples], binary, ("cooperation", "conflict")),
        "quad_f1": macro_f1(gold(examples, "quad"), quad, QUADS),
        "root_f1": macro_f1(gold(examples, "root"), root, ROOTS),
    }


def dse(examples: Sequence[Example], scores: Sequence[Scores]) -> Metrics:
    """Return DSE's metrics (Park et al., ACL Findings 2021): micro and macro F1 over five classes."""
    labels, predictions = gold(examples, "sentiment"), predicted(scores, "sentiment", SENTIMENTS)
    return {"micro_f1": micro_f1(labels, predictions), "macro_f1": macro_f1(labels, predictions, SENTIMENTS)}


def newsmtsc(examples: Sequence[Example], scores: Sequence[Scores]) -> Metrics:
    """Return NewsMTSC's metric (Hamborg and Donnay, EACL 2021): macro F1 over three polarities."""
    return {"f1m": macro_f1(gold(examples, "polarity"), predicted(scores, "polarity", POLARITIES), POLARITIES)}


def codebook(examples: Sequence[Example], scores: Sequence[Scores]) -> Metrics:
    """Return the codebook's metrics: tone with calibration, relationship, warmth; direction and cue of related rows."""
    labels, predictions = gold(examples, "tone"), predicted(scores, "tone", TONES)
    warmth = [expected_warmth(dict(zip(TONES, map(float, s.heads["tone"]), strict=True))) for s in scores]
    related = [i for i, label in enumerate(labels) if label != "none"]
    direction = predicted(scores, "direction", DIRECTIONS)
    return {
        "tone_f1": macro_f1(labels, predictions, TONES),
        "relation_f1": relation_f1(labels, predictions),
        "warmth_r": warmth_r(labels, warmth),
        "direction_f1": macro_f1(
            [str(examples[i].direction) for i in related], [direction[i] for i in related], DIRECTIONS
        ),
        "tone_ece": ece(
            np.array([max(s.heads["tone"]) for s in scores], dtype=np.float64),
            np.array([g == p for g, p in zip(labels, predictions, strict=True)]),
        ),
        "cue_f1": float(np.mean([span_f1(examples[i].text, examples[i].cue, scores[i].cue) for i in related])),
        **{f"f1_{label}": value for label, value in class_f1(labels, predictions, TONES).items()},
    }


DEV = (
    Benchmark("annotations dev", "annotations", "dev", codebook, ordered=False),
    Benchmark("codings dev", "codings", "dev", codebook, ordered=False),
    Benchmark("newsroom dev", "newsroom", "dev", codebook, ordered=False),
    Benchmark("PLV dev", "plv", "dev", plv),
    Benchmark("DSE dev, unseen", "dse", "dev", dse, unseen=True),
    Benchmark("NewsMTSC dev", "newsmtsc", "dev", newsmtsc),
)

TEST = (
    Benchmark("PLV test", "plv", "test", plv, training="train+dev"),
    Benchmark("DSE test", "dse", "test", dse),
    Benchmark("DSE test, unseen", "dse", "test", dse, unseen=True),
    Benchmark("NewsMTSC test-mt", "newsmtsc", "test_mt", newsmtsc, training="train+dev"),
    Benchmark("NewsMTSC test-rw", "newsmtsc", "test_rw", newsmtsc, training="train+dev"),
    Benchmark("annotations dev", "annotations", "dev", codebook, ordered=False),
    Benchmark("codings dev", "codings", "dev", codebook, ordered=False),
    Benchmark("newsroom dev", "newsroom", "dev", codebook, ordered=False),
)


def scores_of(engine: Encoder, benchmark: Benchmark, examples: Sequence[Example]) -> list[Scores]:
    """Return the model's predictions for every row's pair."""
    readings = engine.predict([item_of(e) for e in examples], symmetric=not benchmark.ordered)
    return [
        Scores(pair.heads, cue.find(example.text, pair.cue, pair.spans))
        for example, (pair,) in zip(examples, readings, strict=True)
    ]


def intervals(
    measure: Measure, examples: Sequence[Example], scores: Sequence[Scores], resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Return each metric's bootstrap 95 % interval (percentiles, rows drawn with replacement)."""
    samples: dict[str, list[float]] = {}
    for rows in resampled_rows(np.arange(len(examples)), draws=resamples, seed=seed):
        for name, value in measure([examples[i] for i in rows], [scores[i] for i in rows]).items():
            samples.setdefault(name, []).append(value)
    return {name: interval(values) for name, values in samples.items()}


def develop(engine: Encoder, corpora: Sequence[str]) -> Metrics:
    """Evaluate a model on the dev splits of some corpora, for model selection in training.

    Returns:
        `{corpus}_{metric}` for each, and `dev_mean`, the mean over corpora of their main metrics.
    """
    out: Metrics = {}
    main_scores: list[float] = []
    main_metrics = {
        "annotations": ("tone_f1",),
        "codings": ("tone_f1",),
        "newsroom": ("tone_f1",),
        "plv": ("quad_f1", "root_f1"),
        "dse": ("micro_f1", "macro_f1"),
        "newsmtsc": ("f1m",),
    }
    for benchmark in DEV:
        if benchmark.corpus not in corpora:
            continue
        examples = benchmark.examples()
        metrics = benchmark.measure(examples, scores_of(engine, benchmark, examples))
        out |= {f"{benchmark.corpus}_{name}": value for name, value in metrics.items()}
        main_scores.append(float(np.mean([metrics[name] for name in main_metrics[benchmark.corpus]])))
    return {"dev_mean": float(np.mean(main_scores)), **out}
