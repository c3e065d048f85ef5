"""One forward pass with hooks: the hidden states of every word at every depth.

The embedding is what the model's embedding module returns (Gemma scales it in there), a layer's state is what the
block itself returns: ``output_hidden_states`` gives the last layer only after the final norm, and for many families
adds positions to the embedding.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.errors import CaptureError, StructureError
from tokviz.records import N_EXTREMES, CapturedBatch, Tokenization, depth_name

if TYPE_CHECKING:
    import torch
    from torch import nn

Hook = Callable[["nn.Module", Any, Any], None]

MOST_KEPT = 2**30
"""Bytes of hidden states that one forward pass may leave behind, at all depths, where weights are streamed."""
ENOUGH_KEPT, ENOUGH_TOKENS = 2**27, 8_192
"""Where they are in memory: a pass over more takes more memory and saves no time."""


@dataclass(frozen=True, kw_only=True)
class Structure:
    """Where a model's hidden states come out."""

    embedding: nn.Module
    layers: tuple[nn.Module, ...]
    """The blocks in the order in which they run; one that runs several times stands there as often."""
    module_paths: tuple[str, ...]
    """Per depth, as in the post: ``model.embed_tokens``, ``model.layers.0``; ``…@1`` is a block's second run."""
    is_whole: bool = True
    """If not, a forward pass ends at the last of ``layers``."""

    @property
    def n_layers(self) -> int:
        return len(self.layers)

    def up_to(self, n_depths: int | None) -> Structure:
        """Only the first ``n_depths``, the embedding included; all for None.

        Raises ``StructureError`` when the model has fewer.
        """
        if n_depths is None or n_depths == self.n_layers + 1:
            return self
        if n_depths > self.n_layers + 1:
            raise StructureError(
                f"words.layers: expected layers that the model has, up to {self.n_layers - 1}, got {n_depths - 2}"
            )
        return replace(
            self, layers=self.layers[: n_depths - 1], module_paths=self.module_paths[:n_depths], is_whole=False
        )

    @property
    def depths_of(self) -> dict[nn.Module, list[int]]:
        """Per hooked module the depths that its calls give, in the order of the calls."""
        depths: dict[nn.Module, list[int]] = {}
        for depth, module in enumerate((self.embedding, *self.layers)):
            depths.setdefault(module, []).append(depth)
        return depths

    def describe(self, depth: int) -> str:
        """``model.layers.6, after layer 6``, for errors."""
        where = "the embedding" if depth == 0 else f"after {depth_name(depth)}"
        return f"{self.module_paths[depth]}, {where}"


# --- finding the structure ---------------------------------------------------------------------------------------


def find_structure(module: nn.Module, base_model_prefix: str) -> Structure:
    """Find the token embedding and the blocks by what they do, not by the model's name.

    A traced forward pass over 2 × 3 tokens counts the calls of each module that stands in a ``ModuleList`` and gives
    ``(batch, tokens, width)``. The stack is the outermost list (or the lists together) called as often as the
    config has layers, so a shared block that runs n times counts n times.

    Parameters
    ----------
    module : a base model, without its language-model head.
    base_model_prefix : put before every module path.

    Raises
    ------
    StructureError : says what was looked for and what was found.
    """
    name = type(module).__name__
    config: Any = module.config
    n_layers, width = getattr(config, "num_hidden_layers", None), getattr(config, "hidden_size", None)
    if not isinstance(n_layers, int) or not isinstance(width, int):
        raise StructureError(
            f"{name}: expected num_hidden_layers and hidden_size in its config, got {n_layers!r} and {width!r}; "
            "this kind of model can't be captured"
        )
    embedding = _embedding_of(module)
    lists = _outermost_lists(module)
    calls = _calls(module, embedding, {block for blocks in lists.values() for block in blocks}, width)
    if calls.count(embedding) != 1:
        raise StructureError(
            f"{name}: expected its token embedding {type(embedding).__name__} to run once per forward pass and give "
            f"(batch, tokens, width), got {calls.count(embedding)} such runs; this kind of model can't be captured"
        )
    runs = {path: [block for block in calls if block in blocks] for path, blocks in lists.items()}
    runs = {path: blocks for path, blocks in runs.items() if blocks}
    fitting = [blocks for blocks in runs.values() if len(blocks) == n_layers]
    together = [block for block in calls if block is not embedding]
    if len(fitting) == 1:
        layers = fitting[0]
    elif not fitting and len(together) == n_layers:
        layers = together
    else:
        found = ", ".join(f"{path} ({len(blocks)} calls)" for path, blocks in runs.items()) or "none"
        raise StructureError(
            f"{name}: expected one list of blocks that is called {n_layers} times (num_hidden_layers) and gives "
            f"(batch, tokens, {width}), found {found}; this kind of model can't be captured"
        )
    return Structure(
        embedding=embedding,
        layers=tuple(layers),
        module_paths=_display_paths(module, base_model_prefix, [embedding, *layers]),
    )


