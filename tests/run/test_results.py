"""Products are made once, and made again when they are due."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import making
import numpy as np
import pytest
from narrow import present

from tokviz.config import ReportConfig
from tokviz.records import HiddenStates, Neighbours, Projection
from tokviz.run.measuring import measuring, results
from tokviz.run.plan.options import Options
from tokviz.run.plan.plan import Plan
from tokviz.run.plan.tree import Captured
from tokviz.run.store import keys
from tokviz.run.store.store import Store

CONFIG = ReportConfig.model_validate(
    {
        "words": {category.key: list(category.words) for category in making.WORDS.categories},
        "models": [{"source": "org/tiny"}],
        "contexts": [{"name": "alone", "template": " {word}"}],
    }
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    making.put(store, keys.states_key(CONFIG.models[0], CONFIG.context_list[0], CONFIG.word_list, CONFIG.read))
    return store


def captured(store: Store, *, force: bool = False) -> Captured:
    """As a run that begins now finds it."""
    store = Store(store.root)
    plan = Plan(CONFIG, Options(base=Path(), output=Path("site"), cache=store.root, force=force), store)
    branch = plan.models[0].contexts[0].captured
    assert branch is not None
    return branch


def test_neighbours_are_measured_once_and_again_when_forced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first: Neighbours = present(measuring.recall_measure("neighbours", captured(store), store))
    calls: list[HiddenStates] = []

    def counted(states: HiddenStates) -> Neighbours:
        calls.append(states)
        return first

    monkeypatch.setattr("tokviz.measure.neighbours.neighbours", counted)
    again = present(measuring.recall_measure("neighbours", captured(store), Store(store.root)))
    assert (again.rows == first.rows).all()
    assert calls == []
    measuring.recall_measure("neighbours", captured(store, force=True), Store(store.root))
    assert len(calls) == 1


def test_too_many_words_have_no_neighbours(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Neighbours, "MOST_WORDS", 5)
    assert measuring.recall_measure("neighbours", captured(store), store) is None


def test_what_one_projection_made_stays_when_the_next_one_fails(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from tokviz.measure import pca

    project = pca.project

    def failing(
        states: Sequence[np.ndarray], reference: np.ndarray, name: str, massive: Sequence[tuple[int, ...]] | None = None
    ) -> Projection:
        if name == "centered":
            raise MemoryError
        return project(states, reference, name, massive)

    monkeypatch.setattr(pca, "project", failing)
    branch = captured(store)
    assert list(branch.projections) == ["standardized", "centered"]
    with pytest.raises(MemoryError):
        results.project([branch], store)
    assert [job.due is None for job in captured(store).projections.values()] == [True, False]


def test_a_result_that_cannot_be_read_is_made_again(store: Store) -> None:
    branch = captured(store)
    (first, _), *_ = results.project([branch], store)
    (file,) = (store.root / "projections").glob(f"{branch.projections['standardized'].key}.*")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert captured(store).projections["standardized"].due == "not projected yet"
    (again, _), *_ = results.project([captured(store)], Store(store.root))
    assert (again.coordinates == first.coordinates).all()
