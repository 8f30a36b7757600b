"""The pair encoder: a sentence is encoded once, every dyad in it is read from the same vectors (extra `[train]`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

from detente.models.config import ModelConfig
from detente.models.features import MARKERS
from detente.models.rounded import round_weights
from detente.models.store import CONFIG, TOKENIZER, WEIGHTS, read_config, write_json

ENCODER = "encoder"  # the folder of the encoder's own configuration


@dataclass(slots=True)
class Readings:
    """What the network says of D dyads in sentences of T tokens.

    Attributes:
        heads: logits by head, each [D, labels of the head].
        cue: logit of each token being one of the words that show the tone, [D, T].
    """

    heads: dict[str, Tensor]
    cue: Tensor


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
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(
                    nn.Linear(5 * width, config.hidden),
                    nn.GELU(),
                    nn.Dropout(dropout),
                    nn.Linear(config.hidden, len(labels)),
                )
                for name, labels in config.heads.items()
            }
        )
        round_weights(self, rounded=config.rounded)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, mentions: Tensor, pairs: Tensor) -> Readings:
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
        return Readings({name: head(vector) for name, head in self.heads.items()}, cue)

    @classmethod
    def from_base(
        cls, config: ModelConfig, base: str, dropout: float = 0.1, encoder_dropout: float | None = None
    ) -> tuple[Self, Tokenizer]:
        """Start from a pretrained encoder with new heads, or from a trained detente model.

        Args:
            config: of the new model.
            base: a folder that `save_pretrained` wrote, another encoder's folder, or a hub id.
            dropout: of the pair's vector.
            encoder_dropout: within the encoder; None for what its configuration says.

        Returns:
            The model and its tokenizer.
        """
        if (Path(base) / ENCODER).is_dir():
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
        """Load what `save_pretrained` wrote, in evaluation mode.

        Raises:
            ModelError: the folder lacks a file, or it cannot be read.
        """
        config = read_config(folder)
        encoder = AutoModel.from_config(AutoConfig.from_pretrained(folder / ENCODER), add_pooling_layer=False)
        model = cls(config, encoder)
        model.load_state_dict(load_file(folder / WEIGHTS))
        return model.eval(), Tokenizer.from_file(str(folder / TOKENIZER))
