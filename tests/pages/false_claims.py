"""True sentences of a made-up model, and how each is made false: so the checkers of claims are checked."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import claims
import lead_claims
import numpy as np
import page_claims
from claims import Spoken
from narrow import present
from report_fixture import ALONE, SENTENCE, Views, compared_report, model_report, sample_report, word_list

from tokviz.pages.charts.curves import model_charts
from tokviz.pages.model.story import difference, stories
from tokviz.pages.text.sentences import stage_lead, stage_sentence
from tokviz.pages.text.trust import finding, trust
from tokviz.records import ContextReport, Geometry, MassiveActivations, ModelReport, Stage


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


def cases() -> list[Case]:
    return [
        *_of_stages(),
        *_of_leads(),
        *_of_events(),
        *_of_contexts(),
        *_of_plates(),
        *_of_comparison(),
        *_of_reports(),
    ]


def _of_stages() -> Iterator[Case]:
    large, sink = all_large().contexts[0], sample_report().models[0].contexts
    for kind, context, number, pattern, replacement in (
        ("massive: another dimension", large, 1, r"Dimensions 3 and 5 are", "Dimension 3 is"),
        ("massive: another size", large, 1, r"largest \|x\| 955", "largest |x| 956"),
        ("massive: another ratio", large, 1, r"1,061 ×", "1,060 ×"),
        ("massive: rounded in another way", sink[0], 1, r"13,498 ×", "13,500 ×"),
        ("massive: another median", large, 1, r"median of 0\.900", "median of 0.910"),
        ("massive: another's median", large, 1, "a typical token’s", "the words’ own"),
        ("massive: none", large, 1, r"Dimensions 3 and 5 are massive", "No dimension is massive"),
        ("massive at more depths", sink[1], 0, r"at 18 of 31 depths", "at 19 of 31 depths"),
        ("massive in the words instead of at position 0", sink[1], 0, r"at position 0 d", "d"),
        ("large at all depths", large, 0, r" at 1 of 2 depths", ""),
        ("large: called massive", large, 0, r"moderately large", "massive"),
        ("largest at another depth", large, 0, r"at layer 0", "at the embedding"),
        ("dominant: not said", large, 1, r"; dimension 3 is dominant, with 60 % of Σ x²", ""),
        ("dominant: another dimension", large, 2, r"Dimension 3", "Dimension 4"),
        ("dominant: another share", large, 2, r"87–92 %", "87–93 %"),
        ("dominant: no dimension is massive", large, 2, r"Dimension 3 .*?\(not massive: ", "No dimension is massive ("),
        ("variance", large, 2, r"48\.8 %", "48.9 %"),
        ("purity", large, 2, r"in the plot 0\.31", "in the plot 0.32"),
        ("purity of another space", large, 2, r"in the plot", "in all dimensions"),
        ("chance", large, 2, r"chance 0\.10", "chance 0.11"),
        ("CKA within", large, 2, r"0\.97 within", "0.96 within"),
        ("CKA with the stage before", large, 2, r"−0\.04", "0.04"),
        ("something unheard of", large, 2, r"\.$", "; words become animals."),
    ):
        geometry, projection = present(context.geometry), context.projections[0].projection
        at_position_0 = context.states.tokenization.reads_position_0
        stage = geometry.stages[number]
        spoken = Spoken(geometry, stage, projection, at_position_0)
        true = stage_sentence(geometry, stage, projection, at_position_0=at_position_0)

        def check(text: str, spoken: Spoken = spoken) -> None:
            claims.check_stage(text, spoken)

        yield Case(kind, true, pattern, replacement, check)


def _of_leads() -> Iterator[Case]:
    large, sink = all_large().contexts[0], sample_report().models[0].contexts
    for kind, context, number, pattern, replacement in (
        ("lead: emerges elsewhere", sink[0], 1, r"emerge at layer 11", "emerge at layer 12"),
        (
            "lead: called moderately large",
            sink[0],
            1,
            r"Massive activations emerge at layer 11",
            "The words have moderately large activations",
        ),
        ("lead: not over yet", sink[0], 2, r"no longer have", "have"),
        ("lead: |x| has grown", large, 2, r"^.*?; in", "The words no longer have massive activations; in"),
        ("lead: another's median", large, 2, r"typical tokens’", "the words’ own"),
        ("lead: not said", sink[0], 1, r"^.*?; in", "In"),
        (
            "lead: in the words instead of at position 0",
            sink[1],
            0,
            r"The token at position 0 has(.*), but.*?;",
            r"The words have\1;",
        ),
        ("lead: at more depths", sink[1], 0, r"at 18 of 31 depths", "at 19 of 31 depths"),
        ("lead: large at all depths", large, 0, r" at 1 of 2 depths", ""),
        ("lead: another share", large, 2, r"31 % of", "32 % of"),
        ("lead: of another space", large, 2, r"the plot", "all dimensions"),
        ("lead: another chance", large, 2, r"chance 10", "chance 11"),
        (
            "lead: compared without a test",
            large,
            2,
            r"its category",
            "its category, fewer than anywhere in the previous stage",
        ),
    ):
        geometry = present(context.geometry)
        at_position_0 = context.states.tokenization.reads_position_0
        true = stage_lead(geometry, number, at_position_0=at_position_0)

        def check(text: str, geometry: Geometry = geometry, number: int = number, at_0: bool = at_position_0) -> None:
            lead_claims.check_lead(text, geometry, number, at_position_0=at_0)

        yield Case(kind, true, pattern, replacement, check)


def _of_events() -> Iterator[Case]:
    large, sink = all_large(), sample_report().models[0]
    for kind, model, context, number, pattern, replacement in (
        ("moderately large activations elsewhere", large, 0, 0, "Layer 0:", "Layers 0–1:"),
        ("emergence elsewhere", large, 0, 1, "Layer 1:", "Layer 2:"),
        ("emergence at position 0", large, 0, 1, "emerge", "emerge at position 0, not in the words"),
        (
            "an end while |x| grows",
            large,
            0,
            2,
            "no longer massive by the ratio, .* has grown more",
            "massive activations end",
        ),
        ("another's median has grown", large, 0, 2, "typical tokens’", "the words’ own"),
        ("an end though |x| grows", large, 0, 2, "by the ratio, .*", "because typical tokens’ median has risen"),
        (
            "a median that fell",
            sink,
            0,
            1,
            "massive activations end",
            "no longer massive, because typical tokens’ median has risen",
        ),
        ("a dominant dimension at other depths", large, 0, 3, "Layers 2–3", "Layers 2–4"),
        ("another dominant dimension", large, 0, 3, "dimension 3", "dimension 5"),
        ("emergence in the words", sink, 1, 0, " at position 0, not in the words", ""),
    ):
        told = _events(model, context)
        text, detail = told[number]
        shown = model.contexts[context]

        def check(text: str, detail: str = detail, shown: ContextReport = shown) -> object:
            return claims.check_badge(text, detail, shown)

        yield Case(kind, text, pattern, replacement, check)
    shown = large.contexts[0]
    text, detail = _events(large, 0)[1]
    yield Case("a detail's size", detail, "955", "954", lambda other: claims.check_badge(text, other, shown))
    yield Case("a detail's dimensions", detail, "3, 5", "3, 6", lambda other: claims.check_badge(text, other, shown))
    geometry = present(shown.geometry)
    begins = present(stories(sample_report(), large, "models/m/index.html")[0].stages[1].beginning)
    yield Case("recurrence", begins, "93", "94", lambda other: _check_beginning(other, geometry, 1))
    by_rule = present(sink.contexts[0].geometry)
    begins = present(stories(sample_report(), sink, "models/m/index.html")[0].stages[2].beginning)
    yield Case("another rule", begins, "end", "emerge", lambda other: _check_beginning(other, by_rule, 2))
    found = "In 100 % of subsamples of the words, CKA shows that a stage begins here or one layer away."
    yield Case("a rule called found", begins, r".+", found, lambda other: _check_beginning(other, by_rule, 2))


def _check_beginning(text: str, geometry: Geometry, number: int) -> None:
    page_claims.check_beginning(text, geometry, geometry.stages[number])


def _events(model: ModelReport, context: int) -> list[tuple[str, str]]:
    story = stories(sample_report(), model, "models/m/index.html")[context]
    return [(badge.link.text, badge.detail) for stage in story.stages for badge in stage.badges]


def _of_contexts() -> Iterator[Case]:
    model = sample_report().models[0]
    true = " ".join(present(difference(model)).paragraphs)
    for kind, pattern, replacement in (
        ("which words stand first", r"“alone”", "“in a sentence”"),
        ("until where", r"to layer 28", "to layer 29"),
        ("how large", r"24,108 at", "24,109 at"),
        ("how large before", r"compared with 35\.2", "compared with 35.3"),
        ("how large elsewhere", r"is at most 35\.2", "is at most 35.1"),
        ("in which dimensions", r"dimensions 12, 45", "dimensions 12, 46"),
        ("where at position 0", r"becomes massive, at layer 11", "becomes massive, at layer 12"),
        ("of which neighbours", r"53 % for words alone", "54 % for words alone"),
        ("in the plot", r"31 % and 50 %", "31 % and 51 %"),
    ):
        yield Case(f"contexts: {kind}", true, pattern, replacement, lambda text: claims.check_difference([text], model))


def _of_plates() -> Iterator[Case]:
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
    charts = present(model_charts(model))
    by_name = {each.states.context.label.capitalize(): each for each in model.captures}
    for heading, pattern, replacement in (
        ("Category purity", r"0\.85 at the embedding", "0.86 at the embedding"),
        ("Mean norm", r"24,410", "24,400"),
        ("Largest activation ÷ typical", r"13,498 × at layer 11", "13,500 × at layer 11"),
        ("Largest share of one dimension", r", highest 76 % at layer 11", ""),
    ):
        alt = next(chart.alt for chart in charts.charts if chart.heading == heading)
        yield Case(f"curve: {heading}", alt, pattern, replacement, lambda text: page_claims.check_chart(text, by_name))
    yield Case(
        "the curves' line", page_claims.curves_text(charts), "in the words alone", "in the words in a sentence",
        lambda text: page_claims.check_curves_note(text, model),
    )  # fmt: skip
    yield Case("a mark", "massive from layer 11", "11", "12", lambda text: page_claims.check_mark(text, geometry))


def _of_comparison() -> Iterator[Case]:
    report, large = compared_report(), all_large()
    site = Views(dataclasses.replace(report, models=(large, *report.models[:2])))
    page = present(site.compare)
    context = large.contexts[0]
    row = next(row for row in page.table if (row.model.text, row.context) == ("M", "alone"))
    cells = [(cell.text, cell.note) for cell in row.cells]
    for index, kind, pattern, replacement in (
        (0, "best purity", r"embedding", "layer 0"),
        (1, "mean purity", r"^0\.\d", "0.0"),
        (2, "purity in the plot", r"0\.50", "0.51"),
        (3, "effective rank", r"^5\.00", "5.01"),
        (4, "largest ratio", r"955", "28,053"),
        (4, "largest ratio, as a number", r"1,061", "173"),
        (5, "emergence", r"layer 1", "layer 2"),
        (5, "how often dominant", r"at 3 of 6", "at 2 of 6"),
    ):

        def check(text: str, index: int = index) -> None:
            cell, _, note = text.partition("|")
            page_claims.check_row([*cells[:index], (cell, note), *cells[index + 1 :]], context)

        yield Case(f"table: {kind}", f"{cells[index][0]}|{cells[index][1]}", pattern, replacement, check)
    yield Case(
        "a caveat", "; ".join(row.caveats), "position 0", "position 1",
        lambda text: page_claims.check_caveats(text.split("; "), context),
    )  # fmt: skip
    layers = report.similarities[0].shared
    (pair,) = present(present(Views(report).compare).layers).pairs
    yield Case(
        "two models' likeness", pair.sentence, "0.62", "0.63",
        lambda text: page_claims.check_likeness(text, layers),
    )  # fmt: skip
    for kind, pattern, replacement in (
        ("likeness within categories", r"0\.47", "0.46"),
        ("likeness by chance", r"0\.01", "0.02"),
        ("alike by another measure", r"categories by CKA", "categories by mutual neighbors"),
        ("not alike", r"are alike", "are not shown to be alike"),
        ("nothing announced", r" They are alike.*", ""),
    ):
        yield Case(kind, pair.sentence, pattern, replacement, lambda text: page_claims.check_likeness(text, layers))
    neighbours = pair.rows[0].heatmaps[1].summary
    yield Case(
        "by chance", neighbours, r"chance 0\.09", "chance 0.10",
        lambda text: page_claims.check_heatmap_summary(text, layers.neighbours_summary, layers.chance),
    )  # fmt: skip
    names = (report.models[0].display_name, report.models[1].display_name)
    yield Case(
        "two models' best match", pair.rows[0].heatmaps[0].alt, "layer 29 of", "layer 28 of",
        lambda text: page_claims.check_best_match(text, layers.cka, names),
    )  # fmt: skip
    projection = context.projections[0].projection
    caption = "PC1 48.8 %, PC2 8.3 % of the variance · category purity 0.31 in the plot, 0.53 in all dimensions"
    yield Case(
        "a caption", caption, "0.31 in", "0.32 in",
        lambda text: page_claims.check_caption(text, context, projection, 2),
    )  # fmt: skip


def _of_reports() -> Iterator[Case]:
    report = sample_report()
    site = Views(report)
    term = next(term for term in site.index.reading if term.name == "Position 0")
    yield Case(
        "who stands at position 0", term.meaning, "“alone”", "“in a sentence”",
        lambda text: page_claims.check_position_0(text, report),
    )  # fmt: skip
    yield Case(
        "that nobody stands there", term.meaning, r"In this report, .*",
        "In this report no context’s reference words are read there.",
        lambda text: page_claims.check_position_0(text, report),
    )  # fmt: skip
    yield Case(
        "how many words", site.method.measured_on, "116", "117",
        lambda text: page_claims.check_measured_on(text, report),
    )  # fmt: skip
    note = site.models[0].panels[0].notes[0]
    yield Case(
        "a panel's note", note, "position 0", "position 1",
        lambda text: page_claims.check_panel_notes([text], report.models[0].contexts[0]),
    )  # fmt: skip
