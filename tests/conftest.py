"""A tiny model with the shape of a real one, made on the spot: random weights, letters and a few words."""

import string
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from detente.models.config import ModelConfig
from detente.models.encoder import PairEncoder
from detente.train.distill.teacher import teach
from detente.train.export.onnx import export

MAX_LENGTH = 48

#: Made-up corpora, a few rows of each.
CORPORA = Path(__file__).parent / "corpora"

_NAMES = ("China", "Japan", "India", "France", "Russia", "Turkey")

#: Sentences of a made-up transfer set: one dyad each.
SENTENCES = [f"{a} {verb} {b}." for verb in ("warned", "thanked", "met", "sued") for a, b in combinations(_NAMES, 2)]

#: Two more of it that nothing may learn from: a reserved test row in other letters, and one without a dyad.
HELD_OUT, LONE = "Cairo recalled its envoy from ANKARA!", "China went its own way."


def tiny_tokenizer() -> Tokenizer:
    """WordPiece over ASCII: a few whole words, every other word letter by letter."""
    words = ["china", "japan", "the", "united", "states", "warned", "thanked", "met", "and", "talks", "with"]
    pieces = [*string.ascii_lowercase, *string.digits]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[A]", "[/A]", "[B]", "[/B]", *string.punctuation]
    vocabulary += [*words, *pieces, *(f"##{piece}" for piece in pieces)]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[A]", "[/A]", "[B]", "[/B]"])
    return tokenizer


def tiny_encoder(*, markers: bool = False, max_length: int = MAX_LENGTH) -> tuple[PairEncoder, Tokenizer]:
    """A two-layer network with random weights, large enough for its answers to differ."""
    torch.manual_seed(2)  # of the seeds tried, one whose tones differ between sentences
    tokenizer = tiny_tokenizer()
    shape = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=max_length,
        initializer_range=0.5,
    )
    config = ModelConfig(
        name="tiny", version="1", hidden=16, max_length=max_length, markers=markers, temperature={"tone": 2.0}
    )
    model = PairEncoder(config, BertModel(shape, add_pooling_layer=False)).eval()
    for head in model.heads.values():
        for weights in head.parameters():
            torch.nn.init.normal_(weights, std=1.0)
    return model, tokenizer


def trained_a_little(model: PairEncoder) -> PairEncoder:
    """Move every bias and norm a little: no two parameters are equal, as in a model that has been trained."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


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
