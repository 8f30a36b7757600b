"""Which sentences are worth labelling: unsure ones, unlike each other, of all labels and dyads; and a random part.

Unsure by the margin of the two likeliest labels (Scheffer et al. 2001). Each label that the model gives has as many
places as the others, or rare ones would hardly be seen. A dyad or period has no more places than its share of the
corpus, or than the square root of its sentences gives it (Bankier 1988, power allocation) where that is more.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

Floats = NDArray[np.float64]

#: Cosine from which on two sentences are too much alike to label both.
ALIKE: Final = 0.9

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
    said: Sequence[str],
    places: Floats,
    number: int,
    *,
    groups: Sequence[Sequence[str]] = (),
) -> list[int]:
    """Choose rows that are unsure, unlike each other, and of all labels and groups.

    Args:
        unsure: [N], the higher the more worth labelling.
        said: [N], the label that the model gives each row.
        places: [N, D], where rows that are alike are near.
        number: how many to choose; all where there are fewer.
        groups: ways to group the rows (their dyads, their years), a name for each row.

    Returns:
        The rows' numbers.
    """
    order = np.argsort(-unsure, kind="stable").tolist()
    if number >= len(order):
        return order  # type: ignore[no-any-return]
    ways = [said, *groups]
    equal = int(np.ceil(number / len(set(said))))
    most = [dict.fromkeys(said, equal), *(_quotas(names, number) for names in groups)]
    taken: list[Counter[str]] = [Counter() for _ in ways]
    unit = places / np.maximum(np.linalg.norm(places, axis=1, keepdims=True), 1e-9)
    chosen: list[int] = []
    for row in order:
        names = [way[row] for way in ways]
        full = any(count[name] >= quota[name] for name, count, quota in zip(names, taken, most, strict=True))
        if full or (chosen and (unit[chosen] @ unit[row]).max() > ALIKE):
            continue
        chosen.append(row)
        for name, count in zip(names, taken, strict=True):
            count[name] += 1
        if len(chosen) == number:
            return chosen
    left = set(chosen)  # the quotas of a way may be used up before those of another
    return [*chosen, *[row for row in order if row not in left][: number - len(chosen)]]


def _quotas(names: Sequence[str], number: int) -> dict[str, int]:
    """Return how many places each group may take."""
    sizes = Counter(names)
    whole = sum(size**0.5 for size in sizes.values())
    return {name: int(np.ceil(number * max(size**0.5 / whole, size / len(names)))) for name, size in sizes.items()}
