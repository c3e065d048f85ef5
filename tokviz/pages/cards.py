"""Findings as images of their own: what stands on each, and which one other sites show beside a link to a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tokviz.pages.findings.changes import shifts
from tokviz.pages.findings.chosen import findings
from tokviz.pages.findings.finding import Found
from tokviz.pages.frame.frame import FIRST_PAGE, card_path, model_path
from tokviz.pages.frame.small_plots import thinned
from tokviz.pages.model.related import caption_of, items, kind_of
from tokviz.pages.site import with_isolated_names
from tokviz.pages.text.extent import facts_line
from tokviz.pages.text.wording import capitalized, joined_by_and, number, projection_label
from tokviz.records import COMMON, Card, ContextReport, ModelReport, Panel, Points, ProjectionReport, Report, depth_name
from tokviz.records.axes import extents, span

CIRCLE = 72
"""Points of a guide."""


@dataclass(frozen=True, kw_only=True)
class PageCard:
    """A card, and where it belongs."""

    path: str
    """From the site's root."""
    page: str
    """The page that lists the finding, from the site's root."""
    is_first: bool
    """Whether it is what other sites show beside a link to that page."""
    card: Card

    @property
    def said(self) -> str:
        """For those who don't see it."""
        return f"{self.card.headline} {self.card.about}".rstrip()


def cards(report: Report, *, every: bool = False) -> Iterator[PageCard]:
    """Those that are due, in the order of the pages; ``every``: those of all findings.

    Where the report will stand is known: the first of each page, or, where nothing was found, what it is about.
    """
    if not (every or report.site_url):
        return
    report = with_isolated_names(report)
    yield from _of_page(report, FIRST_PAGE, None, every=every)
    for model in report.models:
        if model.contexts:
            yield from _of_page(report, model_path(model.slug), model, every=every)


def _of_page(report: Report, page: str, model: ModelReport | None, *, every: bool) -> Iterator[PageCard]:
    """``model``: whose page it is; None for the first page."""
    found = findings(report, None if model is None else [model])
    # A card is shown apart from its page.
    of_several = len(report.all_models) > 1
    announced = [replace(each, is_beside_others=of_several) for each in found if each.is_announced]
    drawn = [(each.number, card) for each in (announced if every else announced[:1]) if (card := _of(report, each))]
    if report.site_url and all(number != 1 for number, _ in drawn) and (shown := _without_finding(report, model)):
        drawn = [(0, shown), *drawn]
    for index, (place, card) in enumerate(drawn):
        is_first = index == 0 and place <= 1
        yield PageCard(path=card_path(page, place), page=page, is_first=is_first, card=card)


def _of(report: Report, found: Found) -> Card | None:
    """None where there is no plot of it."""
    evidence = tuple(replace(found, evidence=(each,)).said for each in found.evidence)
    if found.asked:
        panels, how = _related(report, found)
    else:
        spots = _spots(report, found)
        panels = tuple(each.panel(report) for each in spots)
        how = (*_meant(found, evidence), *_how(spots, of_two=found.other is not None))
    if not panels:
        return None
    return _card(report, headline=found.sentence, about=found.about, evidence=evidence, panels=panels, how=how)


