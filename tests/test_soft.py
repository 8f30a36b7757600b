"""Distillation: teachers' soft labels on disk, and a student that learns from them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import MPNetConfig, MPNetModel, PreTrainedTokenizerFast

from detente.data.examples import CorpusError
from detente.data.labels import TONES
from detente.data.texts import Sentence
from detente.infer.engine import Engine, Floats
from detente.infer.label import load
from detente.models.config import ModelConfig
from detente.models.encoder import PairEncoder, Readings
from detente.models.features import Featurizer
from detente.train import soft, teach
from detente.train.args import TrainArgs, read_args
from detente.train.batches import Collator, inconsistency, loss
from detente.train.engine import TorchEngine
from detente.train.export import export
from detente.train.fit import fit
from detente.train.parity import parity
from detente.train.rows import Label, Row, flipped
from detente.train.run import training_rows
from tests.conftest import MAX_LENGTH, tiny_encoder, tiny_tokenizer

CORPORA = Path(__file__).parent / "corpora"

NAMES = ("China", "Japan", "India", "France", "Russia", "Turkey")
VERBS = ("warned", "thanked", "met", "sued")
SENTENCES = [f"{a} {verb} {b}." for verb in VERBS for a in NAMES for b in NAMES if a < b]
HELD_OUT = "Cairo recalled its envoy from ANKARA!"  # a reserved test row, in other capitals
LONE = "China went its own way."


@pytest.fixture
def corpora(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETENTE_CORPORA", str(CORPORA))


@pytest.fixture
def sentences(tmp_path: Path) -> Path:
    """A made-up transfer set."""
    texts = [*SENTENCES, HELD_OUT, LONE]
    rows = [
        {"id": f"{n}", "corpus": "made_up", "date": "2021-03-10", "title": "", "states": "", "sentence": text}
        for n, text in enumerate(texts)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "sentences.parquet")
    return tmp_path / "sentences.parquet"


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A teacher as `detente train` leaves it."""
    model, tokenizer = tiny_encoder()
    model.save_pretrained(tmp_path / "torch", tokenizer)
    return tmp_path / "torch"


def labels_of(folder: Path) -> list[dict[str, Any]]:
    return [record for file in sorted(folder.glob("part-*")) for record in pq.read_table(file).to_pylist()]


@pytest.mark.usefixtures("corpora")
def test_soft_labels_are_what_the_teacher_says(sentences: Path, tiny_model: Path, tmp_path: Path) -> None:
    counts = teach.teach([str(tiny_model)], tmp_path / "soft", source=sentences)
    assert (counts.read, counts.held_out, counts.without) == (len(SENTENCES) + 2, 1, 1)
    records = labels_of(tmp_path / "soft")
    assert counts.dyads == len(records) == len(SENTENCES)
    assert {record["text"] for record in records}.isdisjoint({HELD_OUT, LONE})
    model = load(tiny_model)
    for record in records[::7]:
        (reading,) = model.label(record["text"], date=record["date"], include_none=True)
        assert record["dyad"] == reading.dyad
        assert record["tone"] == pytest.approx(list(reading.probabilities.values()), abs=1e-6)
        assert [record["text"][slice(*span)] for span in record["a"] + record["b"]] == [
            record["text"][m.start : m.end]
            for state in reading.dyad.split("-")
            for m in reading.mentions
            if m.state == state
        ]
        if reading.tone != "none":
            assert record["text"][slice(*record["cue"])] == reading.cue
        else:
            assert record["cue"] is None


@pytest.mark.usefixtures("corpora")
def test_several_teachers_are_averaged(sentences: Path, tiny_model: Path, trained: Path, tmp_path: Path) -> None:
    other, tokenizer = tiny_encoder()
    torch.nn.init.normal_(other.query.weight, std=1.0)
    other.save_pretrained(tmp_path / "other", tokenizer)
    one, two, both = (tmp_path / name for name in ("one", "two", "both"))
    teach.teach([str(trained)], one, source=sentences)
    teach.teach([str(tmp_path / "other")], two, source=sentences)
    teach.teach([str(trained), str(tmp_path / "other")], both, source=sentences)
    for head in ("tone", "direction", "root", "root_back"):
        first, second, mean = (np.array([r[head] for r in labels_of(f)]) for f in (one, two, both))
        assert not np.allclose(first, second)
        assert np.allclose(mean, (first + second) / 2, atol=1e-6)
    # The exported teacher says what the trained one does.
    teach.teach([str(tiny_model)], tmp_path / "exported", source=sentences)
    said = [np.array([r["tone"] for r in labels_of(f)]) for f in (one, tmp_path / "exported")]
    assert np.allclose(*said, atol=1e-4)


