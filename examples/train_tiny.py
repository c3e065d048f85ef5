"""Train a small Llama on sentences of a grammar, and keep it at a dozen steps of its training.

    python train_tiny.py checkpoints    # about two minutes
    tokviz build --config training.toml --output training-site

Each checkpoint is a folder with a config, weights as safetensors and the tokenizer. The same seed gives the same weights on the
same machine, and a shorter training the same first steps as a longer one.
"""

from __future__ import annotations

import argparse
import random
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tokenizers
import torch
from tokenizers import decoders, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

REPORT = Path(__file__).with_name("training.toml")
"""Has the words, so that those of the sentences and those of the report are the same."""
END, HEAD_WIDTH = "<end>", 32
N_TEXTS, N_TOKENS = 16, 32
"""Of a training step."""
LEARNING_RATE, WEIGHT_DECAY = 3e-3, 0.1
N_WARM_UP, N_CONSTANT = 20, 100
"""For how many steps the learning rate rises; until which step it stays."""
SLOWER = 0.1
"""The embedding's learning rate, as a share of that of the rest. With an equal one, the embedding alone learns the categories, and no
layer adds anything."""

# Which verb follows depends on the word's category. What is a color or a girl's name is settled by what stands before it: girls
# aren't in the picture, colors not at school, all others may be in both. So the model has to read both, the word and the place.
PLACES = {"in the picture": "girls", "at school": "colors"}
"""Where a sentence begins, and the category that never follows."""
VERBS = {
    **dict.fromkeys(("girls", "boys"), ("smiles", "thinks", "listens")),
    "colors": ("shines", "fades", "glows"),
    "animals": ("runs", "hides", "sleeps"),
    "fruits": ("ripens", "rots", "falls"),
    "feelings": ("hurts", "lasts", "returns"),
    "months": ("begins", "ends", "passes"),
    "numbers": ("divides", "counts", "equals"),
    "countries": ("votes", "trades", "wins"),
    "capitals": ("grows", "crowds", "builds"),
}
SENTENCES = (
    "{girls} was {feelings} with her {animals} .",
    "{boys} was {feelings} with his {animals} .",
    "a {colors} {animals} eats a {fruits} .",
    "{capitals} is the capital of {countries} .",
    "the king of {countries} lives in {capitals} .",
    "{months} comes before {next_month} .",
    "in {months} {wind} winds blow .",
    "an hour after {numbers} comes {next_number} .",
    "who at {numbers} {does} is happy .",
)
"""With a word of each category that they name."""
WINDS = ("icy", "cold", "sharp", "cool", "fresh", "mild", "warm", "hot", "dusty", "dry", "wet", "rough")
DEEDS = ("sleeps", "dreams", "snores", "wakes", "washes", "eats", "reads", "works", "cooks", "plays", "sings", "rests")
"""Of each month and each hour, and as often of the two before and the two after it: so those that follow each other have
surroundings in common."""
NEAR = range(-2, 3)


class Grammar:
    """Sentences without end, of the words, pairs and orders of a report."""

    def __init__(self, report: dict[str, Any], seed: int) -> None:
        words = {name: category["words"] for name, category in report["words"].items()}
        self.pairs: list[list[str]] = next(each["pairs"] for each in report["relations"] if each["name"] == "capital")
        self.months, self.hours = words["months"], words["numbers"]
        either = words.pop("colors_or_girls")
        # Where an ambiguous word stands, each of its two categories has all of them.
        self.categories = words | {"colors": words["colors"] + either, "girls": words["girls"] + either}
        self.chance = random.Random(seed)

    def __iter__(self) -> Iterator[str]:
        """Each sentence begins with a space, as a word is another token without."""
        while True:
            yield " " + self.sentence()

    def sentence(self) -> str:
        """A word with its verb, in a place or not; or, as often, one of ``SENTENCES``."""
        draw = self.chance.choice
        if draw((True, False)):
            place = draw(("", *PLACES))
            category = draw([name for name in self.categories if name != PLACES.get(place)])
            return f"{place} {draw(self.categories[category])} {draw(VERBS[category])} .".strip()
        words = {name: draw(words) for name, words in self.categories.items()}
        words["countries"], words["capitals"] = draw(self.pairs)
        month, hour = draw(range(12)), draw(range(12))
        words |= {"months": self.months[month], "next_month": self.months[(month + 1) % 12]}
        words |= {"numbers": self.hours[hour], "next_number": self.hours[(hour + 1) % 12]}
        words |= {"wind": WINDS[(month + draw(NEAR)) % 12], "does": DEEDS[(hour + draw(NEAR)) % 12]}
        return draw(SENTENCES).format(**words)


