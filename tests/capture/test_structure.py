"""Where hidden states come out is found by what modules do; what is not clear is refused."""

from __future__ import annotations

import families
import numpy as np
import pytest
import torch
from torch import nn
from toys import Doubled, Streamed, Toy, Turned, Windowed, toy_words

from tokviz.capture import capture, find_structure
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
        (Windowed(padded_after=False), r"Windowed: .* 3 times .*\(batch, tokens, 3\), found none"),
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


# --- outputs of other shapes ---------------------------------------------------------------------------------------


def layer_by_layer(module: Toy, states: torch.Tensor) -> list[np.ndarray]:
    """What the toy's layers make of ``(width,)`` states of one token."""
    found = [states]
    for layer in module.layers:
        found.append(layer(found[-1]))
    return [each.detach().numpy() for each in found]


@pytest.mark.parametrize("module", [Toy(), Turned(), Windowed()])
def test_states_come_out_of_every_layout_as_batch_tokens_and_width(module: Toy) -> None:
    structure = find_structure(module, "")
    assert structure.notes == ()
    (batch,) = capture(module, structure, toy_words(), 100)
    # The last of the ids (1, 2).
    for state, expected in zip(batch.states, layer_by_layer(module, module.embed.weight[2]), strict=True):
        np.testing.assert_allclose(state, np.tile(expected, (4, 1)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("active", "factor", "note"),
    [(0, 1.0, "stream 0 is shown"), (1, 2.0, "stream 1 is shown"), (None, 1.5, "their mean is shown")],
)
def test_of_several_streams_the_active_one_or_their_mean_is_read(
    first: bool, active: int | None, factor: float, note: str
) -> None:
    module = Streamed(first=first, active=active)
    structure = find_structure(module, "")
    assert [note in each for each in structure.notes] == [True]
    assert "2 streams" in structure.notes[0]
    (batch,) = capture(module, structure, toy_words(), 100)
    # The layers are linear: their mean over two streams is what they make of the mean.
    expected = layer_by_layer(module, factor * module.embed.weight[2])
    assert batch.states[0][0] == pytest.approx(expected[0] / factor, rel=1e-5)
    for state, of_layer in zip(batch.states[1:], expected[1:], strict=True):
        np.testing.assert_allclose(state, np.tile(of_layer, (4, 1)), rtol=1e-5, atol=1e-6)


def test_too_little_memory_is_no_fault_of_the_kind_of_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_out(*_: object, input_ids: torch.Tensor) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Toy, "forward", run_out)
    with pytest.raises(StructureError, match="can't allocate memory; close other programs, or check its config"):
        find_structure(Toy(), "")
