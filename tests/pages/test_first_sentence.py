"""Beside interventions and plots, which are of a context's first sentence, pages give its values and not medians over all."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from controls_fixture import in_templates
from narrow import present
from related_fixture import related_report
from rendered import Part, Rendered, line_points

from tokviz.pages.compare import compare_data
from tokviz.pages.compare.differing import differing
from tokviz.pages.explore.explore_data import scripts
from tokviz.pages.findings.chosen import lead
from tokviz.pages.first.choice import choice
from tokviz.pages.first.multiples import row_sentences
from tokviz.pages.model.related import files
from tokviz.pages.text.trust import trust
from tokviz.records import Claim, ContextReport, ModelReport, Opening, Report
from tokviz.records import Tested as AgainstChance

DEPTH = 12
"""After the layer whose neurons are changed."""


@pytest.fixture(scope="module")
def report() -> Report:
    """The words of the first model's break in three sentences; in the first one purity is 0.04 below the median, and nothing is read."""
    found = related_report()
    model = found.models[0]
    context = in_templates(model.contexts[0])
    relations = present(context.relations)
    orders = tuple(replace(each, r2=_in_templates(each.r2)) for each in relations.orders)
    changed = tuple(replace(each, relations=relations) for each in context.interventions)
    context = replace(context, relations=replace(relations, orders=orders), interventions=changed)
    models = (replace(model, contexts=(context, *model.contexts[1:])), *found.models[1:])
    return replace(found, models=models, opening=Opening(lead="break"))


@pytest.fixture(scope="module")
def page(report: Report) -> Part:
    """Of the first model."""
    return Rendered(report).models[0]


def _in_templates(tested: AgainstChance) -> AgainstChance:
    n_depths = len(tested.value)
    return replace(
        tested,
        value=np.full(n_depths, 0.8),
        templates=np.array([[0.1], [0.8], [0.9]]) + np.zeros(n_depths),
        claim=_read_but_in_the_first(tested.claim),
    )


def _read_but_in_the_first(claim: Claim) -> Claim:
    n_depths = len(claim.holds)
    shown = np.repeat([[False], [True], [True]], n_depths, axis=1)
    return replace(
        claim,
        can_be_tested=True,
        holds=np.ones(n_depths, dtype=bool),
        template_score=np.zeros((3, n_depths)),
        template_is_eligible=shown,
        template_holds=shown,
    )


def content(script: str) -> Any:
    """What a script of data hands over."""
    return json.loads(script[script.index("{") : script.rindex("}") + 1])


def _broken(report: Report) -> tuple[ModelReport, ContextReport]:
    return report.models[0], report.models[0].contexts[0]


def _percent(value: float) -> str:
    return f"{100 * value:.0f}\N{NO-BREAK SPACE}%"


def _purities(report: Report, depth: int = DEPTH) -> tuple[float, float]:
    """In the first sentence, and the median."""
    purity = present(_broken(report)[1].geometry).purity
    first, median = float(present(purity.templates)[0, depth]), float(purity.value[depth])
    assert _percent(first) != _percent(median)
    return first, median


def test_the_table_of_changed_neurons_compares_one_sentence(report: Report, page: Part) -> None:
    _, context = _broken(report)
    rows = {name: values for name, *values in page.one(".without tbody").table}
    last = context.states.n_depths - 1
    for name, depth in (("layer 11", DEPTH), (f"layer {last - 1}", last)):
        row = rows[f"Neighbors of the same category at {name}, in all dimensions, first sentence"]
        assert row[0] == _percent(_purities(report, depth)[0])
        changed = present(context.intervened("mean"))
        assert row[1] == _percent(present(changed.geometry).purity.value[depth])


