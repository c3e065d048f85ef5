"""What the numbers say of relations and orders, over all depths of a context and at one: facts of ``catalogue/model.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tokviz.pages.text.catalogue import Fact, sentence
from tokviz.pages.text.sentences import depths_where, over_sentences
from tokviz.records import Beyond, Order, OrderMeasures, RelationMeasures
from tokviz.text import isolated

LEAST_NEAR = 0.5
"""Of the second words: where the first words alone find more of them, at the median depth, the pairs lie near each other."""


def _said(*facts: Fact) -> tuple[str, ...]:
    """A sentence for each."""
    return tuple(sentence([each]) for each in facts)


def _or_none(number: int) -> int | Fact:
    return number or Fact("model.relation.none")


# --- relations -------------------------------------------------------------------------------------------------------


def relation_sentences(measured: RelationMeasures, n_asked: int, templates: Sequence[str] = ()) -> tuple[str, ...]:
    """Whether pairs differ by one vector, as far as the numbers say so.

    Parameters
    ----------
    n_asked : pairs in the configuration.
    templates : of the context.
    """
    if not measured.is_measured:
        return _said(Fact("model.relation.too_few", least=measured.LEAST_PAIRS, n=_or_none(len(measured.rows))))
    known = np.isfinite(measured.parallelism.value)
    if not known.any():
        return _said(Fact("model.relation.undefined"))
    return (
        *_said(_verdict(measured, known)),
        *over_sentences(measured.holds, measured.template_holds, templates),
        *_said(*_on_pairs(measured, n_asked)),
    )


def _verdict(measured: RelationMeasures, known: np.ndarray) -> Fact:
    holds, n_pairs = measured.holds, len(measured.rows)
    if holds.any():
        return Fact("model.relation.shown", where=depths_where(holds))
    if not measured.can_be_tested:
        return Fact("model.relation.not_tested", pairs=n_pairs)
    near = measured.hits_of_source[known & np.isfinite(measured.hits_of_source)]
    are_near = len(near) and np.median(near) > LEAST_NEAR * n_pairs
    return Fact("model.relation.near" if are_near else "model.relation.not_shown")


def _on_pairs(measured: RelationMeasures, n_asked: int) -> Iterator[Fact]:
    """On what the verdict rests: how parallel the differences are, what their mean finds, and how many pairs there are."""
    parallelism, n_pairs = measured.parallelism, len(measured.rows)
    if (holds := parallelism.claim.holds).any():
        cosines = {"cosines": parallelism.value[holds], "random": parallelism.null_mean[holds]}
        yield Fact("model.relation.parallel", where=depths_where(holds), **cosines)
    if np.isfinite(measured.hits).any():
        hits = {"hits": measured.hits, "of_first": measured.hits_of_source}
        yield Fact("model.relation.found", pairs=n_pairs, candidates=measured.n_candidates, **hits)
    if n_pairs < n_asked:
        yield Fact("model.relation.left_out", n=n_pairs, asked=n_asked)


def relation_at(measured: RelationMeasures, depth: int) -> str:
    """What the numbers say of one depth; nothing where there are none."""
    cosine, random = measured.parallelism.value[depth], measured.parallelism.null_mean[depth]
    if not np.isfinite(cosine):
        return ""
    parallel = Fact("model.relation_at.parallel", cosine=cosine, random=random)
    if not measured.parallelism.claim.holds[depth]:
        return sentence([Fact("model.relation_at.not_shown", parallel=parallel)])
    hits, of_first = float(measured.hits[depth]), float(measured.hits_of_source[depth])
    values = {"hits": hits, "pairs": len(measured.rows), "of_first": of_first}
    found = Fact("model.relation_at.found", **values) if np.isfinite([hits, of_first]).all() else ()
    kind = "model.relation_at.shown" if measured.holds[depth] else "model.relation_at.only_parallel"
    return sentence([Fact(kind, parallel=parallel, leads=Fact("model.relation_at.leads", found=found))])


# --- orders ----------------------------------------------------------------------------------------------------------


def order_sentences(measured: OrderMeasures, order: Order, templates: Sequence[str] = ()) -> tuple[str, ...]:
    """Whether an order can be read from the states, and whether it closes, as far as the numbers say so."""
    n_words, are_one = len(measured.rows), Fact("model.order.are_one")
    if not measured.is_measured:
        few = {"least": measured.LEAST_WORDS, "n": _or_none(measured.n_units)}
        if measured.n_units < n_words:
            return _said(Fact("model.order.too_few_units", are_one=are_one, **few))
        return _said(Fact("model.order.too_few", **few))
    if not np.isfinite(measured.r2.value).any():
        return _said(Fact("model.order.undefined"))
    of_words = []
    if n_words < measured.n_places:
        of_words.append(Fact("model.order.left_out", n=n_words, of=measured.n_places))
    if measured.n_units < n_words:
        of_words.append(Fact("model.order.together", n=measured.n_units, are_one=are_one))
    return (
        *_said(_read(measured, order), *(_beyond(measured) if measured.holds.any() else ())),
        *over_sentences(measured.holds, measured.r2.claim.template_holds, templates),
        *_said(*_closing(measured, order), *of_words),
    )


def _read(measured: OrderMeasures, order: Order) -> Fact:
    r2, holds = measured.r2.value, measured.holds
    how = {
        "place": Fact("model.order.place_in_cycle" if order.cyclic else "model.order.place"),
        "how": Fact("model.order.how", n=measured.n_components, words=len(measured.rows)),
    }
    if holds.any():
        return Fact("model.order.shown", where=depths_where(holds), r2=r2[holds], **how)
    best = float(np.nanmax(r2))
    return Fact("model.order.not_shown", r2=best, **how) if best > 0 else Fact("model.order.not_above_0", **how)


def _beyond(measured: OrderMeasures) -> tuple[Fact, ...]:
    """Whether an order that can be read is more than what its words look like; nothing where that wasn't asked."""
    if measured.beyond is None:
        return ()
    looks, where = _looks_of(measured.beyond), measured.is_beyond
    if where.any():
        return (Fact("scope.beyond.shown", looks=looks, where=depths_where(where)),)
    return (Fact("scope.beyond.not_shown", looks=looks),)


