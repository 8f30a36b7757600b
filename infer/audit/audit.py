"""Audit a scored corpus on a random labelled sample: accuracy, and corrected shares and warmth.

The correction is the post-stratified estimator of survey statistics: the sample estimates which share of the readings
scored as k has the gold label c, and the corpus gives the number of readings scored as k. The estimator is used to
correct maps for misclassified land (Olofsson et al. 2014, "Good practices for estimating area and assessing accuracy of
land change"), and equals prediction-powered inference (Angelopoulos et al., Science 2023) for categorical predictions.
It assumes a random sample but nothing about the classifier, and stays within 0..1, unlike the inverse of the confusion
matrix (Rogan and Gladen 1978).

The intervals are draws from a Pólya posterior (Ghosh and Meeden 1997, "Bayesian Methods for Finite Population
Sampling"): the labels of the other readings are imputed, stratum by stratum, from a Dirichlet distribution over the
observed labels. A stratum with few labels has a wide interval, and a fully labelled one has none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from detente._statistics import Estimate, estimate_from_draws, wilson
from detente.data.annotation.label_table import TEST, TRAIN, Labelled

Floats = NDArray[np.float64]

#: Pseudo-count of labelled readings per stratum, spread over all labels: for the five tones, half a reading each
#: (Jeffreys). With less, the intervals of samples of 50 covered the truth too rarely.
PRIOR: Final = 2.5

#: Minimum number of labelled rows for an audit.
FEWEST: Final = 10


@dataclass(frozen=True, slots=True)
class ClassEstimate:
    """The estimates for one label.

    Attributes:
        scored: share of the corpus scored with the label.
        corrected: estimated share of the corpus with the label.
        precision: share of the readings scored with the label that are correct; NaN if the sample has none.
        recall: share of the readings with the label that are scored with it; NaN if the sample has none.
        labelled: number of sample rows with the label.
    """

    scored: float
    corrected: Estimate
    precision: Estimate
    recall: Estimate
    labelled: int


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of a scored corpus on a random labelled sample.

    Attributes:
        variable: name of the labelled variable.
        rows: number of rows in the sample.
        readings: number of readings in the corpus.
        accuracy: share of correct predictions in the sample, with Wilson's interval.
        classes: estimates by label.
        warmth: mean predicted warmth; NaN if the labels have no scores.
        corrected_warmth: estimated mean warmth of the gold labels.
        confusion: confusion matrix, int [scored label, gold label], in the order of `classes`.
        scores: score of each label that has one.
        model: name of the model.
    """

    variable: str
    rows: int
    readings: int
    accuracy: Estimate
    classes: dict[str, ClassEstimate]
    warmth: float
    corrected_warmth: Estimate
    confusion: list[list[int]]
    scores: dict[str, float]
    model: str

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as plain JSON values, with None for NaN, the input of `from_dict`."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build an audit from the output of `to_dict`.

        Raises:
            ValueError: the values are malformed.
        """
        try:
            classes = {label: _read_class(parts) for label, parts in values["classes"].items()}
            confusion = np.array(values["confusion"], dtype=np.int64)
            if confusion.shape != (len(classes), len(classes)) or (confusion < 0).any():
                raise ValueError("the confusion isn't one of counts, a row and a column for each label")
            return cls(
                **{
                    **values,
                    "classes": classes,
                    "warmth": _number(values["warmth"]),
                    "accuracy": _read_estimate(values["accuracy"]),
                    "corrected_warmth": _read_estimate(values["corrected_warmth"]),
                }
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"not what `detente audit --json` writes: {error}") from error


@dataclass(frozen=True, slots=True)
class Scored:
    """The counts of a scored corpus, and its predictions for the sample.

    Attributes:
        counts: number of readings by predicted label.
        warmth: mean warmth over the readings that present a relationship; NaN if there are none.
        said: predicted label of each gold row; None if the corpus doesn't contain the row.
        model: name of the model; several are joined by commas.
    """

    counts: Mapping[str, int]
    warmth: float
    said: Sequence[str | None]
    model: str = ""


def gold_rows(rows: Iterable[Labelled], variable: str) -> tuple[list[Labelled], dict[str, int]]:
    """Return the gold rows for an audit, one per unit, and the number of excluded rows by reason.

    Rows of the part `train` are excluded, since they were selected as hard and would bias the accuracy downwards. Units
    with several coders get the majority label.

    Raises:
        ValueError: a unit has no majority label, or too few rows are left.
    """
    left_out: Counter[str] = Counter()
    units: dict[tuple[str, str, str], list[Labelled]] = {}
    for row in rows:
        if variable not in row.labels:
            left_out["without a label"] += 1
        elif row.part == TRAIN:
            left_out["of part `train`, which wasn't drawn at random"] += 1
        else:
            units.setdefault((row.id or row.document, *row.unit[1:]), []).append(row)
    selected, ties = [], []
    for unit_rows in units.values():
        counts = Counter(row.labels[variable] for row in unit_rows).most_common()
        if len(counts) > 1 and counts[0][1] == counts[1][1]:
            ties.append((unit_rows[0], [label for label, _ in counts]))
            continue
        selected.append(next(row for row in unit_rows if row.labels[variable] == counts[0][0]))
        left_out["by further coders"] += len(unit_rows) - 1
    if ties:
        listed = "; ".join(
            f"{row.where} {row.dyad} {row.sentence[:60]!r}: {' or '.join(tied)}" for row, tied in ties[:5]
        )
        more = f"; and {len(ties) - 5} more" if len(ties) > 5 else ""
        raise ValueError(
            f"{len(ties)} {'unit has' if len(ties) == 1 else 'units have'} different {variable} labels, evenly: "
            f"{listed}{more}; decide each (`detente agreement --csv` lists them)"
        )
    if len(selected) < FEWEST:
        reasons = "; ".join(f"{number} {reason}" for reason, number in left_out.items() if number)
        detail = f" ({reasons})" if reasons else ""
        raise ValueError(
            f"{len(selected)} labelled rows that may measure{detail}; an audit needs {FEWEST} "
            f"drawn at random, and a hundred to say much: `detente sample` marks them {TEST}"
        )
    return selected, {reason: number for reason, number in left_out.items() if number}


def audit(
    gold: Sequence[str],
    scored: Scored,
    *,
    labels: Sequence[str],
    scores: Mapping[str, float],
    variable: str = "tone",
    draws: int = 4000,
    seed: int = 0,
) -> Audit:
    """Return the audit of a scored corpus.

    Args:
        gold: gold label of each row of the sample.
        scored: scored corpus, with a prediction for each row.
        labels: all labels, in order.
        scores: scores of the labels that have one, over which the warmth is averaged.
        variable: name of the variable, for the report.
        draws: number of posterior draws.
        seed: random seed.

    Raises:
        ValueError: a label is unknown, or a row isn't in the corpus.
    """
    index = {label: number for number, label in enumerate(labels)}
    if unknown := [label for label in (*scored.counts, *gold) if label not in index]:
        raise ValueError(f"the label {unknown[0]!r} is none of {', '.join(labels)}")
    if len(scored.said) != len(gold) or None in scored.said:
        raise ValueError("a row of the sample isn't in the corpus")
    confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for predicted, true in zip(scored.said, gold, strict=True):
        confusion[index[predicted or ""], index[true]] += 1
    counts = np.array([scored.counts.get(label, 0) for label in labels])
    readings = int(counts.sum())
    random = np.random.default_rng(seed)
    filled = fill(confusion, counts, draws, random)
    point = (rates(confusion) * counts[:, None]).sum(0) / readings
    shares = filled.sum(1) / readings
    correct, rows, columns = int(np.trace(confusion)), confusion.sum(1), confusion.sum(0)
    return Audit(
        variable=variable,
        rows=len(gold),
        readings=readings,
        accuracy=wilson(correct, len(gold)),
        classes={
            label: ClassEstimate(
                scored=float(counts[number] / readings),
                corrected=estimate_from_draws(float(point[number]), shares[:, number]),
                precision=wilson(int(confusion[number, number]), int(rows[number])),
                recall=wilson(int(confusion[number, number]), int(columns[number])),
                labelled=int(columns[number]),
            )
            for number, label in enumerate(labels)
        },
        warmth=scored.warmth,
        corrected_warmth=estimate_from_draws(float(mean(point, labels, scores)), mean(shares, labels, scores)),
        confusion=confusion.tolist(),
        scores=dict(scores),
        model=scored.model,
    )


def rates(confusion: NDArray[np.int64]) -> Floats:
    """Return the share of gold label c among readings scored as k, [k, c].

    Predicted labels that are missing from the sample are assumed to be correct.
    """
    rows = confusion.sum(1, keepdims=True)
    return np.where(rows > 0, confusion / np.maximum(rows, 1), np.eye(len(confusion)))


def fill(
    confusion: NDArray[np.int64], counts: NDArray[np.int64], draws: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return posterior draws of the gold labels of all readings, counts [draws, scored label, gold label].

    Args:
        confusion: confusion matrix of the sample, [scored label, gold label].
        counts: number of readings in the corpus by scored label.
        draws: number of draws.
        random: random generator.
    """
    likely = draw_rates(confusion, draws, random)
    rest = np.maximum(counts - confusion.sum(1), 0)
    return confusion + random.multinomial(np.broadcast_to(rest, likely.shape[:2]), likely)


def draw_rates(confusion: NDArray[np.int64], draws: int, random: np.random.Generator) -> Floats:
    """Return posterior draws of `rates`, [draws, k, c]."""
    size = len(confusion)
    gamma = random.standard_gamma(confusion + PRIOR / size, (draws, size, size)) + 1e-300
    return np.asarray(gamma / gamma.sum(-1, keepdims=True))


def mean(shares: Floats, labels: Sequence[str], scores: Mapping[str, float]) -> Floats:
    """Return the mean score of shares [..., labels] over the labels that have one; NaN if the shares are zero."""
    weight = np.array([label in scores for label in labels], dtype=np.float64)
    value = np.array([scores.get(label, 0.0) for label in labels])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((shares @ value) / (shares @ weight))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)


def _read_class(parts: Mapping[str, Any]) -> ClassEstimate:
    corrected, precision, recall = (_read_estimate(parts[key]) for key in ("corrected", "precision", "recall"))
    return ClassEstimate(_number(parts["scored"]), corrected, precision, recall, int(parts["labelled"]))


def _read_estimate(values: Mapping[str, Any]) -> Estimate:
    return Estimate(*(_number(values[key]) for key in ("value", "low", "high")))
