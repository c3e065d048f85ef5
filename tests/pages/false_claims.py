"""True sentences of a made-up model, and how each is made false: so the checkers of claims are checked."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import chart_claims
import claims
import numpy as np
import page_claims
from narrow import present
from rendered import Rendered
from report_fixture import ALONE, SENTENCE, compared_report, model_report, sample_report, word_list

from tokviz.pages.text.trust import finding, trust
from tokviz.records import MassiveActivations, ModelReport, Stage


class Case(NamedTuple):
    """A kind of claim: a true one, what makes it false, and its checker."""

    kind: str
    true: str
    pattern: str
    replacement: str
    check: Callable[[str], object]

    @property
    def false(self) -> str:
        return re.sub(self.pattern, self.replacement, claims.plain(self.true), count=1)


def all_large() -> ModelReport:
    """Moderately large values, then a massive depth; after it all tokens are large, and one dimension is dominant."""
    plain = model_report("m", "M", 5, word_list(n_categories=2, n_words=3), (ALONE, SENTENCE), measured=True)
    alone, sentence = plain.contexts
    geometry = present(alone.geometry)
    changed = dataclasses.replace(geometry, massive=_activations(geometry.massive), stages=_stages())
    return dataclasses.replace(plain, contexts=(dataclasses.replace(alone, geometry=changed), sentence))


def _activations(plain: MassiveActivations) -> MassiveActivations:
    largest = np.array([0.5, 400.0, 955.0, 28_053.0, 20_000.0, 500.0])
    typical = np.array([0.05, 0.8, 0.9, 162.0, 150.0, 150.0])
    return dataclasses.replace(
        plain,
        typical=typical,
        largest=largest,
        ratio=largest / typical,
        massive=np.arange(6) == 2,
        moderate=np.arange(6) == 1,
        dimensions=((), (3,), (3, 5), (), (), ()),
        top_share=np.array([0.1, 0.3, 0.6, 0.87, 0.92, 0.4]),
        dominant=(None, None, 3, 3, 3, None),
        emergence_depth=2,
        end_depth=3,
        step_down_depth=None,
        moderate_runs=((1, 1),),
    )


def _stages() -> tuple[Stage, ...]:
    return tuple(
        Stage(
            first_depth=first,
            last_depth=last,
            recurrence=float("nan") if first == 0 else 0.93,
            cka_within=float("nan") if first == last else 0.97,
            cka_before=float("nan") if first == 0 else -0.04,
        )
        for first, last in ((0, 1), (2, 2), (3, 4), (5, 5))
    )


# --- the cases -------------------------------------------------------------------------------------------------------


def of_plates() -> Iterator[Case]:
    model = sample_report().models[0]
    context = model.contexts[0]
    projection, geometry = context.projections[0].projection, present(context.geometry)

    def check(text: str) -> None:
        page_claims.check_finding(text, model, context, projection, 12)

    described = finding(model, context, projection, 12)
    yield Case("a plate's depth", described, "Layer 11", "Layer 12", check)
    yield Case("a plate's purity", described, "31 % of a word", "32 % of a word", check)
    yield Case("a plate's emergence", described, "; massive activations emerge", "", check)
    under = " · ".join(trust(projection, geometry, 12))
    for kind, pattern, replacement in (("variance", r"48\.8", "48.7"), ("purity", r"0\.53 in", "0.54 in")):
        yield Case(
            f"under a plate: {kind}",
            under,
            pattern,
            replacement,
            lambda text: page_claims.check_trust(text.split(" · "), context, projection, 12),
        )
    page = Rendered(sample_report()).models[0]
    by_name = {each.states.context.label.capitalize(): each for each in model.captures}
    alts = {each.one("h3").text: each.one("svg")["aria-label"] for each in page.all("#curves figure")}
    for heading, pattern, replacement in (
        ("Category purity", r"0\.85 at the embedding", "0.86 at the embedding"),
        ("Mean norm", r"24,410", "24,400"),
        ("Largest activation ÷ typical", r"13,498 × at layer 11", "13,500 × at layer 11"),
        ("Largest share of one dimension", r", highest 76 % at layer 11", ""),
    ):
        yield Case(
            f"curve: {heading}", alts[heading], pattern, replacement,
            lambda text: chart_claims.check_chart(text, by_name),
        )  # fmt: skip
    yield Case(
        "the curves' line", chart_claims.curves_text(page), "in the words alone", "in the words in a sentence",
        lambda text: chart_claims.check_curves_note(text, model),
    )  # fmt: skip
    yield Case("a mark", "massive from layer 11", "11", "12", lambda text: chart_claims.check_mark(text, geometry))


def of_comparison() -> Iterator[Case]:
    report, large = compared_report(), all_large()
    site = Rendered(dataclasses.replace(report, models=(large, *report.models[:2])))
    context = large.contexts[0]
    column = claims.metrics(site["compare/index.html"])["M", "alone"]
    cells = {name: cell.noted for name, cell in column.items()}
    for row, kind, pattern, replacement in (
        ("Best category purity", "best purity", r"embedding", "layer 0"),
        ("Mean over depths", "mean purity", r"^0\.\d", "0.0"),
        ("Best purity in the plot", "purity in the plot", r"0\.50", "0.51"),
        ("Effective rank, last layer", "effective rank", r"^5\.00", "5.01"),
        ("Largest activation ÷ typical", "largest ratio", r"955", "28,053"),
        ("Largest activation ÷ typical", "largest ratio, as a number", r"1,061", "173"),
        ("Emergence layer", "emergence", r"layer 1", "layer 2"),
        ("Emergence layer", "how often dominant", r"at 3 of 6", "at 2 of 6"),
    ):

        def check(text: str, row: str = row) -> None:
            cell, _, note = text.partition("|")
            page_claims.check_capture({**cells, row: (cell, note)}, context)

        yield Case(f"table: {kind}", "|".join(cells[row]), pattern, replacement, check)
    yield Case(
        "a caveat", column["Caveats"].text, "position 0", "position 1",
        lambda text: page_claims.check_caveats(text.split("; "), context),
    )  # fmt: skip
    layers = report.similarities[0].shared
    pairs = Rendered(report)["compare/index.html"].one(".pairs")
    likeness = pairs.texts(".pairs > p")[-1]
    cka, neighbours = pairs.all(".heat-rows > section")[0].all("figure")
    yield Case(
        "two models' likeness", likeness, "0.62", "0.63",
        lambda text: page_claims.check_likeness(text, layers),
    )  # fmt: skip
    for kind, pattern, replacement in (
        ("likeness within categories", r"0\.47", "0.46"),
        ("likeness by chance", r"0\.01", "0.02"),
        ("alike by another measure", r"categories by CKA", "categories by mutual neighbors"),
        ("not alike", r"are alike", "are not shown to be alike"),
        ("nothing announced", r" They are alike.*", ""),
    ):
        yield Case(kind, likeness, pattern, replacement, lambda text: page_claims.check_likeness(text, layers))
    yield Case(
        "by chance", page_claims.summary_of(neighbours), r"chance 0\.09", "chance 0.10",
        lambda text: page_claims.check_heatmap_summary(text, layers.neighbours_summary),
    )  # fmt: skip
    names = (report.models[0].display_name, report.models[1].display_name)
    yield Case(
        "two models' best match", cka.one("[role=img]")["aria-label"], "layer 29 of", "layer 28 of",
        lambda text: page_claims.check_best_match(text, layers.cka, names),
    )  # fmt: skip
    projection = context.projections[0].projection
    caption = "PC1 48.8 %, PC2 8.3 % of the variance · category purity 0.31 in the plot, 0.53 in all dimensions"
    yield Case(
        "a caption", caption, "0.31 in", "0.32 in",
        lambda text: page_claims.check_caption(text, context, projection, 2),
    )  # fmt: skip


def of_reports() -> Iterator[Case]:
    report = sample_report()
    site = Rendered(report)
    term = claims.term_of(site["method/index.html"], "Position 0")
    yield Case(
        "who stands at position 0", term, "“alone”", "“in a sentence”",
        lambda text: page_claims.check_position_0(text, report),
    )  # fmt: skip
    yield Case(
        "that nobody stands there", term, r"In this report, .*",
        "In this report no context’s reference words are read there.",
        lambda text: page_claims.check_position_0(text, report),
    )  # fmt: skip
    yield Case(
        "how many words", site["method/index.html"].one("#measures + p").text, "116", "117",
        lambda text: page_claims.check_measured_on(text, report),
    )  # fmt: skip
    note, *_ = claims.notes_of(site.models[0].all(".panel")[0])
    yield Case(
        "a panel's note", note, "position 0", "position 1",
        lambda text: page_claims.check_panel_notes([text], report.models[0].contexts[0]),
    )  # fmt: skip


KINDS = (of_plates, of_comparison, of_reports)
