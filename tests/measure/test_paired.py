"""Whether two captures of the same words differ: known answers, and how often it errs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from falsify.paired import KINDS, NULL, PLANTED, World, announced, report
from repeating import times

from tokviz.measure import paired
from tokviz.measure.decisions import claims_in, decide, with_decisions
from tokviz.measure.groups import groups_of
from tokviz.measure.labels import Categories
from tokviz.measure.left_out import LeftOut, Units
from tokviz.records import PairedMeasures


def world(sizes: list[int], **changes: object) -> World:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    made = World(labels=labels, words=tuple(f"{row:03d}word" for row in range(len(labels))), n_depths=(3, 3))
    return replace(made, **changes)  # type: ignore[arg-type]


def compared(made: World, seed: int = 0) -> PairedMeasures:
    return made.compared(np.random.default_rng(seed))


# --- the rule, by hand -----------------------------------------------------------------------------------------------


def made_up(n_templates: int = 1, n: int = 2) -> tuple[list[LeftOut], Units, np.ndarray]:
    """Influences of 30 groups on all words, on two categories, and signs."""
    random = np.random.default_rng(5)
    groups = np.concatenate([np.arange(30), [0, 0, 17]])
    labels = np.concatenate([np.arange(30) >= 16, [False, False, True]]).astype(int)
    units = Units(
        categories=Categories(memberships=tuple((int(each),) for each in labels), n_permutations=0), groups=groups
    )
    templates = []
    for _ in range(n_templates):
        influence = random.normal(size=(n, 30, 3)) / 30
        value = influence.sum(axis=1)
        templates.append(LeftOut(value=value, influence=influence, without=value[:, None] - influence))
    return templates, units, random.choice([-1.0, 1.0], size=(7, 30)).astype(np.float32)


def error_by_hand(influence: np.ndarray, units: Units, floor: float) -> float:
    """``influence``: ``(n_groups,)``."""
    squares = floor**2
    for stratum in (0, 1):
        rows = [row for row in range(30) if units.strata[row] == stratum]
        per_word = sum(influence[row] for row in rows) / sum(units.sizes[row] for row in rows)
        e = [influence[row] - units.sizes[row] * per_word for row in rows]
        squares += len(rows) / (len(rows) - 1) * sum(each**2 for each in e)
    return float(np.sqrt(squares))


def test_the_error_is_that_of_influences_centered_within_categories_and_never_less_than_a_group_weighs() -> None:
    (found,), units, signs = made_up()
    measure = paired._tested([found], units, signs, most=1.0)
    for at in range(2):
        assert measure.overall.errors[0, 0, at] == pytest.approx(
            error_by_hand(found.influence[at, :, 0], units, 1 / 30), rel=1e-5
        )
        # 16 groups are of the first category, 14 of the second.
        for category, n in ((0, 16), (1, 14)):
            by_hand = error_by_hand(found.influence[at, :, 1 + category], units, 1 / n)
            assert measure.by_category.errors[0, category, at] == pytest.approx(by_hand, rel=1e-5)
    still = replace(found, influence=np.zeros_like(found.influence))
    assert paired._tested([still], units, signs, most=1.0).overall.error == pytest.approx(1 / 30)


@pytest.mark.parametrize("n_templates", [1, 3])
def test_each_draw_has_an_error_of_its_own_and_its_largest_t_counts(n_templates: int) -> None:
    templates, units, signs = made_up(n_templates)
    units = replace(
        units,
        groups=np.arange(33)[:30],
        categories=replace(units.categories, memberships=units.categories.memberships[:30]),
    )
    measure = paired._tested(templates, units, signs, most=1.0)
    for draw, own in enumerate(signs):
        largest = 0.0
        for at in range(2):
            ts = []
            for template in templates:
                influence = template.influence[at, :, 0]
                e = influence - np.array([influence[units.strata == each].mean() for each in units.strata])
                ts.append((own * e).sum() / error_by_hand(own * e, units, 1 / 30))
            largest = max(largest, abs(float(np.median(ts))))
        score = float(paired._as_normal(np.array(largest), np.array(28)))
        assert measure.overall.claim.highest[draw] == pytest.approx(score, rel=1e-4)


def test_a_band_leaves_out_0_where_the_difference_is_announced() -> None:
    found = compared(world([10] * 5, noise=(0.7, 1.1), n_depths=(6, 6)))
    for measure in (found.purity, found.silhouette):
        for each in (measure.overall, measure.by_category):
            outside = (each.low > 0) | (each.high < 0)
            assert (outside & (each.least_left >= paired.LEAST_LEFT) == each.holds).all()
            is_whole = (np.abs([each.low, each.high]) < each.most).all(axis=0)
            assert is_whole.any()
            assert each.value[is_whole] == pytest.approx((each.low + each.high)[is_whole] / 2)
            assert (np.abs([each.low, each.high]) <= each.most).all()
    assert [getattr(found, each).overall.most for each in PairedMeasures.MEASURES] == [1, np.inf, 1]


def test_a_group_has_the_same_signs_in_any_list() -> None:
    fillers = tuple(f"{chr(97 + row)}xyz" for row in range(20))
    one, other = (("red", "blue", "Red", *fillers), ("green", "red"))
    lists = [
        paired.PairedWords(words=words, memberships=((0,),) * len(words), grouped=groups_of(words))
        for words in (one, other)
    ]
    signs = [each.signs for each in lists]
    assert [each.shape for each in signs] == [(paired.N_DRAWS, 22), (paired.N_DRAWS, 2)]
    assert (signs[0][:, 0] == signs[1][:, 1]).all()
    assert abs(np.mean(signs[0][:, 0] * signs[0][:, 1])) < 0.05


def test_each_depth_of_the_deeper_model_has_its_counterpart() -> None:
    assert paired.aligned(3, 3).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert paired.aligned(3, 7)[:, 0].tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert paired.aligned(3, 7)[:, 1].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert paired.aligned(1, 2).tolist() == [[0, 0], [0, 1]]


# --- what is announced -----------------------------------------------------------------------------------------------


def test_captures_that_are_one_have_no_difference() -> None:
    made = world([8] * 4)
    words = paired.PairedWords(
        words=made.words,
        memberships=tuple((int(each),) for each in made.labels),
        grouped=groups_of(made.words),
        n_draws=99,
    )
    states = list(made.states(np.random.default_rng(0), 0, np.ones((4, 32)), np.zeros((32, 32))))
    own = paired.measured(states, np.arange(32), words.units)
    found = paired.compare([own], [own], paired.aligned(3, 3), words)
    assert (found.purity.overall.value == 0).all()
    assert not announced(with_decisions(found, decide(claims_in(found))))


@pytest.mark.slow
@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_difference_is_announced(kind: str) -> None:
    question = "purity by category" if kind == "one" else "purity"
    assert [number for number in range(5) if question not in announced(report(kind, number))] == []


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.repeats
@pytest.mark.parametrize("kind", NULL)
def test_equal_models_are_seldom_said_to_differ(kind: str) -> None:
    n = times(6)
    n_false = sum("report" in announced(report(kind, number)) for number in range(n))
    assert n_false <= max(1, 0.04 * n)


@pytest.mark.slow
def test_quadruples_are_announced_only_where_they_arent_declared() -> None:
    def n_false(kind: str) -> int:
        return sum("purity" in announced(report(kind, number)) for number in range(6))

    assert n_false("undeclared") > 0
    assert n_false("quadruples") == 0


def test_a_difference_that_one_word_makes_is_not_announced() -> None:
    """One that is much longer than others, so that the scaling hangs on it: in itself it is large and sure."""
    random = np.random.default_rng(0)
    made = KINDS["outlier"](random)
    found = replace(made, strength=1.2).compared(random).purity.overall
    assert found.claim.p_value.min() < 0.001
    assert (found.value[found.p_value <= 0.01] > 0.1).all()
    assert (found.least_left[found.p_value <= 0.01] < paired.LEAST_LEFT).all()
    assert not found.holds.any()


def test_a_small_difference_is_not_announced_and_a_large_one_of_too_few_words_has_no_answer() -> None:
    large = {"strength": 1.6, "noise": (0.3, 5.0)}
    assert not compared(world([10] * 4, noise=(1.0, 1.05))).purity.overall.holds.any()
    few = compared(world([4] * 5, **large)).purity
    assert few.overall.is_too_few.all()
    assert np.isnan(few.overall.low).all()
    assert not few.overall.holds.any()
    assert not few.by_category.holds.any()
    for sizes in ([30], [3, 30], [1, 1, 1]):
        nothing = compared(world(sizes, **large))
        assert np.isnan(nothing.purity.overall.value).all()
        assert nothing.purity.overall.is_too_few.all()
        assert nothing.silhouette.by_category.is_too_few.all()
    assert compared(world([4] * 6, **large)).purity.overall.holds.any()
    uneven = compared(world([9, 10, 10], **large)).purity.by_category
    assert uneven.is_too_few.tolist() == [True, False, False]
    assert uneven.holds.any(axis=1).tolist() == [False, True, True]
    assert not uneven.p_value[0].any() or np.isnan(uneven.p_value[0]).all()


@pytest.mark.slow
def test_what_controls_agree_on_is_what_is_least_sure_at_each_depth() -> None:
    made = world([12] * 5, strength=0.9, n_depths=(4, 4))
    seeds = [compared(replace(made, noise=(0.5, noise)), seed) for seed, noise in ((0, 1.9), (1, 1.7), (2, 2.0))]
    found = paired.agreed(seeds)
    found = with_decisions(found, decide(claims_in(found)))
    t = np.array([each.purity.overall.t[0] for each in seeds])
    assert (found.purity.overall.t[0] == t.min(axis=0)).all()
    assert found.purity.overall.holds.any()
    assert (found.purity.overall.holds <= np.min([each.purity.overall.holds for each in seeds], axis=0)).all()
    # One that is better than the model, and no difference, are each enough.
    for noise in ((1.5, 0.5), (0.5, 0.5)):
        other = paired.agreed([*seeds, compared(replace(made, noise=noise), 3)])
        assert "purity" not in announced(with_decisions(other, decide(claims_in(other))))


def test_models_of_unlike_depth_have_no_answer_on_neighbors_kept() -> None:
    found = compared(world([10] * 4, n_depths=(3, 7)))
    assert np.isnan(found.kept.overall.value).all()
    assert found.depths.shape == (7, 2)
    assert np.isnan(compared(world([10] * 4)).kept.overall.value[0, 0])
    assert np.isfinite(compared(world([10] * 4)).kept.overall.value[0, 1:]).all()


def test_where_forms_of_words_are_nearer_categories_are_not() -> None:
    """Purity counts them, and is higher by 0.2 by chance alone."""
    made = [report("forms", number) for number in range(12)]
    for measure in ("purity", "silhouette"):
        told = [any(each.holds.any() for each in claims_in(getattr(one, measure))) for one in made]
        assert sum(told) == 0
        assert abs(np.mean([getattr(one, measure).overall.differences for one in made])) < 0.03


def test_words_that_belong_together_stay_so_in_shuffled_categories() -> None:
    words = paired.PairedWords(
        words=("one", "sofa", "couch", "two", "three", "four"),
        memberships=((0,), (0,), (0,), (1,), (1,), (1,)),
        grouped=groups_of(("one", "sofa", "couch", "two", "three", "four"), declared=[("sofa", "couch")]),
    )
    shuffled = words.units.categories.shuffles
    assert (words.units.categories.first[shuffled[:, 1]] == words.units.categories.first[shuffled[:, 2]]).all()


def test_the_record_names_the_groups() -> None:
    words = (*(f"{row:03d}word" for row in range(38)), "red", "Red")
    found = compared(world([10] * 4, words=words))
    assert (found.n_words, found.n_groups, found.groups) == (40, 39, (("red", "Red"),))
    assert found.categories == (0, 1, 2, 3)
    assert found.too_large == ()
