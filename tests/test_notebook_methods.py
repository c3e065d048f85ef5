"""Words placed by t-SNE, a function or with the help of their categories; and two captures on the same axes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from families import Tiny
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import TSNE
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tokviz
from tokviz.errors import TokvizError
from tokviz.notebook import Capture
from tokviz.records import Plate, SideBySide

pytestmark = pytest.mark.thorough

WORDS = {
    "colors": ["red", "blue", "green", "pink", "brown"],
    "months": ["May", "June", "July", "March", "April"],
    "animals": ["cat", "dog", "horse", "cow", "sheep"],
}


@pytest.fixture(scope="module")
def study(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Any:
    contexts = {"alone": " {word}", "sentence": "The word is {word}"}
    sources = {"Tiny": str(tiny("llama")), "Other": str(tiny("gpt2"))}
    return tokviz.study(sources, WORDS, contexts, cache=tmp_path_factory.mktemp("cache"), quiet=True)


@pytest.fixture(scope="module")
def alone(study: Any) -> Capture:
    own: Capture = study["Tiny"]["alone"]
    return own


def plate(drawn: Any) -> Plate:
    assert isinstance(drawn.picture, Plate)
    return drawn.picture


def by_hand(states: np.ndarray, own: np.ndarray) -> np.ndarray:
    exact = states.astype(np.float64)
    return np.asarray((exact - exact[own].mean(axis=0)) / exact[own].std(axis=0))


def test_a_transformer_places_each_depth_by_itself_and_stays_as_it_was(alone: Capture) -> None:
    method = PCA(n_components=2)
    placed = alone.project(method)
    assert placed.coordinates.shape == (len(alone), 15, 2)
    own = alone.states.tokenization.reference
    for depth, found in enumerate(placed.coordinates):
        expected = PCA(n_components=2).fit_transform(by_hand(alone[depth], own))
        assert np.allclose(np.abs(found), np.abs(expected), atol=1e-4)
    assert not hasattr(method, "components_")
    assert "PCA" in repr(placed)


def test_a_plot_says_what_distances_mean(alone: Capture) -> None:
    drawn = alone.draw(1, TSNE(perplexity=4, random_state=0))
    assert "placed by TSNE: neighbors stay near; gaps, sizes and axes mean nothing" in repr(drawn)
    assert "PC1" not in repr(drawn)
    assert drawn._repr_png_()[0]


def test_what_was_projected_is_drawn_without_the_method(study: Any, alone: Capture) -> None:
    calls = []

    def first_two(states: np.ndarray) -> np.ndarray:
        calls.append(states.shape)
        return states[:, :2]

    placed = alone.project(first_two)
    assert len(calls) == len(alone)
    drawn = plate(alone.draw(-1, placed))
    assert len(calls) == len(alone)
    assert np.array_equal(drawn.coordinates, placed.coordinates[-1])
    assert drawn.method is not None
    assert drawn.method.name == "first_two"
    with pytest.raises(TokvizError, match="expected what first_two gave of this capture, got that of another"):
        study["Tiny"]["sentence"].draw(0, placed)
    alone.draw(0, first_two)
    assert len(calls) == len(alone) + 1, "one layer is placed where one is drawn"


def test_a_method_that_uses_the_categories_is_named_as_such(alone: Capture) -> None:
    drawn = plate(alone.draw(-1, LinearDiscriminantAnalysis(n_components=2)))
    assert drawn.method is not None
    assert drawn.method.meaning == "made with the categories: even meaningless ones may look apart"
    states = by_hand(alone[-1], alone.states.tokenization.reference)
    own = LinearDiscriminantAnalysis(n_components=2).fit(states, np.unique(alone.y, return_inverse=True)[1])
    assert np.allclose(np.abs(drawn.coordinates), np.abs(own.transform(states)), rtol=1e-3)


class Supervised(BaseEstimator):  # type: ignore[misc]
    """Its tags don't say that it needs a target, its signature does."""

    def fit(self, states: np.ndarray, y: np.ndarray) -> Supervised:
        self.axes_ = np.stack([states[y == own].mean(axis=0) for own in (0, 1)])
        return self

    def transform(self, states: np.ndarray) -> np.ndarray:
        return np.asarray(states @ self.axes_.T)


class AtOnce:
    """Of another package: without tags, and without ``transform``."""

    def fit_transform(self, states: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.asarray(states[:, :2] + 10 * y[:, None])


@pytest.mark.parametrize(
    "method",
    [
        make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(n_components=2)),
        make_pipeline(StandardScaler(), NeighborhoodComponentsAnalysis(n_components=2, max_iter=5, random_state=0)),
        make_pipeline("passthrough", make_pipeline(LinearDiscriminantAnalysis(), PCA(n_components=2))),
        make_pipeline(StandardScaler(), Supervised()),
        Supervised(),
        AtOnce(),
    ],
    ids=["LDA", "NCA", "within", "own last", "own", "at once"],
)
def test_what_needs_the_categories_gets_them_and_is_named_as_such(alone: Capture, method: Any) -> None:
    placed = alone.project(method)
    assert placed.method.meaning == "made with the categories: even meaningless ones may look apart"
    states = by_hand(alone[-1], alone.states.tokenization.reference)
    categories = np.array([own[0] for own in alone.words.memberships])
    own = clone(method, safe=False)
    expected = (
        own.fit(states, categories).transform(states) if hasattr(own, "fit") else own.fit_transform(states, categories)
    )
    assert np.allclose(np.abs(placed.coordinates[-1]), np.abs(expected), rtol=1e-3, atol=1e-3)


