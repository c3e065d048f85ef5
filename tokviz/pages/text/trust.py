"""What a plate shows, in words, and how far it can be trusted."""

from __future__ import annotations

import math

from tokviz.pages.text.wording import NBSP, capitalized, percent, projection_label, score, whole_percent
from tokviz.records import (
    CategoryMeasure,
    ContextReport,
    Geometry,
    ModelReport,
    PictureMeasures,
    Projection,
    depth_name,
)

TRUSTWORTHINESS = "trustworthiness"


def finding(model: ModelReport, context: ContextReport, projection: Projection, depth: int) -> str:
    """A plate in words, for readers who don't see it: what was found there, before what it is of."""
    geometry = context.geometry
    pc1, pc2 = variance_held(projection, depth)
    said = [f"{capitalized(depth_name(depth))}: PC1 holds {pc1} of the variance, PC2 {pc2}"]
    picture = measures_in_plot(projection, geometry)
    if picture and math.isfinite(picture.purity.value[depth]):
        chance = picture.purity.null_mean[depth]
        beside = f" (chance: {whole_percent(chance)})" if math.isfinite(chance) else ""
        said.append(
            f"{whole_percent(picture.purity.value[depth])} of a word’s nearest neighbors share its category{beside}"
        )
    if geometry and depth == geometry.massive.emergence_depth:
        said.append("massive activations emerge")
    if geometry and depth == geometry.massive.step_down_depth:
        said.append("massive activations end")
    label = context.states.context.label
    return f"{'; '.join(said)}. {model.display_name}, words {label}, {projection_label(projection.name)} PCA."


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
    pc1, pc2 = variance_held(projection, depth)
    variance = f"PC1{NBSP}{pc1}, PC2{NBSP}{pc2} of the variance"
    picture = measures_in_plot(projection, geometry)
    if picture is None or geometry is None:
        return (variance,)
    if geometry.with_neighbours[depth] < geometry.least_with_neighbours:
        return (variance, "no well-defined neighbors: too many words have identical states here")
    kept = picture.trustworthiness[depth]
    neighbours = _neighbours(category_purity(geometry), picture.purity, geometry.in_first_template.purity, depth)
    trustworthiness = (f"{TRUSTWORTHINESS}{NBSP}{score(kept)}",) if math.isfinite(kept) else ()
    return (variance, *neighbours, *trustworthiness)


def category_purity(geometry: Geometry) -> str:
    """What it is called beside a plot, which is of a context's first template."""
    has_templates = geometry.purity.templates is not None
    return f"category purity{' of the first sentence' if has_templates else ''}"


def _neighbours(what: str, in_plot: CategoryMeasure, in_all: CategoryMeasure, depth: int) -> tuple[str, ...]:
    """As far as neighbours are defined: words that lie apart in all dimensions may meet in the plot."""
    found = [
        (score(each.value[depth]), where, _beside(each.null_mean[depth]))
        for each, where in ((in_plot, f"{NBSP}in{NBSP}the{NBSP}plot"), (in_all, f" in{NBSP}all{NBSP}dimensions"))
        if math.isfinite(each.value[depth])
    ]
    if not found:
        return ()
    said = [
        f"{value}{where}{'' if index < len(found) - 1 and chance == found[-1][2] else chance}"
        for index, (value, where, chance) in enumerate(found)
    ]
    return (f"{what} {', '.join(said)}",)


def _beside(chance: float) -> str:
    """Nothing where shuffles can't give it."""
    return f" (chance{NBSP}{score(chance)})" if math.isfinite(chance) else ""
