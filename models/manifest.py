"""The cache folder of one exported encoder and the manifest that vouches for it.

Not here: making an export (`models.export`) or serving it (`models.encoder`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from models.weights import Weights
from store.files import file_sha256

# Part of every fingerprint: raise it when the recipe of models/export.py changes any vector.
RECIPE = "2"
GRAPH, TOKENIZER, MANIFEST = "model.onnx", "tokenizer.json", "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` holds; `limit` counts tokens with specials, `self_check` is a cosine."""

    model: str
    weights_sha256: str
    fingerprint: str
    recipe: str
    pooling: str
    normalise: bool
    dimension: int
    limit: int
    precision: str
    self_check: float
    note: str
    prompts: dict[str, str]
    pad: int
    unknown: str | None
    files: dict[str, str]

    def dump(self) -> str:
        """The manifest as JSON text."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, sort_keys=True)


def cache_root(cache: Path | None = None) -> Path:
    """The folder of all exported encoders: `cache`, else PILOTFISH_CACHE, else ~/.cache."""
    root = cache or Path(os.environ.get("PILOTFISH_CACHE") or Path.home() / ".cache" / "pilotfish")
    return root.expanduser().resolve() / "encoders"


def fingerprint(weights_sha256: str) -> str:
    """Twelve digits that change whenever the vectors would: weights or recipe."""
    return hashlib.sha256(f"{weights_sha256}:{RECIPE}".encode()).hexdigest()[:12]


def slug(name: str) -> str:
    """A model's name as a folder name: its last part or parts, letters and digits only."""
    short = Path(name).name if Path(name).is_absolute() else name
    return re.sub(r"[^A-Za-z0-9.]+", "-", short).strip("-.").lower()[:60] or "model"


def find(weights: Weights, root: Path) -> Path | None:
    """The folder of an export of `weights`, or None. Whether its files are whole is not looked at.

    A Hugging Face name is found by its manifest, so that a warm cache needs no network.
    """
    if weights.sha256 is not None:
        folder = root / f"{slug(weights.name)}-{fingerprint(weights.sha256)}"
        return folder if folder.is_dir() else None
    for folder in sorted(root.glob(f"{slug(weights.name)}-*")):
        manifest = read(folder)
        if manifest and manifest.model == weights.name and manifest.recipe == RECIPE:
            return folder
    return None


def read(folder: Path) -> Manifest | None:
    """The folder's manifest, or None where it is missing, damaged or of another shape."""
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return Manifest(**{field.name: data[field.name] for field in fields(Manifest)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def flaw(folder: Path, manifest: Manifest | None) -> str | None:
    """Why a cache folder cannot be trusted, in words; None where every hash agrees. Reads all."""
    if manifest is None:
        return f"{MANIFEST} is missing or damaged"
    for name in (GRAPH, TOKENIZER):
        file = folder / name
        if not file.is_file():
            return f"{name} is missing"
        if file_sha256(file) != manifest.files.get(name):
            return f"{name} does not match its sha256"
    return None
