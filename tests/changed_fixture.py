"""A report of two models of one form, before and after, with differences that a test chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from claiming import decided
from paired_fixture import measure, measures, paired
from profile_fixture import differences
from report_fixture import ALONE, SENTENCE, model_report, sample_report, word_list

from tokviz.records import COMMON, Changed, ModelReport, Moved, Paired, PairedMeasure, PairedMeasures, Report

N_LAYERS = 4
N_DEPTHS = N_LAYERS + 1
NOTHING = (0.0,) * N_DEPTHS
Values = Sequence[float]
"""Per depth."""


def moved(n_depths: int, n_words: int, movers: Mapping[tuple[int, int], int]) -> Moved:
    """``movers``: of some depths and words how many of five neighbors they lost, which is announced."""
    lost = np.zeros((n_depths, n_words), dtype=np.int64)
    for at, n in movers.items():
        lost[at] = n
    near = (np.arange(n_words)[:, None] + np.arange(1, 6)) % n_words
    nearest = np.stack([np.tile(near, (n_depths, 1, 1)), np.tile(near[:, ::-1], (n_depths, 1, 1))])
    return Moved(k=5, lost=lost, nearest=nearest, claim=decided(lost.ravel() > 0, "movers"))


def changed(
    model: ModelReport,
    *,
    is_same: bool = False,
    movers: Mapping[tuple[int, int], int] | None = None,
    n_asked: int | None = None,
) -> Changed:
    """``n_asked``: of so many words whether they moved, the first; None: of all."""
    shown = replace(model.contexts[0].projections[0].projection, name=COMMON)
    after = replace(shown, coordinates=shown.coordinates + (0 if is_same else 0.1))
    none = np.zeros(len(shown.problems), dtype=bool)
    rows = np.flatnonzero(shown.reference)[:n_asked]
    found = moved(len(none), len(rows), movers or {})
    alike = np.linspace(1, 0.5, len(none))
    return Changed(
        before=shown,
        after=after,
        is_centered=none,
        is_same=none | is_same,
        cka=alike,
        neighbours=alike**2,
        moved=found,
        rows=rows,
    )


def change_report(
    overall: Values = NOTHING,
    categories: Mapping[int, Values] | None = None,
    *,
    measured: str = "purity",
    is_same: bool = False,
    is_announced: bool = True,
    movers: Mapping[tuple[int, int], int] | None = None,
    n_asked: int | None = None,
    further_templates: tuple[str, ...] = (),
) -> Report:
    """``overall``, ``categories``: after less before, which is announced where it isn't 0; a band reaches 0.08 to either side."""
    words = word_list(n_categories=3, n_words=4)
    context = replace(SENTENCE, further_templates=further_templates)
    before, after = (
        model_report(slug, slug.capitalize(), N_LAYERS, words, (context,), measured=True) for slug in ("base", "tuned")
    )
    rows = [(categories or {}).get(index, NOTHING) for index in range(3)]

    def held(values: Sequence[Values], family: str) -> Paired:
        """Of before less after."""
        holds = [[bool(each) and is_announced for each in row] for row in values]
        return paired([[-each for each in row] for row in values], holds, family)

    of = PairedMeasure(overall=held([overall], "paired"), by_category=held(rows, "paired by category"))
    nothing = PairedMeasure(overall=held([NOTHING], "paired"), by_category=held([NOTHING] * 3, "paired by category"))
    found = measures(**{"purity": nothing, measured: of}, depths=[(depth, depth) for depth in range(N_DEPTHS)])
    pair = replace(
        differences("base", "tuned", SENTENCE.name),
        paired=found,
        changed=changed(before, is_same=is_same, movers=movers, n_asked=n_asked),
    )
    return replace(
        sample_report(),
        words=words,
        contexts=(context,),
        models=(before, after),
        intro=(),
        downloads={},
        similarities=(),
        differences=(pair,),
    )


# --- at random -------------------------------------------------------------------------------------------------------

