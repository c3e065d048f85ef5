"""Code in a loaded model that isn't of the libraries: nobody knows what it computes next time, and it is named."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import FunctionType, MethodType
from typing import Any

from tokviz.errors import CaptureError, StructureError
from tokviz.models import in_memory

_LIBRARIES = {
    "accelerate",
    "bitsandbytes",
    "kernels",
    "peft",
    "safetensors",
    "torch",
    "transformers",
    "typing_extensions",
}
_MOST_NAMED = 3


def callers_code(model: Any, tokenizer: Any) -> tuple[str, ...]:
    """Forward hooks, patched ``forward``s, other classes, and functions put in place of a library's, as ``save at model.layers.0``.

    Hooks of transformers stay on a model after a call with ``output_hidden_states`` or ``gradient_checkpointing_enable``, and
    change no state.
    """
    from torch.nn.modules import module as of_all

    places = [("every module", of_all._global_forward_hooks), ("every module", of_all._global_forward_pre_hooks)]
    found = [] if _is_of_libraries(type(tokenizer)) else [type(tokenizer).__qualname__]
    for path, module in model.named_modules():
        where = path or type(module).__name__
        places += [(where, module._forward_hooks), (where, module._forward_pre_hooks)]
        if not _is_of_libraries(type(module)):
            found.append(f"{type(module).__qualname__} at {where}")
        for forward in _forwards(module):
            if not is_function_of_libraries(forward):
                found.append(f"{_name_of(forward)} at {where}")
    found += [
        f"{_name_of(hook)} at {where}"
        for where, hooks in places
        for hook in hooks.values()
        if not str(getattr(hook, "__module__", "")).startswith("transformers.")
    ]
    return (*found, *_replaced(model), *_modes())


def _forwards(module: Any) -> Iterator[Any]:
    """What has been put in place of the ``forward`` of a module's class, and of functions that ``kernels`` exchanges in it."""
    for each in (module, *vars(module).get("_kernel_funcs", {}).values()):
        yield from (vars(each)[name] for name in ("forward", "_old_forward") if vars(each).get(name) is not None)


def _replaced(model: Any) -> Iterator[str]:
    """Code of others in the model's classes, in the files that have these, and where those files find kinds of attention; in torch."""
    import torch
    from transformers.utils.generic import GeneralInterface

    own = {type(module) for module in model.modules()}
    files = {cls.__module__ for cls in own} | {"torch", "torch.nn.functional", "transformers.masking_utils"}
    files |= {name for name in sys.modules if name.startswith("transformers.integrations.")}
    classes = {cls for each in own for cls in each.__mro__} | {torch.Tensor}
    places: dict[str, Mapping[str, Any]] = {f"{cls.__module__}.{cls.__qualname__}": vars(cls) for cls in classes}
    places |= {name: vars(sys.modules[name]) for name in files if name in sys.modules}
    for where, values in sorted(places.items()):
        for value in [*values.values()] if _is_library(where) else ():  # another thread may import meanwhile
            for each in value.values() if isinstance(value, GeneralInterface) else (value,):
                if not all(map(_is_of_libraries, _code_in(each, set()))):
                    yield f"{_name_of(each)} in {where}"


def _modes() -> Iterator[str]:
    """What stands between a call of torch and its own code, as ``with SomeMode():`` puts it there."""
    from torch.overrides import _get_current_function_mode_stack
    from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

    for mode in (*_get_current_function_mode_stack(), *_get_current_dispatch_mode_stack()):
        if not _is_of_libraries(type(mode)):
            yield f"{type(mode).__qualname__} around torch"


def is_function_of_libraries(value: Any) -> bool:
    """Whether a value is a function, and all that it wraps is of the libraries."""
    code = [*_code_in(value, set())]
    return bool(code) and all(map(_is_of_libraries, code))


def _code_in(value: Any, seen: set[int]) -> Iterator[type | FunctionType]:
    """The function that a value is, or the class of one that can be called, and those in it, such as what a decorator has wrapped."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, FunctionType):
        yield value
        for cell in value.__closure__ or ():
            with suppress(ValueError):  # nothing is in it yet
                yield from _code_in(cell.cell_contents, seen)
    elif isinstance(value, _WRAPPERS) or type(value).__name__ == "ScriptFunction":
        for name in _WRAPPED:
            if (each := getattr(value, name, None)) is not None:
                yield from _code_in(each, seen)
    elif callable(value) and not isinstance(value, type):
        yield type(value)


_WRAPPERS = (
    functools.partial,
    functools.partialmethod,
    property,
    classmethod,
    staticmethod,
    MethodType,
    type(functools.lru_cache(callable)),
)
_WRAPPED = ("func", "fget", "__func__", "__wrapped__", "_torchdynamo_inline")
"""Where these have the one that they call."""


def _is_of_libraries(code: type | FunctionType) -> bool:
    """By where it was written: what wraps a function may have that one's ``__module__``."""
    return _is_library(code.__module__ if isinstance(code, type) else str(code.__globals__.get("__name__")))


def _is_library(module: str) -> bool:
    package = module.partition(".")[0]
    return package in _LIBRARIES or package in sys.stdlib_module_names


def _name_of(value: Any) -> str:
    while isinstance(value, functools.partial):
        value = value.func
    return str(getattr(value, "__qualname__", type(value).__qualname__))


def some_of(named: Sequence[str]) -> str:
    """The first that are named, and how many more there are, as part of a sentence."""
    more = f" and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
    return f"{', '.join(named[:_MOST_NAMED])}{more}"


def callers_code_named(source: str) -> AbstractContextManager[None]:
    """Errors within the block name the caller's own code in a model that is loaded, which may have led to them."""
    found = in_memory.find(source)
    return _named(found.callers_code) if found and found.callers_code else nullcontext()


@contextmanager
def _named(own: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except (CaptureError, StructureError) as error:
        said = str(error).replace("; this kind of model can't be captured", "")
        raise CaptureError(f"{said}; it ran with code of the caller’s own ({some_of(own)}): try without") from error
