"""The cue: whole words of the sentence, the run with the most weight."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.infer.encoder import cue_span

SENTENCE = 'Beijing "strongly condemned" the U.S.-led drill, officials said.'
TOKENS = [m.span() for m in re.finditer(r"\w+|[^\w\s]", SENTENCE)]


def find(weights: dict[str, float], threshold: float = 0.5) -> str:
    """The cue where the named tokens have a weight and all others none."""
    values = np.array([weights.get(SENTENCE[s:e], 0.0) for s, e in TOKENS], dtype=np.float32)
    span = cue_span.find(SENTENCE, values, TOKENS, threshold)
    assert span is not None
    return SENTENCE[slice(*span)]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"condemned": 0.9}, "condemned"),
        ({"strongly": 0.6, "condemned": 0.9}, "strongly condemned"),
        ({"strongly": 0.4, "condemned": 0.9}, "condemned"),
        ({"condemned": 0.9, '"': 0.9}, "condemned"),
        (
            {"condemned": 0.9, "the": 0.3, "drill": 0.9, "U": 0.9, "S": 0.9, "led": 0.9},
            'condemned" the U.S.-led drill',
        ),
        ({"U": 0.9, "S": 0.9, "led": 0.9}, "U.S.-led"),
        ({"drill": 0.3}, "drill"),
        ({"strongly": 0.9, "drill": 0.8}, "strongly"),
        ({"strongly": 0.9, "drill": 0.95}, "drill"),
    ],
)  # fmt: skip
def test_run_with_most_weight(weights: dict[str, float], expected: str) -> None:
    assert find(weights) == expected


def test_lower_threshold_takes_more() -> None:
    weights = {"strongly": 0.4, "condemned": 0.9}
    assert find(weights, threshold=0.2) == "strongly condemned"


def test_words_behind_the_cut_are_never_in_it() -> None:
    words = TOKENS[:4]  # Beijing " strongly condemned
    assert cue_span.find(SENTENCE, np.full(4, 0.9, dtype=np.float32), words) == (0, SENTENCE.index('" the'))


@pytest.mark.parametrize("text", ["", "…!", "🎌🤝"])
def test_no_words(text: str) -> None:
    spans = [(i, i + 1) for i in range(len(text))]
    assert cue_span.find(text, np.ones(len(text), dtype=np.float32), spans) is None


@given(st.data())
def test_cue_is_whole_words_of_the_sentence(data: st.DataObject) -> None:
    text = data.draw(st.text(min_size=1, max_size=80))
    cuts = sorted({0, len(text), *data.draw(st.lists(st.integers(0, len(text)), max_size=20))})
    spans = [(0, 0), *pairwise(cuts), (0, 0)]
    share = st.floats(0, 1, width=32)
    weights = np.array(data.draw(st.lists(share, min_size=len(spans), max_size=len(spans))), dtype=np.float32)
    found = cue_span.find(text, weights, spans)
    if found is not None:
        start, end = found
        assert 0 <= start < end <= len(text)
        assert re.match(r"\w", text[start])
        assert re.match(r"\w", text[end - 1])
        assert not re.match(r"\w", text[start - 1 : start])
        assert not re.match(r"\w", text[end : end + 1])
