"""Where a model's hidden states come out: its token embedding and its blocks, found by what they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tokviz.capture.hooks import StreamLayout, first_tensor, forward, hooked, is_streamed
from tokviz.capture.memory import is_out_of_memory
from tokviz.errors import StructureError
from tokviz.records import depth_name
from tokviz.text import error_line

if TYPE_CHECKING:
    import torch
    from torch import nn

PLAIN = StreamLayout()
LAYOUTS = (
    # First, since a model with several streams has other lists of modules that work on one.
    StreamLayout(axes=("streams", "batch", "tokens", "width")),
    StreamLayout(axes=("batch", "tokens", "streams", "width")),
    PLAIN,
    StreamLayout(axes=("tokens", "batch", "width")),
    StreamLayout(is_padded=True),
)
"""What blocks return, in the order in which it is looked for."""


class Call(NamedTuple):
    """One run of a module in a forward pass."""

    module: nn.Module
    layout: StreamLayout


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
    layouts: Mapping[nn.Module, StreamLayout] = field(default_factory=dict)
    """Of the modules that don't return ``(batch, tokens, width)``."""

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

    def states_from(self, module: nn.Module, output: Any, n_tokens: int) -> torch.Tensor | None:
        """What ``module`` has returned for sequences of ``n_tokens``, as ``(batch, tokens, width)``; None if it isn't."""
        return self.layouts.get(module, PLAIN).states(output, n_tokens)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of how states are read; one sentence each."""
        layout = next((layout for layout in self.layouts.values() if layout.n_streams), None)
        if layout is None:
            return ()
        read = (
            "their mean is shown"
            if layout.stream is None
            else f"stream {layout.stream} is shown, the one that the next layer works on"
        )
        return (f"Each layer returns {layout.n_streams} streams of hidden states side by side; {read}.",)

    def describe(self, depth: int) -> str:
        """``model.layers.6, after layer 6``, for errors."""
        where = "the embedding" if depth == 0 else f"after {depth_name(depth)}"
        return f"{self.module_paths[depth]}, {where}"


def find_structure(module: nn.Module, base_model_prefix: str) -> Structure:
    """Find the token embedding and the blocks by what they do, not by the model's name.

    A traced forward pass over 2 × 3 tokens notes each call of a module in a ``ModuleList`` that returns
    ``(batch, tokens, width)`` or another of ``LAYOUTS``. The layers are the outermost list whose members are called as
    often as the config has layers, or all lists together; a shared block that runs n times counts n times.

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
    n_runs = sum(call.module is embedding for call in calls)
    if n_runs != 1:
        raise StructureError(
            f"{name}: expected its token embedding {type(embedding).__name__} to run once per forward pass and give "
            f"(batch, tokens, width), got {n_runs} such runs; this kind of model can't be captured"
        )
    layers = _layers_by_layout(lists, [call for call in calls if call.module is not embedding], n_layers)
    if layers is None:
        runs = {path: sum(call.module in blocks for call in calls) for path, blocks in lists.items()}
        found = ", ".join(f"{path} ({n_calls} calls)" for path, n_calls in runs.items() if n_calls) or "none"
        raise StructureError(
            f"{name}: expected one list of blocks that is called {n_layers} times (num_hidden_layers) and gives "
            f"(batch, tokens, {width}), found {found}; this kind of model can't be captured"
        )
    return Structure(
        embedding=embedding,
        layers=tuple(layers),
        module_paths=_display_paths(module, base_model_prefix, [embedding, *layers]),
        layouts={call.module: call.layout for call in calls if call.module in {embedding, *layers}},
    )


def _layers_by_layout(lists: dict[str, set[nn.Module]], calls: list[Call], n_layers: int) -> list[nn.Module] | None:
    """The layers among the calls of blocks; None where no layout of their outputs makes it clear which they are."""
    for layout in LAYOUTS:
        alike = [call.module for call in calls if call.layout.kind == layout.kind]
        runs = {path: [block for block in alike if block in blocks] for path, blocks in lists.items()}
        layers = _layers_among({path: blocks for path, blocks in runs.items() if blocks}, alike, n_layers)
        if layers is not None and (layers or not calls):
            return layers
    return None


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


def _calls(module: nn.Module, embedding: nn.Module, blocks: set[nn.Module], width: int) -> list[Call]:
    """The calls of ``embedding`` and ``blocks`` that returned hidden states of any layout, in their order."""
    # Reading tens of gigabytes to see in which order blocks run would double the time of a capture.
    calls = _calls_without_weights(module, embedding, blocks, width) if is_streamed(module) else None
    return _trace(module, embedding, blocks, width) if calls is None else calls


def _calls_without_weights(
    module: nn.Module, embedding: nn.Module, blocks: set[nn.Module], width: int
) -> list[Call] | None:
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
    return [Call(in_module[twin_path_of[call.module]], call.layout) for call in calls]


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
) -> list[Call]:
    """What ``_calls`` returns, seen in a forward pass; ``only_shapes`` for a model on torch's "meta" device."""
    import torch

    # Two and three: a layout that has the batch and the tokens elsewhere can't be mistaken for another.
    n_words, n_tokens = 2, 3
    ids = torch.zeros((n_words, n_tokens), dtype=torch.long, device="meta" if only_shapes else None)
    calls: list[Call] = []
    cut_back: list[torch.Tensor] = []

    def note_call(called: nn.Module, _inputs: Any, output: Any) -> None:
        tensor = first_tensor(output)
        # Only the embedding may be narrower or wider than the hidden states.
        if tensor is None or (called is not embedding and tensor.shape[-1] != width):
            return
        layout = next((layout for layout in LAYOUTS if layout.fits(tensor.shape, n_words, n_tokens)), None)
        if layout is None:
            return
        calls.append(Call(called, _of_streams(layout, tensor.shape, module.config)))
        if layout.is_padded:
            cut_back.append(tensor[:, :n_tokens])

    with hooked(dict.fromkeys((embedding, *blocks), note_call)):
        try:
            # transformers reads a mask's values, and a tensor on the "meta" device has none.
            output = forward(module, ids, None if only_shapes else torch.ones_like(ids))
        except Exception as error:
            remedy = "this kind of model can't be captured"
            if is_out_of_memory(error):
                remedy = "close other programs, or check its config for numbers that no model has"
            raise StructureError(
                f"{type(module).__name__}: expected a forward pass over the ids of tokens alone, got {error_line(error)}; {remedy}"
            ) from error
    result = first_tensor(output)
    # Tokens that the model adds may also come first: those fed are where they are in what the model returns.
    if only_shapes or result is None or not any(torch.equal(result, states) for states in cut_back):
        calls = [call for call in calls if not call.layout.is_padded]
    return calls


def _of_streams(layout: StreamLayout, shape: torch.Size, config: Any) -> StreamLayout:
    """With the number of streams, if there are several, and which of them is read."""
    if "streams" not in layout.axes:
        return layout
    # AltUp (Baykal et al. 2023, arXiv 2301.13310): every block computes on one stream and predicts the others from it.
    active = getattr(config, "altup_active_idx", None)
    return replace(layout, n_streams=shape[layout.axes.index("streams")], stream=active)


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
