"""Recover the torch weights of an exported model, at int8 precision, for fine-tuning (extra `[train]`)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from detente.models.config import OWN, ModelConfig
from detente.models.model_dir import ONNX, SHAPE, ModelError, verify

#: Prefix of torch parameters in the exported graph.
_PREFIX = "model."


def weights(folder: Path, config: ModelConfig) -> dict[str, Tensor]:
    """Return the parameters of an exported model by their torch names, without user-defined heads.

    Fake quantization maps these weights to themselves, so the torch model predicts like the exported one.

    Raises:
        ModelError: the folder is incomplete, wasn't trained quantization-aware, or has no encoder configuration.
    """
    verify(folder)
    if not config.rounded:
        raise ModelError(f"{folder} was trained without `rounded: true`; go on from the folder `torch` of its run")
    if not (folder / SHAPE).is_file():
        raise ModelError(
            f"{folder} has no {SHAPE}, an older detente wrote it; go on from the folder `torch` of its run"
        )
    stored = _stored(onnx.load(folder / ONNX).graph)
    return {name: torch.from_numpy(values) for name, values in stored.items() if not name.startswith(f"heads.{OWN}")}


def _stored(graph: onnx.GraphProto) -> dict[str, npt.NDArray[np.float32]]:
    """Return the dequantized weights of a graph written by `train.export.quantize`."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}

    def dequantized(values_name: str, scale_name: str) -> npt.NDArray[np.float32]:
        values: npt.NDArray[np.float32] = numpy_helper.to_array(tensors[values_name]).astype(np.float32)
        return values * numpy_helper.to_array(tensors[scale_name]).astype(np.float32)

    parameters = {}
    for name in filter(lambda name: name.startswith(_PREFIX), tensors):
        table = name.removesuffix("_int8")
        if table != name:
            rows = dequantized(name, f"{table}_scale")
            parameters[table.removeprefix(_PREFIX)] = rows.reshape(len(rows), -1)
        elif not name.endswith("_scale"):
            parameters[name.removeprefix(_PREFIX)] = np.array(numpy_helper.to_array(tensors[name]), np.float32)
    for node in graph.node:  # the bias after a product gives the name of its weight
        bias = next((name for name in node.input if name.startswith(_PREFIX) and name.endswith(".bias")), "")
        product = next((name for name in node.input if f"{name}_weight" in tensors), "")
        if node.op_type == "Add" and bias and product:
            weight = dequantized(f"{product}_weight", f"{product}_scale").T
            parameters[f"{bias.removeprefix(_PREFIX).removesuffix('.bias')}.weight"] = np.ascontiguousarray(weight)
    return parameters
