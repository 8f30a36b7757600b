"""Choose sentences to label: uncertain, diverse, and covering all labels and dyads.

Uncertainty is the margin of the two most probable labels (Scheffer et al. 2001). All predicted labels get the same
quota, or rare ones would hardly occur. The quota of a dyad or period is its share of the corpus, or its share by the
square roots of sizes (Bankier 1988, power allocation) if that is larger.
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

#: Sentences with a larger cosine similarity are too similar to label both.
MAX_SIMILARITY: Final = 0.9

#: Dimensions of a sentence vector.
_WIDTH: Final = 64


def margin(probabilities: Floats) -> Floats:
    """Return a model's uncertainty, [N] in 0..1: 1 if the two most probable labels are equally probable.

    Args:
        probabilities: [N, labels].
    """
    best = np.sort(probabilities, axis=1)
    unsure: Floats = 1 - (best[:, -1] - best[:, -2])
    return unsure


def vectors(sentences: Sequence[str], seed: int = 0) -> Floats:
    """Return unit vectors of sentences by topic, [N, at most 64]: TF-IDF reduced by LSA."""
    table = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\w+").fit_transform(sentences)
    width = min(_WIDTH, min(table.shape) - 1)
    if width < 2:
        return np.asarray(table.toarray())
    return np.asarray(normalize(TruncatedSVD(width, n_iter=3, random_state=seed).fit_transform(table)))


def choose(
    unsure: Floats,
    predictions: Sequence[str],
    embeddings: Floats,
    number: int,
    *,
    groups: Sequence[Sequence[str]] = (),
) -> list[int]:
    """Choose rows that are uncertain, diverse, and of all labels and groups.

    Args:
        unsure: [N], uncertainty.
        predictions: [N], predicted labels.
        embeddings: [N, D], vectors whose cosine is the rows' similarity.
        number: maximum number of rows.
        groups: groupings of the rows (dyads, years), each with a name per row.

    Returns:
        The indices of the chosen rows.
    """
    order = np.argsort(-unsure, kind="stable").tolist()
    if number >= len(order):
        return order  # type: ignore[no-any-return]
    groupings = [predictions, *groups]
    label_quota = int(np.ceil(number / len(set(predictions))))
    quotas = [dict.fromkeys(predictions, label_quota), *(_quotas(names, number) for names in groups)]
    counts: list[Counter[str]] = [Counter() for _ in groupings]
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-9)
    chosen: list[int] = []
    for row in order:
        names = [grouping[row] for grouping in groupings]
        full = any(count[name] >= quota[name] for name, count, quota in zip(names, counts, quotas, strict=True))
        if full or (chosen and (unit[chosen] @ unit[row]).max() > MAX_SIMILARITY):
            continue
        chosen.append(row)
        for name, count in zip(names, counts, strict=True):
            count[name] += 1
        if len(chosen) == number:
            return chosen
    selected = set(chosen)  # the quotas of one grouping may be used up before those of another
    return [*chosen, *[row for row in order if row not in selected][: number - len(chosen)]]


def _quotas(names: Sequence[str], number: int) -> dict[str, int]:
    """Return the maximum number of rows of each group."""
    sizes = Counter(names)
    total = sum(size**0.5 for size in sizes.values())
    return {name: int(np.ceil(number * max(size**0.5 / total, size / len(names)))) for name, size in sizes.items()}
