"""User-defined label schemas: the variables of a codebook file, each with its kind, labels and scores."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import count
from math import isfinite
from pathlib import Path
from typing import Any, Final, Self

from detente.data.codebook.labels import TONES, WARMTH

KINDS: Final = ("nominal", "ordinal", "binary")

#: The label for "no relationship". Readings with this label are left out, like those with the tone `none`.
NONE: Final = "none"

#: Size limits of a codebook file: it is a page, not a data set.
MAX_BYTES: Final = 1_000_000
MAX_LABELS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A question about a sentence and a dyad, with its possible labels.

    Attributes:
        name: name of the variable, also the name of its column in a table of labels.
        kind: `nominal` (no order), `ordinal` (ordered labels) or `binary` (two labels, the second means yes).
        labels: possible labels.
        scores: one number per label, whose expectation is a reading's warmth; None if the labels have no scores. The
            default for an ordinal variable is 0, 1, 2 … The score of a label called `none` is ignored.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    scores: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not self.name or self.name != self.name.strip():
            raise ValueError("a variable needs a name, for instance `name: coercion`")
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: kind is {self.kind!r}; it must be one of {', '.join(KINDS)}")
        if len(set(self.labels)) < len(self.labels):
            duplicate = next(label for label in self.labels if self.labels.count(label) > 1)
            raise ValueError(f"{self.name}: the label {duplicate!r} stands there twice")
        if not 2 <= len(self.labels) <= MAX_LABELS or (self.kind == "binary" and len(self.labels) != 2):
            expected = "two labels" if self.kind == "binary" else f"2 to {MAX_LABELS} labels"
            raise ValueError(f"{self.name}: a {self.kind} variable has {expected}, this one has {len(self.labels)}")
        if self.scores is not None and len(self.scores) != len(self.labels):
            raise ValueError(f"{self.name}: {len(self.labels)} labels, but {len(self.scores)} scores")

    @property
    def counted(self) -> dict[str, float]:
        """Score of each label except `none`; empty if the variable has no scores.

        The default for a binary variable is 0 and 1, so that the expectation is the probability of yes.
        """
        scores = (0.0, 1.0) if self.scores is None and self.kind == "binary" else self.scores or ()
        return {label: score for label, score in zip(self.labels, scores, strict=bool(scores)) if label != NONE}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Build a variable from `name`, `kind` and `labels` (a list, or a mapping from label to score).

        Raises:
            ValueError: a key is missing or unknown, or a value is malformed; the message says which.
        """
        name = str(values.get("name", "")).strip()
        if unknown := set(values) - {"name", "kind", "labels"}:
            raise ValueError(f"{name or 'codebook'}: unknown keys {', '.join(sorted(map(str, unknown)))}")
        labels = values.get("labels")
        if not isinstance(labels, Mapping | list):
            raise ValueError(f"{name or 'codebook'}: labels must be a list, or lines of `label: score`")
        kind, scores = str(values.get("kind", "nominal")), None
        if isinstance(labels, Mapping):
            for label, score in labels.items():
                if score is None and label_text(label) == NONE:
                    continue
                if isinstance(score, bool) or not isinstance(score, int | float) or not isfinite(score):
                    raise ValueError(f"{name}: the score of {label_text(label)!r} is {score!r}; it must be a number")
            scores = tuple(float(score or 0) for score in labels.values())
        elif kind == "ordinal":
            steps = count()
            scores = tuple(0.0 if label_text(label) == NONE else float(next(steps)) for label in labels)
        return cls(name=name, kind=kind, labels=tuple(map(label_text, labels)), scores=scores)


@dataclass(frozen=True, slots=True)
class Scheme:
    """The label schema of a codebook; its first variable is the `tone` of a reading."""

    variables: tuple[Variable, ...]

    def __post_init__(self) -> None:
        names = [variable.name for variable in self.variables]
        if not names:
            raise ValueError("the codebook has no variables")
        if len(set(names)) < len(names):
            raise ValueError(f"two variables are called {next(n for n in names if names.count(n) > 1)!r}")

    @classmethod
    def from_mapping(cls, values: Any) -> Self:
        """Build a schema from one variable (`name`, `kind`, `labels`), or from a list of them under `variables`.

        Raises:
            ValueError: the value has neither form, or a variable is malformed.
        """
        if not isinstance(values, Mapping):
            raise ValueError("a codebook is `name:`, `kind:` and `labels:`, or a list of such under `variables:`")
        if "variables" not in values:
            return cls((Variable.from_mapping(values),))
        variables = values["variables"]
        if not isinstance(variables, list) or not all(isinstance(v, Mapping) for v in variables):
            raise ValueError("`variables:` must be a list of entries with `name:`, `kind:` and `labels:`")
        return cls(tuple(map(Variable.from_mapping, variables)))

    @property
    def tone(self) -> Variable:
        """The first variable, which gives a reading its tone and warmth."""
        return self.variables[0]

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as plain JSON values, the input of `Scheme.from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build a schema from the output of `to_dict`.

        Raises:
            ValueError: the values are malformed.
        """
        try:
            return cls(
                tuple(
                    Variable(
                        name=v["name"],
                        kind=v["kind"],
                        labels=tuple(v["labels"]),
                        scores=None if v["scores"] is None else tuple(map(float, v["scores"])),
                    )
                    for v in values["variables"]
                )
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the scheme is malformed: {error}") from error


#: The schema of the shipped model, and the default for every other model.
SHIPPED: Final = Scheme(
    (Variable(name="tone", kind="nominal", labels=TONES, scores=tuple(WARMTH.get(tone, 0.0) for tone in TONES)),)
)


def column(label: str) -> str:
    """Return a label as part of a column name: `alliance_building` for `alliance-building`."""
    return re.sub(r"\W+", "_", label)


def label_text(label: Any) -> str:
    """Return a label as text, since YAML parses `yes` and `no` as booleans and `1` as a number."""
    if isinstance(label, bool):
        return "yes" if label else "no"
    return str(label).strip()


def read_scheme(file: Path) -> Scheme:
    """Load a codebook file (YAML; extra `[train]`).

    Raises:
        ValueError: the file is missing or isn't a valid codebook; the message names the file and the fault.
    """
    import yaml  # noqa: PLC0415  (not in the core install)

    try:
        if file.stat().st_size > MAX_BYTES:
            raise ValueError(f"{file} has over {MAX_BYTES:,} bytes; a codebook lists variables and their labels")
        values = yaml.safe_load(file.read_text("utf-8-sig"))
    except FileNotFoundError as error:
        raise ValueError(f"no such file: {file}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: not YAML: {' '.join(str(error).split())}") from error
    try:
        return Scheme.from_mapping(values)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
