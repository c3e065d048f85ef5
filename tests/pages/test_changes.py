"""What is said to have changed between two models of one form: no more than what is announced, and where."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from change_claims import check_change
from changed_fixture import NOTHING, Values, change_report, random_change_report
from claiming import decided
from claims import plain
from finding_claims import check_findings
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered import Rendered
from repeating import times
from report_fixture import ALONE

from tokviz.pages.change import page as change_page
from tokviz.pages.downloads import tables
from tokviz.pages.findings.change_evidence import LEAST
from tokviz.pages.findings.changes import shifts
from tokviz.pages.findings.chosen import findings
from tokviz.pages.frame import index
from tokviz.pages.frame.frame import change_path
from tokviz.records import Checkpoint, Context, ContextReport, PairedMeasure, Report, SeriesReport

PAGE = "change/base-tuned/index.html"
LAST = (0.0, 0.0, 0.0, 0.0, -0.5)
LATE = (0.0, 0.0, -0.4, -0.5, -0.5)
EVERYWHERE = (-0.5,) * 5


def headline(report: Report) -> str:
    (shift,) = shifts(report)
    return plain(shift.found().sentence)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (change_report(categories={0: LAST}), "In its last layer, Tuned keeps Category 1 less apart than Base."),
        (change_report(categories={0: LATE, 2: LATE}), "At layers 1–3, Tuned keeps Category 1 and Category 3 less apart than Base."),
        (change_report(categories={1: tuple(-each for each in LAST)}), "In its last layer, Tuned keeps Category 2 further apart than Base."),
        (
            change_report(categories={0: LAST, 1: tuple(-each for each in LAST)}),
            "At layer 3, Tuned differs from Base in keeping two of three categories apart.",
        ),
        (change_report(categories=dict.fromkeys(range(3), EVERYWHERE)), "At every depth, Tuned keeps all three categories less apart than Base."),
        (change_report(LAST), "In its last layer, Tuned keeps categories less apart than Base."),
        (change_report(LAST, measured="silhouette"), "In its last layer, Tuned keeps categories less apart than Base by silhouette."),
        (change_report(is_same=True), "Tuned and Base give identical states for these words."),
        # The bands of the fixture reach a little more than 0.08 to either side.
        (change_report((0.0, 0.0, 0.0, 0.0, -0.1)), "At layer 3, Tuned lowers category purity by 0.02–0.18 against Base."),
        (change_report(), "No category change is shown from Base to Tuned; overall at most 0.09."),
        (change_report(LAST, is_announced=False), "No category change is shown from Base to Tuned; overall at most 0.59."),
    ],
)  # fmt: skip
def test_a_headline_says_what_is_announced_and_where(report: Report, expected: str) -> None:
    assert headline(report) == expected


@pytest.mark.parametrize("is_announced", [True, False])
@pytest.mark.parametrize("categories", [{}, {0: LAST}, {0: LAST, 1: tuple(-each for each in LATE)}], ids=len)
@pytest.mark.parametrize("overall", [NOTHING, LAST, EVERYWHERE], ids=["none", "last", "all"])
def test_it_is_true_of_the_records(overall: Values, categories: dict[int, Values], is_announced: bool) -> None:
    report = change_report(overall, categories, is_announced=is_announced)
    check_findings(findings(report), report, report.models)


@given(st.integers(0, 2**32))
@settings(max_examples=times(100))
def test_it_is_true_of_any_records(seed: int) -> None:
    report = random_change_report(np.random.default_rng(seed))
    for each in shifts(report):
        check_change(each.found(), report)


def test_the_end_of_an_interval_that_is_not_0_isn_t_written_as_0() -> None:
    report = change_report((0.0, 0.0, 0.0, 0.0, -0.0805))
    assert headline(report).startswith("At layer 3, Tuned lowers category purity by 0.00")
    assert not headline(report).startswith("At layer 3, Tuned lowers category purity by 0.00–")


def test_within_a_twentieth_is_said_only_of_bands_that_are() -> None:
    report = change_report()
    (pair,) = report.differences
    found = pair.paired
    assert found

    def narrower(of: PairedMeasure, errors: float) -> PairedMeasure:
        return replace(of, **{name: replace(each, errors=each.errors * errors) for name, each in vars(of).items()})

    def narrow(errors: float) -> Report:
        purity, silhouette = (narrower(of, errors) for of in (found.purity, found.silhouette))
        paired = replace(found, purity=purity, silhouette=silhouette)
        return replace(report, differences=(replace(pair, paired=paired),))

    assert headline(narrow(0.6)) == f"No category changed by more than {LEAST} from Base to Tuned."
    assert "overall at most" in headline(narrow(0.7))


def test_the_page_opens_at_the_change() -> None:
    page = Rendered(change_report(categories={0: LATE}))[PAGE]
    assert plain(page.one("h1").text) == "At layers 1–3, Tuned keeps Category 1 less apart than Base."
    data = json.loads(page.one("[data-change-data]").text)["contexts"]["sentence"]
    # Of the two largest changes the first.
    assert data["depth"] == 3
    assert page.one(".change-ruler input")["value"] == "3"
    assert [len(rows) for rows in data["strong"]] == [0, 0, 4, 4, 4]
    told = "Category 1: category purity changes by −0.50 at layer 2 (interval −0.58 to −0.42); shown at layers 1–3. Over all words: 0.00"
    assert told in plain(page.one(".facts").text)
    assert "No other category is shown to change at layer 2; up to 0.09 remains possible." in page.one(".facts").text


def test_all_pages_lead_to_it_but_a_model_s_own_opens_with_what_is_its_own() -> None:
    report = change_report(categories={0: LAST})
    site, sentence = Rendered(report), headline(report)
    assert site["index.html"].one(".headline a")["href"] == "change/base-tuned/index.html#sentence/layer-3"
    assert plain(site["index.html"].one(".headline").text) == sentence
    assert plain(site["compare/index.html"].one(".finding strong").text) == sentence
    assert [plain(each) for each in site["index.html"].texts(".glance-row > span:first-child")] == ["", "Base", "Tuned"]
    assert json.loads(tables.files(report)["data/report.json"])["findings"][0]["sentence"] == sentence
    for model in report.models:
        found = findings(report, [model])
        assert [each.slot for each in found].index("change") == len(found) - 1 > 0


def test_the_same_model_under_two_names_has_its_rows() -> None:
    report = change_report(is_same=True)
    before, after = report.models
    after = replace(after, contexts=tuple(replace(each) for each in before.contexts))
    site = Rendered(replace(report, models=(before, after)))
    assert plain(site["index.html"].one(".headline").text) == "Tuned and Base give identical states for these words."
    assert [plain(each) for each in site["index.html"].texts(".glance-row > span:first-child")] == ["", "Base", "Tuned"]


def test_a_change_that_is_not_announced_leads_nowhere() -> None:
    first, *others = findings(change_report(LAST, is_announced=False))
    assert first.slot == "words"
    assert [each.is_announced for each in others if each.slot == "change"] == [False]


MOVERS = {(2, 0): 3, (4, 0): 4, (4, 5): 5}


def test_words_that_moved_are_listed_and_nothing_more_is_said_of_categories() -> None:
    report = change_report(movers=MOVERS)
    assert headline(report) == "2 words are shown to have left their neighbors from Base to Tuned."
    page = Rendered(report)[PAGE]
    assert "2 words are shown to have left their neighbors at layer 3: 4–5 of 5 nearest words were replaced." in plain(
        page.one(".facts").text
    )
    seen = [row.texts("th, td") for row in page.all(".change-movers tbody tr")]
    # Those that lost most come first.
    assert [[row[0], row[-1]] for row in seen] == [["word1b", "5 of 5"], ["word0a", "4 of 5"]]
    # Of the fixture those that follow in the list, in the other order after.
    assert [[plain(each) for each in row[1:3]] for row in seen] == [
        ["word1c, word1d, word2a", "→ word2c, word2b, word2a"],
        ["word0b, word0c, word0d", "→ word1b, word1a, word0d"],
    ]
    assert [row.texts("td")[-1] for row in page.all("#movers tbody tr")] == ["layer 3", "layer 1 and layer 3"]
    assert json.loads(page.one("[data-change-data]").text)["contexts"]["sentence"]["strong"] == [
        [],
        [],
        [0],
        [],
        [0, 5],
    ]


@pytest.mark.parametrize(
    ("movers", "said", "at"),
    [
        (MOVERS, "2 of 8 asked words are shown to have left their neighbors from Base to Tuned.", "2 of 8 asked words are shown to have left their neighbors at layer 3:"),
        ({(4, 0): 4}, "1 of 8 asked words is shown to have left its neighbors from Base to Tuned.", "1 of 8 asked words is shown to have left its neighbors at layer 3:"),
    ],
)  # fmt: skip
def test_words_that_moved_are_counted_of_those_that_were_asked(movers: Any, said: str, at: str) -> None:
    report = change_report(movers=movers, n_asked=8)
    assert headline(report) == said
    page = Rendered(report)[PAGE]
    assert at in plain(page.one(".facts").text)
    asked = "This was asked of 8 of 11\N{NO-BREAK SPACE}words, evenly drawn, among each other."
    assert asked in page.one(".change-movers .note").text
    assert asked in page.one("#movers .note").text


def test_of_many_words_that_moved_the_page_lists_some_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_page, "MOST_MOVERS", 1)
    monkeypatch.setattr(change_page, "MOST_FOLDED", 2)
    found = Rendered(change_report(movers={**MOVERS, (3, 7): 3}))[PAGE]
    assert [row.texts("th") for row in found.all("#movers tbody tr")] == [["word1b"], ["word0a"]]
    assert "(2 of 3 of any layer)" in plain(found.one(".change-movers .note").text)
    assert "These are 2 of 3, those that lost most; all are in words.csv." in plain(found.one("#movers .note").text)
    monkeypatch.setattr(change_page, "MOST_FOLDED", 3)
    found = Rendered(change_report(movers={**MOVERS, (3, 7): 3}))[PAGE]
    assert "(all 3 of any layer)" in plain(found.one(".change-movers .note").text)
    assert found.all("#movers .note") == []


def test_of_several_sentences_words_moved_in_the_first() -> None:
    page = Rendered(change_report(movers=MOVERS, further_templates=("I know {word}",)))[PAGE]
    assert "2 words are shown to have left their neighbors at layer 3, in the first sentence: 4–5 of 5" in plain(
        page.one(".facts").text
    )
    assert "This was asked of the context’s first sentence." in page.one(".change-movers .note").text
    assert "first sentence" in page.one("[data-caption]").text
    assert "first sentence" not in Rendered(change_report(movers=MOVERS))[PAGE].text


def test_where_no_word_moved_it_is_said_how_many_neighbors_were_replaced_where_most_were() -> None:
    report = change_report(movers={(1, 0): 2, (3, 0): 5, (3, 1): 5})
    (pair,) = report.differences
    assert pair.changed is not None
    moved = pair.changed.moved
    unmoved = replace(moved, claim=decided(np.zeros(moved.lost.size, dtype=bool), "movers"))
    report = replace(report, differences=(replace(pair, changed=replace(pair.changed, moved=unmoved)),))
    n_known = int((moved.lost[3] >= 0).sum())
    said = plain(Rendered(report)[PAGE].one(".facts").text)
    assert f"on average {moved.lost[3].sum() / n_known / moved.k:.1%}".replace("%", " %") in said
    assert "nearest were replaced at layer 2" in said


def test_where_nothing_could_be_tested_the_page_opens_at_the_last_layer() -> None:
    report = change_report((np.nan,) * 5, dict.fromkeys(range(3), (np.nan,) * 5))
    (shift,) = shifts(report)
    assert shift.depth == shift.n_depths - 1


def test_movers_stand_in_the_table_of_words() -> None:
    _, *rows = tables.files(change_report(movers=MOVERS))["data/change/base-tuned/sentence/words.csv"].splitlines()
    announced = [row.split(",")[:6] for row in rows if row.split(",")[7] == "1"]
    assert announced == [
        ["2", "layer 1", "word0a", "word0a", "3", "5"],
        ["4", "layer 3", "word0a", "word0a", "4", "5"],
        ["4", "layer 3", "word1b", "word1b", "5", "5"],
    ]


def test_its_table_has_after_less_before() -> None:
    report = change_report(LAST)
    (pair,) = report.differences
    assert pair.changed is not None
    shares = np.array([0.7, 0.2]), np.array([0.5, 0.3])
    before, after = (
        replace(side, explained_variance_ratio=np.tile(own, (len(side.explained_variance_ratio), 1)))
        for side, own in zip((pair.changed.before, pair.changed.after), shares, strict=True)
    )
    pair = replace(pair, changed=replace(pair.changed, before=before, after=after))
    text = tables.files(replace(report, differences=(pair,)))["data/change/base-tuned/sentence/depths.csv"]
    header, *_, last = text.splitlines()
    row = dict(zip(header.split(","), last.split(","), strict=True))
    assert (row["layer"], row["purity_change"], row["purity_announced"]) == ("layer 3", "-0.5", "1")
    assert float(row["purity_low"]) < float(row["purity_change"]) < float(row["purity_high"]) < 0
    written = [row[f"{side}_{axis}_share"] for side in ("before", "after") for axis in ("pc1", "pc2")]
    assert written == ["0.7", "0.2", "0.5", "0.3"]


def test_the_table_of_categories_has_each_at_each_depth() -> None:
    report = change_report(categories={1: LAST})
    text = tables.files(report)["data/change/base-tuned/sentence/categories.csv"]
    rows = list(csv.DictReader(text.splitlines()))
    keys = [each.key for each in report.words.categories]
    assert [(row["category"], row["layer"]) for row in rows[:2]] == [(keys[0], "embedding"), (keys[0], "layer 0")]
    assert [row["category"] for row in rows if row["layer"] == "layer 3"] == keys
    shown = [row for row in rows if row["purity_announced"] == "1"]
    assert [(row["category"], row["layer"], row["purity_change"]) for row in shown] == [(keys[1], "layer 3", "-0.5")]
    assert float(shown[0]["purity_low"]) < -0.5 < float(shown[0]["purity_high"]) < 0


def test_models_that_are_not_before_and_after_have_no_such_page() -> None:
    report = change_report(LAST)
    report = replace(report, differences=tuple(replace(each, changed=None) for each in report.differences))
    assert PAGE not in Rendered(report)
    assert {each.slot for each in findings(report)} >= {"models"}


def test_a_context_of_other_tokens_is_left_out_and_named() -> None:
    report = change_report(LAST)
    left = "Left out are words alone: the models don’t read them from the same tokens."
    assert left not in Rendered(report)[PAGE].text
    compared = in_two_contexts(report)
    pair, other = compared.differences
    assert left in Rendered(replace(compared, differences=(pair, replace(other, changed=None))))[PAGE].text
    # That both weren't compared at all is told where that failed.
    assert left not in Rendered(replace(compared, differences=(pair,)))[PAGE].text


def test_beside_a_category_that_is_too_small_the_others_still_have_a_limit() -> None:
    report = change_report(categories={1: (-0.3,) * 5}, is_announced=False)
    (pair,) = report.differences
    assert pair.paired

    def too_small(of: PairedMeasure) -> PairedMeasure:
        n = np.array([9, 10, 10])
        return replace(of, by_category=replace(of.by_category, n_groups=n, freedom=np.where(n < 10, 0, n - 1)))

    paired = replace(pair.paired, purity=too_small(pair.paired.purity), silhouette=too_small(pair.paired.silhouette))
    report = replace(report, differences=(replace(pair, paired=paired),))
    assert headline(report) == "No category change is shown from Base to Tuned; Category 1 couldn’t be tested."
    facts = plain(Rendered(report)[PAGE].one(".facts").text)
    assert re.search(
        r"A single tested category may still have changed by up to 0\.\d\d \(Category 2, category purity,", facts
    )
    note = plain(Rendered(report)[PAGE].one(".change-of .note").text)
    assert note.endswith("Of fewer than 10 words that count, and so not tested by itself: Category 1.")
    assert "Of fewer than" not in Rendered(change_report())[PAGE].text


def test_one_category_of_which_little_is_shown_is_named_and_marked() -> None:
    report = change_report(categories={0: (0.0, 0.0, -0.3, 0.0, -0.083)})
    assert headline(report) == "At layer 1, Tuned keeps Category 1 less apart than Base."
    report = change_report(categories={0: (0.0, 0.0, 0.0, 0.0, -0.083)})
    assert headline(report) == "At layer 3, Tuned lowers category purity of Category 1 by 0.003–0.16 against Base."
    page = Rendered(report)[PAGE]
    assert json.loads(page.one("[data-change-data]").text)["contexts"]["sentence"]["strong"][-1] == [0, 1, 2, 3]
    assert page.one(".change-marked").text == "Marked: Category 1."


def test_words_that_moved_elsewhere_are_told_where_most_did() -> None:
    facts = plain(
        Rendered(change_report(categories={0: LAST}, movers={(2, 5): 3, (2, 6): 4, (3, 5): 4}))[PAGE].one(".facts").text
    )
    assert "2 words are shown to have left their neighbors at layer 1: 3–4 of 5 nearest words were replaced." in facts


def test_words_without_neighbors_of_their_own_are_not_among_those_that_did_not_move() -> None:
    report = change_report(LAST)
    (pair,) = report.differences
    assert pair.changed
    lost = pair.changed.moved.lost.copy()
    lost[:, :3] = -1
    changed = replace(pair.changed, moved=replace(pair.changed.moved, lost=lost))
    page = Rendered(replace(report, differences=(replace(pair, changed=changed),)))[PAGE]
    assert "None of 8 asked words is shown to have moved more than most" in plain(page.one(".facts").text)


def test_of_two_contexts_plots_without_names_say_of_which_they_are() -> None:
    for report, words in ((change_report(LAST), ""), (in_two_contexts(change_report(LAST)), "in a sentence, ")):
        captions = Rendered(report)[PAGE].all(".change-still figcaption")
        assert [each.text for each in captions] == [f"Base, {words}layer 3", f"Tuned, {words}layer 3"]


def in_two_contexts(report: Report) -> Report:
    """With the same of words alone."""
    (pair,) = report.differences
    models = tuple(
        replace(each, contexts=(*each.contexts, in_context(each.contexts[0], ALONE))) for each in report.models
    )
    pairs = (pair, replace(pair, context=ALONE.name))
    return replace(report, models=models, contexts=(*report.contexts, ALONE), differences=pairs)


def in_context(of: ContextReport, context: Context) -> ContextReport:
    return replace(of, states=replace(of.states, context=context))


def as_series(report: Report, name: str) -> SeriesReport:
    """Of the first model and the second."""
    slug = name.lower()
    checkpoints = tuple(
        Checkpoint(
            key=each.slug,
            label=each.name,
            step=None,
            model=replace(each, slug=f"{slug}-{each.slug}"),
            residuals=(np.zeros(5),),
        )
        for each in report.models
    )
    first, last = (each.model.slug for each in checkpoints)
    changes = tuple(replace(each, model_a=first, model_b=last) for each in report.differences)
    return SeriesReport(
        slug=slug, name=name, unit=None, checkpoints=checkpoints, reference=1, projection="centered", changes=changes
    )


def test_pages_of_two_series_have_names_of_their_own_and_how_alike_layers_are() -> None:
    report = change_report(LAST)
    site = Rendered(
        replace(report, models=(), differences=(), series=tuple(as_series(report, name) for name in ("One", "Two")))
    )
    pages = [site[f"change/{name}-base--{name}-tuned/index.html"] for name in ("one", "two")]
    assert [page.one("title").text.split(" · ")[0] for page in pages] == [
        "Tuned and Base in One",
        "Tuned and Base in Two",
    ]
    assert len({page.one('meta[name="description"]')["content"] for page in pages}) == 2
    assert sorted({each for each in pages[0].texts("nav a") if "→" in each}) == [
        "Base → Tuned in One",
        "Base → Tuned in Two",
    ]
    for page, name in zip(pages, ("One", "Two"), strict=True):
        assert "How alike layers are" in page.one("#else").text
        assert page.one("#downloads .links li:last-child a").text == name


def test_nothing_changed_is_nothing() -> None:
    assert shifts(change_report(NOTHING))[0].margin == 0


def test_a_change_by_another_metric_is_no_other_category_without_one() -> None:
    report = change_report(categories={0: LAST})
    (pair,) = report.differences
    assert pair.paired
    (other,) = change_report(categories={1: LAST}, measured="silhouette").differences
    assert other.paired
    both = replace(pair, paired=replace(pair.paired, silhouette=other.paired.silhouette))
    assert "No other category" in shifts(report)[0].found().said
    assert "No other category" not in shifts(replace(report, differences=(both,)))[0].found().said


def test_of_two_contexts_without_a_change_of_categories_the_one_with_movers_leads() -> None:
    report = change_report(movers=MOVERS)
    (found,) = [each.found() for each in shifts(report)]
    (nothing,) = [each.found() for each in shifts(change_report())]
    (same,) = [each.found() for each in shifts(change_report(is_same=True))]
    assert found.rank > same.rank > nothing.rank


def test_of_very_long_lists_both_models_are_seen_as_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST_DRAWN", 3)
    page = Rendered(change_report(categories={0: LAST}))[PAGE]
    assert len(page.all(".change > .change-still svg")) == 2
    assert page.all(".slots") == page.all("[data-play]") == []


@pytest.mark.parametrize(("pairs", "n"), [((("a", "b-c"), ("a-b", "c")), 2), ((("base", "tuned"),) * 2, 1)])
def test_no_two_pairs_share_a_page(pairs: tuple[tuple[str, str], ...], n: int) -> None:
    assert len({change_path(*each) for each in pairs}) == n
