"""Random measures, as the code could give them, and reports made of them: the numbers are of any size, the fields agree."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
from claiming import decided
from hypothesis import strategies as st
from report_fixture import (
    ALONE,
    PROJECTIONS,
    SENTENCE,
    beyond_categories,
    layer_similarity,
    model_report,
    sample_report,
    word_list,
)

from tokviz.records import (
    BestMatch,
    CategoryMeasure,
    Change,
    Context,
    ContextReport,
    Geometry,
    MassiveActivations,
    Measured,
    ModelReport,
    ModelSimilarity,
    PictureMeasures,
    Problem,
    Projection,
    RawPurity,
    RefitCriteria,
    Report,
    Spread,
    Stage,
    StageCriteria,
)

LARGE, MASSIVE, MODERATE, DOMINANT = 100.0, 1000.0, 300.0, 0.5
MOST_DEPTHS = 9
SIZES = (0.0, 4e-5, 0.5192, 30.64, 99.96, 100.0, 100.2, 955.0, 1_160.4, 1_999.5, 24_113.1, 28_053.0, 2.5e9)
CALM_SIZES = SIZES[:6]
"""None is large."""
MEDIANS = (0.0, 3e-6, 0.0608, 0.31, 0.955, 1.0, 2.2, 10.49, 60.0, 162.0)
SHARES = (0.1, 0.4951, 0.5, 0.5049, 0.505, 0.87, 0.9185, 0.999, 1.0)
CALM_SHARES = SHARES[:3]
N_DIMENSIONS = 12
WORDS = word_list(n_categories=2, n_words=4)
SAMPLE = sample_report()


@cache
def plain_model(slug: str, n_depths: int, contexts: tuple[Context, ...]) -> ModelReport:
    """What random measures are put into: there are few, and making one takes as long as drawing its measures."""
    return model_report(slug, f"Model {slug}", n_depths - 1, WORDS, contexts)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """What contexts of a model have in common: how many depths, and the median that ratios are taken against."""

    typical: np.ndarray
    is_ordinary: bool

    @property
    def n_depths(self) -> int:
        return len(self.typical)


# --- massive and dominant dimensions ---------------------------------------------------------------------------------


def activations(
    draw: st.DrawFn, sizes: Sizes, random: np.random.Generator, *, calm: bool | None = None, shares_known: bool = True
) -> MassiveActivations:
    """``calm``: whether none is large; by default one or the other."""
    n_depths, typical = sizes.n_depths, sizes.typical
    possible = CALM_SIZES if (draw(st.booleans()) and calm is None) or calm else SIZES
    largest = np.array(draw(st.lists(st.sampled_from(possible), min_size=n_depths, max_size=n_depths)))
    largest *= jitter(draw, random, n_depths)
    massive = [size > LARGE and size > MASSIVE * median for size, median in zip(largest, typical, strict=True)]
    moderate = [
        size > LARGE and MASSIVE * median >= size > MODERATE * median
        for size, median in zip(largest, typical, strict=True)
    ]
    emergence = massive.index(True) if True in massive else None
    end = None if emergence is None or all(massive[emergence:]) else massive.index(False, emergence)
    fell = end is not None and largest[end] <= max(LARGE, MASSIVE * typical[end - 1])
    shares = CALM_SHARES if draw(st.booleans()) else SHARES
    top_share = np.array(draw(st.lists(st.sampled_from(shares), min_size=n_depths, max_size=n_depths)))
    top_share = np.where((largest > 0) & shares_known, top_share, np.nan)
    usual = int(random.integers(N_DIMENSIONS))
    tops = [usual if random.random() < 0.8 else usual + 1 for _ in range(n_depths)]
    return MassiveActivations(
        large=LARGE,
        massive_ratio=MASSIVE,
        moderate_ratio=MODERATE,
        dominant_share=DOMINANT,
        typical=typical,
        typical_context="sentence",
        typical_is_ordinary=sizes.is_ordinary,
        largest=largest,
        ratio=np.array([big / median if median else np.nan for big, median in zip(largest, typical, strict=True)]),
        massive=np.array(massive),
        moderate=np.array(moderate),
        dimensions=dimensions(draw, [a or b for a, b in zip(massive, moderate, strict=True)], random),
        top_share=top_share,
        dominant=tuple(top if share > DOMINANT else None for top, share in zip(tops, top_share, strict=True)),
        energy_share=np.where(top_share > DOMINANT, top_share, 0.0),
        emergence_depth=emergence,
        end_depth=end,
        step_down_depth=end if fell else None,
        moderate_runs=runs(moderate),
    )


def jitter(draw: st.DrawFn, random: np.random.Generator, n_depths: int) -> np.ndarray:
    """As it is, or a little off."""
    return random.uniform(0.8, 1.2, n_depths) if draw(st.booleans()) else np.ones(n_depths)


def dimensions(draw: st.DrawFn, flags: list[bool], random: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """The same at all flagged depths, or with others at some, or different ones, or none that half of the words share."""
    usual = {int(each) for each in random.integers(0, N_DIMENSIONS, size=draw(st.integers(0, 8)))}
    steady = draw(st.sampled_from((1.0, 0.7, 0.2)))
    found = []
    for flag in flags:
        more = set() if random.random() < steady else {int(each) for each in random.integers(0, N_DIMENSIONS, size=2)}
        fewer = set() if random.random() < steady else usual - set(list(usual)[:1])
        found.append(tuple(sorted((fewer or usual) | more)) if flag else ())
    return tuple(found)


def runs(flags: list[bool]) -> tuple[tuple[int, int], ...]:
    """First and last index of each run of True."""
    starts = [index for index, flag in enumerate(flags) if flag and (index == 0 or not flags[index - 1])]
    ends = [index for index, flag in enumerate(flags) if flag and (index == len(flags) - 1 or not flags[index + 1])]
    return tuple(zip(starts, ends, strict=True))


# --- all measures of a context -------------------------------------------------------------------------------------


def geometry(
    draw: st.DrawFn,
    sizes: Sizes,
    projections: list[Projection],
    sink: MassiveActivations | None,
    *,
    at_position_0: bool,
) -> Geometry:
    """``sink``: what the words at position 0 are like, and in other contexts often what stands there before the words."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_depths = sizes.n_depths
    gaps = draw(st.sampled_from((0.0, 0.0, 0.3, 1.0)))
    words = activations(draw, sizes, random, calm=None if sink is None else True)
    if at_position_0:
        words = sink or words
    elsewhere = sink if sink and draw(st.booleans()) else activations(draw, sizes, random, shares_known=False)
    unknown: dict[str, Any] = {"top_share": np.full(n_depths, np.nan), "dominant": (None,) * n_depths}
    before = dataclasses.replace(words if at_position_0 else elsewhere, **unknown)
    cka = random.uniform(-0.1, 1, (n_depths, n_depths))
    return Geometry(
        n_reference=7,
        n_measured=7,
        n_compared=7,
        seed=0,
        n_permutations=999,
        spread=Spread(
            **{
                **{
                    each.name: gapped(random.uniform(0, 1, n_depths), gaps, random)
                    for each in dataclasses.fields(Spread)
                },
                "effective_rank": gapped(random.uniform(1, 150, n_depths), gaps, random),
                "mean_norm": 10 ** random.uniform(-6, 5, n_depths),
                "norm_spread": random.uniform(0, 1, n_depths),
                "mean_cosine": gapped(random.uniform(-1, 1, n_depths), gaps, random),
            }
        ),
        massive=words,
        position0=before,
        pc1_in_massive=random.uniform(0, 1, n_depths),
        pc1_position=np.full(n_depths, np.nan),
        silhouette=category_measure(random, n_depths, gaps),
        purity=category_measure(random, n_depths, gaps),
        purity_raw=raw_purity(random, n_depths, gaps),
        silhouette_raw=measured(random, n_depths, gaps),
        n_neighbours=draw(st.sampled_from((5, 3))),
        with_neighbours=np.ones(n_depths),
        least_with_neighbours=0.5,
        pictures=tuple(
            PictureMeasures(
                projection=each.name,
                silhouette=measured(random, n_depths, gaps),
                purity=category_measure(random, n_depths, gaps, missing=each.problems),
                trustworthiness=gapped(random.uniform(0, 1, n_depths), gaps, random),
            )
            for each in projections
        ),
        change=Change(
            cka=np.concatenate([[np.nan], np.diag(cka, 1)]),
            procrustes=np.concatenate([[np.nan], random.uniform(0, 1, n_depths - 1)]),
            procrustes_projection=projections[0].name if projections else None,
            neighbour_overlap=np.concatenate([[np.nan], random.uniform(0, 1, n_depths - 1)]),
            n_neighbours=1,
            moved=((),) * n_depths,
        ),
        cka=cka,
        stages=stages(draw, words, random),
        stage_criteria=StageCriteria(
            least_change=0.05,
            least_ratio=3.0,
            n_around=3,
            tolerance=1,
            n_subsamples=40,
            kept_share=0.7,
            least_recurrence=0.9,
            least_words=4,
        ),
        refit_criteria=RefitCriteria(n_parts=30, kept_share=0.5, most_kept=500),
    )


