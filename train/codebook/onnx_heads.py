"""Own heads on an exported network: linear layers on the pair vectors that it gives as outputs."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from detente.infer.encoder.base import Floats
from detente.models.config import HIDDEN, OWN, PAIR_VECTOR


def vectors(model: onnx.ModelProto, heads: Iterable[str], without: Sequence[str] = ()) -> list[str]:
    """Return the names of the outputs that hold what the network knows of a pair: [pairs, width] each, in fp32.

    The first is the pair's vector ([CLS], both actors, their product and the evidence), the others the hidden layer of
    each head.

    Args:
        model: an exported model.
        heads: its own heads.
        without: heads whose hidden layer is left out, for instance to measure without what they have learnt.

    Raises:
        ValueError: an older detente exported the model, without these outputs.
    """
    names = [PAIR_VECTOR, *(f"{HIDDEN}{head}" for head in heads if head not in without)]
    if missing := set(names) - {output.name for output in model.graph.output}:
        raise ValueError(
            f"the model has no output {min(missing)}: an older detente exported it; run `detente export` again"
        )
    return names


def grafted(model: onnx.ModelProto, names: Sequence[str], heads: Mapping[str, tuple[Floats, Floats]]) -> None:
    """Put linear heads on the joined vectors of a model, in place; heads that were put on it before are taken off.

    Args:
        model: an exported model.
        names: of the tensors, as `vectors` gives them.
        heads: by name (`own:…`), weights [width of all vectors, labels] and bias [labels].
    """
    graph = model.graph
    for field in (graph.node, graph.initializer, graph.output):
        kept = [part for part in field if not _names(part)[0].startswith(OWN)]
        del field[:]
        field.extend(kept)
    joined = f"{OWN}vector"
    graph.node.append(helper.make_node("Concat", list(names), [joined], axis=-1))
    for head, (weights, bias) in heads.items():
        parts = {f"{head}/weights": weights, f"{head}/bias": bias}
        graph.initializer.extend(numpy_helper.from_array(np.asarray(a, np.float32), n) for n, a in parts.items())
        graph.node.append(helper.make_node("Gemm", [joined, *parts], [head]))
        graph.output.append(helper.make_tensor_value_info(head, TensorProto.FLOAT, ["pairs", weights.shape[1]]))


def _names(part: onnx.NodeProto | onnx.TensorProto | onnx.ValueInfoProto) -> list[str]:
    return list(part.output) if isinstance(part, onnx.NodeProto) else [part.name]
