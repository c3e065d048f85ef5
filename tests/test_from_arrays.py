"""Hidden states from elsewhere: shown like any others, without a claim about what isn't known of them."""

from __future__ import annotations

import csv
import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from at_once import leave_pictures_blank
from safetensors.numpy import save_file

import tokviz
from tokviz import config as configuration
from tokviz.errors import TokvizError
from tokviz.notebook.inline import Explorer
from tokviz.run import prune
from tokviz.run.plan.options import Options
from tokviz.run.store import states_file
from tokviz.run.store.locks import Locks

WORDS = {
    "colors": ["red", "blue", "green", "pink", "brown", "gray", "black", "white", "orange"],
    "months": ["May", "June", "July", "March", "April", "August", "January", "October", "orange"],
}
N_DEPTHS, N_WORDS, WIDTH = 5, 17, 24


def made(seed: int = 0) -> np.ndarray:
    """Two groups of words, of which the last depth knows nothing."""
    states = np.random.default_rng(seed).normal(size=(N_DEPTHS, N_WORDS, WIDTH)).astype(np.float32)
    states[:-1, :9, :6] += 4
    return states


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_what_comes_out_is_what_went_in(cache: Path) -> None:
    states = made()
    study = tokviz.from_arrays(states, WORDS, name="Mine", cache=cache)
    own = study["Mine"]["given"]
    np.testing.assert_array_equal(np.stack(list(own.states.states)), states)
    purity = own.measure().purity
    assert purity.value[0] > 0.8
    assert purity.value[-1] < 0.75
    centered = states[0] - states[0].mean(axis=0)
    _, sizes, _ = np.linalg.svd(centered, full_matrices=False)
    ratio = sizes[:2] ** 2 / (sizes**2).sum()
    np.testing.assert_allclose(own.project("centered").explained_variance_ratio[0], ratio, rtol=1e-5)


@pytest.mark.parametrize(
    "given",
    [
        lambda states, _: list(states),
        lambda states, _: torch.tensor(states),
        lambda states, _: [torch.tensor(depth, requires_grad=True) for depth in states],
        lambda states, _: {"given": states.astype(np.float64)},
        lambda states, folder: _saved(states, folder),
    ],
    ids=["list", "tensor", "gradients", "mapping", "safetensors"],
)
def test_arrays_of_any_kind_are_taken(given: Callable[[np.ndarray, Path], Any], cache: Path, tmp_path: Path) -> None:
    states = made()
    own = tokviz.from_arrays(given(states, tmp_path), WORDS, name="Mine", cache=cache)["Mine"]["given"]
    np.testing.assert_array_equal(np.stack(list(own.states.states)), states)


def _saved(states: np.ndarray, folder: Path) -> Path:
    """Eleven and more depths: their order is that of numbers, not of characters."""
    names = ["embed", *(f"layers.{layer}" for layer in (2, 10, 11, 100))]
    save_file(
        {name: depth for name, depth in zip(reversed(names), reversed(states), strict=True)},
        folder / "states.safetensors",
    )
    return folder / "states.safetensors"