def gapped(values: np.ndarray, gaps: float, random: np.random.Generator) -> np.ndarray:
    return np.where(random.random(len(values)) < gaps, np.nan, values)


def category_measure(
    random: np.random.Generator, n_depths: int, gaps: float, missing: tuple[Problem | None, ...] = ()
) -> CategoryMeasure:
    """With numbers that are easily rounded in two ways, and gaps; an interval may be missing where the value isn't."""
    value = gapped(np.round(random.uniform(-0.05, 1, n_depths), random.choice((3, 8))), gaps, random)
    value = np.array([np.nan if index < len(missing) and missing[index] else each for index, each in enumerate(value)])
    chance = np.where(np.isnan(value), np.nan, random.uniform(-0.1, 0.4, n_depths))
    error = gapped(random.uniform(0, 0.1, n_depths), gaps, random)
    return CategoryMeasure(
        value=value,
        low=value - error,
        high=value + error,
        null_mean=chance,
        null_spread=chance * 0 + 0.02,
        bound=random.uniform(0.8, 1, n_depths),
        surface=float(random.choice((random.uniform(0, 0.5), np.nan))),
        above_chance=decided(random.random(n_depths) < random.random(), known=np.isfinite(value)),
        above_surface=decided(random.random(n_depths) < random.random(), "surface", np.isfinite(value)),
    )


