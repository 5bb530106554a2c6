"""Local Hugging Face models of a kind, by name or folder: tokenizer and weights, or one clear line.

No weights come with the package. Not here: what the models do (seq2seq.py, causal.py).
"""

from __future__ import annotations

from typing import Any, Literal

from pilotfish.errors import SettingsError

Kind = Literal["seq2seq", "causal language"]
_CLASSES: dict[Kind, str] = {
    "seq2seq": "AutoModelForSeq2SeqLM", "causal language": "AutoModelForCausalLM",
}  # fmt: skip


def tokenizer_and_model(name: str, kind: Kind, role: str) -> tuple[Any, Any]:
    """Both, ready to be asked; SettingsError names the role and what may be given."""
    try:
        import transformers

        model = getattr(transformers, _CLASSES[kind]).from_pretrained(name)
        return transformers.AutoTokenizer.from_pretrained(name), model.eval()
    except (OSError, ValueError, ImportError, KeyError) as error:
        line = " ".join(str(error).split())[:200]
        raise SettingsError(
            f"{role} {name!r} cannot be loaded ({line}): give a folder or a name of a {kind} model"
        ) from None
