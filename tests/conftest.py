"""A tiny model with the shape of a real one, made on the spot: random weights, letters and a few words."""

from pathlib import Path

import hypothesis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from detente.models.encoder import PairEncoder
from detente.train.distill.teacher import teach
from detente.train.export.onnx import export
from tests.helpers.tiny import CORPORA, HELD_OUT, LONE, SENTENCES, tiny_encoder

# Speed is measured by benchmarks: a busy machine must not fail a property.
hypothesis.settings.register_profile("detente", deadline=None)
hypothesis.settings.load_profile("detente")


@pytest.fixture
def tiny_torch() -> tuple[PairEncoder, Tokenizer]:
    """The network that the exported models below were made of."""
    return tiny_encoder()


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pretrained encoder as the hub has them: weights, configuration, tokenizer."""
    folder = tmp_path_factory.mktemp("base")
    model, tokenizer = tiny_encoder()
    model.encoder.save_pretrained(folder)  # type: ignore[operator]
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an exported model, fp32."""
    return export(*tiny_encoder(), tmp_path_factory.mktemp("models") / "tiny", int8=False)


@pytest.fixture(scope="session")
def tiny_int8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model with int8 weights."""
    return export(*tiny_encoder(), tmp_path_factory.mktemp("models") / "tiny-int8", int8=True)


@pytest.fixture(scope="session")
def tiny_markers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads markers, fp32."""
    return export(*tiny_encoder(markers=True), tmp_path_factory.mktemp("models") / "tiny-markers", int8=False)


@pytest.fixture
def corpora(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made-up corpora in place of any others."""
    monkeypatch.setenv("DETENTE_CORPORA", str(CORPORA))


@pytest.fixture
def sentences(tmp_path: Path) -> Path:
    """A made-up transfer set."""
    rows = [
        {"id": str(n), "corpus": "made_up", "date": "2021-03-10", "title": "", "states": "", "sentence": text}
        for n, text in enumerate([*SENTENCES, HELD_OUT, LONE])
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "sentences.parquet")
    return tmp_path / "sentences.parquet"


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A teacher as `detente train` leaves it."""
    model, tokenizer = tiny_encoder()
    model.save_pretrained(tmp_path / "torch", tokenizer)
    return tmp_path / "torch"


@pytest.fixture
def labelled(sentences: Path, trained: Path, tmp_path: Path, corpora: None) -> Path:
    """The teacher's soft labels on the transfer set."""
    teach([str(trained)], tmp_path / "soft", source=sentences)
    return tmp_path / "soft"
