"""Hidden states of every depth → 2-D coordinates, by PCA fitted on the reference words.

``standardized`` scales each dimension to unit variance before PCA, as the pictures of the blog post do; ``centered`` is plain
PCA; ``unit_norm`` is plain PCA of the states brought to length 1, so that only their directions count; and
``without_massive`` is plain PCA without the dimensions that are massive or dominant at that depth. Always the basis of a depth is
fitted on the reference words only, and the other words are projected onto it: one word read at another position can
otherwise take nearly all of PC1's variance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import eigh
from threadpoolctl import threadpool_limits

from tokviz.records import Problem, Projection

STANDARDIZED, WITHOUT_MASSIVE = "standardized", "without_massive"
MIN_WORDS = 3
"""Two points always lie on a line: fewer than three words have no picture."""
MANY_WORDS = 3000
"""Above this many words, and dimensions, PCA goes by the covariance: linear in words, and a few of them at a time in float64."""
_BLOCK = 4096
"""How many words are in float64 at a time."""


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What a projection was made with: ``coordinates = ((states − mean) / scale) · componentsᵀ``."""

    mean: np.ndarray
    """``(width,)`` float64."""
    scale: np.ndarray
    """``(width,)`` float64; 1 where a dimension is constant, and everywhere for plain PCA."""
    components: np.ndarray
    """``(2, width)`` float64, orthonormal rows: PC1 and PC2."""
    explained_variance_ratio: np.ndarray
    """``(2,)`` float64 in 0–1."""

    def project(self, states: np.ndarray) -> np.ndarray:
        """``(n_words, width)`` → ``(n_words, 2)`` float64."""
        blocks = [
            ((block.astype(np.float64) - self.mean) / self.scale) @ self.components.T for block in _blocks(states)
        ]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def fit(states: np.ndarray, *, standardize: bool) -> Basis:
    """PCA to two dimensions, in float64 and with the exact solver, so that equal states give equal coordinates.

    Parameters
    ----------
    states : ``(n_words, width)`` of the words to fit on; at least three of them, not all equal, width ≥ 2.
    standardize : scale each dimension to unit variance first; constant dimensions are left alone.
    """
    if len(states) > max(MANY_WORDS, states.shape[1]):
        return _fit_many(states, standardize=standardize)
    # Loaded here: it takes a second, and whoever only measures what was projected elsewhere does without.
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler(with_std=standardize).fit(states.astype(np.float64))
    scaled = scaler.transform(states.astype(np.float64))
    pca = PCA(n_components=2, svd_solver="full").fit(scaled)
    return Basis(
        # PCA centres once more by what rounding left; folding it in keeps ``project`` exact.
        mean=scaler.mean_ + pca.mean_ * (scaler.scale_ if standardize else 1.0),
        scale=scaler.scale_ if standardize else np.ones(states.shape[1]),
        components=pca.components_,
        explained_variance_ratio=pca.explained_variance_ratio_,
    )


def scores(states: np.ndarray, *, standardize: bool) -> np.ndarray:
    """The coordinates that ``fit`` and ``project`` give to the very words that are fitted on, but for their signs.

    Of inner products of words, or of dimensions, the fewer are enough where the axes themselves aren't needed: a tenth
    of the cost, for measures that are taken over and over on parts of the words.

    Parameters
    ----------
    states, standardize : as for ``fit``; states that are all equal give zeros.

    Returns
    -------
    ``(n_words, 2)`` float64.
    """
    n_words, width = states.shape
    centred = states.astype(np.float64)
    mean = centred.mean(axis=0)
    centred -= mean
    if standardize:
        centred /= _scale(np.sqrt(np.einsum("wd,wd->d", centred, centred) / n_words), mean)
    if n_words <= width:
        return _scores_of_products(centred @ centred.T)
    return np.asarray(centred @ _two_largest(centred.T @ centred)[1])


def _scores_of_products(products: np.ndarray) -> np.ndarray:
    """``(n_words, n_words)``, inner products of centred states → ``(n_words, 2)``."""
    values, vectors = _two_largest(products)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))


