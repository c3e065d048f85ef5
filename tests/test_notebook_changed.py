"""What changed between two models of one form, from Python: loaded together or studied apart, as the report has it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from at_once import leave_pictures_blank
from families import Tiny
from transformers import AutoModelForCausalLM, AutoTokenizer

import tokviz
from tokviz.draw import encode, figures
from tokviz.errors import TokvizError
from tokviz.records import SideBySide

WORDS = {
    "colors": ["red", "blue", "green", "pink", "brown", "gray"],
    "months": ["May", "June", "July", "March", "April", "firefighter"],
}
CONTEXTS = {"alone": " {word}", "sentence": "The word is {word}"}
pytestmark = pytest.mark.slow
MANY = {f"category {k}": [f"w{k}x{i}" for i in range(14)] for k in range(3)}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def models(tiny: Tiny) -> dict[str, Any]:
    """The second one differs from layer 1 on."""
    base = AutoModelForCausalLM.from_pretrained(tiny("llama"))
    tuned = copy.deepcopy(base)
    with torch.no_grad():
        tuned.model.layers[1].mlp.down_proj.weight.mul_(3)
    return {"Base": base, "Tuned": tuned}


@pytest.fixture(scope="module")
def tokenizer(tiny: Tiny) -> Any:
    return AutoTokenizer.from_pretrained(tiny("llama"))


@pytest.fixture(scope="module")
def both(models: dict[str, Any], tokenizer: Any, cache: Path) -> tokviz.Study:
    return tokviz.study(models, WORDS, CONTEXTS, tokenizer=tokenizer, cache=cache, quiet=True)


@pytest.fixture(scope="module")
def changed(both: tokviz.Study) -> tokviz.ModelChange:
    return both["Base"]["alone"].changed(both["Tuned"]["alone"])


def given(states: Any, name: str, cache: Path, words: Any = MANY) -> tokviz.Capture:
    return tokviz.from_arrays(states, words, name=name, cache=cache, quiet=True)[name]["given"]


def distinct(seed: int) -> np.ndarray:
    """Three categories that are far apart, at three depths."""
    random = np.random.default_rng(seed)
    middles = np.repeat(random.normal(size=(3, 32)) * 3, 14, axis=0)
    return np.stack([middles + random.normal(size=(42, 32)) for _ in range(3)])


Pair = tuple[tokviz.Capture, tokviz.Capture]


@pytest.fixture(scope="module")
def pair(cache: Path) -> Pair:
    """The second category's words lie anywhere at the last depth of the second one."""
    before, after = distinct(0), distinct(0)
    after[2, 14:28] = np.random.default_rng(1).normal(size=(14, 32)) * 3
    return given(before, "Base", cache), given(after, "Tuned", cache)


@pytest.fixture(scope="module")
def planted(pair: Pair) -> tokviz.ModelChange:
    return pair[0].changed(pair[1])


def test_several_loaded_models_are_studied_at_once(
    both: tokviz.Study, models: dict[str, Any], tokenizer: Any, cache: Path
) -> None:
    assert list(both) == ["Base", "Tuned"]
    for name, model in models.items():
        alone = tokviz.study(model, WORDS, CONTEXTS, tokenizer=tokenizer, cache=cache, quiet=True, name=name)[name]
        np.testing.assert_array_equal(both[name]["alone"][-1], alone["alone"][-1])
        at_hand = both[name]["alone"].in_memory
        assert at_hand is not None
        assert at_hand.model is model


def test_sources_and_loaded_models_stand_next_to_each_other(
    tiny: Tiny, models: dict[str, Any], tokenizer: Any, cache: Path
) -> None:
    mixed = {"Base": tiny("llama"), "Tuned": models["Tuned"]}
    found = tokviz.study(mixed, WORDS, CONTEXTS, tokenizer={"Tuned": tokenizer}, cache=cache, quiet=True)
    of_pair = found["Base"]["alone"].changed(found["Tuned"]["alone"]).to_pandas()
    assert of_pair["neighbors_kept"].iloc[:2].tolist() == pytest.approx([1, 1])
    assert not of_pair["identical"].iloc[2:].any()


