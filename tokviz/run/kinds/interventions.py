"""With neurons set to a value: those that write a break, and those that the author names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from tokviz.config import ModelConfig, ReportConfig
from tokviz.errors import CaptureError
from tokviz.pages.text.interventions import intervention_in_full, intervention_label
from tokviz.records import TWIN_RULES, Context, HiddenStates, Intervention, InterventionRule, InterventionValue
from tokviz.run.kinds.base import Following, Kind, Walk, due_once
from tokviz.run.kinds.ready import Ready
from tokviz.run.store import keys

VERSION = 2
"""Raised when the rule by which neurons are chosen changes, or what is done to them."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One intervention that a report asks for."""

    rule: InterventionRule
    layer: int
    neurons: tuple[int, ...]
    value: InterventionValue
    suffix: str
    """What follows the context's name: ``off``, ``by-hand-1``."""
    label: str | None = None
    """The author's."""
    is_drawn: bool = False
    """Whether it has pictures; the others are measured only."""

    def context(self, intact: Context) -> Context:
        """Under what name and label a context's words are shown so."""
        label = intervention_label(intact.label, self.rule, self.layer, self.neurons, self.value, self.label)
        return Context(name=f"{intact.name}-{self.suffix}", label=label, template=intact.template)

    def does(self, layer: int, neurons: Iterable[int], value: float | str) -> bool:
        return self.layer == layer and set(self.neurons) == set(neurons) and self.value == value

    @property
    def described(self) -> str:
        """For people who watch the run."""
        return intervention_in_full(self.layer, self.neurons, self.value)

    def key(self, intact: str) -> str:
        """Under which the states are stored; ``intact``: the key of the same words' states in the model as it is."""
        what: Mapping[str, Any] = {"rule": self.rule}  # since which neurons break a capture follows from its states
        if self.rule == "by_hand":
            what = {"layer": self.layer, "neurons": sorted(self.neurons), "value": self.value}
        return keys.digest({"intact": intact, "version": VERSION, **what})


def of_break(states: HiddenStates) -> tuple[Wanted, ...]:
    """Those that the neurons which write a capture's break ask for; none where there are no such neurons.

    A mean over the words is one at position 0 only where they are read there.
    """
    breaking = states.updates and states.updates.breaking
    if not breaking:
        return ()
    asked: list[tuple[InterventionRule, InterventionValue, tuple[int, ...]]] = [("off", "zero", breaking.neurons)]
    if states.tokenization.reads_position_0:
        asked.append(("mean", "mean", breaking.neurons))
    if breaking.control:
        asked.append(("control", "zero", breaking.control))
    return tuple(
        Wanted(rule=rule, layer=breaking.layer, neurons=neurons, value=value, suffix=rule)
        for rule, value, neurons in asked
    )


def drawn(made: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Those that have pictures, of all that the model gives states for; the others are measured only.

    Of a break's own the one that leaves the model's predictions as they are: neurons at their mean, or else at zero.
    """
    found = tuple(made)
    of_break = next((each for rule in TWIN_RULES for each in found if each.rule == rule), None)
    return tuple(each for each in found if each is of_break or each.rule == "by_hand")


@dataclass(frozen=True, kw_only=True)
class Interventions(Kind[Following[Wanted], None]):
    """Of a break, and by hand."""

    by_hand: tuple[Wanted, ...]
    """What the author wants to see with neurons set to a value."""

    @classmethod
    def asked(cls, config: ReportConfig, model: ModelConfig) -> Self:
        by_hand = (
            Wanted(
                rule="by_hand",
                layer=each.layer,
                neurons=tuple(each.neurons),
                value=each.value,
                suffix=f"by-hand-{number}",
                label=each.label,
            )
            for number, each in enumerate(config.by_hand(model), start=1)
        )
        return cls(by_hand=tuple(by_hand))

    @property
    def sets_neurons(self) -> bool:
        return bool(self.by_hand)

    def of_context(
        self, walk: Walk, intact_key: str, intact: HiddenStates, *, breaks: bool
    ) -> Iterator[Following[Wanted]]:
        """Due also where the model isn't at hand, so that what is asked for isn't missing without a word."""
        asked = (*(of_break(intact) if breaks else ()), *self.by_hand)
        found = {each: each.key(intact_key) for each in asked}
        with_pictures = drawn(
            each for each, key in found.items() if walk.store.failure(key, intact.card.identity) is None
        )
        for each, key in found.items():
            own = replace(each, is_drawn=each in with_pictures)
            made = walk.follows(own, key, intact_key, intact, f"{each.described} not captured yet")
            yield replace(made, states=made.states and replace(made.states, context=each.context(intact.context)))

    def require(self, ready: Ready) -> None:
        """A layer or a neuron was asked for that the model doesn't have."""
        from tokviz import capture

        for each in self.by_hand:
            matrix, path = ready.matrix(each.layer)
            most = capture.n_neurons(matrix)
            if max(each.neurons) >= most:
                raise CaptureError(
                    f"{ready.name}: interventions: expected neurons from 0 to {most - 1}, the inputs of {path}, got "
                    f"{max(each.neurons)}; correct it"
                )

    def make(self, ready: Ready, found: Sequence[Following[Wanted]]) -> None:
        for each in due_once(found):
            described = each.what.described
            step = ready.reporter.step(f"{ready.name}: capturing, {described}")
            try:
                _capture(ready, each)
            except CaptureError as error:  # a value that no longer is finite, say
                ready.store.put_failure(each.key, str(error), each.intact.card.identity)
                ready.reporter.say(f"{ready.name}, {described}: {error}")
            step.advance()


def _capture(ready: Ready, asked: Following[Wanted]) -> None:
    """A context's words once more."""
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
            batches = ready.words_to_run(intact)
            at_position_0 = capture.mean_at_position_0(module, matrix, wanted.neurons, tokenization, batches)
    value = wanted.value if isinstance(wanted.value, float) else 0.0
    done = Intervention(rule=wanted.rule, layer=wanted.layer, path=path, neurons=wanted.neurons, value=wanted.value)
    with capture.neurons_set(matrix, wanted.neurons, value, at_position_0):
        attention = ready.attention(ready.texts) if wanted.rule == "off" else ()
        ready.capture_again(asked.key, intact, module, structure, attention, intervention=done)
