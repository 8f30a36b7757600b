"""Evaluate a model on the benchmarks, with intervals, baselines and published figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from detente._files import write_json
from detente.data.corpora.examples import Example
from detente.infer.encoder.base import Encoder
from detente.infer.encoder.onnx import OnnxEncoder
from detente.models.config import HEADS
from detente.train.evaluate.baselines import BASELINES, baseline
from detente.train.evaluate.benchmarks import DEV, RESAMPLES, TEST, Benchmark, Scores, intervals, predicted, scores_of
from detente.train.evaluate.metrics import confusion
from detente.train.evaluate.published import PUBLISHED

SPLITS: dict[str, Sequence[Benchmark]] = {"test": TEST, "dev": DEV}


@dataclass(frozen=True, slots=True)
class Result:
    """A model's result on one benchmark.

    Attributes:
        benchmark: name of the benchmark.
        rows: number of rows.
        metrics: the model's metrics, in 0..1.
        intervals: 95 % bootstrap interval of each metric.
        baselines: metrics of each baseline, trained on the corpus' training split.
        published: published figures on the same rows, by metric and system.
        confusion: confusion matrix [gold, predicted] of each labelled head, in the order of its labels.
    """

    benchmark: str
    rows: int
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    baselines: dict[str, dict[str, float]]
    published: dict[str, dict[str, float]]
    confusion: dict[str, list[list[int]]]

    @property
    def slug(self) -> str:
        """The benchmark's name in file names and MLflow metrics."""
        return self.benchmark.replace(",", "").replace(" ", "_")


def evaluate(
    folder: Path,
    *,
    split: str = "test",
    corpora: Sequence[str] = (),
    baselines: bool = True,
    resamples: int = RESAMPLES,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Result]:
    """Evaluate an exported model on the benchmarks, with the same engine as in use.

    Args:
        folder: model folder.
        split: `test`, or `dev` for model selection. The tone has no labelled test rows, so both use its dev rows.
        corpora: names of corpora; empty for all.
        baselines: whether to train and evaluate the baselines too.
        resamples: number of bootstrap samples.
        progress: function called with the name of each benchmark.

    Raises:
        ValueError: a corpus has no benchmark.
        CorpusError: a corpus isn't on disk.
    """
    benchmarks = SPLITS[split]
    if unknown := sorted(set(corpora) - {b.corpus for b in benchmarks}):
        names = ", ".join(sorted({b.corpus for b in benchmarks}))
        raise ValueError(f"no benchmark for {', '.join(unknown)}; there are {names}")
    engine = OnnxEncoder(folder)
    results = []
    for benchmark in benchmarks:
        if corpora and benchmark.corpus not in corpora:
            continue
        progress(benchmark.name)
        results.append(evaluate_benchmark(engine, benchmark, BASELINES if baselines else {}, resamples))
    return results


def evaluate_benchmark(engine: Encoder, benchmark: Benchmark, floors: Mapping[str, Any], resamples: int) -> Result:
    """Evaluate a model and the baselines on one benchmark."""
    examples = benchmark.examples()
    scores = scores_of(engine, benchmark, examples)
    return Result(
        benchmark.name,
        len(examples),
        benchmark.measure(examples, scores),
        intervals(benchmark.measure, examples, scores, resamples),
        {name: benchmark.measure(examples, baseline(build, benchmark, examples)) for name, build in floors.items()},
        {metric: dict(figures) for (name, metric), figures in PUBLISHED.items() if name == benchmark.name},
        confusions(examples, scores),
    )


def confusions(examples: Sequence[Example], scores: Sequence[Scores]) -> dict[str, list[list[int]]]:
    """Return the confusion matrix of each head, over the rows that have a label for it."""
    out = {}
    for head, labels in HEADS.items():
        if rows := [i for i, example in enumerate(examples) if getattr(example, head) in labels]:
            gold = [getattr(examples[i], head) for i in rows]
            out[head] = confusion(gold, predicted([scores[i] for i in rows], head, labels), labels).tolist()
    return out


def grid(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """Return a table's header and rows, one row per metric, in per cent."""
    floors = list(dict.fromkeys(name for result in results for name in result.baselines))
    head = ["benchmark", "rows", "metric", "model", "95 % interval", *floors, "published"]
    lines = [
        [
            result.benchmark,
            f"{result.rows:,}",
            metric,
            percent(value),
            "–".join(map(percent, result.intervals[metric])),
            *(percent(result.baselines[name][metric]) for name in floors),
            ", ".join(f"{system} {percent(figure)}" for system, figure in result.published.get(metric, {}).items()),
        ]
        for result in results
        for metric, value in result.metrics.items()
    ]
    return head, lines


def table(results: Sequence[Result], title: str) -> Table:
    """Return the results as a table for the terminal."""
    head, lines = grid(results)
    out = Table(*head, title=title)
    for line in lines:
        out.add_row(*line)
    return out


def markdown(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    head, lines = grid(results)
    return markdown_table(head, lines)


def markdown_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *lines)) + "\n"


def save(results: Sequence[Result], file: Path) -> None:
    """Write the results as JSON, atomically."""
    write_json(file, [asdict(result) for result in results])


def percent(share: float) -> str:
    """Return a share in per cent, with one decimal."""
    return f"{100 * share:.1f}"
