"""Models with random weights, captured as any others: each word is a token of its own, so that nothing is true of the words.

Neither is anything true of one of them and its controls, which are of the same form with other random weights.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import families
import numpy as np
from tiny_tokenizers import whole_words

from falsify.case import Case, Kind
from falsify.reports import DIFFERENCES, SIMILARITY, Asked, decided
from falsify.sample import Sample, captured_in
from falsify.stages import ARCHITECTURES
from tokviz.measure.profile import FAMILY

N_SEEDS, N_LAYERS = 9, 8


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


def with_controls(number: int, sample: Sample) -> Case:
    """A model with random weights and its controls, as if it had been trained."""
    architecture, seed = ARCHITECTURES[number % len(ARCHITECTURES)], number // len(ARCHITECTURES)
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        families.build(architecture, folder / "one", n_layers=N_LAYERS, seed=seed)
        whole_words(np.random.default_rng(seed).permutation(sample.words.words).tolist()).save_pretrained(
            folder / "one"
        )
        report = decided(
            captured_in(sample, folder, "one", untrained=True),
            sample.words,
            Asked(relations=sample.config.relation_list, orders=sample.config.order_list),
        )
    return Case(report=report, is_false=lambda each: each.kind == FAMILY or each.what.startswith("untrained."))


NULL = (
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
        name="untrained against untrained",
        contents=(
            f"a model of one of {len(ARCHITECTURES)} architectures with {N_LAYERS} layers and random weights, and its controls; false: "
            "that it differs from that of all random weights, or from all of those with its own embedding"
        ),
        make=with_controls,
        n_reports=N_SEEDS * len(ARCHITECTURES),
    ),
)