_VALUES, _ERRORS = (0.0, 0.02, -0.03, 0.06, -0.1, 0.3, -0.4, 0.9), (0.001, 0.005, 0.01, 0.02, 0.05)
"""Of differences, and of what they are known to."""


def random_change_report(random: np.random.Generator) -> Report:
    """Any shape of records.

    One context or two, templates, few words or depths, categories that weren't compared, states that are the same or undefined at some
    depths, further layers.
    """
    n_layers, n_categories = int(random.integers(0, 6)), int(random.integers(2, 13))
    words = word_list(n_categories=n_categories, n_words=2)
    contexts = (SENTENCE, ALONE)[: int(random.integers(1, 3))]
    models = [model_report(slug, slug.capitalize(), n_layers, words, contexts) for slug in ("base", "tuned")]
    if random.random() < 0.2:
        models = [_with_further_layers(each) for each in models]
    pairs = tuple(
        replace(
            differences("base", "tuned", context.name),
            paired=_random_measures(random, n_layers + 1, n_categories) if random.random() < 0.95 else None,
            changed=_random_changed(random, models[0]),
        )
        for context in contexts
    )
    return replace(
        sample_report(),
        words=words,
        contexts=contexts,
        models=tuple(models),
        intro=(),
        downloads={},
        similarities=(),
        differences=pairs,
    )


def _with_further_layers(model: ModelReport) -> ModelReport:
    return replace(
        model,
        contexts=tuple(
            replace(each, states=replace(each.states, card=replace(each.states.card, n_layers=each.states.n_depths)))
            for each in model.contexts
        ),
    )


def _random_changed(random: np.random.Generator, model: ModelReport) -> Changed:
    found = changed(model)
    return replace(found, is_same=random.random(len(found.is_same)) < random.choice([0.0, 0.0, 0.3, 1.0]))


def _random_measures(random: np.random.Generator, n_depths: int, n_categories: int) -> PairedMeasures:
    left_out = random.random(n_categories) < random.choice([0.0, 0.0, 0.2])
    compared = np.flatnonzero(~left_out | (np.arange(n_categories) < 2))
    nothing = measures(measure([0.0] * n_depths, [False] * n_depths), [(depth, depth) for depth in range(n_depths)])
    n_templates, largest = int(random.integers(1, 4)), random.choice(np.arange(1, len(_VALUES) + 1))
    values = [random.choice(_VALUES[: int(random.integers(1, largest + 1))], (len(compared), n_depths)) for _ in "ps"]
    if random.random() < 0.3:  # of one depth, or of all depths, the same
        values = [np.where(np.arange(n_depths) == random.integers(n_depths), each, 0) for each in values]
    elif random.random() < 0.5:
        values = [np.repeat(each[:, :1], n_depths, axis=1) for each in values]
    few, undefined = random.random(len(compared)) < random.choice([0, 0.3, 1]), random.random(n_depths) < 0.1
    threshold = random.choice([4.0, 4.0, 4.0, np.inf])

    def of(rows: np.ndarray, few: np.ndarray, family: str) -> Paired:
        every = np.where(undefined, np.nan, rows + 0.002 * random.normal(size=(n_templates, *rows.shape)))
        made = paired(rows.tolist(), np.zeros(rows.shape, dtype=bool).tolist(), family)
        found = replace(
            made,
            differences=every,
            errors=random.choice(_ERRORS, every.shape),
            freedom=np.where(few, 0, made.freedom),
            claim=replace(made.claim, threshold=threshold),
        )
        with np.errstate(invalid="ignore"):
            holds = (np.abs(found.t) > threshold) & ~few[:, None] & (random.random(rows.shape) < 0.9)
        return replace(found, claim=replace(found.claim, holds=holds.ravel()))

    def each(values: np.ndarray) -> PairedMeasure:
        overall = values.mean(axis=0, keepdims=True) if len(values) else np.zeros((1, n_depths))
        return PairedMeasure(
            overall=of(overall, np.array([random.random() < 0.2]), "paired"),
            by_category=of(values, few, "paired by category"),
        )

    return replace(nothing, categories=tuple(compared.tolist()), purity=each(values[0]), silhouette=each(values[1]))
