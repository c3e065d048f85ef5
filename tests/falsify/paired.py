"""How often paired differences are announced between equal models, and how often planted ones are.

``PYTHONPATH=tests python -m falsify.paired --reports 300 --only equal`` counts by the question, each alone at 1 %;
``paired_reports`` makes whole reports of them for ``make falsify``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tokviz.measure import paired
from tokviz.measure.decisions import claims_in, decide, with_decisions
from tokviz.measure.groups import groups_of
from tokviz.records import Claim, Paired, PairedMeasures

N_DRAWS = 1_999
"""Twenty ÷ 1 %."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Words of categories as two models see them; all that they have in common is drawn once."""

    labels: np.ndarray
    """``(n_words,)``."""
    words: tuple[str, ...]
    width: int = 32
    strength: float = 0.6
    """Of categories, against words' own states of 1."""
    n_depths: tuple[int, int] = (6, 6)
    noise: tuple[float, float] = (1.0, 1.0)
    sources: np.ndarray | None = None
    """``(n_words,)``: words of one source have nearly the same states."""
    declared: Sequence[Sequence[str]] = ()
    alter: Callable[[np.random.Generator, np.ndarray, int], np.ndarray] | None = None
    """What else is done to the states ``(n_words, width)`` of the second model, at a depth."""
    templates: int = 1
    strengths: np.ndarray | None = None
    """``(2, n_categories)``: of each model's categories, relative to ``strength``."""
    are_strangers: bool = False
    """Whether each model has words' own states of its own."""
    to_embedding: bool = False
    """Whether the layers of the second model are held against its embedding."""

    def compared(self, random: np.random.Generator, n_draws: int = N_DRAWS) -> PairedMeasures:
        """Two models that see it with noise of their own, compared."""
        words = paired.PairedWords(
            words=self.words,
            memberships=tuple((int(label),) for label in self.labels),
            grouped=groups_of(self.words, declared=self.declared),
            n_draws=n_draws,
        )
        rows = np.arange(len(self.labels))
        sides = [[paired.measured(states, rows, words.units) for states in side] for side in self.drawn(random)]
        if self.to_embedding:
            layers = np.arange(1, self.n_depths[1])
            depths = np.stack([layers, np.zeros_like(layers)], axis=1)
            found = paired.compare(sides[1], sides[1], depths, words, same_form=False)
        else:
            depths = paired.aligned(*self.n_depths)
            found = paired.compare(sides[0], sides[1], depths, words, same_form=len(set(self.n_depths)) == 1)
        return with_decisions(found, decide(claims_in(found)))

    def drawn(self, random: np.random.Generator) -> Iterator[list[list[np.ndarray]]]:
        """Of each of the two models the states in each template."""
        means = random.normal(size=(self.labels.max() + 1, self.width))
        own = random.normal(size=(len(self.labels), self.width))
        for side in range(2):
            if self.are_strangers and side == 1:
                own = random.normal(size=own.shape)
            yield [list(self.states(random, side, means, own)) for _ in range(self.templates)]

    def states(
        self, random: np.random.Generator, side: int, means: np.ndarray, own: np.ndarray
    ) -> Iterator[np.ndarray]:
        """``(n_words, width)`` float32 at each depth of a model, of its words' own states and categories' means."""
        strengths = np.ones(len(means)) if self.strengths is None else self.strengths[side]
        noise = random.normal(size=own.shape)
        for depth in range(self.n_depths[side]):
            noise = 0.8 * noise + 0.6 * random.normal(size=own.shape)
            state = self.strength * (strengths[:, None] * means)[self.labels] + 0.7 * own + self.noise[side] * noise
            if self.sources is not None:
                state = state[self.sources] + 0.15 * random.normal(size=own.shape)
            if self.alter is not None and side == 1:
                state = self.alter(random, state, depth)
            yield state.astype(np.float32)


def _words(n: int) -> tuple[str, ...]:
    """Without a stem in common."""
    return tuple(f"{number:03d}word" for number in range(n))


def _of_sizes(sizes: Sequence[int], **more: Any) -> World:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return World(labels=labels, words=_words(len(labels)), **more)


