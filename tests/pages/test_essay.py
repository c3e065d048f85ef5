"""Places of the report within the author's introduction: what each address shows, and what is said of one that shows nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from rendered import Part, Rendered
from report_fixture import sample_report

from tokviz import pages
from tokviz.config import ModelConfig, ReportConfig
from tokviz.errors import ConfigError
from tokviz.pages import notes
from tokviz.pages.essay.asked import PlaceError, Plots, depths_of, parse
from tokviz.pages.essay.shown import MOST_ON_PAPER
from tokviz.pages.findings.chosen import findings
from tokviz.pages.text import markdown
from tokviz.pages.text.placeholders import Placeholders
from tokviz.records import Report

SMOL, MINI = "models/smol-30/", "models/mini-6/"


def config(intro: str) -> ReportConfig:
    models = [ModelConfig(source="a/b", name=name) for name in ("smol-30", "mini-6", "lost")]
    made = ReportConfig.model_validate({"words": {"colors": {"words": ["red"]}}, "models": models, "intro": intro})
    made._intro_file = Path("notes/introduction.md")
    return made


@cache
def sample() -> Report:
    return sample_report()


@cache
def slides() -> set[str]:
    """The places of the first model's page."""
    return {each["id"] for each in Rendered(sample())[f"{SMOL}index.html"].all("[id]")}


def with_essay(*targets: str, caption: str = "") -> Report:
    intro = "\n\n".join(["Before.", *(f"![{caption}]({target})" for target in targets), "After."])
    settings = config(intro)
    return replace(sample(), intro=notes.introduction(settings, Placeholders(settings.word_list, sample().models)))


def place(target: str, caption: str = "") -> Part:
    """As the first page shows it."""
    (figure,) = Rendered(with_essay(target, caption=caption))["index.html"].all("figure.place")
    return figure


def names(figure: Part) -> list[str]:
    return [each.text for each in figure.all(".place-name")]


def sources(figure: Part) -> list[str]:
    return [each["src"] for each in figure.all("img")]


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_text_and_places_stand_in_the_authors_order() -> None:
    page = Rendered(with_essay(f"{SMOL}#alone/layer-3", f"{SMOL}#alone/grid"))["index.html"]
    assert [each.text for each in page.all("main > .text")] == ["Before.", "After."]
    assert len(page.all(".text + .place + .place + .text")) == 1


@pytest.mark.parametrize(
    ("place_of_page", "shown"),
    [
        ("alone/embedding..layer-5", ["embedding", *(f"layer {layer}" for layer in range(6))]),
        ("alone/layer-6,layer-29", ["layer 6", "layer 29"]),
        ("alone/layer-6+layer-29", ["layer 6", "layer 29"]),
        ("alone/layer-11+sentence", ["alone, layer 11", "in a sentence, layer 11"]),
        ("alone/layer-11/centered+sentence", ["alone, layer 11", "in a sentence, layer 11"]),
        ("alone/layer-3,sentence/layer-4", ["alone, layer 3", "in a sentence, layer 4"]),
        ("alone/layer-2..layer-3,layer-7", ["layer 2", "layer 3", "layer 7"]),
        ("alone/layer-3/standardized,layer-3/centered", ["standardized PCA, layer 3", "centered PCA, layer 3"]),
        ("alone", ["embedding", *(f"layer {layer}" for layer in range(30))]),
        ("sentence/centered", ["embedding", *(f"layer {layer}" for layer in range(30))]),
    ],
)
def test_plots_are_those_that_the_address_names(place_of_page: str, shown: list[str]) -> None:
    figure = place(f"{SMOL}#{place_of_page}")
    assert names(figure) == shown
    for link, source in zip(figure.all(".place-name a"), sources(figure), strict=True):
        slide = link["href"].partition("#")[2]
        assert slide in slides()
        context, depth, *projection = slide.split("/")
        assert f"/{context}/{'/'.join(projection) or 'standardized'}/" in source
        module = "embed" if depth == "embedding" else f".{depth.removeprefix('layer-')}."
        assert module in source.replace("-phone.webp", ".").replace(".webp", ".")
    assert figure.one(".place-source")["href"] == figure.all(".place-name a")[0]["href"]
    assert bool(figure.get("data-steps") is not None) == ("+" not in place_of_page)


