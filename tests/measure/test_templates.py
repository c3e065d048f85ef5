"""Several templates of a context: medians over them, with what each of them says alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from making import hidden_states
from narrow import present

from tokviz.measure import geometry, relations
from tokviz.measure.decisions import claims_in, decide, with_decisions
from tokviz.measure.profile import ProfileComparer, Side
from tokviz.records import Geometry, HiddenStates, Measured, OrderRows, PairRows, Relations
from tokviz.records import Tested as AgainstChance

N_WORDS, N_DEPTHS, WIDTH = 36, 3, 24
MEMBERSHIPS = tuple((row // 12,) for row in range(N_WORDS))
PAIRS = PairRows(pairs=np.arange(24).reshape(2, 12).T, candidates=np.arange(12, 24))
ORDERS = tuple(
    OrderRows(words=np.arange(12), places=np.arange(12), n_places=12, cyclic=cyclic) for cyclic in (True, False)
)


def drawn(seed: int, signal: float) -> HiddenStates:
    """Categories, an order and pairs that show as much as the signal is large."""
    random = np.random.default_rng(seed)
    means = np.random.default_rng(99).normal(size=(3, WIDTH))
    line = np.linspace(-1, 1, 12)[:, None] * np.random.default_rng(98).normal(size=WIDTH)
    known = means[np.arange(N_WORDS) // 12] + np.concatenate([line, line, np.zeros((12, WIDTH))])
    states = [(signal * known + random.normal(size=known.shape)).astype(np.float32) for _ in range(N_DEPTHS)]
    return hidden_states(states, positions=[2] * N_WORDS)


FOUR = [drawn(seed, signal) for seed, signal in enumerate((0.2, 1.5, 0.0, 1.0))]


@pytest.fixture(scope="module")
def alone() -> list[tuple[Geometry, Relations]]:
    return [(geometry.measure(each, [], MEMBERSHIPS, None), relations.measure(each, [PAIRS], ORDERS)) for each in FOUR]


def test_values_are_medians_and_each_template_has_its_own(
    alone: list[tuple[Geometry, Relations]],
) -> None:
    first, *further = FOUR
    space = geometry.measure(first, [], MEMBERSHIPS, None, further)
    related = relations.measure(first, [PAIRS], ORDERS, further)
    for found, each in [
        ((space.purity.value, space.purity.templates), [one.purity.value for one, _ in alone]),
        ((space.silhouette.value, space.silhouette.templates), [one.silhouette.value for one, _ in alone]),
        ((space.purity_raw.value, space.purity_raw.templates), [one.purity_raw.value for one, _ in alone]),
        (
            (space.spread.effective_rank, space.effective_rank_in_templates),
            [one.spread.effective_rank for one, _ in alone],
        ),
        (
            (related.relations[0].parallelism.value, related.relations[0].parallelism.templates),
            [one.relations[0].parallelism.value for _, one in alone],
        ),
        ((related.orders[1].r2.value, related.orders[1].r2.templates), [one.orders[1].r2.value for _, one in alone]),
    ]:
        np.testing.assert_allclose(present(found[1]), each, rtol=1e-9)
        np.testing.assert_allclose(found[0], np.median(each, axis=0), rtol=1e-9)
    # What is drawn is the first template's.
    np.testing.assert_array_equal(space.cka, alone[0][0].cka)
    np.testing.assert_array_equal(related.orders[0].held_out, alone[0][1].orders[0].held_out)


def test_what_is_kept_of_the_first_template_is_what_it_gives_alone(alone: list[tuple[Geometry, Relations]]) -> None:
    first, *further = FOUR
    (space, related), (own, own_related) = (
        (
            geometry.measure(first, [], MEMBERSHIPS, None, further).in_first_template,
            relations.measure(first, [PAIRS], ORDERS, further).in_first_template,
        ),
        alone[0],
    )
    pairs: list[tuple[Measured | AgainstChance, Measured | AgainstChance]] = [
        (space.purity, own.purity),
        (space.silhouette, own.silhouette),
        (space.purity_raw, own.purity_raw),
        (space.silhouette_raw, own.silhouette_raw),
        (related.relations[0].parallelism, own_related.relations[0].parallelism),
        *((one.r2, other.r2) for one, other in zip(related.orders, own_related.orders, strict=True)),
    ]
    for found, expected in pairs:
        np.testing.assert_allclose(found.value, expected.value, rtol=1e-9)
        assert found.templates is None
        assert np.isnan([found.low, found.high]).all()
    for tested, by_itself in ((space.purity, own.purity), (space.silhouette, own.silhouette)):
        np.testing.assert_allclose(tested.null_mean, by_itself.null_mean, rtol=1e-9)
    np.testing.assert_allclose(space.spread.effective_rank, own.spread.effective_rank)
    # With one template nothing changes.
    assert own.in_first_template is own
    assert own_related.in_first_template.orders == own_related.orders


def test_what_is_announced_of_the_first_template_is_what_it_announces_alone() -> None:
    first, *further = (drawn(50, 4.0), FOUR[2], drawn(7, 0.0))
    found = geometry.measure(first, [], MEMBERSHIPS, None, further)
    related = relations.measure(first, [PAIRS], ORDERS, further)
    families = decide([*claims_in(found), *claims_in(related)])
    space, related = with_decisions(found, families), with_decisions(related, families)
    assert not space.purity.above_chance.holds.any()
    assert space.in_first_template.purity.above_chance.holds.any()
    for order in related.orders:
        assert not order.holds.any()
        assert order.in_first_template.holds.tolist() == present(order.r2.claim.template_holds)[0].tolist()
    assert related.orders[1].in_first_template.holds.any()
    relation = related.relations[0]
    assert relation.in_first_template.holds.tolist() == present(relation.template_holds)[0].tolist()
    assert np.isnan(relation.in_first_template.hits).all()


def test_chance_is_that_of_the_median_under_the_same_shuffles() -> None:
    """Twice the same template is that template, and its shuffles scatter as widely; of others the median's scatter less."""
    once = geometry.measure(FOUR[0], [], MEMBERSHIPS, None).purity
    twice = geometry.measure(FOUR[0], [], MEMBERSHIPS, None, [FOUR[0]]).purity
    other = geometry.measure(FOUR[0], [], MEMBERSHIPS, None, FOUR[1:]).purity
    for name in ("value", "null_mean", "null_spread", "low", "high"):
        np.testing.assert_allclose(getattr(twice, name), getattr(once, name), rtol=1e-6)
    np.testing.assert_allclose(twice.above_chance.score, once.above_chance.score)
    np.testing.assert_allclose(twice.above_chance.highest, once.above_chance.highest, rtol=1e-5)
    assert (other.null_spread < 0.8 * once.null_spread).all()