def test_the_first_page_gives_the_sentence_that_is_drawn(report: Report) -> None:
    said, chosen = present(lead(report)), present(choice(report))
    first, *others = row_sentences(said, chosen)
    assert first.startswith("Alone, first sentence: at layer 11 ")
    assert f"{_percent(_purities(report)[0])} of a word’s nearest neighbors" in first
    assert not any("first sentence" in each for each in others)
    # What isn't announced of it isn't said.
    purity = present(_broken(report)[1].geometry).purity
    above = replace(purity.above_chance, template_holds=~present(purity.above_chance.template_holds))
    row = replace(
        chosen.rows[0],
        geometry=replace(present(chosen.rows[0].geometry), purity=replace(purity, above_chance=above)),
    )
    assert "neighbors" not in row_sentences(said, replace(chosen, rows=(row,)))[0]


def test_under_plots_purity_is_of_the_sentence_that_is_drawn(report: Report, page: Part) -> None:
    model, context = _broken(report)
    first, median = _purities(report)
    under = " ".join(trust(context.projections[0].projection, context.geometry, DEPTH))
    assert "category purity of the first sentence " in under
    assert f"{first:.2f} in\N{NO-BREAK SPACE}all" in under
    compared = differing(report, [each for each in report.models if each.contexts])
    assert f"{first:.2f} in all dimensions" in compare_data.page_data(report, compared).replace(
        "\N{NO-BREAK SPACE}", " "
    )
    script = scripts(report)[f"data/{model.slug}/{context.states.context.name}/words.js"]
    (spark, *_) = re.findall(r'class="spark" d="([^"]+)"', content(script)["measures"]["lines"])
    first_depth, _, *others = line_points(spark)
    _, height = [first_depth, *others][DEPTH]
    assert 1 - height / 100 == pytest.approx(first, abs=5.1e-4), "to a tenth of a hundredth, as it is drawn"
    assert abs(first - median) > 0.01
    assert "category purity of" not in " ".join(
        trust(context.projections[0].projection, context.in_first_template.geometry, DEPTH)
    )
    told = page.texts(".difference p")[-1]
    assert f"in all dimensions: {_percent(first)} for words alone (first sentence)" in told
    assert _percent(median) not in told.partition(";")[0]


def said_of(name: str, page: Part) -> dict[str, str]:
    """What is said of a relation or an order, by captures."""
    (found,) = [each for each in page.all(".related-figures > div") if each.one("h3").text == name]
    return {each["data-context"]: each.text for each in found.all("[data-follow]")}


def test_an_order_without_neurons_is_held_against_the_sentence_in_which_they_were_changed(page: Part) -> None:
    said = said_of("A circle", page)
    assert said["alone"].startswith("Words alone. At every depth, a word’s place in the cycle can be read")
    for name in ("alone-off", "alone-mean"):
        assert re.search(
            r"Neurons are changed in the first sentence only, “.*…”\. Of the same sentence in the unchanged model: It isn’t shown that a "
            r"word’s place in the cycle can be read [^:]*: leave-one-out R² is at most 0\.10\.$",
            said[name],
        )
    assert "unchanged model" not in said["alone"] + said["sentence"]


def test_an_order_at_a_depth_is_that_of_the_sentence_that_is_drawn(report: Report) -> None:
    model, context = _broken(report)
    script = dict(files(report, model, context))["data/smol-30/alone/relations.js"]
    assert content(script)["items"][1]["said"][DEPTH] == (
        "First sentence: It isn’t shown that the order can be read here: leave-one-out R² is 0.10."
    )


def test_pages_are_made_of_relations_without_hits(report: Report) -> None:
    """Hits in the first sentence alone aren't kept."""
    model, context = _broken(report)
    relations = present(context.relations)
    relation = replace(relations.relations[0], parallelism=_in_templates(relations.relations[0].parallelism))
    relation = replace(relation, offset=_read_but_in_the_first(relation.offset))
    context = replace(context, relations=replace(relations, relations=(relation,)))
    model = replace(model, contexts=(context, *model.contexts[1:]))
    said = said_of("First → second", Rendered(replace(report, models=(model, *report.models[1:]))).models[0])
    without = "Of the same sentence in the unchanged model: It isn’t shown that a common difference"
    assert without in said["alone-off"]
    script = content(dict(files(report, model, context))["data/smol-30/alone/relations.js"])
    assert "found" not in script["items"][0]["said"][DEPTH]
