"""Makes an int8 graph small enough to ship: word vectors as int8 rows, head weights as fp16.

ONNX Runtime's fused embedding takes fp32 tables only; it is written out as gathers again, which
read the same rows. Not here: int8 of the linear layers (models/quantise.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np

HEADS = 100_000  # fp32 weights of more numbers than that are kept as fp16
LENGTH = 256  # positions that are ever read


def shrink(model: Any) -> None:
    """Change `model` in place."""
    from onnx import numpy_helper

    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes: list[Any] = []
    made: dict[str, Any] = {}
    for node in model.graph.node:
        if node.op_type == "EmbedLayerNormalization":
            some, arrays = _embedding(node, tensors)
        elif node.op_type == "Gemm" and tensors[node.input[1]].size > HEADS:
            some, arrays = _half(node, tensors)
        else:
            some, arrays = [node], {}
        nodes += some
        made |= arrays
    kept = [type(node).FromString(node.SerializeToString()) for node in nodes]
    used = {name for node in kept for name in node.input}
    left = [t for t in model.graph.initializer if t.name in used and t.name not in made]
    left = [type(t).FromString(t.SerializeToString()) for t in left]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend(left)
    model.graph.initializer.extend(numpy_helper.from_array(a, name) for name, a in made.items())


def _embedding(node: Any, tensors: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    from onnx import TensorProto, helper

    ids, segment, words, places, kinds, scale, bias, mask = node.input
    steps = np.abs(tensors[words]).max(1, keepdims=True) / 127 + 1e-9
    made = {
        "word rows": np.clip(np.round(tensors[words] / steps), -127, 127).astype(np.int8),
        "word steps": steps.astype(np.float32),
        "place rows": tensors[places][:LENGTH].copy(),
        "one": np.array(1, np.int64),
        "nought": np.array(0, np.int64),
        "second axis": np.array([1], np.int64),
    }
    epsilon = next(a.f for a in node.attribute if a.name == "epsilon")
    nodes = [
        helper.make_node("Gather", ["word rows", ids], ["word int8"]),
        helper.make_node("Cast", ["word int8"], ["word float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["word steps", ids], ["word step"]),
        helper.make_node("Mul", ["word float", "word step"], ["word vector"]),
        helper.make_node("Gather", [kinds, segment], ["kind vector"]),
        helper.make_node("Shape", [ids], ["ids shape"]),
        helper.make_node("Gather", ["ids shape", "one"], ["length"]),
        helper.make_node("Range", ["nought", "length", "one"], ["places"]),
        helper.make_node("Gather", ["place rows", "places"], ["place vector"]),
        helper.make_node("Add", ["word vector", "kind vector"], ["both vectors"]),
        helper.make_node("Add", ["both vectors", "place vector"], ["all vectors"]),
        helper.make_node("LayerNormalization", ["all vectors", scale, bias], [node.output[0]],
                         axis=-1, epsilon=epsilon),
        helper.make_node("ReduceSum", [mask, "second axis"], [node.output[1]], keepdims=0),
    ]  # fmt: skip
    return nodes, made


def _half(node: Any, tensors: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    from onnx import TensorProto, helper

    name = node.input[1]
    copy = type(node).FromString(node.SerializeToString())
    copy.input[1] = f"{name} float"
    cast = helper.make_node("Cast", [f"{name} half"], [copy.input[1]], to=TensorProto.FLOAT)
    return [cast, copy], {f"{name} half": tensors[name].astype(np.float16)}
