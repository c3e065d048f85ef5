"""The states of many words in one padded pass are those of each word alone, in every family."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import families
import numpy as np
import pytest
import torch
from families import Load
from torch import nn
from toys import Toy, toy_words

from tokviz.capture import Structure, capture, capture_together, find_structure, is_streamed, sharing_passes
from tokviz.capture.tokens import tokenize
from tokviz.config import ModelConfig
from tokviz.errors import CaptureError, StructureError
from tokviz.models import Folders, load
from tokviz.records import N_EXTREMES, Context, Tokenization, TokenizedWord

WORDS = ("cat", "firefighter Montréal", "James", "is", "catalogue of Tokyo, Oslo and Paris")
CONTEXT = Context(name="middle", label="in the middle", template="The word is {word} or")
CONTEXTS = (
    Context(name="alone", label="alone", template=" {word}"),
    CONTEXT,
)
"""A word's last token is the text's last, or others follow; its first is the text's first, or others come before."""
N_LAYERS = 3
"""Of every tiny model."""
TOLERANCE = 1e-4
"""Of ‖Δ‖ / ‖x‖, in float32."""
LIKE_OTHERS = (
    *(
        "mistral",
        "phi3",
        "gemma3_text",
        "gpt_neox",
        "opt",
        "qwen3_next",
        "modernbert",
        "distilbert",
        "fnet",
        "convbert",
    ),
    *("gemma_both_ways", "paligemma", "longformer", "led"),
)
"""Families that are captured as one of the others is, for the outer ring."""


def thorough(name: str) -> Any:  # a parameter with a mark, whose type pytest keeps to itself
    return pytest.param(name, marks=pytest.mark.thorough)


def captured(
    module: nn.Module, structure: Structure, tokenization: Tokenization, token_budget: int = 65_536
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, int]:
    """All states in the order of the words: per depth ``(n_words, width)``, and the two position-0 arrays."""
    batches = list(capture(module, structure, tokenization, token_budget))
    order = np.argsort(np.concatenate([batch.rows for batch in batches]))
    assert sorted(order) == list(range(len(tokenization.words)))
    n_depths = structure.n_layers + 1
    states = [np.concatenate([batch.states[depth] for batch in batches])[order] for depth in range(n_depths)]
    values = np.concatenate([batch.position0_values for batch in batches], axis=1)[:, order]
    dimensions = np.concatenate([batch.position0_dimensions for batch in batches], axis=1)[:, order]
    return states, values, dimensions, len(batches)


def states_alone(
    module: nn.Module, last_layer: nn.Module, word: TokenizedWord, family: families.Family
) -> list[np.ndarray]:
    """Per depth ``(tokens, width)`` of the unpadded word alone, from transformers' own outputs where possible.

    ``output_hidden_states`` gives what goes into each layer, which is what the one before returned. It lacks the embedding
    module's own output and the last layer's before the final norm.
    """
    last: list[torch.Tensor] = []
    handle = last_layer.register_forward_hook(
        lambda _part, _inputs, output: last.append(output if isinstance(output, torch.Tensor) else output[0])
    )
    ids = torch.tensor([word.ids])
    get_embedding: Any = module.get_input_embeddings
    with torch.no_grad():
        embedding = get_embedding()(ids)
        outputs = module(input_ids=ids, output_hidden_states=True, return_dict=True)
    handle.remove()
    between = outputs.hidden_states[family.first_output :][: N_LAYERS - 1]
    # Of several streams transformers returns all.
    between = [family.of_layer(output) if output.ndim == 4 else output for output in between]
    return [tensor[0].float().numpy() for tensor in (embedding, *between, family.of_layer(last[-1]))]


