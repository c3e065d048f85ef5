"""Which modules of a layer write to the residual stream, found by their sum and not by their names.

A layer's output is its input plus what its sublayers add: attention, an MLP, a recurrent mixer. Inside a block some modules
return what is added as it is, others return it before a norm or a scale. So the smallest set of modules is taken whose outputs
sum to output − input. Post-norm encoders have none: there the sum is normalised afterwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.hooks import first_tensor, forward
from tokviz.capture.structure import Structure
from tokviz.records import Tokenization

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.utils.hooks import RemovableHandle

TOLERANCE = 1e-4
"""The largest ‖sum − (output − input)‖ / ‖output − input‖ that is taken for rounding in float32."""
ROUNDINGS = 4
"""In narrower types, how many units of rounding of the stream the sum may be off."""
MOST_SUBLAYERS = 4
"""Falcon-H1's layers have three."""
MOST_CANDIDATES = 40
"""Of sets of four there are 90,000 then."""


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A module that writes to the residual stream."""

    module: nn.Module
    matrix: nn.Module | None = None
    """The ``Linear`` or ``Conv1D`` whose output is the module's, or what the module normalises; None where there is none."""

    @property
    def norm(self) -> nn.Module | None:
        """The module itself, where it normalises what the matrix gives."""
        return None if self.matrix is None or _contains(self.module, self.matrix) else self.module


@dataclass(frozen=True, kw_only=True)
class Sublayers:
    """What writes to the residual stream, per layer."""

    writers: tuple[tuple[Writer, ...], ...]
    """Per layer in the order in which they run; none where no set sums up."""
    sum_errors: tuple[float, ...]
    """Per layer ‖sum − update‖ / ‖update‖ of the best set, whether it is accepted or not; NaN where there was none."""

    @property
    def found(self) -> bool:
        """Whether every layer's sublayers are known."""
        return all(self.writers)


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One run of a module inside a block."""

    path: str
    """Within the block."""
    module: nn.Module
    inputs: torch.Tensor | None
    output: torch.Tensor


@dataclass(kw_only=True)
class _Run:
    """One run of a block, and of the modules inside it in the order of their ends."""

    inputs: torch.Tensor
    output: torch.Tensor | None = None
    calls: list[_Call] = field(default_factory=list)


def find_sublayers(module: nn.Module, structure: Structure, tokenization: Tokenization) -> Sublayers:
    """Run a few tokens and find, layer by layer, the modules whose outputs sum to what the layer adds.

    Parameters
    ----------
    module : the base model that ``structure`` was found in, with its weights.
    tokenization : words that the model knows; some of their tokens are run.
    """
    import torch

    known = dict.fromkeys(token for word in tokenization.words for token in word.ids)
    ids = torch.tensor(list(itertools.islice(itertools.cycle(known), 6))).view(2, 3)
    with _watched(structure, ids.shape) as runs:
        forward(module, ids, torch.ones_like(ids))
    nothing: tuple[tuple[Writer, ...], float] = ((), float("nan"))
    found = [_smallest_sum(runs[layer]) if layer < len(runs) else nothing for layer in range(structure.n_layers)]
    return Sublayers(writers=tuple(writers for writers, _ in found), sum_errors=tuple(error for _, error in found))


def states_of(value: Any, shape: Sequence[int]) -> torch.Tensor | None:
    """A module's hidden states for ``shape``, ``(batch, tokens)``: ``(batch, tokens, width)``, else None.

    Some modules work on ``(batch × tokens, width)``, OPT's second linear map for one.
    """
    import torch

    if isinstance(value, torch.Tensor) and value.ndim == 2 and value.shape[0] == shape[0] * shape[1]:
        return value.view(shape[0], shape[1], -1)
    tensor = first_tensor(value)
    return tensor if tensor is not None and tensor.ndim == 3 and tuple(tensor.shape[:2]) == tuple(shape) else None


@contextmanager
def _watched(structure: Structure, shape: Sequence[int]) -> Iterator[list[_Run]]:
    """Note every run of a layer and of the modules inside it."""
    runs: list[_Run] = []
    under_way: dict[nn.Module, _Run] = {}
    handles: list[RemovableHandle] = []

    def begin(block: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        entering = entering_states(arguments, named, shape)
        if entering is not None:
            under_way[block] = _Run(inputs=entering.clone())  # some blocks add in place

    def end(block: nn.Module, _arguments: Any, output: Any) -> None:
        run = under_way.pop(block, None)
        if run is not None:
            run.output = states_of(output, shape)
            runs.append(run)

    def note(block: nn.Module, path: str) -> Any:
        def call(inner: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
            run, tensor = under_way.get(block), states_of(output, shape)
            if run is not None and tensor is not None and tensor.shape == run.inputs.shape:
                inputs = states_of(arguments[0], shape) if arguments else None
                inputs = None if inputs is None else inputs.clone()
                run.calls.append(_Call(path=path, module=inner, inputs=inputs, output=tensor.clone()))

        return call

    for block in dict.fromkeys(structure.layers):
        handles.append(block.register_forward_pre_hook(begin, with_kwargs=True))
        handles += [inner.register_forward_hook(note(block, path)) for path, inner in block.named_modules() if path]
        handles.append(block.register_forward_hook(end))
    try:
        yield runs
    finally:
        for handle in handles:
            handle.remove()


def entering_states(arguments: Sequence[Any], named: dict[str, Any], shape: Sequence[int]) -> torch.Tensor | None:
    """The residual stream among a block's arguments; None where there is none."""
    return next(
        (found for value in (*arguments, *named.values()) if (found := states_of(value, shape)) is not None), None
    )


