"""Makes the one export of a model: ONNX graph, tokenizer and manifest in a cache folder.

Run as `python -m models.export NAME ROOT` in a child process, so that whoever serves vectors
never imports torch. int8 is kept only if the model's own vectors stay close (`FLOOR`). Two
processes may export at once: each writes a folder of its own, and the first rename wins.
Not here: serving.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import graph, manifest, samples
from models.batches import plan
from models.manifest import GRAPH, MANIFEST, TOKENIZER, Manifest
from models.norms import split_norms
from models.quantise import observe, quantise
from models.weights import DEFAULT_MODEL, Weights, resolve, verify_weights
from pilotfish.errors import SettingsError
from store.files import file_sha256, fsync

FLOOR = 0.99
AGREE = 0.9999
Feeds = list[dict[str, NDArray[np.int64]]]
Make = Callable[[Weights, Path], Manifest]


def export(name: str, root: Path, make: Make | None = None) -> Path:
    """Export the model `name` under `root` and return its folder; a whole one is kept as it is.

    make: fills an empty folder, `build` when None.
    Raises SettingsError where the weights are wrong, missing, or cannot be exported.
    """
    weights = resolve(name)
    if weights.name == DEFAULT_MODEL:
        verify_weights()
    folder = manifest.find(weights, root)
    if folder is not None and manifest.flaw(folder, manifest.read(folder)) is None:
        return folder
    root.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".export-", dir=root))
    try:
        work.chmod(0o755)
        made = (make or build)(weights, work)
        return _place(work, root / f"{manifest.slug(weights.name)}-{made.fingerprint}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def build(weights: Weights, work: Path) -> Manifest:
    """Write graph, tokenizer and, last, the manifest into the empty folder `work`."""
    model = graph.load(weights)
    (work / TOKENIZER).write_text(tokenizer_json(model), encoding="utf-8")
    graph.write(model, work / "plain.onnx")
    graph.fuse(model, work / "plain.onnx", work / "fused.onnx")
    precision, cosine, note = choose(model, work)
    for left in ("plain.onnx", "fused.onnx", "int8.onnx"):
        (work / left).unlink(missing_ok=True)
    made = dataclasses.replace(
        describe(model, weights), precision=precision, self_check=cosine, note=note
    )
    return sealed(made, work)


def sealed(made: Manifest, work: Path) -> Manifest:
    """Write the manifest, now with the digests of its files, and see all of it on the disk."""
    files = {name: file_sha256(work / name) for name in (GRAPH, TOKENIZER)}
    made = dataclasses.replace(made, files=files)
    (work / MANIFEST).write_text(made.dump(), encoding="utf-8")
    for file in work.iterdir():
        fsync(file)
    return made


def choose(model: Any, work: Path) -> tuple[str, float, str]:
    """Put the best graph that agrees with the model itself at GRAPH; precision, cosine, why."""
    import onnx

    texts = samples.check()
    with_torch = model.encode(texts, batch_size=8, prompt="", show_progress_bar=False)
    reference = _unit(np.asarray(with_torch, np.float32))
    source, cosine = "fused.onnx", _cosine(work / "fused.onnx", model, texts, reference)
    if cosine < AGREE:
        source, cosine = "plain.onnx", _cosine(work / "plain.onnx", model, texts, reference)
    if cosine < AGREE:
        raise SettingsError(
            f"the ONNX export disagrees with the model (mean cosine {cosine:.4f}, "
            f"needed {AGREE}); choose another model"
        )
    fused = onnx.load(str(work / source))
    integer = quantise(fused, observe(fused, feeds(model, samples.calibration())))
    split_norms(integer)
    onnx.save(integer, str(work / "int8.onnx"))
    close = _cosine(work / "int8.onnx", model, texts, reference)
    if close >= FLOOR:
        (work / "int8.onnx").replace(work / GRAPH)
        return "int8", close, f"int8 static from {source[:-5]}"
    split_norms(fused)
    onnx.save(fused, str(work / GRAPH))
    return "fp32", cosine, f"int8 refused: mean cosine {close:.4f} is below {FLOOR}"


def feeds(model: Any, texts: list[str]) -> Feeds:
    """Padded inputs for `texts` as the served encoder would make them."""
    tokens = model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]
    result = []
    for batch in plan(tokens, _pad(model)):
        given = {"input_ids": batch.ids, "attention_mask": batch.mask}
        names = graph.input_names(model)
        result.append({name: given.get(name, np.zeros_like(batch.ids)) for name in names})
    return result


def _cosine(file: Path, model: Any, texts: list[str], reference: NDArray[np.float32]) -> float:
    runs = zip(outputs(file, feeds_each(model, texts)), reference, strict=True)
    return float(np.mean([float(_unit(found)[0] @ row) for found, row in runs]))


def feeds_each(model: Any, texts: list[str]) -> Feeds:
    """`feeds` of each text by itself."""
    return [feeds(model, [text])[0] for text in texts]


def outputs(file: Path, fed: Feeds) -> Iterator[NDArray[np.float32]]:
    """The graph's first output for each of the inputs, of which it takes what it knows."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    wanted = {given.name for given in session.get_inputs()}
    for one in fed:
        given = {name: array for name, array in one.items() if name in wanted}
        yield np.asarray(session.run(None, given)[0], np.float32)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), np.float32)


def describe(model: Any, weights: Weights) -> Manifest:
    """The manifest of a model, before its precision and files are known."""
    kinds = [type(module).__name__ for module in model]
    pooling = next(module for module in model if type(module).__name__ == "Pooling")
    sha256 = weights.sha256 or _content_sha256(model)
    return Manifest(
        model=weights.name,
        weights_sha256=sha256,
        fingerprint=manifest.fingerprint(sha256),
        recipe=manifest.RECIPE,
        pooling=str(pooling.pooling_mode),
        normalise="Normalize" in kinds,
        dimension=int(model.get_embedding_dimension()),
        limit=int(model.max_seq_length),
        precision="",
        self_check=0.0,
        note="",
        prompts=graph.prompts(model),
        pad=_pad(model),
        unknown=model.tokenizer.unk_token,
        files={},
    )


def _content_sha256(model: Any) -> str:
    """A fetched model's digest: every tensor, the tokenizer and the modules' settings."""
    digest = hashlib.sha256(f"{tokenizer_json(model)}{model}".encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.contiguous().float().numpy().tobytes())
    return digest.hexdigest()


def tokenizer_json(model: Any) -> str:
    """The fast tokenizer as `tokenizers` reads it."""
    return str(model.tokenizer.backend_tokenizer.to_str())


def _pad(model: Any) -> int:
    return int(model.tokenizer.pad_token_id or 0)


def _place(work: Path, folder: Path) -> Path:
    """Rename the finished `work` to `folder`; a good folder that came first stays."""
    if folder.exists():
        if manifest.flaw(folder, manifest.read(folder)) is None:
            return folder
        folder.rename(work.with_name(work.name + "-bad"))
        shutil.rmtree(work.with_name(work.name + "-bad"), ignore_errors=True)
    try:
        work.rename(folder)
    except OSError:
        if manifest.flaw(folder, manifest.read(folder)) is not None:
            raise
    fsync(folder.parent)
    return folder


def main(arguments: list[str], make: Make | None = None) -> int:
    """Export NAME under ROOT and print the folder; 3 where a SettingsError says why not."""
    name, root = arguments
    try:
        sys.stdout.write(f"{export(name, Path(root), make)}\n")
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
