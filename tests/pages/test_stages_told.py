"""Stages, what happens where, and contexts that differ: how each fact reads, that another one reads differently, and that they are true."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from claims import plain
from fact_checks import Sentence, changed, keys, kinds_of, require_a_change
from false_claims import all_large
from narrow import present
from report_fixture import sample_report
from stage_claims import check_difference, check_stages

from tokviz.pages.text.catalogue import Fact, sentence, text
from tokviz.records import ModelReport


def event_numbers(stated: tuple[Fact, ...]) -> str:
    return ", ".join(map(text, stated))


def fact(kind: str, **values: Any) -> Fact:
    return Fact(f"stages.{kind}", **values)


SOME, RANGE, CHANCE = fact("some", n=2, of=3), (0.305, 0.512), (-0.02, 0.1)
A_TOKEN, TOKENS, OWN = fact("a_typical_token"), fact("typical_tokens"), fact("own")
DIMENSION_3, DIMENSIONS = fact("numbers.named", which=(3,)), fact("numbers.named", which=(3, 5))
SIZE = fact(
    "size",
    largest=24_108.2,
    where=fact("size_at", depth=2),
    median=fact("times", ratio=13_498.4, whose=A_TOKEN, median=1.786),
)
SIZE_BESIDE_0 = fact("size", largest=400.0, where=(), median=fact("median_is_0", whose=OWN, median=0.0))
LEAD = {
    "Massive activations emerge at layer 11.": fact("lead.emerge", depth=12),
    "The words have massive activations.": fact("lead.massive", some=()),
    "The words have massive activations at 2 of 3 depths.": fact("lead.massive", some=SOME),
    "The words have moderately large activations.": fact("lead.moderate", some=()),
    "Most words no longer have massive activations.": fact("lead.no_longer"),
    "Activations are no longer massive by the ratio, because the words’ own median has risen.": fact(
        "lead.outgrown", whose=OWN
    ),
    "The token at position 0 has massive activations at 2 of 3 depths, but most words don’t.": fact(
        "lead.position_0", some=SOME
    ),
    "Most words have no massive activations here.": fact("lead.nothing_large"),
    "In the plot, 30–51 % of a word’s nearest neighbors share its category.": fact(
        "lead.purity", where=fact("in_the_plot"), shares=RANGE
    ),
    " (by chance −2 to 10 %).": fact("lead.chance", shares=CHANCE),
}
STAGE = {
    "Dimensions 3 and 5 are massive.": fact("numbers.massive", which=DIMENSIONS, some=(), others=()),
    "Dimension 3 is massive at 2 of 3 depths, others at some of these.": fact(
        "numbers.massive", which=DIMENSION_3, some=SOME, others=fact("numbers.others")
    ),
    "Dimension 3 is moderately large.": fact("numbers.moderate", which=DIMENSION_3, some=(), others=()),
    "7 dimensions are moderately large.": fact(
        "numbers.moderate", which=fact("numbers.counted", n=7), some=(), others=()
    ),
    "Dimensions that differ from word to word are massive.": fact(
        "numbers.massive", which=fact("numbers.from_word_to_word"), some=(), others=()
    ),
    "Dimensions that differ between depths or words are massive.": fact(
        "numbers.massive", which=fact("numbers.between_depths"), some=(), others=()
    ),
    "At position 0 dimension 3 is massive.": fact("numbers.position_0", which=DIMENSION_3, some=(), others=()),
    "No dimension is massive.": fact("numbers.none_massive"),
    "Dimension 3 is dominant at 2 of 3 depths, with 30–51 % of Σ x².": fact(
        "numbers.dominant", which=fact("numbers.one_dominant", dimension=3), some=SOME, shares=RANGE, carried=()
    ),
    "Dimension 3 is dominant, with 30–51 % of Σ x², most of it in the word red alone.": fact(
        "numbers.dominant",
        which=fact("numbers.one_dominant", dimension=3),
        some=(),
        shares=RANGE,
        carried=fact("numbers.carried", word="red"),
    ),
    "One dimension, not always the same, is dominant, with 30–51 % of Σ x².": fact(
        "numbers.dominant", which=fact("numbers.several_dominant"), some=(), shares=RANGE, carried=()
    ),
    " (median largest |x| 24,108 at layer 1, 13,498 × a typical token’s median of 1.79).": fact(
        "numbers.largest", size=SIZE
    ),
    " (not massive: median largest |x| 400, where the words’ own median is 0).": fact(
        "numbers.largest_not_massive", size=SIZE_BESIDE_0
    ),
    "PC1 holds 30.5–51.2 % of the variance (unit norm).": fact(
        "numbers.variance", shares=RANGE, projection="unit norm"
    ),
    "5-neighbor purity in the plot 0.30–0.51.": fact("numbers.purity", n=5, where=fact("in_the_plot"), shares=RANGE),
    " (chance −0.02 to 0.10).": fact("numbers.chance", shares=CHANCE),
    "Mean CKA 0.97 within the stage, −0.04 with the previous stage.": fact("numbers.cka", within=0.97, before=-0.04),
    "Mean CKA 0.97 within the stage.": fact("numbers.cka_within", within=0.97),
    "Mean CKA −0.04 with the previous stage.": fact("numbers.cka_before", before=-0.04),
}
EVENTS = {
    "Layer 1: massive activations emerge.": fact("events.emerge", depths=(2, 2)),
    "Layer 1: massive activations emerge at position 0, not in the words.": fact(
        "events.emerge_at_position_0", depths=(2, 2)
    ),
    "Layer 1: massive activations end.": fact("events.end", depths=(2, 2)),
    "Layer 1: no longer massive, because the words’ own median has risen.": fact(
        "events.outgrown", depths=(2, 2), whose=OWN
    ),
    "Layer 1: no longer massive by the ratio, though the largest |x| is larger: typical tokens’ median has grown more.": (
        fact("events.outgrown_though_larger", depths=(2, 2), whose=TOKENS)
    ),
    "Layers 0–1: moderately large activations.": fact("events.moderate", depths=(1, 2)),
    "Layers 0–1: dimension 3 is dominant, not massive.": fact("events.dominant", depths=(1, 2), dimension=3),
    "30–51 % of Σ x².": fact("events.dominance", shares=RANGE),
}
PARTS = {
    "median largest |x| 24,108 at layer 1, 13,498 × a typical token’s median of 1.79": SIZE,
    "median largest |x| 400, where the words’ own median is 0": SIZE_BESIDE_0,
    "dimensions 3, 5 and 2 more": fact("dimensions", which=(3, 5), more=fact("more", n=2)),
    "dimension 3": fact("dimensions", which=(3,), more=()),
    "in all dimensions": fact("in_all_dimensions"),
}
BEGINNINGS = {
    "In 93 % of subsamples of the words, CKA shows that a stage begins here or one layer away.": fact(
        "begins.found", share=0.93
    ),
    "This stage begins where massive activations emerge, by rule.": fact("begins.emerge"),
    "This stage begins where massive activations end, by rule.": fact("begins.end"),
    "CKA alone shows no boundary here.": fact("begins.not_found"),
}
DIFFERENCE = {
    "Why words alone and words apart differ.": fact("difference.heading", one="alone", other="apart"),
    "In the context “alone”, the reference words are read at the first token of their text, position 0.": fact(
        "difference.read_first", context="alone"
    ),
    "From layer 11 to layer 28 the largest |x| of such a token is more than 1,000 times a typical token’s median; it is 24,108 at "
    "layer 11.": fact("difference.massive_from", first=12, last=29, times=1000.0, whose=A_TOKEN, largest=24_108.2),
    "At the embedding the largest |x| of such a token is more than 1,000 times the words’ own median; it is 24,108 at the embedding.": (
        fact("difference.massive_at", first=0, times=1000.0, whose=OWN, largest=24_108.2)
    ),
    " and 35.2 at the previous depth.": fact("difference.before", largest=35.2),
    "In the context “in a sentence”, they are read later, and their largest |x| is at most 35.3, at layer 2.": fact(
        "difference.read_later", context="in a sentence", largest=35.3, depth=3
    ),
    "Instead, the token at position 0 of their texts becomes massive, at layer 12 and in the same dimension 45.": fact(
        "difference.instead", depth=13, dimensions=fact("dimensions", which=(45,), more=())
    ),
    "All these values are medians over words.": fact("difference.medians"),
    "Nearest neighbors of the same category at layer 11, in all dimensions: 53 % for words alone, 84 % for words apart.": fact(
        "difference.neighbors",
        depth=12,
        where=fact("in_all_dimensions"),
        one=0.53,
        other=0.84,
        one_context="alone",
        other_context="apart",
    ),
    "In the plot: 31 % and 50 %.": fact("difference.neighbors_there", where=fact("in_the_plot"), one=0.31, other=0.5),
}
SENTENCES: list[tuple[Sentence, dict[str, Fact]]] = [
    (sentence, LEAD),
    (sentence, STAGE),
    (sentence, EVENTS),
    (event_numbers, PARTS),
    (sentence, BEGINNINGS),
    (sentence, DIFFERENCE),
]


@pytest.mark.parametrize(
    ("write", "read"), SENTENCES, ids=["lead", "numbers", "events", "parts", "beginnings", "difference"]
)
def test_each_fact_reads_like_this_and_another_one_differently(write: Sentence, read: dict[str, Fact]) -> None:
    assert {told: plain(write((stated,))) for told, stated in read.items()} == {told: told for told in read}
    for stated in read.values():
        for _, other in changed((stated,), ["layer 7", "dimension 9"], [*keys("stages")]):
            require_a_change((stated,), 0, other, write)


def test_each_sentence_of_stages_is_read_here() -> None:
    told = [stated for _, read in SENTENCES for stated in read.values()]
    assert {kind for stated in told for kind in kinds_of(stated)} == {*keys("stages")}


def later_in_fewer_dimensions() -> ModelReport:
    """Position 0 of the longer texts becomes massive a depth later than words that stand there, in one of two dimensions."""
    model = sample_report().models[0]
    geometry = present(model.contexts[1].geometry)
    before = geometry.position0
    later = dataclasses.replace(
        before,
        **{name: np.roll(getattr(before, name), 1) for name in ("largest", "ratio", "massive")},
        dimensions=((), *(each[1:] for each in before.dimensions[:-1])),
        emergence_depth=(before.emergence_depth or 0) + 1,
    )
    sentence = dataclasses.replace(model.contexts[1], geometry=dataclasses.replace(geometry, position0=later))
    return dataclasses.replace(model, contexts=(model.contexts[0], sentence))


@pytest.mark.parametrize("made", [all_large, later_in_fewer_dimensions])
def test_what_is_rare_among_random_models_is_told_truly(made: Callable[[], ModelReport]) -> None:
    check_stages(made())
    check_difference(made())
