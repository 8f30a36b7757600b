"""A pair is predicted in both of its orders, and the two predictions are joined to one."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from detente.data.codebook.labels import DIRECTIONS, QUAD_OF_ROOT, QUADS, flip
from detente.infer.encoder.base import Floats
from detente.models.config import OWN
from detente.models.features import Item, Span

#: Which root codes belong to a quad class, [`ROOTS`, `QUADS`].
_QUAD_OF_ROOT: Final = np.array([[quad == name for name in QUADS] for quad in QUAD_OF_ROOT], dtype=np.float32)

_REVERSED_INDEX: Final = [DIRECTIONS.index(flip(direction)) for direction in DIRECTIONS]


def both_orders(item: Item) -> Item:
    """Return an item with each pair in both orders, the order whose actor comes first in the sentence first."""
    pairs = [sorted(pair, key=lambda actor: _rank(item, actor)) for pair in item.pairs]
    return Item(item.text, item.actors, [order for a, b in pairs for order in ((a, b), (b, a))])


def is_reversed(items: Sequence[Item]) -> list[bool]:
    """Return for each pair of all items whether it was given in the second order of `both_orders`."""
    return [_rank(item, a) > _rank(item, b) for item in items for a, b in item.pairs]


def join_orders(heads: Mapping[str, Floats], turned: Sequence[bool]) -> dict[str, Floats]:
    """Join the rows of a pair's two orders to one row.

    Tone, direction and the variables of a scheme of one's own are the mean of both; the heads about a source and its
    target come from the order that the direction gives.

    Args:
        heads: probabilities by head, [2 P, labels]; the rows of a pair follow each other.
        turned: `is_reversed` of each pair, whose direction is then seen from its second row, [P].

    Returns:
        Probabilities by head, [P, labels].
    """
    first = {name: head[::2] for name, head in heads.items()}
    second = {name: head[1::2] for name, head in heads.items()}
    direction = (first["direction"] + second["direction"][:, _REVERSED_INDEX]) / 2
    from_second = (predicted_direction(direction) == DIRECTIONS.index("b>a"))[:, None]
    joined = {name: np.where(from_second, second[name], first[name]) for name in first}
    for name, probabilities in first.items():
        if name == "tone" or name.startswith(OWN):
            joined[name] = (probabilities + second[name]) / 2
    joined["direction"] = np.where(np.array(turned, dtype=bool)[:, None], direction[:, _REVERSED_INDEX], direction)
    return joined


def predicted_direction(direction: Floats) -> npt.NDArray[np.intp]:
    """Return the direction (index into `DIRECTIONS`) of each row of probabilities.

    Two actors that the sentence names by the same words ("the Quad") cannot be told apart: neither leads.
    """
    even = np.isclose(direction, direction[..., _REVERSED_INDEX], rtol=0, atol=1e-5).all(axis=-1)
    return np.where(even, DIRECTIONS.index("mutual"), direction.argmax(axis=-1))


def combine_quad_and_root(quad: Floats, root: Floats) -> Floats:
    """Join the quad head's probabilities with the sums of the root codes of each quad class.

    Their geometric mean, so that a class needs both. On PLV's dev rows it is right a little more often than the quad
    head alone, and a reading's root and quad contradict each other less.

    Args:
        quad: probabilities, [pairs, `QUADS`].
        root: probabilities, [pairs, `ROOTS`].
    """
    joint: Floats = np.sqrt(quad * (root @ _QUAD_OF_ROOT))
    joint /= joint.sum(axis=-1, keepdims=True)
    return joint


def _rank(item: Item, actor: int) -> list[Span]:
    """Return what orders two actors: their places in the sentence, whatever order they were given in."""
    return sorted(item.actors[actor])
