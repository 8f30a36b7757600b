"""Measure the coverage of an audit's intervals, by simulation on a fully labelled corpus.

    python -m detente.train.experiments.audit_coverage

The corpus is the annotations' train split, scored by cross-fitting TF-IDF and a linear classifier on two halves of its
sentences. Each of 200 samples of 300 rows is audited, and intervals that contain the true value are counted.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

from detente.data.codebook.labels import TONES, WARMTH
from detente.data.corpora.load import read
from detente.infer.audit.audit import Scored, audit, mean
from detente.train.evaluate.baselines import marked


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the simulation and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--rows", type=int, default=300, help="rows per sample")
    options = parser.parse_args(arguments)
    examples = read("annotations", "train").examples
    texts, gold = [marked(example) for example in examples], np.array([str(example.tone) for example in examples])
    half = np.array([int(example.sentence_id, 16) % 2 for example in examples])
    predictions = gold.copy()
    for side in (0, 1):
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True), SGDClassifier(random_state=0)
        )
        model.fit([texts[i] for i in np.flatnonzero(half != side)], gold[half != side])
        predictions[half == side] = model.predict([texts[i] for i in np.flatnonzero(half == side)])
    counts = Counter(predictions.tolist())
    shares = np.array([np.mean(gold == tone) for tone in TONES])
    truth = dict(zip(TONES, map(float, shares), strict=True)) | {"warmth": float(mean(shares, TONES, WARMTH))}
    inside, widths, errors = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(options.samples):
        rows = np.random.default_rng(seed).choice(len(gold), options.rows, replace=False)
        result = audit(
            gold[rows].tolist(),
            Scored(counts, float("nan"), predictions[rows].tolist()),
            labels=TONES,
            scores=WARMTH,
            draws=1000,
            seed=seed,
        )
        figures = {tone: estimate.corrected for tone, estimate in result.classes.items()}
        figures["warmth"] = result.corrected_warmth
        for name, figure in figures.items():
            inside[name] += figure.low <= truth[name] <= figure.high
            widths[name] += figure.high - figure.low  # type: ignore[assignment]
            errors[name] += figure.value - truth[name]  # type: ignore[assignment]
    report = {
        "corpus": len(gold),
        "accuracy": round(float(np.mean(predictions == gold)), 3),
        "of all shares, inside": round(sum(inside[tone] for tone in TONES) / len(TONES) / options.samples, 3),
        **{
            name: {
                "true": round(truth[name], 3),
                **({"scored": round(counts[name] / len(gold), 3)} if name in TONES else {}),
                "inside": inside[name] / options.samples,
                "mean width": round(widths[name] / options.samples, 3),
                "mean error": round(errors[name] / options.samples, 4),
            }
            for name in truth
        },
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
