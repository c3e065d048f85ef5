"""What a plate shows, in words, and how far it can be trusted."""

from __future__ import annotations

import math

from tokviz.pages.text.catalogue import Fact, clause, sentence, text
from tokviz.pages.text.wording import percent, projection_label
from tokviz.records import CategoryMeasure, ContextReport, Geometry, ModelReport, PictureMeasures, Projection

TRUSTWORTHINESS = "trustworthiness"


def finding(model: ModelReport, context: ContextReport, projection: Projection, depth: int) -> str:
    """A plate in words, for readers who don't see it: what was found there, before what it is of."""
    geometry = context.geometry
    pc1, pc2 = projection.explained_variance_ratio[depth]
    facts = [Fact("plots.alt.variance", depths=(depth, depth), pc1=pc1, pc2=pc2)]
    picture = measures_in_plot(projection, geometry)
    if picture and math.isfinite(picture.purity.value[depth]):
        by_chance = picture.purity.null_mean[depth]
        chance = Fact("plots.alt.chance", share=by_chance) if math.isfinite(by_chance) else ()
        facts.append(Fact("plots.alt.neighbors", share=picture.purity.value[depth], chance=chance))
    if geometry and depth == geometry.massive.emergence_depth:
        facts.append(Fact("plots.alt.emerge"))
    if geometry and depth == geometry.massive.step_down_depth:
        facts.append(Fact("plots.alt.end"))
    names = {"model": model.display_name, "context": context.states.context.label}
    return sentence([*facts, Fact("plots.alt.of", **names, projection=projection_label(projection.name))])


def variance_held(projection: Projection, depth: int) -> tuple[str, str]:
    """Which shares PC1 and PC2 hold: ``12.0 %``, ``7.0 %``."""
    pc1, pc2 = projection.explained_variance_ratio[depth]
    return percent(pc1), percent(pc2)


def purity_in_plot(geometry: Geometry) -> CategoryMeasure | None:
    """In the projection that is shown first."""
    return geometry.pictures[0].purity if geometry.pictures else None


def measures_in_plot(projection: Projection, geometry: Geometry | None) -> PictureMeasures | None:
    """None where the plots of a projection weren't measured."""
    pictures = geometry.pictures if geometry else ()
    return next((each for each in pictures if each.projection == projection.name), None)


def trust(projection: Projection, geometry: Geometry | None, depth: int) -> tuple[str, ...]:
    """Variance; and once measured how many neighbours are of the same category, and whether neighbours are true."""
    pc1, pc2 = projection.explained_variance_ratio[depth]
    variance = text(Fact("plots.trust.variance", pc1=pc1, pc2=pc2))
    picture = measures_in_plot(projection, geometry)
    if picture is None or geometry is None:
        return (variance,)
    if geometry.with_neighbours[depth] < geometry.least_with_neighbours:
        return (variance, text(Fact("plots.trust.no_neighbors")))
    kept = picture.trustworthiness[depth]
    # What a plot keeps of its own space says nothing of one that is scaled otherwise: then each number says which it is of.
    scalings = 1 if projection.is_scaled else 2
    in_all = geometry.in_first_template.purity
    neighbours = _neighbours(category_purity(geometry), picture.purity, in_all, depth, scalings)
    of_plot = Fact("plots.trust.trustworthiness", value=kept, scalings=scalings)
    trustworthiness = (text(of_plot),) if math.isfinite(kept) else ()
    return (variance, *neighbours, *trustworthiness)


def category_purity(geometry: Geometry) -> str:
    """What it is called beside a plot, which is of a context's first template."""
    has_templates = geometry.purity.templates is not None
    return text(Fact("plots.trust.of_first" if has_templates else "plots.trust.category_purity"))


def _neighbours(
    what: str, in_plot: CategoryMeasure, in_all: CategoryMeasure, depth: int, scalings: int
) -> tuple[str, ...]:
    """As far as neighbours are defined: words that lie apart in all dimensions may meet in the plot. What chance gives stands once."""
    measures = {"plots.trust.in_the_plot": in_plot, "plots.trust.in_all_dimensions": in_all}
    known = {kind: each for kind, each in measures.items() if math.isfinite(each.value[depth])}
    if not known:
        return ()
    # Shuffles can't give it everywhere.
    by_chance = [each.null_mean[depth] for each in known.values()]
    chances = [(Fact("plots.trust.chance", value=value),) if math.isfinite(value) else () for value in by_chance]
    if len({text(*chance) for chance in chances}) == 1:
        chances[:-1] = [()] * (len(known) - 1)
    values = (
        Fact(kind, value=each.value[depth], chance=chance, **({"scalings": scalings} if each is in_all else {}))
        for (kind, each), chance in zip(known.items(), chances, strict=True)
    )
    return (text(Fact("plots.trust.purity", what=what, values=clause(values))),)
