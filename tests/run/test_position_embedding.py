"""A model whose embedding of position 0 is huge: nothing that a layer does, and no page says so."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import torch
from at_once import leave_pictures_blank
from families import Tiny
from tiny_tokenizers import whole_words
from transformers import AutoModelForCausalLM

import tokviz

WORDS = {
    "colors": ["red", "blue", "green", "pink", "brown", "gray", "black", "white", "gold", "silver"],
    "months": ["May", "June", "July", "March", "April", "August", "October", "January", "December", "September"],
}
DIMENSION, SPIKE = 7, 3000.0


@pytest.mark.slow
def test_a_huge_embedding_of_the_position_is_not_what_layer_0_does(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_pictures_blank(monkeypatch)
    model: Any = AutoModelForCausalLM.from_pretrained(tiny("gpt2"))
    with torch.no_grad():
        model.transformer.wpe.weight[0, DIMENSION] = SPIKE
    contexts = {"alone": "{word}", "sentence": "The word is {word}"}
    study = tokviz.study(
        model,
        WORDS,
        contexts,
        tokenizer=whole_words([*WORDS["colors"], *WORDS["months"]]),
        cache=tmp_path / "cache",
        quiet=True,
        name="Mine",
    )
    assert abs(study["Mine"]["alone"].states.states[1][:, DIMENSION]).min() > 0.9 * SPIKE
    assert abs(study["Mine"]["sentence"].states.states[1][:, DIMENSION]).max() < 10
    study.report(tmp_path / "site", jobs=1, quiet=True)
    page = (tmp_path / "site" / "models" / "mine" / "index.html").read_text(encoding="utf-8")
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert "What each layer adds" in headings
    assert not any("layer 0" in heading for heading in map(str.lower, headings))
    said = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page)))
    assert re.search(
        r"Layer 0 doesn’t write the massive value that is there after it, 3,000: its parts add −?0\.\d+ to dimension 7\.",
        said,
    )
    assert "The value enters layer 0, for example with an embedding of the position." in said
    assert not re.search(r"neurons? .{0,80}writes?\b", said)
