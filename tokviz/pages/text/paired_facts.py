"""What is said of captures that are held against each other word by word: facts, which the catalogue puts into words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tokviz.pages.text import catalogue
from tokviz.pages.text.facts import Fact
from tokviz.pages.text.sentences import depths_where
from tokviz.records import ContextReport, ModelReport, Paired, PairedMeasures, Report, Untrained

_ALWAYS = "purity"
"""Other measures are spoken of where a difference is shown."""
_MEASURES = {
    _ALWAYS: "paired.measures.purity",
    "silhouette": "paired.measures.silhouette",
    "kept": "paired.measures.kept",
}


@dataclass(frozen=True, kw_only=True)
class _Held:
    """One capture, and what it is held against."""

    found: PairedMeasures
    than: str
    from_what: str
    """What it is held against, in a sentence that says how they differ, and in one that says that this isn't shown."""
    named: Mapping[str, object]
    """What both name."""
    names: tuple[str, str] | None = None
    """Of two models."""
    deeper: str | None = None
    """The model whose depths are named, where the other one has another number of them."""


def of_model(report: Report, model: ModelReport) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Paragraphs on the purity of a model's contexts; and on other measures, neurons set to a value, and what counts as one word."""
    lead, more = [], []
    grouped = ""
    for context in model.contexts:
        for each in (context, *context.interventions):
            held = tuple(_held(each, model.contexts[0]))
            of_purity, of_others = (_sentences(report, held, is_purity) for is_purity in (True, False))
            words = f"Words {each.states.context.label}. "
            if each.rule is None:
                lead += [f"{words}{of_purity}"] if of_purity else []
                more += [f"{words}{of_others}"] if of_others else []
            else:
                more += [f"{words}{of_purity} {of_others}".strip()] if held else []
            grouped = grouped or next((catalogue.sentence(_groups(one.found)) for one in held), "")
    return tuple(lead), (*more, grouped) if grouped else ()


def of_models(report: Report, found: PairedMeasures, names: tuple[str, str]) -> str:
    """What two models differ in; ``names``: of both, in the order in which they were compared."""
    last_a, last_b = found.depths.max(axis=0)
    deeper = None if last_a == last_b else names[int(last_b > last_a)]
    held = _Held(
        found=found,
        than="paired.than.models",
        from_what="paired.from_what.models",
        named={},
        names=names,
        deeper=deeper,
    )
    return " ".join(filter(None, (_sentences(report, [held], is_purity) for is_purity in (True, False))))


def _held(capture: ContextReport, first: ContextReport) -> Iterator[_Held]:
    paired = capture.paired
    if paired is None:
        return
    has_sentences = capture.has_templates
    controls = {
        "seeds": Untrained.N_SEEDS,
        "in_first_sentence": Fact("paired.parts.in_first_sentence") if has_sentences else "",
    }
    label = {"context": first.states.context.label}
    for found, than, from_what, named in (
        (paired.untrained, "paired.than.untrained", "paired.from_what.untrained", controls),
        (paired.unchanged, "paired.than.unchanged", "paired.from_what.unchanged", {}),
        (paired.first_context, "paired.than.first_context", "paired.from_what.first_context", label),
        (paired.embedding, "paired.than.embedding", "paired.from_what.embedding", {}),
    ):
        if found is not None:
            yield _Held(found=found, than=than, from_what=from_what, named=named)


def _sentences(report: Report, every: Sequence[_Held], is_purity: bool) -> str:
    return " ".join(catalogue.sentence([fact]) for each in every for fact in _facts(report, each, is_purity))


def _facts(report: Report, held: _Held, is_purity: bool) -> Iterator[Fact]:
    """``is_purity``: whether of purity, or of the other measures."""
    for name, key in _MEASURES.items():
        if is_purity is not (name == _ALWAYS):
            continue
        measure = getattr(held.found, name)
        overall: Paired = measure.overall
        said = Fact(key)
        if overall.holds.any():
            yield Fact(
                "paired.shown",
                measure=said,
                **_changes(held, overall),
                for_categories=_categories(report, held.found, measure.by_category),
            )
        elif name == _ALWAYS:
            yield _not_shown(held, overall, said, _categories(report, held.found, measure.by_category))


