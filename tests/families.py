"""Tiny models of many families: random weights in transformers' own classes, each with a small tokenizer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
import transformers
from filelock import FileLock
from tiny_tokenizers import byte_level, byte_level_bos, cased, gemma_tokenizer, llama_tokenizer, t5_tokenizer, uncased
from transformers import PreTrainedTokenizerFast

from tokviz.config import ModelConfig
from tokviz.models import LoadedModel, load, quiet_transformers

# With several threads, models this small run a hundred times slower on a busy machine.
torch.set_num_threads(1)

MAX_PARAMETERS = 2_000_000
Load: TypeAlias = Callable[[str], LoadedModel]
"""A family's model by its name."""


# --- models ------------------------------------------------------------------------------------------------------

SIZES: dict[str, Any] = {
    "vocab_size": 512,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 1,
}
ENCODER = {name: value for name, value in SIZES.items() if name not in {"num_key_value_heads", "head_dim"}}
SLIDING = ["sliding_attention", "full_attention", "sliding_attention"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """One kind of model: the whole model's class as checkpoints have it, its config, its tokenizer."""

    name: str
    whole: str
    config: Callable[[], Any]
    tokenizer: Callable[[], PreTrainedTokenizerFast]
    embedding: str
    first_layer: str
    """The display names that a reader should see at depths 0 and 1."""
    first_output: int = 1
    """Index of the first layer's output in transformers' ``hidden_states``; Mamba's have no embedding before it."""
    padding_is_inert: bool = True
    """Whether a word's states are the same with padding beside it."""
    of_layer: Callable[[torch.Tensor], torch.Tensor] = lambda output: output
    """What a layer returns → ``(batch, tokens, width)``."""


def _config(name: str, **values: Any) -> Callable[[], Any]:
    return lambda: getattr(transformers, f"{name}Config")(**values)


def _gemma3() -> Any:
    text = SIZES | {"layer_types": SLIDING, "sliding_window": 4, "query_pre_attn_scalar": 8}
    vision = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 3,  # as many as the language part has: the wrong list would fit by its length
        "num_attention_heads": 2,
        "image_size": 8,
        "patch_size": 4,
    }
    tokens: dict[str, Any] = {
        "image_token_index": 500,
        "image_token_id": 500,
        "boi_token_index": 501,
        "eoi_token_index": 502,
    }
    return transformers.Gemma3Config(
        text_config=text,
        vision_config=vision,
        mm_tokens_per_image=4,
        **tokens,
    )


def _paligemma() -> Any:
    vision = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 8,
        "patch_size": 4,
    }
    return transformers.PaliGemmaConfig(
        text_config={"model_type": "gemma", **SIZES}, vision_config=vision, image_token_index=500, projection_dim=32
    )


def _family(
    name: str,
    whole: str,
    config: Callable[[], Any],
    tokenizer: Callable[[], PreTrainedTokenizerFast] = byte_level,
    embedding: str = "model.embed_tokens",
    first_layer: str = "model.layers.0",
    first_output: int = 1,
    of_layer: Callable[[torch.Tensor], torch.Tensor] = lambda output: output,
    *,
    padding_is_inert: bool = True,
) -> Family:
    return Family(
        name=name,
        whole=whole,
        config=config,
        tokenizer=tokenizer,
        embedding=embedding,
        first_layer=first_layer,
        first_output=first_output,
        padding_is_inert=padding_is_inert,
        of_layer=of_layer,
    )


EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
OPT = {
    "vocab_size": 512,
    "hidden_size": 32,
    "ffn_dim": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 1,
}

