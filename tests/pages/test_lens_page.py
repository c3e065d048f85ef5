"""What each layer would say: its numbers in files and scripts."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import replace

import fact_checks
import numpy as np
import pytest
from claiming import decided
from lens_fixture import REASON, lens, with_lens
from narrow import present
from rendered import Part, Rendered
from report_fixture import SENTENCE, lens_report, model_report, sample_report, word_list

from tokviz.pages.charts.measures import lens_measures
from tokviz.pages.downloads import tables
from tokviz.pages.downloads.measured import lens_csv
from tokviz.pages.model.lens import facts, shown_depths
from tokviz.pages.model.lens import files as scripts_of
from tokviz.pages.text.catalogue import Fact, sentence
from tokviz.records import ModelReport, Relation, Report, depth_name

REPORT = lens_report()
FIRST = REPORT.models[0]
LENS = present(FIRST.contexts[0].lens)


def content(text: str) -> dict[str, object]:
    arguments = text.removeprefix("tokvizData(").removesuffix(");\n")
    key, found = json.loads(f"[{arguments}]")
    assert key == "smol-30/alone lens"
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return tables.files(REPORT)


def test_every_capture_with_a_lens_has_its_files_and_no_other(files: dict[str, str]) -> None:
    named = [each.states.context.name for each in FIRST.captures]
    assert len(named) > 2  # neurons are changed, too
    assert [path for path in files if path.endswith("/lens.js")] == [f"data/smol-30/{name}/lens.js" for name in named]
    assert [path for path in files if path.endswith("/lens.csv")] == [f"data/smol-30/{name}/lens.csv" for name in named]


@pytest.mark.parametrize("key", ["categories", "words"])
def test_the_script_has_what_scores_highest_of_every_word_at_every_depth(files: dict[str, str], key: str) -> None:
    text = files["data/smol-30/alone/lens.js"]
    found = content(text)
    told = found[key]
    assert isinstance(told, dict)
    tops = np.frombuffer(base64.b64decode(told["tops"]), dtype=f"<u{found['bytes']}")
    wanted = present(LENS.top_names if key == "categories" else LENS.top_words)
    assert (tops.reshape(-1, 31, 3).transpose(1, 0, 2) == wanted + 1).all()
    assert told["firm"] == "0" + 30 * "1"
    assert len(text.encode()) <= 60_000


def test_of_long_lists_the_script_has_the_highest_only() -> None:
    words = word_list(n_categories=9, n_words=40)
    model = model_report("smol-30", "Long", 30, words, (SENTENCE,), projections=("centered",))
    context = replace(model.contexts[0], lens=lens(31, words, 31))
    report = replace(REPORT, words=words, models=(replace(model, contexts=(context,)),))
    (text,) = scripts_of(report).values()
    found = content(text.replace("/sentence lens", "/alone lens"))
    assert (found["n"], found["bytes"]) == (1, 2)
    told = found["words"]
    assert isinstance(told, dict)
    tops = np.frombuffer(base64.b64decode(told["tops"]), dtype="<u2").reshape(360, 31)
    assert tops[10].tolist() == [12, *30 * [11]]  # its own, but for the embedding
    assert tops[-1].tolist() == 31 * [0]


def test_the_table_has_a_row_for_each_thing_and_depth() -> None:
    pairs = Relation(name="pairs", label="Pairs", pairs=(), candidates=())
    several = np.array([[0.2] * 31, [0.4] * 31])
    read = replace(LENS, relations=(replace(present(LENS.own), n=8, templates=several),))
    rows = list(csv.DictReader(io.StringIO(lens_csv(read, (pairs,)))))
    assert [(row["kind"], row["name"], row["depth"]) for row in rows] == [
        (kind, name, str(depth))
        for kind, name in (("category", ""), ("word", ""), ("relation", "pairs"))
        for depth in range(31)
    ]
    named, own, relation = rows[5], rows[36], rows[67]
    assert [float(named[key]) for key in ("value", "low", "high", "first_half", "second_half")] == pytest.approx(
        [0.71, 0.63, 0.79, 0.69, 0.73]
    )
    assert (named["firm"], named["announced"], named["untrained"], named["own_rank"]) == ("1", "1", "0.11", "")
    assert (rows[0]["firm"], rows[0]["announced"], rows[30]["announced"]) == ("0", "0", "0")
    assert (own["untrained"], own["own_rank"], own["own_rank_logit_lens"]) == ("", "0.0", "20.0")
    assert (relation["n"], relation["lowest_template"], relation["highest_template"]) == ("8", "0.2", "0.4")


def test_report_json_says_what_is_read_and_why_nothing_is(files: dict[str, str]) -> None:
    first, second, _ = json.loads(files["data/report.json"])["models"]
    read_as = [f"Ġcategory_{index}" for index in range(9)]
    assert [each["lens"] for each in first["contexts"]] == [{"reason": None, "read_as": read_as}] * len(FIRST.captures)
    assert [each["lens"] for each in second["contexts"]] == [{"reason": REASON, "read_as": []}] * 2


def test_a_lens_that_measures_nothing_has_no_files() -> None:
    nothing = replace(LENS, named=None, own=None)
    context = replace(FIRST.contexts[0], lens=nothing, interventions=())
    report = replace(REPORT, models=(replace(FIRST, contexts=(context,)),))
    assert not [path for path in tables.files(report) if "lens" in path]
    assert not scripts_of(report)


# --- curves ----------------------------------------------------------------------------------------------------------


def lens_of(report: Report) -> Part:
    """The section of the first model's page."""
    return Rendered(report).models[0].one("#lens")


