"""Plots of a capture along axes of its own, and of two captures on the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.errors import TokvizError
from tokviz.measure import pca
from tokviz.measure.common_axes import placed_together
from tokviz.notebook import arguments, methods
from tokviz.notebook.drawn import Drawn
from tokviz.pages.change.page import axes_caption
from tokviz.records import Plate, SideBySide, depth_name
from tokviz.records.axes import extents
from tokviz.run.plan.pictures import Subjects, points_of
from tokviz.text import counted, ranged

if TYPE_CHECKING:
    from tokviz.notebook.capture import Capture


def on_common_axes(one: Capture, other: Capture, layer: int | str) -> Drawn:
    """Two captures at a layer, along the axes of PCA of both captures' standardized states together.

    Raises
    ------
    TokvizError : they have other words, depths, dimensions or architectures, or nothing can be shown of the layer.
    """
    _require_common(one, other)
    depth = arguments.layer(layer, len(one))
    states = np.stack([one[depth], other[depth]]).astype(np.float64)
    reference = one.states.tokenization.reference & other.states.tokenization.reference
    if any(pca.why_not(each, reference) for each in states):
        raise TokvizError(f"layer: expected one that can be shown of both captures, got {depth_name(depth)}")
    coordinates, shares, is_centered = placed_together(states, reference)
    plates = [
        of_depth(capture, depth, "phone", reference, coordinates=xy, explained_variance_ratio=tuple(share))
        for capture, xy, share in zip((one, other), coordinates, shares.tolist(), strict=True)
    ]
    models, contexts = ([getattr(each, name) for each in plates] for name in ("model", "context"))
    told = next((names for names in (models, contexts) if names[0] != names[1]), ["the first", "the second"])
    caption = axes_caption("capture", told, shares, is_centered=is_centered)
    return at_one_scale(plates, reference, caption)


def at_one_scale(plates: Sequence[Plate], reference: np.ndarray, caption: str) -> Drawn:
    """Two plates on the same axes, as long as the reference words of both require, ``(n_words,)`` bool."""
    limits = extents(np.concatenate([each.coordinates for each in plates]), np.tile(reference, 2))
    left, right = (replace(each, limits=limits) for each in plates)
    return Drawn(picture=SideBySide(plates=(left, right), caption=caption))


def by_method(capture: Capture, layer: int | str, method: Any) -> Plate:
    """That of a layer, whose words a method of the caller's places, or has placed."""
    depth = arguments.layer(layer, len(capture))
    placed = methods.placed(capture, method, [depth])
    own = {"coordinates": placed.coordinates[depth], "method": placed.method}
    return of_depth(capture, depth, "wide", capture.states.tokenization.reference, **own)


def of_depth(capture: Capture, depth: int, form: str, reference: np.ndarray, **others: Any) -> Plate:
    """A plate of a capture's words with other fields than its first projection has, such as ``coordinates``."""
    look = capture.plan.config.look
    subjects = Subjects(
        model=capture.context.model,
        states=capture.states,
        projection=capture.project(),
        words=capture.words,
        look=look,
    )
    points = points_of(capture.words, capture.states, reference, look)
    plate = capture.plan.fonts.with_fonts(replace(subjects.plate(depth, form, points), **others))
    assert isinstance(plate, Plate)
    return plate


def _require_common(one: Capture, other: object) -> None:
    other = arguments.instance("draw_beside", other, type(one))
    if one.words.words != other.words.words:
        raise TokvizError("draw_beside: expected a capture of the same words, got others")
    cards = one.states.card, other.states.card
    kinds = [each.model_type or "given states" for each in cards]
    if kinds[0] != kinds[1]:
        raise TokvizError(
            f"draw_beside: expected a model of the same kind, {kinds[0]}, as others share no dimensions, got {kinds[1]}"
        )
    reads = [each.states.tokenization.read for each in (one, other)]
    if reads[0] != reads[1]:
        raise TokvizError(f"draw_beside: expected words read alike ({reads[0]}), got {reads[1]}")
    shapes = [[each.shape[1] for each in capture] for capture in (one, other)]
    if shapes[0] != shapes[1]:
        raise TokvizError(
            f"draw_beside: expected {counted(len(shapes[0]), 'depth')} of {counted(cards[0].least_and_most, 'dimension')}, got {len(shapes[1]):,} of "
            f"{ranged(cards[1].least_and_most)}"
        )
