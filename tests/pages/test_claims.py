"""Whatever the numbers, the pages claim nothing that they don't give; and each checker tells a false claim from a true one."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chart_claims
import claims
import false_claims
import false_writers
import finding_claims
import numpy as np
import page_claims
import pytest
import random_geometry
import random_writers
import stage_claims
import writers_claims
from claims import FalseClaim
from false_claims import Case
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered import Part, Rendered
from repeating import times
from report_fixture import FOLDERS, PROJECTIONS, tiny_report

from tokviz import pages
from tokviz.pages import render
from tokviz.pages.findings.chosen import findings
from tokviz.pages.first.choice import choice
from tokviz.pages.model.story import events
from tokviz.pages.text.catalogue import text
from tokviz.pages.text.findings import finding_of
from tokviz.pages.text.trust import finding, trust
from tokviz.pages.text.wording import capitalized
from tokviz.records import ModelReport, Report

ROOT = Path(__file__).parents[2]

# --- every claim of random reports -----------------------------------------------------------------------------------


def site_of(*models: ModelReport) -> Rendered:
    changed: dict[str, Any] = {"words": random_geometry.WORDS, "models": models, "projections": PROJECTIONS[:2]}
    return Rendered(dataclasses.replace(random_geometry.SAMPLE, **changed))


def check_stories(page: Part, model: ModelReport) -> None:
    """What happens at a stage's depths stands there, each event linked to its slide."""
    for context in model.contexts:
        if (geometry := context.geometry) is None:
            continue
        name = context.states.context.name
        found = events(geometry, at_position_0=context.states.tokenization.reads_position_0)
        rows = page.all(f"#stages [data-context='{name}'] tbody tr")
        for row, stage in zip(rows, geometry.stages, strict=True):
            here = [each for each in found if stage.first_depth <= each.depth <= stage.last_depth]
            for badge, each in zip(row.all(".badge"), here, strict=True):
                slide = "embedding" if each.depth == 0 else f"layer-{each.depth - 1}"
                link = badge.one("a")
                assert (link.text, link["href"]) == (capitalized(text(each.what)), f"#{name}/{slide}")
                assert badge.text == f"{link.text}: {', '.join(map(text, each.numbers))}"


def check_plates(model: ModelReport) -> None:
    for context in model.contexts:
        for shown in context.projections:
            for depth, plate in enumerate(shown.plates):
                if plate:
                    alt = finding(model, context, shown.projection, depth)
                    page_claims.check_finding(alt, model, context, shown.projection, depth)
                    parts = trust(shown.projection, context.geometry, depth)
                    page_claims.check_trust(parts, context, shown.projection, depth)


CHECKS = (stage_claims.check_stages, stage_claims.check_difference, check_plates)


@pytest.mark.slow
@settings(max_examples=times(40))
@given(model=random_geometry.models())
def test_a_model_is_told_truly(model: ModelReport) -> None:
    for check in CHECKS:
        check(model)
    (page,) = site_of(model).models
    check_stories(page, model)
    chart_claims.check_charts(page, model)


@pytest.mark.slow
@settings(max_examples=times(40))
@given(plain=random_geometry.models(), seed=st.integers(0, 2**32 - 1))
def test_who_writes_and_what_is_without_them_is_told_truly(plain: ModelReport, seed: int) -> None:
    model = random_writers.with_writers(plain, np.random.default_rng(seed))
    site = site_of(model)
    (page,) = site.models
    if page.all("#writers"):
        writers_claims.check_section(page, model)
    chart_claims.check_charts(page, model)
    for context in model.contexts:
        for changed in context.interventions:
            name = changed.states.context.name
            drawn = page.all(f".panel[data-context='{name}'][data-projection={PROJECTIONS[0]}]")
            assert not drawn or changed.rule == "by_hand" or changed is context.twin
            for panel in drawn:
                writers_claims.check_what_was_done(claims.notes_of(panel)[0], changed, context, 2)
    by_label = {context.states.context.label: context for context in model.contexts}
    beside = site_of(model, dataclasses.replace(model, slug="other", name="Other"))
    for (_, label), cells in claims.metrics(beside["compare/index.html"]).items():
        noted = {name: cell.noted for name, cell in cells.items()}
        writers_claims.check_capture(noted, finding_of(model), by_label[label])


def check_site(report: Report, site: Rendered) -> None:
    """What pages say of all models together."""
    for model, page in zip(report.models, site.models, strict=True):
        panels = {(panel["data-context"], panel["data-projection"]): panel for panel in page.all(".panel")}
        for context in model.contexts:
            for shown in context.projections:
                panel = panels[context.states.context.name, shown.projection.name]
                page_claims.check_panel_notes(claims.notes_of(panel), context)
                if context.geometry:
                    assert panel.all(".ruler-measured")
                    mark, *_ = [*panel.texts(".mark-name"), None]
                    chart_claims.check_mark(mark, context.geometry)
    page_claims.check_position_0(claims.term_of(site["method/index.html"], "Position 0"), report)
    for measured_on in site["method/index.html"].texts("#measures + p"):
        page_claims.check_measured_on(measured_on, report)


