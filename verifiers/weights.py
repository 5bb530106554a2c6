"""Reads the fitted judges of weights.json. Fitting lies in benchmarks/fit_support.py."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pilotfish.errors import SettingsError

FILE = Path(__file__).with_name("weights.json")


@dataclass(frozen=True, slots=True)
class Logistic:
    """P = 1 / (1 + exp(-(bias + sum of weight x feature)))."""

    bias: float
    weights: Mapping[str, float]

    def __call__(self, features: Mapping[str, float]) -> float:
        return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, self.score(features)))))

    def score(self, features: Mapping[str, float]) -> float:
        """The log-odds."""
        return self.bias + sum(w * features[name] for name, w in self.weights.items())


def logit(probability: float) -> float:
    """Log-odds, kept within +-9.2 so that a certain model leaves room for others."""
    kept = min(max(probability, 1e-4), 1.0 - 1e-4)
    return math.log(kept / (1.0 - kept))


@cache
def judge(name: str) -> Logistic:
    """The judge of that name ('pick', 'answer' or 'claim') out of weights.json."""
    try:
        fields = json.loads(FILE.read_text(encoding="utf-8"))[name]
        return Logistic(float(fields["bias"]), fields["weights"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{FILE} has no usable judge {name!r} ({error}): reinstall pilotfish"
        ) from None


@cache
def fingerprint() -> str:
    """Tells these judges from others: what was calibrated for others says nothing of these."""
    try:
        return hashlib.sha256(FILE.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise SettingsError(f"{FILE} cannot be read ({error}): reinstall pilotfish") from None


def staged(
    supported: Logistic, contradicted: Logistic, features: Mapping[str, float]
) -> tuple[float, float, float]:
    """(supported, contradicted, unsupported): first against the rest, then among the rest."""
    carried, against = supported(features), contradicted(features)
    return carried, (1.0 - carried) * against, (1.0 - carried) * (1.0 - against)


def three(name: str, features: Mapping[str, float]) -> tuple[float, float, float]:
    """What the judge of three outcomes of that name in weights.json says."""
    return staged(judge(f"{name} supported"), judge(f"{name} contradicted"), features)
