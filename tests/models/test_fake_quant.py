"""Products in int8: what training rounds is what the exported model rounds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from torch import nn

from detente.infer.encoder.onnx import OnnxEncoder
from detente.models.encoder import PairEncoder
from detente.models.fake_quant import RoundedLinear, round_weights, rounded
from detente.models.features import Featurizer, Item
from detente.models.model_dir import ONNX, SHAPE, TABLES, ModelError, seal, verify
from detente.train.export import quantize
from detente.train.export.onnx import export
from detente.train.torch_encoder import TorchEncoder
from tests.helpers.parity import parity
from tests.helpers.tiny import trained_a_little

ITEMS = [
    Item("China warned the United States.", [[(0, 5)], [(17, 30)]], [(0, 1), (1, 0)]),
    Item("Japan and China met.", [[(0, 5)], [(10, 15)]], [(0, 1)]),
]


@given(st.lists(st.lists(st.floats(-1e4, 1e4, width=32), min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_row_is_int8_times_its_own_scale(rows: list[list[float]]) -> None:
    values = torch.tensor(rows)
    result = rounded(values)
    scale = values.abs().amax(-1, keepdim=True) / 127
    assert ((result - values).abs() <= scale / 2 * 1.001 + 1e-6).all()
    assert torch.equal(result, torch.cat([rounded(row[None]) for row in values])), (
        "a row knows nothing of its neighbours"
    )


def test_a_product_is_one_of_integers() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(8, 4)
    given = torch.randn(5, 8)
    round_weights(layer)
    assert isinstance(layer, RoundedLinear)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    of_rows, of_outputs = (np.abs(a).max(axis=1, keepdims=True) / 127 for a in (given.numpy(), weight))
    whole = np.rint(given.numpy() / of_rows).astype(int) @ np.rint(weight / of_outputs).astype(int).T
    assert np.allclose(layer(given).detach().numpy(), whole * of_rows * of_outputs.T + bias, atol=1e-5)


def test_gradients_pass_as_if_nothing_were_rounded() -> None:
    values = torch.randn(3, 4, requires_grad=True)
    (rounded(values) * 2).sum().backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert torch.equal(values.grad, torch.full((3, 4), 2.0))


@pytest.fixture
def rounded_torch(tiny_torch: tuple[PairEncoder, Tokenizer]) -> tuple[PairEncoder, Tokenizer]:
    model, tokenizer = tiny_torch
    model.spec = replace(model.spec, rounded=True)
    round_weights(model)
    return model, tokenizer


def test_the_exported_model_rounds_as_the_trained_one(
    rounded_torch: tuple[PairEncoder, Tokenizer], tmp_path: Path
) -> None:
    model, tokenizer = rounded_torch
    engine = OnnxEncoder(export(model, tokenizer, tmp_path / "model"))
    result = parity(TorchEncoder(model, Featurizer(tokenizer, model.spec.max_length)), engine, ITEMS)
    assert max(result.distance.values()) < 1e-3
    assert {type(m) for m in model.modules() if isinstance(m, nn.Linear)} == {RoundedLinear}, "export changes no model"


def test_a_sentence_is_read_the_same_in_any_company(
    rounded_torch: tuple[PairEncoder, Tokenizer], tmp_path: Path
) -> None:
    engine = OnnxEncoder(export(*rounded_torch, tmp_path / "model"), threads=1)
    together = engine.predict(ITEMS)
    for item, readings in zip(ITEMS, together, strict=True):
        (alone,) = engine.predict([item])
        for one, other in zip(alone, readings, strict=True):
            assert np.allclose(one.heads["tone"], other.heads["tone"], atol=1e-5)


def test_rounding_is_kept_with_the_weights(rounded_torch: tuple[PairEncoder, Tokenizer], tmp_path: Path) -> None:
    model, tokenizer = rounded_torch
    model.save_pretrained(tmp_path, tokenizer)
    again, _ = PairEncoder.from_pretrained(tmp_path)
    assert again.spec.rounded
    assert isinstance(again.query, RoundedLinear)
    plain, _ = PairEncoder.from_base(replace(model.spec, rounded=False), str(tmp_path))
    assert type(plain.query) is nn.Linear


def test_an_exported_model_can_be_trained_on(rounded_torch: tuple[PairEncoder, Tokenizer], tmp_path: Path) -> None:
    """Its weights come back as int8 keeps them, and answer as the export does."""
    before, tokenizer = rounded_torch
    trained_a_little(before)
    folder = export(before, tokenizer, tmp_path / "model")
    model, again = PairEncoder.from_base(before.spec, str(folder))
    assert again.get_vocab() == tokenizer.get_vocab()
    assert model.spec == before.spec
    with torch.no_grad():
        for (name, weight), (_, known) in zip(
            sorted(model.named_parameters()), sorted(before.named_parameters()), strict=True
        ):
            assert torch.allclose(weight, known, atol=float(known.abs().max()) / 127), name
    ours = TorchEncoder(model, Featurizer(again, before.spec.max_length)).predict(ITEMS)
    theirs = OnnxEncoder(folder).predict(ITEMS)
    for one, other in zip(ours, theirs, strict=True):
        for a, b in zip(one, other, strict=True):
            assert np.allclose(a.heads["tone"], b.heads["tone"], atol=0.02)


def test_an_export_that_lost_too_much_is_refused(
    rounded_torch: tuple[PairEncoder, Tokenizer], tiny_int8: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="rounded: true"):
        PairEncoder.from_pretrained(tiny_int8)
    folder = export(*rounded_torch, tmp_path / "model")
    with pytest.raises(ModelError, match="aren't those of its network"):
        PairEncoder.from_pretrained(folder)  # untrained: its biases are all nought, and stored as one
    (folder / SHAPE).unlink()
    seal(folder)
    with pytest.raises(ModelError, match="older detente"):
        PairEncoder.from_pretrained(folder)


def test_a_large_model_is_of_two_files(
    rounded_torch: tuple[PairEncoder, Tokenizer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_a_little(rounded_torch[0])
    whole = OnnxEncoder(export(*rounded_torch, tmp_path / "one")).predict(ITEMS)
    monkeypatch.setattr(quantize, "MAX_FILE_SIZE", 10_000)
    monkeypatch.setattr(quantize, "LARGE_TENSOR", 1_500)
    folder = tmp_path / "two"
    for _ in range(2):  # over what is there
        export(*rounded_torch, folder)
    assert (folder / ONNX).stat().st_size + 1_500 < (tmp_path / "one" / ONNX).stat().st_size
    for one, two in zip(whole, OnnxEncoder(folder).predict(ITEMS), strict=True):
        assert all(np.array_equal(a.heads["tone"], b.heads["tone"]) for a, b in zip(one, two, strict=True))
    PairEncoder.from_pretrained(folder)
    (folder / TABLES).unlink()
    with pytest.raises(ModelError, match=f"{TABLES} is missing"):
        verify(folder)
