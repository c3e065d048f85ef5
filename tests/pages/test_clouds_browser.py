"""Categories that are one cloud each in a plot are named there, and no others: held against SciPy's hulls."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import MOVING, OpenPage, wait_until_quiet
from plates_page import INK, MODEL, SLUG, drawn, overlapping, slide, write_sample
from playwright.sync_api import Page, expect
from report_fixture import ALONE, model_report, sample_report, word_list, write_site
from scipy.spatial import Delaunay
from scipy.spatial.distance import cdist

DRAW = f"""async ([model, context, projection, width, height, places]) => {{
    const content = JSON.parse(document.querySelector('[data-plates]').textContent);
    const index = new Explore.Index(content);
    const capture = Tokviz.findCapture(content.models, {{ model, context, projection }});
    const view = await index.view(capture);
    if (places) view.at = () => Float32Array.from(places);
    const about = Tokviz.plate.about(view, capture, content.categories);
    const layout = Tokviz.plate.layoutOf(about, width, height);
    const drawing = Tokviz.svg('svg', {{ class: 'plate-svg', width, height }});
    document.querySelector('main').prepend(drawing);
    const inkOf = {INK};
    const plots = view.extents.map((_, depth) => {{
        const {{ points, labels }} = Tokviz.plate.draw(drawing, about, layout, depth, null);
        const {{ left, top }} = drawing.getBoundingClientRect();
        return {{
            marks: points.rows.map((row) => [left + points.x[row], top + points.y[row]]),
            titles: labels.filter(({{ category }}) => category !== undefined).map(({{ category }}) => category),
            inks: inkOf([...drawing.querySelectorAll('.plate-categories-named text, .plate-names text')]),
            radius: layout.diameter / 2,
        }};
    }});
    drawing.remove();
    return JSON.stringify([plots, view.vocabulary.memberships.map(([first]) => first), content.categories]);
}}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("clouds"))


def plots_of(page: Page, *choice: Any) -> tuple[list[dict[str, Any]], np.ndarray, list[str]]:
    plots, first, categories = json.loads(page.evaluate(DRAW, list(choice)))
    return plots, np.array(first), categories


