"""How many labels the sampler saves: a simulation on the annotations, whose labels stand in for a coder's.

    python -m detente.train.experiments.sampling_savings

The learner is logistic regression on frozen pair vectors of all-MiniLM-L6-v2, which saw none of these labels (the
shipped model did). From 100 sentences drawn at random it goes on in rounds of 100: each round is drawn at random, or by
`sample.choose` from what the learner of the round before is unsure of. Measured is the macro F1 of the five tones on
held-out sentences of `train` and `dev`, never `test`; a figure is the labels with which a curve first reaches an F1.
"""

import argparse
import json
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from transformers import AutoModel, AutoTokenizer

from detente.data.codebook.labels import TONES
from detente.data.corpora.examples import Example, Span
from detente.data.corpora.load import read
from detente.train.base_models import locate
from detente.train.evaluate.metrics import macro_f1
from detente.train.sampling.uncertainty import choose, margin

Floats = NDArray[np.float64]

#: The encoder, frozen.
BASE = "sentence-transformers/all-MiniLM-L6-v2"


def pair_vectors(examples: Sequence[Example]) -> Floats:
    """Return what an encoder that wasn't fine-tuned makes of sentences and pairs, [N, 3 x width].

    The mean of the sentence, the sum of the two states (their order is that of the alphabet), and their product.
    """
    tokenizer, encoder = AutoTokenizer.from_pretrained(locate(BASE)), AutoModel.from_pretrained(locate(BASE)).eval()
    order = np.argsort([len(example.text) for example in examples])
    found: list[NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * len(examples)
    with torch.inference_mode():
        for at in range(0, len(order), 32):
            some = order[at : at + 32]
            batch = tokenizer(
                [examples[i].text for i in some],
                padding=True,
                truncation=True,
                max_length=96,
                return_offsets_mapping=True,
                return_tensors="pt",
            )
            offsets = batch.pop("offset_mapping")
            hidden = encoder(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None]
            means = (hidden * mask).sum(1) / mask.sum(1)
            for row, i in enumerate(some):
                a, b = (
                    _pooled(hidden[row], offsets[row], spans, means[row]) for spans in (examples[i].a, examples[i].b)
                )
                found[i] = torch.cat([means[row], a + b, a * b]).numpy()
    vectors = np.array(found, dtype=np.float64)
    spread = vectors.std(0)
    return np.asarray((vectors - vectors.mean(0)) / np.where(spread > 1e-9, spread, 1.0))  # some never change


def _pooled(
    hidden: torch.Tensor, offsets: torch.Tensor, spans: Sequence[Span], otherwise: torch.Tensor
) -> torch.Tensor:
    inside = torch.zeros(len(hidden), dtype=torch.bool)
    for start, end in spans:
        inside |= (offsets[:, 0] < end) & (offsets[:, 1] > start)
    return hidden[inside].mean(0) if inside.any() else otherwise


def curve(
    vectors: Floats,
    places: Floats,
    labels: NDArray[np.str_],
    pool: NDArray[np.int64],
    held_out: NDArray[np.int64],
    groups: Sequence[Sequence[str]],
    *,
    at_random: bool,
    seed: int,
    rounds: int,
    step: int = 100,
) -> list[float]:
    """Return the macro F1 after each round of labels."""
    rest = np.random.default_rng(seed).permutation(pool)
    known, rest = rest[:step], rest[step:]
    scores = []
    for _ in range(rounds):
        learner = LogisticRegression(C=0.003, max_iter=200, class_weight="balanced").fit(vectors[known], labels[known])
        said = learner.predict(vectors[held_out])
        scores.append(macro_f1(list(labels[held_out]), list(said), TONES))
        if at_random:
            chosen = np.arange(step)
        else:
            likely = learner.predict_proba(vectors[rest])
            of = [[way[i] for i in rest] for way in groups]
            answers = learner.classes_[likely.argmax(axis=1)].tolist()
            chosen = np.array(choose(margin(likely), answers, places[rest], step, groups=of))
        known = np.concatenate([known, rest[chosen]])
        rest = np.delete(rest, chosen)
    return scores


def labels_for(scores: Sequence[float], target: float, step: int = 100) -> float:
    """Return how many labels a curve needs to reach an F1, between two rounds by a straight line; NaN if it doesn't."""
    best = np.maximum.accumulate(scores)
    at = int(np.searchsorted(best, target))
    if at == len(best):
        return float("nan")
    if at == 0:
        return float(step)
    return step * (at + float((target - best[at - 1]) / (best[at] - best[at - 1])))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the simulation and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=12, help="of 100 labels")
    parser.add_argument("--rows", type=int, default=10_435, help="of the annotations' train part to use")
    chosen = parser.parse_args(arguments)
    train, dev = (read("annotations", split).examples for split in ("train", "dev"))
    order = np.random.default_rng(0).permutation(len(train))[: chosen.rows].tolist()
    examples = [train[i] for i in order] + list(dev)
    vectors = pair_vectors(examples)
    places = PCA(64, random_state=0).fit_transform(vectors)
    labels = np.array([example.tone for example in examples])
    is_held = np.array([e.split == "dev" or int(e.sentence_id, 16) % 4 == 0 for e in examples])
    groups = [[example.dyad for example in examples], [example.date[:4] for example in examples]]
    curves = {
        name: [
            curve(
                vectors,
                places,
                labels,
                np.flatnonzero(~is_held),
                np.flatnonzero(is_held),
                groups,
                at_random=name == "random",
                seed=seed,
                rounds=chosen.rounds,
            )
            for seed in range(chosen.seeds)
        ]
        for name in ("random", "sample")
    }
    means = {name: np.mean(rows, 0) for name, rows in curves.items()}
    targets = np.maximum.accumulate(means["random"])[[chosen.rounds // 2 - 1, chosen.rounds - 1]]
    report = {
        "pool": int((~is_held).sum()),
        "held out": int(is_held.sum()),
        "macro F1": {name: [round(100 * float(v), 1) for v in row] for name, row in means.items()},
        "labels": [
            {
                "F1": round(100 * float(target), 1),
                **{name: round(labels_for(list(row), target)) for name, row in means.items()},
                "ratio by seed": [
                    round(labels_for(ours, target) / labels_for(theirs, target), 2)
                    for ours, theirs in zip(curves["sample"], curves["random"], strict=True)
                ],
            }
            for target in targets
            if not np.isnan(labels_for(list(means["sample"]), target))
        ],
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
