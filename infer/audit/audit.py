"""Is it valid: a scored corpus measured on a random labelled sample, and its shares and warmth corrected by it.

The correction is the post-stratified estimator of survey statistics: of the readings that were scored as k, the sample
says which part is c; how many were scored as k is known of the whole corpus. It is how maps are corrected for
misclassified ground (Olofsson et al. 2014, "Good practices for estimating area and assessing accuracy of land change"),
and what prediction-powered inference (Angelopoulos et al., Science 2023) comes to where the prediction is a label. It
asks nothing of the classifier, only that the sample is random, and, unlike the inverse of the confusion matrix (Rogan
and Gladen 1978), never leaves 0..1.

The intervals are draws from a Pólya posterior (Ghosh and Meeden 1997, "Bayesian Methods for Finite Population
Sampling"): the readings that weren't labelled are filled in, stratum by stratum, from a Dirichlet distribution over
what was seen. So a stratum with few labels is wide, and one that was labelled to the last reading is certain.
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

#: Labelled readings that a stratum is thought to have beside those seen, spread over all labels: for the five tones,
#: half a reading each (Jeffreys). With less, the intervals of samples of 50 held the truth too seldom.
PRIOR: Final = 2.5

#: Fewer than so many labelled rows say nothing.
FEWEST: Final = 10


@dataclass(frozen=True, slots=True)
class Class:
    """One label.

    Attributes:
        scored: share of the corpus that was scored as it.
        corrected: share of the corpus that it is.
        precision: part of what was scored as it that it is; NaN where the sample has none.
        recall: part of what it is that was scored as it; NaN where the sample has none.
        labelled: rows of the sample that it is.
    """

    scored: float
    corrected: Estimate
    precision: Estimate
    recall: Estimate
    labelled: int


@dataclass(frozen=True, slots=True)
class Audit:
    """What a random labelled sample says of a scored corpus.

    Attributes:
        variable: that was labelled.
        rows: of the sample.
        readings: of the corpus.
        accuracy: share of the sample that was scored right, with Wilson's interval.
        classes: by label.
        warmth: mean of the readings as scored; NaN where the labels have no scores.
        corrected_warmth: the same of the labels, estimated.
        confusion: int [scored label, right label], in the order of `classes`.
        scores: of each label that has one.
        model: that scored.
    """

    variable: str
    rows: int
    readings: int
    accuracy: Estimate
    classes: dict[str, Class]
    warmth: float
    corrected_warmth: Estimate
    confusion: list[list[int]]
    scores: dict[str, float]
    model: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, NaN as None; `from_dict` reads them."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: it isn't that.
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
    """A scored corpus, counted.

    Attributes:
        counts: readings by the label that they were scored as.
        warmth: mean over the readings that present a relationship; NaN where there is none.
        said: label of each gold row, by its number; None where the corpus doesn't have it.
        model: that scored; several are joined by commas.
    """

    counts: Mapping[str, int]
    warmth: float
    said: Sequence[str | None]
    model: str = ""


def gold_rows(rows: Iterable[Labelled], variable: str) -> tuple[list[Labelled], dict[str, int]]:
    """Return the rows that may measure, one for each unit, and how many were left out and why.

    Rows of the part `train` were chosen because they are hard, and would make the model look worse than it is. Where
    several coders labelled a unit, the label of most of them counts.

    Raises:
        ValueError: coders differ evenly, or too few rows are left.
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
    kept, even = [], []
    for same in units.values():
        counts = Counter(row.labels[variable] for row in same).most_common()
        if len(counts) > 1 and counts[0][1] == counts[1][1]:
            even.append((same[0], [label for label, _ in counts]))
            continue
        kept.append(next(row for row in same if row.labels[variable] == counts[0][0]))
        left_out["by further coders"] += len(same) - 1
    if even:
        listed = "; ".join(
            f"{row.where} {row.dyad} {row.sentence[:60]!r}: {' or '.join(said)}" for row, said in even[:5]
        )
        more = f"; and {len(even) - 5} more" if len(even) > 5 else ""
        raise ValueError(
            f"{len(even)} {'unit has' if len(even) == 1 else 'units have'} different {variable} labels, evenly: "
            f"{listed}{more}; decide each (`detente agreement --csv` lists them)"
        )
    if len(kept) < FEWEST:
        why = "; ".join(f"{number} {reason}" for reason, number in left_out.items() if number)
        raise ValueError(
            f"{len(kept)} labelled rows that may measure{f' ({why})' if why else ''}; an audit needs {FEWEST} drawn at "
            f"random, and a hundred to say much: `detente sample` marks them {TEST}"
        )
    return kept, {reason: number for reason, number in left_out.items() if number}


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
    """Measure a scored corpus.

    Args:
        gold: the right label of each row of the sample.
        scored: the corpus, with what it says of each row; none may be missing.
        labels: all, in their order.
        scores: of the labels that have one; the mean warmth is over these.
        variable: its name, for the report.
        draws: of the intervals.
        seed: of the draws.

    Raises:
        ValueError: a label is unknown, or a row isn't in the corpus.
    """
    number = {label: at for at, label in enumerate(labels)}
    if strange := [label for label in (*scored.counts, *gold) if label not in number]:
        raise ValueError(f"the label {strange[0]!r} is none of {', '.join(labels)}")
    if len(scored.said) != len(gold) or None in scored.said:
        raise ValueError("a row of the sample isn't in the corpus")
    confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for said, true in zip(scored.said, gold, strict=True):
        confusion[number[said or ""], number[true]] += 1
    counts = np.array([scored.counts.get(label, 0) for label in labels])
    readings = int(counts.sum())
    random = np.random.default_rng(seed)
    filled = fill(confusion, counts, draws, random)
    point = (rates(confusion) * counts[:, None]).sum(0) / readings
    shares = filled.sum(1) / readings
    right, rows, columns = int(np.trace(confusion)), confusion.sum(1), confusion.sum(0)
    return Audit(
        variable=variable,
        rows=len(gold),
        readings=readings,
        accuracy=wilson(right, len(gold)),
        classes={
            label: Class(
                scored=float(counts[at] / readings),
                corrected=estimate_from_draws(float(point[at]), shares[:, at]),
                precision=wilson(int(confusion[at, at]), int(rows[at])),
                recall=wilson(int(confusion[at, at]), int(columns[at])),
                labelled=int(columns[at]),
            )
            for at, label in enumerate(labels)
        },
        warmth=scored.warmth,
        corrected_warmth=estimate_from_draws(float(mean(point, labels, scores)), mean(shares, labels, scores)),
        confusion=confusion.tolist(),
        scores=dict(scores),
        model=scored.model,
    )


