"""Where hidden states come out is found by what modules do; what is not clear is refused."""

from __future__ import annotations

import families
import pytest
from torch import nn
from toys import Doubled, Toy, Turned

from tokviz.capture import find_structure
from tokviz.errors import StructureError


def test_two_layers_are_not_mistaken_for_the_two_parts_of_a_layer() -> None:
    from transformers import T5Config, T5EncoderModel

    config = T5Config(vocab_size=64, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
    structure = find_structure(T5EncoderModel(config).get_encoder(), "encoder")
    assert structure.module_paths == ("encoder.embed_tokens", "encoder.block.0", "encoder.block.1")


def test_albert_runs_each_of_its_groups() -> None:
    from transformers import AlbertConfig, AlbertModel

    config = AlbertConfig(**families.ENCODER | {"num_hidden_layers": 4}, embedding_size=16, num_hidden_groups=2)
    structure = find_structure(AlbertModel(config).eval(), "albert")
    names = [path.rpartition("albert_layer_groups.")[2] for path in structure.module_paths[1:]]
    assert names == ["0@0", "0@1", "1@0", "1@1"]


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (Turned(), r"Turned: expected one list of blocks .* 3 times .*\(batch, tokens, 3\), found none"),
        (Toy(n_layers=5), r"Toy: expected one list of blocks .* 5 times .* found layers \(3 calls\)"),
        (Doubled(), r"Doubled: .* found layers \(3 calls\), norms \(3 calls\)"),
        (Toy(n_layers=0), r"called 0 times .* found layers \(3 calls\)"),
    ],
)
def test_an_unclear_structure_is_refused_with_what_was_found(module: nn.Module, expected: str) -> None:
    with pytest.raises(StructureError, match=expected):
        find_structure(module, "")


def test_a_model_without_token_embeddings_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Toy()
    monkeypatch.setattr(module, "get_input_embeddings", lambda: None)
    with pytest.raises(StructureError, match="expected a token embedding"):
        find_structure(module, "")
