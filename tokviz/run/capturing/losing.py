"""How well a loaded model predicts text with the neurons of its break set to a value."""

from __future__ import annotations

import numpy as np

from tokviz.errors import CaptureError
from tokviz.records import BreakingNeurons, HiddenStates, Loss, LossChange, LossRule
from tokviz.run.capturing.intervening import Ready
from tokviz.run.plan.losses import LossText
from tokviz.text import error_line


def measure_loss(ready: Ready, states: HiddenStates, text: LossText) -> Loss:
    """The next-token loss with a break's neurons set to a value; or why there is none, so that it isn't tried again.

    Parameters
    ----------
    states : in which few neurons write a break.
    """
    try:
        return _measured(ready, states, text)
    except CaptureError as error:
        return Loss(reason=str(error))
    except Exception as error:  # noqa: BLE001 - it is beside the capture: it costs a row of a table, not the model
        return Loss(reason=f"the forward pass failed: {error_line(error)}")


def _measured(ready: Ready, states: HiddenStates, text: LossText) -> Loss:
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
