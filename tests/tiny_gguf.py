"""A tiny checkpoint, and the same as a GGUF file."""

from __future__ import annotations

import json
from pathlib import Path

import families
import gguf
import tiny_tokenizers
import torch
from narrow import present
from safetensors.torch import load_file
from transformers import Qwen2Config, Qwen2ForCausalLM

from tokviz.models import quiet_transformers


def qwen2(folder: Path, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    sizes = {name: value for name, value in families.SIZES.items() if name != "head_dim"}
    with quiet_transformers():
        Qwen2ForCausalLM(Qwen2Config(**sizes)).save_pretrained(folder)
    tiny_tokenizers.byte_level().save_pretrained(folder)
    return folder


def as_gguf(folder: Path, path: Path, tensor_type: str) -> None:
    """Write a Qwen2 checkpoint with a byte-level tokenizer as a GGUF file."""
    config = json.loads((folder / "config.json").read_text())
    cutting = json.loads((folder / "tokenizer.json").read_text())["model"]
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    tokens = sorted(cutting["vocab"], key=cutting["vocab"].get)
    tokens += [f"[unused {index}]" for index in range(len(tokens), config["vocab_size"])]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL, *[gguf.TokenType.NORMAL] * (len(tokens) - 1)])
    writer.add_token_merges([" ".join(pair) for pair in cutting["merges"]])
    writer.add_eos_token_id(0)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, config["num_hidden_layers"])
    for key, tensor in load_file(folder / "model.safetensors").items():
        kind = gguf.GGMLQuantizationType[tensor_type if tensor.ndim > 1 else "F32"]
        name = present(names.get_name(key, try_suffixes=(".weight", ".bias")))
        writer.add_tensor(name, gguf.quantize(tensor.numpy(), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
