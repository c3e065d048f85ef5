"""What the numbers say of relations and orders: over all depths of a context, and at one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tokviz.pages.text.catalogue import sentence
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.sentences import depths_where, over_sentences
from tokviz.pages.text.wording import count, ranged, score
from tokviz.records import Beyond, Order, OrderMeasures, RelationMeasures, Tested
from tokviz.text import isolated

LOOKS: Mapping[str, str] = {
    "frequency": "scope.beyond.frequency",
    "tokens": "scope.beyond.tokens",
    "spelling": "scope.beyond.spelling",
    "categories": "scope.beyond.categories",
}
"""The catalogue's names of what words look like."""
LEAST_NEAR = 0.5
"""Of the second words: where the first words alone find more of them, at the median depth, the pairs lie near each other."""
NOT_MEASURED = "Not measured"


def relation_sentences(measured: RelationMeasures, n_asked: int, templates: Sequence[str] = ()) -> tuple[str, ...]:
    """Whether pairs differ by one vector, as far as the numbers say so.

    Parameters
    ----------
    n_asked : pairs in the configuration.
    templates : of the context.
    """
    n_pairs = len(measured.rows)
    if not measured.is_measured:
        return (_too_few(n_pairs, "pairs of reference words", measured.LEAST_PAIRS),)
    parallelism = measured.parallelism
    known = np.isfinite(parallelism.value)
    if not known.any():
        return ("Not defined at any depth: one of the first words has the same state as one of the second words.",)
    left_out = f"{n_pairs} of {n_asked} pairs are measured here; of the others, not both words are reference words."
    said = (
        _verdict(measured, known),
        *over_sentences(measured.holds, measured.template_holds, templates),
        _against_shuffled(parallelism),
        _found(measured),
        left_out if n_pairs < n_asked else "",
    )
    return tuple(filter(None, said))


def _against_shuffled(parallelism: Tested) -> str:
    parallel = parallelism.claim.holds
    if not parallel.any():
        return ""
    return (
        f"At {depths_where(parallel)}, the pairs’ differences are more parallel than with the same words paired at random (mean cosine "
        f"{ranged(parallelism.value[parallel], score)}, at random {ranged(parallelism.null_mean[parallel], score)})."
    )


def _found(measured: RelationMeasures) -> str:
    """Empty where hits aren't known."""
    if not np.isfinite(measured.hits).any():
        return ""
    return (
        f"Over all depths, the first word plus the mean difference of the other pairs finds {_whole(measured.hits)} of "
        f"{count(len(measured.rows), 'second word')} among the {count(measured.n_candidates, 'word')} of their category; the first "
        f"word alone finds {_whole(measured.hits_of_source)}."
    )


def _whole(hits: np.ndarray) -> str:
    """``8–10``."""
    return ranged(hits, lambda value: f"{value:g}")


def _verdict(measured: RelationMeasures, known: np.ndarray) -> str:
    holds = measured.holds
    if holds.any():
        return (
            f"At {depths_where(holds)}, a common difference leads from the first words to the second: the pairs’ differences are more "
            "parallel than chance, and their mean leads to the second words better than the first words alone do."
        )
    if not measured.can_be_tested:
        return (
            f"{count(len(measured.rows), 'pair')} are too few to be tested at the level of this report: whether a common difference "
            "leads from the first words to the second remains open."
        )
    near = measured.hits_of_source[known & np.isfinite(measured.hits_of_source)]
    if len(near) and np.median(near) > LEAST_NEAR * len(measured.rows):
        return "The pairs lie near each other; that a common difference leads from the first words to the second isn’t shown."
    return "It isn’t shown that a common difference leads from the first words to the second."


_ARE_ONE = "forms of one word, and words that are declared to belong together, are one"


def order_sentences(measured: OrderMeasures, order: Order, templates: Sequence[str] = ()) -> tuple[str, ...]:
    """Whether an order can be read from the states, and whether it closes, as far as the numbers say so."""
    n_words = len(measured.rows)
    if not measured.is_measured:
        which = f"reference words{f' ({_ARE_ONE})' if measured.n_units < n_words else ''}"
        return (_too_few(measured.n_units, which, measured.LEAST_WORDS),)
    r2, holds = measured.r2, measured.holds
    if not np.isfinite(r2.value).any():
        return ("Not defined at any depth: the words don’t differ, or one word alone makes up a principal component.",)
    what = "place in the cycle" if order.cyclic else "place"
    how = f"from the first {count(measured.n_components, 'principal component')} of these {count(n_words, 'word')}"
    best = float(np.nanmax(r2.value))
    if holds.any():
        said = (
            f"At {depths_where(holds)}, a word’s {what} can be read {how}, better than permuted orders can: leave-one-out R² "
            f"{ranged(r2.value[holds], score)}."
        )
    else:
        reached = f"at most {score(best)}" if best > 0 else "nowhere above 0"
        said = f"It isn’t shown that a word’s {what} can be read {how} at any depth: leave-one-out R² is {reached}."
    left_out = f"{n_words} of {measured.n_places} words are measured here; the others aren’t reference words."
    together = f"They count as {measured.n_units}: {_ARE_ONE}, and left out together."
    told = (
        said,
        _beyond(measured),
        *over_sentences(holds, r2.claim.template_holds, templates),
        *(_closing(measured, order) if order.cyclic and holds.any() else ()),
        left_out if n_words < measured.n_places else "",
        together if measured.n_units < n_words else "",
    )
    return tuple(filter(None, told))


