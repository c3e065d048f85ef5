"""A report of fifty models: its first page and its compare page stay light, and nothing is out of reach, with scripts or without."""

from __future__ import annotations

import itertools
import json
import posixpath
import re
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from intervention_fixture import with_interventions
from narrow import present
from profile_fixture import differences
from report_fixture import (
    ALONE,
    FOLDERS,
    HOSTILE,
    SENTENCE,
    layer_similarity,
    many_models_report,
    model_report,
    sample_report,
    word_list,
)

from tokviz.pages import render
from tokviz.pages.charts.measures import BETWEEN_MODELS
from tokviz.pages.compare import compare_data
from tokviz.pages.compare.curves import MOST_DRAWN
from tokviz.pages.compare.layers import layers_page
from tokviz.pages.compare.page import compare_page
from tokviz.pages.first.page import MOST_LINKS, index_page
from tokviz.pages.frame.frame import Values
from tokviz.pages.method.page import method_page
from tokviz.pages.site import Page, SiteView
from tokviz.records import ModelSimilarity, Report

pytestmark = pytest.mark.thorough

N_MODELS = 50
MOST = {"index.html": 250 * 1024, "compare/index.html": 400 * 1024}
"""Bytes, as the files are."""
INDEX, COMPARE, LAYERS = "index.html", "compare/index.html", "compare/layers/index.html"


def fifty_models(*, interventions: bool) -> Report:
    """Models of 37 layers, each compared with each in both contexts, and three of them layer by layer."""
    words, contexts = word_list(n_categories=9, n_words=13), (ALONE, SENTENCE)
    deep = model_report("deep", "Deep", 37, words, contexts, measured=True)
    if interventions:
        deep = with_interventions(deep)
    models = tuple(
        replace(deep, slug=f"some-model-{index}b-instruct", name=f"Some-Model-{index}B-Instruct")
        for index in range(N_MODELS)
    )
    layers, in_detail = layer_similarity(38, 38, 116), {model.slug for model in models[:3]}
    similarities = tuple(
        ModelSimilarity(
            model_a=a.slug,
            model_b=b.slug,
            context=context.name,
            shared=layers,
            single_token=layers if {a.slug, b.slug} <= in_detail else None,
        )
        for context in contexts
        for a, b in itertools.combinations(models, 2)
    )
    apart = tuple(differences(each.model_a, each.model_b, each.context) for each in similarities)
    return replace(
        sample_report(), words=words, models=models, similarities=similarities, differences=apart, downloads={}
    )


def rendered(report: Report) -> dict[str, str]:
    """Without the models' own pages, which nothing here looks at."""
    compare = present(compare_page(report))
    views: list[tuple[str, Values | None]] = [
        ("index", index_page(report)),
        ("compare", compare),
        ("layers", layers_page(report)),
        ("method", method_page(report)),
    ]
    site = SiteView(
        pages=tuple(Page(template=template, view=view) for template, view in views if view),
        report=report,
        files=compare.scripts,
    )
    return render.render(site, FOLDERS)


@pytest.fixture(scope="module", params=[False, True], ids=["as they are", "with interventions"])
def written(request: pytest.FixtureRequest) -> dict[str, str]:
    return rendered(fifty_models(interventions=request.param))


def parse(html: str) -> Element:
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return tree


def links(html: str, path: str) -> set[str]:
    """What the ``<a>`` of a page lead to, from the site's root."""
    folder = posixpath.dirname(path)
    hrefs = [each.attrib["href"] for each in parse(html).iter() if each.tag.endswith("a") and "href" in each.attrib]
    return {posixpath.normpath(posixpath.join(folder, href.partition("#")[0])) for href in hrefs}


def content(script: str) -> Any:
    """What a script passes to the page; the script does nothing else."""
    found = present(re.fullmatch(r"tokvizData\(\"([^\"]*) compared\",(.*)\);\n", script, re.DOTALL))
    return json.loads(found[2])


@pytest.mark.slow
def test_the_pages_are_light(written: dict[str, str]) -> None:
    sizes = {path: len(written[path].encode()) for path in MOST}
    assert all(sizes[path] <= most for path, most in MOST.items()), sizes


