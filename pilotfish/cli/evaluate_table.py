"""The table that `eval` prints: every figure with its interval, and the other run beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilotfish.cli.context import Context

if TYPE_CHECKING:
    from rich.table import Table

    from pipeline.evaluation.figures import Figure

_COLOURS = {"better": "green", "worse": "red"}


def tell(options: Context, made: dict[str, Any]) -> None:
    """Counts, the table on stdout, what was not scored on stderr."""
    from rich import box
    from rich.table import Table

    from pipeline.evaluation.figures import FIGURES

    counts = made["counts"]
    told = ", ".join(f"{counts[n]} {n}" for n in ("right", "wrong", "abstained", "failed"))
    options.out().print(f"{counts['questions']} questions: {told}", markup=False)
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    table.add_column("figure")
    names = ["value", "95 %", "n"] + (["other", "difference", "95 %", ""] if _other(made) else [])
    for name in names:
        table.add_column(name, justify="right" if name else "left")
    for place, figure in enumerate(FIGURES):
        if made["figures"][figure.name]["value"] is not None:
            ends = place + 1 == len(FIGURES) or FIGURES[place + 1].group != figure.group
            _row(table, made, figure, ends)
    options.out().print(table)
    _trust(options, made)


def _other(made: dict[str, Any]) -> bool:
    return "against" in made


def _row(table: Table, made: dict[str, Any], figure: Figure, ends: bool) -> None:
    from rich.text import Text

    from pipeline.evaluation.wording import VERDICTS, between, change, said

    one, unit = made["figures"][figure.name], figure.unit
    cells = [figure.label, said(one["value"], unit), between(one, unit), str(one["n"])]
    if not _other(made):
        table.add_row(*cells, end_section=ends)
        return
    versus = made["against"]["figures"][figure.name]
    verdict = versus["verdict"]
    cells += [said(versus["other"], unit), change(versus["value"], unit)]
    cells.append(between(versus, unit, changes=True))
    word = Text(VERDICTS[verdict], style=_COLOURS.get(verdict, "dim"))
    table.add_row(*cells, word, end_section=ends)


def _shift(made: dict[str, Any]) -> str:
    """By how much the area differs from the other run's."""
    from pipeline.evaluation.wording import between, change

    one = made.get("against", {}).get("area")
    if not one:
        return ""
    told = between(one, "score", changes=True)
    return f", {change(one['value'], 'score')} ({told}) against the other run"


def _trust(options: Context, made: dict[str, Any]) -> None:
    """Two lines on support; then, for people only, why figures are missing."""
    out, curve, calibration = options.out(), made["risk_coverage"], made["calibration"]
    if curve and calibration:
        out.print(
            f"risk over coverage: area {curve['area']:.3f}{_shift(made)} "
            f"(perfect order {curve['best']:.3f}, random {curve['chance']:.3f})\n"
            f"calibration: error {calibration['ece']:.3f}, Brier {calibration['brier']:.3f} "
            f"(always the same number: {calibration['base']:.3f})",
            markup=False,
        )
    why: dict[str, list[str]] = {}
    for name, reason in made["not_scored"].items():
        why.setdefault(reason, []).append(name)
    for reason, names in why.items():
        told = f"not scored: {', '.join(names)}: {reason}"
        options.err().print(told, markup=False, soft_wrap=True)
    left = made["left_out"]
    for ids, what in ((left["no_answer"], "answer"), (left["no_gold"], "right answer")):
        if ids:
            options.err().print(f"left out: {len(ids)} ids without {what}", markup=False)
