"""Token vectors and BERTScore, against transformers and plain numpy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import manifest
from models.bertscore import match
from models.token_vectors import FOLDER, TokenEncoder

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [
    ("the cat sat on the mat", "a dog ran in the house"),
    ("big red cats", "small blue dogs and cats"),
    ("the house is big", "the house is big"),
    ("a", "the cat sat on a mat in the big red house " * 3),
]


@pytest.fixture(scope="module")
def tiny_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny-tokens")


@pytest.fixture(scope="module")
def tokens(tiny: Path, tiny_cache: Path) -> TokenEncoder:
    return TokenEncoder(str(tiny), cache=tiny_cache, threads=2)


@pytest.fixture(scope="module")
def transformer(tiny: Path) -> Any:
    """The tokenizer and the model, as transformers loads them."""
    from transformers import AutoModel, AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny), AutoModel.from_pretrained(tiny).eval()


def with_torch(transformer: Any, text: str, limit: int) -> np.ndarray:
    """Last hidden states without [CLS] and [SEP], of length one."""
    import torch

    tokenizer, model = transformer
    given = tokenizer(text, return_tensors="pt", truncation=True, max_length=limit)
    with torch.no_grad():
        rows = model(**given).last_hidden_state[0, 1:-1].numpy()
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_vectors_are_those_of_transformers(tokens: TokenEncoder, transformer: Any) -> None:
    texts = [text for pair in PAIRS for text in pair]
    for text, found in zip(texts, tokens.encode(texts), strict=True):
        reference = with_torch(transformer, text, tokens.limit)
        assert found.vectors.shape == reference.shape
        assert np.abs(found.vectors - reference).max() < 1e-4


def test_bertscore_is_that_of_a_few_lines_of_numpy(tokens: TokenEncoder, transformer: Any) -> None:
    for one, other in PAIRS:
        a, b = (with_torch(transformer, text, tokens.limit) for text in (one, other))
        cosines = a @ b.T
        precision, recall = cosines.max(1).mean(), cosines.max(0).mean()
        found = match(*tokens.encode([one, other]))
        assert found.precision == pytest.approx(precision, abs=1e-4)
        assert found.recall == pytest.approx(recall, abs=1e-4)
        f1 = 2 * precision * recall / (precision + recall)
        assert found.f1 == pytest.approx(f1, abs=1e-4)


def test_ids_are_those_of_the_vectors_and_the_cut_is_said(tokens: TokenEncoder) -> None:
    texts = ["the cat", "", "zebra cat", "the red house " * 30]
    encoded = tokens.encode(texts)
    for ids, found in zip(tokens.ids(texts), encoded, strict=True):
        assert np.array_equal(ids, found.ids) and len(ids) == len(found.vectors)
    assert [len(found.ids) for found in encoded] == [2, 0, 2, tokens.limit - 2]
    assert [found.unknown for found in encoded] == [0.0, 0.0, 0.5, 0.0]
    assert [found.cut for found in encoded] == [False, False, False, True]


def test_a_text_does_not_depend_on_the_texts_beside_it(tokens: TokenEncoder) -> None:
    texts = [text for pair in PAIRS for text in pair]
    alone = [tokens.encode([text])[0] for text in texts]
    for one, other in zip(tokens.encode(texts), alone, strict=True):
        assert np.abs(one.vectors - other.vectors).max() < 1e-4


def test_the_export_is_made_once_and_apart_from_the_encoders(
    tokens: TokenEncoder, tiny: Path, tiny_cache: Path
) -> None:
    (folder,) = (tiny_cache / FOLDER).iterdir()
    made = manifest.read(folder)
    assert manifest.flaw(folder, made) is None
    assert made and (made.pooling, made.precision) == ("none", "fp32") and made.self_check > 0.9999
    before = (folder / manifest.GRAPH).stat().st_mtime_ns
    TokenEncoder(str(tiny), cache=tiny_cache)
    assert (folder / manifest.GRAPH).stat().st_mtime_ns == before
    assert not (tiny_cache / "encoders").exists()


def test_serving_imports_no_torch(tokens: TokenEncoder, tiny: Path, tiny_cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from models.token_vectors import TokenEncoder\n"
        "TokenEncoder(sys.argv[1], Path(sys.argv[2])).encode(['a cat'])\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'onnx'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(tiny), str(tiny_cache)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
