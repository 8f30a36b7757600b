"""The torch weights of an exported model, as far as int8 keeps them, so that it can be trained on (extra `[train]`)."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from detente.models.config import OWN, ModelConfig
from detente.models.model_dir import ONNX, SHAPE, ModelError, verify

#: What the exporter puts before the name of a torch parameter.
_OURS = "model."


def weights(folder: Path, config: ModelConfig) -> dict[str, Tensor]:
    """Return the parameters of an exported model by their names in torch, those of heads of one's own left out.

    A model that was trained with its rounding rounds these to what they are: it answers as the exported one does.

    Raises:
        ModelError: the folder isn't whole, its products aren't of whole int8 rows, or it lacks the encoder's shape.
    """
    verify(folder)
    if not config.rounded:
        raise ModelError(f"{folder} was trained without `rounded: true`; go on from the folder `torch` of its run")
    if not (folder / SHAPE).is_file():
        raise ModelError(
            f"{folder} has no {SHAPE}, an older detente wrote it; go on from the folder `torch` of its run"
        )
    stored = _stored(onnx.load(folder / ONNX).graph)
    return {name: torch.from_numpy(a) for name, a in stored.items() if not name.startswith(f"heads.{OWN}")}


def _stored(graph: onnx.GraphProto) -> dict[str, npt.NDArray[np.float32]]:
    """Read what `train.quantize` wrote."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}

    def scaled(small: str, scale: str) -> npt.NDArray[np.float32]:
        values: npt.NDArray[np.float32] = numpy_helper.to_array(tensors[small]).astype(np.float32)
        return values * numpy_helper.to_array(tensors[scale]).astype(np.float32)

    found = {}
    for name in filter(lambda name: name.startswith(_OURS), tensors):
        table = name.removesuffix("_int8")
        if table != name:
            rows = scaled(name, f"{table}_scale")
            found[table.removeprefix(_OURS)] = rows.reshape(len(rows), -1)
        elif not name.endswith("_scale"):
            found[name.removeprefix(_OURS)] = np.array(numpy_helper.to_array(tensors[name]), np.float32)
    for node in graph.node:  # a product is known by the bias that is added to it
        bias = next((name for name in node.input if name.startswith(_OURS) and name.endswith(".bias")), "")
        product = next((name for name in node.input if f"{name}_weight" in tensors), "")
        if node.op_type == "Add" and bias and product:
            weight = scaled(f"{product}_weight", f"{product}_scale").T
            found[f"{bias.removeprefix(_OURS).removesuffix('.bias')}.weight"] = np.ascontiguousarray(weight)
    return found
