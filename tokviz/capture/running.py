"""Words through the model, batch by batch: their states at every depth."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.hooks import Hook, first_tensor, forward, hooked, is_streamed, one_line
from tokviz.capture.structure import Structure
from tokviz.errors import CaptureError
from tokviz.records import N_EXTREMES, CapturedBatch, Tokenization

if TYPE_CHECKING:
    import torch
    from torch import nn

MOST_KEPT = 2**30
"""Bytes of hidden states that one forward pass may leave behind, at all depths, where weights are streamed."""
READ_PER_SECOND, OPERATIONS_PER_SECOND = 2e9, 5e10
"""Roughly what a plain SSD gives in bytes, and what one processor computes in float32."""
ENOUGH_KEPT, ENOUGH_TOKENS = 2**27, 8_192
"""Where they are in memory: a pass over more takes more memory and saves no time."""


def sharing_passes(module: nn.Module, tokenizations: Sequence[Tokenization]) -> list[list[int]]:
    """Which contexts go through the model together: lists of their indices.

    Each by itself where weights are in memory. Where they are streamed, contexts share the passes, and the reading of the
    weights, as long as the padding of the shorter texts costs less time than reading once more: on GPUs always, on processors
    where the texts are of about the same length.
    """
    import torch

    if not is_streamed(module):
        return [[index] for index in range(len(tokenizations))]
    if torch.accelerator.is_available():
        return [list(range(len(tokenizations)))]
    bytes_each = next(module.parameters()).element_size()
    # Per weight: 2 operations for a token of padding, so many bytes for reading it.
    most_padding = bytes_each / READ_PER_SECOND * OPERATIONS_PER_SECOND * torch.get_num_threads() / 2
    longest = [max(len(word.ids) for word in each.words) for each in tokenizations]
    groups: list[list[int]] = []
    for index in sorted(range(len(tokenizations)), key=longest.__getitem__):
        if groups:
            n_words = sum(len(tokenizations[other].words) for other in groups[-1])
            if n_words * (longest[index] - longest[groups[-1][-1]]) <= most_padding:
                groups[-1].append(index)
                continue
        groups.append([index])
    return groups


def capture_together(
    module: nn.Module,
    structure: Structure,
    tokenizations: Sequence[Tokenization],
    token_budget: int,
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, CapturedBatch]]:
    """``capture`` in several contexts at once: a context's index and a batch of it, until each has all its words.

    Where ``token_budget`` and ``MOST_KEPT`` allow it all go in one pass, so that streamed weights are read once.
    """
    together = Tokenization(
        words=tuple(word for tokenization in tokenizations for word in tokenization.words),
        read=tokenizations[0].read,
    )
    first_rows = np.cumsum([0, *(len(tokenization.words) for tokenization in tokenizations)])
    for batch in capture(module, structure, together, token_budget, on_progress):
        for index, (start, stop) in enumerate(itertools.pairwise(first_rows)):
            inside = np.flatnonzero((batch.rows >= start) & (batch.rows < stop))
            if len(inside):
                yield (
                    index,
                    CapturedBatch(
                        rows=batch.rows[inside] - start,
                        states=tuple(state[inside] for state in batch.states),
                        position0_values=batch.position0_values[:, inside],
                        position0_dimensions=batch.position0_dimensions[:, inside],
                    ),
                )


def capture(
    module: nn.Module,
    structure: Structure,
    tokenization: Tokenization,
    token_budget: int,
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[CapturedBatch]:
    """Run all words through the model and yield their states, float32, in batches that cover each row once.

    Parameters
    ----------
    module : the base model that ``structure`` was found in, in evaluation mode.
    tokenization : the words; its ``read`` says which of a word's tokens counts.
    token_budget : the most tokens, padding included, of one forward pass. All words go in one pass if they fit, so
        that each weight is read once; else words of like length go together. ``MOST_KEPT`` is a bound besides, and
        less will do where weights aren't read for each pass.
    on_progress : called after each pass with the number of words that it took.

    Raises
    ------
    CaptureError : a state is NaN or infinite, memory ran out, or the forward pass failed.
    """
    width: int = module.config.hidden_size  # type: ignore[union-attr, assignment]
    most_kept = MOST_KEPT
    if not is_streamed(module):
        most_kept, token_budget = ENOUGH_KEPT, min(token_budget, ENOUGH_TOKENS)
    most_words = max(1, most_kept // ((structure.n_layers + 1) * width * 4))
    for rows in _batches([len(word.ids) for word in tokenization.words], token_budget, most_words):
        yield _capture_batch(module, structure, tokenization, rows)
        if on_progress is not None:
            on_progress(len(rows))


def _batches(lengths: list[int], token_budget: int, most_words: int) -> Iterator[np.ndarray]:
    """Rows of each pass, ``(n_batch,)`` int64: words of like length together, shortest first."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        # Lengths ascend, so this row's is what the whole batch would be padded to.
        if batch and ((len(batch) + 1) * lengths[row] > token_budget or len(batch) == most_words):
            yield np.array(batch, dtype=np.int64)
            batch = []
        batch.append(row)
    if batch:
        yield np.array(batch, dtype=np.int64)