def _drawn(random: np.random.Generator, most: int = 160) -> list[int]:
    """3–20 categories of 4–30 words, at most so many words in all and at least 24."""
    while True:
        sizes = [int(each) for each in random.integers(4, 31, random.integers(3, 21))]
        if 24 <= sum(sizes) <= most:
            return sizes


# --- nulls -----------------------------------------------------------------------------------------------------------


def equal(random: np.random.Generator) -> World:
    """Any list, purity from chance to 1."""
    return _of_sizes(_drawn(random), strength=random.choice([0.0, 0.4, 0.8, 1.6]), width=int(random.choice([32, 256])))


def small(random: np.random.Generator) -> World:
    """6 × 4 words, the least that is answered, to 5 × 6."""
    sizes = [[4] * 6, [4] * 8, [6] * 5, [4, 4, 4, 12]][random.integers(4)]
    return _of_sizes(sizes, strength=random.choice([0.0, 0.5, 1.0, 2.0]))


def single(random: np.random.Generator) -> World:
    """One or two large categories, and many of one word each."""
    sizes = [[30], [40, 20], [13] * 3, [10] * 5][random.integers(4)]
    return _of_sizes([*sizes, *[1] * int(random.integers(5, 21))], strength=random.choice([0.0, 0.4, 0.8]))


