"""Reports without pictures: captures are measured and compared as a run does it, and what they announce is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tokviz.measure import pca
from tokviz.measure.series import drift, faults
from tokviz.records import (
    Category,
    Checkpoint,
    ContextReport,
    HiddenStates,
    Image,
    ModelPair,
    ModelReport,
    ModelSimilarity,
    Order,
    OrderRows,
    PairRows,
    ProjectionReport,
    Relation,
    Renditions,
    Report,
    SeriesReport,
    WordList,
)
from tokviz.run.plan import captures
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.pairs import Comparer, Comparison, compare_layers, compare_profiles
from tokviz.run.plan.related import Related
from tokviz.run.plan.steps import Step, Steps
from tokviz.run.publishing.deciding import decide
from tokviz.run.store.artefacts import Store

PROJECTION = "standardized"
Comparisons = frozenset[str]
DIFFERENCES, SIMILARITY, CHANGES = "differences", "similarity", "changes"
"""``CHANGES``: each model is before those that follow it."""

_IMAGE = Image(path="images/plate.webp", width=1500, height=1200, n_bytes=0)
_PLATE = Renditions(wide=_IMAGE, phone=_IMAGE)
"""In place of each picture."""


class _Forgetful(Steps):
    """Keeps nothing: made-up states have no digests that tell them apart."""

    def __init__(self) -> None:
        super().__init__(Store(Path("nowhere")))

    def __call__(self, step: Step[Any]) -> Any:
        return step.make(*(self(each) if isinstance(each, Step) else each for each in step.of))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a report asks besides its categories."""

    relations: tuple[Relation, ...] = ()
    orders: tuple[Order, ...] = ()
    compares: Comparisons = frozenset()


def asked_of(
    words: Sequence[str],
    pairs: Sequence[PairRows] = (),
    orders: Sequence[OrderRows] = (),
    compares: Comparisons = frozenset(),
) -> Asked:
    """Relations and orders of made-up words, whose rows are given."""
    return Asked(
        relations=tuple(
            Relation(
                name=f"relation_{index}",
                label=f"Relation {index}",
                pairs=tuple((words[one], words[other]) for one, other in each.pairs),
                candidates=tuple(words[row] for row in each.candidates),
            )
            for index, each in enumerate(pairs)
        ),
        orders=tuple(
            Order(
                name=f"order_{index}",
                label=f"Order {index}",
                words=tuple(words[row] for row in each.words),
                cyclic=each.cyclic,
            )
            for index, each in enumerate(orders)
        ),
        compares=compares,
    )


def inputs_of(
    states: HiddenStates,
    words: WordList,
    pairs: Sequence[PairRows] = (),
    orders: Sequence[OrderRows] = (),
    *,
    projects: bool = False,
) -> Inputs:
    """Of made-up states, whose words are the list's: they get their names and tokens of their own.

    Parameters
    ----------
    projects : whether pictures are measured, too.
    """
    return Inputs(
        states=states,
        ordinary=states if states.tokenization.reads_elsewhere else None,
        words=words,
        related=Related(pairs=tuple(pairs), orders=tuple(orders)),
        measured=(PROJECTION,) if projects else (),
    )


def decided(models: Mapping[str, Sequence[Inputs]], words: WordList, asked: Asked | None = None) -> Report:
    """The report of some models, each with its captures in the same contexts."""
    asked = asked or Asked()
    with threadpool_limits(1, "blas"):
        made = tuple(
            ModelReport(slug=slug, name=slug, source=slug, contexts=tuple(map(_context, own)))
            for slug, own in models.items()
        )
        comparisons = [
            replace(_comparison((one, other), pair), is_change=CHANGES in asked.compares)
            for one, other in combinations(models, 2)
            for pair in zip(models[one], models[other], strict=True)
        ]
        similarities: tuple[ModelSimilarity, ...] = ()
        if SIMILARITY in asked.compares:
            # Nearly all words are one token: it would be the same over those alone.
            similarities = tuple(
                replace(each, single_token=each.shared) for each in compare_layers(comparisons, _Forgetful())
            )
        differences = compare_profiles(comparisons, _Forgetful()) if DIFFERENCES in asked.compares else ()
    return decide(
        _report(words, asked, made[0].contexts, models=made, similarities=similarities, differences=differences)
    )


