"""Stages, what happens where, and contexts that differ: how each fact reads, that another one reads differently, and that they are true."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from claims import plain
from fact_checks import Sentence, changed, require_a_change
from false_claims import all_large
from narrow import present
from report_fixture import sample_report
from stage_claims import check_difference, check_stages

from tokviz.pages.model import difference, events
from tokviz.pages.text import stage_sentences
from tokviz.pages.text.facts import Fact
from tokviz.records import ModelReport


def event(stated: tuple[Fact, ...]) -> str:
    (what,) = stated
    return events.event_text(what)


def fact(kind: str, *subject: str, values: tuple[float, ...] = (), bounds: tuple[float, float] | None = None) -> Fact:
    return Fact(kind=kind, subject=subject, values=values, bounds=bounds)


SOME, RANGE, CHANCE, SIZES = (2, 3), (0.305, 0.512), (-0.02, 0.1), (24_108.2, 1.786, 13_498.4)
TYPICAL, OWN = "a typical token’s median", "the words’ own median"
LEAD = {
    "Massive activations emerge at layer 11.": fact("emerge", "layer 11"),
    "The words have massive activations.": fact("massive activations"),
    "The words have massive activations at 2 of 3 depths.": fact("massive activations", values=SOME),
    "The words have moderately large activations.": fact("moderately large activations"),
    "The words no longer have massive activations.": fact("no longer massive"),
    "Activations are no longer massive by the ratio, because the words’ own median has risen.": fact(
        "outgrown", "the words’ own"
    ),
    "The token at position 0 has massive activations at 2 of 3 depths, but the words don’t.": fact(
        "massive activations at position 0", values=SOME
    ),
    "The words have no massive activations here.": fact("nothing large"),
    "In the plot, 30–51 % of a word’s nearest neighbors share its category.": fact(
        "purity", "in the plot", bounds=RANGE
    ),
    " (by chance −2 to 10 %).": fact("by chance", bounds=CHANCE),
}
STAGE = {
    "Dimensions 3 and 5 are massive.": fact("massive", "dimensions 3 and 5"),
    "Dimension 3 is massive at 2 of 3 depths, others at some of these.": fact(
        "massive", "dimension 3", "others at some of these", values=SOME
    ),
    "Dimension 3 is moderately large.": fact("moderately large", "dimension 3"),
    "At position 0 dimension 3 is massive.": fact("massive at position 0", "dimension 3"),
    "No dimension is massive.": fact("none massive"),
    "Dimension 3 is dominant at 2 of 3 depths, with 30–51 % of Σ x².": fact(
        "dominant", "dimension 3", values=SOME, bounds=RANGE
    ),
    f" (largest |x| 24,108 at layer 1, 13,498 × {TYPICAL} of 1.79).": fact("largest", TYPICAL, "layer 1", values=SIZES),
    f" (not massive: largest |x| 400, where {OWN} is 0).": fact("largest, not massive", OWN, values=(400.0, 0.0)),
    "PC1 holds 30.5–51.2 % of the variance (unit norm).": fact("variance", "unit norm", bounds=RANGE),
    "5-neighbor purity in the plot 0.30–0.51.": fact("purity", "in the plot", values=(5,), bounds=RANGE),
    " (chance −0.02 to 0.10).": fact("by chance", bounds=CHANCE),
    "Mean CKA 0.97 within the stage, −0.04 with the previous stage.": fact(
        "CKA", "within the stage", "with the previous stage", values=(0.97, -0.04)
    ),
}
EVENTS = {
    "Layer 1: massive activations emerge": fact("emerge", "layer 1"),
    "Layer 1: massive activations emerge at position 0, not in the words": fact("emerge at position 0", "layer 1"),
    "Layer 1: massive activations end": fact("end", "layer 1"),
    "Layer 1: no longer massive, because the words’ own median has risen": fact(
        "outgrown", "layer 1", "the words’ own"
    ),
    "Layer 1: no longer massive by the ratio, though the largest |x| is larger: typical tokens’ median has grown more": (
        fact("outgrown, though larger", "layer 1", "typical tokens’")
    ),
    "Layers 0–1: moderately large activations": fact("moderately large", "layers 0–1"),
    "Layers 0–1: dimension 3 is dominant, not massive": fact("dominant", "layers 0–1", "dimension 3"),
}
NUMBERS = {
    "30–51 % of Σ x²": fact("share", bounds=RANGE),
    f"largest |x| 24,108 at layer 1, 13,498 × {TYPICAL} of 1.79": fact("largest", TYPICAL, "layer 1", values=SIZES),
    "dimensions 3, 5 and 2 more": fact("dimensions", "3", "5", values=(2,)),
    "dimension 3": fact("dimensions", "3"),
}
BEGINNINGS = {
    "In 93 % of subsamples of the words, CKA shows that a stage begins here or one layer away.": fact(
        "found", values=(0.93,)
    ),
    "This stage begins where massive activations emerge, by rule.": fact("emerge"),
    "This stage begins where massive activations end, by rule.": fact("end"),
    "; CKA alone shows no boundary here.": fact("not found"),
}
DIFFERENCE = {
    "In the context “alone”, the reference words are read at the first token of their text, position 0.": fact(
        "read first", "alone"
    ),
    f"From layer 11 to layer 28 the largest |x| of such a token is more than 1,000 times {TYPICAL}; it is 24,108 at layer 11.": (
        fact("massive", TYPICAL, "layer 11", "layer 28", values=(1000.0, 24_108.2))
    ),
    f"At the embedding the largest |x| of such a token is more than 1,000 times {OWN}; it is 24,108 at the embedding.": (
        fact("massive", OWN, "the embedding", values=(1000.0, 24_108.2))
    ),
    " and 35.2 at the previous depth.": fact("before", values=(35.2,)),
    "In the context “in a sentence”, they are read later, and their largest |x| is at most 35.3, at layer 2.": fact(
        "read later", "in a sentence", "layer 2", values=(35.3,)
    ),
    "Instead, the token at position 0 of their texts becomes massive, at layer 12 and in the same.": fact(
        "instead", "layer 12"
    ),
    " dimension 45.": fact("dimensions", "45"),
    "All these values are medians over words.": fact("medians"),
    "Nearest neighbors of the same category at layer 11, in all dimensions: 53 % for words alone, 84 % for words apart.": (
        fact("neighbors", "layer 11", "in all dimensions", "alone", "apart", values=(0.53, 0.84))
    ),
    "; in the plot: 31 % and 50 %.": fact("neighbors there", "in the plot", values=(0.31, 0.5)),
}
SENTENCES: list[tuple[Sentence, dict[str, Fact], set[str]]] = [
    (stage_sentences.stage_lead, LEAD, set(stage_sentences._LEADS)),
    (stage_sentences.stage_sentence, STAGE, set(stage_sentences._PARTS)),
    (event, EVENTS, set(events._EVENTS)),
    (events.event_numbers, NUMBERS, set(events._NUMBERS)),
    (events.beginning, BEGINNINGS, set(events._BEGINNINGS)),
    (difference.paragraph, DIFFERENCE, set(difference._SAID)),
]


@pytest.mark.parametrize(("sentence", "read", "kinds"), SENTENCES, ids=lambda each: getattr(each, "__name__", ""))
def test_each_fact_reads_like_this_and_another_one_differently(
    sentence: Sentence, read: dict[str, Fact], kinds: set[str]
) -> None:
    assert {stated.kind for stated in read.values()} == kinds
    assert {text: plain(sentence((stated,))) for text, stated in read.items()} == {text: text for text in read}
    for stated in read.values():
        for _, other in changed((stated,), ["layer 7", "dimension 9"], sorted(kinds)):
            require_a_change((stated,), 0, other, sentence)


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
