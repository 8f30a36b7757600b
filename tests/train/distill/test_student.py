"""A student of soft labels, the consistency of its tones, and a teacher of a larger kind."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from tokenizers import Tokenizer
from torch import Tensor
from transformers import MPNetConfig, MPNetModel, PreTrainedTokenizerFast

from detente.data.codebook.labels import TONES
from detente.infer.encoder.base import Encoder, Floats
from detente.infer.encoder.onnx import OnnxEncoder
from detente.models.config import ModelConfig
from detente.models.encoder import EncoderOutput, PairEncoder
from detente.models.features import Featurizer
from detente.train.examples import Label, Row
from detente.train.export.onnx import export
from detente.train.fit.collator import Collator
from detente.train.fit.losses import inconsistency, loss
from detente.train.fit.trainer import fit
from detente.train.run import training_rows
from detente.train.settings import TrainArgs, read_args
from detente.train.torch_encoder import TorchEncoder
from tests.helpers.parity import parity
from tests.helpers.tiny import MAX_LENGTH, SENTENCES, tiny_encoder, tiny_tokenizer

# Settings

#: The vectors of a network's output, which no loss reads.
REST: tuple[Tensor, dict[str, Tensor]] = (torch.empty(0), {})


def settings_of(tmp_path: Path, **values: Any) -> TrainArgs:
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump({"output": str(tmp_path / "run"), **values}), "utf-8")
    return read_args(file)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"corpora": {"transfer": {}}}, r"corpora\.transfer\.soft: missing; make them with `detente teach`"),
        ({"corpora": {"plv": {"soft": "x"}}}, r"corpora\.plv\.soft: not known"),
        ({"corpora": {"transfer": {"soft": "x", "dev": True}}}, r"corpora\.transfer\.dev"),
        (
            {"corpora": {"transfer": {"soft": "x", "temperature": 0}}},
            r"corpora\.transfer\.temperature: .*greater than 0",
        ),
        ({"corpora": {"transfer": {"soft": "x", "temprature": 2}}}, r"corpora\.transfer\.temprature"),
        ({"consistency": -1}, "consistency: .*greater than or equal to 0"),
        ({"register": "v1"}, "register: 'v1' is no alias"),
        ({"register": "shipped", "tracking": ""}, "register: .*set tracking too"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, values: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as error:
        settings_of(tmp_path, **values)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["teacher", "distil", "mini", "open"])
def test_the_settings_that_come_along_can_be_read(name: str) -> None:
    settings = read_args(Path(__file__).resolve().parents[3] / "train" / "configs" / f"{name}.yaml")
    assert settings.entity_markers == (name == "teacher")
    assert ("transfer" in settings.corpora) == (name == "distil")


# A student


def tones(engine: Encoder, rows: Sequence[Row]) -> Floats:
    return np.stack([pair.heads["tone"] for pairs in engine.predict([row.item for row in rows]) for pair in pairs])


@pytest.fixture
def student_base(tmp_path: Path) -> Path:
    """The teacher's encoder without its heads."""
    model, tokenizer = tiny_encoder()
    folder = tmp_path / "base"
    model.encoder.save_pretrained(folder)  # type: ignore[operator]
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that a run goes through
@pytest.mark.parametrize(("consistency", "epochs"), [(0.0, 8), (0.5, 3)])
def test_a_student_moves_towards_its_teacher(
    labelled: Path, trained: Path, student_base: Path, tmp_path: Path, consistency: float, epochs: int
) -> None:
    settings = settings_of(
        tmp_path,
        base=str(student_base),
        max_length=MAX_LENGTH,
        hidden=16,
        corpora={"transfer": {"soft": str(labelled)}},
        epochs=epochs,
        batch_size=8,
        learning_rate=0.003,
        dropout=0.0,
        encoder_dropout=0.0,
        label_smoothing=0.0,
        consistency=consistency,
        tracking="",
    )
    rows = training_rows(settings)
    assert len(rows) == len(SENTENCES)
    teacher, tokenizer = PairEncoder.from_pretrained(trained)
    wanted = tones(TorchEncoder(teacher, Featurizer(tokenizer, MAX_LENGTH)), rows)
    distances: list[float] = []

    def divergence(model: PairEncoder, featurizer: Featurizer) -> dict[str, float]:
        said = tones(TorchEncoder(model, featurizer), rows)
        distances.append(float((wanted * np.log(wanted / said)).sum(-1).mean()))
        return {"dev_mean": -distances[-1]}

    torch.manual_seed(settings.seed)
    divergence(*untrained(settings))
    fit(settings, rows, divergence)
    constant = float((wanted * np.log(wanted / wanted.mean(axis=0))).sum(-1).mean())
    assert distances[-1] < constant < distances[0], "nearer than whoever says the same of every sentence"


def untrained(settings: TrainArgs) -> tuple[PairEncoder, Featurizer]:
    model, tokenizer = PairEncoder.from_base(ModelConfig(hidden=16, max_length=MAX_LENGTH), settings.base)
    return model.eval(), Featurizer(tokenizer, MAX_LENGTH)


# Consistency


