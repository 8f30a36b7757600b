"""The engine: the fast path is the plain path, and the order of a pair doesn't matter."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from detente._statistics import softmax
from detente.data.codebook.labels import DIRECTIONS, QUAD_OF_ROOT, QUADS, flip
from detente.infer.encoder.base import Encoder, PairOutput
from detente.infer.encoder.onnx import OnnxEncoder
from detente.infer.encoder.pair_orders import predicted_direction
from detente.infer.encoder.truncation import around
from detente.models.encoder import PairEncoder
from detente.models.features import Featurizer, Item, Span
from detente.models.model_dir import ModelError, resolve

FLIPPED = [DIRECTIONS.index(flip(direction)) for direction in DIRECTIONS]


def item(text: str, *actors: str, pairs: Sequence[tuple[int, int]] = ((0, 1),)) -> Item:
    """An item whose actors are every occurrence of a word."""
    spans: list[list[Span]] = []
    for actor in actors:
        starts = [i for i in range(len(text)) if text.startswith(actor, i)]
        spans.append([(i, i + len(actor)) for i in starts])
    return Item(text, spans, pairs)


ITEMS = [
    item("China warned Japan.", "China", "Japan"),
    item("The United States thanked Japan and met China, and China met Japan.", "United States", "Japan", "China",
         pairs=[(0, 1), (1, 2), (2, 0)]),
    item("Nothing here.", "Nothing", pairs=[]),
    item("Talks.", "Talks", "Talks"),
    item("Japan and the rest of them all met with China " * 3, "Japan", "China"),
    item("x", "x", "x"),
]  # fmt: skip


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Encoder:
    return OnnxEncoder(tiny_model, threads=1)


def assert_same(one: PairOutput, other: PairOutput, tolerance: float) -> None:
    assert one.heads.keys() == other.heads.keys()
    for head, probabilities in one.heads.items():
        np.testing.assert_allclose(probabilities, other.heads[head], atol=tolerance, err_msg=head)
    np.testing.assert_allclose(one.cue, other.cue, atol=tolerance)
    assert one.spans == other.spans


@pytest.mark.parametrize("symmetric", [True, False])
def test_batched_equals_one_at_a_time(engine: Encoder, symmetric: bool) -> None:
    items = ITEMS * 40
    together = engine.predict(items, symmetric=symmetric)
    assert [len(readings) for readings in together] == [len(i.pairs) for i in items]
    for i, readings in zip(items, together, strict=True):
        if readings:
            (alone,) = engine.predict([i], symmetric=symmetric)
            for one, other in zip(readings, alone, strict=True):
                assert_same(one, other, 1e-4)


def test_pairs_alone_equal_pairs_together(engine: Encoder) -> None:
    (together,) = engine.predict([ITEMS[1]])
    for pair, reading in zip(ITEMS[1].pairs, together, strict=True):
        ((alone,),) = engine.predict([Item(ITEMS[1].text, ITEMS[1].actors, [pair])])
        assert_same(reading, alone, 1e-5)


def test_neighbours_hardly_move_the_shipped_models_readings() -> None:
    # Its activations are quantized by the range of the whole batch.
    folder = resolve()
    if not folder.is_dir():
        pytest.skip("no shipped model yet")
    engine = OnnxEncoder(folder, threads=1)
    items = [i for i in ITEMS if len(i.text) > 10]
    for i, together in zip(items, engine.predict(items), strict=True):
        for one, other in zip(together, engine.predict([i])[0], strict=True):
            np.testing.assert_allclose(one.heads["tone"], other.heads["tone"], atol=0.05)


def test_logits_are_the_torch_models(engine: Encoder, tiny_torch: tuple[PairEncoder, Tokenizer]) -> None:
    model, tokenizer = tiny_torch
    items = [i for i in ITEMS[:4] if i.pairs]
    arrays = Featurizer(tokenizer, model.spec.max_length).batch(items).arrays()
    with torch.inference_mode():
        expected = model(**{name: torch.from_numpy(a) for name, a in arrays.items()})
    for head, logits in expected.heads.items():
        np.testing.assert_allclose(engine.predict_logits(items)[head], logits.numpy(), atol=1e-4)


def test_temperature_divides_the_logits(engine: Encoder) -> None:
    ((reading,),) = engine.predict(ITEMS[:1], symmetric=False)
    for head, temperature in (("tone", 2.0), ("root", 1.0)):
        powers = np.exp(engine.predict_logits(ITEMS[:1])[head][0] / temperature)
        np.testing.assert_allclose(reading.heads[head], powers / powers.sum(), rtol=1e-4)


@pytest.mark.parametrize("name", ["tiny_model", "tiny_int8", "tiny_markers"])
def test_order_of_the_pair_does_not_matter(name: str, request: pytest.FixtureRequest) -> None:
    engine = OnnxEncoder(request.getfixturevalue(name), threads=1)
    for i in ITEMS:
        if i.pairs:
            (forth,) = engine.predict([i])
            (back,) = engine.predict([Item(i.text, i.actors, [(b, a) for a, b in i.pairs])])
            for one, other in zip(forth, back, strict=True):
                for head in ("tone", "root", "quad"):
                    np.testing.assert_array_equal(one.heads[head], other.heads[head])
                if not np.array_equal(i.actors[0], i.actors[1]):
                    np.testing.assert_array_equal(one.heads["direction"], other.heads["direction"][FLIPPED])
                np.testing.assert_array_equal(one.cue, other.cue)


def test_symmetric_joins_both_orders(engine: Encoder) -> None:
    for i in (ITEMS[0], ITEMS[4]):
        ((both,),) = engine.predict([i])
        ((forth, back),) = engine.predict([Item(i.text, i.actors, [(0, 1), (1, 0)])], symmetric=False)
        np.testing.assert_allclose(both.heads["tone"], (forth.heads["tone"] + back.heads["tone"]) / 2, atol=1e-5)
        direction = (forth.heads["direction"] + back.heads["direction"][FLIPPED]) / 2
        np.testing.assert_allclose(both.heads["direction"], direction, atol=1e-5)
        source = back if DIRECTIONS[int(direction.argmax())] == "b>a" else forth
        np.testing.assert_allclose(both.heads["root"], source.heads["root"], atol=1e-5)
        np.testing.assert_allclose(both.heads["quad"], source.heads["quad"], atol=1e-5)


def test_actors_of_the_same_words_lead_neither(engine: Encoder) -> None:
    ((reading,),) = engine.predict([item("Talks with the Quad.", "Quad", "Quad")])
    assert DIRECTIONS[int(predicted_direction(reading.heads["direction"]))] == "mutual"


def test_markers_map_back_to_the_sentence(tiny_markers: Path) -> None:
    i = ITEMS[1]
    for readings in OnnxEncoder(tiny_markers).predict([i]):
        for reading in readings:
            words = [i.text[start:end] for start, end in reading.spans if start < end]
            assert "".join(words).replace(" ", "") == i.text.replace(" ", "")


@pytest.mark.parametrize("name", ["tiny_model", "tiny_markers"])
def test_actor_behind_the_cut_is_read_in_a_window(name: str, request: pytest.FixtureRequest) -> None:
    engine = OnnxEncoder(request.getfixturevalue(name))
    tail = "China warned Japan at the talks"
    i = item("the talks " * 60 + tail, "China", "Japan")
    ((reading,),) = engine.predict([i])
    seen = {i.text[start:end] for start, end in reading.spans}
    assert {"China", "warned", "Japan"} <= seen
    assert all(end <= len(i.text) for _, end in reading.spans)


def test_actors_far_apart_are_both_read(engine: Encoder) -> None:
    i = item("China met " + "the talks " * 80 + "warned Japan with", "China", "Japan")
    ((reading,),) = engine.predict([i])
    assert {"China", "met", "warned", "Japan"} <= {i.text[start:end] for start, end in reading.spans}


@settings(deadline=None)
@given(
    before=st.text(max_size=300),
    between=st.text(max_size=300),
    after=st.text(max_size=300),
    budget=st.integers(min_value=20, max_value=200),
)
def test_windows_hold_both_actors(before: str, between: str, after: str, budget: int) -> None:
    text = f"{before}China{between}Japan{after}"
    i = Item(
        text, [[(len(before), len(before) + 5)], [(len(before + between) + 5, len(before + between) + 10)]], [(0, 1)]
    )
    excerpt = around(i, (0, 1), budget)
    assert len(excerpt.item.text) <= budget + 5
    ((a,), (b,)) = excerpt.item.actors
    assert (excerpt.item.text[slice(*a)], excerpt.item.text[slice(*b)]) == ("China", "Japan")
    assert excerpt.source(a) == i.actors[0][0]
    assert excerpt.source(b) == i.actors[1][0]


def test_no_items(engine: Encoder) -> None:
    assert engine.predict([]) == []
    assert engine.predict_logits([])["tone"].shape == (0, 5)


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json", "config.json"])
def test_unreadable_file_is_named(tiny_model: Path, tmp_path: Path, broken: str) -> None:
    for file in tiny_model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes() if file.name != broken else b"{")
    with pytest.raises(ModelError, match=broken):
        OnnxEncoder(tmp_path)


def test_the_quad_class_is_what_both_heads_say(tiny_model: Path) -> None:
    engine = OnnxEncoder(tiny_model, threads=1)
    items = [Item("China warned Japan.", [[(0, 5)], [(13, 18)]], [(0, 1)])]
    ((reading,),) = engine.predict(items, symmetric=False)
    alone = softmax(engine.predict_logits(items)["quad"])[0]
    mass = [sum(p for p, of in zip(reading.heads["root"], QUAD_OF_ROOT, strict=True) if of == quad) for quad in QUADS]
    joint = np.sqrt(alone * np.array(mass))
    assert reading.heads["quad"] == pytest.approx(joint / joint.sum(), abs=1e-5)
