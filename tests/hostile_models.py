"""Models whose files lead elsewhere, in every way that transformers has for it.

A case is a tiny checkpoint and what is changed in its folder; ``@outside`` in its values stands for the folder
``outside`` beside all models. What stands there, and where else they lead, is made by ``decoys``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from opened import OUTSIDE

Edit = Callable[[Path], None]
Cases = Mapping[str, tuple[Edit, ...]]
UP = f"../../{OUTSIDE}"
"""From a model's folder; from the folder that a process runs in, which lies beside the models, it leads nowhere."""
KERNEL = "evil/kernel"
CODE = "open(__file__).read()\nclass Evil: pass\n"


# --- what may be changed in a folder -----------------------------------------------------------------------------


def _outside(folder: Path) -> str:
    return next(str(parent / OUTSIDE) for parent in folder.parents if (parent / OUTSIDE).is_dir())


def config(**values: Any) -> Edit:
    return keys("config.json", **values)


def tokenizer(**values: Any) -> Edit:
    return keys("tokenizer_config.json", **values)


def keys(file: str, **values: Any) -> Edit:
    """Keys of a file of JSON, which is made where there is none; one with the value ``...`` is removed."""

    def edit(folder: Path) -> None:
        path = folder / file
        known = json.loads(path.read_text()) if path.is_file() else {}
        merged = {key: value for key, value in {**known, **values}.items() if value is not ...}
        path.write_text(json.dumps(merged).replace("@outside", _outside(folder)))

    return edit


def instead(**values: Any) -> Edit:
    """A configuration of these keys alone."""
    return text("config.json", json.dumps(values))