def _smallest_sum(run: _Run) -> tuple[tuple[Writer, ...], float]:
    """The smallest set of modules whose outputs sum to the block's update, and its relative error."""
    import torch

    if run.output is None or run.output.shape != run.inputs.shape:
        return (), float("nan")
    update = run.output.double() - run.inputs.double()
    size = float(update.norm())
    calls = _outermost(run.calls)
    if not size or not calls or len(calls) > MOST_CANDIDATES:
        return (), float("nan")
    vectors = torch.stack([call.output.double().flatten() for call in calls]).cpu().numpy()
    best, best_error = _best_subset(vectors, update.flatten().cpu().numpy(), size)
    rounding = torch.finfo(run.output.dtype).eps * ROUNDINGS * float(run.output.double().norm()) / size
    tolerance = TOLERANCE if run.output.dtype == torch.float32 else max(TOLERANCE, rounding)
    if best_error > tolerance:
        return (), best_error
    return tuple(_writer(calls[index], run.calls) for index in best), best_error


def _outermost(calls: list[_Call]) -> list[_Call]:
    """Of calls with equal outputs the one of the outermost module: what is inside it returned the same."""
    import torch

    kept: list[_Call] = []
    for call in sorted(calls, key=lambda each: each.path.count(".")):
        if not any(torch.equal(call.output, other.output) for other in kept):
            kept.append(call)
    return [call for call in calls if any(call is other for other in kept)]


def _best_subset(vectors: np.ndarray, target: np.ndarray, size: float) -> tuple[tuple[int, ...], float]:
    """The smallest set within the tolerance, else the best of all."""
    best: tuple[int, ...] = ()
    best_error = float("inf")
    for n_modules in range(1, min(MOST_SUBLAYERS, len(vectors)) + 1):
        for subset in itertools.combinations(range(len(vectors)), n_modules):
            error = float(np.linalg.norm(vectors[list(subset)].sum(0) - target)) / size
            if error < best_error:
                best, best_error = subset, error
        if best_error <= TOLERANCE:
            break
    return best, best_error


def _writer(call: _Call, calls: list[_Call]) -> Writer:
    """The module with the matrix that gives its output, or what it normalises."""
    import torch

    def matrix_of(output: torch.Tensor | None) -> nn.Module | None:
        same = (
            each
            for each in calls
            if _is_matrix(each.module) and output is not None and torch.equal(each.output, output)
        )
        return next((each.module for each in same), None)

    matrix = matrix_of(call.output)
    if matrix is None and scales_of(call.module) is not None:
        matrix = matrix_of(call.inputs)
    return Writer(module=call.module, matrix=matrix)


def _is_matrix(module: nn.Module) -> bool:
    return type(module).__name__ == "Conv1D" or _is_linear(module)


def _is_linear(module: nn.Module) -> bool:
    from torch import nn

    return isinstance(module, nn.Linear)


def weight_of(matrix: nn.Module) -> torch.Tensor:
    """``(width, n_neurons)``: a neuron is a column; transformers' ``Conv1D`` has it as a row."""
    weight: torch.Tensor = matrix.weight  # type: ignore[assignment]
    weight = weight.detach()
    return weight if _is_linear(matrix) else weight.T


def scales_of(module: nn.Module) -> torch.Tensor | None:
    """What an RMS norm multiplies each dimension by, ``(width,)``, apart from the token's own scale; None of other modules.

    A vector of ones has the RMS one, so that its norm is the weights, whether the module adds one to them or not.
    """
    import torch

    weight = getattr(module, "weight", None)
    if not isinstance(weight, torch.Tensor) or weight.ndim != 1 or weight.device.type == "meta":
        return None
    ones = torch.ones_like(weight)
    with torch.inference_mode():
        scales, doubled = module(ones), module(-2 * ones)
    is_rms = (
        isinstance(scales, torch.Tensor) and scales.shape == ones.shape and torch.allclose(doubled, -scales, rtol=1e-2)
    )
    return scales if is_rms and bool(scales.any()) else None


def _contains(module: nn.Module, inner: nn.Module) -> bool:
    return any(inner is each for each in module.modules())
