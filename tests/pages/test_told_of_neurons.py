"""Sentences on the neurons that write a break, and on the model without them, are made of their facts alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import without_claims
import writers_claims
from claims import plain
from fact_checks import changed, check_form, keys, kinds_of
from false_writers import broken, by_an_expert, only_grown, without_interventions
from narrow import present
from report_fixture import SENTENCE

from tokviz.pages.findings.neurons import evidence, headline
from tokviz.pages.model.without import without_facts
from tokviz.pages.model.writers import attention_facts
from tokviz.pages.text import catalogue
from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.findings import finding_of, sentence
from tokviz.records import Finding, ModelReport

# --- the finding -----------------------------------------------------------------------------------------------------


def only_zero() -> ModelReport:
    """With the neurons at zero, but not at their mean."""
    model = broken()
    context = model.contexts[0]
    return replace(model, contexts=(replace(context, interventions=(present(context.intervened("off")),)),))


OTHERS: dict[str, Any] = {
    "context": SENTENCE,
    "layer": 12,
    "dimension": 45,
    "neurons": (1229,),
    "n_neurons": 1537,
    "expert": 6,
    "n_experts": 9,
    "share": 0.999,
    "before": 17.2,
    "after": 24_411.0,
    "without": 20.1,
    "pc1_before": 0.3,
    "pc1_after": 0.996,
    "pc1_without": 0.201,
}
NEURONS, EXPERT = {"layer", "neurons", "n_neurons"}, {"layer", "expert", "n_experts"}
LINE, WRITTEN = {"pc1_after", "pc1_without", "at_mean"}, {"share", "dimension", "before", "after"}
GROWN = {"before", "after", "without"}


@pytest.mark.parametrize(
    ("made", "own", "first", "fields"),
    [
        (
            broken,
            ("At layer 11 (words alone), two of 1,536 neurons put 99.7 % of the words’ variance into one direction; with them "
            "held constant, none has more than 20.0 %."),
            ("At layer 11, two neurons stretch words alone into a line. Two of 1,536 neurons put 99.7 % of the words’ variance into one "
            "direction; with them held constant, none has more than 20.0 %."),
            NEURONS | LINE,
        ),
        (
            only_zero,
            "At layer 11 (words alone), two of 1,536 neurons put 99.7 % of the words’ variance into one direction; without them, none has more than 20.0 %.",
            ("At layer 11, two neurons stretch words alone into a line. Two of 1,536 neurons put 99.7 % of the words’ variance into one "
            "direction; without them, none has more than 20.0 %."),
            NEURONS | LINE,
        ),
        (
            only_grown,
            "At layer 11, two of 1,536 MLP neurons raise the mean norm (words alone) from 17.1 to 24,410; without them it is 20.0.",
            ("At layer 11, two neurons raise the words’ mean norm from 17.1 to 24,410. Two of 1,536 MLP neurons raise it to 24,410; without "
            "them it is 20.0."),
            NEURONS | GROWN,
        ),
        (
            lambda: without_interventions(broken()),
            ("At layer 11, two of 1,536 MLP neurons write 99.8 % of what the MLP adds to dimension 12; the mean norm (words alone) goes "
            "from 17.1 to 24,410."),
            ("At layer 11, two neurons write 99.8 % of the MLP’s update to dimension 12. Two of 1,536 MLP neurons write it, and the words’ "
            "mean norm goes from 17.1 to 24,410."),
            NEURONS | WRITTEN,
        ),
        (
            by_an_expert,
            ("At layer 11, expert 5 of 8 writes 97.0 % of what the MLP adds to dimension 12; the mean norm (words alone) goes from 17.1 "
            "to 24,410."),
            ("At layer 11, expert 5 writes 97.0 % of the MLP’s update to dimension 12. Expert 5 of 8 writes it, and the words’ mean norm goes "
            "from 17.1 to 24,410."),
            EXPERT | WRITTEN,
        ),
    ],
    ids=["a line", "a line, at zero", "a larger norm", "a dimension", "an expert"],
)  # fmt: skip
def test_a_finding_is_told_with_what_it_states_and_nothing_else(
    made: Callable[[], ModelReport], own: str, first: str, fields: set[str]
) -> None:
    model = made()
    found = present(finding_of(model))
    writers_claims.check_found(found, model)
    others = {**OTHERS, "at_mean": not found.at_mean}
    other = {name: replace(found, **{name: value}) for name, value in others.items()}
    if not found.neurons:
        del other["n_neurons"]  # as if neurons wrote it
    for false in other.values():
        with pytest.raises(AssertionError):
            writers_claims.check_found(false, model)
    for write, text, stated in (
        (sentence, own, fields | {"context"}),
        (opening, first, fields | ({"context"} if found.flattens else set())),
    ):
        assert plain(write(found)) == text
        same_form = {name for name, each in other.items() if _form(each) == _form(found)}
        assert {name for name in same_form if write(other[name]) != write(found)} == stated


def opening(found: Finding) -> str:
    """The headline, and what it rests on."""
    return " ".join(catalogue.sentence([each(found)]) for each in (headline, evidence))


def _form(found: Finding) -> tuple[bool, bool]:
    return found.flattens, found.is_undone


LINE_OF_ONE = "{} puts 99.7 % of the words’ variance into one direction; {} none has more than 20.0 %."
RAISES = "{} raises the {} from 17.1 to 24,410; without it the norm is 20.0."
NO_LINE = {"pc1_after": 0.4}


@pytest.mark.parametrize(
    ("own", "first", "fields"),
    [
        (
            LINE_OF_ONE.format("neurons", "with it held constant,"),
            LINE_OF_ONE.format("into a line. One of 1,536 neurons", "with it held constant,"),
            {},
        ),
        (
            LINE_OF_ONE.format("neurons", "without it,"),
            LINE_OF_ONE.format("into a line. One of 1,536 neurons", "without it,"),
            {"at_mean": False},
        ),
        (
            "neurons puts 94.9 % of the words’ variance into one direction; with it held constant,",
            "one neuron stretches words alone along one direction. One of 1,536 neurons puts 94.9 % of",
            {"pc1_after": 0.949},
        ),
        (
            RAISES.format("neurons", "mean norm (words alone)"),
            "one neuron raises the words’ mean norm from 17.1 to 24,410. One of 1,536 MLP neurons raises it to 24,410; without it the norm is 20.0.",
            NO_LINE,
        ),
        (
            "neurons writes 99.8 % of what",
            "one neuron writes 99.8 % of the MLP’s update to dimension 12. One of 1,536 MLP neurons writes it, and",
            {**NO_LINE, "without": 24_000.0},
        ),
    ],
)
def test_what_one_neuron_does(own: str, first: str, fields: dict[str, Any]) -> None:
    found = replace(present(finding_of(broken())), neurons=(1229,), **fields)
    assert own in plain(sentence(found))
    assert first in plain(opening(found))


# --- without them ----------------------------------------------------------------------------------------------------

KINDS = [each for each in keys("neurons") if each.startswith("neurons.without.")]


def fact(kind: str, **values: Any) -> Fact:
    return Fact(f"neurons.without.{kind}", **values)


PARAGRAPHS = {
    "Set to zero, the neuron writes nothing. Set to its mean over the words, at position 0, it writes the same for every word, so it no "
    "longer tells words apart. At layer 11 itself both give the same centered plot: they differ by one vector, the same for all words.": (
        fact("zero_and_mean", how_many=1),
        fact("same_plot", depth=12),
    ),
    "Set to zero, the neurons write nothing. Set to their mean over the words, at position 0, they write the same for every word, so they "
    "no longer tell words apart; the mean norm hardly changes.": (
        fact("zero_and_mean", how_many=2),
        fact("norm_stays"),
    ),
    "The control is neuron 88 of the same layer. Of all neurons that write less than 1 % of dimension 12, it adds most to the hidden "
    "state: a vector with a mean length of 40.7, compared with 18,006 for the one switched off. This is much smaller, so the control "
    "can’t show what removing something as large would do.": (
        fact("control", neurons=(88,), dimension=12, lengths=(40.7,)),
        fact("of_much_larger", lengths=(18_006.0,)),
    ),
    "The control is neurons 88 and 926 of the same layer. Of all neurons that write less than 1 % of dimension 12, they add most to "
    "the hidden state: vectors with a mean length of 40.7 and 39.6, compared with 60.2 and 41.0 for those switched off.": (
        fact("control", neurons=(88, 926), dimension=12, lengths=(40.7, 39.6)),
        fact("of_others", lengths=(60.25, 41.0)),
    ),
    "1 set of 3 neurons of layer 11, drawn at random and set to zero, changes the words’ mean norm there by at most 1.2 %, and the "
    "share of the centered variance that PC1 holds by at most 40.0 percentage points.": (
        fact("random", drawn=fact("random_sets", draws=1, size=3), how_many=1, depth=12, norm=0.0123, pc1=0.4),
    ),
    "20 pairs of neurons of layer 11, drawn at random and set to zero, change the words’ mean norm there by at most 1.2 %, and the "
    "share of the centered variance that PC1 holds by at most 40.0 percentage points.": (
        fact("random", drawn=fact("random_pairs", draws=20), how_many=20, depth=12, norm=0.0123, pc1=0.4),
    ),
    "20 neurons of layer 11, drawn at random and set to zero, change the words’ mean norm there by at most 1.2 %, and the "
    "share of the centered variance that PC1 holds by at most 40.0 percentage points.": (
        fact("random", drawn=fact("random_neurons", draws=20), how_many=20, depth=12, norm=0.0123, pc1=0.4),
    ),
    "The next-token loss is measured on 8 passages of 128 tokens, in nats per token. The changes are means over the passages ± their "
    "standard errors. With the neuron set to zero at position 0 only, the change is +0.97 ± 0.06; with another neuron drawn at random "
    "and set to zero everywhere, it is −0.0007 ± 0.0005.": (
        fact("loss", passages=8, tokens=128),
        fact("loss_at_position_0", how_many=1, change=(0.97, 0.06)),
        fact("loss_without_others", others=fact("another"), change=(-0.0007, 0.0005)),
    ),
    "The next-token loss is measured on 8 passages of 128 tokens, in nats per token. The changes are means over the passages ± their "
    "standard errors; with 2 other neurons drawn at random and set to zero everywhere, it is +0.97 ± 0.06.": (
        fact("loss", passages=8, tokens=128),
        fact("loss_without_others", others=fact("others", n=2), change=(0.97, 0.06)),
    ),
    "The next-token loss wasn’t measured: the model is not a decoder.": (
        fact("no_loss", reason="the model is not a decoder"),
    ),
    "At layer 11 itself the changed states differ from the unchanged ones only in what this neuron writes: that much follows from the states "
    "alone. Later layers work with the changed states, and only what is measured there is an effect of the intervention. They were "
    "trained with what the neuron writes, and how well the model predicts text without that isn’t measured here.": (
        fact("what_follows", depth=12, how_many=1),
        fact("predictions_unknown"),
    ),
}


@pytest.mark.parametrize("text", PARAGRAPHS)
def test_a_paragraph_is_made_of_its_facts(text: str) -> None:
    """The expected pages have more of those of several neurons."""
    check_form(PARAGRAPHS[text], text, catalogue.sentence, KINDS)


def test_each_sentence_is_read_here() -> None:
    assert {kind for group in PARAGRAPHS.values() for each in group for kind in kinds_of(each)} == {*KINDS}


def test_a_changed_fact_of_the_model_without_neurons_is_false() -> None:
    context = broken().contexts[0]
    stated = without_facts(context, without_claims.intervention_of(without_claims.twin_of(context)))
    without_claims.check_facts(stated, context)
    rare = ("of_others", "no_loss", "predictions_unknown", "random_neurons", "random_sets", "another")
    assert {kind for group in stated for each in group for kind in kinds_of(each)} == {*KINDS} - {
        f"neurons.without.{each}" for each in rare
    }
    for place, group in enumerate(stated):
        for index, other in changed(group, ("layer 12", "the neuron"), KINDS):
            false = (*group[:index], other, *group[index + 1 :])
            with pytest.raises(AssertionError):
                without_claims.check_facts([*stated[:place], false, *stated[place + 1 :]], context)
        with pytest.raises(AssertionError):
            without_claims.check_facts([*stated[:place], *stated[place + 1 :]], context)


@pytest.mark.parametrize(("change", "kinds"), [(0.0, ["norm_stays", "same_plot"]), (0.04, ["norm_stays"]), (0.06, [])])
def test_what_the_mean_leaves_is_said_where_it_is_measured(change: float, kinds: list[str]) -> None:
    context = broken().contexts[0]
    mean = present(context.intervened("mean"))
    geometry = present(mean.geometry)
    done = present(mean.states.intervention)
    norms = present(context.geometry).spread.mean_norm.copy()
    norms[done.layer + 1 :] *= 1 + change  # before that layer nothing is other
    spread = replace(geometry.spread, mean_norm=norms)
    shown = [
        replace(each, projection=replace(each.projection, explained_variance_ratio=ratio + change / 10))
        for each, ratio in ((each, each.projection.explained_variance_ratio) for each in mean.projections)
    ]
    mean = replace(mean, geometry=replace(geometry, spread=spread), projections=tuple(shown))
    others = tuple(mean if each.rule == "mean" else each for each in context.interventions)
    first, *_ = without_facts(replace(context, interventions=others), done)
    assert [each.kind.rpartition(".")[2] for each in first] == ["zero_and_mean", *kinds]


# --- attention -------------------------------------------------------------------------------------------------------


def test_what_is_said_of_attention_is_made_of_its_facts() -> None:
    stated: tuple[Fact, ...] = (
        Fact("model.attention.measured", n=2, words=("north", "south"), above="0.3"),
        Fact("model.attention.without", depth=13, context="alone", intact=0.6, off=0.15, how_many=1),
    )
    text = (
        "Measured on 2 words (north, south); attention.csv also has the share of heads whose weight is above 0.3. From layer 12 on this "
        "weight is 0.60 on average (alone), and 0.15 with the neuron off."
    )
    kinds = [each for each in keys("model") if each.startswith("model.attention.")]
    check_form(stated, text, catalogue.sentence, kinds)
    model = broken()
    stated = attention_facts(model)
    assert [each.kind for each in stated] == kinds
    writers_claims.check_attention(stated, model)
    for index, other in changed(stated, ("layer 11", "alone"), kinds):
        with pytest.raises(AssertionError):
            writers_claims.check_attention((*stated[:index], other, *stated[index + 1 :]), model)