def of_first(model: ModelReport) -> Part:
    """With another first model."""
    return lens_of(replace(REPORT, models=(model, *REPORT.models[1:])))


@pytest.fixture(scope="module")
def section() -> Part:
    return lens_of(REPORT)


def test_charts_have_a_curve_per_capture_and_what_a_reader_may_add(section: Part) -> None:
    named, own = section.all("figure.chart")
    added = ["" if each.rule is None else "changed" for each in FIRST.captures]
    beside = ["", "logit", "untrained"] * 2
    switches = [[path["class"].partition("switch-")[2] for path in chart.all("path.curve")] for chart in (named, own)]
    assert switches == [[*added, *beside], [*added, "", "logit", "", "logit"]]
    thin = ["raw" in path.classes for path in named.all("path.curve")]
    assert thin == [*(False for _ in added), *[True, True, False] * 2]
    assert named.one("svg")["aria-label"].startswith("Category named. Alone: 15\N{NO-BREAK SPACE}% at the embedding,")


def test_chance_is_drawn_at_each_depth_and_named_once() -> None:
    chance = np.linspace(0.05, 0.2, 31)
    lens = replace(LENS, named=replace(present(LENS.named), null_mean=chance))
    section = of_first(replace(FIRST, contexts=(replace(FIRST.contexts[0], lens=lens), *FIRST.contexts[1:])))
    named, _ = section.all("figure.chart")
    assert not named.all("line.chance")
    first, second = named.all("path.dash-chance")
    assert (first["d"].count("-"), second["d"].count("-")) == (30, 0)  # it rises at every depth; the other is even
    assert named.texts("text.end").count("chance") == 1
    said = "Alone, chance: 5\N{NO-BREAK SPACE}% at the embedding, 20\N{NO-BREAK SPACE}% at layer 29."
    assert said in named.one("svg")["aria-label"]


def test_bands_are_broken_where_the_halves_disagree() -> None:
    reading = present(lens_measures(())[0].reading(FIRST.contexts[0]))
    low, high = present(reading.interval)
    assert np.isnan(low[0])
    assert np.isnan(high[0])
    assert low[1:] == pytest.approx(present(LENS.named).low[1:])
    assert high[1:] == pytest.approx(present(LENS.named).high[1:])


def test_a_relation_has_its_own_chart_and_no_lens_none() -> None:
    pairs = Relation(name="pairs", label="Pairs", pairs=(), candidates=())
    *_, relation = lens_measures((pairs,))
    assert relation.reading(FIRST.contexts[0]) is None  # not measured
    measured = replace(FIRST.contexts[0], lens=replace(LENS, relations=(LENS.own,)))
    assert (present(relation.reading(measured)).values == present(LENS.own).value).all()
    assert [each.reading(REPORT.models[1].contexts[0]) for each in lens_measures((pairs,))] == [None] * 3


