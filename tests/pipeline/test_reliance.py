"""A calibration holds for the judges that it was made for: other weights make it stale."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from models.pilot import serve
from models.pilot.others import Other
from models.pilot.reading import Judge, neutral
from models.pilot.serve import Pilot
from pilotfish.errors import SettingsError
from pilotfish.settings import Settings
from pipeline.library import Library
from pipeline.parts import Parts
from pipeline.reliance import judge_of, reliance
from store import calibrations
from verifiers.calibration import Label, fit, to_json
from verifiers.weights import fingerprint


def pilot(folder: Path, sha256: str) -> Pilot:
    """A pilot whose manifest promises these weights; nothing here reads them."""
    folder.mkdir(exist_ok=True)
    (folder / serve.GRAPH).write_bytes(b"graph")
    (folder / serve.MANIFEST).write_text(json.dumps({"sha256": sha256}))
    return Pilot(folder)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    folder = tmp_path_factory.mktemp("reliance")
    return Library(Settings(workspace=folder), create=True).parts


def test_the_judges_are_named_by_weights_and_names(parts: Parts, tmp_path: Path) -> None:
    own = pilot(tmp_path / "a", "a1" * 32)
    under: dict[str, Judge | None] = {
        fingerprint(): None,
        f"{fingerprint()}+pilot:a1a1a1a1a1a1": own,
        f"{fingerprint()}+pilot:a1a1a1a1a1a1+support:an/nli": Other("an/nli", "support", own),
        f"{fingerprint()}+relevance:a/reranker": Other("a/reranker", "relevance", neutral),
    }
    for name, judge in under.items():
        assert judge_of(replace(parts, judge=judge)) == name


def test_other_weights_make_a_calibration_stale(parts: Parts, tmp_path: Path) -> None:
    first = replace(parts, judge=pilot(tmp_path / "a", "a1" * 32))
    labels = [Label(n / 60, n > 20) for n in range(60)]
    with parts.shelf.database.write() as connection:
        key = (parts.collection_id, "default", judge_of(first))
        calibrations.put(connection, key, len(labels), to_json(fit(labels, len(labels))))
    again = replace(parts, judge=pilot(tmp_path / "copy", "a1" * 32))
    other = replace(parts, judge=pilot(tmp_path / "b", "b2" * 32))
    assert "calibrated here on 60 labels" in reliance(first, "default", None).where
    assert reliance(again, "default", None) == reliance(first, "default", None)
    stale = reliance(other, "default", None)
    assert "60 labels" not in stale.where and stale.judge != judge_of(first)


def test_a_pilot_without_weights_has_no_calibration_but_a_mend(
    parts: Parts, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="set judge to rules, or train"):
        reliance(replace(parts, judge=Pilot(tmp_path)), "default", None)
