"""What a report found, and what its first page opens with."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import claiming
import finding_claims
import numpy as np
import pytest
from claims import plain
from differing_fixture import DEPTHS, RISING, differing
from fact_checks import changed, check_form, keys
from false_writers import broken, not_known_to_be_massive, only_grown, without_interventions
from narrow import present
from paired_fixture import measure, measures
from related_fixture import related_report
from rendered import Rendered
from report_fixture import many_models_report, one_depth_report, sample_report, tiny_report

from tokviz.config import validated
from tokviz.errors import ConfigError
from tokviz.pages import notes
from tokviz.pages.findings.chosen import findings, lead
from tokviz.pages.first.choice import choice, unshown_rows
from tokviz.pages.first.multiples import row_fact, row_sentences
from tokviz.pages.text.catalogue import Fact, sentence
from tokviz.records import Beyond, ContextReport, ModelReport, Opening, PairedCapture, Report

OWN = "Two neurons do it."


def by_author(report: Report, **chosen: Any) -> Report:
    return replace(report, opening=Opening(**{"sentence": OWN, **chosen}))


def only(*models: ModelReport) -> Report:
    return replace(sample_report(), models=models)


def read(report: Report) -> tuple[str, list[str]]:
    """What the first page opens with, and the rows of its picture."""
    rows = [row.states.context.name for row in chosen.rows] if (chosen := choice(report)) else []
    opening = Rendered(report)["index.html"].one(".headline").text
    return opening, rows


IN_DEEP = "In Smol-135M-Instruct, "
OWN_LINE = "At layer 11, two neurons stretch words alone into a line."
LINE = f"{IN_DEEP}{OWN_LINE[0].lower()}{OWN_LINE[1:]}"
ALONE, CALM = (
    "Words cluster by category at every layer in each context.",
    "Words in a sentence cluster by category at every layer.",
)


def of_deep(sentence: str) -> str:
    """Where other models are beside it."""
    return f"{IN_DEEP}{sentence[0].lower()}{sentence[1:]}"


def test_a_report_opens_with_the_words_and_lists_what_else_it_found() -> None:
    _, encoder, lost = sample_report().models
    assert read(sample_report()) == (of_deep(ALONE), ["alone", "alone-mean", "sentence"])
    page = Rendered(sample_report())["index.html"]
    assert page.texts(".found a") == [LINE]
    assert page.one(".found a")["href"] == "models/smol-30/index.html#alone/layer-11/centered"
    sentence, rows = read(only(replace(encoder, contexts=encoder.contexts[1:])))
    assert (sentence, rows) == (CALM, ["sentence"])
    assert read(one_depth_report())[1] == []
    assert findings(only(lost)) == ()
    assert read(many_models_report(12))[1] == ["alone", "alone-mean", "sentence"]


def test_the_author_may_choose_which_finding_comes_first() -> None:
    report = by_author(sample_report(), lead="break", sentence=None)
    assert read(report) == (LINE, ["alone", "alone-mean", "sentence"])
    assert Rendered(report)["index.html"].texts(".found a") == [of_deep(ALONE)]
    nothing = by_author(only(sample_report().models[1]), lead="break", sentence=None)
    assert read(nothing)[0] == ALONE, "no break was found"
    deep = replace(report.models[0], contexts=(replace(report.models[0].contexts[0], interventions=()),))
    written = by_author(only(deep), lead="break", sentence=None)
    sentence, rows = read(written)
    assert plain(sentence) == "At layer 11, two neurons write 99.8 % of the MLP’s update to dimension 12."
    assert rows == ["alone"]


def test_a_break_that_is_not_known_to_be_massive_is_shown_too() -> None:
    report = by_author(only(not_known_to_be_massive(sample_report().models[0])), lead="break", sentence=None)
    said, chosen = present(lead(report)), present(choice(report))
    assert said.sentence == OWN_LINE
    assert [row.states.context.name for row in chosen.rows] == ["alone", "alone-mean"]
    assert {11, 12} <= set(chosen.depths)
    first, _ = row_sentences(said, chosen)
    finding_claims.check_rows(said, chosen)
    assert "at layer 11 one direction holds 99.7" in first
    page = Rendered(report).models[0]
    assert page.one("#writers h2").text == "Layer 11 stretches words alone into a line"
    assert page.one(".finding a")["href"] == "#alone/layer-11/centered", "it opens with what was found"


def test_that_nothing_holds_is_said_of_all_models() -> None:
    report = sample_report()
    _, encoder, _ = report.models

    def at_chance(slug: str) -> ModelReport:
        contexts = []
        for context in encoder.contexts:
            measured = present(context.geometry)
            claim = replace(measured.purity.above_chance, holds=np.zeros_like(measured.purity.above_chance.holds))
            purity = replace(measured.purity, above_chance=claim)
            contexts.append(replace(context, geometry=replace(measured, purity=purity)))
        return replace(encoder, slug=slug, contexts=tuple(contexts))

    for n_models in (1, 2, 3):
        untrained = only(*(at_chance(f"model-{index}") for index in range(n_models)))
        (said,) = findings(untrained)
        assert said.sentence == "No grouping of the words by these categories is shown."
        finding_claims.check_findings((said,), untrained, untrained.models)
        about = Rendered(untrained)["index.html"].texts(".about")[0]
        of_what = encoder.display_name if n_models == 1 else f"all models · plots of {encoder.display_name}"
        assert about == f"{of_what} · centered PCA"
        assert present(choice(untrained)).marked is None


def test_where_the_norm_jumps_in_another_row_is_shown() -> None:
    """Else readers take the next depth that is shown for the one where its words change."""
    report = sample_report()
    first, *others = report.models
    alone, sentence, *_ = first.contexts
    purity = present(alone.geometry).purity
    alone = with_geometry(alone, purity=replace(purity, value=purity.value / 2))
    still = with_geometry(alone, spread=replace(present(alone.geometry).spread, mean_norm=np.full(31, 5.0)))
    for row, is_shown in ((alone, True), (still, False)):
        chosen = present(choice(replace(report, models=(replace(first, contexts=(row, sentence)), *others))))
        assert [each.states.context.name for each in chosen.rows] == ["sentence", "alone"]
        assert (12 in chosen.depths) == is_shown


def with_geometry(context: ContextReport, **changes: Any) -> ContextReport:
    return replace(context, geometry=replace(present(context.geometry), **changes))


def test_a_jump_that_no_few_neurons_are_known_to_write_is_told_of() -> None:
    model = not_known_to_be_massive(sample_report().models[0])
    alone = replace(model.contexts[0], interventions=())
    report = only(replace(model, contexts=(alone,)))
    said, chosen = present(lead(report)), present(choice(report))
    assert said.breaks is None
    assert {11, 12} <= set(chosen.depths)
    (first,) = row_sentences(said, chosen)
    finding_claims.check_rows(said, chosen)
    assert " At layer 11 the mean norm jumps from 17.1 to 24,410, and one direction holds 99.7" in first
    assert "jumps" not in row_sentences(said, replace(chosen, depths=(0, 30)))[0], "where it isn't shown"


def test_of_several_findings_a_line_comes_first_then_what_is_undone() -> None:
    line, grown, written = broken(), only_grown(), without_interventions(broken())
    for models, place in (
        ((written, grown, line), 2),
        ((written, grown, grown), 1),
        ((line, line), 0),
        ((written, written), 0),
    ):
        report = only(*(replace(model, slug=f"m{index}") for index, model in enumerate(models)))
        said = next(each for each in findings(report) if each.slot == "break")
        assert said.model is report.models[place]
        finding_claims.check_findings(findings(report), report, report.models)


def test_a_models_page_opens_with_what_was_found_of_it() -> None:
    of_deep, of_encoder, of_lost = Rendered(sample_report()).models
    for page in (of_deep, of_encoder):
        assert page.one(".finding").plain.startswith(f"{ALONE} Words alone: At the embedding, 85 % of a word’s nearest")
        assert page.one(".finding a")["href"] == "#alone/embedding"
    assert of_deep.texts(".found a") == [OWN_LINE]
    assert not of_encoder.all(".found")
    assert not of_lost.all(".finding")


def test_a_question_that_these_words_cant_answer_is_not_answered() -> None:
    encoder = sample_report().models[1]
    context = encoder.contexts[1]
    geometry = present(context.geometry)
    above = geometry.purity.above_chance
    for few in (
        replace(above, can_be_tested=False, holds=above.holds & False),
        replace(above, p_value=above.p_value * float("nan"), holds=above.holds & False),
    ):
        purity = replace(geometry.purity, above_chance=few)
        untested = replace(context, geometry=replace(geometry, purity=purity))
        report = only(replace(encoder, contexts=(untested,)))
        (said,) = findings(report)
        assert said.sentence == "These words are too few to test whether they group by category."
        finding_claims.check_findings((said,), report, report.models)
    some = np.where(np.arange(len(above.p_value)) > 0, above.p_value, np.nan)
    purity = replace(geometry.purity, above_chance=replace(above, p_value=some, holds=above.holds & False))
    tested = replace(context, geometry=replace(geometry, purity=purity))
    said = present(lead(only(replace(encoder, contexts=(tested,)))))
    assert said.sentence.startswith("No grouping"), "at others it can be"


def test_what_was_not_measured_is_not_said() -> None:
    model = tiny_report().models[1]
    contexts = tuple(replace(each, geometry=None) for each in model.contexts)
    sentence, rows = read(only(replace(model, contexts=contexts)))
    assert sentence == "Compare how the words lie before the first layer and after the last."
    assert rows == [each.states.context.name for each in contexts]


def test_the_author_chooses_sentence_and_picture() -> None:
    report = sample_report()
    assert read(by_author(report)) == (OWN, ["alone", "alone-mean", "sentence"])
    page = Rendered(by_author(report))["index.html"]
    assert page.one(".finding-first .certainty").text == "In the author’s words; what was tested stands below."
    assert page.one(".found h2").text == "What was tested"
    assert "author’s words" not in Rendered(report)["index.html"].text
    rows = ("mini-6/sentence", "mini-6/alone")
    changed = by_author(report, rows=rows, depths=(1, 4), projection="standardized", sentence=None)
    chosen = present(choice(changed))
    assert read(changed) == (read(report)[0], ["sentence", "alone"])
    assert (chosen.model.slug, chosen.depths, chosen.projection) == ("mini-6", (1, 4), "standardized")
    assert chosen.marked is None, "the finding is another model's"


def test_where_a_row_can_not_be_shown_the_report_speaks_for_itself() -> None:
    report = sample_report()
    changed = by_author(report, rows=("lost/alone", "smol-30/alone"))
    assert unshown_rows(changed) == ("lost/alone",)
    assert read(changed) == read(report)


def test_what_no_capture_has_is_refused(tmp_path: Path) -> None:
    report = sample_report()
    models = [{"source": f"org/{model.slug}"} for model in report.models]
    contexts = [{"name": context.name, "template": context.template} for context in report.contexts]
    values = {"words": {"months": ["May", "June", "July"]}, "models": models, "contexts": contexts}

    def check(row: str, depth: str = "layer-3") -> None:
        config = validated(
            {**values, "finding": {"rows": [row], "depths": ["embedding", depth]}}, tmp_path / "report.toml"
        )
        depths = (0, int(depth.removeprefix("layer-")) + 1)
        notes.check(config, by_author(report, rows=(row,), depths=depths), {})

    for row in ("smol-30/alone-mean", "lost/alone"):
        check(row)
    with pytest.raises(ConfigError, match=r"finding.rows.0: expected a row that was captured, got 'mini-6/alone-mean'"):
        check("mini-6/alone-mean")
    with pytest.raises(ConfigError, match=r"finding.depths.1: expected a depth of mini-encoder-6, got 'layer-6'"):
        check("mini-6/alone", "layer-6")


def test_it_says_on_what_a_finding_rests() -> None:
    def evidence(report: Report) -> list[str]:
        return [each.plain for each in Rendered(report)["index.html"].all(".certainty")]

    (of_neurons,) = evidence(by_author(sample_report(), lead="break", sentence=None))
    assert re.fullmatch(
        r"Two of 1,536 neurons put 99\.7 % of .*; with them held constant, none has more than 20\.0 %\. "
        r"Switching off any of \d+ random pairs of the layer instead changes the 99\.7 % by at most [\d.]+ percentage points\.",
        of_neurons,
    )
    (of_words,) = evidence(sample_report())
    assert of_words == (
        "At the embedding, 85 % of a word’s nearest neighbors share its category; by chance 10 %, by spelling, tokens and frequency as "
        "tested 30 %. Words in a sentence: at least 80 %."
    )
    assert evidence(by_author(sample_report(), sentence="Look.", rows=())) == [
        "In the author’s words; what was tested stands below."
    ]


# --- what is found where captures differ -----------------------------------------------------------------------------


SAID = {
    ("contexts", 1): "At layers 2–4, words in a sentence cluster more by category than words alone.",
    ("contexts", -1): "At layers 2–4, words alone cluster more by category than words in a sentence.",
    ("layers", 1): "Layers 2–4 cluster words alone by category more than the embedding.",
    ("layers", -1): "Layers 2–4 cluster words alone by category less than the embedding.",
    (
        "models",
        1,
    ): "At 50–83 % of depth, words alone cluster more by category in Smol-135M-Instruct than mini-encoder-6.",
    (
        "models",
        -1,
    ): "At 50–83 % of depth, words alone cluster more by category in mini-encoder-6 than Smol-135M-Instruct.",
}


@pytest.mark.parametrize(("slot", "sign"), SAID)
def test_a_difference_that_is_shown_is_found(slot: str, sign: int) -> None:
    values, holds = RISING
    report = differing(measures(measure([sign * each for each in values], holds), DEPTHS))[slot]
    (found,) = [each for each in findings(report) if each.slot == slot]
    said = SAID[slot, sign]
    assert found.sentence.replace("\N{NO-BREAK SPACE}", " ") == (said if slot == "models" else of_deep(said))
    finding_claims.check_findings(findings(report), report, report.models)
    assert f"is 0.30 {'lower' if (slot, sign) == ('layers', -1) else 'higher'} at" in found.said
    assert "(interval 0.22–0.38)" in found.said
    larger = measure([2 * sign * each for each in values], holds)
    other = differing(measures(larger, DEPTHS))[slot]
    assert "is 0.60 " in next(each for each in findings(other) if each.slot == slot).said, "a record changed"


def test_all_layers_that_differ_from_the_embedding_are_several() -> None:
    """Which isn't one of them."""
    values = [0.3] * 6
    report = differing(measures(measure(values, [True] * 6), [(depth, 0) for depth in range(1, 7)]))["layers"]
    (found,) = [each for each in findings(report) if each.slot == "layers"]
    assert found.sentence == of_deep("Layers 0–5 cluster words alone by category more than the embedding.")


