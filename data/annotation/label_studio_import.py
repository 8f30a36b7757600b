"""What coders gave back: exports of Label Studio (JSON, JSON-MIN, CSV, TSV) and spreadsheets, as rows of labels.

The format: https://labelstud.io/guide/export and https://labelstud.io/guide/task_format.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from detente.data.annotation.label_table import COLUMNS, Labelled, labelled, unguarded
from detente.data.annotation.spreadsheets import LabelsError, csv_rows, decode, load_bytes
from detente.data.codebook.label_schema import Scheme

#: What a task of ours always has.
_NEEDED: Final = ("sentence", "dyad")

#: The column by which a flat export of Label Studio is known; its `id` is then Label Studio's number of the task.
_FLAT: Final = "annotation_id"

#: Columns of a flat export that are neither the unit's nor answers.
_OWN: Final = frozenset(
    "unit html states source annotator annotation_id created_at updated_at lead_time agreement".split()
)


@dataclass(slots=True)
class Imported:
    """What exports hold.

    Attributes:
        rows: one for each coder and unit that has a label.
        skipped: annotations that their coder cancelled.
        unlabelled: tasks or rows that nobody has labelled.
        partial: rows that lack a label of a variable.
        strangers: questions that were answered and aren't the codebook's, with the number of answers.
    """

    rows: list[Labelled] = field(default_factory=list)
    skipped: int = 0
    unlabelled: int = 0
    partial: int = 0
    strangers: dict[str, int] = field(default_factory=dict)


def read_exports(files: Sequence[Path], scheme: Scheme, *, encoding: str = "") -> Imported:
    """Read exports, each of any format, together.

    Args:
        files: JSON, JSON-MIN, CSV or TSV.
        scheme: the variables, by whose names the questions are called.
        encoding: of CSV that isn't UTF-8.

    Raises:
        LabelsError: a file can't be read, is the export of a project with other questions or other tasks, or has a
            label that isn't in the codebook; or none of the files holds a label.
    """
    found = Imported()
    for file in files:
        data = load_bytes(file)
        before = len(found.rows)
        if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"):
            _json(data, file, scheme, found)
        else:
            _csv(decode(data, file, encoding), file, scheme, found)
        if len(found.rows) == before and found.strangers:
            raise _stranger(str(file), scheme, list(found.strangers))
    if not found.rows:
        raise LabelsError(
            f"{', '.join(map(str, files))}: no labels; tasks or rows that nobody has labelled: {found.unlabelled}, "
            f"annotations that were skipped: {found.skipped}"
        )
    return found


def _stranger(where: str, scheme: Scheme, answered: Sequence[str]) -> LabelsError:
    return LabelsError(
        f"{where}: another project's export: it answers {', '.join(answered) or 'nothing'}; "
        f"the codebook asks for {', '.join(variable.name for variable in scheme.variables)}"
    )


def _json(data: bytes, file: Path, scheme: Scheme, found: Imported) -> None:
    try:
        tasks = json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise LabelsError(f"{file} is not JSON in UTF-8: {error}") from error
    if not isinstance(tasks, list) or not all(isinstance(task, Mapping) for task in tasks):
        raise LabelsError(f"{file}: not an export of Label Studio, which is a list of tasks")
    for number, task in enumerate(tasks, 1):
        where = f"{file}: task {task.get('id', number)}"
        if "annotations" not in task:
            _flat(task, where, str(task.get("annotator") or ""), scheme, found)
            continue
        try:
            _task(task, where, scheme, found)
        except (AttributeError, TypeError) as error:
            raise LabelsError(f"{where}: not an export of Label Studio: {error}") from error


def _task(task: Mapping[str, Any], where: str, scheme: Scheme, found: Imported) -> None:
    """Read a task with its annotations."""
    parts = _parts(task.get("data") or {}, where)
    if not task["annotations"]:
        found.unlabelled += 1
    for annotation in task["annotations"]:
        if annotation.get("was_cancelled"):
            found.skipped += 1
            continue
        answers = {
            answer["from_name"]: answer["value"]["choices"]
            for answer in annotation.get("result") or ()
            if "from_name" in answer and "choices" in answer.get("value", {})
        }
        coder = annotation.get("completed_by")
        if isinstance(coder, Mapping):  # some versions write the person out
            coder = coder.get("email") or coder.get("id")
        _add({**parts, "coder": "" if coder is None else str(coder)}, answers, where, scheme, found)


def _flat(row: Mapping[str, Any], where: str, coder: str, scheme: Scheme, found: Imported) -> None:
    """Read an annotation of a flat export, or a spreadsheet's row."""
    parts = _parts(row, where)
    names = [variable.name for variable in scheme.variables]
    answers = {name: row[name] for name in names if row.get(name) not in (None, "")}
    if not row.keys() & set(names):
        if len(names) == 1 and "label" in row:
            answers = {names[0]: row["label"]} if row["label"] else {}
        else:
            others = [name for name in row if name and name not in {*COLUMNS, *_OWN}]
            # JSON-MIN leaves out the questions that weren't answered; a table has a column for each.
            if others or _FLAT not in row:
                raise _stranger(where, scheme, others)
    _add({**parts, "coder": coder}, answers, where, scheme, found)


def _parts(data: Mapping[str, Any], where: str) -> dict[str, str]:
    """Return what names the unit.

    Raises:
        LabelsError: it is no task of ours.
    """
    if missing := [name for name in _NEEDED if name not in data]:
        raise LabelsError(
            f"{where}: another project's export: no {' and no '.join(missing)}, which the tasks of `detente sample` "
            f"have; there are {', '.join(map(str, data)) or 'none'}"
        )
    parts = {name: data.get(name) for name in COLUMNS}
    parts["id"] = data["unit"] if "unit" in data else None if _FLAT in data else data.get("id")
    return {name: "" if value is None else str(value) for name, value in parts.items()}


def _csv(text: str, file: Path, scheme: Scheme, found: Imported) -> None:
    for line, cells in csv_rows(text, file):
        where = f"{file}:{line}"
        if isinstance(cells, ValueError):
            raise LabelsError(f"{where}: {cells}")
        row = {name: unguarded(value) for name, value in cells.items()}
        _flat(row, where, row.get("annotator") or row.get("coder") or file.stem, scheme, found)


def _add(parts: Mapping[str, str], answers: Mapping[str, Any], where: str, scheme: Scheme, found: Imported) -> None:
    known = {variable.name for variable in scheme.variables}
    labels = dict(_labels(answers, where, known))
    for name in answers.keys() - known:
        found.strangers[name] = found.strangers.get(name, 0) + 1
    if not labels:
        found.unlabelled += not answers
        return
    found.partial += labels.keys() != known
    found.rows.append(labelled(parts, labels, where, scheme))


def _labels(answers: Mapping[str, Any], where: str, known: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the label of each variable that has one."""
    for name, answer in answers.items():
        given = answer.get("choices") if isinstance(answer, Mapping) else answer
        choices = given if isinstance(given, list) else [given]
        if name not in known or not choices:
            continue
        if len(choices) > 1:
            raise LabelsError(f"{where}: {name} takes one label, not {len(choices)}: {', '.join(map(str, choices))}")
        yield name, str(choices[0])