def measured(random: np.random.Generator, n_depths: int, gaps: float) -> Measured:
    value = gapped(random.uniform(0, 1, n_depths), gaps, random)
    error = random.uniform(0, 0.1, n_depths)
    return Measured(value=value, low=value - error, high=value + error)


def raw_purity(random: np.random.Generator, n_depths: int, gaps: float) -> RawPurity:
    found = measured(random, n_depths, gaps)
    asked = random.random(n_depths) < 0.5
    return RawPurity(
        value=found.value,
        low=found.low,
        high=found.high,
        without=np.where(asked, random.uniform(0, 1, n_depths), np.nan),
        dimensions=tuple((1, 5, 7) if each else () for each in asked),
    )


def stages(draw: st.DrawFn, words: MassiveActivations, random: np.random.Generator) -> tuple[Stage, ...]:
    """Where massive activations emerge and end, and elsewhere."""
    n_depths = len(words.largest)
    inner = draw(st.sets(st.integers(1, n_depths - 1), max_size=5)) if n_depths > 1 else set()
    required = {depth for depth in (words.emergence_depth, words.step_down_depth) if depth is not None}
    starts = sorted({0, *inner, *required})
    return tuple(
        Stage(
            first_depth=first,
            last_depth=last,
            recurrence=float("nan")
            if first == 0
            else float(random.choice((0.9, 0.925, 1.0, *((np.nan,) if first in required else ())))),
            cka_within=float("nan") if first == last else float(random.uniform(-0.1, 1)),
            cka_before=float("nan") if first == 0 else float(random.uniform(-0.1, 1)),
        )
        for first, last in zip(starts, [start - 1 for start in [*starts[1:], n_depths]], strict=True)
    )


# --- contexts, models, reports -------------------------------------------------------------------------------------


def projection(draw: st.DrawFn, states_reference: np.ndarray, n_depths: int, name: str) -> Projection:
    """Some depths have no picture."""
    missing = draw(st.lists(st.booleans(), min_size=n_depths, max_size=n_depths)) if draw(st.booleans()) else []
    problems = tuple(
        Problem(kind="equal_states") if depth < len(missing) and missing[depth] else None for depth in range(n_depths)
    )
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    ratios = np.sort(random.uniform(0, 0.5, (n_depths, 2)), axis=1)[:, ::-1].copy()
    ratios[[problem is not None for problem in problems]] = np.nan
    coordinates = np.zeros((n_depths, len(states_reference), 2))
    return Projection(
        name=name,
        coordinates=coordinates,
        explained_variance_ratio=ratios,
        grid_coordinates=coordinates,
        reference=states_reference,
        problems=problems,
        grid_problems=(None,) * n_depths,
        left_out=((),) * n_depths,
    )


