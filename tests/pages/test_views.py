"""What the pages will say: numbers, names, links."""

from __future__ import annotations

import dataclasses

import pytest
from narrow import present
from report_fixture import ALONE, SENTENCE, Views, hostile_report, model_report, sample_report, word_list

from tokviz import pages
from tokviz.pages.first.page import MOST_MODELS_IN_SIGHT
from tokviz.pages.frame import frame
from tokviz.pages.frame.pictures import picture
from tokviz.pages.text import wording
from tokviz.records import Category, Image, WordList


@pytest.fixture(scope="module")
def site() -> Views:
    return Views(sample_report())


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (wording.percent(0.4876), "48.8 %"),
        (wording.count(1, "category"), "1 category"),
        (wording.count(1204, "category"), "1,204 categories"),
        (wording.millions(134_515_008), "134.5 million"),
        (wording.millions(4_022_468_096), "4.02 billion"),
        (wording.day("2026-11-24T21:30:00Z"), "24 November 2026"),
    ],
)
def test_numbers_have_units_and_a_space_that_does_not_break(got: str, wanted: str) -> None:
    assert got == wanted.replace(" ", "\N{NO-BREAK SPACE}")


def test_words_from_right_to_left_keep_their_place_in_a_list() -> None:
    assert wording.joined(["a", "שלום", "b"]) == "a, \u2068שלום\u2069, b"


def test_what_is_said_of_a_word_from_right_to_left_stays_behind_it() -> None:
    words = WordList(categories=(Category(key="hebrew", label="Hebrew", words=("שלום", "מים", "ספר")),))
    report = dataclasses.replace(sample_report(), words=words, models=(model_report("m", "M", 2, words, (ALONE,)),))
    (several,) = (words for words in Views(report).models[0].words[0].lists if "several" in words.summary)
    assert several.words == "\u2068\u2068ספר\u2069 (2)\u2069"


def test_a_drawing_is_linked_where_there_is_one(site: Views) -> None:
    page = site.models[0]
    assert present(page.panels[0].slides[0].picture).svg is None
    svg = Image(path="images/a b/x.svg", width=1500, height=1200, n_bytes=1)
    plate = present(sample_report().models[0].contexts[0].projections[0].plates[0])
    shown = picture("models/a/index.html", dataclasses.replace(plate, svg=svg), "alt")
    assert shown.svg == "../../images/a%20b/x.svg"


def test_words_that_no_font_has_are_told_on_each_models_page(site: Views) -> None:
    assert not any("font" in note for page in site.models for note in page.notes)
    page = Views(dataclasses.replace(sample_report(), undrawn=("漢字", "שלום"))).models[0]
    (note,) = (note for note in page.notes if "font" in note)
    assert "every character of 漢字, \u2068שלום\u2069." in note
    assert "code points, such as ⟨U+6F22⟩" in note
    many = Views(dataclasses.replace(sample_report(), undrawn=("漢字",) * 90)).models[0]
    assert "90\N{NO-BREAK SPACE}words" in " ".join(many.notes)


@pytest.mark.parametrize(
    ("template", "wanted"),
    [(" {word}", "␣{word}"), ("The word is {word}", "The word is {word}"), ("{word}  ", "{word}␣␣")],
)
def test_spaces_at_the_ends_of_a_template_are_visible(template: str, wanted: str) -> None:
    assert wording.visible_spaces(template) == wanted


@pytest.mark.parametrize(
    ("page", "target", "wanted"),
    [
        ("index.html", "models/m/index.html#alone/layer-3", "models/m/index.html#alone/layer-3"),
        ("models/m/index.html", "assets/site.css", "../../assets/site.css"),
        ("models/m/index.html", "models/n/index.html", "../n/index.html"),
        ("method/index.html", "data/a b.csv", "../data/a%20b.csv"),
    ],
)
def test_links_are_relative_to_the_page(page: str, target: str, wanted: str) -> None:
    assert frame.relative(page, target) == wanted


def test_the_address_of_a_slide_names_the_projection_only_when_it_is_not_the_first(site: Views) -> None:
    first, second = site.models[0].panels[:2]
    assert [slide.id for slide in first.slides[:2]] == ["alone/embedding", "alone/layer-0"]
    assert second.slides[12].id == "alone/layer-11/centered"


def test_every_id_of_a_page_is_unique(site: Views) -> None:
    for page in site.models:
        ids = [slide.id for panel in page.panels for slide in panel.slides] + [panel.id for panel in page.panels]
        assert len(ids) == len(set(ids))


def test_a_picture_is_described(site: Views) -> None:
    alt = present(site.models[0].panels[2].slides[12].picture).alt.replace("\N{NO-BREAK SPACE}", " ")
    assert alt == (
        "Layer 11: PC1 holds 48.8 % of the variance, PC2 8.3 %; 50 % of a word’s nearest neighbors share its category (chance: 10 %). Smol"
        "-135M-Instruct (Q4_1 GGUF), words in a sentence, standardized PCA."
    )
    where_it_breaks = present(site.models[0].panels[0].slides[12].picture).alt
    assert "; massive activations emerge. " in where_it_breaks


def test_a_depth_without_a_picture_says_why(site: Views) -> None:
    slide = site.models[1].panels[0].slides[3]
    assert slide.picture is None
    assert "at least 3 words" in present(slide.problem)


