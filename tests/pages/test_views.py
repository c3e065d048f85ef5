"""What the pages say: numbers, names, links."""

from __future__ import annotations

from dataclasses import replace

import pytest
from narrow import present
from rendered import Part, Rendered
from report_fixture import ALONE, SENTENCE, hostile_report, model_report, sample_report, word_list

from tokviz.pages.first.page import MOST_MODELS_IN_SIGHT
from tokviz.pages.frame import frame
from tokviz.pages.text import wording
from tokviz.records import Category, Image, WordList


@pytest.fixture(scope="module")
def site() -> Rendered:
    return Rendered(sample_report())


@pytest.mark.parametrize(
    ("got", "wanted"),
    [
        (wording.percent(0.4876), "48.8 %"),
        (wording.small_share(0.00052), "0.0520 %"),
        (wording.small_share(0.052), "5.2 %"),
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
    report = replace(sample_report(), words=words, models=(model_report("m", "M", 2, words, (ALONE,)),))
    (several,) = (said for said in Rendered(report).models[0].texts("#model p") if "several" in said)
    assert several.endswith(": \u2068\u2068ספר\u2069 (2)\u2069.")


def test_a_drawing_is_linked_where_there_is_one(site: Rendered) -> None:
    report = sample_report()
    model = report.models[0]
    svg = Image(path="images/a b/x.svg", width=1500, height=1200, n_bytes=1)
    context, *contexts = model.contexts
    shown, *others = context.projections
    plates = (replace(present(shown.plates[0]), svg=svg), *shown.plates[1:])
    context = replace(context, projections=(replace(shown, plates=plates), *others))
    model = replace(model, contexts=(context, *contexts))
    (page,) = Rendered(replace(report, models=(model,))).models
    assert [link["href"] for link in page.all(".slide a[download]")] == ["../../images/a%20b/x.svg"]
    assert not site.models[0].all(".slide a[download]")


def test_words_that_no_font_has_are_told_on_each_models_page(site: Rendered) -> None:
    def of_fonts(page: Part) -> list[str]:
        return [note for note in page.texts("#model .note") if "font" in note]

    assert not any(map(of_fonts, site.models))
    few, many = (Rendered(replace(sample_report(), undrawn=words)) for words in (("漢字", "שלום"), ("漢字",) * 90))
    for page in few.models[:2]:
        (note,) = of_fonts(page)
        assert "every character of 漢字, \u2068שלום\u2069." in note
        assert "code points, such as ⟨U+6F22⟩" in note
    assert "90\N{NO-BREAK SPACE}words" in " ".join(of_fonts(many.models[0]))


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


def test_the_address_of_a_slide_names_the_projection_only_when_it_is_not_the_first(site: Rendered) -> None:
    first, second = (panel.all(".slide") for panel in site.models[0].all(".panel")[:2])
    assert [slide["id"] for slide in first[:2]] == ["alone/embedding", "alone/layer-0"]
    assert second[12]["id"] == "alone/layer-11/centered"


def test_every_id_of_a_page_is_unique(site: Rendered) -> None:
    for page in site.models:
        ids = [each["id"] for each in page.all("[id]")]
        assert len(ids) == len(set(ids))


def test_a_picture_is_described(site: Rendered) -> None:
    page = site.models[0]
    alt = page.at("sentence/layer-11").one("img")["alt"].replace("\N{NO-BREAK SPACE}", " ")
    assert alt == (
        "Layer 11: PC1 holds 48.8 % of the variance, PC2 8.3 %; 50 % of a word’s nearest neighbors share its category (chance: 10 %). Smol"
        "-135M-Instruct (Q4_1 GGUF), words in a sentence, standardized PCA."
    )
    assert "; massive activations emerge. " in page.at("alone/layer-11").one("img")["alt"]


def test_a_depth_without_a_picture_says_why(site: Rendered) -> None:
    slide = site.models[1].at("alone/layer-2")
    assert not slide.all("img")
    assert "at least 3 words" in slide.one(".problem").text


def test_ticks_stand_where_the_strips_panels_have_their_centres(site: Rendered) -> None:
    """Those of a deep model have numbers at sensible intervals only."""
    ticks = [tick["x1"] for tick in site.models[1].all("[id=axis] line:not(.axis)")]
    assert ticks == [f"{4.4 + 91.2 * depth / 6:.3f}%" for depth in range(7)]
    deep, shallow, _ = (page.texts("[id=axis] text") for page in site.models)
    assert shallow == ["embedding", "0", "1", "2", "3", "4", "layer 5"]
    assert deep == ["embedding", "5", "10", "15", "20", "25", "layer 29"]


def test_words_apart_are_listed_once_for_all_contexts(site: Rendered) -> None:
    page = site.models[0]
    shared, *own = page.all("#model details section")
    assert [said.rpartition(": ")[2] for said in shared.texts("p")] == ["word8m (2).", "word8m."]
    assert not any("word8m" in each.text or "Every word" in each.text for each in own)
    assert not shared.all("details")
    hollow = "Hollow, read at a different position than the reference words: word8m."
    assert hollow in page.all(".panel")[0].texts("aside p")


def test_a_panel_says_when_its_words_stand_at_position_0(site: Rendered) -> None:
    begins = "The reference words are read at position 0"
    alone, _, sentence, _, twin = (panel.texts("aside p") for panel in site.models[0].all(".panel"))
    assert [said.endswith("it may distort these plots.") for said in alone if said.startswith(begins)] == [True]
    assert not any("are read at position 0" in said for said in (*sentence, *twin))


def test_what_the_tokenizer_and_the_model_have_to_say_is_on_both_pages(site: Rendered) -> None:
    page, method = site.models[0], site["method/index.html"]
    assert "A note on tokens." in page.all("#model details section")[1].texts("p")
    assert "A note on tokens." in method.under("tokens").all("details")[0].texts("p")
    note = "Weights were de-quantized while loading."
    assert page.all("#model details")[0].texts("p") == [note]
    assert method.under("provenance").texts("p")[:2] == [note, "Its plots"]


def test_long_lists_of_words_are_folded() -> None:
    words = word_list(n_categories=2, n_words=500)
    report = replace(sample_report(), words=words, models=(model_report("m", "M", 2, words, (ALONE,)),))
    category = Rendered(report)["method/index.html"].under("words").all("tbody tr")[0]
    assert category.one("details summary").text == "word0a, word0b, word0c, word0d, word0e …"
    assert category.texts("td")[-1] == "500"


def test_with_many_models_the_header_leads_to_the_overview_instead(site: Rendered) -> None:
    report, n_models = sample_report(), MOST_MODELS_IN_SIGHT + 1
    names = [f"M {index}" for index in range(n_models)]
    models = tuple(replace(report.models[1], slug=name[2:], name=name) for name in names)
    many = Rendered(replace(report, models=models))
    others = [link.text for link in site["index.html"].all("header nav a") if not link["href"].startswith("models/")]
    index = many["index.html"]
    assert others[0] == "Overview"
    assert index.texts("header nav a") == others
    assert many.models[4].texts("header nav a") == [others[0], "M 4", *others[1:]]
    assert index.texts("article h2") == names
    assert index.texts("details article h2") == names[MOST_MODELS_IN_SIGHT:]


def test_a_model_that_failed_has_a_page_and_a_row_that_say_why(site: Rendered) -> None:
    assert not site.models[2].all(".panel")
    assert "check the spelling" in site.models[2].one(".problem").text
    assert "check the spelling" in site["index.html"].one("table.models .problem").text


def test_a_model_that_failed_is_not_counted_among_those_that_arrange_words() -> None:
    report = replace(sample_report(), subtitle=None)
    assert sum(model.card is not None for model in report.models) == 2 < len(report.models)
    assert Rendered(report)["index.html"].one(".subtitle").plain.startswith("How 2 language models arrange")


def test_there_is_no_switch_with_nothing_to_choose(site: Rendered) -> None:
    assert [switch["data-switch"] for switch in site.models[0].all("[data-switch]")] == ["context", "projection"]
    assert not Rendered(hostile_report()).models[0].all("[data-switch]")


def test_the_citation_has_what_is_known(site: Rendered) -> None:
    for known in ("author = {A. Author}", "year = {2026}", "url = {https://example.org/report/}"):
        assert known in site["method/index.html"].at("bibtex").text


def test_the_404_page_links_to_where_the_report_stands(site: Rendered) -> None:
    unknown = Rendered(replace(sample_report(), site_url=None))
    homes = [each["404.html"].one("a")["href"] for each in (site, unknown)]
    assert homes == ["https://example.org/report/", "index.html"]


def test_a_long_list_leaves_the_method_page_readable() -> None:
    words = word_list(n_categories=9, n_words=1300)
    model = model_report("m", "M", 2, words, (ALONE, SENTENCE))
    downloads = {"m/alone/tokens.csv": "data/m/alone/tokens.csv"}
    report = replace(sample_report(), words=words, models=(model,), downloads=downloads)
    tables = Rendered(report)["method/index.html"].under("tokens").all("details")
    # Only the last word of the fixture is of several tokens; the others need no explanation.
    assert [table.texts("tbody th") for table in tables] == [[words.words[-1]]] * 2
    rest = tables[0].all("p")[-1]
    assert rest.plain.startswith("Shown: 1 of the words of several tokens")
    assert rest.one("a")["href"] == "../data/m/alone/tokens.csv"


def test_a_token_turns_only_itself_around() -> None:
    report = sample_report()
    context = report.models[0].contexts[0]
    tokens = context.states.tokenization
    turning = replace(tokens.words[0], ids=(0, 1), pieces=("\u202e", "Ġblue"), start=0, stop=2)
    tokens = replace(tokens, words=(turning, *tokens.words[1:]))
    model = replace(report.models[0], contexts=(replace(context, states=replace(context.states, tokenization=tokens)),))
    [table, *_] = Rendered(replace(report, models=(model,)))["method/index.html"].under("tokens").all("details")
    assert table.all("tbody tr")[0].texts("code") == ["\u2068\u202e\u2069", "Ġblue"]


def test_a_short_list_is_shown_whole(site: Rendered) -> None:
    [table, *_] = site["method/index.html"].under("tokens").all("details")
    assert len(table.all("tbody tr")) == 117
    assert "Shown:" not in table.text


def test_with_many_models_what_there_is_per_model_is_folded(site: Rendered) -> None:
    names = [f"M {index}" for index in range(7)]
    report = sample_report()
    models = tuple(replace(report.models[1], slug=name[2:], name=name) for name in names)
    many = Rendered(replace(report, models=models))
    folded, in_sight = (each["method/index.html"].under("provenance") for each in (many, site))
    assert folded.texts("details summary") == names
    assert not in_sight.all("details")