# --- the section -------------------------------------------------------------------------------------------------------


def test_each_cell_names_what_scores_highest_in_the_first_capture(section: Part) -> None:
    depths = shown_depths(FIRST)
    assert section.texts("thead th") == [depth_name(depth) for depth in depths]
    assert len(depths) == 10
    assert {0, 11, 12, 30} <= set(depths)  # the ends, the break and the depth before it
    rows = section.all("[data-row]")
    assert [row["data-row"] for row in rows] == [str(index) for index in range(116)]  # the last word isn't read
    tops, categories = present(LENS.top_names), REPORT.words.categories
    for index, row in enumerate(rows):
        highest, own = [tops[depth, index, 0] for depth in depths], REPORT.words.memberships[index]
        assert row.one("th").text == REPORT.words.words[index]
        assert row.texts("td") == [categories[each].label for each in highest]
        assert ["y" in cell.classes for cell in row.all("td")] == [each in own for each in highest]
        assert ["p" in cell.classes for cell in row.all("td")] == [depth == 0 for depth in depths]


def test_a_category_counts_its_words_and_others_that_are_read_as_it(section: Part) -> None:
    groups = {each.one(".lens-group th").text: each for each in section.all("tbody")}
    assert list(groups) == [each.label for each in REPORT.words.categories]
    for label, group in groups.items():
        own = [row.all("td") for row in group.all("[data-row]")]
        others = [row.texts("td") for other in groups.values() if other is not group for row in other.all("[data-row]")]
        for column, cell in enumerate(group.all(".lens-group td")):
            n = sum("y" in row[column].classes for row in own)
            n_others = sum(row[column] == label for row in others)
            assert cell.text == f"{n} of {len(own)}" + (f" +{n_others}" if n_others else "")
            assert ("s4" in cell.classes) == (n == len(own))


def test_of_many_words_some_have_rows(section: Part) -> None:
    words = word_list(n_categories=9, n_words=40)
    model = model_report("long", "Long", 30, words, (SENTENCE,), projections=("centered",))
    report = replace(REPORT, words=words, models=(with_lens(model, words),))
    shown = lens_of(report)
    assert len(shown.all("[data-row]")) == 150
    # All words of a category count, of which the last one isn't read.
    counts = [group.texts(".lens-group td")[1] for group in shown.all("tbody")]
    assert counts == [*["40 of 40"] * 8, "39 of 39"]
    assert "Rows are 150 of 359\N{NO-BREAK SPACE}words, evenly drawn." in shown.texts("[data-lens-caption]")[0]
    assert "Rows are" not in section.texts("[data-lens-caption]")[0]


def test_captions_say_of_which_words_only_the_first_sentence_is_shown(section: Part) -> None:
    """Whichever are shown first: a reader may choose the others."""
    said = "Of words in a sentence, the table shows the first sentence; charts show medians over all."
    assert said not in section.text
    alone, sentence, *others = FIRST.contexts
    several = replace(sentence.states.context, further_templates=("I saw {word}",))
    repeated = replace(sentence, states=replace(sentence.states, context=several), interventions=())
    captions = of_first(replace(FIRST, contexts=(alone, repeated, *others))).texts("[data-lens-caption]")
    assert [said in caption for caption in captions] == [True, True]


def test_a_model_without_a_lens_says_why_and_nothing_where_none_was_asked_for() -> None:
    page = Rendered(REPORT)["models/mini-6/index.html"]
    assert page.one("#lens").text == "What each layer would say why there is none No lens: the model is not a decoder."
    assert not page.all("link[href$='lens.css']")
    assert not Rendered(sample_report())["models/smol-30/index.html"].all("#lens")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Ġa", "Ġa", "Ġb"), "what Category 1 and Category 2 are read as begins with the same token"),
        (("", "Ġa", "Ġa"), "the tokenizer doesn’t know what Category 1 is read as"),
        (("", "Ġa", ""), "the tokenizer doesn’t know what Category 1 and Category 3 are read as"),
    ],
)
def test_names_that_cannot_be_told_apart_or_are_unknown_are_said(names: tuple[str, ...], said: str) -> None:
    context = replace(FIRST.contexts[0], lens=replace(LENS, names=names, named=None), interventions=())
    missing, *_ = of_first(replace(FIRST, contexts=(context,))).texts(".note")
    assert missing == f"Categories aren’t read: {said} (reads_as in the configuration)."