def test_of_a_pipeline_the_last_step_is_named(alone: Capture) -> None:
    assert alone.project(make_pipeline(StandardScaler(), PCA(n_components=2))).method.name == "PCA"


def test_axes_of_the_caller_are_named_by_the_method(alone: Capture) -> None:
    figure, axes = plt.subplots()
    alone.draw(1, PCA(n_components=2), ax=axes)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("PCA 1", "PCA 2")
    plt.close(figure)


def test_it_is_asked_whether_a_word_is_there(alone: Capture) -> None:
    word = alone.words.words[0]
    assert word in alone
    assert "no such word" not in alone


def test_states_that_are_all_the_same_are_no_fault_of_the_method(tmp_path: Path) -> None:
    states = np.random.default_rng(0).normal(size=(3, 15, 8))
    states[0] = 1.0
    capture = tokviz.from_arrays(states, WORDS, cache=tmp_path, quiet=True)
    own: Capture = next(iter(capture.values()))["given"]
    placed = own.project(lambda each: each[:, :2]).coordinates
    assert np.isnan(placed[0]).all()
    assert np.isfinite(placed[1:]).all()
    with pytest.raises(
        TokvizError,
        match="layer: expected states of two dimensions or more that differ between three words or more, got none",
    ):
        own.draw("embedding", lambda each: each[:, :2])
    same = tokviz.from_arrays(np.ones((3, 15, 8)), WORDS, cache=tmp_path, quiet=True)["Given states"]["given"]
    with pytest.raises(
        TokvizError,
        match="layer: expected states of two dimensions or more that differ between three words or more, got none",
    ):
        same.draw()


class Failing(BaseEstimator):  # type: ignore[misc]
    def fit_transform(self, states: np.ndarray) -> np.ndarray:
        raise ValueError(f"no more than 3 words, got {len(states)}")


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (TSNE, "projection: expected a name, a transformer such as TSNE(), or a function of states, got"),
        (3, "projection: expected a name, a transformer such as TSNE(), or a function of states, got 3"),
        ("tsne", "projection: expected one of standardized"),
        (PCA(n_components=3), "PCA at embedding: expected finite numbers (15, 2), got an array (15, 3)"),
        (
            lambda states: states[:, :2] * np.nan,
            "your method at embedding: expected finite numbers (15, 2), got some that are not",
        ),
        (lambda states: None, "your method at embedding: expected finite numbers (15, 2), got an array ()"),
        (Failing(), "Failing at embedding: ValueError: no more than 3 words, got 15"),
    ],
)
def test_what_places_no_words_is_one_line(alone: Capture, method: Any, message: str) -> None:
    for call in (lambda: alone.project(method), lambda: alone.draw("embedding", method)):
        with pytest.raises(TokvizError) as caught:
            call()
        assert str(caught.value).startswith(message)
        assert "\n" not in str(caught.value)


def test_two_contexts_stand_on_the_same_axes(study: Any) -> None:
    one, other = study["Tiny"]["alone"], study["Tiny"]["sentence"]
    both = one.draw_beside(other, 1)
    assert isinstance(both.picture, SideBySide)
    left, right = both.picture.plates
    assert (left.model, left.context, right.context) == ("Tiny", "alone", "sentence")
    assert left.limits == right.limits
    assert "PCA of both captures’ standardized states together" in both.picture.caption
    assert re.search("% of alone’s and .* of sentence’s variance", both.picture.caption)
    assert both._repr_png_()[0]


def test_a_capture_beside_itself_lies_at_the_same_places(alone: Capture) -> None:
    left, right = alone.draw_beside(alone, -1).picture.plates  # type: ignore[union-attr]
    assert np.allclose(left.coordinates, right.coordinates)
    own = alone.states.tokenization.reference
    expected = PCA(n_components=2).fit(by_hand(alone[-1], own)[own]).transform(by_hand(alone[-1], own))
    assert np.allclose(np.abs(left.coordinates), np.abs(expected), atol=1e-3)


def test_captures_that_share_no_axes_are_refused(study: Any, tiny: Tiny, tmp_path: Path) -> None:
    one = study["Tiny"]["alone"]
    with pytest.raises(TokvizError, match="draw_beside: expected another capture, got int"):
        one.draw_beside(3)
    with pytest.raises(TokvizError, match=r"draw_beside: expected a model of the same kind, llama, .*, got gpt2$"):
        one.draw_beside(study["Other"]["alone"])
    given = tokviz.from_arrays(np.asarray(one), WORDS, cache=tmp_path, quiet=True)["Given states"]["given"]
    with pytest.raises(TokvizError, match=r"expected a model of the same kind, llama, .*, got given states$"):
        one.draw_beside(given)
    with pytest.raises(TokvizError, match=r"expected a model of the same kind, given states, .*, got llama$"):
        given.draw_beside(one)
    fewer = tokviz.study(tiny("llama"), {"colors": WORDS["colors"]}, {"alone": " {word}"}, cache=tmp_path, quiet=True)
    with pytest.raises(TokvizError, match="draw_beside: expected a capture of the same words, got others"):
        one.draw_beside(next(iter(fewer.values()))["alone"])
