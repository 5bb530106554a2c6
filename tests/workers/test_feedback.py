"""Feedback and promises over HTTP and by the SDK."""

from __future__ import annotations

import pytest

from pilotfish.client.client import Client
from pilotfish.client.errors import ServiceError
from tests.conftest import ASKED, UNANSWERABLE
from tests.workers.conftest import Service

pytestmark = pytest.mark.slow


def test_an_answer_is_labelled_by_its_name(service: Service) -> None:
    line = service.post("/v1/answers", {"question": ASKED}).json
    assert line["calibration"] == "uncalibrated here" and line["item"] == f"{line['job']}/0"
    place = f"/v1/jobs/{line['job']}/items/0/feedback"
    assert service.post(place, {"right": False, "answer": "31"}).json == {
        "item": line["item"], "right": False,
    }  # fmt: skip
    assert service.post(place, {"right": "perhaps"}).status == 422
    assert service.post(f"/v1/jobs/{line['job']}/items/7/feedback", {"right": True}).status == 404
    none = service.post("/v1/answers", {"question": UNANSWERABLE}).json
    refused = service.post(f"/v1/jobs/{none['job']}/items/0/feedback", {"right": True})
    assert refused.status in {400, 422} and "no answer to label" in refused.error["message"]


def test_a_promise_that_cannot_be_made_withholds_the_answer_and_says_so(service: Service) -> None:
    line = service.post("/v1/answers", {"question": ASKED, "max_error": 0.001}).json
    assert line["status"] == "abstained" and line["answer"] is None
    assert line["promise"]["kept"] is False and "cannot promise" in line["promise"]["told"]
    for odd in (0, 1, -0.1, "x"):
        assert service.post("/v1/answers", {"question": ASKED, "max_error": odd}).status == 422


def test_the_sdk_gives_feedback_by_a_results_item(service: Service) -> None:
    with Client(f"http://{service.host}:{service.port}", api_key=service.key) as client:
        result = client.ask(ASKED)
        assert result.item == f"{result.job}/0" and result.calibration == "uncalibrated here"
        client.feedback(result.item, True)
        client.feedback(result.item, False, "31 days")
        with pytest.raises(ServiceError):
            client.feedback("job_unknown_at_all/0", True)
        assert client.ask(ASKED, max_error=0.001).status == "abstained"
        job = client.submit([ASKED])
        (line,) = list(job.results(follow=True))
        assert line.item == f"{job.id}/0"
