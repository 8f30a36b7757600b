"""An item as the network reads it, and the way back from its characters to the sentence's."""

from dataclasses import dataclass
from itertools import product

from tokenizers import Encoding

from detente.models.features import MARKERS, Item, Span, mark, tokens_of

#: What stands for the words left out between two far mentions.
GAP = " … "


@dataclass(frozen=True, slots=True)
class Excerpt:
    """An item whose text was shortened or marked for the network.

    Attributes:
        item: what the network reads.
        origin: for each character of the item's text its offset in the sentence, -1 where it was put in;
            None where the text is the sentence.
    """

    item: Item
    origin: list[int] | None = None

    def source(self, span: Span) -> Span:
        """Return a token's span in the sentence; empty where the token stands for no word of it."""
        start, end = span
        if self.origin is None or start == end:
            return span
        first, last = self.origin[start], self.origin[end - 1]
        return (0, 0) if first < 0 or last < first else (first, last + 1)


def is_cut(encoding: Encoding, item: Item, pair: tuple[int, int]) -> bool:
    """Return whether an actor of the pair is named only behind the tokens that are read."""
    return bool(encoding.overflowing) and any(
        not any(tokens_of(encoding, span) for span in item.actors[actor]) for actor in pair
    )


def around(item: Item, pair: tuple[int, int], budget: int) -> Excerpt:
    """Take the part of a long sentence in which its two actors stand nearest to each other.

    Where even that part is too long, the words around both mentions are taken and the middle is left out.

    Args:
        item: the sentence.
        pair: its two actors, each with a mention.
        budget: characters to take.
    """
    couples = [sorted(couple) for couple in product(item.actors[pair[0]], item.actors[pair[1]])]
    # The order of the pair must not matter, so ties go to the couple that stands first.
    low, high = min(couples, key=lambda couple: (couple[1][1] - couple[0][0], couple))
    if high[1] - low[0] <= budget:
        windows = [_window(item.text, low[0], max(high[1], low[1]), budget)]
    else:
        windows = [_window(item.text, *span, budget // 2) for span in (low, high)]
    text, origin = "", list[int]()
    for start, end in windows:
        if text:
            text += GAP
            origin += [-1] * len(GAP)
        text += item.text[start:end]
        origin += range(start, end)
    place = {source: at for at, source in enumerate(origin) if source >= 0}
    actors = [
        [(place[s], place[e - 1] + 1) for s, e in item.actors[actor] if s in place and e - 1 in place] for actor in pair
    ]
    return Excerpt(Item(text, actors, [(0, 1)]), origin)


def _window(text: str, start: int, end: int, budget: int) -> Span:
    """Widen a span evenly to `budget` characters, whole words only."""
    room = max(0, budget - (end - start)) // 2
    left, right = max(0, start - room), min(len(text), end + room)
    if left > 0 and (space := text.find(" ", left, start)) >= 0:
        left = space + 1
    if right < len(text) and (space := text.rfind(" ", end, right)) >= 0:
        right = space
    return left, right


def marked(excerpt: Excerpt) -> Excerpt:
    """Put the markers of `features.mark` around the actors of an excerpt's one pair."""
    item = mark(excerpt.item)
    put_in: set[int] = set()
    for which, spans in enumerate(item.actors):
        for start, end in spans:
            put_in.update(range(start - len(MARKERS[2 * which]) - 1, start))
            put_in.update(range(end, end + len(MARKERS[2 * which + 1]) + 1))
    before = iter(range(len(excerpt.item.text)) if excerpt.origin is None else excerpt.origin)
    return Excerpt(item, [-1 if at in put_in else next(before) for at in range(len(item.text))])
