"""Measure how many labels the sampler saves, by simulation with the annotations' labels as a coder's.

    python -m detente.train.experiments.sampling_savings

The learner is logistic regression on frozen pair vectors of all-MiniLM-L6-v2, which wasn't trained on these labels (the
shipped model was). It starts with 100 random sentences and adds 100 per round, at random or by `uncertainty.choose`
from the predictions of the previous round's learner. The metric is macro F1 of the five tones on held-out sentences of
`train` and `dev`, never `test`; the result is the number of labels with which a curve first reaches a given F1.
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

#: Frozen encoder.
BASE = "sentence-transformers/all-MiniLM-L6-v2"


def pair_vectors(examples: Sequence[Example]) -> Floats:
    """Return standardized pair vectors by the pretrained encoder, [N, 3 x width].

    They concatenate the sentence's mean vector, the sum of the two states' vectors, and their product; sum and product
    don't depend on the order of the states.
    """
    tokenizer, encoder = AutoTokenizer.from_pretrained(locate(BASE)), AutoModel.from_pretrained(locate(BASE)).eval()
    order = np.argsort([len(example.text) for example in examples])
    rows: list[NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * len(examples)
    with torch.inference_mode():
        for start in range(0, len(order), 32):
            indices = order[start : start + 32]
            batch = tokenizer(
                [examples[i].text for i in indices],
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
            for row, i in enumerate(indices):
                a, b = (
                    _pooled(hidden[row], offsets[row], spans, means[row]) for spans in (examples[i].a, examples[i].b)
                )
                rows[i] = torch.cat([means[row], a + b, a * b]).numpy()
    vectors = np.array(rows, dtype=np.float64)
    spread = vectors.std(0)
    return np.asarray(
        (vectors - vectors.mean(0)) / np.where(spread > 1e-9, spread, 1.0)
    )  # some dimensions are constant


def _pooled(
    hidden: torch.Tensor, offsets: torch.Tensor, spans: Sequence[Span], otherwise: torch.Tensor
) -> torch.Tensor:
    inside = torch.zeros(len(hidden), dtype=torch.bool)
    for start, end in spans:
        inside |= (offsets[:, 0] < end) & (offsets[:, 1] > start)
    return hidden[inside].mean(0) if inside.any() else otherwise


def curve(
    vectors: Floats,
    embeddings: Floats,
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
    """Return the learning curve: macro F1 after each round."""
    rest = np.random.default_rng(seed).permutation(pool)
    labelled, rest = rest[:step], rest[step:]
    scores = []
    for _ in range(rounds):
        learner = LogisticRegression(C=0.003, max_iter=200, class_weight="balanced").fit(
            vectors[labelled], labels[labelled]
        )
        predictions = learner.predict(vectors[held_out])
        scores.append(macro_f1(list(labels[held_out]), list(predictions), TONES))
        if at_random:
            chosen = np.arange(step)
        else:
            probabilities = learner.predict_proba(vectors[rest])
            rest_groups = [[grouping[i] for i in rest] for grouping in groups]
            likeliest = learner.classes_[probabilities.argmax(axis=1)].tolist()
            chosen = np.array(choose(margin(probabilities), likeliest, embeddings[rest], step, groups=rest_groups))
        labelled = np.concatenate([labelled, rest[chosen]])
        rest = np.delete(rest, chosen)
    return scores


def labels_for(scores: Sequence[float], target: float, step: int = 100) -> float:
    """Return the number of labels at which a curve reaches an F1, linearly interpolated; NaN if it never does."""
    best = np.maximum.accumulate(scores)
    index = int(np.searchsorted(best, target))
    if index == len(best):
        return float("nan")
    if index == 0:
        return float(step)
    return step * (index + float((target - best[index - 1]) / (best[index] - best[index - 1])))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the simulation and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=12, help="number of rounds of 100 labels")
    parser.add_argument("--rows", type=int, default=10_435, help="rows of the annotations' train split to use")
    options = parser.parse_args(arguments)
    train, dev = (read("annotations", split).examples for split in ("train", "dev"))
    order = np.random.default_rng(0).permutation(len(train))[: options.rows].tolist()
    examples = [train[i] for i in order] + list(dev)
    vectors = pair_vectors(examples)
    embeddings = PCA(64, random_state=0).fit_transform(vectors)
    labels = np.array([example.tone for example in examples])
    is_held = np.array([e.split == "dev" or int(e.sentence_id, 16) % 4 == 0 for e in examples])
    groups = [[example.dyad for example in examples], [example.date[:4] for example in examples]]
    curves = {
        name: [
            curve(
                vectors,
                embeddings,
                labels,
                np.flatnonzero(~is_held),
                np.flatnonzero(is_held),
                groups,
                at_random=name == "random",
                seed=seed,
                rounds=options.rounds,
            )
            for seed in range(options.seeds)
        ]
        for name in ("random", "sample")
    }
    means = {name: np.mean(rows, 0) for name, rows in curves.items()}
    targets = np.maximum.accumulate(means["random"])[[options.rounds // 2 - 1, options.rounds - 1]]
    report = {
        "pool": int((~is_held).sum()),
        "held out": int(is_held.sum()),
        "macro F1": {name: [round(100 * float(v), 1) for v in row] for name, row in means.items()},
        "labels": [
            {
                "F1": round(100 * float(target), 1),
                **{name: round(labels_for(list(row), target)) for name, row in means.items()},
                "ratio by seed": [
                    round(labels_for(sampled, target) / labels_for(random, target), 2)
                    for sampled, random in zip(curves["sample"], curves["random"], strict=True)
                ],
            }
            for target in targets
            if not np.isnan(labels_for(list(means["sample"]), target))
        ],
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
