"""A tiny model with the shape of a real one, made on the spot: random weights, letters and a few words."""

import string
from itertools import combinations
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from detente.models.config import ModelConfig
from detente.models.encoder import PairEncoder

MAX_LENGTH = 48

#: Made-up corpora, a few rows of each.
CORPORA = Path(__file__).resolve().parents[1] / "corpora"

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
