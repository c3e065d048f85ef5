"""From 117 words to 11,700: what each stage costs, and how much memory.

    python benchmarks/many_words.py

A Llama-like model of 6 layers with random weights reads made-up words, each number of words in a process of its own.
Quoted are ratios: how much more time a stage takes than in proportion to the words (at most 1 is linear or better; start-up
makes the first figure an overestimate), a picture's time against one of 117 words, and how the peak of memory grows.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from memory import peak_bytes
from table import Row

SIZES = (117, 1_170, 2_340, 11_700)
STAGES = ("capture", "projection", "measures", "plate", "grid", "csv")
TOKEN_BUDGET = 8_192
WIDTH, N_LAYERS, N_CATEGORIES = 256, 6, 9
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "ro", "su", "ta", "ve")


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder) / "model")
        found = {}
        for size in SIZES:
            script, model = str(Path(__file__).resolve()), str(Path(folder) / "model")
            command = [sys.executable, script, "--worker", model, str(size)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            found[size] = json.loads(done.stdout)
            seconds = "  ".join(f"{stage} {found[size][stage]:.2f} s" for stage in STAGES)
            print(f"  {size:,} words: {seconds}  peak {found[size]['peak_bytes'] / 2**20:.0f} MiB", file=sys.stderr)
    few, some, sampled, many = (found[size] for size in SIZES)
    times = SIZES[-1] / SIZES[0]
    return [
        *(
            Row(name=f"117 → 11,700 words: {stage}, time / linear", ratio=many[stage] / few[stage] / times, target=1)
            for stage in ("capture", "projection", "measures")
        ),
        *(
            Row(name=f"117 → 11,700 words: one {stage}, time / time", ratio=many[stage] / few[stage], target=target)
            for stage, target in (("plate", 1.5), ("grid", 2.1))
        ),
        Row(name="1,170 words: measures, time / capture's time", ratio=some["measures"] / some["capture"], target=5),
        Row(
            name="2,340 → 11,700 words, 2,000 of which are measured: measures, time / time",
            ratio=many["measures"] / sampled["measures"],
            target=1.2,
        ),
        Row(
            name="1,170 → 11,700 words: peak memory / peak memory",
            ratio=many["peak_bytes"] / some["peak_bytes"],
            target=2,
        ),
    ]


def made_up_words(n_words: int) -> list[str]:
    """In random order, so that few words are cut into as many tokens each as many."""
    words = ["".join(some) for some in itertools.product(SYLLABLES, repeat=4)]
    random.Random(0).shuffle(words)
    return words[:n_words]


def write_model(folder: Path) -> None:
    import tokenizers
    import torch
    from tokenizers import decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    raw = tokenizers.Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1000, special_tokens=["<end>"], initial_alphabet=alphabet)
    raw.train_from_iterator([f" {word}" for word in made_up_words(2_000)], trainer)
    PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<end>").save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=1000,
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=N_LAYERS,
        num_attention_heads=4,
        num_key_value_heads=4,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def work(model_folder: Path, n_words: int) -> None:
    from tokviz import capture, models
    from tokviz.capture import tokens
    from tokviz.config import ModelConfig
    from tokviz.draw import encode, figures
    from tokviz.measure import geometry
    from tokviz.measure.pca import project
    from tokviz.pages.downloads import tables
    from tokviz.pages.text.problems import grid_problems
    from tokviz.records import Category, Context, ContextReport, Grid, Plate, Points, ProjectionReport, WordList
    from tokviz.run.plan.captures import LIBRARIES
    from tokviz.run.store.artefacts import Store
    from tokviz.run.store.states_file import CaptureDescription

    for library in LIBRARIES:  # not a part of what projecting words takes
        importlib.import_module(library)
    made = made_up_words(n_words)
    share = n_words // N_CATEGORIES
    word_list = WordList(
        categories=tuple(
            Category(key=f"c{index}", label=f"Category {index}", words=tuple(made[index * share : (index + 1) * share]))
            for index in range(N_CATEGORIES)
        )
    )
    words = word_list.words
    context = Context(name="alone", label="alone", template=" {word}")
    took: dict[str, Any] = {}

    def timed(stage: str, work: Any, times: int = 1) -> Any:
        seconds = []
        for _ in range(times):
            start = time.perf_counter()
            result = work()
            seconds.append(time.perf_counter() - start)
        took[stage] = statistics.median(seconds)
        return result

    with tempfile.TemporaryDirectory() as folder, models.quiet_transformers():
        store = Store(Path(folder))
        loaded = models.load(ModelConfig(source=str(model_folder)), model_folder.parent, "cpu")
        structure = capture.find_structure(loaded.module, loaded.base_model_prefix)

        def captured() -> Any:
            tokenization = tokens.tokenize(loaded.tokenizer, words, context, "last")
            batches = capture.capture(loaded.module, structure, tokenization, TOKEN_BUDGET)
            description = CaptureDescription(
                card=loaded.card,
                context=context,
                tokenization=tokenization,
                module_paths=structure.module_paths,
                captured_at="2026-01-01T00:00:00Z",
                batch_check=batches.check,
            )
            with store.states_writer("key", description) as writer:
                for batch in batches:
                    writer.add(batch)
            return store.find_states("key")

        def picture(kind: Any, **values: Any) -> bytes:
            return encode.encode(figures.draw(kind(form="wide", model="m", context="alone", points=points, **values)))

        states = timed("capture", captured)
        reference = states.tokenization.reference
        projection = timed("projection", lambda: project(states.states, reference, "standardized"))
        measured = timed("measures", lambda: geometry.measure(states, [projection], word_list.memberships, None))
        points = Points(
            words=words,
            memberships=word_list.memberships,
            categories=tuple(category.label for category in word_list.categories),
            reference=reference,
            several_tokens=states.tokenization.n_tokens > 1,
        )
        ratios = tuple(projection.explained_variance_ratio[3])
        plate = {"depth": "layer 2", "coordinates": projection.coordinates[3], "explained_variance_ratio": ratios}
        picture(Plate, **plate)  # fonts and the like are loaded once
        timed("plate", lambda: picture(Plate, **plate), times=5)  # tenths of a second, which vary
        grid = {
            "depths": tuple(f"layer {depth}" for depth in range(N_LAYERS + 1)),
            "coordinates": projection.grid_coordinates,
            "problems": grid_problems(projection),
            "explained_variance_ratio": ratios,
        }
        timed("grid", lambda: picture(Grid, **grid), times=5)
        shown = ProjectionReport(projection=projection, plates=(None,) * (N_LAYERS + 1), grid=None, strip=None)
        context_report = ContextReport(states=states, projections=(shown,), geometry=measured)
        timed("csv", lambda: tables.coordinates_csv(context_report, word_list))
    took["peak_bytes"] = peak_bytes()
    print(json.dumps(took))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        work(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(*run(), sep="\n")