def is_cloud(xy: np.ndarray, own: np.ndarray) -> bool:
    """Most of its words have one of their own nearest, and the hull of four fifths of them holds at most a quarter as many others."""
    distances = cdist(xy, xy)
    np.fill_diagonal(distances, np.inf)
    if own.sum() < 4 or own[distances.argmin(axis=1)][own].mean() <= 0.5:
        return False
    middle = np.array([np.sort(column)[own.sum() // 2] for column in xy[own].T])
    away = np.hypot(*(xy[own] - middle).T)
    kept = xy[own][np.argsort(away, kind="stable")[: int(np.ceil(0.8 * own.sum()))]]
    return int((Delaunay(kept).find_simplex(xy[~own]) >= 0).sum()) <= 0.25 * len(kept)


@pytest.mark.slow
@pytest.mark.parametrize("context", ["alone", "sentence"])
def test_a_category_is_named_where_it_is_one_cloud(open_page: OpenPage, site: Path, context: str) -> None:
    page = drawn(open_page, site, MODEL)
    plots, first, categories = plots_of(page, SLUG, context, "centered", 720, 576)
    n_named = n_clouds = 0
    for plot in plots:
        xy = np.array(plot["marks"])
        clouds = {category for category in range(len(categories)) if is_cloud(xy, first == category)}
        assert set(plot["titles"]) <= clouds
        n_named, n_clouds = n_named + len(plot["titles"]), n_clouds + len(clouds)
        assert overlapping(plot["inks"]) == []
        for title in plot["inks"]:
            if title["text"] not in categories:
                continue
            box = np.array([[title["left"], title["top"]], [title["right"], title["bottom"]]])
            inside = (xy > box[0] - plot["radius"] + 1) & (xy < box[1] + plot["radius"] - 1)
            assert not inside.all(axis=1).any(), title
            # Letters stand somewhat above the middle of the box that was placed.
            nearest = first[np.argsort(np.hypot(*(xy - box.mean(axis=0)).T))[:3]]
            assert categories.index(title["text"]) in nearest
    assert n_named >= 0.9 * n_clouds > 20


@pytest.mark.slow
def test_of_hundreds_of_words_those_that_lie_together_are_named(open_page: OpenPage, tmp_path: Path) -> None:
    words = word_list(n_categories=12, n_words=50)
    one = model_report("one", "One", 2, words, (ALONE,))
    site = write_site(replace(sample_report(), words=words, models=(one,), downloads={}), tmp_path)
    page = drawn(open_page, site, "models/one/index.html")
    random = np.random.default_rng(0)
    middles = np.stack(np.meshgrid([0.15, 0.38, 0.62, 0.85], [0.2, 0.5, 0.8]), axis=-1).reshape(12, 1, 2)
    apart = (middles + random.normal(scale=0.02, size=(12, 50, 2))).reshape(-1, 2)
    for places, least, most in ((apart, 10, 12), (random.permutation(apart), 0, 0)):
        plots, _, _ = plots_of(page, "one", "alone", "standardized", 720, 576, places.ravel().tolist())
        assert least <= len(plots[0]["titles"]) <= most
        assert overlapping(plots[0]["inks"]) == []


@pytest.mark.slow
def test_names_move_with_their_marks(open_page: OpenPage, site: Path) -> None:
    """In a step to the next layer each name of both goes from its place to the next one; none vanishes on the way."""
    page = open_page(site, f"{MODEL}#sentence/layer-11/centered", **MOVING)
    wait_until_quiet(page)
    seen = page.evaluate(
        """async () => {
            const at = () => new Map([...document.querySelectorAll('.slide[data-near] .plate-svg')].flatMap((drawing) => {
                const { left, top } = drawing.getBoundingClientRect();
                const box = drawing.closest('.track').getBoundingClientRect();
                if (Math.abs(drawing.closest('.slide').getBoundingClientRect().left - box.left) > 2) return [];
                return [...drawing.querySelectorAll('.plate-names text, .plate-categories-named text')].map((text) => {
                    const each = text.getBoundingClientRect();
                    return [text.textContent, [each.left - left, each.top - top, Number(text.getAttribute('opacity') ?? 1)]];
                });
            }));
            const frames = [[...at()]];
            document.querySelector('[data-step="1"]').click();
            do {
                await new Promise(requestAnimationFrame);
                frames.push([...at()]);
            } while (document.querySelector('.moving') || frames.length < 4);
            return frames;
        }"""
    )
    frames = [dict(frame) for frame in seen]
    both = frames[0].keys() & frames[-1].keys()
    assert len(both) > 90
    assert {"Months", "Occupations"} <= both
    moving = [frame for frame in frames[1:] if both <= frame.keys()]
    assert len(moving) > 5
    for name in both:
        path = np.array([frame[name][:2] for frame in moving])
        assert all(frame[name][2] == 1 for frame in moving)
        whole = np.hypot(*(path[-1] - np.array(frames[0][name][:2])))
        steps = np.hypot(*np.diff(path, axis=0).T)
        assert steps.max() < 0.75 * whole + 30, name


def test_a_chosen_word_leaves_its_category_and_the_others_are_faint(open_page: OpenPage, site: Path) -> None:
    page = drawn(open_page, site, f"{MODEL}#alone/layer-11")
    plot = slide(page, "alone/layer-11")
    faint = plot.locator(".plate-marks > .faint")
    page.get_by_label("Find a word").fill("Tokyo")
    marks = plot.locator(".plate-marks > g")
    n_capitals = plot.locator(".plate-marks > g:has(> .hue-3)").count()
    assert faint.count() == marks.count() - n_capitals
    assert plot.locator(".plate-marks > .faint > .hue-3").count() == 0
    assert plot.locator(".plate-names > :not(.faint):not(.hue-3)").count() == 0
    page.get_by_role("button", name="Next").click()
    after = slide(page, "alone/layer-12")
    assert after.locator(".plate-marks > .faint").count() == marks.count() - n_capitals
    page.keyboard.press("Escape")
    expect(page.locator(".plate-svg .faint")).to_have_count(0)
