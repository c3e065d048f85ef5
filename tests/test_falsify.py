"""A report of each kind announces nothing false, and what is planted; ``make falsify`` makes a hundred."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from changed_fixture import change_report
from differing_fixture import differing_report
from falsify import falsify
from falsify.announced import announcements
from falsify.case import Case
from falsify.falsify import KINDS, NULL, Result, are_too_many, due, fails, table, tried
from falsify.said import PHRASES, said_of, unfounded
from falsify.sample import Sample
from lens_fixture import with_lens
from narrow import present

from tokviz.records import Checkpoint, Fault, Report, SeriesReport

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

TRAINED = "categories formed by a layer"
"""A training each: these are ``make falsify``'s."""
LEVEL = "tokviz.measure.decisions.LEVEL"


@pytest.fixture(scope="module")
def sample() -> Sample:
    return Sample.made(n_depths=3, contexts=("alone",))


@pytest.fixture(scope="module")
def made(sample: Sample) -> Callable[[str], Case]:
    """One report of each kind, made once for all tests."""
    return cache(lambda kind: KINDS[kind].make(0, sample))


@pytest.mark.parametrize("kind", [each for each in KINDS if each != TRAINED])
def test_what_is_false_is_not_announced_and_what_is_planted_is(
    kind: str, sample: Sample, made: Callable[[str], Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = made(kind)
    monkeypatch.setitem(KINDS, kind, replace(KINDS[kind], make=lambda *_: case))
    result = tried(kind, 0, sample)
    assert result.false == ()
    assert not result.missed


def test_a_report_that_takes_any_value_for_more_than_chance_is_found_out(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LEVEL, 9.0)
    assert tried("labels shuffled within case", 0, sample).false


@pytest.mark.parametrize("kind", ["categories", "circles", "relations"])
def test_a_report_that_announces_nothing_misses_what_is_planted(
    kind: str, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LEVEL, 0.0)
    assert tried(kind, 0, sample).missed


def test_each_phrase_is_one_that_pages_have_and_none_may_stand_alone(made: Callable[[str], Case]) -> None:
    """Of pages whose wording has changed nothing would be read."""
    said = set()
    kinds = (
        "categories",
        "boundaries",
        "neurons",
        "circles",
        "orders beyond looks",
        "relations",
        "differences",
        "similarity",
        "a category that dissolves",
    )
    reports = [made(kind).report for kind in kinds]
    reports.append(_no_more_than_surface(reports[kinds.index("a category that dissolves")]))
    series = [_as_series(report) for report in reports if report.models]
    reports.append(differing_report(8, lambda _, other, __: 0.3 - 0.1 * other))
    some = (0.0, 0.0, 0.0, 0.0, -0.5)
    of_changes = [change_report(categories={0: some}), change_report(some), change_report(is_same=True)]
    small = tuple(each / 5 for each in some)
    of_changes += [change_report(small), change_report(tuple(-each for each in small))]
    of_changes.append(change_report(categories={0: small, 1: small}))
    for report in (*reports, _with_lenses(reports[0]), *series, *of_changes):
        own = {phrase for phrase, _ in said_of(report)}
        assert not list(unfounded(report, announcements(report)))
        assert len(set(unfounded(report, []))) >= len(own) > 0
        said |= own
    assert said == set(PHRASES)


def _no_more_than_surface(report: Report) -> Report:
    """Its categories are above chance, and nowhere shown to be above the words' surface."""
    models = []
    for model in report.models:
        contexts = []
        for context in model.contexts:
            purity = present(context.geometry).purity
            claim = replace(purity.above_surface, holds=np.zeros_like(purity.above_surface.holds))
            geometry = replace(present(context.geometry), purity=replace(purity, above_surface=claim))
            contexts.append(replace(context, geometry=geometry))
        models.append(replace(model, contexts=tuple(contexts)))
    return replace(report, models=tuple(models))


def _with_lenses(report: Report) -> Report:
    return replace(report, models=tuple(with_lens(each, report.words) for each in report.models))


def _as_series(report: Report) -> Report:
    """A report on one model twice, as if it were a series in which everything is wrong."""
    checkpoints = tuple(
        Checkpoint(
            key=f"step-{step}",
            label=f"step {step}",
            step=step,
            model=replace(report.models[0], slug=f"step-{step}"),
            residuals=tuple(np.zeros(each.states.n_depths) for each in report.models[0].contexts),
        )
        for step in range(2)
    )
    series = SeriesReport(
        slug="series",
        name="series",
        unit="steps",
        checkpoints=checkpoints,
        reference=1,
        projection="centered",
        faults=(Fault(kind="same", checkpoints=(0, 1)), Fault(kind="exchanged", checkpoints=(0, 1))),
    )
    return replace(report, models=(), similarities=(), differences=(), series=(series,))


# --- what is made when, and what is shown ------------------------------------------------------------------------------


def _result(kind: str, number: int, *, false: tuple[str, ...] = (), missed: bool = False) -> Result:
    return Result(kind=kind, number=number, announced={}, false=false, missed=missed, seconds=1.0, code="")


def test_there_are_enough_reports_of_each_kind() -> None:
    assert all(kind.n_reports >= (100 if kind in NULL else 60) for kind in KINDS.values())
    assert len(KINDS) == len(falsify.NULL) + len(falsify.PLANTED)


def test_what_is_made_is_not_made_again_and_kinds_advance_together() -> None:
    names = ["circles", "chains"]
    left = list(due([_result("circles", 0), _result("chains", 1)], names))
    assert left[:3] == [("chains", 0), ("circles", 1), ("chains", 2)]
    assert len(left) == 118


def test_a_kind_goes_on_from_the_third_false_report_and_fails_from_the_tenth() -> None:
    null = KINDS["labels shuffled within case"]
    reports = [_result(null.name, number, false=("x",) if number < 2 else ()) for number in range(null.n_reports)]
    assert list(due(reports, [null.name])) == []
    doubtful = [_result(null.name, 0, false=("x",)), *(replace(each, number=each.number + 1) for each in reports[:-1])]
    assert len(list(due(doubtful, [null.name]))) == 2 * null.n_reports
    assert not fails(null, doubtful)
    many = [_result(null.name, number, false=("x",) if number < 9 else ()) for number in range(3 * null.n_reports)]
    assert not fails(null, many)
    assert are_too_many(many)
    assert not are_too_many([*many, *(_result("random weights", number) for number in range(3 * null.n_reports))])
    assert fails(null, [_result(null.name, 400, false=("x",)), *many])


def test_what_is_kept_is_what_other_machines_go_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(falsify, "KEPT", tmp_path / "kept.xz")
    monkeypatch.setattr(falsify, "RESULTS", tmp_path / "results.jsonl")
    own, of_other_code = replace(_result("circles", 0, false=("x",)), code=falsify.code()), _result("circles", 1)
    falsify.keep([own, of_other_code])
    assert falsify.load() == [own]


def test_a_kind_fails_from_the_fourth_miss_of_sixty() -> None:
    planted = KINDS["circles"]
    found = [_result(planted.name, number, missed=number < 3) for number in range(60)]
    assert not fails(planted, found)
    assert fails(planted, [_result(planted.name, 60, missed=True), *found[:-1]])
    assert not fails(planted, found[:3])
    assert f"{planted.name} (FAILS)" in table([_result(planted.name, number, missed=True) for number in range(4)])
