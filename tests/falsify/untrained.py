"""Models with random weights, captured as any others: each word is a token of its own, so that nothing is true of the words.

Neither is anything true of one of them and its controls, which are of the same form with other random weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import families
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tiny_tokenizers import whole_words

from falsify.announced import Announcement
from falsify.case import Case, Kind
from falsify.reports import DIFFERENCES, SIMILARITY, Asked, decided
from falsify.sample import Sample, captured_in
from falsify.stages import ARCHITECTURES
from tokviz.config import ReportConfig
from tokviz.records import Report

N_SEEDS, N_LAYERS = 9, 8
CONTEXTS = [{"name": "alone", "template": "{word}"}, {"name": "sentence", "template": "The word is {word}"}]
SCALES = (1.0, 2.0, 5.0)
"""Of the usual random weights."""
N_PIECES = 60
"""Tokens, of which each is in four words or six."""


def of_several_tokens(number: int) -> tuple[Sample, list[str]]:
    """Nine categories of thirteen words, each two or three tokens that words share at random, a relation and orders; and the tokens."""
    random = np.random.default_rng((17, number))
    pieces = [f"{chr(97 + at % 26)}{at:03d}" for at in random.permutation(999)[:N_PIECES]]
    found: dict[str, None] = {}
    while len(found) < 9 * 13:
        found[" ".join(random.choice(pieces, 2 + number % 2, replace=False))] = None
    words = random.permutation(list(found)).reshape(9, 13)
    drawn = random.permutation(words.ravel())[:12].tolist()
    config = ReportConfig.model_validate(
        {
            "words": {f"category_{index}": own.tolist() for index, own in enumerate(words)},
            "models": [{"source": "one"}],
            "contexts": CONTEXTS,
            "relations": [{"name": "first", "pairs": words[:2, :10].T.tolist()}],
            "orders": [{"name": "first", "category": "category_2", "cyclic": True}, {"name": "second", "words": drawn}],
        }
    )
    return Sample(config=config, captures={}), pieces


def several_tokens(number: int, _: Sample) -> Case:
    """Two models of one architecture, with weights of their own, and tokens that are the same.

    That its layers keep more neighbors in a sentence, where there is more to attend to than the word's own first tokens, can be true:
    for five models of which it was announced it held of other words of these tokens, by about as much, in 14 lists of 14.
    """
    architecture = ARCHITECTURES[number % len(ARCHITECTURES)]
    own, pieces = of_several_tokens(number)
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        for slug, seed in (("one", 2 * number), ("other", 2 * number + 1)):
            families.build(architecture, folder / slug, n_layers=N_LAYERS, seed=seed)
            whole_words(pieces).save_pretrained(folder / slug)
        # Words that share a token are alike in any model: that two models agree in that is true.
        asked = replace(_asked_of(own), compares=frozenset({DIFFERENCES}))
        report = decided(captured_in(own, folder, "one", "other"), own.words, asked)
    return Case(report=report, is_false=lambda each: not each.what.startswith("first_context.kept."))


def untrained(number: int, sample: Sample) -> Case:
    """Two models of one architecture, with weights and tokens of their own."""
    architecture, seed = ARCHITECTURES[number % len(ARCHITECTURES)], number // len(ARCHITECTURES)
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        for slug, own in (("one", seed), ("other", N_SEEDS + seed)):
            families.build(architecture, folder / slug, n_layers=N_LAYERS, seed=own)
            whole_words(np.random.default_rng(own).permutation(sample.words.words).tolist()).save_pretrained(
                folder / slug
            )
        asked = Asked(
            relations=sample.config.relation_list,
            orders=sample.config.order_list,
            compares=frozenset({DIFFERENCES, SIMILARITY}),
        )
        report = decided(captured_in(sample, folder, "one", "other"), sample.words, asked)
    return Case(report=report, is_false=lambda _: True)


def _asked_of(sample: Sample) -> Asked:
    return Asked(relations=sample.config.relation_list, orders=sample.config.order_list)


def _beside_controls(sample: Sample, folder: Path) -> Report:
    """The model ``one`` with its controls, decided."""
    return decided(captured_in(sample, folder, "one", untrained=True), sample.words, _asked_of(sample))


def with_controls(number: int, sample: Sample) -> Case:
    """A model with random weights and its controls, as if it had been trained."""
    architecture, seed = ARCHITECTURES[number % len(ARCHITECTURES)], number // len(ARCHITECTURES)
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        families.build(architecture, folder / "one", n_layers=N_LAYERS, seed=seed)
        own, tokens = of_several_tokens(number) if seed % 2 else (sample, list(sample.words.words))
        whole_words(np.random.default_rng(seed).permutation(tokens).tolist()).save_pretrained(folder / "one")
        report = _beside_controls(own, folder)
    return Case(
        report=report,
        is_false=_is_of_controls,
    )


def _is_of_controls(announced: Announcement) -> bool:
    """That a model differs from random or permuted layers: word by word, or in a relation or an order."""
    return announced.what.startswith(("untrained.", "layers "))


def at_a_scale(number: int, sample: Sample) -> Case:
    """A model whose embedding knows the categories, with random layers that add less or more than those of its controls."""
    architecture, scale = ARCHITECTURES[number % len(ARCHITECTURES)], SCALES[number // len(ARCHITECTURES) % len(SCALES)]
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        families.build(architecture, folder / "one", n_layers=N_LAYERS, seed=number)
        random = np.random.default_rng((15, number))
        order = random.permutation(sample.words.words).tolist()
        tokenizer = whole_words(order)
        tokenizer.save_pretrained(folder / "one")
        first = dict(zip(sample.words.words, (own[0] for own in sample.words.memberships), strict=True))
        categories = {number: first[word] for number, word in enumerate(order, start=len(tokenizer) - len(order))}
        _scale(folder / "one" / "model.safetensors", scale, categories, random)
        report = _beside_controls(sample, folder)
    return Case(
        report=report,
        is_false=_is_of_controls,
    )


def shared_tokens(number: int, _: Sample) -> Case:
    """Two models with random weights, and words of two tokens of which a category has the first in common."""
    architecture, random = ARCHITECTURES[number % len(ARCHITECTURES)], np.random.default_rng((16, number))
    n_categories, n_each = int(random.integers(4, 10)), int(random.integers(8, 14))
    names = [f"{chr(97 + at % 26)}{at:03d}" for at in random.permutation(999)]
    firsts, seconds = names[:n_categories], names[n_categories : n_categories * (n_each + 1)]
    words = {
        first: [f"{first} {second}" for second in seconds[at * n_each : (at + 1) * n_each]]
        for at, first in enumerate(firsts)
    }
    config = ReportConfig.model_validate({"words": words, "models": [{"source": "one"}], "contexts": CONTEXTS})
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        for slug, seed in (("one", 2 * number), ("other", 2 * number + 1)):
            families.build(architecture, folder / slug, n_layers=N_LAYERS, seed=seed)
            whole_words(random.permutation([*firsts, *seconds]).tolist()).save_pretrained(folder / slug)
        own = Sample(config=config, captures={})
        report = decided(captured_in(own, folder, "one", "other"), own.words, Asked())
    return Case(report=report, is_false=lambda each: each.kind == "surface")


def _scale(weights: Path, scale: float, categories: Mapping[int, int], random: np.random.Generator) -> None:
    """Layers' matrices, which ``families.build`` has made five times as large as usual; and rows of the embedding by category."""
    tensors = load_file(weights)
    n_tokens = max(categories) + 1
    embeddings = [
        path for path, each in tensors.items() if each.ndim == 2 and re.search(r"(embed|wte|word_embeddings)", path)
    ]
    (path, *_) = [each for each in embeddings if "position" not in each and tensors[each].shape[0] >= n_tokens]
    embedding = tensors[path].clone()
    spread = float(embedding.std())
    means = random.normal(size=(max(categories.values()) + 1, embedding.shape[1]))
    for token, category in categories.items():
        row = means[category] + random.normal(size=embedding.shape[1])
        embedding[token] = torch.from_numpy(spread * row / 2**0.5)
    tensors[path] = embedding
    for each, tensor in tensors.items():
        if tensor.ndim > 1 and re.search(r"\.\d+\.", each):
            tensors[each] = (tensor * scale / 5).contiguous()
    save_file(tensors, weights, metadata={"format": "pt"})


