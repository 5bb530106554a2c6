"""`feedback`, `tune trust` and --max-error: from labels to promises, and refusals in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ASKED, UNANSWERABLE, Pilotfish

pytestmark = pytest.mark.slow


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def labelled(folder: Path, count: int, wrong_below: float = 0.2) -> Path:
    """Labels of which those above are all right, those below all wrong."""
    rows = [{"support": (n + 0.5) / count, "right": n / count >= wrong_below}
            for n in range(count)]  # fmt: skip
    return write(folder / "labels.jsonl", rows)


def test_until_somebody_labels_answers_they_say_uncalibrated_here(shared: Pilotfish) -> None:
    assert "(uncalibrated here)" in shared("ask", ASKED).out
    case = shared("ask", ASKED, "--json").one
    assert case["calibration"] == "uncalibrated here" and case["answer"]["basis"]["judged"] > 0


def test_labels_calibrate_the_collection_and_promises_are_kept_or_refused(mine: Pilotfish) -> None:
    done = mine("tune", "trust", labelled(mine.folder, 400))
    assert "calibrated on 400 labels, 80% of them right" in done.out
    assert "--max-error 0.05: judged >= 0." in done.out
    promised = mine("ask", ASKED, "--json", "--max-error", "0.1").one
    assert promised["status"] == "answered" and promised["promise"]["kept"] is True
    assert promised["calibration"].startswith("calibrated here on 400 labels, ")
    told = mine("ask", UNANSWERABLE, "--max-error", "0.1")
    assert "at most 0.1 wrong at 95 %" in told.err and "cannot answer" in told.out
    refused = mine("ask", ASKED, "--json", "--max-error", "0.001")
    assert refused.one["status"] == "abstained"
    assert "cannot promise at most 0.001 wrong" in refused.err
    assert refused.one["promise"]["kept"] is False


def test_a_batch_says_its_promise_in_its_lines_and_in_its_summary(mine: Pilotfish) -> None:
    mine("tune", "trust", labelled(mine.folder, 400))
    write(mine.folder / "in.jsonl", [{"question": ASKED}, {"question": UNANSWERABLE}])
    plain = mine("batch", "in.jsonl", "-o", "out.jsonl", "--json").one
    assert "promise" not in plain
    kept = mine("batch", "in.jsonl", "-o", "out.jsonl", "--json", "--max-error", "0.1").one
    assert kept["promise"].startswith("at most 0.1 wrong at 95 %") and kept["answered"] == 1
    refused = mine("batch", "in.jsonl", "-o", "none.jsonl", "--json", "--max-error", "0.001")
    assert refused.one["answered"] == 0 and refused.one["abstained"] == 2
    assert refused.one["promise"].startswith("cannot promise") and "cannot promise" in refused.err
    lines = [json.loads(line) for line in (mine.folder / "none.jsonl").read_text().splitlines()]
    assert all(line["answer"] is None for line in lines)


def test_feedback_on_a_batch_is_kept_and_calibrates(mine: Pilotfish) -> None:
    write(mine.folder / "in.jsonl", [{"question": ASKED}, {"question": UNANSWERABLE}])
    mine("batch", "in.jsonl", "-o", "out.jsonl")
    first, second = (
        json.loads(line) for line in (mine.folder / "out.jsonl").read_text().splitlines()
    )
    assert mine("feedback", first["item"], "right", "--json").one["right"] is True
    mine("feedback", first["item"], "wrong", "--answer", "31 days")
    assert "no answer to label" in mine("feedback", second["item"], "right", code=4).err
    assert "JOB/NUMBER" in mine("feedback", "7", "right", code=4).err
    assert "give at least" in mine("tune", "trust", code=4).err
    tuned = mine("tune", "trust", labelled(mine.folder, 30), "--json").one
    assert tuned["labels"] == 31 and tuned["promises"]["0.05"]["threshold"] is None
    assert "more questions" in tuned["promises"]["0.05"]["why"]


def test_questions_with_known_answers_are_asked_and_labelled(mine: Pilotfish) -> None:
    rows = [{"question": ASKED, "answers": ["30 days", "30"]},
            {"question": UNANSWERABLE, "answers": ["nothing"]}] * 20  # fmt: skip
    tuned = mine(
        "tune", "trust", write(mine.folder / "known.jsonl", rows), "--match", "contains", "--json"
    ).one
    assert tuned["asked"] == 40 and 20 <= tuned["labels"] <= 40
    assert 0 < tuned["measures"]["right"] <= 1


@pytest.mark.parametrize("share", ["0", "1", "-0.1", "nan", "5"])
def test_a_share_outside_of_zero_and_one_is_refused_in_one_line(
    shared: Pilotfish, share: str
) -> None:
    done = shared("ask", ASKED, f"--max-error={share}", code=4)
    assert "give a share between 0 and 1" in done.err and len(done.err.splitlines()) <= 2


def test_bad_labels_are_all_named(mine: Pilotfish) -> None:
    path = write(mine.folder / "bad.jsonl", [{"support": 0.5}, {"question": "x"}])
    assert "2 lines that say no label (line 1, 2)" in mine("tune", "trust", path, code=4).err