def relative_error(got: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


@pytest.mark.slow
@pytest.mark.parametrize("name", [thorough(each) if each in LIKE_OTHERS else each for each in families.FAMILIES])
def test_padded_states_are_those_of_each_word_alone(loaded: Load, name: str) -> None:
    model, family = loaded(name), families.BY_NAME[name]
    structure = find_structure(model.module, model.base_model_prefix)
    assert structure.n_layers == model.card.n_layers == N_LAYERS
    assert structure.module_paths[:2] == (family.embedding, family.first_layer)
    assert len(set(structure.module_paths)) == 4

    for context in CONTEXTS:
        tokenization = tokenize(model.tokenizer, WORDS, context, "last")
        assert len({len(word.ids) for word in tokenization.words}) > 1, "words of one length need no padding"
        states, values, dimensions, n_passes = captured(model.module, structure, tokenization)
        assert (n_passes == 1) is family.padding_is_inert

        for row, word in enumerate(tokenization.words):
            reference = states_alone(model.module, structure.layers[-1], word, family)
            assert len(reference) == 4
            for depth, expected in enumerate(reference):
                got = states[depth][row]
                assert got.dtype == np.float32
                where = f"{word.word} {context.name} at depth {depth}"
                assert relative_error(got, expected[word.stop - 1]) < TOLERANCE, where
                sizes = np.abs(expected[0])
                np.testing.assert_allclose(values[depth, row], np.sort(sizes)[::-1][:N_EXTREMES], rtol=1e-3)
                np.testing.assert_allclose(sizes[dimensions[depth, row]], values[depth, row], rtol=1e-3)

    # Of the last context, where something follows the word.
    split, split_values, _, n_passes = captured(model.module, structure, tokenization, token_budget=30)
    assert n_passes > 1
    for depth in range(4):
        assert relative_error(split[depth], states[depth]) < TOLERANCE
    np.testing.assert_allclose(split_values, values, rtol=1e-3)


@pytest.mark.parametrize("name", ["opt_narrow", "albert"])
def test_an_embedding_may_have_a_width_of_its_own(loaded: Load, name: str) -> None:
    model = loaded(name)
    structure = find_structure(model.module, model.base_model_prefix)
    states, *_ = captured(model.module, structure, tokenize(model.tokenizer, WORDS, CONTEXT, "last"))
    assert [state.shape[1] for state in states] == [16, 32, 32, 32]
    assert (model.card.embedding_width, model.card.width) == (16, 32)


def test_first_and_mean_read_other_tokens(loaded: Load) -> None:
    model = loaded("llama")
    structure = find_structure(model.module, model.base_model_prefix)
    by_read: dict[str, list[np.ndarray]] = {}
    for read in ("first", "mean", "last"):
        tokenization = tokenize(model.tokenizer, WORDS, CONTEXT, read)
        by_read[read], *_ = captured(model.module, structure, tokenization)
    word = tokenization.words[1]
    assert word.n_tokens > 2
    of_word = states_alone(model.module, structure.layers[-1], word, families.BY_NAME["llama"])
    for depth, expected in enumerate(of_word):
        inside = expected[word.start : word.stop]
        for read, state in (("first", inside[0]), ("mean", inside.mean(axis=0)), ("last", inside[-1])):
            assert relative_error(by_read[read][depth][1], state) < TOLERANCE, f"{read} at depth {depth}"


def test_words_of_similar_length_share_a_pass_within_the_budget(loaded: Load) -> None:
    model = loaded("qwen3")
    structure = find_structure(model.module, model.base_model_prefix)
    tokenization = tokenize(model.tokenizer, WORDS, CONTEXT, "last")
    lengths = np.array([len(word.ids) for word in tokenization.words])
    done: list[int] = []
    budget = 24
    for batch in capture(model.module, structure, tokenization, budget, on_progress=done.append):
        padded = len(batch.rows) * lengths[batch.rows].max()
        assert padded <= budget or len(batch.rows) == 1
    assert sum(done) == len(WORDS)
    assert len(done) > 1


@pytest.mark.parametrize(
    ("name", "layer", "expected"),
    [
        ("llama", 1, "model.layers.1, after layer 1"),
        ("bert", 2, "bert.encoder.layer.2, after layer 2"),
        ("albert", 0, "albert.encoder.albert_layer_groups.0@0, after layer 0"),
        ("mamba", 0, "backbone.layers.0, after layer 0"),
    ],
)
def test_nan_names_the_layer_where_it_begins(tiny: families.Tiny, name: str, layer: int, expected: str) -> None:
    model = tiny.load(name)
    structure = find_structure(model.module, model.base_model_prefix)
    with torch.no_grad():
        for parameter in structure.layers[layer].parameters():
            parameter.fill_(float("nan"))
    tokenization = tokenize(model.tokenizer, WORDS, CONTEXT, "last")
    with pytest.raises(CaptureError) as caught:
        list(capture(model.module, structure, tokenization, 65_536))
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
    assert not any(part._forward_hooks for part in model.module.modules()), "hooks were not removed"


def test_infinity_in_half_precision_names_float32_as_the_remedy(tiny: families.Tiny) -> None:
    model = load(ModelConfig(source="qwen3", dtype="bfloat16"), tiny("qwen3").parent, "cpu")
    structure = find_structure(model.module, model.base_model_prefix)
    with torch.no_grad():
        structure.embedding.get_parameter("weight").fill_(float("inf"))
    tokenization = tokenize(model.tokenizer, WORDS, CONTEXT, "last")
    with pytest.raises(CaptureError, match=r'model.embed_tokens, the embedding.*bfloat16; set dtype = "float32"'):
        list(capture(model.module, structure, tokenization, 65_536))


def test_no_hook_stays_after_a_capture(loaded: Load) -> None:
    model = loaded("t5")
    before = [len(part._forward_hooks) for part in model.module.modules()]
    structure = find_structure(model.module, model.base_model_prefix)
    captured(model.module, structure, tokenize(model.tokenizer, WORDS, CONTEXT, "last"))
    assert [len(part._forward_hooks) for part in model.module.modules()] == before


def test_weights_offloaded_to_disk_give_the_same_states(loaded: Load, tiny: families.Tiny, tmp_path: Path) -> None:
    from transformers import AutoModel

    places = {"embed_tokens": "cpu", "rotary_emb": "cpu", "norm": "cpu"}
    places |= {"layers.0": "cpu", "layers.1": "disk", "layers.2": "disk"}
    spread = AutoModel.from_pretrained(tiny("qwen3"), device_map=places, offload_folder=tmp_path / "offload")
    assert any(parameter.device.type == "meta" for parameter in spread.parameters())
    model = loaded("qwen3")
    tokenization = tokenize(model.tokenizer, WORDS, CONTEXT, "last")
    expected, *_ = captured(model.module, find_structure(model.module, "model"), tokenization)
    got, *_ = captured(spread, find_structure(spread, "model"), tokenization)
    for depth in range(4):
        assert relative_error(got[depth], expected[depth]) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qwen3", "gemma3n", *map(thorough, ("qwen3_moe", "gemma3", "t5"))])
def test_weights_that_exceed_the_memory_are_read_once_for_all_contexts(
    loaded: Load, tiny: families.Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from accelerate.utils.offload import OffloadedWeightsLoader

    n_bytes = sum(file.stat().st_size for file in tiny(name).glob("*.safetensors"))
    configured = ModelConfig(source=name, max_memory={"cpu": f"{n_bytes // 2000}KB"})
    streamed = load(configured, tiny(name).parent, "cpu", Folders(offload=tmp_path / "offload"))
    assert is_streamed(streamed.module)

    reads: Counter[str] = Counter()
    get = OffloadedWeightsLoader.__getitem__

    def counted(self: OffloadedWeightsLoader, key: str) -> Any:
        reads[key] += 1
        return get(self, key)

    monkeypatch.setattr(OffloadedWeightsLoader, "__getitem__", counted)
    structure = find_structure(streamed.module, streamed.base_model_prefix)
    assert not reads, "the structure is found without reading weights"
    tokenizations = [tokenize(streamed.tokenizer, WORDS, context, "last") for context in CONTEXTS]
    found = list(capture_together(streamed.module, structure, tokenizations, 65_536))
    # Once for all contexts, and once for a few words without padding; the routers of AltUp run twice in every layer.
    of_routers = {key for key in reads if "altup" in key and "router" in key}
    assert {key for key, n_reads in reads.items() if n_reads != 2} == of_routers
    assert {reads[key] for key in of_routers} <= {4}

    whole = loaded(name)
    assert not is_streamed(whole.module)
    for index, tokenization in enumerate(tokenizations):
        (batch,) = (batch for which, batch in found if which == index)
        expected, values, *_ = captured(
            whole.module, find_structure(whole.module, whole.base_model_prefix), tokenization
        )
        order = np.argsort(batch.rows)
        assert sorted(batch.rows) == list(range(len(WORDS)))
        np.testing.assert_allclose(batch.position0_values[:, order], values, rtol=1e-3)
        for depth in range(4):
            assert relative_error(batch.states[depth][order], expected[depth]) < TOLERANCE


@pytest.mark.parametrize(
    ("n_words", "has_gpu", "groups"),
    [(10, False, [[1, 3, 0, 2]]), (200, False, [[1, 3], [0, 2]]), (200, True, [[0, 1, 2, 3]])],
)
def test_contexts_share_passes_where_padding_costs_less_than_reading_again(
    monkeypatch: pytest.MonkeyPatch, n_words: int, has_gpu: bool, groups: list[list[int]]
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: has_gpu)
    contexts = [text_of(n_tokens, n_words) for n_tokens in (5, 1, 5, 1)]
    assert sharing_passes(nn.Linear(2, 2, device="meta"), contexts) == groups
    assert sharing_passes(nn.Linear(2, 2), contexts) == [[0], [1], [2], [3]]


def text_of(n_tokens: int, n_words: int) -> Tokenization:
    """``n_words`` words, each the last of ``n_tokens`` tokens."""
    word = TokenizedWord(
        word="w", text="w", ids=(1,) * n_tokens, pieces=("w",) * n_tokens, start=n_tokens - 1, stop=n_tokens
    )
    return Tokenization(words=(word,) * n_words, read="last")


def test_the_states_of_a_pass_are_limited(loaded: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    model = loaded("qwen3")
    structure = find_structure(model.module, "model")
    tokenization = tokenize(model.tokenizer, WORDS, CONTEXT, "last")
    expected, *_ = captured(model.module, structure, tokenization)
    monkeypatch.setattr(
        "tokviz.capture.passes.STATE_BYTES_IN_MEMORY", 2 * 4 * 32 * 4
    )  # two words × four depths × 32 float32
    states, _, _, n_passes = captured(model.module, structure, tokenization)
    assert n_passes == 3
    for depth in range(4):
        assert relative_error(states[depth], expected[depth]) < TOLERANCE


@pytest.mark.parametrize("name", ["qwen3", "albert"])
def test_a_pass_ends_at_the_last_depth_that_is_needed(loaded: Load, name: str) -> None:
    model = loaded(name)
    structure = find_structure(model.module, model.base_model_prefix)
    tokenization = tokenize(model.tokenizer, WORDS, CONTEXT, "last")
    expected, *_ = captured(model.module, structure, tokenization)
    runs: list[str] = []
    handle = model.module.register_forward_hook(lambda *_: runs.append("to the end"))
    for n_depths in (1, 2):
        some = structure.up_to(n_depths)
        assert some.module_paths == structure.module_paths[:n_depths]
        states, *_ = captured(model.module, some, tokenization)
        assert len(states) == n_depths
        for depth in range(n_depths):
            np.testing.assert_array_equal(states[depth], expected[depth])
    handle.remove()
    assert not runs
    assert structure.up_to(None) is structure.up_to(structure.n_layers + 1) is structure
    with pytest.raises(StructureError, match=rf"words\.layers: .* up to {structure.n_layers - 1}, got 97"):
        structure.up_to(99)


# --- failures ----------------------------------------------------------------------------------------------------


def test_states_narrower_than_the_statistics_are_padded() -> None:
    module = Toy(width=3)
    (batch,) = capture(module, find_structure(module, ""), toy_words(), 100)
    assert (batch.position0_dimensions[:, :, 3:] == -1).all()
    assert (batch.position0_values[:, :, 3:] == 0).all()
    assert (np.sort(batch.position0_dimensions[:, :, :3], axis=-1) == [0, 1, 2]).all()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
    ],
)
def test_where_memory_runs_out_fewer_words_go_together(error: Exception) -> None:
    module = Toy(error=error, fails_above=3)
    batches = list(capture(module, find_structure(module, ""), toy_words(10), 100))
    assert sorted(np.concatenate([batch.rows for batch in batches])) == list(range(10))
    assert max(len(batch.rows) for batch in batches) <= 3
    assert len(batches) < 10


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
    ],
)
def test_a_word_that_memory_does_not_allow_is_one_line(error: Exception) -> None:
    module = Toy()
    structure = find_structure(module, "")
    module.error, module.fails_above = error, 0
    expected = (
        r"^Toy: expected enough memory for a forward pass over one word of 2 tokens, ran out of it, with .* GB free"
    )
    with pytest.raises(CaptureError, match=expected):
        list(capture(module, structure, toy_words(), 100))


def test_another_failure_is_one_line_with_its_cause() -> None:
    module = Toy(error=IndexError("index out of range\n in self"))
    with pytest.raises(CaptureError, match=r"^Toy: .* failed: IndexError: index out of range in self$") as caught:
        list(capture(module, find_structure(module, ""), toy_words(), 100))
    assert isinstance(caught.value.__cause__, IndexError)


def test_a_layer_that_changes_its_shape_between_passes_is_named() -> None:
    module = Toy()
    structure = find_structure(module, "toy")
    module.layers[1].register_forward_hook(lambda _part, _inputs, output: output[0])
    with pytest.raises(CaptureError, match=r"toy.layers.1: expected 1 output\(s\) .* \(1, 2\) first, got Tensor"):
        list(capture(module, structure, toy_words(), 100))
