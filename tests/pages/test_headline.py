"""What the first page opens with."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import headline_claims
import numpy as np
import pytest
from fact_checks import changed, check_form
from false_writers import broken, not_known_to_be_massive, only_grown, without_interventions
from narrow import present
from rendered import Rendered
from report_fixture import many_models_report, one_depth_report, sample_report, tiny_report

from tokviz.config import validated
from tokviz.errors import ConfigError
from tokviz.pages import notes
from tokviz.pages.first.choice import choice
from tokviz.pages.first.row_sentences import row_facts, row_sentences, sentence
from tokviz.pages.model.headline import fact_sentence, headline, unshown_rows
from tokviz.pages.model.unnamed import UnnamedFact
from tokviz.records import ModelReport, Opening, Report

SAID = "Two neurons do it."


def by_author(report: Report, **chosen: Any) -> Report:
    return replace(report, opening=Opening(**{"sentence": SAID, **chosen}))


def only(*models: ModelReport) -> Report:
    return replace(sample_report(), models=models)


def read(report: Report) -> tuple[str, list[str]]:
    """The sentence, and the rows of the picture."""
    rows = [row.states.context.name for row in chosen.rows] if (chosen := choice(report)) else []
    return present(headline(report)).sentence.replace("\N{NO-BREAK SPACE}", " "), rows


def test_a_report_opens_with_its_finding_and_the_captures_that_show_it() -> None:
    deep, encoder, lost = sample_report().models
    assert read(sample_report()) == (
        "At layer 11, two of 1,536 neurons put 99.7 % of the words’ variance into one direction; without their variation it is 20.0 %.",
        ["alone", "alone-mean", "sentence"],
    )
    alone = replace(deep.contexts[0], interventions=())
    assert read(only(replace(deep, contexts=(alone,)))) == (
        "At layer 11, two of 1,536 neurons write 99.8 % of the MLP’s update to dimension 12; the mean norm goes from 17.1 to 24,410.",
        ["alone"],
    )
    calm = only(replace(encoder, contexts=encoder.contexts[1:]))
    sentence, rows = read(calm)
    assert sentence.startswith(
        f"In the embedding of {encoder.display_name}, 85 % of a word’s nearest neighbors share its category;"
    )
    assert present(headline(calm)).best is not None
    assert rows == ["sentence"]
    assert read(one_depth_report())[1] == []
    assert headline(only(lost)) is None
    assert read(many_models_report(50))[1] == ["alone", "alone-mean", "sentence"]


def test_a_break_that_is_not_known_to_be_massive_is_shown_too() -> None:
    report = only(not_known_to_be_massive(sample_report().models[0]))
    said, chosen = present(headline(report)), present(choice(report))
    assert said.sentence.startswith("At layer 11, two of 1,536 neurons put 99.7")
    assert [row.states.context.name for row in chosen.rows] == ["alone", "alone-mean"]
    assert {11, 12} <= set(chosen.depths)
    first, _ = row_sentences(said, chosen)
    headline_claims.check_rows(said, chosen)
    assert "at layer 11 one direction holds 99.7" in first
    page = Rendered(report).models[0]
    assert page.one("#writers h2").text == "Layer 11 stretches the words into a line"
    assert page.one(".finding a")["href"] == "#writers", "it opens with what was found"


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

    for n_models, where in ((1, "At no depth"), (2, "In neither model"), (3, "In none of three models")):
        untrained = only(*(at_chance(f"model-{index}") for index in range(n_models)))
        said = present(headline(untrained))
        assert said.sentence.startswith(
            f"{where} are a word’s nearest neighbors shown to be of its category more often"
        )
        headline_claims.check_headline(said, untrained)
        about = Rendered(untrained)["index.html"].texts(".about")[0]
        of_what = encoder.display_name if n_models == 1 else f"all models · plots of {encoder.display_name}"
        assert about == f"{of_what} · centered PCA"
        assert present(choice(untrained)).marked is None


def test_a_jump_that_no_few_neurons_are_known_to_write_is_told_of() -> None:
    model = not_known_to_be_massive(sample_report().models[0])
    alone = replace(model.contexts[0], interventions=())
    report = only(replace(model, contexts=(alone,)))
    said, chosen = present(headline(report)), present(choice(report))
    assert said.finding is None
    assert {11, 12} <= set(chosen.depths)
    (first,) = row_sentences(said, chosen)
    headline_claims.check_rows(said, chosen)
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
        said = present(headline(report))
        assert said.model is report.models[place]
        headline_claims.check_headline(said, report)


def test_a_models_page_opens_with_where_categories_hold_if_nothing_breaks() -> None:
    report = sample_report()
    encoder = report.models[1]
    calm = replace(encoder, contexts=encoder.contexts[1:])
    opening = Rendered(only(calm)).models[0].one(".finding").text
    assert opening.startswith("In the embedding, 85")
    assert " Neighbors are counted in all dimensions." in opening
    headline_claims.check_opening(calm)
    assert calm.display_name not in opening
    of_deep, _, of_lost = Rendered(report).models
    assert of_deep.one(".finding a")["href"] == "#writers", "it has a finding"
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
        said = present(headline(report))
        assert said.sentence.endswith("can’t be tested with these words.")
        headline_claims.check_headline(said, report)
    some = np.where(np.arange(len(above.p_value)) > 0, above.p_value, np.nan)
    purity = replace(geometry.purity, above_chance=replace(above, p_value=some, holds=above.holds & False))
    tested = replace(context, geometry=replace(geometry, purity=purity))
    said = present(headline(only(replace(encoder, contexts=(tested,)))))
    assert said.sentence.startswith("At no depth"), "at others it can be"


def test_what_was_not_measured_is_not_said() -> None:
    model = tiny_report().models[1]
    contexts = tuple(replace(each, geometry=None) for each in model.contexts)
    sentence, rows = read(only(replace(model, contexts=contexts)))
    assert sentence == "Compare how the words lie before the first layer and after the last."
    assert rows == [each.states.context.name for each in contexts]


def test_the_author_chooses_sentence_and_picture() -> None:
    report = sample_report()
    assert read(by_author(report)) == (SAID, ["alone", "alone-mean", "sentence"])
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
    assert headline(changed) == headline(report)
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


def test_it_says_how_sure_what_was_found_is() -> None:
    def certainty(report: Report) -> list[str]:
        return [each.plain for each in Rendered(report)["index.html"].all(".certainty")]

    (of_writers,) = certainty(sample_report())
    assert re.fullmatch(
        r"Set to zero, \d+ random pairs of the layer’s neurons change that share by at most [\d.]+ percentage points\.",
        of_writers,
    )
    _, encoder, _ = sample_report().models
    n = present(encoder.contexts[0].geometry).n_permutations
    said = f"Tested against {n:,} shuffles of the words’ categories, at a level of 1 % for the whole report."
    assert certainty(only(encoder)) == [said]
    assert certainty(by_author(sample_report(), sentence="Look.", rows=())) == []


# --- sentences of facts ----------------------------------------------------------------------------------------------

NEIGHBORS = "of a word’s nearest neighbors share its category"
JUMPS = "at layer 11 the mean norm jumps from 17.1 to 24,410, and one direction holds 99.7 % of the variance."


def fact(kind: str, *named: str, values: tuple[float, ...] = ()) -> UnnamedFact:
    return UnnamedFact(kind=kind, subject=named, values=values)


JUMP = fact("jump", "alone", "layer 11", values=(17.1, 24_410.0, 0.997))
ROWS = {
    f"Alone: at layer 11 one direction holds 99.7 % of the variance, and 67 % {NEIGHBORS} (chance: 10 %).": (
        fact("variance", "alone", "layer 11", values=(0.997,)),
        fact("neighbors", "alone", "layer 11", values=(0.67, 0.1)),
    ),
    "Alone: at layer 11 the mean norm is 24,410.": (fact("norm", "alone", "layer 11", values=(24_410.0,)),),
    f"Alone: in the embedding, 85 % {NEIGHBORS} (chance: 10 %); at layer 4, 50 % (chance: 11 %). A{JUMPS[1:]}": (
        fact("neighbors", "alone", "the embedding", values=(0.85, 0.1)),
        fact("neighbors", "alone", "layer 4", values=(0.5, 0.11)),
        JUMP,
    ),
    f"Alone: {JUMPS}": (JUMP,),
}


@pytest.mark.parametrize("text", ROWS)
def test_a_rows_sentence_is_made_of_its_facts(text: str) -> None:
    check_form(ROWS[text], text, sentence, ("variance", "norm", "jump", "neighbors"))


OPENINGS = {
    f"In the embedding of M, 85 % {NEIGHBORS}; by chance, 10 %.": fact(
        "hold", "the embedding", "M", values=(0.85, 0.1)
    ),
    f"At layer 4, 85 % {NEIGHBORS}; by chance, 10 %.": fact("hold", "layer 4", values=(0.85, 0.1)),
    "At layer 11 the mean norm (words alone) jumps from 17.1 to 24,410.": fact(
        "jump", "layer 11", "alone", values=(17.1, 24_410.0)
    ),
}


@pytest.mark.parametrize("text", OPENINGS)
def test_an_opening_is_made_of_its_fact(text: str) -> None:
    check_form(
        (OPENINGS[text],), text, lambda stated: fact_sentence(stated[0]), ("hold", "none hold", "not tested", "jump")
    )


def test_a_changed_fact_of_the_first_page_is_false() -> None:
    deep, encoder, _ = sample_report().models
    for model in (deep, without_interventions(not_known_to_be_massive(deep)), encoder):
        report = only(model)
        said, chosen = present(headline(report)), present(choice(report))
        for row in chosen.rows:
            stated = tuple(row_facts(said, chosen, row))
            for index, other in changed(stated, ("another", "layer 3"), ("variance", "norm", "jump", "neighbors")):
                false = (*stated[:index], other, *stated[index + 1 :])
                with pytest.raises((AssertionError, LookupError, ValueError)):
                    headline_claims.check_row(false, row, said, chosen)
        if said.stated:
            for _, other in changed(
                (said.stated,), ("another", "layer 3"), ("hold", "none hold", "not tested", "nothing")
            ):
                with pytest.raises(AssertionError):
                    headline_claims.check_stated(other, report.models)
