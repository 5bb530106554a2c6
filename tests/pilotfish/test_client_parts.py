"""The SDK's parts that need no service: events, errors, sources, settings, lightness."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pilotfish import Client, errors
from pilotfish.client.engine import environment
from pilotfish.client.errors import Busy, Denied, Missing, OverBudget, Rejected, of_reply
from pilotfish.client.follow import events
from pilotfish.client.results import added, citation, job_view, result
from pilotfish.client.sources import asking, files_of, parcels
from pilotfish.types import Cells, Span, Triple
from tests.conftest import Pilotfish


def test_importing_the_package_or_the_client_loads_no_http_library(tmp_path: Path) -> None:
    code = "import sys, pilotfish; pilotfish.Client; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env=Pilotfish(tmp_path, tmp_path).environment(),
    )  # fmt: skip
    assert not {"httpx2", "httpcore2", "pydantic", "typer"} & set(done.stdout.split())


def test_events_are_read_and_a_cut_off_one_is_left_out() -> None:
    text = [": alive", "", "id: 1.5:7", "event: item", 'data: {"a": 1}', "",
            "event: end", 'data: {"b": 2}', "", "event: item", 'data: {"cu']  # fmt: skip
    assert list(events(iter(text))) == [("item", "1.5:7", {"a": 1}), ("end", "", {"b": 2})]


@pytest.mark.parametrize(
    ("status", "kind", "ours"),
    [
        (401, Denied, errors.PilotfishError), (402, OverBudget, errors.BudgetExceeded),
        (404, Missing, errors.NotFound), (413, Rejected, errors.InputError),
        (422, Rejected, errors.InputError), (429, Busy, errors.Unavailable),
        (503, Busy, errors.Unavailable),
    ],
)  # fmt: skip
def test_each_status_has_its_error(
    status: int, kind: type[Exception], ours: type[Exception]
) -> None:
    body = {"error": {"message": "said", "code": "some_code", "lines": [1]}}
    error = of_reply(status, body, {"x-request-id": "req_1", "retry-after": "3"})
    assert type(error) is kind and isinstance(error, ours) and str(error).startswith("said")
    assert (error.code, error.request_id, error.retry_after) == ("some_code", "req_1", 3.0)
    assert error.details == {"lines": [1]} and error.retryable == (status in {429, 503})


def test_a_wrong_configuration_is_not_asked_again() -> None:
    assert not of_reply(503, {"error": {"code": "configuration"}}, {}).retryable


def test_an_answer_that_is_no_json_is_an_error_with_its_status() -> None:
    error = of_reply(502, None, {})
    assert error.code == "http_502" and "502" in str(error)


def test_sources_of_citations_are_told_apart() -> None:
    span = citation({"document": "a", "start": 1, "end": 3, "quote": "bc", "page": 4,
                     "heading": ["H"], "support": 0.9, "sentence": [0, 2]})  # fmt: skip
    assert isinstance(span.source, Span) and span.source.place.page == 4
    assert span.source.place.heading == ("H",) and span.sentence == (0, 2)
    cells = citation({"document": "a", "table": "t", "rows": [1], "columns": ["x"],
                      "values": [["1"]], "sentence": [0, 1]})  # fmt: skip
    assert isinstance(cells.source, Cells) and cells.source.values == (("1",),)
    triple = citation({"document": "a", "subject": "s", "relation": "r", "object": "o"})
    assert isinstance(triple.source, Triple)


def test_fields_of_a_newer_service_do_no_harm() -> None:
    found = result({"custom_id": "1", "status": "abstained", "new": 1, "receipt": {"newer": 2}})
    assert found.status == "abstained" and found.raw["new"] == 1
    assert job_view({"id": "j", "state": "running", "later": True}).id == "j"


def test_failures_of_files_and_of_their_parts_are_both_named() -> None:
    whole = {"custom_id": "a.pdf", "error": {"message": "broken"}}
    part = {"custom_id": "b.jsonl", "added": ["b"], "failed": [{"name": "b:2", "reason": "bad"}]}
    found = added([whole, part], ("j",))
    assert found.failed == (("a.pdf", "broken"), ("b:2", "bad")) and found.added == ("b",)


def test_two_files_of_one_name_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(folder)
    with pytest.raises(errors.InputError, match=r"one document 'a\.txt'"):
        files_of([tmp_path / "one" / "a.txt", tmp_path / "two" / "a.txt"])
    assert len(files_of([tmp_path / "one" / "a.txt", tmp_path / "one" / "a.txt"])) == 1
    names = [name for name, _ in files_of([tmp_path])]
    assert names == [f"{tmp_path.name}/one/a.txt", f"{tmp_path.name}/two/a.txt"]
    with pytest.raises(errors.NotFound, match="nowhere"):
        files_of([tmp_path / "nowhere"])


def test_many_files_go_in_several_requests() -> None:
    files = [(f"{n}.txt", b"x") for n in range(450)]
    assert [len(group) for group in parcels(files)] == [200, 200, 50]
    large = [("a", b"x" * 20_000_000), ("b", b"x" * 20_000_000)]
    assert [len(group) for group in parcels(large)] == [1, 1]


def test_a_single_text_is_the_path_of_questions(tmp_path: Path) -> None:
    with pytest.raises(errors.NotFound, match="give a list of texts"):
        asking("/v1/jobs", "What is it?", {})
    assert asking("/v1/jobs", ["What is it?"], {}).body == {"questions": ["What is it?"]}


def test_settings_reach_the_engine_as_its_environment() -> None:
    given = {"llm.tiers": ("a", "b"), "llm.model": None, "threads": 2}
    assert environment(given) == {
        "PILOTFISH_LLM__TIERS": "a,b", "PILOTFISH_LLM__MODEL": "", "PILOTFISH_THREADS": "2",
    }  # fmt: skip


@pytest.mark.parametrize("url", ["rag.example.com", "ftp://x", "http://", "http://a:b@c"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(errors.SettingsError, match="url"):
        Client(url)


def test_a_wrong_setting_is_named_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(errors.SettingsError, match=r"llm\.modle"):
        Client(workspace=tmp_path, settings={"llm.modle": "x"})


def test_the_key_is_in_no_text_of_the_client() -> None:
    with Client("http://127.0.0.1:9", api_key="canary-key", retries=0) as client:
        assert "canary-key" not in repr(client)
        with pytest.raises(errors.Unavailable) as caught:
            client.collections()
        assert "canary-key" not in f"{caught.value!r} {caught.value.__dict__}"
