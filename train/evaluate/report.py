"""Build the full report on a model: articles, benchmarks, slices, calibration, the swap test, speed."""

import platform
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from detente.data.corpora.examples import Example
from detente.data.corpora.load import read
from detente.infer.encoder.base import Encoder
from detente.infer.encoder.onnx import OnnxEncoder, cores
from detente.infer.label.labeler import Detente
from detente.models.config import HEADS
from detente.train.evaluate.articles.evaluation import ArticleEvaluation, evaluate_articles
from detente.train.evaluate.articles.gold import locate, read_articles
from detente.train.evaluate.benchmarks import DEV, RESAMPLES, Scores, scores_of
from detente.train.evaluate.calibration import Calibration, calibration
from detente.train.evaluate.counterfactual import DRAWS, Exchange, swap_test
from detente.train.evaluate.evaluate import Result, evaluate
from detente.train.evaluate.slices import ClassFigures, Slice, classes, slices
from detente.train.examples import rows_of
from detente.train.provenance import code_version

#: Number of sentences of the project's own corpus for the speed test, which anyone can repeat.
SPEED_SENTENCES: Final = 2000

#: Heads whose calibration is reported.
CALIBRATED: Final = ("tone", "direction")

#: Benchmark whose rows slices, calibration and, by default, the swap test use.
_CODEBOOK: Final = DEV[0]


@dataclass(frozen=True, slots=True)
class Speed:
    """The engine's speed on this machine.

    Attributes:
        sentences: number of sentences.
        dyads: number of dyads in them.
        sentences_per_s: sentences per second.
        dyads_per_s: dyads per second.
        threads: number of threads.
        processor: name of the processor.
    """

    sentences: int
    dyads: int
    sentences_per_s: float
    dyads_per_s: float
    threads: int
    processor: str


@dataclass(frozen=True, slots=True)
class Report:
    """The full evaluation of a model.

    Attributes:
        model: name and version of the model.
        split: `test` or `dev`.
        code: commit of the evaluating code; empty outside a checkout.
        articles: end-to-end evaluation on articles; None if not requested.
        results: results by benchmark.
        classes: figures of each label, by benchmark and head.
        slices: figures of the tone by slice, on the annotations' dev rows; empty if not requested.
        calibration: calibration of the heads of `CALIBRATED`, on the same rows.
        swap: results of the swap test.
        swap_split: split of the annotations for the swap test.
        speed: speed of the engine.
    """

    model: str
    split: str
    code: str
    articles: ArticleEvaluation | None
    results: list[Result]
    classes: dict[str, dict[str, list[ClassFigures]]]
    slices: list[Slice]
    calibration: list[Calibration]
    swap: list[Exchange]
    swap_split: str
    speed: Speed

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self) | {"articles": self.articles and self.articles.to_dict()}

    def figures(self) -> dict[str, float]:
        """Return all figures under names that MLflow accepts."""
        out = self.articles.figures() if self.articles else {}
        out |= {f"{result.slug}_{name}": value for result in self.results for name, value in result.metrics.items()}
        out |= {f"ece_{head.head}": head.ece.value for head in self.calibration}
        out |= {f"swap_{slug(swap.name)}": swap.changed.value for swap in self.swap if swap.changed}
        return out | {"sentences_per_s": self.speed.sentences_per_s, "dyads_per_s": self.speed.dyads_per_s}


def build(
    folder: Path,
    *,
    articles: Path | None = None,
    split: str = "test",
    corpora: Sequence[str] = (),
    baselines: bool = True,
    swap_split: str = "dev",
    draws: int = DRAWS,
    resamples: int = RESAMPLES,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Evaluate an exported model in every respect.

    Args:
        folder: model folder.
        articles: file of labelled articles; by default that of `articles.gold.locate`, or none if corpora are given.
        split: `test` or `dev`, as in `evaluate`.
        corpora: names of corpora; empty for all. Without the annotations, everything based on them is left out.
        baselines: whether to train and evaluate the baselines too.
        swap_split: splits of the annotations for the swap test: `dev`, `train+dev`.
        draws: number of random swaps per sentence.
        resamples: number of bootstrap samples.
        progress: function called with the name of each step.

    Raises:
        ValueError: a corpus has no benchmark.
        CorpusError: a corpus isn't on disk, or the articles are malformed.
    """
    engine = OnnxEncoder(folder)
    article_evaluation = None
    if articles or not corpora:
        file = articles or locate()
        article_evaluation = evaluate_articles(
            Detente(engine), read_articles(file), file=file.name, resamples=resamples, progress=progress
        )
    results = evaluate(
        folder, split=split, corpora=corpora, baselines=baselines, resamples=resamples, progress=progress
    )
    codebook_figures: tuple[list[Slice], list[Calibration], list[Exchange]] = [], [], []
    if not corpora or _CODEBOOK.corpus in corpora:
        progress("slices and calibration")
        examples = _CODEBOOK.examples()
        scores = scores_of(engine, _CODEBOOK, examples)
        calibrations = calibrations_of(examples, scores, engine.config.temperature, resamples)
        progress("the swap test")
        swaps = swap_test(engine, read(_CODEBOOK.corpus, swap_split).examples, draws, resamples=resamples)
        codebook_figures = slices(examples, scores, resamples), calibrations, swaps
    progress("speed")
    return Report(
        engine.name,
        split,
        code_version(),
        article_evaluation,
        results,
        {
            result.benchmark: {
                head: classes(np.array(counts), HEADS[head], resamples) for head, counts in result.confusion.items()
            }
            for result in results
        },
        *codebook_figures,
        swap_split,
        speed(engine),
    )


def calibrations_of(
    examples: Sequence[Example], scores: Sequence[Scores], temperature: Mapping[str, float], resamples: int
) -> list[Calibration]:
    """Return the calibration of the heads of `CALIBRATED`, each on the rows with a label for it."""
    out = []
    for head in CALIBRATED:
        rows = [i for i, example in enumerate(examples) if getattr(example, head) in HEADS[head]]
        if rows:
            probabilities = np.stack([scores[i].heads[head] for i in rows])
            labels = [HEADS[head].index(getattr(examples[i], head)) for i in rows]
            out.append(calibration(head, probabilities, labels, temperature.get(head, 1.0), resamples))
    return out


def speed(engine: Encoder) -> Speed:
    """Measure the engine's speed on sentences of the project's own corpus, with all their dyads."""
    items = [row.item for row in rows_of(read("detente", "train").examples, "")][:SPEED_SENTENCES]
    engine.predict(items[:64])
    start = time.perf_counter()
    engine.predict(items)
    seconds = time.perf_counter() - start
    dyads = sum(len(item.pairs) for item in items)
    return Speed(len(items), dyads, len(items) / seconds, dyads / seconds, cores(), _processor())


def slug(name: str) -> str:
    """Return a name in the form for file names and MLflow metrics."""
    return re.sub(r"[^\w-]+", "_", name).strip("_")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
