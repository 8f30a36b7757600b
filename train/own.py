"""A scheme of one's own, from a table of labels to a model folder: read, cross-validate, calibrate, graft, report."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from sklearn.metrics import cohen_kappa_score

from detente.data.labels import expected_warmth
from detente.data.scheme import Scheme, Variable
from detente.infer.engine import Engine, Floats
from detente.infer.rows import schema
from detente.models.config import HEADS, ModelConfig, head_of
from detente.models.features import mark
from detente.models.store import CONFIG, ONNX, TOKENIZER, read_config, seal, verify, write_json
from detente.train import curve, graft, linear
from detente.train.baselines import BASELINES
from detente.train.coded import Coded, Table
from detente.train.linear import Ints, Vectors
from detente.train.metrics import class_f1, confusion, ece, interval, macro_f1, micro_f1

log = logging.getLogger(__name__)

#: Rows with a label under which nothing is learnt, and rows of one label under which that label is called rare.
LEAST: Final = 10
RARE: Final = 10

RESAMPLES: Final = 500


class LabelsError(ValueError):
    """A table that a model can't be made from; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One variable, measured on rows that the model hasn't learnt from.

    Attributes:
        variable: its name.
        how: `5-fold cross-validation`, `held out`, or `a table of its own`.
        rows: that were measured on.
        learnt: rows that were there to learn from.
        counts: rows with each label, of all.
        metrics: in 0..1 (kappa and r in -1..1).
        intervals: 95 % bootstrap interval of each, whole documents drawn.
        baselines: the same metrics of each baseline on the same rows.
        confusion: counts by label and answer, in the codebook's order.
        curve: macro F1 by the number of rows learnt from, with its interval; empty where none was made.
    """

    variable: str
    how: str
    rows: int
    learnt: int
    counts: dict[str, int]
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    baselines: dict[str, dict[str, float]]
    confusion: list[list[int]]
    curve: list[curve.Point]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that have a label of one variable, and where they stand in the table."""

    at: Ints
    items: list[Coded]
    gold: Ints
    groups: Ints


def train(
    table: Table,
    scheme: Scheme,
    folder: Path,
    *,
    base: Path,
    name: str = "",
    without: Sequence[str] = (),
    seed: int = 1,
    curves: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Measured]:
    """Make a model that answers a scheme: linear heads on the frozen pair vectors of another model.

    Args:
        table: of labels.
        scheme: its variables; the first becomes the readings' tone.
        folder: to write; it must not be there, or be empty.
        base: folder of an exported model.
        name: of the new model; that of the folder if empty.
        without: heads of the base whose hidden layers are left out of what the new heads read.
        seed: of folds and draws.
        curves: make learning curves.
        progress: told what is being done.

    Returns:
        What was measured, a variable at a time; it is in `folder/report` too.

    Raises:
        LabelsError: there are too few labels, or only one, or the folder can't be written to.
        ModelError: the base isn't whole.
    """
    free(folder)
    try:
        schema(scheme)
    except ValueError as error:
        raise LabelsError(str(error)) from error
    parts = {v.name: _rows_of(table.rows, v) for v in scheme.variables}
    verify(base)
    progress("reading the sentences")
    reader = Vectors(base, without)
    vectors = reader.of([row.item for row in table.rows])
    heads, temperatures, measured = {}, {}, []
    for variable in scheme.variables:
        rows = parts[variable.name]
        own = vectors[rows.at]
        progress(f"{variable.name}: cross-validating")
        result, temperature = _validated(variable, rows, own, seed, curves=curves)
        head = linear.fit(own, rows.gold, len(variable.labels))
        heads[head_of(variable)] = (head.weights, head.bias)
        temperatures[head_of(variable)] = temperature
        measured.append(result)
    progress("writing the model")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "model"
        made.mkdir()
        _write(made, base, reader.names, scheme, heads, temperatures, name or folder.name)
        _report(made, table, measured, read_config(made))
        if folder.is_dir():
            folder.rmdir()
        made.replace(folder)
    folder.chmod(0o755)
    return measured


