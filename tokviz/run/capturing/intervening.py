"""The captures of a loaded model with neurons set to a value, beside those of the model as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tokviz import models
from tokviz.errors import CaptureError
from tokviz.records import AttentionToFirst, HiddenStates, Intervention, RandomNeurons, Tokenization, Updates
from tokviz.run.plan.interventions import Wanted
from tokviz.run.plan.tree import Following
from tokviz.run.store.artefacts import Store
from tokviz.run.store.states_file import CaptureDescription
from tokviz.run.work.progress import Reporter

if TYPE_CHECKING:
    from torch import nn

    from tokviz.capture import PassLimits, RunningCapture, Structure, Sublayers


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A model that is loaded, and what was found in it."""

    name: str
    """As readers see it."""
    loaded: models.LoadedModel
    structure: Structure
    sublayers: Sublayers | None
    """None where weights are read in every pass, and neurons aren't asked for by hand."""
    token_budget: int
    texts: Mapping[str, Tokenization]
    """By template the words of each of the model's contexts."""
    limits: dict[str, PassLimits] = field(default_factory=dict)
    """By template how large the forward passes over its words may be, once that is known."""

    @property
    def module(self) -> nn.Module:
        module: nn.Module = self.loaded.module
        return module

    def matrix(self, layer: int, path: str | None = None) -> tuple[nn.Module, str]:
        """The matrix whose inputs are the neurons of a layer's MLP, the one of that path or the only one; and its path.

        Raises ``CaptureError`` where there is none.
        """
        n_layers = self.structure.n_layers
        if layer >= n_layers:
            raise CaptureError(
                f"{self.name}: interventions: expected a layer from 0 to {n_layers - 1}, got {layer}; correct it"
            )
        from tokviz import capture

        found = capture.mlp_matrices(self.module, self.structure, self.sublayers, layer) if self.sublayers else {}
        known = {each: matrix for each, matrix in found.items() if path in (None, each)}
        if len(known) != 1:
            raise CaptureError(
                f"{self.name}: interventions: expected an MLP at layer {layer} whose neurons are known, found none; take "
                "another layer, or leave it out"
            )
        (own, matrix), *_ = known.items()
        return matrix, own


def require_neurons(ready: Ready, wanted: Sequence[Wanted]) -> None:
    """Raise ``CaptureError`` before anything is captured where a layer or a neuron was asked for that the model doesn't have."""
    from tokviz import capture

    for each in wanted:
        matrix, path = ready.matrix(each.layer)
        most = capture.n_neurons(matrix)
        if max(each.neurons) >= most:
            raise CaptureError(
                f"{ready.name}: interventions: expected neurons from 0 to {most - 1}, the inputs of {path}, got "
                f"{max(each.neurons)}; correct it"
            )


def capture_with(ready: Ready, asked: Following[Wanted], store: Store, reporter: Reporter) -> None:
    """Capture and store a context's words once more; where the model gives no states so, keep why."""
    described = asked.what.described
    step = reporter.step(f"{ready.name}: capturing, {described}")
    try:
        _capture_with(ready, asked, store)
    except CaptureError as error:  # a value that no longer is finite, say
        store.put_failure(asked.key, str(error))
        reporter.say(f"{ready.name}, {described}: {error}")
    step.advance()


def _capture_with(ready: Ready, asked: Following[Wanted], store: Store) -> None:
    from tokviz import capture

    intact, wanted = asked.intact, asked.what
    breaking = intact.updates and intact.updates.breaking
    known = intact.updates.layers[wanted.layer].mlp_and_neurons if intact.updates and wanted.rule != "by_hand" else None
    matrix, path = ready.matrix(wanted.layer, known[1].path if known else None)
    module, structure, tokenization = ready.module, ready.structure, intact.tokenization
    at_position_0 = None
    if wanted.value == "mean":
        if breaking and wanted.rule == "mean":
            at_position_0 = breaking.activations
        else:
            # States from elsewhere have no model that could be changed.
            batching = intact.batch_check.batching if intact.batch_check else "one_by_one"
            batches = capture.words_to_run(module, structure, tokenization, batching, ready.token_budget)
            at_position_0 = capture.mean_at_position_0(module, matrix, wanted.neurons, tokenization, batches)
    value = wanted.value if isinstance(wanted.value, float) else 0.0
    done = Intervention(rule=wanted.rule, layer=wanted.layer, path=path, neurons=wanted.neurons, value=wanted.value)
    with capture.neurons_set(matrix, wanted.neurons, value, at_position_0):
        captured = capture_again(ready, module, structure, intact)
        description = CaptureDescription(
            card=intact.card,
            context=intact.context,
            tokenization=tokenization,
            module_paths=intact.module_paths,
            captured_at=intact.captured_at,
            batch_check=intact.batch_check,
            intervention=done,
        )
        with store.states_writer(asked.key, description) as writer:
            for batch in captured:
                writer.add(batch)
            if wanted.rule == "off":
                writer.attention = attention(ready, ready.texts)


def capture_again(ready: Ready, module: nn.Module, structure: Structure, intact: HiddenStates) -> RunningCapture:
    """The words of ``intact`` through the changed model, or one of the same size, in the same batches."""
    from tokviz import capture

    template = intact.context.template
    known = capture.Known(check=intact.batch_check, limits=ready.limits.get(template))
    captured = capture.capture(module, structure, intact.tokenization, ready.token_budget, known=known)
    ready.limits[template] = captured.limits
    return captured


def attention(ready: Ready, texts: Mapping[str, Tokenization]) -> tuple[AttentionToFirst, ...]:
    """How much attention goes to position 0, of each template for which that can be told."""
    from tokviz import capture

    if capture.is_streamed(ready.module):
        return ()
    found = (
        capture.attention_to_first(ready.module, ready.structure, tokenization, template)
        for template, tokenization in texts.items()
    )
    return tuple(each for each in found if each is not None)


def random_neurons(
    ready: Ready, updates: Updates, tokenization: Tokenization, intact: np.ndarray, batches: Sequence[np.ndarray]
) -> RandomNeurons | None:
    """How little as many neurons as break a layer change when they are drawn at random.

    Parameters
    ----------
    intact : ``(n_words, width)``: what the layer gives, the words in the order of ``batches``.
    """
    from tokviz import capture
    from tokviz.measure import writers

    breaking = updates.breaking
    known = breaking and updates.layers[breaking.layer].mlp_and_neurons
    if not breaking or not known:
        return None
    _, neurons = known
    draws = writers.random_draws(breaking, neurons.n_neurons)
    words = [capture.PaddedWords.of(tokenization, rows) for rows in batches]
    matrix, _ = ready.matrix(breaking.layer, neurons.path)
    try:
        without = capture.layer_without(ready.module, ready.structure, breaking.layer, matrix, draws, words)
    except Exception:  # noqa: BLE001 - a layer that can't be run by itself: the comparison is left out
        return None
    return writers.random_change(intact, without)
