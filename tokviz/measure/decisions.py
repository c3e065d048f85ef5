"""One rule for everything that a report claims: max-T within a family of tests, shares of one level over the families.

Westfall & Young 1993, Resampling-based multiple testing. Holm's later steps are not for families in which some values are
truly above chance and others aren't: announced at a higher level once the family has passed, the others would add up to more
than the level.

Each value is put on the scale of its own shuffles, so that a null that varies with the geometry favours no depth. The same
shuffles serve all captures, so that the highest of each among all values is what chance makes of a whole report, however its
values depend on each other; captures that are alike count once by themselves.

Families have shares of the level, and those of one share a common threshold, on a scale on which their tails are alike: each is passed by
chance no more often than in so many reports as the share allows for, all its families together, however these depend on each other. A
further question, such as whether the ends of an order meet, is a family like others: that it is answered only where the first one is
doesn't make its errors fewer where the first one is true. A share of which all is shown passes its part on to the others (Bretz et al.
2009, A graphical approach to sequentially rejective multiple test procedures).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np

from tokviz.records import LEVEL, Claim, Family
from tokviz.records.claims import Pool

Record = TypeVar("Record")
N_SHUFFLES = 1999
"""Of which a share of a quarter of the level lets five pass, in all of its families."""
SHARES = {"first": 0.5, "categories": 0.25, "others": 0.25}
"""Of the level."""
_SHARE_OF = {
    "surface": "first",
    "paired": "first",
    "differences": "first",
    "categories": "categories",
    "categories, each": "categories",
    "paired by category": "categories",
}
"""Of families; of relations, orders, the lens and whatever else there may be the last one."""
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

    What has too few different shuffles for the level of its share announces nothing and isn't counted. A share without anything to test
    leaves its part to the others, as does one of which every value is shown.

    Raises
    ------
    ValueError : claims of one family that aren't held against the same number of shuffles.
    """
    by_family: dict[str, list[Claim]] = {}
    for each in claims:
        if np.isfinite(each.score).any():
            by_family.setdefault(each.family, []).append(each)
    families = {key: _family(key, each) for key, each in by_family.items()}
    left = [share for share in SHARES if any(each.share == share for each in families.values())]
    while left:
        total = sum(SHARES[share] for share in left)
        for share in left:
            families |= _at_level(families, share, LEVEL * SHARES[share] / total)
        tested = {share: [each for each in families.values() if each.share == share and each.level] for share in left}
        done = [share for share in left if tested[share] and _are_shown(tested[share], by_family)]
        done = done or [share for share in left if not tested[share]]
        if not done:
            break
        left = [share for share in left if share not in done]
    return families


def _family(key: str, claims: Sequence[Claim]) -> Family:
    highest = np.sort(np.max([each.highest for each in claims], axis=0).astype(np.float64))
    scores = np.concatenate([each.all_scores for each in claims])
    return Family(
        key=key,
        share=_SHARE_OF.get(key, "others"),
        highest=highest,
        n_values=int(np.isfinite(scores).sum()),
        best=float(np.nanmax(scores)),
        least_p_value=min(each.least_p_value for each in claims),
        level=0.0,
    )


def _at_level(families: Mapping[str, Family], share: str, level: float) -> dict[str, Family]:
    """Those of a share; what can't be tested has a level of 0."""
    own = [replace(each, level=level) for each in families.values() if each.share == share]
    tested = [each for each in own if each.can_be_tested]
    many = len(tested) > Family.MOST_SHAPED
    own, tested = ([replace(each, is_one_of_many=many) for each in some] for some in (own, tested))
    pool = Pool.of(tested) if tested else None
    return {each.key: replace(each, pool=pool) if each.can_be_tested else replace(each, level=0.0) for each in own}


def _are_shown(families: Iterable[Family], claims: Mapping[str, Sequence[Claim]]) -> bool:
    return all(each.shows(claim) for each in families for claim in claims[each.key])


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
