"""`doctor`, `reindex`, `backup`, `restore`, `config show`, and the settings' sources."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from store.database import Database
from tests.conftest import ASKED, Pilotfish

pytestmark = pytest.mark.slow


def test_doctor_is_clean_after_an_add_and_prints_one_finding_a_line(shared: Pilotfish) -> None:
    findings = shared("doctor", "--json").lines
    assert all(one["ok"] for one in findings)
    names = [one["check"] for one in findings]
    assert names == ["versions", "weights", "database", "passages", "quarantine", "vectors",
                     "lexical index", "vector index"]  # fmt: skip


def test_doctor_says_the_mend_and_repair_makes_it(mine: Pilotfish) -> None:
    generation(mine).joinpath("manifest.json").unlink()
    done = mine("doctor", code=3)
    assert "BAD" in done.out and "pilotfish doctor --repair" in done.out
    assert "BAD" not in mine("doctor", "--repair").out
    mine("doctor")


def generation(pilotfish: Pilotfish) -> Path:
    """The folder of the live indexes."""
    root = pilotfish.workspace / "collections" / "default" / "index"
    return root / (root / "CURRENT").read_text().split()[0]


def test_reindex_builds_beside_and_swaps(mine: Pilotfish) -> None:
    before = generation(mine)
    assert mine("reindex", "--json").one["encoder"] == "all-MiniLM-L6-v2"
    assert generation(mine) != before and before.is_dir()
    assert "30 days" in mine("search", ASKED, "-k", 1).out
    assert "no model folder" in mine("reindex", "--encoder", "./nowhere", code=3).err


def test_a_backup_restores_to_the_same_answers(mine: Pilotfish) -> None:
    before = mine("search", ASKED, "--json").out
    listed = mine("list", "--json").out
    assert mine("backup", "all.zip", "--json").one["bytes"] > 1000
    other = mine.on(mine.folder / "elsewhere")
    other("restore", "all.zip")
    assert other("search", ASKED, "--json").out == before
    assert other("list", "--json").out == listed
    other("doctor")
    assert "--force" in other("restore", "all.zip", code=4).err
    other("remove", "n-1")
    other("restore", "all.zip", "--force")
    assert other("list", "--json").out == listed


def test_a_workspace_in_use_is_not_replaced(mine: Pilotfish) -> None:
    mine("backup", "all.zip")
    held = Database(mine.workspace / "pilotfish.db", create=False)
    assert "another process uses" in mine("restore", "all.zip", "--force", code=4).err
    held.close()
    mine("restore", "all.zip", "--force")


@pytest.mark.parametrize("arguments", [("config", "show"), ("config", "show", "--json"), ("list",)])
def test_a_reader_that_has_gone_is_no_error(shared: Pilotfish, arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pilotfish.cli.main", *arguments]
    done = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, env=shared.environment(),
        cwd=shared.folder, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr.decode()) in ((0, ""), (0, "8 documents\n"))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("restore", "none.zip"), 8, "none.zip"),
        (("restore", "bad.zip"), 4, "no whole pilotfish backup"),
        (("backup", "all.zip"), 8, "no workspace"),
        (("doctor",), 8, "no workspace"),
        (("--collection", "a/b", "list"), 3, "collection"),
        (("frobnicate",), 2, "frobnicate"),
        (("add",), 2, "paths"),
    ],
)
def test_what_cannot_be_done_has_its_exit_code(
    fresh: Pilotfish, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (fresh.folder / "bad.zip").write_bytes(b"PK\x03\x04 half a zip")
    assert said in fresh(*arguments, code=code).err
    assert not fresh.workspace.exists() or code == 3


def test_config_show_says_where_each_value_came_from(fresh: Pilotfish) -> None:
    (fresh.folder / "pilotfish.toml").write_text('threads = 1\n[llm]\nmodel = "openai/a"\n')
    (fresh.folder / ".env").write_text("PILOTFISH_PASSAGES=7\n")
    shown = fresh.having(PILOTFISH_LLM__TIERS="openai/b, openai/c")(
        "--collection", "mine", "config", "show", "--json"
    )
    found = {line["key"]: (line["value"], line["source"]) for line in shown.lines}
    assert found["threads"] == (1, "pilotfish.toml")
    assert found["llm.model"] == ("openai/a", "pilotfish.toml")
    assert found["passages"] == (7, ".env")
    assert found["llm.tiers"] == (["openai/b", "openai/c"], "PILOTFISH_LLM__TIERS")
    assert found["collection"] == ("mine", "argument")
    assert found["concurrency"][1] == "default"
    assert "PILOTFISH_WORKSPACE" in fresh("config", "show").out


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PILOTFISH_LLM__MODLE", "x", "did you mean PILOTFISH_LLM__MODEL?"),
        ("PILOTFISH_PASSAGE", "3", "did you mean PILOTFISH_PASSAGES?"),
        ("PILOTFISH_LLM__TIMEOUT", "soon", "PILOTFISH_LLM__TIMEOUT"),
        ("PILOTFISH_ABSTAIN_BELOW", "7", "abstain_below = '7'"),
    ],
)
def test_an_unknown_or_wrong_setting_is_exit_code_3(
    fresh: Pilotfish, name: str, value: str, said: str
) -> None:
    assert said in fresh.having(**{name: value})("ask", ASKED, code=3).err


@pytest.mark.parametrize(
    ("toml", "said"),
    [("pasages = 3\n", "did you mean passages?"), ("[llm\n", "not valid TOML"), ("llm = 3", "llm")],
)
def test_a_wrong_settings_file_is_exit_code_3(fresh: Pilotfish, toml: str, said: str) -> None:
    (fresh.folder / "pilotfish.toml").write_text(toml)
    assert said in fresh("list", code=3).err


def test_an_error_is_one_object_on_stdout_with_json(fresh: Pilotfish) -> None:
    done = fresh("search", "x", "--json", code=8)
    assert set(json.loads(done.out)["error"]) == {"type", "code", "message"}
    assert done.err.startswith("error: ") and len(done.err.splitlines()) <= 3


def test_help_of_every_command_is_there(shared: Pilotfish) -> None:
    out = shared("--help").out
    for command in ("add", "list", "show", "remove", "search", "ask", "batch", "doctor",
                    "reindex", "backup", "restore", "config"):  # fmt: skip
        assert f" {command} " in out
