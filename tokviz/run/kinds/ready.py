"""A model that is loaded, as every kind of captures finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tokviz import models
from tokviz.config import ModelConfig
from tokviz.errors import CaptureError
from tokviz.records import AttentionToFirst, HiddenStates, Tokenization
from tokviz.run.store.artefacts import Store
from tokviz.run.store.states_file import CaptureDescription
from tokviz.run.work.progress import Reporter

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from tokviz.capture import PassLimits, Structure, Sublayers
    from tokviz.run.kinds.controls import Drawn


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A model that is loaded, what was found in it, and where its captures go."""

    model: ModelConfig
    loaded: models.LoadedModel
    structure: Structure
    sublayers: Sublayers | None
    """None where weights are read in every pass, and neurons aren't asked for by hand."""
    token_budget: int
    texts: Mapping[str, Tokenization]
    """By template the words of each of the model's contexts."""
    store: Store
    reporter: Reporter
    now: Callable[[], str]
    """When something is captured."""
    limits: dict[str, PassLimits] = field(default_factory=dict)
    """By template how large the forward passes over its words may be, once that is known."""
    of_random: list[Callable[[Drawn | None, str], None]] = field(default_factory=list)
    """What is done with the model whose weights are all random, besides capturing; or, where there is none, with why."""

    @property
    def name(self) -> str:
        """As readers see it."""
        return self.model.display_name

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

        def of_layer(layer: int) -> dict[str, nn.Module]:
            return capture.mlp_matrices(self.module, self.structure, self.sublayers, layer) if self.sublayers else {}

        known = {each: matrix for each, matrix in of_layer(layer).items() if path in (None, each)}
        if len(known) != 1:
            has_others = any(map(of_layer, range(n_layers)))
            hint = "; take another layer, or leave it out" if has_others else " at any layer; leave it out"
            raise CaptureError(
                f"{self.name}: interventions: expected an MLP at layer {layer} whose neurons are known, found none{hint}"
            )
        (own, matrix), *_ = known.items()
        return matrix, own

    def words_to_run(self, intact: HiddenStates) -> list[np.ndarray]:
        """The reference words of a capture, or some of many, as they were captured: the rows of each forward pass."""
        from tokviz import capture

        # States from elsewhere have no model that could be run.
        batching = intact.batch_check.batching if intact.batch_check else "one_by_one"
        return capture.words_to_run(self.module, self.structure, intact.tokenization, batching, self.token_budget)

    def attention(self, texts: Mapping[str, Tokenization]) -> tuple[AttentionToFirst, ...]:
        """How much attention goes to position 0, of each template for which that can be told."""
        from tokviz import capture

        if capture.is_streamed(self.module):
            return ()
        found = (
            capture.attention_to_first(self.module, self.structure, tokenization, template)
            for template, tokenization in texts.items()
        )
        return tuple(each for each in found if each is not None)

    def capture_again(
        self,
        key: str,
        intact: HiddenStates,
        module: nn.Module,
        structure: Structure,
        attention: Sequence[AttentionToFirst] = (),
        **other: Any,
    ) -> None:
        """Capture and store the words of ``intact`` through the changed model, or one of the same size, in the same batches.

        Parameters
        ----------
        attention : what of it is stored beside the states.
        other : fields of ``CaptureDescription`` that aren't those of ``intact``.
        """
        from tokviz import capture

        template = intact.context.template
        known = capture.Known(check=intact.batch_check, limits=self.limits.get(template))
        captured = capture.capture(module, structure, intact.tokenization, self.token_budget, known=known)
        self.limits[template] = captured.limits
        alike = CaptureDescription(
            card=intact.card,
            context=intact.context,
            tokenization=intact.tokenization,
            module_paths=intact.module_paths,
            captured_at=intact.captured_at,
            batch_check=intact.batch_check,
        )
        with self.store.states_writer(key, replace(alike, **other)) as writer:
            writer.attention = tuple(attention)
            for batch in captured:
                writer.add(batch)
