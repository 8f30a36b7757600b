"""A scheme of one's own, from a table of labels to a model folder: read, cross-validate, calibrate, graft, report."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from threadpoolctl import threadpool_limits

from detente._files import write_json
from detente.data.annotation.spreadsheets import LabelsError
from detente.data.codebook.label_schema import Scheme, Variable
from detente.infer.encoder.base import Floats
from detente.infer.encoder.onnx import OnnxEncoder
from detente.infer.readings.table import schema
from detente.models.config import HEADS, ModelConfig, head_of
from detente.models.features import mark
from detente.models.model_dir import CONFIG, ONNX, SHAPE, TOKENIZER, read_config, seal, verify
from detente.train.codebook import learning_curve, linear_probe, onnx_heads
from detente.train.codebook.annotations import Table
from detente.train.codebook.evaluation import Measured, markdown, measured
from detente.train.codebook.linear_probe import Splits, Vectors
from detente.train.codebook.splits import Rows, gathered, labelled_rows
from detente.train.evaluate.baselines import BASELINES

if TYPE_CHECKING:
    from detente.train.codebook.finetune import Tuner


def train(
    table: Table,
    scheme: Scheme,
    folder: Path,
    *,
    base: Path,
    name: str = "",
    without: Sequence[str] = (),
    finetune: bool = False,
    seed: int = 1,
    curves: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Measured]:
    """Make a model that answers a scheme of another one: linear heads on its frozen vectors, or all of it fine-tuned.

    Args:
        table: of labels.
        scheme: its variables; the first becomes the readings' tone.
        folder: to write; it must not be there, or be empty.
        base: folder of an exported model.
        name: of the new model; that of the folder if empty.
        without: heads of the base whose hidden layers are left out of what linear heads read.
        finetune: fine-tune the network; linear heads are then measured beside it, and the learning curves are theirs.
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
    parts = {v.name: labelled_rows(table.rows, v) for v in scheme.variables}
    verify(base)
    progress("reading the sentences")
    reader = Vectors(base, without)
    vectors = reader.of([row.item for row in table.rows])
    with tempfile.TemporaryDirectory(dir=_parent(folder)) as scratch:
        tuner = _tuner(base, scheme, table, Path(scratch) / "run", seed) if finetune else None
        tuned = tuner.held_out(parts, progress) if tuner else {}
        heads, temperatures, results = {}, {}, []
        for variable in scheme.variables:
            rows = parts[variable.name]
            own = vectors[rows.at]
            progress(f"{variable.name}: cross-validating")
            with threadpool_limits(1):  # of products so small, a second thread waits longer than it works
                result, temperature = _validated(variable, rows, own, seed, tuned.get(variable.name), curves=curves)
                if tuner is None:
                    head = linear_probe.fit(own, rows.gold, len(variable.labels))
                    heads[head_of(variable)] = (head.weights, head.bias)
            temperatures[head_of(variable)] = temperature
            results.append(result)
        progress("writing the model")
        made = Path(scratch) / "model"
        made.mkdir()
        config = _config(read_config(base), scheme, temperatures, name or folder.name)
        if tuner:
            tuner.export(config, made, progress)
        else:
            _write(made, base, reader.names, heads, config)
        _report(made, table, results, config, finetune=finetune)
        if folder.is_dir():
            folder.rmdir()
        made.replace(folder)
    folder.chmod(0o755)
    return results


def _tuner(base: Path, scheme: Scheme, table: Table, scratch: Path, seed: int) -> "Tuner":
    from detente.train.codebook.finetune import Tuner  # noqa: PLC0415  (torch, which linear heads do without)

    return Tuner(base, scheme, table.rows, scratch, seed)


