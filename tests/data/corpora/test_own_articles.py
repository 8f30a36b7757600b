"""The project's own articles: form, two readings of every pair, and no sentence that anything else holds."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from detente.data.codebook.labels import TONES
from detente.data.corpora import load as corpora
from detente.data.corpora.readers import unlist
from detente.data.gazetteer.gazetteer import tables

Record = dict[str, Any]

ROOT = Path(__file__).resolve().parents[3]
ARTICLES = ROOT / "data" / "corpora" / "articles.jsonl"
SHARED = ROOT.parent / "shared"
KINDS = {"wire", "daily", "state media", "ministry", "briefing", "editorial"}


@pytest.fixture(scope="module")
def articles() -> list[Record]:
    return [json.loads(line) for line in ARTICLES.read_text("utf-8").splitlines()]


def sentences(article: Record) -> list[str]:
    """Return the sentences of all paragraphs in order."""
    return [sentence for paragraph in article["paragraphs"] for sentence in paragraph]


def f1(same: int, one: int, two: int) -> float:
    """Return the F1 of two sets of which `same` members are in both."""
    return 2 * same / (one + two)


def test_there_are_enough_and_they_are_well_formed(articles: list[Record]) -> None:
    assert len(articles) >= 24
    assert len({article["id"] for article in articles}) == len(articles)
    for article in articles:
        where = article["id"]
        assert set(article) == {"id", "date", "kind", "paragraphs", "states", "labels"}, where
        assert 1995 <= date.fromisoformat(article["date"]).year <= 2026, where
        assert article["kind"] in KINDS, where
        assert 3 <= len(article["paragraphs"]) <= 6, where
        assert 8 <= len(sentences(article)) <= 15, where
        assert all(s == " ".join(s.split()) for s in sentences(article)), where
    assert {article["kind"] for article in articles} == KINDS


def test_no_sentence_stands_twice(articles: list[Record]) -> None:
    every = [sentence for article in articles for sentence in sentences(article)]
    assert len(set(every)) == len(every)


def test_both_readers_name_states_in_every_sentence(articles: list[Record]) -> None:
    known = set(tables().states)
    for article in articles:
        where = article["id"]
        assert len(article["states"]) == len(sentences(article)), where
        for by_reader in article["states"]:
            assert len(by_reader) == 2, where
            for codes in by_reader:
                assert codes == sorted(set(codes)), where
                assert set(codes) <= known, where


def test_labels_speak_of_their_sentence(articles: list[Record]) -> None:
    for article in articles:
        keys = [(label["sentence"], label["dyad"]) for label in article["labels"]]
        assert keys == sorted(set(keys)), article["id"]
        for label in article["labels"]:
            where = (article["id"], label["sentence"], label["dyad"])
            assert set(label) == {"sentence", "dyad", "readings"}, where
            text = sentences(article)[label["sentence"] - 1]
            pair = label["dyad"].split("-")
            assert len(pair) == 2, where
            assert pair == sorted(set(pair)), where
            assert len(label["readings"]) == 2, where
            assert any(label["readings"]), where
            for reading, codes in zip(label["readings"], article["states"][label["sentence"] - 1], strict=True):
                if reading is None:
                    continue
                assert set(reading) == {"tone", "direction", "confidence", "cue"}, where
                assert reading["tone"] in set(TONES) - {"none"}, where
                assert reading["direction"] in {"a>b", "b>a", "mutual"}, where
                assert reading["confidence"] in {1, 2, 3}, where
                assert reading["cue"], where
                assert reading["cue"] in text, where
                assert set(pair) <= set(codes), where


def test_they_are_hard_enough(articles: list[Record]) -> None:
    """Sentences of three and more states and of several tones, many dyads, and articles without relations."""
    several = [codes for article in articles for codes in article["states"] if len(codes[0]) >= 3]
    labels = [label for article in articles for label in article["labels"]]
    first = [label["readings"][0] for label in labels if label["readings"][0]]
    mixed = 0
    for article in articles:
        tones: dict[int, set[str]] = {}
        for label in article["labels"]:
            if reading := label["readings"][0]:
                tones.setdefault(label["sentence"], set()).add(reading["tone"])
        mixed += sum(len(found) > 1 for found in tones.values())
    assert len(several) >= 100
    assert mixed >= 50
    assert len({label["dyad"] for label in labels}) >= 150
    assert all(sum(reading["tone"] == tone for reading in first) >= 40 for tone in set(TONES) - {"none"})
    assert sum(len(article["labels"]) <= 3 for article in articles) >= 4


def test_the_two_readers_agree(articles: list[Record]) -> None:
    states = [by_reader for article in articles for by_reader in article["states"]]
    common = sum(len(set(one) & set(two)) for one, two in states)
    assert f1(common, sum(len(one) for one, _ in states), sum(len(two) for _, two in states)) >= 0.95
    readings = [label["readings"] for article in articles for label in article["labels"]]
    counts = (sum(one is not None for one, _ in readings), sum(two is not None for _, two in readings))
    assert f1(sum(bool(one and two) for one, two in readings), *counts) >= 0.9
    assert f1(sum(bool(one and two and one["tone"] == two["tone"]) for one, two in readings), *counts) >= 0.83


def test_no_sentence_is_in_the_corpus(articles: list[Record]) -> None:
    path = corpora.locate("detente", "train")
    texts = {unlist(json.loads(line)["marked"])[0] for line in Path(path).read_text("utf-8").splitlines()}
    assert texts.isdisjoint(sentence for article in articles for sentence in sentences(article))


def pieces(text: str) -> set[str]:
    """Return what stands between line breaks and ends of sentences: the same in an article and by itself."""
    return {piece for piece in re.split(r"(?<=[.!?\"”’])\s+|\s*\n\s*", text) if len(piece) >= 25}


def shared_texts() -> Iterator[str]:
    """Yield the texts of all shared corpora; the reserved files stay closed."""
    for path in (SHARED / "corpora").rglob("*.parquet"):
        table = pq.ParquetFile(path)
        (column,) = {"text", "sentence"} & set(table.schema_arrow.names)
        for batch in table.iter_batches(columns=[column]):
            yield from (text for text in batch.column(0).to_pylist() if text)
    for name in ("annotations/train", "annotations/dev", "articles/dev", "articles/several_states"):
        for row in map(json.loads, (SHARED / f"{name}.jsonl").read_text("utf-8").splitlines()):
            yield from sentences(row) if "paragraphs" in row else [row.get("sentence") or row["text"]]
    for name in ("plv", "dse", "newsmtsc"):
        for split in corpora.find(name).splits:
            yield from (example.text for example in corpora.read(name, split).examples)
    for path in (SHARED / "seed").glob("*.txt"):
        yield path.read_text("utf-8")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared corpora aren't on disk")
def test_no_sentence_is_in_a_shared_corpus(articles: list[Record]) -> None:
    mine = set().union(*(pieces(sentence) for article in articles for sentence in sentences(article)))
    known: set[str] = set()
    for text in shared_texts():
        known |= mine & pieces(text)
    assert known == set()


def test_no_configuration_trains_on_them(articles: list[Record]) -> None:
    names = {ARTICLES.name, ARTICLES.stem, *(article["id"] for article in articles)}
    configurations = sorted((ROOT / "train" / "configs").glob("*.yaml"))
    assert configurations
    for path in configurations:
        words = set(re.findall(r"[\w.-]+", path.read_text("utf-8")))
        assert words.isdisjoint(names), path.name
