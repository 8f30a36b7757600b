"""Export a trained model as ONNX with int8 weights, which `detente.infer` runs without torch."""

import copy
import shutil
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from detente._files import write_json
from detente.models.config import HIDDEN, PAIR_VECTOR
from detente.models.encoder import PairEncoder
from detente.models.fake_quant import round_weights
from detente.models.features import Featurizer, Item
from detente.models.model_dir import CONFIG, ONNX, SHAPE, TOKENIZER, seal
from detente.train.export.quantize import quantize

OPSET = 18


class _Flat(nn.Module):
    """The network with its outputs as a tuple in the order of `output_names`, as ONNX requires."""

    def __init__(self, model: PairEncoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, mentions: Tensor, pairs: Tensor) -> tuple[Tensor, ...]:
        readings = self.model(input_ids, attention_mask, mentions, pairs)
        heads = self.model.spec.heads
        return (
            *(readings.heads[head] for head in heads),
            readings.cue,
            readings.vector,
            *(readings.hidden[head] for head in heads),
        )


def output_names(heads: Iterable[str]) -> list[str]:
    """Return the names of the exported network's outputs.

    Readings need the heads' logits and the cue; the heads of custom codebooks are built on the pair vector and the
    hidden layers.
    """
    return [*heads, "cue", PAIR_VECTOR, *(f"{HIDDEN}{head}" for head in heads)]


def export(model: PairEncoder, tokenizer: Tokenizer, folder: Path, *, int8: bool = True) -> Path:
    """Write a model folder for `detente.load`: ONNX, tokenizer, configuration and manifest.

    Args:
        model: trained model, on the CPU and in evaluation mode.
        tokenizer: the model's tokenizer.
        folder: output folder, created if missing; a README.md in it is kept.
        int8: whether to quantize weights and embeddings to int8 instead of keeping fp32.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        fp32 = Path(scratch) / "fp32.onnx"
        to_onnx(model, tokenizer, fp32)
        if int8:
            quantize(fp32, folder / ONNX, per_token=model.spec.rounded)
        else:
            shutil.copyfile(fp32, folder / ONNX)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(folder / TOKENIZER))
    write_json(folder / CONFIG, model.spec.to_dict())
    (folder / SHAPE).write_text(model.encoder.config.to_json_string(), "utf-8")  # type: ignore[union-attr, operator]
    seal(folder)
    return folder


def to_onnx(model: PairEncoder, tokenizer: Tokenizer, file: Path) -> None:
    """Trace a model into an fp32 ONNX file with dynamic batch, length, actor and pair axes."""
    traced = copy.deepcopy(model).eval()
    round_weights(traced, rounded=False)
    traced.encoder.config._attn_implementation = "eager"  # type: ignore[union-attr]  # four nodes per layer; sdpa takes ten
    example = Featurizer(tokenizer, model.spec.max_length).batch(
        [
            Item("One and Two met Three.", [[(0, 3)], [(8, 11)], [(16, 21)]], [(0, 1), (1, 0), (0, 2)]),
            Item("Two answered One at once.", [[(0, 3)], [(13, 16)]], [(0, 1)]),
        ]
    )
    axes = {
        "input_ids": {0: "sentences", 1: "tokens"},
        "attention_mask": {0: "sentences", 1: "tokens"},
        "mentions": {0: "sentences", 1: "actors", 2: "tokens"},
        "pairs": {0: "pairs"},
        **{name: {0: "pairs"} for name in output_names(model.spec.heads)},
        "cue": {0: "pairs", 1: "tokens"},
    }
    arrays = example.arrays()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer warns about every shape
        torch.onnx.export(
            _Flat(traced),
            tuple(torch.from_numpy(a) for a in arrays.values()),
            str(file),
            input_names=list(arrays),
            output_names=output_names(model.spec.heads),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,  # onnxruntime's quantizer handles the traced graph best
        )
