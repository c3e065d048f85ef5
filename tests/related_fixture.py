"""Relations and orders without a model: random ones, and those of a report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from report_fixture import sample_report

from tokviz.records import Claim, Closing, Order, OrderMeasures, Relation, RelationMeasures, Relations, Report, Tested

FIRST = ["red", "blue", "green", "pink", "brown", "gray"]
SECOND = ["May", "June", "July", "March", "April", "August", "firefighter"]
CONFIG = f"""
[[contexts]]
name = "alone"
template = "{{word}}"

[[relations]]
name = "pair"
label = "LABEL → X"
pairs = {[list(pair) for pair in zip(FIRST, SECOND, strict=False)]}

[[orders]]
name = "line"
words = {[*SECOND[:6], *FIRST[:3]]}

[words]
first = {FIRST}
second = {SECOND}
""".replace("'", '"')
"""Of a report without its models: their tables come before."""

WORDS = sample_report().words
_FIRST, _SECOND = (WORDS.categories[index].words for index in (0, 1))
RELATION = Relation(
    name="pairs", label="First → second", pairs=tuple(zip(_FIRST[:8], _SECOND[:8], strict=True)), candidates=_SECOND
)
ORDERS = (
    Order(name="circle", label="A circle", words=WORDS.categories[2].words[:12], cyclic=True),
    Order(name="line", label="A line", words=WORDS.categories[3].words[:9], cyclic=False),
)


def made_up(random: np.random.Generator, n_depths: int, low: float, *, undefined: float) -> Tested:
    """``low``: the least value; ``undefined``: share of depths without one."""
    value = random.uniform(low, 0.9, n_depths)
    value[random.uniform(size=n_depths) < undefined] = np.nan
    chance = np.where(np.isnan(value), np.nan, random.uniform(low, 0.5, n_depths))
    return Tested(
        value=value,
        low=value - 0.1,
        high=value + 0.1,
        without=np.repeat(value[:, None], 5, axis=1) + random.normal(0, 0.01, (n_depths, 5)),
        null_mean=chance,
        claim=made_up_claim(random, value),
    )


def made_up_claim(random: np.random.Generator, value: np.ndarray) -> Claim:
    """Decided, on values of which some may be NaN; it can't be tested now and then."""
    known, can_be_tested = np.isfinite(value), bool(random.uniform() < 0.8)
    holds = known & (random.uniform(size=len(value)) < random.uniform()) & can_be_tested
    return Claim(
        family="made up",
        score=np.where(known, random.standard_normal(len(value)), np.nan),
        highest=random.standard_normal(9).astype(np.float32),
        is_eligible=known,
        least_p_value=0.0005 if can_be_tested else 1 / 120,
        p_value=np.where(known, np.where(holds, 0.0005, 0.4), np.nan),
        holds=holds,
        can_be_tested=can_be_tested,
    )


def random_relation(random: np.random.Generator) -> RelationMeasures:
    n_depths, n_pairs = int(random.integers(1, 12)), int(random.choice([0, 1, 4, 5, 8, 10]))
    return _relation(random, n_depths, n_pairs, undefined=float(random.choice([0.0, 0.3, 1.0], p=[0.6, 0.3, 0.1])))


def _relation(random: np.random.Generator, n_depths: int, n_pairs: int, undefined: float = 0.0) -> RelationMeasures:
    most = random.integers(0, n_pairs + 1)
    gain = random.uniform(-0.5, 0.5, n_depths)
    return RelationMeasures(
        rows=np.stack([np.arange(n_pairs), n_pairs + np.arange(n_pairs)], axis=1),
        n_candidates=n_pairs + 3,
        parallelism=made_up(random, n_depths, -0.1, undefined=undefined),
        hits=random.integers(0, n_pairs + 1, n_depths).astype(float),
        hits_of_source=random.integers(0, most + 1, n_depths).astype(float),
        gain=gain,
        offset=made_up_claim(random, gain),
        coordinates=random.standard_normal((n_depths, n_pairs, 2, 2)).astype(np.float32),
    )


def random_order(random: np.random.Generator) -> OrderMeasures:
    n_depths, n_words = int(random.integers(1, 12)), int(random.choice([0, 7, 8, 12]))
    undefined = float(random.choice([0.0, 0.3, 1.0], p=[0.6, 0.3, 0.1]))
    r2 = made_up(random, n_depths, float(random.choice([-2.0, 0.1])), undefined=undefined)
    if random.uniform() < 0.2:
        claim = replace(r2.claim, holds=np.zeros(n_depths, dtype=bool))
        r2 = replace(r2, value=-np.abs(r2.value), claim=claim)
    made = _order(random, n_words, r2, cyclic=bool(random.integers(2)))
    n_units = int(random.choice([6, 9, 12, 12])) if n_words == 12 else n_words
    return replace(made, n_units=n_units)


def order_of(measured: OrderMeasures) -> Order:
    """What was asked for."""
    words = tuple(f"word{place}" for place in range(measured.n_places))
    return Order(name="order", label="An order", words=words, cyclic=measured.closing is not None)


def _order(random: np.random.Generator, n_words: int, r2: Tested, *, cyclic: bool) -> OrderMeasures:
    n_depths = len(r2.value)
    closing = Closing(
        closeness=r2.value,
        least_r2=r2.value,
        ends_meet=made_up_claim(random, r2.value),
        circle=made_up_claim(random, r2.value),
    )
    return OrderMeasures(
        rows=np.arange(n_words),
        places=np.arange(n_words),
        n_places=n_words + int(n_words % 4 > 0),
        n_units=n_words,
        n_components=min(5, max((n_words - 2) // 2, 0)),
        r2=r2,
        held_out=random.uniform(-1.5, 1.5, (n_depths, n_words, 2)).astype(np.float32),
        closing=closing if cyclic else None,
    )


def relation_measures(random: np.random.Generator, n_depths: int, n_pairs: int, undefined: float) -> RelationMeasures:
    """``undefined``: share of depths without a value."""
    return _relation(random, n_depths, n_pairs, undefined)


def order_measures(random: np.random.Generator, n_depths: int, n_words: int, undefined: float) -> OrderMeasures:
    """The same of an order; its R² may be negative."""
    return _order(random, n_words, made_up(random, n_depths, -2.0, undefined=undefined), cyclic=False)


def related_report() -> Report:
    """The sample report's records, with one relation and two orders in every capture; a plot is missing at depth 2."""
    report, random = sample_report(), np.random.default_rng(0)
    models = []
    for model in report.models:
        contexts = []
        for context in model.contexts:
            n_depths = context.states.n_depths
            relation = replace(
                _relation(random, n_depths, len(RELATION.pairs)), rows=np.array(_rows(RELATION.pairs), dtype=np.int64)
            )
            relation.coordinates[2] = np.nan
            orders = tuple(
                replace(
                    _order(random, len(order.words), made_up(random, n_depths, -1, undefined=0.1), cyclic=order.cyclic),
                    rows=np.array(rows),
                )
                for order in ORDERS
                for rows in _rows([order.words])
            )
            orders[1].held_out[..., 1] = np.arange(len(ORDERS[1].words))
            contexts.append(
                replace(
                    context,
                    relations=Relations(n_permutations=999, relations=(relation,), orders=orders),
                )
            )
        models.append(replace(model, contexts=tuple(contexts)))
    return replace(report, relations=(RELATION,), orders=ORDERS, models=tuple(models), differences=())


def _rows(groups: tuple[tuple[str, ...], ...] | list[tuple[str, ...]] | tuple[tuple[str, str], ...]) -> list[list[int]]:
    return [[WORDS.words.index(word) for word in group] for group in groups]