def decided_series(checkpoints: Sequence[Sequence[Inputs]], words: WordList, asked: Asked | None = None) -> Report:
    """The report of one series, of which each checkpoint has its captures in the same contexts."""
    asked = asked or Asked()
    with threadpool_limits(1, "blas"):
        of_contexts = list(zip(*checkpoints, strict=True))
        drifts = [drift([each.states for each in of_one]) for of_one in of_contexts]
        digests = [tuple(each.states.digest for each in own) for own in checkpoints]
        slugs = ("series-step-0", f"series-step-{len(checkpoints) - 1}")
        comparisons = [replace(_comparison(slugs, (of_one[0], of_one[-1])), is_change=True) for of_one in of_contexts]
        steps = _Forgetful()
        changes = tuple(
            ModelPair(
                model_a=each.slugs[0],
                model_b=each.slugs[1],
                context=each.context,
                paired=steps(each.paired) if each.paired else None,
                changed=steps(each.changed) if each.changed else None,
            )
            for each in comparisons
        )
        made = tuple(
            Checkpoint(
                key=f"step-{index}",
                label=f"step {index}",
                step=index,
                model=ModelReport(
                    slug=f"series-step-{index}",
                    name=f"step {index}",
                    source="series",
                    contexts=tuple(_context(replace(each, measured=(), is_checkpoint=True)) for each in own),
                ),
                residuals=tuple(np.zeros(each.states.n_depths) for each in own),
            )
            for index, own in enumerate(checkpoints)
        )
    series = SeriesReport(
        slug="series",
        name="series",
        unit="steps",
        checkpoints=made,
        reference=len(made) - 1,
        projection=PROJECTION,
        faults=faults(drifts, digests),
        changes=changes,
    )
    return decide(_report(words, asked, made[0].model.contexts, series=(series,)))


def _report(words: WordList, asked: Asked, contexts: Sequence[ContextReport], **more: Any) -> Report:
    return Report(
        **{
            "title": "A report",
            "subtitle": None,
            "author": None,
            "site_url": None,
            "intro": (),
            "words": words,
            "relations": asked.relations,
            "orders": asked.orders,
            "contexts": tuple(each.states.context for each in contexts),
            "projections": (PROJECTION,),
            "models": (),
            "command": "make falsify",
            "version": "0",
            **more,
        }
    )


def _context(inputs: Inputs) -> ContextReport:
    states = inputs.states
    projection = pca.project(states.states, states.tokenization.reference, PROJECTION, None)
    asked = captures.measures(inputs)
    measures = {name: _Forgetful()(step) for name, step in asked.items() if name not in ("neighbours", "same_category")}
    shown = ProjectionReport(projection=projection, plates=(_PLATE,) * states.n_depths, grid=None, strip=None)
    return ContextReport(states=states, projections=(shown,), **measures)


def _comparison(slugs: tuple[str, str], inputs: tuple[Inputs, Inputs]) -> Comparison:
    return Comparison(slugs=slugs, inputs=inputs, in_detail=False, comparer=Comparer())


# --- captures ------------------------------------------------------------------------------------------------------


def at_depths(states: HiddenStates, depths: Sequence[int]) -> HiddenStates:
    """Some depths of a capture."""
    chosen = list(depths)
    return replace(
        states,
        module_paths=tuple(states.module_paths[depth] for depth in chosen),
        states=[states.states[depth] for depth in chosen],
        position0_values=states.position0_values[chosen],
        position0_dimensions=states.position0_dimensions[chosen],
        updates=None,
        attention=(),
        digest=f"{states.digest} {chosen}",
    )


def of_words(states: HiddenStates, rows: Sequence[int]) -> HiddenStates:
    """Some words of a capture, in another order."""
    chosen = list(rows)
    words = tuple(states.tokenization.words[row] for row in chosen)
    return replace(
        states,
        tokenization=replace(states.tokenization, words=words),
        states=[state[chosen] for state in states.states],
        position0_values=states.position0_values[:, chosen],
        position0_dimensions=states.position0_dimensions[:, chosen],
    )


def with_states_of(states: HiddenStates, rows: Sequence[int]) -> HiddenStates:
    """The same words, each with the states of another one."""
    return replace(of_words(states, rows), tokenization=states.tokenization)


def labelled(words: Sequence[str], labels: Sequence[int]) -> WordList:
    """Words with one category each; their order is that of the categories."""
    return WordList(
        categories=tuple(
            Category(
                key=f"category_{index}",
                label=f"Category {index + 1}",
                words=tuple(word for word, own in zip(words, labels, strict=True) if own == index),
            )
            for index in sorted(set(labels))
        )
    )


def named(states: HiddenStates, words: Sequence[str], name: str = "alone") -> HiddenStates:
    """Made-up states of these words; their tokens are such as a tokenizer gives in no order of theirs."""
    ids = np.random.default_rng(0).permutation(len(words))
    tokens = tuple(
        replace(token, word=word, text=word, ids=(*token.ids[:-1], 300 + int(id_)))
        for token, word, id_ in zip(states.tokenization.words, words, ids, strict=True)
    )
    return replace(
        states,
        tokenization=replace(states.tokenization, words=tokens),
        context=replace(states.context, name=name, label=name),
    )
