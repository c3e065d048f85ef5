"""The Jacobian lens: how the score of a token at the end of a model grows with a hidden state, on average over a text.

"Verbalizable Representations Form a Global Workspace in Language Models", transformer-circuits.pub 2026. There the whole average
Jacobian of the last hidden state by a layer's is multiplied by the output matrix; here only by the rows of a few tokens, which
takes a vector–Jacobian product per token instead of one per dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.hooks import first_tensor, forward, hooked, is_streamed
from tokviz.capture.memory import limited_to_free_memory
from tokviz.capture.structure import PLAIN, Structure
from tokviz.errors import CaptureError
from tokviz.records import Directions

if TYPE_CHECKING:
    import torch
    from torch import nn

_TARGETS_AT_ONCE = 6
"""More are hardly faster, and their gradients are in memory together."""
_MOST_WORKERS = 4
"""Threads that derive by targets of their own; each has gradients in memory."""
_FAST_BFLOAT16 = ("avx512_bf16", "amx_bf16")
"""Instructions of processors that multiply matrices of bfloat16 several times as fast as of float32."""
_MOST_BYTES = 2**28
"""Of the directions that are in memory at once."""
_ALL_ZERO = "its hidden states at its end are all zero"
_ALIKE = 1e-3
"""Relative difference by which a norm may miss what a norm of its kind gives."""


def output_rows(module: nn.Module, structure: Structure, matrix: Any, ids: Sequence[int]) -> np.ndarray:
    """What the last layer's state is multiplied by for the scores of some tokens, but for the length of that state.

    Parameters
    ----------
    module : a base model in evaluation mode.
    structure : of it.
    matrix : the output matrix, ``(vocabulary, width)``.
    ids : of the tokens.

    Returns
    -------
    ``(n_tokens, width)`` float64: the rows of the output matrix times the multiplier of the last norm; where this is a LayerNorm,
    less their mean, as it takes the mean from the state.

    Raises
    ------
    CaptureError : between the last layer and the output matrix is something else than one such norm, or its rows aren't finite.
    """
    import torch

    multiplier, is_centered = _last_norm(module, structure, ids[:3])
    if (
        not isinstance(matrix, torch.Tensor)
        or not matrix.is_floating_point()
        or matrix.is_meta
        or matrix.ndim != 2
        or matrix.shape[1] != len(multiplier)
    ):
        raise CaptureError("its output matrix is quantized, or not of the width of its hidden states")
    rows: np.ndarray = matrix.detach()[list(ids)].double().cpu().numpy() * multiplier
    if not np.isfinite(rows).all():
        raise CaptureError("its output matrix holds infinity or NaN")
    return rows - rows.mean(axis=1, keepdims=True) if is_centered else rows


def require_plain_head(head: Any, module: nn.Module, ids: Sequence[int]) -> None:
    """Refuse a model whose output matrix gets something else than what its base model gives, but for one factor: BERT's, say.

    Parameters
    ----------
    head : the model with its output matrix, in evaluation mode.
    module : the base model in it.
    ids : of some tokens.
    """
    import torch

    given: list[torch.Tensor | None] = []

    def note(_module: nn.Module, inputs: Any, _output: Any) -> None:
        given.append(first_tensor(inputs))

    some = torch.tensor([list(ids)])
    # Apart, as OPT's head calls only a part of its base model.
    base = first_tensor(forward(module, some, torch.ones_like(some)))
    if base is not None and not base.any():
        raise CaptureError(_ALL_ZERO)
    with hooked({head.get_output_embeddings(): note}):
        forward(head, some, torch.ones_like(some))
    got = given[-1] if given else None
    if base is not None and got is not None and base.shape == got.shape:
        one, other = (each.double().flatten().cpu() for each in (base, got))
        if (other - one * ((one @ other) / (one @ one))).norm() <= _tolerance(base) * other.norm():
            return
    raise CaptureError("between its last layer and its output matrix is something else than one norm")


def directions(
    module: nn.Module,
    structure: Structure,
    rows: np.ndarray,
    passages: np.ndarray,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, ...]]]:
    """The mean over passages and source positions of ∂(Σ of ``rows`` · last state over all positions) / ∂(state at the source).

    Of either half of the passages, every other one. The first ``Directions.N_LEFT_OUT`` positions are no sources.

    Parameters
    ----------
    module : a base model in evaluation mode whose tokens don't see later ones.
    structure : of it.
    rows : ``(n_tokens, width)``, as ``output_rows`` gives them.
    passages : ``(n_passages, n_positions)`` int64, ids; two or more.
    on_progress : takes how many more backward passes are done, each of one token through ``Directions.N_AT_ONCE`` passages.

    Yields
    ------
    Which of the tokens, ``(n,)`` int64, and per depth ``(2, n, width)`` float32; all tokens once.

    Raises
    ------
    CaptureError : its layers can't be derived by, or not in finite numbers.
    """
    import torch

    if is_streamed(module):
        raise CaptureError("its weights are read in every pass")
    if any(layout != PLAIN for layout in structure.layouts.values()):
        raise CaptureError("its layers give something else than one state per token")
    n_at_once = max(1, _MOST_BYTES // (8 * rows.shape[1] * (structure.n_layers + 1)))
    for first in range(0, len(rows), n_at_once):
        some = np.arange(first, min(first + n_at_once, len(rows)))
        # The caller may have turned gradients off.
        with torch.inference_mode(mode=False), torch.enable_grad(), _weights_fixed(module), _fast_passes(module):
            found = _directions(module, structure, rows[some], passages, on_progress)
        if not all(np.isfinite(each).all() for each in found):
            raise CaptureError("its derivatives are too large for float32, or NaN")
        yield some, found


def _directions(
    module: nn.Module,
    structure: Structure,
    rows: np.ndarray,
    passages: np.ndarray,
    on_progress: Callable[[int], None],
) -> tuple[np.ndarray, ...]:
    import torch

    total: list[torch.Tensor] | None = None
    for start in range(0, len(passages), Directions.N_AT_ONCE):
        ids = torch.from_numpy(passages[start : start + Directions.N_AT_ONCE])
        taps = _Taps(structure, ids.shape[1], (start + torch.arange(len(ids))) % 2)
        with hooked(dict.fromkeys((structure.embedding, *structure.layers), taps.tap)):
            forward(module, ids, torch.ones_like(ids), with_gradients=True)
        with limited_to_free_memory(ids.device):
            found = taps.gradients(rows, on_progress)
        total = found if total is None else [sum_so_far + own for sum_so_far, own in zip(total, found, strict=True)]
    in_halves = torch.tensor([len(passages[half::2]) for half in range(2)])
    n_sources = in_halves * (passages.shape[1] - Directions.N_LEFT_OUT)
    return tuple((each / n_sources[:, None, None]).float().numpy() for each in total or ())


class _Taps:
    """Zeros that are added to the states of all sources at a depth: the gradient by one of them is the sum over the sources.

    So no gradient by a state is kept, but two vectors per depth, one for either half of the passages.
    """

    def __init__(self, structure: Structure, n_positions: int, halves: torch.Tensor) -> None:
        """``halves``: ``(n_passages,)`` int64: to which half each belongs."""
        import torch

        self._depths = {module: list(depths) for module, depths in structure.depths_of.items()}
        self._zeros: list[torch.Tensor | None] = [None] * (structure.n_layers + 1)
        self._last: torch.Tensor | None = None
        self._halves = halves
        self._is_source = torch.arange(n_positions)[:, None] >= Directions.N_LEFT_OUT

    def tap(self, module: nn.Module, _inputs: Any, output: Any) -> Any:
        """A forward hook: what goes on is the module's output, plus zeros."""
        import torch

        states = first_tensor(output)
        if states is None or not states.is_floating_point():
            raise CaptureError("its layers give something else than one state per token")
        depth = self._depths[module].pop(0)
        zeros = torch.zeros((2, states.shape[-1]), device=states.device, dtype=torch.float32, requires_grad=True)
        # No matrix product, as those may be in lower precision: the last depth's direction is the row itself.
        added = zeros[self._halves.to(states.device), None] * self._is_source.to(zeros)
        tapped = states + added.to(states.dtype)
        self._zeros[depth], self._last = zeros, tapped
        if isinstance(output, torch.Tensor):
            return tapped
        if isinstance(output, tuple):
            return (tapped, *output[1:])
        raise CaptureError(f"its layers give {type(output).__name__} instead of states")

    def gradients(self, rows: np.ndarray, on_progress: Callable[[int], None]) -> list[torch.Tensor]:
        """Per depth ``(2, n_tokens, width)`` float64, of the sum over all positions of the last state times each row."""
        import torch

        zeros = [each for each in self._zeros if each is not None]
        if self._last is None or len(zeros) < len(self._zeros):
            raise CaptureError("its layers don't run in every pass")
        end = self._last.float().sum((0, 1)) if self._last.dtype != torch.float64 else self._last.sum((0, 1))
        weights = torch.from_numpy(rows).to(end)
        # It holds for one thread only.
        is_cast = torch.is_autocast_enabled("cpu")

        def of_some(some: torch.Tensor) -> list[torch.Tensor]:
            with torch.autocast("cpu", torch.bfloat16, enabled=is_cast):
                gradients = torch.autograd.grad(
                    end, zeros, grad_outputs=some, retain_graph=True, is_grads_batched=True, allow_unused=True
                )
            return [
                torch.zeros(len(some), *zero.shape, dtype=torch.float64) if each is None else each.double().cpu()
                for each, zero in zip(gradients, zeros, strict=True)
            ]

        found: list[list[torch.Tensor]] = []
        with _side_by_side(end.device) as (workers, n_workers):
            n_rounds = math.ceil(len(weights) / (n_workers * _TARGETS_AT_ONCE))
            for each in workers.map(of_some, weights.tensor_split(min(n_rounds * n_workers, len(weights)))):
                found.append(each)
                on_progress(len(each[0]))
        return [torch.cat(of_depth).movedim(0, 1) for of_depth in zip(*found, strict=True)]


