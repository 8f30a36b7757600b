"""Baselines: the most frequent label, and TF-IDF with logistic regression."""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from detente.data.corpora.examples import Example
from detente.data.corpora.load import read
from detente.models.config import HEADS
from detente.models.features import mark
from detente.train.evaluate.benchmarks import Benchmark, Scores
from detente.train.examples import item_of


def majority() -> Pipeline:
    """Return a classifier that always predicts the most frequent training label."""
    return make_pipeline(DummyClassifier(strategy="prior"))


def tfidf() -> Pipeline:
    """Return logistic regression over TF-IDF of unigrams and bigrams, with marked actors."""
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\[/?[AB]\]|\w+"),
        LogisticRegression(C=10.0, max_iter=2000, class_weight="balanced"),
    )


BASELINES: dict[str, Callable[[], Pipeline]] = {"majority": majority, "TF-IDF": tfidf}


def baseline(build: Callable[[], Pipeline], benchmark: Benchmark, examples: Sequence[Example]) -> list[Scores]:
    """Train a baseline per head that a benchmark's corpus has labels for, and predict examples.

    Returns:
        Scores without a cue, uniform for heads without labels.
    """
    training = read(benchmark.corpus, benchmark.training).examples
    heads = {head: np.full((len(examples), len(labels)), 1 / len(labels)) for head, labels in HEADS.items()}
    for head, labels in HEADS.items():
        rows = [(example, label) for example in training if (label := getattr(example, head)) in labels]
        if not rows:
            continue
        classifier = build().fit([marked(e) for e, _ in rows], [labels.index(label) for _, label in rows])
        heads[head] = np.zeros((len(examples), len(labels)))
        heads[head][:, classifier.classes_] = classifier.predict_proba([marked(e) for e in examples])
    return [Scores({head: rows[i].astype(np.float32) for head, rows in heads.items()}) for i in range(len(examples))]


def marked(example: Example) -> str:
    """Return the sentence with both actors marked, so that their neighbouring words can be features."""
    return mark(item_of(example)).text
