"""What pages of a first look say, and what only those of the whole report may."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rendered import Rendered
from report_fixture import ALONE, SENTENCE, model_report, sample_report, word_list

from tokviz.records import Report, Underway

WORDS = word_list(n_categories=2, n_words=3)
CONTEXTS = (ALONE, replace(SENTENCE, further_templates=("I know {word}",)))
COMPARE, METHOD = "compare/index.html", "method/index.html"


def report_of(*slugs: str, measured: bool) -> Report:
    models = tuple(model_report(slug, slug, 2, WORDS, CONTEXTS, measured=measured) for slug in slugs)
    return replace(sample_report(), words=WORDS, contexts=CONTEXTS, intro=(), models=models, downloads={})


def look(*slugs: str, n_models: int, n_failed: int = 0) -> Rendered:
    """Of a report of so many models."""
    underway = Underway(n_models=n_models, n_failed=n_failed, n_series=0)
    return Rendered(replace(report_of(*slugs, measured=False), underway=underway))


def test_plots_of_what_was_not_measured_are_not_called_a_finding() -> None:
    for site, label in (
        (look("one", n_models=2), "Plots side by side"),
        (Rendered(report_of("one", measured=False)), "Plots side by side"),
        (Rendered(report_of("one", measured=True)), "What was found"),
    ):
        assert site["index.html"].one(".finding-first")["aria-label"] == label


def test_marks_of_the_narrow_plots_are_explained_where_there_are_such() -> None:
    said = "a large mark shows the middle word of each category"
    drafted = Rendered(replace(report_of("one", measured=False), draft=True))
    for site, is_said in (
        (look("one", n_models=2), True),
        (drafted, False),
        (Rendered(report_of("one", measured=False)), True),
    ):
        assert (said in site["index.html"].one(".strips .caption").text) == is_said


def test_what_is_measured_in_each_template_is_said_where_something_was_measured() -> None:
    early, whole = (
        each[METHOD].under("contexts").text
        for each in (look("one", n_models=2), Rendered(report_of("one", measured=True)))
    )
    assert "Of a context with several templates the first is drawn." in early
    assert "measured in each" in whole
    assert not any(word in early for word in ("measured", "median", "Similarity"))


@pytest.mark.parametrize(
    ("n_models", "n_failed", "said"),
    [
        (1, 0, ("One model, nothing to compare", "This report has one model: one.")),
        (2, 1, ("One model, nothing to compare", "This report has one model: one.")),
        (2, 0, ("One model so far, nothing to compare", "This first look has one model: one.")),
    ],
)
def test_that_there_is_one_model_so_far_is_said_where_others_come(
    n_models: int, n_failed: int, said: tuple[str, str]
) -> None:
    page = look("one", n_models=n_models, n_failed=n_failed)[COMPARE]
    assert (page.one("main h1").text, page.one("main p").text) == said
    # A page that has gone elsewhere doesn't come back when there are two.
    assert bool(page.all("[http-equiv=refresh]")) == (n_models - n_failed == 1)


def test_what_is_known_of_positions_is_known_of_the_models_that_are_shown() -> None:
    text = look("one", n_models=2)[METHOD].text
    assert "In the models shown so far" in text
    assert "In this report" not in text


@pytest.mark.parametrize(
    ("n_models", "n_failed", "said"),
    [
        (1, 0, "its model"),
        (2, 0, "1 of 2 models"),
        (2, 1, "1 of 2 models (1 other failed)"),
        (4, 2, "1 of 4 models (2 others failed)"),
    ],
)
def test_models_that_failed_already_are_counted(n_models: int, n_failed: int, said: str) -> None:
    page = look("one", n_models=n_models, n_failed=n_failed)[METHOD]
    assert f"it has plots of {said}, and no findings." in page.one(".draft").text


def test_a_first_look_is_not_cited_nor_made_already() -> None:
    early = look("one", n_models=2)
    assert not early[METHOD].all("#cite, #bibtex, [href='#cite']")
    assert not [link for link in early["index.html"].all("a") if link["href"].endswith("#cite")]
    whole = Rendered(report_of("one", measured=True))
    assert whole[METHOD].all("#bibtex")
    assert [link for link in whole["index.html"].all("a") if link["href"].endswith("#cite")]


def test_what_stands_in_a_first_look_too_is_known_by_one_name_in_both() -> None:
    """A page that loads anew keeps what is read in its place, though the labels differ."""
    sections = [
        each["index.html"]
        for each in (look("one", "two", n_models=2), Rendered(report_of("one", "two", measured=True)))
    ]
    for name in ("finding-first", "strips"):
        early, whole = (each.one(f"section.{name}") for each in sections)
        assert early["id"] == whole["id"]
        assert early["aria-label"] != whole["aria-label"]
