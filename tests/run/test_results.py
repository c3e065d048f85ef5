"""Products are made once, and made again when they are due."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import making
import numpy as np
import pytest
from narrow import present

from tokviz.config import ReportConfig
from tokviz.records import HiddenStates, Neighbours, Projection
from tokviz.run.plan.options import Options
from tokviz.run.plan.report import Plan
from tokviz.run.plan.steps import Step, Steps
from tokviz.run.plan.tree import Captured
from tokviz.run.store import keys
from tokviz.run.store.artefacts import Store

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
    making.put(store, keys.states_key(CONFIG.models[0], CONFIG.context_list[0], CONFIG.word_list, str(CONFIG.read)))
    return store


def planned(store: Store, *, force: bool = False) -> tuple[Captured, Steps]:
    """As a run that begins now finds it."""
    store = Store(store.root)
    plan = Plan(CONFIG, Options(base=Path(), output=Path("site"), cache=store.root, force=force), store)
    return present(plan.models[0].contexts[0].captured), plan.steps


def nearest(store: Store, *, force: bool = False) -> Neighbours | None:
    captured, steps = planned(store, force=force)
    step: Step[Neighbours] | None = captured.measures.get("neighbours")
    return None if step is None else steps(step)


def test_neighbours_are_measured_once_and_again_when_forced(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first: Neighbours = present(nearest(store))
    calls: list[HiddenStates] = []

    def counted(states: HiddenStates) -> Neighbours:
        calls.append(states)
        return first

    monkeypatch.setattr("tokviz.measure.neighbours.neighbours", counted)
    again = present(nearest(store))
    assert (again.rows == first.rows).all()
    assert calls == []
    nearest(store, force=True)
    assert len(calls) == 1


def test_too_many_words_have_no_neighbours(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Neighbours, "MOST_WORDS", 5)
    assert nearest(store) is None


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
    captured, steps = planned(store)
    assert list(captured.projections) == ["standardized", "centered"]
    with pytest.raises(MemoryError):
        steps.all(list(captured.projections.values()))
    captured, steps = planned(store)
    assert [steps.due(step) is None for step in captured.projections.values()] == [True, False]


def test_a_result_that_cannot_be_read_is_made_again(store: Store) -> None:
    captured, steps = planned(store)
    step = captured.projections["standardized"]
    first = steps(step)
    (file,) = (store.root / "projections").glob(f"{step.key}.*")
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    captured, steps = planned(store)
    assert steps.due(captured.projections["standardized"]) == "not projected yet"
    again = steps(captured.projections["standardized"])
    assert (again.coordinates == first.coordinates).all()


def test_what_several_are_made_of_is_made_first_and_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here, and in the process that measures meanwhile."""
    from tokviz.measure import pca

    names: list[str] = []
    project = pca.project

    def noted(*arguments: Any) -> Projection:
        names.append(arguments[2])
        return project(*arguments)

    monkeypatch.setattr(pca, "project", noted)
    captured, steps = planned(store)
    found = steps.meanwhile(captured.measures, None).wait()
    assert list(found) == list(captured.measures)
    assert names == list(captured.projections)
    assert isinstance(pickle.loads(pickle.dumps(captured.measures["geometry"])), Step)
    assert steps(captured.measures["geometry"]) is found["geometry"]
