"""The groups of settings, and what each value may be. Merging their sources: settings.py."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """Unknown keys are errors, values do not change, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LLMSettings(Strict):
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
    prune: float = Field(
        1.0, ge=0, le=1, description="share of the passages' tokens that prompts keep; 1: all"
    )
    requests_per_minute: int | None = Field(None, gt=0, description="per model, all workers")
    tokens_per_minute: int | None = Field(None, gt=0, description="per model, all workers")

    @property
    def models(self) -> tuple[str, ...]:
        """The tiers, or the one model, or nothing."""
        return self.tiers or ((self.model,) if self.model else ())


class CheckSettings(Strict):
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


class DenseSettings(Strict):
    """Where the vectors of the dense index are searched; the database keeps them in any case."""

    store: str = Field(
        "faiss", pattern=r"^(faiss|[A-Za-z_][\w.]*:[A-Za-z_][\w.]*)$",
        description="faiss, or package.module:Class of a LlamaIndex vector store",
    )  # fmt: skip
    store_options: dict[str, Any] = Field(
        default_factory=dict, repr=False, description="its arguments; JSON in the environment"
    )


class LimitSettings(Strict):
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


class ServiceSettings(Strict):
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