def _embedding_of(module: Any) -> nn.Module:
    try:
        embedding: nn.Module | None = module.get_input_embeddings()
    except (NotImplementedError, AttributeError):
        embedding = None
    if embedding is None:
        raise StructureError(
            f"{type(module).__name__}: expected a token embedding from get_input_embeddings(), got none; "
            "this kind of model can't be captured"
        )
    return embedding


def _outermost_lists(module: nn.Module) -> dict[str, set[nn.Module]]:
    """Path → members of each ``ModuleList`` that stands in no other."""
    from torch import nn

    lists: dict[str, set[nn.Module]] = {}
    for path, part in module.named_modules():
        inside_another = any(path.startswith(f"{outer}.") for outer in lists)
        if isinstance(part, nn.ModuleList) and not inside_another:
            lists[path] = set(part)
    return lists


def is_streamed(module: nn.Module) -> bool:
    """Whether weights are read from disk, or moved to where they run, in every forward pass."""
    return any(parameter.device.type == "meta" for parameter in module.parameters())


def _calls(module: nn.Module, embedding: nn.Module, blocks: set[nn.Module], width: int) -> list[nn.Module]:
    """The modules among those given whose calls gave ``(batch, tokens, width)``, in the order of the calls."""
    if is_streamed(module):
        twin = _without_weights(module)
        if twin is not None:
            # Reading tens of gigabytes to see in which order blocks run would double the time of a capture.
            name_of = {part: path for path, part in module.named_modules(remove_duplicate=False)}
            part_of = dict(module.named_modules())
            path_of = {part: path for path, part in twin.named_modules()}
            parts = dict(twin.named_modules(remove_duplicate=False))
            try:
                ours = {parts[name_of[block]] for block in blocks}
                calls = _trace(twin, parts[name_of[embedding]], ours, width, only_shapes=True)
            except (StructureError, KeyError):
                pass  # not every family runs without data; then the weights are read once more
            else:
                return [part_of[path_of[call]] for call in calls]
    return _trace(module, embedding, blocks, width)


def _without_weights(module: Any) -> nn.Module | None:
    """The same architecture on the device that computes shapes only; None for a class that isn't made from a config."""
    import torch

    try:
        with torch.device("meta"):
            twin: nn.Module = type(module)(module.config).eval()
        return twin.to(torch.bfloat16)  # experts' grouped products know the shapes of no other
    except (TypeError, ValueError, AttributeError, NotImplementedError, RuntimeError):
        return None


