"""Reports of whole vocabularies: whose tokens they are, which landmarks there are, and which layers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from finding_claims import check_findings
from narrow import present
from rendered import Part, Rendered
from report_fixture import model_report, sample_report

from tokviz.pages.findings.chosen import findings
from tokviz.pages.text.placeholders import Placeholders
from tokviz.records import Category, ContextReport, Report, WordList

METHOD = "method/index.html"
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


def words_of(site: Rendered) -> Part:
    """What the method page says of words."""
    return site[METHOD].under("words")


def without_token(page: Part) -> list[str]:
    """The landmarks that a model's page says to have no token."""
    return [said.rpartition(": ")[2] for said in page.texts("#model p") if "no token stands for" in said]


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
    site = Rendered(report)
    assert f" {said}" in site["index.html"].one(".subtitle").text
    assert words_of(site).text.startswith(f"T{said[1:]}, each fed as that one token;")
    assert Placeholders(report.words, report.models).filled("{n_words}") == n_words


def test_landmarks_without_a_token_are_not_said_to_be_marked() -> None:
    site, of_others = Rendered(report_of(SMALL)), Rendered(report_of((" red", "May", "the", "of")))
    said = " No token stands for zebra, dog, May, June. Marked and named in the plots:"
    assert words_of(site).texts("p")[0].endswith(said)
    assert words_of(site).table[1:] == [["Animals", "cat", "1"], ["Colors", "red", "1"]]
    assert site[METHOD].under("contexts").table[1][-1].endswith("cat")
    marks, others = (
        [(each.text, each.one("path")["class"], each.one("path")["d"]) for each in index.all(".categories li")]
        for index in (site["index.html"], of_others["index.html"])
    )
    assert [name for name, *_ in marks] == ["Animals", "Colors"]
    assert [name for name, *_ in others] == ["Colors", "Months"]
    assert others[0] == marks[1], "each keeps its color and shape"
    (notes,) = site.models[0].texts("#model details section")
    assert notes.endswith("that no token stands for, so that they are not marked: zebra, dog, May, June.")


def test_of_several_models_it_is_told_which_landmarks_each_has() -> None:
    site = Rendered(report_of(SMALL, LARGE))
    said = " No token stands for zebra, May, June. Marked and named in the plots, where a model has a token for them:"
    assert said in words_of(site).text
    assert [words for _, words, _ in words_of(site).table[1:]] == ["cat, dog", "red"]
    assert list(map(without_token, site.models)) == [["zebra, dog, May, June."], ["zebra, red, May, June."]]


def test_where_all_landmarks_have_tokens_nothing_is_said_of_it() -> None:
    site = Rendered(report_of((*SMALL, "zebra", "dog", "May", "June")))
    assert "No token" not in words_of(site).text
    assert len(words_of(site).table[1:]) == len(LANDMARKS)
    assert without_token(site.models[0]) == []


def test_without_any_landmark_none_is_listed() -> None:
    words = words_of(Rendered(report_of(("the", "of", "and"))))
    assert not words.all("tbody tr")
    assert words.texts("p")[0].endswith(" No token stands for zebra, cat, dog, red, May, June.")


# --- some of the layers -----------------------------------------------------------------------------------------------


def of_deeper_models(report: Report, n_layers: int = 6) -> Report:
    """The same of models that have further layers, which were not captured."""

    def deeper(context: ContextReport) -> ContextReport:
        return replace(context, states=replace(context.states, card=replace(context.states.card, n_layers=n_layers)))

    models = tuple(replace(model, contexts=tuple(map(deeper, model.contexts))) for model in report.models)
    return replace(report, models=models)


def texts(report: Report) -> dict[str, str]:
    """The pages' HTML without the help on keys, whose last layer is that of the plots."""
    pages_alone = {path: text for path, text in Rendered(report).files.items() if path.endswith(".html")}
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
    site = Rendered(of_deeper_models(report_of(*TWO, measured=True)))
    captured = "Only the embedding and layers 0–1 were captured, of 6 layers of M0 and 6 layers of M1."
    index, compare = site["index.html"], site["compare/index.html"]
    assert compare.one(".facts").plain == captured
    assert f" {captured} " in site[METHOD].under("states").plain
    facts = [*index.all("article header p"), *(page.one(".facts") for page in site.models)]
    assert len(facts) == 4
    for said in facts:
        assert said.plain.startswith("6 layers, only the embedding and layers 0–1 captured · ")
    assert index.one(".subtitle").text.endswith(", from the embedding to layer 1.")
    assert compare.at("curves").text == "From the embedding to layer 1"
    assert " 100 % layer 1. " in compare.under("curves").plain
    assert "Effective rank, layer 1" in compare.texts(".ranking tbody th")
    assert json.loads(compare.one("[data-captures]").text)["end"] == "layer 1"


@pytest.mark.parametrize(("last", "said"), [(0, "Only the embedding was"), (1, "Only the embedding and layer 0 were")])
def test_fewer_layers_are_named(last: int, said: str) -> None:
    contexts = sample_report().contexts[:1]
    words = WordList(categories=LANDMARKS, vocabulary=SMALL)
    model = model_report("m", "M", last, words, contexts)
    whole = replace(report_of(SMALL), models=(model,))
    said = f" {said} captured, of 6 layers of M. "
    for report, is_said in ((whole, False), (of_deeper_models(whole), True)):
        states = Rendered(report)[METHOD].under("states").plain
        assert (said in states, "Only the embedding" in states) == (is_said, is_said)


def test_of_all_layers_nothing_is_added() -> None:
    site = Rendered(report_of(*TWO, measured=True))
    assert "Only the embedding" not in site[METHOD].text
    assert site.models[0].one(".facts").plain.startswith("2 layers · ")
    assert " 100 % the last layer. " in site["compare/index.html"].under("curves").plain
    assert site["index.html"].one(".subtitle").text.endswith(", from the embedding to the last layer.")


def test_that_nothing_is_massive_is_said_of_what_was_captured() -> None:
    def calm(context: ContextReport) -> ContextReport:
        geometry = present(context.geometry)
        massive = replace(geometry.massive, emergence_depth=None, end_depth=None, dominant=(None,) * 3)
        return replace(context, geometry=replace(geometry, massive=massive))

    whole = report_of(*TWO, measured=True)
    models = tuple(replace(model, contexts=tuple(map(calm, model.contexts))) for model in whole.models)
    whole = replace(whole, models=models)
    for report, said in ((whole, "none"), (of_deeper_models(whole), "noneup to layer 1")):
        assert ["Emergence layer", said, said] in Rendered(report)["compare/index.html"].one(".ranking").table


def test_an_invitation_to_compare_names_the_last_layer_there_is() -> None:
    whole = report_of(SMALL)
    for report, last in ((whole, "the last"), (of_deeper_models(whole), "layer 1")):
        (said,) = found = findings(report)
        assert said.sentence == f"Compare how the words lie before the first layer and after {last}."
        check_findings(found, report, report.models)