def _looks_of(beyond: Beyond) -> tuple[Fact, ...]:
    """What words look like, as sentences call it."""
    return tuple(Fact(LOOKS[each]) for each in beyond.looks)


def _beyond(measured: OrderMeasures) -> str:
    """Whether an order that can be read is more than what its words look like."""
    if measured.beyond is None or not measured.holds.any():
        return ""
    looks, where = _looks_of(measured.beyond), measured.is_beyond
    found = Fact("scope.beyond.shown", looks=looks, where=depths_where(where)) if where.any() else None
    return sentence([found or Fact("scope.beyond.not_shown", looks=looks)])


def _closing(measured: OrderMeasures, order: Order) -> tuple[str, ...]:
    """Whether the ends of a cycle that can be read meet, and whether it is a circle."""
    first, last = (order.words[measured.places[end]] for end in (0, -1))
    ends_meet, is_circle = measured.ends_meet, measured.is_circle
    if not ends_meet.any():
        return (f"It isn’t shown that the ends meet: that {isolated(last)} lies near {isolated(first)}.",)
    met = f"At {depths_where(ends_meet)}, the ends meet: the last words, up to {isolated(last)}, lie near the first, from {isolated(first)} on."
    if not is_circle.any():
        return (met,)
    return (
        met,
        f"At {depths_where(is_circle)}, the words lie in a circle: those opposite each other are farthest apart.",
    )


def _too_few(number: int, what: str, least: int) -> str:
    return f"{NOT_MEASURED}: at least {least} {what} are needed; of these, this capture has {number or 'none'}."


# --- at one depth ----------------------------------------------------------------------------------------------------


def relation_at(measured: RelationMeasures, depth: int) -> str:
    """What the numbers say of one depth; nothing where there are none."""
    parallelism = measured.parallelism
    if not np.isfinite(parallelism.value[depth]):
        return ""
    cosines = f"mean cosine {score(parallelism.value[depth])}, at random {score(parallelism.null_mean[depth])}"
    hits, without = measured.hits[depth], measured.hits_of_source[depth]
    found = f" ({hits:.0f} of {len(measured.rows)} found, {without:.0f} without it)" if np.isfinite(hits) else ""
    parallel = f"more parallel than with the same words paired at random ({cosines})"
    leads = f"the mean difference of the other pairs leads to the second words better than the first word alone{found}"
    if measured.holds[depth]:
        return f"The pairs have a common difference here: their differences are {parallel}, and {leads}."
    if not measured.parallelism.claim.holds[depth]:
        return f"It isn’t shown that the pairs have a common difference here, or that their differences are {parallel}."
    return f"It isn’t shown that the pairs have a common difference here: their differences are {parallel}, but it isn’t shown that {leads}."


def order_at(measured: OrderMeasures, depth: int) -> str:
    """What the numbers say of one depth; nothing where there are none."""
    r2 = measured.r2
    if not np.isfinite(r2.value[depth]):
        return ""
    if not measured.holds[depth]:
        return f"It isn’t shown that the order can be read here: leave-one-out R² is {score(r2.value[depth])}."
    read = f"The order can be read here: leave-one-out R² is {score(r2.value[depth])}.{_beyond_at(measured, depth)}"
    if measured.closing is None:
        return read
    if measured.is_circle[depth]:
        return f"{read} Its ends meet, and the words lie in a circle."
    return f"{read} Its ends meet." if measured.ends_meet[depth] else f"{read} It isn’t shown that its ends meet."


def _beyond_at(measured: OrderMeasures, depth: int) -> str:
    """Whether it is more there than what the words look like."""
    if measured.beyond is None:
        return ""
    looks = _looks_of(measured.beyond)
    here = Fact("scope.beyond.here", looks=looks) if measured.is_beyond[depth] else None
    return f" {sentence([here or Fact('scope.beyond.not_shown', looks=looks)])}"
