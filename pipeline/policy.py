"""A routing policy: systems in order of cost, one rule, the judges it asks, and how it was found.

A small JSON file: what a person wants to know stands first, the embeddings' directions last.
Not here: learning one (policy_fit.py), using one (choosing.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pilotfish.errors import InputError, NotFound, SettingsError
from pipeline import hardness as hard
from pipeline import rules
from pipeline.hardness import Hardness
from pipeline.logistic import Logistic, Matrix
from pipeline.rules import Rule
from pipeline.view import Chain

FORMAT = 1
_BEFORE, _FOR = " > ", " -> "


@dataclass(frozen=True, slots=True)
class Encoded:
    """Whose embeddings the judges read."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Policy:
    """`by_prompt`: the rule for prompts of which no answer can be read. `quantiles`: 21 of the
    hardness of the rows it was learned from. `report`: for people.
    """

    systems: tuple[str, ...]
    mean_cost: Matrix
    accuracy: Matrix
    rule: Rule
    by_prompt: Rule
    hardness: Hardness
    judges: Mapping[tuple[Chain, int], Logistic]
    encoded: Encoded
    quantiles: Matrix
    report: Mapping[str, object]

    def quantile(self, hardness: float) -> float:
        """Share of the learned rows that are easier: 0 to 1."""
        return float(np.interp(hardness, self.quantiles, np.linspace(0, 1, len(self.quantiles))))

    def check(self, fingerprint: str, encoder: str) -> None:
        """SettingsError when another encoder's embeddings would be judged."""
        if fingerprint != self.encoded.fingerprint:
            raise SettingsError(
                f"the policy was tuned with encoder {self.encoded.name} "
                f"({self.encoded.fingerprint[:8]}), this is {encoder} ({fingerprint[:8]}): tune it "
                "again, or set that encoder"
            )


def chain_name(systems: Sequence[str], chain: Chain) -> str:
    """`small > middle > large`."""
    return _BEFORE.join(systems[k] for k in chain)


def shown(policy: Policy) -> dict[str, Any]:
    """As JSON."""
    rows = zip(policy.systems, policy.mean_cost, policy.accuracy, strict=True)
    return {
        "pilotfish_policy": FORMAT,
        **policy.report,
        "systems": [
            {"system": name, "mean_cost": float(f"{cost:.6g}"), "accuracy": round(float(right), 4)}
            for name, cost, right in rows
        ],
        "rule": rules.shown(policy.rule, policy.systems),
        "rule_without_answers": rules.shown(policy.by_prompt, policy.systems),
        "encoder": {"name": policy.encoded.name, "fingerprint": policy.encoded.fingerprint},
        "hardness_quantiles": [round(float(one), 5) for one in policy.quantiles],
        "right_by_the_prompt": hard.shown(policy.hardness),
        "right_having_read": [
            {"read": [policy.systems[k] for k in prefix], "judges": policy.systems[target],
             **judge.shown()}
            for (prefix, target), judge in policy.judges.items()
        ],
    }  # fmt: skip


def text_of(policy: Policy) -> str:
    """The file's text."""
    return json.dumps(shown(policy), indent=1, ensure_ascii=False) + "\n"


def load(path: Path) -> Policy:
    """The policy of a file; NotFound, or InputError when it is none of ours."""
    if not path.is_file():
        raise NotFound(f"no policy {path}: make one with pilotfish tune cascade")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return _read(fields)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}: check the file") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        told = str(error)[:200] if isinstance(error, ValueError) else f"no {error}"
        mend = "make it again with pilotfish tune cascade"
        raise InputError(f"{path} is no policy ({told}): {mend}") from None


def configured(path: Path | None, encoder: Encodes) -> Policy | None:
    """The policy of the settings, None without one; SettingsError when it cannot be used."""
    if path is None:
        return None
    try:
        policy = load(path)
    except (InputError, NotFound) as error:
        raise SettingsError(f"setting policy: {error}") from None
    policy.check(encoder.fingerprint, encoder.name)
    return policy


class Encodes(Protocol):
    """An encoder, as far as a policy looks at it."""

    name: str
    fingerprint: str


def _read(fields: Any) -> Policy:
    if not isinstance(fields, dict) or fields.get("pilotfish_policy") != FORMAT:
        raise ValueError("no field pilotfish_policy of 1")
    known = fields["systems"]
    systems = tuple(str(one["system"]) for one in known)
    hardness = hard.read(fields["right_by_the_prompt"])
    if not systems or tuple(hardness.judges) != systems:
        raise ValueError("right_by_the_prompt does not name the systems in their order")
    judges = {
        (tuple(map(systems.index, one["read"])), systems.index(one["judges"])): Logistic.read(one)
        for one in fields["right_having_read"]
    }
    encoder = fields["encoder"]
    return Policy(
        systems=systems,
        mean_cost=_numbers([one["mean_cost"] for one in known]),
        accuracy=_numbers([one["accuracy"] for one in known]),
        rule=rules.read(fields["rule"], systems),
        by_prompt=rules.read(fields["rule_without_answers"], systems),
        hardness=hardness,
        judges=judges,
        encoded=Encoded(str(encoder["name"]), str(encoder["fingerprint"])),
        quantiles=_numbers(fields["hardness_quantiles"]),
        report={"why": str(fields.get("why", ""))},
    )


def _numbers(values: Any) -> Matrix:
    found = np.array(values, np.float64)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise ValueError("a list of numbers is broken")
    return found