def test_bfloat16_is_taken(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is named with the home's sign; another of its depths is float32."""
    monkeypatch.setenv("HOME", str(tmp_path))
    states = torch.tensor(made()).bfloat16()
    depths = {f"depth.{index}": depth for index, depth in enumerate(states)}
    safetensors.torch.save_file({**depths, "depth.1": states[1].float()}, tmp_path / "states.safetensors")
    for given in (states, "~/states.safetensors", Path("~/states.safetensors")):
        own = tokviz.from_arrays(given, WORDS, name="Mine", cache=cache)["Mine"]["given"]
        np.testing.assert_array_equal(np.stack(list(own.states.states)), states.float().numpy())


def test_a_file_of_numbers_that_are_not_read_is_one_line(cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "states.safetensors"
    safetensors.torch.save_file({"depth.0": torch.tensor(made()[0]).to(torch.float8_e4m3fn)}, file)
    with pytest.raises(
        TokvizError, match=r"states\.safetensors, depth\.0: expected float32, .*, got F8_E4M3; convert it"
    ):
        tokviz.from_arrays(file, WORDS, cache=cache)


@pytest.mark.slow
def test_its_site_claims_nothing_that_is_not_known(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = made()
    states[3:, :, 5] = 30_000  # would be a massive activation, if it were known against what
    contexts = {"before": states, "after": made(1)}
    study = tokviz.from_arrays(
        contexts, WORDS, name="Mine", cache=cache, module_paths=[f"block.{index}" for index in range(N_DEPTHS)]
    )
    leave_pictures_blank(monkeypatch)
    study.report(tmp_path / "site", jobs=1, quiet=True)
    pages = {
        path.relative_to(tmp_path / "site").as_posix(): path.read_text(encoding="utf-8")
        for path in (tmp_path / "site").rglob("*.html")
    }
    text = re.sub(r"<[^>]+>", " ", " ".join(pages.values()))
    assert "how they were captured, and how the words were cut into tokens, is not recorded" in text
    assert "block.4" in pages["models/mine/index.html"]
    for claim in (
        "read at position 0,",
        "0 parameters",
        "vocabulary of 0",
        "No word was run again",
        "a typical token",
        "is one token",
        "0 of 17",
        "NaN",
        "{word}",
        "Each word is put into a text",
        "recorded by hooks",
        "How each tokenizer splits",
        "This command made the report",
        "no context’s reference words are read there",
        " (before)",
    ):
        assert not re.search(rf"(?<![\d.]){re.escape(claim)}", text), claim
    folder = tmp_path / "site" / "data" / "mine" / "before"
    assert not (folder / "tokens.csv").exists()
    written = json.loads((tmp_path / "site" / "data" / "report.json").read_text(encoding="utf-8"))
    assert [context["template"] for context in written["contexts"]] == [None, None]
    card = written["models"][0]["card"]
    unknown = {name for name, value in card.items() if value is None}
    assert {"architecture", "model_type", "n_parameters", "vocabulary_size", "dtype", "tokenizer"} <= unknown
    assert (card["n_layers"], card["width"]) == (N_DEPTHS - 1, WIDTH)
    assert "{word}" not in repr(study["Mine"]["before"].states)
    with (folder / "coordinates.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == N_DEPTHS * N_WORDS
    assert len(pages) >= 5


def test_the_same_numbers_are_studied_once(cache: Path) -> None:
    one, again = (tokviz.from_arrays(made(), WORDS, name="Mine", cache=cache)["Mine"]["given"] for _ in range(2))
    assert one.states.digest == again.states.digest
    assert one.states.captured_at == again.states.captured_at
    other = tokviz.from_arrays(made(1), WORDS, name="Mine", cache=cache)["Mine"]["given"]
    assert other.states.digest != one.states.digest


def test_names_of_contexts_and_modules_tell_studies_apart(cache: Path) -> None:
    one, other = made(), made(1)

    def first(contexts: dict[str, np.ndarray], name: str, **options: Any) -> np.ndarray:
        study = tokviz.from_arrays(contexts, WORDS, name="Mine", cache=cache, **options)
        return np.asarray(study["Mine"][name].states.states[0])

    np.testing.assert_array_equal(first({"a": one, "b": other}, "a"), one[0])
    np.testing.assert_array_equal(first({"b": one, "a": other}, "a"), other[0])
    joined = np.concatenate([one, other])
    assert (
        len(
            tokviz.from_arrays({"a": joined[:2], "b": joined[2:]}, WORDS, name="Mine", cache=cache)["Mine"][
                "b"
            ].states.states
        )
        == 8
    )
    assert (
        len(
            tokviz.from_arrays({"a": joined[:5], "b": joined[5:]}, WORDS, name="Mine", cache=cache)["Mine"][
                "b"
            ].states.states
        )
        == 5
    )
    paths = [f"first.{depth}" for depth in range(N_DEPTHS)]
    for names in (paths, list(reversed(paths))):
        study = tokviz.from_arrays(one, WORDS, name="Mine", cache=cache, module_paths=names)
        assert list(study["Mine"]["given"].states.module_paths) == names


def test_a_file_begins_with_the_embedding(cache: Path, tmp_path: Path) -> None:
    states = made()[:3]
    for names in (("embedding", "layer.0", "layer.1"), ("model.embed_tokens", "model.layers.2", "model.layers.10")):
        save_file(dict(zip(names, states, strict=True)), tmp_path / "states.safetensors")
        own = tokviz.from_arrays(tmp_path / "states.safetensors", WORDS, name="Mine", cache=cache)["Mine"]["given"]
        np.testing.assert_array_equal(np.stack(list(own.states.states)), states)


def test_a_cache_that_is_no_folder_is_one_line(cache: Path) -> None:
    cache.touch()
    with pytest.raises(TokvizError, match=r"^cache .*: expected a folder or a place for one, but .* is none"):
        tokviz.from_arrays(made(), WORDS, cache=cache)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a\0b", "expected a path, got one with characters that no path has"),
        ("", "expected a path, got an empty one"),
        ("folder/" * 2_000, "expected a path with room for what is written below it"),
    ],
)
def test_a_path_that_can_be_none_is_one_short_line(cache: Path, path: str, said: str) -> None:
    study = tokviz.from_arrays(made(), WORDS, name="Mine", cache=cache)
    folders: tuple[Callable[[], object], ...] = (
        lambda: tokviz.from_arrays(made(), WORDS, cache=path),
        lambda: tokviz.study("no/model", WORDS, cache=path),
        lambda: tokviz.build("report.toml", cache=path),
        lambda: study.report(path),
    )
    for act in folders:
        with pytest.raises(TokvizError, match=said) as caught:
            act()
        assert len(str(caught.value)) < 320
    files: tuple[Callable[[], object], ...] = (
        lambda: Explorer(document="", height=1).save(path),
        lambda: tokviz.from_arrays(path or "x", WORDS, cache=cache),
    )
    for act in files:
        with pytest.raises(TokvizError, match="expected a") as caught:
            act()
        assert len(str(caught.value)) < 450


def test_what_was_given_is_not_pruned(cache: Path) -> None:
    for words in (WORDS, {**WORDS, "colors": ["violet", *WORDS["colors"][1:]]}):
        tokviz.from_arrays(made(), words, name="Mine", cache=cache)
    folders = [*(cache / "states").iterdir()]
    assert len(folders) == 2
    config = configuration.validated({"words": {"a": ["b", "c"]}, "models": [{"source": "x/y"}]}, Path("report.toml"))
    options = Options(base=Path(), output=Path("site"), cache=cache)
    prune.prune(config, options, 30, Locks(waits=False, say=print), dry_run=False)
    assert [*(cache / "states").iterdir()] == folders


def test_tokens_and_updates_are_not_made_up(cache: Path) -> None:
    own = tokviz.from_arrays(made(), WORDS, name="Mine", cache=cache)["Mine"]["given"]
    with pytest.raises(
        TokvizError,
        match="table: expected one of states, coordinates, geometry, words_by_layer, which this capture has, got 'tokens'",
    ):
        own.to_pandas("tokens")
    with pytest.raises(TokvizError, match="not measured for states that were given as numbers"):
        own.updates()
    with pytest.raises(
        TokvizError, match="without: expected a model whose neurons can be set, but these states were given"
    ):
        own.without([1], layer=0)


@pytest.mark.parametrize("states", [made() * 0, made() * 0 + 1e-3, made().astype(np.float64) * 1e-42])
def test_words_that_are_alike_and_numbers_that_float32_just_holds_are_taken(states: np.ndarray, cache: Path) -> None:
    own = tokviz.from_arrays(states, WORDS, name="Mine", cache=cache)["Mine"]["given"]
    np.testing.assert_array_equal(np.stack(list(own.states.states)), states.astype(np.float32))


@pytest.mark.parametrize("largest", [1e38, 3.4e38])
def test_numbers_near_the_largest_that_float32_holds_are_measured_without_a_warning(
    largest: float, cache: Path
) -> None:
    """Sums of two of them, their differences and a thousand times one are more than float32 holds."""
    states = made().astype(np.float64)
    factor = largest / np.abs(states).max()
    small, large = (
        tokviz.from_arrays(each, WORDS, name=name, cache=cache)[name]["given"]
        for each, name in ((states, "Small"), (states * factor, "Large"))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measured = large.measure("standardized", "centered")
        for name in ("standardized", "centered", "unit_norm", "without_massive"):
            assert large.project(name).coordinates.shape == small.project(name).coordinates.shape
        assert large.compare(large).shared.neighbours[0, 0] == pytest.approx(1)
    usual = small.measure("standardized", "centered")
    np.testing.assert_allclose(measured.spread.mean_norm, usual.spread.mean_norm * factor, rtol=1e-5)
    np.testing.assert_allclose(measured.massive.typical, usual.massive.typical * factor, rtol=1e-5)
    np.testing.assert_allclose(measured.massive.ratio, usual.massive.ratio, rtol=1e-5)


def test_more_depths_are_taken_than_files_may_be_open(cache: Path) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such bound")
    bounds = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = max(int(each.name) for each in Path("/dev/fd").iterdir()) + 32
    states = np.random.default_rng(0).normal(size=(2 * taken, N_WORDS, 2)).astype(np.float32)
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken, bounds[1]))
    try:
        own = tokviz.from_arrays(states, WORDS, name="Mine", cache=cache)["Mine"]["given"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, bounds)
    np.testing.assert_array_equal(np.stack(list(own)), states)


def test_two_of_them_are_compared(cache: Path) -> None:
    mine, other = (tokviz.from_arrays(made(seed), WORDS, name="Mine", cache=cache)["Mine"]["given"] for seed in (0, 1))
    assert mine.compare(mine).shared.neighbours[0, 0] == pytest.approx(1)
    assert mine.compare(other).shared.neighbours[-1, -1] < 0.9


@pytest.mark.parametrize(
    ("states", "words", "options", "said"),
    [
        (
            made()[:, :-1],
            WORDS,
            {},
            "states, given, depth 0: expected shape (17, width), a row for each word, got (16, 24)",
        ),
        (made()[0], WORDS, {}, "states, given, depth 0: expected shape (17, width), a row for each word, got (24,)"),
        ([], WORDS, {}, "states, given: expected at least one depth, got none"),
        ({}, WORDS, {}, "states: expected the states of at least one context, got none"),
        (
            {"a {word}": made()},
            WORDS,
            {},
            "states: expected names of contexts without {word}, got 'a {word}' as a name",
        ),
        (["a"], WORDS, {}, "states, given: expected arrays of numbers, got list"),
        (
            pd.DataFrame(np.ones((4, 3))),
            WORDS,
            {},
            "states, given: expected the states of each depth, got one DataFrame; pass a list of them, one per depth",
        ),
        (np.where(made() > 3, np.nan, made()), WORDS, {}, "expected finite numbers, got NaN or infinity in row"),
        (
            np.where(made() > 3, 1e39, made().astype(np.float64)),
            WORDS,
            {},
            "states, given, depth 0: expected numbers that float32 holds, up to 3.4e+38, got 1e+39 in row ",
        ),
        (
            [*made()[:2], *made()[2:].astype(np.float64) * 1e-60],
            WORDS,
            {},
            "states, given, depth 2: expected numbers that float32 holds, from 1.4e-45, got ",
        ),
        (
            torch.tensor(made(), dtype=torch.float64) * 1e-9 + 1e6,
            WORDS,
            {},
            "states, given, depth 0: expected words whose states differ in float32, which holds about 7 digits, got ",
        ),
        (
            [[[10**400] * WIDTH] * N_WORDS],
            WORDS,
            {},
            "states, given: expected arrays of numbers, got list: OverflowError",
        ),
        ([made()[0].astype(str)], WORDS, {}, "states, given: expected arrays of numbers, got list: text"),
        (
            torch.empty(3, N_WORDS, WIDTH, device="meta"),
            WORDS,
            {},
            "states, given: expected arrays of numbers, got Tensor",
        ),
        (made(), {}, {}, "words: expected categories and their words"),
        (made(), "red", {}, "words: expected categories and their words"),
        (made() * 1j, WORDS, {}, "expected arrays of numbers, got ndarray: complex numbers"),
        (made(), {"colors": {"red", "blue"}}, {}, "words.colors: expected a list of words, got set"),
        (made(), {"colors": 5}, {}, "words.colors: expected a list of words, got int"),
        (
            made(),
            WORDS,
            {"module_paths": ["../../a", *"bcde"]},
            "module_paths: expected a list of different names such as model.layers.0",
        ),
        (made(), WORDS, {"module_paths": ["a", "a", *"bcd"]}, "module_paths: expected a list of different names"),
        (made(), WORDS, {"module_paths": "abcde"}, "module_paths: expected 5, one per depth, got 1"),
        (made(), WORDS, {"module_paths": ["a"]}, "module_paths: expected 5, one per depth, got 1"),
        ("nowhere.safetensors", WORDS, {}, "nowhere.safetensors: expected a safetensors file with a tensor per depth"),
    ],
)
def test_a_mistake_is_one_line(states: Any, words: Any, options: dict[str, Any], said: str, cache: Path) -> None:
    with pytest.raises(TokvizError) as caught:
        tokviz.from_arrays(states, words, name="Mine", cache=cache, **options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_dimension_is_called_one(cache: Path) -> None:
    own = tokviz.from_arrays(made()[..., :1], WORDS, name="Narrow", cache=cache)["Narrow"]["given"]
    assert re.search(r"layers? of 1 dimension$", repr(own))
    assert "1 dimensions" not in own._repr_html_()


def test_where_a_word_of_given_states_was_read_is_not_known(cache: Path) -> None:
    red = tokviz.from_arrays(made(), WORDS, name="Mine", cache=cache)["Mine"]["given"]["red"]
    assert (red.tokens, red.position) == ((), None)
    assert repr(red).startswith("red (tokens not known); nearest at the last layer: ")


@pytest.mark.slow
def test_layers_that_differ_in_width_are_told_with_the_least_and_the_most(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = np.concatenate([made(), made(1), made(2)], axis=2)
    depths = [depth[:, :width] for depth, width in zip(wide, (30, 38, 46, 54, 62), strict=True)]
    study = tokviz.from_arrays(depths, WORDS, name="Mine", cache=cache, quiet=True)
    own = study["Mine"]["given"]
    said = "4 layers of 30–62 dimensions"
    assert said in repr(study)
    assert said in own._repr_html_()
    assert "5 depths × 30–62 dimensions" in repr(own.states)
    with pytest.raises(TokvizError, match="expected one width at all depths, got 30–62 dimensions; take one depth"):
        np.asarray(own)
    leave_pictures_blank(monkeypatch)
    study.report(tmp_path / "site", jobs=1, quiet=True)
    first, model = (
        re.sub(r"<[^>]+>", " ", (tmp_path / "site" / page).read_text(encoding="utf-8"))
        for page in ("index.html", "models/mine/index.html")
    )
    assert "computed in not known" not in model
    assert "not stated" not in first + model
    for page in (first, model):
        assert "4 layers · 30–62 dimensions" in page.replace("\xa0", " ")
        assert not re.search(r"(?<!30–)62 dimensions|Width\s+62\b", page.replace("\xa0", " "))
    assert re.search(r"Width\s+30–62\b", model)
    assert first.count("30–62") >= 2, "in its table, too"
    card = json.loads((tmp_path / "site" / "data" / "report.json").read_text(encoding="utf-8"))["models"][0]["card"]
    assert card["widths"] == [30, 38, 46, 54, 62]


def test_states_of_an_older_cache_get_a_card_of_today(cache: Path) -> None:
    depths = [depth[:, :width] for depth, width in zip(made(), (5, 24, 24, 6, 24), strict=True)]
    own = tokviz.from_arrays(depths, WORDS, cache=cache)["Given states"]["given"]
    (file,) = (cache / "states").glob("*/states.json")
    stored = states_file.read_description(file.parent)
    del stored["card"]["widths"]
    states_file._write_description(file.parent, stored)
    again = tokviz.from_arrays(depths, WORDS, cache=cache)["Given states"]["given"]
    assert again.states.card == own.states.card
    assert again.states.digest == own.states.digest