@contextmanager
def _side_by_side(device: torch.device) -> Iterator[tuple[Executor, int]]:
    """Threads that share torch's own, and how many: layers are too small for several threads to gain much from each of their products."""
    import torch

    n_threads = torch.get_num_threads()
    n_workers = min(n_threads, _MOST_WORKERS) if device.type == "cpu" else 1
    try:
        with ThreadPoolExecutor(
            n_workers, initializer=partial(torch.set_num_threads, n_threads // n_workers)
        ) as workers:
            yield workers, n_workers
    finally:
        torch.set_num_threads(n_threads)


@contextmanager
def _fast_passes(module: nn.Module) -> Iterator[None]:
    """Within the block passes are made so that what is derived by them costs less.

    Attention is plain products: the backward of fused kernels takes targets one by one. On processors that are made for it, products
    of weights in float32 are in bfloat16; sums over layers and positions stay in float32. SmolLM2's directions then have a cosine of
    0.9999 or more with those in float32, where those of both halves of the text have 0.3 to 0.99 with each other.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    # Older versions of torch don't say.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    is_fast = any(capabilities.get(each) for each in _FAST_BFLOAT16)
    is_plain = all(each.device.type == "cpu" and each.dtype == torch.float32 for each in module.parameters())
    with sdpa_kernel(SDPBackend.MATH), torch.autocast("cpu", torch.bfloat16, enabled=is_fast and is_plain):
        yield


@contextmanager
def _weights_fixed(module: nn.Module) -> Iterator[None]:
    """Within the block nothing is derived by weights."""
    trained = [each for each in module.parameters() if each.requires_grad]
    for each in trained:
        each.requires_grad_(False)
    try:
        yield
    finally:
        for each in trained:
            each.requires_grad_(True)


# --- the last norm -------------------------------------------------------------------------------------------------


def _last_norm(module: nn.Module, structure: Structure, tried: Sequence[int]) -> tuple[np.ndarray, bool]:
    """What the norm after the last layer multiplies each dimension by, ``(width,)``, and whether it takes the mean first.

    ``tried``: the ids of some tokens.

    It is found by what it does: it gets the last layer's states and gives what the model returns. So is its multiplier,
    which some families store less 1.
    """
    import torch

    ids = torch.tensor([list(tried)])
    found: list[tuple[nn.Module, torch.Tensor, torch.Tensor]] = []
    given: list[torch.Tensor] = []

    def note_last(_module: nn.Module, _inputs: Any, output: Any) -> None:
        states = first_tensor(output)
        if states is not None:
            given.append(states)

    def note(called: nn.Module, inputs: Any, output: Any) -> None:
        got = inputs[0] if inputs and isinstance(inputs[0], torch.Tensor) else None
        if given and got is not None and isinstance(output, torch.Tensor) and got.shape == output.shape:
            found.append((called, got, output))

    blocks = set(structure.layers)
    others = {each: note for each in module.modules() if each is not module and each not in blocks}
    with hooked({**others, structure.layers[-1]: note_last}):
        result = first_tensor(forward(module, ids, torch.ones_like(ids)))
    if result is None or not given:
        raise CaptureError("it gives no hidden states at its end")
    if not given[-1].any() or not result.any():
        raise CaptureError(_ALL_ZERO)
    last = given[-1]
    if last.shape == result.shape and torch.equal(last, result):
        return np.ones(last.shape[-1]), False
    norm = next((each for each, got, gave in found if torch.equal(got, last) and torch.equal(gave, result)), None)
    multiplier = None if norm is None else _multiplier(norm, last)
    if multiplier is None:
        raise CaptureError("between its last layer and its output matrix is something else than one norm")
    return multiplier


def _multiplier(norm: nn.Module, like: torch.Tensor) -> tuple[np.ndarray, bool] | None:
    """Of a module that is an RMSNorm or a LayerNorm; None for another."""
    import torch

    width = like.shape[-1]
    # Long, so that what norms add to the variance doesn't count.
    tried = 100 * torch.randn((1, 3, width), generator=torch.Generator().manual_seed(0)).to(like)
    with torch.inference_mode():
        bias = norm(torch.zeros_like(tried)).double()
        gave = norm(tried).double() - bias
    tried = tried.double()
    for is_centered in (False, True):
        states = tried - tried.mean(-1, keepdim=True) if is_centered else tried
        normed = states / states.square().mean(-1, keepdim=True).sqrt()
        # The least-squares multiplier over the three states that were tried.
        multiplier = (gave * normed).sum((0, 1)) / normed.square().sum((0, 1))
        rest = (gave - multiplier * normed).norm() / gave.norm()
        if bool(rest < _tolerance(like)):
            return multiplier.cpu().numpy(), is_centered
    return None


def _tolerance(like: torch.Tensor) -> float:
    import torch

    return max(_ALIKE, 4 * torch.finfo(like.dtype).eps)
