"""Render the report as Markdown, with the figures as PNG files beside it."""

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
    """Write `report.md`, `report.json` and the figures to a folder, each file atomically."""
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
    """Yield file name and figure of each figure of the report."""
    if report.articles:
        yield "confusion-articles.png", confusion_figure(np.array(report.articles.confusion), title="whole articles")
    for result in report.results:
        for head, counts in result.confusion.items():
            title = f"{result.benchmark}, {head}"
            yield f"confusion-{slug(title)}.png", confusion_figure(np.array(counts), HEADS[head], title)
    for calibration in report.calibration:
        yield f"reliability-{calibration.head}.png", reliability_figure(calibration)
        yield f"coverage-{calibration.head}.png", coverage_figure(calibration)
    if report.slices:
        yield "slices.png", slices_figure(report.slices)


def markdown(report: Report, names: Sequence[str] = ()) -> str:
    """Return a report as Markdown.

    Args:
        report: report to render.
        names: file names of the figures.
    """
    code = f", code {report.code}" if report.code else ""
    parts = [
        f"# {report.model}, {report.split}\n",
        f"Made by `detente evaluate`{code}. Figures are in per cent, with 95 % bootstrap intervals over rows unless "
        "stated otherwise; the intervals are wide with few rows, and too narrow near 0 and 100.\n",
        *(["## Whole articles\n", article_tables.markdown(report.articles)] if report.articles else []),
        "## Benchmarks\n",
        "Macro F1 unless the name says otherwise; `published` figures are by others, on the same rows.\n",
        benchmark_table(report.results),
        "## By class\n",
        *_classes(report),
        *_slices(report),
        *_swap(report),
        *(part for calibration in report.calibration for part in _calibration(calibration)),
        "## Speed\n",
        _speed(report),
    ]
    if names:
        parts += ["## Pictures\n", *(f"![{name.removesuffix('.png')}]({name})\n" for name in names)]
    return "\n".join(parts)


def written(figure: Estimate | None) -> tuple[str, str]:
    """Return a figure and its interval, in per cent; dashes if there is none."""
    if figure is None:
        return "–", "–"
    return percent(figure.value), f"{percent(figure.low)}–{percent(figure.high)}"


def swap_lines(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return the header and rows of the swap test's table."""
    head = ["exchange", "rows", "left out", "sentences", "readings", "tone changes", "95 % interval"]
    return head, [
        [
            exchange.name,
            *(f"{n:,}" for n in (exchange.rows, exchange.left_out, exchange.sentences, exchange.readings)),
            *written(exchange.changed),
        ]
        for exchange in report.swap
    ]


@contextmanager
def _replaced(file: Path) -> Iterator[Path]:
    """Yield a temporary file that replaces `file` at the end."""
    scratch = file.with_name(f".{file.name}.tmp")
    yield scratch
    scratch.replace(file)


def _classes(report: Report) -> Iterator[str]:
    for benchmark, heads in report.classes.items():
        for head, figures in heads.items():
            yield f"{benchmark}, {head}:\n"
            yield markdown_table(
                ["label", "rows", "precision", "", "recall", "", "F1", ""],
                [
                    [
                        row.label,
                        str(row.rows),
                        *written(row.precision),
                        *written(row.recall),
                        *written(row.f1),
                    ]
                    for row in figures
                ],
            )


def _slices(report: Report) -> Iterator[str]:
    if not report.slices:
        return
    yield "## By dyad, decade and source\n"
    yield (
        "The tone on the annotations' dev rows. Accuracy is the share of correct tones; macro F1 is over the tones "
        "that occur in the slice, so it isn't comparable with the total; relation F1 is that of any relationship.\n"
    )
    yield markdown_table(
        ["", "slice", "rows", "accuracy", "", "macro F1", "", "relation F1", ""],
        [
            [
                *(part.kind, part.name, str(part.rows)),
                *(cell for figure in (part.accuracy, part.tone_f1, part.relation_f1) for cell in written(figure)),
            ]
            for part in report.slices
        ],
    )


def _swap(report: Report) -> Iterator[str]:
    if not report.swap:
        return
    yield "## Swap test\n"
    yield (
        f"States swapped for others in the sentences of the annotations ({report.swap_split}), name for name, "
        "adjective for adjective, capital for capital, leader for leader: the share of readings whose tone changes. "
        "Intervals are over sentences. Left out are sentences with a mention without a counterpart, with an unmarked "
        "mention of a state, or with the new state already named.\n"
    )
    yield markdown_table(*swap_lines(report))


def _calibration(calibration: Calibration) -> Iterator[str]:
    value, interval = written(calibration.ece)
    perfect, perfect_interval = written(calibration.ece_of_a_perfect_model)
    yield f"## Calibration: {calibration.head}\n"
    yield (
        f"Expected calibration error {value} ({interval}) in {BINS} bins, {calibration.rows:,} rows; temperature "
        f"{calibration.temperature:g}. If the temperature was fitted on these rows, the error on others is larger. A "
        f"perfectly calibrated model would show {perfect} ({perfect_interval}) on as many rows.\n"
    )
    yield markdown_table(
        ["probability", "rows", "mean probability", "right"],
        [
            [f"{bin_.low:.2f}–{bin_.high:.2f}", str(bin_.rows), percent(bin_.confidence), percent(bin_.accuracy)]
            for bin_ in calibration.bins
        ],
    )
    yield "Coverage and accuracy above a confidence threshold:\n"
    yield markdown_table(
        ["min_probability", "rows", "coverage", "accuracy", "95 % interval"],
        [
            [f"{point.min_probability:g}", str(point.rows), percent(point.coverage), *written(point.accuracy)]
            for point in calibration.abstaining
        ],
    )


def _speed(report: Report) -> str:
    speed = report.speed
    return (
        f"{speed.sentences_per_s:,.0f} sentences and {speed.dyads_per_s:,.0f} dyads per second by the engine alone on "
        f"{speed.threads} threads ({speed.processor}): {speed.sentences:,} sentences of the project's own corpus.\n"
    )
