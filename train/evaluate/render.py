"""The report as a reader sees it: Markdown with tables, and pictures beside it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from detente._files import write_json
from detente._statistics import Estimate
from detente.models.config import HEADS
from detente.train.evaluate.articles import render as article_tables
from detente.train.evaluate.calibration import BINS, Calibration
from detente.train.evaluate.evaluate import markdown as benchmark_table
from detente.train.evaluate.evaluate import markdown_table, percent
from detente.train.evaluate.figures import confusion_figure, coverage_figure, reliability_figure, slices_figure
from detente.train.evaluate.report import Report, slug


def write(report: Report, folder: Path) -> None:
    """Write `report.md`, `report.json` and the pictures to a folder, each file atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for name, figure in pictures(report):
        with _replaced(folder / name) as scratch:
            figure.savefig(scratch, format="png", dpi=120)
        names.append(name)
    write_json(folder / "report.json", report.to_dict())
    with _replaced(folder / "report.md") as scratch:
        scratch.write_text(markdown(report, names), "utf-8")


def pictures(report: Report) -> Iterator[tuple[str, Figure]]:
    """Yield the name of each picture and the picture."""
    if report.articles:
        yield "confusion-articles.png", confusion_figure(np.array(report.articles.confusion), title="whole articles")
    for result in report.results:
        for head, counts in result.confusion.items():
            title = f"{result.benchmark}, {head}"
            yield f"confusion-{slug(title)}.png", confusion_figure(np.array(counts), HEADS[head], title)
    for one in report.calibration:
        yield f"reliability-{one.head}.png", reliability_figure(one)
        yield f"coverage-{one.head}.png", coverage_figure(one)
    if report.slices:
        yield "slices.png", slices_figure(report.slices)


def markdown(report: Report, names: Sequence[str] = ()) -> str:
    """Write a report.

    Args:
        report: what was measured.
        names: of the pictures beside it.
    """
    code = f", code {report.code}" if report.code else ""
    parts = [
        f"# {report.model}, {report.split}\n",
        f"Made by `detente evaluate`{code}. Figures in per cent, with 95 % bootstrap intervals, over rows where it "
        "doesn't say otherwise; with few rows they are wide, and near 0 and 100 too narrow.\n",
        *(["## Whole articles\n", article_tables.markdown(report.articles)] if report.articles else []),
        "## Benchmarks\n",
        "Macro F1 unless the name says otherwise; `published` is by others, on the same rows.\n",
        benchmark_table(report.results),
        "## By class\n",
        *_classes(report),
        *_slices(report),
        *_swap(report),
        *(part for one in report.calibration for part in _calibration(one)),
        "## Speed\n",
        _speed(report),
    ]
    if names:
        parts += ["## Pictures\n", *(f"![{name.removesuffix('.png')}]({name})\n" for name in names)]
    return "\n".join(parts)


def written(figure: Estimate | None) -> tuple[str, str]:
    """Return a figure and its interval, in per cent; dashes where there is none."""
    if figure is None:
        return "–", "–"
    return percent(figure.value), f"{percent(figure.low)}–{percent(figure.high)}"


def swap_lines(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return the head and the lines of the swap test's table."""
    head = ["exchange", "rows", "left out", "sentences", "readings", "tone changes", "95 % interval"]
    return head, [
        [one.name, *(f"{n:,}" for n in (one.rows, one.left_out, one.sentences, one.readings)), *written(one.changed)]
        for one in report.swap
    ]


@contextmanager
def _replaced(file: Path) -> Iterator[Path]:
    """Give a file to write to, which then takes the place of another."""
    scratch = file.with_name(f".{file.name}.tmp")
    yield scratch
    scratch.replace(file)


def _classes(report: Report) -> Iterator[str]:
    for benchmark, heads in report.classes.items():
        for head, found in heads.items():
            yield f"{benchmark}, {head}:\n"
            yield markdown_table(
                ["label", "rows", "precision", "", "recall", "", "F1", ""],
                [
                    [one.label, str(one.rows), *written(one.precision), *written(one.recall), *written(one.f1)]
                    for one in found
                ],
            )


def _slices(report: Report) -> Iterator[str]:
    if not report.slices:
        return
    yield "## By dyad, decade and source\n"
    yield (
        "The tone on the annotations' dev rows. Accuracy: share of tones that are right; macro F1 over the tones that "
        "the slice has, so it isn't that of the whole; relation F1: is there a relationship.\n"
    )
    yield markdown_table(
        ["", "slice", "rows", "accuracy", "", "macro F1", "", "relation F1", ""],
        [
            [
                *(one.kind, one.name, str(one.rows)),
                *(cell for figure in (one.accuracy, one.tone_f1, one.relation_f1) for cell in written(figure)),
            ]
            for one in report.slices
        ],
    )


def _swap(report: Report) -> Iterator[str]:
    if not report.swap:
        return
    yield "## Swap test\n"
    yield (
        f"States exchanged for others in the sentences of the annotations ({report.swap_split}), name for name, "
        "adjective for adjective, capital for capital, leader for leader: the share of readings whose tone is another "
        "than before. Intervals over sentences. Left out: a mention without a like, a state named where it isn't "
        "marked, the new state named already.\n"
    )
    yield markdown_table(*swap_lines(report))


def _calibration(found: Calibration) -> Iterator[str]:
    value, interval = written(found.ece)
    perfect, range_of = written(found.ece_of_a_perfect_model)
    yield f"## Calibration: {found.head}\n"
    yield (
        f"Expected calibration error {value} ({interval}) in {BINS} bins, {found.rows:,} rows; temperature "
        f"{found.temperature:g}. If the temperature was fitted on these rows, the error on others is larger. A model "
        f"whose probabilities are right would show {perfect} ({range_of}) on as many rows.\n"
    )
    yield markdown_table(
        ["probability", "rows", "mean probability", "right"],
        [
            [f"{one.low:.2f}–{one.high:.2f}", str(one.rows), percent(one.confidence), percent(one.accuracy)]
            for one in found.bins
        ],
    )
    yield "What abstaining gives:\n"
    yield markdown_table(
        ["min_probability", "rows", "coverage", "accuracy", "95 % interval"],
        [
            [f"{one.min_probability:g}", str(one.rows), percent(one.coverage), *written(one.accuracy)]
            for one in found.abstaining
        ],
    )


def _speed(report: Report) -> str:
    found = report.speed
    return (
        f"{found.sentences_per_s:,.0f} sentences a second, {found.dyads_per_s:,.0f} dyads, by the engine alone on "
        f"{found.threads} threads ({found.processor}): {found.sentences:,} sentences of the project's own corpus.\n"
    )
