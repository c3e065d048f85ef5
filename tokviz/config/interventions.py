"""``[[interventions]]``: neurons that are set to a value by hand, to see what a model does without them."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, TypeAdapter, field_validator

from tokviz.config.fields import Mistakes, Name, at_most
from tokviz.config.tables import Table
from tokviz.text import shown

MOST_INTERVENTIONS = 100
"""Each is captured in every context of its model."""
MOST_NEURONS = 64
MOST_LAYER = 100_000
MOST_NEURON = 10_000_000
"""No model has as many; what one has is known only once it is loaded."""
LARGEST_VALUE = 3e38
"""What float32 and bfloat16 can hold."""


def _known_or_number(value: Any) -> Any:
    """``zero``, ``mean`` or a number: one line says so, where pydantic would have one for each of the three."""
    if isinstance(value, str) and value in ("zero", "mean"):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_VALUE:  # no NaN
        return float(value)
    raise ValueError(
        f'expected "zero", "mean" or a number from {-LARGEST_VALUE:g} to {LARGEST_VALUE:g}, got {shown(value)}'
    )


NeuronValue = Annotated[Literal["zero", "mean"] | float, PlainValidator(_known_or_number)]


class InterventionConfig(Table):
    """``[[interventions]]``: which neurons of a model are set to what."""

    model: Name
    """The name of a configured model, as readers see it."""
    layer: Annotated[int, Field(ge=0, le=MOST_LAYER)]
    """From 0."""
    neurons: Annotated[
        list[Annotated[int, Field(ge=0, le=MOST_NEURON)]], at_most(MOST_NEURONS, "neurons"), Field(min_length=1)
    ]
    """Inputs of the matrix that gives the MLP's output, from 0."""
    value: NeuronValue = "zero"
    """``mean`` changes position 0 only, where the neurons are set to their mean over the reference words."""
    label: Name | None = None
    """How readers see it."""

    @field_validator("neurons")
    @classmethod
    def _differ(cls, neurons: list[int]) -> list[int]:
        mistakes = Mistakes()
        for index, neuron in enumerate(neurons):
            if neuron in neurons[:index]:
                mistakes.add((index,), f"the neuron {neuron} stands twice; remove one")
        mistakes.refuse()
        return neurons

    @property
    def change(self) -> tuple[object, ...]:
        """What is done to the model: the same for two tables that would give the same hidden states."""
        return self.model, self.layer, frozenset(self.neurons), 0.0 if self.value == "zero" else self.value


AutoOrByHand = Literal["auto", "off"] | list[InterventionConfig]
_BY_HAND = TypeAdapter(Annotated[list[InterventionConfig], at_most(MOST_INTERVENTIONS, "interventions")])


def _word_or_tables(value: Any) -> Any:
    """One line for what is neither; what is wrong within a table keeps its place."""
    if isinstance(value, list) and value:
        return _BY_HAND.validate_python(value)
    if isinstance(value, str) and value in ("auto", "off"):
        return value
    got = "an empty list" if value == [] else shown(value)
    raise ValueError(
        f'expected "auto", "off", or tables [[interventions]] with two brackets, as often as there are, got {got}'
    )


Interventions = Annotated[AutoOrByHand, PlainValidator(_word_or_tables)]


def fitting(tables: list[InterventionConfig], models: Sequence[str], *, vocabulary: bool, drops: bool) -> AutoOrByHand:
    """Those that fit the rest of the configuration; raises for others.

    Parameters
    ----------
    models : their names as readers see them; empty if these are to be mended first.
    vocabulary : whether the words are a whole vocabulary.
    drops : leave out, instead of refusing, what speaks of other models.
    """
    if drops:
        tables = [each for each in tables if each.model in models]
        if not tables:
            return "auto"
    if vocabulary:
        raise ValueError(
            f'expected "auto" or "off" beside "vocabulary = true", whose tokens are captured in whole models only, got '
            f"{len(tables)} of [[interventions]]; remove them"
        )
    mistakes = Mistakes()
    changes: dict[object, int] = {}
    labels: dict[object, int] = {}
    for index, each in enumerate(tables):
        if models and each.model not in models:
            known = shorten(", ".join(models), 120, placeholder=" …")
            mistakes.add((index, "model"), f"expected the name of a model, one of {known}, got {shown(each.model)}")
        if each.change in changes:
            mistakes.add(
                (index,), f"sets the same neurons to the same value as interventions.{changes[each.change]}; remove one"
            )
        changes.setdefault(each.change, index)
        if each.label is not None:
            label = (each.model, each.label)
            if label in labels:
                mistakes.add(
                    (index, "label"),
                    f"the label {shown(each.label)} is already taken by interventions.{labels[label]}; choose another",
                )
            labels.setdefault(label, index)
    mistakes.refuse()
    return tables