def test_ticks_stand_where_the_strips_panels_have_their_centres(site: Views) -> None:
    ticks = site.models[1].panels[0].ruler.ticks
    assert [tick.x for tick in ticks] == [f"{4.4 + 91.2 * depth / 6:.3f}%" for depth in range(7)]
    assert [tick.label for tick in ticks] == ["embedding", "0", "1", "2", "3", "4", "layer 5"]


def test_a_deep_model_has_numbers_at_sensible_intervals_only(site: Views) -> None:
    labels = [tick.label for tick in site.models[0].panels[0].ruler.ticks if tick.label]
    assert labels == ["embedding", "5", "10", "15", "20", "25", "layer 29"]


def test_words_apart_are_listed_once_for_all_contexts(site: Views) -> None:
    shared, *own = site.models[0].words
    assert [words.words for words in shared.lists] == ["word8m (2)", "word8m"]
    assert not any(each.lists or each.all_alike for each in own)
    assert not shared.lists[0].folded
    assert site.models[0].panels[0].hollow == "Hollow, because read at a different position than most words: word8m."


def test_a_panel_says_when_its_words_stand_at_position_0(site: Views) -> None:
    alone, _, sentence, _, twin = site.models[0].panels
    assert alone.notes[0].startswith("The reference words are read at position 0")
    assert alone.notes[0].endswith("Compare with the words in a sentence.")
    assert not any("are read at position 0" in note for note in (*sentence.notes, *twin.notes))


def test_what_the_tokenizer_and_the_model_have_to_say_is_on_both_pages(site: Views) -> None:
    assert "A note on tokens." in site.models[0].words[1].notes
    assert "A note on tokens." in site.method.token_tables[0].notes
    assert site.models[0].notes == site.method.provenance[0].notes == ("Weights were de-quantized while loading.",)


def test_long_lists_of_words_are_folded() -> None:
    words = word_list(n_categories=2, n_words=500)
    report = dataclasses.replace(sample_report(), words=words, models=(model_report("m", "M", 2, words, (ALONE,)),))
    category = Views(report).method.categories[0]
    assert category.folded
    assert category.beginning == "word0a, word0b, word0c, word0d, word0e …"
    assert category.count == "500"


def test_with_many_models_the_header_leads_to_the_overview_instead(site: Views) -> None:
    report, n_models = sample_report(), MOST_MODELS_IN_SIGHT + 1
    names = [f"M {index}" for index in range(n_models)]
    models = tuple(dataclasses.replace(report.models[1], slug=name.replace(" ", "-"), name=name) for name in names)
    many = Views(dataclasses.replace(report, models=models))
    others = [link.text for link in site.index.frame.nav if not link.href.startswith("models/")]
    assert others[0] == "Overview"
    assert [link.text for link in many.index.frame.nav] == others
    assert [link.text for link in many.models[4].frame.nav] == [others[0], "M 4", *others[1:]]
    assert len(many.index.models) + len(many.index.more_models) == n_models


def test_a_model_that_failed_has_a_page_and_a_row_that_say_why(site: Views) -> None:
    assert site.models[2].panels == ()
    assert "check the spelling" in present(site.models[2].failure)
    assert "check the spelling" in present(site.index.table[2].failure)


def test_a_model_that_failed_is_not_counted_among_those_that_arrange_words() -> None:
    report = dataclasses.replace(sample_report(), subtitle=None)
    assert sum(model.card is not None for model in report.models) == 2 < len(report.models)
    assert str(Views(report).index.subtitle).startswith("How 2\N{NO-BREAK SPACE}language models arrange")


def test_there_is_no_switch_with_nothing_to_choose(site: Views) -> None:
    assert [switch.key for switch in site.models[0].switches] == ["context", "projection"]
    assert Views(hostile_report()).models[0].switches == ()


def test_the_citation_has_what_is_known(site: Views) -> None:
    assert "author = {A. Author}" in site.method.citation
    assert "year = {2026}" in site.method.citation
    assert "url = {https://example.org/report/}" in site.method.citation


def test_the_404_page_links_to_where_the_report_stands() -> None:
    report = sample_report()
    assert pages.build(report).not_found.home == "https://example.org/report/"
    assert pages.build(dataclasses.replace(report, site_url=None)).not_found.home == "index.html"


def test_a_long_list_leaves_the_method_page_readable() -> None:
    words = word_list(n_categories=9, n_words=1300)
    model = model_report("m", "M", 2, words, (ALONE, SENTENCE))
    tables = Views(
        dataclasses.replace(
            sample_report(),
            words=words,
            models=(model,),
            downloads={"m/alone/tokens.csv": "data/m/alone/tokens.csv"},
        )
    ).method.token_tables
    # Only the last word of the fixture is of several tokens; the others need no explanation.
    assert [[row.word for row in table.rows] for table in tables] == [[words.words[-1]]] * 2
    assert present(tables[0].rest).startswith("Shown: 1 of the words of several tokens")
    assert present(tables[0].file).href == "../data/m/alone/tokens.csv"


def test_a_short_list_is_shown_whole(site: Views) -> None:
    [table, *_] = site.method.token_tables
    assert len(table.rows) == 117
    assert table.rest is None


def test_with_many_models_what_there_is_per_model_is_folded() -> None:
    report = sample_report()
    models = tuple(dataclasses.replace(report.models[1], slug=f"m-{index}", name=f"M {index}") for index in range(7))
    assert Views(dataclasses.replace(report, models=models)).method.folded
    assert not Views(report).method.folded
