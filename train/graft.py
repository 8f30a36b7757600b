"""The exported network opened up: its pair vectors as outputs, and heads of one's own put on top of them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from detente.infer.engine import Floats
from detente.models.config import OWN


def vectors(model: onnx.ModelProto, heads: Iterable[str], without: Sequence[str] = ()) -> list[str]:
    """Return the tensors that hold what the network knows of a pair: [pairs, width] each, in fp32.

    The first is the pair's vector ([CLS], both actors, their product and the evidence): the last concatenation on which
    every head depends, however the products around it are quantized. Then the hidden layer of each head: what comes out
    of its GELU (torch exports it as Div, Erf, Add, Mul, Mul).

    Args:
        model: an exported model.
        heads: its own heads.
        without: heads whose hidden layer is left out, for instance to measure without what they have learnt.

    Raises:
        ValueError: the graph has no such tensor.
    """
    graph = model.graph
    makers = {name: number for number, node in enumerate(graph.node) for name in node.output}
    above = {head: _above(graph, makers, head) for head in heads}
    common = set.intersection(*above.values())
    joins = [n for n in sorted(common) if graph.node[n].op_type == "Concat"]
    if not joins:
        raise ValueError("the model's graph has no vector that all of its heads read; export it again")
    found = [graph.node[joins[-1]].output[0]]
    for head, numbers in above.items():
        curves = [n for n in sorted(numbers - common) if graph.node[n].op_type == "Erf"]
        if head in without or not curves:
            continue
        name = graph.node[curves[-1]].output[0]
        for _ in ("Add", "Mul", "Mul"):
            name = next(node.output[0] for node in graph.node if name in node.input)
        found.append(name)
    return found


def _above(graph: onnx.GraphProto, makers: Mapping[str, int], name: str) -> set[int]:
    """Return the numbers of the nodes that a tensor depends on."""
    found: set[int] = set()
    pending = [name]
    while pending:
        number = makers.get(pending.pop(), -1)
        if number >= 0 and number not in found:
            found.add(number)
            pending.extend(graph.node[number].input)
    return found


def opened(model: onnx.ModelProto, names: Iterable[str]) -> None:
    """Make tensors of a model its outputs too, in place."""
    there = {output.name for output in model.graph.output}
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names if name not in there
    )


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
