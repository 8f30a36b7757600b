"""Text as the network reads it: offsets, pooling, markers, padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.models.features import MARKERS, Featurizer, Item, mark, token_weights, tokens_of
from tests.helpers.tiny import tiny_tokenizer

TEXT = "China warned the United States."
CHINA, STATES = (0, 5), (17, 30)


@pytest.fixture
def featurizer() -> Featurizer:
    return Featurizer(tiny_tokenizer(), 48)


def test_tokens_of_a_span_are_those_that_overlap_it(featurizer: Featurizer) -> None:
    (encoding,) = featurizer.tokenize([TEXT])
    assert [encoding.tokens[i] for i in tokens_of(encoding, STATES)] == ["united", "states"]
    assert [encoding.tokens[i] for i in tokens_of(encoding, (18, 20))] == ["united"]
    assert not tokens_of(encoding, (5, 6)), "a space is no token"


def test_an_actor_is_the_mean_of_its_mentions(featurizer: Featurizer) -> None:
    (encoding,) = featurizer.tokenize([TEXT])
    (weights,) = token_weights(encoding, [[CHINA, STATES]], len(encoding.ids))
    assert weights.sum() == pytest.approx(1.0)
    assert {encoding.tokens[i]: float(w) for i, w in enumerate(weights) if w} == pytest.approx(
        {"china": 1 / 3, "united": 1 / 3, "states": 1 / 3}
    )


def test_an_actor_beyond_the_tokens_read_is_the_sentence(featurizer: Featurizer) -> None:
    (encoding,) = featurizer.tokenize(["x " * 100 + "China"])
    assert token_weights(encoding, [[(200, 205)]], len(encoding.ids))[0, 0] == 1.0


def test_pairs_point_at_their_sentence_and_actor(featurizer: Featurizer) -> None:
    items = [Item("Japan.", [[(0, 5)]], [(0, 0)]), Item(TEXT, [[CHINA], [STATES]], [(0, 1), (1, 0)])]
    batch = featurizer.batch(items)
    sentences, actors, tokens = batch.mentions.shape
    assert (sentences, actors) == (2, 2)
    assert batch.input_ids.shape == batch.attention_mask.shape == (2, tokens)
    assert batch.pairs.tolist() == [[0, 0], [2, 3], [3, 2]]
    assert (batch.mentions.sum(-1)[0] == [1.0, 0.0]).all(), "an actor that a sentence lacks weighs nothing"
    assert batch.attention_mask[0].sum() < tokens
    assert (batch.input_ids[0][batch.attention_mask[0] == 0] == featurizer.pad).all()


def test_padding_changes_no_row(featurizer: Featurizer) -> None:
    item = Item(TEXT, [[CHINA], [STATES]], [(0, 1)])
    alone, beside = featurizer.batch([item]), featurizer.batch([item, Item("x" * 40, [[(0, 1)]], [])])
    length = alone.input_ids.shape[1]
    assert (alone.input_ids[0] == beside.input_ids[0][:length]).all()
    assert np.allclose(alone.mentions[0], beside.mentions[0][:, :length])


def test_markers_stand_around_every_mention() -> None:
    item = mark(Item(TEXT, [[CHINA], [STATES]], [(1, 0)]))
    assert item.text == "[B] China [/B] warned the [A] United States [/A]."
    assert [item.text[slice(*span)] for actor in item.actors for span in actor] == ["United States", "China"]


@given(
    st.text("ab cé😀", max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 6), st.booleans()), max_size=5),
)
def test_marking_loses_no_character_and_no_span(text: str, marks: list[tuple[int, int, bool]]) -> None:
    actors: list[list[tuple[int, int]]] = [[], []]
    for start, size, which in marks:
        if start + size <= len(text):
            actors[which].append((start, start + size))
    item = mark(Item(text, actors, [(0, 1)]))
    bare = item.text
    for marker in (*MARKERS[::2], *MARKERS[1::2]):
        bare = bare.replace(f"{marker} ", "") if "/" not in marker else bare.replace(f" {marker}", "")
    assert bare == text
    words = {text[s:e] for spans in actors for s, e in spans}
    assert all(item.text[s:e] in words for spans in item.actors for s, e in spans)
