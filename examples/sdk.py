"""The SDK from end to end: add the example documents, ask, run a batch, keep its lines.

python examples/sdk.py                                the embedded engine, in .demo-sdk
python examples/sdk.py http://127.0.0.1:8747 KEY      a running service
"""

from __future__ import annotations

import sys
from pathlib import Path

from pilotfish import Client, PilotfishError
from pilotfish.client import Failed

HERE = Path(__file__).resolve().parent


def main() -> None:
    url, key = (*sys.argv[1:3], None, None)[:2]
    place = None if url else HERE.parent / ".demo-sdk"
    with Client(url, api_key=key, workspace=place, collection="sdk-example") as client:
        added = client.add(HERE / "documents")
        print(f"{len(added.added)} documents added, {added.unchanged} unchanged")
        ask(client, "Within how many days may goods be returned?")
        batch(client, HERE / "questions.jsonl")


def ask(client: Client, question: str) -> None:
    """One answer, each sentence with its source."""
    try:
        found = client.ask(question)
    except Failed as error:
        print(f"failed ({error.code}): {error}")
        return
    print(found.answer or f"not in the documents (nearest: {found.candidate})")
    for citation in found.citations:
        print("   ", citation.source)


def batch(client: Client, questions: Path) -> None:
    """Many questions: what they would cost, results as they finish, all lines into a file."""
    print(f"at most ${client.estimate(questions).cost_usd_at_most}")
    # The same key is the same job, however often this program is started.
    job = client.submit(questions, budget_usd=1.0, idempotency_key="sdk-example")
    for found in job.results(follow=True):
        print(f"{found.custom_id}: {found.status} {found.answer or ''}")
    print(f"{job.to_jsonl('answers.jsonl')} lines in answers.jsonl, ${job.cost_usd} spent")


if __name__ == "__main__":
    try:
        main()
    except PilotfishError as error:
        raise SystemExit(f"{error.code}: {error}") from None