def test_a_template_by_itself_is_held_against_the_same_family() -> None:
    found = geometry.measure(FOUR[2], [], MEMBERSHIPS, None, [FOUR[1], drawn(7, 0.0)])
    families = decide(claims_in(found))
    claim = with_decisions(found, families).purity.above_chance
    assert not claim.holds.any(), "of two templates in three nothing is true"
    assert present(claim.template_holds).any(axis=1).tolist() == [False, True, False]
    assert families["categories"].n_values == 2 * 4 * N_DEPTHS, (
        "purity and silhouette of the median and of three templates"
    )
    assert (families["categories"].highest >= np.sort(claim.highest)).all()


@pytest.mark.thorough
@pytest.mark.slow
def test_nothing_is_announced_of_templates_in_which_nothing_is_true() -> None:
    """Nor of any one of them, however many there are."""
    announced = 0
    for seed in range(12):
        first, *further = (drawn(100 + 10 * seed + each, 0.0) for each in range(8))
        found = geometry.measure(first, [], MEMBERSHIPS, None, further)
        decided = with_decisions(found, decide(claims_in(found)))
        claims = [decided.purity.above_chance, decided.silhouette.above_chance]
        announced += any(each.holds.any() or present(each.template_holds).any() for each in claims)
    assert announced <= 1


def test_only_words_that_are_reference_words_in_all_templates_count() -> None:
    first, second = FOUR[:2]
    words = list(second.tokenization.words)
    words[5] = replace(words[5], ids=(*words[5].ids, 9), pieces=(*words[5].pieces, "x"), stop=words[5].stop + 1)
    moved = replace(second, tokenization=replace(second.tokenization, words=tuple(words)))
    found = geometry.measure(first, [], MEMBERSHIPS, None, [moved])
    assert (found.n_reference, found.n_measured) == (N_WORDS - 1, N_WORDS - 1)


def test_models_are_compared_by_their_medians() -> None:
    def side(*templates: HiddenStates) -> Side:
        memberships = tuple((row // 6,) for row in range(N_WORDS))  # of fewer categories nothing is compared
        return Side(templates=templates, memberships=memberships, pairs=(PAIRS,), orders=ORDERS)

    weak, strong = (drawn(20 + each, 0.3) for each in range(3)), (drawn(30 + each, 1.2) for each in range(3))
    (one, two, three), others = weak, tuple(strong)
    several = ProfileComparer().compare(side(*others), side(one, two, three))
    single = [ProfileComparer().compare(side(a), side(b)) for a, b in zip(others, (one, two, three), strict=True)]
    values = [each.purity.value for each in single]
    assert min(values) - 0.1 < several.purity.value < max(values) + 0.1
    # Six categories of three kinds: their errors are about alike.
    assert several.purity.error <= 1.1 * max(each.purity.error for each in single)
    same = ProfileComparer().compare(side(*others[:1] * 3), side(one, one, one))
    np.testing.assert_allclose([each.value for each in same.all], [each.value for each in single[0].all])
    np.testing.assert_allclose([each.error for each in same.all], [each.error for each in single[0].all])
