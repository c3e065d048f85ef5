"""What capture returned for tiny models when its version was last raised, kept in recorded_states.json.

    python tests/capture/record_states.py

records the present states. It refuses where they differ from those recorded under the same ``CAPTURE_VERSION``: caches
of that version would be taken for up to date. ``--libraries-changed`` records them all the same.

The models repeat exactly: their weights come from a formula and their tokenizers' vocabularies are written down.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import tempfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[1]
if __name__ == "__main__":
    sys.path[:0] = [str(TESTS.parent), str(TESTS)]

import families
import numpy as np
from safetensors.numpy import load_file, save_file

from tokviz.capture import capture_together, find_structure
from tokviz.capture.tokens import tokenize
from tokviz.config import ModelConfig
from tokviz.models import load
from tokviz.records import Context, Tokenization
from tokviz.run.store.keys import CAPTURE_VERSION

RECORD = Path(__file__).with_name("recorded_states.json")
COMMAND = "python tests/capture/record_states.py"
FAMILIES = ("qwen3", "qwen3_moe", "llama", "gemma3_text", "gpt2", "bert", "albert", "t5")
"""Rotary, learned and relative positions; a scaled embedding; experts; encoders; a narrow embedding; a shared block."""
READS = {"llama": ("last", "first", "mean")}
"""Which tokens are read; of other families the last."""
WORDS = ("cat", "word or cat", "James", "catalogue of Tokyo, Oslo and Paris")
CONTEXTS = (
    Context(name="alone", label="alone", template=" {word}"),
    Context(name="middle", label="in the middle", template="The word is {word} or"),
)
TOLERANCE = 1e-4
"""Of a state's length: more than processors and library versions differ by, less than any real change."""
SUMMARY = ("length", "sum/√width", "projection on a cosine", "largest at position 0")
"""What is recorded of each state ``x``: ‖x‖, x·u and x·v with fixed unit vectors u and v; and of position 0 max |x|."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """The summaries of captures, and what made them."""

    capture_version: int
    made_with: dict[str, str]
    """Package → version; for information only."""
    captures: dict[str, np.ndarray]
    """``family/context/read`` → ``(n_depths, n_words, 4)`` float64, see ``SUMMARY``."""

    @classmethod
    def read(cls) -> Record:
        values = json.loads(RECORD.read_text(encoding="utf-8"))
        captures = {name: np.array(depths) for name, depths in values["captures"].items()}
        return cls(capture_version=values["capture_version"], made_with=values["made_with"], captures=captures)

    @classmethod
    def of_the_present(cls) -> Record:
        captures: dict[str, np.ndarray] = {}
        with tempfile.TemporaryDirectory() as folder:
            for family in FAMILIES:
                captures |= capture_family(family, Path(folder) / family)
        versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers", "tokenizers")}
        return cls(capture_version=CAPTURE_VERSION, made_with=versions, captures=captures)

    def write(self) -> None:
        """One line per depth, so that a difference can be read."""
        captures = ",\n".join(f'"{name}": [\n{_one_line_per_depth(each)}\n]' for name, each in self.captures.items())
        text = (
            f'{{\n"capture_version": {self.capture_version},\n"made_with": {json.dumps(self.made_with)},\n'
            f'"captures": {{\n{captures}\n}}\n}}\n'
        )
        RECORD.write_text(text, encoding="utf-8", newline="\n")


def _one_line_per_depth(depths: np.ndarray) -> str:
    rounded = ([[float(f"{value:.7g}") for value in word] for word in words] for words in depths)
    return ",\n".join(map(json.dumps, rounded))


def difference(name: str, recorded: np.ndarray, found: np.ndarray) -> str | None:
    """The first value of a capture that is not as recorded, in words; None when all are."""
    if recorded.shape != found.shape:
        return f"{name}: recorded {recorded.shape} (depths, words, values), found {found.shape}"
    # A projection may be near zero: the error is measured by the state's length. Position 0 has a scale of its own.
    scale = np.concatenate([np.repeat(recorded[..., :1], 3, axis=-1), recorded[..., 3:]], axis=-1)
    for depth, word, value in np.argwhere(~(np.abs(found - recorded) <= TOLERANCE * scale)):
        return (
            f"{name}, depth {depth}, {WORDS[word]!r}: recorded {SUMMARY[value]} {recorded[depth, word, value]:.6g}, "
            f"found {found[depth, word, value]:.6g}"
        )
    return None


def differences(recorded: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> list[str]:
    """The first difference of each capture that is in both."""
    both = [name for name in found if name in recorded]
    lines = (difference(name, recorded[name], found[name]) for name in both)
    return [line for line in lines if line]


# --- captures ----------------------------------------------------------------------------------------------------


def capture_family(family: str, folder: Path) -> dict[str, np.ndarray]:
    """Make a family's tiny model in ``folder``; returns its part of ``Record.captures``."""
    families.build(family, folder)
    fill_by_formula(folder / "model.safetensors")
    model = load(ModelConfig(source=str(folder)), folder, "cpu")
    structure = find_structure(model.module, model.base_model_prefix)
    found: dict[str, np.ndarray] = {}
    for read in READS.get(family, ("last",)):
        tokenizations = [tokenize(model.tokenizer, WORDS, context, read) for context in CONTEXTS]
        require_varied(tokenizations)
        summaries = [np.full((structure.n_layers + 1, len(WORDS), len(SUMMARY)), np.nan) for _ in CONTEXTS]
        for index, batch in capture_together(model.module, structure, tokenizations, 65_536):
            for depth, states in enumerate(batch.states):
                summaries[index][depth, batch.rows, :3] = summary(states)
                summaries[index][depth, batch.rows, 3] = batch.position0_values[depth, :, 0]
        for context, values in zip(CONTEXTS, summaries, strict=True):
            found[f"{family}/{context.name}/{read}"] = values
    return found


