"""Trains the pilot: AdamW, warm-up, linear decay, checkpoints it resumes from, curves in a log.

Started again with the same folder it continues at the last checkpoint; the data of each pass
follow from the seed. Not here: data, network, export.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from models.pilot.serve import FOLDER, MANIFEST
from models.training import coding, measure, mixture, network, thaw
from models.training.coding import IGNORED, Batch
from models.training.examples import REFUSED
from models.weights import packaged_folder

SPAN_WEIGHT = 0.5
BEGAN = "began.pt"  # the weights that a run with `onward` began from


def halves_well() -> bool:
    """Whether this CPU multiplies bfloat16 by itself: 1.7 times the speed of fp32, else slower."""
    return bool(torch.cpu._is_avx512_bf16_supported())


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes. tokens: padded tokens a step; steps: all of the run; half: in bfloat16.

    onward: from the shipped weights instead of the encoder's, and at once with the later passes.
    """

    steps: int = 3000
    tokens: int = 4096
    rate: float = 1.2e-4
    head_rate: float = 6e-4
    warm: float = 0.06
    decay: float = 0.01
    seed: int = 1
    save_every: int = 100
    measure_every: int = 1200
    without: tuple[str, ...] = ()
    onward: bool = False
    half: bool = field(default_factory=halves_well)


def fit(plan: Plan, work: Path) -> Any:
    """Train until `plan.steps`; give the network. `work` holds checkpoint.pt and curves.jsonl."""
    torch.manual_seed(plan.seed)
    _told(plan, work)
    pilot = thaw.thawed() if plan.onward else network.fresh(str(packaged_folder()))
    if plan.onward and not (work / BEGAN).exists():
        torch.save(pilot.state_dict(), work / BEGAN)
    optimizer = torch.optim.AdamW(_groups(pilot, plan), fused=True)
    done, passes, taken = _resumed(work, pilot, optimizer)
    held = mixture.validation(work)
    rows = coding.coded(held)
    sums: dict[str, list[float]] = defaultdict(list)
    clock = time.monotonic()
    for at, batch in _stream(plan, work, passes, taken):
        _pace(optimizer, plan, done)
        for name, value in _step(pilot, optimizer, batch, plan.half).items():
            sums[name].append(value)
        done += 1
        if done % 20 == 0:
            line = {name: round(float(np.mean(values)), 4) for name, values in sums.items()}
            _log(work, {"step": done, "seconds": round(time.monotonic() - clock, 1), **line})
            sums.clear()
        if done % plan.save_every == 0 or done >= plan.steps:
            _save(work, pilot, optimizer, (done, *at))
        if done % plan.measure_every == 0 or done >= plan.steps:
            _log(work, {"step": done, "held": measure.measured(pilot, held, rows)})
        if done >= plan.steps:
            break
    return pilot


def _stream(
    plan: Plan, work: Path, passes: int, taken: int
) -> Iterator[tuple[tuple[int, int], Batch]]:
    """((pass, batches taken of it), batch), from where the checkpoint stood."""
    while True:
        amounts = mixture.PASSES[min(passes + plan.onward, len(mixture.PASSES) - 1)]
        examples = mixture.mixture(plan.seed * 1000 + passes, work, plan.without, amounts)
        rng = np.random.default_rng([plan.seed, passes])
        for number, batch in enumerate(coding.batches(coding.coded(examples), plan.tokens, rng)):
            if number >= taken:
                yield (passes, number + 1), batch
        passes, taken = passes + 1, 0


