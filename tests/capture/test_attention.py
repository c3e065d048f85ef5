"""The weights for position 0: known where attention is uniform, as published for a real model, and in families of all kinds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import families
import numpy as np
import pytest
import torch
from families import ENCODER, SIZES
from planting import tiny, words
from torch import nn

from tokviz.capture import attention, attention_to_first, find_structure
from tokviz.capture.tokens import tokenize
from tokviz.models import quiet_transformers
from tokviz.records import AttentionToFirst, Context, HiddenStates, Tokenization, TokenizedWord

SENTENCE = Context(name="sentence", label="in a sentence", template="The word is {word}")


def uniform(name: str, **values: Any) -> nn.Module:
    """A model whose queries are zero: every token attends alike to all that it sees."""
    module = tiny(name, 0, **values)
    with torch.no_grad():
        for path, parameter in module.named_parameters():
            if "q_proj" in path or "query" in path:
                parameter.zero_()
    return module


def measured(module: nn.Module, tokenization: Tokenization) -> AttentionToFirst:
    found = attention_to_first(module, find_structure(module, ""), tokenization, SENTENCE.template)
    assert found is not None
    return found


def implementations(module: nn.Module) -> list[tuple[int, str | None]]:
    configs = attention._configs(module)
    return [(id(config), config._attn_implementation) for config in configs]


# --- what is known without the code ------------------------------------------------------------------------------


@pytest.mark.parametrize("n_before", [1, 2, 3, 6])
def test_a_token_that_attends_to_all_alike_gives_each_its_share(n_before: int) -> None:
    found = measured(uniform("Llama", **SIZES), words(n_before))
    assert found.template == "The word is {word}"
    np.testing.assert_allclose(found.mean, [1 / (n_before + 1)] * 3, rtol=1e-6)
    assert found.share == (float(n_before < 3),) * 3


def test_out_of_reach_is_nothing() -> None:
    layers = ["sliding_attention", "full_attention", "sliding_attention"]
    module = uniform("Olmo3", **SIZES, layer_types=layers, sliding_window=2)
    found = measured(module, words(2))
    np.testing.assert_allclose(found.mean, [0, 1 / 3, 0], rtol=1e-6)
    assert found.share == (0, 1, 0)


def test_padding_is_masked_where_all_tokens_see_all() -> None:
    made = words().words
    tokenization = Tokenization(words=(made[0], made[-1]), read="first")
    assert [len(word.ids) for word in tokenization.words] == [2, 3]
    found = measured(uniform("Bert", **ENCODER), tokenization)
    np.testing.assert_allclose(found.mean, [(1 / 2 + 1 / 3) / 2] * 3, rtol=1e-6)


def test_the_mean_over_a_words_tokens_is_the_mean_of_theirs() -> None:
    word = TokenizedWord(word="two", text="two", ids=(1, 20, 21), pieces=("",) * 3, start=1, stop=3)
    found = measured(uniform("Llama", **SIZES), Tokenization(words=(word, word), read="mean"))
    np.testing.assert_allclose(found.mean, [(1 / 2 + 1 / 3) / 2] * 3, rtol=1e-6)


def test_a_learnt_sink_takes_its_part_of_the_weight() -> None:
    module: Any = uniform("GptOss", **SIZES, num_local_experts=4, num_experts_per_tok=2)
    with torch.no_grad():
        for layer in module.layers:
            layer.self_attn.q_proj.bias.zero_()
            layer.self_attn.sinks.zero_()
    np.testing.assert_allclose(measured(module, words(2)).mean, [1 / 4] * 3, rtol=1e-6)


def test_the_share_is_one_of_heads_and_not_of_words() -> None:
    module: Any = uniform("GptOss", **SIZES, num_local_experts=4, num_experts_per_tok=2)
    with torch.no_grad():
        for layer in module.layers:
            layer.self_attn.q_proj.bias.zero_()
            layer.self_attn.sinks.zero_()
            layer.self_attn.sinks[0] = -50  # this head keeps its third for position 0, the others have a quarter
    assert measured(module, words(2)).share == (1 / 4,) * 3


# --- which words, and when not -----------------------------------------------------------------------------------


def test_twelve_words_spread_evenly_over_the_reference_words(monkeypatch: pytest.MonkeyPatch) -> None:
    one = words().words[0]
    many = Tokenization(words=tuple(replace(one, word=str(row), ids=(1, 10 + row)) for row in range(100)), read="last")
    module = tiny("Llama", 0, **SIZES)
    found = measured(module, many)
    assert found.words == tuple(str(row) for row in (0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99))
    monkeypatch.setattr(attention, "MOST_PAIRS", 20)
    by_parts = measured(module, many)
    assert by_parts.words == found.words
    np.testing.assert_allclose(by_parts.mean, found.mean, rtol=1e-5)
    assert by_parts.share == pytest.approx(found.share)
    # A word that is read elsewhere is no reference word.
    assert measured(module, words()).words == tuple(map(str, range(12)))


def test_nothing_where_words_are_read_at_position_0() -> None:
    module = tiny("Llama", 0, **SIZES)
    assert attention_to_first(module, find_structure(module, ""), words(n_before=0), " {word}") is None


def test_only_the_layers_that_are_asked_for_run() -> None:
    module: Any = tiny("Llama", 0, **SIZES)
    structure = find_structure(module, "")
    whole = measured(module, words(2))
    module.layers[2].register_forward_pre_hook(lambda *_: pytest.fail("it ran"))
    found = attention_to_first(module, structure.up_to(3), words(2), "")
    assert found is not None
    assert found.mean == whole.mean[:2]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_error_the_model_runs_as_before(error: type[BaseException]) -> None:
    module: Any = tiny("Llama", 0, **SIZES)
    structure = find_structure(module, "")
    before = implementations(module), module.config.to_dict()

    def fail(*_: Any) -> None:
        assert module.config._attn_implementation == "eager"
        raise error

    handle = module.layers[1].register_forward_pre_hook(fail)
    if error is RuntimeError:
        assert attention_to_first(module, structure, words(), "") is None
    else:
        with pytest.raises(KeyboardInterrupt):
            attention_to_first(module, structure, words(), "")
    handle.remove()
    assert (implementations(module), module.config.to_dict()) == before
    assert module.config._attn_implementation == "sdpa"
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in module.modules())


# --- families ----------------------------------------------------------------------------------------------------

WITHOUT = {
    "mamba": "a state-space model",
    "fnet": "a Fourier transform",
    "longformer": "its weights are for a band of the tokens",
    "led": "its weights are for a band of the tokens",
    "xlnet": "it has the tokens first",
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", families.FAMILIES)
def test_families_of_all_kinds(name: str, loaded: families.Load) -> None:
    with quiet_transformers():
        model = loaded(name)
        tokenization = tokenize(model.tokenizer, ("cat", "dog", "house", "tree", "seven"), SENTENCE, "last")
        structure = find_structure(model.module, "")
        config: Any = model.module.config
        before = implementations(model.module), config.to_dict()
        ids = torch.tensor([tokenization.words[0].ids])
        with torch.inference_mode():
            output = model.module(input_ids=ids)[0]
        found = attention_to_first(model.module, structure, tokenization, SENTENCE.template)
        assert (implementations(model.module), config.to_dict()) == before
        with torch.inference_mode():
            assert torch.equal(model.module(input_ids=ids)[0], output)
    if name in WITHOUT:
        assert found is None
        return
    assert found is not None
    assert len(found.mean) == len(found.share) == 3
    known = np.isfinite(found.mean)
    assert known.tolist() == ([False, True, False] if name == "qwen3_next" else [True] * 3)
    assert np.isfinite(found.share).tolist() == known.tolist()
    assert all(0 <= value <= 1 for value in np.array(found.mean)[known])
    assert max(np.array(found.mean)[known]) > 0 or name == "mistral"  # whose window is shorter than its sentence


# --- a real model ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.model
def test_the_sink_of_smollm2_follows_its_massive_values(smollm2_states: dict[str, HiddenStates]) -> None:
    """Without them: tests/run/test_break_smollm2.py."""
    (intact,) = smollm2_states["sentence"].attention
    assert len(intact.words) == 12
    assert 0.81 <= min(intact.mean[3:10]) <= max(intact.mean[3:10]) <= 0.89
    assert intact.mean[11] == pytest.approx(0.08, abs=0.03)
    assert 0.47 <= min(intact.mean[12:]) <= max(intact.mean[12:]) <= 0.935
    assert min(intact.share[3:10]) > 0.9
    assert intact.share[11] < 0.1
