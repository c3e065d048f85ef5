"""What is done again when something changes: what depends on it, and no more."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import making
import numpy as np
import pytest
from narrow import present

from tokviz.config import ReportConfig
from tokviz.measure.pca import project
from tokviz.records import HiddenStates, Projection
from tokviz.run.plan import captures
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.options import FORMS, SVG, Options
from tokviz.run.plan.related import Related
from tokviz.run.plan.report import Plan, _ordinary
from tokviz.run.plan.tree import PictureJob
from tokviz.run.store import keys
from tokviz.run.store.artefacts import Store

CONFIG: dict[str, Any] = {
    "words": {category.key: list(category.words) for category in making.WORDS.categories},
    "models": [{"source": "org/tiny"}],
    "contexts": [{"name": "alone", "template": " {word}"}],
}


def config(**changes: Any) -> ReportConfig:
    return ReportConfig.model_validate({**CONFIG, **changes})


def planned(store: Store, report: ReportConfig, **options: Any) -> Plan:
    return Plan(report, Options(base=Path(), output=Path("site"), cache=store.root, **options), store)


def due(store: Store, report: ReportConfig, **options: Any) -> list[str | None]:
    return [context.due for model in planned(store, report, **options).models for context in model.contexts]


@pytest.fixture(autouse=True)
def weights(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Says which weights this machine has of the one model."""

    def are(identity: str | None) -> None:
        monkeypatch.setattr("tokviz.models.identity", lambda *_: identity)

    are("commit:1")
    return are


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One that holds the capture of ``config()``."""
    store = Store(tmp_path)
    report = config()
    making.put(store, keys.states_key(report.models[0], report.context_list[0], report.word_list, str(report.read)))
    return store


def test_nothing_is_due_when_nothing_changed(store: Store) -> None:
    assert due(store, config()) == [None]


def test_the_first_run_captures(tmp_path: Path) -> None:
    assert due(Store(tmp_path), config()) == ["not captured yet"]


@pytest.mark.parametrize(
    "change",
    [
        {"models": [{"source": "org/other"}]},
        {"models": [{"source": "org/tiny", "revision": "v2"}]},
        {"models": [{"source": "org/tiny", "dtype": "bfloat16"}]},
        {"contexts": [{"name": "alone", "template": "{word}"}]},
        {"words": {"months": ["May", "June"]}},
        {"read": "first"},
    ],
)
def test_what_makes_the_states_is_captured_again(store: Store, change: dict[str, Any]) -> None:
    assert due(store, config(**change)) == ["not captured yet"]


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Another"},
        {"projections": ["centered"]},
        {"models": [{"source": "org/tiny", "name": "Another name"}]},
        {"contexts": [{"name": "renamed", "label": "by itself", "template": " {word}"}]},
        {"words": {"everything": list(making.WORDS.words)}},
        {"token_budget": 64},
    ],
)
def test_what_does_not_is_not(store: Store, change: dict[str, Any]) -> None:
    assert due(store, config(**change)) == [None]


def test_other_weights_are_captured_and_absent_ones_trusted(
    store: Store, weights: Callable[[str | None], None]
) -> None:
    assert due(store, config(), force=True) == ["forced"]
    weights("commit:2")
    assert due(store, config()) == ["the model's files changed, or its sha256 in the configuration"]
    weights(None)
    assert due(store, config()) == [None]


def jobs(
    store: Store,
    report: ReportConfig,
    change: Callable[[Projection], Projection] = lambda projection: projection,
    **options: Any,
) -> list[PictureJob]:
    """The pictures of the one capture, its projection changed."""
    plan = planned(store, report, **options)
    (context,) = plan.models[0].contexts
    captured = present(context.captured)
    states = captured.states
    projection = project(states.states, states.tokenization.reference, "standardized")
    return plan.pictures(context.model, captured, change(projection))


def drawn(store: Store, some: list[PictureJob]) -> None:
    for job in some:
        store.put_image(job.key, making.webp(job.path))


def test_pictures_have_the_names_of_the_post_and_a_form_for_phones(store: Store) -> None:
    paths = [job.path for job in jobs(store, config())]
    folder = "images/tiny/alone/standardized/tiny"
    for name in ("__model.embed_tokens", "__model.layers.0", "__model.layers.1", "_m.et", "_strip", "_strip-dark"):
        assert f"{folder}{name}.webp" in paths
        assert f"{folder}{name}-phone.webp" in paths
    assert len(paths) == len(set(paths)) == 12


def test_plates_and_grids_as_svg_are_one_more_form_and_change_no_other(store: Store) -> None:
    plain = {job.path: job.key for job in jobs(store, config())}
    more = {job.path: job.key for job in jobs(store, config(), forms=(*FORMS, SVG))}
    folder = "images/tiny/alone/standardized/tiny"
    names = ("__model.embed_tokens", "__model.layers.0", "__model.layers.1", "_m.et")
    assert set(more) - set(plain) == {f"{folder}{name}.svg" for name in names}
    assert {path: more[path] for path in plain} == plain
    assert len(set(more.values())) == len(more)


def test_drawn_pictures_are_not_drawn_again(store: Store) -> None:
    drawn(store, jobs(store, config()))
    assert [job.due for job in jobs(store, config())] == [None] * 12
    assert {job.due for job in jobs(store, config(), force=True)} == {"forced"}
    assert {job.due for job in jobs(store, config(title="Another"))} == {None}


@pytest.mark.parametrize(
    "change",
    [
        {"models": [{"source": "org/tiny", "name": "Another"}]},
        {"contexts": [{"name": "alone", "label": "by itself", "template": " {word}"}]},
        {"words": {**CONFIG["words"], "months": {"label": "Names of months", "words": ["May", "June", "July"]}}},
    ],
)
def test_what_a_picture_says_draws_it_again(store: Store, change: dict[str, Any]) -> None:
    drawn(store, jobs(store, config()))
    plates = [job for job in jobs(store, config(**change)) if "__model" in job.path]
    assert {job.due for job in plates} == {"not drawn yet"}


def test_a_strip_says_no_names_and_stays(store: Store) -> None:
    drawn(store, jobs(store, config()))
    renamed = jobs(store, config(models=[{"source": "org/tiny", "name": "Another"}]))
    assert [job.due for job in renamed if "_strip" in job.path] == [None] * 4


def test_one_layers_coordinates_concern_its_plate_only(store: Store) -> None:
    before = jobs(store, config())
    plates = {job.path: job.key for job in before if "__model" in job.path}

    def moved(projection: Projection) -> Projection:
        coordinates = projection.coordinates.copy()
        coordinates[2, 0, 0] += 1
        return dataclasses.replace(projection, coordinates=coordinates)

    changed = jobs(store, config(), moved)
    differing = {job.path for job in changed if plates.get(job.path, job.key) != job.key}
    assert {path.split("__")[1] for path in differing} == {"model.layers.1.webp", "model.layers.1-phone.webp"}


def test_ordinary_words_are_the_captures_own_where_these_are_ordinary() -> None:
    at_first, elsewhere, further = (
        making.hidden_states([np.zeros((4, 8), dtype=np.float32)], context=str(index), positions=[index] * 4)
        for index in range(3)
    )
    every = (at_first, elsewhere, further)
    assert _ordinary(at_first, every) is elsewhere
    assert _ordinary(further, every) is further
    assert _ordinary(at_first, (at_first,)) is None


def test_the_projection_depends_on_states_and_name(store: Store) -> None:
    def key(states: HiddenStates, name: str, ordinary: HiddenStates | None = None) -> str:
        related = Related(pairs=(), orders=())
        inputs = Inputs(states=states, ordinary=ordinary, words=making.WORDS, related=related, measured=())
        return captures.projection(inputs, name).key

    states = making.put(store, "a", making.depths(seed=0))
    other = making.put(store, "b", making.depths(seed=1))
    made = {key(entry, name) for entry in (states, other) for name in ("standardized", "centered")}
    assert len(made) == 4
    assert key(making.put(store, "c", making.depths(seed=0)), "centered") in made
    # Ordinary words say what is massive; other projections don't need them.
    assert key(states, "centered", other) in made
    assert key(states, "without_massive", other) != key(states, "without_massive")
