"""Sentences as tasks of Label Studio, and the labelling page that a codebook makes.

The formats: https://labelstud.io/guide/tasks, https://labelstud.io/guide/predictions and https://labelstud.io/tags.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree

from detente.data.annotation.label_table import COLUMNS
from detente.data.codebook.label_schema import Scheme
from detente.data.corpora.examples import Span

#: Keys of a task's data. `unit` is the table's `id`: an export writes its own number under `id`.
FIELDS: Final = ("unit", "document", "sentence", "dyad", "date", "part")

#: Names that a variable may not have: a flat export would mix them up with the task's.
RESERVED: Final = frozenset(
    {
        *COLUMNS,
        *FIELDS,
        "label",
        "html",
        "states",
        "annotator",
        "annotation_id",
        "created_at",
        "updated_at",
        "lead_time",
    }
) - {"label"}

#: What a coder presses, in the order of the labels of all variables; F, H, R, U, Z and the like are Label Studio's own.
HOTKEYS: Final = "1234567890qwetyopasdgjklxcvbnm"

_TEXT: Final = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A sentence and a dyad to be labelled.

    Attributes:
        unit: names it; unique in its corpus.
        document: id of its document.
        sentence: as it stands in the text.
        dyad: two codes in alphabetical order.
        states: their names.
        mentions: their characters in the sentence.
        date: ISO 8601; empty where unknown.
        source: the outlet; empty where unknown.
        part: `test` or `train`.
        predictions: by variable, the label that the model would give; empty for none.
        score: how sure the model is, 0..1.
        model: its name and version.
    """

    unit: str
    document: str
    sentence: str
    dyad: str
    states: tuple[str, str]
    mentions: Sequence[Span]
    date: str = ""
    source: str = ""
    part: str = ""
    predictions: Mapping[str, str]
    score: float = 0.0
    model: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the task as Label Studio imports it."""
        data = {name: getattr(self, name) for name in (*FIELDS, "source")}
        data |= {"states": " and ".join(self.states), "html": marked(self.sentence, self.mentions)}
        if not self.predictions:
            return {"data": data}
        result = [
            {"from_name": name, "to_name": _TEXT, "type": "choices", "value": {"choices": [label]}}
            for name, label in self.predictions.items()
        ]
        return {
            "data": data,
            "predictions": [{"model_version": self.model, "score": round(self.score, 4), "result": result}],
        }


def marked(sentence: str, mentions: Iterable[Span]) -> str:
    """Return a sentence as HTML with the words that name the two states marked; all else is escaped."""
    parts, at = [], 0
    for start, end in sorted(set(mentions)):
        if start < at:  # inside the one before: "the South Korean and Japanese leaders"
            continue
        parts += [html.escape(sentence[at:start]), "<mark>", html.escape(sentence[start:end]), "</mark>"]
        at = end
    return "".join([*parts, html.escape(sentence[at:])])


def page(scheme: Scheme) -> str:
    """Return the labelling page as XML: the sentence, its dyad, and one question for each variable.

    Raises:
        ValueError: a variable has a name that tasks need for something else.
    """
    if taken := [v.name for v in scheme.variables if v.name.lower() in RESERVED]:
        raise ValueError(f"a variable can't be called {taken[0]!r}, as a column of the labels' table is; rename it")
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value="$states", size="4")
    ElementTree.SubElement(view, "HyperText", name=_TEXT, value="$html")
    keys = iter(HOTKEYS)
    for variable in scheme.variables:
        ElementTree.SubElement(view, "Header", value=_plain(variable.name), size="5")
        choices = ElementTree.SubElement(
            view, "Choices", name=variable.name, toName=_TEXT, choice="single-radio", showInline="true", required="true"
        )
        for label in variable.labels:
            key = next(keys, None)
            ElementTree.SubElement(choices, "Choice", {"value": label} | ({} if key is None else {"hotkey": key}))
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _plain(text: str) -> str:
    """Keep Label Studio from reading a text as the name of a field."""
    return text if not text.startswith("$") else f" {text}"