def _trace(
    module: nn.Module, embedding: nn.Module, blocks: set[nn.Module], width: int, *, only_shapes: bool = False
) -> list[nn.Module]:
    """What ``_calls`` gives, seen in a forward pass; ``only_shapes`` for a model on torch's "meta" device."""
    import torch

    ids = torch.zeros((2, 3), dtype=torch.long, device="meta" if only_shapes else None)
    calls: list[nn.Module] = []

    def note(part: nn.Module, _inputs: Any, output: Any) -> None:
        tensor = _first_tensor(output)
        # Only the embedding may be narrower or wider than the hidden states.
        if tensor is not None and tensor.shape[:-1] == ids.shape and (part is embedding or tensor.shape[-1] == width):
            calls.append(part)

    with _hooked({part: note for part in (embedding, *blocks)}):
        try:
            # What a mask hides is looked up in its values, and shapes have none.
            _forward(module, ids, None if only_shapes else torch.ones_like(ids))
        except Exception as error:
            raise StructureError(
                f"{type(module).__name__}: a first forward pass over six tokens failed: {_one_line(error)}"
            ) from error
    return calls


def _display_paths(module: nn.Module, prefix: str, parts: list[nn.Module]) -> tuple[str, ...]:
    path_of: dict[nn.Module, str] = {}
    for path, part in module.named_modules():
        path_of.setdefault(part, f"{prefix}.{path}" if prefix else path)
    seen: dict[nn.Module, int] = {}
    paths = []
    for part in parts:
        run = seen[part] = seen.get(part, -1) + 1
        paths.append(f"{path_of[part]}@{run}" if parts.count(part) > 1 else path_of[part])
    return tuple(paths)


# --- capturing ---------------------------------------------------------------------------------------------------


def capture_together(
    module: nn.Module,
    structure: Structure,
    tokenizations: Sequence[Tokenization],
    token_budget: int,
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, CapturedBatch]]:
    """``capture`` in several contexts at once: a context's index and a batch of it, until each has all its words.

    Where weights are streamed from disk they are the slow part: the words of all contexts share the forward passes, and
    where ``token_budget`` and ``MOST_KEPT`` allow it all go in one, so that each weight is read once.
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
        most_kept, token_budget = min(MOST_KEPT, ENOUGH_KEPT), min(token_budget, ENOUGH_TOKENS)
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
            tensor = _first_tensor(output)
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

    with _hooked({part: hook_for(depths) for part, depths in structure.depths_of.items()}):
        try:
            _forward(module, ids, mask)
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
    return f"{type(module).__name__}: the forward pass over {size} failed: {_one_line(error)}"


# --- shared by both ----------------------------------------------------------------------------------------------


@contextmanager
def _hooked(hooks: dict[nn.Module, Hook]) -> Iterator[None]:
    """Forward hooks that are gone afterwards, whatever happens."""
    handles = [part.register_forward_hook(hook) for part, hook in hooks.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _forward(module: nn.Module, ids: torch.Tensor, mask: torch.Tensor | None) -> None:
    """Run ``ids`` and ``mask``, both ``(batch, tokens)`` int64, for what the hooks see."""
    import torch

    # The class's own signature: accelerate wraps the instance's ``forward``.
    accepted = inspect.signature(type(module).forward).parameters
    # Offloaded weights lie on the "meta" device; the layers move their inputs to where they run.
    device = next((p.device for p in module.parameters() if p.device.type != "meta"), ids.device)
    options: dict[str, Any] = {}
    if "attention_mask" in accepted and mask is not None:
        options["attention_mask"] = mask.to(device)
    if "use_cache" in accepted:
        # Without mask and cache decoders look for packed sequences, in the values of the ids.
        options["use_cache"] = mask is None and getattr(module.config, "is_decoder", True)
    with torch.inference_mode():
        module(input_ids=ids.to(device), **options)


def _first_tensor(output: Any) -> torch.Tensor | None:
    """A block's hidden states: its output, or the first of a tuple or ``ModelOutput``."""
    import torch

    if not isinstance(output, torch.Tensor):
        try:
            output = output[0]
        except (TypeError, KeyError, IndexError):
            return None
    return output if isinstance(output, torch.Tensor) and output.ndim == 3 else None


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"
