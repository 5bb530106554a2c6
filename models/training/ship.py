"""Exports a trained network to ONNX, makes it int8, compares both, and writes what is shipped.

int8 is shipped if it costs less than 0.01 on each held-out measure, else fp32 is kept beside and
said so. Not here: training; the product's own figures (benchmarks/).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models import graph, quantise
from models.pilot.serve import FOLDER, GRAPH, MANIFEST
from models.training import coding, measure, mixture, network
from models.training.card import card
from models.training.coding import Coded, padded
from models.training.fit import BEGAN
from models.training.shrink import shrink
from models.weights import DEFAULT_SHA256, packaged_folder
from store.files import file_sha256

COST, MIDDLE = 0.01, 0.5
ALPHA = 0.5  # of int8: costs spans less than the encoder's 0.65
CARD = "MODEL_CARD.md"
CALIBRATION = 160
INPUTS = ("ids", "mask", "segment")
Manifest = dict[str, object]


def ship(work: Path, target: Path = FOLDER) -> str:
    """Write graph and manifest to `target`; give a table of fp32 and int8 measures."""
    examples = mixture.validation(work)
    rows = coding.coded(examples)
    with tempfile.TemporaryDirectory() as folder:
        plain, int8 = compiled(work, Path(folder))
        before = measure.measured(Served(plain), examples, rows)
        after = measure.measured(Served(int8), examples, rows)
        shutil.copyfile(int8, target / GRAPH)
    lost = max(before[name] - after[name] for name in before)
    measures = {name: [before[name], after[name]] for name in before}
    facts = {"most lost by int8": round(lost, 4), "held out": measures}
    (target / CARD).write_text(card(written(work, target, facts)), encoding="utf-8")
    lines = [f"{name:32s} {before[name]:.4f} {after[name]:.4f}" for name in before]
    return "\n".join([*lines, f"most lost {lost:.4f} (at most {COST})"])


def compiled(work: Path, folder: Path) -> tuple[Path, Path]:
    """The last checkpoint of `work` as graphs in `folder`: (fp32, int8)."""
    plain, int8 = folder / "fp32.onnx", folder / GRAPH
    export(trained(work), plain, folder)
    squeeze(plain, int8, coding.coded(_some(work)))
    return plain, int8


def written(
    work: Path, target: Path, facts: Mapping[str, object] = MappingProxyType({})
) -> Manifest:
    """The manifest of the graph in `target`, written beside it."""
    plan = json.loads((work / "plan.json").read_text(encoding="utf-8"))
    taken = int(torch.load(work / "checkpoint.pt", weights_only=True)["place"][0])
    manifest = {
        "sha256": file_sha256(target / GRAPH),
        "encoder_sha256": DEFAULT_SHA256,
        "precision": "int8",
        "steps": int(plan["before"]) + taken,
        **facts,
    }
    (target / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest


def trained(work: Path) -> network.Pilot:
    """The network of the last checkpoint, or half way to it from the weights that it began from.

    Wortsman et al. 2022 (WiSE-FT, arXiv 2109.01903): the middle keeps what further training forgets
    of texts that it does not see. Measured here: mean AUROC of support on seven sets 0.768 in the
    middle, 0.760 and 0.756 at the ends; token F1 of NQ 0.553, 0.493 and 0.513.
    """
    pilot = network.fresh(str(packaged_folder()))
    state = torch.load(work / "checkpoint.pt", weights_only=True)["pilot"]
    if (work / BEGAN).exists():
        began = torch.load(work / BEGAN, weights_only=True)
        state = {name: torch.lerp(began[name], end, MIDDLE) if end.is_floating_point() else end
                 for name, end in state.items()}  # fmt: skip
    pilot.load_state_dict(state)
    pilot.trunk.set_attn_implementation("eager")  # what the optimiser knows how to fuse
    return pilot.eval()


def export(pilot: network.Pilot, file: Path, work: Path) -> None:
    """fp32, attention and layer norms fused where ONNX Runtime's optimiser can."""
    from onnxruntime.transformers import optimizer

    raw = work / "raw.onnx"
    example = torch.ones((2, 16), dtype=torch.long)
    segment = torch.tensor([[0] * 6 + [1] * 10] * 2)
    axes = {name: {0: "batch", 1: "length"} for name in (*INPUTS, "spans")}
    axes |= {"relevance": {0: "batch"}, "verdict": {0: "batch"}}
    with graph.quiet(), torch.no_grad():
        torch.onnx.export(
            pilot, (example, example, segment), str(raw),
            input_names=list(INPUTS), output_names=["relevance", "verdict", "spans"],
            dynamic_axes=axes, dynamo=False, opset_version=17,
        )  # fmt: skip
    fused = optimizer.optimize_model(
        str(raw), model_type="bert", num_heads=12, hidden_size=384, opt_level=0, use_gpu=False
    )
    fused.topological_sort()
    fused.save_model_to_file(str(file))
    graph.simplify(file)


def squeeze(source: Path, target: Path, rows: list[Coded]) -> None:
    """int8 of the trunk's linear layers; the heads, a hundredth of the work, stay fp32."""
    import onnx

    from models import norms

    model = onnx.load(str(source))
    feeds = [_feed(padded([row])) for row in rows[:CALIBRATION]]
    small = quantise.quantise(model, quantise.observe(model, feeds), ALPHA)
    norms.split_norms(small)
    shrink(small)
    onnx.save(small, str(target))


class Served:
    """The exported graph in the network's place, for measuring: same call, same outputs."""

    def __init__(self, file: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 2, 3
        self._session = onnxruntime.InferenceSession(
            file, options, providers=["CPUExecutionProvider"]
        )

    def eval(self) -> Served:
        return self

    def __call__(self, *tensors: Any) -> tuple[Any, ...]:
        feed = {name: tensor.numpy() for name, tensor in zip(INPUTS, tensors, strict=True)}
        return tuple(torch.from_numpy(array) for array in self._session.run(None, feed))


def _feed(batch: coding.Batch) -> dict[str, NDArray[np.int64]]:
    return dict(zip(INPUTS, (batch.ids, batch.mask, batch.segments), strict=True))


def _some(work: Path) -> list[Any]:
    return mixture.mixture(5000, work)[:CALIBRATION]
