"""What each layer would say, on pages that aren't a model's own: charts and columns side by side, the method, the explorer."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from lens_fixture import REASON
from narrow import present
from report_fixture import Views, lens_report, sample_report

from tokviz.pages.compare.table import Metric, labels
from tokviz.pages.explore.page import ExplorePage
from tokviz.pages.model.lens_sentences import LIMITS
from tokviz.records import Report

REPORT = lens_report()
NAME = "Category named, Jacobian lens"


def row(report: Report) -> Metric:
    found: Metric = next(each for each in present(Views(report).compare).metrics if each.label == NAME)
    return found


def test_charts_of_all_models_have_those_with_a_lens() -> None:
    curves = present(Views(REPORT).compare).curves
    assert LIMITS in curves.note
    rows = {each.name: each for each in curves.rows}
    for name in ("Category named", "Word itself named"):
        assert [chart.heading for chart in rows[name].charts] == ["alone", "in a sentence"]
        for chart in rows[name].charts:
            assert [curve.switch for curve in chart.curves][:3] == ["", "", "logit"]
    assert not {"Category named", "Word itself named"} & {
        each.name for each in present(Views(sample_report()).compare).curves.rows
    }


def test_a_column_says_how_much_is_named_and_why_nothing_is() -> None:
    cells = {cell.text: cell for cell in row(REPORT).cells}
    alone, nothing = cells["73\N{NO-BREAK SPACE}%"], cells["–"]
    assert alone.note == "layer 13, chance 12\N{NO-BREAK SPACE}%; claimed at 14 of 31\N{NO-BREAK SPACE}depths"
    assert nothing.note == f"no lens: {REASON}"
    assert any(each.startswith("Category named:") for each in present(Views(REPORT).compare).table_notes)
    assert NAME not in labels(sample_report())


def test_where_the_halves_disagree_everywhere_there_is_no_number() -> None:
    deep, *others = REPORT.models
    first = deep.contexts[0]
    lens = present(first.lens)
    never = replace(present(lens.named), agreement=np.full(31, 0.5))
    context = replace(first, lens=replace(lens, named=never))
    report = replace(REPORT, models=(replace(deep, contexts=(context,)), *others))
    assert "the halves of the text disagree" in [cell.note for cell in row(report).cells]


def test_the_first_page_leads_to_it_where_a_model_has_one() -> None:
    first, *others = Views(REPORT).index.models
    assert first.lens == "models/smol-30/index.html#lens"
    assert [each.lens for each in others] == [None] * len(others)


def test_the_method_defines_it_where_a_report_has_it() -> None:
    name = "What each layer would say (Jacobian lens)"
    assert name in [each.name for each in Views(REPORT).method.measures]
    assert name not in [each.name for each in Views(sample_report()).method.measures]


def explorer_of(report: Report) -> ExplorePage:
    return present(Views(report).explore)


def test_the_explorer_knows_which_captures_have_one() -> None:
    page = explorer_of(REPORT)
    assert page.lens_limits.startswith(LIMITS)
    deep, shallow = json.loads(page.data)["models"]
    assert all(each["lens"] for each in deep["contexts"])
    assert not any("lens" in each for each in shallow["contexts"])
    assert explorer_of(sample_report()).lens_limits == ""
