"""A picture that can't be drawn: its reason stands in its place, and all others are there."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from at_once import A_DATE, AtOnce, options
from families import Tiny

from tokviz.config import ReportConfig
from tokviz.draw import draw_image
from tokviz.errors import TokvizError
from tokviz.records import Grid, HeatMap, Picture, Plate, Strip
from tokviz.run import pipeline
from tokviz.run.work.progress import Quiet

pytestmark = pytest.mark.slow

MODELS = ("gpt2", "bert")
WORDS = {"people": ["James", "Mary", "doctor", "nurse"], "times": ["January", "February", "Tuesday"]}


class Failing(AtOnce):
    """Draws nothing that ``fails``."""

    def __init__(self, fails: Callable[[Picture], bool]) -> None:
        self.fails = fails

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if fn is not draw_image or not self.fails(args[0]):
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        future.set_exception(ValueError(f"no glyph\nin {args[0].form}"))
        return future


@pytest.fixture
def make(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pipeline.Outcome]:
    for name in MODELS:
        tiny.copy(name, tmp_path / name)
    monkeypatch.setenv(*A_DATE)

    def run(fails: Callable[[Picture], bool]) -> pipeline.Outcome:
        monkeypatch.setattr(pipeline, "_start", lambda *_: Failing(fails))
        contexts = [{"name": "alone", "template": " {word}"}]
        values = {"models": [{"source": name} for name in MODELS], "words": WORDS, "contexts": contexts}
        config = ReportConfig.model_validate({"projections": ["standardized"], **values})
        return pipeline.run(config, options(tmp_path), Quiet())

    return run


def page(folder: Path, model: str) -> str:
    return (folder / "site" / "models" / model / "index.html").read_text(encoding="utf-8")


def projection(folder: Path, model: str) -> dict[str, Any]:
    report = json.loads((folder / "site" / "data" / "report.json").read_text(encoding="utf-8"))
    found = next(each for each in report["models"] if each["slug"] == model)
    shown: dict[str, Any] = found["contexts"][0]["projections"][0]
    return shown


def is_of_gpt2(picture: Picture) -> bool:
    return not isinstance(picture, Strip) and picture.model == "gpt2"


def test_a_plate_that_fails_is_told_in_its_place(make: Callable[..., pipeline.Outcome], tmp_path: Path) -> None:
    outcome = make(lambda each: is_of_gpt2(each) and isinstance(each, Plate) and each.depth == "layer 1")
    failed = [f"{each.name}: {each.failure}" for each in outcome.failures]
    place = "images/gpt2/alone/standardized/gpt2__transformer.h.1"
    assert failed == [
        f"gpt2: expected pictures that can be drawn, got ValueError: no glyph in {form} for {place}{ending}.webp"
        for form, ending in (("wide", ""), ("phone", "-phone"))
    ]
    assert outcome.n_models == 2
    shown = projection(tmp_path, "gpt2")
    assert shown["plates"][1] == "images/gpt2/alone/standardized/gpt2__transformer.h.0.webp"
    assert shown["plates"][2] is None
    assert shown["problems"] == [None, None, "This plot couldn’t be drawn.", None]
    assert "This plot couldn’t be drawn." in page(tmp_path, "gpt2")
    assert "gpt2__transformer.h.1" not in page(tmp_path, "gpt2")
    assert None not in projection(tmp_path, "bert")["plates"]
    assert "couldn’t be drawn" not in page(tmp_path, "bert")


def test_it_is_tried_again_in_the_next_run(make: Callable[..., pipeline.Outcome], tmp_path: Path) -> None:
    make(lambda each: is_of_gpt2(each) and isinstance(each, Plate))
    outcome = make(lambda _: False)
    assert outcome.failures == ()
    assert outcome.n_captured == 0
    assert outcome.n_drawn == 8, "four depths in two forms"
    assert None not in projection(tmp_path, "gpt2")["plates"]


def test_a_phone_that_has_no_plate_of_its_own_gets_the_wide_one(
    make: Callable[..., pipeline.Outcome], tmp_path: Path
) -> None:
    outcome = make(lambda each: is_of_gpt2(each) and each.form == "phone")
    assert len(outcome.failures) == 1
    assert " and " in outcome.failures[0].failure
    assert None not in projection(tmp_path, "gpt2")["plates"]


def test_pages_stand_without_any_picture_of_a_model(make: Callable[..., pipeline.Outcome], tmp_path: Path) -> None:
    outcome = make(lambda each: isinstance(each, Strip | HeatMap | Grid) or is_of_gpt2(each))
    assert {each.name for each in outcome.failures} == set(MODELS)
    assert projection(tmp_path, "gpt2")["grid"] is None
    assert page(tmp_path, "gpt2").count("This plot couldn’t be drawn.") >= 4
    for place in ("", "compare/", "explore/"):
        assert (tmp_path / "site" / place / "index.html").is_file()


def test_without_any_picture_nothing_is_written(make: Callable[..., pipeline.Outcome], tmp_path: Path) -> None:
    with pytest.raises(TokvizError, match=r"^no picture could be drawn, so nothing was written: gpt2: .*no glyph in"):
        make(lambda _: True)
    assert not (tmp_path / "site").exists()
