"""Which captures are made with neurons set to a value, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tokviz.config import InterventionConfig
from tokviz.pages.text.interventions import intervention_in_full, intervention_label
from tokviz.records import TWIN_RULES, Context, HiddenStates, InterventionRule, InterventionValue


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
        """Whether it is this that is done to the model."""
        return self.layer == layer and set(self.neurons) == set(neurons) and self.value == value

    @property
    def described(self) -> str:
        """For people who watch the run."""
        return intervention_in_full(self.layer, self.neurons, self.value)

    @property
    def key_parts(self) -> Mapping[str, Any]:
        """What its key is made of, beside the key of the intact states."""
        if self.rule != "by_hand":
            return {"rule": self.rule}
        return {"layer": self.layer, "neurons": sorted(self.neurons), "value": self.value}


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


def by_hand(configured: Iterable[InterventionConfig]) -> tuple[Wanted, ...]:
    """Those that a configuration names for a model."""
    return tuple(
        Wanted(
            rule="by_hand",
            layer=each.layer,
            neurons=tuple(each.neurons),
            value=each.value,
            suffix=f"by-hand-{number}",
            label=each.label,
        )
        for number, each in enumerate(configured, start=1)
    )


def drawn(made: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Those that have pictures, of all that the model gives states for; the others are measured only.

    Of a break's own the one that leaves the model's predictions as they are: neurons at their mean, or else at zero.
    """
    found = tuple(made)
    of_break = next((each for rule in TWIN_RULES for each in found if each.rule == rule), None)
    return tuple(each for each in found if each is of_break or each.rule == "by_hand")


def first_breaking(states: Sequence[HiddenStates | None]) -> int | None:
    """The first of a model's contexts, as configured, in which few neurons write a break: there they are switched off."""
    return next(
        (index for index, each in enumerate(states) if each and each.updates and each.updates.breaking is not None),
        None,
    )
