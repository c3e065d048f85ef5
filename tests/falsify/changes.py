"""Reports on two models of one form, before and after: what their headlines say of nulls, and of edits whose size is known.

How large a change is follows from purities that are worked out here, and not from what reports are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import families
import making
import numpy as np
from tiny_tokenizers import whole_words

from falsify import paired
from falsify.announced import ALL_WORDS, AT_MOST, CHANGE, IDENTICAL, LESS, MORE, SHOWN, Announcement
from falsify.case import N_NULL, N_PLANTED, Case, Kind
from falsify.reports import CHANGES, DIFFERENCES, Asked, decided, inputs_of, labelled, named
from falsify.sample import Sample, captured_in
from falsify.stages import ARCHITECTURES
from falsify.untrained import N_LAYERS
from tokviz.records import HiddenStates, WordList
from tokviz.run.plan.inputs import Inputs
from tokviz.run.plan.related import Related

BEFORE, AFTER = "before", "after"
PURITY = "purity of "
MUST, MAY = 0.6, 0.05
"""Of purity: a category that changes by so much must be told of; one that changes by less never."""
N_REDRAWS = 16
"""Of noise, whose mean is what a noisy copy truly differs by."""
Random = np.random.Generator
States = list[np.ndarray]
"""``(n_words, width)`` of each depth."""
Edit = Callable[[Random, States, np.ndarray], States]
"""Of the states of one template, with the category of each word, −1 of those that aren't compared."""


# --- what there is to change -----------------------------------------------------------------------------------------


