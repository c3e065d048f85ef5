"""Words that go through a model together have the states that each has alone, or they don't go together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from toys import Toy

from tokviz.capture import capture, find_structure
from tokviz.capture.batch_check import mask_difference
from tokviz.capture.running import RunningCapture
from tokviz.records import Tokenization, TokenizedWord

LENGTHS = (2, 5, 3, 3, 5, 2, 4)


class Attentive(Toy):
    """Adds to each token the mean over the tokens that the mask lets it see, before layer 1."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> torch.Tensor:
        state: torch.Tensor = self.embed(input_ids)
        for index, layer in enumerate(self.layers):
            if index == 1:
                state = state + self.mixed(state, attention_mask)
            state = layer(state)
        return state

    def mixed(self, state: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        weights = torch.ones(state.shape[:2]) if mask is None else mask
        weights = weights.to(state.dtype)[..., None]
        return (state * weights).sum(1, keepdim=True) / weights.sum(1, keepdim=True)


class ReadsPadding(Attentive):
    """Forgets its mask."""

    def mixed(self, state: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        return state.mean(1, keepdim=True)


class ReadsNeighbours(Attentive):
    """Each word sees the others of its batch."""

    def mixed(self, state: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        return state.mean((0, 1), keepdim=True)


class TakesMaskForMore(Attentive):
    """A mask turns the sign of what is mixed in, even one that hides nothing."""

    def mixed(self, state: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        return super().mixed(state, mask) * (1 if mask is None else -1)


class SendsOneWordElsewhere(Attentive):
    """One word of a padded batch is changed, as by experts that rounding chooses."""

    def mixed(self, state: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        changed = torch.zeros_like(state)
        if mask is not None and len(mask) > 1 and not bool(mask.all()):
            changed[int(mask.sum(1).argmin())] = 5
        return super().mixed(state, mask) + changed


def words(lengths: Sequence[int] = LENGTHS) -> Tokenization:
    """Words of so many tokens, no two alike."""
    made = []
    for row, length in enumerate(lengths):
        ids = tuple((row + position) % 7 + 1 for position in range(length))
        made.append(
            TokenizedWord(
                word=f"word{row}", text=f"word{row}", ids=ids, pieces=("x",) * length, start=length - 1, stop=length
            )
        )
    return Tokenization(words=tuple(made), read="last")


def captured(kind: Callable[..., Toy], tokenization: Tokenization, dtype: torch.dtype = torch.float32) -> Any:
    torch.manual_seed(0)
    module = kind(width=16).to(dtype).eval()
    found = capture(module, find_structure(module, ""), tokenization, 1000)
    batches = list(found)
    order = np.argsort(np.concatenate([batch.rows for batch in batches]))
    states = [np.concatenate([batch.states[depth] for batch in batches])[order] for depth in range(4)]
    return SimpleNamespace(check=found.check, states=states, n_passes=len(batches), module=module)


def states_alone(module: nn.Module, tokenization: Tokenization) -> list[np.ndarray]:
    """Per depth ``(n_words, width)``, each word run by itself without a capture."""
    embed, *layers = (module.get_submodule(path) for path in ("embed", "layers.0", "layers.1", "layers.2"))
    outputs: list[list[np.ndarray]] = [[], [], [], []]
    handles = [
        part.register_forward_hook(lambda _part, _inputs, output, to=to: to.append(output[0, -1].float().numpy()))
        for part, to in zip((embed, *layers), outputs, strict=True)
    ]
    with torch.no_grad():
        for word in tokenization.words:
            module(torch.tensor([word.ids]), attention_mask=torch.ones((1, len(word.ids))))
    for handle in handles:
        handle.remove()
    return [np.stack(each) for each in outputs]


@pytest.mark.parametrize(
    ("kind", "batching", "n_compared"),
    [
        (Attentive, "padded", 1),
        (ReadsPadding, "equal_lengths", 2),
        (ReadsNeighbours, "one_by_one", 2),
        (TakesMaskForMore, "padded", 1),
    ],
)
def test_words_go_together_as_far_as_that_changes_nothing(kind: type[Toy], batching: str, n_compared: int) -> None:
    found = captured(kind, words())
    check = found.check
    assert check.batching == batching
    assert len(check.comparisons) == n_compared
    assert [each.batching for each in check.comparisons] == ["padded", "equal_lengths"][:n_compared]
    assert check.comparisons[-1].accepted is (batching != "one_by_one")
    assert found.n_passes == {"padded": 1, "equal_lengths": len(set(LENGTHS)), "one_by_one": len(LENGTHS)}[batching]
    for got, expected in zip(found.states, states_alone(found.module, words()), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


def test_a_leak_is_named_with_its_size_word_and_depth() -> None:
    first = captured(ReadsPadding, words()).check.comparisons[0]
    assert first.n_words == 3
    assert first.difference > 0.01
    assert not first.accepted
    # Before layer 1 nothing is mixed; the words of most padding are the shortest.
    assert first.depth >= 2
    assert first.word in {"word0", "word5", "word2", "word3", "word6"}
    assert 0 < first.median_difference <= first.difference


@pytest.mark.parametrize(("kind", "batching"), [(ReadsPadding, "equal_lengths"), (ReadsNeighbours, "one_by_one")])
def test_words_of_one_length_are_compared_too(kind: type[Toy], batching: str) -> None:
    found = captured(kind, words((3, 3, 3, 3)))
    (comparison,) = found.check.comparisons
    assert comparison.batching == "equal_lengths"
    assert comparison.n_words == 3
    assert comparison.accepted is (batching == "equal_lengths")
    assert found.check.batching == batching
    assert found.n_passes == (1 if comparison.accepted else 4)
    for got, expected in zip(found.states, states_alone(found.module, words((3, 3, 3, 3))), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


def test_of_streamed_weights_words_of_one_length_cost_no_further_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    n_passes = []
    for lengths in ((3, 3, 3), (2, 3, 3)):
        runs: list[int] = []
        module = Attentive()
        structure = find_structure(module, "")
        module.register_forward_pre_hook(lambda _part, inputs, runs=runs: runs.append(len(inputs)))
        monkeypatch.setattr("tokviz.capture.running.is_streamed", lambda _: True)
        list(capture(module, structure, words(lengths), 1000))
        n_passes.append(len(runs))
    assert n_passes == [1, 2]


def test_one_word_is_enough() -> None:
    found = captured(Attentive, words((3,)))
    assert found.check.comparisons == ()
    assert found.states[0].shape == (1, 16)


def test_a_mask_that_hides_nothing_must_not_matter() -> None:
    assert captured(Attentive, words()).check.mask_difference == pytest.approx(0, abs=1e-6)
    check = captured(TakesMaskForMore, words()).check
    assert check.mask_difference > 0.1


def test_a_mask_that_changes_the_first_token_alone_is_seen() -> None:
    read, first = np.ones((1, 4), dtype=np.float32), np.full((1, 4), 2, dtype=np.float32)
    one, other = (SimpleNamespace(states=[read], position0_values=[scale * first]) for scale in (1, 2))
    assert mask_difference(one, one) == 0  # type: ignore[arg-type]  # all that it reads
    assert mask_difference(one, other) > 0.1  # type: ignore[arg-type]


def test_in_bfloat16_a_single_word_is_no_sign_of_padding() -> None:
    check = captured(SendsOneWordElsewhere, words(), torch.bfloat16).check
    assert check.batching == "padded"
    (comparison,) = check.comparisons
    assert comparison.difference > check.tolerance > comparison.median_difference
    assert captured(SendsOneWordElsewhere, words()).check.batching == "equal_lengths"
    assert captured(ReadsPadding, words((2, 9, 2, 2)), torch.bfloat16).check.batching == "equal_lengths"


def test_the_batches_of_a_capture_are_read_once() -> None:
    module = Attentive()
    found: RunningCapture = capture(module, find_structure(module, ""), words(), 1000)
    assert len(list(found)) == 1
    assert list(found) == []
