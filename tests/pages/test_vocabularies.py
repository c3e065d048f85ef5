"""Reports of whole vocabularies: whose tokens they are, which landmarks there are, and which layers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from headline_claims import check_headline
from narrow import present
from related_fixture import related_report
from report_fixture import FOLDERS, Views, model_report, sample_report

from tokviz import pages
from tokviz.pages import render
from tokviz.pages.model.headline import headline
from tokviz.pages.model.relations import related_section
from tokviz.pages.text.placeholders import Placeholders
from tokviz.records import Category, ContextReport, Report, WordList

SMALL = (" cat", " red", "the", "of")
LARGE = ("cat", "dog", "zebu", "the", "of", "and", "or")
LANDMARKS = (
    Category(key="animals", label="Animals", words=("zebra", "cat", "dog")),
    Category(key="colors", label="Colors", words=("red",)),
    Category(key="months", label="Months", words=("May", "June")),
)


def report_of(*vocabularies: tuple[str, ...], measured: bool = False) -> Report:
    """A report of a model for each vocabulary."""
    contexts = sample_report().contexts[:1]
    models = tuple(
        model_report(
            f"m{index}", f"M{index}", 2, WordList(categories=LANDMARKS, vocabulary=tokens), contexts, measured=measured
        )
        for index, tokens in enumerate(vocabularies)
    )
    words = WordList(categories=LANDMARKS, vocabulary=())
    return replace(sample_report(), words=words, contexts=contexts, models=models, subtitle=None, series=())


@pytest.mark.parametrize(
    ("vocabularies", "said", "n_words"),
    [
        ((SMALL,), "the 4\xa0tokens of a whole vocabulary", "4"),
        ((LARGE, SMALL), "the 4 to 7\xa0tokens of whole vocabularies", "4–7"),
        ((SMALL, SMALL), "the 4\xa0tokens of a whole vocabulary", "4"),
    ],
)
def test_the_number_of_tokens_is_that_of_every_model(
    vocabularies: tuple[tuple[str, ...], ...], said: str, n_words: str
) -> None:
    report = report_of(*vocabularies)
    views = Views(report)
    assert f" {said}" in views.index.subtitle
    assert views.method.n_words.startswith(f"T{said[1:]}, each fed as that one token;")
    assert Placeholders(report.words, report.models).filled("{n_words}") == n_words


def test_landmarks_without_a_token_are_not_said_to_be_marked() -> None:
    views = Views(report_of(SMALL))
    assert views.method.n_words.endswith(" No token stands for zebra, dog, May, June. Marked and named in the plots:")
    assert [(each.label, each.words, each.count) for each in views.method.categories] == [
        ("Animals", "cat", "1"),
        ("Colors", "red", "1"),
    ]
    assert views.method.contexts[0].example.endswith("cat")
    marks = present(views.index.legend).shown
    assert [mark.name for mark in marks] == ["Animals", "Colors"]
    all_marks = present(Views(report_of((*SMALL, "May"))).index.legend).shown
    assert all_marks[:2] == marks, "each keeps its color and shape"
    (notes,) = views.models[0].words
    absent = notes.lists[-1]
    assert absent.words == "zebra, dog, May, June"
    assert "that no token stands for, so that they are not marked" in absent.summary


def test_of_several_models_it_is_told_which_landmarks_each_has() -> None:
    views = Views(report_of(SMALL, LARGE))
    assert (
        " No token stands for zebra, May, June. Marked and named in the plots, where a model has a token for them:"
        in (views.method.n_words)
    )
    assert [each.words for each in views.method.categories] == ["cat, dog", "red"]
    absent = [page.words[0].lists[-1].words for page in views.models]
    assert absent == ["zebra, dog, May, June", "zebra, red, May, June"]


def test_where_all_landmarks_have_tokens_nothing_is_said_of_it() -> None:
    views = Views(report_of((*SMALL, "zebra", "dog", "May", "June")))
    assert "No token" not in views.method.n_words
    assert len(views.method.categories) == len(LANDMARKS)
    assert not any("no token stands for" in each.summary for notes in views.models[0].words for each in notes.lists)


def test_without_any_landmark_none_is_listed() -> None:
    views = Views(report_of(("the", "of", "and")))
    assert views.method.categories == ()
    assert views.method.n_words.endswith(" No token stands for zebra, cat, dog, red, May, June.")


# --- some of the layers -----------------------------------------------------------------------------------------------


def of_deeper_models(report: Report, n_layers: int = 6) -> Report:
    """The same of models that have further layers, which were not captured."""

    def deeper(context: ContextReport) -> ContextReport:
        return replace(context, states=replace(context.states, card=replace(context.states.card, n_layers=n_layers)))

    models = tuple(replace(model, contexts=tuple(map(deeper, model.contexts))) for model in report.models)
    return replace(report, models=models)


def texts(report: Report) -> dict[str, str]:
    """The pages' HTML without the help on keys, whose last layer is that of the plots."""
    files = render.render(pages.build(report), FOLDERS)
    pages_alone = {path: text for path, text in files.items() if path.endswith(".html")}
    return {path: text.replace("the embedding, the last layer, when", "") for path, text in pages_alone.items()}


