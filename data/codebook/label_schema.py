"""A researcher's own labels: the variables of a codebook file, each with its kind, labels and scores."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import count
from math import isfinite
from pathlib import Path
from typing import Any, Final, Self

from detente.data.codebook.labels import TONES, WARMTH

KINDS: Final = ("nominal", "ordinal", "binary")

#: The label that means: no relationship. Readings that have it are left out, as those of the tone `none` are.
NONE: Final = "none"

#: A codebook is a page, not a data file.
MOST_BYTES: Final = 1_000_000
MOST_LABELS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One question that is asked of a sentence and a dyad, and the answers it may have.

    Attributes:
        name: of the variable; a column of the labels' table may have it.
        kind: `nominal` (no order), `ordinal` (the labels stand in order) or `binary` (two labels, the second is yes).
        labels: the answers.
        scores: a number for each label, whose expectation is a reading's warmth; None where the labels have none. An
            ordinal variable without scores counts from 0. That of a label called `none` never counts.
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
            twice = next(label for label in self.labels if self.labels.count(label) > 1)
            raise ValueError(f"{self.name}: the label {twice!r} stands there twice")
        if not 2 <= len(self.labels) <= MOST_LABELS or (self.kind == "binary" and len(self.labels) != 2):
            wanted = "two labels" if self.kind == "binary" else f"2 to {MOST_LABELS} labels"
            raise ValueError(f"{self.name}: a {self.kind} variable has {wanted}, this one has {len(self.labels)}")
        if self.scores is not None and len(self.scores) != len(self.labels):
            raise ValueError(f"{self.name}: {len(self.labels)} labels, but {len(self.scores)} scores")

    @property
    def counted(self) -> dict[str, float]:
        """The score of each label that is one, `none` left out; empty where there are no scores.

        A binary variable without scores counts 0 and 1, so that its expectation is the probability of yes.
        """
        scores = (0.0, 1.0) if self.scores is None and self.kind == "binary" else self.scores or ()
        return {label: score for label, score in zip(self.labels, scores, strict=bool(scores)) if label != NONE}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read `name`, `kind` and `labels`, which are a list, or a mapping from label to score.

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
    """The variables of a codebook; the first one is what a reading calls its tone."""

    variables: tuple[Variable, ...]

    def __post_init__(self) -> None:
        names = [variable.name for variable in self.variables]
        if not names:
            raise ValueError("the codebook has no variables")
        if len(set(names)) < len(names):
            raise ValueError(f"two variables are called {next(n for n in names if names.count(n) > 1)!r}")

    @classmethod
    def of(cls, values: Any) -> Self:
        """Read one variable (`name`, `kind`, `labels`), or several in a list under `variables`.

        Raises:
            ValueError: it is neither, or a variable is malformed.
        """
        if not isinstance(values, Mapping):
            raise ValueError("a codebook is `name:`, `kind:` and `labels:`, or a list of such under `variables:`")
        if "variables" not in values:
            return cls((Variable.of(values),))
        variables = values["variables"]
        if not isinstance(variables, list) or not all(isinstance(v, Mapping) for v in variables):
            raise ValueError("`variables:` must be a list of entries with `name:`, `kind:` and `labels:`")
        return cls(tuple(map(Variable.of, variables)))

    @property
    def tone(self) -> Variable:
        """The variable that a reading's tone and warmth are of: the first."""
        return self.variables[0]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `Scheme.from_dict` reads them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: it isn't of that form.
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


#: What the shipped model says of a dyad, and every model that was given no other scheme.
SHIPPED: Final = Scheme(
    (Variable(name="tone", kind="nominal", labels=TONES, scores=tuple(WARMTH.get(tone, 0.0) for tone in TONES)),)
)


def column(label: str) -> str:
    """Write a label as part of a column's name: `alliance-building` is `alliance_building`."""
    return re.sub(r"\W+", "_", label)


def label_text(label: Any) -> str:
    """Return a label as it is compared: YAML reads `yes` and `no` as truth values and `1` as a number."""
    if isinstance(label, bool):
        return "yes" if label else "no"
    return str(label).strip()


def read_scheme(file: Path) -> Scheme:
    """Read a codebook file (YAML; extra `[train]`).

    Raises:
        ValueError: it is no codebook; the message names the file and says what is wrong.
    """
    import yaml  # noqa: PLC0415  (the core does without)

    try:
        if file.stat().st_size > MOST_BYTES:
            raise ValueError(f"{file} has over {MOST_BYTES:,} bytes; a codebook lists variables and their labels")
        values = yaml.safe_load(file.read_text("utf-8-sig"))
    except FileNotFoundError as error:
        raise ValueError(f"no such file: {file}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: not YAML: {' '.join(str(error).split())}") from error
    try:
        return Scheme.of(values)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
