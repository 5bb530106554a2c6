"""`feedback` and `tune trust`: labels for answers, and what support is worth by them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pilotfish.cli.ask import Model, RecipeName, model_override
from pilotfish.cli.context import Context, emit_object, guarded
from pilotfish.cli.progress import Meter
from pilotfish.cli.search import Where
from pilotfish.cli.tune import group as tuning

if TYPE_CHECKING:
    from verifiers.calibration import Calibration

PROMISES = (0.05, 0.1, 0.2)


def register(app: typer.Typer) -> None:
    app.command("feedback")(feedback)
    tuning(app).command("trust")(trust)


def feedback(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="JOB/NUMBER: the field 'item' of a line.")],
    verdict: Annotated[Literal["right", "wrong"], typer.Argument(help="What the answer was.")],
    answer: Annotated[
        str | None, typer.Option("--answer", help="What would have been right.")
    ] = None,
) -> None:
    """Say whether an answer of a batch or of the service was right."""
    options: Context = context.obj
    with guarded(options):
        database = options.database()
        from store import labels

        with database.write() as connection:
            found, whole = labels.item_of(connection, item, None)
            labels.put(connection, found, verdict == "right", answer)
        if options.json:
            emit_object({"item": whole, "right": verdict == "right"})
        else:
            options.out().print(f"{whole} is labelled {verdict}", markup=False)


def trust(
    context: typer.Context,
    labelled: Annotated[
        Path | None,
        typer.Argument(help="Lines of question and answers, or of support and right."),
    ] = None,
    where: Where = None,
    model: Model = None,
    recipe: RecipeName = "default",
    match: Annotated[
        Literal["near", "contains"],
        typer.Option(help="near: equal or F1 >= 0.8; contains: the answer holds a known one."),
    ] = "near",
) -> None:
    """Calibrate support on this collection: by a file of labels, and by the feedback it got."""
    options: Context = context.obj
    with guarded(options):
        library = options.library(**model_override(model))
        from pipeline import labelling
        from pipeline.recipes import recipe as named

        named(recipe)
        found, asked = labelling.of_feedback(library, recipe), 0
        asked = len(found)
        if labelled is not None:
            known = labelling.read_known(labelled)
            with Meter(options, "questions", len(known)) as meter:
                ask = labelling.Labeller(library, recipe, match, where, meter.tick)
                more, count = ask(known)
            found, asked = found + more, asked + count
        made = labelling.keep(library, recipe, found, asked)
        _tell(options, made, library.settings.collection)


def _tell(options: Context, made: Calibration, collection: str) -> None:
    """What was fitted, and what can be promised by it."""
    promises = {str(e): made.promise(e) for e in PROMISES}
    if options.json:
        said: dict[str, Any] = {
            e: {"threshold": one.threshold, "why": one.why} for e, one in promises.items()
        }
        emit_object({
            "collection": collection, "labels": made.labels, "asked": made.asked,
            "groups": [{"when": {g.feature: g.value} if g.feature else {}, "labels": g.labels}
                       for g in made.groups],
            "measures": dict(made.measures), "promises": said,
        })  # fmt: skip
        return
    out, measured = options.out(), made.measures
    out.print(
        f"{collection}: calibrated on {made.labels} labels, {measured['right']:.0%} of them right; "
        f"Brier score {measured['brier before']:.3f}, now {measured['brier after']:.3f}",
        markup=False,
    )
    for group in made.groups:
        name = f"{group.feature} = {group.value}" if group.feature else "all others"
        out.print(f"  group {name}: {group.labels} labels", markup=False)
    for error, one in promises.items():
        held = "no promise" if one.threshold is None else f"judged >= {one.threshold:g}"
        out.print(f"  --max-error {error}: {held}; {one.why}", markup=False)
