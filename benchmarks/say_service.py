"""Prose and tables of the service's parts. Not here: measuring, plots."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.say_quality import plot, table

Results = dict[str, dict[str, Any]]  # part -> what it found, those that were measured


def speed(results: Results) -> str:
    """The job of 1,000 at 1 s."""
    some = next(iter(results.values()))
    rows = [
        [row["recipe"], row["seconds"], row["bound_seconds"], row["ratio"],
         row["inline_cpu_ms_a_question"], row["llm_requests"], row["most_in_flight"]]
        for row in results.values()
    ]  # fmt: skip
    head = ["recipe", "seconds", "bound, s", "times its bound", "inline CPU ms a question",
            "LLM requests", "most in flight"]  # fmt: skip
    return "\n\n".join([
        f"One job of {some['questions']:,} questions over SciFact, one worker, {some['threads']} "
        f"threads, {some['cores']} cores for everything together, an LLM that takes "
        f"{some['latency']:g} s. Bound: questions / threads x latency = {some['ideal_seconds']:g} "
        "s; with `default` the larger of that and the recipe's own CPU time (inline, without the "
        "service) over the cores.",
        plot("service_speed", "seconds of a job against its bound"),
        table(head, rows),
        *(_cpu(row) for row in results.values()),
    ])  # fmt: skip


def _cpu(row: dict[str, Any]) -> str:
    own = f"Own CPU time of `{row['recipe']}` inline: {row['own_cpu_seconds']:g} s"
    return f"{own}. CPU seconds of the job by process: {_listed(row['cpu_seconds'])}."


def _listed(found: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in found.items())


def latency(results: Results) -> str:
    """One question at a time."""
    blocks = []
    if "latency" in results:
        found = results["latency"]
        rows = [
            [name, row["p50_ms"], row["p95_ms"], *_added(found["added"].get(name))]
            for name, row in found["ways"].items()
        ]
        blocks += [
            f"The same {found['questions']:,} questions in turn: of an embedded library, through "
            "the API with its own threads, and through API, Redis and a worker; recipe `plain`, "
            "the LLM answers at once. Added: the difference of the same question's times.",
            plot("service_latency", "p50 and p95 of one question by way"),
            table(["way", "p50 ms", "p95 ms", "added p50 ms", "added p95 ms"], rows),
        ]
    if "alone" in results:
        found = results["alone"]
        rows = [
            [name, found[key]["p50_ms"], found[key]["p95_ms"]]
            for name, key in (("through the service", "served"), ("embedded", "embedded"))
        ]
        blocks += [
            f"`default` without an LLM, {found['questions']:,} questions one at a time:",
            table(["way", "p50 ms", "p95 ms"], rows),
        ]  # fmt: skip
    return "\n\n".join(blocks)


def _added(row: dict[str, float] | None) -> list[object]:
    return [row["p50_ms"], row["p95_ms"]] if row else ["", ""]


def load(results: Results) -> str:
    """Many questions: accepted, done, and a few behind many."""
    blocks = [_throughput([results[n] for n in results if n.startswith("throughput")])]
    if "accept" in results:
        found = results["accept"]
        rows = [[kind, found["megabytes"][kind], ", ".join(map(str, seconds))]
                for kind, seconds in found["seconds"].items()]  # fmt: skip
        blocks += [f"{found['questions']:,} questions accepted by `POST /v1/jobs`, service up:",
                   table(["body", "MB", "seconds of each round"], rows)]  # fmt: skip
    if "fairness" in results:
        found = results["fairness"]
        behind = f"{found['few']} questions behind {found['behind']:,}"
        blocks.append(
            f"{behind} ({found['threads']} threads, LLM {found['latency']:g} s): "
            f"{_all(found['behind_seconds'])} s, alone {_all(found['alone_seconds'])} s: "
            f"{found['ratio']:g} times."
        )
    return "\n\n".join(block for block in blocks if block)


def _all(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _throughput(found: list[dict[str, Any]]) -> str:
    if not found:
        return ""
    rows = [
        [row["workers"], row["a_second"], row["seconds"], row["cpu_ms_a_question"],
         row["most_mb"], f"{row['growth_second_half']:.1%}"]
        for row in found
    ]  # fmt: skip
    head = ["workers", "questions/s", "seconds", "CPU ms a question", "MB a worker, most",
            "growth, second half"]  # fmt: skip
    one = found[0]
    return "\n\n".join([
        f"{one['questions']:,} questions, `plain`, {one['threads']} threads a worker, an LLM that "
        f"takes {one['latency']:g} s, two cores for everything together.",
        plot("service_load", "questions a second by workers; memory of a worker"),
        table(head, rows),
        *(f"CPU seconds, {row['workers']} worker(s): {_listed(row['cpu_seconds'])}."
          for row in found),
    ])  # fmt: skip


def faults(results: Results) -> str:
    """The storms."""
    rows = [
        [f"{row['seed']}, {row['database']}, {row['on_unknown']}", row["figures"]["items"],
         sum(row["kills"].values()), row["figures"]["lost"], row["figures"]["doubled"],
         f"{row['figures']['repeated']} (bound {row['figures']['repeated_bound']})",
         row["figures"].get("items_unknown", 0), row["median_recovery"], row["slowest_recovery"],
         row["slowest_touched"], row["seconds"]]
        for row in results.values()
    ]  # fmt: skip
    head = ["seed", "items", "kills", "lost", "doubled", "calls repeated", "ended unknown",
            "recovery s, median", "slowest", "touched items s", "job s"]  # fmt: skip
    one = next(iter(results.values()))
    wrong = [problem for row in results.values() for problem in row["problems"]]
    return "\n\n".join([
        f"SIGKILL while a job runs ({one['workers']} workers of {one['threads']} threads, LLM "
        f"{one['latency']:g} s, leases of {one['lease']:g} s), spread over its progress in the "
        f"seed's order: {_listed(one['kills'])}. Redis loses its data each time, Postgres "
        "recovers from its log. Recovery: from a kill to the next item that ends. Touched: until "
        "the last item that was in somebody's hands had ended, later kills included. The books "
        "are the checker's: rows, receipts, ledger, budgets and what the LLM's server counted.",
        table(head, rows),
        *(["The checker found: " + "; ".join(wrong) + "."] if wrong else []),
    ])  # fmt: skip


def tenants(results: Results) -> str:
    """Who sees whose."""
    found = results["tenants"]
    return f"Twenty tenants' random queries: {_listed(found['figures'])}."


Say = Callable[[Results], str]
SECTIONS: tuple[tuple[str, tuple[str, ...], Say], ...] = (
    ("Service: a job of 1,000", ("speed_plain", "speed_default"), speed),
    ("Service: one question", ("latency", "alone"), latency),
    (
        "Service: load",
        ("throughput_1", "throughput_2", "throughput_4", "accept", "fairness"),
        load,
    ),
    (
        "Service: faults",
        ("faults_1", "faults_2", "faults_3", "faults_sqlite", "faults_hold"),
        faults,
    ),
    ("Service: tenants", ("tenants",), tenants),
)
