"""What each head of attention adds, through the matrix behind all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.records import Heads

if TYPE_CHECKING:
    from torch import nn

_COUNTS = ("num_heads", "num_attention_heads", "n_heads", "n_head", "num_v_heads")
"""What attention calls the number of its heads; linear attention has fewer of queries than of values."""
_SIZES = ("v_head_dim", "head_v_dim", "head_dim", "head_size", "attention_head_size", "d_kv", "key_value_proj_dim")
"""And their width; where values are narrower than keys, the values' stands first."""


def heads_of(contributions: np.ndarray, attention: nn.Module, path: str) -> Heads | None:
    """Per head the sum of what its inputs of the output matrix contribute; None where the number of heads isn't clear.

    Parameters
    ----------
    contributions : ``(n_dimensions, n_inputs)`` float64, weight × mean input.
    attention : the module that holds the matrix.
    path : of the matrix.
    """
    n_dimensions, n_inputs = contributions.shape
    n_heads = n_heads_of(attention, n_inputs)
    if n_heads is None:
        return None
    by_head = contributions.reshape(n_dimensions, n_heads, -1).sum(2)
    return Heads(path=path, n_heads=n_heads, contributions=tuple(tuple(map(float, each)) for each in by_head))


def n_heads_of(attention: nn.Module, n_inputs: int) -> int | None:
    """How many equal slices the inputs of attention's output matrix are.

    What the module says of itself counts, if nothing contradicts it. Its config speaks of attention in general, and a layer
    may have another number: it counts only where the heads' width bears it out.
    """
    width = _first_number(attention, _SIZES)
    own = _first_number(attention, _COUNTS)
    general = _first_number(getattr(attention, "config", None), _COUNTS)
    if own is not None:
        is_borne_out = n_inputs % own == 0 and (width is None or own * width == n_inputs)
        return own if is_borne_out else None
    return general if general is not None and width is not None and general * width == n_inputs else None


def module_holding(matrix: nn.Module, modules: Sequence[nn.Module]) -> nn.Module | None:
    """The one that has the matrix as its own member."""
    return next((each for each in modules if any(matrix is inner for inner in each.children())), None)


def _first_number(holder: Any, names: Sequence[str]) -> int | None:
    numbers = (getattr(holder, name, None) for name in names)
    return next((number for number in numbers if isinstance(number, int) and number > 0), None)
