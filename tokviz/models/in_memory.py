"""Models that the caller has loaded: found by a name that is made of what they are, for as long as the caller keeps them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Lock, RLock
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from tokviz.errors import SourceError

PREFIX = "memory:"
"""What the source of such a model begins with."""

_AT_HAND: WeakValueDictionary[str, AtHand] = WeakValueDictionary()
_LOCKS: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""Base model → the lock of who runs it."""
_locking = Lock()
_HAS_HOOKS = "_output_capturing_hooks_installed"
"""Where transformers notes it: it doesn't put hooks on a model once more that has this."""


@dataclass(kw_only=True, eq=False)
class AtHand:
    """A model of transformers with its tokenizer; known to ``load`` while somebody holds this."""

    model: Any
    tokenizer: Any
    identity: str
    """``memory:`` and a SHA-256 of all that the hidden states depend on; where that can't be known, of this study alone."""
    is_as_it_was: Callable[[], bool]
    """Whether the model still is as it was when that was made."""
    callers_code: tuple[str, ...] = ()
    """What of its code isn't the libraries', as ``save at model.layers.0``."""
    is_fresh: bool = True
    """Whether the identity was made in the call of the caller's that still goes on, so that nothing can have changed since."""

    @property
    def source(self) -> str:
        """``memory:LlamaForCausalLM-1a2b3c4d5e6f7a8b``."""
        return f"{PREFIX}{type(self.model).__name__}-{self.identity.removeprefix(PREFIX)[:16]}"

    def require_unchanged(self) -> None:
        """Raise ``SourceError`` where the model has changed since: its states would get a false identity."""
        if not self.is_fresh and not self.is_as_it_was():
            raise SourceError(
                f"{self.source}: its weights, or what its layers make of words, have changed since; pass the model to "
                "tokviz.study again"
            )

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """Known to ``load``, and ready to be captured."""
        try:
            with evaluated(self.model):
                _AT_HAND[self.source] = self  # a copy with the same weights may have come and gone
                yield
        finally:
            self.is_fresh = False


def lock_of(model: Any) -> Any:
    """Held while a model has hooks or another mode: another thread of the caller's waits; with another head, too."""
    with _locking:
        return _LOCKS.setdefault(getattr(model, "base_model", model), RLock())


@contextmanager
def evaluated(model: Any) -> Iterator[None]:
    """In evaluation mode, and uncompiled, as compiled code may pass hooks over; afterwards each module is in the mode in which it was."""
    import torch

    with lock_of(model), ExitStack() as settings:
        modes = [(module, module.training) for module in model.modules()]
        hooks = [(module, list(module._forward_hooks)) for module in model.modules()]
        has_hooks = [vars(module).get(_HAS_HOOKS) for module, _ in hooks]
        if "torch._dynamo" in sys.modules:  # else nothing is compiled, and it takes seconds to import
            settings.enter_context(torch.compiler.set_stance("force_eager"))
        try:
            model.eval()
            yield
        finally:
            for module, is_training in modes:
                module.training = is_training
            for (module, before), had_hooks in zip(hooks, has_hooks, strict=True):
                _remove_new_hooks(module, before, had_hooks=bool(had_hooks))


def _remove_new_hooks(module: Any, before: Sequence[int], *, had_hooks: bool) -> None:
    """Those of transformers, which puts them on with the first call of a model whose config asks for hidden states."""
    for key, hook in list(module._forward_hooks.items()):
        if key not in before and getattr(hook, "__module__", "") == "transformers.utils.output_capturing":
            del module._forward_hooks[key]
    if not had_hooks and _HAS_HOOKS in vars(module):
        delattr(module, _HAS_HOOKS)


@contextmanager
def with_settings_of_its_own() -> Iterator[None]:
    """Without what a caller has set for a whole session, and no key has.

    ``torch.autocast`` and another default dtype would give states in another precision than the model's own, another default
    device would take what is fed to the model elsewhere.
    """
    import torch

    devices = {"cpu", *([found.type] if (found := torch.accelerator.current_accelerator()) else [])}
    dtype = torch.get_default_dtype()
    with ExitStack() as settings:
        for device in devices:
            settings.enter_context(torch.autocast(device, enabled=False))
        if torch.get_default_device().type != "cpu":
            settings.enter_context(torch.device("cpu"))
        torch.set_default_dtype(torch.float32)
        settings.callback(torch.set_default_dtype, dtype)
        yield


def unwrapped(model: Any, tokenizer: Any) -> Any:
    """The model of transformers in what ``torch.compile``, ``DataParallel`` or PEFT has put around it.

    Raises
    ------
    SourceError : there is no such model, or the tokenizer is none.
    """
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    found = model
    while found is not None and not isinstance(found, PreTrainedModel):
        if hasattr(found, "get_base_model"):  # PEFT's
            found = found.get_base_model()
        else:
            inside = vars(found).get("_modules", {}) if hasattr(found, "__dict__") else {}
            found = inside.get("_orig_mod", inside.get("module"))
    if found is None:
        raise SourceError(f"model: expected a model of transformers or its source, got {type(model).__name__}")
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        got = "none" if tokenizer is None else type(tokenizer).__name__
        raise SourceError(
            f"tokenizer: expected the model’s tokenizer, got {got}; add tokenizer=AutoTokenizer.from_pretrained(…)"
        )
    return found


def find(source: str) -> AtHand | None:
    """The model of a source that is in memory."""
    return _AT_HAND.get(source)


def require(source: str) -> AtHand:
    """The model of a source; raises ``SourceError`` where it isn't in memory any more, or was in another process."""
    found = find(source)
    if found is None:
        raise SourceError(
            f"{source}: expected a model that is in memory, but it isn’t any more; pass it to tokviz.study again"
        )
    return found
