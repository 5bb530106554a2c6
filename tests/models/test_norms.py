"""Layer norms: split apart, they give what the fused one gives, and the bias is not lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.norms import FUSED, split_norms

WIDTH = 8
RANDOM = np.random.default_rng(5)
OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]


def constant(name: str, value: Any) -> Any:
    return numpy_helper.from_array(np.asarray(value), name)


def rows(*shape: int) -> Any:
    return RANDOM.standard_normal(shape).astype(np.float32)


def model(*, bias: bool, integer: bool) -> onnx.ModelProto:
    """x (a product of integers, or plain) and a skip through one fused norm."""
    norm = ["x", "skip", "gamma", "beta", *(["bias"] if bias else [])]
    nodes = [helper.make_node(FUSED, norm, ["out"], domain="com.microsoft", epsilon=1e-5)]
    constants = [constant(name, rows(WIDTH)) for name in ("gamma", "beta", "bias")]
    first = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, WIDTH])
    if integer:
        product = ["u8", "weight", "step", "column", "zero", "column_zero"]
        made = helper.make_node("MatMulIntegerToFloat", product, ["x"], domain="com.microsoft")
        nodes.insert(0, made)
        constants += [
            constant("weight", RANDOM.integers(-64, 64, (WIDTH, WIDTH)).astype(np.int8)),
            constant("step", np.float32(0.02)),
            constant("column", np.full(WIDTH, 0.01, np.float32)),
            constant("zero", np.uint8(120)),
            constant("column_zero", np.zeros(WIDTH, np.int8)),
        ]
        first = helper.make_tensor_value_info("u8", TensorProto.UINT8, [1, 3, WIDTH])
    skip = helper.make_tensor_value_info("skip", TensorProto.FLOAT, [1, 3, WIDTH])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3, WIDTH])
    graph = helper.make_graph(nodes, "norm", [first, skip], [out], constants)
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=9)


def result(given: onnx.ModelProto, feed: dict[str, Any]) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(given.SerializeToString(), options, providers=providers)
    return session.run(None, feed)[0]


@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_a_split_norm_gives_what_the_fused_one_gave(bias: bool, integer: bool) -> None:
    given = model(bias=bias, integer=integer)
    feed = {"skip": rows(1, 3, WIDTH)}
    feed |= {"u8": RANDOM.integers(0, 255, (1, 3, WIDTH)).astype(np.uint8)} if integer else {
        "x": rows(1, 3, WIDTH)
    }  # fmt: skip
    before = result(given, feed)
    split_norms(given)
    kinds = [node.op_type for node in given.graph.node]
    assert FUSED not in kinds
    assert kinds.count("Add") == (2 if bias and not integer else 1)
    np.testing.assert_allclose(result(given, feed), before, atol=1e-5)
