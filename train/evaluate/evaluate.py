"""The report: a model on the benchmarks, with intervals, beside the baselines and what others have published."""

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
from detente.train.evaluate.benchmarks import DEV, RESAMPLES, TEST, Benchmark, Scores, intervals, said, scores_of
from detente.train.evaluate.metrics import confusion
from detente.train.evaluate.published import PUBLISHED

SPLITS: dict[str, Sequence[Benchmark]] = {"test": TEST, "dev": DEV}


@dataclass(frozen=True, slots=True)
class Result:
    """One benchmark of one model.

    Attributes:
        benchmark: its name.
        rows: how many were read.
        metrics: of the model, in 0..1.
        intervals: 95 % bootstrap interval of each metric.
        baselines: the same metrics of each baseline, trained on the corpus' training split.
        published: by metric, who has published what on the same rows.
        confusion: by head for which the rows have labels, counts [label, answer] in the order of the head's labels.
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
        """Its name as files and MLflow's metrics have it."""
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
    """Measure an exported model through the engine that users run.

    Args:
        folder: the model's.
        split: `test`, or `dev` for choosing. The tone has no labelled test rows: its dev rows stand in both.
        corpora: names of the corpora to read; all by default.
        baselines: train and measure the baselines too.
        resamples: of the bootstrap.
        progress: told what is being measured.

    Raises:
        ValueError: a corpus that is none of the benchmarks'.
        CorpusError: a corpus is not on disk.
    """
    known = SPLITS[split]
    if unknown := sorted(set(corpora) - {b.corpus for b in known}):
        names = ", ".join(sorted({b.corpus for b in known}))
        raise ValueError(f"no benchmark for {', '.join(unknown)}; there are {names}")
    engine = OnnxEncoder(folder)
    results = []
    for benchmark in known:
        if corpora and benchmark.corpus not in corpora:
            continue
        progress(benchmark.name)
        results.append(measured(engine, benchmark, BASELINES if baselines else {}, resamples))
    return results


def measured(engine: Encoder, benchmark: Benchmark, floors: Mapping[str, Any], resamples: int) -> Result:
    """Measure a model, and the baselines, on one benchmark."""
    examples = benchmark.examples()
    scores = scores_of(engine, benchmark, examples)
    return Result(
        benchmark.name,
        len(examples),
        benchmark.measure(examples, scores),
        intervals(benchmark.measure, examples, scores, resamples),
        {name: benchmark.measure(examples, baseline(build, benchmark, examples)) for name, build in floors.items()},
        {metric: dict(who) for (name, metric), who in PUBLISHED.items() if name == benchmark.name},
        confusions(examples, scores),
    )


def confusions(examples: Sequence[Example], scores: Sequence[Scores]) -> dict[str, list[list[int]]]:
    """Count labels and answers by head, over the rows that have a label for it."""
    out = {}
    for head, labels in HEADS.items():
        if rows := [at for at, example in enumerate(examples) if getattr(example, head) in labels]:
            right, answer = (
                [getattr(examples[at], head) for at in rows],
                said([scores[at] for at in rows], head, labels),
            )
            out[head] = confusion(right, answer, labels).tolist()
    return out


def grid(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """Return a report's head and lines, one for each metric, in per cent."""
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
            ", ".join(f"{who} {percent(figure)}" for who, figure in result.published.get(metric, {}).items()),
        ]
        for result in results
        for metric, value in result.metrics.items()
    ]
    return head, lines


def table(results: Sequence[Result], title: str) -> Table:
    """Lay a report out for the terminal."""
    head, lines = grid(results)
    out = Table(*head, title=title)
    for line in lines:
        out.add_row(*line)
    return out


def markdown(results: Sequence[Result]) -> str:
    """Write a report as a Markdown table."""
    head, lines = grid(results)
    return markdown_table(head, lines)


def markdown_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Write rows of cells as a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *lines)) + "\n"


def save(results: Sequence[Result], file: Path) -> None:
    """Write a report as JSON, atomically."""
    write_json(file, [asdict(result) for result in results])


def percent(share: float) -> str:
    """Write a share of 1 in per cent."""
    return f"{100 * share:.1f}"
