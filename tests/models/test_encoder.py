"""The served encoder against sentence-transformers, which is an independent implementation."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from models.encoder import Encoder
from models.weights import packaged_folder

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    "0-dimensional biomaterials lack inductive properties.",
    "Who directed the film that won the prize in 1967, and where was she born?",
    "",
    " ",
    "a",
    "The heat transfer coefficient at the stagnation point was measured. " * 60,
    "这家公司的总部位于北京,成立于一九九八年。",
    "Great job 🎉🎉 see you tomorrow 😀",
    "Ünïcödé and ACRONYMS: NF-κB, IL-6, p<0.05; ½ cup",
    "for i in range(10): print(i ** 2)  # squares",
    "x" * 500,
    "\x00\t\n zero width\u200b joiner",
]


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(packaged_folder()), device="cpu", local_files_only=True)
    return np.asarray(model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False))


def test_vectors_agree_with_sentence_transformers(encoder: Encoder, reference: np.ndarray) -> None:
    cosines = (encoder.encode(TEXTS) * reference).sum(axis=1)
    assert cosines.mean() > 0.99
    assert cosines.min() > 0.98, dict(zip([t[:20] for t in TEXTS], cosines, strict=True))


def test_a_vector_does_not_depend_on_the_texts_beside_it(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS)
    backwards = encoder.encode(TEXTS[::-1])[::-1]
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert np.abs(together - backwards).max() < 1e-4
    assert np.abs(together - alone).max() < 1e-4


def test_vectors_are_float32_rows_of_length_one(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), encoder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_no_text_gives_no_rows(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dimension)
    assert encoder.count([]) == []


def test_progress_adds_up_to_the_number_of_texts(encoder: Encoder) -> None:
    done: list[int] = []
    encoder.encode(TEXTS, progress=done.append)
    assert sum(done) == len(TEXTS)


def test_threads_may_share_one_encoder(encoder: Encoder) -> None:
    alone = encoder.encode(TEXTS)
    seen: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: seen.append(encoder.encode(TEXTS))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    assert all(np.abs(vectors - alone).max() < 1e-5 for vectors in seen)


def test_tokens_are_counted_without_specials_and_without_a_cut(encoder: Encoder) -> None:
    assert encoder.count(["hello world", "", "word " * 1000]) == [2, 0, 1000]
    assert encoder.limit == 256


def test_text_that_the_vocabulary_cannot_represent_is_not_readable(encoder: Encoder) -> None:
    assert encoder.readable("机器学习模型需要大量的训练数据才能取得良好的效果") < 0.5
    assert encoder.readable("The quick brown fox, 1967; naïve café.") == 1.0
    assert encoder.readable("") == 1.0
    assert encoder.readable(" \n") == 1.0


def test_a_warm_start_imports_neither_torch_nor_transformers(encoder: Encoder, cache: Path) -> None:
    code = (
        "import sys; from models.encoder import Encoder; from pathlib import Path\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "Encoder(cache=Path(sys.argv[1])).encode(['a'])\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'onnx'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(cache)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