def test_without_a_page_it_is_the_first_model() -> None:
    assert sources(place("#alone/layer-3")) == sources(place(f"{SMOL}#alone/layer-3"))
    assert place("#curves/silhouette").one(".place-heading").text == "Silhouette"


def test_models_of_the_compare_page_stand_side_by_side() -> None:
    address = "compare/#a=smol-30/alone/standardized&b=mini-6/sentence/centered&by=relative&at=0.5"
    figure = place(address, "Two.")
    assert names(figure) == [
        "Smol-135M-Instruct (Q4_1 GGUF), alone, standardized PCA, layer 14",
        "mini-encoder-6, in a sentence, centered PCA, layer 2",
    ]
    figure = place("compare/#a=smol-30/alone&b=mini-6/alone&by=layer&at=layer-20", "Two.")
    assert [name.rpartition(", ")[2] for name in names(figure)] == ["layer 20", "layer 5"], "its last one, as there"


def test_a_grid_a_chart_and_a_finding() -> None:
    grid = place(f"{MINI}#sentence/grid/centered")
    assert "/sentence/centered/" in sources(grid)[0]
    assert not names(grid)
    assert grid.one(".place-source").text == "mini-encoder-6, words in a sentence, centered PCA"
    chart = place(f"{SMOL}#curves/category-purity")
    assert chart.one(".place-heading").text == "Category purity"
    on_page = Rendered(sample())[f"{SMOL}index.html"].one("[id='curves/category-purity']")
    assert chart.one("svg")["aria-label"] == on_page.one("svg")["aria-label"]
    report = with_essay("#finding-1")
    (finding,) = Rendered(report)["index.html"].all("figure.place")
    assert pages.build(report).pages[0].view.finding["sentence"] in finding.one("figcaption").text


def test_the_caption_is_the_authors_or_what_is_tested_of_these_plots() -> None:
    assert place(f"{SMOL}#alone/layer-3", "They *stay*.").one("figcaption").text.startswith("They stay.")
    assert place(f"{SMOL}#alone/layer-3", "They *stay*.").one("figcaption em").text == "stay"
    untested = place(f"{SMOL}#alone/layer-3").one("figcaption")
    assert untested.text == untested.one(".place-source").text, "nothing is announced of it"


def test_a_finding_of_one_projection_is_no_caption_under_another() -> None:
    """That neurons put the words into one direction is seen in the states as they are, not in standardized ones."""
    found = next(each for each in findings(sample(), sample().models[:1]) if each.projection and each.depth is not None)
    at = f"{SMOL}#{found.context.states.context.name}/layer-{found.depth - 1 if found.depth else 0}"
    assert found.sentence in place(f"{at}/{found.projection}").one("figcaption").text
    assert found.sentence in place(f"{at}/{found.projection},layer-3").one("figcaption").text
    assert found.sentence not in place(f"{at}/standardized").one("figcaption").text


def test_a_plot_that_could_not_be_drawn_says_why() -> None:
    figure = place(f"{MINI}#alone/layer-1..layer-3")
    assert "at least 3 words" in figure.one(".place-frame .problem").text
    assert len(sources(figure)) == 2


def test_at_most_six_plots_are_printed_and_how_many_are_not_is_said() -> None:
    figure = place(f"{SMOL}#alone")
    printed = [each for each in figure.all(".place-frame") if "off-paper" not in each["class"]]
    assert len(printed) == MOST_ON_PAPER
    assert figure.one(".unprinted").text.strip() == "25\N{NO-BREAK SPACE}plots more on the page itself."
    assert not place(f"{SMOL}#alone/layer-1..layer-6").all(".unprinted")


def test_a_model_that_failed_leaves_its_reason() -> None:
    figure = place("models/lost/#alone/layer-3", "Lost.")
    assert "expected a hub id or a folder" in figure.one(".problem").text
    assert figure.one("figcaption").text == "Lost."