@pytest.mark.usefixtures("corpora")
def test_a_stopped_run_goes_on(
    sentences: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teach, "PART", 10)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    counts = teach.teach([str(tiny_model)], whole, source=sentences)

    def stop(_: int, so_far: teach.Counts) -> None:
        if so_far.read == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teach.teach([str(tiny_model)], broken, source=sentences, progress=stop)
    with pytest.raises(CorpusError, match="isn't finished; give the same command again"):
        soft.read(broken)
    with pytest.raises(CorpusError, match="other teachers, sentences or limit"):
        teach.teach([str(tiny_model)], broken, source=sentences, limit=5)
    kept = {file.name: file.stat().st_mtime_ns for file in broken.glob("part-*")}
    assert len(kept) == 3
    (broken / "part-00003.parquet").write_bytes(b"half of one")
    assert teach.teach([str(tiny_model)], broken, source=sentences) == counts
    assert {name: (broken / name).stat().st_mtime_ns for name in kept} == kept
    assert labels_of(broken) == labels_of(whole)
    assert teach.teach([str(tiny_model)], broken, source=sentences) == counts, "nothing is left to do"


@pytest.mark.usefixtures("corpora")
def test_a_draw_is_always_the_same(sentences: Path, tiny_model: Path, tmp_path: Path) -> None:
    for name in "ab":
        assert teach.teach([str(tiny_model)], tmp_path / name, source=sentences, limit=9).read == 9
    assert labels_of(tmp_path / "a") == labels_of(tmp_path / "b")


def test_what_is_no_model_or_not_on_disk_is_said(
    sentences: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETENTE_CORPORA", str(tmp_path / "nowhere"))
    with pytest.raises(CorpusError, match="transfer: no corpora/transfer"):
        teach.teach([str(tiny_model)], tmp_path / "soft")
    with pytest.raises(CorpusError, match="plv: no corpora/plv"):  # what must be left out isn't known
        teach.teach([str(tiny_model)], tmp_path / "soft", source=sentences)
    with pytest.raises(ValueError, match=r"is no model: it has neither model\.safetensors"):
        teach.teach([str(tmp_path)], tmp_path / "soft", source=sentences)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"config\.json"):
        teach.teach([str(tmp_path)], tmp_path / "soft", source=sentences)


def test_long_and_crowded_sentences_are_not_asked() -> None:
    def asked(text: str) -> teach.Asked | None:
        return teach.ask(Sentence("1", text, "", "", (), "x"))

    found = asked("China met Japan and India.")
    assert found is not None
    assert found.dyads == [("CHN", "IND"), ("CHN", "JPN"), ("IND", "JPN")]
    assert asked("China, Japan, India, France, Russia, Turkey and Egypt met.") is None
    assert asked("China met Japan. " * 200) is None


# Rows


@pytest.fixture
def labelled(sentences: Path, trained: Path, tmp_path: Path, corpora: None) -> Path:
    teach.teach([str(trained)], tmp_path / "soft", source=sentences)
    return tmp_path / "soft"


def test_soft_labels_as_rows(labelled: Path) -> None:
    rows = soft.read(labelled, weight=0.5)
    records = labels_of(labelled)
    assert len(rows) == len(SENTENCES)
    assert not any(row.ordered for row in rows)
    assert [row.states for row in rows] == [record["dyad"].split("-") for record in records]
    (label,) = rows[0].labels
    assert label.weight == 0.5
    assert label.heads["tone"] == pytest.approx(records[0]["tone"], abs=1e-6)
    assert label.back["root"] == pytest.approx(records[0]["root_back"], abs=1e-6)
    assert len(soft.read(labelled, limit=5, seed=1)) == 5
    assert soft.read(labelled, limit=5, seed=1) == soft.read(labelled, limit=5, seed=1)
    with pytest.raises(CorpusError, match="holds no soft labels"):
        soft.read(labelled / "nowhere")
    (labelled / "part-00000.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(CorpusError, match="can't be read"):
        soft.read(labelled)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=5), st.floats(1.1, 4))
def test_a_temperature_flattens_and_keeps_the_order(weights: list[float], temperature: float) -> None:
    shares = np.array(weights) / sum(weights)
    flat = soft.softened(shares, temperature)
    assert sum(flat) == pytest.approx(1)
    assert max(flat) <= shares.max() + 1e-9
    assert np.argmax(flat) == np.argmax(shares)
    assert soft.softened(flat, 1 / temperature) == pytest.approx(shares.tolist())


def test_a_flipped_soft_label_is_that_of_the_other_order() -> None:
    label = Label({"tone": [0.2] * 5, "root": [1.0, 0.0]}, back={"root": [0.0, 1.0]})
    turned = flipped(label)
    assert turned.heads == {"tone": [0.2] * 5, "root": [0.0, 1.0]}
    assert flipped(turned) == label