def require_varied(tokenizations: Iterable[Tokenization]) -> None:
    """Without padding and words of several tokens, mistakes with either would not show."""
    for tokenization in tokenizations:
        assert len({len(word.ids) for word in tokenization.words}) > 1
        assert {word.n_tokens > 1 for word in tokenization.words} == {True, False}


def summary(states: np.ndarray) -> np.ndarray:
    """``(n_words, width)`` → ``(n_words, 3)``, see ``SUMMARY``."""
    states = states.astype(np.float64)
    width = states.shape[1]
    cosine = np.cos(np.arange(width))
    directions = np.stack([np.ones(width) / np.sqrt(width), cosine / np.linalg.norm(cosine)], axis=1)
    return np.column_stack([np.linalg.norm(states, axis=1), states @ directions])


def fill_by_formula(path: Path) -> None:
    """Replace the weights in a safetensors file by values that depend on their names and shapes only."""
    weights = {name: formula(name, tensor.shape) for name, tensor in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})


def formula(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """float32 weights: gains near 1, small biases, and matrices large enough that every layer changes the states."""
    # The bits of a bit generator never change with NumPy's version; what other generators make of them may.
    bits = np.random.PCG64(zlib.crc32(name.encode())).random_raw(int(np.prod(shape)))
    uniform = ((bits >> np.uint64(11)) * 2.0**-52 - 1).reshape(shape)
    is_gain = len(shape) == 1 and name.endswith("weight")
    return (1 + uniform / 4 if is_gain else uniform / 4).astype(np.float32)


# --- command -----------------------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description="Record the states of tiny models, as capture returns them now.")
    parser.add_argument(
        "--libraries-changed",
        action="store_true",
        help="also where the states differ under the same CAPTURE_VERSION, because only a library changed",
    )
    options = parser.parse_args()
    present = Record.of_the_present()
    if RECORD.exists() and not options.libraries_changed:
        before = Record.read()
        changed = differences(before.captures, present.captures)
        if changed and before.capture_version == present.capture_version:
            print(
                f"{changed[0]}\nThe states differ from those recorded with CAPTURE_VERSION {CAPTURE_VERSION}: raise it in "
                "tokviz/run/store/keys.py first, or use --libraries-changed if capture itself is the same.",
                file=sys.stderr,
            )
            return 1
    present.write()
    print(f"{RECORD.name}: {len(present.captures)} captures, CAPTURE_VERSION {CAPTURE_VERSION}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
