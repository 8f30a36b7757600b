"""How often an audit's intervals hold the truth: samples of a corpus that is labelled to the last row.

    python -m detente.train.experiments.audit_coverage

The corpus is the annotations' train part, scored by TF-IDF and a linear classifier that was trained on the other half
of its sentences. Each of 200 samples of 300 rows is audited, and the true shares are looked for in the intervals.
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
    parser.add_argument("--rows", type=int, default=300, help="of a sample")
    chosen = parser.parse_args(arguments)
    examples = read("annotations", "train").examples
    texts, gold = [marked(example) for example in examples], np.array([str(example.tone) for example in examples])
    half = np.array([int(example.sentence_id, 16) % 2 for example in examples])
    said = gold.copy()
    for side in (0, 1):
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True), SGDClassifier(random_state=0)
        )
        model.fit([texts[i] for i in np.flatnonzero(half != side)], gold[half != side])
        said[half == side] = model.predict([texts[i] for i in np.flatnonzero(half == side)])
    counts = Counter(said.tolist())
    shares = np.array([np.mean(gold == tone) for tone in TONES])
    truth = dict(zip(TONES, map(float, shares), strict=True)) | {"warmth": float(mean(shares, TONES, WARMTH))}
    inside, widths, errors = Counter[str](), Counter[str](), Counter[str]()
    for seed in range(chosen.samples):
        rows = np.random.default_rng(seed).choice(len(gold), chosen.rows, replace=False)
        found = audit(
            gold[rows].tolist(),
            Scored(counts, float("nan"), said[rows].tolist()),
            labels=TONES,
            scores=WARMTH,
            draws=1000,
            seed=seed,
        )
        figures = {tone: of.corrected for tone, of in found.classes.items()} | {"warmth": found.corrected_warmth}
        for name, figure in figures.items():
            inside[name] += figure.low <= truth[name] <= figure.high
            widths[name] += figure.high - figure.low  # type: ignore[assignment]
            errors[name] += figure.value - truth[name]  # type: ignore[assignment]
    report = {
        "corpus": len(gold),
        "accuracy": round(float(np.mean(said == gold)), 3),
        "of all shares, inside": round(sum(inside[tone] for tone in TONES) / len(TONES) / chosen.samples, 3),
        **{
            name: {
                "true": round(truth[name], 3),
                **({"scored": round(counts[name] / len(gold), 3)} if name in TONES else {}),
                "inside": inside[name] / chosen.samples,
                "mean width": round(widths[name] / chosen.samples, 3),
                "mean error": round(errors[name] / chosen.samples, 4),
            }
            for name in truth
        },
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
