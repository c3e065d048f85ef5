"""Measures that other packages add: in charts, on the compare page, in the CSV file; made again when their code changes."""

from __future__ import annotations

import csv
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from at_once import leave_pictures_blank
from example_packages import install
from families import Tiny

import tokviz
from tokviz.errors import AddedMeasureError
from tokviz.records import AddedMeasure
from tokviz.run.plan import added

ALONE = {"alone": " {word}"}
WORDS = {"colors": ["red", "blue", "green", "pink", "brown"], "months": ["May", "June", "July", "March", "April"]}


@pytest.fixture(autouse=True)
def _leave_pictures_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_pictures_blank(monkeypatch)


def forget() -> None:
    added.added_measures.cache_clear()
    sys.modules.pop("median_norm", None)
    importlib.invalidate_caches()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = install("added-measure", tmp_path / "site-packages")
    monkeypatch.syspath_prepend(str(folder))
    forget()
    yield folder
    forget()


@pytest.fixture(scope="module")
def models(tiny: Tiny) -> list[str]:
    return [str(tiny(name)) for name in ("llama", "gpt2")]


def column(site: Path, slug: str, name: str) -> np.ndarray:
    with (site / "data" / slug / "alone" / "geometry.csv").open(encoding="utf-8", newline="") as file:
        return np.array([float(row[name]) for row in csv.DictReader(file)])


def norms_of(capture: tokviz.Capture) -> list[np.ndarray]:
    """Per depth those of the reference words."""
    rows = capture.states.tokenization.reference
    return [np.linalg.norm(depth[rows], axis=1) for depth in capture.states.states]


@pytest.mark.slow
def test_it_is_seen_wherever_measures_are(installed: Path, models: list[str], tmp_path: Path) -> None:
    study = tokviz.study(models, WORDS, contexts=ALONE, cache=tmp_path / "cache", quiet=True)
    study.report(tmp_path / "site", jobs=1, quiet=True)
    for page in ("models/llama/index.html", "compare/index.html", "method/index.html"):
        text = (tmp_path / "site" / page).read_text(encoding="utf-8")
        for name in ("Median norm", "Variance between categories"):
            assert name in text, page
    assert "Measured by tokviz-added-measure 0.1.0." in text
    norms = [np.median(each) for each in norms_of(study["llama"]["alone"])]
    np.testing.assert_allclose(column(tmp_path / "site", "llama", "added_median_norm"), norms, rtol=1e-5)
    share, chance = (column(tmp_path / "site", "llama", f"added_between_categories{end}") for end in ("", "_chance"))
    assert ((share > 0) & (share < 1) & (chance > 0) & (chance < 1)).all()
    frame = study["llama"]["alone"].to_pandas("geometry")
    np.testing.assert_allclose(frame["added_median_norm"], norms, rtol=1e-5)


