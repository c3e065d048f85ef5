"""What is said of sentences of a context and of untrained models, held against the records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from claims import metrics
from controls_fixture import TEMPLATES, controlled_report, curves, differences
from lens_fixture import with_lens
from narrow import present
from rendered import Rendered
from report_fixture import sample_report

from tokviz.pages.charts.notes import over_templates
from tokviz.pages.text.sentences import over_sentences
from tokviz.pages.text.without_training import untrained_sentences
from tokviz.pages.text.wording import NBSP
from tokviz.records import ContextReport, Untrained

ORDERS = ("the order “Months”", "the order “Sizes”")
NAMES = ("category purity", "silhouette", *ORDERS)


@pytest.fixture(scope="module")
def site() -> Rendered:
    return Rendered(controlled_report())


def context() -> ContextReport:
    return sample_report().models[0].contexts[0]


@pytest.mark.parametrize("seed", range(6))
def test_untrained_models_are_told_by_their_numbers(seed: int) -> None:
    random = np.random.default_rng(seed)
    n = len(present(context().geometry).purity.value)
    shown = tuple((float(random.normal()), bool(random.integers(2))) for _ in ORDERS)
    untrained = Untrained(
        random=curves(random.uniform(0, 0.3, n)),
        own_embedding=tuple(curves(random.uniform(0.3, 1, n)) for _ in range(5)),
        layers=differences(*shown),
    )
    (told,) = untrained_sentences(replace(context(), untrained=untrained), NAMES)
    above = {name for name, (value, is_shown) in zip(ORDERS, shown, strict=True) if is_shown and value > 0}
    assert {name for name in NAMES if name in told} == above
    assert ("not shown to be" in told) == (not above)
    assert ("two relations and orders" in told) == (len(above) < 2)


def test_what_no_shuffle_can_tell_is_not_said_to_be_untrue() -> None:
    nothing = differences(*((float("nan"), False),) * len(ORDERS))
    n = len(present(context().geometry).purity.value)
    untrained = Untrained(random=curves(np.full(n, 0.1)), own_embedding=(), layers=nothing)
    (told,) = untrained_sentences(replace(context(), untrained=untrained), NAMES)
    assert told == (
        "Words alone, the model at its best layer: whether it is further above chance than with random or permuted layers can’t be "
        "tested with these words."
    )


def test_what_is_missing_is_not_spoken_of() -> None:
    untrained = Untrained(random=None, own_embedding=(), layers=None, problems=("X: no such thing",))
    assert untrained_sentences(replace(context(), untrained=untrained), NAMES) == (
        "No untrained model: X: no such thing.",
    )
    assert untrained_sentences(context(), NAMES) == ()


@pytest.mark.parametrize(
    ("holds", "of_templates", "said"),
    [
        (
            True,
            [1, 1, 1],
            ("In each of the three sentences by itself, this is shown at layer 1.",),
        ),
        (False, [0, 0, 0], ()),
        (
            True,
            [1, 0, 1],
            ("But in “I saw …” by itself, this is shown at no depth.",),
        ),
        (
            False,
            [0, 1, 1],
            ("But in “I saw …” and “We met …” by themselves, this is shown at some depth.",),
        ),
    ],
)
def test_a_sentence_that_says_otherwise_is_named(holds: bool, of_templates: list[int], said: tuple[str, ...]) -> None:
    template_holds = np.zeros((3, 4), dtype=bool)
    template_holds[:, 2] = of_templates
    assert over_sentences(np.array([False, holds]), template_holds, TEMPLATES) == said
    assert over_sentences(np.array([holds]), None, TEMPLATES) == ()


def test_what_a_lens_reads_is_a_median_over_sentences_too() -> None:
    model = controlled_report().models[0]
    read = with_lens(model, controlled_report().words)
    said = "relations, orders and what is named are medians over three sentences"
    assert said not in over_templates(model.contexts)
    assert said in over_templates(read.contexts)


def test_the_charts_say_what_their_strokes_and_gray_curves_are(site: Rendered) -> None:
    charts = site["models/smol-30/index.html"].one("#curves")
    assert (
        " Of the words in a sentence, category purity, silhouette, effective rank, relations and orders are medians over three "
        "sentences; vertical strokes reach from the lowest sentence to the highest. Gray, if shown: untrained models, of the first "
        "sentence; the thin line is the model’s own of it. “All random”: every weight is random, in one draw. “Random layers”: "
        in " ".join(charts.texts("details > .note"))
    )
    note, *_ = charts.texts("#curves .told > .note")
    assert "in “I saw …” by itself, purity is shown to be above chance at no depth." in note
    for chart in charts.all("figure.chart"):
        drawn = {tuple(each.classes[-3:-1]) for each in chart.all("path.curve.switch-untrained")}
        of_controls = chart.one("h3").text in ("Category purity", "Silhouette", "Effective rank")
        kinds = [("random", "0"), ("random", "1"), ("layers", "0"), ("layers", "1"), ("1", "1")]
        assert drawn == ({(f"style-{style}", f"dash-{dash}") for style, dash in kinds} if of_controls else set())
        assert [each["d"].count("V") for each in chart.all("path.templates")] == ([31] if of_controls else [])


def test_the_table_holds_controls_against_the_models_best_layer(site: Rendered) -> None:
    captures = metrics(site["compare/index.html"]).values()
    assert {cells["Purity with all weights random"].noted[0] for cells in captures} == {"0.10"}
    # Where the model itself is best after a layer; the median seed falls from 0.9 to 0.54, in 6 layers or 30.
    found = {tuple(each.replace(NBSP, " ") for each in cells["Purity with random layers"].noted) for cells in captures}
    assert found == {("0.84", "0.83–0.85 in 5 seeds, layer 0"), ("0.89", "0.89 in 5 seeds, layer 0")}
