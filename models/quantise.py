"""Static int8 for a fused BERT-like ONNX graph, made to keep ranking quality.

Linear layers become u8 x s8 integer products. Three things keep the vectors close to fp32:
smoothing (Xiao et al. 2023, SmoothQuant: a channel's range moves from activations to weights);
outlier splitting (Zhao et al. 2019, OCS: a feed-forward neuron with a huge activation is made
several, each taking its part); and 7-bit weights, because AVX2 without VNNI saturates at 8.
Ranges are static, so a vector never depends on the batch it was in. Not here: self-check, files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Ranges = dict[str, tuple[Array, Array]]
DOMAIN = "com.microsoft"
ALPHA, MARGIN, CEILING, LEVELS = 0.65, 1.05, 5.0, 64
NARROW = 8  # outputs of a layer, below which it is left alone


def sites(model: Any) -> list[Any]:
    """The graph's linear nodes: MatMul or fused Attention with a constant 2-d weight.

    Not those of a few outputs, such as a head: they cost nothing, and rounding them costs.
    """
    constant = {
        tensor.name: len(tensor.dims)
        for tensor in model.graph.initializer
        if not tensor.dims or tensor.dims[-1] >= NARROW
    }
    return [node for node in model.graph.node if _linear(node, constant)]


def observe(model: Any, feeds: list[dict[str, Array]]) -> Ranges:
    """Least and greatest value of every channel of every linear node's input, over `feeds`."""
    import onnx
    import onnxruntime

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    names = sorted({node.input[0] for node in sites(probe)})
    del probe.graph.output[:]
    kind = onnx.TensorProto.FLOAT
    probe.graph.output.extend(onnx.helper.make_tensor_value_info(n, kind, None) for n in names)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        probe.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    seen: Ranges = {}
    for feed in feeds:
        for name, value in zip(names, session.run(None, feed), strict=True):
            _widen(seen, name, value.reshape(-1, value.shape[-1]))
    return seen


def quantise(model: Any, ranges: Ranges, alpha: float = ALPHA) -> Any:
    """A copy of the fp32 `model` whose linear nodes are int8; `ranges` come from `observe`.

    alpha: how much of a channel's range moves into the weights, 0 to 1.
    """
    import onnx

    result = onnx.ModelProto()
    result.CopyFrom(model)
    ranges, parts = _split_outliers(result, dict(ranges))
    weights = {tensor.name: tensor for tensor in result.graph.initializer}
    places = {node.output[0]: place for place, node in enumerate(sites(result))}
    nodes: list[Any] = []
    for node in list(result.graph.node):
        if node.output[0] not in places:
            nodes.append(node)
            continue
        weight = onnx.numpy_helper.to_array(weights[node.input[1]]).astype(np.float64)
        scale = parts.get(node.output[0])
        if scale is None:
            scale = _smooth(ranges[node.input[0]], weight, alpha)
        layer = _integers(ranges[node.input[0]], weight, scale)
        prefix = f"int8_{places[node.output[0]]}"
        tensors = [onnx.numpy_helper.from_array(v, f"{prefix}_{k}") for k, v in layer.items()]
        result.graph.initializer.extend(tensors)
        nodes.extend(_replace(node, prefix))
    _rewrite(result.graph, nodes)
    return result


def _linear(node: Any, constant: dict[str, int]) -> bool:
    if node.op_type == "MatMul":
        return constant.get(node.input[1]) == 2
    plain = node.op_type == "Attention" and not any(node.input[4:]) and len(node.input) == 4
    sized = any(attribute.name == "qkv_hidden_sizes" for attribute in node.attribute)
    return plain and not sized and constant.get(node.input[1]) == 2


def _widen(seen: Ranges, name: str, rows: Array) -> None:
    low, high = rows.min(0), rows.max(0)
    if name in seen:
        low, high = np.minimum(low, seen[name][0]), np.maximum(high, seen[name][1])
    seen[name] = (low, high)


