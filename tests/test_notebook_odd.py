"""Models, words and arrays in states that are met seldom: each works, or is one line; the model and the session are as before."""

from __future__ import annotations

import functools
import gc
import pickle
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from loaded_bench import WORDS, Bench, everything, made
from torch import nn

import tokviz
from tokviz.errors import TokvizError
from tokviz.notebook import arguments

FLAT = [word for words in WORDS.values() for word in words]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return made(tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module")
def plain(whole: Bench) -> tokviz.Capture:
    """Of the model that nobody has touched."""
    return whole.study(whole.model)


@pytest.fixture
def bench(whole: Bench, tmp_path: Path) -> Bench:
    """With a cache of its own."""
    return Bench(model=whole.model, tokenizer=whole.tokenizer, cache=tmp_path / "cache", folder=tmp_path)


def session() -> list[object]:
    """What else a study leaves alone."""
    return [
        torch.random.get_rng_state().tolist(),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        str(np.random.get_state()),
    ]


# --- models -----------------------------------------------------------------------------------------------------------


def compiled_inside(model: Any) -> None:
    model.model = torch.compile(model.model, backend="eager")


def compiled_layers(model: Any) -> None:
    for index, layer in enumerate(model.model.layers):
        model.model.layers[index] = torch.compile(layer, backend="eager")


def compiled_forward(model: Any) -> None:
    model.model.forward = torch.compile(model.model.forward, backend="eager")


def asked_for_hidden_states(model: Any) -> None:
    model.config.output_hidden_states = True


def without_model_output(model: Any) -> None:
    model.config.return_dict = False


def partial_forward(model: Any) -> None:
    model.model.forward = functools.partial(model.model.forward, use_cache=False)


def list_that_holds_itself(model: Any) -> None:
    model.history = []
    model.history.append(model.history)


def set_of_many_kinds(model: Any) -> None:
    model.tags = {1, "a", None}


def conjugated_buffer(model: Any) -> None:
    model.register_buffer("rotation", torch.ones(3, dtype=torch.complex64).conj())


def hook_that_is_always_called(model: Any) -> None:
    model.model.layers[0].register_forward_hook(lambda *_: None, always_call=True)


@pytest.mark.parametrize(
    "touch",
    [
        compiled_inside,
        compiled_layers,
        compiled_forward,
        asked_for_hidden_states,
        without_model_output,
        partial_forward,
        list_that_holds_itself,
        set_of_many_kinds,
        conjugated_buffer,
        hook_that_is_always_called,
    ],
    ids=lambda touch: touch.__name__,
)
def test_its_states_are_those_of_the_plain_model(
    bench: Bench, plain: tokviz.Capture, touch: Callable[[Any], None]
) -> None:
    model = bench.copy()
    touch(model)
    before = everything(model)
    captured = bench.study(model)
    np.testing.assert_allclose(np.asarray(captured), np.asarray(plain), atol=1e-6)
    assert bench.study(model).states.digest == captured.states.digest
    assert everything(model) == before


@contextmanager
def default_dtype() -> Any:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.slow
@pytest.mark.parametrize("around", [lambda: torch.device("meta"), default_dtype], ids=["device", "dtype"])
def test_a_default_of_the_session_changes_nothing(
    bench: Bench, plain: tokviz.Capture, around: Callable[[], AbstractContextManager[None]]
) -> None:
    model = bench.copy()
    everything_before = everything(model)
    with around():
        before = session()
        captured = bench.study(model)
        pushed = captured.without([3], layer=1, value=2)
        assert session() == before
    np.testing.assert_allclose(np.asarray(captured), np.asarray(plain), atol=1e-6)
    np.testing.assert_allclose(np.asarray(pushed), np.asarray(plain.without([3], layer=1, value=2)), atol=1e-6)
    assert everything(model) == everything_before


@pytest.mark.slow
def test_numbers_that_come_at_random_go_on_as_they_would(bench: Bench) -> None:
    before = session()
    captured = bench.study(bench.model)
    captured.untrained()
    captured.lens()
    assert session() == before


@pytest.mark.slow
def test_untrained_models_are_found_though_another_study_had_the_same_model(bench: Bench, tmp_path: Path) -> None:
    model = bench.copy()
    captured = tokviz.study(model, WORDS, tokenizer=bench.tokenizer, cache=tmp_path, name="Mine", quiet=True)["Mine"][
        "alone"
    ]
    bench.study(model)
    controls = captured.untrained()
    assert {"random", "own embedding 1", "permuted 5"} < set(controls)
    with pytest.raises(KeyError, match=r"got 'randon'; did you mean 'random'\?"):
        controls["randon"]
    # All that is shown of it has its name: nobody takes it for the model.
    control = controls["permuted 5"]
    assert repr(control).startswith("Mine (untrained: permuted 5), alone: ")
    assert "Mine (untrained: permuted 5) · alone" in repr(control.draw(1))
    assert "Mine (untrained: permuted 5)" in control._repr_html_()
    assert "Mine (untrained: permuted 5)" in repr(captured.changed(control))
    assert repr(captured).startswith("Mine, alone: ")
    with pytest.raises(TokvizError, match="updates: expected the model as it is, got an untrained one"):
        control.updates()
    with pytest.raises(TokvizError, match="lens: expected states of the model itself, got those of an untrained model"):
        control.lens()
    # A model that was passed loaded isn't in a file.
    kept = pickle.dumps(captured)
    del model, captured, controls, control
    gc.collect()
    alone = pickle.loads(kept)
    with pytest.raises(TokvizError, match=r"lens: expected the model, or .*; pass the model to tokviz\.study again"):
        alone.lens()


@pytest.mark.slow
def test_that_there_is_no_untrained_model_is_said(bench: Bench, tmp_path: Path) -> None:
    bench.copy().save_pretrained(tmp_path / "model")
    bench.tokenizer.save_pretrained(tmp_path / "model")
    captured = tokviz.study(tmp_path / "model", WORDS, cache=tmp_path / "cache", name="Mine", quiet=True)["Mine"][
        "alone"
    ]
    (tmp_path / "model").rename(tmp_path / "moved")
    with pytest.raises(
        TokvizError, match="untrained: expected the model, or what is asked for in the cache, found neither"
    ):
        captured.untrained()


def test_how_texts_were_cut_and_padded_before_is_no_other_tokenizer(bench: Bench) -> None:
    plain = bench.study(bench.model)
    tokenizer = pickle.loads(pickle.dumps(bench.tokenizer))
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(0)
    tokenizer(["a longer text", "b"], padding="max_length", truncation=True, max_length=3)
    captured = bench.study(bench.model, tokenizer)
    assert captured.states.card.source == plain.states.card.source
    bench.tokenizer(["a"], padding=False, truncation=True, max_length=2)
    assert not np.allclose(captured.without([3], layer=1, value=2)[-1], captured[-1])


@pytest.mark.parametrize(("dtype", "named"), [(torch.float16, "float16 (torch)"), (torch.qint8, "int8 (torch)")])
def test_a_kind_of_quantization_is_named(bench: Bench, dtype: torch.dtype, named: str) -> None:
    with pytest.warns(DeprecationWarning, match="torchao"):
        model = torch.ao.quantization.quantize_dynamic(bench.copy(), {nn.Linear}, dtype=dtype)
    before = [str(module) for module in model.modules()]
    captured = bench.study(torch.compile(model, backend="eager"))
    assert captured.states.card.quantization == named
    with pytest.raises(TokvizError, match=r"^Mine: interventions: expected an MLP at layer 1 whose neurons are known"):
        captured.without([3], layer=1)
    assert [str(module) for module in model.modules()] == before


def hook_that_fails_later(model: Any) -> None:
    calls: list[int] = []

    def late(*_: Any) -> None:
        calls.append(1)
        if len(calls) > 4:
            raise ValueError("five\nare too many")

    model.model.layers[1].register_forward_hook(late)


def hook_that_runs_the_model(model: Any) -> None:
    running: list[int] = []

    def again(*_: Any) -> None:
        if not running:
            running.append(1)
            model(input_ids=torch.ones((1, 2), dtype=torch.long))
            running.pop()

    model.model.layers[1].register_forward_hook(again)


def hook_that_cuts(model: Any) -> None:
    model.model.layers[1].register_forward_hook(lambda *given: given[2][:, :1])


def forward_without_mask(model: Any) -> None:
    original = model.model.forward
    model.model.forward = lambda input_ids: original(input_ids=input_ids)


def forward_that_gives_nothing(model: Any) -> None:
    model.model.layers[0].forward = lambda *_, **__: None


def forward_that_is_no_function(model: Any) -> None:
    model.model.layers[0].forward = "no"


@pytest.mark.parametrize(
    ("touch", "said"),
    [
        (
            hook_that_fails_later,
            r"failed: ValueError: five are too many; it ran with code of the caller’s own \(\S+late at model\.layers\.1\)",
        ),
        (
            hook_that_runs_the_model,
            r"layers\.0: expected 1 output\(s\) .*, got more; it ran with code of the caller’s own \(\S+again at model",
        ),
        (hook_that_cuts, r"found layers \(1 calls\); it ran with code of the caller’s own"),
        (forward_without_mask, r"it ran with code of the caller’s own \(forward_without_mask\S+ at model\): try"),
        (forward_that_gives_nothing, r"it ran with code of the caller’s own .* at model\.layers\.0\): try"),
        (forward_that_is_no_function, r"it ran with code of the caller’s own \(str at model\.layers\.0\): try"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_callers_code_is_named_where_it_is_at_fault(bench: Bench, touch: Callable[[Any], None], said: str) -> None:
    model = bench.copy().train()
    touch(model)
    before = everything(model)
    with pytest.raises(TokvizError) as caught:
        bench.study(model)
    assert re.search(said, str(caught.value))
    for wrong in ("this kind of model", "nothing was written", "\n"):
        assert wrong not in str(caught.value)
    assert everything(model) == before


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_leaves_the_model_as_it_was(bench: Bench, interrupt: type[BaseException]) -> None:
    model = bench.copy().train()

    def stop(*_: Any) -> None:
        raise interrupt

    model.model.layers[1].register_forward_hook(stop)
    before = everything(model)
    with pytest.raises(interrupt):
        bench.study(model)
    assert everything(model) == before


# --- captures and arrays ----------------------------------------------------------------------------------------------


def test_captures_are_kept_in_sets_and_found_by_name(plain: tokviz.Capture) -> None:
    assert {plain: 1}[plain] == 1
    with pytest.raises(KeyError, match="template: expected one of"):
        plain.templates["The word is {word}"]


def grouped() -> Any:
    return pd.DataFrame({"c": ["colors"] * 4 + ["months"] * 4, "w": FLAT}).groupby("c")["w"]


@pytest.mark.parametrize(
    "words",
    [
        lambda: (word for word in FLAT),
        lambda: map(str, FLAT),
        lambda: dict.fromkeys(FLAT).keys(),
        lambda: pd.Categorical(FLAT),
        lambda: {name: (word for word in words) for name, words in WORDS.items()},
        lambda: pd.Series(FLAT, dtype="string"),
        lambda: pd.DataFrame({"Word": FLAT, "Category": ["colors"] * 4 + ["months"] * 4}),
        grouped,
    ],
    ids=["generator", "map", "keys", "categorical", "generators", "string", "capitals", "grouped"],
)
def test_words_of_other_kinds_are_taken(words: Callable[[], Any], tmp_path: Path) -> None:
    found = tokviz.from_arrays(np.ones((2, 8, 3)), words(), cache=tmp_path)["Given states"]["given"]
    assert list(found.words.words) == FLAT


@pytest.mark.parametrize(
    "columns",
    [
        {"colors": FLAT[:4], "months": FLAT[4:]},
        {"colors": FLAT[:4], "months": [*FLAT[4:7], None]},
        {"colors": FLAT[:7], "months": [FLAT[7]] + [None] * 6},
        {"colors": FLAT[:4] + [None] * 4, "months": [None] * 4 + FLAT[4:]},
    ],
    ids=["alike", "one less", "one", "below"],
)
def test_a_column_for_each_category_is_no_row_for_each_word(columns: dict[str, Any]) -> None:
    found = arguments.words(pd.DataFrame(columns))
    assert found == {key: [word for word in own if word] for key, own in columns.items()}


STATES = np.linspace(0, 1, 48).reshape(2, 8, 3)
LABELS = ["a"] * 4 + ["b"] * 4


@pytest.mark.parametrize(
    ("states", "words", "said"),
    [
        (torch.ones(2, 8, 3, dtype=torch.complex64), FLAT, "got Tensor: complex numbers"),
        (torch.full((2, 8, 3), 1e300, dtype=torch.float64), FLAT, "expected numbers that float32 holds"),
        (
            [[np.ma.masked_equal(row, row[1]) for row in depth] for depth in STATES],
            FLAT,
            "depth 0: expected a state for each word, got masked values in row 0",
        ),
        ({0: STATES[0], 1: STATES[1]}, FLAT, "states: expected names of contexts, and the states of each, got 0"),
        (STATES, np.array("red"), "words: expected a list of words, got an array of the shape ()"),
        (STATES, np.array(FLAT).reshape(2, 4), "words: expected a list of words, got an array of the shape (2, 4)"),
        (STATES, np.ma.masked_equal(np.array(FLAT), FLAT[7]), "words.words.7: expected text, got masked"),
        (STATES, pd.Series([*FLAT[:7], pd.NA], dtype="string"), "words.words.7: expected text, got <NA>"),
        (STATES, [(word, "a") for word in FLAT], "words.words.0: expected text, got ('red', 'a'); 7 more"),
        (STATES, [word.encode() for word in FLAT], "words.words.0: expected text, got b'red'; 7 more are no"),
        (STATES, {"a": pd.DataFrame({"x": FLAT})}, "words.a: expected a list of words, got DataFrame"),
        (
            STATES,
            pd.DataFrame({"text": FLAT, "label": LABELS}),
            "a column for each category, the columns word and category, or a mapping, got the columns 'text' and 'label', a row for each word",
        ),
        (
            STATES,
            pd.DataFrame({"class": [0] * 4 + [1] * 4, "token": FLAT}),
            "pass frame.rename(columns={'token': 'word', 'class': 'category'})",
        ),
        (
            STATES,
            pd.DataFrame({"word": FLAT, "category": ["colors", "months"] * 4}),
            "words: expected the rows of each category one after another, as rows of states are read category by category",
        ),
        (
            STATES,
            pd.DataFrame({"of": ["months"] * 4 + ["colors"] * 4, "word": FLAT}).groupby("of")["word"],
            "words: expected groups in the order of the frame's rows",
        ),
    ],
    ids=[
        "complex",
        "large",
        "masked rows",
        "numbered",
        "one word",
        "rows",
        "masked word",
        "missing word",
        "pairs",
        "bytes",
        "frame",
        "a row for each word",
        "numbered classes",
        "rows of categories mixed",
        "sorted groups",
    ],
)
def test_what_is_no_state_or_word_is_one_line(states: Any, words: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(TokvizError) as caught:
        tokviz.from_arrays(states, words, cache=tmp_path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
