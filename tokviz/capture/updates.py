"""What each sublayer adds to the residual stream, and which neurons, heads or experts write it: passes over some words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.capture.experts import ExpertMeter, expert_meter
from tokviz.capture.heads import heads_of, module_holding
from tokviz.capture.hooks import forward
from tokviz.capture.passes import PassLimits, some_reference_words
from tokviz.capture.recording import LastDepthReached, PaddedWords
from tokviz.capture.structure import Structure
from tokviz.capture.sublayers import Sublayers, Writer, entering_states, scales_of, states_of, weight_of
from tokviz.records import (
    MOST_NEURONS,
    Batching,
    Heads,
    LayerUpdate,
    Neurons,
    SublayerKind,
    SublayerUpdate,
    Tokenization,
    Updates,
)

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.utils.hooks import RemovableHandle

MOST_WORDS = 512
"""Of more reference words so many are run, spread evenly."""
_MARKS: dict[SublayerKind, tuple[str, ...]] = {
    "attention": ("attn", "attention"),
    "mlp": ("mlp", "feedforward", "feed_forward", "ffn", "fc2", "moe", "dense"),
}


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What is known of each layer from the stored states."""

    dimensions: tuple[tuple[int, ...], ...]
    """Per layer those with the largest median |change| over the reference words."""
    marked: tuple[bool, ...]
    """Per layer whether its writers are asked for."""


def measure_updates(
    module: nn.Module,
    structure: Structure,
    sublayers: Sublayers,
    tokenization: Tokenization,
    changes: Changes,
    batches: Sequence[np.ndarray],
) -> Updates:
    """Run words once more and sum up what each sublayer adds.

    Parameters
    ----------
    sublayers : of this module, from ``find_sublayers``.
    changes : of the states that were captured of these words.
    batches : per forward pass ``(n_batch,)`` int64, the rows of its words; from ``words_to_run``.
    """
    path_of = {each: path for path, each in module.named_modules()}
    meters = [
        _LayerMeter(block, writers, dimensions, marked=marked)
        for block, writers, dimensions, marked in zip(
            structure.layers, sublayers.writers, changes.dimensions, changes.marked, strict=True
        )
    ]
    for rows in batches:
        batch = PaddedWords.of(tokenization, rows)
        with _watched(structure, meters, batch), suppress(LastDepthReached):
            forward(module, batch.ids, batch.mask)
    prefix = _prefix(structure, path_of)
    return Updates(
        layers=tuple(
            meter.record(lambda writer: prefix + path_of[writer], error)
            for meter, error in zip(meters, sublayers.sum_errors, strict=True)
        ),
        n_words=sum(len(rows) for rows in batches),
    )


def words_to_run(
    module: nn.Module, structure: Structure, tokenization: Tokenization, batching: Batching, token_budget: int
) -> list[np.ndarray]:
    """The reference words, or some of many, grouped as they were captured: the rows of each forward pass."""
    rows = some_reference_words(tokenization, MOST_WORDS)
    lengths = np.array([len(tokenization.words[row].ids) for row in rows])
    return [rows[batch] for batch in PassLimits.of(module, structure, token_budget).batches(lengths, batching)]


def mlp_matrices(module: nn.Module, structure: Structure, sublayers: Sublayers, layer: int) -> dict[str, nn.Module]:
    """Path → the matrix that gives an MLP's output, of a layer's MLPs whose neurons are known."""
    path_of = {each: path for path, each in module.named_modules()}
    prefix = _prefix(structure, path_of)
    return {
        prefix + path_of[writer.matrix]: writer.matrix
        for writer in sublayers.writers[layer]
        if writer.matrix is not None and _kind(prefix + path_of[writer.module], writer.module) == "mlp"
    }


def n_neurons(matrix: nn.Module) -> int:
    """How many inputs a matrix has."""
    return int(weight_of(matrix).shape[1])


def _prefix(structure: Structure, path_of: dict[nn.Module, str]) -> str:
    """What stands before a module's path in the whole model."""
    return structure.module_paths[1].removesuffix(path_of[structure.layers[0]])


@contextmanager
def _watched(structure: Structure, meters: Sequence[_LayerMeter], batch: PaddedWords) -> Iterator[None]:
    handles: list[RemovableHandle] = []
    for layer, (block, meter) in enumerate(zip(structure.layers, meters, strict=True)):
        meter.begin(batch)
        handles += meter.register()
        if layer == structure.n_layers - 1 and not structure.is_whole:
            handles.append(block.register_forward_hook(_end_pass))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _end_pass(*_: Any) -> None:
    raise LastDepthReached