def _smooth(limits: tuple[Array, Array], weight: Array, alpha: float) -> Array:
    """SmoothQuant's per-channel divisor of the activations, of geometric mean one."""
    reach = np.maximum(np.abs(limits[0]), np.abs(limits[1])) + 1e-6
    scale = reach**alpha / (np.abs(weight).max(1) + 1e-6) ** (1 - alpha)
    return np.asarray(scale / np.exp(np.log(scale).mean()), np.float32)


def _integers(limits: tuple[Array, Array], weight: Array, scale: Array) -> dict[str, Array]:
    """The constants of one int8 layer; activations u8 (zero point), weights s8 by column."""
    low = min(float((limits[0] / scale).min()) * MARGIN, 0.0)
    high = max(float((limits[1] / scale).max()) * MARGIN, 1e-6)
    step = (high - low) / 255
    weight = weight * scale[:, None]
    column = np.asarray(np.abs(weight).max(0) / LEVELS + 1e-12, np.float32)
    return {
        "divide": np.asarray(1 / scale, np.float32),
        "step": np.array(step, np.float32),
        "zero": np.array(round(-low / step), np.uint8),
        "weight": np.clip(np.round(weight / column), -LEVELS, LEVELS).astype(np.int8),
        "column": column,
        "column_zero": np.zeros(len(column), np.int8),
    }


def _replace(node: Any, prefix: str) -> Iterator[Any]:
    from onnx import helper

    name = {key: f"{prefix}_{key}" for key in ("divide", "step", "zero", "weight", "column")}
    scaled, integer, zeros = f"{prefix}_scaled", f"{prefix}_u8", f"{prefix}_column_zero"
    yield helper.make_node("Mul", [node.input[0], name["divide"]], [scaled])
    yield helper.make_node("QuantizeLinear", [scaled, name["step"], name["zero"]], [integer])
    if node.op_type == "MatMul":
        inputs = [integer, name["weight"], name["step"], name["column"], name["zero"], zeros]
        yield helper.make_node("MatMulIntegerToFloat", inputs, list(node.output), domain=DOMAIN)
        return
    kept = ("num_heads", "unidirectional", "mask_filter_value")
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute if a.name in kept}
    inputs = [integer, name["weight"], node.input[2], name["step"], name["column"]]
    inputs += [node.input[3], name["zero"], zeros]
    yield helper.make_node("QAttention", inputs, list(node.output), domain=DOMAIN, **given)


def _split_outliers(model: Any, ranges: Ranges) -> tuple[Ranges, dict[str, Array]]:
    """Copy feed-forward neurons above CEILING; a copy's share stands in `parts` by output name."""
    from onnx import numpy_helper

    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}
    parts: dict[str, Array] = {}
    for node in sites(model):
        gelu = makers.get(node.input[0])
        if node.op_type != "MatMul" or gelu is None or gelu.op_type != "BiasGelu":
            continue
        first = makers[gelu.input[0]]
        slots = ((first, first.input[1]), (gelu, gelu.input[1]), (node, node.input[1]))
        if any(name not in weights for _, name in slots):
            continue
        low, high = ranges[node.input[0]]
        copies = np.maximum(1, np.ceil(high / CEILING)).astype(int)
        extra = np.repeat(np.arange(len(copies)), copies - 1)
        index = np.concatenate([np.arange(len(copies)), extra])
        share = copies[index].astype(np.float32)
        into, bias, out = (numpy_helper.to_array(weights[name]) for _, name in slots)
        grown = (into[:, index], bias[index], out[index] / share[:, None])
        for (owner, name), value in zip(slots, grown, strict=True):
            # A new name: the exporter lets layers share equal constants.
            own = f"{node.output[0]}/{name}/split"
            tensor = numpy_helper.from_array(np.ascontiguousarray(value), own)
            model.graph.initializer.append(tensor)
            owner.input[1] = own
        ranges[node.input[0]] = (low[index], high[index])
        parts[node.output[0]] = share
    return ranges, parts


def _rewrite(graph: Any, nodes: list[Any]) -> None:
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
