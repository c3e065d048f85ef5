"""What the lens reads: of random weights nothing, of a model whose categories one layer forms, that from there on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import families
import numpy as np
import torch
import transformers
from making import hidden_states
from reading import directions_of, same
from tiny_tokenizers import whole_words
from updating import measured

from falsify.announced import Announcement
from falsify.case import N_NULL, N_PLANTED, Case, Kind
from falsify.reports import Asked, decided, inputs_of, labelled
from falsify.sample import Sample, captured_in
from falsify.stages import ARCHITECTURES
from tokviz.capture import directions, find_structure, output_rows
from tokviz.config.lens import LensConfig
from tokviz.records import Tokenization, TokenizedWord
from tokviz.run.kinds.lenses import Lenses, LensInputs
from tokviz.run.plan.related import Related

N_LAYERS = 8
N_NAMES, N_FIRST = 6, 12
"""Categories, and how many tokens may be the first of a word and how many its second."""
N_DECODERS = 5
_FORMING_LAYERS = 5
_MOST_STEPS, _KNOWN, _LATEST = 1500, 0.95, 20
"""A training ends when over so many of its latest batches this part of the categories is named right: before, none is formed."""


def _is_false(announced: Announcement) -> bool:
    """A word's own token is in its state whatever the weights are."""
    return announced.kind == "lens" and not announced.what.startswith("own")


def random_weights(number: int, sample: Sample) -> Case:
    """A model with random weights, whose words and categories' names are a token each, read by a lens of its own."""
    architectures = [each for each in ARCHITECTURES if each not in ("bert", "modernbert")]  # these are no decoders
    architecture, seed = architectures[number % len(architectures)], number // len(architectures)
    random = np.random.default_rng((31, number))
    names = [name.strip() for name in sample.config.read_as]
    words = random.permutation([*sample.words.words, *names]).tolist()
    text = " ".join(random.choice(words, 4000).tolist())
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        families.build(architecture, folder / "one", n_layers=N_LAYERS, seed=seed)
        whole_words(words).save_pretrained(folder / "one")
        config = sample.config.model_copy(update={"lens": LensConfig(text=text)})
        captures = captured_in(replace(sample, config=config), folder, "one")
        asked = Asked(relations=sample.config.relation_list, orders=sample.config.order_list)
        report = decided(captures, sample.words, asked)
    return Case(report=report, is_false=_is_false)


def drawn_names(number: int, sample: Sample) -> Case:
    """Decoders that have nothing in common but words whose categories lie apart, each read with names that are drawn at random."""
    random = np.random.default_rng((34, number))
    fitted = [each for own in sample.captures.values() for each in own if not each.states.tokenization.reads_position_0]
    models = {}
    for index in range(N_DECODERS):
        capture = fitted[index % len(fitted)]
        ids = range(1, 1 + len(sample.words.categories))
        drawn = [random.normal(size=(len(ids), state.shape[1])) for state in capture.states.states]
        lens = LensInputs(names=directions_of(ids, same(drawn)), words=None, random=None, reason=None)
        given = {**capture.given, Lenses: lens}
        models[f"decoder-{index}"] = [replace(capture, related=Related(pairs=(), orders=()), given=given)]
    return Case(report=decided(models, sample.words), is_false=_is_false)


# --- a layer that forms categories -----------------------------------------------------------------------------------


def formed(number: int, sample: Sample) -> Case:
    """Words of two tokens, whose category follows from both together: only one layer can know it, as the others do nothing."""
    layer = number % _FORMING_LAYERS
    head = _trained(layer, number)
    module, structure = head.base_model, find_structure(head.base_model, "model")
    words, labels = _words()
    _, states, _ = measured(module, words)
    listed = labelled([word.word for word in words.words], labels)
    names = range(1, 1 + N_NAMES)
    rows = output_rows(module, structure, head.get_output_embeddings().weight, list(names))
    text = _text(np.random.default_rng((32, number)), 32, 64)
    [(_, halves)] = directions(module, structure, rows, text)
    lens = LensInputs(
        names=directions_of(list(names), [(one, other) for one, other in halves]), words=None, random=None, reason=None
    )
    # Rows are sorted by category, as the list is.
    made = replace(hidden_states([np.asarray(each) for each in states]), tokenization=words)
    report = decided({"one": [replace(inputs_of(made, listed), given={Lenses: lens})]}, listed)
    return Case(
        report=report,
        is_false=lambda each: each.kind == "lens" and min(each.depths, default=layer + 1) < layer,
        planted=(Announcement("lens", "named.claim", "one/alone", (layer + 1,)),),
    )