def rates(confusion: NDArray[np.int64]) -> Floats:
    """Return which part of what was scored as k is c, [k, c]; a label that the sample lacks is taken at its word."""
    rows = confusion.sum(1, keepdims=True)
    return np.where(rows > 0, confusion / np.maximum(rows, 1), np.eye(len(confusion)))


def fill(
    confusion: NDArray[np.int64], counts: NDArray[np.int64], draws: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the right labels of all readings: counts [draws, scored label, right label].

    Args:
        confusion: of the sample, [scored label, right label].
        counts: readings of the corpus by scored label.
        draws: how many.
        random: where from.
    """
    likely = draw_rates(confusion, draws, random)
    rest = np.maximum(counts - confusion.sum(1), 0)
    return confusion + random.multinomial(np.broadcast_to(rest, likely.shape[:2]), likely)


def draw_rates(confusion: NDArray[np.int64], draws: int, random: np.random.Generator) -> Floats:
    """Draw which part of what is scored as k is c, [draws, k, c]."""
    size = len(confusion)
    gamma = random.standard_gamma(confusion + PRIOR / size, (draws, size, size)) + 1e-300
    return np.asarray(gamma / gamma.sum(-1, keepdims=True))


def mean(shares: Floats, labels: Sequence[str], scores: Mapping[str, float]) -> Floats:
    """Return the mean score of shares [..., labels] over the labels that have one; NaN where there is none."""
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


def _read_class(parts: Mapping[str, Any]) -> Class:
    corrected, precision, recall = (_read_estimate(parts[key]) for key in ("corrected", "precision", "recall"))
    return Class(_number(parts["scored"]), corrected, precision, recall, int(parts["labelled"]))


def _read_estimate(values: Mapping[str, Any]) -> Estimate:
    return Estimate(*(_number(values[key]) for key in ("value", "low", "high")))