_ALL = [
    _family("qwen3", "Qwen3ForCausalLM", _config("Qwen3", **SIZES)),
    _family("qwen3_moe", "Qwen3MoeForCausalLM", _config("Qwen3Moe", **SIZES, **EXPERTS)),
    _family(
        "gpt_oss",
        "GptOssForCausalLM",
        _config("GptOss", **SIZES, num_local_experts=4, num_experts_per_tok=2, layer_types=SLIDING, sliding_window=4),
    ),
    _family("olmo3", "Olmo3ForCausalLM", _config("Olmo3", **SIZES, layer_types=SLIDING, sliding_window=4)),
    _family("llama", "LlamaForCausalLM", _config("Llama", **SIZES), llama_tokenizer),
    _family("mistral", "MistralForCausalLM", _config("Mistral", **SIZES, sliding_window=4), llama_tokenizer),
    _family(
        "gemma3_text",
        "Gemma3ForCausalLM",
        _config("Gemma3Text", **SIZES, layer_types=SLIDING, sliding_window=4, query_pre_attn_scalar=8),
        gemma_tokenizer,
    ),
    _family(
        "gemma3",
        "Gemma3ForConditionalGeneration",
        _gemma3,
        gemma_tokenizer,
        "model.language_model.embed_tokens",
        "model.language_model.layers.0",
    ),
    _family("phi3", "Phi3ForCausalLM", _config("Phi3", **SIZES)),
    _family(
        "gpt2",
        "GPT2LMHeadModel",
        _config(
            "GPT2", vocab_size=512, n_embd=32, n_layer=3, n_head=4, n_positions=128, bos_token_id=0, eos_token_id=0
        ),
        embedding="transformer.wte",
        first_layer="transformer.h.0",
    ),
    _family(
        "gpt_neox",
        "GPTNeoXForCausalLM",
        _config("GPTNeoX", **ENCODER),
        embedding="gpt_neox.embed_in",
        first_layer="gpt_neox.layers.0",
    ),
    _family(
        "opt",
        "OPTForCausalLM",
        _config("OPT", **OPT),
        byte_level_bos,
        "model.decoder.embed_tokens",
        "model.decoder.layers.0",
    ),
    _family(
        "opt_narrow",
        "OPTForCausalLM",
        _config("OPT", **OPT, word_embed_proj_dim=16, do_layer_norm_before=False),
        byte_level_bos,
        "model.decoder.embed_tokens",
        "model.decoder.layers.0",
    ),
    _family(
        "bloom",
        "BloomForCausalLM",
        _config("Bloom", vocab_size=512, hidden_size=32, n_layer=3, n_head=4, bos_token_id=0, eos_token_id=0),
        embedding="transformer.word_embeddings",
        first_layer="transformer.h.0",
    ),
    _family(
        "falcon_h1",
        "FalconH1ForCausalLM",
        _config(
            "FalconH1",
            **SIZES,
            mamba_d_ssm=64,
            mamba_n_heads=8,
            mamba_d_head=8,
            mamba_n_groups=1,
            mamba_d_state=16,
            mamba_chunk_size=16,
        ),
    ),
    _family(
        "qwen3_next",
        "Qwen3NextForCausalLM",
        _config(
            "Qwen3Next",
            **SIZES,
            **EXPERTS,
            shared_expert_intermediate_size=32,
            layer_types=["linear_attention", "full_attention", "linear_attention"],
            linear_num_key_heads=2,
            linear_num_value_heads=4,
            linear_key_head_dim=8,
            linear_value_head_dim=8,
        ),
    ),
    _family(
        "mamba",
        "MambaForCausalLM",
        _config(
            "Mamba", vocab_size=512, hidden_size=32, num_hidden_layers=3, state_size=8, pad_token_id=0, eos_token_id=0
        ),
        embedding="backbone.embeddings",
        first_layer="backbone.layers.0",
        first_output=0,
    ),
    _family(
        "bert",
        "BertForMaskedLM",
        _config("Bert", **ENCODER),
        uncased,
        "bert.embeddings.word_embeddings",
        "bert.encoder.layer.0",
    ),
    _family(
        "modernbert",
        "ModernBertForMaskedLM",
        _config(
            "ModernBert",
            **ENCODER,
            local_attention=4,
            global_attn_every_n_layers=2,
            cls_token_id=2,
            sep_token_id=3,
        ),
        cased,
        "model.embeddings.tok_embeddings",
        "model.layers.0",
    ),
    _family(
        "distilbert",
        "DistilBertForMaskedLM",
        _config(
            "DistilBert", vocab_size=512, dim=32, hidden_dim=64, n_layers=3, n_heads=4, max_position_embeddings=128
        ),
        uncased,
        "distilbert.embeddings.word_embeddings",
        "distilbert.transformer.layer.0",
    ),
    _family(
        "albert",
        "AlbertForMaskedLM",
        _config("Albert", **ENCODER, embedding_size=16, num_hidden_groups=1),
        uncased,
        "albert.embeddings.word_embeddings",
        "albert.encoder.albert_layer_groups.0@0",
    ),
    _family(
        "t5",
        "T5ForConditionalGeneration",
        _config("T5", vocab_size=512, d_model=32, d_kv=8, d_ff=64, num_layers=3, num_heads=4),
        t5_tokenizer,
        "transformer.encoder.embed_tokens",
        "transformer.encoder.block.0",
    ),
    _family(
        "fnet",
        "FNetForMaskedLM",
        _config(
            "FNet",
            vocab_size=512,
            hidden_size=32,
            num_hidden_layers=3,
            intermediate_size=64,
            max_position_embeddings=128,
        ),
        uncased,
        "fnet.embeddings.word_embeddings",
        "fnet.encoder.layer.0",
        padding_is_inert=False,  # Fourier mixing takes no mask
    ),
    _family(
        "convbert",
        "ConvBertForMaskedLM",
        _config("ConvBert", **ENCODER, embedding_size=32, head_ratio=2, conv_kernel_size=5),
        uncased,
        "convbert.embeddings.word_embeddings",
        "convbert.encoder.layer.0",
        padding_is_inert=False,  # a convolution reads the tokens beside a word
    ),
    _family(
        "gemma_both_ways",
        "GemmaForCausalLM",
        _config("Gemma", **SIZES, use_bidirectional_attention=True),
        gemma_tokenizer,
        padding_is_inert=False,  # with a mask of padding it attends backwards only
    ),
    _family(
        "paligemma",
        "PaliGemmaForConditionalGeneration",
        _paligemma,
        gemma_tokenizer,
        "model.language_model.embed_tokens",
        "model.language_model.layers.0",
        padding_is_inert=False,
    ),
    _family(
        "gemma3n",
        "Gemma3nForCausalLM",
        _config(
            "Gemma3nText",
            **SIZES,
            layer_types=SLIDING,
            sliding_window=4,
            altup_num_inputs=4,  # as many projections of streams as layers: the wrong list would fit by its length
            num_kv_shared_layers=0,
            laurel_rank=8,
            vocab_size_per_layer_input=512,
            hidden_size_per_layer_input=8,
        ),
        gemma_tokenizer,
        of_layer=lambda output: output[0],
    ),
    _family(
        "deepseek_v4",
        "DeepseekV4Model",
        _config(
            "DeepseekV4",
            **SIZES | {"num_key_value_heads": 1},
            moe_intermediate_size=32,
            q_lora_rank=16,
            n_routed_experts=4,
            num_experts_per_tok=2,
            layer_types=["heavily_compressed_attention", "compressed_sparse_attention", "heavily_compressed_attention"],
            mlp_layer_types=["hash_moe", "moe", "moe"],
            sliding_window=4,
            partial_rotary_factor=0.5,
            o_groups=2,
            o_lora_rank=8,
            index_n_heads=2,
            index_head_dim=8,
            index_topk=4,
        ),
        of_layer=lambda output: output.mean(2),
    ),
    _family(
        "longformer",
        "LongformerForMaskedLM",
        _config("Longformer", **ENCODER, attention_window=4, sep_token_id=3),
        cased,
        "longformer.embeddings.word_embeddings",
        "longformer.encoder.layer.0",
    ),
    _family(
        "led",
        "LEDForConditionalGeneration",
        _config(
            "LED",
            vocab_size=512,
            d_model=32,
            encoder_layers=3,
            decoder_layers=3,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            attention_window=4,
            max_encoder_position_embeddings=128,
            max_decoder_position_embeddings=128,
        ),
        byte_level_bos,
        "led.encoder.embed_tokens",
        "led.encoder.layers.0",
    ),
    _family(
        "xlnet",
        "XLNetLMHeadModel",
        _config("XLNet", vocab_size=512, d_model=32, n_layer=3, n_head=4, d_inner=64, pad_token_id=0),
        t5_tokenizer,
        "transformer.word_embedding",
        "transformer.layer.0",
        of_layer=lambda output: output.transpose(0, 1),
    ),
]
BY_NAME = {family.name: family for family in _ALL}
FAMILIES = list(BY_NAME)


