"""What the page of a series says and shows, held against its numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from claims import term_of
from rendered import Part, Rendered
from series_fixture import series_report

from tokviz.pages.series import sentences
from tokviz.records import Fault, Report, SeriesReport
from tokviz.records.updates import BreakingNeurons, Updates


def with_massive(report: Report, flags: str) -> SeriesReport:
    """A series whose checkpoints have massive values where there is a 1."""
    (series,) = report.series
    changed = []
    for each, flag in zip(series.checkpoints, flags, strict=True):
        contexts = []
        for context in each.model.contexts:
            assert context.geometry is not None
            massive = replace(context.geometry.massive, emergence_depth=1 if flag == "1" else None)
            contexts.append(replace(context, geometry=replace(context.geometry, massive=massive)))
        changed.append(replace(each, model=replace(each.model, contexts=tuple(contexts))))
    return replace(series, checkpoints=tuple(changed))


def maps_of(report: Report, series: SeriesReport) -> dict[str, Part]:
    """By their measures, those of the words alone."""
    page = Rendered(replace(report, series=(series,)))["series/grown/index.html"]
    return {each["data-measure"]: each for each in page.all("#maps [data-context=alone]")}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("00000", "no value is massive"),
        ("00011", "values are massive from step 64 on"),
        ("00001", "values are massive at step 128 only"),
        ("11111", "values are massive at every checkpoint"),
        ("01100", "values are massive at 2 of 5 checkpoints, and not at the last one"),
        ("10001", "values are massive at 2 of 5 checkpoints, the last one among them"),
        ("10011", "values are massive at 3 of 5 checkpoints, the last one among them"),
    ],
)
def test_what_comes_and_goes_is_not_said_to_stay(flags: str, expected: str) -> None:
    report = series_report()
    steps = [each.label for each in report.series[0].checkpoints]
    assert steps == ["step 0", "step 16", "step 32", "step 64", "step 128"]
    finding = sentences.finding(report, with_massive(report, flags))
    assert expected in finding
    assert re.search(r"(massive|, first at (step \d+, )?layer 0)\.$", finding)


def breaking(neuron: int) -> BreakingNeurons:
    return BreakingNeurons(
        layer=1,
        dimension=3,
        neurons=(neuron,),
        share=1.0,
        activations=(1.0,),
        strengths=(1.0,),
        control=(),
        control_strengths=(),
    )


def test_writers_are_not_said_to_go_on_where_nothing_is_written() -> None:
    report = series_report()
    (series,) = report.series
    changed = []
    for each, neuron in zip(series.checkpoints, (None, 5, 7, None, None), strict=True):
        contexts = []
        for context in each.model.contexts:
            updates = Updates(layers=(), n_words=18, breaking=None if neuron is None else breaking(neuron))
            contexts.append(replace(context, states=replace(context.states, updates=updates)))
        changed.append(replace(each, model=replace(each.model, contexts=tuple(contexts))))
    said = sentences.paragraphs(report, replace(series, checkpoints=tuple(changed)), ["alone"])
    (sentence,) = [each for each in said if "write the break" in each]
    assert sentence == (
        "Words alone: few neurons write the break at 2 of 5 checkpoints: at step 16 neuron 5 of layer 1, dimension 3; "
        "then at step 32 neuron 7 of layer 1, dimension 3."
    )


def test_checkpoints_that_are_the_same_may_not_have_been_trained_between() -> None:
    """A learning rate that rises from 0 leaves the first step’s weights as they were."""
    report = series_report()
    (series,) = report.series
    series = replace(series, faults=(Fault(kind="same", checkpoints=(0, 1)),))
    (said,) = sentences.faults(series)
    assert said == (
        "Step 0 and step 16 have the same hidden states: either nothing was trained between them, or one of them isn’t what it is called. "
        "Step 0 is left out of all charts."
    )


def test_a_series_of_which_one_checkpoint_is_left_was_captured_all_the_same() -> None:
    report = series_report()
    (series,) = report.series
    checkpoints = tuple(replace(each, left_out=index < 4) for index, each in enumerate(series.checkpoints))
    found = sentences.finding(report, replace(series, checkpoints=checkpoints))
    assert found == "Fewer than two different checkpoints were captured, so nothing is said of training."


def test_a_value_below_chance_has_no_shade() -> None:
    """R² has no lower end: one very low value would make all others dark."""
    report = series_report()
    (series,) = report.series
    checkpoints = list(series.checkpoints)
    low = checkpoints[0].model.contexts[0]
    assert low.geometry is not None
    value = low.geometry.purity.value.copy()
    value[:2] = (-49, -0.7)
    geometry = replace(low.geometry, purity=replace(low.geometry.purity, value=value))
    contexts = (replace(low, geometry=geometry), *checkpoints[0].model.contexts[1:])
    checkpoints[0] = replace(checkpoints[0], model=replace(checkpoints[0].model, contexts=contexts))
    series = replace(series, checkpoints=tuple(checkpoints))
    purity = maps_of(report, series)["purity"]
    values = [float(each.replace("−", "-")) for each in purity.texts("td")]
    assert min(values) == -49
    for number, cell in zip(values, purity.all("td"), strict=True):
        assert abs(int(cell.classes[0][1:]) - max(0.0, 4 * number)) < 0.52, (number, cell.classes)


def test_the_first_page_tells_which_words_of_a_series_are_read_at_position_0() -> None:
    report = series_report()
    series = report.series[0]
    at_0 = any(
        context.states.tokenization.reads_position_0 for each in series.checkpoints for context in each.model.contexts
    )
    assert at_0
    text = term_of(Rendered(report)["method/index.html"], "Position 0")
    assert "in the context “alone” of Grown" in text


def test_of_the_first_and_the_last_one_it_is_not_said_which_is_false() -> None:
    """The last one may hold the weights of the first as well as the first those of the last."""
    report = series_report()
    series = replace(report.series[0], faults=(Fault(kind="same", checkpoints=(0, 4)),))
    (said,) = sentences.faults(series)
    assert said.startswith("Step 0 and step 128 have the same hidden states: they can’t both be what they are called.")


def test_of_several_templates_it_is_said_which_are_meant() -> None:
    report = series_report()
    (series,) = report.series
    checkpoints = []
    for each in series.checkpoints:
        contexts = tuple(
            replace(
                context,
                states=replace(
                    context.states, context=replace(context.states.context, further_templates=("A {word}", "My {word}"))
                ),
            )
            for context in each.model.contexts
        )
        checkpoints.append(replace(each, model=replace(each.model, contexts=contexts)))
    repeated = maps_of(report, replace(series, checkpoints=tuple(checkpoints)))
    for measures, said in (
        (("purity", "rank"), " Median of 3 templates."),
        (("largest", "pc1"), " In the first of 3 templates."),
    ):
        assert all(repeated[measure].one(".note").text.endswith(said) for measure in measures)
    assert not any("templates" in each.text for each in maps_of(report, series).values())


def test_the_first_page_tells_what_is_wrong_and_on_whose_axes_plots_are() -> None:
    report = series_report()
    series = replace(report.series[0], reference=2, faults=(Fault(kind="exchanged", checkpoints=(1, 3)),))
    shown = Rendered(replace(report, series=(series,)))["index.html"].one(".model-strips")
    assert shown.one("header p").text == "5 checkpoints, from step 0 to step 128 · on the axes of step 32"
    assert shown.one(".problem").text.startswith(
        "With step 16 and step 64 in each other’s place, embeddings would change more steadily"
    )


def test_ordinary_values_are_not_shaded_like_massive_ones() -> None:
    """Whatever the largest is, a map of 4.1 to 4.3 would have all shades."""
    report = series_report()
    (series,) = report.series
    checkpoints = []
    for each in series.checkpoints:
        contexts = []
        for context in each.model.contexts:
            assert context.geometry is not None
            massive = context.geometry.massive
            ordinary = replace(massive, ratio=np.linspace(4.1, 4.3, len(massive.ratio)))
            contexts.append(replace(context, geometry=replace(context.geometry, massive=ordinary)))
        checkpoints.append(replace(each, model=replace(each.model, contexts=tuple(contexts))))
    series = replace(series, checkpoints=tuple(checkpoints))
    assert {cell.classes[0] for cell in maps_of(report, series)["largest"].all("td")} == {"s1"}
    grown = maps_of(report, report.series[0])["largest"].all("td.y")
    assert {cell["class"] for cell in grown} == {"s4 y"}


def test_a_reference_that_is_not_there_is_told() -> None:
    (series,) = series_report().series
    told = sentences.failures(replace(series, wanted_reference=1))
    assert told == ("Step 16 isn’t there to be the reference: all axes are those of step 128.",)
    lost = tuple(replace(each, model=replace(each.model, failure="no such file")) for each in series.checkpoints)
    told = sentences.failures(replace(series, checkpoints=lost, wanted_reference=1))
    assert len(told) == len(lost)
    assert not any("axes" in each for each in told)


def test_labels_of_the_author_stay_as_they_are() -> None:
    (series,) = series_report().series
    first = series.checkpoints[0]
    failed = replace(
        first, label="sft", step=None, model=replace(first.model, contexts=(), failure="expected a folder")
    )
    assert sentences.failures(replace(series, checkpoints=(failed, *series.checkpoints[1:]))) == (
        "sft: expected a folder",
    )


def test_of_one_checkpoint_nothing_is_said_of_training() -> None:
    report = series_report()
    (series,) = report.series
    alone = replace(
        series, checkpoints=tuple(replace(each, left_out=index < 4) for index, each in enumerate(series.checkpoints))
    )
    assert sentences.summary(alone) == "1 of 5 checkpoints: step 128"
    assert sentences.paragraphs(report, alone, ["alone", "sentence"]) == ()
