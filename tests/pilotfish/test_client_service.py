"""The SDK against a really running engine: embedded over its socket, and a service over TCP.

One class of tests for both, since methods, types and errors are the same. Not here: what breaks
on the way (test_client_faults.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotfish import Client, PilotfishError, errors
from pilotfish.client import Denied, JobPaused, Missing, Rejected, TimedOut
from pilotfish.client.results import JobView
from pilotfish.types import Span
from tests.conftest import ASKED, UNANSWERABLE, Pilotfish, quoted_by
from tests.llm_server import LLMServer
from tests.pilotfish.clients import embedded
from tests.workers.conftest import serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def slow_llm() -> Iterator[LLMServer]:
    with LLMServer(respond=quoted_by, latency=0.2) as server:
        yield server


@pytest.fixture(scope="module", params=["embedded", "service"])
def client(
    request: pytest.FixtureRequest, pristine: Path, slow_llm: LLMServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Client]:  # fmt: skip
    """The same collection, behind a socket of our own or behind HTTP and a key."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(pristine, folder / "workspace")
    if request.param == "embedded":
        with embedded(folder / "workspace", slow_llm) as made:
            yield made
        return
    pilotfish = Pilotfish(folder, folder / "workspace").asking(slow_llm)
    with serving(pilotfish, folder, PILOTFISH_SERVICE__LEASE=2) as service:
        key = service.made_key().key
        with Client(f"http://127.0.0.1:{service.port}/v1", api_key=key) as made:
            yield made


