"""What is told of the neurons that write a break, and of the model without them: each sentence has its facts and nothing else."""

from __future__ import annotations

import pytest
import without_claims
from fact_checks import changed, check_form
from false_writers import broken

from tokviz.pages.model.without_sentences import facts, paragraph
from tokviz.pages.text.facts import Fact

# --- without them ----------------------------------------------------------------------------------------------------

KINDS = (
    "zero and mean", "norm stays", "same plot", "control", "of others", "of much larger", "random", "no loss", "loss",
    "loss at position 0", "loss without others", "what follows", "predictions unknown",
)  # fmt: skip


def fact(kind: str, *named: str, values: tuple[float, ...] = ()) -> Fact:
    return Fact(kind=kind, subject=named, values=values)


ONE_NEURON = {
    "Set to zero, the neuron writes nothing. Set to its mean over the words, at position 0, it writes the same for every word, so it no "
    "longer tells words apart. At layer 11 itself both give the same centered plot: they differ by one vector, the same for all words.": (
        fact("zero and mean", "the neuron"),
        fact("same plot", "layer 11"),
    ),
    "The control is neuron 88 of the same layer. Of all neurons that write less than 1 % of dimension 12, it adds most to the hidden "
    "state: a vector with a mean length of 40.7, compared with 18,006 for the one switched off. This is much smaller, so the control "
    "can’t show what removing something as large would do.": (
        fact("control", "neuron 88", "dimension 12", values=(40.7,)),
        fact("of much larger", values=(18_006.0,)),
    ),
    "1 set of 3 neurons of layer 11, drawn at random and set to zero, changes the words’ mean norm there by at most 1.2 %, and the "
    "share of the centered variance that PC1 holds by at most 40.0 percentage points.": (
        fact("random", "set", "of 3 neurons of layer 11", values=(1, 0.0123, 0.4)),
    ),
    "The next-token loss is measured on 8 passages of 128 tokens, in nats per token. The changes are means over the passages ± their "
    "standard errors. With the neuron set to zero at position 0 only, the change is +0.97 ± 0.06; with another neuron drawn at random "
    "and set to zero everywhere, it is −0.0007 ± 0.0005.": (
        fact("loss", values=(8,)),
        fact("loss at position 0", "the neuron", values=(0.97, 0.06)),
        fact("loss without others", "another neuron", values=(-0.0007, 0.0005)),
    ),
    "The next-token loss wasn’t measured: the model is not a decoder.": (
        fact("no loss", "the model is not a decoder"),
    ),
    "At layer 11 itself the changed states are the unchanged ones less what this neuron writes: that much follows from the states "
    "alone. Later layers work with the changed states, and only what is measured there is an effect of the intervention. They were "
    "trained with what the neuron writes, and how well the model predicts text without that isn’t measured here.": (
        fact("what follows", "layer 11", "the neuron"),
        fact("predictions unknown"),
    ),
}


@pytest.mark.parametrize("text", ONE_NEURON)
def test_a_paragraph_is_made_of_its_facts(text: str) -> None:
    """The expected pages have those of several neurons."""
    check_form(ONE_NEURON[text], text, paragraph, KINDS)


def test_a_changed_fact_of_the_model_without_neurons_is_false() -> None:
    context = broken().contexts[0]
    stated = facts(context, without_claims.intervention_of(without_claims.twin_of(context)))
    without_claims.check_facts(stated, context)
    assert {each.kind for group in stated for each in group} == set(KINDS) - {
        "of others",
        "no loss",
        "predictions unknown",
    }
    for place, group in enumerate(stated):
        for index, other in changed(group, ("layer 12", "the neuron"), KINDS):
            false = (*group[:index], other, *group[index + 1 :])
            with pytest.raises(AssertionError):
                without_claims.check_facts([*stated[:place], false, *stated[place + 1 :]], context)
        with pytest.raises(AssertionError):
            without_claims.check_facts([*stated[:place], *stated[place + 1 :]], context)
