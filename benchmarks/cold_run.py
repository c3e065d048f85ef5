"""A cold run against the blog post's own way, turn about, on the same model, words and machine: `make bench`.

The post's way draws 31 unlabelled pictures of 640×480 and the grid; tokviz draws 31 labelled pictures of 1500×1200 (six
times the pixels), the grid and the pages around them. Each is a process of its own, imports included. Quoted is the ratio
of the medians; absolute times say more about the machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
TARGET = 0.75


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    words = {key: value["words"] for key, value in _sample()["words"].items()}
    model = _model_as_safetensors(HERE.parent / ".cache" / "benchmarks" / "SmolLM2-135M-Instruct")

    seconds: dict[str, list[float]] = {"post": [], "tokviz": []}
    for turn in range(rounds + 1):  # the first warms the disk's cache and isn't counted
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            (work / "words.json").write_text(json.dumps(words), encoding="utf-8")
            (work / "report.toml").write_text(_config(model, words), encoding="utf-8")
            (work / "post").mkdir()
            took = {
                "post": _seconds("posts_own_way.py", model, work / "words.json", work / "post"),
                "tokviz": _seconds("one_context.py", work / "report.toml", work),
            }
            drawn = len(list((work / "post").glob("*.webp"))), len(list((work / "site" / "images").rglob("*.webp")))
        if turn:
            for name, value in took.items():
                seconds[name].append(value)
        print(
            f"round {turn}: post {took['post']:.1f} s ({drawn[0]} images), tokviz {took['tokviz']:.1f} s ({drawn[1]} images)"
        )

    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratios = [ours / theirs for ours, theirs in zip(seconds["tokviz"], seconds["post"], strict=True)]
    ratio = medians["tokviz"] / medians["post"]
    print(f"ratio of medians {ratio:.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}), target at most {TARGET}")
    return 0 if ratio <= TARGET else 1


def _seconds(script: str, *arguments: Path) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, str(HERE / script), *map(str, arguments)], check=True, capture_output=True)
    return time.perf_counter() - start


def _sample() -> dict:
    return tomllib.loads((HERE.parent / "report.toml").read_text(encoding="utf-8"))


def _config(model: Path, words: dict[str, list[str]]) -> str:
    lines = [
        'projections = ["standardized"]',
        "[[models]]",
        'name = "SmolLM2-135M"',
        f"source = {json.dumps(str(model))}",
    ]
    lines += ["[[contexts]]", 'name = "alone"', 'template = " {word}"', "[words]"]
    return "\n".join(lines + [f"{key} = {json.dumps(value)}" for key, value in words.items()])


def _model_as_safetensors(folder: Path) -> Path:
    """The sample model's de-quantised weights, written once in the format that most models come in."""
    if not (folder / "model.safetensors").exists():
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

        from tokviz.config import ModelConfig
        from tokviz.sources import locate

        source = ModelConfig(source=_sample()["models"][0]["source"])
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


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    sys.exit(main())
