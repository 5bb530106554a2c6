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

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pilotfish.errors import SettingsError
from pilotfish.redact import BLANK, redact

PREFIX = "PILOTFISH_"
TOML = "pilotfish.toml"
# Read elsewhere: the encoders' cache, the benchmarks' data, the terminal.
OTHERS = frozenset({"PILOTFISH_CACHE", "PILOTFISH_BENCH_DATA", "PILOTFISH_DEBUG"})
_MAY_BE_EMPTY = {
    "llm.model", "llm.api_base", "llm.requests_per_minute", "llm.tokens_per_minute",
    "database", "policy", "service.redis", "service.keep_days", "checks.words", "checks.corrector",
}  # fmt: skip
# Its keys are those of the vector store that is named: unknown to us, and perhaps secret.
FREE = "dense.store_options"
_SHOWN = frozenset({
    "host", "port", "database", "user", "table_name", "schema_name", "embed_dim", "dim",
    "collection_name", "index_name", "hnsw_m", "hnsw_ef_construction", "hnsw_ef_search",
})  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LLMSettings(_Strict):
    """The hosted LLM. `tiers` are LiteLLM model names, cheap to strong."""

    model: str | None = None
    tiers: tuple[str, ...] = ()
    api_base: str | None = None
    timeout: float = Field(60.0, gt=0, description="seconds for one call")
    max_tokens: int = Field(512, gt=0)
    temperature: float = Field(0.0, ge=0)
    attempts: int = Field(3, ge=1, le=10, description="HTTP attempts for one call")
    on_unknown: Literal["retry", "hold"] = "retry"
    on_budget: Literal["fail", "extract"] = Field(
        "fail", description="when a budget refuses: fail the item, or answer without the LLM"
    )
    requests_per_minute: int | None = Field(None, gt=0, description="per model, all workers")
    tokens_per_minute: int | None = Field(None, gt=0, description="per model, all workers")

    @property
    def models(self) -> tuple[str, ...]:
        """The tiers, or the one model, or nothing."""
        return self.tiers or ((self.model,) if self.model else ())


class CheckSettings(_Strict):
    """Repairs of an answer, and further checks; what buys calls is off by default."""

    repair: Literal["drop", "soften", "keep", "off"] = Field(
        "drop", description="unsupported sentences; keep: mend values only; off: mend nothing"
    )
    personal: Literal["keep", "mask"] = "keep"
    toxic: Literal["keep", "drop"] = "keep"
    words: int | None = Field(None, gt=0, description="longest answer")
    retry: bool = Field(False, description="one more call, over further passages")
    corrector: str | None = Field(None, description="model that mends drafts; local:FOLDER")
    samples: int = Field(0, ge=0, le=20, description="further calls to compare an answer with")
    contrast: bool = Field(False, description="a small reader must agree from the citations")


class DenseSettings(_Strict):
    """Where the vectors of the dense index are searched; the database keeps them in any case."""

    store: str = Field(
        "faiss", pattern=r"^(faiss|[A-Za-z_][\w.]*:[A-Za-z_][\w.]*)$",
        description="faiss, or package.module:Class of a LlamaIndex vector store",
    )  # fmt: skip
    store_options: dict[str, Any] = Field(
        default_factory=dict, repr=False, description="its arguments; JSON in the environment"
    )


class LimitSettings(_Strict):
    """Caps on what is parsed, those of corpus/limits.py among them, and on questions."""

    file_mb: int = Field(100, gt=0)
    pages: int = Field(5000, gt=0)
    inflated_mb: int = Field(500, gt=0, description="what an Office file may unpack to")
    ratio: int = Field(100, gt=0, description="how many times its size it may unpack to")
    entries: int = Field(10_000, gt=0, description="files inside an Office file")
    memory_mb: int = Field(2048, gt=0, le=16_777_216, description="of the parser of one file")
    cpu_s: int = Field(120, gt=0, le=86_400, description="CPU seconds for one file")
    wall_s: float = Field(180.0, gt=0, le=86_400, description="seconds waited for one file")
    characters: int = Field(50_000_000, gt=0, description="text of one document")
    cells: int = Field(2_000_000, gt=0, description="cells of one spreadsheet")
    question_chars: int = Field(20_000, gt=0)
    table_row_passages: int = Field(5000, ge=0, description="rows of one table kept as passages")


class ServiceSettings(_Strict):
    """The service's processes; see docs/service.md."""

    redis: str | None = Field(None, description="redis://...; None: pilotfish up starts its own")
    queue: str = Field("pilotfish", pattern=r"^[a-z0-9-]{1,40}$", description="prefix in Redis")
    host: str = "127.0.0.1"
    port: int = Field(8747, ge=0, le=65535)
    workers: int = Field(1, ge=0, le=64, description="worker processes of pilotfish up")
    threads: int = Field(32, ge=1, le=512, description="questions at once in one worker")
    lease: float = Field(20.0, ge=1, description="seconds a worker may be silent")
    item_seconds: float = Field(300.0, ge=1, description="an item that takes longer is stuck")
    body_mb: int = Field(100, ge=1, description="largest request body")
    header_seconds: float = Field(
        10.0, gt=0, le=3600, description="a client may take so long to say what it wants"
    )
    keep_days: float | None = Field(
        None, gt=0, description="questions and answers are kept so long"
    )
    keep_prompts: bool = Field(True, description="with the traces of answers: prompts as sent")
    log_format: Literal["text", "json"] = Field("text", description="of the lines on stderr")
    access_log: bool = Field(False, description="a line in the log for each request")


class Settings(_Strict):
    """Everything that may be set."""

    workspace: Path = Path(".pilotfish")
    database: str | None = Field(None, description="postgresql://...; None: SQLite there")
    collection: str = Field("default", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    encoder: str = "all-MiniLM-L6-v2"
    judge: str = Field("rules", description="claims: pilot, rules, or a cross-encoder's name")
    reranker: str = Field("pilot", description="relevance: pilot, or a cross-encoder's name")
    splitter: Literal["sentences", "llama-index"] = "sentences"
    threads: int = Field(0, ge=0, description="0: as many as the machine has")
    passages: int = Field(10, gt=0, description="passages retrieved for an answer")
    prompt_tokens: int = Field(3000, gt=200, description="token budget of the passages")
    abstain_below: float = Field(0.5, ge=0, le=1, description="support an answer needs")
    extract_above: float = Field(0.8, ge=0, le=1, description="support above which no LLM is asked")
    quarantine: bool = Field(True, description="hold passages that seem to give orders")
    spotlight: Literal["delimit", "mark"] = Field("delimit", description="passages in prompts")
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
        return (tiers + checks.retry) * (1 + checks.samples) + (checks.corrector is not None)


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
    if key == "llm.tiers":
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