class TestBoth:
    def test_an_answer_is_typed_and_its_quotes_are_slices_of_the_document(
        self, client: Client
    ) -> None:
        found = client.ask(ASKED)
        assert found.status == "answered" and found.answer and "30 days" in found.answer
        assert found.receipt.llm_calls == 1 and found.error is None and found.support is not None
        source = found.citations[0].source
        assert isinstance(source, Span)
        text = client.document(source.document).text
        assert text is not None and text[source.start : source.end] == source.quote

    def test_abstaining_is_no_error(self, client: Client) -> None:
        found = client.ask(UNANSWERABLE)
        assert found.status == "abstained" and found.answer is None

    def test_search_gives_passages_best_first(self, client: Client) -> None:
        found = client.search("returned goods", 3)
        assert found[0].document.endswith("returns.md") and len(found) == 3
        assert found[0].score >= found[1].score

    def test_what_is_added_is_found_and_what_is_removed_is_gone(
        self, client: Client, tmp_path: Path
    ) -> None:
        (tmp_path / "inner").mkdir()
        (tmp_path / "inner" / "lamps.md").write_text("# Lamps\n\nA lamp burns for 900 hours.\n")
        (tmp_path / ".hidden").write_text("no")
        added = client.add(tmp_path, ("ropes.txt", b"A rope holds nine hundred kilos.\n"))
        lamps = f"{tmp_path.name}/inner/lamps.md"
        assert set(added.added) == {lamps, "ropes.txt"} and not added.failed
        assert {lamps, "ropes.txt"} <= {one.id for one in client.documents()}
        assert client.search("burning hours of a lamp", 1)[0].document == lamps
        again = client.add(("ropes.txt", b"A rope holds nine hundred kilos.\n"))
        assert again.unchanged == 1 and not again.added
        assert client.remove(lamps, "ropes.txt") == 2
        assert lamps not in {one.id for one in client.documents()}
        with pytest.raises(Missing):
            client.remove(lamps)

    def test_a_file_that_cannot_be_read_is_reported_beside_the_others(self, client: Client) -> None:
        added = client.add(("broken.pdf", b"%PDF-1.4 nothing"), ("fine.txt", b"Fine words here.\n"))
        assert added.added == ("fine.txt",)
        assert [name for name, _ in added.failed] == ["broken.pdf"]
        client.remove("fine.txt")

    def test_collections_are_listed_and_made_by_adding(self, client: Client) -> None:
        client.add(("a.txt", b"The tower is eighty metres high.\n"), collection="towers")
        named = {one.name: one.documents for one in client.collections()}
        assert named["towers"] == 1 and named["default"] == 8
        assert client.search("tower", 1, collection="towers")[0].document == "a.txt"

    def test_results_come_as_they_finish_and_each_once(
        self, client: Client, tmp_path: Path
    ) -> None:
        job = client.submit([ASKED, {"custom_id": "k", "question": UNANSWERABLE}], name="two")
        found = {one.custom_id: one.status for one in job.results(follow=True)}
        assert found == {"1": "answered", "k": "abstained"}
        assert job.ended and job.state == "completed" and job.done == 2
        assert [one.custom_id for one in job.results()] == ["1", "k"]
        assert job.to_jsonl(tmp_path / "out.jsonl") == 2
        lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert lines[0]["status"] == "answered" and lines[1]["custom_id"] == "k"
        assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]

    def test_questions_come_from_a_file(self, client: Client, tmp_path: Path) -> None:
        path = tmp_path / "q.csv"
        path.write_text(f"id,question\nfirst,{ASKED}\n")
        job = client.submit(path, budget_usd=2.5, skip_invalid=True)
        assert job.view.budget is not None and job.view.budget.limit_usd == 2.5
        assert [one.custom_id for one in job.wait(60).results()] == ["first"]

    def test_waiting_tells_of_progress(
        self, client: Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        seen: list[JobView] = []
        job = client.submit([f"{ASKED} {n}" for n in range(3)])
        assert job.wait(60, progress=seen.append) is job and job.done == 3
        assert seen and seen[-1].state == "completed"
        assert client.job(job.id).wait(60, progress=True).id == job.id
        assert "3/3 done, 0 failed" in capsys.readouterr().err

    def test_waiting_ends_in_time_and_the_job_goes_on(self, client: Client) -> None:
        job = client.submit([f"{ASKED} Tell me more, {n}." for n in range(4)])
        with pytest.raises(TimedOut):
            job.wait(0.0)
        assert job.wait(60).state == "completed"

    def test_a_paused_job_is_no_endless_wait(self, client: Client) -> None:
        job = client.submit([f"{ASKED} And also {n}?" for n in range(80)])
        job.pause()
        with pytest.raises(JobPaused) as caught:
            list(job.results(follow=True))
        assert caught.value.job is not None and caught.value.job.state == "paused"
        with pytest.raises(JobPaused):
            job.wait(30)
        assert job.resume().state == "running"
        assert job.cancel().state == "cancelled" and job.wait(30).ended

    def test_failed_items_are_done_again(self, client: Client) -> None:
        job = client.submit([ASKED, {"question": " "}], skip_invalid=True).wait(60)
        assert job.state == "completed_with_errors" and job.failed == 1
        (bad,) = [one for one in job.results() if one.status == "failed"]
        assert bad.error is not None and bad.error.code == "invalid_line"
        assert job.retry(["failed"]).wait(60).done == 2

    def test_the_same_key_is_the_same_job_and_another_body_is_refused(self, client: Client) -> None:
        first = client.submit([ASKED], idempotency_key="sdk-1")
        assert client.submit([ASKED], idempotency_key="sdk-1").id == first.id
        with pytest.raises(Rejected) as caught:
            client.submit([UNANSWERABLE], idempotency_key="sdk-1")
        assert caught.value.code == "idempotency_conflict" and not caught.value.retryable

    def test_all_bad_lines_are_named(self, client: Client) -> None:
        with pytest.raises(Rejected) as caught:
            client.submit([ASKED, {"question": ""}, {"q": "x"}])
        assert [line["line"] for line in caught.value.details["lines"]] == [2, 3]
        assert caught.value.status == 422 and (caught.value.request_id or "").startswith("req_")

    def test_errors_have_a_request_id_and_are_ours(self, client: Client) -> None:
        with pytest.raises(errors.NotFound) as caught:
            client.job("no-such-job")
        assert isinstance(caught.value, Missing) and isinstance(caught.value, PilotfishError)
        assert caught.value.code == "not_found" and caught.value.request_id
        with pytest.raises(errors.InputError):
            client.ask("   ")
        with pytest.raises(Missing):
            client.search("x", collection="nowhere")

    def test_jobs_are_listed_newest_first(self, client: Client) -> None:
        one, two = (client.submit([ASKED]).wait(60).id for _ in range(2))
        ids = [job.id for job in client.jobs()]
        assert ids.index(two) < ids.index(one)

    def test_an_estimate_spends_nothing(self, client: Client, slow_llm: LLMServer) -> None:
        before = len(slow_llm.requests)
        found = client.estimate([ASKED, UNANSWERABLE])
        assert found.questions == 2 and found.prompt_tokens > 0
        assert found.seconds_without_llm_latency >= 0 and len(slow_llm.requests) == before


def test_a_wrong_key_and_none_are_denied(pristine: Path, tmp_path: Path) -> None:
    shutil.copytree(pristine, tmp_path / "workspace")
    with serving(Pilotfish(tmp_path, tmp_path / "workspace"), tmp_path) as service:
        service.made_key()
        url = f"http://127.0.0.1:{service.port}"
        for key in (None, "wrong"):
            with Client(url, api_key=key) as client, pytest.raises(Denied) as caught:
                client.collections()
            assert caught.value.status == 401 and "pilotfish keys create" in str(caught.value)