def test_a_token_that_turns_text_around_turns_itself_only() -> None:
    names = ("Ġ\u202eroloc", *LENS.names[1:])
    context = replace(FIRST.contexts[0], lens=replace(LENS, names=names), interventions=())
    said = " ".join(of_first(replace(FIRST, contexts=(context,))).texts("p"))
    assert said.count("\u202e") == said.count("\u2068\u202eroloc\u2069") > 0


def test_what_readers_add_to_the_charts_is_explained(section: Part) -> None:
    *_, note = section.texts(".lens-more .note")
    assert note == (
        "If shown: thin, the logit lens, which reads every layer as if it were the last; gray, the model with all weights random."
    )
    context = replace(FIRST.contexts[0], lens=replace(LENS, untrained=None), interventions=())
    assert of_first(replace(FIRST, contexts=(context,))).texts(".lens-more .note")[-1] == (
        "If shown: thin, the logit lens, which reads every layer as if it were the last."
    )
    context = replace(FIRST.contexts[0], geometry=None, interventions=())
    without_charts = of_first(replace(FIRST, contexts=(context,)))
    assert not without_charts.all("figure.chart")
    assert "If shown" not in without_charts.text


def test_what_the_lens_does_not_say_names_words_at_position_0(section: Part) -> None:
    limits = section.one("#lens > .note").text
    assert limits.endswith("Words alone are read at position 0, where it wasn’t fitted: nothing is announced of them.")
    elsewhere = of_first(replace(FIRST, contexts=FIRST.contexts[1:]))
    assert "position 0" not in elsewhere.one("#lens > .note").text


# --- what is said ------------------------------------------------------------------------------------------------------


def claimed(holds: list[bool], *, of: int = 1, can_be_tested: bool = True) -> ModelReport:
    """The first model with the words of a context announced at these depths; of the first one they are read at position 0."""
    lens = present(FIRST.contexts[of].lens)
    claim = replace(decided(np.array(holds), "lens"), can_be_tested=can_be_tested)
    contexts = list(FIRST.contexts)
    contexts[of] = replace(contexts[of], lens=replace(lens, named=replace(present(lens.named), claim=claim)))
    return replace(FIRST, contexts=tuple(contexts))


def test_sentences_say_where_it_is_announced_and_which_share_that_is() -> None:
    stated = facts(FIRST)
    said = sentence(stated)
    assert said == (
        "More words than by chance are read as their own category: words alone, at layers 0–13 (70–73\N{NO-BREAK SPACE}% of them); words in a "
        "sentence, at layers 0–29 (70–76\N{NO-BREAK SPACE}% of them)."
    )
    fact_checks.check_sentence(stated, said)
    names, kinds = ("words beside others", "layer 3"), [each for each in fact_checks.keys("model") if "lens" in each]
    for index, other in fact_checks.changed(stated, names, kinds):
        fact_checks.require_a_change(stated, index, other, sentence)


def test_nothing_is_said_that_no_claim_supports() -> None:
    read, nowhere = facts(claimed([False] * 31))
    assert (read.kind, [each.values["label"] for each in read.values["contexts"]]) == ("model.lens.read", ["alone"])
    in_a_sentence = (Fact("model.lens.words", label="in a sentence"),)
    assert nowhere == Fact("model.lens.not_shown", contexts=in_a_sentence)
    (elsewhere,) = facts(claimed([False] * 31, of=0))
    assert [each.values["label"] for each in elsewhere.values["contexts"]] == ["in a sentence"]
    assert sentence([nowhere]) == (
        "At no depth is it shown that more words than by chance are read as their own category: words in a sentence."
    )
    (_, untested) = facts(claimed([False] * 31, can_be_tested=False))
    assert sentence([untested]) == (
        "Whether more words than by chance are read as their own category can’t be tested with these words and categories: words in a "
        "sentence."
    )
    unmeasured = replace(FIRST, contexts=(replace(FIRST.contexts[0], lens=replace(LENS, named=None)),))
    assert facts(unmeasured) == ()
