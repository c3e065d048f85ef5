"""What stands on the image of a finding, and which images there are."""

from __future__ import annotations

import posixpath
from dataclasses import replace

import claiming
import numpy as np
import pytest
from changed_fixture import change_report
from differing_fixture import DEPTHS, RISING, differing
from narrow import present
from paired_fixture import measure, measures
from related_fixture import ORDERS, related_report
from rendered import Rendered
from report_fixture import large_report, sample_report, tiny_report

from tokviz import pages
from tokviz.pages.findings.changes import shifts
from tokviz.pages.findings.chosen import findings, lead
from tokviz.records import Card, ContextReport, Opening, Report, depth_name

SLOTS_OF_TWO = {"contexts", "models", "layers"}


def by_path(report: Report, *, every: bool = True) -> dict[str, Card]:
    return {each.path: each.card for each in pages.cards(report, every=every)}


def first(report: Report) -> Card:
    return by_path(report)["cards/finding-1.png"]


def led_by_the_break() -> Report:
    return replace(sample_report(), opening=Opening(lead="break"))


def of_slot(report: Report, slot: str) -> Card:
    (found,) = [each for each in findings(report) if each.slot == slot]
    return by_path(report)[f"cards/finding-{found.number}.png"]


def coordinates(context: ContextReport, depth: int, projection: int = 0) -> np.ndarray:
    """Of the words that are measured."""
    shown = context.projections[projection].projection
    return np.asarray(shown.coordinates[depth][shown.reference])


def titles(card: Card) -> list[tuple[str, str]]:
    return [(panel.title, panel.detail) for panel in card.panels]


# --- which there are -------------------------------------------------------------------------------------------------


def test_each_finding_of_each_page_has_one() -> None:
    report = sample_report()
    numbered = {
        "cards": findings(report),
        **{f"models/{each.slug}": findings(report, [each]) for each in report.models if each.contexts},
    }
    assert len(numbered["cards"]) > 1
    headlines = {path: card.headline for path, card in by_path(report).items()}
    assert headlines == {
        f"{folder}/finding-{number}.png": replace(each, is_beside_others=True).sentence
        for folder, found in numbered.items()
        for number, each in enumerate(found, start=1)
    }


def test_other_sites_show_the_first_of_each_page_where_the_address_is_known() -> None:
    report = sample_report()
    shown = list(pages.cards(report))
    assert [each.path for each in shown if each.is_first] == [each.path for each in shown]
    assert {each.page: each.path for each in shown} == {
        "index.html": "cards/finding-1.png",
        "models/smol-30/index.html": "models/smol-30/finding-1.png",
        "models/mini-6/index.html": "models/mini-6/finding-1.png",
    }
    assert [each.is_first for each in pages.cards(report, every=True)].count(True) == 3
    nowhere = replace(report, site_url=None)
    assert list(pages.cards(nowhere)) == []
    assert by_path(nowhere).keys() == by_path(report).keys(), "whoever asks for them has them"


def test_without_its_test_a_finding_has_none() -> None:
    values, holds = RISING
    shown, untested = (
        differing(measures(measure(values, tested), DEPTHS))["contexts"] for tested in (holds, [False] * len(holds))
    )
    headline = of_slot(shown, "contexts").headline
    assert headline in {card.headline for card in by_path(shown).values()}
    assert headline not in {card.headline for card in by_path(untested).values()}
    assert len(by_path(untested)) < len(by_path(shown))


def nothing_found(report: Report) -> Report:
    """Without anything that was measured."""

    def unmeasured(context: ContextReport) -> ContextReport:
        return replace(context, geometry=None, neighbours=None, paired=None)

    models = tuple(replace(model, contexts=tuple(map(unmeasured, model.contexts))) for model in report.models)
    return replace(report, models=models)


def test_where_nothing_is_announced_nothing_is_claimed() -> None:
    report = nothing_found(tiny_report())
    assert not present(lead(report)).is_announced
    assert by_path(replace(report, site_url=None)) == {}
    shown = by_path(report, every=False)
    assert list(shown) == ["cards/preview.png", "models/tiny-3/preview.png", "models/tiny-2/preview.png"]
    assert all(each.is_first for each in pages.cards(report))
    general, of_model = shown["cards/preview.png"], shown["models/tiny-3/preview.png"]
    assert (general.headline, general.about) == (report.title, report.subtitle)
    assert of_model.headline == "Tiny-3"
    assert of_model.about.startswith("3\N{NO-BREAK SPACE}layers")
    assert [panel.title for panel in general.panels] == ["Embedding", "Layer 1"]