@pytest.mark.parametrize("slot", ["contexts", "layers", "models"])
def test_without_its_test_nothing_is_found(slot: str) -> None:
    values, holds = RISING
    report = differing(measures(measure(values, [False] * len(holds)), DEPTHS))[slot]
    assert slot not in {each.slot for each in findings(report)}
    other = measures(measure(values, [False] * len(holds)), DEPTHS, silhouette=measure(values, holds))
    apart = next(each for each in findings(differing(other)[slot]) if each.slot == slot)
    assert "further apart" in apart.sentence, "the next measure that shows something is taken"


def test_of_one_question_the_surest_answer_is_taken_and_of_equal_ones_the_first() -> None:
    deep = sample_report().models[0]

    def with_difference(size: float) -> ContextReport:
        found = measures(measure([0.0, size], [False, True]), DEPTHS[:2])
        return replace(deep.contexts[0], paired=PairedCapture(embedding=found))

    def chosen(*sizes: float) -> str:
        models = (
            replace(deep, slug=f"m{index}", contexts=(with_difference(each),)) for index, each in enumerate(sizes)
        )
        return next(each for each in findings(only(*models)) if each.slot == "layers").model.slug

    assert chosen(0.2, 0.4) == "m1"
    assert chosen(0.4, 0.2) == "m0"
    assert chosen(0.3, 0.3) == "m0"