def _step(pilot: Any, optimizer: Any, batch: Batch, half: bool) -> dict[str, float]:
    pilot.train()
    losses = losses_of(pilot, batch, half)
    total = sum(losses.values())
    total.backward()
    torch.nn.utils.clip_grad_norm_(pilot.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return {name: float(value.detach()) for name, value in losses.items()}


def losses_of(pilot: Any, batch: Batch, half: bool = False) -> dict[str, Any]:
    """Mean loss of each head that has a target in the batch, times the head's share of rows.

    half: the network in bfloat16; weights and losses stay fp32.
    """
    tensors = [torch.from_numpy(a) for a in (batch.ids, batch.mask, batch.segments)]
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        outputs = pilot(*tensors)
    relevance, verdict, spans = (output.float() for output in outputs)
    losses: dict[str, Any] = {}
    wanted = torch.from_numpy(batch.relevant)
    known = ~torch.isnan(wanted)
    rows = len(wanted)
    if known.any():
        losses["relevance"] = functional.binary_cross_entropy_with_logits(
            relevance[known], wanted[known], reduction="sum") / rows  # fmt: skip
    target = torch.from_numpy(batch.verdict)
    if (target != IGNORED).any():
        losses["verdict"] = (
            _verdict_loss(verdict[target != IGNORED], target[target != IGNORED]) / rows
        )
    start, end = torch.from_numpy(batch.start), torch.from_numpy(batch.end)
    if (start != IGNORED).any():
        both = functional.cross_entropy(
            spans[:, :, 0], start, ignore_index=IGNORED, reduction="sum"
        )
        both = both + functional.cross_entropy(
            spans[:, :, 1], end, ignore_index=IGNORED, reduction="sum"
        )
        losses["span"] = SPAN_WEIGHT * both / rows
    return losses


def _verdict_loss(logits: Any, target: Any) -> Any:
    """Cross-entropy; for REFUSED the probability of either of the two others is asked for."""
    logs = functional.log_softmax(logits, dim=1)
    either = torch.logsumexp(logs[:, 1:], dim=1)
    exact = logs.gather(1, target.clamp(max=2).unsqueeze(1)).squeeze(1)
    return -torch.where(target == REFUSED, either, exact).sum()


def _groups(pilot: Any, plan: Plan) -> list[dict[str, Any]]:
    trunk = [(n, p) for n, p in pilot.named_parameters() if n.startswith("trunk.")]
    heads = [p for n, p in pilot.named_parameters() if not n.startswith("trunk.")]
    plain = [p for n, p in trunk if p.dim() < 2]
    matrices = [p for n, p in trunk if p.dim() >= 2]
    return [
        {"params": matrices, "peak": plan.rate, "weight_decay": plan.decay},
        {"params": plain, "peak": plan.rate, "weight_decay": 0.0},
        {"params": heads, "peak": plan.head_rate, "weight_decay": plan.decay},
    ]


def _pace(optimizer: Any, plan: Plan, done: int) -> None:
    warm = max(1, int(plan.warm * plan.steps))
    left = max(0.02, (plan.steps - done) / max(1, plan.steps - warm))
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * min((done + 1) / warm, left)


def _told(plan: Plan, work: Path) -> None:
    """Keep in plan.json how the run goes, and how many steps the weights it began from had."""
    file = work / "plan.json"
    before = json.loads(file.read_text())["before"] if file.exists() else None
    if before is None:
        before = _shipped_steps() if plan.onward else 0
    file.write_text(json.dumps(asdict(plan) | {"before": before}), encoding="utf-8")


def _shipped_steps() -> int:
    return int(json.loads((FOLDER / MANIFEST).read_text(encoding="utf-8"))["steps"])


def _save(work: Path, pilot: Any, optimizer: Any, place: tuple[int, int, int]) -> None:
    kept = {"pilot": pilot.state_dict(), "optimizer": optimizer.state_dict(), "place": place}
    torch.save(kept, work / "checkpoint.part")
    os.replace(work / "checkpoint.part", work / "checkpoint.pt")


def _resumed(work: Path, pilot: Any, optimizer: Any) -> tuple[int, int, int]:
    file = work / "checkpoint.pt"
    if not file.exists():
        return 0, 0, 0
    kept = torch.load(file, weights_only=True)
    pilot.load_state_dict(kept["pilot"])
    optimizer.load_state_dict(kept["optimizer"])
    done, passes, taken = kept["place"]
    return done, passes, taken


def _log(work: Path, line: dict[str, Any]) -> None:
    with (work / "curves.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
