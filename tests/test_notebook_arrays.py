"""Captures as notebooks use them, rightly and by mistake: arrays, frames, names and devices of every kind."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from loaded_bench import WORDS, Bench, everything, made
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression

import tokviz
from tokviz.errors import TokvizError
from tokviz.notebook import Capture, arguments

N_WORDS, N_DEPTHS, WIDTH = 8, 3, 16


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return made(tmp_path_factory.mktemp("notebook"))


@pytest.fixture(scope="module")
def study(bench: Bench) -> tokviz.Study:
    alone = {"alone": " {word}"}
    return tokviz.study(
        bench.model, WORDS, contexts=alone, tokenizer=bench.tokenizer, cache=bench.cache, name="Mine", quiet=True
    )


@pytest.fixture
def own(bench: Bench, study: tokviz.Study) -> Iterator[Capture]:
    """A capture of a model that must stay as it is."""
    before = everything(bench.model)
    yield study["Mine"]["alone"]
    assert everything(bench.model) == before


def odd(value: Any) -> Any:
    """Not what is expected, and passed nevertheless."""
    return value


# --- word by word -----------------------------------------------------------------------------------------------------


def test_a_word_has_its_states_its_place_its_tokens_and_the_words_nearest_to_it(own: Capture) -> None:
    word = own["green"]
    np.testing.assert_array_equal(word.states, np.asarray(own)[:, 2])
    np.testing.assert_array_equal(word.place("centered"), own.project("centered").coordinates[:, 2])
    assert (word.word, word.category, word.row) == ("green", "colors", 2)
    assert word.tokens == own.states.tokenization.words[2].word_pieces
    assert list(word.neighbors) == ["embedding", "layer 0", "layer 1"]
    assert (
        word.neighbors["layer 1"] == own.neighbors("green") == own.neighbors("green", -1) == own.neighbors("green", 1)
    )
    assert repr(word).endswith(f"nearest at the last layer: {', '.join(own.neighbors('green'))}")


def test_the_nearest_are_those_of_the_largest_cosine_of_standardized_states(own: Capture) -> None:
    states = own[-1].astype(np.float64)
    reference = states[own.states.tokenization.reference]
    scaled = (states - reference.mean(axis=0)) / reference.std(axis=0)
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
    cosine = scaled @ scaled[0]
    expected = [own.words.words[row] for row in np.argsort(-cosine)[1:6]]
    assert list(own.neighbors("red")) == expected


def test_a_slice_has_several_depths(own: Capture) -> None:
    np.testing.assert_array_equal(own[1:], np.asarray(own)[1:])
    np.testing.assert_array_equal(own[::-2], np.asarray(own)[::-2])


def test_a_word_that_is_called_like_a_depth_is_found_by_name(bench: Bench) -> None:
    words = {"odd": ["embedding", "layer", "layers"]}
    capture = tokviz.study(
        bench.model, words, {"alone": " {word}"}, tokenizer=bench.tokenizer, cache=bench.cache, name="Odd", quiet=True
    )["Odd"]["alone"]
    np.testing.assert_array_equal(capture["embedding"], capture[0])
    assert capture.word("embedding").row == 0
    assert capture["layer"].row == 1


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda own: own["gren"], r"word: expected one of red, blue, green, pink, May, June, July, March, or a depth \(embedding … layer 1\), got 'gren'; did you mean 'green'\?"),
        (lambda own: own.neighbors("rad"), "word: expected one of red, blue, green, pink, May, June, July, March, got 'rad'; did you mean 'red'"),
        (lambda own: own.word("embedding"), "word: expected one of red, blue, green, pink, May, June, July, March, got 'embedding'"),
        (lambda own: own.neighbors("red", 7), r"layer: expected one that can be shown \(embedding … layer 1\), got 7"),
        (lambda own: own["layer 9"], "depth: expected one of embedding, layer 0, layer 1, got 'layer 9'"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named_with_what_is(own: Capture, ask: Callable[[Capture], Any], expected: str) -> None:
    with pytest.raises(TokvizError, match=expected):
        ask(own)


def test_the_heat_map_s_numbers_are_a_table(own: Capture) -> None:
    table = own.to_pandas("words_by_layer")
    assert list(table.columns) == ["word", "categories", "nearest", "embedding", "layer 0", "layer 1"]
    for word, k, value in table[["word", "nearest", "layer 1"]].itertuples(index=False):
        own_words = next(each for each in WORDS.values() if word in each)
        assert value == sum(each in own_words for each in own.neighbors(word)[:k])


def test_keys_of_a_configuration_that_are_no_model_s_are_taken(bench: Bench) -> None:
    words = {"colors": ["redgreen", "bluepink"], "months": ["MayJune", "JulyMarch"]}
    last, first = (
        tokviz.study(
            bench.model, words, {"alone": " {word}"}, tokenizer=bench.tokenizer, cache=bench.cache, name="Mine", quiet=True, **asked
        )["Mine"]["alone"]
        for asked in ({}, {"read": "first", "groups": [["redgreen", "bluepink"]]})
    )  # fmt: skip
    assert (last.states.tokenization.read, first.states.tokenization.read) == ("last", "first")
    assert [each.start for each in first.states.tokenization.words] == first.states.tokenization.positions.tolist()
    for unfit in ("frist", True, 1.5, 10**6):
        with pytest.raises(
            TokvizError, match='read: expected "last", "first", "mean" or the index of a token in its text, got '
        ):
            tokviz.study(bench.model, words, tokenizer=bench.tokenizer, cache=bench.cache, quiet=True, read=unfit)


@pytest.mark.parametrize("index", [0, 1, -1])
def test_any_token_of_a_text_can_be_read(bench: Bench, index: int) -> None:
    asked: dict[str, Any] = {"tokenizer": bench.tokenizer, "cache": bench.cache, "name": "Mine", "quiet": True}
    own = tokviz.study(bench.model, WORDS, {"sentence": "The {word} is here"}, read=index, **asked)["Mine"]["sentence"]
    text = own.states.tokenization.words[1].text
    with torch.no_grad():
        expected = bench.model(**bench.tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states[1]
    assert np.allclose(own[1][1], expected[0, index], atol=1e-5)


def test_a_text_without_the_token_that_is_to_be_read_is_named(bench: Bench) -> None:
    with pytest.raises(
        TokvizError, match=r"expected a token at the index 7 to be read, got a text of [0-9] tokens?, ' red'"
    ):
        tokviz.study(
            bench.model, WORDS, {"alone": " {word}"}, tokenizer=bench.tokenizer, cache=bench.cache, quiet=True, read=7
        )


def test_what_is_done_quietly_is_logged(bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "tokviz"):
        tokviz.study(bench.model, WORDS, {"alone": " {word}"}, tokenizer=bench.tokenizer, cache=tmp_path, quiet=True)
    assert any(": capturing, alone, 8 texts" in each.message for each in caplog.records)
    assert {each.name for each in caplog.records if each.levelname == "INFO"} >= {"tokviz"}


def test_nothing_is_written_without_a_handler(bench: Bench, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tokviz.study(bench.model, WORDS, {"alone": " {word}"}, tokenizer=bench.tokenizer, cache=tmp_path, quiet=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_the_how_to_on_probes_runs(bench: Bench) -> None:
    page = Path(__file__).parent.parent / "docs/manual/how-to/probes.md"
    examples = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    contexts = {"alone": " {word}", "sentence": ["I saw {word}", "We saw {word}"]}
    captured = tokviz.study(
        bench.model, WORDS, contexts, tokenizer=bench.tokenizer, cache=bench.cache, name="Mine", quiet=True
    )["Mine"]
    names: dict[str, Any] = {"alone": captured["alone"], "own": captured["sentence"]}
    for example in examples:
        exec(example, names)  # noqa: S102 - of the manual
    assert len(examples) == 5
    assert len(names["accuracy"]) == N_DEPTHS
    np.testing.assert_array_equal(names["untrained"][0], captured["alone"][0])
    assert -1 <= names["selectivity"] <= 1
    assert 0 <= names["of_tokens"] <= 1
    assert names["states"].shape == (2 * N_WORDS, WIDTH)


# --- what works -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("depth", "index"),
    [(0, 0), (2, 2), (-1, 2), (-3, 0), (np.int64(1), 1), (torch.tensor(1), 1), ("embedding", 0), ("layer 1", 2)],
    ids=str,
)
def test_a_depth_is_an_array(own: Capture, depth: Any, index: int) -> None:
    np.testing.assert_array_equal(own[depth], own.states.states[index])


@pytest.mark.parametrize(
    "taken",
    [
        np.asarray,
        np.array,
        lambda own: np.stack(list(own)),
        lambda own: np.asarray(own, dtype=np.float64),
        lambda own: torch.from_numpy(np.asarray(own)),
        lambda own: own.to_pandas("states").to_numpy().reshape(own.shape),
    ],
    ids=["asarray", "array", "list", "float64", "torch", "pandas"],
)
def test_all_depths_are_one_array(own: Capture, taken: Callable[[Capture], Any]) -> None:
    found = taken(own)
    assert tuple(found.shape) == own.shape == (N_DEPTHS, N_WORDS, WIDTH)
    np.testing.assert_array_equal(np.asarray(found)[1], own[1])
    assert len(own) == N_DEPTHS


def test_scikit_learn_takes_it(own: Capture) -> None:
    assert own.X.shape == (N_WORDS, WIDTH)
    np.testing.assert_array_equal(own.X, own[-1])
    assert own.y.tolist() == ["colors"] * 4 + ["months"] * 4
    fitted = LogisticRegression(C=1e6).fit(own.X, own.y)
    assert fitted.score(own.X, own.y) == 1


def test_a_word_of_two_categories_is_of_its_first(tmp_path: Path) -> None:
    words = {"colors": ["red", "rose"], "flowers": ["rose", "lily"], "months": ["May", "lily"]}
    states = np.random.default_rng(0).normal(size=(2, 4, WIDTH))
    found = tokviz.from_arrays(states, words, cache=tmp_path)["Given states"]["given"]
    assert dict(zip(found.words.words, found.y.tolist(), strict=True)) == {
        "red": "colors",
        "rose": "colors",
        "lily": "flowers",
        "May": "months",
    }


def test_all_states_are_a_frame_with_names(own: Capture) -> None:
    frame = own.to_pandas("states")
    assert frame.index.names == ["layer", "category", "word"]
    np.testing.assert_array_equal(frame.loc["layer 0"].to_numpy(), own[1])
    np.testing.assert_array_equal(frame.loc[("layer 1", "months", "June")].to_numpy(), own[2][5])


def test_it_is_pickled_without_its_model(own: Capture, study: tokviz.Study) -> None:
    again = pickle.loads(pickle.dumps(own))
    np.testing.assert_array_equal(np.asarray(again), np.asarray(own))
    assert again.project().coordinates.shape == (N_DEPTHS, N_WORDS, 2)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(study))["Mine"]["alone"].X, own.X)


def test_plots_are_of_the_types_that_are_said(own: Capture) -> None:
    axes = Figure().add_subplot()
    assert isinstance(own.draw(0), tokviz.Drawn)
    assert repr(own.draw(-1)) == repr(own.draw(len(own) - 2))
    assert own.draw(0, ax=axes) is axes


def test_a_name_with_markup_is_text_in_a_notebook(tmp_path: Path) -> None:
    words = {"colors": ["red", "blue"], "months": ["May", "June"]}
    states = np.random.default_rng(0).normal(size=(2, 4, WIDTH))
    name = "<img src=x onerror=alert(1)>"
    found = tokviz.from_arrays({"given": states}, words, name=name, cache=tmp_path)[name]["given"]
    shown = found._repr_html_()
    assert "<img src=x" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown


def test_what_is_shown_is_short(own: Capture) -> None:
    for each in (
        own,
        own.compare(own),
        own.updates(),
        own.words,
        own.measure(),
        own.project(),
        own.states,
        own.explore(),
    ):
        assert len(repr(each)) < 400, type(each).__name__
    assert len(repr(own.plan.config)) < 200
    assert repr(own.compare(own)).startswith("ModelSimilarity(mine × mine, alone: 3 × 3 depths, 4 words")


def test_tools_offer_public_names_only(own: Capture) -> None:
    assert not {"plan", "context", "captured", "in_memory", "quiet"} & set(dir(own))
    assert {"X", "y", "shape", "states", "draw", "without"} <= set(dir(own))
    assert {name for name in dir(tokviz) if not name.startswith("_")} == set(tokviz.__all__)


def test_a_quiet_study_stays_quiet(own: Capture, capsys: pytest.CaptureFixture[str]) -> None:
    own.without([1], layer=1, value=2)
    assert capsys.readouterr() == ("", "")
    own.without([2], layer=1, value=2, quiet=False)
    assert "Mine: capturing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "categories"),
    [
        (WORDS, ["colors", "months"]),
        ({name: tuple(words) for name, words in WORDS.items()}, ["colors", "months"]),
        ({name: np.array(words) for name, words in WORDS.items()}, ["colors", "months"]),
        ({name: pd.Series(words) for name, words in WORDS.items()}, ["colors", "months"]),
        ({name: pd.Index(words) for name, words in WORDS.items()}, ["colors", "months"]),
        (pd.DataFrame(WORDS), ["colors", "months"]),
        (pd.DataFrame({"colors": [*WORDS["colors"], None], "months": [*WORDS["months"], None]}), ["colors", "months"]),
        (pd.Series(WORDS), ["colors", "months"]),
        (
            pd.DataFrame({"category": ["colors"] * 4 + ["months"] * 4, "word": [*WORDS["colors"], *WORDS["months"]]}),
            ["colors", "months"],
        ),
        ([*WORDS["colors"], *WORDS["months"]], ["words"]),
        (np.array([*WORDS["colors"], *WORDS["months"]]), ["words"]),
        (pd.Series([*WORDS["colors"], *WORDS["months"]]), ["words"]),
    ],
    ids=[
        "lists",
        "tuples",
        "arrays",
        "series",
        "indices",
        "frame",
        "uneven",
        "grouped",
        "rows",
        "list",
        "array",
        "one series",
    ],
)
def test_words_of_any_kind_are_taken(own: Capture, words: Any, categories: list[str], tmp_path: Path) -> None:
    found = tokviz.from_arrays(np.asarray(own), words, cache=tmp_path)["Given states"]["given"]
    assert [category.key for category in found.words.categories] == categories
    assert found.words.words == own.words.words
    np.testing.assert_array_equal(np.asarray(found), np.asarray(own))


@pytest.mark.parametrize(
    "given",
    [
        np.ma.masked_invalid,
        lambda states: [np.ma.array(depth) for depth in states],
        lambda states: [pd.DataFrame(depth) for depth in states],
        lambda states: states.tolist(),
        lambda states: states.astype(np.float16),
        lambda states: states.astype(">f8"),
        lambda states: np.asfortranarray(states),
        lambda states: states[:, ::-1][:, ::-1],
        lambda states: torch.from_numpy(states).bfloat16(),
        lambda states: (depth for depth in states),
    ],
    ids=[
        "masked",
        "masked depths",
        "frames",
        "nested",
        "float16",
        "big-endian",
        "Fortran",
        "a view",
        "bfloat16",
        "generated",
    ],
)
def test_arrays_of_every_kind_are_taken(own: Capture, given: Callable[[np.ndarray], Any], tmp_path: Path) -> None:
    found = tokviz.from_arrays(given(np.asarray(own)), WORDS, cache=tmp_path, quiet=True)["Given states"]["given"]
    np.testing.assert_allclose(np.asarray(found), np.asarray(own), atol=0.02)


def test_depths_of_different_widths_are_taken_one_by_one(own: Capture, tmp_path: Path) -> None:
    states = [own[0][:, :4], *own.states.states[1:]]
    found = tokviz.from_arrays(states, WORDS, cache=tmp_path)["Given states"]["given"]
    assert found[0].shape == (N_WORDS, 4)
    assert found.to_pandas("states").loc["embedding"].isna().to_numpy().sum() == N_WORDS * (WIDTH - 4)
    with pytest.raises(TokvizError, match="expected one width at all depths, got 4–16 dimensions; take one depth"):
        np.asarray(found)
    with pytest.raises(TokvizError, match="expected one width at all depths"):
        _ = found[WORDS["colors"][0]].states


@pytest.mark.parametrize(
    ("given", "taken"),
    [("cuda:1", "cuda:1"), (0, "cuda:0"), (torch.device("cpu"), "cpu"), (torch.device("cuda", 1), "cuda:1")],
)
def test_devices_of_any_kind_are_taken(given: Any, taken: str) -> None:
    assert arguments.device(given) == taken


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("float32", "float32"),
        (torch.float32, "float32"),
        (torch.bfloat16, "bfloat16"),
        (np.float32, "float32"),
        (np.dtype("f4"), "float32"),
        (3, 3),
    ],
)
def test_dtypes_of_any_kind_are_taken(given: Any, taken: Any) -> None:
    assert arguments.dtype(given) == taken


# --- what doesn't -----------------------------------------------------------------------------------------------------


def masked(own: Capture) -> np.ma.MaskedArray:
    states = np.ma.array(np.asarray(own))
    states[1, 3, 2] = np.ma.masked
    return states


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda own, _: own[3],
            "depth: expected a depth from -3 to 2 (0 is the embedding), or a name such as 'layer 1', got 3",
        ),
        (lambda own, _: own[odd(1.5)], "depth: expected a depth from -3 to 2"),
        (lambda own, _: own["layer1"], "got 'layer1'; did you mean 'layer 1'?"),
        (lambda own, _: own.draw("layer1"), "got 'layer1'; did you mean 'layer 1'?"),
        (lambda own, _: own.project("centred"), "got 'centred'; did you mean 'centered'?"),
        (lambda own, _: own.to_pandas("coords"), "got 'coords'; did you mean 'coordinates'?"),
        (lambda own, _: own.to_pandas("wrong"), "table: expected one of states, coordinates, geometry"),
        (lambda _, study: study["mine"], "model: expected one of Mine, got 'mine'; did you mean 'Mine'?"),
        (lambda _, study: study["Other"], "model: expected one of Mine, got 'Other'"),
        (lambda _, study: study["Mine"]["alon"], "context: expected one of alone, got 'alon'; did you mean 'alone'?"),
        (lambda _, study: study["Mine"][0], "context: expected one of alone, got 0"),
        (
            lambda own, _: tokviz.from_arrays(masked(own), WORDS),
            "states, given, depth 1: expected a state for each word, got masked values in row 3",
        ),
        (
            lambda own, _: tokviz.from_arrays(np.asarray(own), "red"),
            "words: expected categories and their words, such as",
        ),
        (
            lambda own, _: tokviz.from_arrays(np.asarray(own), {"red", "blue"}),
            "words: expected categories and their words, such as",
        ),
        (
            lambda own, _: tokviz.from_arrays(np.asarray(own), {"a": {"red"}}),
            "words.a: expected a list of words, got set",
        ),
        (lambda own, _: tokviz.from_arrays(np.asarray(own), []), "words: expected categories and their words, such as"),
        (
            lambda own, _: tokviz.from_arrays(np.asarray(own), ["red", 2]),
            "words.words.1: expected text, got 2",
        ),
        (
            lambda own, _: tokviz.from_arrays(np.asarray(own), pd.DataFrame({"word": ["red"], "category": [None]})),
            "words: expected a word and its category in each row, got only one of them in row 0; add the other",
        ),
        (lambda *_: tokviz.study("org/model", WORDS, device=-1), "device: expected cpu, cuda, cuda:1 or mps, got -1"),
        (lambda *_: tokviz.study("org/model", WORDS, dtype=torch.int8), "study(…): dtype: "),
        (lambda *_: tokviz.study("org/model", WORDS, nam="x"), "got 'nam'; did you mean 'name'?"),
        (lambda *_: tokviz.study("org/model", WORDS, title="x"), "got 'title'; it knows cache, contexts, device, "),
        (
            lambda *_: tokviz.study("org/model", WORDS, orders={}),
            "study(…): orders: expected a list of mappings, got {}",
        ),
        (lambda *_: tokviz.study("org/model", WORDS, revision=3), "study(…): revision: expected text, got 3"),
        (
            lambda *_: tokviz.study("org/model", WORDS, {"s": []}),
            "study(…): contexts.s: expected at least one entry, got 0: []",
        ),
        (
            lambda *_: tokviz.study("org/model", WORDS, {"a": " {word}", "seen one": "I saw"}),
            "study(…): contexts.seen one: expected a template that holds {word} exactly once",
        ),
        (
            lambda *_: tokviz.study("org/model", WORDS, {"a": [" {word}", "I saw"]}),
            "study(…): contexts.a.1: expected a template that holds {word} exactly once",
        ),
        (lambda _, study: study.report("site", job=1), "got 'job'; did you mean 'jobs'?"),
        (lambda *_: tokviz.load("report.toml", site_url="nowhere"), "site_url: "),
        (lambda *_: tokviz.study("org/model", WORDS, cache=__file__), "cache "),
    ],
)
def test_a_mistake_is_one_line_in_words_of_python(
    own: Capture, study: tokviz.Study, call: Callable[[Any, Any], object], said: str
) -> None:
    with pytest.raises(TokvizError) as caught:
        call(own, study)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "--" not in str(caught.value)


def test_a_name_that_is_not_there_is_a_key_that_is_not_there(study: tokviz.Study) -> None:
    assert study.get("Other") is None
    with pytest.raises(KeyError):
        study["Other"]
    with pytest.raises(AttributeError) as caught:
        tokviz.studdy  # noqa: B018
    assert (caught.value.name, caught.value.obj) == ("studdy", tokviz)
