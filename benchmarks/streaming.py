"""A checkpoint larger than the memory that it may take, streamed from disk, against the same one loaded whole.

    python benchmarks/streaming.py [--gigabytes 6] [--rounds 3] [--folder FOLDER]

Random weights of a Llama-like model are written shard by shard; then two contexts of 117 words are captured, each time in
a process of its own that counts imports, loading, the forward pass and storing. Quoted are ratios: peak memory (the highest
resident size, pages of mapped files included) against the checkpoint's size, wall time against loading it whole, and
how often each weight was read from disk.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from memory import peak_bytes
from table import Row

GIGABYTES = 6.2
WIDTH, MIDDLE, HEADS = 2048, 5632, 16
TEMPLATES = {"alone": " {word}", "sentence": "The word is {word}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=GIGABYTES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the checkpoint is written; removed afterwards")
    arguments = parser.parse_args()
    print(*run(arguments.rounds, arguments.gigabytes, arguments.folder), sep="\n")


def run(rounds: int = 3, gigabytes: float = GIGABYTES, parent: Path | None = None) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        free = shutil.disk_usage(folder).free / 1e9
        if free < 1.5 * gigabytes:
            sys.exit(f"{folder}: expected {1.5 * gigabytes:.0f} GB of free disk, found {free:.0f}")
        checkpoint = Path(folder) / "model"
        n_bytes = write_checkpoint(checkpoint, gigabytes)
        found: dict[str, list[dict[str, Any]]] = {"whole": [], "streamed": []}
        for _ in range(rounds):
            for way, results in found.items():
                results.append(_run(checkpoint, way))
                print(f"  {way}: {_described(results[-1])}", file=sys.stderr)
    seconds = {way: statistics.median(result["seconds"] for result in results) for way, results in found.items()}
    memory = max(result["peak_bytes"] for result in found["streamed"]) / n_bytes
    reads = max(result["most_reads"] / result["n_passes"] for result in found["streamed"])
    return [
        Row(name="streamed: peak memory / checkpoint", ratio=memory, target=0.2, remark=f"{n_bytes / 1e9:.1f} GB"),
        Row(name="streamed: wall time / loaded whole", ratio=seconds["streamed"] / seconds["whole"], target=1.3),
        Row(name="streamed: reads of each weight per pass, a check included", ratio=reads, target=2),
    ]


def _run(checkpoint: Path, way: str) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).resolve()), "--worker", str(checkpoint), way]
    start, before = time.perf_counter(), _cpu_seconds()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return {
        **json.loads(done.stdout),
        "seconds": time.perf_counter() - start,
        "cpu_seconds": _cpu_seconds() - before,
    }


def _cpu_seconds() -> float:
    """Of the processes that have ended: on a busy machine wall time says little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _described(result: dict[str, Any]) -> str:
    return (
        f"{result['seconds']:.1f} s ({result['cpu_seconds']:.1f} s of processors), peak {result['peak_bytes'] / 1e9:.2f} GB; {result['n_streamed']} weights streamed, "
        f"each read {result['fewest_reads']} to {result['most_reads']} times"
    )


# --- the checkpoint ----------------------------------------------------------------------------------------------


