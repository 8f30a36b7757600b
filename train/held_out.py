"""Sentences excluded from training: those that models are selected and evaluated on."""

import re
from collections.abc import Iterator

import orjson

from detente.data.corpora import load as corpora

#: Files of articles for end-to-end evaluation, in a folder of corpora.
ARTICLES = ("articles/dev.jsonl", "articles/test_unlabelled.jsonl")

_WORD = re.compile(r"\w+")


def key(text: str) -> str:
    """Return a sentence's key: its words in lower case, independent of punctuation and spacing."""
    return " ".join(_WORD.findall(text.casefold()))


def held_out() -> frozenset[str]:
    """Return the keys of all sentences in dev and test splits, including the reserved test rows.

    Raises:
        CorpusError: a corpus isn't on disk, so its sentences are unknown.
    """
    return reserved() | {
        key(example.text)
        for entry in corpora.catalogue()
        if entry.labelled
        for split in entry.splits
        if split != "train"
        for example in corpora.read(entry.name, split).examples
    }


def reserved() -> frozenset[str]:
    """Return the keys of the sentences of the article evaluation, as far as they are on disk.

    These are the dev and test articles with two annotators, and the dev split of `newsroom`.
    """
    newsroom = corpora.find("newsroom").splits["dev"]
    texts = corpora.read("newsroom", "dev").examples if corpora.on_disk(newsroom.path) else []
    return frozenset(map(key, _article_sentences())) | {key(example.text) for example in texts}


def _article_sentences() -> Iterator[str]:
    for name in ARTICLES:
        if path := corpora.on_disk(name):
            for line in path.read_bytes().splitlines():
                for paragraph in orjson.loads(line)["paragraphs"]:
                    yield from paragraph
