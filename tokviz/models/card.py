"""What a reader must know of a loaded model."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from tokviz.models.origin import Origin
from tokviz.models.weights import Weights, dtype_name
from tokviz.records import ModelCard


def make_card(origin: Origin, weights: Weights, tokenizer: Any, identity: str) -> ModelCard:
    """Describe a model that is loaded; ``identity``: of what was."""
    whole, part = weights.whole, weights.part
    packages = ["torch", "transformers", "tokenizers", *(["gguf"] if origin.gguf_file else [])]
    return ModelCard(
        source=origin.model.source,
        identity=identity,
        revision=origin.model.revision,
        architecture=type(whole).__name__,
        model_type=whole.config.model_type,
        n_layers=part.config.num_hidden_layers,
        width=part.config.hidden_size,
        embedding_width=getattr(part.get_input_embeddings(), "embedding_dim", part.config.hidden_size),
        n_parameters=sum(parameter.numel() for parameter in part.parameters()),
        vocabulary_size=part.config.vocab_size,
        dtype=str(dtype_name(part.dtype)),
        checkpoint_dtype=weights.checkpoint_dtype,
        quantization=weights.quantization,
        tokenizer=_tokenizer_name(tokenizer),
        notes=(*weights.notes, *_more_notes(whole, part), *_on_tokenizer(origin)),
        versions=tuple((package, importlib.metadata.version(package)) for package in packages),
    )


def _more_notes(whole: Any, part: Any) -> list[str]:
    notes = []
    # Mixture-of-experts models differ in the last digits with the kernel that ran.
    if whole._can_set_experts_implementation() or part._can_set_experts_implementation():
        notes.append(f"The experts ran with the kernel {part.config._experts_implementation}.")
    if "auto_map" in whole.config.to_dict():
        notes.append(
            f"The checkpoint carries code of its own; it was not run, transformers' {type(whole).__name__} was."
        )
    return notes


def _on_tokenizer(origin: Origin) -> list[str]:
    named = origin.model.tokenizer
    return [f"The tokenizer is not the model's own but that of {named}, as configured."] if named else []


def _tokenizer_name(tokenizer: Any) -> str:
    """``GPT2Tokenizer (BPE)``: the class, and its algorithm where that is known."""
    name = type(tokenizer).__name__
    return f"{name} ({type(tokenizer.backend_tokenizer.model).__name__})" if tokenizer.is_fast else name
