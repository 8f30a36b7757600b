"""A scheme of one's own, from a table of labels to a model folder: read, cross-validate, calibrate, graft, report."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from threadpoolctl import threadpool_limits

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
from detente.train.measured import Measured, counts_of, markdown, measured

#: Rows with a label under which nothing is learnt.
LEAST: Final = 10


class LabelsError(ValueError):
    """A table that a model can't be made from; the message says why and what to do."""


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
    heads, temperatures, results = {}, {}, []
    for variable in scheme.variables:
        rows = parts[variable.name]
        own = vectors[rows.at]
        progress(f"{variable.name}: cross-validating")
        with threadpool_limits(1):  # of products so small, a second thread waits longer than it works
            result, temperature = _validated(variable, rows, own, seed, curves=curves)
            head = linear.fit(own, rows.gold, len(variable.labels))
        heads[head_of(variable)] = (head.weights, head.bias)
        temperatures[head_of(variable)] = temperature
        results.append(result)
    progress("writing the model")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        made = Path(scratch) / "model"
        made.mkdir()
        _write(made, base, reader.names, scheme, heads, temperatures, name or folder.name)
        _report(made, table, results, read_config(made))
        if folder.is_dir():
            folder.rmdir()
        made.replace(folder)
    folder.chmod(0o755)
    return results


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
        results.append(measured(variable, rows.gold, rows.groups, said, rows.gold, {}, "a table of its own", 0, []))
    return results


def _rows_of(rows: Sequence[Coded], variable: Variable) -> _Rows:
    """Return the rows with a label of a variable.

    Raises:
        LabelsError: they are too few to learn from.
    """
    found = _gathered(rows, variable)
    counts = counts_of(found.gold, variable)
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
    return measured(
        variable, rows.gold[tested], rows.groups[tested], said, rows.gold, floors, how, len(splits[0][0]), points
    ), temperature


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


def _report(folder: Path, table: Table, results: Sequence[Measured], config: ModelConfig) -> None:
    """Write what was measured: for people (README.md), for programs (report.json), and the learning curves."""
    report = folder / "report"
    report.mkdir()
    variables = [asdict(result) | {"curve": [p._asdict() for p in result.curve]} for result in results]
    write_json(report / "report.json", {"read": table.read, "notes": table.notes, "variables": variables})
    for result in results:
        if result.curve:
            curve.save(result.curve, report / f"learning_curve_{curve.slug(result.variable)}")
    lines = [
        f"# {config.name}",
        "",
        f"Made with `detente train --labels` from {config.base}: linear heads on its frozen pair vectors. "
        f"{len(table.rows)} of the {table.read} rows of the table were learnt from.",
        *(f"- {note}" for note in table.notes),
        "",
        markdown(results),
    ]
    (folder / "README.md").write_text("\n".join(lines), "utf-8")