def test_a_row_for_each_depth(pair: Pair, planted: tokviz.ModelChange) -> None:
    table = planted.to_pandas()
    assert table["layer"].tolist() == ["embedding", "layer 0", "layer 1"]
    assert table["identical"].tolist() == [1, 1, 0]
    before, after = (each.measure().purity for each in pair)
    assert before is not None
    assert after is not None
    assert table["purity_change"].tolist() == pytest.approx((after.value - before.value).tolist(), abs=1e-5)
    assert table["silhouette_announced"].tolist() == [0, 0, 1]
    alike = pair[0].compare(pair[1]).shared
    assert table["cka"].tolist() == pytest.approx(np.diagonal(alike.cka).tolist(), abs=1e-5)


def test_a_row_for_each_category_at_each_depth(planted: tokviz.ModelChange) -> None:
    table = planted.to_pandas("categories")
    keys = [f"category-{index}" for index in range(3)]
    assert table["category"].tolist() == [key for key in keys for _ in range(3)]
    assert table["layer"].tolist() == ["embedding", "layer 0", "layer 1"] * 3
    last = table[table["layer"] == "layer 1"].set_index("category")
    # The second one's words lie anywhere; each has as many words, so that their mean is that of all.
    assert last["silhouette_announced"].to_dict() == {"category-0": 0, "category-1": 1, "category-2": 0}
    of_all = planted.to_pandas()["silhouette_change"].iloc[-1]
    assert last["silhouette_change"].mean() == pytest.approx(of_all, abs=1e-5)
    with pytest.raises(TokvizError, match="expected one of depths, categories, words, got 'groups'"):
        planted.to_pandas("groups")


