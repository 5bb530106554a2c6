"""`recipes`: what each recipe does, and how many LLM calls a question may cost."""

from __future__ import annotations

from dataclasses import asdict

import typer

from pilotfish.cli.context import Context, emit, guarded


def register(app: typer.Typer) -> None:
    app.command("recipes")(recipes)


def recipes(context: typer.Context) -> None:
    """What each recipe does and costs, with the settings as they are."""
    options: Context = context.obj
    with guarded(options):
        options.attach()
        from pipeline.recipe_costs import told

        for one in told(options.settings()):
            if options.json:
                emit(asdict(one))
                continue
            at_most = f"at most {one.calls} LLM call{'s' * (one.calls != 1)}"
            out = options.out()
            out.print(f"{one.name}  ({at_most})", markup=False, style="bold")
            out.print(f"    {one.does}", markup=False)
            if one.needs:
                out.print(f"    needs {one.needs}", markup=False)