def test_a_page_without_places_has_neither_script_nor_style_for_them() -> None:
    assert not Rendered(replace(sample(), intro=sample().intro[:1]))["index.html"].all(
        "[href*='essay.'], [src*='essay.']"
    )


# --- what isn't there ------------------------------------------------------------------------------------------------

BEFORE_ANY_WORK = {
    "models/smol/#alone/layer-3": "no model 'smol'; did you mean 'smol-30'?; known: smol-30, mini-6, lost",
    "models/smol-30#alone": "expected a place of a model’s page, such as models/NAME/#alone/layer-6",
    "models/#alone": "expected a place of a model’s page",
    "modells/smol-30/#alone": "expected a place of a model’s page",
    "smol-30/#alone/layer-3": "expected a place of a model’s page",
    "explore/#a=smol-30/alone": "expected a place of a model’s page",
    "method/#cite": "expected a place of a model’s page",
    "models/smol-30/": "expected a place after the #, such as alone, alone/layer-6",
    "models/smol-30/#": "expected a place after the #",
    "models/smol-30/#alone/": "expected a place such as alone",
    "models/smol-30/#/layer-3": "expected a place such as alone",
    "models/smol-30/#alone/layer-3/": "expected a place such as alone",
    "models/smol-30/#alone/layer-3/centered/more": "expected a place such as alone",
    "models/smol-30/#alone/layer-3,layer-4+layer-5": "one after the other (,) or side by side (+), got both",
    "models/smol-30/#alone/layer-3&related=order-months": "a link can lead to it",
    "models/smol-30/#alone/layer-3&scale=true": "leave out the ! before it, or what follows the &",
    "#finding": "expected #finding-1 or another finding",
    "#finding-0": "expected #finding-1 or another finding",
    "#": "expected a place after the #",
    "compare/": "expected #a=MODEL/CONTEXT/PROJECTION",
    "compare/#a=smol-30/alone": "expected #a=MODEL/CONTEXT/PROJECTION",
    "compare/#a=smol-30/alone&b=mini-6": "expected #a=MODEL/CONTEXT/PROJECTION",
    "compare/#a=smol-30/alone&b=mini/alone": "no model 'mini'; did you mean 'mini-6'?",
    "compare/#a=smol-30/alone&b=mini-6/alone&at=2": "a share of the depth from 0 to 1",
    "compare/#a=smol-30/alone&b=mini-6/alone&at=deep": "a share of the depth from 0 to 1",
    "compare/#a=smol-30/alone&b=mini-6/alone&related=x": "expected #a=MODEL/CONTEXT/PROJECTION",
}
BEFORE_ANY_WORK |= {
    "models/smol-30/#aloen/layer-3": "no words 'aloen'; did you mean 'alone'?; known: alone, sentence",
    "#grid": "no words 'grid'; known: alone, sentence",
}
ONCE_CAPTURED = {
    "models/smol-30/#alone/layer-40": "no layer-40 in smol-30; known: embedding, layer-0 … layer-29",
    "models/smol-30/#alone/layer-03": "no 'layer-03' in smol-30; known: embedding, layer-0 … layer-29",
    "models/smol-30/#alone/layer-5..layer-3": "expected the earlier layer first, got layer-5..layer-3",
    "models/smol-30/#alone-of/layer-3": "no words 'alone-of' of smol-30; did you mean 'alone'?; known: alone, sentence",
    "models/smol-30/#alone/layer-3/centred": "no projection 'centred' of smol-30; did you mean 'centered'?; known: standardized, centered",
    "models/smol-30/#alone/grid/wide": "no projection 'wide' of smol-30",
    "#alone/layer-40": "no layer-40 in smol-30",
    "models/smol-30/#curves": "no chart '' on the page of smol-30; known: ",
    "models/smol-30/#curves/purity": "no chart 'purity' on the page of smol-30; did you mean 'category-purity'?",
}


@pytest.mark.parametrize(("target", "said"), BEFORE_ANY_WORK.items())
def test_a_mistake_in_an_address_is_told_before_any_work(target: str, said: str) -> None:
    message = refused(lambda settings: notes.check_before(settings), target)
    assert said in message