def _looks_of(beyond: Beyond) -> tuple[Fact, ...]:
    """What words look like, as sentences call it."""
    return tuple(Fact(f"scope.beyond.{each}") for each in beyond.looks)


def _closing(measured: OrderMeasures, order: Order) -> Iterator[Fact]:
    """Whether the ends of a cycle that can be read meet, and whether it is a circle."""
    if not order.cyclic or not measured.holds.any():
        return
    ends = {name: isolated(order.words[measured.places[end]]) for name, end in (("first_word", 0), ("last_word", -1))}
    ends_meet, is_circle = measured.ends_meet, measured.is_circle
    if not ends_meet.any():
        yield Fact("model.order.ends_not_shown", **ends)
        return
    yield Fact("model.order.ends_meet", where=depths_where(ends_meet), **ends)
    if is_circle.any():
        yield Fact("model.order.circle", where=depths_where(is_circle))


def order_at(measured: OrderMeasures, depth: int) -> str:
    """What the numbers say of one depth; nothing where there are none."""
    return " ".join(_said(*_order_at(measured, depth)))


def _order_at(measured: OrderMeasures, depth: int) -> Iterator[Fact]:
    r2 = measured.r2.value[depth]
    if not np.isfinite(r2):
        return
    if not measured.holds[depth]:
        yield Fact("model.order_at.not_shown", r2=r2)
        return
    yield Fact("model.order_at.shown", r2=r2)
    if measured.beyond is not None:
        kind = "scope.beyond.here" if measured.is_beyond[depth] else "scope.beyond.not_shown"
        yield Fact(kind, looks=_looks_of(measured.beyond))
    if measured.is_circle[depth]:
        yield Fact("model.order_at.circle")
    elif measured.closing is not None:
        yield Fact("model.order_at.ends_meet" if measured.ends_meet[depth] else "model.order_at.ends_not_shown")