class _LayerMeter:
    """Sums over words of what one layer's sublayers add, at the token that is read and at position 0."""

    batch: PaddedWords

    def __init__(self, block: nn.Module, writers: Sequence[Writer], dimensions: Sequence[int], *, marked: bool) -> None:
        self._block = block
        self._writers, self._dimensions, self._marked = writers, list(dimensions), marked
        self._n_words = 0
        self._stream: torch.Tensor | None = None
        self._stream_norms = np.zeros(2)
        self._norms, self._cosines = np.zeros((len(writers), 2)), np.zeros((len(writers), 2))
        self._parts = np.zeros((len(writers), 2, len(dimensions)))
        self._activations: dict[int, np.ndarray] = {}
        self._matrix_run: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._experts: dict[int, ExpertMeter] = {}
        for index, writer in enumerate(writers):
            found = expert_meter(writer.module, self._dimensions) if marked and writer.matrix is None else None
            if found is not None:
                self._experts[index] = found

    def begin(self, batch: PaddedWords) -> None:
        """The words of the next pass."""
        self.batch = batch
        for meter in self._experts.values():
            meter.batch = batch

    # --- what hooks see ------------------------------------------------------------------------------------------

    def register(self) -> list[RemovableHandle]:
        handles = [self._block.register_forward_pre_hook(self._enter, with_kwargs=True)]
        for index, writer in enumerate(self._writers):
            if writer.matrix is not None and self._marked:
                handles.append(writer.matrix.register_forward_hook(partial(self._run_matrix, index)))
            handles.append(writer.module.register_forward_hook(partial(self._add, index)))
        return handles + [handle for meter in self._experts.values() for handle in meter.register()]

    def _enter(self, _: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        entering = entering_states(arguments, named, self.batch.ids.shape)
        if entering is None:
            self._stream = None
            return
        self._stream = self._read(entering)
        self._n_words += len(self.batch.rows)
        self._stream_norms += _summed(self._stream.norm(dim=-1))

    def _run_matrix(self, index: int, _: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        shape = self.batch.ids.shape
        entering, leaving = states_of(arguments[0], shape), states_of(output, shape)
        if entering is not None and leaving is not None:
            self._matrix_run[index] = self._read(entering)[0], self._read(leaving)[0]

    def _add(self, index: int, module: nn.Module, _: Any, output: Any) -> None:
        states = states_of(output, self.batch.ids.shape)
        if self._stream is None or states is None:
            return
        update = self._read(states)
        self._norms[index] += _summed(update.norm(dim=-1))
        stream = self._stream.to(update.device)
        self._cosines[index] += _summed(cosine_similarity(update, stream))
        self._parts[index] += update[..., self._dimensions].double().sum(1).cpu().numpy()
        if index in self._matrix_run:
            activations, before_norm = self._matrix_run.pop(index)
            scaled = activations
            if self._writers[index].norm is not None:
                scaled = activations * _token_scales(module, before_norm, update[0])
            sums = (activations, scaled, scaled.abs())
            found = np.stack([each.double().sum(0).cpu().numpy() for each in sums])
            self._activations[index] = self._activations.get(index, 0) + found

    def _read(self, states: torch.Tensor) -> torch.Tensor:
        """``(2, n_batch, width)`` float32: at the token that is read, and at position 0."""
        import torch

        return torch.stack([self.batch.read_states(states), states[:, 0].float()])

    # --- what they add up to -------------------------------------------------------------------------------------

    def record(self, path_of: Callable[[nn.Module], str], sum_error: float) -> LayerUpdate:
        n_words = max(self._n_words, 1)
        parts = self._parts / n_words
        sublayers = []
        for index, writer in enumerate(self._writers):
            path = path_of(writer.module)
            kind = _kind(path, writer.module)
            norm, norm_at_0 = self._norms[index] / n_words
            cosine, cosine_at_0 = self._cosines[index] / n_words
            experts = self._experts.get(index) if kind == "mlp" else None
            sublayers.append(
                SublayerUpdate(
                    path=path,
                    kind=kind,
                    norm=float(norm),
                    norm_at_0=float(norm_at_0),
                    cosine=float(cosine),
                    cosine_at_0=float(cosine_at_0),
                    parts=tuple(map(float, parts[index, 0])),
                    parts_at_0=tuple(map(float, parts[index, 1])),
                    neurons=self._neurons(index, path_of) if kind == "mlp" else None,
                    heads=self._heads(index, path_of) if kind == "attention" else None,
                    experts=None if experts is None else experts.record(path_of(experts.holder), n_words),
                )
            )
        stream_norm, stream_norm_at_0 = self._stream_norms / n_words
        return LayerUpdate(
            sublayers=tuple(sublayers),
            sum_error=sum_error,
            stream_norm=float(stream_norm),
            stream_norm_at_0=float(stream_norm_at_0),
            dimensions=tuple(self._dimensions),
            marked=self._marked,
        )

    def _neurons(self, index: int, path_of: Callable[[nn.Module], str]) -> Neurons | None:
        matrix = self._writers[index].matrix
        if matrix is None or index not in self._activations:
            return None
        activations = self._activations[index][0] / max(self._n_words, 1)
        return _neurons(self._contributions(index), activations, self._strengths(index), path_of(matrix))

    def _heads(self, index: int, path_of: Callable[[nn.Module], str]) -> Heads | None:
        matrix = self._writers[index].matrix
        if matrix is None or index not in self._activations:
            return None
        attention = module_holding(matrix, list(self._block.modules()))
        return None if attention is None else heads_of(self._contributions(index), attention, path_of(matrix))

    def _contributions(self, index: int) -> np.ndarray:
        """``(n_dimensions, n_inputs)``: what each input of a sublayer's matrix adds, mean over the words."""
        weight = self._weight(index)[self._dimensions].double().cpu().numpy()
        return np.asarray(weight * self._activations[index][1] / max(self._n_words, 1))

    def _strengths(self, index: int) -> np.ndarray:
        """``(n_inputs,)``: the mean length of what each input of a sublayer's matrix adds."""
        import torch

        lengths = torch.linalg.vector_norm(self._weight(index), dim=0, dtype=torch.float32).double().cpu().numpy()
        return np.asarray(lengths * self._activations[index][2] / max(self._n_words, 1))

    def _weight(self, index: int) -> torch.Tensor:
        """``(width, n_inputs)``: of a sublayer's matrix, times that of a norm behind it."""
        writer = self._writers[index]
        if writer.matrix is None:
            raise ValueError(f"sublayer {index}: expected a matrix that gives its output, got none")
        weight = weight_of(writer.matrix)
        scales = None if writer.norm is None else scales_of(writer.norm)
        return weight if scales is None else weight.float() * scales.float()[:, None]


def _summed(values: torch.Tensor) -> np.ndarray:
    """``(2, n_batch)`` → ``(2,)`` float64."""
    return np.asarray(values.double().sum(-1).cpu().numpy())


def cosine_similarity(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Along the last axis; 0 where a vector is 0."""
    from torch.nn import functional

    return functional.cosine_similarity(a, b, dim=-1)


def _token_scales(norm: nn.Module, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """``(n_batch, 1)``: what an RMS norm multiplied each token by, apart from its weights."""
    weights = scales_of(norm)
    weighted = before if weights is None else before * weights
    return (weighted * after).sum(-1, keepdim=True) / (weighted * weighted).sum(-1, keepdim=True)


def _neurons(contributions: np.ndarray, activations: np.ndarray, strengths: np.ndarray, path: str) -> Neurons:
    """Means over the words.

    Parameters
    ----------
    contributions : ``(n_dimensions, n_neurons)``.
    activations, strengths : ``(n_neurons,)``.
    """
    strongest = np.argsort(-strengths, kind="stable")[:MOST_NEURONS]
    largest = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :MOST_NEURONS]
    return Neurons(
        path=path,
        n_neurons=len(activations),
        indices=tuple(tuple(map(int, row)) for row in largest),
        contributions=tuple(tuple(map(float, each[row])) for each, row in zip(contributions, largest, strict=True)),
        activations=tuple(tuple(map(float, activations[row])) for row in largest),
        strongest=tuple(map(int, strongest)),
        strengths=tuple(map(float, strengths[strongest])),
    )


def _kind(path: str, module: nn.Module) -> SublayerKind:
    """By the names of the module or, where they say nothing, of its class; for people, nothing is found by it."""
    for name in (re.split(r"\.\d+\.", path)[-1], type(module).__name__):
        for kind, marks in _MARKS.items():
            if any(mark in name.lower() for mark in marks):
                return kind
    return "mixer"