@pytest.mark.slow
@settings(max_examples=times(20))
@given(plain=random_geometry.reports(), seed=st.integers(0, 2**32 - 1))
def test_the_first_page_opens_with_what_was_found(plain: Report, seed: int) -> None:
    random = np.random.default_rng(seed)
    models = [random_writers.with_writers(model, random) if random.random() < 0.5 else model for model in plain.models]
    report = dataclasses.replace(
        plain,
        models=tuple(
            dataclasses.replace(
                model, contexts=tuple(random_geometry.scattered(each, random) for each in model.contexts)
            )
            for model in models
        ),
    )
    for about in (report.models, *((model,) for model in report.models)):
        finding_claims.check_findings(findings(report, about), report, about)
    if chosen := choice(report):
        finding_claims.check_rows(findings(report)[0], chosen)


def check_compare(report: Report, site: Rendered) -> None:
    contexts = {(model.display_name, each.states.context.label): each for model, each in page_claims.captured(report)}
    page = site["compare/index.html"]
    if len({name for name, _ in contexts}) < 2:
        assert page.all("[http-equiv=refresh]")
        return
    for capture, cells in claims.metrics(page).items():
        page_claims.check_capture({name: cell.noted for name, cell in cells.items()}, contexts[capture])
        page_claims.check_caveats(cells["Caveats"].text.split("; "), contexts[capture])
    for chart in page.all(".measure figure"):
        heading = chart.one("figcaption").text
        own = {name: each for (name, label), each in contexts.items() if label == heading}
        chart_claims.check_chart(chart.one("svg")["aria-label"], own)
    check_captions(json.loads(page.one("[data-captures]").text), report)
    for pairs in page.all(".pairs"):
        check_pair(pairs, report)


def check_captions(data: dict[str, Any], report: Report) -> None:
    for model, written in zip(report.models, data["models"], strict=True):
        for context, in_context in zip(model.contexts, written["contexts"], strict=True):
            for shown, in_projection in zip(context.projections, in_context["projections"], strict=True):
                for depth, caption in enumerate(in_projection["captions"]):
                    if caption:
                        page_claims.check_caption(caption, context, shown.projection, depth)


def check_pair(pairs: Part, report: Report) -> None:
    layers = report.similarities[0].shared
    page_claims.check_likeness(pairs.texts(".pairs > p")[-1], layers)
    names = (report.models[0].display_name, report.models[1].display_name)
    cka, neighbours = pairs.all(".heat-rows > section")[0].all("figure")
    for heatmap, matrix in ((cka, layers.cka), (neighbours, layers.neighbours)):
        page_claims.check_best_match(heatmap.one("[role=img]")["aria-label"], matrix, names)
    page_claims.check_heatmap_summary(page_claims.summary_of(cka), layers.cka_summary)
    page_claims.check_heatmap_summary(page_claims.summary_of(neighbours), layers.neighbours_summary)


@pytest.mark.slow
@settings(max_examples=times(20))
@given(report=random_geometry.reports())
def test_a_report_is_told_truly(report: Report) -> None:
    site = Rendered(report)
    check_site(report, site)
    check_compare(report, site)


# --- the checkers are checked ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cases", [*false_claims.KINDS, *false_writers.KINDS])
def test_a_false_claim_is_told_from_a_true_one(cases: Callable[[], Iterator[Case]], subtests: pytest.Subtests) -> None:
    for case in cases():
        with subtests.test(case.kind):
            case.check(case.true)
            assert case.false != claims.plain(case.true)
            with pytest.raises(FalseClaim):
                case.check(case.false)


# --- what isn't measured ---------------------------------------------------------------------------------------------


def written() -> dict[str, str]:
    """Everything that this project says to readers: pages, the author's notes, README, the manual."""
    site = render.render(pages.build(tiny_report()), FOLDERS)
    texts = {path: re.sub(r"<[^>]+>", " ", page) for path, page in site.items()}
    manual = (ROOT / "docs" / "manual").rglob("*.md")
    files = [ROOT / "README.md", ROOT / "report.toml", *(ROOT / "notes").glob("*.md"), *manual]
    return texts | {str(file): file.read_text(encoding="utf-8") for file in files}


def test_a_sink_is_what_many_models_build_and_not_what_was_found() -> None:
    """Attention itself isn't measured: what is seen is a dimension that grows."""
    said = [sentence for text in written().values() for sentence in re.split(r"(?<=\.)\s", text) if "sink" in sentence]
    assert len(said) > 5
    for sentence in said:
        if "arXiv" in sentence:
            continue  # a paper's title
        assert re.search(r"[Mm]any\s+(language\s+)?models", sentence), sentence
