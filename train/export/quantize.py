"""Quantize an exported network: matrix products per block or per token, embedding tables per block."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import convert_model_to_external_data

from detente.models.fake_quant import BLOCK, LEAST, LEAST_BLOCK, MOST
from detente.models.model_dir import TABLES

#: Above this size in bytes, large tensors are stored as ONNX external data: GitHub and PyPI take files up to 100 MB.
MAX_FILE_SIZE = 95_000_000

#: Size in bytes from which on a tensor is moved to external data.
LARGE_TENSOR = 10_000_000

#: Zero point of the uint8 activations; the fastest kernels take unsigned activations.
ZERO_POINT = 128


def quantize(fp32: Path, file: Path, *, per_token: bool) -> None:
    """Write an fp32 ONNX file with its weights as int8.

    Args:
        fp32: fp32 file.
        file: output file.
        per_token: whether to quantize activations per token, as in `models.fake_quant`, for models trained that way.
            Otherwise products are quantized per block, closer to fp32 and as slow.
    """
    from onnxruntime.quantization.onnx_model import ONNXModel  # noqa: PLC0415  (imports onnx: only here)
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        ready = Path(scratch) / "ready.onnx"
        quant_pre_process(str(fp32), str(ready), skip_symbolic_shape=True)
        model = onnx.load(ready)
    embeddings_to_int8(model)
    ONNXModel(model).replace_gemm_with_matmul()  # neither method supports Gemm
    if per_token:
        quantize_per_token(model)
    else:
        model = quantize_per_block(model)
    external = file.with_name(TABLES)
    external.unlink(missing_ok=True)  # onnx would append to the file of an earlier model
    large = model.ByteSize() > MAX_FILE_SIZE
    if large:
        convert_model_to_external_data(model, location=external.name, size_threshold=LARGE_TENSOR)
    onnx.save(model, file)
    if large:
        external.chmod(0o644)  # onnx makes it readable by its owner only


def quantize_per_block(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose products take int8 weights and inputs with one scale per `BLOCK` values (MatMulNBits).

    A single scale per tensor, as in onnxruntime's dynamic quantization, changes one label in twenty, and makes the
    prediction for a sentence depend on the rest of its batch.
    """
    from onnxruntime.quantization import matmul_nbits_quantizer as nbits  # noqa: PLC0415

    config = nbits.DefaultWeightOnlyQuantConfig(
        block_size=BLOCK, is_symmetric=True, accuracy_level=4, bits=8, op_types_to_quantize=("MatMul",)
    )
    quantizer = nbits.MatMulNBitsQuantizer(
        model, bits=8, block_size=BLOCK, is_symmetric=True, accuracy_level=4, algo_config=config
    )
    quantizer.process()
    quantized: onnx.ModelProto = quantizer.model.model
    return quantized