def free(folder: Path) -> None:
    """Raise a `LabelsError` unless a folder can be written: it isn't there, or is empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LabelsError(f"{folder} is there already; give a new folder")


def measure(folder: Path, table: Table) -> list[Measured]:
    """Measure a model that has a scheme of its own on a table that it hasn't learnt from.

    Raises:
        LabelsError: the model has the shipped scheme.
        ModelError: there is no such model.
    """
    verify(folder)
    engine = Engine(folder)
    if engine.config.own is None:
        raise LabelsError(f"{folder} has no scheme of its own; `detente train --labels` makes one that has")
    pairs = engine.read([row.item for row in table.rows])
    results = []
    for variable in engine.config.own.variables:
        rows = _gathered(table.rows, variable)
        if not len(rows.at):
            continue
        said = np.stack([pairs[i][0].heads[head_of(variable)] for i in rows.at])
        results.append(_measured(variable, rows, said, rows.gold, {}, "a table of its own", 0, []))
    return results


def _rows_of(rows: Sequence[Coded], variable: Variable) -> _Rows:
    """Return the rows with a label of a variable.

    Raises:
        LabelsError: they are too few to learn from.
    """
    found = _gathered(rows, variable)
    counts = _counts(found.gold, variable)
    there = {label: count for label, count in counts.items() if count}
    said = ", ".join(f"{count} {label}" for label, count in there.items()) or "none"
    if len(there) == 1 and len(found.gold) >= LEAST:
        raise LabelsError(f"{variable.name}: all {len(found.gold)} rows are {next(iter(there))!r}; it takes two labels")
    if len(found.gold) < LEAST:
        raise LabelsError(
            f"{variable.name}: {len(found.gold)} rows with a label ({said}); it takes {LEAST} at least, and some "
            "hundred to be of use"
        )
    if len(np.unique(found.groups)) < 3 or sorted(there.values())[-2] < 2:
        raise LabelsError(f"{variable.name}: {said} in {len(np.unique(found.groups))} documents; too few to split")
    return found


def _gathered(rows: Sequence[Coded], variable: Variable) -> _Rows:
    at = np.array([i for i, row in enumerate(rows) if variable.name in row.labels], dtype=np.int64)
    items = [rows[i] for i in at]
    return _Rows(at, items, np.array([row.labels[variable.name] for row in items], dtype=np.int64), _groups(items))


def _groups(rows: Sequence[Coded]) -> Ints:
    """Number the rows so that those of one document or of one sentence have one number, and so on from row to row."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while (above := parent.setdefault(key, key)) != key:
            parent[key] = key = parent[above]
        return key

    for row in rows:
        parent[root(f"sentence {row.item.text}")] = root(f"document {row.document}")
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(root(f"document {row.document}"), len(numbers)) for row in rows], dtype=np.int64
    )


def _validated(variable: Variable, rows: _Rows, vectors: Floats, seed: int, *, curves: bool) -> tuple[Measured, float]:
    """Measure a variable on rows that were held out, and return the temperature that suits them."""
    labels = len(variable.labels)
    splits = linear.folds(rows.gold, rows.groups, seed)
    if not splits:
        raise LabelsError(f"{variable.name}: a label stands in one document only; it takes rows of several")
    tested = np.concatenate([test for _, test in splits])
    logits = np.concatenate(
        [linear.fit(vectors[train], rows.gold[train], labels).read(vectors[test]) for train, test in splits]
    )
    temperature = round(linear.temperature(logits, rows.gold[tested]), 4)
    texts = [mark(row.item).text for row in rows.items]
    floors = {name: _floor(build, texts, rows.gold, labels, splits) for name, build in BASELINES.items()}
    points = curve.points(vectors, rows.gold, rows.groups, variable.labels, splits, seed) if curves else []
    how = f"{len(splits)}-fold cross-validation" if len(splits) > 1 else "a fifth held out"
    said = linear.answers(logits, temperature)
    held = _Rows(rows.at[tested], [rows.items[i] for i in tested], rows.gold[tested], rows.groups[tested])
    return _measured(variable, held, said, rows.gold, floors, how, len(splits[0][0]), points), temperature


def _floor(build: Any, texts: Sequence[str], gold: Ints, labels: int, splits: Any) -> Floats:
    """Return what a baseline says of the rows measured on; of too few words, it says nothing."""
    answers = []
    for train, test in splits:
        said = np.full((len(test), labels), 1 / labels)
        try:
            classifier = build().fit([texts[i] for i in train], gold[train])
        except ValueError:  # no word stands in two sentences
            answers.append(said)
            continue
        said[:] = 0.0
        said[:, classifier.classes_] = classifier.predict_proba([texts[i] for i in test])
        answers.append(said)
    return np.concatenate(answers)


def _measured(
    variable: Variable,
    rows: _Rows,
    said: Floats,
    everything: Ints,
    floors: Mapping[str, Floats],
    how: str,
    learnt: int,
    points: list[curve.Point],
) -> Measured:
    draw = np.random.default_rng(0)
    members = [np.flatnonzero(rows.groups == group) for group in np.unique(rows.groups)]
    drawn: dict[str, list[float]] = {}
    for _ in range(RESAMPLES):
        some = np.concatenate([members[i] for i in draw.integers(len(members), size=len(members))])
        for metric, value in metrics(variable, rows.gold[some], said[some]).items():
            drawn.setdefault(metric, []).append(value)
    right, answer = (_names(variable, index) for index in (rows.gold, said.argmax(-1)))
    return Measured(
        variable.name,
        how,
        len(rows.gold),
        learnt,
        _counts(everything, variable),
        metrics(variable, rows.gold, said),
        {metric: interval(values) for metric, values in drawn.items()},
        {name: metrics(variable, rows.gold, floor) for name, floor in floors.items()},
        confusion(right, answer, variable.labels).tolist(),
        points,
    )


