"""Caps on what a document may cost, and the check of a zip archive before it is parsed.

Not here: enforcement of memory, CPU and wall time; `corpus.sandbox` and `corpus.jail` do that.
"""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilotfish.settings_groups import LimitSettings

MB = 1024 * 1024
OLE_MAGIC = b"\xd0\xcf\x11\xe0"
_RATIO_FROM = 8 * MB  # a small archive harms nobody, however well it is packed
_PIECE = 256 * 1024
_XML = re.compile(r"\.(xml|rels|vml)$", re.I)
_DTD = re.compile(rb"<!(DOCTYPE|ENTITY)")  # no Office file has one; NULs of UTF-16 hide nothing


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps. `ratio` is inflated bytes per packed byte; `_s` is seconds."""

    file_mb: int = 100
    pages: int = 5_000
    inflated_mb: int = 500
    ratio: int = 100
    entries: int = 10_000
    memory_mb: int = 2_048
    cpu_s: int = 120
    wall_s: float = 180.0
    characters: int = 50_000_000
    cells: int = 2_000_000

    @classmethod
    def of(cls, settings: LimitSettings) -> Limits:
        """The caps as set: each is the setting of its name."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


DEFAULT = Limits()


def check_archive(data: bytes, limits: Limits = DEFAULT) -> str | None:
    """Why `data` may not be parsed as an Office archive, or None.

    Inflates every entry and counts what really comes out; declared sizes are not believed.
    """
    if data.startswith(OLE_MAGIC):
        return "encrypted or old binary Office file: save it as .docx, .xlsx or .pptx, unprotected"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _check_entries(archive, len(data), limits)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError) as error:
        return f"truncated or damaged file ({_line(error)}): save it again"
    except (NotImplementedError, RuntimeError) as error:
        return f"an archive of an unusual kind ({_line(error)}): save it again unprotected"


def _check_entries(archive: zipfile.ZipFile, packed: int, limits: Limits) -> str | None:
    entries = archive.infolist()
    if len(entries) > limits.entries:
        return (
            f"{len(entries)} entries in the archive, the cap is {limits.entries}: "
            "split it or raise PILOTFISH_LIMITS__ENTRIES"
        )
    total = 0
    for entry in entries:
        if entry.flag_bits & 1:
            return "encrypted: save it without a password"
        xml, before = _XML.search(entry.filename), b""
        with archive.open(entry) as member:
            while piece := member.read(_PIECE):
                total += len(piece)
                if reason := _too_big(total, packed, limits):
                    return reason
                if xml and _DTD.search((before + piece).replace(b"\0", b"")):
                    return f"{entry.filename} declares XML entities: refused, save it again"
                before = piece[-32:]  # a declaration may lie across two pieces
    return None


def _too_big(total: int, packed: int, limits: Limits) -> str | None:
    if total > limits.inflated_mb * MB:
        return (
            f"inflates to more than {limits.inflated_mb} MB: "
            "split it or raise PILOTFISH_LIMITS__INFLATED_MB"
        )
    if total > _RATIO_FROM and total > limits.ratio * packed:
        return (
            f"inflates more than {limits.ratio} times its size (a zip bomb?): "
            "save it again or raise PILOTFISH_LIMITS__RATIO"
        )
    return None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
