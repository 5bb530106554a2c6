"""Reads the shipped int8 graph back into a network, so that training can go on from it.

Undoes what models/quantise.py and shrink.py did: steps and divisors are multiplied in, copies of a
feed-forward neuron become one again. What rounding lost stays lost: under a hundredth of its
column's largest weight.
Not here: checkpoints, which lose nothing (fit.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.pilot.serve import FOLDER, GRAPH
from models.training import network
from models.weights import packaged_folder

Arrays = dict[str, NDArray[Any]]
WIDTH = 384
LAYERS, A_LAYER = 6, 4  # of the trunk; int8 products in each: qkv, attention's output, two forward
HALVES = ("relevance.1.weight", "verdict.1.weight")


def thawed(folder: Path = FOLDER) -> network.Pilot:
    """The network whose weights are those of the graph in `folder`."""
    import onnx

    graph = onnx.load(str(folder / GRAPH)).graph
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    pilot = network.fresh(str(packaged_folder()))
    state = pilot.state_dict()
    given = {name: array for name, array in arrays.items() if name in state}
    for number in range(LAYERS):
        given |= _layer(arrays, number)
    given |= _embeddings(arrays, state)
    given["span.weight"] = next(a for a in arrays.values() if a.shape == (WIDTH, 2)).T
    given |= {name: arrays[f"{name} half"].astype(np.float32) for name in HALVES}
    left = {name for name in state.keys() - given.keys() if "pooler" not in name}
    if left:
        raise ValueError(f"{folder / GRAPH} lacks {min(left)}: it is no graph of `ship`")
    for name, array in given.items():
        state[name].copy_(torch.from_numpy(np.array(array, np.float32)))
    return pilot


def _weight(arrays: Arrays, site: int, *, divided: bool = True) -> NDArray[np.float32]:
    """A linear layer's weight as torch keeps it, (outputs, inputs)."""
    whole = arrays[f"int8_{site}_weight"].astype(np.float32) * arrays[f"int8_{site}_column"]
    if divided:
        whole = whole * arrays[f"int8_{site}_divide"][:, None]
    return np.asarray(whole.T, np.float32)


def _layer(arrays: Arrays, number: int) -> Arrays:
    """Attention and feed-forward weights of one layer of the trunk."""
    at, first = f"trunk.encoder.layer.{number}.", number * A_LAYER
    queries = np.split(_weight(arrays, first), 3)
    biases = np.split(arrays[f"Attention_{number}_qkv_bias"], 3)
    found: Arrays = {}
    for name, weight, bias in zip(("query", "key", "value"), queries, biases, strict=True):
        found[f"{at}attention.self.{name}.weight"] = weight
        found[f"{at}attention.self.{name}.bias"] = bias
    found[f"{at}attention.output.dense.weight"] = _weight(arrays, first + 1)
    width = 4 * WIDTH  # copies stand behind
    (split,) = (n for n in arrays if n.endswith(f"{at}intermediate.dense.bias/split"))
    found[f"{at}intermediate.dense.bias"] = arrays[split][:width]
    found[f"{at}intermediate.dense.weight"] = _weight(arrays, first + 2)[:width]
    # A copy's share is divided by how many there are: undivided, one of them is the whole.
    found[f"{at}output.dense.weight"] = _weight(arrays, first + 3, divided=False)[:, :width]
    return found


def _embeddings(arrays: Arrays, state: dict[str, Any]) -> Arrays:
    """Word and place vectors; places that are never read stay the encoder's."""
    words, places = (f"trunk.embeddings.{n}_embeddings.weight" for n in ("word", "position"))
    kept = state[places].numpy().copy()
    kept[: len(arrays["place rows"])] = arrays["place rows"]
    return {words: arrays["word rows"].astype(np.float32) * arrays["word steps"], places: kept}