def quantize_per_token(model: onnx.ModelProto) -> None:
    """Quantize every product with weights as in `models.fake_quant.RoundedLinear`, in place.

    Weights have one scale per output, activations one per token (MatMulIntegerToFloat). On a CPU with VNNI the network
    is twice as fast as in fp32.
    """
    graph = model.graph
    weights = {t.name: t for t in graph.initializer if len(t.dims) == 2}
    constants: dict[str, TensorProto] = {}
    nodes: list[onnx.NodeProto] = []

    def constant(name: str, value: Any, dtype: type) -> str:
        constants[name] = numpy_helper.from_array(np.array(value, dtype), name)
        return name

    def make(kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    unit, zero_point = constant("one", 1, np.float32), constant("nought", ZERO_POINT, np.uint8)
    int8_max, min_scale = constant("most", MOST, np.float32), constant("least", LEAST, np.float32)
    last_axis = constant("last_axis", [1], np.int64)

    def quantize_rows(source: str, depth: int) -> tuple[str, str]:
        """Quantize activations [..., depth] to uint8 [rows, depth] and scales [rows, 1]."""
        rows = make("Reshape", [source, constant(f"rows_of_{depth}", [-1, depth], np.int64)], f"{source}_rows")
        peak = make("ReduceMax", [make("Abs", [rows], f"{source}_abs"), last_axis], f"{source}_peak", keepdims=0)
        scale = make("Max", [make("Div", [peak, int8_max], f"{source}_step"), min_scale], f"{source}_scale")
        zero_points = make("Expand", [zero_point, make("Shape", [scale], f"{source}_count")], f"{source}_noughts")
        quantized = make("QuantizeLinear", [rows, scale, zero_points], f"{source}_int8", axis=0)
        return quantized, make("Unsqueeze", [scale, last_axis], f"{source}_scales")

    quantized_rows: dict[str, tuple[str, str]] = {}
    for node in graph.node:
        weight = weights.get(node.input[1]) if node.op_type == "MatMul" else None
        if weight is None:
            nodes.append(node)
            continue
        source, out = node.input[0], node.output[0]
        values = numpy_helper.to_array(weight)  # [depth, width]
        depth, width = values.shape
        if source not in quantized_rows:
            quantized_rows[source] = quantize_rows(source, depth)
        activations, scales = quantized_rows[source]
        scale = np.maximum(np.abs(values).max(axis=0) / np.float32(MOST), np.float32(LEAST))
        inputs = [
            activations,
            constant(f"{out}_weight", np.rint(values / scale), np.int8),
            unit,
            constant(f"{out}_scale", scale, np.float32),
            zero_point,
        ]
        product = make("MatMulIntegerToFloat", inputs, f"{out}_product", domain="com.microsoft")
        scaled = make("Mul", [product, scales], f"{out}_scaled")
        head = make("Shape", [source], f"{out}_head", end=-1)
        shape = make("Concat", [head, constant(f"width_{width}", [width], np.int64)], f"{out}_shape", axis=0)
        make("Reshape", [scaled, shape], out)
    _replace(graph, nodes, constants.values())
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def embeddings_to_int8(model: onnx.ModelProto) -> None:
    """Quantize the embedding tables as in `models.fake_quant.RoundedEmbedding`, in place."""
    graph = model.graph
    tables = {t.name: t for t in graph.initializer if t.data_type == TensorProto.FLOAT and len(t.dims) == 2}
    constants = [numpy_helper.from_array(np.array([0, 0, -1]), "row_of_blocks")]
    nodes = []
    for node in graph.node:
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or table.dims[1] % BLOCK:
            nodes.append(node)
            continue
        rows = numpy_helper.to_array(table)
        blocks = rows.reshape(len(rows), -1, BLOCK)
        scale = (np.abs(blocks).max(axis=-1, keepdims=True) / MOST).clip(LEAST_BLOCK).astype(np.float16)
        quantized = np.rint(blocks / scale.astype(np.float32)).clip(-MOST, MOST).astype(np.int8)
        name, ids, out = table.name, node.input[1], node.output[0]
        for part, array in (("int8", quantized), ("scale", scale)):
            constants.append(numpy_helper.from_array(array, f"{name}_{part}"))
            nodes.append(helper.make_node("Gather", [f"{name}_{part}", ids], [f"{out}_{part}"]))
            nodes.append(helper.make_node("Cast", [f"{out}_{part}"], [f"{out}_{part}_float"], to=TensorProto.FLOAT))
        nodes += [
            helper.make_node("Mul", [f"{out}_int8_float", f"{out}_scale_float"], [f"{out}_blocks"]),
            helper.make_node("Reshape", [f"{out}_blocks", "row_of_blocks"], [out]),  # [S, T, width]
        ]
    _replace(graph, nodes, constants)


def _replace(graph: onnx.GraphProto, nodes: Any, constants: Any) -> None:
    """Replace a graph's nodes, add constants, and drop initializers that no node uses."""
    used = {name for node in nodes for name in node.input}
    initializers = [t for t in graph.initializer if t.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*initializers, *constants])
