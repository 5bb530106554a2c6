"""`tune cascade` learns from recorded answers where a prompt should go; `route` goes by it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilotfish.cli.context import Context, emit_object, guarded
from pilotfish.cli.output import writable
from pilotfish.cli.progress import Meter
from pilotfish.files import write_text

if TYPE_CHECKING:
    from pipeline.policy import Policy
    from pipeline.vectors import Vectors

_EACH = 256  # texts that are embedded between two looks at the clock


def register(app: typer.Typer) -> None:
    group(app).command("cascade")(cascade)
    app.command("route")(route)


def group(app: typer.Typer) -> typer.Typer:
    """`tune`, made by whoever needs it first."""
    for one in app.registered_groups:
        if one.name == "tune" and one.typer_instance is not None:
            return one.typer_instance
    made = typer.Typer(no_args_is_help=True)
    app.add_typer(made, name="tune", help="Learn settings from recorded or labelled data.")
    return made


def cascade(
    context: typer.Context,
    rows: Annotated[
        Path, typer.Argument(help='JSON lines of {"id", "prompt", "answers": [{"system", ...}]}.')
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The policy to write, or -.")],
    budget: Annotated[float, typer.Option("--budget", help="Mean cost of a prompt, at most.")],
) -> None:
    """Learn from recorded answers which system a prompt should go to, within a mean cost."""
    options: Context = context.obj
    with guarded(options):
        options.attach()
        from pipeline.automix import lexical
        from pipeline.outcomes import outcomes
        from pipeline.policy import Encoded, text_of
        from pipeline.policy_fit import check_budget, fit_policy
        from pipeline.recorded import read_rows

        writable(rows, output)
        recorded = outcomes(read_rows(rows), str(rows))
        check_budget(recorded, budget)
        vectors = _vectors(options)
        texts = [text for row in recorded.texts for text in row[:-1] if text is not None]
        _embedded(options, vectors, [*recorded.prompts, *texts])
        encoded = Encoded(vectors.name, vectors.fingerprint)
        policy = fit_policy(recorded, budget, vectors, encoded, lexical)
        write_text(output, text_of(policy))
        _say(options, policy, output)


def route(
    context: typer.Context,
    policy: Annotated[Path, typer.Argument(help="A policy of tune cascade.")],
    rows: Annotated[
        Path, typer.Argument(help='JSON lines of {"id", "prompt", "answers"?: [...]}.')
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Choices to write, or -.")],
) -> None:
    """Choose a system for each prompt, by a policy, and say because of what."""
    options: Context = context.obj
    with guarded(options):
        options.attach()
        from pipeline.automix import lexical
        from pipeline.choosing import choose
        from pipeline.policy import load
        from pipeline.recorded import read_rows

        writable(rows, output)
        learned = load(policy)
        asked = read_rows(rows)
        vectors = _vectors(options)
        learned.check(vectors.fingerprint, vectors.name)
        chain = [learned.systems[k] for k in getattr(learned.rule, "chain", ())][:-1]
        texts = [text for row in asked for system in chain if (text := row.text(system))]
        _embedded(options, vectors, [*(row.prompt for row in asked), *texts])
        found = [asdict(one) for one in choose(learned, asked, vectors, lexical)]
        write_text(output, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in found))


def _vectors(options: Context) -> Vectors:
    """The configured encoder, each text encoded once. It needs no workspace."""
    from models.encoder import Encoder
    from pipeline.vectors import Vectors

    settings = options.settings()
    return Vectors(Encoder(settings.encoder, threads=settings.threads))


def _embedded(options: Context, vectors: Vectors, texts: list[str]) -> None:
    """Encode what is needed, with progress."""
    wanted = vectors.missing(texts)
    with Meter(options, "texts", len(wanted)) as meter:
        for start in range(0, len(wanted), _EACH):
            some = wanted[start : start + _EACH]
            vectors.add(some)
            for _ in some:
                meter.tick()


def _say(options: Context, policy: Policy, output: Path) -> None:
    told: dict[str, Any] = {
        key: policy.report[key] for key in ("rows", "budget", "why", "expected")
    }
    if options.json and str(output) != "-":
        emit_object({**told, "rule": policy.rule.kind, "output": str(output)})
    expected = told["expected"]
    options.err().print(
        f"{told['why']}\nexpected: accuracy {expected['accuracy']}, mean cost "
        f"{expected['mean_cost']} (budget {told['budget']:g}), from {told['rows']} rows",
        markup=False,
    )