def text(file: str, content: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(content.replace("@outside", _outside(folder)))

    return edit


def replaced(file: str, old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        content = (folder / file).read_text()
        assert old in content
        (folder / file).write_text(content.replace(old, new.replace("@outside", _outside(folder)), 1))

    return edit


def copied(name: str, to: str) -> Edit:
    """A file of the folder ``outside``."""

    def edit(folder: Path) -> None:
        (folder / to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(_outside(folder)) / name, folder / to)

    return edit


def linked(name: str, to: str = "") -> Edit:
    """A link in the place of a file, to one of the folder ``outside``."""

    def edit(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(Path(_outside(folder)) / to, target_is_directory=not to)

    return edit


def removed(*names: str) -> Edit:
    def edit(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return edit


def moved(name: str, to: str) -> Edit:
    def edit(folder: Path) -> None:
        (folder / to).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).rename(folder / to)

    return edit


def index(file: str, name: str = "model.safetensors.index.json") -> Edit:
    """All tensors are in ``file``, says the index."""

    def edit(folder: Path) -> None:
        tensors = (Path(_outside(folder)) / "names.json").read_text()
        text(name, json.dumps({"metadata": {}, "weight_map": dict.fromkeys(json.loads(tensors), file)}))(folder)

    return edit


def as_gguf(folder: Path) -> None:
    """A GGUF file beside all others."""
    shutil.copy(Path(_outside(folder)) / "other.gguf", folder / "tiny.gguf")


WITHOUT_TOKENIZER = removed("tokenizer.json")
IN_PARTS = moved("model.safetensors", "model-00001-of-00001.safetensors")


# --- the cases ---------------------------------------------------------------------------------------------------

_WEIGHTS: Cases = {
    "named above": (config(transformers_weights=f"{UP}/model.safetensors"),),
    "named absolutely": (config(transformers_weights="@outside/model.safetensors"),),
    "named in a subfolder": (
        config(transformers_weights="sub/a.safetensors"),
        copied("model.safetensors", "sub/a.safetensors"),
    ),
    "named by a pickle": (config(transformers_weights="pytorch_model.bin"), copied("evil.bin", "pytorch_model.bin")),
    "named by an adapter's pickle": (
        config(transformers_weights="adapter_model.bin"),
        copied("evil.bin", "adapter_model.bin"),
    ),
    "named in a list": (config(transformers_weights=["@outside/model.safetensors"]),),
    "named by an index above": (config(transformers_weights=f"{UP}/evil.safetensors.index.json"),),
    "named by an index of its own": (
        config(transformers_weights="evil.safetensors.index.json"),
        index(f"{UP}/model.safetensors", "evil.safetensors.index.json"),
    ),
    "named by a key twice": (
        replaced(
            "config.json", "{", '{"transformers_weights": "@outside/model.safetensors", "transformers_weights": null,'
        ),
    ),
    "named by a key twice, the path last": (
        replaced(
            "config.json", "{", '{"transformers_weights": null, "transformers_weights": "@outside/model.safetensors",'
        ),
    ),
    "named by an escaped key": (
        replaced("config.json", "{", '{"\\u0074ransformers_weights": "..\\u002f../outside/model.safetensors",'),
    ),
    "named in wide letters": (config(transformers_weights="．．／．．／outside／model.safetensors"),),
    "named with a zero byte": (config(transformers_weights=f"{UP}/model.safetensors\0.safetensors"),),
    "named by an alias": (config(attribute_map={"x": "transformers_weights"}, x=f"{UP}/model.safetensors"),),
    "more of a class": (config(extra_files=[f"{UP}/model.safetensors"], extra_config_files=[f"{UP}/config.json"]),),
    "index above": (IN_PARTS, index(f"{UP}/model.safetensors")),
    "index absolute": (IN_PARTS, index("@outside/model.safetensors")),
    "index into a subfolder": (IN_PARTS, index("sub/a.safetensors"), copied("model.safetensors", "sub/a.safetensors")),
    "index to a pickle": (IN_PARTS, index("pytorch_model.bin"), copied("evil.bin", "pytorch_model.bin")),
    "index to a link": (IN_PARTS, index("a.safetensors"), linked("a.safetensors", "model.safetensors")),
    "index through a linked folder": (IN_PARTS, index("sub/model.safetensors"), linked("sub")),
    "index that is a link": (IN_PARTS, linked("model.safetensors.index.json", "evil.safetensors.index.json")),
    "index beside whole weights": (index("@outside/model.safetensors"),),
    "linked": (linked("model.safetensors", "model.safetensors"),),
    "linked as a pickle": (linked("model.safetensors", "evil.bin"),),
    "pickles beside": (copied("evil.bin", "pytorch_model.bin"), text("pytorch_model.bin.index.json", "{}")),
    "pickles alone": (removed("model.safetensors"), copied("evil.bin", "pytorch_model.bin")),
    "distributed": (copied("evil.bin", ".metadata"), copied("evil.bin", "__0_0.distcp")),
    "distributed, named as transformers does": (
        moved("model.safetensors", "shard-00001-model-00001-of-00001.safetensors"),
        copied("model.safetensors", "model.safetensors"),
        copied("evil.bin", ".metadata"),
    ),
    "distributed in a subfolder": (copied("evil.bin", "model/.metadata"), copied("evil.bin", "model/__0_0.distcp")),
    "a GGUF file beside": (as_gguf, config(gguf_file="tiny.gguf"), tokenizer(gguf_file="tiny.gguf")),
    "adapter beside": (
        keys("adapter_config.json", base_model_name_or_path="@outside", peft_type="LORA"),
        copied("model.safetensors", "adapter_model.safetensors"),
    ),
    "adapter that is a link": (
        moved("model.safetensors", "adapter_model.safetensors"),
        removed("config.json"),
        linked("adapter_config.json", "adapter_config.json"),
    ),
    "adapter in the place of a model": (
        moved("model.safetensors", "adapter_model.safetensors"),
        removed("config.json"),
        keys("adapter_config.json", base_model_name_or_path="@outside", peft_type="LORA"),
    ),
}

_CONFIG: Cases = {
    "linked": (linked("config.json", "config.json"),),
    "other versions above": (config(configuration_files=[f"{UP}/config.4.0.0.json"]),),
    "other versions beside": (
        config(configuration_files=["config.4.0.0.json"]),
        copied("config.json", "config.4.0.0.json"),
    ),
    "other versions beside, linked": (
        config(configuration_files=["config.4.json"]),
        linked("config.4.json", "config.json"),
    ),
    "no list of versions": (config(configuration_files=f"{UP}/config.4.0.0.json"),),
    "name": (config(name_or_path="@outside", _name_or_path="@outside"),),
    "name from the folder": (config(name_or_path=UP, _name_or_path=UP),),
    "name of a home": (config(_name_or_path="~/model", tokenizer_name="~/model"),),
    "name as an address": (config(_name_or_path="file://@outside", url="file://@outside/model.safetensors"),),
    "name of another model": (config(_name_or_path="org/evil", base_model="org/evil"),),
    "attention": (config(attn_implementation=KERNEL),),
    "attention, hidden": (config(_attn_implementation=KERNEL),),
    "attention, internal": (config(_attn_implementation_internal=KERNEL),),
    "attention of parts": (config(attn_implementation={"": KERNEL}),),
    "attention in a list": (config(attn_implementation=[KERNEL]),),
    "attention in pages": (config(attn_implementation=f"paged|{KERNEL}"),),
    "attention of a revision": (config(attn_implementation=f"{KERNEL}@main:flash"),),
    "attention of a package": (config(attn_implementation="flash_attention_2"),),
    "attention of tokens": (
        config(attn_implementation={"bos_token": KERNEL}, attention_tokens={"attn_implementation": KERNEL}),
    ),
    "attention below": (config(text_config={"attn_implementation": KERNEL, "model_type": "llama"}),),
    "attention by an alias": (config(attribute_map={"x": "_attn_implementation"}, x=KERNEL),),
    "attention by an alias, internal": (config(attribute_map={"x": "_attn_implementation_internal"}, x=KERNEL),),
    "kernels of a type": (config(model_type="bark"),),
    "kernels": (config(use_kernels=True, kernel_config={"RMSNorm": KERNEL}, allow_all_kernels=True),),
    "fusion": (config(fusion_config={"patch_embeddings": True}),),
    "fusion of the text": (config(text_config={"fusion_config": {"patch_embeddings": True}}),),
    "fusion by an alias": (config(attribute_map={"x": "fusion_config"}, x={"patch_embeddings": True}),),
    "layers of their own": (config(per_layer_config={"0": {"_attn_implementation": KERNEL}}),),
    "code": (
        text("modeling_evil.py", CODE),
        config(auto_map={"AutoModel": "modeling_evil.Evil", "AutoConfig": "modeling_evil.Evil"}),
    ),
    "code of an unknown type": (
        text("modeling_evil.py", CODE),
        config(model_type="evil", auto_map={"AutoModel": "modeling_evil.Evil", "AutoConfig": "modeling_evil.Evil"}),
    ),
    "code elsewhere": (config(auto_map={"AutoModel": "org/evil--modeling_evil.Evil"}),),
    "code, named by no text": (config(auto_map={"AutoModel": ["@outside/code.py"]}),),
    "code to generate": (
        text("custom_generate/generate.py", CODE),
        text("custom_generate/requirements.txt", "evil"),
        keys("generation_config.json", custom_generate="@outside", _name_or_path="@outside"),
    ),
    "settings of inputs": tuple(
        keys(
            f"{name}_config.json",
            auto_map={"AutoProcessor": "modeling_evil.Evil"},
            tokenizer_file="@outside/tokenizer.json",
        )
        for name in ("preprocessor", "processor", "video_preprocessor", "feature_extractor")
    ),
    "type of numbers": (config(dtype="load"),),
    "type of numbers that is a path": (config(dtype="@outside/evil.bin", torch_dtype="@outside/evil.bin"),),
    "activation": (config(hidden_act="@outside/code.py"),),
    "methods": (config(to_dict="x", get_text_config=None, __class__="x", sub_configs={"x": "y"}, save_pretrained=1),),
    "all attributes": (config(__dict__={"_attn_implementation_internal": KERNEL, "fusion_config": {"x": True}}),),
    "all attributes by an alias": (
        config(__dict__={"attribute_map": {"x": "_attn_implementation_internal"}}, x=KERNEL),
    ),
    "from where it is read": (
        config(x="../../models/plain/config.json"),
        tokenizer(vocab="../../models/plain/vocab.json"),
    ),
    "method to tell": (config(to_dict="x"),),
    "method of the text": (config(get_text_config="x"),),
    "kind": (config(is_encoder_decoder="x", architectures="x", tie_word_embeddings=[]),),
    "attributes": (
        config(model_type="llama", base_config_key="x", sub_configs_defaults={"x": {}}, _auto_class="AutoModel"),
    ),
    "values of other kinds": (config(hidden_size="x", vocab_size=[], num_hidden_layers={}, rope_parameters="x"),),
    "no object": (text("config.json", '["@outside/config.json"]'),),
    "brackets": (
        text("config.json", f'{{"x": {"[" * 100_000}{"]" * 100_000}}}'),
        text("adapter_config.json", "{}"),
        text("preprocessor_config.json", "{}"),
    ),
    "detection": (instead(model_type="detr", use_timm_backbone=False, backbone="org/evil"),),
    "detection by default": (instead(model_type="detr", use_timm_backbone=False),),
    "detection within a language model": (
        config(
            model_type="paligemma",
            vision_config={"model_type": "detr", "use_timm_backbone": False, "backbone": "org/evil"},
        ),
    ),
    "images without a type": (
        instead(architecture="hf-hub:org/evil", num_classes=2, pretrained_cfg={"file": "@outside/evil.bin"}),
    ),
    "retrieval": (
        instead(
            model_type="rag",
            index_name="legacy",
            index_path="@outside",
            passages_path="@outside/evil.bin",
            question_encoder={"model_type": "bert", "_name_or_path": "@outside"},
            generator={"model_type": "bart", "_name_or_path": "@outside"},
        ),
    ),
    "retrieval by bare names": (
        instead(
            model_type="rag",
            dataset="evil",
            index_path="evil.bin",
            passages_path="evil.bin",
            question_encoder={"model_type": "bert"},
            generator={"model_type": "bart"},
        ),
    ),
    "encoder and decoder": (
        instead(
            model_type="encoder-decoder",
            encoder={"model_type": "bert", "_name_or_path": "@outside", "name_or_path": "@outside"},
            decoder={"model_type": "bert", "_name_or_path": UP, "attn_implementation": "sdpa"},
        ),
    ),
    "speech": (
        instead(
            model_type="speech-encoder-decoder",
            encoder={"model_type": "wav2vec2", "_name_or_path": "@outside"},
            decoder={"model_type": "bert", "adapter_attn_dim": 4},
        ),
    ),
    "speech with adapters": (config(model_type="wav2vec2", adapter_attn_dim=4, target_lang=f"{UP}/evil"),),
    "speakers": (config(model_type="qwen2_5_omni", talker_config={"spk_dict": "@outside/evil.bin"}),),
    "music": (
        instead(model_type="musicgen", text_encoder={"model_type": "t5"}, audio_encoder={"model_type": "encodec"}),
    ),
}

_TOKENIZER: Cases = {
    "linked": (linked("tokenizer.json", "tokenizer.json"),),
    "settings linked": (linked("tokenizer_config.json", "config.json"),),
    "other versions above": (tokenizer(fast_tokenizer_files=[f"{UP}/tokenizer.4.0.0.json"]),),
    "other versions beside": (
        tokenizer(fast_tokenizer_files=["tokenizer.4.json"]),
        copied("tokenizer.json", "tokenizer.4.json"),
    ),
    "files": (
        tokenizer(tokenizer_file="@outside/tokenizer.json", vocab_file="@outside/vocab.json", merges_file="merges.txt"),
    ),
    "files alone": (
        WITHOUT_TOKENIZER,
        tokenizer(
            tokenizer_class="GPT2Tokenizer",
            tokenizer_file="@outside/tokenizer.json",
            vocab_file="@outside/vocab.json",
            merges_file="@outside/merges.txt",
        ),
    ),
    "files of the special tokens": (
        WITHOUT_TOKENIZER,
        keys("special_tokens_map.json", tokenizer_file="@outside/tokenizer.json", vocab_file="@outside/vocab.json"),
    ),
    "vocabulary": (
        WITHOUT_TOKENIZER,
        tokenizer(tokenizer_class="GPT2Tokenizer", vocab="@outside/vocab.json", merges="@outside/merges.txt"),
    ),
    "vocabulary by bare names": (
        WITHOUT_TOKENIZER,
        tokenizer(tokenizer_class="GPT2Tokenizer", vocab="vocab.json", merges="merges.txt"),
    ),
    "vocabulary by bare names, of the special tokens": (
        WITHOUT_TOKENIZER,
        tokenizer(tokenizer_class="GPT2Tokenizer"),
        keys("special_tokens_map.json", vocab="vocab.json", merges="merges.txt"),
    ),
    "vocabulary by an address": (
        WITHOUT_TOKENIZER,
        tokenizer(
            tokenizer_class="BertTokenizer", vocab="file://@outside/vocab.txt", vocab_file="file://@outside/vocab.txt"
        ),
    ),
    "vocabulary within the file": (
        text(
            "tokenizer.json",
            '{"version": "1.0", "model": {"type": "BPE", "vocab": "@outside/vocab.json", "merges": "merges.txt"}}',
        ),
    ),
    "vocabulary linked": (WITHOUT_TOKENIZER, linked("vocab.json", "vocab.json"), linked("merges.txt", "merges.txt")),
    "vocabulary of its own": (
        WITHOUT_TOKENIZER,
        copied("vocab.json", "vocab.json"),
        copied("merges.txt", "merges.txt"),
    ),
    "a model of pieces": (
        WITHOUT_TOKENIZER,
        copied("evil.bin", "tokenizer.model"),
        tokenizer(tokenizer_class="LlamaTokenizer"),
    ),
    "a GGUF file": (tokenizer(gguf_file="@outside/other.gguf"),),
    "a GGUF file alone": (WITHOUT_TOKENIZER, tokenizer(gguf_file="@outside/other.gguf")),
    "arguments": (WITHOUT_TOKENIZER, tokenizer(init_inputs=["@outside/vocab.json", "@outside/merges.txt"])),
    "arguments by bare names": (
        WITHOUT_TOKENIZER,
        tokenizer(tokenizer_class="GPT2Tokenizer", init_inputs=["vocab.json", "merges.txt"]),
    ),
    "name": (
        tokenizer(name_or_path="@outside", cache_dir="@outside", subfolder=UP, revision="main", local_files_only=False),
    ),
    "code": (
        text("tokenization_evil.py", CODE),
        tokenizer(auto_map={"AutoTokenizer": [None, "tokenization_evil.Evil"]}, tokenizer_class="Evil"),
    ),
    "code in a list": (text("tokenization_evil.py", CODE), tokenizer(auto_map=["tokenization_evil.Evil", None])),
    "code, named by a text": (tokenizer(auto_map="@outside/code.py"),),
    "templates": (
        text("additional_chat_templates/evil.jinja", "evil"),
        text("chat_template.jinja", "{% include '@outside/code.py' %}"),
        text("chat_template.json", '{"chat_template": "@outside/code.py"}'),
        tokenizer(chat_template="@outside/code.py"),
    ),
    "tokens that are paths": (
        keys("added_tokens.json", **{"@outside/vocab.json": 500}),
        tokenizer(pad_token="@outside/vocab.json", extra_special_tokens=["@outside/merges.txt"]),
    ),
    "tokens by a name": (tokenizer(extra_special_tokens={"vocab_file": "@outside/vocab.json"}),),
    "a file of Mistral's": (WITHOUT_TOKENIZER, copied("tokenizer.json", "tekken.json"), config(model_type="mistral")),
    "backend": (tokenizer(backend="mistral_common", tokenizer_class="MistralCommonBackend"),),
    "dictionary of Japanese, in quotes": (
        WITHOUT_TOKENIZER,
        copied("vocab.txt", "vocab.txt"),
        tokenizer(
            tokenizer_class="BertJapaneseTokenizer",
            word_tokenizer_type="mecab",
            mecab_kwargs={"mecab_dic": None, "mecab_option": "-d'@outside'"},
        ),
    ),
    "dictionary of Japanese by a bare name": (
        WITHOUT_TOKENIZER,
        copied("vocab.txt", "vocab.txt"),
        tokenizer(
            tokenizer_class="BertJapaneseTokenizer",
            word_tokenizer_type="mecab",
            mecab_kwargs={"mecab_dic": None, "mecab_option": "-d dictionary"},
        ),
    ),
    "dictionary of Japanese": (
        WITHOUT_TOKENIZER,
        copied("vocab.txt", "vocab.txt"),
        tokenizer(
            tokenizer_class="BertJapaneseTokenizer",
            word_tokenizer_type="mecab",
            mecab_kwargs={"mecab_dic": None, "mecab_option": "-r /dev/null -d@outside"},
        ),
    ),
    **{
        f"class {name}": (tokenizer(tokenizer_class=name),)
        for name in (
            "RagRetriever",
            "AutoModelFastFast",
            "AutoModel",
            "AutoProcessor",
            "AutoTokenizer",
            "pipeline",
            "PreTrainedModel",
            "RagTokenizer",
        )
    },
    **{
        f"files of {name}": (
            WITHOUT_TOKENIZER,
            tokenizer(
                tokenizer_class=name,
                **dict.fromkeys(
                    (
                        *(
                            "vocab_file",
                            "merges_file",
                            "emoji_file",
                            "entity_vocab_file",
                            "normalizer_file",
                            "spm_file",
                        ),
                        *("word_shape_file", "monolingual_vocab_file", "src_vocab_file"),
                    ),
                    "@outside/vocab.json",
                ),
            ),
        )
        for name in (
            "CTRLTokenizer",
            "XLMTokenizer",
            "LukeTokenizer",
            "WhisperTokenizer",
            "RoCBertTokenizer",
            "MyT5Tokenizer",
        )
    },
}

_EXPERTS: Cases = {
    "of a kernel": (config(experts_implementation=KERNEL, _experts_implementation=KERNEL),),
    "of a kernel, internal": (config(_experts_implementation_internal=KERNEL),),
    "of a package": (config(experts_implementation="deepgemm"),),
}


def images(**values: Any) -> Edit:
    """A configuration with a part for images, which timm makes."""

    def edit(folder: Path) -> None:
        text_config = json.loads((folder / "config.json").read_text())
        vision_config = {"model_type": "timm_wrapper", "label_names": [], **values}
        instead(model_type="gemma3n", text_config=text_config, vision_config=vision_config)(folder)

    return edit


_PARTS: dict[str, dict[str, Any]] = {
    "of the hub": {"architecture": "hf-hub:org/evil"},
    "of the hub, as it was written": {"architecture": "hf_hub:org/evil"},
    "of the hub, after a space": {"architecture": " hf-hub:org/evil"},
    "of the hub, with a tab": {"architecture": "hf-\thub:org/evil"},
    "of a folder": {"architecture": "local-dir:@outside"},
    "of a folder, after a line": {"architecture": "\nlocal-dir:@outside"},
    "of a pickle": {"architecture": "resnet50", "model_args": {"checkpoint_path": "@outside/evil.bin"}},
    "of a pickle by a bare name": {"architecture": "resnet50", "model_args": {"checkpoint_path": "evil.bin"}},
}
_IMAGES: Cases = {name: (images(**values),) for name, values in _PARTS.items()}

_QUANTIZED = (
    "aqlm auto-round awq bitnet bitsandbytes compressed-tensors eetq fbgemm_fp8 fouroversix fp8 fp_quant gemma gguf "
    "gptq higgs hqq metal mxfp4 mxfp8 nvfp4 quanto quark sinq spqr torchao vptq evil"
)
_METHODS: Cases = {
    name: (
        config(
            quantization_config={
                "quant_method": name,
                "bits": 4,
                "load_in_4bit": name == "bitsandbytes",
                "gguf_file": "@outside/other.gguf",
            }
        ),
    )
    for name in _QUANTIZED.split()
} | {
    "with a tokenizer elsewhere": (
        config(quantization_config={"quant_method": "gptq", "bits": 4, "tokenizer": "@outside"}),
    ),
    "with a dataset": (config(quantization_config={"quant_method": "gptq", "bits": 4, "dataset": "org/evil"}),),
}

GROUPS: tuple[tuple[str, str, Cases], ...] = (
    ("weights", "llama", _WEIGHTS),
    ("config", "llama", _CONFIG),
    ("tokenizer", "gpt2", _TOKENIZER),
    ("experts", "qwen3_moe", _EXPERTS),
    ("images", "gemma3n", _IMAGES),
    ("quantized", "llama", _METHODS),
)
"""Each with the family of its checkpoints."""
