"""The yardsticks: which rows, how a pair is read from them, and the metrics as published.

The dev splits choose models and thresholds; the test splits are read once, for the report.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """What a model says of one row.

    Attributes:
        heads: probabilities by head, each [labels of the head].
        cue: span of the cue in the sentence; None for a model that has none.
    """

    heads: Mapping[str, Floats]
    cue: Span | None = None


Measure = Callable[[Sequence[Example], Sequence[Scores]], Metrics]

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One table of the report.

    Attributes:
        name: as it is written in the report.
        corpus: whose rows.
        split: which of them.
        measure: its metrics, each in 0..1 (Pearson's r in -1..1).
        ordered: the order of A and B is given (PLV, DSE); else both orders are read and their mean taken, as in use.
        unseen: only rows whose text does not stand in the training split too.
        training: the splits that a baseline is trained on.
    """

    name: str
    corpus: str
    split: str
    measure: Measure
    ordered: bool = True
    unseen: bool = False
    training: str = "train"

    def examples(self) -> list[Example]:
        """Read the rows."""
        return [e for e in read(self.corpus, self.split).examples if not (self.unseen and e.seen)]


def said(scores: Sequence[Scores], head: str, labels: Sequence[str]) -> list[str]:
    """Return the most probable label of a head for every pair."""
    return [labels[int(np.argmax(s.heads[head]))] for s in scores]


def gold(examples: Sequence[Example], head: str) -> list[str]:
    """Return the labels of a head; every row must have one."""
    labels = [getattr(e, head) for e in examples]
    if None in labels:
        raise ValueError(f"a row without {head}: {examples[labels.index(None)].id}")
    return labels


def plv(examples: Sequence[Example], scores: Sequence[Scores]) -> Metrics:
    """PLV (Hu et al., ACL 2024): macro F1 of binary, quad and root classes over all rows."""
    quad, root = said(scores, "quad", QUADS), said(scores, "root", ROOTS)
    binary = [label.split()[1] for label in quad]
    return {
        "binary_f1": macro_f1([str(e.binary) for e in examples], binary, ("cooperation", "conflict")),
        "quad_f1": macro_f1(gold(examples, "quad"), quad, QUADS),
        "root_f1": macro_f1(gold(examples, "root"), root, ROOTS),
    }


def dse(examples: Sequence[Example], scores: Sequence[Scores]) -> Metrics:
    """DSE (Park et al., ACL Findings 2021): micro and macro F1 over five classes."""
    right, answer = gold(examples, "sentiment"), said(scores, "sentiment", SENTIMENTS)
    return {"micro_f1": micro_f1(right, answer), "macro_f1": macro_f1(right, answer, SENTIMENTS)}


def newsmtsc(examples: Sequence[Example], scores: Sequence[Scores]) -> Metrics:
    """NewsMTSC (Hamborg and Donnay, EACL 2021): macro F1 over three polarities."""
    return {"f1m": macro_f1(gold(examples, "polarity"), said(scores, "polarity", POLARITIES), POLARITIES)}


def codebook(examples: Sequence[Example], scores: Sequence[Scores]) -> Metrics:
    """The codebook's labels: tone and its calibration, relationship, warmth; direction and cue over related rows."""
    right, answer = gold(examples, "tone"), said(scores, "tone", TONES)
    warmth = [expected_warmth(dict(zip(TONES, map(float, s.heads["tone"]), strict=True))) for s in scores]
    related = [i for i, label in enumerate(right) if label != "none"]
    direction = said(scores, "direction", DIRECTIONS)
    return {
        "tone_f1": macro_f1(right, answer, TONES),
        "relation_f1": relation_f1(right, answer),
        "warmth_r": warmth_r(right, warmth),
        "direction_f1": macro_f1(
            [str(examples[i].direction) for i in related], [direction[i] for i in related], DIRECTIONS
        ),
        "tone_ece": ece(
            np.array([max(s.heads["tone"]) for s in scores], dtype=np.float64),
            np.array([g == a for g, a in zip(right, answer, strict=True)]),
        ),
        "cue_f1": float(np.mean([span_f1(examples[i].text, examples[i].cue, scores[i].cue) for i in related])),
        **{f"f1_{label}": value for label, value in class_f1(right, answer, TONES).items()},
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
    """Read every row's pair."""
    readings = engine.predict([item_of(e) for e in examples], symmetric=not benchmark.ordered)
    return [
        Scores(pair.heads, cue.find(example.text, pair.cue, pair.spans))
        for example, (pair,) in zip(examples, readings, strict=True)
    ]


def intervals(
    measure: Measure, examples: Sequence[Example], scores: Sequence[Scores], resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Return bootstrap 95 % intervals of each metric (percentiles; rows drawn with replacement)."""
    drawn: dict[str, list[float]] = {}
    for rows in resampled_rows(np.arange(len(examples)), draws=resamples, seed=seed):
        for name, value in measure([examples[i] for i in rows], [scores[i] for i in rows]).items():
            drawn.setdefault(name, []).append(value)
    return {name: interval(values) for name, values in drawn.items()}


def develop(engine: Encoder, corpora: Sequence[str]) -> Metrics:
    """Measure a model on the dev splits of some corpora, for training to choose by.

    Returns:
        `{corpus}_{metric}` for each, and `dev_mean`: the mean over corpora of the metric that stands for each.
    """
    out: Metrics = {}
    heads: list[float] = []
    chief = {
        "annotations": ("tone_f1",),
        "codings": ("tone_f1",),
        "newsroom": ("tone_f1",),
        "plv": ("quad_f1", "root_f1"),
        "dse": ("micro_f1", "macro_f1"),
        "newsmtsc": ("f1m",),
    }
    for benchmark in _of(DEV, corpora):
        examples = benchmark.examples()
        metrics = benchmark.measure(examples, scores_of(engine, benchmark, examples))
        out |= {f"{benchmark.corpus}_{name}": value for name, value in metrics.items()}
        heads.append(float(np.mean([metrics[name] for name in chief[benchmark.corpus]])))
    return {"dev_mean": float(np.mean(heads)), **out}


def _of(benchmarks: Sequence[Benchmark], corpora: Sequence[str]) -> Iterator[Benchmark]:
    return (b for b in benchmarks if b.corpus in corpora)