def _capture_batch(
    module: nn.Module, structure: Structure, tokenization: Tokenization, rows: np.ndarray
) -> CapturedBatch:
    import torch

    words = [tokenization.words[row] for row in rows]
    n_batch, n_depths = len(words), structure.n_layers + 1
    # Padding on the right keeps every position; what is fed there is masked, or comes after all that is read.
    ids = torch.zeros((n_batch, max(len(word.ids) for word in words)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for index, word in enumerate(words):
        ids[index, : len(word.ids)] = torch.tensor(word.ids)
        mask[index, : len(word.ids)] = 1
    positions = torch.tensor([tokenization.position(row) for row in rows])

    states: dict[int, np.ndarray] = {}
    values = np.zeros((n_depths, n_batch, N_EXTREMES), dtype=np.float32)
    dimensions = np.full((n_depths, n_batch, N_EXTREMES), -1, dtype=np.int32)

    def read(tensor: torch.Tensor) -> torch.Tensor:
        """``(n_batch, tokens, width)`` → ``(n_batch, width)``."""
        if tokenization.read == "mean":
            return torch.stack([tensor[i, word.start : word.stop].float().mean(0) for i, word in enumerate(words)])
        return tensor[torch.arange(n_batch, device=tensor.device), positions.to(tensor.device)].float()

    def hook_for(depths: list[int]) -> Hook:
        pending = iter(depths)

        def keep(_part: nn.Module, _inputs: Any, output: Any) -> None:
            depth = next(pending, None)
            tensor = first_tensor(output)
            if depth is None or tensor is None or tensor.shape[:-1] != ids.shape:
                got = "more" if depth is None else tuple(getattr(tensor, "shape", ())) or type(output).__name__
                raise CaptureError(
                    f"{structure.module_paths[depths[0]]}: expected {len(depths)} output(s) of shape "
                    f"(batch, tokens, width) with {tuple(ids.shape)} first, got {got}"
                )
            state, at_position0 = read(tensor), tensor[:, 0].float()
            if not bool(torch.isfinite(state).all() and torch.isfinite(at_position0).all()):
                raise CaptureError(_not_finite(structure, depth, tensor.dtype))
            top = at_position0.abs().topk(min(N_EXTREMES, at_position0.shape[-1]))
            states[depth] = state.cpu().numpy()
            values[depth, :, : top.values.shape[-1]] = top.values.cpu().numpy()
            dimensions[depth, :, : top.indices.shape[-1]] = top.indices.cpu().numpy()
            if depth == structure.n_layers and not structure.is_whole:
                raise _EnoughError

        return keep

    with hooked({part: hook_for(depths) for part, depths in structure.depths_of.items()}):
        try:
            forward(module, ids, mask)
        except _EnoughError:
            pass  # what comes after isn't asked for
        except CaptureError:
            raise
        except Exception as error:
            raise CaptureError(_failed(module, error, n_batch, ids.shape[1])) from error
    missing = [structure.describe(depth) for depth in range(n_depths) if depth not in states]
    if missing:
        raise CaptureError(f"{missing[0]}: expected an output in every forward pass, got none")
    return CapturedBatch(
        rows=rows,
        states=tuple(states[depth] for depth in range(n_depths)),
        position0_values=values,
        position0_dimensions=dimensions,
    )


class _EnoughError(Exception):
    """Ends a forward pass at the last depth that is asked for."""


def _not_finite(structure: Structure, depth: int, dtype: Any) -> str:
    name = str(dtype).removeprefix("torch.")
    remedy = "the weights may be damaged" if name == "float32" else 'set dtype = "float32" for this model'
    return f"{structure.describe(depth)}: expected finite hidden states, got NaN or infinity in {name}; {remedy}"


def _failed(module: nn.Module, error: Exception, n_batch: int, n_tokens: int) -> str:
    import torch

    size = f"{n_batch} words × {n_tokens} tokens"
    out_of_memory = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)
    if out_of_memory:
        return (
            f"{type(module).__name__}: memory ran out in a forward pass over {size}; "
            f'set token_budget in the config below {n_batch * n_tokens}, or device_map = "auto" for this model'
        )
    return f"{type(module).__name__}: the forward pass over {size} failed: {one_line(error)}"