def write_checkpoint(folder: Path, gigabytes: float) -> int:
    """A Llama-like model of about that size, never more than one layer of it in memory; its weights' bytes."""
    import tokenizers
    import torch
    from safetensors.torch import save_file
    from tokenizers import decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, PreTrainedTokenizerFast

    folder.mkdir(parents=True)
    raw = tokenizers.Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    # Trained on the words themselves, so that most are one token, as in a real vocabulary.
    raw.train_from_iterator(
        [f"The word is {word}" for word in sample_words()] * 9,
        trainers.BpeTrainer(vocab_size=1024, special_tokens=["<end>"], initial_alphabet=alphabet),
    )
    PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<end>").save_pretrained(folder)

    random = torch.Generator().manual_seed(0)

    def weights(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=random) * 0.02

    shapes = {
        **{f"self_attn.{name}_proj.weight": (WIDTH, WIDTH) for name in "qkvo"},
        "mlp.gate_proj.weight": (MIDDLE, WIDTH),
        "mlp.up_proj.weight": (MIDDLE, WIDTH),
        "mlp.down_proj.weight": (WIDTH, MIDDLE),
    }
    layer = {name: weights(*shape) for name, shape in shapes.items()}
    layer |= {f"{name}_layernorm.weight": torch.ones(WIDTH) for name in ("input", "post_attention")}
    n_layers = round(gigabytes * 1e9 / sum(tensor.nbytes for tensor in layer.values()))
    # That layers are alike is no matter here: each has bytes of its own on disk.
    shards = [{f"model.layers.{index}.{name}": tensor for name, tensor in layer.items()} for index in range(n_layers)]
    shards.append({"model.embed_tokens.weight": weights(1024, WIDTH), "model.norm.weight": torch.ones(WIDTH)})
    weight_map: dict[str, str] = {}
    total = 0
    for index, shard in enumerate(shards):
        name = f"model-{index + 1:05d}-of-{len(shards):05d}.safetensors"
        save_file(shard, folder / name, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(shard, name)
        total += sum(tensor.nbytes for tensor in shard.values())
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map})
    )
    LlamaConfig(
        vocab_size=1024,
        hidden_size=WIDTH,
        intermediate_size=MIDDLE,
        num_hidden_layers=n_layers,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        tie_word_embeddings=True,
        architectures=["LlamaForCausalLM"],
        dtype="float32",
    ).save_pretrained(folder)
    return total


def sample_words() -> tuple[str, ...]:
    """117 of them."""
    sample = tomllib.loads((HERE.parent / "report.toml").read_text(encoding="utf-8"))
    return (*(word for category in sample["words"].values() for word in category["words"]), "word")


# --- one capture, in a process of its own ------------------------------------------------------------------------


def work(checkpoint: Path, way: str) -> None:
    from accelerate.utils.offload import OffloadedWeightsLoader

    from tokviz import capture, models
    from tokviz.capture import tokens
    from tokviz.config import ModelConfig
    from tokviz.records import BatchCheck, Context
    from tokviz.run.store.artefacts import Store
    from tokviz.run.store.states_file import CaptureDescription

    reads: Counter[str] = Counter()
    get = OffloadedWeightsLoader.__getitem__

    def counted(self: Any, key: str) -> Any:
        reads[key] += 1
        return get(self, key)

    OffloadedWeightsLoader.__getitem__ = counted
    memory = {"cpu": "450MB"} if way == "streamed" else None
    model = ModelConfig(source=str(checkpoint), max_memory=memory)
    words = sample_words()
    contexts = [Context(name=name, label=name, template=template) for name, template in TEMPLATES.items()]
    with tempfile.TemporaryDirectory() as folder, models.quiet_transformers():
        store = Store(Path(folder) / "cache")
        loaded = models.load(model, checkpoint.parent, "cpu", models.Folders(offload=Path(folder) / "offload"))
        structure = capture.find_structure(loaded.module, loaded.base_model_prefix)
        tokenizations = [tokens.tokenize(loaded.tokenizer, words, context, "last") for context in contexts]
        found: dict[int, list[Any]] = {0: [], 1: []}
        checks: dict[int, BatchCheck] = {}
        # As the pipeline does it.
        groups = capture.sharing_passes(loaded.module, tokenizations)
        for group in groups:
            chosen = [tokenizations[index] for index in group]
            together = capture.capture_together(loaded.module, structure, chosen, 65_536)
            checks |= dict.fromkeys(group, together.check)
            for index, batch in together:
                found[group[index]].append(batch)
        for index, batches in found.items():
            description = CaptureDescription(
                card=loaded.card,
                context=contexts[index],
                tokenization=tokenizations[index],
                module_paths=structure.module_paths,
                captured_at="2026-01-01T00:00:00Z",
                batch_check=checks[index],
            )
            with store.states_writer(str(index), description) as writer:
                for batch in batches:
                    writer.add(batch)
    counts = reads.values() or [0]
    print(
        json.dumps(
            {
                "peak_bytes": peak_bytes(),
                "n_passes": len(groups),
                "n_streamed": len(reads),
                "fewest_reads": min(counts),
                "most_reads": max(counts),
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(Path(sys.argv[2]), sys.argv[3])
    else:
        main()
