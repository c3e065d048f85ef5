"""The curves of a change page: the difference over depth, each category's, how alike layers are, and what else was measured of both."""

from __future__ import annotations

from dataclasses import replace

from tokviz.pages.charts.axis import ends
from tokviz.pages.charts.curves import Axes, Chart, Series, chart_of, make_chart
from tokviz.pages.charts.measures import WITHIN_A_MODEL
from tokviz.pages.charts.reading import Measure, Reading
from tokviz.pages.charts.scale import Layout
from tokviz.pages.charts.word_by_word import banded
from tokviz.pages.findings.change_evidence import MOST_NAMED
from tokviz.pages.findings.changes import Shift
from tokviz.pages.text.catalogue import Fact, text
from tokviz.pages.text.wording import capitalized, joined_by_and

RULER = Layout(
    width=1120, height=150, left=44, right=1000, top=10, bottom=122,
    name_at=8, has_leaders=False, longest_name=24, n_styles=4,
)  # fmt: skip
"""As wide as the page: the depth is chosen on it."""
NARROW = replace(RULER, width=390, right=376, longest_name=0)
"""The same on a phone."""
_DIFFERENCE = Measure(key="change", name="", caption="", read=lambda *_: None, spans=(-0.05, 0.05))
_LIKENESS = Measure(
    key="likeness",
    name="How alike layers are",
    caption="Each layer with the same layer of the other model; 1: alike.",
    read=lambda *_: None,
)


def difference(shift: Shift, *, narrow: bool = False) -> Chart | None:
    """After less before, over all words, with its band, and of the categories that the headline names; None where nothing was compared."""
    if shift.pair.paired is None:
        return None
    name, labels = f"{shift.after.name} − {shift.before.name}", shift.names_of(shift.named)[:MOST_NAMED]
    named = zip(_readings(shift, by_category=True), shift.named, strict=True)
    categories = [each for each, is_named in named if is_named][:MOST_NAMED]
    if len(categories) > 1:  # their bands would hide one another
        categories = [replace(each, interval=None) for each in categories]
    readings = [*_readings(shift, by_category=False), *categories]
    series = [
        Series(name=own, label="" if narrow else label, index=index, reading=each)
        for index, (own, label, each) in enumerate(
            zip([name, *labels], ["all words", *labels], readings, strict=True), start=1
        )
    ]
    axes = Axes.of(_DIFFERENCE, series, depths=ends(shift.n_depths - 1), layout=NARROW if narrow else RULER)
    measure = capitalized(text(Fact(f"paired.measures.{shift.measure}")))
    return make_chart(axes, series, heading=f"{measure}, {name}")


def difference_in_words(shift: Shift) -> str:
    """What its curves are."""
    measure = capitalized(text(Fact(f"paired.measures.{shift.measure}")))
    which, names = "with its interval", shift.names_of(shift.named)[:MOST_NAMED]
    if len(names) == 1:
        which = f"and of {names[0]}, each {which}"
    elif names:
        which = f"{which}, and of {joined_by_and(names)}"
    return f"{measure}, {shift.after.name} − {shift.before.name}, from layer to layer: over all words, {which}."


def _readings(shift: Shift, *, by_category: bool) -> list[Reading]:
    if shift.pair.paired is None:
        return []
    return [banded(each) for each in shift.band(shift.measure, by_category=by_category).swapaxes(0, 1)]


def of_categories(shift: Shift) -> tuple[Chart, ...]:
    """The same of each category, on one scale."""
    readings = _readings(shift, by_category=True)
    every = [
        Series(name=label, label="", index=1, reading=each) for label, each in zip(shift.labels, readings, strict=True)
    ]
    axes = Axes.of(_DIFFERENCE, every, depths=ends(shift.n_depths - 1))
    charts = (make_chart(axes, [each], heading=each.name) for each in every)
    return tuple(filter(None, charts))


def likeness(shift: Shift) -> Chart | None:
    """CKA and neighbors kept, of each layer with the same layer."""
    alike = (("CKA", shift.changed.cka), ("neighbors", shift.changed.neighbours))
    return chart_of(_LIKENESS, [(name, Reading(values=each)) for name, each in alike])


def of_both(shift: Shift) -> tuple[Chart, ...]:
    """What was measured of both models, a curve of each."""
    charts = []
    for measure in WITHIN_A_MODEL:
        found = [(model.name, measure.reading(context)) for model, context, _ in shift.sides]
        known = [(name, Reading(values=each.values)) for name, each in found if each is not None]
        geometries = [each.geometry for each in shift.contexts if each.geometry]
        if len(known) == len(found) and geometries:
            charts.append(chart_of(replace(measure, caption=measure.explained(geometries)), known))
    return tuple(filter(None, charts))