def test_the_report_of_both_has_the_same(
    both: tokviz.Study, changed: tokviz.ModelChange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_pictures_blank(monkeypatch)
    both.report(tmp_path / "site", jobs=1)
    assert (tmp_path / "site" / "change" / "base-tuned" / "index.html").is_file()
    of_report = pandas.read_csv(tmp_path / "site" / "data" / "change" / "base-tuned" / "alone" / "depths.csv")
    own = changed.to_pandas()
    assert own.columns.tolist() == of_report.columns.tolist()
    # Bands hold together with those of all that a report says, which is more.
    bands = [name for name in own if name.endswith(("_low", "_high", "_announced"))]
    pandas.testing.assert_frame_equal(own.drop(columns=bands), of_report.drop(columns=bands))


def test_what_was_planted_is_named(planted: tokviz.ModelChange) -> None:
    assert planted.headline == "In its last layer, Tuned keeps category 1 less apart than Base by silhouette."
    assert planted.depth == "layer 1"
    assert planted.evidence[0].startswith("Category 1: ")
    assert "changes by −0.7" in planted.evidence[0]
    assert planted.headline in planted._repr_html_()
    *said, last = repr(planted).splitlines()
    assert said == [planted.headline, *planted.evidence]
    assert last == "Decided on this pair alone; a report decides among all of its pairs."
    assert last in planted._repr_html_()


def test_words_that_moved_are_listed(cache: Path) -> None:
    before, after = distinct(0), distinct(0)
    after[2, [1, 5]] = distinct(0)[1, [30, 31]]  # among those of another category
    found = given(before, "Base", cache).changed(given(after, "Tuned", cache))
    movers = found.movers()
    assert movers["word"].tolist() == ["w0x1", "w0x5"]
    assert set(movers["layer"]) == {"layer 1"}
    assert all(word.startswith("w0x") for word in ", ".join(movers["before"]).split(", "))
    assert all(word.startswith("w2x") for word in ", ".join(movers["after"]).split(", "))
    words = found.to_pandas("words")
    assert words[words["announced"] == 1]["word"].tolist() == ["w0x1", "w0x5"]
    assert (words["word"].dtype.kind, words["score"].dtype.kind) == ("O", "f")
    assert len(words) == 3 * 42


def test_the_same_states_are_said_to_be_the_same(cache: Path) -> None:
    one, other = (given(distinct(0), name, cache) for name in ("Base", "Tuned"))
    assert one.changed(other).headline == "Tuned and Base give identical states for these words."


def test_models_of_one_name_are_before_and_after(cache: Path) -> None:
    found = given(distinct(0), "Mine", cache).changed(given(distinct(0), "Mine", cache))
    assert found.headline.startswith("Mine (after) and Mine (before) give identical states")


def test_both_are_drawn_at_one_scale(changed: tokviz.ModelChange) -> None:
    drawn = changed.draw(-1)
    assert isinstance(drawn.picture, SideBySide)
    one, other = drawn.picture.plates
    assert (one.model, other.model, one.depth) == ("Base", "Tuned", "layer 2")
    both = np.concatenate([each.coordinates[each.points.reference] for each in (one, other)])
    assert one.limits == other.limits
    assert one.limits is not None
    for axis, (least, greatest) in enumerate(one.limits):
        assert (least, greatest) == pytest.approx((both[:, axis].min(), both[:, axis].max()))
    assert repr(drawn).startswith("Base and Tuned · alone · layer 2. PCA of both models’ standardized states together")


def test_each_half_is_the_plot_of_one_model(changed: tokviz.ModelChange) -> None:
    picture = changed.draw().picture
    assert isinstance(picture, SideBySide)
    # Below both stands what the axes are.
    first, _ = picture.plates
    pixels = encode.render(figures.draw(picture))
    height = len(encode.render(figures.draw(first)))
    assert (pixels[height:] < 128).any()
    pixels = pixels[:height]
    halves = np.split(pixels, 2, axis=1)
    for half, plate in zip(halves, picture.plates, strict=True):
        np.testing.assert_array_equal(half, encode.render(figures.draw(plate)))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda base, **_: base.changed("Tuned"), "changed: expected another capture, got str"),
        (
            lambda base, cache: base.changed(given(distinct(0)[:2], "Tuned", cache)),
            "changed: expected the 2 layers of Base, got 1",
        ),
        (
            lambda base, cache: base.changed(given(distinct(0)[..., :8], "Tuned", cache)),
            "changed: expected the 32 dimensions of Base, got 8",
        ),
        (
            lambda base, cache: base.changed(given(distinct(0), "Tuned", cache, {**MANY, "category 0": MANY["category 0"][::-1]})),
            "changed: expected the words and categories of Base, in the same order, got others",
        ),
        (
            lambda base, cache: base.changed(given([*distinct(0)[:1], distinct(0)[1, :, :8], *distinct(0)[2:]], "Tuned", cache)),
            "changed: expected two models of one form: the same words, depths and dimensions",
        ),
        (
            lambda base, cache: base.changed(given(distinct(1), "Tuned", cache)).draw(2),
            "layer: expected one that can be shown (embedding … layer 1), got 2",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(cache: Path, asked: Callable[..., object], said: str) -> None:
    with pytest.raises(TokvizError) as caught:
        asked(given(distinct(0), "Base", cache), cache=cache)
    assert str(caught.value) == said


def test_other_tokens_and_contexts_are_told(both: tokviz.Study, tiny: Tiny, cache: Path) -> None:
    other = tokviz.study({"Other": tiny("gpt2")}, WORDS, CONTEXTS, cache=cache, quiet=True)["Other"]
    with pytest.raises(TokvizError, match=r"^changed: expected the (tokens|\d+ \w+) of Base, got "):
        both["Base"]["alone"].changed(other["alone"])
    with pytest.raises(TokvizError, match=r"^changed: expected the context of Base, alone, got sentence$"):
        both["Base"]["alone"].changed(both["Tuned"]["sentence"])
    base = both["Base"]["alone"]
    same_name = tokviz.study({"Base": tiny("llama")}, WORDS, {"alone": "a {word}"}, cache=cache, quiet=True)["Base"]
    with pytest.raises(TokvizError, match=r"^changed: expected the context of Base, alone, got other templates$"):
        base.changed(same_name["alone"])
    numbers = tokviz.from_arrays({"alone": np.asarray(base)}, WORDS, cache=cache)["Given states"]["alone"]
    for pair in ((base, numbers), (numbers, base)):
        with pytest.raises(TokvizError) as caught:
            pair[0].changed(pair[1])
        assert str(caught.value) == (
            "changed: expected two models that were captured, or states of both that were given as numbers, got one of each, whose "
            "tokens and templates can't be compared"
        )
