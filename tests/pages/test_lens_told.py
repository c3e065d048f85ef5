"""What each layer would say, on pages that aren't a model's own: charts and columns side by side, the method, the explorer."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from claims import metrics
from lens_fixture import REASON
from narrow import present
from rendered import Rendered
from report_fixture import lens_report, sample_report

from tokviz.pages.text import catalogue
from tokviz.pages.text.catalogue import Fact

REPORT = lens_report()
LIMITS = catalogue.sentence([Fact("model.lens.limits")])
NAME = "Category named, Jacobian lens"


@pytest.fixture(scope="module")
def site() -> Rendered:
    return Rendered(REPORT)


@pytest.fixture(scope="module")
def without() -> Rendered:
    """No model of which has a lens."""
    return Rendered(sample_report())


def named(site: Rendered) -> list[tuple[str, str]]:
    """Of each capture how much is named, and the note on it."""
    return [cells[NAME].noted for cells in metrics(site["compare/index.html"]).values()]


def test_charts_of_all_models_have_those_with_a_lens(site: Rendered, without: Rendered) -> None:
    page = site["compare/index.html"]
    assert any(LIMITS in each for each in page.texts(".caption"))
    rows = {each.one("h3").text: each for each in page.all(".measure")}
    for name in ("Category named", "Word itself named"):
        assert rows[name].texts("figcaption") == ["alone", "in a sentence"]
        for chart in rows[name].all("figure"):
            switches = [each["class"].partition("switch-")[2] for each in chart.all("path.curve")]
            assert switches[:3] == ["", "", "logit"]
    assert not {"Category named", "Word itself named"} & {*without["compare/index.html"].texts(".measure h3")}


def test_a_column_says_how_much_is_named_and_why_nothing_is(site: Rendered, without: Rendered) -> None:
    shown = dict(named(site))
    alone = "layer 13, chance 12\N{NO-BREAK SPACE}%; claimed at 14 of 31\N{NO-BREAK SPACE}depths"
    assert shown["73\N{NO-BREAK SPACE}%"] == alone
    assert shown["–"] == f"no lens: {REASON}"
    assert any(each.startswith("Category named:") for each in site["compare/index.html"].texts(".ranking .caption"))
    assert NAME not in without["compare/index.html"].texts(".ranking tbody th")


def test_where_the_halves_disagree_everywhere_there_is_no_number() -> None:
    deep, *others = REPORT.models
    first = deep.contexts[0]
    lens = present(first.lens)
    never = replace(present(lens.named), agreement=np.full(31, 0.5))
    context = replace(first, lens=replace(lens, named=never))
    report = replace(REPORT, models=(replace(deep, contexts=(context,)), *others))
    assert ("–", "the halves of the text disagree") in named(Rendered(report))


def test_the_first_page_leads_to_it_where_a_model_has_one(site: Rendered) -> None:
    assert [each["href"] for each in site["index.html"].all("header p a[href$='#lens']")] == [
        "models/smol-30/index.html#lens"
    ]


def test_the_method_defines_it_where_a_report_has_it(site: Rendered, without: Rendered) -> None:
    name = "What each layer would say (Jacobian lens)"
    assert name in site["method/index.html"].texts("dt")
    assert name not in without["method/index.html"].texts("dt")


def test_the_explorer_knows_which_captures_have_one(site: Rendered, without: Rendered) -> None:
    page = site["explore/index.html"]
    assert any(each.startswith(LIMITS) for each in page.texts(".caption"))
    assert page.all(".explore-card[data-lens]")
    deep, shallow = json.loads(page.one("[data-index]").text)["models"]
    assert all(each["lens"] for each in deep["contexts"])
    assert not any("lens" in each for each in shallow["contexts"])
    assert LIMITS not in without["explore/index.html"].text
    assert not without["explore/index.html"].all("[data-lens]")
