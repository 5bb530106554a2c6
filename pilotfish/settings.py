"""Settings: arguments > PILOTFISH_* (nested by __) > .env > pilotfish.toml > defaults.

Read only at the edges (command line, workers); helpers get plain values. Unknown keys are
errors that name the nearest known one. Not here: provider keys, which LiteLLM reads under
their usual names.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from pilotfish.errors import SettingsError
from pilotfish.redact import BLANK, redact
from pilotfish.settings_groups import (
    CheckSettings,
    DenseSettings,
    LimitSettings,
    LLMSettings,
    ServiceSettings,
    Strict,
)

PREFIX = "PILOTFISH_"
TOML = "pilotfish.toml"
# Read elsewhere: the encoders' cache, the benchmarks' data, the terminal.
OTHERS = frozenset({"PILOTFISH_CACHE", "PILOTFISH_BENCH_DATA", "PILOTFISH_DEBUG"})
_MAY_BE_EMPTY = {
    "llm.model", "llm.api_base", "llm.requests_per_minute", "llm.tokens_per_minute",
    "database", "policy", "classifier", "demos", "service.redis",
    "service.keep_days", "checks.words", "checks.corrector",
}  # fmt: skip
# Its keys are those of the vector store that is named: unknown to us, and perhaps secret.
FREE = "dense.store_options"
_SHOWN = frozenset({
    "host", "port", "database", "user", "table_name", "schema_name", "embed_dim", "dim",
    "collection_name", "index_name", "hnsw_m", "hnsw_ef_construction", "hnsw_ef_search",
})  # fmt: skip


class Settings(Strict):
    """Everything that may be set."""

    workspace: Path = Path(".pilotfish")
    database: str | None = Field(None, description="postgresql://...; None: SQLite there")
    collection: str = Field("default", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    encoder: str = "all-MiniLM-L6-v2"
    judge: str = Field("pilot", description="claims: pilot, rules, or a cross-encoder's name")
    reranker: str = Field("pilot", description="relevance: pilot, or a cross-encoder's name")
    decomposer: str = Field(
        "pilot", description="who takes questions apart: pilot, or an LLM's name (one call)"
    )
    splitter: Literal["sentences", "llama-index"] = "sentences"
    threads: int = Field(0, ge=0, description="0: as many as the machine has")
    passages: int = Field(10, gt=0, description="passages retrieved for an answer")
    prompt_tokens: int = Field(3000, gt=200, description="token budget of the passages")
    abstain_below: float = Field(0.5, ge=0, le=1, description="support an answer needs")
    extract_above: float = Field(0.8, ge=0, le=1, description="support above which no LLM is asked")
    quarantine: bool = Field(True, description="hold passages that seem to give orders")
    spotlight: Literal["delimit", "mark"] = Field("delimit", description="passages in prompts")
    rewrite: tuple[Literal["spelling", "abbreviations", "turns", "feedback"], ...] = Field(
        ("spelling", "turns"), description="what is searched beside the question as it was asked"
    )
    classifier: str | None = Field(None, description="of tune classifier: recipe classify's own")
    explain_override: bool = Field(False, description="the LLM says why, where it overrides that")
    demos: str | None = Field(None, description="of tune demos: examples put before questions")
    demos_shown: int = Field(4, ge=0, le=64, description="how many of them")
    edges: Literal["files", "prose"] = Field(
        "files", description="edges of graphs: those that files state, or read out of prose too"
    )
    cards: tuple[str, ...] = Field(
        (), description="glossary, collection:NAME, model:NAME, local:FOLDER"
    )
    cards_when: Literal["always", "thin"] = Field(
        "always", description="thin: only where no passage has most of the question's words"
    )
    rationale: bool = Field(False, description="name the sentences to think along in the prompt")
    policy: Path | None = Field(
        None, description="file of pilotfish tune cascade: the LLM tier a question starts at"
    )
    concurrency: int = Field(8, gt=0, le=256, description="questions in flight with an LLM")
    llm: LLMSettings = LLMSettings()
    checks: CheckSettings = CheckSettings()
    dense: DenseSettings = DenseSettings()
    limits: LimitSettings = LimitSettings()
    service: ServiceSettings = ServiceSettings()

    @property
    def calls(self) -> int:
        """LLM calls of one question at most: what is configured is asked for."""
        checks, tiers = self.checks, max(1, len(self.llm.models))
        apart = self.decomposer != "pilot"
        own = (tiers + checks.retry) * (1 + checks.samples)
        written = sum(card.startswith("model:") for card in self.cards)
        return own + (checks.corrector is not None) + apart + written


def load(arguments: Mapping[str, Any] | None = None, folder: Path | None = None) -> Settings:
    """Merge all sources into Settings; SettingsError names the key, its source and the mend."""
    return Settings.model_validate(_checked(_merged(arguments or {}, folder or Path())))


def explain(arguments: Mapping[str, Any] | None = None) -> list[tuple[str, object, str]]:
    """(key, value, where it came from) for every setting, for `pilotfish config show`.

    Secrets in values are blanked.
    """
    merged = _merged(arguments or {}, Path())
    settings = Settings.model_validate(_checked(merged))
    came = {key: source for key, (_, source) in merged.items()}
    values = _flat(settings.model_dump())
    return [(key, _shown(key, value), came.get(key, "default")) for key, value in values]


def _shown(key: str, value: object) -> object:
    if key.startswith(f"{FREE}.") and key.rsplit(".", 1)[1] not in _SHOWN:
        return BLANK
    return redact(value) if isinstance(value, str) else value


def _merged(arguments: Mapping[str, Any], folder: Path) -> dict[str, tuple[Any, str]]:
    merged: dict[str, tuple[Any, str]] = {}
    for key, value in _flat(_toml(folder / TOML)):
        merged[key] = (value, TOML)
    for name, value in _dotenv(folder / ".env").items():
        if name.startswith(PREFIX) and name not in OTHERS:
            merged.update(_given(name, value, ".env"))
    for name, value in os.environ.items():
        if name.startswith(PREFIX) and name not in OTHERS:
            merged.update(_given(name, value, name))
    for key, value in arguments.items():
        if value is not None:
            merged[key] = (value, "argument")
    return merged


def _checked(merged: Mapping[str, tuple[Any, str]]) -> dict[str, Any]:
    known = [key for key, _ in _flat(Settings().model_dump())]
    nested: dict[str, Any] = {}
    for key, (value, source) in merged.items():
        if key not in known and not key.startswith(f"{FREE}."):
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
            hint = (
                f"did you mean {_spelt(near[0], source)}?" if near else "see pilotfish config show"
            )
            raise SettingsError(f"unknown setting {_spelt(key, source)} ({source}): {hint}")
        place = nested
        *parents, last = key.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                what = f"{_spelt(key, source)} ({source}) lies inside a plain value"
                raise SettingsError(f"{what}: give one of the two")
        place[last] = value
    try:
        Settings.model_validate(nested)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"][:2] if isinstance(part, str))
        source = merged[key][1] if key in merged else "settings"
        raise SettingsError(
            f"setting {key} = {first['input']!r} ({source}): {first['msg'].lower()}"
        ) from None
    return nested


def _spelt(key: str, source: str) -> str:
    """The key as its source spells it."""
    if source.startswith(PREFIX) or source == ".env":
        return PREFIX + key.upper().replace(".", "__")
    return key


def _given(name: str, value: str, source: str) -> Iterator[tuple[str, tuple[Any, str]]]:
    """What one variable says: a key and its value, or all those of a JSON object."""
    key = _key(name)
    if key != FREE:
        yield key, (_list(key, value), source)
        return
    try:
        options = json.loads(value or "{}")
    except ValueError:
        options = None
    if not isinstance(options, dict):  # it is not shown: it may hold a password
        mend = 'write it like {"host": "localhost", "port": 5432}'
        raise SettingsError(f"{name} ({source}) is no JSON object: {mend}")
    yield from ((k, (one, source)) for k, one in _flat(options, f"{FREE}."))


def _key(name: str) -> str:
    return name[len(PREFIX) :].lower().replace("__", ".")


def _list(key: str, value: str) -> Any:
    """Lists are comma-separated in the environment; an empty value means unset."""
    if key in {"llm.tiers", "rewrite", "cards"}:
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return None if value == "" and key in _MAY_BE_EMPTY else value


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}: mend the line it names") from None
    except OSError as error:
        raise SettingsError(_unreadable(path, error.strerror)) from None


def _dotenv(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except UnicodeDecodeError:
        raise SettingsError(_unreadable(path, "it is not UTF-8")) from None
    except OSError as error:
        raise SettingsError(_unreadable(path, error.strerror)) from None


def _unreadable(path: Path, reason: str | None) -> str:
    return f"{path} cannot be read ({reason}): mend it, or take it out of the folder"
