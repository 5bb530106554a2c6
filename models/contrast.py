"""Fits a light adapter over frozen vectors by contrast: the best candidate against the worst.

UPRISE's loss (arXiv 2303.08518, equation 3): for each input one demonstration on which a frozen
model succeeded is to lie nearer than those on which it failed, and than those of other inputs. The
adapter is low-rank, v -> v + (v U) V, so that little data does not bend the space. Not here: which
candidates are good (the caller scores them), serving (prompters/demonstrations/pool.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
RANK, STEPS, BATCH, RATE, WARMTH, SEED = 64, 250, 128, 3e-3, 0.05, 5


def fit(inputs: Floats, best: Floats, worst: Floats) -> tuple[Floats, Floats]:
    """(down, up) of the adapter. inputs, best (n, dimension); worst (n, negatives, dimension)."""
    import torch

    torch.manual_seed(SEED)
    size = inputs.shape[1]
    down = torch.nn.Parameter(torch.randn(size, RANK) / size**0.5)
    up = torch.nn.Parameter(torch.zeros(RANK, size))
    optimizer = torch.optim.AdamW([down, up], lr=RATE, weight_decay=1e-2)
    rows, good, bad = (torch.from_numpy(np.ascontiguousarray(x)) for x in (inputs, best, worst))

    def moved(some: Any) -> Any:
        return torch.nn.functional.normalize(some + (some @ down) @ up, dim=-1)

    for _ in range(STEPS):
        at = torch.randint(len(rows), (min(BATCH, len(rows)),))
        asked, near, far = moved(rows[at]), moved(good[at]), moved(bad[at])
        own = (asked * near).sum(-1, keepdim=True)
        against = torch.einsum("nd,nkd->nk", asked, far)
        loss = torch.nn.functional.cross_entropy(
            torch.cat([own, against], dim=1) / WARMTH, torch.zeros(len(at), dtype=torch.long)
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return down.detach().numpy(), up.detach().numpy()