def test_a_plot_that_cant_be_made_leaves_its_finding_without_one() -> None:
    """The page then has what it is about."""
    report = sample_report()
    _, encoder, _ = report.models
    found = next(iter(findings(report, [encoder])))
    depth = present(found.depth)
    problem = next(each for each in encoder.contexts[0].projections[0].projection.problems if each)

    def broken(context: ContextReport) -> ContextReport:
        shown = context.projections[0]
        problems = tuple(problem if at == depth else None for at in range(context.states.n_depths))
        own = replace(shown, projection=replace(shown.projection, problems=problems))
        return replace(context, projections=(own, *context.projections[1:]))

    model = replace(encoder, contexts=tuple(map(broken, encoder.contexts)))
    report = replace(report, models=(model,))
    paths = by_path(report)
    assert "models/mini-6/finding-1.png" not in paths
    assert paths["models/mini-6/preview.png"].headline == "mini-encoder-6"


# --- what stands on one ----------------------------------------------------------------------------------------------


def test_it_says_what_its_finding_says_and_where_that_stands() -> None:
    report = led_by_the_break()
    found = present(lead(report))
    card = first(report)
    assert card.headline == found.sentence
    assert found.sentence == "In Smol-135M-Instruct, at layer 11, two neurons stretch words alone into a line."
    assert card.about == "Smol-135M-Instruct (Q4_1 GGUF) · words alone"
    assert " ".join(card.evidence) == found.said
    assert len(card.evidence) == 2
    assert (card.source, card.address) == ("Tokens, layer by layer", "example.org/report")
    assert first(replace(report, title="Another", site_url=None)).source == "Another"
    assert first(replace(report, site_url=None)).address == ""
    (shown,) = [each for each in pages.cards(report) if each.page == "index.html"]
    assert shown.said == f"{found.sentence} Smol-135M-Instruct (Q4_1 GGUF) · words alone"


def test_another_record_makes_another_card() -> None:
    values, holds = RISING
    one, other = (
        of_slot(differing(measures(measure([size * each for each in values], holds), DEPTHS))["contexts"], "contexts")
        for size in (1, 2)
    )
    assert "is 0.30 higher" in one.evidence[0]
    assert "is 0.60 higher" in other.evidence[0]
    assert one.headline == other.headline


def test_a_break_is_shown_before_and_after_it_and_without_its_neurons() -> None:
    report = led_by_the_break()
    context = report.models[0].contexts[0]
    card = first(report)
    assert titles(card) == [("Layer 10", ""), ("Layer 11", ""), ("Layer 11", "two neurons held constant")]
    for panel, own, depth in zip(card.panels, (context, context, present(context.twin)), (11, 12, 12), strict=True):
        assert np.array_equal(panel.coordinates, coordinates(own, depth, projection=1)), "centered"
    assert "centered PCA" in card.how[0]
    spans = [max(np.ptp(panel.coordinates, axis=0)) for panel in card.panels]
    assert [panel.note for panel in card.panels] == [f"span {reach:.2f}" for reach in spans]


def drawable(report: Report) -> Report:
    """Without the plots that can't be made."""

    def mended(context: ContextReport) -> ContextReport:
        n_depths = context.states.n_depths
        shown = (
            replace(each, projection=replace(each.projection, problems=(None,) * n_depths))
            for each in context.projections
        )
        return replace(context, projections=tuple(shown))

    models = tuple(replace(model, contexts=tuple(map(mended, model.contexts))) for model in report.models)
    return replace(report, models=models)


@pytest.mark.parametrize(("slot", "sign"), [(slot, sign) for slot in sorted(SLOTS_OF_TWO) for sign in (1, -1)])
def test_what_differs_is_shown_side_by_side(slot: str, sign: int) -> None:
    values, holds = RISING
    report = drawable(differing(measures(measure([sign * each for each in values], holds), DEPTHS))[slot])
    deep, encoder, *_ = report.models
    (found,) = [each for each in findings(report) if each.slot == slot]
    card = of_slot(report, slot)
    depth = present(found.depth)
    own = (found.context, depth)
    if slot == "contexts":
        against: tuple[ContextReport, int] = (present(found.beside), depth)
        named = [f"words {each.states.context.label}" for each, _ in (own, against)]
    elif slot == "models":
        other = encoder if found.model.slug == deep.slug else deep
        against = (other.contexts[0], 3)
        named = [each.display_name for each in (found.model, other)]
    else:
        against, named = (found.context, 0), ["", ""]
    shown = [against, own] if slot == "layers" else [own, against]
    assert any("hidden states in two language models (" in each for each in card.how) == (slot == "models"), card.how
    assert len(card.panels) == 2
    for panel, (context, at), name in zip(card.panels, shown, named, strict=True):
        assert panel.detail == name
        assert panel.title == ("Embedding" if at == 0 else f"Layer {at - 1}")
        assert np.array_equal(panel.coordinates, coordinates(context, at))


