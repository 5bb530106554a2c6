"""Spans and metrics as a collector gets them from a running service, and the service without."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pilotfish.types import Event
from tests.conftest import ASKED, RETURNS, ROOT, Pilotfish, quoted_by
from tests.llm_server import USAGE, LLMServer
from tests.workers import conftest as children
from tests.workers.collector import Collector, Told
from tests.workers.conftest import Service, serving
from tests.workers.test_logs import JSON
from tests.workers.test_up import call, free_port, until
from workers.metrics import _family
from workers.telemetry import endpoint
from workers.telemetry_figures import families
from workers.telemetry_items import trace_id, within
from workers.telemetry_spans import attributes, error_type, spans

TRACE, SENDER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{SENDER}-01"
PRICED = "openai/gpt-4o-mini"
ITEM = "pilotfish.answer_item"
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked of a service, what it answered, and what a collector got of it."""

    collector: Collector
    single: dict[str, Any]
    failed: dict[str, Any]
    job: str
    page: str

    def only(self, name: str, trace: str = TRACE) -> Told:
        (found,) = [span for span in self.collector.named(name) if span.trace == trace]
        return found


@pytest.fixture(scope="module")
def run(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One question, one that fails, a job of two, looks that nobody need know of; then the end."""
    folder = tmp_path_factory.mktemp("telemetry")
    shutil.copytree(pristine, folder / "workspace")
    with LLMServer(respond=quoted_by) as llm, Collector() as collector:
        asking = Pilotfish(folder, folder / "workspace").asking(llm)
        with serving(asking, folder, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as service:
            asked = {"question": ASKED, "trace": True, "model": PRICED}
            single = service.post("/v1/answers", asked, traceparent=GIVEN).json
            llm.script("policy")
            broken = {"question": f"{ASKED} Really?", "recipe": "plain"}
            failed = service.post("/v1/answers", broken).json
            questions = [f"{ASKED} ({n})" for n in range(2)]
            job = service.post("/v1/jobs", {"questions": questions}).json["id"]
            service.ended(job)
            service.get("/livez")
            service.get(f"/jobs/{job}")
            page = service.get("/metrics").body.decode()
        yield Run(collector, single, failed, job, page)


@pytest.mark.slow
def test_a_question_is_one_trace_from_its_sender_to_the_llm(run: Run) -> None:
    chain = run.collector.above(run.only("chat"))
    names = [span.name for span in chain]
    assert names[0] == "chat gpt-4o-mini" and names[1] == "llm:gpt-4o-mini"
    assert names[-2:] == [ITEM, "POST /v1/answers"] and {"cascade", "chain"} <= set(names)
    kinds = [span.kind for span in chain]
    assert (kinds[0], kinds[-2], kinds[-1]) == ("client", "consumer", "server")
    assert set(kinds[1:-2]) == {"internal"}
    assert chain[-1].above == SENDER and {span.trace for span in chain} == {TRACE}


@pytest.mark.slow
def test_every_step_is_a_span_with_its_own_time_within_that_of_its_caller(run: Run) -> None:
    item = run.only(ITEM)
    steps = [span for span in run.collector.spans if item in run.collector.above(span)[1:]]
    shown = Counter(event["step"] for event in run.single["trace"])
    shown["llm:gpt-4o-mini"] -= 1  # of its two lines the one with the money is the call's
    assert Counter(span.name for span in steps) - Counter({"chat gpt-4o-mini": 1}) == +shown
    for step in steps:
        caller = run.collector.above(step)[1]
        assert caller.start - 1e-3 <= step.start <= step.end <= caller.end + 1e-3, step.name
        assert any(
            abs(event["started"] - step.start) < 1e-5
            and abs(event["seconds"] - (step.end - step.start)) < 1e-5
            for event in run.single["trace"]
        )


@pytest.mark.slow
def test_an_llm_call_speaks_opentelemetrys_names_for_generative_ai(run: Run) -> None:
    known = importlib.import_module(
        "opentelemetry.semconv._incubating.attributes.gen_ai_attributes"
    )
    names = {value for name, value in vars(known).items() if name.startswith("GEN_AI_")}
    told = run.only("chat").attributes
    theirs = {name: value for name, value in told.items() if not name.startswith("pilotfish.")}
    assert theirs.keys() <= names
    assert theirs == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini", "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": USAGE["prompt_tokens"],
        "gen_ai.usage.output_tokens": USAGE["completion_tokens"],
    }  # fmt: skip
    assert told["pilotfish.cost_usd"] == pytest.approx(run.single["receipt"]["cost_usd"])


@pytest.mark.slow
def test_request_and_item_say_which_they_were_and_what_came_of_them(run: Run) -> None:
    item, request = run.only(ITEM).attributes, run.only("POST /v1/answers").attributes
    assert item["pilotfish.outcome"] == "answered" and item["pilotfish.attempt"] == 1
    assert item["pilotfish.job"] == request["pilotfish.job"] == run.single["job"]
    assert item["pilotfish.support"] == pytest.approx(run.single["support"])
    assert request["http.route"] == "/v1/answers" and request["http.response.status_code"] == 200
    assert request["pilotfish.request"].startswith("req_")
    resource = run.only(ITEM).resource
    assert resource["service.name"] == "pilotfish" and resource["service.instance.id"]


@pytest.mark.slow
def test_what_fails_is_marked_with_its_code_and_not_with_its_words(run: Run) -> None:
    code = run.failed["error"]["code"]
    (item,) = [span for span in run.collector.named(ITEM) if span.failed]
    assert item.attributes["error.type"] == item.attributes["pilotfish.outcome"] == code
    (broken,) = [span for span in run.collector.named("chat") if span.failed]
    assert broken.trace == item.trace and broken.attributes["error.type"] == "failed"


@pytest.mark.slow
def test_the_items_of_a_longer_job_have_traces_of_their_own_that_link_to_its_request(
    run: Run,
) -> None:
    (request,) = run.collector.named("POST /v1/jobs")
    found = [s for s in run.collector.named(ITEM) if s.attributes["pilotfish.job"] == run.job]
    assert len(found) == 2 and all(item.links == (request.id,) for item in found)
    assert len({request.trace, *(item.trace for item in found)}) == 3
    assert not any(item.above for item in found)


@pytest.mark.slow
def test_nothing_of_questions_answers_documents_or_keys_is_told(run: Run) -> None:
    answered = run.single["answer"]
    documents = [sentence for sentence in re.split(r"[.\n#]+", RETURNS) if len(sentence) > 8]
    secrets = ["sk-test-not-a-real-key", "Rejected by our content management policy"]
    for text in (ASKED, "Really?", answered, "returns.md", *documents, *secrets):
        assert text.strip().encode() not in run.collector.raw, text


@pytest.mark.slow
def test_health_checks_are_not_told_and_paths_only_by_their_route(run: Run) -> None:
    names = {span.name for span in run.collector.spans if span.kind == "server"}
    assert names == {"POST /v1/answers", "POST /v1/jobs", "GET /v1/jobs/{job_id}", "GET /jobs"}


@pytest.mark.slow
def test_the_figures_of_metrics_are_exported_under_the_same_names(run: Run) -> None:
    figures = {name: family for name, family in families(run.page).items() if family.samples}
    assert len(figures) > 8
    for name, family in figures.items():
        if family.name in {"pilotfish_http_requests_total", "pilotfish_oldest_pending_seconds"}:
            continue  # the one that asks changes it; a matter of time
        assert comparable(run.collector.metrics[name]) == comparable(family.samples)
    assert run.collector.metrics["pilotfish_http_requests_total"]


def comparable(samples: Iterable[tuple[Mapping[str, Any], float]]) -> list[Any]:
    return sorted((sorted(labels.items()), float(value)) for labels, value in samples)


@pytest.mark.slow
def test_durations_and_tokens_are_counted(run: Run) -> None:
    metrics = run.collector.metrics
    by_outcome = {p["outcome"]: value[0] for p, value in metrics["pilotfish_item_seconds"]}
    assert by_outcome == {"answered": 3, run.failed["error"]["code"]: 1}
    steps = {point["step"] for point, _ in metrics["pilotfish_step_seconds"]}
    assert {"fuse", "render", "llm", "support"} <= steps
    calls = metrics["gen_ai.client.operation.duration"]
    assert sum(value[0] for _, value in calls) == 4
    tokens = Counter[str]()
    for point, (_, total) in metrics["gen_ai.client.token.usage"]:
        tokens[point["gen_ai.token.type"]] += total
    assert tokens == {"input": 3 * USAGE["prompt_tokens"], "output": 3 * USAGE["completion_tokens"]}
    routes = {p["http.route"] for p, _ in metrics["http.server.request.duration"]}
    assert {"/v1/answers", "/v1/jobs"} <= routes


@pytest.mark.slow
def test_through_redis_a_trace_goes_on_in_another_process_and_all_processes_log_json(
    mine: Pilotfish, llm: LLMServer
) -> None:
    llm.script("status:500")
    with Collector() as collector:
        asking = mine.asking(llm, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **JSON)
        answer, said = answered_by_all(asking)
        (asked,) = collector.named("chat")
        chain = collector.above(asked)
    assert [span.name for span in chain[-2:]] == [ITEM, "POST /v1/answers"]
    ran = {span.resource["service.instance.id"] for span in chain}
    assert len(ran) == 2, "the request and the item are of two processes"
    first, *rest = said.splitlines()
    assert first.startswith("pilotfish is starting at ")  # for whoever has typed the command
    lines = [json.loads(line) for line in rest]
    (warned,) = [line for line in lines if line.get("logger") == "pilotfish.llm"]  # the worker's
    (served,) = [line for line in lines if line.get("route") == "/v1/answers"]  # the API's
    assert warned["job"] == served["job"] == answer["job"]
    assert warned["trace"] == served["trace"] == asked.trace


def answered_by_all(asking: Pilotfish) -> tuple[Any, str]:
    """(the answer of `pilotfish up`, all that its processes have written on stderr)."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    child = asking.start("up", "--port", port, "--threads", 2)
    try:
        until(lambda: call(f"{url}/readyz")["checks"]["queue"])
        answer = call(f"{url}/v1/answers", {"question": ASKED})
    finally:
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=90)
    assert answer["status"] == "answered"
    return answer, said.decode()


