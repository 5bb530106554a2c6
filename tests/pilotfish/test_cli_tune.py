"""`tune cascade` and `route`: their contract, and what they say of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Pilotfish

pytestmark = pytest.mark.slow
EASY = "What colour is the cat number {n}?"
HARD = "Which of these clauses of the tax law, number {n}, does not bind a court?"


def recorded(folder: Path, count: int = 120) -> Path:
    """Small is right on cats, large always; half of the small answers without a text."""
    lines = []
    for n in range(count):
        easy = n % 2 == 0
        small = {"system": "small", "text": None if n % 4 < 2 else f"A: {n}", "correct": easy}
        large = {"system": "large", "correct": True, "cost": 10.0}
        prompt = (EASY if easy else HARD).format(n=n)
        lines.append({"id": f"r{n}", "prompt": prompt,
                      "answers": [{**small, "cost": 1.0}, large]})  # fmt: skip
    lines[4]["answers"] = lines[4]["answers"][:1]  # type: ignore[index]
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def lines_of(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Pilotfish:
    folder = tmp_path_factory.mktemp("tune")
    recorded(folder)
    pilotfish = Pilotfish(folder, folder / "workspace")
    done = pilotfish("tune", "cascade", "rows.jsonl", "-o", "policy.json", "--budget", "6")
    assert not done.out and "expected: accuracy" in done.err
    return pilotfish


def test_tune_writes_a_small_policy_that_people_can_read(tuned: Pilotfish) -> None:
    file = tuned.folder / "policy.json"
    policy = json.loads(file.read_text())
    assert [one["system"] for one in policy["systems"]] == ["small", "large"]
    assert {"accuracy", "mean_cost"} <= set(policy["expected"]) and policy["why"]
    assert {"always", "mix", "router"} <= {one["rule"] for one in policy["compared"]}
    assert policy["rule"]["kind"] not in {"always", "mix"} and file.stat().st_size < 100_000


def test_route_gives_each_row_its_choice_and_the_features_that_spoke(tuned: Pilotfish) -> None:
    asked = [{"id": "cat", "prompt": EASY.format(n=999)},
             {"id": "law", "prompt": HARD.format(n=998)}]  # fmt: skip
    (tuned.folder / "new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    tuned("route", "policy.json", "new.jsonl", "-o", "choices.jsonl")
    cat, law = lines_of(tuned.folder / "choices.jsonl")
    assert (cat["id"], cat["choice"], law["id"], law["choice"]) == ("cat", "small", "law", "large")
    assert 0 <= float(str(cat["score"])) < float(str(law["score"])) <= 1
    assert "for large: " in str(law["because"]) and law["called"] == ["large"]


def test_route_takes_the_recorded_rows_themselves_and_writes_to_stdout(tuned: Pilotfish) -> None:
    done = tuned("route", "policy.json", "rows.jsonl", "-o", "-")
    found = [json.loads(line) for line in done.out.splitlines()]
    rows = lines_of(tuned.folder / "rows.jsonl")
    assert [one["id"] for one in found] == [row["id"] for row in rows]
    assert found[4]["choice"] == "small", "the only system of that row"
    right = sum((one["choice"] == "large") == bool(n % 2) for n, one in enumerate(found))
    assert right >= 0.9 * len(found)


def test_the_same_rows_give_the_same_policy(tuned: Pilotfish) -> None:
    tuned("tune", "cascade", "rows.jsonl", "-o", "again.json", "--budget", "6")
    first, again = ((tuned.folder / name).read_text() for name in ("policy.json", "again.json"))
    assert first == again


def test_tune_tells_machines_what_it_found(tuned: Pilotfish) -> None:
    report = tuned("--json", "tune", "cascade", "rows.jsonl", "-o", "j.json", "--budget", "6").one
    assert report["version"] == 1 and report["rows"] == 120 and report["expected"]["accuracy"] > 0.9


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("tune", "cascade", "rows.jsonl", "-o", "x.json", "--budget", "0.1"), 4, "too small"),
        (("tune", "cascade", "rows.jsonl", "-o", "x.json", "--budget", "-1"), 4, "no mean cost"),
        (("tune", "cascade", "rows.jsonl", "-o", "x.json", "--budget", "nan"), 4, "no mean cost"),
        (("tune", "cascade", "rows.jsonl", "-o", "x.json"), 2, "--budget"),
        (("tune", "cascade", "none.jsonl", "-o", "x.json", "--budget", "6"), 8, "no file"),
        (("tune", "cascade", "rows.jsonl", "-o", "no/x.json", "--budget", "6"), 4, "folder no"),
        (("tune", "cascade", "rows.jsonl", "-o", "rows.jsonl", "--budget", "6"), 4, "rows.jsonl"),
        (("tune", "cascade", "bad.jsonl", "-o", "x.json", "--budget", "6"), 4, "line 2: "),
        (("tune", "cascade", "few.jsonl", "-o", "x.json", "--budget", "6"), 4, "2 of 2 rows"),
        (("route", "none.json", "rows.jsonl", "-o", "x"), 8, "no policy"),
        (("route", "rows.jsonl", "rows.jsonl", "-o", "x"), 4, "is no policy"),
        (("route", "policy.json", "bad.jsonl", "-o", "x"), 4, "line 2: no field 'prompt'"),
    ],
)
def test_bad_input_is_told_in_short_lines(
    tuned: Pilotfish, arguments: tuple[str, ...], code: int, said: str
) -> None:
    good = json.dumps({"id": "a", "prompt": "Why?", "answers": [
        {"system": "s", "correct": True, "cost": 1}]})  # fmt: skip
    (tuned.folder / "bad.jsonl").write_text(good + '\n{"id": "b"}\n{"id": "a", "prompt": "x"}\n')
    (tuned.folder / "few.jsonl").write_text(good + "\n" + good.replace('"a"', '"b"') + "\n")
    done = tuned(*arguments, code=code)
    assert said in done.err and len(done.err.strip().splitlines()) <= 6
    assert not (tuned.folder / "x.json").exists()


def test_a_policy_of_another_encoder_is_refused(tuned: Pilotfish) -> None:
    policy = json.loads((tuned.folder / "policy.json").read_text())
    policy["encoder"]["fingerprint"] = "0" * 64
    (tuned.folder / "other.json").write_text(json.dumps(policy))
    done = tuned("route", "other.json", "rows.jsonl", "-o", "x", code=3)
    assert "tune it again" in done.err


@pytest.mark.parametrize("effort", ["-0.5", "1.5", "nan"])
def test_an_effort_that_is_none_is_refused_before_any_work(
    shared: Pilotfish, tmp_path: Path, effort: str
) -> None:
    done = shared("ask", "Within how many days?", f"--effort={effort}", code=4)
    assert "is not from 0 to 1" in done.err
    (tmp_path / "q.txt").write_text("Why?\n")
    out = tmp_path / "a.jsonl"
    done = shared("batch", tmp_path / "q.txt", "-o", out, f"--effort={effort}", code=4)
    assert "is not from 0 to 1" in done.err and not out.exists()
