"""One rule for everything that a report claims: max-T within a family of tests, Bonferroni over the questions that are asked.

Westfall & Young 1993, Resampling-based multiple testing. Holm's later steps are not for families in which some values are
truly above chance and others aren't: announced at a higher level once the family has passed, the others would add up to more
than the level.

Each value is put on the scale of its own shuffles, so that a null that varies with the geometry favours no depth. The same
shuffles serve all captures, so that the highest of each among all values is what chance makes of a whole report, however its
values depend on each other; captures that are alike count once by themselves.

A further question, such as whether the ends of an order meet, is answered only where the first one is, whether the order can be
read. So it has a family of its own, at the level of the first one, and isn't counted again (gatekeeping: Westfall &
Krishen 2001). In one family with the first one's scores, which have no upper bound, it could hardly ever be answered.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np

from tokviz.records import LEVEL, Claim, Family

Record = TypeVar("Record")
N_SHUFFLES = 1999
"""Enough for twenty families of tests in one report: no p-value is below one in two thousand."""
_LEAST_SPREAD = 1e-9
"""Shuffles that scatter by less are all alike: they leave nothing to be held against."""


def claim(
    family: str, values: np.ndarray, shuffled: np.ndarray, is_eligible: np.ndarray, n_arrangements: float = np.inf
) -> Claim:
    """Of values and what their shuffles give.

    Parameters
    ----------
    values : ``(n,)``, NaN where undefined.
    shuffled : ``(n, n_shuffles)``; the same shuffles in all claims of the family.
    is_eligible : ``(n,)`` bool, see ``Claim``.
    n_arrangements : how many different shuffles there are.
    """
    with np.errstate(invalid="ignore"):
        mean, spread = shuffled.mean(axis=1), shuffled.std(axis=1)
    known = np.isfinite(values) & np.isfinite(mean) & (spread > _LEAST_SPREAD * np.maximum(np.abs(mean), 1))
    scale = np.where(known, spread, np.nan)
    scores = (shuffled - mean[:, None]) / scale[:, None]
    return scored(family, (values - mean) / scale, scores, is_eligible, n_arrangements)


def scored(
    family: str, score: np.ndarray, scores: np.ndarray, is_eligible: np.ndarray, n_arrangements: float = np.inf
) -> Claim:
    """Of what is on one scale already: ``score`` ``(n,)``, and ``scores`` ``(n, n_shuffles)`` by chance."""
    n = len(score)
    highest = np.where(np.isfinite(scores), scores, -np.inf).max(axis=0, initial=-np.inf)
    return Claim(
        family=family,
        score=score,
        highest=highest.astype(np.float32),
        is_eligible=is_eligible,
        least_p_value=max(1 / (len(highest) + 1), 1 / n_arrangements),
        p_value=np.full(n, np.nan),
        holds=np.zeros(n, dtype=bool),
    )


def of_median(median: Claim, templates: Sequence[Claim]) -> Claim:
    """A claim on the median over a context's templates, with what each of them says alone, which belongs to its family."""
    if len(templates) < 2:
        return median
    return replace(
        median,
        highest=np.maximum.reduce([each.highest for each in (median, *templates)]),
        template_score=np.array([each.score for each in templates]),
        template_is_eligible=np.array([each.is_eligible for each in templates]),
    )


def claim_on_median(
    family: str,
    templates: Sequence[np.ndarray],
    are_eligible: Sequence[np.ndarray],
    is_eligible: np.ndarray,
    n_arrangements: float = np.inf,
) -> Claim:
    """``claim`` on the median over a context's templates.

    Parameters
    ----------
    templates : ``(n, 1 + n_shuffles)`` each: values, then what their shuffles give.
    are_eligible, is_eligible : ``(n,)`` bool: of each template; of the median.
    """
    alone = [
        claim(family, each[:, 0], each[:, 1:], eligible, n_arrangements)
        for each, eligible in zip(templates, are_eligible, strict=True)
    ]
    if len(alone) == 1:
        return replace(alone[0], is_eligible=is_eligible)
    median = np.median(np.array(templates), axis=0)
    return of_median(claim(family, median[:, 0], median[:, 1:], is_eligible, n_arrangements), alone)


