"""The network: shapes, one pass per sentence, weights on disk, ONNX."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from tokenizers import Tokenizer

from detente.models.config import HEADS
from detente.models.encoder import EncoderOutput, PairEncoder
from detente.models.features import Featurizer, Item
from detente.models.model_dir import CONFIG, ModelError
from detente.train.export.onnx import export

ITEMS = [
    Item("China warned the United States.", [[(0, 5)], [(17, 30)]], [(0, 1), (1, 0)]),
    Item("Japan and China met.", [[(0, 5)], [(10, 15)]], [(0, 1)]),
]


def read(model: PairEncoder, tokenizer: Tokenizer, items: list[Item]) -> EncoderOutput:
    arrays = Featurizer(tokenizer, model.spec.max_length).batch(items).arrays()
    with torch.inference_mode():
        readings = model(**{name: torch.from_numpy(array) for name, array in arrays.items()})
    assert isinstance(readings, EncoderOutput)
    return readings


def test_every_head_answers_every_pair(tiny_torch: tuple[PairEncoder, Tokenizer]) -> None:
    readings = read(*tiny_torch, ITEMS)
    assert {name: tuple(logits.shape) for name, logits in readings.heads.items()} == {
        name: (3, len(labels)) for name, labels in HEADS.items()
    }
    assert readings.cue.shape[0] == 3
    assert not torch.allclose(readings.heads["tone"][0], readings.heads["tone"][1]), "the order of a pair is read"


def test_a_batch_changes_no_answer(tiny_torch: tuple[PairEncoder, Tokenizer]) -> None:
    together = read(*tiny_torch, ITEMS)
    apart = [read(*tiny_torch, [item]) for item in ITEMS]
    for name in HEADS:
        assert torch.allclose(together.heads[name], torch.cat([r.heads[name] for r in apart]), atol=1e-4)
    assert (together.cue[2, apart[1].cue.shape[1] :] < -1000).all(), "padding is no cue"


def test_weights_round_trip(tiny_torch: tuple[PairEncoder, Tokenizer], tmp_path: Path) -> None:
    model, tokenizer = tiny_torch
    model.save_pretrained(tmp_path, tokenizer)
    again, read_tokenizer = PairEncoder.from_pretrained(tmp_path)
    assert again.spec == model.spec
    assert not list(tmp_path.rglob("*.bin")), "safetensors only"
    before, after = read(model, tokenizer, ITEMS), read(again, read_tokenizer, ITEMS)
    assert all(torch.equal(before.heads[name], after.heads[name]) for name in HEADS)


def test_training_goes_on_from_a_trained_model(tiny_torch: tuple[PairEncoder, Tokenizer], tmp_path: Path) -> None:
    from dataclasses import replace

    model, tokenizer = tiny_torch
    model.save_pretrained(tmp_path, tokenizer)
    config = replace(model.spec, name="next")
    again, _ = PairEncoder.from_base(config, str(tmp_path), dropout=0.3, encoder_dropout=0.0)
    assert again.spec.name == "next"
    assert again.dropout.p == 0.3
    assert {m.p for m in again.encoder.modules() if isinstance(m, torch.nn.Dropout)} == {0.0}
    assert torch.equal(again.query.weight, model.query.weight)


def test_a_folder_without_config(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=CONFIG):
        PairEncoder.from_pretrained(tmp_path)


@pytest.mark.parametrize(("int8", "tolerance"), [(False, 1e-4), (True, 0.15)])
def test_onnx_answers_as_torch(
    tiny_torch: tuple[PairEncoder, Tokenizer], tmp_path: Path, int8: bool, tolerance: float
) -> None:
    model, tokenizer = tiny_torch
    folder = export(model, tokenizer, tmp_path / "model", int8=int8)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    for items in (ITEMS, ITEMS[1:], [Item("Japan.", [[(0, 5)]], [(0, 0)])]):
        arrays = Featurizer(tokenizer, model.spec.max_length).batch(items).arrays()
        outputs = dict(zip([*HEADS, "cue"], session.run([*HEADS, "cue"], arrays), strict=True))
        readings = read(model, tokenizer, items)
        for name in HEADS:
            ours = torch.softmax(torch.from_numpy(outputs[name]), -1)
            theirs = torch.softmax(readings.heads[name], -1)
            assert np.abs((ours - theirs).numpy()).mean() < tolerance
