"""The profile that the compare page opens with: what it says is what the records give."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import profile_claims
import pytest
import random_profile
from at_once import run_at_once
from claims import FalseClaim
from fact_checks import changed, keys, require_a_change
from families import Tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from paired_fixture import measure as measure_by_word
from paired_fixture import measures as measures_by_word
from profile_fixture import difference
from related_fixture import CONFIG
from rendered import Part, Rendered
from repeating import times
from report_fixture import layer_similarity

from tokviz.config import load
from tokviz.pages.model.profile import Compared, compared, facts
from tokviz.pages.model.profile_tables import ProfileMeasure, files
from tokviz.pages.text.catalogue import text
from tokviz.records import BestMatch, Differences, LayerSimilarity, ModelDifferences, ModelSimilarity, Peak, Report
from tokviz.run.publishing import site


def profiles(report: Report) -> list[Part]:
    """The section, if there is one."""
    return Rendered(report)["compare/index.html"].all(".profile")


@pytest.mark.thorough
@pytest.mark.slow
@settings(max_examples=times(25))
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_the_numbers_the_profile_says_no_other(seed: int) -> None:
    report = random_profile.report(seed)
    if shown := profiles(report):
        profile_claims.check_profile(shown[0], report)
        names = [model.display_name for model in report.models]
        for block in shown[0].all("tbody"):
            rows = block.all("tr")[1:]
            at_chance = [row.one("th").text for row in rows if profile_claims.kind_of(row.all("td")[0]) == "ring"]
            assert at_chance == [name for name in names if name in at_chance], "no order of what is at chance"
    else:
        known = [model for model in report.models for context in model.contexts if context.profile is not None]
        assert len(report.models) < 2 or not known
    assert set(files(report)) <= {"data/profile.csv", "data/differences.csv", "data/similarity.csv"}


@pytest.mark.parametrize(("first", "second", "ahead"), [(True, False, [("a", "b")]), (False, True, [])])
def test_only_a_model_above_chance_is_ahead(first: bool, second: bool, ahead: list[tuple[str, str]]) -> None:
    """Of two that are shown to differ, the first being the higher one."""
    peaks = {
        name: (Peak(depth=2, value=effect, chance=0.0, effect=effect, is_above_chance=is_above),) * 3
        for name, effect, is_above in (("a", 0.3, first), ("b", 0.2, second))
    }
    purity = ProfileMeasure(label="Category purity", unit="of neighbors", said="category purity", column="purity")
    pair = _apart(0.1, by_word=(0.1, True))
    names = {name: name for name in peaks}
    stated = facts(Compared(label="alone", measures=(purity,) * 3, names=names, peaks=peaks, pairs=(pair,)))
    said = [(each.values["ahead"], each.values["behind"]) for each in stated if each.kind == "model.profile.ahead"]
    assert said == ahead


def _apart(value: float, by_word: tuple[float, bool] | None) -> ModelDifferences:
    """Two models whose purity is shown to differ over categories.

    Parameters
    ----------
    by_word : how much purity differs word by word, and whether that is shown; None where that isn't known. Silhouettes don't.
    """
    apart, alike = difference(value, 0.01, is_shown=True), difference(0.0, 0.01, is_shown=False)
    of_words = by_word and measures_by_word(measure_by_word([0.0, by_word[0]], [False, by_word[1]]), [(0, 0), (1, 1)])
    return ModelDifferences(
        model_a="a",
        model_b="b",
        context="alone",
        differences=Differences(purity=apart, silhouette=apart, relations=(alike,), orders=(apart,)),
        paired=of_words,
    )


@pytest.mark.parametrize(
    ("by_word", "is_shown"), [((0.1, True), True), ((0.1, False), False), ((-0.1, True), False), (None, False)]
)
def test_what_holds_for_other_categories_holds_for_these_words_first(
    by_word: tuple[float, bool] | None, is_shown: bool
) -> None:
    """One word that ruins the scaling of a model makes all its categories differ alike: word by word that is seen."""
    assert _apart(0.1, by_word).shown == (is_shown, False, False, True)
    turned = by_word and (-by_word[0], by_word[1])
    assert _apart(-0.1, turned).shown == (is_shown, False, False, True)


def test_the_table_announces_what_pages_say_and_nothing_else() -> None:
    n_silent = 0
    for seed in range(30):
        report = random_profile.report(seed)
        found = compared(report)
        if "data/differences.csv" not in files(report) or len(report.models) != 2:
            continue
        slugs = {model.display_name: model.slug for model in report.models}
        said = {
            (block.label, slugs[each.values["ahead"]], each.values["measure"])
            for block in found
            for fact in facts(block)
            for each in profile_claims.statements(fact)
            if each.kind in profile_claims.AHEAD
        }
        labels = {context.name: context.label for context in report.contexts}
        columns = {measure.column: measure.said for block in found for measure in block.measures}
        told = set()
        for row in csv.DictReader(files(report)["data/differences.csv"].splitlines()):
            higher = row["model_a"] if float(row["difference"] or "nan") > 0 else row["model_b"]
            if row["announced"] == "1":
                told.add((labels[row["context"]], higher, columns[row["measure"]]))
        assert told == said
        n_shown = sum(each.is_shown for pair in report.differences for each in pair.differences.all)
        n_silent += n_shown - len(told)
    assert n_silent > 0, "some are shown whose higher model isn't above chance"


def _alike(value: float) -> LayerSimilarity:
    best = BestMatch(value=value, low=value, high=value, chance=0.0, within_categories=0.0)
    return replace(layer_similarity(4, 4, 8), neighbours_summary=best)


@pytest.mark.parametrize("n_models", [8, 9])
def test_of_many_models_the_first_is_not_like_itself(n_models: int) -> None:
    """Nor does a pair that the author named count as one with the first model."""
    plain = random_profile.report(3)
    models = tuple(replace(plain.models[0], slug=f"m{index}") for index in range(n_models))
    pairs = [("m2", "m1", 0.9), *(("m0", each.slug, 0.2) for each in models[1:])]
    similarities = tuple(
        ModelSimilarity(model_a=a, model_b=b, context="alone", shared=_alike(value), single_token=None)
        for a, b, value in pairs
    )
    found = compared(replace(plain, models=models, similarities=similarities))[0]
    first, *others = (round(each[-1].effect, 2) for each in found.peaks.values())
    if n_models == 8:
        assert [first, *others] == [0.2, 0.55, 0.55, *[0.2] * 5]
    else:
        assert "m0" not in found.known(len(found.measures) - 1)
        assert others == [0.2] * 8


@pytest.mark.slow
def test_what_is_said_of_three_models_is_what_was_measured(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    families_of = ("llama", "gpt2", "bert")
    models = [f'[[models]]\nsource = "{tiny(name)}"\n' for name in families_of]
    head = 'read = "first"\nprojections = ["centered"]\nplate_size = [750, 600] # drawn in less time\n'
    (tmp_path / "report.toml").write_text(head + "".join(models) + CONFIG, encoding="utf-8")
    reports: list[Report] = []
    written = site.make_files

    def seen(report: Report, *others: Any) -> Any:
        reports.append(report)
        return written(report, *others)

    monkeypatch.setattr(site, "make_files", seen)
    run_at_once(load(tmp_path / "report.toml"), tmp_path, forms=("wide",))
    [report] = reports
    assert [len(model.contexts) for model in report.models] == [1] * len(families_of)
    assert len(profile_claims.numbers(report, "alone").models) == len(families_of)
    (shown,) = profiles(report)
    profile_claims.check_profile(shown, report)


@pytest.mark.thorough
@pytest.mark.slow
def test_a_changed_fact_is_false_and_makes_another_sentence() -> None:
    """Of each fact every field is changed once: its kind, what it is about, each number."""
    n_changed = 0
    kinds = [each for each in keys("model") if each.startswith("model.profile.")]
    for seed in range(14):
        report = random_profile.report(seed)
        for found, context in zip(compared(report), _measured_contexts(report), strict=True):
            numbers, said = profile_claims.numbers(report, context), facts(found)
            names = [*numbers.names[:3], *list(numbers.peaks[0])[:2]]
            for place, other in changed(said, names, kinds):
                require_a_change((said[place],), 0, other, lambda stated: text(*stated))
                with pytest.raises((FalseClaim, LookupError, ValueError, TypeError)):
                    profile_claims.check_facts([*said[:place], other, *said[place + 1 :]], numbers)
                n_changed += 1
    assert n_changed > 4000


def _measured_contexts(report: Report) -> list[str]:
    return [each.name for each in random_profile.CONTEXTS if profile_claims.numbers(report, each.name).models]