def short(random: np.random.Generator) -> World:
    """Six to nine words in four forms each, dealt to two lists: each word is more than a tenth of all."""
    n = int(random.integers(6, 10))
    words = tuple(
        f"{chr(97 + row)}{chr(107 + row)}alk{ending}" for row in range(n) for ending in ("", "s", "ed", "ing")
    )
    labels = np.repeat(np.arange(n) * 2 // n, 4)
    return World(labels=labels, words=words, sources=np.arange(len(words)) // 4 * 4, strength=0.0)


def beside_many(random: np.random.Generator) -> World:
    """Twenty-four words in four forms each, beside a list of thirteen that all begin alike: these count as so many words."""
    endings = ("", "s", "ed", "ing")
    of_forms = [f"{chr(97 + row)}{chr(97 + row // 5)}alk{ending}" for row in range(24) for ending in endings]
    many = [f"past{chr(97 + row)}{chr(98 + row)}" for row in range(13)]
    sources = np.concatenate([np.arange(96) // 4 * 4, np.arange(96, 109)])
    return World(
        labels=np.concatenate([np.repeat(np.arange(4), 24), np.full(13, 4)]),
        words=(*of_forms, *many),
        sources=sources,
        strength=random.choice([0.0, 0.5, 1.0]),
    )


def strangers(random: np.random.Generator) -> World:
    """Any list, of which models have nothing but the categories in common."""
    return replace(equal(random), are_strangers=True, n_depths=(6, 12))


def sample_like(random: np.random.Generator) -> World:
    """9 × 13 words, width 256."""
    return _of_sizes([13] * 9, strength=random.choice([0.3, 0.5, 0.8]), width=256)


def of_unlike_depth(random: np.random.Generator) -> World:
    """6 against 30 depths."""
    return _of_sizes([13] * 6, strength=random.choice([0.0, 0.5, 1.0]), n_depths=(6, 30))


def many_depths(random: np.random.Generator) -> World:
    """30 depths each."""
    return _of_sizes([10] * 5, strength=random.choice([0.0, 0.5, 1.0]), n_depths=(30, 30))


def pure(random: np.random.Generator) -> World:
    """Purity near 1: most words never change."""
    return _of_sizes([10] * 6, strength=random.choice([1.2, 1.5, 1.8]), n_depths=(12, 12))


def against_embedding(random: np.random.Generator) -> World:
    """Layers − embedding of one model, whose depths are alike."""
    return _of_sizes(_drawn(random, 100), strength=random.choice([0.0, 0.5, 1.0]), n_depths=(2, 8), to_embedding=True)


def hubs(random: np.random.Generator) -> World:
    """Up to four words of one model are near to half of all others; categories hold in neither."""
    chosen: list[int] = []

    def alter(random: np.random.Generator, state: np.ndarray, depth: int) -> np.ndarray:
        if not chosen:
            chosen.extend(random.choice(len(state), random.integers(1, 5), replace=False).tolist())
        for row in chosen:
            state[row] += state[random.permutation(len(state))[: len(state) // 2]].sum(axis=0) / 2
        return state

    return _of_sizes(_drawn(random, 100), strength=0.0, alter=alter)


def pairs(random: np.random.Generator) -> World:
    """Each word twice, as *abc* and *ABC* or as *abc* and *abcs*."""
    labels = np.repeat(np.arange(4), 20)
    n = len(labels) // 2
    texts = [f"{chr(97 + row // 26)}{chr(97 + row % 26)}quo" for row in range(n)]
    forms = [(text, text.upper()) if row % 2 else (text, f"{text}s") for row, text in enumerate(texts)]
    words = tuple(form for both in forms for form in both)
    return World(labels=labels, words=words, sources=np.arange(2 * n) // 2 * 2, strength=random.choice([0.0, 0.5, 1.0]))


def quadruples(random: np.random.Generator) -> World:
    """Four near-duplicates each, declared."""
    labels = np.repeat(np.arange(3), 40)
    words = _words(len(labels))
    declared = [words[start : start + 4] for start in range(0, len(words), 4)]
    sources = np.arange(len(words)) // 4 * 4
    return World(
        labels=labels, words=words, sources=sources, declared=declared, strength=random.choice([0.0, 0.5, 1.0])
    )


def undeclared(random: np.random.Generator) -> World:
    """The same quadruples, not declared: without threshold."""
    world = quadruples(random)
    return replace(world, declared=())


def forms(random: np.random.Generator) -> World:
    """Three forms of each word, known by their letters or declared, lie nearer to each other in the first model; categories hold in neither."""
    loose = random.uniform(0.4, 1.2)

    def alter(random: np.random.Generator, state: np.ndarray, depth: int) -> np.ndarray:
        return np.asarray(state + loose * random.normal(size=state.shape))

    labels = np.repeat(np.arange(9), 12)
    n = len(labels) // 3
    texts = [f"{chr(97 + row // 26)}{chr(97 + row % 26)}quo" for row in range(n)]
    if random.integers(2):
        words = tuple(form for text in texts for form in (text, f"{text}s", f"{text}ing"))
        declared: list[tuple[str, ...]] = []
    else:
        words = _words(len(labels))
        declared = [words[start : start + 3] for start in range(0, len(words), 3)]
    sources = np.arange(len(words)) // 3 * 3
    return World(labels=labels, words=words, sources=sources, declared=declared, strength=0.0, alter=alter)


def outlier(random: np.random.Generator) -> World:
    """One word of one model is thirty times as long as others, so that the scaling hangs on it."""

    def alter(random: np.random.Generator, state: np.ndarray, depth: int) -> np.ndarray:
        state[7] *= 30
        return state

    return _of_sizes(_drawn(random, 120), strength=random.choice([0.4, 0.8, 1.2]), alter=alter)


def outliers(random: np.random.Generator) -> World:
    """Two to six words of one model are five to a thousand times as long as others, in one category of many words or anywhere."""
    sizes = [60, *[6] * 8] if random.random() < 0.5 else [12] * int(random.integers(5, 10))
    n_far = int(random.integers(2, 7))
    far = random.choice(sizes[0] if random.random() < 0.5 else sum(sizes), n_far, replace=False)
    lengths = 10 ** random.uniform(0.7, 3, size=(n_far, 1))

    def alter(random: np.random.Generator, state: np.ndarray, depth: int) -> np.ndarray:
        state[far] *= lengths
        return state

    return _of_sizes(sizes, strength=random.choice([0.4, 0.8, 1.2]), alter=alter)


def templates(random: np.random.Generator) -> World:
    """The median over eight templates."""
    return _of_sizes([8] * 5, strength=random.choice([0.0, 0.5, 1.0]), templates=8, n_depths=(5, 5))


# --- planted ---------------------------------------------------------------------------------------------------------


def nine(random: np.random.Generator) -> World:
    """9 × 13 words: D about 0.2 at each depth."""
    return _of_sizes([13] * 9, strength=0.55, noise=(0.7, 1.01), width=64, n_depths=(8, 8))


def four(random: np.random.Generator) -> World:
    """4 × 10 words: D about 0.3."""
    return _of_sizes([10] * 4, strength=0.6, noise=(0.55, 1.22), width=64, n_depths=(8, 8))


def one(random: np.random.Generator) -> World:
    """9 × 13 words, one category of which dissolves: D about 0.6 in it."""
    strengths = np.ones((2, 9))
    strengths[1, 0] = 0.33
    return _of_sizes([13] * 9, strength=0.75, noise=(0.8, 0.8), width=64, n_depths=(8, 8), strengths=strengths)


Made = Callable[[np.random.Generator], World]
NULL: dict[str, Made] = {
    each.__name__: each
    for each in (
        *(equal, small, sample_like, of_unlike_depth, many_depths, pure, against_embedding),
        *(hubs, pairs, quadruples, beside_many, outlier, outliers, templates, strangers),
    )
}
COUNTED: dict[str, Made] = {"undeclared": undeclared}
PLANTED: dict[str, Made] = {each.__name__: each for each in (nine, four, one)}
OF_CATEGORIES: dict[str, Made] = {"forms": forms}
"""What is false of categories alone: neighbors that are kept do differ."""
KINDS = {**NULL, **COUNTED, **PLANTED, **OF_CATEGORIES}


def report(kind: str, number: int) -> PairedMeasures:
    """One of a kind, drawn from its number alone."""
    random = np.random.default_rng((12, *kind.encode(), number))
    return KINDS[kind](random).compared(random)


# --- what is announced -----------------------------------------------------------------------------------------------


def alone(claim: Claim) -> np.ndarray:
    """What a claim would announce if nothing else were asked: at the level of 1 %."""
    families = decide([claim])
    return claim.decided(families[claim.family]).holds if claim.family in families else claim.holds


def questions(found: PairedMeasures) -> Iterator[tuple[str, Paired]]:
    """By name."""
    for name in PairedMeasures.MEASURES:
        measure = getattr(found, name)
        yield name, measure.overall
        yield f"{name} by category", measure.by_category


def announced(found: PairedMeasures) -> list[str]:
    """The questions that are announced, each alone at 1 %; and ``report`` where any of a decided report is."""
    names = [name for name, each in questions(found) if alone(each.claim).any()]
    return [*names, "report"] if any(each.holds.any() for _, each in questions(found)) else names


def main() -> None:
    """Count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=300)
    parser.add_argument("--only", choices=KINDS, action="append")
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--to", type=Path, help="a file, a line a report; goes on from there")
    asked = parser.parse_args()
    latest, names = time.monotonic() + 60 * asked.minutes, asked.only or list(KINDS)
    lines = asked.to.read_text().splitlines() if asked.to and asked.to.exists() else []
    done = {(each["kind"], each["number"]) for each in map(json.loads, lines)}
    with threadpool_limits(1):
        for number, name in ((number, name) for number in range(asked.reports) for name in names):
            if (name, number) in done or time.monotonic() > latest:
                continue
            start = time.process_time()
            found = report(name, number)
            line = {
                "kind": name,
                "number": number,
                "announced": announced(found),
                "d": float(found.purity.overall.value.mean()),
                "d_first": float(found.purity.by_category.value[0].mean()),
                "seconds": time.process_time() - start,
            }
            lines.append(json.dumps(line))
            if asked.to:
                with asked.to.open("a") as file:
                    print(lines[-1], file=file)
    print(table([json.loads(each) for each in lines]))


def table(results: Sequence[dict[str, Any]]) -> str:
    """A line a kind."""
    shown = []
    for name in KINDS:
        own = [each for each in results if each["kind"] == name]
        if own:
            asked = [f"{which}{suffix}" for which in PairedMeasures.MEASURES for suffix in ("", " by category")]
            counts = [f"{which} {sum(which in each['announced'] for each in own)}" for which in (*asked, "report")]
            means = [f"{np.mean([each[key] for each in own]):+.2f}" for key in ("d", "d_first")]
            seconds = sum(each["seconds"] for each in own) / len(own)
            shown.append(
                f"{name:18s} {len(own):4d}  {'  '.join(counts)}  mean D, and of the first category {' '.join(means)}  {seconds:.2f} s"
            )
    return "\n".join(shown)


if __name__ == "__main__":
    main()
