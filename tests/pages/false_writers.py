"""True sentences of who writes massive values and of interventions, and how each is made false, as in ``false_claims``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache

import chart_claims
import numpy as np
import without_claims
import writers_claims
from claims import metrics, notes_of
from false_claims import Case
from narrow import present
from rendered import Part, Rendered
from report_fixture import compared_report, sample_report

from tokviz.pages.text.findings import finding_of
from tokviz.records import BreakingExpert, ContextReport, ModelReport


def broken() -> ModelReport:
    return sample_report().models[0]


def without_interventions(model: ModelReport) -> ModelReport:
    contexts = tuple(dataclasses.replace(each, interventions=()) for each in model.contexts)
    return dataclasses.replace(model, contexts=contexts)


def not_known_to_be_massive(model: ModelReport) -> ModelReport:
    """Its first context alone: without typical tokens to compare with, nothing is called massive."""
    first = model.contexts[0]
    geometry = present(first.geometry)
    massive = dataclasses.replace(
        geometry.massive,
        emergence_depth=None,
        end_depth=None,
        massive=np.zeros_like(geometry.massive.massive),
        typical_is_ordinary=False,
    )
    return dataclasses.replace(
        model, contexts=(dataclasses.replace(first, geometry=dataclasses.replace(geometry, massive=massive)),)
    )


def only_grown() -> ModelReport:
    """The norm grows as it does, but the words lie in no line."""
    model = broken()

    def round_again(context: ContextReport) -> ContextReport:
        measured = present(context.geometry)
        spread = dataclasses.replace(measured.spread, pc1_share=np.full(context.states.n_depths, 0.2))
        changed = tuple(map(round_again, context.interventions))
        return dataclasses.replace(
            context, geometry=dataclasses.replace(measured, spread=spread), interventions=changed
        )

    return dataclasses.replace(model, contexts=tuple(map(round_again, model.contexts)))


def by_an_expert() -> ModelReport:
    model = without_interventions(broken())
    context = model.contexts[0]
    updates = present(context.states.updates)
    expert = BreakingExpert(layer=11, dimension=12, expert=5, n_experts=8, path="experts", share=0.97)
    changed = dataclasses.replace(updates, breaking=None, random=None, breaking_expert=expert)
    states = dataclasses.replace(context.states, updates=changed)
    return dataclasses.replace(model, contexts=(dataclasses.replace(context, states=states), *model.contexts[1:]))


@cache
def page() -> Part:
    return Rendered(sample_report()).models[0]


# --- beside each other ----------------------------------------------------------------------------------------------


def of_plates() -> Iterator[Case]:
    context, shown = broken().contexts[0], page().one(".without")
    twin = present(context.twin)
    twins = without_claims.twins_of(shown)
    captions, sources = ("|".join(each) for each in zip(*twins, strict=True))

    def check_captions(text: str) -> None:
        without_claims.check_twins(
            list(zip(text.split("|"), [source for _, source in twins], strict=True)), context, twin
        )

    yield Case("twins: another depth", captions, "Layer 11", "Layer 12", check_captions)
    yield Case("twins: the model as it is", captions, ", two neurons held constant", "", check_captions)
    yield Case(
        "twins: another picture", sources, "alone-mean", "alone",
        lambda text: without_claims.check_twins(
            [(caption, source) for (caption, _), source in zip(twins, text.split("|"), strict=True)], context, twin
        ),
    )  # fmt: skip
    columns, rows = without_claims.table_of(shown)
    for kind, index, pattern, replacement in (
        ("another norm", 0, r"\t20\.0", "\t20.1"),
        ("another depth", 0, "layer 11", "layer 29"),
        ("another largest value", 1, r"\t35\.2", "\t35.3"),
        ("another variance", 2, r"48\.8", "48.9"),
        ("another projection", 3, "centered", "standardized"),
        ("another purity", 4, "82 %", "83 %"),
        ("another loss", 6, r"\t4\.26", "\t4.27"),
        ("another change of the loss", 6, r"\+1\.00", "+1.01"),
        ("too few digits of the loss", 6, r"−0\.0015 ± 0\.0005", "−0.00 ± 0.00"),
        ("purity at another depth", 5, "layer 29", "layer 11"),
    ):

        def check_row(text: str, index: int = index) -> None:
            changed = [*rows[:index], text.split("\t"), *rows[index + 1 :]]
            without_claims.check_table(columns, changed, context)

        yield Case(f"table: {kind}", "\t".join(rows[index]), pattern, replacement, check_row)

    def check_columns(text: str) -> None:
        without_claims.check_table(text.split("|"), rows, context)

    yield Case(
        "table: columns in another order",
        "|".join(columns),
        r"(set to their mean)\|(set to zero)",
        r"\2|\1",
        check_columns,
    )
    yield Case("table: one neuron", "|".join(columns), "their", "its", check_columns)


# --- notes, the compare page, the table of layers --------------------------------------------------------


def of_notes() -> Iterator[Case]:
    model = broken()
    context = model.contexts[0]
    twin = present(context.twin)
    note = notes_of(page().one(".panel[data-context=alone-mean]"))[0]
    for kind, pattern, replacement in (
        ("other neurons", "1487", "1488"),
        ("another layer", "of layer 11", "of layer 12"),
        ("another value", "set to their mean over the words, at position 0", "set to 3.00"),
        ("zero", "set to their mean over the words, at position 0", "set to zero"),
        ("one neuron", " are set", " is set"),
        ("plates up to another layer", "to layer 10", "to layer 11"),
        ("drawn in all", r" Plotted in .*", ""),
    ):
        yield Case(
            f"what was done: {kind}", note, pattern, replacement,
            lambda text: writers_claims.check_what_was_done(text, twin, context, 2),
        )  # fmt: skip
    yield Case(
        "the curves' bands", chart_claims.curves_text(page()), ", for the unchanged model only", "",
        lambda text: chart_claims.check_curves_note(text, model),
    )  # fmt: skip


def of_cells() -> Iterator[Case]:
    tried, untried, expert = broken(), without_interventions(broken()), by_an_expert()
    shown = {id(model): _cells(model) for model in (tried, untried, expert)}
    for kind, model, pattern, replacement in (
        ("another number", tried, "^two", "three"),
        ("another share", tried, r"99\.8", "99.7"),
        ("another dimension", tried, "dimension 12", "dimension 2"),
        ("another layer", tried, "layer 11", "layer 1"),
        ("another share is left", tried, r"\|0\.1 %", "|0.2 %"),
        ("another norm is left", tried, r"20\.0 of", "20.1 of"),
        ("of another norm", tried, "of 24,410", "of 24,409"),
        ("another expert", expert, "expert 5", "expert 4"),
        ("left, where no expert was tried", expert, r"–\|not tried", "0.1 %|20.0 of 24,410"),
        ("left, where nothing was tried", untried, r"–\|not tried", "0.1 %|20.0 of 24,410"),
    ):

        def check(text: str, model: ModelReport = model) -> None:
            who, note, left, left_note = text.split("|")
            cells = {writers_claims.WRITTEN_BY: (who, note), writers_claims.LEFT: (left, left_note)}
            writers_claims.check_capture(cells, finding_of(model), model.contexts[0])

        yield Case(f"compared: {kind}", shown[id(model)], pattern, replacement, check)


def _cells(model: ModelReport) -> str:
    report = dataclasses.replace(compared_report(), models=(model, compared_report().models[1]))
    own = metrics(Rendered(report)["compare/index.html"])[model.display_name, "alone"]
    return "|".join(part for name in (writers_claims.WRITTEN_BY, writers_claims.LEFT) for part in own[name].noted)


def of_rows() -> Iterator[Case]:
    layer = present(broken().contexts[0].states.updates).layers[11]
    row, *_ = page().all(".writers-table tbody tr")
    _, mlp, dimension, _ = row.texts("td")
    bar, *_ = row.all(".writer")
    width = bar.one("rect")["width"]

    def check_added(text: str) -> None:
        writers_claims.check_added(text, "mlp", layer)

    def check_change(text: str) -> None:
        writers_claims.check_change(text, layer)

    def check_bar(text: str) -> None:
        said, length = text.split("|")
        writers_claims.check_bar(said, length, layer)

    for kind, true, pattern, replacement, check in (
        ("another norm", mlp, "24,554", "24,555", check_added),
        ("another dimension", dimension, "^12", "13", check_change),
        ("another change", dimension, r"24,085", "24,086", check_change),
        ("the other way", dimension, r"\+", "−", check_change),
        ("another share", f"{bar.text}|{width}", "73 %", "74 %", check_bar),
        ("another length", f"{bar.text}|{width}", r"\|73", "|37", check_bar),
        ("another neuron", f"{bar.text}|{width}", "1229", "1487", check_bar),
    ):
        yield Case(f"what a layer adds: {kind}", true, pattern, replacement, check)


KINDS = (of_plates, of_notes, of_cells, of_rows)