NULL = (
    Kind(
        name="random layers of another scale",
        contents=(
            f"an embedding that knows the categories, and {N_LAYERS} random layers whose weights are as usual, twice and five times as "
            "large; false: that they differ from random or permuted layers"
        ),
        make=at_a_scale,
        n_reports=N_SEEDS * len(ARCHITECTURES),
    ),
    Kind(
        name="random weights, shared tokens",
        contents=(
            f"two models of one of {len(ARCHITECTURES)} architectures with {N_LAYERS} layers, 4–9 categories of 8–13 words of two "
            "tokens, the first one the category’s own; false: above the words’ surface"
        ),
        make=shared_tokens,
        n_reports=N_SEEDS * len(ARCHITECTURES),
    ),
    Kind(
        name="random weights",
        contents=(
            f"two models of one of {len(ARCHITECTURES)} architectures with {N_LAYERS} layers, the sample's words, one token each; "
            "false: everything"
        ),
        make=untrained,
        n_reports=N_SEEDS * len(ARCHITECTURES),
    ),
    Kind(
        name="random weights, several tokens",
        contents=(
            f"two models of one of {len(ARCHITECTURES)} architectures with {N_LAYERS} layers, 9 × 13 words of two or three tokens, which "
            "words share at random; false: everything but that neighbors are kept otherwise in a sentence"
        ),
        make=several_tokens,
        n_reports=N_SEEDS * len(ARCHITECTURES),
    ),
    Kind(
        name="untrained against untrained",
        contents=(
            f"a model of one of {len(ARCHITECTURES)} architectures with {N_LAYERS} layers and random weights, and its controls, in half of the "
            "reports with words of several tokens; false: "
            "that it differs from all of those with its own embedding"
        ),
        make=with_controls,
        n_reports=N_SEEDS * len(ARCHITECTURES),
    ),
)
