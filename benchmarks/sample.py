"""What the benchmarks work on: the sample's words and its SmolLM2, and the command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))


def script(name: str, *arguments: str | Path) -> None:
    """Run a benchmark's script, imports included."""
    _python(HERE / name, *arguments)


def generate(
    folder: Path, *arguments: str | Path, command: Path = HERE.parent / "generate.py", early: bool = False
) -> None:
    """``python generate.py`` in ``folder``; ``early``: with a first look, which costs a little more."""
    _python(command, "--quiet", *(() if early else ("--no-early",)), *arguments, folder=folder)


def _python(file: Path, *arguments: str | Path, folder: Path | None = None) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    command = [sys.executable, str(file), *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=environment)
    if done.returncode:
        raise RuntimeError(f"{file.name} failed: {done.stderr[-2000:]}")


def words() -> dict[str, list[str]]:
    return {key: value["words"] for key, value in _report()["words"].items()}


def config(
    models: dict[str, Path], *, whole: bool = False, interventions: str = "off", n_words: int | None = None
) -> str:
    """A report.toml of these models and the sample's words, ``n_words`` of each category or all.

    One context and one projection, as the post's notebook had them; the sample's two of each for ``whole``. Neurons are
    switched off where that is what is measured.
    """
    tables = [
        f"[[models]]\nname = {json.dumps(name)}\nsource = {json.dumps(str(path))}" for name, path in models.items()
    ]
    lists = [f"{key} = {json.dumps(value[:n_words])}" for key, value in words().items()]
    contexts = _report()["contexts"] if whole else [{"name": "alone", "template": " {word}"}]
    tables += [
        "\n".join(["[[contexts]]", *(f"{key} = {json.dumps(value)}" for key, value in each.items())])
        for each in contexts
    ]
    projections = _report()["projections"] if whole else ["standardized"]
    report = [f"projections = {json.dumps(projections)}", f"interventions = {json.dumps(interventions)}"]
    return "\n".join([*report, *tables, "[words]", *lists])


def _report() -> dict[str, Any]:
    return tomllib.loads((HERE.parent / "report.toml").read_text(encoding="utf-8"))


def smollm2() -> Path:
    """The sample model's de-quantised weights, written once in the format that most models come in."""
    folder = HERE.parent / ".cache" / "benchmarks" / "SmolLM2-135M-Instruct"
    if not (folder / "model.safetensors").exists():
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

        from tokviz.config import ModelConfig
        from tokviz.models import locate

        source = ModelConfig(source=_report()["models"][0]["source"])
        gguf = locate(source, HERE.parent).path
        assert gguf is not None
        arguments = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
        quantised = AutoModelForCausalLM.from_pretrained(**arguments, dtype=torch.float32)
        settings = {key: value for key, value in quantised.config.to_dict().items() if key != "quantization_config"}
        plain = LlamaForCausalLM(LlamaConfig(**settings))
        plain.load_state_dict(quantised.state_dict())
        plain.save_pretrained(folder)
        AutoTokenizer.from_pretrained(**arguments).save_pretrained(folder)
    return folder


def random_llama(folder: Path, seed: int, *, width: int, n_layers: int, n_heads: tuple[int, int]) -> Path:
    """Random weights in Llama's shape, with the sample model's tokenizer; ``n_heads``: of queries, and of keys and values."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(smollm2())
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=width,
            num_hidden_layers=n_layers,
            num_attention_heads=n_heads[0],
            num_key_value_heads=n_heads[1],
        )
    ).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
