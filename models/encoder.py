"""The pair encoder: a sentence is encoded once, every dyad in it is read from the same vectors (extra `[train]`)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

from detente._files import write_json
from detente.models.config import HEADS, ModelConfig
from detente.models.fake_quant import round_weights
from detente.models.features import MARKERS
from detente.models.model_dir import CONFIG, ONNX, SHAPE, TOKENIZER, WEIGHTS, ModelError, read_config
from detente.models.onnx_weights import weights

ENCODER = "encoder"  # the folder of the encoder's own configuration


@dataclass(slots=True)
class EncoderOutput:
    """The network's output for D dyads in sentences of T tokens.

    Attributes:
        heads: logits by head, each [D, labels of the head].
        cue: logit of each token being one of the words that show the tone, [D, T].
        vector: what the heads read of each pair, [D, 5 H] for an encoder of width H.
        hidden: hidden layer by head, each [D, `ModelConfig.hidden`].
    """

    heads: dict[str, Tensor]
    cue: Tensor
    vector: Tensor
    hidden: dict[str, Tensor]


def _module(head: str) -> str:
    """Return what a head is called among torch's modules, whose names have no dots."""
    return head.replace(".", "·")


class PairEncoder(nn.Module):
    """An encoder with heads that read an ordered pair of actors.

    The pair's vector holds [CLS], both actors (the mean of their mentions' vectors), their product, and the evidence:
    a mean of the sentence's tokens weighed by how well each answers the pair. The weights of the evidence are the cue.

    Args:
        config: heads and versions.
        encoder: a transformers encoder whose first token stands for the sentence.
        dropout: share of the pair's vector that is dropped in training.
    """

    def __init__(self, config: ModelConfig, encoder: nn.Module, dropout: float = 0.1) -> None:
        super().__init__()
        self.spec = config  # not `config`: transformers writes its own keys into that
        self.encoder = encoder
        width = int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
        self.query = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict()
        self.add_heads(config.heads)

    def add_heads(self, heads: Mapping[str, tuple[str, ...]]) -> None:
        """Put untrained heads beside those that are there, each with the labels of its outputs."""
        for name, labels in heads.items():
            self.heads[_module(name)] = nn.Sequential(
                nn.Linear(self.query.in_features // 4 * 5, self.spec.hidden),
                nn.GELU(),
                nn.Dropout(self.dropout.p),
                nn.Linear(self.spec.hidden, len(labels)),
            )
        self.spec = replace(self.spec, heads={**self.spec.heads, **heads})
        round_weights(self, rounded=self.spec.rounded)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, mentions: Tensor, pairs: Tensor) -> EncoderOutput:
        """Read every pair of the batch; shapes as in `features.Batch`."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state  # [S, T, H]
        actors = torch.bmm(mentions.to(hidden.dtype), hidden).flatten(0, 1)  # [S * K, H]
        sentence = pairs[:, 0] // mentions.shape[1]
        first, second = actors[pairs[:, 0]], actors[pairs[:, 1]]
        pair = torch.cat((hidden[:, 0][sentence], first, second, first * second), dim=-1)  # [D, 4 H]
        tokens = hidden[sentence]  # [D, T, H]
        query = self.query(pair).unsqueeze(-1)
        cue = torch.bmm(tokens, query).squeeze(-1) * hidden.shape[-1] ** -0.5  # [D, T]
        cue = cue.masked_fill(attention_mask[sentence] == 0, -1e4)
        evidence = torch.bmm(cue.softmax(-1).unsqueeze(1), tokens).squeeze(1)  # [D, H]
        vector = self.dropout(torch.cat((pair, evidence), dim=-1))
        hidden, heads = {}, {}
        for name in self.spec.heads:
            linear, curve, dropout, last = self.heads[_module(name)].children()
            hidden[name] = curve(linear(vector))
            heads[name] = last(dropout(hidden[name]))
        return EncoderOutput(heads, cue, vector, hidden)

    @classmethod
    def from_base(
        cls, config: ModelConfig, base: str, dropout: float = 0.1, encoder_dropout: float | None = None
    ) -> tuple[Self, Tokenizer]:
        """Start from a pretrained encoder with new heads, or from a trained detente model.

        Args:
            config: of the new model.
            base: a folder that `save_pretrained` wrote, an exported model's, another encoder's, or a hub id.
            dropout: of the pair's vector.
            encoder_dropout: within the encoder; None for what its configuration says.

        Returns:
            The model and its tokenizer.
        """
        if (Path(base) / ENCODER).is_dir() or (Path(base) / ONNX).is_file():
            model, tokenizer = cls.from_pretrained(Path(base))
            model.spec, model.dropout.p = config, dropout
            round_weights(model, rounded=config.rounded)
        else:
            encoder = AutoModel.from_pretrained(base, add_pooling_layer=False)
            tokenizer = AutoTokenizer.from_pretrained(base).backend_tokenizer
            if config.markers:
                tokenizer.add_special_tokens(list(MARKERS))
                encoder.resize_token_embeddings(tokenizer.get_vocab_size(), mean_resizing=False)
            model = cls(config, encoder, dropout)
        if encoder_dropout is not None:
            for module in model.encoder.modules():
                if isinstance(module, nn.Dropout):
                    module.p = encoder_dropout
        return model, tokenizer

    def save_pretrained(self, folder: Path, tokenizer: Tokenizer) -> None:
        """Write weights (safetensors), the encoder's shape, labels and tokenizer to a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self.encoder.config.save_pretrained(folder / ENCODER)  # type: ignore[union-attr, operator]
        save_file({k: v.contiguous() for k, v in self.state_dict().items()}, folder / WEIGHTS)
        tokenizer.save(str(folder / TOKENIZER))
        write_json(folder / CONFIG, self.spec.to_dict())

    @classmethod
    def from_pretrained(cls, folder: Path) -> tuple[Self, Tokenizer]:
        """Load what `save_pretrained` wrote, in evaluation mode, or an exported model, without heads of its own.

        Raises:
            ModelError: the folder lacks a file, or it cannot be read.
        """
        config = read_config(folder)
        exported = (folder / ONNX).is_file()
        if exported:
            config = replace(config, own=None, heads={h: names for h, names in config.heads.items() if h in HEADS})
        found = weights(folder, config) if exported else load_file(folder / WEIGHTS)
        shape = AutoConfig.from_pretrained(folder / (SHAPE if exported else ENCODER))
        model = cls(config, AutoModel.from_config(shape, add_pooling_layer=False))
        try:
            model.load_state_dict(found)
        except RuntimeError as error:  # of an export, where two equal parameters are stored as one
            raise ModelError(
                f"{folder}: the weights aren't those of its network ({str(error).splitlines()[0]})"
            ) from error
        return model.eval(), Tokenizer.from_file(str(folder / TOKENIZER))
