"""Jobs as the service offers them: submit, ask and wait, look, pause, resume, cancel, retry.

What the HTTP routes, the page and the command line call; plain values in and out. Each call
says who asks: what belongs to others is NotFound. Not here: HTTP (routes_*.py), doing the
work (answering.py, indexing.py).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pilotfish.errors import InputError, SettingsError
from pipeline.estimate import estimate_batch
from pipeline.questions import Line
from store import items, labels, rates, removal, ringing, serving, submissions
from store.submissions import ENDED, Job, Submission
from workers.answering import settings_of
from workers.asked import INDEX, Asked, Who, WrongState, accepted, check, refused, webhook_of
from workers.bell import Bell, QueueUnreachable
from workers.holdings import Holdings
from workers.logs import learn
from workers.process import Process
from workers.shown import item_shown, job_shown, line_shown, page
from workers.telemetry_items import carrying
from workers.waiting import Waiting

BLOCK = 500  # results read at once
RETRIED = ("failed", "dead", "unknown", "cancelled")


class Jobs:
    """Shared by all threads of the process."""

    def __init__(self, process: Process, bell: Bell) -> None:
        self.process, self.bell = process, bell
        self.database = process.database
        self.holdings = Holdings(process)
        self.waiting = Waiting(process.database, bell)

    @property
    def _longest(self) -> int:
        return self.process.settings.limits.question_chars

    def submit(self, who: Who, lines: Sequence[Line], asked: Asked) -> tuple[Job, bool]:
        """(the job, whether it is new). All lines are checked before anything is stored."""
        checked = accepted(lines, asked.skip_invalid, self._longest)
        if not checked:
            raise InputError("no questions: send at least one")
        questions = [(line.custom_id, {"question": line.question, **line.fields})
                     for line in checked]  # fmt: skip
        notes = {"name": asked.name} if asked.name else {}
        return self._submit(who, questions, asked, notes, refused(checked))

    def submit_files(
        self, who: Who, files: Sequence[tuple[str, str]], asked: Asked
    ) -> tuple[Job, bool]:
        """An index job for uploaded files, each (upload id, name)."""
        questions = [(name, {"file": file_id, "name": name}) for file_id, name in files]
        notes = {"name": asked.name} if asked.name else {}
        return self._submit(who, questions, asked, notes, {})

    def _submit(
        self, who: Who, questions: Sequence[tuple[str, dict[str, Any]]], asked: Asked,
        notes: dict[str, Any], bad: dict[int, dict[str, object]], *,
        then: Callable[[Any, str], None] = lambda *_: None, durable: bool = True,
    ) -> tuple[Job, bool]:  # fmt: skip
        check(self.process.settings, who, asked)
        with self.database.write(durable=durable) as connection:
            collection = self.holdings.find(connection, who, asked.collection)
            kind = "index" if asked.recipe == INDEX else "answer"
            parameters = carrying(asked.parameters, len(questions))
            job_id, new = submissions.submit(connection, Submission(
                collection, asked.recipe, parameters, questions, kind, who.tenant,
                who.key_id, asked.idempotency_key, asked.body_sha256, asked.budget_usd,
                asked.budget_tokens, webhook_of(asked), notes,
            ))  # fmt: skip
            if new:
                serving.fail(connection, job_id, bad)
                then(connection, job_id)
            learn(job=job_id)
            return submissions.find(connection, job_id, who.tenant), new

    def ask(
        self, who: Who, line: Line, asked: Asked, wait: float, *, trace: bool = False
    ) -> dict[str, Any] | Job:
        """The result line of one question, or its job when it takes longer than `wait` seconds.

        SettingsError when the question cannot be answered as things are configured. Nothing is
        promised before it is answered, so its row is not forced to the disk; the ledger's rows
        are, and what was written before them with them.
        """
        (checked,) = accepted([line], False, self._longest)
        question = {"question": checked.question, **checked.fields}
        ids: list[int] = []

        def rung(connection: Any, job_id: str) -> None:
            """In the transaction of the question itself, so that one commit is enough."""
            ids.extend(serving.item_ids(connection, job_id))
            ringing.rung(connection, ids)

        notes = {"single": True}
        one = [(checked.custom_id, question)]
        job, new = self._submit(who, one, asked, notes, {}, then=rung, durable=False)
        if not new:
            ids = self._come_back_to(job)
        self._wait(ids[0], wait, ring=new)
        return self._outcome(who, job.id, asked, trace)

    def _come_back_to(self, job: Job) -> list[int]:
        """The same question with the same key: one that was paused goes on."""
        with self.database.write() as connection:
            submissions.resume(connection, job.id)
            return serving.item_ids(connection, job.id)

    def _wait(self, item_id: int, seconds: float, *, ring: bool) -> None:
        """Listen before ringing: the answer may be there within milliseconds."""
        with self.waiting.listening(item_id) as event:
            if ring:
                self._ring(item_id)
            elif self._settled(item_id):
                return
            event.wait(seconds)

    def _ring(self, item_id: int) -> None:
        try:
            self.bell.ring("answer", [item_id], first=True)
        except QueueUnreachable:  # the dispatcher rings when the queue is back
            with self.database.write(lock=None, durable=False) as connection:
                ringing.unrung(connection, [item_id])

    def _settled(self, item_id: int) -> bool:
        with self.database.read() as connection:
            return bool(serving.settled(connection, [item_id]))

    def _outcome(self, who: Who, job_id: str, asked: Asked, trace: bool) -> dict[str, Any] | Job:
        with self.database.read() as connection:
            rows = submissions.results(connection, job_id, -1, 1)
            if not rows:
                job = submissions.find(connection, job_id, who.tenant)
        if rows:
            (line,) = submissions.lines(rows)
            return line_shown(line, trace) | {"job": job_id, "item": f"{job_id}/0"}
        if job.state != "paused":
            self._promise(job_id)
            return job
        if asked.idempotency_key is None:  # nobody could come back to it
            self.cancel(who, job_id)
        raise SettingsError(job.reason or "the question was paused")

    def _promise(self, job_id: str) -> None:
        """Force the job to the disk: the log is written in order, so any later commit will do."""
        with self.database.write() as connection:
            serving.touch(connection, job_id)

    def view(self, who: Who, job_id: str, *, secret: bool = False) -> dict[str, Any]:
        """The job as JSON; `secret`: with that of its webhook, for whoever created it."""
        with self.database.read() as connection:
            job = submissions.find(connection, job_id, who.tenant)
            return job_shown(connection, job, who.tenant, secret)

    def listing(self, who: Who, limit: int, after: str | None, singles: bool) -> dict[str, Any]:
        """A page of jobs, newest first; `singles`: also those of one question each."""
        with self.database.read() as connection:
            if after is not None:
                submissions.find(connection, after, who.tenant)
            ids = serving.job_ids(connection, who.tenant, limit + 1, after, singles)
            found = [submissions.find(connection, job_id, who.tenant) for job_id in ids]
            rows = [job_shown(connection, job, who.tenant) for job in found]
        return page(rows, limit, lambda row: row["id"])

    def items_page(
        self, who: Who, job_id: str, limit: int, after: int, states: Sequence[str]
    ) -> dict[str, Any]:
        """A page of the job's items, in order."""
        with self.database.read() as connection:
            submissions.find(connection, job_id, who.tenant)
            rows = serving.items_page(connection, job_id, after, limit + 1, states)
        shown = page(rows, limit, lambda row: str(row["ordinal"]))
        return shown | {"data": [item_shown(row) for row in shown["data"]]}

    def results(self, who: Who, job_id: str, *, trace: bool = False) -> Iterator[dict[str, Any]]:
        """Finished lines in order; those there are while the job runs."""
        with self.database.read() as connection:
            submissions.find(connection, job_id, who.tenant)
        return self._results(job_id, trace)

    def _results(self, job_id: str, trace: bool) -> Iterator[dict[str, Any]]:
        after = -1
        while True:
            with self.database.read() as connection:
                rows = submissions.results(connection, job_id, after, BLOCK)
            for row, line in zip(rows, submissions.lines(rows), strict=True):
                question = row["question"].get("question")
                named = {"item": f"{job_id}/{row['ordinal']}"}
                named |= {"question": question} if question else {}
                yield line_shown(line, trace) | named
            if len(rows) < BLOCK:
                return
            after = rows[-1]["ordinal"]

    def pause(self, who: Who, job_id: str) -> dict[str, Any]:
        """Take no more of its items; what is being worked on ends."""
        return self._change(
            who, job_id, "pause", ("running", "paused"),
            lambda connection: submissions.pause(connection, job_id, "paused on request"),
        )  # fmt: skip

    def resume(self, who: Who, job_id: str) -> dict[str, Any]:
        """Let a paused job go on, and its models be called again."""

        def go_on(connection: Any) -> None:
            rates.forgive(connection)
            submissions.resume(connection, job_id)

        return self._change(who, job_id, "resume", ("running", "paused"), go_on)

    def cancel(self, who: Who, job_id: str) -> dict[str, Any]:
        """Take no more of its items, for good."""
        return self._change(
            who, job_id, "cancel", ("running", "paused", "cancelled"),
            lambda connection: submissions.cancel(connection, job_id),
        )  # fmt: skip

    def retry(self, who: Who, job_id: str, states: Sequence[str] = items.AGAIN) -> dict[str, Any]:
        """Do the items again that ended in these states."""
        if wrong := [state for state in states if state not in RETRIED]:
            raise InputError(f"states {wrong}: only {', '.join(RETRIED)} can be retried")

        def again(connection: Any) -> None:
            if items.retry(connection, job_id, states):
                submissions.reopen(connection, job_id)

        return self._change(who, job_id, "retry", ("running", "paused", *ENDED), again)

    def forget(self, who: Who, job_id: str) -> dict[str, Any]:
        """Delete an ended job's questions and answers; counts and money stay."""
        return self._change(
            who, job_id, "delete", ENDED, lambda connection: removal.job_text(connection, job_id)
        )

    def feedback(self, who: Who, name: str, right: bool, answer: str | None) -> dict[str, Any]:
        """Label the answer of the item JOB/ORDINAL."""
        with self.database.write() as connection:
            job_id = name.partition("/")[0]
            submissions.find(connection, job_id, who.tenant)
            item_id, whole = labels.item_of(connection, name, who.tenant)
            labels.put(connection, item_id, right, answer)
        return {"item": whole, "right": right}

    def _change(
        self, who: Who, job_id: str, verb: str, states: Sequence[str],
        change: Callable[[Any], object],
    ) -> dict[str, Any]:  # fmt: skip
        with self.database.write() as connection:
            job = submissions.find(connection, job_id, who.tenant)
            if job.state not in states:
                raise WrongState(f"job {job_id} is {job.state}: cannot {verb} it")
            change(connection)
            job = submissions.find(connection, job_id, who.tenant)
            return job_shown(connection, job, who.tenant)

    def estimate(self, who: Who, lines: Sequence[Line], asked: Asked) -> dict[str, Any]:
        """Tokens, dollars and time at most; spends nothing."""
        checked = accepted(lines, asked.skip_invalid, self._longest)
        good = [line for line in checked if not line.problem]
        check(self.process.settings, who, asked)
        library = copy.copy(self.holdings.library(who, asked.collection))
        library.settings = settings_of(library.settings, dict(asked.parameters))
        found = estimate_batch(library, good)
        minutes = found["minutes_without_llm_latency"]
        assert isinstance(minutes, float | int)
        return {**found, "seconds_without_llm_latency": round(minutes * 60, 1)}
