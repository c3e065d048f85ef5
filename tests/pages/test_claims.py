"""Whatever the numbers, the pages claim nothing that they don't give; and each checker tells a false claim from a true one."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import claims
import false_claims
import false_writers
import headline_claims
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
from narrow import present
from repeating import times
from report_fixture import FOLDERS, PROJECTIONS, Views, tiny_report

from tokviz import pages
from tokviz.pages import render
from tokviz.pages.charts.curves import model_charts
from tokviz.pages.compare.pairs import Pair
from tokviz.pages.compare.table import table
from tokviz.pages.first.choice import choice
from tokviz.pages.frame.pictures import panels
from tokviz.pages.model.events import event_numbers, event_text, events
from tokviz.pages.model.headline import headline
from tokviz.pages.model.story import stories
from tokviz.pages.model.writers import writers_section
from tokviz.pages.text.findings import finding_of
from tokviz.pages.text.parts import Link
from tokviz.pages.text.trust import finding, trust
from tokviz.records import ModelReport, Report

ROOT = Path(__file__).parents[2]

# --- every claim of random reports -----------------------------------------------------------------------------------


def check_stories(model: ModelReport) -> None:
    """What happens at a stage's depths stands there, each event linked to its slide."""
    by_name = {context.states.context.name: context for context in model.contexts}
    for story in stories(random_geometry.SAMPLE, model, "models/m/index.html"):
        context = by_name[story.context]
        geometry = present(context.geometry)
        found = events(geometry, at_position_0=context.states.tokenization.reads_position_0)
        for section, stage in zip(story.stages, geometry.stages, strict=True):
            here = [each for each in found if stage.first_depth <= each.depth <= stage.last_depth]
            for badge, each in zip(section.badges, here, strict=True):
                slide = "embedding" if each.depth == 0 else f"layer-{each.depth - 1}"
                assert badge.link == Link(text=event_text(each.what), href=f"#{story.context}/{slide}")
                assert badge.detail == event_numbers(each.numbers)


def check_plates(model: ModelReport) -> None:
    for context in model.contexts:
        for shown in context.projections:
            for depth, plate in enumerate(shown.plates):
                if plate:
                    alt = finding(model, context, shown.projection, depth)
                    page_claims.check_finding(alt, model, context, shown.projection, depth)
                    parts = trust(shown.projection, context.geometry, depth)
                    page_claims.check_trust(parts, context, shown.projection, depth)


def check_model_charts(model: ModelReport) -> None:
    charts = model_charts(model)
    if charts is None:
        return
    page_claims.check_curves_note(page_claims.curves_text(charts), model)
    by_name = {context.states.context.label.capitalize(): context for context in model.captures}
    for chart in charts.charts:
        page_claims.check_chart(chart.alt, by_name)


def check_writers(model: ModelReport) -> None:
    if section := writers_section(model, "models/m/index.html"):
        writers_claims.check_section(section, model)


CHECKS = (stage_claims.check_stages, check_stories, stage_claims.check_difference, check_plates, check_model_charts)


@pytest.mark.slow
@settings(max_examples=times(40))
@given(model=random_geometry.models())
def test_a_model_is_told_truly(model: ModelReport) -> None:
    for check in CHECKS:
        check(model)


@pytest.mark.slow
@settings(max_examples=times(40))
@given(plain=random_geometry.models(), seed=st.integers(0, 2**32 - 1))
def test_who_writes_and_what_is_without_them_is_told_truly(plain: ModelReport, seed: int) -> None:
    model = random_writers.with_writers(plain, np.random.default_rng(seed))
    for check in (check_writers, check_model_charts):
        check(model)
    report = dataclasses.replace(random_geometry.SAMPLE, models=(model,), projections=PROJECTIONS[:2])
    drawn = {(panel.context, panel.projection): panel for panel in panels(report, model, "models/m/index.html")}
    for context in model.contexts:
        for changed in context.interventions:
            panel = drawn.get((changed.states.context.name, PROJECTIONS[0]))
            assert panel is None or changed.rule == "by_hand" or changed is context.twin
            if panel:
                writers_claims.check_what_was_done(panel.notes[0], changed, context, 2)
    by_label = {context.states.context.label: context for context in model.contexts}
    for row in table(report, "compare/index.html"):
        cells = [(cell.text, cell.note) for cell in row.cells[6:8]]
        writers_claims.check_cells(cells, finding_of(model), by_label[row.context])


def check_site(report: Report, site: Views) -> None:
    """What pages say of all models together."""
    for model, page in zip(report.models, site.models, strict=True):
        panels = {(panel.context, panel.projection): panel for panel in page.panels}
        for context in model.contexts:
            for shown in context.projections:
                panel = panels[context.states.context.name, shown.projection.name]
                page_claims.check_panel_notes(panel.notes, context)
                if context.geometry:
                    mark = present(panel.ruler.measured).mark
                    page_claims.check_mark(mark.text if mark else None, context.geometry)
    term = next(term for term in site.index.reading if term.name == "Position 0")
    page_claims.check_position_0(term.meaning, report)
    if site.method.measured_on:
        page_claims.check_measured_on(site.method.measured_on, report)


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
    said = headline(report)
    headline_claims.check_headline(said, report)
    for model in report.models:
        headline_claims.check_opening(model)
    if said and (chosen := choice(report)):
        headline_claims.check_rows(said, chosen)


def check_compare(report: Report, site: Views) -> None:
    page = site.compare
    if page is None:
        assert len(list(page_claims.captured(report))) < 2
        return
    contexts = {(model.display_name, each.states.context.label): each for model, each in page_claims.captured(report)}
    for row in page.table:
        context = contexts[row.model.text, row.context]
        page_claims.check_row([(cell.text, cell.note) for cell in row.cells], context)
        page_claims.check_caveats(row.caveats, context)
    for chart_row in page.curves.rows:
        for chart in chart_row.charts:
            own = {name: each for (name, label), each in contexts.items() if label == chart.heading}
            page_claims.check_chart(chart.alt, own)
    check_captions(json.loads(page.data), report)
    for pair in page.layers.pairs if page.layers else ():
        check_pair(pair, report)


def check_captions(data: dict[str, Any], report: Report) -> None:
    for model, written in zip(report.models, data["models"], strict=True):
        for context, in_context in zip(model.contexts, written["contexts"], strict=True):
            for shown, in_projection in zip(context.projections, in_context["projections"], strict=True):
                for depth, caption in enumerate(in_projection["captions"]):
                    if caption:
                        page_claims.check_caption(caption, context, shown.projection, depth)


def check_pair(pair: Pair, report: Report) -> None:
    layers = report.similarities[0].shared
    page_claims.check_likeness(pair.sentence, layers)
    names = (report.models[0].display_name, report.models[1].display_name)
    cka, neighbours = pair.rows[0].heatmaps
    for heatmap, matrix in ((cka, layers.cka), (neighbours, layers.neighbours)):
        page_claims.check_best_match(heatmap.alt, matrix, names)
    page_claims.check_heatmap_summary(cka.summary, layers.cka_summary, None)
    page_claims.check_heatmap_summary(neighbours.summary, layers.neighbours_summary, layers.chance)


@pytest.mark.slow
@settings(max_examples=times(20))
@given(report=random_geometry.reports())
def test_a_report_is_told_truly(report: Report) -> None:
    site = Views(report)
    check_site(report, site)
    check_compare(report, site)


# --- the checkers are checked ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [*false_claims.cases(), *false_writers.cases()], ids=lambda case: case.kind)
def test_a_false_claim_is_told_from_a_true_one(case: Case) -> None:
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
