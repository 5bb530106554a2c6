"""`verify` and `read`: pairs in, one line each out; bad files are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Pilotfish

pytestmark = pytest.mark.slow
CLAIMS = [
    {"id": "a", "claim": "Goods may be returned within 30 days.",
     "evidence": "Goods may be returned within 30 days of delivery. Others may not."},
    {"id": "b", "claim": "Goods may be returned within 90 days.",
     "evidence": "Goods may be returned within 30 days of delivery. Others may not."},
    {"id": 3, "claim": "The king lives in Paris.", "evidence": "Ropes cost 3.20 euros."},
]  # fmt: skip
QUESTIONS = [
    {"id": "q1", "question": "When was the mill built?",
     "context": "The mill stands on a hill. It was built in 1750 by monks."},
    {"id": "q2", "question": "Who is the king of France?", "context": "Ropes cost 3.20 euros."},
]  # fmt: skip


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_claim_gets_three_probabilities(shared: Pilotfish, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    shared("verify", written(tmp_path / "in.jsonl", CLAIMS), "-o", out)
    found = lines(out)
    assert [line["id"] for line in found] == ["a", "b", 3]
    for line in found:
        assert set(line) == {"id", "supported", "contradicted", "unsupported"}
        assert sum(line[k] for k in line if k != "id") == pytest.approx(1.0, abs=1e-4)  # type: ignore[misc]
    right, wrong, foreign = (line["supported"] for line in found)
    assert right > wrong and right > foreign  # type: ignore[operator]


def test_each_question_gets_a_slice_of_its_context(shared: Pilotfish, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    shared("read", written(tmp_path / "in.jsonl", QUESTIONS), "-o", out)
    found = lines(out)
    for line, asked in zip(found, QUESTIONS, strict=True):
        assert set(line) == {"id", "answer", "start", "end", "support"}
        assert asked["context"][line["start"] : line["end"]] == line["answer"]  # type: ignore[index, misc]
    assert "1750" in str(found[0]["answer"])
    assert found[0]["support"] > found[1]["support"]  # type: ignore[operator]


def test_results_go_to_stdout_when_asked(shared: Pilotfish, tmp_path: Path) -> None:
    done = shared("verify", written(tmp_path / "in.jsonl", CLAIMS[:1]), "-o", "-")
    assert json.loads(done.out)["id"] == "a"


def test_no_workspace_is_needed(shared: Pilotfish, tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", QUESTIONS)
    shared("read", source, "-o", tmp_path / "o", "--workspace", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no line is a JSON object with id, claim and evidence"),
        ('{"id": 1, "claim": "x"}\n', "lines 1 are not"),
        (
            '{"id": 1, "claim": "x", "evidence": "y"}\nnonsense\n{"claim": 3}\n',
            "lines 2, 3 are not",
        ),
        ('["a"]\n', "lines 1 are not"),
    ],
)
def test_bad_lines_are_named_and_nothing_is_written(
    shared: Pilotfish, tmp_path: Path, text: str, told: str
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(text, encoding="utf-8")
    done = shared("verify", source, "-o", tmp_path / "out.jsonl", code=4)
    assert told in " ".join(done.err.split())
    assert not (tmp_path / "out.jsonl").exists()


def test_a_missing_file_and_a_missing_folder_are_told_apart(
    shared: Pilotfish, tmp_path: Path
) -> None:
    assert "no file" in shared("read", tmp_path / "none", "-o", "-", code=8).err
    source = written(tmp_path / "in.jsonl", QUESTIONS)
    done = shared("read", source, "-o", tmp_path / "no" / "out.jsonl", code=4)
    assert "missing or not writable" in done.err