@pytest.mark.parametrize(("target", "said"), ONCE_CAPTURED.items())
def test_what_the_report_lacks_is_told_with_what_is_known(target: str, said: str) -> None:
    message = refused(lambda settings: notes.check(settings, with_essay(target), {}), target)
    assert said in message


def refused(check: object, target: str) -> str:
    """Names file and line, in one line."""
    with pytest.raises(ConfigError) as caught:
        check(config(f"Before.\n\n![]({target})\n"))  # type: ignore[operator]
    message = str(caught.value)
    assert message.startswith("notes/introduction.md:3: ")
    assert "\n" not in message
    return message


def test_a_place_stands_alone_and_in_the_introduction_only() -> None:
    with pytest.raises(ConfigError, match=r"introduction.md:1: expected a place .* alone in a paragraph, got 'models"):
        notes.check_before(config(f"Text ![]({SMOL}#alone)"))
    with pytest.raises(ConfigError, match=r"introduction.md:2: .* alone in a paragraph"):
        notes.check_before(config(f"- one\n- ![]({SMOL}#alone)"))
    settings = config("Text.")
    noted = settings.models[0].model_copy(update={"note": f"![]({SMOL}#alone)"})
    with pytest.raises(
        ConfigError, match=r"report.toml: models.0.note, line 1: expected a place .* in the introduction"
    ):
        notes.check_before(settings.model_copy(update={"models": [noted]}))


def test_a_finding_that_is_not_there_names_those_that_are() -> None:
    settings, report = config("![](#finding-9)"), with_essay("#finding-9")
    assert "known: finding-1 … finding-" in next(iter(notes.check(settings, report, {}))), "a model failed"
    whole = replace(report, models=report.models[:2])
    with pytest.raises(ConfigError, match=r"introduction.md:3: no finding-9 on the first page; known: finding-1 …"):
        notes.check(settings.model_copy(update={"models": settings.models[:2]}), whole, {})


def test_what_a_failed_model_lacks_is_no_mistake_of_the_author() -> None:
    target = "compare/#a=smol-30/alone&b=lost/alone"
    settings = config(f"![]({target})")
    assert notes.check(settings, with_essay(target), {}) == {}


def test_a_report_of_series_has_no_plots_to_show() -> None:
    values = {
        "words": {"colors": {"words": ["red"]}},
        "series": [{"name": "a", "sources": ["a/b", "a/c"], "steps": [1, 2]}],
    }
    settings = ReportConfig.model_validate({**values, "intro": "![](#alone)"})
    with pytest.raises(
        ConfigError, match=r"intro, line 1: expected a model whose plots can be shown, got a report without"
    ):
        notes.check_before(settings)
    without = replace(with_essay("#alone"), models=())
    with pytest.raises(
        ConfigError, match="expected a model whose plots can be shown, got none in this report for '#alone'"
    ):
        notes.check(settings, without, {})


def test_a_line_is_counted_in_the_text_of_the_configuration_too() -> None:
    settings = config("a\n\nb\n\n![](models/smol/#alone)")
    settings._intro_file = None
    with pytest.raises(ConfigError, match=r"^report.toml: intro, line 5: no model 'smol'"):
        notes.check_before(settings)


def test_addresses_are_read_as_they_are_written() -> None:
    assert parse("models/a/index.html#alone") == parse("/models/a/#alone")
    found = markdown.places("![x][ref]\n\n[ref]: <models/a/#alone/layer-3>")
    assert [each.target for each in found] == ["models/a/#alone/layer-3"]
    with pytest.raises(PlaceError):
        parse("images/a.webp")


@pytest.mark.parametrize("n_depths", [1, 2, 3, 7, 31])
@pytest.mark.parametrize("share", [0.0, 0.24, 0.5, 0.75, 1.0])
def test_a_share_of_the_depth_is_always_a_depth(n_depths: int, share: float) -> None:
    plots = Plots(slug="a", context="alone", first=None, last=None, projection=None, share=share)
    (depth,) = depths_of(plots, n_depths)
    assert 0 <= depth < n_depths
    assert abs(depth - share * (n_depths - 1)) <= 0.5
