"""Whether a model's layers still compute what they did."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from families import SIZES
from planting import tiny

from tokviz.capture import agree, difference, find_structure, probe


@pytest.mark.slow
def test_one_token_that_one_layer_changes_is_another_outcome() -> None:
    module: Any = tiny("Llama", 0, **SIZES)
    structure = find_structure(module, "")
    before = probe(module, structure)
    assert agree(probe(module, structure), before)

    def nudged(_: Any, _arguments: Any, output: Any) -> Any:
        states = output[0] if isinstance(output, tuple) else output
        states[:, -1] *= 1.001
        return output

    with torch.no_grad():
        module.layers[-1].register_forward_hook(nudged)
        after = probe(module, structure)
    assert difference(after, before) == pytest.approx(0.001, rel=0.1)
    assert not agree(after, before)
