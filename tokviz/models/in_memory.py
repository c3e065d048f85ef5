"""Models that the caller has loaded: found by a name that is made of their weights, for as long as the caller keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from tokviz.errors import SourceError

PREFIX = "memory:"
"""What the source of such a model begins with."""

_AT_HAND: WeakValueDictionary[str, AtHand] = WeakValueDictionary()


@dataclass(kw_only=True, eq=False)
class AtHand:
    """A model of transformers with its tokenizer; known to ``load`` while somebody holds this."""

    model: Any
    tokenizer: Any
    identity: str
    """``memory:`` and the SHA-256 of weights, config and tokenizer."""
    is_fresh: bool = False
    """Whether that was made in the call of the caller's that still goes on, so that nothing can have changed since."""

    @property
    def source(self) -> str:
        """``memory:LlamaForCausalLM-1a2b3c4d5e6f7a8b``."""
        return f"{PREFIX}{type(self.model).__name__}-{self.identity.removeprefix(PREFIX)[:16]}"

    def require_unchanged(self) -> None:
        """Raise ``SourceError`` where the model has been trained further since: its states would get a false identity.

        The same where it has got hooks, which may change its states.
        """
        _require_without_hooks(self.model)
        if not self.is_fresh and self.identity != f"{PREFIX}{_digest(self.model, self.tokenizer)}":
            raise SourceError(f"{self.source}: its weights have changed since; pass the model to tokviz.study again")

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """Known to ``load``, in evaluation mode; afterwards each module is in the mode in which it was."""
        _AT_HAND[self.source] = self  # a copy with the same weights may have come and gone
        modes = [(module, module.training) for module in self.model.modules()]
        try:
            yield
        finally:
            self.is_fresh = False
            for module, is_training in modes:
                module.training = is_training


def at_hand(model: Any, tokenizer: Any) -> AtHand:
    """Make a loaded model known under its source.

    Parameters
    ----------
    model : a ``PreTrainedModel``, with a head or without, on any device.
    tokenizer : the model's fast tokenizer.

    Raises
    ------
    SourceError : it is no such model, or its weights aren't in memory.
    """
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    if not isinstance(model, PreTrainedModel):
        raise SourceError(f"model: expected a model of transformers or its source, got {type(model).__name__}")
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        got = "none" if tokenizer is None else type(tokenizer).__name__
        raise SourceError(
            f"tokenizer: expected the model’s tokenizer, got {got}; add tokenizer=AutoTokenizer.from_pretrained(…)"
        )
    _require_without_hooks(model)
    found = AtHand(model=model, tokenizer=tokenizer, identity=f"{PREFIX}{_digest(model, tokenizer)}", is_fresh=True)
    _AT_HAND[found.source] = found
    return found


def require(source: str) -> AtHand:
    """The model of a source; raises ``SourceError`` where it isn't in memory any more, or was in another process."""
    found = _AT_HAND.get(source)
    if found is None:
        raise SourceError(
            f"{source}: expected a model that is in memory, but it isn’t any more; pass it to tokviz.study again"
        )
    return found


def _require_without_hooks(model: Any) -> None:
    hooked = [name for name, module in model.named_modules() if module._forward_hooks or module._forward_pre_hooks]
    if hooked:
        raise SourceError(
            f"model: expected one without forward hooks, which may change its states, found some at {hooked[0] or 'the model itself'}; "
            "remove them first"
        )


def _digest(model: Any, tokenizer: Any) -> str:
    """SHA-256 of all that the hidden states depend on."""
    import torch

    digest = hashlib.sha256(type(model).__name__.encode())
    for name, tensor in sorted(model.state_dict().items()):
        if tensor.device.type == "meta":
            problem = (
                f"accelerate keeps {name} elsewhere; name the model’s source instead"
                if getattr(model, "hf_device_map", None)
                else f"{name} is on torch’s meta device, without values; load it with from_pretrained"
            )
            raise SourceError(f"model: expected weights in memory, but {problem}")
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    digest.update(model.config.to_json_string().encode())
    digest.update(tokenizer.backend_tokenizer.to_str().encode() if tokenizer.is_fast else repr(tokenizer).encode())
    return digest.hexdigest()