def rows_with_states() -> list[Row]:
    spans = [[(0, 5)], [(13, 18)]]
    row = Row("China warned Japan.", ["CHN", "JPN"], spans, [(0, 1)], [Label({"tone": [0, 1, 0, 0, 0]})], "x")
    return [row, replace(row, states=["", ""]), replace(row, text="Japan warned China.", states=["JPN", "CHN"])]


@pytest.mark.parametrize("markers", [False, True])
def test_a_twin_is_the_same_row_with_other_states(markers: bool) -> None:
    collator = Collator(Featurizer(tiny_tokenizer(), MAX_LENGTH), entity_markers=markers, consistency_fraction=1.0)
    batch = collator(rows_with_states())
    targets = batch["targets"]
    assert isinstance(targets, dict)
    assert targets["originals"].tolist() == [0, 2], "a row without states has none"
    assert targets["tone"].shape == (3, len(TONES))
    ids = batch["input_ids"]
    assert isinstance(ids, torch.Tensor)
    texts = [collator.featurizer.tokenizer.decode(row.tolist()) for row in ids]
    assert len(texts) == 5
    assert all("warned" in text for text in texts)
    assert "china" not in texts[3]
    assert len(batch["pairs"]) == 5


def test_a_share_of_the_rows_has_twins() -> None:
    collator = Collator(Featurizer(tiny_tokenizer(), MAX_LENGTH), consistency_fraction=0.3)
    targets = collator(rows_with_states()[:1] * 200)["targets"]
    assert isinstance(targets, dict)
    assert 40 < len(targets["originals"]) < 80


def test_twins_change_the_loss_by_their_divergence_only() -> None:
    model, tokenizer = tiny_encoder()
    collator = Collator(Featurizer(tokenizer, MAX_LENGTH), consistency_fraction=1.0)
    batch: dict[str, Any] = collator(rows_with_states())
    targets = batch.pop("targets")
    with torch.no_grad():
        readings = model(**batch)
    alone = EncoderOutput({head: logits[:3] for head, logits in readings.heads.items()}, readings.cue[:3], *REST)
    assert loss(readings, targets, {}).item() == loss(alone, targets, {}).item()
    assert inconsistency(readings, targets) > 0
    same = EncoderOutput({"tone": readings.heads["tone"][[0, 1, 2, 0, 2]]}, readings.cue, *REST)
    assert inconsistency(same, targets).item() == pytest.approx(0, abs=1e-6)
    none = Collator(Featurizer(tokenizer, MAX_LENGTH), consistency_fraction=1.0)(rows_with_states()[1:2])["targets"]
    assert isinstance(none, dict)
    assert inconsistency(EncoderOutput({"tone": readings.heads["tone"][1:2]}, readings.cue[1:2], *REST), none) == 0


# A larger base


def mpnet(folder: Path) -> None:
    """A base of MPNet's kind: other tokens for padding and masks, relative positions."""
    torch.manual_seed(3)
    plain = json.loads(tiny_tokenizer().to_str())
    vocabulary = plain["model"]["vocab"]
    for old, new in (("[PAD]", "<pad>"), ("[CLS]", "<s>"), ("[SEP]", "</s>"), ("[A]", "<mask>")):
        vocabulary[new] = vocabulary.pop(old)
    plain["added_tokens"] = []
    plain["post_processor"] = None
    tokenizer = Tokenizer.from_str(json.dumps(plain))
    tokenizer.add_special_tokens(["<pad>", "<s>", "</s>", "<mask>", "[UNK]"])
    names = {
        "pad_token": "<pad>",
        "unk_token": "[UNK]",
        "mask_token": "<mask>",
        "cls_token": "<s>",
        "sep_token": "</s>",
    }
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    shape = MPNetConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=MAX_LENGTH + 2, pad_token_id=tokenizer.token_to_id("<pad>"),
    )  # fmt: skip
    MPNetModel(shape, add_pooling_layer=False).save_pretrained(folder)


@pytest.mark.filterwarnings("ignore")  # of transformers
def test_a_teacher_of_mpnets_kind_reads_markers_and_is_exported(tmp_path: Path) -> None:
    mpnet(tmp_path / "base")
    config = ModelConfig(name="teacher", hidden=16, max_length=MAX_LENGTH, markers=True)
    model, tokenizer = PairEncoder.from_base(config, str(tmp_path / "base"))
    featurizer = Featurizer(tokenizer, MAX_LENGTH)
    assert all(tokenizer.token_to_id(mark) is not None for mark in ("[A]", "[/B]"))
    collator = Collator(featurizer, entity_markers=True, mask_fraction=1.0)
    assert collator.mask == "<mask>"
    batch: dict[str, Any] = collator(rows_with_states()[:1])
    targets = batch.pop("targets")
    assert (batch["input_ids"] == tokenizer.token_to_id("<mask>")).sum() == 2
    loss(model(**batch), targets, {}).backward()  # type: ignore[no-untyped-call]

    folder = export(model.eval(), tokenizer, tmp_path / "model", int8=False)
    items = [row.item for row in rows_with_states()]
    found = parity(TorchEncoder(model, featurizer), OnnxEncoder(folder), items)
    assert max(found.distance.values()) < 1e-4
