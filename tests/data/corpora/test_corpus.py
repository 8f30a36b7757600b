"""The project's own corpus: form, labels, mix, contrast pairs, no near-duplicates."""

import json
import re
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from detente.data.codebook.labels import TONES
from detente.data.corpora import load as corpora
from detente.data.corpora.readers import unlist
from detente.data.gazetteer.gazetteer import tables

Record = dict[str, Any]


@pytest.fixture(scope="module")
def records() -> list[Record]:
    path = corpora.locate("detente", "train")
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def test_every_row_can_be_read(records: list[Record]) -> None:
    corpus = corpora.read("detente", "train")
    assert corpus.problems == []
    assert len(corpus.examples) == sum(len(record["labels"]) for record in records)


def test_rows_are_well_formed(records: list[Record]) -> None:
    ids = [record["id"] for record in records]
    assert len(set(ids)) == len(ids)
    for record in records:
        where = record["id"]
        text, spans = unlist(record["marked"])
        assert set(record) <= {"id", "marked", "date", "kind", "labels", "rule", "contrast"}, where
        assert 1987 <= date.fromisoformat(record["date"]).year <= 2026 or record["date"].startswith("1986"), where
        assert set(spans) <= set(tables().states), where
        assert text.strip() == text, where
        assert record["labels"], where
        assert len({label["dyad"] for label in record["labels"]}) == len(record["labels"]), where
        assert record.get("rule", 1) in range(1, 21), where
        if "contrast" in record:
            assert record["contrast"] in ids, where


def test_enough_of_each(records: list[Record]) -> None:
    labels = [label for record in records for label in record["labels"]]
    dyads = Counter(label["dyad"] for label in labels)
    tones: dict[str, Counter[str]] = defaultdict(Counter)
    for label in labels:
        tones[label["dyad"]][label["tone"]] += 1
    assert len(records) >= 3000
    assert len(dyads) >= 60
    assert sum("contrast" in record for record in records) >= 800
    assert {record["rule"] for record in records if "rule" in record} >= set(range(1, 20))
    for dyad in ("CHN-USA", "JPN-USA"):
        assert all(tones[dyad][tone] >= 40 for tone in TONES), (dyad, tones[dyad])


def test_no_sentence_is_nearly_another(records: list[Record]) -> None:
    """Jaccard of word triples at most 0.7, contrast pairs apart, which differ in one change."""
    shingles: dict[str, set[tuple[str, ...]]] = {}
    holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for record in records:
        words = re.findall(r"\w+", unlist(record["marked"])[0].lower())
        shingles[record["id"]] = {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}
        for shingle in shingles[record["id"]]:
            holders[shingle].append(record["id"])
    pairs = {frozenset((r["id"], r["contrast"])) for r in records if "contrast" in r}
    near = set()
    for one, triples in shingles.items():
        shared = Counter(other for triple in triples for other in holders[triple] if other > one)
        for other, count in shared.items():
            whole = len(triples) + len(shingles[other]) - count
            if count / whole > 0.7 and frozenset((one, other)) not in pairs:
                near.add((one, other))
    assert not near
