"""How far coders agree: Krippendorff's alpha, Cohen's kappa, and where they differ.

Alpha as in Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability" (nominal and ordinal difference); kappa as
in Cohen 1960, weighted as in Cohen 1968 with squared distances. The intervals are percentile bootstraps over units: all
that is needed of a unit is its part of a matrix of counts, and matrices of draws are sums of these.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from detente._statistics import Estimate, estimate_from_draws, resampled_counts
from detente.data.annotation.label_table import Labelled
from detente.data.codebook.label_schema import Variable

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two coders.

    Attributes:
        first: the coder whose labels are the rows of the confusion.
        second: the coder whose labels are its columns.
        units: that both labelled.
        same: share of these with the same label.
        kappa: Cohen's.
        weighted: the same with squared distances of ranks; None where the labels have no order.
        confusion: counts, int [labels, labels].
    """

    first: str
    second: str
    units: int
    same: float
    kappa: Estimate
    weighted: Estimate | None
    confusion: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Difference:
    """A unit on which coders differ: one of its rows, and each coder's label."""

    row: Labelled
    said: dict[str, str]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the coders of one variable agree.

    Attributes:
        variable: its name, kind and labels.
        units: that at least two coders labelled.
        single: units that only one did.
        repeated: labels that a coder gave to a unit a second time; the last one counts.
        coders: by name.
        nominal: alpha, every difference alike.
        ordinal: alpha by ranks; None where the labels have no order.
        pairs: of coders with a unit in common.
        differences: the units on which not all coders agree.
    """

    variable: Variable
    units: int
    single: int
    repeated: int
    coders: list[str]
    nominal: Estimate
    ordinal: Estimate | None
    pairs: list[Pair]
    differences: list[Difference]


def agreement(rows: Iterable[Labelled], variable: Variable, *, draws: int = 1000, seed: int = 0) -> Agreement:
    """Measure the agreement of coders on one variable.

    Args:
        rows: of the table of labels; those without a label of the variable are left out.
        variable: with its labels in their order.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: a row has no coder, or no unit was labelled by two of them.
    """
    said: dict[tuple[str, str, str], dict[str, str]] = {}
    row_of: dict[tuple[str, str, str], Labelled] = {}
    repeated = 0
    for row in rows:
        if (label := row.labels.get(variable.name)) is None:
            continue
        if not row.coder:
            raise ValueError(f"{row.where}: no coder; agreement is between coders: fill the column `coder`")
        repeated += row.coder in said.setdefault(row.unit, {})
        said[row.unit][row.coder] = label
        row_of[row.unit] = row
    shared = {unit: labels for unit, labels in said.items() if len(labels) > 1}
    coders = sorted({coder for labels in said.values() for coder in labels})
    if not shared:
        raise ValueError(
            f"{variable.name}: no sentence was labelled by two coders; there {'is' if len(coders) == 1 else 'are'} "
            f"{len(coders)} ({', '.join(coders) or 'none'}) on {len(said)} sentences: give both coders' labels"
        )
    number = {label: at for at, label in enumerate(variable.labels)}
    size, ordered = len(number), variable.kind == "ordinal"
    coincidences = np.array([_coincidences([number[v] for v in labels.values()], size) for labels in shared.values()])
    pairs = []
    for first, second in combinations(coders, 2):
        both = [(number[v[first]], number[v[second]]) for v in shared.values() if first in v and second in v]
        if not both:
            continue
        cells = np.zeros((len(both), size, size))
        cells[(np.arange(len(both)), *np.array(both).T)] = 1
        pairs.append(
            Pair(
                first,
                second,
                len(both),
                float(np.mean([a == b for a, b in both])),
                _estimate(cells, kappa, draws, seed),
                _estimate(cells, lambda table: kappa(table, weighted=True), draws, seed) if ordered else None,
                cells.sum(0).astype(np.int64),
            )
        )
    return Agreement(
        variable,
        len(shared),
        len(said) - len(shared),
        repeated,
        coders,
        _estimate(coincidences, alpha, draws, seed),
        _estimate(coincidences, lambda table: alpha(table, ordinal=True), draws, seed) if ordered else None,
        pairs,
        [Difference(row_of[u], labels) for u, labels in shared.items() if len({*labels.values()}) > 1],
    )


def _coincidences(values: Sequence[int], size: int) -> Floats:
    """Return a unit's part of the coincidence matrix, [size, size]: each pair of its values, in both orders."""
    counts = np.bincount(values, minlength=size)
    return (np.outer(counts, counts) - np.diag(counts)) / (len(values) - 1)


def alpha(coincidences: Floats, *, ordinal: bool = False) -> Floats:
    """Return Krippendorff's alpha of coincidence matrices; NaN where all values are the same.

    Args:
        coincidences: [..., labels, labels], symmetric.
        ordinal: whether the labels stand in order, and differ by how many values lie between them.
    """
    marginal = coincidences.sum(-1)
    total = marginal.sum(-1)
    if ordinal:
        middle = marginal.cumsum(-1) - marginal / 2
        distance = (middle[..., :, None] - middle[..., None, :]) ** 2
    else:
        distance = np.broadcast_to(1.0 - np.eye(marginal.shape[-1]), coincidences.shape)
    observed = (coincidences * distance).sum((-1, -2))
    expected = (marginal[..., :, None] * marginal[..., None, :] * distance).sum((-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan)


def kappa(table: Floats, *, weighted: bool = False) -> Floats:
    """Return Cohen's kappa of tables of counts; NaN where both coders have one and the same label only.

    Args:
        table: [..., labels of the first, labels of the second].
        weighted: whether a disagreement weighs the square of the ranks between the labels.
    """
    rank = np.arange(table.shape[-1])
    distance = (rank[:, None] - rank) ** 2.0 if weighted else 1.0 - np.eye(len(rank))
    expected = table.sum(-1)[..., :, None] * table.sum(-2)[..., None, :] / table.sum((-1, -2))[..., None, None]
    by_chance = (expected * distance).sum((-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(by_chance > 0, 1 - (table * distance).sum((-1, -2)) / by_chance, np.nan)


def _estimate(parts: Floats, figure: Callable[[Floats], Floats], draws: int, seed: int) -> Estimate:
    """Return the figure of the sum of the units' parts [units, labels, labels], and its interval over units."""
    value = float(figure(parts.sum(0)))
    if len(parts) < 2:
        return Estimate(value, np.nan, np.nan)
    units, size, _ = parts.shape
    drawn = [
        figure((counts @ parts.reshape(units, -1)).reshape(-1, size, size))
        for counts in resampled_counts(np.ones(units), draws=draws, seed=seed)
    ]
    # In some draws only one label is left, which has no agreement.
    return estimate_from_draws(value, np.concatenate(drawn), skip_undefined=True)