def _base(number: int, random: Random, sample: Sample) -> Inputs:
    """A model of the sample in one of its contexts, or a made-up one; only what a change is measured of."""
    slugs = list(sample.captures)
    if number % 3 < len(slugs):
        own = sample.captures[slugs[number % 3]]
        found = own[number // 3 % len(own)]
    else:
        world = paired.sample_like(random)
        states, _ = (next(iter(each)) for each in world.drawn(random))
        words = labelled(world.words, world.labels.tolist())
        found = inputs_of(named(making.hidden_states(states, positions=[1] * len(world.labels)), world.words), words)
    return bare(found)


def bare(inputs: Inputs) -> Inputs:
    """Without what no change is measured of."""
    return replace(inputs, against=(), given={}, related=Related(pairs=(), orders=()), measured=(), is_checkpoint=True)


def edited(inputs: Inputs, random: Random, edit: Edit) -> Inputs:
    """With other states in each template."""
    labels = _labels(inputs)

    def of(states: HiddenStates) -> HiddenStates:
        made = edit(random, [each.astype(np.float64) for each in states.states], labels)
        return replace(states, states=[each.astype(np.float32) for each in made], digest=str(random.integers(2**62)))

    first, *further = map(of, inputs.templates)
    return replace(inputs, states=first, further=tuple(further), ordinary=inputs.ordinary and first)


def _labels(inputs: Inputs) -> np.ndarray:
    reference = np.logical_and.reduce([each.tokenization.reference for each in inputs.templates])
    memberships = inputs.words.of(inputs.states.tokenization).memberships
    return np.array([own[0] if own and is_one else -1 for own, is_one in zip(memberships, reference, strict=True)])


def case_of(
    before: Inputs, after: Inputs, words: WordList, redrawn: Callable[[], Inputs] | None = None, *, alike: bool = False
) -> Case:
    """Of two models: what truly changed by ``MUST`` must be shown at each depth where it did; no headline may name what did by less than ``MAY``.

    Parameters
    ----------
    redrawn : another draw of the second model; what truly changed is the mean over many, and need not be shown by one.
    alike : whether they differ in nothing but noise, so that all that is announced is false.
    """
    report = decided({BEFORE: [before], AFTER: [after]}, words, Asked(compares=frozenset({DIFFERENCES, CHANGES})))
    where, own = f"{BEFORE}-{AFTER}/{before.states.context.name}", purities(before)
    others = [after] if redrawn is None else [redrawn() for _ in range(N_REDRAWS)]
    changed = {
        label: np.mean([purities(each)[label] - value for each in others], axis=0) for label, value in own.items()
    }
    largest = max(float(np.abs(each).max()) for each in changed.values())

    def is_false(each: Announcement) -> bool:
        if each.where != where or not each.kind.startswith((CHANGE, "paired")):
            return each.where == where and alike
        if each.kind == CHANGE and each.what.startswith(AT_MOST):
            return largest > float(each.what.removeprefix(AT_MOST)) + 0.01
        if each.kind != CHANGE or alike or not each.what.startswith(PURITY):
            return alike
        label, _, side = each.what.removeprefix(PURITY).rpartition(" ")
        return any(
            (changed[label][depth] < 0) != (side == LESS) or abs(changed[label][depth]) < MAY for depth in each.depths
        )

    return Case(
        report=report,
        is_false=is_false,
        planted=tuple(
            Announcement(CHANGE, f"{SHOWN}{label} {LESS if value[depth] < 0 else MORE}", where, (int(depth),))
            for label, value in changed.items()
            for depth in np.flatnonzero(np.abs(value) >= MUST)
            if not alike and redrawn is None and label != ALL_WORDS
        ),
        reach=0,
    )


def purities(inputs: Inputs) -> dict[str, np.ndarray]:
    """Of each category, and of all words, at each depth: how many of a word's five nearest are of it, by cosine of standardized states."""
    labels = _labels(inputs)
    rows = np.flatnonzero(labels >= 0)
    own = labels[rows]
    named = inputs.words.categories
    k = min(5, int(np.median(np.bincount(own)[np.unique(own)])) - 1)
    of_templates = []
    for states in inputs.templates:
        shares = []
        for state in states.states:
            scaled = state[rows].astype(np.float64) - state[rows].mean(axis=0, dtype=np.float64)
            spread = scaled.std(axis=0)
            scaled = scaled[:, spread > 1e-6] / spread[spread > 1e-6]
            scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
            alike = scaled @ scaled.T
            np.fill_diagonal(alike, -np.inf)
            near = np.argsort(-alike, axis=1, kind="stable")[:, :k]
            shares.append((own[near] == own[:, None]).mean(axis=1))
        rows_of = {ALL_WORDS: own >= 0} | {
            named[category].label: own == category for category in np.unique(own).tolist()
        }
        of_templates.append([[of[chosen].mean() for of in shares] for chosen in rows_of.values()])
    return dict(zip(rows_of, np.median(of_templates, axis=0), strict=True))


# --- nothing, or noise -------------------------------------------------------------------------------------------------


def noise(size: float) -> Edit:
    """A part of each dimension's spread."""

    def edit(random: Random, states: States, _: np.ndarray) -> States:
        return [state + size * state.std(axis=0) * random.normal(size=state.shape) for state in states]

    return edit


def _same(number: int, sample: Sample) -> Case:
    random = np.random.default_rng((61, number))
    base = edited(_base(number, random, sample), random, noise(0.1))
    found = case_of(base, base, base.words, alike=True)
    where = f"{BEFORE}-{AFTER}/{base.states.context.name}"
    identical = Announcement(CHANGE, IDENTICAL, where)
    return replace(found, planted=(identical,), is_false=lambda each: each.where == where and each != identical)


def _copies(size: float) -> Callable[[int, Sample], Case]:
    def case(number: int, sample: Sample) -> Case:
        random = np.random.default_rng((62, int(100 * size), number))
        base = _base(number, random, sample)
        one, other = (edited(base, random, noise(size)) for _ in range(2))
        return case_of(one, other, base.words, alike=True)

    return case


def _untrained(number: int, sample: Sample) -> Case:
    """Two models with random weights and the same tokens."""
    architecture = ARCHITECTURES[number % len(ARCHITECTURES)]
    with TemporaryDirectory(prefix="tokviz-falsify-") as name:
        folder = Path(name)
        for slug, seed in ((BEFORE, 2 * number), (AFTER, 2 * number + 1)):
            families.build(architecture, folder / slug, n_layers=N_LAYERS, seed=seed)
            tokens = np.random.default_rng(number).permutation(sample.words.words).tolist()
            whole_words(tokens).save_pretrained(folder / slug)
        captured = captured_in(sample, folder, BEFORE, AFTER)
        before, after = (bare(captured[slug][number % len(captured[slug])]) for slug in (BEFORE, AFTER))
        found = case_of(before, after, sample.words, alike=True)
    # Their words do have other neighbors: only what categories do is null.
    return replace(found, is_false=lambda each: each.kind.startswith((CHANGE, "paired")) and found.is_false(each))


def _noisy(number: int, sample: Sample) -> Case:
    random = np.random.default_rng((63, number))
    base, edit = _base(number, random, sample), noise((1.0, 2.0, 4.0)[number // 6 % 3])
    return case_of(base, edited(base, random, edit), base.words, redrawn=lambda: edited(base, random, edit))


# --- edits -------------------------------------------------------------------------------------------------------------


def _two(random: Random, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of two categories."""
    one, other = random.choice(np.unique(labels[labels >= 0]), 2, replace=False)
    return np.flatnonzero(labels == one), np.flatnonzero(labels == other)


def overwritten(random: Random, states: States, labels: np.ndarray) -> States:
    """A category's words get another one's states, from a depth on or up to one."""
    to, of = _two(random, labels)
    sources, from_depth = random.choice(of, len(to)), int(random.integers(len(states)))
    depths = range(from_depth, len(states)) if random.random() < 0.5 else range(from_depth + 1)
    for depth in depths:
        states[depth][to] = states[depth][sources] + 0.3 * states[depth].std(axis=0) * random.normal(
            size=states[depth][to].shape
        )
    return states


def exchanged(random: Random, states: States, labels: np.ndarray) -> States:
    """Two categories have each other's states at a depth: they keep as far apart as before, or nearly where one has more words."""
    one, other = _two(random, labels)
    n = min(len(one), len(other))
    depth = int(random.integers(len(states)))
    rows = np.concatenate([one[:n], other[:n]])
    states[depth][rows] = states[depth][np.roll(rows, n)]
    return states


def mixed(random: Random, states: States, labels: np.ndarray) -> States:
    """A half, or two thirds, of a category's words have other words' states, and these have theirs, from a depth on."""
    one, _ = _two(random, labels)
    moved = random.permutation(one)[: int(len(one) * random.choice([1 / 2, 2 / 3]))]
    others = random.choice(
        np.flatnonzero((labels >= 0) & ~np.isin(np.arange(len(labels)), one)), len(moved), replace=False
    )
    rows = np.concatenate([moved, others])
    for depth in range(int(random.integers(len(states))), len(states)):
        states[depth][rows] = states[depth][np.roll(rows, len(moved))]
    return states


def _planted(seed: int, edit: Edit) -> Callable[[int, Sample], Case]:
    def case(number: int, sample: Sample) -> Case:
        random = np.random.default_rng((seed, number))
        base = _base(number, random, sample)
        noisy = edited(base, random, noise(0.05))
        # In all templates the same words.
        drawn = int(random.integers(2**32))
        return case_of(base, edited(noisy, random, lambda _, *of: edit(np.random.default_rng(drawn), *of)), base.words)

    return case


def _kind(name: str, contents: str, make: Callable[[int, Sample], Case], n_reports: int, **more: float) -> Kind:
    return Kind(name=name, contents=contents, make=make, n_reports=n_reports, **more)


_COUNTED = f"planted: categories that change by {MUST} at least; false: such as change by less than {MAY}"
NULL: Sequence[Kind] = (
    _kind("the same states twice", "false: all but that they are identical", _same, N_NULL),
    _kind(
        "copies with little noise",
        "a fifth of each dimension's spread in both; false: any change",
        _copies(0.2),
        N_NULL,
    ),
    _kind(
        "copies with much noise",
        "four fifths of each dimension's spread in both; false: any change",
        _copies(0.8),
        N_NULL,
    ),
    _kind(
        "untrained models of one form",
        "other random weights, the same tokens; false: any change of categories",
        _untrained,
        N_NULL,
    ),
    _kind(
        "a noisy copy",
        f"one to four times each dimension's spread; false: what changes by less than {MAY} in the mean of {N_REDRAWS} draws",
        _noisy,
        N_NULL,
    ),
)
PLANTED: Sequence[Kind] = (
    _kind("a category overwritten", f"with another one's states; {_COUNTED}", _planted(64, overwritten), N_PLANTED),
    _kind("two categories exchanged", f"at a depth; {_COUNTED}", _planted(65, exchanged), N_PLANTED),
    # Several depths a report, some of which change by hardly more than that: of such ones one in twenty isn't shown.
    _kind(
        "a category mixed up",
        f"half of it or two thirds, with other words; {_COUNTED}",
        _planted(66, mixed),
        N_PLANTED,
        least_found=0.9,
    ),
)
