"""A model that the caller has loaded: studied as it is, left as it was."""

from __future__ import annotations

import copy
import threading
from collections import UserDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch
from at_once import leave_pictures_blank
from families import Tiny
from matplotlib.figure import Figure
from playwright.sync_api import Browser, expect
from rich.console import Console
from transformers import AutoModelForCausalLM, AutoTokenizer

import tokviz
from tokviz import models
from tokviz.errors import TokvizError
from tokviz.notebook import loaded
from tokviz.run.work.progress import Lines

WORDS = {
    "colors": ["red", "blue", "green", "pink", "brown", "gray"],
    "months": ["May", "June", "July", "March", "April", "firefighter"],
}
CONTEXTS = {"alone": " {word}", "sentence": "The word is {word}"}


@pytest.fixture(scope="module")
def folder(tiny: Tiny) -> Path:
    return tiny("llama")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder)


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def study(model: Any, tokenizer: Any, cache: Path) -> tokviz.Study:
    return tokviz.study(model, WORDS, CONTEXTS, tokenizer=tokenizer, cache=cache, quiet=True, name="Mine")


def n_hooks(model: Any) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


@pytest.mark.slow
def test_its_states_are_those_of_its_checkpoint(study: tokviz.Study, folder: Path, tmp_path: Path) -> None:
    saved = tokviz.study(folder, WORDS, CONTEXTS, cache=tmp_path, quiet=True, name="Saved")["Saved"]["sentence"]
    loaded = study["Mine"]["sentence"]
    assert loaded.states.module_paths == saved.states.module_paths
    for one, other in zip(loaded.states.states, saved.states.states, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert loaded.states.card.source.startswith("memory:LlamaForCausalLM-")
    assert any("passed in memory" in note for note in loaded.states.card.notes)


def test_it_is_left_as_it_was(model: Any, tokenizer: Any, cache: Path) -> None:
    own = copy.deepcopy(model).train()
    own.model.layers[0].eval()
    with torch.no_grad():
        own.lm_head.weight.add_(1e-3)  # other weights: captured again
    attention = own.config._attn_implementation
    tokviz.study(own, WORDS, tokenizer=tokenizer, cache=cache, quiet=True)
    assert n_hooks(own) == 0
    assert own.training
    assert own.model.layers[1].training
    assert not own.model.layers[0].training
    assert own.config._attn_implementation == attention


def test_a_second_thread_waits(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    own = copy.deepcopy(model).train()
    begun, found = threading.Barrier(2, timeout=30), []

    def studied(number: int) -> None:
        begun.wait()
        captured = tokviz.study(own, WORDS, tokenizer=tokenizer, cache=tmp_path / str(number), quiet=True, name="Own")
        found.append(captured["Own"]["alone"].states)

    threads = [threading.Thread(target=studied, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, other = found
    assert one.card.identity == other.card.identity
    np.testing.assert_array_equal(one.states[-1], other.states[-1])
    assert all(module.training for module in own.modules())
    assert n_hooks(own) == 0


def test_it_can_be_trained_afterwards(model: Any, tokenizer: Any, cache: Path) -> None:
    own = copy.deepcopy(model)
    tokviz.study(own, WORDS, tokenizer=tokenizer, cache=cache, quiet=True)
    ids = tokenizer("The word is red", return_tensors="pt")["input_ids"]
    own(input_ids=ids, labels=ids).loss.backward()
    assert own.model.layers[0].mlp.down_proj.weight.grad.abs().sum() > 0


def test_other_weights_are_another_model(study: tokviz.Study, model: Any, tokenizer: Any, cache: Path) -> None:
    own = copy.deepcopy(model)
    with torch.no_grad():
        own.model.layers[1].mlp.down_proj.weight.mul_(1.5)
    changed = tokviz.study(own, WORDS, CONTEXTS, tokenizer=tokenizer, cache=cache, quiet=True, name="Mine")
    before, after = study["Mine"]["alone"].states, changed["Mine"]["alone"].states
    assert before.card.identity != after.card.identity
    np.testing.assert_array_equal(before.states[1], after.states[1])
    assert not np.allclose(before.states[-1], after.states[-1])


def test_a_model_that_was_trained_since_must_be_passed_again(model: Any, tokenizer: Any, cache: Path) -> None:
    own = copy.deepcopy(model)
    captured = tokviz.study(own, WORDS, tokenizer=tokenizer, cache=cache, quiet=True, name="Own")["Own"]["alone"]
    with torch.no_grad():
        own.model.layers[0].mlp.down_proj.weight.mul_(2)
    with pytest.raises(TokvizError, match="its weights, or what its layers make of words, have changed since"):
        captured.without([1], layer=1)


def test_its_weights_are_read_once_for_a_study(
    model: Any, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    original = models.fingerprint

    def noted(*given: Any) -> tuple[str, bool]:
        read.append(1)
        return original(*given)

    monkeypatch.setattr(models, "fingerprint", noted)
    captured = tokviz.study(model, WORDS, CONTEXTS, tokenizer=tokenizer, cache=tmp_path, quiet=True, name="Mine")
    assert len(read) == 1
    captured["Mine"]["alone"].without([2], layer=1)
    assert len(read) == 2, "it may have been trained since"


def test_weights_without_values_are_refused_as_what_they_are(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    with torch.device("meta"):
        empty = type(model)(model.config)
    with pytest.raises(TokvizError, match=r"but .* is on torch’s meta device; load it with from_pretrained"):
        tokviz.study(empty, WORDS, tokenizer=tokenizer, cache=tmp_path, quiet=True)


def test_contexts_have_the_names_that_the_caller_gave(model: Any, tokenizer: Any, cache: Path) -> None:
    found = tokviz.study(
        model, WORDS, {"In a text": "The word is {word}"}, tokenizer=tokenizer, cache=cache, quiet=True, name="Mine"
    )
    assert list(found["Mine"]) == ["In a text"]


def test_its_neurons_can_be_set(study: tokviz.Study, model: Any) -> None:
    own = study["Mine"]["alone"]
    modes = [module.training for module in model.modules()]
    pushed = own.without([3], layer=1, value=4)
    assert [module.training for module in model.modules()] == modes
    assert not np.allclose(pushed.states.states[-1], own.states.states[-1])


def test_a_layer_is_counted_from_the_end(study: tokviz.Study) -> None:
    own = study["Mine"]["alone"]
    last = own.states.n_depths - 2
    assert f"layer {last}" in repr(own.draw(-1))
    assert "layer 0" in repr(own.draw(-last - 1))
    with pytest.raises(TokvizError, match="layer: expected one that can be shown"):
        own.draw(-last - 3)


def test_a_plot_goes_on_axes_of_ones_own(study: tokviz.Study) -> None:
    axes = Figure().add_subplot()
    with matplotlib.rc_context({"font.size": 23}):
        assert study["Mine"]["alone"].draw(1, ax=axes) is axes
        _ = study["Mine"]["alone"].draw(1).figure
        assert matplotlib.rcParams["font.size"] == 23
    assert {text.get_text() for text in axes.texts} == {word for words in WORDS.values() for word in words}
    assert axes.get_legend_handles_labels()[1] == ["Colors", "Months"]
    assert axes.get_title() == "Mine · alone · layer 1"
    coordinates = study["Mine"]["alone"].project().coordinates[2]
    drawn = np.concatenate([np.asarray(each.get_offsets()) for each in axes.collections])
    np.testing.assert_allclose(drawn, coordinates)
    few = study["Mine"]["alone"].draw(1, ax=Figure().add_subplot(), names=False)
    assert not few.texts


def test_a_plot_is_saved_by_its_ending(study: tokviz.Study, tmp_path: Path) -> None:
    study["Mine"]["alone"].draw(1).save(tmp_path / "plot.svg")
    assert "<svg" in (tmp_path / "plot.svg").read_text()
    with pytest.raises(TokvizError, match=r"plot\.docx: expected a file name that ends with a format"):
        study["Mine"]["alone"].draw(1).save(tmp_path / "plot.docx")


def test_tables_are_data_frames(study: tokviz.Study) -> None:
    own = study["Mine"]["sentence"]
    n_words = sum(map(len, WORDS.values()))
    coordinates = own.to_pandas()
    assert len(coordinates) == own.states.n_depths * n_words
    np.testing.assert_allclose(coordinates["standardized_pc1"][:n_words], own.project().coordinates[0, :, 0], rtol=1e-5)
    assert list(own.to_pandas("geometry")["depth"]) == list(range(own.states.n_depths))
    assert "largest" in " ".join(own.to_pandas("geometry").columns)
    assert list(own.to_pandas("tokens")["word"]) == [word for words in WORDS.values() for word in words]
    with pytest.raises(TokvizError, match="table: expected one of states, coordinates, geometry"):
        own.to_pandas("colours")
    with pytest.raises(
        TokvizError,
        match=r"geometry, words_by_layer, tokens, .*which this capture has, or lens, which is fitted first, got 'loss'",
    ):
        own.to_pandas("loss")


def test_a_notebook_shows_facts_and_all_depths(study: tokviz.Study) -> None:
    shown = study._repr_html_()
    assert shown.count("<table>") == shown.count("data:image/png;base64,") == 2
    assert "embedding and 3 layers" in shown
    assert repr(study).splitlines()[0].startswith("Mine, alone: 12 words")


def test_the_explorer_is_shown_inline(study: tokviz.Study, browser: Browser, tmp_path: Path) -> None:
    explorer = study["Mine"]["alone"].explore()
    problems: list[str] = []
    page = browser.new_page()
    page.on(
        "request", lambda request: problems.append(request.url) if request.url.startswith(("http", "file")) else None
    )
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.set_content(explorer._repr_html_())
    frame = page.frame_locator("iframe")
    frame.get_by_label("Find a word").fill("fire")
    frame.get_by_role("option", name="firefighter").click()
    expect(frame.locator(".pins")).to_contain_text("firefighter")
    frame.get_by_role("button", name="Next →").click()
    expect(frame.locator(".depth-label")).to_have_text("layer 0")
    page.wait_for_timeout(500)
    assert problems == []
    page.close()
    explorer.save(tmp_path / "explorer.html")
    assert (tmp_path / "explorer.html").read_text(encoding="utf-8") == explorer.document


@pytest.mark.slow
def test_a_site_is_made_of_what_was_studied(
    study: tokviz.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_pictures_blank(monkeypatch)
    outcome = study.report(tmp_path / "site", jobs=1, quiet=True)
    assert outcome.n_captured == 0
    page = (tmp_path / "site" / "models" / "mine" / "index.html").read_text(encoding="utf-8")
    assert "The model was passed in memory" in page


def test_several_sources_are_studied_at_once(tiny: Tiny, cache: Path) -> None:
    found = tokviz.study([tiny("llama"), str(tiny("gpt2"))], WORDS, cache=cache, quiet=True)
    assert list(found) == ["llama", "gpt2"]


def test_a_configuration_is_named_by_its_path(folder: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "report.toml").write_text(
        f'[words]\na = ["red", "blue", "green"]\n[[models]]\nname = "T"\nsource = "{folder}"\n'
    )
    assert list(tokviz.study(tmp_path / "report.toml", cache=cache, quiet=True)) == ["T"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda model, _: tokviz.study(model, WORDS), "tokenizer: expected the model’s tokenizer, got none"),
        (
            lambda model, _: tokviz.study(model, WORDS, tokenizer=str),
            "tokenizer: expected the model’s tokenizer, got type",
        ),
        (
            lambda _, tokenizer: tokviz.study(3, WORDS, tokenizer=tokenizer),
            "model: expected a model of transformers or its source, got int",
        ),
        (lambda _, tokenizer: tokviz.study(torch.nn.Linear(2, 2), WORDS, tokenizer=tokenizer), "got Linear"),
        (
            lambda model, tokenizer: tokviz.study([model], WORDS, tokenizer=tokenizer),
            "model: expected sources in a list, got LlamaForCausalLM; name loaded models, such as {",
        ),
        (
            lambda _, tokenizer: tokviz.study(["here"], WORDS, tokenizer=tokenizer),
            "tokenizer: expected a source, as the model is one, got",
        ),
        (
            lambda model, tokenizer: tokviz.study({"A": model}, WORDS, tokenizer=tokenizer, name="B"),
            "name: expected each model's name before it, in the mapping, got 'B'",
        ),
        (
            lambda model, tokenizer: tokviz.study({"A": model}, WORDS, tokenizer={"B": tokenizer}),
            "tokenizer: expected names of models, got 'B'",
        ),
        (lambda model, _: tokviz.study({"A": "here", "B": model}, WORDS), "tokenizer: expected the model’s tokenizer"),
        (
            lambda model, tokenizer: tokviz.study({"A": model, "B": model}, WORDS, tokenizer={"A": tokenizer}),
            "tokenizer: expected one of each loaded model, got none of 'B'",
        ),
        (lambda *_: tokviz.study({}, WORDS), "model: expected at least one model, got none"),
        (lambda *_: tokviz.study([], WORDS), "model: expected at least one model, got none"),
        (
            lambda model, tokenizer: tokviz.study(model.state_dict(), WORDS, tokenizer=tokenizer),
            "model: expected a model or its source, got a state dict; load it into its model first, with model.load_state_dict(",
        ),
        (
            lambda model, tokenizer: tokviz.study(model, WORDS, tokenizer=tokenizer, dtype="bfloat16"),
            "dtype: expected name, note, notes only, as the model is loaded already; convert it first, such as model.to(",
        ),
        (
            lambda model, tokenizer: tokviz.study(model, WORDS, tokenizer=tokenizer, untrained=True),
            "as the model is loaded already; capture.untrained() gives its untrained models",
        ),
        (lambda *_: tokviz.study("report.toml", WORDS), "words: expected it in the configuration"),
        (lambda *_: tokviz.study("memory:Gone-1234", WORDS), "memory:Gone-1234: expected a model that is in memory"),
        (lambda *_: tokviz.build(tokviz.load("report.toml"), colour=3), "build: expected options from cache"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    model: Any, tokenizer: Any, call: Callable[[Any, Any], object], said: str
) -> None:
    with pytest.raises(TokvizError) as caught:
        call(model, tokenizer)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_offloaded_weights_are_read_once_and_it_is_said(
    folder: Path, tokenizer: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {
        "model.embed_tokens": "cpu",
        "model.layers": "disk",
        "model.norm": "disk",
        "model.rotary_emb": "cpu",
        "lm_head": "cpu",
    }
    own = AutoModelForCausalLM.from_pretrained(folder, device_map=places, offload_folder=str(tmp_path / "offload"))
    hook = own.model.layers[0].mlp.down_proj._hf_hook
    hook.weights_map = counted = Counted(hook.weights_map)
    loaded.identified(own, tokenizer, Lines(Console(stderr=True)))
    assert counted.read == ["weight"]
    assert hook.weights_map is counted
    assert "LlamaForCausalLM: reading all weights once, as accelerate keeps some" in capsys.readouterr().err


class Counted(UserDict[str, Any]):
    """Weights; what is read of them is noted."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self.data = weights  # type: ignore[assignment]  # read like a dict
        self.read: list[str] = []

    def __getitem__(self, name: str) -> Any:
        self.read.append(name)
        return self.data[name]