def _words() -> tuple[Tokenization, list[int]]:
    """Every pair of tokens, and its category; by category."""
    pairs = sorted(((first + second) % N_NAMES, first, second) for first in range(N_FIRST) for second in range(N_FIRST))
    words = tuple(
        TokenizedWord(
            word=f"{first}-{second}",
            text=f"{first}-{second}",
            ids=(0, 1 + N_NAMES + first, 1 + N_NAMES + N_FIRST + second),
            pieces=("start", f"{first}", f"{second}"),
            start=1,
            stop=3,
        )
        for _, first, second in pairs
    )
    return Tokenization(words=words, read="last"), [label for label, _, _ in pairs]


def _text(random: np.random.Generator, n_passages: int, n_tokens: int) -> np.ndarray:
    """``(n_passages, n_tokens)``: a word's two tokens and its category's name, again and again."""
    n_words = n_tokens // 3
    first, second = random.integers(0, N_FIRST, (2, n_passages, n_words))
    names = 1 + (first + second) % N_NAMES
    words = np.stack([1 + N_NAMES + first, 1 + N_NAMES + N_FIRST + second, names], axis=2).reshape(n_passages, -1)
    return np.hstack([np.zeros((n_passages, n_tokens - 3 * n_words), dtype=np.int64), words])


def _trained(layer: int, seed: int) -> Any:
    """A Llama of which only this layer writes into the residual stream, trained to name the category after each word."""
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=1 + N_NAMES + 2 * N_FIRST,
        hidden_size=32,
        intermediate_size=128,
        num_hidden_layers=_FORMING_LAYERS,
        num_attention_heads=4,
        num_key_value_heads=4,
        tie_word_embeddings=False,
    )
    head: Any = transformers.LlamaForCausalLM(config)
    for index, block in enumerate(head.model.layers):
        block.requires_grad_(index == layer)
        if index != layer:
            block.self_attn.o_proj.weight.data.zero_()
            block.mlp.down_proj.weight.data.zero_()
    head.model.embed_tokens.weight.data.mul_(20)
    blocks = head.model.layers
    head.model.layers = torch.nn.ModuleList([blocks[layer]])  # what the others add is 0
    optimizer = torch.optim.AdamW([each for each in head.parameters() if each.requires_grad], lr=3e-3)
    random = np.random.default_rng((33, seed))
    right: list[float] = []
    while len(right) < _MOST_STEPS and (len(right) < _LATEST or np.mean(right[-_LATEST:]) < _KNOWN):
        ids = torch.from_numpy(_text(random, 16, 64))
        logits = head(input_ids=ids, use_cache=False).logits[:, :-1]
        is_name = (ids[:, 1:] > 0) & (ids[:, 1:] <= N_NAMES)
        wanted = ids[:, 1:][is_name]
        right.append(float((logits[is_name].argmax(-1) == wanted).float().mean()))
        loss = torch.nn.functional.cross_entropy(logits[is_name], wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    head.model.layers = blocks
    return head.eval()


NULL = (
    Kind(
        name="lens of random weights",
        contents=f"a model of {N_LAYERS} layers with random weights and a token a word; false: categories and pairs that its lens reads",
        make=random_weights,
        n_reports=N_NULL,
    ),
    Kind(
        name="names drawn at random",
        contents=(
            f"{N_DECODERS} decoders with the sample's captures, whose categories lie apart; false: that a lens reads categories by names "
            "that mean nothing"
        ),
        make=drawn_names,
        n_reports=N_NULL,
    ),
)
PLANTED = (
    Kind(
        name="categories formed by a layer",
        contents=(
            f"words of two tokens in a model of {_FORMING_LAYERS} layers, of which one is trained to name their category; planted: the lens "
            "reads it from there on; false: more than a layer before"
        ),
        make=formed,
        n_reports=N_PLANTED,
    ),
)
