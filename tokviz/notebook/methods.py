"""Words placed in two dimensions by a method of the caller's: a transformer with scikit-learn's methods, or a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tokviz.errors import TokvizError
from tokviz.measure import pca
from tokviz.measure.spaces import standardized
from tokviz.notebook.arguments import NONE_DIFFER
from tokviz.records import Method, depth_name
from tokviz.text import error_line, shown

if TYPE_CHECKING:
    from tokviz.notebook.as_arrays import AsArrays

_BY_NEIGHBORS = "neighbors stay near; gaps, sizes and axes mean nothing"
_LINEAR = "two directions; what lies along others isn't seen"
_MEANINGS = {
    **dict.fromkeys(("TSNE", "UMAP", "PaCMAP", "LocalMAP", "TRIMAP", "SpectralEmbedding"), _BY_NEIGHBORS),
    **dict.fromkeys(("PCA", "SparsePCA", "TruncatedSVD", "FactorAnalysis", "FastICA"), _LINEAR),
    **dict.fromkeys(("GaussianRandomProjection", "SparseRandomProjection"), _LINEAR),
    "MDS": "distances follow those of the states, as far as two dimensions allow",
    "Isomap": "distances follow those from neighbor to neighbor, as far as two dimensions allow",
}
"""Class → what its distances mean."""
Place = Callable[[np.ndarray, np.ndarray], Any]
"""Of standardized states ``(n_words, width)`` and each word's category, −1 for none."""
_UNKNOWN = "tokviz doesn't know what its distances mean"
_BY_CATEGORIES = "made with the categories: even meaningless ones may look apart"


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Placement:
    """All depths in two dimensions, placed by a method of the caller's: ``capture.project(TSNE())``."""

    method: Method
    """Its name, and what its distances mean."""
    coordinates: np.ndarray
    """``(n_depths, n_words, 2)`` float64."""
    digest: str
    """Of the states that it is of."""

    def __repr__(self) -> str:
        n_depths, n_words, _ = self.coordinates.shape
        return f"Placement({self.method.name}: {n_depths} depths × {n_words:,} words; {self.method.meaning})"


def placed(capture: AsArrays, method: Any, depths: Sequence[int]) -> Placement:
    """A capture's words at some depths by a method, or as it has placed them before.

    Raises
    ------
    TokvizError : it is none, fails, doesn't give two finite numbers for each word, or placed those of another capture.
    """
    if isinstance(method, Placement):
        if method.digest != capture.states.digest:
            raise TokvizError(
                f"projection: expected what {method.method.name} gave of this capture, got that of another"
            )
        return method
    first = np.array([own[0] if own else -1 for own in capture.words.memberships], dtype=np.int64)
    how, place = _own(method)
    states, reference = list(capture), capture.states.tokenization.reference
    # NaN at other depths, and where states are all the same.
    coordinates = np.full((len(states), len(reference), 2), np.nan)
    different = [each for each in depths if not pca.why_not(states[each], reference)]
    if not different:
        raise TokvizError(f"layer: {NONE_DIFFER}")
    for depth in different:
        where = f"{how.name} at {depth_name(depth)}"
        try:
            found = np.asarray(place(standardized(states[depth], reference), first), dtype=np.float64)
        except Exception as error:
            raise TokvizError(f"{where}: {error_line(error)}") from error
        if found.shape != coordinates[depth].shape or not np.isfinite(found).all():
            what = "some that are not" if found.shape == coordinates[depth].shape else f"an array {found.shape}"
            raise TokvizError(f"{where}: expected finite numbers {coordinates[depth].shape}, got {what}")
        coordinates[depth] = found
    return Placement(method=how, coordinates=coordinates, digest=capture.states.digest)


def _own(given: Any) -> tuple[Method, Place]:
    """Of a transformer, or of a function of an array ``(n_words, width)``: how it is shown, and what places a depth's words.

    A transformer that needs a target, or one of whose steps does, is given the words' categories.
    """
    if not isinstance(given, type) and (hasattr(given, "fit_transform") or hasattr(given, "transform")):
        steps = getattr(given, "steps", None)  # of a pipeline the last one places
        name, needs_target = type(steps[-1][1] if steps else given).__name__, _needs_target(given)
        meaning = _BY_CATEGORIES if needs_target else _MEANINGS.get(name, _UNKNOWN)
        return Method(name=name, meaning=meaning), (_told_categories if needs_target else _on_its_own)(given)
    if not isinstance(given, type) and callable(given):
        name = getattr(given, "__name__", type(given).__name__)
        name = "your method" if name == "<lambda>" else name
        return Method(name=name, meaning=_UNKNOWN), lambda states, _: given(states)
    example = f"{given.__name__}()" if isinstance(given, type) else "TSNE()"
    raise TokvizError(
        f"projection: expected a name, a transformer such as {example}, or a function of states, got {shown(given)}"
    )


def _needs_target(transformer: Any) -> bool:
    """Whether it says so, as scikit-learn's do, its signature does, or one of its steps does, of a pipeline."""
    from sklearn.utils import get_tags

    with suppress(AttributeError, TypeError):  # of another package, with its methods only
        if get_tags(transformer).target_tags.required:
            return True
    with suppress(AttributeError, TypeError, ValueError):  # a step that does nothing; a signature that can't be read
        fit = transformer.fit if hasattr(transformer, "fit") else transformer.fit_transform
        target = inspect.signature(fit).parameters.get("y")
        if target is not None and target.default is target.empty:
            return True
    return any(_needs_target(step[1]) for step in getattr(transformer, "steps", ()))


def _fresh(transformer: Any) -> Any:
    """A copy that isn't fitted: the caller's own stays as it is."""
    from sklearn.base import clone

    return clone(transformer, safe=False)


def _on_its_own(transformer: Any) -> Place:
    def place(states: np.ndarray, _: np.ndarray) -> Any:
        own = _fresh(transformer)
        return own.fit_transform(states) if hasattr(own, "fit_transform") else own.fit(states).transform(states)

    return place


def _told_categories(transformer: Any) -> Place:
    """Words without a category have no part in the fit, where that and placing are two steps; else theirs is −1."""

    def place(states: np.ndarray, categories: np.ndarray) -> Any:
        known, own = categories >= 0, _fresh(transformer)
        if not hasattr(own, "transform"):
            return own.fit_transform(states, categories)
        return own.fit(states[known], categories[known]).transform(states)

    return place
