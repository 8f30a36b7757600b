"""A trained model as ONNX with int8 weights: what the `infer` room runs without torch."""

import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from detente.models.config import HEADS
from detente.models.encoder import PairEncoder
from detente.models.features import Featurizer, Item
from detente.models.store import CONFIG, ONNX, TOKENIZER, seal, write_json

OPSET = 18

#: Weights that share a scale. A smaller block is nearer to fp32 and adds a byte in eight.
BLOCK = 32


class _Flat(nn.Module):
    """The encoder with its outputs as a tuple, heads in order and the cue last, which is what ONNX has."""

    def __init__(self, model: PairEncoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, mentions: Tensor, pairs: Tensor) -> tuple[Tensor, ...]:
        readings = self.model(input_ids, attention_mask, mentions, pairs)
        return (*(readings.heads[head] for head in self.model.spec.heads), readings.cue)


def export(model: PairEncoder, tokenizer: Tokenizer, folder: Path, *, int8: bool = True) -> Path:
    """Write a model folder that `detente.load` opens: ONNX, tokenizer, configuration and manifest.

    Args:
        model: on the CPU, in evaluation mode.
        tokenizer: its tokenizer.
        folder: made if it is not there; a README.md in it is left alone.
        int8: weights of the matrix products and embeddings as int8, else fp32.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        plain = Path(scratch) / "fp32.onnx"
        to_onnx(model, tokenizer, plain)
        if int8:
            quantize(plain, folder / ONNX)
        else:
            shutil.copyfile(plain, folder / ONNX)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(folder / TOKENIZER))
    write_json(folder / CONFIG, model.spec.to_dict())
    seal(folder)
    return folder


def to_onnx(model: PairEncoder, tokenizer: Tokenizer, file: Path) -> None:
    """Trace a model into one ONNX file, fp32, with free batch, length, actor and pair axes."""
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
        **{head: {0: "pairs"} for head in HEADS},
        "cue": {0: "pairs", 1: "tokens"},
    }
    arrays = example.arrays()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer warns of every shape that it reads
        torch.onnx.export(
            _Flat(model).eval(),
            tuple(torch.from_numpy(a) for a in arrays.values()),
            str(file),
            input_names=list(arrays),
            output_names=[*model.spec.heads, "cue"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,  # the traced graph is the one that onnxruntime's quantizer reads well
        )


def quantize(plain: Path, file: Path) -> None:
    """Write an fp32 ONNX file with its weights as int8.

    Matrix products take int8 weights with a scale for every `BLOCK` of them, and quantize what they are given block by
    block as it comes (MatMulNBits). One scale for a whole tensor, as in onnxruntime's dynamic quantization, moves one
    label in twenty, and lets the sentences of a batch change each other's readings.
    """
    from onnxruntime.quantization import matmul_nbits_quantizer as nbits  # noqa: PLC0415  (imports onnx: only here)
    from onnxruntime.quantization.onnx_model import ONNXModel  # noqa: PLC0415
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        ready = Path(scratch) / "ready.onnx"
        quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
        model = onnx.load(ready)
    embeddings_to_int8(model)
    ONNXModel(model).replace_gemm_with_matmul()  # the quantizer knows no Gemm
    config = nbits.DefaultWeightOnlyQuantConfig(
        block_size=BLOCK, is_symmetric=True, accuracy_level=4, bits=8, op_types_to_quantize=("MatMul",)
    )
    quantizer = nbits.MatMulNBitsQuantizer(
        model, bits=8, block_size=BLOCK, is_symmetric=True, accuracy_level=4, algo_config=config
    )
    quantizer.process()
    quantizer.model.save_model_to_file(str(file))


def embeddings_to_int8(model: onnx.ModelProto) -> None:
    """Store the tables that tokens are looked up in as int8 with a scale for each `BLOCK` of a row, in place."""
    graph = model.graph
    tables = {t.name: t for t in graph.initializer if t.data_type == onnx.TensorProto.FLOAT and len(t.dims) == 2}
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 0, -1]), "row_of_blocks"))
    nodes = []
    for node in graph.node:
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or table.dims[1] % BLOCK:
            nodes.append(node)
            continue
        rows = onnx.numpy_helper.to_array(table)
        blocks = rows.reshape(len(rows), -1, BLOCK)
        scale = (np.abs(blocks).max(axis=-1, keepdims=True).clip(1e-4) / 127).astype(np.float16)
        small = np.rint(blocks / scale.astype(np.float32)).clip(-127, 127).astype(np.int8)
        name, ids, out = table.name, node.input[1], node.output[0]
        graph.initializer.remove(table)
        graph.initializer.extend(
            onnx.numpy_helper.from_array(array, f"{name}_{what}") for what, array in (("int8", small), ("scale", scale))
        )
        for what in ("int8", "scale"):
            nodes.append(onnx.helper.make_node("Gather", [f"{name}_{what}", ids], [f"{out}_{what}"]))
            nodes.append(
                onnx.helper.make_node("Cast", [f"{out}_{what}"], [f"{out}_{what}_float"], to=onnx.TensorProto.FLOAT)
            )
        nodes += [
            onnx.helper.make_node("Mul", [f"{out}_int8_float", f"{out}_scale_float"], [f"{out}_blocks"]),
            onnx.helper.make_node("Reshape", [f"{out}_blocks", "row_of_blocks"], [out]),  # [S, T, width]
        ]
    del graph.node[:]
    graph.node.extend(nodes)
