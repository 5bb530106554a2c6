"""A sentence-transformers model as one ONNX graph, tokens in and sentence vectors out.

The pooling and what follows it are inside the graph, or left out where token vectors are wanted.
Runs only in the exporting child process: here torch is imported. Not here: quantising, the cache.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.weights import Weights
from pilotfish.errors import SettingsError

ALLOWED = {"Transformer", "Pooling", "Dense", "Normalize", "LayerNorm", "Dropout"}


def load(weights: Weights) -> Any:
    """The SentenceTransformer on the CPU. Raises SettingsError where it cannot be had or served."""
    from sentence_transformers import SentenceTransformer

    local = weights.sha256 is not None
    options = {"attn_implementation": "eager"}
    try:
        model = SentenceTransformer(
            weights.source, device="cpu", local_files_only=local, model_kwargs=options
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise SettingsError(_unavailable(weights, error)) from error
    model.eval()
    _servable(model, weights.name)
    return model


def write(model: Any, file: Path, output: str = "vector") -> None:
    """Export `model` in fp32 to `file`. Raises SettingsError where torch cannot.

    output: `vector`, one a text, or `tokens`, the last layer's vector of each token.
    """
    import torch

    example = model.preprocess(["a first sentence", "and a second, somewhat longer one"])
    names = [name for name in input_names(model) if name in example]
    axes = {name: {0: "batch", 1: "length"} for name in [*names, "tokens"]}
    axes = axes | {"vector": {0: "batch"}}
    wrapped = _wrapper(model, names) if output == "vector" else _headless(model, names)
    try:
        with quiet(), torch.no_grad():
            torch.onnx.export(
                wrapped,
                tuple(example[name] for name in names),
                str(file),
                input_names=names,
                output_names=[output],
                dynamic_axes={name: axes[name] for name in [*names, output]},
                dynamo=False,
                opset_version=17,
            )
    except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
        line = str(error).strip().splitlines()[:1]
        raise SettingsError(f"torch cannot export this model to ONNX: {line}") from error


def fuse(model: Any, source: Path, target: Path) -> None:
    """Fuse attention, layer norm and GELU with ONNX Runtime's transformer optimiser."""
    import onnx
    from onnxruntime.transformers import optimizer

    config = model[0].model.config
    fused = optimizer.optimize_model(
        str(source),
        model_type="bert",
        num_heads=getattr(config, "num_attention_heads", 0),
        hidden_size=getattr(config, "hidden_size", 0),
        opt_level=0,
        use_gpu=False,
    )
    fused.topological_sort()
    onnx.save(fused.model, str(target))
    simplify(target)


def simplify(file: Path) -> None:
    """Fold constants and drop what is redundant, in place, as ONNX Runtime's basic level does."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(file) + ".basic"
    onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    Path(str(file) + ".basic").replace(file)


def input_names(model: Any) -> list[str]:
    """The token inputs that the tokenizer makes and the transformer reads."""
    known = ("input_ids", "attention_mask", "token_type_ids")
    made = model.tokenizer.model_input_names
    return [name for name in known if name in made or name != "token_type_ids"]


def prompts(model: Any) -> dict[str, str]:
    """The model's own prefixes by our kinds, `passage` and `query`; empty ones are left out."""
    own = dict(model.prompts)
    fallback = own.get(model.default_prompt_name or "", "")
    order = {"passage": ("document", "passage", "corpus"), "query": ("query",)}
    found = {kind: next((own[n] for n in ns if own.get(n)), fallback) for kind, ns in order.items()}
    return {kind: prompt for kind, prompt in found.items() if prompt}


def _wrapper(model: Any, names: list[str]) -> Any:
    import torch

    class Pipeline(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = torch.nn.ModuleList(list(model))

        def forward(self, *tensors: Any) -> Any:
            features = dict(zip(names, tensors, strict=True))
            for step in self.steps:
                features = step(features)
            return features["sentence_embedding"][:, : model.truncate_dim]

    return Pipeline().eval()


def _headless(model: Any, names: list[str]) -> Any:
    """The transformer alone, without pooling."""
    import torch

    class Headless(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = model[0]

        def forward(self, *tensors: Any) -> Any:
            features = dict(zip(names, tensors, strict=True))
            return self.transformer(features)["token_embeddings"]

    return Headless().eval()


def _servable(model: Any, name: str) -> None:
    kinds = [type(module).__name__ for module in model]
    strange = [kind for kind in kinds if kind not in ALLOWED]
    if strange or kinds[:1] != ["Transformer"] or "Pooling" not in kinds:
        raise SettingsError(
            f"the model {name!r} is built of {kinds}; only {sorted(ALLOWED)} can be exported"
        )
    pooling = next(module for module in model if type(module).__name__ == "Pooling")
    if not pooling.include_prompt and prompts(model):
        raise SettingsError(f"the model {name!r} leaves its prompt out of pooling: not supported")
    if getattr(model.tokenizer, "backend_tokenizer", None) is None:
        raise SettingsError(f"the model {name!r} has no fast tokenizer; choose one that has")


def _unavailable(weights: Weights, error: Exception) -> str:
    line = " ".join(str(error).split())[:160]
    if weights.sha256 is not None:
        return f"the model folder {weights.source} cannot be loaded: {line}"
    return (
        f"the model {weights.name!r} cannot be had from Hugging Face: check the name and the "
        f"network, or give a local folder ({type(error).__name__}: {line})"
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Tracing warns about shapes fixed at export; the axes that matter are declared dynamic."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
