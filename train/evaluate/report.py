"""The whole report on a model: whole articles, the benchmarks' tables, slices, calibration, the swap test, speed."""

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

#: Sentences of the project's own corpus by which speed is measured: anyone has them.
SPEED_SENTENCES: Final = 2000

#: The heads whose calibration is reported, on the rows that have a label for them.
CALIBRATED: Final = ("tone", "direction")

#: The rows by the codebook that slices, calibration and, by default, the swap test are measured on.
_CODEBOOK: Final = DEV[0]


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the engine reads.

    Attributes:
        sentences: that were read.
        dyads: in them.
        sentences_per_s: on this machine.
        dyads_per_s: on this machine.
        threads: that read.
        processor: as the machine names it.
    """

    sentences: int
    dyads: int
    sentences_per_s: float
    dyads_per_s: float
    threads: int
    processor: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is measured of a model.

    Attributes:
        model: name and version.
        split: `test` or `dev`.
        code: commit of the code that measured; empty outside a checkout.
        articles: what users get, on whole articles; None where it wasn't asked for.
        results: a table for each benchmark.
        classes: by benchmark and head, the figures of each label.
        slices: of the tone on the annotations' dev rows; empty where those weren't asked for.
        calibration: of some heads, on the same rows.
        swap: the swap test.
        swap_split: of the annotations, whose sentences it exchanged states in.
        speed: of the engine.
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
        """Return the figures of the tables, calibration, swap test and speed by names that MLflow takes."""
        out = self.articles.figures() if self.articles else {}
        out |= {f"{result.slug}_{name}": value for result in self.results for name, value in result.metrics.items()}
        out |= {f"ece_{one.head}": one.ece.value for one in self.calibration}
        out |= {f"swap_{slug(one.name)}": one.changed.value for one in self.swap if one.changed}
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
    """Measure an exported model.

    Args:
        folder: the model's.
        articles: file of labelled articles; those of `article_gold.locate` if left out, none if corpora are named.
        split: `test` or `dev`, as in `evaluate`.
        corpora: names of the corpora to read; all by default. What needs the annotations is left out without them.
        baselines: train and measure the baselines too.
        swap_split: splits of the annotations in whose sentences states are exchanged: `dev`, `train+dev`.
        draws: of the swap test.
        resamples: of every bootstrap.
        progress: told what is being measured.

    Raises:
        ValueError: a corpus that is none of the benchmarks'.
        CorpusError: a corpus is not on disk, or the articles are malformed.
    """
    engine = OnnxEncoder(folder)
    whole_articles = None
    if articles or not corpora:
        file = articles or locate()
        whole_articles = evaluate_articles(
            Detente(engine), read_articles(file), file=file.name, resamples=resamples, progress=progress
        )
    results = evaluate(
        folder, split=split, corpora=corpora, baselines=baselines, resamples=resamples, progress=progress
    )
    found: tuple[list[Slice], list[Calibration], list[Exchange]] = [], [], []
    if not corpora or _CODEBOOK.corpus in corpora:
        progress("slices and calibration")
        examples = _CODEBOOK.examples()
        scores = scores_of(engine, _CODEBOOK, examples)
        calibrations = calibrated(examples, scores, engine.config.temperature, resamples)
        progress("the swap test")
        exchanged = read(_CODEBOOK.corpus, swap_split).examples
        swapped = swap_test(engine, exchanged, draws, resamples=resamples)
        found = slices(examples, scores, resamples), calibrations, swapped
    progress("speed")
    return Report(
        engine.name,
        split,
        code_version(),
        whole_articles,
        results,
        {
            result.benchmark: {
                head: classes(np.array(counts), HEADS[head], resamples) for head, counts in result.confusion.items()
            }
            for result in results
        },
        *found,
        swap_split,
        speed(engine),
    )


def calibrated(
    examples: Sequence[Example], scores: Sequence[Scores], temperature: Mapping[str, float], resamples: int
) -> list[Calibration]:
    """Measure the calibration of the heads of `CALIBRATED` on the rows that have a label for each."""
    out = []
    for head in CALIBRATED:
        rows = [at for at, example in enumerate(examples) if getattr(example, head) in HEADS[head]]
        if rows:
            probabilities = np.stack([scores[at].heads[head] for at in rows])
            labels = [HEADS[head].index(getattr(examples[at], head)) for at in rows]
            out.append(calibration(head, probabilities, labels, temperature.get(head, 1.0), resamples))
    return out


def speed(engine: Encoder) -> Speed:
    """Measure how many sentences of the project's own corpus the engine reads in a second, every dyad of them."""
    items = [row.item for row in rows_of(read("detente", "train").examples, "")][:SPEED_SENTENCES]
    engine.predict(items[:64])
    began = time.perf_counter()
    engine.predict(items)
    seconds = time.perf_counter() - began
    dyads = sum(len(item.pairs) for item in items)
    return Speed(len(items), dyads, len(items) / seconds, dyads / seconds, cores(), _processor())


def slug(name: str) -> str:
    """Return a name as files and MLflow's metrics have it."""
    return re.sub(r"[^\w-]+", "_", name).strip("_")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
