"""Render the evaluation on articles as tables, for the terminal and as Markdown."""

from collections.abc import Iterator

from rich.table import Table

from detente._statistics import Estimate
from detente.train.evaluate.articles.evaluation import FIGURES, ArticleEvaluation, Figures
from detente.train.evaluate.evaluate import markdown_table, percent

#: A table's title, header and rows.
Grid = tuple[str, list[str], list[list[str]]]

_PARTS = {"states": "states in the sentence", "source": "kind of source", "found": "how the two states were found"}

#: Columns left out in the terminal.
_WIDE = {"cut", "joined", "95 % interval", "ECE"}


def grids(evaluation: ArticleEvaluation) -> Iterator[Grid]:
    """Yield the tables: figures, errors by cause, and each kind of slice."""
    yield _title(evaluation), ["whole articles", "model", "95 % interval", "two readers"], list(_figures(evaluation))
    errors = sum(evaluation.causes.values())
    causes = [[cause, f"{n:,}", percent(n / max(errors, 1))] for cause, n in evaluation.causes.items()]
    yield "Errors by cause", ["cause", "errors", "share"], causes
    yield from _slices(evaluation)


def tables(evaluation: ArticleEvaluation) -> Iterator[Table]:
    """Yield the tables for the terminal, with fewer columns for slices."""
    for number, (title, head, lines) in enumerate(grids(evaluation)):
        if number < 2:
            table = Table(*head, title=title)
            columns = list(range(len(head)))
        else:
            columns = [column for column, name in enumerate(head) if name not in _WIDE]
            table = Table(*(head[column] for column in columns), title=title, box=None, pad_edge=False)
        for line in lines:
            table.add_row(*(line[column] for column in columns))
        yield table


def markdown(evaluation: ArticleEvaluation) -> str:
    """Return the tables and an explanation of the figures as Markdown."""
    about = (
        "Whole articles through `Detente.label`, from text to tone, held against several readers' labels of every pair "
        "of every sentence. Either reader's tone and direction is right, and no relationship where one reader sees "
        "none; states are held against the reader who is nearer. The calibration error is that of the chosen tone, "
        "`none` too, of every pair that the model reads. Intervals draw articles."
    )
    parts = [f"{title}:\n\n{markdown_table(head, lines)}" for title, head, lines in grids(evaluation)]
    return "\n".join([about + "\n", *parts])


def _title(evaluation: ArticleEvaluation) -> str:
    return (
        f"{evaluation.model}, {evaluation.articles} articles of {evaluation.file}: {evaluation.overall.sentences:,} "
        f"sentences, {evaluation.overall.pairs:,} pairs"
    )


def _figures(evaluation: ArticleEvaluation) -> Iterator[list[str]]:
    overall = evaluation.overall
    yield ["sentences cut, of the readers'", f"{overall.cut:,}", "", ""]
    yield ["sentences joined with the next", f"{overall.joined:,}", "", ""]
    for name, says in FIGURES.items():
        estimate, readers = overall.metrics[name], evaluation.readers.get(name)
        yield [says, *_written(estimate), "" if readers is None else percent(readers)]


def _slices(evaluation: ArticleEvaluation) -> Iterator[Grid]:
    """Yield the table of each kind of slice, without columns that don't apply."""
    for dimension, name in _PARTS.items():
        parts = [part for part in evaluation.slices if part.dimension == dimension]
        sentences = any(part.figures.sentences for part in parts)
        head = [dimension, *(["sentences", "cut", "joined", "states F1"] if sentences else []), "pairs"]
        head += ["relation F1", "tone F1", "95 % interval", "direction", "warmth r", "ECE"]
        yield f"By {name}", head, [[part.name, *_cells(part.figures, sentences=sentences)] for part in parts]


def _cells(figures: Figures, *, sentences: bool) -> list[str]:
    metrics = figures.metrics
    stages = [*(f"{n:,}" for n in (figures.sentences, figures.cut, figures.joined)), _written(metrics["states_f1"])[0]]
    return [
        *(stages if sentences else []),
        f"{figures.pairs:,}",
        _written(metrics["relation_f1"])[0],
        *_written(metrics["tone_f1"]),
        *(_written(metrics[name])[0] for name in ("direction", "warmth_r", "tone_ece")),
    ]


def _written(estimate: Estimate | None) -> tuple[str, str]:
    if estimate is None:
        return "–", "–"
    return percent(estimate.value), f"{percent(estimate.low)}–{percent(estimate.high)}"
