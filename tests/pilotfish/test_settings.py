"""Settings: which source wins, and what a mistake in each of them says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from pilotfish.errors import SettingsError
from pilotfish.settings import OTHERS, Settings, explain, load


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, and an environment of nothing of ours."""
    for name in [name for name in os.environ if name.startswith("PILOTFISH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def toml(folder: Path, text: str) -> None:
    (folder / "pilotfish.toml").write_text(text)


def dotenv(folder: Path, text: str) -> None:
    (folder / ".env").write_text(text)


def test_without_any_source_the_defaults_hold(folder: Path) -> None:
    assert load() == Settings() == load({}, folder)
    assert {source for _, _, source in explain()} == {"default"}


def test_each_source_wins_over_the_next(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml(folder, "passages = 1\n[llm]\nmax_tokens = 1\n")
    assert load().passages == 1
    dotenv(folder, "PILOTFISH_PASSAGES=2\n")
    assert load().passages == 2
    monkeypatch.setenv("PILOTFISH_PASSAGES", "3")
    assert load().passages == 3
    assert load({"passages": 4}).passages == 4
    assert load({"passages": None}).passages == 3  # an option that was not given
    assert load().llm.max_tokens == 1  # the others are left alone


def test_nested_settings_are_reached_from_every_source(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(folder, "[llm]\ntimeout = 5\n[limits]\npages = 7\n")
    dotenv(folder, "PILOTFISH_LLM__ATTEMPTS=2\n")
    monkeypatch.setenv("PILOTFISH_LLM__MAX_TOKENS", "99")
    found = load({"llm.temperature": 0.5})
    llm = found.llm
    assert (llm.timeout, llm.attempts, llm.max_tokens, llm.temperature) == (5, 2, 99, 0.5)
    assert found.limits.pages == 7


def test_a_folder_other_than_the_current_one_can_be_read(folder: Path) -> None:
    (folder / "other").mkdir()
    toml(folder / "other", "passages = 7")
    assert load({}, folder / "other").passages == 7 and load().passages == 10


MISTAKES = {
    "toml": ("passagess", "pilotfish.toml", "did you mean passages?"),
    "toml section": ("llm.modle", "pilotfish.toml", "did you mean llm.model?"),
    "dotenv": ("PILOTFISH_PASSAGESS", ".env", "did you mean PILOTFISH_PASSAGES?"),
    "environment": ("PILOTFISH_LLM__MODLE", "PILOTFISH_LLM__MODLE",
                    "did you mean PILOTFISH_LLM__MODEL?"),
    "argument": ("passagess", "argument", "did you mean passages?"),
    "far off": ("zzzzqqq", "argument", "see pilotfish config show"),
}  # fmt: skip


@pytest.mark.parametrize("source", MISTAKES)
def test_an_unknown_key_names_its_source_and_the_nearest_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    key, named, hint = MISTAKES[source]
    if source == "toml":
        toml(folder, f"{key} = 1")
    elif source == "toml section":
        toml(folder, '[llm]\nmodle = "x"')
    elif source == "dotenv":
        dotenv(folder, f"{key}=1")
    elif source == "environment":
        monkeypatch.setenv(key, "x")
    with pytest.raises(SettingsError) as caught:
        load({key: 1} if source in {"argument", "far off"} else {})
    assert str(caught.value) == f"unknown setting {key} ({named}): {hint}"


@pytest.mark.parametrize(
    ("key", "value"),
    [("passages", 0), ("passages", "many"), ("abstain_below", 1.5), ("collection", "../x"),
     ("collection", "a/b"), ("splitter", "words"), ("llm.timeout", 0), ("llm.on_unknown", "x"),
     ("limits.pages", -1), ("llm.tiers", 3), ("prompt_tokens", 200)],
)  # fmt: skip
def test_a_bad_value_names_its_key_and_its_source(key: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        load({key: value})
    assert f"setting {key} = {value!r} (argument): " in str(caught.value)


def test_a_bad_value_names_the_source_it_came_from(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(folder, "[llm]\nmax_tokens = 'x'")
    with pytest.raises(SettingsError, match=r"setting llm\.max_tokens = 'x' \(pilotfish\.toml\)"):
        load()
    toml(folder, "")
    dotenv(folder, "PILOTFISH_THREADS=-1")
    with pytest.raises(SettingsError, match=r"setting threads = '-1' \(\.env\)"):
        load()
    dotenv(folder, "")
    monkeypatch.setenv("PILOTFISH_THREADS", "")
    with pytest.raises(SettingsError, match=r"setting threads = '' \(PILOTFISH_THREADS\)"):
        load()


def test_a_section_given_a_plain_value_is_a_mistake(folder: Path) -> None:
    toml(folder, 'llm = "gpt"')
    with pytest.raises(SettingsError, match=r"unknown setting llm \(pilotfish\.toml\)"):
        load()


def test_tiers_are_a_list_in_toml_and_comma_separated_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(folder, '[llm]\ntiers = ["a", "b"]\nmodel = "m"')
    assert load().llm.models == ("a", "b")
    dotenv(folder, "PILOTFISH_LLM__TIERS= c , d,,")
    assert load().llm.models == ("c", "d")
    monkeypatch.setenv("PILOTFISH_LLM__TIERS", "")
    assert load().llm.models == ("m",)
    assert load({"llm.tiers": ("e",)}).llm.tiers == ("e",)
    assert Settings().llm.models == ()


def test_an_empty_model_in_the_environment_means_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(folder, '[llm]\nmodel = "m"\napi_base = "http://x"')
    monkeypatch.setenv("PILOTFISH_LLM__MODEL", "")
    monkeypatch.setenv("PILOTFISH_LLM__API_BASE", "")
    assert (load().llm.model, load().llm.api_base) == (None, None)


def test_variables_read_elsewhere_are_no_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in OTHERS:
        monkeypatch.setenv(name, "x")
    dotenv(folder, "".join(f"{name}=x\n" for name in OTHERS) + "OPENAI_API_KEY=x\nPILOTFISHES=1\n")
    assert load() == Settings()


def test_the_environment_may_be_written_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTFISH_llm__Model", "m")
    assert load().llm.model == "m"


def test_explain_tells_where_each_value_came_from(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(folder, "[llm]\ntiers = ['a']\n")
    dotenv(folder, "PILOTFISH_THREADS=2\n")
    monkeypatch.setenv("PILOTFISH_LLM__MAX_TOKENS", "99")
    told = {key: (value, source) for key, value, source in explain({"passages": 3})}
    assert told["llm.tiers"] == (("a",), "pilotfish.toml")
    assert told["threads"] == (2, ".env")
    assert told["llm.max_tokens"] == (99, "PILOTFISH_LLM__MAX_TOKENS")
    assert told["passages"] == (3, "argument")
    assert told["encoder"] == ("all-MiniLM-L6-v2", "default")


@pytest.mark.parametrize("data", [b"passages = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_a_file_that_is_not_toml_is_named(folder: Path, data: bytes) -> None:
    (folder / "pilotfish.toml").write_bytes(data)
    with pytest.raises(SettingsError, match=r"pilotfish\.toml is not valid TOML"):
        load()


def test_files_that_cannot_be_read_are_named(folder: Path) -> None:
    (folder / ".env").write_bytes(b"PILOTFISH_COLLECTION=\xff\xfe\n")
    with pytest.raises(SettingsError, match=re.escape(".env")):
        load()
    (folder / ".env").unlink()
    (folder / "pilotfish.toml").mkdir()
    with pytest.raises(SettingsError, match=re.escape("pilotfish.toml")):
        load()


def test_settings_cannot_be_changed_once_loaded() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(load(), "passages", 3)  # noqa: B010