def test_where_words_cluster_is_told_as_far_as_there_is_room() -> None:
    encoder = sample_report().models[1]
    context, n = encoder.contexts[1], 7
    geometry = present(context.geometry)

    def said(holds: list[int], beyond: list[int]) -> str:
        purity = replace(
            geometry.purity,
            value=np.linspace(0.8, 0.4, n),
            above_chance=claiming.decided(np.isin(np.arange(n), holds)),
            above_surface=claiming.decided(np.isin(np.arange(n), beyond), "surface"),
        )
        report = only(replace(encoder, contexts=(replace(context, geometry=replace(geometry, purity=purity)),)))
        finding_claims.check_findings(findings(report), report, report.models)
        return present(lead(report)).sentence

    assert said([0, 1, 2, 3], [1, 2]) == "Words in a sentence cluster by category at layers 0–1."
    perhaps = "perhaps by spelling or frequency only."
    assert said([1, 2], []) == f"Words in a sentence cluster by category at layers 0–1, {perhaps}"
    assert said([1, 3, 5], []) == f"Words in a sentence cluster by category at layer 0, {perhaps}"
    assert said([1, 3, 5], [1, 3, 5]) == "Words in a sentence cluster by category at layer 0, layer 2 and layer 4."


def test_an_order_that_looks_may_explain_ranks_behind_one_that_they_cannot() -> None:
    report = related_report()
    deep = report.models[0]
    n = deep.contexts[0].states.n_depths

    def reading(context: ContextReport, low: float, beyond: Beyond | None) -> ContextReport:
        relations = present(context.relations)
        nothing = claiming.decided(np.zeros(n, dtype=bool))
        holds = claiming.decided(np.arange(n) < 3)
        values = np.full(n, low + 0.1)
        read = replace(relations.orders[0].r2, value=values, low=np.full(n, low), claim=holds)
        order = replace(relations.orders[0], r2=read, beyond=beyond)
        others = tuple(replace(each, r2=replace(each.r2, claim=nothing)) for each in relations.orders[1:])
        pairs = tuple(
            replace(each, parallelism=replace(each.parallelism, claim=nothing)) for each in relations.relations
        )
        return replace(context, relations=replace(relations, orders=(order, *others), relations=pairs))

    beyond = Beyond(
        looks=("frequency",),
        r2=np.full(n, 0.5),
        claim=claiming.decided(np.arange(n) == 2, "order 0, beyond"),
        by_all=0.2,
    )
    for which, context in ((beyond, "in a sentence"), (None, "alone")):
        contexts = (reading(deep.contexts[0], 0.8, None), reading(deep.contexts[1], 0.4, which))
        told = replace(report, models=(replace(deep, contexts=contexts),))
        found = next(each for each in findings(told) if each.slot == "order")
        assert found.context.states.context.label == context
        assert ("at layer 1 that is better than by how the words look" in found.said) == (which is not None)
        finding_claims.check_findings(findings(told), told, told.models)


