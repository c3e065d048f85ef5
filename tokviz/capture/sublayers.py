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

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.utils.hooks import RemovableHandle

TOLERANCE = 1e-4
"""The largest ‖sum − (output − input)‖ / ‖output − input‖ that is taken for rounding."""
EXACT = 1e-6
"""What rounding alone leaves of it: no better set is looked for."""
MORE_EXACT = 10
"""By which a larger set must be nearer than a smaller one that is within the tolerance."""
ROUNDINGS = 4
"""How many units of rounding of the stream the sum may be off, where that is more."""
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


def find_sublayers(module: nn.Module, structure: Structure) -> Sublayers:
    """Run a few tokens and find, layer by layer, the modules whose outputs sum to what the layer adds.

    The tokens are spread over the vocabulary, the same whatever is captured.

    Parameters
    ----------
    module : the base model that ``structure`` was found in, with its weights.
    """
    import torch

    config: Any = module.config
    ids = torch.tensor([number * config.vocab_size // 7 for number in range(1, 7)]).view(2, 3)
    with _watched(structure, ids.shape) as runs:
        forward(module, ids, torch.ones_like(ids))
    if len(runs) != structure.n_layers:  # the layers work on something else than the tokens that were fed
        return Sublayers(writers=((),) * structure.n_layers, sum_errors=(float("nan"),) * structure.n_layers)
    sums: list[_Sum] = []
    for run in runs:
        sums.append(_smallest_sum(run, [each.paths for each in sums]))
    # Beside a huge update a small one is within the tolerance: what writes in another layer writes here, too.
    all_paths = {each.paths for each in sums if each.paths}
    found = [_completed(each, run, all_paths) for each, run in zip(sums, runs, strict=True)]
    return Sublayers(
        writers=tuple(_writers(each, run) for each, run in zip(found, runs, strict=True)),
        sum_errors=tuple(each.error for each in found),
    )


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
    running: dict[nn.Module, _Run] = {}
    handles: list[RemovableHandle] = []

    def begin(block: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        entering = entering_states(arguments, named, shape)
        if entering is not None:
            running[block] = _Run(inputs=entering.clone())  # some blocks add in place

    def end(block: nn.Module, _arguments: Any, output: Any) -> None:
        run = running.pop(block, None)
        if run is not None:
            run.output = states_of(output, shape)
            runs.append(run)

    def note(block: nn.Module, path: str) -> Any:
        def call(inner: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
            run, tensor = running.get(block), states_of(output, shape)
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


@dataclass(frozen=True, kw_only=True)
class _Sum:
    """Modules of a block, by their paths in it, and how far their sum is from what the block adds."""

    paths: tuple[str, ...]
    """None where the sum is off."""
    error: float


def _smallest_sum(run: _Run, known: Sequence[tuple[str, ...]]) -> _Sum:
    """The smallest set of modules whose outputs sum to the block's update; one that is ``known`` if it does."""
    update = _update(run)
    calls = _outermost(run.calls)
    if update is None or not calls or len(calls) > MOST_CANDIDATES:
        return _Sum(paths=(), error=float("nan"))
    for paths in dict.fromkeys(known):
        error = _error_of(run, paths)
        if error <= max(EXACT, _rounding(run)):
            return _Sum(paths=paths, error=error)
    vectors = np.stack([_flat(call.output) for call in calls])
    best, best_error = _best_subset(vectors, update, max(EXACT, _rounding(run)))
    paths = tuple(calls[index].path for index in best)
    return _Sum(paths=paths if best_error <= _tolerance(run) else (), error=best_error)


def _completed(found: _Sum, run: _Run, all_paths: set[tuple[str, ...]]) -> _Sum:
    larger = [paths for paths in all_paths if found.paths and set(paths) > set(found.paths)]
    errors = {paths: error for paths in larger if (error := _error_of(run, paths)) <= _tolerance(run)}
    if not errors:
        return found
    most = max(errors, key=len)
    return _Sum(paths=most, error=errors[most])


def _error_of(run: _Run, paths: Sequence[str]) -> float:
    """‖sum − update‖ / ‖update‖ of modules; infinite where one of them didn't run, or nothing is added."""
    update = _update(run)
    outputs = {call.path: call.output for call in run.calls}
    if update is None or not paths or any(path not in outputs for path in paths):
        return float("inf")
    return float(np.linalg.norm(sum(_flat(outputs[path]) for path in paths) - update) / np.linalg.norm(update))


def _update(run: _Run) -> np.ndarray | None:
    """What the block adds, as one vector; None where it adds nothing, or returns something else."""
    if run.output is None or run.output.shape != run.inputs.shape:
        return None
    update = _flat(run.output) - _flat(run.inputs.to(run.output.device))
    return update if update.any() else None


def _flat(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.double().flatten().cpu().numpy())


def _tolerance(run: _Run) -> float:
    return max(TOLERANCE, ROUNDINGS * _rounding(run))


def _rounding(run: _Run) -> float:
    """Beside a huge stream, and in narrow types, what a layer adds is known to a few digits only."""
    import torch

    update = _update(run)
    if run.output is None or update is None:
        return 0.0
    return float(torch.finfo(run.output.dtype).eps * np.linalg.norm(_flat(run.output)) / np.linalg.norm(update))


def _outermost(calls: list[_Call]) -> list[_Call]:
    """Of calls with equal outputs the one of the outermost module: what is inside it returned the same."""
    import torch

    kept: list[_Call] = []
    for call in sorted(calls, key=lambda each: each.path.count(".")):
        if not any(torch.equal(call.output, other.output) for other in kept):
            kept.append(call)
    return [call for call in calls if any(call is other for other in kept)]


def _best_subset(vectors: np.ndarray, target: np.ndarray, exact: float) -> tuple[tuple[int, ...], float]:
    """The smallest set that sums to the target, unless a larger one does so far more exactly; else the best of all."""
    size = float(np.linalg.norm(target))
    best: tuple[int, ...] = ()
    best_error = float("inf")
    for n_modules in range(1, min(MOST_SUBLAYERS, len(vectors)) + 1):
        if best_error <= exact:
            break
        needed = best_error / MORE_EXACT if best_error <= TOLERANCE else best_error
        for subset in itertools.combinations(range(len(vectors)), n_modules):
            error = float(np.linalg.norm(vectors[list(subset)].sum(0) - target)) / size
            if error < needed:
                best, best_error, needed = subset, error, error
    return best, best_error


def _writers(found: _Sum, run: _Run) -> tuple[Writer, ...]:
    return tuple(_writer(next(call for call in run.calls if call.path == path), run.calls) for path in found.paths)


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
