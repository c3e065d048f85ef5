"""The page of two models, before and after: what changed, where, in which words, and how surely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tokviz.pages.change import charts
from tokviz.pages.change.change_data import SIDES, of_sides, slug_of, tables_of
from tokviz.pages.change.movers import all_movers, movers_at
from tokviz.pages.explore.explore_data import written_extents
from tokviz.pages.findings.changes import Shift, shifts
from tokviz.pages.frame.frame import Frame, Values, change_path, contents, model_path, relative, series_path
from tokviz.pages.frame.index import context_entry, drawings
from tokviz.pages.frame.small_plots import DENSE, HEIGHT, WIDTH, dots, placed, thinned
from tokviz.pages.text import catalogue, data_text
from tokviz.pages.text.findings import finding_of
from tokviz.pages.text.parts import Link
from tokviz.pages.text.problems import problems
from tokviz.pages.text.wording import count, joined, joined_by_and, neurons_named, number, percent, weights_format
from tokviz.records import COMMON, NOT_KNOWN, ContextReport, ModelReport, PairedMeasures, Report, depth_name
from tokviz.records.axes import extents

MOST_PLACES, LEAST_WORDS = 8_000, 60
"""Words in all small plots together, of which a page can hold so many; but in each plot at least so many."""
MOST_MOVERS, MOST_FOLDED = 5, 200
"""In sight, and in a part that is folded; a file has all."""
SCRIPTS = ("plates/plates.js", "change.js", "contents.js", "parts.js", "lightbox.js", "take.js", "shortcuts.js")


def change_pages(report: Report) -> Iterator[Values]:
    """One for each pair of models that are before and after."""
    by_pair: dict[tuple[str, str], list[Shift]] = {}
    for each in shifts(report):
        by_pair.setdefault((each.before.slug, each.after.slug), []).append(each)
    for found in by_pair.values():
        yield _page(report, sorted(found, key=lambda each: each.found().rank, reverse=True))


def _page(report: Report, found: Sequence[Shift]) -> Values:
    """``found``: of each context what changed in it, the surest first."""
    first = found[0]
    page = change_path(first.before.slug, first.after.slug)
    views = [_context(report, each, page) for each in found]
    names = tuple(model.display_name for model in (first.before, first.after))
    in_series = f" in {first.series.name}" if first.series else ""
    own = {model.display_name: model_path(model.slug) for model in (first.before, first.after)}
    if first.series:
        own = {first.series.name: series_path(first.series.slug)}
    return Values(
        frame=Frame(
            report=report,
            path=page,
            title=f"{names[1]} and {names[0]}{in_series} · {report.title}",
            description=f"What changed from {names[0]} to {names[1]}{in_series}: {catalogue.sentence([first.headline])}",
            entries=SCRIPTS,
        ),
        names=names,
        nav=f"{names[0]} → {names[1]}{in_series}",
        models=[Link(text=name, href=relative(page, each)) for name, each in own.items()],
        contexts=views,
        left_out=_left_out(report, found),
        least_in_one=PairedMeasures.LEAST_IN_ONE,
        layers=_layers(report, first),
        caption=caption(first, first.depth),
        marked=_strong_in_words(first, first.depth),
        size=(WIDTH, HEIGHT),
        contents=contents(
            ("Side by side", "main", True),
            ("All layers", "layers", True),
            ("Other neighbors", "movers", any(each["all_movers"] for each in views)),
            ("Each category", "categories", any(each["categories"] for each in views)),
            ("What else differs", "else", True),
            ("Downloads", "downloads", True),
        ),
        plates=_plates(report, found, page),
        data=data_text.embedded(_data(found)),
        scripts=of_sides(found),
    )


def _left_out(report: Report, found: Sequence[Shift]) -> list[str]:
    """The contexts in which two models were compared, but not as before and after."""
    slugs, shown = {found[0].before.slug, found[0].after.slug}, {each.pair.context for each in found}
    compared = {each.context for each in report.differences if {each.model_a, each.model_b} == slugs}
    return [each.label for each in report.contexts if each.name in compared - shown]


def _context(report: Report, shift: Shift, page: str) -> dict[str, Any]:
    """What the page shows of one context."""
    context = shift.contexts[0].states.context
    return {
        "name": context.name,
        "label": context.label,
        "headline": catalogue.sentence([shift.headline]),
        "evidence": " ".join(catalogue.sentence([each]) for each in shift.evidence),
        "depth": shift.depth,
        "last": shift.n_depths - 1,
        "curve": charts.difference_in_words(shift),
        "rulers": [each for each in (charts.difference(shift), charts.difference(shift, narrow=True)) if each],
        "categories": charts.of_categories(shift),
        "likeness": charts.likeness(shift),
        "both": charts.of_both(shift),
        "facts": _facts_of_both(shift),
        "movers": movers_at(shift, shift.depth)[:MOST_MOVERS],
        "n_movers": int(shift.movers[shift.depth].sum()),
        "all_movers": all_movers(shift)[:MOST_FOLDED],
        "n_all_movers": shift.n_movers,
        "k": shift.changed.moved.k,
        "asked": _asked(shift),
        "too_small": shift.too_small,
        "downloads": [Link(text=file, href=relative(page, path)) for file, path in tables_of(shift).items()],
    }


def _facts_of_both(shift: Shift) -> list[tuple[str, str, str]]:
    """Of each fact its name and what it is before and after; those that neither has are left out."""
    before, after = (dict(_facts(model, context)) for model, context, _ in shift.sides)
    return [(name, before.get(name, "not known"), after.get(name, "not known")) for name in before | after]


def _facts(model: ModelReport, context: ContextReport) -> Iterator[tuple[str, str]]:
    card, geometry, found = context.states.card, context.geometry, finding_of(model)
    if card.dtype != NOT_KNOWN:  # as it is of given states
        yield "Weights", f"{weights_format(card)}, computed in {card.dtype}"
    if geometry and geometry.massive.emergence_depth is None:
        yield "Massive activations", "none"
    elif geometry and (depth := geometry.massive.emergence_depth) is not None:
        yield "Massive activations", f"from {depth_name(depth)} on"
        yield "in dimensions", joined(map(str, geometry.massive.dimensions[depth]))
    if found and found.context == context.states.context:
        yield (
            "written by",
            f"{neurons_named(found.neurons)} of layer {found.layer}" if found.neurons else f"layer {found.layer}",
        )
    if context.loss and context.loss.intact is not None:
        yield "Next-token loss, nats per token", number(context.loss.intact)


def _asked(shift: Shift) -> str:
    """Of which sentence and words it was asked whether they moved; empty where of all."""
    n, n_words = shift.asked
    first = ["the context’s first sentence"] if shift.is_of_first else []
    some = [f"{n:,} of {count(n_words, 'word')}, evenly drawn, among each other"] if n < n_words else []
    return f"This was asked of {joined_by_and([*first, *some])}." if first or some else ""


def _layers(report: Report, shift: Shift) -> dict[str, Any]:
    """Both models' words at each depth, small."""
    rows = np.flatnonzero(shift.changed.before.reference)
    drawn = thinned(rows, max(MOST_PLACES // (2 * shift.n_depths), LEAST_WORDS))
    some = f" Shown are {len(drawn):,} of {count(len(rows), 'word')}, evenly drawn." if len(drawn) < len(rows) else ""
    return {
        "depths": [_small(report, shift, depth, drawn) for depth in range(shift.n_depths)],
        "is_dense": len(drawn) > DENSE,
        "caption": f"Words {shift.contexts[0].states.context.label}, on common axes; colors are categories.{some}",
    }


def _small(report: Report, shift: Shift, depth: int, rows: np.ndarray) -> dict[str, Any]:
    """Both models' words at a depth, on the same axes and at one scale; a problem where there is no plot."""
    if problem := problems(shift.changed.before)[depth]:
        return {"problem": problem}
    places, _ = placed(_coordinates(shift, depth), np.tile(shift.changed.before.reference, 2))
    memberships = report.words.of(shift.contexts[0].states.tokenization).memberships
    halves = np.split(places, 2)
    return {"problem": "", "plots": [dots(each, rows, memberships, report.look.marks) for each in halves]}


def _plates(report: Report, found: Sequence[Shift], page: str) -> str | None:
    """For the scripts that draw: each side as a model."""
    models = [
        {
            "slug": slug_of(found[0], side),
            "name": model.display_name,
            "contexts": [
                {
                    **context_entry(each.contexts[0]),
                    "last": each.n_depths - 1,
                    "projections": [{"name": COMMON, "label": "PCA of both", "axes": ["PC1 of both", "PC2 of both"]}],
                }
                for each in found
            ],
        }
        for side, (model, *_) in zip(SIDES, found[0].sides, strict=True)
    ]
    longest = {
        "model": max((each["name"] for each in models), key=len),
        "context": max((each.contexts[0].states.context.label for each in found), key=len),
    }
    return drawings(
        report, page, "plates/plates.js", "plates/board.js", data=relative(page, "data"), longest=longest, models=models
    )


def _data(found: Sequence[Shift]) -> dict[str, Any]:
    """For the page's own script."""
    return {
        "slugs": [slug_of(found[0], side) for side in SIDES],
        "contexts": {
            each.contexts[0].states.context.name: {
                "depth": each.depth,
                "last": each.n_depths - 1,
                "extents": [_extents(each, depth) for depth in range(each.n_depths)],
                "problems": problems(each.changed.before),
                "captions": [caption(each, depth) for depth in range(each.n_depths)],
                "strong": _strong(each),
                "marked": [_strong_in_words(each, depth) for depth in range(each.n_depths)],
            }
            for each in found
        },
    }


def _extents(shift: Shift, depth: int) -> list[float | None] | None:
    """Those of both models together, so that both plots have one scale."""
    both = _coordinates(shift, depth)
    if not np.isfinite(both).all():
        return None
    return written_extents(extents(both, np.tile(shift.changed.before.reference, 2)))


def _coordinates(shift: Shift, depth: int) -> np.ndarray:
    """``(2 · n_words, 2)``: the places of all words before, then after."""
    return np.concatenate([shown.projection.coordinates[depth] for *_, shown in shift.sides])


def caption(shift: Shift, depth: int) -> str:
    """How the plots of a depth are made, and how much of each model's variance they show."""
    if shift.changed.is_same[depth]:
        return "Both models have the same states here."
    names = [shift.before.name, shift.after.name]
    shares = np.stack([each.explained_variance_ratio[depth] for each in (shift.changed.before, shift.changed.after)])
    axes = axes_caption("model", names, shares, is_centered=bool(shift.changed.is_centered[depth]))
    first = " The plots are of the context’s first sentence." if shift.is_of_first else ""
    return f"{axes} Neighbors are counted in all dimensions, not in the plots.{first}"


def axes_caption(what: str, names: Sequence[str], shares: np.ndarray, *, is_centered: bool) -> str:
    """How two plots on the same axes are made; ``what``: ``model`` or ``capture``.

    ``shares``: ``(2, 2)``, how much of each one's variance lies along each axis.
    """
    of_each = " and ".join(f"{percent(own.sum())} of {name}’s" for name, own in zip(names, shares, strict=True))
    centered = (
        f" Each {what}’s words are centered first; else the first axis would tell the {what}s apart, not the words."
        if is_centered
        else ""
    )
    return f"PCA of both {what}s’ standardized states together, on the same two axes, which hold {of_each} variance.{centered}"


def _strong_in_words(shift: Shift, depth: int) -> str:
    """Which words stand out; empty where none do."""
    moved = ["words that left their neighbors"] if shift.movers[depth].any() else []
    parts = [*shift.names_of(shift.changes[:, depth]), *moved]
    return f" Marked: {joined_by_and(parts)}." if parts else ""


def _strong(shift: Shift) -> list[list[int]]:
    """Per depth the rows of words that stand out: those that moved, and those of the categories that changed."""
    words = shift.report.words.of(shift.contexts[0].states.tokenization)
    found = shift.pair.paired
    of_categories = np.zeros((shift.n_depths, len(words.words)), dtype=bool)
    for index, changes in zip(found.categories if found else (), shift.changes, strict=True):
        own = [bool(each) and each[0] == index for each in words.memberships]
        of_categories |= changes[:, None] & np.array(own)
    return [np.flatnonzero(each).tolist() for each in shift.movers | of_categories]