def _parent(folder: Path) -> Path:
    """Return the folder that a new one will stand in, which is made if it isn't there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder.parent


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
    engine = OnnxEncoder(folder)
    if engine.config.own is None:
        raise LabelsError(f"{folder} has no scheme of its own; `detente train --labels` makes one that has")
    pairs = engine.predict([row.item for row in table.rows])
    results = []
    for variable in engine.config.own.variables:
        rows = gathered(table.rows, variable)
        if not len(rows.at):
            continue
        said = np.stack([pairs[i][0].heads[head_of(variable)] for i in rows.at])
        results.append(measured(variable, rows.gold, rows.groups, said, rows.gold, {}, "a table of its own", 0, []))
    return results


def _validated(
    variable: Variable,
    rows: Rows,
    vectors: Floats,
    seed: int,
    tuned: tuple[Splits, Floats] | None,
    *,
    curves: bool,
) -> tuple[Measured, float]:
    """Measure a variable on rows that were held out, and return the temperature that suits them."""
    labels = len(variable.labels)
    splits = tuned[0] if tuned else linear_probe.folds(rows.gold, rows.groups, seed)
    if not splits:
        raise LabelsError(f"{variable.name}: a label stands in one document only; it takes rows of several")
    tested = np.concatenate([test for _, test in splits])
    logits = np.concatenate(
        [
            linear_probe.fit(vectors[train], rows.gold[train], labels).predict_logits(vectors[test])
            for train, test in splits
        ]
    )
    temperature = round(linear_probe.temperature(logits, rows.gold[tested]), 4)
    said = linear_probe.answers(logits, temperature)
    texts = [mark(row.item).text for row in rows.items]
    floors = {name: _floor(build, texts, rows.gold, labels, splits) for name, build in BASELINES.items()}
    points = learning_curve.points(vectors, rows.gold, rows.groups, variable.labels, splits, seed) if curves else []
    how = f"{len(splits)}-fold cross-validation" if len(splits) > 1 else "a fifth held out"
    if tuned:
        floors["linear heads"] = said
        temperature = round(linear_probe.temperature(tuned[1], rows.gold[tested]), 4)
        said = linear_probe.answers(tuned[1], temperature)
    return measured(
        variable, rows.gold[tested], rows.groups[tested], said, rows.gold, floors, how, len(splits[0][0]), points
    ), temperature


def _floor(build: Any, texts: Sequence[str], gold: linear_probe.Ints, labels: int, splits: Splits) -> Floats:
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


def _config(base: ModelConfig, scheme: Scheme, temperatures: Mapping[str, float], name: str) -> ModelConfig:
    """Return the configuration of a model with a scheme of its own; heads that an earlier scheme put on it are gone."""
    known = {head: labels for head, labels in base.heads.items() if head in HEADS}
    return replace(
        base,
        name=name,
        version="1",
        base=f"{base.name} {base.version}",
        heads={**known, **{head_of(v): v.labels for v in scheme.variables}},
        temperature={**{h: t for h, t in base.temperature.items() if h in known}, **temperatures},
        codebook="own",
        own=scheme,
    )


def _write(
    folder: Path, base: Path, names: Sequence[str], heads: Mapping[str, tuple[Floats, Floats]], config: ModelConfig
) -> None:
    """Write the folder of a model with linear heads."""
    model = onnx.load(base / ONNX)
    onnx_heads.grafted(model, names, heads)
    onnx.save(model, folder / ONNX)
    for name in (TOKENIZER, SHAPE):
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
    write_json(folder / CONFIG, config.to_dict())
    seal(folder)


def _report(folder: Path, table: Table, results: Sequence[Measured], config: ModelConfig, *, finetune: bool) -> None:
    """Write what was measured: for people (README.md), for programs (report.json), and the learning curves."""
    report = folder / "report"
    report.mkdir()
    variables = [asdict(result) | {"curve": [p._asdict() for p in result.curve]} for result in results]
    write_json(report / "report.json", {"read": table.read, "notes": table.notes, "variables": variables})
    for result in results:
        if result.curve:
            learning_curve.save(result.curve, report / f"learning_curve_{learning_curve.slug(result.variable)}")
    lines = [
        f"# {config.name}",
        "",
        f"Made with `detente train --labels` from {config.base}: "
        f"{'the network fine-tuned' if finetune else 'linear heads on its frozen pair vectors'}. "
        f"{len(table.rows)} of the {table.read} rows of the table were learnt from.",
        *(f"- {note}" for note in table.notes),
        "",
        markdown(results),
    ]
    (folder / "README.md").write_text("\n".join(lines), "utf-8")