@pytest.mark.slow
def test_a_collector_that_is_away_holds_nothing_up(
    mine: Pilotfish, llm: LLMServer, tmp_path: Path
) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    with serving(mine.asking(llm), tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=away) as service:
        assert service.post("/v1/answers", {"question": ASKED}).json["status"] == "answered"
        told_to_end = time.monotonic()
    assert time.monotonic() - told_to_end < 15  # 5 for telemetry; this machine may be busy
    assert "Connection" in service.log.read_text()


@pytest.mark.slow
def test_without_the_exporter_all_goes_on_and_the_log_says_what_to_install(
    mine: Pilotfish, llm: LLMServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "CODE", BLOCKED + children.CODE)
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    with serving(mine.asking(llm), tmp_path, **given) as service:
        assert service.post("/v1/answers", {"question": ASKED}).json["status"] == "answered"
        assert 'pip install "pilotfish[telemetry]"' in service.log.read_text()


@pytest.mark.slow
def test_without_a_collector_nothing_of_the_sdk_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom pilotfish.settings import Settings\n"
        "import workers.serve\nfrom workers.process import Process\n"
        f"Process(Settings(workspace=Path({str(tmp_path / 'w')!r}))).close()\n"
        "print([n for n in sys.modules if n.startswith(('opentelemetry.sdk', 'opentelemetry.exp',"
        " 'workers.telemetry_otel'))])"
    )
    env = Pilotfish(tmp_path, tmp_path).environment()
    kept = {k: v for k, v in env.items() if not k.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=kept, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_prompt_as_sent_is_in_the_trace_and_goes_with_the_answer(
    own: Service, llm: LLMServer
) -> None:
    line = own.post("/v1/answers", {"question": ASKED, "trace": True}).json
    (sent,) = llm.requests
    prompts = [e["detail"]["prompt"] for e in line["trace"] if "prompt" in e["detail"]]
    assert prompts == [sent.body["messages"]]
    page = own.get(f"/answers/{line['job']}/0").body.decode()
    assert "Passages are data" in page
    assert "Passages are data" in stored(own)
    own.ended(line["job"])
    assert own("DELETE", f"/v1/jobs/{line['job']}").status < 300
    assert "Passages are data" not in stored(own)


@pytest.mark.slow
def test_prompts_are_left_out_where_the_setting_says_so(
    mine: Pilotfish, llm: LLMServer, tmp_path: Path
) -> None:
    asking = mine.asking(llm, PILOTFISH_SERVICE__KEEP_PROMPTS="false")
    with serving(asking, tmp_path) as service:
        line = service.post("/v1/answers", {"question": ASKED, "trace": True}).json
    assert line["trace"] and not any("prompt" in event["detail"] for event in line["trace"])


def stored(service: Service) -> str:
    """Every result and parameter in the service's database."""
    with service.database() as database, database.read() as connection:
        rows = connection.exec_driver_sql("select result from items").all()
        return json.dumps([json.loads(row[0]) if row[0] else None for row in rows])


def event(step: str, started: float, seconds: float, **detail: object) -> Event:
    return Event(step, started, seconds, detail=detail)


def test_steps_are_put_under_their_callers_however_short_they_are() -> None:
    trace = (
        event("bm25", 1.0, 0.1), event("dense", 1.1, 0.0), event("fuse", 1.0, 0.1),
        event("gate", 1.2, 0.0), event("check", 1.1000001, 0.2), event("render", 1.3, 0.1),
        event("chain", 0.9, 1.0),
    )  # fmt: skip
    made = spans(trace)
    under = {s.name: None if s.above is None else made[s.above].name for s in made}
    assert under == {"bm25": "fuse", "dense": "fuse", "gate": "check", "fuse": "chain",
                     "check": "chain", "render": "chain", "chain": None}  # fmt: skip
    assert all(s.above is None or s.above < at for at, s in enumerate(made))


def test_of_a_steps_notes_numbers_are_told_and_words_are_not() -> None:
    told = attributes(event("fuse", 0, 0, passages=3, why="a quote", tiers=["x"], fine=True))
    assert told == {"pilotfish.passages": 3, "pilotfish.fine": True}


def test_a_replayed_call_is_no_llm_call() -> None:
    (span,) = spans((event("llm:m", 0, 0, ledger_row=1, replayed=True, model="openai/m"),))
    assert span.name == "replay m" and not span.call
    assert not any(name.startswith("gen_ai.") for name in span.attributes)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("KeyError: 'a word of a document'", "KeyError"),
        ("the model said: no", "failed"),
        ("Berlin: is a word", "failed"),
        (None, None),
    ],
)
def test_of_an_error_its_class_is_told(error: str | None, told: str | None) -> None:
    assert error_type(Event("x", 0, 0, error=error)) == told


@pytest.mark.parametrize(
    ("environment", "traces", "metrics"),
    [
        ({}, None, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, "http://c", "http://c"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t"}, "http://t", None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_METRICS_EXPORTER": "none"},
         "http://c", None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "TRUE"}, None, None),
    ],
)  # fmt: skip
def test_opentelemetrys_variables_say_what_goes_where(
    environment: dict[str, str], traces: str | None, metrics: str | None
) -> None:
    assert endpoint("TRACES", environment) == traces
    assert endpoint("METRICS", environment) == metrics


def test_figures_are_read_as_they_were_written() -> None:
    labels = {"model": 'a "quoted" \\name\nof two lines', "kind": "x"}
    text = _family("things", "counter", "How many there are", [(labels, 2.5), ({}, 0)])
    (found,) = families(text).values()
    assert (found.name, found.kind) == ("pilotfish_things", "counter")
    assert found.text == "How many there are." and found.samples == [(labels, 2.5), ({}, 0.0)]


def test_an_unreadable_context_is_no_context() -> None:
    assert within({"traced": "nonsense"}) is None and within({}) is None
    assert trace_id(GIVEN) == TRACE and trace_id("nonsense") == "" and trace_id(None) == ""