def metrics(variable: Variable, gold: Ints, said: Floats) -> dict[str, float]:
    """Return macro F1 over the codebook's labels, accuracy, kappa, calibration error, F1 by label, and where the labels
    have scores, Pearson's r of the expected score with the label's.

    Args:
        variable: whose labels.
        gold: [rows], index of the right label.
        said: [rows, labels], probabilities.
    """  # noqa: D205  (one list)
    right, answer = _names(variable, gold), _names(variable, said.argmax(-1))
    both = {*right, *answer}
    weights = "quadratic" if variable.kind == "ordinal" else None
    indices = list(range(len(variable.labels)))
    out = {
        "macro_f1": macro_f1(right, answer, variable.labels),
        "accuracy": micro_f1(right, answer),
        "kappa": float(cohen_kappa_score(gold, said.argmax(-1), labels=indices, weights=weights))
        if len(both) > 1
        else 0.0,
        "ece": ece(said.astype(np.float64), gold),
    }
    if scores := variable.counted:
        pairs = [
            (scores[label], expected_warmth(dict(zip(variable.labels, map(float, row), strict=True)), scores))
            for label, row in zip(right, said, strict=True)
            if label in scores
        ]
        varied = all(len(set(side)) > 1 for side in zip(*pairs, strict=True))
        out["score_r"] = float(np.corrcoef(np.array(pairs).T)[0, 1]) if pairs and varied else 0.0
    return out | {f"f1_{label}": f1 for label, f1 in class_f1(right, answer, variable.labels).items()}


def _names(variable: Variable, indices: Any) -> list[str]:
    return [variable.labels[i] for i in indices]


def _counts(gold: Ints, variable: Variable) -> dict[str, int]:
    return dict(zip(variable.labels, np.bincount(gold, minlength=len(variable.labels)).tolist(), strict=True))


def _write(
    folder: Path,
    base: Path,
    names: Sequence[str],
    scheme: Scheme,
    heads: Mapping[str, tuple[Floats, Floats]],
    temperatures: Mapping[str, float],
    name: str,
) -> None:
    """Write the model's folder."""
    config = read_config(base)
    known = {head: labels for head, labels in config.heads.items() if head in HEADS}
    model = onnx.load(base / ONNX)
    graft.grafted(model, names, heads)
    onnx.save(model, folder / ONNX)
    shutil.copyfile(base / TOKENIZER, folder / TOKENIZER)
    new = replace(
        config,
        name=name,
        version="1",
        base=f"{config.name} {config.version}",
        heads={**known, **{head_of(v): v.labels for v in scheme.variables}},
        temperature={**{h: t for h, t in config.temperature.items() if h in known}, **temperatures},
        codebook="own",
        own=scheme,
    )
    write_json(folder / CONFIG, new.to_dict())
    seal(folder)


def _report(folder: Path, table: Table, measured: Sequence[Measured], config: ModelConfig) -> None:
    """Write what was measured: for people (README.md), for programs (report.json), and the learning curves."""
    report = folder / "report"
    report.mkdir()
    variables = [asdict(result) | {"curve": [p._asdict() for p in result.curve]} for result in measured]
    write_json(report / "report.json", {"read": table.read, "notes": table.notes, "variables": variables})
    for result in measured:
        if result.curve:
            curve.save(result.curve, report / f"learning_curve_{curve.slug(result.variable)}")
    lines = [
        f"# {config.name}",
        "",
        f"Made with `detente train --labels` from {config.base}: linear heads on its frozen pair vectors. "
        f"{len(table.rows)} of the {table.read} rows of the table were learnt from.",
        *(f"- {note}" for note in table.notes),
        "",
        markdown(measured),
    ]
    (folder / "README.md").write_text("\n".join(lines), "utf-8")


def grid(measured: Sequence[Measured]) -> tuple[list[str], list[list[str]]]:
    """Return a report's head and lines, one for each metric, in per cent."""
    floors = list(dict.fromkeys(name for result in measured for name in result.baselines))
    head = ["variable", "rows", "metric", "model", "95 % interval", *floors]
    lines = [
        [
            result.variable,
            f"{result.rows:,}",
            metric,
            _percent(value),
            "–".join(map(_percent, result.intervals[metric])),
            *(_percent(result.baselines[name][metric]) for name in floors),
        ]
        for result in measured
        for metric, value in result.metrics.items()
    ]
    return head, lines


def remarks(measured: Sequence[Measured]) -> list[str]:
    """Say how each variable was measured, which labels are rare, and whether more labels would help."""
    lines = []
    for result in measured:
        lines.append(f"{result.variable}: {result.how}, no document or sentence on both sides")
        if result.learnt:
            rare = [f"{label} ({count})" for label, count in result.counts.items() if count < RARE]
            lines += [f"{result.variable}: rare labels, hardly learnt: {', '.join(rare)}"] if rare else []
        lines += [f"{result.variable}: {curve.verdict(result.curve)}"] if result.curve else []
    return lines


def markdown(measured: Sequence[Measured]) -> str:
    """Write a report as Markdown."""
    head, lines = grid(measured)
    rows = "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *lines))
    return rows + "\n\n" + "\n".join(f"- {remark}" for remark in remarks(measured)) + "\n"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
