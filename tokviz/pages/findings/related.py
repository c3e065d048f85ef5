"""Which relations and orders can be read, in which capture most clearly, and where."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tokviz.pages.findings.finding import Found, short
from tokviz.pages.findings.words import at_depth, at_depths
from tokviz.pages.text.catalogue import Fact
from tokviz.pages.text.sentences import depths_where
from tokviz.records import ContextReport, ModelReport, Order, Relation, Report


def of_related(report: Report, model: ModelReport) -> Iterator[Found]:
    """Orders and relations of each capture, each at the depth where it is surest."""
    for context in model.contexts:
        if context.relations is None:
            continue
        for order, asked in zip(context.relations.orders, report.orders, strict=True):
            if order.is_measured and order.holds.any():
                is_beyond = order.is_beyond
                # What the words' looks may explain ranks behind what they can't.
                depth, margin = _surest(is_beyond if is_beyond.any() else order.holds, order.r2.low)
                margin -= 0 if is_beyond.any() else 1
                beyond = depths_where(is_beyond) if is_beyond.any() else ""
                kind = "findings.order.evidence_beyond" if beyond else "findings.order.evidence"
                numbers = {"depth": depth, "r2": float(order.r2.value[depth]), **({"where": beyond} if beyond else {})}
                yield _found(model, context, asked, order.holds, Fact(kind, **numbers), margin)
        for relation, pairs in zip(context.relations.relations, report.relations, strict=True):
            if relation.is_measured and relation.holds.any():
                parallel = relation.parallelism
                depth, margin = _surest(relation.holds, (parallel.low - parallel.null_mean) / 2)
                numbers = {
                    "depth": depth,
                    "cosine": float(parallel.value[depth]),
                    "chance": float(parallel.null_mean[depth]),
                }
                evidence = Fact("findings.order.parallel", **numbers)
                yield _found(model, context, pairs, relation.holds, evidence, margin)


def _surest(holds: np.ndarray, low: np.ndarray) -> tuple[int, float]:
    """``holds``, ``low``: ``(n_depths,)``."""
    sure = np.where(holds, np.nan_to_num(low, nan=-1.0), -np.inf)
    depth = int(sure.argmax())
    return depth, float(sure[depth])


def _found(
    model: ModelReport,
    context: ContextReport,
    asked: Relation | Order,
    holds: np.ndarray,
    evidence: Fact,
    margin: float,
) -> Found:
    kind, label = f"findings.order.{'relation' if isinstance(asked, Relation) else 'read'}", asked.label
    depth = int(evidence.values["depth"])
    return Found(
        slot="order",
        headline=short(
            Fact(kind, label=label, where=at_depths(context, holds)), Fact(kind, label=label, where=at_depth(depth))
        ),
        evidence=(evidence,),
        model=model,
        context=context,
        depth=depth,
        asked=asked,
        margin=margin,
    )
