"""Training rows: a sentence, its pairs of actors and their labels, the same for every corpus.

Every label is a distribution over a head's labels with a weight, so that the loss treats hard, smoothed and a teacher's
soft labels alike.
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
    """The labels of one pair.

    Attributes:
        heads: distribution over the labels of each labelled head.
        weight: factor of the loss.
        cue: spans of the cue in the sentence; empty if there are none, None if not annotated.
        reversed_heads: distribution for the reversed pair, for each head about what the first actor does to the second.
    """

    heads: dict[str, list[float]]
    weight: float = 1.0
    cue: list[Span] | None = None
    reversed_heads: dict[str, list[float]] = field(default_factory=dict)


@dataclass(slots=True)
class Row:
    """One sentence with its actors, pairs and labels.

    Attributes:
        text: the sentence.
        states: code of each actor; empty if the corpus names none.
        actors: spans of each actor's mentions.
        pairs: (first, second) as indices into the actors.
        labels: one label per pair.
        corpus: name of the corpus.
        ordered: whether the first actor of a pair has a role (PLV's source); if not, the order is random in each epoch.
        date: ISO date of the article; empty if unknown.
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
        """The network's input."""
        return Item(self.text, self.actors, self.pairs)

    def actor(self, state: str, spans: Sequence[Span]) -> int:
        """Return the index of an actor, adding it if it is new."""
        for index, actor in enumerate(zip(self.states, self.actors, strict=True)):
            if actor == (state, list(spans)):
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
    """How much the labels are trusted.

    Attributes:
        confidence: weight of a label by the annotator's confidence (1 guess, 2 probable, 3 clear).
        agreement: share of careful readers who give the same tone, by confidence. If a second-best tone is annotated,
            the target is a distribution over the two: this share and the rest.
        sentence: maximum total weight of one sentence's pairs, so that a list of twenty states doesn't count as 190
            sentences.
    """

    confidence: Mapping[int, float] = field(default_factory=dict)
    agreement: Mapping[int, float] = field(default_factory=dict)
    sentence: float = math.inf


def rows_of(examples: Iterable[Example], corpus: str, trust: Trust | None = None, weight: float = 1.0) -> list[Row]:
    """Group examples into rows, one per sentence, in order of first appearance."""
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
    """Return the mentions of B; in a corpus with one target (NewsMTSC), the target is paired with itself."""
    return example.a if example.polarity else example.b


def item_of(example: Example) -> Item:
    """Return the network's input for one example, its pair in the corpus' order."""
    return Item(example.text, [example.a, second_actor(example)], [(0, 1)])


def label_of(example: Example, weight: float, trust: Trust) -> Label:
    """Return the label of one example: one-hot, or a distribution over the best and the second-best tone."""
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


def _reverse_sentiment(sentiment: str) -> str:
    """Return the sentiment of the reversed pair (`positive p>q` becomes `positive q>p`)."""
    polarity, _, direction = sentiment.partition(" ")
    return f"{polarity} {direction[::-1]}" if direction else polarity


#: For each head with directed labels, the index of each label's counterpart for the reversed pair.
REVERSED_INDEX = {
    "direction": [HEADS["direction"].index(flip(label)) for label in HEADS["direction"]],
    "sentiment": [HEADS["sentiment"].index(_reverse_sentiment(label)) for label in HEADS["sentiment"]],
}


def reverse_pair(label: Label) -> Label:
    """Return the label of the reversed pair."""
    permuted = {
        head: [label.heads[head][i] for i in order] for head, order in REVERSED_INDEX.items() if head in label.heads
    }
    reversed_heads = {head: label.heads[head] for head in label.reversed_heads}
    return replace(label, heads={**label.heads, **permuted, **label.reversed_heads}, reversed_heads=reversed_heads)
