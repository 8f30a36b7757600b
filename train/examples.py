"""Training rows: a sentence, its pairs of actors, and what is known of each pair, whatever corpus it comes from.

Every label is a distribution over a head's labels with a weight, so that a hard label, a smoothed one and a teacher's
soft one are the same thing to the loss.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from detente.data.codebook.labels import flip
from detente.data.corpora.examples import Example
from detente.models.config import HEADS
from detente.models.features import Item, Span


@dataclass(slots=True)
class Label:
    """What is known of one pair.

    Attributes:
        heads: distribution over the labels of each head that the pair has a label for.
        weight: factor of the loss.
        cue: spans of the cue in the sentence; empty if there are none; None if not annotated.
        back: distribution of each head that asks what the first actor does to the second, for the other order.
    """

    heads: dict[str, list[float]]
    weight: float = 1.0
    cue: list[Span] | None = None
    back: dict[str, list[float]] = field(default_factory=dict)


@dataclass(slots=True)
class Row:
    """One sentence with its actors, pairs and labels.

    Attributes:
        text: the sentence.
        states: code of each actor; empty where the corpus has none.
        actors: spans of each actor's mentions.
        pairs: (first, second) as indices into the actors.
        labels: one for each pair.
        corpus: where it comes from.
        ordered: whether the first actor of a pair has a role (PLV's source); else the order is drawn anew each time.
        date: ISO date of the article, or empty.
    """

    text: str
    states: list[str]
    actors: list[list[Span]]
    pairs: list[tuple[int, int]]
    labels: list[Label]
    corpus: str
    ordered: bool = True
    date: str = ""

    @property
    def item(self) -> Item:
        """What the network reads of the row."""
        return Item(self.text, self.actors, self.pairs)

    def actor(self, state: str, spans: Sequence[Span]) -> int:
        """Return the index of an actor, which is added if it is new."""
        for index, known in enumerate(zip(self.states, self.actors, strict=True)):
            if known == (state, list(spans)):
                return index
        self.states.append(state)
        self.actors.append(list(spans))
        return len(self.actors) - 1


def one_hot(head: str, label: str) -> list[float]:
    """Return a label as a distribution over its head's labels."""
    labels = HEADS[head]
    vector = [0.0] * len(labels)
    vector[labels.index(label)] = 1.0
    return vector


@dataclass(frozen=True, slots=True)
class Trust:
    """How far labels are believed.

    Attributes:
        confidence: weight of a label by the annotator's confidence (1 guess, 2 probable, 3 clear).
        agreement: share of careful readers who give the same tone, by confidence, where a second-best tone is given:
            the target is a distribution over the two.
        sentence: largest total weight of the pairs of one sentence, so that a list of twenty states doesn't count as
            190 sentences.
    """

    confidence: Mapping[int, float] = field(default_factory=dict)
    agreement: Mapping[int, float] = field(default_factory=dict)
    sentence: float = math.inf


def rows_of(examples: Iterable[Example], corpus: str, trust: Trust | None = None, weight: float = 1.0) -> list[Row]:
    """Gather examples into rows, one per sentence, in order of first appearance."""
    trust = trust or Trust()
    rows: dict[tuple[str, str], Row] = {}
    for example in examples:
        row = rows.setdefault(
            (example.text, example.date), Row(example.text, [], [], [], [], corpus, not example.dyad, example.date)
        )
        first, second = example.dyad.split("-") if example.dyad else ("", "")
        row.pairs.append((row.actor(first, example.a), row.actor(second, second_actor(example))))
        row.labels.append(label_of(example, weight, trust))
    for row in rows.values():
        if len(row.labels) > trust.sentence:
            for label in row.labels:
                label.weight *= trust.sentence / len(row.labels)
    return list(rows.values())


def second_actor(example: Example) -> tuple[Span, ...]:
    """Return the mentions of B; a corpus with one target (NewsMTSC) is read as the pair of the target with itself."""
    return example.a if example.polarity else example.b


def item_of(example: Example) -> Item:
    """Return one example as what the network reads, its one pair in the corpus' order."""
    return Item(example.text, [example.a, second_actor(example)], [(0, 1)])


def label_of(example: Example, weight: float, trust: Trust) -> Label:
    """Return the gold label of one example: hard, or a distribution over the best and the second-best tone."""
    heads = {
        head: one_hot(head, label) for head, labels in HEADS.items() if (label := getattr(example, head)) in labels
    }
    confidence = example.confidence or 3
    if example.second and (share := trust.agreement.get(confidence)):
        tone, second = heads["tone"], one_hot("tone", example.second)
        heads["tone"] = [share * a + (1 - share) * b for a, b in zip(tone, second, strict=True)]
    else:
        weight *= trust.confidence.get(confidence, 1.0)
    annotated = example.tone is not None
    cue = [example.cue] if example.cue else ([] if example.tone == "none" else None)
    return Label(heads, weight, cue if annotated else None)


def _exchanged(sentiment: str) -> str:
    """Return the sentiment as seen with p and q exchanged (`positive p>q` is `positive q>p`)."""
    what, _, who = sentiment.partition(" ")
    return f"{what} {who[::-1]}" if who else what


#: Where each label of a head that has an order stands when the actors are exchanged.
TURNED = {
    "direction": [HEADS["direction"].index(flip(label)) for label in HEADS["direction"]],
    "sentiment": [HEADS["sentiment"].index(_exchanged(label)) for label in HEADS["sentiment"]],
}


def flipped(label: Label) -> Label:
    """Return the label of the pair with its actors exchanged."""
    turned = {head: [label.heads[head][i] for i in order] for head, order in TURNED.items() if head in label.heads}
    back = {head: label.heads[head] for head in label.back}
    return replace(label, heads={**label.heads, **turned, **label.back}, back=back)