@pytest.mark.slow
def test_without_scripts_every_model_and_comparison_is_linked(written: dict[str, str]) -> None:
    models = {f"models/some-model-{index}b-instruct/index.html" for index in range(N_MODELS)}
    for path in MOST:
        assert models <= links(written[path], path)
    assert LAYERS in links(written[COMPARE], COMPARE)
    assert COMPARE in links(written[LAYERS], LAYERS)
    assert "the first 8 of 50 models" in written[COMPARE]


@pytest.mark.slow
def test_all_pages_are_valid(written: dict[str, str]) -> None:
    for path in (INDEX, COMPARE, LAYERS):
        parse(written[path])
    assert written[LAYERS].count('<th scope="row">') == 2 * N_MODELS
    assert written[LAYERS].count('class="heatmap"') == 2 * 3 * 2


@pytest.mark.slow
def test_each_models_script_has_what_the_page_leaves_out(written: dict[str, str]) -> None:
    data = json.loads(present(re.search(r"data-captures>(.*?)</script>", written[COMPARE]))[1])
    contexts = [(model["slug"], context) for model in data["models"] for context in model["contexts"]]
    complete = [(slug, context["name"]) for slug, context in contexts if "script" not in context]
    assert complete == [("some-model-0b-instruct", "alone"), ("some-model-1b-instruct", "alone")]
    shown = data["models"][0]["contexts"][0]["projections"]
    for model in data["models"][2:]:
        scripts = {context["script"] for context in model["contexts"]}
        [pictures, *others] = content(written[posixpath.join("compare", *scripts)])["pictures"]
        assert len(others) == len(model["contexts"]) - 1
        brief = model["contexts"][0]["projections"]
        assert brief == [{"name": each["name"], "label": each["label"]} for each in shown]
        merged = [{**own, **more} for own, more in zip(brief, pictures, strict=True)]
        assert json.dumps(merged).replace(model["slug"], "") == json.dumps(shown).replace(complete[0][0], "")


def test_a_script_has_the_curves_that_the_page_would_have(written: dict[str, str]) -> None:
    tree = parse(written[COMPARE])
    charts = [each for each in tree.iter() if each.get("role") == "img" and each.get("aria-label", "").count(":") > 1]
    boxes = [each for each in tree.iter("input") if each.get("type") == "checkbox"]
    assert [box.get("checked") is not None for box in boxes] == [True] * MOST_DRAWN + [False] * (N_MODELS - MOST_DRAWN)
    for slug in (boxes[0].get("value"), boxes[7].get("value")):
        curves = content(written[compare_data.script_path(present(slug))])["curves"]
        assert len(curves["charts"]) == len(charts) == 2 * len(BETWEEN_MODELS)
        for chart, own in zip(charts, curves["charts"], strict=True):
            drawn = {each.get("d") for each in chart.iter()}
            assert own["line"] in drawn
            assert own["interval"] is None or own["interval"] in drawn
            assert own["said"] in chart.attrib["aria-label"]


def test_few_models_need_no_scripts_of_their_own() -> None:
    report = many_models_report(compare_data.MOST_MODELS)
    shallow = [
        replace(model, slug=f"model-{index}") for index, model in enumerate([report.models[1]] * len(report.models))
    ]
    report = replace(report, models=tuple(shallow[: compare_data.MOST_MODELS]))
    page = present(compare_page(report))
    assert page.scripts == {}
    assert page.curves["choice"] == ""
    assert present(page.layers)["pairs"]
    assert layers_page(report) is None
    index = index_page(report)
    assert all(ruler.hrefs for *_, views in index.models for _, ruler in views)
    assert "assets/strips.js" not in index.frame.scripts


def test_strips_are_brief_where_links_are_many() -> None:
    report = sample_report()
    deep = report.models[0]
    n_depths = sum(context.states.n_depths for context in deep.contexts)
    most = MOST_LINKS // n_depths
    for n_models, brief in ((most, False), (most + 1, True)):
        index = index_page(replace(report, models=(deep,) * n_models))
        assert all(bool(ruler.slides) == brief for _, ruler in index.models[0][-1])


def test_what_authors_write_runs_nowhere() -> None:
    report = many_models_report()
    models = tuple(replace(model, name=f"{HOSTILE}</script>{index}") for index, model in enumerate(report.models))
    written = rendered(replace(report, models=models))
    for path, text in written.items():
        if path.endswith(".js"):
            assert "<script>" in content(text)["curves"]["name"]
        else:
            assert "<script>alert" not in text
