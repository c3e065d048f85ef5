"""Short names of models: each is its model's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import card

from tokviz.pages.text.short_names import short_names
from tokviz.records import named_with_quantization

LONGEST = 17


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"], ["SmolLM2", "MiniLM"]),
        (["Qwen3-4B", "Qwen3-8B", "Llama-3.2-1B"], ["Qwen3-4B", "Qwen3-8B", "Llama"]),
        (["gpt2", "gpt_neox", "bert"], ["gpt2", "gpt_neox", "bert"]),
        (["pythia-70m", "pythia-160m"], ["pythia-70m", "pythia-160m"]),
        (["DeepSeek-R1-Distill-Qwen-1.5B", "DeepSeek-R1-Distill-Qwen-7B"], ["DeepSeek…1.5B", "DeepSeek…7B"]),
        (["Qwen3", "Qwen3-4B", "Qwen3-4B-Instruct"], ["Qwen3", "Qwen3-4B", "Qwen3-4B-Instruct"]),
        (["a-model-without-any-family-name"], ["a"]),
        (["", "---"], ["", "---"]),
    ],
)
def test_a_name_is_as_short_as_it_can_be(names: list[str], short: list[str]) -> None:
    assert list(short_names(names, LONGEST)) == short


NAMES = st.lists(st.text("aAbB4-_. ", max_size=12), min_size=1, max_size=8, unique=True)


@given(names=NAMES)
def test_no_two_models_have_one_short_name(names: list[str]) -> None:
    short = short_names(names, LONGEST)
    assert len(set(short)) == len(names)
    for name, each in zip(names, short, strict=True):
        assert len(each) <= max(LONGEST, len(name))
        assert all(part in name for part in each.split("…"))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("SmolLM2-135M.Q4_1", "SmolLM2-135M (Q4_1 GGUF)"),
        ("smollm2-135m-q4_1", "smollm2-135m (Q4_1 GGUF)"),
        ("Q4_1", "Q4_1 (Q4_1 GGUF)"),
        ("SmolLM2.Q4_1.v2", "SmolLM2.Q4_1.v2 (Q4_1 GGUF)"),
    ],
)
def test_quantized_weights_are_named_once(name: str, shown: str) -> None:
    assert named_with_quantization(name, card(quantization="Q4_1 GGUF")) == shown