def build(name: str, folder: Path, n_layers: int | None = None, seed: int = 0) -> Path:
    """Save a tiny model of the family, as a checkpoint with its head, and its tokenizer into ``folder``.

    ``n_layers`` instead of three works where a config lists nothing per layer but kinds of attention.
    """
    family = BY_NAME[name]
    torch.manual_seed(seed)
    config = family.config()
    if n_layers:
        config.num_hidden_layers = n_layers
        if getattr(config, "layer_types", None):
            config.layer_types = ["full_attention"] * n_layers
    whole = getattr(transformers, family.whole)(config).eval()
    assert n_layers or sum(parameter.numel() for parameter in whole.parameters()) < MAX_PARAMETERS
    with torch.no_grad():
        for path, parameter in whole.named_parameters():
            # The usual 0.02 makes layers that hardly change anything: mistakes in them wouldn't show.
            if parameter.ndim > 1 and path.endswith("weight"):
                parameter.mul_(5)
    with quiet_transformers():
        whole.save_pretrained(folder)
    tokenizer = family.tokenizer()
    assert len(tokenizer) <= 500
    tokenizer.save_pretrained(folder)
    return folder


class Tiny:
    """The models that tests share: each is made by the first process that asks for it, and not to be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, seed: int = 0) -> Path:
        """A family's model, in a folder of the family's name if the seed is 0."""
        made = self.folder / (f"{name}-{seed}" if seed else name)
        with FileLock(f"{made}.lock"):
            if not made.exists():
                build(name, made.with_suffix(".partial"), seed=seed).rename(made)
        return made

    def copy(self, name: str, to: Path, seed: int = 0) -> Path:
        """One that a test may change, as new as if it had been made there."""
        return Path(shutil.copytree(self(name, seed), to, copy_function=shutil.copyfile))

    def load(self, name: str, **options: Any) -> LoadedModel:
        """The shared one, loaded anew; ``options`` are those of ``tokviz.models.load``."""
        return load(ModelConfig(source=name), self(name).parent, "cpu", **options)