def test_soft_labels_are_not_smoothed() -> None:
    row = Row("China met Japan.", ["CHN", "JPN"], [[(0, 5)], [(10, 15)]], [(0, 1)], [], "transfer")
    tones = [[0.9, 0.1, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]]
    rows = [replace(row, labels=[Label({"tone": tone})]) for tone in tones]
    targets = Collator(Featurizer(tiny_tokenizer(), MAX_LENGTH), smoothing=0.1)(rows)["targets"]
    assert isinstance(targets, dict)
    assert targets["tone"][0].tolist() == pytest.approx(tones[0])
    assert targets["tone"][1].tolist() == pytest.approx([0.92, 0.02, 0.02, 0.02, 0.02])


# Settings


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
    settings = read_args(Path(__file__).parent.parent / "train" / "configs" / f"{name}.yaml")
    assert settings.markers == (name == "teacher")
    assert ("transfer" in settings.corpora) == (name == "distil")


# A student


def tones(engine: Engine, rows: Sequence[Row]) -> Floats:
    return np.stack([pair.heads["tone"] for pairs in engine.read([row.item for row in rows]) for pair in pairs])


@pytest.fixture
def student_base(tmp_path: Path) -> Path:
    """An encoder of other weights than the teacher's."""
    model, tokenizer = tiny_encoder()
    torch.manual_seed(7)
    for weights in model.encoder.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    folder = tmp_path / "base"
    model.encoder.save_pretrained(folder)  # type: ignore[operator]
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that a run goes through
@pytest.mark.parametrize("consistency", [0.0, 0.5])
def test_a_student_moves_towards_its_teacher(
    labelled: Path, trained: Path, student_base: Path, tmp_path: Path, consistency: float
) -> None:
    settings = settings_of(
        tmp_path,
        base=str(student_base),
        max_length=MAX_LENGTH,
        hidden=16,
        corpora={"transfer": {"soft": str(labelled)}},
        epochs=8,
        batch_size=8,
        learning_rate=0.003,
        smoothing=0.0,
        consistency=consistency,
        tracking="",
    )
    rows = training_rows(settings)
    assert len(rows) == len(SENTENCES)
    teacher, tokenizer = PairEncoder.from_pretrained(trained)
    wanted = tones(TorchEngine(teacher, Featurizer(tokenizer, MAX_LENGTH)), rows)
    distances: list[float] = []

    def divergence(model: PairEncoder, featurizer: Featurizer) -> dict[str, float]:
        said = tones(TorchEngine(model, featurizer), rows)
        distances.append(float((wanted * np.log(wanted / said.clip(1e-9)).clip(-50)).sum(-1).mean()))
        return {"dev_mean": -distances[-1]}

    torch.manual_seed(settings.seed)
    divergence(*untrained(settings))
    fit(settings, rows, divergence)
    assert distances[-1] < 0.5 * distances[0]


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
    collator = Collator(Featurizer(tiny_tokenizer(), MAX_LENGTH), markers=markers, twins=True)
    batch = collator(rows_with_states())
    targets = batch["targets"]
    assert isinstance(targets, dict)
    assert targets["twins"].tolist() == [0, 2], "a row without states has none"
    assert targets["tone"].shape == (3, len(TONES))
    ids = batch["input_ids"]
    assert isinstance(ids, torch.Tensor)
    texts = [collator.featurizer.tokenizer.decode(row.tolist()) for row in ids]
    assert len(texts) == 5
    assert all("warned" in text for text in texts)
    assert "china" not in texts[3]
    assert len(batch["pairs"]) == 5


def test_twins_change_the_loss_by_their_divergence_only() -> None:
    model, tokenizer = tiny_encoder()
    collator = Collator(Featurizer(tokenizer, MAX_LENGTH), twins=True)
    batch: dict[str, Any] = collator(rows_with_states())
    targets = batch.pop("targets")
    readings = model(**batch)
    alone = Readings({head: logits[:3] for head, logits in readings.heads.items()}, readings.cue[:3])
    assert loss(readings, targets, {}) == loss(alone, targets, {})
    assert inconsistency(readings, targets) > 0
    same = Readings({"tone": readings.heads["tone"][[0, 1, 2, 0, 2]]}, readings.cue)
    assert inconsistency(same, targets) == pytest.approx(0, abs=1e-6)
    none = Collator(Featurizer(tokenizer, MAX_LENGTH), twins=True)(rows_with_states()[1:2])["targets"]
    assert isinstance(none, dict)
    assert inconsistency(Readings({"tone": readings.heads["tone"][1:2]}, readings.cue[1:2]), none) == 0


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
    collator = Collator(featurizer, markers=True, masked=1.0)
    assert collator.mask == "<mask>"
    batch: dict[str, Any] = collator(rows_with_states()[:1])
    targets = batch.pop("targets")
    assert (batch["input_ids"] == tokenizer.token_to_id("<mask>")).sum() == 2
    loss(model(**batch), targets, {}).backward()

    folder = export(model.eval(), tokenizer, tmp_path / "model", int8=False)
    items = [row.item for row in rows_with_states()]
    found = parity(TorchEngine(model, featurizer), Engine(folder), items)
    assert max(found.distance.values()) < 1e-4