def measured_context(
    draw: st.DrawFn, plain: ContextReport, sizes: Sizes, sink: MassiveActivations | None
) -> ContextReport:
    """A context of the fixture, with random measures in place of its own, if any."""
    tokenization = plain.states.tokenization
    shown = tuple(
        dataclasses.replace(
            each,
            projection=projection(draw, tokenization.reference, sizes.n_depths, each.projection.name),
        )
        for each in plain.projections
    )
    shown = tuple(
        dataclasses.replace(
            each,
            plates=tuple(
                None if problem else plate for plate, problem in zip(each.plates, each.projection.problems, strict=True)
            ),
        )
        for each in shown
    )
    projections = [each.projection for each in shown] if draw(st.integers(0, 4)) else []
    measures = geometry(draw, sizes, projections, sink, at_position_0=tokenization.reads_position_0)
    return dataclasses.replace(plain, projections=shown, geometry=measures if draw(st.integers(0, 7)) else None)


def scattered(context: ContextReport, random: np.random.Generator) -> ContextReport:
    """With words anywhere in the pictures of a context, and of what was captured of it with neurons changed."""

    def shown(each: ContextReport) -> ContextReport:
        projections = []
        for entry in each.projections:
            size = entry.projection.coordinates.shape
            spread = 10 ** random.uniform(-6, 6, (size[0], 1, 1)) * (random.random((size[0], 1, 1)) > 0.1)
            coordinates = random.normal(size=size) * spread + random.normal(size=(size[0], 1, 2))
            projection = dataclasses.replace(entry.projection, coordinates=coordinates)
            projections.append(dataclasses.replace(entry, projection=projection))
        return dataclasses.replace(each, projections=tuple(projections))

    return dataclasses.replace(shown(context), interventions=tuple(shown(each) for each in context.interventions))


@st.composite
def models(draw: st.DrawFn, slug: str = "m", contexts: tuple[Context, ...] | None = None) -> ModelReport:
    """Measured in one context or in two, at position 0 or elsewhere; of one depth or more."""
    contexts = contexts or draw(st.sampled_from(((ALONE, SENTENCE), (SENTENCE, ALONE), (ALONE,), (SENTENCE,))))
    n_depths = draw(st.integers(1, MOST_DEPTHS))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    typical = np.array(draw(st.lists(st.sampled_from(MEDIANS), min_size=n_depths, max_size=n_depths)))
    sizes = Sizes(typical=typical * jitter(draw, random, n_depths), is_ordinary=SENTENCE in contexts)
    plain = plain_model(slug, n_depths, contexts)
    sink = activations(draw, sizes, random, calm=False) if draw(st.booleans()) else None
    shown = tuple(measured_context(draw, each, sizes, sink) for each in plain.contexts)
    return dataclasses.replace(plain, contexts=shown)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """One to three models and, of two, how like they are."""
    contexts = draw(st.sampled_from(((ALONE, SENTENCE), (ALONE,), (SENTENCE,))))
    shown = tuple(draw(models(slug, contexts)) for slug in ("a", "b", "c")[: draw(st.integers(1, 3))])
    similarities = (similarity(draw, shown[0], shown[1], contexts[0]),) if len(shown) > 1 else ()
    changed: dict[str, Any] = {"words": WORDS, "contexts": contexts, "projections": PROJECTIONS, "models": shown}
    return dataclasses.replace(SAMPLE, **changed, similarities=similarities, downloads={})


def similarity(draw: st.DrawFn, a: ModelReport, b: ModelReport, context: Context) -> ModelSimilarity:
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    shape = a.contexts[0].states.n_depths, b.contexts[0].states.n_depths
    unknown = draw(st.booleans())

    def estimate() -> BestMatch:
        value, chance, within = map(float, random.uniform(-0.1, 1, 3))
        return BestMatch(
            value=value,
            low=np.nan if unknown else value - 0.1,
            high=np.nan if unknown else value + 0.05,
            chance=chance,
            within_categories=within,
        )

    layers = dataclasses.replace(
        layer_similarity(*shape, 7),
        cka=np.full(shape, np.nan) if unknown and random.random() < 0.5 else random.uniform(-0.1, 1, shape),
        neighbours=random.uniform(0, 1, shape),
        cka_summary=estimate(),
        neighbours_summary=estimate(),
        beyond_categories=beyond_categories(
            np.where(random.random(2) < 0.2, np.nan, random.uniform(-3, 9, 2)), random.random(2) < 0.5
        ),
    )
    return ModelSimilarity(
        model_a=a.slug, model_b=b.slug, context=context.name, shared=layers, single_token=dataclasses.replace(layers)
    )