@pytest.mark.slow
def test_it_is_measured_again_only_where_its_code_changes(
    installed: Path, models: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    original = added.Added.measured

    def noted(each: added.Added, *of: Any) -> AddedMeasure:
        calls.append(each.column)
        return original(each, *of)

    monkeypatch.setattr(added.Added, "measured", noted)

    def report() -> list[str]:
        calls.clear()
        tokviz.study(models[0], WORDS, contexts=ALONE, cache=tmp_path / "cache", quiet=True).report(
            tmp_path / "site", jobs=1, quiet=True
        )
        return list(calls)

    assert report() == ["between_categories", "median_norm"]
    assert report() == []
    module = installed / "median_norm.py"
    module.write_text(module.read_text(encoding="utf-8").replace("np.median(", "np.max("), encoding="utf-8")
    forget()
    assert report() == ["between_categories", "median_norm"]
    again = tokviz.study(models[0], WORDS, contexts=ALONE, cache=tmp_path / "cache", quiet=True)["llama"]["alone"]
    largest = [each.max() for each in norms_of(again)]
    np.testing.assert_allclose(column(tmp_path / "site", "llama", "added_median_norm"), largest, rtol=1e-5)


HELPED = """
from {place}helper import norm

class Norm:
    name = caption = "Norm"
    def value(self, states, memberships):
        return norm(states)

NORM = Norm()
"""
HELPER = """
import numpy as np

def norm(states):
    return float(np.{how}(np.linalg.norm(states, axis=1)))
"""


@pytest.mark.parametrize("place", ["helped.parts.", ""], ids=["in its package", "beside it"])
def test_it_is_measured_again_where_the_code_that_it_calls_changes(
    models: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = tmp_path / "site-packages"
    monkeypatch.syspath_prepend(str(folder))
    helper = folder / place.replace(".", "/") / "helper.py"
    metadata = folder / "helped-1.0.dist-info"
    for each in (helper.parent, folder / "helped", metadata):
        each.mkdir(parents=True, exist_ok=True)
    (folder / "helped" / "__init__.py").touch()
    (folder / "helped" / "norms.py").write_text(HELPED.format(place=place), encoding="utf-8")
    (metadata / "METADATA").write_text("Name: helped\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text("[tokviz.measures]\nnorm = helped.norms:NORM", encoding="utf-8")
    (metadata / "RECORD").write_text("helped/norms.py,,\nhelper.py,,\n", encoding="utf-8")
    measured = []
    for how in ("median", "max"):
        helper.write_text(HELPER.format(how=how), encoding="utf-8")
        forget()
        for name in [name for name in sys.modules if name.partition(".")[0] in ("helped", "helper")]:
            del sys.modules[name]
        own = tokviz.study(models[0], WORDS, contexts=ALONE, cache=tmp_path / "cache", quiet=True)["llama"]["alone"]
        measured.append(own.to_pandas("geometry")["added_norm"])
        expected = [getattr(np, how)(each) for each in norms_of(own)]
        np.testing.assert_allclose(measured[-1], expected, rtol=1e-5)
    forget()
    assert (measured[0] < measured[1]).all()


def test_what_it_does_to_its_array_changes_nothing_else(installed: Path, models: list[str], tmp_path: Path) -> None:
    """Its value, its chance and another measure each get the states as they are."""
    (installed / "median_norm.py").write_text(
        """
class Emptied:
    name = caption = "Emptied"
    def value(self, states, memberships):
        largest = abs(states).max()
        states[:] = 0
        return largest
    chance = value
MEDIAN_NORM = BETWEEN_CATEGORIES = Emptied()
""",
        encoding="utf-8",
    )
    forget()
    own = tokviz.study(models[0], WORDS, contexts=ALONE, cache=tmp_path / "cache", quiet=True)["llama"]["alone"]
    frame = own.to_pandas("geometry")
    rows = own.states.tokenization.reference
    largest = [np.abs(depth[rows]).max() for depth in own.states.states]
    for column in ("median_norm", "median_norm_chance", "between_categories", "between_categories_chance"):
        np.testing.assert_allclose(frame[f"added_{column}"], largest, rtol=1e-5)


def test_two_packages_with_one_name_are_refused(installed: Path) -> None:
    other = installed / "other-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Name: other\nVersion: 1.0\n", encoding="utf-8")
    (other / "entry_points.txt").write_text("[tokviz.measures]\nmedian_norm = os:path", encoding="utf-8")
    forget()
    with pytest.raises(AddedMeasureError, match="measure median_norm: expected one package that has it, got "):
        added.added_measures()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "MEDIAN_NORM = 3\nBETWEEN_CATEGORIES = 4\n",
            "expected an object with name, caption and value(states, memberships), got int without name",
        ),
        ("raise RuntimeError('broken')\n", "can't be loaded: RuntimeError: broken"),
        (
            "class A:\n    name = caption = 'A'\n    def value(self, states, memberships):\n        return states[99, 0]\nMEDIAN_NORM = BETWEEN_CATEGORIES = A()\n",
            "depth 0: IndexError",
        ),
        (
            "class A:\n    name = caption = 'A'\n    def value(self, states, memberships):\n        return 'much'\nMEDIAN_NORM = BETWEEN_CATEGORIES = A()\n",
            "depth 0: ValueError",
        ),
    ],
)
def test_what_fails_in_it_is_one_line(installed: Path, models: list[str], tmp_path: Path, code: str, said: str) -> None:
    (installed / "median_norm.py").write_text(code, encoding="utf-8")
    forget()
    with pytest.raises(AddedMeasureError) as caught:
        tokviz.study(models[0], WORDS, contexts=ALONE, cache=tmp_path / "cache", quiet=True).report(
            tmp_path / "site", jobs=1, quiet=True
        )
    assert str(caught.value).startswith("measure between_categories of tokviz-added-measure 0.1.0: ")
    assert said in str(caught.value)
    assert not (tmp_path / "site").exists()
