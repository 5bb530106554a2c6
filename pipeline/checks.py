"""Which repairs and further checks an answer goes through, by the settings.

Not here: the steps themselves (verifiers/), and support and citations, which every answer goes
through (recipes.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pilotfish.step import Step
from pilotfish.types import Case
from pipeline.extract import Extract
from pipeline.llm import LLM, CallOptions
from pipeline.parts import Parts
from pipeline.purse import Purse
from pipeline.retry import Rewriter
from verifiers.contrast import Contrast
from verifiers.draft import Repair
from verifiers.entropy import Entropy
from verifiers.form import at_most
from verifiers.nli import Nli, judged_by
from verifiers.personal import masked
from verifiers.recheck import of_facts
from verifiers.repetition import repeated
from verifiers.rewrite import Rewrite
from verifiers.selfcheck import SelfCheck
from verifiers.support import Support, judged
from verifiers.toxic import cleaned

LOCAL = "local:"  # before the name of a seq2seq model that runs here
VARIED = 1.0  # temperature of samples: at 0 they would all be alike


@dataclass(frozen=True, slots=True)
class Checked:
    """The checks of an answer in sentences, or of one that cites cells and edges."""

    texts: Step
    facts: Step
    name: str = "check"

    def __call__(self, case: Case, /) -> Case:
        return self.facts(case) if of_facts(case.answer) else self.texts(case)


def repairs(parts: Parts) -> tuple[Step, ...]:
    """The rewriter with its plug-ins; nothing where all is off."""
    checks = parts.settings.checks
    wanted = plugins(parts)
    if checks.repair == "off" and not wanted:
        return ()
    rewrite = Rewrite(
        lambda claim, case: judged(claim, case, parts.embed, parts.judge),
        Support(parts.embed, parts.judge),
        unsupported="keep" if checks.repair == "off" else checks.repair,
        values=checks.repair != "off",
        plugins=wanted,
    )
    return (rewrite,)


def plugins(parts: Parts) -> tuple[Repair, ...]:
    """Repairs of the bare text, in order."""
    checks = parts.settings.checks
    found: list[Repair] = [repeated] if checks.repair != "off" else []
    if checks.personal == "mask":
        found.append(masked)
    if checks.toxic == "drop":
        found.append(cleaned)
    if checks.words is not None:
        found.append(at_most(checks.words))
    return tuple(found)


def further(parts: Parts, purse: Purse | None) -> tuple[Step, ...]:
    """Checks by other answers: samples, each a paid call, and a small reader's."""
    checks, nli = parts.settings.checks, verdicts(parts)
    found: list[Step] = []
    if checks.contrast:
        found.append(Contrast(Extract(parts.embed, model=parts.judge), nli))
    if checks.samples and purse is not None:
        drawn = sampler(parts, purse)
        found += [SelfCheck(drawn, nli), Entropy(drawn, nli)]
    return tuple(found)


def verdicts(parts: Parts) -> Nli:
    """By the cross-encoder where there is one."""
    return judged_by(parts.judge, parts.embed)


def sampler(parts: Parts, purse: Purse) -> Callable[[str], Sequence[Step]]:
    """For a model's name its samples: the same call with numbers, and warm."""
    options = CallOptions.of(parts.settings.llm)
    warm = replace(options, temperature=max(options.temperature, VARIED))
    count = parts.settings.checks.samples

    def samples(model: str) -> tuple[Step, ...]:
        return tuple(LLM(model, purse, replace(warm, sample=n + 1)) for n in range(count))

    return samples


def corrector(parts: Parts, purse: Purse) -> Step | None:
    """The model that writes drafts anew: an LLM by LiteLLM's name, or a local one."""
    name = parts.settings.checks.corrector
    if not name:
        return None
    if not name.startswith(LOCAL):
        return LLM(name, purse, CallOptions.of(parts.settings.llm))
    from models.seq2seq import loaded

    return Rewriter(loaded(name.removeprefix(LOCAL)), name="corrector")