def _without_finding(report: Report, model: ModelReport | None) -> Card | None:
    """What a page is about; None where nothing is drawn.

    Shown are the plots before and after the first emergence of massive activations; of models without one, the embedding and
    the middle layer.
    """
    for own in report.models if model is None else [model]:
        for context in own.contexts:
            emergence = context.geometry.massive.emergence_depth if context.geometry else None
            depths = (emergence - 1, emergence) if emergence else (0, context.states.n_depths // 2)
            spots = _drawable(_Spot.of(report, context, depth) for depth in dict.fromkeys(depths))
            if spots:
                headline = report.title if model is None else own.display_name
                what = report.description or report.subtitle if model is None else own.card and facts_line(own.card)
                return _card(
                    report,
                    headline=headline,
                    about=what or "",
                    evidence=(),
                    panels=tuple(each.panel(report) for each in spots),
                    how=_how(spots),
                )
    return None


def _card(report: Report, **values: object) -> Card:
    address = re.sub(r"^https?://", "", report.site_url or "").rstrip("/")
    return Card(source=report.title, address=address, **values)  # type: ignore[arg-type]


# --- plots of words ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Spot:
    """One depth of one capture, in one projection."""

    context: ContextReport
    shown: ProjectionReport
    depth: int
    detail: str

    @classmethod
    def of(
        cls, report: Report, context: ContextReport, depth: int, projection: str | None = None, detail: str = ""
    ) -> _Spot:
        """``projection``: the report's first by default."""
        name = projection or report.projections[0]
        shown = next(each for each in context.projections if each.projection.name == name)
        return cls(context=context, shown=shown, depth=depth, detail=detail)

    @property
    def is_drawable(self) -> bool:
        return self.shown.projection.problems[self.depth] is None

    @property
    def rows(self) -> np.ndarray:
        """``(n,)`` int64: the words that are drawn. Those that aren't measured don't set a plot's scale, and may lie far beyond it."""
        return thinned(np.flatnonzero(self.shown.projection.reference))

    def panel(self, report: Report) -> Panel:
        """Its plot."""
        states, rows = self.context.states, self.rows
        words = report.words.of(states.tokenization)
        coordinates = self.shown.projection.coordinates[self.depth][rows]
        points = Points(
            words=tuple(words.words[row] for row in rows),
            memberships=tuple(words.memberships[row] for row in rows),
            categories=tuple(category.label for category in report.words.categories),
            reference=np.ones(len(rows), dtype=bool),
            several_tokens=states.tokenization.n_tokens[rows] > 1,
            marks=report.look.marks,
        )
        reach = max(map(span, extents(coordinates, points.reference)))
        return Panel(
            title=capitalized(depth_name(self.depth)),
            note=f"span {number(reach)}",
            detail=self.detail,
            points=points,
            coordinates=coordinates.astype(np.float64),
        )


def _drawable(spots: Iterable[_Spot]) -> tuple[_Spot, ...]:
    return tuple(each for each in spots if each.is_drawable)


def _spots(report: Report, found: Found) -> tuple[_Spot, ...]:
    """What shows a finding: its own plot, and those of what it is held against; none where its own can't be drawn."""
    if found.depth is None:
        return ()
    own, depth = found.context, found.depth
    own_label = own.states.context.label
    if found.slot == "change":
        return _before_and_after(report, found)
    detail = found.model.display_name if found.other else f"words {own_label}" if found.beside else ""
    shown = _Spot.of(report, own, depth, found.projection, detail)
    if not shown.is_drawable:
        return ()
    around = []
    if found.breaks:
        around.append(_Spot.of(report, own, depth - 1, found.projection))
        if own.twin:
            changed = own.twin.states.context.label.removeprefix(f"{own_label}, ")
            around.append(_Spot.of(report, own.twin, depth, found.projection, changed))
    elif found.beside:
        around.append(_Spot.of(report, found.beside, depth, None, f"words {found.beside.states.context.label}"))
    elif found.other and found.other_depth is not None:
        of_other = next(each for each in found.other.contexts if each.states.context.name == own.states.context.name)
        around.append(_Spot.of(report, of_other, found.other_depth, None, found.other.display_name))
    elif found.other_depth is not None:
        around.append(_Spot.of(report, own, found.other_depth))
    before = [each for each in around if each.context is own and each.depth < depth]
    after = [each for each in around if each not in before]
    return _drawable([*before, shown, *after])


def _before_and_after(report: Report, found: Found) -> tuple[_Spot, ...]:
    """Both models on the same axes."""
    shift = next(each for each in shifts(report) if (each.before, each.contexts[1]) == (found.other, found.context))
    return _drawable(
        _Spot(context=context, shown=shown, depth=shift.depth, detail=model.display_name)
        for model, context, shown in shift.sides
    )


def _meant(found: Found, evidence: Sequence[str]) -> Iterator[str]:
    """What headline and evidence speak of that the plots don't show."""
    values = found.headline.values
    if getattr(values.get("where"), "kind", "") == "findings.in_each_context":
        yield f"Contexts: words {joined_by_and([each.states.context.label for each in found.model.contexts])}."
    if getattr(values.get("than"), "kind", "") == "findings.than.untrained":
        yield "Untrained layers, random ones after the same embedding, are not drawn."
    if getattr(values.get("where"), "kind", "") == "findings.share":
        yield "Depth: from the embedding (0\N{NO-BREAK SPACE}%) to the last layer."
    if any("silhouette" in each for each in evidence):
        yield "Silhouette: how much nearer words lie to their own category than to the next (−1 to 1)."


def _how(spots: Sequence[_Spot], *, of_two: bool = False) -> tuple[str, ...]:
    """How plots of words are made, and what their marks are."""
    if not spots:
        return ()
    drawn, n_words = sorted({len(each.rows) for each in spots}), len(spots[0].context.states.tokenization.words)
    n_drawn = "–".join(f"{each:,}" for each in dict.fromkeys((drawn[0], drawn[-1])))
    some = "" if drawn == [n_words] else f" ({n_drawn} of {n_words:,} words)"
    where = "two language models" if of_two else "a language model"
    several = any((each.context.states.tokenization.n_tokens[each.rows] > 1).any() for each in spots)
    hollow = ("Hollow: several tokens.",) if several else ()
    name = spots[0].shown.projection.name
    made = "PCA of both models together" if name == COMMON else f"{projection_label(name)} PCA"
    return (f"Marks: words’ hidden states in {where}{some}, {made}; each plot has its own scale (span).", *hollow)


def how_animated(projection: str) -> str:
    """How the plots of an animation are made."""
    return f"{capitalized(projection_label(projection))} PCA. Each layer has its own axes and its own scale."


# --- plots of relations and orders -------------------------------------------------------------------------------


def _related(report: Report, found: Found) -> tuple[tuple[Panel, ...], tuple[str, ...]]:
    """The plot of what can be read, where it can be read, and how that is made."""
    assert found.asked is not None
    assert found.depth is not None
    relations, kind = found.context.relations, kind_of(found.asked)
    words = report.words.of(found.context.states.tokenization)
    item = next((each for each in items(report, relations) if each.asked is found.asked), None) if relations else None
    if item is None:
        return (), ()
    places = item.places[found.depth].astype(np.float64)
    if not np.isfinite(places).all():
        return (), ()
    n_words = len(item.rows)
    is_pairs = kind == "pairs"
    # Of a pair the first word is hollow, so that the direction is seen.
    hollow = np.arange(n_words) % 2 == 0 if is_pairs else np.zeros(n_words, dtype=bool)
    points = Points(
        words=tuple(words.words[row] for row in item.rows),
        memberships=tuple((hue,) for hue in item.hues(words)) if report.words.categories else ((),) * n_words,
        categories=tuple(category.label for category in report.words.categories),
        reference=np.ones(n_words, dtype=bool),
        several_tokens=hollow,
        marks=report.look.marks,
    )
    panel = Panel(
        title=capitalized(depth_name(found.depth)),
        detail=found.asked.label,
        points=points,
        coordinates=places,
        is_named=True,
        joined=_joined(kind, n_words),
        guide=_guide(kind, places),
    )
    return (panel,), tuple(re.split(r"(?<=\.) ", caption_of(found.asked)))


def _joined(kind: str, n_words: int) -> tuple[tuple[int, int], ...]:
    if kind == "pairs":
        return tuple((row, row + 1) for row in range(0, n_words - 1, 2))
    chain = tuple((row, row + 1) for row in range(n_words - 1))
    return (*chain, (n_words - 1, 0)) if kind == "circle" and n_words > 2 else chain


def _guide(kind: str, places: np.ndarray) -> np.ndarray:
    """``(n, 2)``: where the words would be, if all were read exactly."""
    if kind == "pairs":
        return np.empty((0, 2))
    if kind == "circle":
        angles = np.linspace(0, 2 * np.pi, CIRCLE)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ends = np.linspace(places[:, 1].min(), places[:, 1].max(), CIRCLE // 2)
    return np.stack([ends, ends], axis=1)
