"""The next-token loss: how well a model predicts text with the neurons of its break set to a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from tokviz.bundled import LOSS_TEXT
from tokviz.config import CheckpointConfig, ModelConfig, ReportConfig
from tokviz.errors import CaptureError
from tokviz.records import (
    LEAST_PASSAGES,
    MOST_PASSAGES,
    PASSAGE_TOKENS,
    BreakingNeurons,
    HiddenStates,
    Loss,
    LossChange,
    LossRule,
)
from tokviz.run.kinds.base import Following, Kind, Walk, due_once
from tokviz.run.kinds.ready import Ready
from tokviz.run.store import keys
from tokviz.run.work.progress import counted_step
from tokviz.text import counted, error_line

VERSION = 1
"""Raised when other passages are taken of the same text, other interventions are tried, or the loss is measured otherwise."""


@dataclass(frozen=True, kw_only=True)
class LossText(Kind[Following["LossText"], None]):
    """What models are to predict."""

    with_head = True
    field = "loss"

    text: str
    n_passages: int | None
    """How many of its passages are taken at most; None for what follows from the capture."""

    @classmethod
    def asked(cls, config: ReportConfig, model: ModelConfig) -> Self | None:
        return cls.of(config) if config.switches_off and not isinstance(model, CheckpointConfig) else None

    @classmethod
    def of(cls, config: ReportConfig) -> Self:
        """The author's text or that of tokviz."""
        own = config.loss
        text = own.text if own and own.text is not None else LOSS_TEXT.read_text(encoding="utf-8")
        return cls(text=text, n_passages=own.passages if own else None)

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text,)

    def of_context(
        self, walk: Walk, intact_key: str, intact: HiddenStates, *, breaks: bool
    ) -> Iterator[Following[LossText]]:
        key = self.key(walk.model, intact) if breaks else None
        if key is not None:
            due = intact_key in walk.made or (not walk.store.has(key, Loss) and walk.is_at_hand)
            yield Following(what=self, key=key, intact=intact, record=Loss, due="not measured yet" if due else None)

    def make(self, ready: Ready, found: Sequence[Following[LossText]]) -> None:
        for each in due_once(found):
            n_passages = self.most_passages(each.intact)
            name = f"{ready.name}: measuring the next-token loss, {counted(n_passages, 'passage')}"
            with counted_step(ready.reporter, name, n_passages) as advance:
                ready.store.put(each.key, measure_loss(ready, each.intact, self, advance))

    def most_passages(self, states: HiddenStates) -> int:
        """How many are taken at most: unless the author says so, about as many tokens as were captured, 8 to 32 passages.

        So the loss costs as much of a run for a few words as for many, and of a large model no more than its captures.
        """
        if self.n_passages is not None:
            return self.n_passages
        n_tokens = sum(len(word.ids) for word in states.tokenization.words)
        return max(LEAST_PASSAGES, min(MOST_PASSAGES, n_tokens // PASSAGE_TOKENS))

    def key(self, model: ModelConfig, states: HiddenStates) -> str | None:
        """Under which the loss is stored; None where no few neurons write a break."""
        breaking = states.updates and states.updates.breaking
        if not breaking:
            return None
        settings = {
            "layer": breaking.layer,
            "neurons": breaking.neurons,
            "control": breaking.control,
            "mean": breaking.activations if states.tokenization.reads_position_0 else None,
        }
        of = {"settings": settings, "n_passages": self.most_passages(states)}
        return keys.digest({"version": VERSION, **keys.of_weights(model, states.card, self.text), **of})


def measure_loss(ready: Ready, states: HiddenStates, text: LossText, advance: Callable[[int], None]) -> Loss:
    """The next-token loss with a break's neurons set to a value; or why there is none, so that it isn't tried again.

    Parameters
    ----------
    states : in which few neurons write a break.
    advance : takes how many more passages are done.
    """
    try:
        return _measured(ready, states, text, advance)
    except CaptureError as error:
        return Loss(reason=str(error))
    except Exception as error:  # noqa: BLE001 - it is beside the capture: it costs a row of a table, not the model
        return Loss(reason=f"the forward pass failed: {error_line(error)}")


def _measured(ready: Ready, states: HiddenStates, text: LossText, advance: Callable[[int], None]) -> Loss:
    from tokviz import capture
    from tokviz.measure import writers

    breaking = states.updates and states.updates.breaking
    known = breaking and states.updates and states.updates.layers[breaking.layer].mlp_and_neurons
    if not breaking or not known:
        raise CaptureError("the model has no neurons that write a break")
    _, neurons = known
    passages = capture.passages(ready.loaded.tokenizer, text.text, text.most_passages(states))
    if capture.sees_ahead(ready.module, passages):
        raise CaptureError("the model is not a decoder")
    if ready.loaded.head is None:
        raise CaptureError("the model has no output matrix")
    matrix, _ = ready.matrix(breaking.layer, neurons.path)
    drawn, *_ = writers.random_draws(breaking, neurons.n_neurons)
    tried = _settings(breaking, drawn, reads_position_0=states.tokenization.reads_position_0)
    settings = [capture.Setting(neurons=neurons, at_position_0=values) for _, neurons, values in tried]
    passages = replace(passages, on_progress=advance)
    intact, changed = capture.losses(ready.loaded.head, ready.structure, breaking.layer, matrix, settings, passages)
    return Loss(
        n_passages=len(intact),
        n_tokens=passages.n_predicted,
        intact=float(intact.mean()),
        changes=tuple(
            LossChange(
                rule=rule,
                neurons=neurons,
                difference=float((each - intact).mean()),
                standard_error=float((each - intact).std(ddof=1) / np.sqrt(len(intact))),
            )
            for (rule, neurons, _), each in zip(tried, changed, strict=True)
        ),
    )


def _settings(
    breaking: BreakingNeurons, drawn: tuple[int, ...], *, reads_position_0: bool
) -> list[tuple[LossRule, tuple[int, ...], tuple[float, ...] | None]]:
    """Which neurons are set to what at position 0; to zero everywhere for None."""
    own = breaking.neurons
    tried: list[tuple[LossRule, tuple[int, ...], tuple[float, ...] | None]] = [
        ("off", own, None),
        ("off_at_0", own, (0.0,) * len(own)),
    ]
    if reads_position_0:
        tried.append(("mean", own, breaking.activations))
    if breaking.control:
        tried.append(("control", breaking.control, None))
    return [*tried, ("random", drawn, None)]
