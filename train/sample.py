"""Which sentences are worth labelling: unsure ones, unlike each other, from all dyads and periods, and a random part.

Unsure by the margin of the two likeliest labels (Scheffer et al. 2001), unlike each other by clusters of the unsure
ones, one from each (Zhdanov 2019, "Diverse mini-batch active learning"). A dyad or period gets places by the square
root of its sentences (Bankier 1988, power allocation), so that the common ones don't take them all.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

Floats = NDArray[np.float64]

#: For each sentence to choose, so many of the unsurest are looked at.
REACH: Final = 5

#: Numbers that a sentence's words are told in.
_WIDTH: Final = 64


def margin(probabilities: Floats) -> Floats:
    """Return how unsure a model is, [N] in 0..1: 1 where the two likeliest of its labels are as likely.

    Args:
        probabilities: [N, labels].
    """
    best = np.sort(probabilities, axis=1)
    unsure: Floats = 1 - (best[:, -1] - best[:, -2])
    return unsure


def vectors(sentences: Sequence[str], seed: int = 0) -> Floats:
    """Return what sentences are about, [N, at most 64], of length 1: TF-IDF of their words, in few numbers (LSA)."""
    table = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\w+").fit_transform(sentences)
    width = min(_WIDTH, min(table.shape) - 1)
    if width < 2:
        return np.asarray(table.toarray())
    return np.asarray(normalize(TruncatedSVD(width, n_iter=3, random_state=seed).fit_transform(table)))


def choose(
    unsure: Floats,
    places: Floats,
    number: int,
    *,
    groups: Sequence[Sequence[str]] = (),
    seed: int = 0,
) -> list[int]:
    """Choose rows that are unsure, unlike each other, and of all groups.

    Args:
        unsure: [N], the higher the more worth labelling.
        places: [N, D], where rows that are alike are near.
        number: how many to choose; all where there are fewer.
        groups: ways to group the rows (their dyads, their years), a name for each row; each way's places are shared
            out by the square root of its groups' sizes.
        seed: of the clusters.

    Returns:
        The rows' numbers.
    """
    order = np.argsort(-unsure, kind="stable")
    if number >= len(order):
        return order.tolist()  # type: ignore[no-any-return]
    quotas = [_quotas(names, number) for names in groups]
    near = order[: number * REACH]
    clusters = KMeans(number, n_init=1, max_iter=30, random_state=seed) if number < len(near) else None
    cluster = (
        np.arange(len(near)) if clusters is None else clusters.fit_predict(places[near], None, unsure[near] + 1e-6)
    )
    # The unsurest of each cluster, then the second of each, and so on; then what is left, by how unsure it is.
    rank = np.zeros(len(near), dtype=np.int64)
    seen: Counter[int] = Counter()
    for at, of in enumerate(cluster.tolist()):
        rank[at] = seen[of]
        seen[of] += 1
    turn = [*near[np.argsort(rank, kind="stable")].tolist(), *order[len(near) :].tolist()]
    chosen: list[int] = []
    taken: list[Counter[str]] = [Counter() for _ in groups]
    for row in turn:
        names = [way[row] for way in groups]
        if all(count[name] < quota[name] for name, count, quota in zip(names, taken, quotas, strict=True)):
            chosen.append(row)
            for name, count in zip(names, taken, strict=True):
                count[name] += 1
            if len(chosen) == number:
                return chosen
    left = set(chosen)  # the quotas of a way may be used up before those of another
    return [*chosen, *[row for row in turn if row not in left][: number - len(chosen)]]


def _quotas(names: Sequence[str], number: int) -> dict[str, int]:
    """Return how many places each group may take: by the square root of its size, one at least."""
    sizes = Counter(names)
    whole = sum(size**0.5 for size in sizes.values())
    return {name: int(np.ceil(number * size**0.5 / whole)) for name, size in sizes.items()}