ALONE, TWO = (SMALL,), (SMALL, LARGE)


@pytest.mark.parametrize("vocabularies", [ALONE, TWO], ids=["one", "two"])
@pytest.mark.parametrize("measured", [True, False], ids=["measured", "not measured"])
def test_of_some_layers_nothing_is_said_of_all(vocabularies: tuple[tuple[str, ...], ...], measured: bool) -> None:
    report = of_deeper_models(report_of(*vocabularies, measured=measured))
    for path, text in texts(report).items():
        for said in (
            "to the last layer",
            "the last.",
            "% the last layer",
            ">last layer<",
            "Every depth",
            "All layers",
            "rank, last layer",
        ):
            assert said not in text, (path, said)


def test_it_is_said_which_layers_were_captured() -> None:
    views = Views(of_deeper_models(report_of(*TWO, measured=True)))
    captured = "Only the embedding and layers 0–1 were captured, of 6 layers of M0 and 6 layers of M1."
    compare = present(views.compare)
    assert compare.intro.endswith(f" {captured}")
    assert views.method.notice == captured
    for said in (*(each.facts for each in views.index.models), *(each.facts for each in views.models)):
        assert said.startswith("6 layers, only the embedding and layers 0–1 captured · ")
    assert views.index.subtitle.endswith(", from the embedding to layer 1.")
    assert compare.curves_heading == "From the embedding to layer 1"
    assert compare.curves_axis.endswith("100 % layer 1.")
    by_label = {each.label: each.cells for each in compare.metrics}
    assert "Effective rank, layer 1" in by_label
    assert json.loads(compare.data)["end"] == "layer 1"


@pytest.mark.parametrize(("last", "said"), [(0, "Only the embedding was"), (1, "Only the embedding and layer 0 were")])
def test_fewer_layers_are_named(last: int, said: str) -> None:
    contexts = sample_report().contexts[:1]
    words = WordList(categories=LANDMARKS, vocabulary=SMALL)
    model = model_report("m", "M", last, words, contexts)
    report = replace(report_of(SMALL), models=(model,))
    assert Views(report).method.notice == ""
    assert Views(of_deeper_models(report)).method.notice == f"{said} captured, of 6 layers of M."


def test_of_all_layers_nothing_is_added() -> None:
    views = Views(report_of(*TWO, measured=True))
    assert views.method.notice == ""
    assert views.models[0].facts.startswith("2 layers · ")
    assert present(views.compare).curves_axis.endswith("100 % the last layer.")
    assert views.index.subtitle.endswith(", from the embedding to the last layer.")


def test_that_nothing_is_massive_is_said_of_what_was_captured() -> None:
    def calm(context: ContextReport) -> ContextReport:
        geometry = present(context.geometry)
        massive = replace(geometry.massive, emergence_depth=None, end_depth=None, dominant=(None,) * 3)
        return replace(context, geometry=replace(geometry, massive=massive))

    whole = report_of(*TWO, measured=True)
    models = tuple(replace(model, contexts=tuple(map(calm, model.contexts))) for model in whole.models)
    whole = replace(whole, models=models)
    for report, note in ((whole, ""), (of_deeper_models(whole), "up to layer 1")):
        (emergence,) = [row for row in present(Views(report).compare).metrics if row.label == "Emergence layer"]
        assert [(cell.text, cell.note) for cell in emergence.cells] == [("none", note)] * 2


def test_an_invitation_to_compare_names_the_last_layer_there_is() -> None:
    whole = report_of(SMALL)
    for report, last in ((whole, "the last"), (of_deeper_models(whole), "layer 1")):
        said = present(headline(report))
        assert said.sentence == f"Compare how the words lie before the first layer and after {last}."
        check_headline(said, report)


def test_strips_of_relations_reach_as_far_as_what_was_captured() -> None:
    whole = related_report()
    last = len(whole.models[0].contexts[0].states.module_paths) - 2
    for report, end in ((whole, "the last one"), (of_deeper_models(whole, n_layers=99), f"layer {last}")):
        section = present(related_section(report, report.models[0], "models/m/index.html"))
        assert section.span == f"from the embedding to {end}"
        assert all(section.span in strip.caption and section.span in strip.alt for strip in section.strips)