def decide(claims: Iterable[Claim]) -> dict[str, Family]:
    """The families of all claims of a report, by their keys.

    Where there are more questions than shuffles can tell apart, all relations and orders are one question: each is held against the
    best that a shuffle does in any of them. What still has too few shuffles for the level announces nothing, and is left out of the
    count that the level is divided by: first those that need most, of equal ones the last.

    Raises
    ------
    ValueError : claims of one family, or of relations and orders that are one question, that aren't held against the same number of
        shuffles.
    """
    by_family: dict[str, list[Claim]] = {}
    for each in claims:
        if np.isfinite(each.score).any():
            by_family.setdefault(each.family, []).append(each)
    by_question = _by(by_family, _question)
    joined: Callable[[str], str] = str
    n_shuffles = min((len(each.highest) for own in by_family.values() for each in own), default=0)
    if len(by_question) > LEVEL * (n_shuffles + 1):
        joined = _joined
        by_question = _by(by_family, lambda key: _question(_joined(key)))
    beside = _by(by_family, joined)
    tested = sorted(by_question, key=lambda question: _least_p_value(by_question[question]))
    while tested and _least_p_value(by_question[tested[-1]]) > LEVEL / len(tested):
        tested.pop()
    level = LEVEL / max(len(tested), 1)
    return {
        key: _family(key, each, beside[joined(key)], level if _question(joined(key)) in tested else 0.0)
        for key, each in by_family.items()
    }


def _by(families: Mapping[str, Sequence[Claim]], key_of: Callable[[str], str]) -> dict[str, list[Claim]]:
    found: dict[str, list[Claim]] = {}
    for key, each in families.items():
        found.setdefault(key_of(key), []).extend(each)
    return found


def _question(key: str) -> str:
    """Without what is asked further."""
    return key.partition(",")[0]


def _joined(key: str) -> str:
    """Of relations and orders one key for all."""
    return re.sub(r"^(relation|order) \d+", "relations and orders", key)


def _least_p_value(claims: Sequence[Claim]) -> float:
    return min(each.least_p_value for each in claims)


def _family(key: str, claims: Sequence[Claim], beside: Sequence[Claim], level: float) -> Family:
    """``beside``: all whose best counts, ``claims`` among them."""
    highest = np.sort(np.max([each.highest for each in beside], axis=0).astype(np.float64))
    scores = np.concatenate([each.all_scores for each in claims])
    family = Family(
        key=key,
        highest=highest,
        n_values=int(np.isfinite(scores).sum()),
        p_value=float("nan"),
        least_p_value=_least_p_value(claims),
        level=level,
    )
    return replace(family, p_value=float(np.nanmin(family.p_values(scores))))


# --- claims within records -----------------------------------------------------------------------------------------


def claims_in(record: Any) -> Iterator[Claim]:
    """All that a record of measures holds, at any depth of it."""
    if isinstance(record, Claim):
        yield record
    elif dataclasses.is_dataclass(record):
        for field in dataclasses.fields(record):
            yield from claims_in(getattr(record, field.name))
    elif isinstance(record, tuple):
        for each in record:
            yield from claims_in(each)


def with_decisions(record: Record, families: Mapping[str, Family]) -> Record:
    """The same record with all its claims decided."""
    return cast(Record, _with_decisions(record, families))


def _with_decisions(record: Any, families: Mapping[str, Family]) -> Any:
    if isinstance(record, Claim):
        return record.decided(families[record.family]) if record.family in families else record
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
        found = {name: _with_decisions(value, families) for name, value in values.items()}
        changed = {name: value for name, value in found.items() if value is not values[name]}
        return replace(record, **changed) if changed else record
    if isinstance(record, tuple):
        made = tuple(_with_decisions(each, families) for each in record)
        return made if any(new is not old for new, old in zip(made, record, strict=True)) else record
    return record