def test_what_is_told_of_one_plot_is_shown_in_one() -> None:
    report = sample_report()
    found = present(lead(report))
    (panel,) = first(report).panels
    assert panel.title == depth_name(present(found.depth)).capitalize()
    assert np.array_equal(panel.coordinates, coordinates(found.context, present(found.depth)))
    words = [word for word in found.context.states.tokenization.words if word.stop - word.start == 1]
    assert list(panel.points.words) == [word.word for word in words], (
        "a word read elsewhere may lie far beyond the plot"
    )
    assert any("(116 of 117 words)" in each for each in first(report).how)
    assert not panel.points.hollow.any()


def test_of_long_lists_some_words_are_drawn_and_that_is_said() -> None:
    report = large_report(1800, 3)
    (card,) = [each.card for each in pages.cards(report) if each.page == "index.html"]
    assert {len(panel.points.words) for panel in card.panels} == {400}
    assert "(400 of 1,800 words)" in card.how[0]


def reading(report: Report, which: int) -> Report:
    """Of the first capture one order can be read, at the first depths, and no relation."""
    model = report.models[0]
    context = model.contexts[0]
    relations = present(context.relations)
    n = context.states.n_depths
    nothing, holds = claiming.decided(np.zeros(n, dtype=bool)), claiming.decided(np.arange(n) < 3)
    values = np.linspace(0.9, 0.5, n)
    orders = []
    for index, each in enumerate(relations.orders):
        r2 = replace(each.r2, value=values, low=values - 0.1, claim=holds if index == which else nothing)
        orders.append(replace(each, r2=r2, beyond=None))
    pairs = tuple(replace(each, parallelism=replace(each.parallelism, claim=nothing)) for each in relations.relations)
    own = replace(context, relations=replace(relations, orders=tuple(orders), relations=pairs))
    return replace(report, models=(replace(model, contexts=(own,)),))


@pytest.mark.parametrize("which", [0, 1])
def test_an_order_is_shown_where_its_words_are_predicted(which: int) -> None:
    report = reading(related_report(), which)
    card = of_slot(report, "order")
    (panel,) = card.panels
    order = present(report.models[0].contexts[0].relations).orders[which]
    assert np.allclose(panel.coordinates, order.held_out[0])
    assert panel.detail == ORDERS[which].label
    assert panel.is_named
    assert len(panel.guide) > 2
    chain = [(row, row + 1) for row in range(len(panel.points.words) - 1)]
    assert list(panel.joined) == (chain if which else [*chain, (len(chain), 0)]), "a cycle is closed"
    assert "regression fitted without" in card.how[0]
    assert (f"“{ORDERS[which].label}”") in card.headline


def test_names_that_turn_text_around_stay_in_their_place() -> None:
    report = sample_report()
    deep, *others = report.models
    hebrew = replace(report, models=(replace(deep, name="קטן"), *others))
    assert "\N{FIRST STRONG ISOLATE}" in first(hebrew).about


# --- on the pages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["index.html", "models/smol-30/index.html"])
def test_a_page_links_its_images_where_there_are_any(path: str) -> None:
    report = sample_report()
    cards = [each for each in pages.cards(report, every=True) if each.page == path]
    with_cards = Rendered(replace(report, cards=frozenset(each.path for each in cards)))[path]
    links = [link["href"] for link in with_cards.all("a") if link.text == "Image to share"]
    assert links == [posixpath.relpath(each.path, posixpath.dirname(path) or ".") for each in cards]
    assert len(links) > 1
    without = Rendered(report)[path]
    assert "Image to share" not in without.text
    assert with_cards.text.replace(" Image to share", "") == without.text


def test_what_plots_don_t_show_is_explained() -> None:
    report = differing(measures(measure(*RISING), DEPTHS))["models"]
    assert of_slot(report, "models").how[0] == "Depth: from the embedding (0\N{NO-BREAK SPACE}%) to the last layer."
    layers = differing(measures(measure(*RISING), DEPTHS))["layers"]
    assert "Untrained" not in of_slot(layers, "layers").how[0]
    deep, *others = layers.models
    first_context, *more = deep.contexts
    assert first_context.paired
    held = replace(first_context.paired, untrained=first_context.paired.embedding, embedding=None)
    deep = replace(deep, contexts=(replace(first_context, paired=held), *more))
    untrained = of_slot(replace(layers, models=(deep, *others)), "layers")
    assert "untrained layers" in untrained.headline
    assert untrained.how[0] == "Untrained layers, random ones after the same embedding, are not drawn."


def test_a_change_is_shown_on_common_axes() -> None:
    report = change_report(categories={0: (0.0, 0.0, 0.0, 0.0, -0.5)})
    card = first(report)
    assert titles(card) == [("Layer 3", "Base"), ("Layer 3", "Tuned")]
    (shift,) = shifts(report)
    for panel, projection in zip(card.panels, (shift.changed.before, shift.changed.after), strict=True):
        np.testing.assert_array_equal(panel.coordinates, projection.coordinates[4][projection.reference])
    assert "PCA of both models together" in card.how[0]
