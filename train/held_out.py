"""Sentences that no model may learn from: those that models are chosen and measured on."""

import re
from collections.abc import Iterator

import orjson

from detente.data.corpora import load as corpora

#: Files of whole articles that models are measured on end to end, in a folder of corpora.
ARTICLES = ("articles/dev.jsonl", "articles/test_unlabelled.jsonl")

_WORD = re.compile(r"\w+")


def key(text: str) -> str:
    """Return the words of a sentence in lower case, which identify it whatever its quotation marks and spaces."""
    return " ".join(_WORD.findall(text.casefold()))


def held_out() -> frozenset[str]:
    """Return the keys of all sentences in a split that isn't for training, the reserved test rows among them.

    Raises:
        CorpusError: one of the corpora isn't on disk, so that its sentences aren't known.
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
    """Return the keys of the sentences that whole articles are measured on, as far as they are on disk.

    These are the articles with two readings, dev and test, and the dev part of `newsroom`.
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
