"""What a plate shows, in words, and how far it can be trusted."""

from __future__ import annotations

import math

from tokviz.pages.text.wording import NBSP, percent, projection_label, score, whole_percent
from tokviz.records import ContextReport, Geometry, ModelReport, PictureMeasures, Projection, depth_name

TRUSTWORTHINESS = "trustworthiness"


def finding(model: ModelReport, context: ContextReport, projection: Projection, depth: int) -> str:
    """A plate in words, for readers who don't see it: what was found there, before what it is of."""
    geometry = context.geometry
    pc1, pc2 = (percent(ratio) for ratio in projection.explained_variance_ratio[depth])
    name = depth_name(depth)
    said = [f"{name[0].upper()}{name[1:]}: PC1 holds {pc1} of the variance, PC2 {pc2}"]
    picture = _measures(projection, geometry)
    if picture and math.isfinite(picture.purity.value[depth]):
        said.append(
            f"{whole_percent(picture.purity.value[depth])} of a word’s nearest neighbors share its category (chance: "
            f"{whole_percent(picture.purity.null_mean[depth])})"
        )
    if geometry and depth == geometry.massive.emergence_depth:
        said.append("massive activations emerge")
    if geometry and depth == geometry.massive.step_down_depth:
        said.append("massive activations end")
    label = context.states.context.label
    return f"{'; '.join(said)}. {model.display_name}, words {label}, {projection_label(projection.name)} PCA."


def _measures(projection: Projection, geometry: Geometry | None) -> PictureMeasures | None:
    pictures = geometry.pictures if geometry else ()
    return next((each for each in pictures if each.projection == projection.name), None)


def trust(projection: Projection, geometry: Geometry | None, depth: int) -> tuple[str, ...]:
    """Variance; and once measured how many neighbours are of the same category, and whether neighbours are true."""
    pc1, pc2 = (percent(ratio) for ratio in projection.explained_variance_ratio[depth])
    variance = f"PC1{NBSP}{pc1}, PC2{NBSP}{pc2} of the variance"
    picture = _measures(projection, geometry)
    if picture is None or geometry is None:
        return (variance,)
    if geometry.with_neighbours[depth] < geometry.least_with_neighbours:
        return (variance, "no well-defined neighbors: too many words have identical states here")
    neighbours = (
        f"category purity {score(picture.purity.value[depth])}{NBSP}in{NBSP}the{NBSP}plot, "
        f"{score(geometry.purity.value[depth])} in{NBSP}all{NBSP}dimensions "
        f"(chance{NBSP}{score(picture.purity.null_mean[depth])})"
    )
    return (variance, neighbours, f"{TRUSTWORTHINESS}{NBSP}{score(picture.trustworthiness[depth])}")
