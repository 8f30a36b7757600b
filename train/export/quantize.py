"""An exported network with int8 weights: in products by blocks or by rows, and in the tables of embeddings."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import convert_model_to_external_data

from detente.models.fake_quant import BLOCK, INT8_MAX, MIN_BLOCK_SCALE, MIN_SCALE
from detente.models.model_dir import TABLES

#: Bytes of one file from which on its largest tables go into a second: hosts of code and packages take 100 MB.
MOST_BYTES = 95_000_000
LARGE_TABLE = 10_000_000

#: What stands for nought where a row is stored without a sign, as the fastest products want it.
NOUGHT = 128


def quantize(plain: Path, file: Path, *, rounded: bool) -> None:
    """Write an fp32 ONNX file with its weights as int8.

    Args:
        plain: the fp32 file.
        file: to be written.
        rounded: the model was trained with the rounding of `models.rounded`, and its products are computed so. Other
            models keep nearer to fp32, at its speed: `products_by_blocks`.
    """
    from onnxruntime.quantization.onnx_model import ONNXModel  # noqa: PLC0415  (imports onnx: only here)
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        ready = Path(scratch) / "ready.onnx"
        quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
        model = onnx.load(ready)
    embeddings_to_int8(model)
    ONNXModel(model).replace_gemm_with_matmul()  # both ways know no Gemm
    if rounded:
        products_by_rows(model)
    else:
        model = products_by_blocks(model)
    beside = file.with_name(TABLES)
    beside.unlink(missing_ok=True)  # of another model, and it would be written on from its end
    large = model.ByteSize() > MOST_BYTES
    if large:
        convert_model_to_external_data(model, location=beside.name, size_threshold=LARGE_TABLE)
    onnx.save(model, file)
    if large:
        beside.chmod(0o644)  # as other files are; onnx writes it for its owner alone


def products_by_blocks(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose products take int8 weights and inputs with a scale for every `BLOCK` of them (MatMulNBits).

    One scale for a whole tensor, as in onnxruntime's dynamic quantization, moves one label in twenty, and lets the
    sentences of a batch change each other's readings.
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


def products_by_rows(model: onnx.ModelProto) -> None:
    """Compute every product with weights as `models.rounded.RoundedLinear` does, in place: whole rows of int8.

    A weight has a scale for each output, a row that it is multiplied with one of its own (MatMulIntegerToFloat): twice
    as fast as fp32 on a CPU with VNNI, the rest of the network included.
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

    one, nought = constant("one", 1, np.float32), constant("nought", NOUGHT, np.uint8)
    most, least = constant("most", INT8_MAX, np.float32), constant("least", MIN_SCALE, np.float32)
    last = constant("last_axis", [1], np.int64)

    def rows_of(given: str, depth: int) -> tuple[str, str]:
        """Round what a product is given, [..., depth]: uint8 [rows, depth] and scales [rows, 1]."""
        rows = make("Reshape", [given, constant(f"rows_of_{depth}", [-1, depth], np.int64)], f"{given}_rows")
        peak = make("ReduceMax", [make("Abs", [rows], f"{given}_abs"), last], f"{given}_peak", keepdims=0)
        scale = make("Max", [make("Div", [peak, most], f"{given}_step"), least], f"{given}_scale")
        noughts = make("Expand", [nought, make("Shape", [scale], f"{given}_count")], f"{given}_noughts")
        small = make("QuantizeLinear", [rows, scale, noughts], f"{given}_int8", axis=0)
        return small, make("Unsqueeze", [scale, last], f"{given}_scales")

    known: dict[str, tuple[str, str]] = {}
    for node in graph.node:
        weight = weights.get(node.input[1]) if node.op_type == "MatMul" else None
        if weight is None:
            nodes.append(node)
            continue
        given, out = node.input[0], node.output[0]
        values = numpy_helper.to_array(weight)  # [depth, width]
        depth, width = values.shape
        if given not in known:
            known[given] = rows_of(given, depth)
        small, scales = known[given]
        scale = np.maximum(np.abs(values).max(axis=0) / np.float32(INT8_MAX), np.float32(MIN_SCALE))
        made = [
            small,
            constant(f"{out}_weight", np.rint(values / scale), np.int8),
            one,
            constant(f"{out}_scale", scale, np.float32),
            nought,
        ]
        product = make("MatMulIntegerToFloat", made, f"{out}_product", domain="com.microsoft")
        scaled = make("Mul", [product, scales], f"{out}_scaled")
        head = make("Shape", [given], f"{out}_head", end=-1)
        shape = make("Concat", [head, constant(f"width_{width}", [width], np.int64)], f"{out}_shape", axis=0)
        make("Reshape", [scaled, shape], out)
    _replace(graph, nodes, constants.values())
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def embeddings_to_int8(model: onnx.ModelProto) -> None:
    """Store the tables that tokens are looked up in as `models.rounded.RoundedEmbedding` rounds them, in place."""
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
        scale = (np.abs(blocks).max(axis=-1, keepdims=True) / INT8_MAX).clip(MIN_BLOCK_SCALE).astype(np.float16)
        small = np.rint(blocks / scale.astype(np.float32)).clip(-INT8_MAX, INT8_MAX).astype(np.int8)
        name, ids, out = table.name, node.input[1], node.output[0]
        constants += [numpy_helper.from_array(a, f"{name}_{what}") for what, a in (("int8", small), ("scale", scale))]
        for what in ("int8", "scale"):
            nodes.append(helper.make_node("Gather", [f"{name}_{what}", ids], [f"{out}_{what}"]))
            nodes.append(helper.make_node("Cast", [f"{out}_{what}"], [f"{out}_{what}_float"], to=TensorProto.FLOAT))
        nodes += [
            helper.make_node("Mul", [f"{out}_int8_float", f"{out}_scale_float"], [f"{out}_blocks"]),
            helper.make_node("Reshape", [f"{out}_blocks", "row_of_blocks"], [out]),  # [S, T, width]
        ]
    _replace(graph, nodes, constants)


def _replace(graph: onnx.GraphProto, nodes: Any, constants: Any) -> None:
    """Give a graph other nodes and more constants, and drop the constants that none of the nodes takes."""
    used = {name for node in nodes for name in node.input}
    kept = [t for t in graph.initializer if t.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *constants])