def _not_shown(held: _Held, overall: Paired, said: Fact, for_categories: Fact | str) -> Fact:
    named = held.named if held.names is None else dict(zip(("one", "other"), held.names, strict=True))
    from_what = Fact(held.from_what, **named)
    reach = np.maximum(np.abs(overall.low), np.abs(overall.high))
    if overall.is_too_few[0] or not np.isfinite(reach).any():
        least = {"groups": PairedMeasures.LEAST_GROUPS, "in_each": PairedMeasures.LEAST_IN_EACH}
        return Fact("paired.too_few", measure=said, from_what=from_what, **least)
    return Fact(
        "paired.not_shown",
        measure=said,
        from_what=from_what,
        most=float(np.nanmax(reach)),
        for_categories=for_categories,
    )


def _changes(held: _Held, overall: Paired) -> dict[str, object]:
    """Where it is higher and where lower; the surest difference first."""
    value, low, high, holds = (each[0] for each in (overall.value, overall.low, overall.high, overall.holds))
    sure = np.where(holds, np.minimum(np.abs(low), np.abs(high)), -1)
    signs = sorted(
        {float(each) for each in np.sign(value[holds])}, key=lambda sign: -sure[np.sign(value) == sign].max()
    )
    facts = [_change(held, overall, sign, is_first=index == 0) for index, sign in enumerate(signs)]
    return {"change": facts[0], "other_change": facts[1] if len(facts) > 1 else ""}


def _change(held: _Held, overall: Paired, sign: float, *, is_first: bool) -> Fact:
    value, low, high = (each[0] for each in (overall.value, overall.low, overall.high))
    holds = overall.holds[0] & (np.sign(value) == sign)
    sure = np.where(holds, np.minimum(np.abs(low), np.abs(high)), -1)
    at = int(sure.argmax())
    depths = held.found.depths[:, int(held.deeper is not None and held.deeper == (held.names or ("", ""))[1])]
    everywhere = np.zeros(depths.max() + 1, dtype=bool)
    everywhere[depths[holds]] = True
    where: object = depths_where(everywhere)
    if held.deeper is not None:
        where = Fact("paired.parts.depths_of", depths=where, model=held.deeper)
    named: Mapping[str, object] = held.named
    if held.names is not None:
        named = dict(zip(("one", "other"), held.names if sign > 0 else held.names[::-1], strict=True))
    # Two models are named the higher one first.
    if held.names is not None:
        kind = "paired.higher" if is_first else "paired.but_higher_in"
    else:
        of_first, of_second = (
            ("paired.higher", "paired.but_higher") if sign > 0 else ("paired.lower", "paired.but_lower")
        )
        kind = of_first if is_first else of_second
    than = {"than": Fact(held.than, **named)} if is_first or held.names is not None else {}
    bounds = np.sort(np.abs([low[at], high[at]]))
    return Fact(kind, where=where, size=abs(float(value[at])), depth=int(depths[at]), bounds=bounds, **than)


def _categories(report: Report, found: PairedMeasures, by_category: Paired) -> Fact | str:
    """Those that it is shown for, each by itself."""
    holds = np.asarray(by_category.holds.any(axis=1))
    names = [report.words.categories[index].label for index, each in zip(found.categories, holds, strict=True) if each]
    if not names:
        return ""
    if holds.all() and len(names) > 1:
        return Fact("paired.for_each_category")
    return Fact("paired.for_categories", names=names)


def _groups(found: PairedMeasures) -> list[Fact]:
    if found.too_large:
        return [Fact("paired.too_large", words=len(found.too_large))]
    return [Fact("paired.groups", groups=found.n_groups, words=found.n_words)]
