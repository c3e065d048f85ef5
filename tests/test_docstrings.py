"""The public names, and the examples in their docstrings: each of them runs."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path
from typing import Any

import pytest
from families import Tiny
from transformers import AutoModelForCausalLM, AutoTokenizer

import tokviz

REPORT = """
[words.colors]
reads_as = " word"
words = ["red", "blue", "green"]
[words.months]
reads_as = " is"
words = ["May", "June", "July"]
[[models]]
name = "Tiny"
source = "model"
"""


@pytest.fixture(scope="module")
def folder(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    tiny.copy("llama", folder / "model")
    (folder / "report.toml").write_text(REPORT, encoding="utf-8")
    return folder


@pytest.mark.process
@pytest.mark.parametrize("name", tokviz.__all__)
def test_the_examples_of_a_public_name_run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    documented = inspect.getdoc(getattr(tokviz, name)) or ""
    loaders: dict[str, Any] = {"model": AutoModelForCausalLM, "tokenizer": AutoTokenizer}
    given: dict[str, Any] = {
        each: loader.from_pretrained(folder / "model") for each, loader in loaders.items() if each in documented
    }
    example = doctest.DocTestParser().get_doctest(documented, given, name, None, 0)
    assert example.examples, f"{name}: expected a docstring with an example"
    failed, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example)
    assert (failed, tried) == (0, len(example.examples))


def test_public_names_are_found_by_tools() -> None:
    assert set(tokviz.__all__) <= set(dir(tokviz))
    for name in tokviz.__all__:
        public = getattr(tokviz, name)
        if inspect.isfunction(public):
            annotations = inspect.signature(public)
            assert all(each.annotation is not inspect.Parameter.empty for each in annotations.parameters.values())
