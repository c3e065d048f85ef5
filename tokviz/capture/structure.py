"""Where a model's hidden states come out: its token embedding and its blocks, found by what they do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tokviz.capture.hooks import first_tensor, forward, hooked, is_streamed
from tokviz.errors import StructureError
from tokviz.records import depth_name
from tokviz.text import error_line

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Structure:
    """Where a model's hidden states come out."""

    embedding: nn.Module
    layers: tuple[nn.Module, ...]
    """The blocks in the order in which they run; one that runs several times is listed once for each run."""
    module_paths: tuple[str, ...]
    """Per depth, as in the post: ``model.embed_tokens``, ``model.layers.0``; ``…@1`` is a block's second run."""
    is_whole: bool = True
    """If not, a forward pass ends at the last of ``layers``."""

    @property
    def n_layers(self) -> int:
        """How many blocks run; a block that runs several times counts each time."""
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
        """For each hooked module the depths of its outputs, in the order of its calls."""
        depths: dict[nn.Module, list[int]] = {}
        for depth, module in enumerate((self.embedding, *self.layers)):
            depths.setdefault(module, []).append(depth)
        return depths

    def describe(self, depth: int) -> str:
        """``model.layers.6, after layer 6``, for errors."""
        where = "the embedding" if depth == 0 else f"after {depth_name(depth)}"
        return f"{self.module_paths[depth]}, {where}"


def find_structure(module: nn.Module, base_model_prefix: str) -> Structure:
    """Find the token embedding and the blocks by what they do, not by the model's name.

    A traced forward pass over 2 × 3 tokens notes each call of a module in a ``ModuleList`` that returns
    ``(batch, tokens, width)``. The layers are the outermost list whose members are called as often as the config has
    layers, or all lists together; a shared block that runs n times counts n times.

    Parameters
    ----------
    module : a base model, without its language-model head.
    base_model_prefix : put before every module path.

    Raises
    ------
    StructureError : no such module, or no such list, was found.
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
    layers = _layers_among(runs, [block for block in calls if block is not embedding], n_layers)
    if layers is None:
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


def _layers_among(runs: dict[str, list[nn.Module]], together: list[nn.Module], n_layers: int) -> list[nn.Module] | None:
    """The one list that ran ``n_layers`` times, else all lists together if those did; None where neither is clear."""
    fitting = [blocks for blocks in runs.values() if len(blocks) == n_layers]
    if len(fitting) == 1:
        return fitting[0]
    return together if not fitting and len(together) == n_layers else None


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
    """Path → members of each ``ModuleList`` that is not inside another."""
    from torch import nn

    lists: dict[str, set[nn.Module]] = {}
    for path, submodule in module.named_modules():
        inside_another = any(path.startswith(f"{outer}.") for outer in lists)
        if isinstance(submodule, nn.ModuleList) and not inside_another:
            lists[path] = set(submodule)
    return lists


def _calls(module: nn.Module, embedding: nn.Module, blocks: set[nn.Module], width: int) -> list[nn.Module]:
    """The calls of ``embedding`` and ``blocks`` that returned ``(batch, tokens, width)``, in their order."""
    # Reading tens of gigabytes to see in which order blocks run would double the time of a capture.
    calls = _calls_without_weights(module, embedding, blocks, width) if is_streamed(module) else None
    return _trace(module, embedding, blocks, width) if calls is None else calls


def _calls_without_weights(
    module: nn.Module, embedding: nn.Module, blocks: set[nn.Module], width: int
) -> list[nn.Module] | None:
    """What ``_calls`` returns, seen in a copy that computes shapes only; None for a family that needs its weights."""
    twin = _without_weights(module)
    if twin is None:
        return None
    path_of = {submodule: path for path, submodule in module.named_modules(remove_duplicate=False)}
    in_module = dict(module.named_modules())
    in_twin = dict(twin.named_modules(remove_duplicate=False))
    twin_path_of = {submodule: path for path, submodule in twin.named_modules()}
    try:
        twin_blocks = {in_twin[path_of[block]] for block in blocks}
        calls = _trace(twin, in_twin[path_of[embedding]], twin_blocks, width, only_shapes=True)
    except (StructureError, KeyError):
        return None
    return [in_module[twin_path_of[call]] for call in calls]


def _without_weights(module: Any) -> nn.Module | None:
    """The same architecture on torch's "meta" device; None for a class that isn't made from a config."""
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
    """What ``_calls`` returns, seen in a forward pass; ``only_shapes`` for a model on torch's "meta" device."""
    import torch

    ids = torch.zeros((2, 3), dtype=torch.long, device="meta" if only_shapes else None)
    calls: list[nn.Module] = []

    def note_call(called: nn.Module, _inputs: Any, output: Any) -> None:
        tensor = first_tensor(output)
        # Only the embedding may be narrower or wider than the hidden states.
        if tensor is not None and tensor.shape[:-1] == ids.shape and (called is embedding or tensor.shape[-1] == width):
            calls.append(called)

    with hooked(dict.fromkeys((embedding, *blocks), note_call)):
        try:
            # transformers reads a mask's values, and a tensor on the "meta" device has none.
            forward(module, ids, None if only_shapes else torch.ones_like(ids))
        except Exception as error:
            raise StructureError(
                f"{type(module).__name__}: a first forward pass over six tokens failed: {error_line(error)}"
            ) from error
    return calls


def _display_paths(module: nn.Module, prefix: str, shown: list[nn.Module]) -> tuple[str, ...]:
    """Paths in the whole model, with ``@0``, ``@1``, … for the runs of a module that is shown several times."""
    path_of = {submodule: f"{prefix}.{path}" if prefix else path for path, submodule in module.named_modules()}
    n_runs: Counter[nn.Module] = Counter()
    paths = []
    for submodule in shown:
        path = path_of[submodule]
        paths.append(f"{path}@{n_runs[submodule]}" if shown.count(submodule) > 1 else path)
        n_runs[submodule] += 1
    return tuple(paths)