def test_a_headline_that_would_be_long_has_fewer_numbers() -> None:
    scattered = [True, False, True, False, True, False, True]
    report = differing(measures(measure([0.3] * 7, scattered), DEPTHS))["contexts"]
    found = next(each for each in findings(report) if each.slot == "contexts")
    finding_claims.check_findings(findings(report), report, report.models)
    assert plain(found.sentence).startswith(of_deep("At 4 of 7 depths, words in a sentence cluster more"))


# --- sentences of facts ----------------------------------------------------------------------------------------------

NEIGHBORS = "of a word’s nearest neighbors share its category"
JUMPS = "at layer 11 the mean norm jumps from 17.1 to 24,410, and one direction holds 99.7 % of the variance."


def row(*what: Fact) -> tuple[Fact]:
    return (Fact("first.row.of", label="alone", what=what),)


def fact(kind: str, **values: Any) -> Fact:
    return Fact(f"first.row.{kind}", **values)


JUMP = {"depth": 12, "before": 17.1, "after": 24_410.0, "variance": fact("held", share=0.997)}
ROWS = {
    f"Alone: at layer 11 one direction holds 99.7 % of the variance, and 67 % {NEIGHBORS} (chance: 10 %).": row(
        fact("variance", depth=12, share=0.997), fact("and_neighbors", share=0.67, chance=0.1)
    ),
    "Alone: at layer 11 the mean norm is 24,410.": row(fact("norm", depth=12, norm=24_410.0)),
    f"Alone: in the embedding, 85 % {NEIGHBORS} (chance: 10 %); at layer 4, 50 % (chance: 11 %). A{JUMPS[1:]}": row(
        fact("neighbors", depth=0, share=0.85, chance=0.1),
        fact("fewest", depth=5, share=0.5, chance=0.11),
        fact("and_jump", **JUMP),
    ),
    f"Alone: {JUMPS}": row(fact("jump", **JUMP)),
    "Alone: at layer 11 the mean norm jumps from 17.1 to 24,410.": row(fact("jump", **{**JUMP, "variance": ()})),
}


OF_ROWS = [each for each in keys("first") if each.startswith("first.row.")]


@pytest.mark.parametrize("text", ROWS)
def test_a_rows_sentence_is_made_of_its_facts(text: str) -> None:
    check_form(ROWS[text], text, sentence, OF_ROWS)


def test_a_changed_fact_of_the_first_page_is_false() -> None:
    deep, encoder, _ = sample_report().models
    n_changed = 0
    for model in (deep, without_interventions(not_known_to_be_massive(deep)), encoder):
        report = only(model)
        said, chosen = present(lead(report)), present(choice(report))
        for of_row in chosen.rows:
            stated = (present(row_fact(said, chosen, of_row)),)
            for _, other in changed(stated, ("another", "layer 3"), OF_ROWS):
                with pytest.raises((AssertionError, LookupError, ValueError, TypeError)):
                    finding_claims.check_row(other, of_row, said, chosen)
                n_changed += 1
    assert n_changed > 100
