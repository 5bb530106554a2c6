"""The vector store among the settings: its options are free, and its secrets stay secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pilotfish.errors import SettingsError
from pilotfish.settings import explain, load

SECRET = "hunter2-hunter2"
STORE = "llama_index.vector_stores.postgres:PGVectorStore.from_params"
JSON = '{"host": "db", "port": 5432, "password": "%s", "hnsw_kwargs": {"hnsw_m": 16}}'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, and an environment of nothing of ours."""
    for name in [name for name in os.environ if name.startswith("PILOTFISH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_faiss_is_the_default_and_has_no_options() -> None:
    assert load().dense.store == "faiss" and load().dense.store_options == {}


def test_options_are_json_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTFISH_DENSE__STORE", STORE)
    monkeypatch.setenv("PILOTFISH_DENSE__STORE_OPTIONS", JSON % SECRET)
    dense = load().dense
    assert dense.store == STORE
    assert dense.store_options == {
        "host": "db", "port": 5432, "password": SECRET, "hnsw_kwargs": {"hnsw_m": 16},
    }  # fmt: skip


def test_a_password_of_the_environment_joins_the_options_of_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'[dense]\nstore = "{STORE}"\n[dense.store_options]\nhost = "db"\nport = 5432\n'
    (folder / "pilotfish.toml").write_text(text)
    monkeypatch.setenv("PILOTFISH_DENSE__STORE_OPTIONS__PASSWORD", SECRET)
    assert load().dense.store_options == {"host": "db", "port": 5432, "password": SECRET}


def test_what_is_shown_of_the_settings_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTFISH_DENSE__STORE", STORE)
    monkeypatch.setenv("PILOTFISH_DENSE__STORE_OPTIONS", JSON % SECRET)
    monkeypatch.setenv("PILOTFISH_DENSE__STORE_OPTIONS__UNKNOWN", SECRET)
    monkeypatch.setenv("PILOTFISH_DATABASE", f"postgresql://me:{SECRET}@db/pilotfish")
    shown = {key: value for key, value, _ in explain()}
    assert SECRET not in str(shown) and SECRET not in repr(load().dense)
    assert shown["dense.store_options.password"] == "[redacted]"
    assert shown["dense.store_options.unknown"] == "[redacted]"
    assert shown["dense.store_options.host"] == "db"
    assert shown["dense.store_options.hnsw_kwargs.hnsw_m"] == 16
    assert shown["database"] == "postgresql://[redacted]@db/pilotfish"


@pytest.mark.parametrize("value", ["{", "[]", "[[1, 2]]", "3", "null", f'"{SECRET}"', SECRET])
def test_options_that_are_no_json_object_are_refused_unshown(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("PILOTFISH_DENSE__STORE_OPTIONS", value)
    with pytest.raises(SettingsError, match=r"STORE_OPTIONS .* is no JSON object") as caught:
        load()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("value", ["faise", "a.b", "a b:C", ":C", "a:", "a:b c", "1a:C"])
def test_a_store_is_faiss_or_an_import_path(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PILOTFISH_DENSE__STORE", value)
    with pytest.raises(SettingsError, match=r"setting dense\.store"):
        load()


def test_an_option_inside_a_plain_one_is_a_mistake(folder: Path) -> None:
    (folder / "pilotfish.toml").write_text("[dense.store_options]\na = 3\n")
    with pytest.raises(SettingsError, match="lies inside a plain value"):
        load({"dense.store_options.a.b": 1})
