"""How far a plate can be trusted, in a line under it."""

from __future__ import annotations

from tokviz.measures import Geometry
from tokviz.records import Projection
from tokviz.views.text import NBSP, percent, score


def trust(projection: Projection, geometry: Geometry | None, depth: int) -> tuple[str, ...]:
    """Variance; and once measured how many neighbours are of the same category, and whether neighbours are true."""
    pc1, pc2 = (percent(ratio) for ratio in projection.explained_variance_ratio[depth])
    variance = f"PC1{NBSP}{pc1}, PC2{NBSP}{pc2} of the variance"
    if geometry is None:
        return (variance,)
    picture = next((each for each in geometry.pictures if each.projection == projection.name), None)
    if picture is None:
        return (variance,)
    neighbours = (
        f"neighbours of the same category: {score(picture.purity.value[depth])}{NBSP}here, "
        f"{score(geometry.purity.value[depth])} in{NBSP}all{NBSP}dimensions "
        f"(chance{NBSP}{score(picture.purity.null_mean[depth])})"
    )
    return (variance, neighbours, f"trustworthiness{NBSP}{score(picture.trustworthiness[depth])}")