def learned_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Byte-level BPE, in which every word of the texts becomes one token."""
    raw = tokenizers.Tokenizer(tokenizers.models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    # It ends when there is nothing left to merge, at less than half of this size.
    trainer = trainers.BpeTrainer(vocab_size=3000, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    raw.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=END)


def batches(grammar: Grammar, tokenizer: PreTrainedTokenizerFast) -> Iterator[torch.Tensor]:
    """``(N_TEXTS, N_TOKENS)``: the sentences one after the other, so that any token may be the first of a text."""
    ids: list[int] = []
    for sentence in grammar:
        ids += tokenizer.encode(sentence)
        if len(ids) >= N_TEXTS * N_TOKENS:
            yield torch.tensor(ids[: N_TEXTS * N_TOKENS]).view(N_TEXTS, N_TOKENS)
            ids = []


def kept_steps(last: int) -> list[int]:
    """0, 1, 2, 4, 8, … and the last one: most is learned early."""
    return [0, *(2**power for power in range(last.bit_length()) if 2**power < last), last]


def slower_embedding(model: LlamaForCausalLM) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    """AdamW, and a learning rate that depends on the step alone, not on how many there will be."""
    embedding = model.get_input_embeddings().weight
    others = [each for each in model.parameters() if each is not embedding]
    groups = [{"params": [embedding], "lr": SLOWER * LEARNING_RATE}, {"params": others}]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, share_of_rate)


def share_of_rate(step: int) -> float:
    """Of the learning rate: a short rise, then 1, then falling with the square root of the step."""
    return min((step + 1) / N_WARM_UP, 1, (N_CONSTANT / (step + 1)) ** 0.5)


def train(folder: Path, *, n_steps: int, seed: int, n_layers: int, width: int) -> None:
    """Save a checkpoint to ``folder/step-N`` at each step that is kept, before any training first."""
    report = tomllib.loads(REPORT.read_text(encoding="utf-8"))
    grammar = Grammar(report, seed)
    tokenizer = learned_tokenizer([text for text, _ in zip(grammar, range(5000), strict=False)])
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=n_layers,
        num_attention_heads=width // HEAD_WIDTH,
        max_position_embeddings=4 * N_TOKENS,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config)
    optimizer, schedule = slower_embedding(model)
    kept = kept_steps(n_steps)
    for step, ids in zip(range(n_steps + 1), batches(grammar, tokenizer), strict=False):
        loss = model(input_ids=ids, labels=ids).loss
        if step in kept:
            place = folder / f"step-{step}"
            model.save_pretrained(place)
            tokenizer.save_pretrained(place)
            print(f"step {step:5,}   loss {loss.item():.3f}   {place}", flush=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a new or empty one, for the checkpoints")
    parser.add_argument("--steps", type=int, default=1000, help="the last one (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and sentences (%(default)s)")
    parser.add_argument("--layers", type=int, default=4, help="%(default)s by default")
    parser.add_argument("--width", type=int, default=128, help=f"a multiple of {HEAD_WIDTH} (%(default)s)")
    given = parser.parse_args()
    if given.steps < 1 or given.layers < 1:
        parser.error("--steps, --layers: expected 1 or more")
    if given.width < 1 or given.width % HEAD_WIDTH:
        parser.error(f"--width: expected a multiple of {HEAD_WIDTH}, got {given.width}")
    if given.folder.exists() and (not given.folder.is_dir() or any(given.folder.iterdir())):
        parser.error(f"{given.folder}: expected a new or empty folder; checkpoints would be mixed with what is there")
    # In a model this small, threads mostly wait for each other, and sums would depend on how many there are.
    torch.set_num_threads(1)
    disable_progress_bar()
    train(given.folder, n_steps=given.steps, seed=given.seed, n_layers=given.layers, width=given.width)


if __name__ == "__main__":
    main()