def _two_largest(products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues ``(2,)``, the larger first, and their vectors ``(n, 2)``, of ``(n, n)``."""
    n = len(products)
    values, vectors = eigh(products, subset_by_index=[n - 2, n - 1], check_finite=False)
    if vectors.shape[1] < 2:  # of many equal eigenvalues the solver for a few of them may find none
        values, vectors = eigh(products, check_finite=False)
    return values[:-3:-1], vectors[:, :-3:-1]


def _scale(deviation: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """What each dimension is divided by, as StandardScaler has it: 1 where it is constant but for rounding.

    Parameters
    ----------
    deviation : ``(width,)``, over n, not n − 1.
    """
    constant = deviation <= 10 * np.finfo(np.float64).eps * np.maximum(np.abs(mean), 1e-300)
    return np.where(constant, 1.0, deviation)


def _fit_many(states: np.ndarray, *, standardize: bool) -> Basis:
    """The same from the covariance of the dimensions: its axes agree with the exact solver's in all but the last digits."""
    n_words, width = states.shape
    mean = states.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((width, width))
    for block in _blocks(states):
        centred = block.astype(np.float64) - mean
        covariance += centred.T @ centred
    covariance /= n_words - 1
    scale = np.ones(width)
    if standardize:
        scale = _scale(np.sqrt(np.diag(covariance) * (n_words - 1) / n_words), mean)
        covariance /= np.outer(scale, scale)
    total_variance = np.trace(covariance)
    values, vectors = _two_largest(covariance)
    components = vectors.T
    # Signs as scikit-learn has them: the largest loading is positive.
    largest = np.take_along_axis(components, np.abs(components).argmax(axis=1)[:, None], axis=1)
    return Basis(
        mean=mean,
        scale=scale,
        components=components * np.sign(largest),
        explained_variance_ratio=values / total_variance,
    )


def _blocks(states: np.ndarray) -> Iterator[np.ndarray]:
    return (states[start : start + _BLOCK] for start in range(0, len(states), _BLOCK))


def project(
    states: Sequence[np.ndarray],
    reference: np.ndarray,
    name: str,
    left_out: Sequence[tuple[int, ...]] | None = None,
) -> Projection:
    """Project every depth, in its own basis and in the embedding's.

    The signs of PC1 and PC2 are arbitrary: each depth's are flipped to agree with the depth before, by the
    correlation of the coordinates of the same words. Nothing is rotated, so the axes stay principal components.

    Parameters
    ----------
    states : per depth ``(n_words, width)``; read one at a time.
    reference : ``(n_words,)`` bool, the words to fit on.
    name : ``standardized``, ``centered``, ``unit_norm`` or ``without_massive``.
    left_out : per depth, the dimensions that ``without_massive`` does without: massive and dominant ones.

    Returns
    -------
    Projection : NaN coordinates with the reason in ``problems`` where a depth has no picture.
    """
    n_depths, n_words = len(states), len(reference)
    left_out = tuple(left_out) if left_out and name == WITHOUT_MASSIVE else ((),) * n_depths
    coordinates = np.full((n_depths, n_words, 2), np.nan)
    grid_coordinates = np.full((n_depths, n_words, 2), np.nan)
    ratios = np.full((n_depths, 2), np.nan)
    problems: list[Problem | None] = []
    grid_problems: list[Problem | None] = []
    embedding_basis: Basis | None = None
    previous: np.ndarray | None = None

    # Threads make the small products of a short list slower, three times on two processors, and add in another order.
    with threadpool_limits(1 if n_words <= MANY_WORDS else None, "blas"):
        for depth in range(n_depths):
            state = prepared(states[depth], name, left_out[depth])
            problem = why_not(state, reference)
            problems.append(problem)
            if problem is None:
                basis = fit(state[reference], standardize=name == STANDARDIZED)
                own = basis.project(state)
                signs = np.ones(2) if previous is None else agreeing_signs(own, previous, reference)
                coordinates[depth] = previous = own * signs
                ratios[depth] = basis.explained_variance_ratio
                if depth == 0:
                    embedding_basis = basis
            grid_problem = _grid_problem(state, embedding_basis)
            grid_problems.append(grid_problem)
            if grid_problem is None and embedding_basis is not None:
                grid_coordinates[depth] = embedding_basis.project(state)

    return Projection(
        name=name,
        coordinates=coordinates,
        explained_variance_ratio=ratios,
        grid_coordinates=grid_coordinates,
        reference=reference,
        left_out=left_out,
        problems=tuple(problems),
        grid_problems=tuple(grid_problems),
    )


def project_onto(states: Sequence[np.ndarray], others: Sequence[np.ndarray], target: Projection) -> Projection:
    """Project every depth in the basis of other states of the same words.

    Parameters
    ----------
    states, others : per depth ``(n_words, width)``, the same widths.
    target : of ``others``, ``project``; not ``without_massive``. Axes have its signs.

    Returns
    -------
    Projection : ``explained_variance_ratio`` is how much of the variance of ``states`` lies along each axis.
    """
    words, name = target.reference, target.name
    coordinates = np.full(target.coordinates.shape, np.nan)
    ratios = np.full(target.explained_variance_ratio.shape, np.nan)
    problems: list[Problem | None] = []
    for depth, (own, other) in enumerate(zip(states, others, strict=True)):
        state, fitted = (prepared(each, name, ()) for each in (own, other))
        problem = why_not(fitted, words) or why_not(state, words) or _width_problem(state, fitted.shape[1])
        problems.append(problem)
        if problem is None:
            basis = fit(fitted[words], standardize=name == STANDARDIZED)
            signs = agreeing_signs(basis.project(fitted), target.coordinates[depth], words)
            coordinates[depth] = basis.project(state) * signs
            total = (state[words].astype(np.float64) / basis.scale).var(axis=0).sum()
            ratios[depth] = coordinates[depth][words].var(axis=0) / total
    return replace(
        target,
        coordinates=coordinates,
        explained_variance_ratio=ratios,
        grid_coordinates=np.full(coordinates.shape, np.nan),
        problems=tuple(problems),
        grid_problems=(Problem(kind="no_basis"),) * len(problems),
    )


def scores_of(projection: Projection, depth: int, states: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A depth of a projection, to be fitted again on some of its words.

    Parameters
    ----------
    states : ``(n_words, width)``, of any words at that depth.

    Returns
    -------
    Rows of ``states``, three or more → their ``scores`` in a basis fitted on them alone.
    """
    return _Refit(
        states=prepared(states, projection.name, projection.left_out[depth]),
        standardize=projection.name == STANDARDIZED,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Refit:
    """What ``scores_of`` gives."""

    states: np.ndarray
    """``(n_words, width)``, as PCA gets them."""
    standardize: bool

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        n_words, width = self.states.shape
        if self.standardize or n_words > width:
            return scores(self.states[rows], standardize=self.standardize)
        about_mean = self._products[np.ix_(rows, rows)]
        for axis in (0, 1):
            about_mean -= about_mean.mean(axis=axis, keepdims=True)
        return _scores_of_products(about_mean)

    @cached_property
    def _products(self) -> np.ndarray:
        """``(n_words, n_words)``: where nothing is scaled, the inner products of some words are among those of all."""
        centred = self.states.astype(np.float64)
        centred -= centred.mean(axis=0)
        return np.asarray(centred @ centred.T)


def prepared(state: np.ndarray, name: str, left_out: tuple[int, ...]) -> np.ndarray:
    """``(n_words, width)`` as PCA gets it, which scales it itself where the projection is ``standardized``."""
    if name == "unit_norm":
        norms = np.linalg.norm(state.astype(np.float64), axis=1, keepdims=True)
        return np.asarray(np.divide(state, norms, out=np.zeros(state.shape), where=norms > 0))
    if name == WITHOUT_MASSIVE:
        # A zero column has no variance: PCA leaves it out.
        state = state.copy()
        state[:, list(left_out)] = 0
    return state


def agreeing_signs(coordinates: np.ndarray, previous: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """``(2,)`` of ±1: the flips that make each axis correlate with the same axis of the depth before."""
    products = (coordinates[reference] * previous[reference]).sum(axis=0)
    return np.where(products < 0, -1.0, 1.0)


def why_not(state: np.ndarray, reference: np.ndarray) -> Problem | None:
    """Why these states have no picture; None where they have one."""
    n_reference = int(reference.sum())
    if n_reference < MIN_WORDS:
        return Problem(kind="few_words", expected=MIN_WORDS, got=n_reference)
    if state.shape[1] < 2:
        return Problem(kind="few_dimensions", expected=2, got=state.shape[1])
    if (state[reference] == state[reference][0]).all():
        return Problem(kind="equal_states")
    return None


def _grid_problem(state: np.ndarray, embedding_basis: Basis | None) -> Problem | None:
    if embedding_basis is None:
        return Problem(kind="no_basis")
    return _width_problem(state, len(embedding_basis.mean))


def _width_problem(state: np.ndarray, width: int) -> Problem | None:
    return None if state.shape[1] == width else Problem(kind="other_width", expected=width, got=state.shape[1])
