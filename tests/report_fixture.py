"""Reports made of synthetic states and placeholder pictures, so that pages can be tested without a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from claiming import families
from geometry_fixture import geometry
from intervention_fixture import with_interventions
from lens_fixture import with_lens, without_lens
from making import BATCH_CHECK
from PIL import Image as PillowImage
from PIL import ImageDraw
from profile_fixture import differences

from tokviz import pages
from tokviz.measure.word_scores import same_category
from tokviz.pages import render
from tokviz.pages.downloads import tables
from tokviz.pages.explore import explore_data
from tokviz.records import (
    N_EXTREMES,
    BestMatch,
    Category,
    Claim,
    Context,
    ContextReport,
    EssayPlace,
    HiddenStates,
    Image,
    LayerSimilarity,
    ModelCard,
    ModelReport,
    ModelSimilarity,
    Neighbours,
    Opening,
    Problem,
    Projection,
    ProjectionReport,
    Renditions,
    Report,
    Tokenization,
    TokenizedWord,
    WordList,
)

TEMPLATES = Path(__file__).parent.parent / "templates"
FOLDERS = (TEMPLATES,)
"""Where templates are looked for."""
PROJECTIONS = ("standardized", "centered")
ALONE = Context(name="alone", label="alone", template=" {word}")
SENTENCE = Context(name="sentence", label="in a sentence", template="The word is {word}")
HOSTILE = "<script>alert(\"x\")</script> & '$x_1$' {{ 7 * 7 }} שלום"

SIZES = {
    "plate": {"wide": (1500, 1200), "phone": (716, 1000)},
    "grid": {"wide": (2000, 2600), "phone": (716, 2200)},
    "strip": {"wide": (2200, 62), "phone": (1074, 95)},
}


def sample_report(n_words: int = 13) -> Report:
    """Two models of 30 and 6 layers in two contexts and projections, and one that failed.

    Of the first one it is known which neurons write its massive values, and what is without them. With fewer words in each of
    the nine categories a browser takes a third less for its pages.
    """
    words = word_list(n_categories=9, n_words=n_words)
    contexts = (ALONE, SENTENCE)
    deep = model_report("smol-30", "Smol-135M-Instruct", 30, words, contexts, quantization="Q4_1 GGUF", measured=True)
    models = (
        with_interventions(deep),
        model_report("mini-6", "mini-encoder-6", 6, words, contexts, problem_depth=3, measured=True),
        ModelReport(
            slug="lost",
            name="lost-7B",
            source="nobody/lost-7B",
            failure="nobody/lost-7B: expected a hub id or a folder, found neither; check the spelling",
        ),
    )
    report = Report(
        title="Tokens, layer by layer",
        subtitle=f"How three language models arrange {len(words.words)} everyday words, from the embedding to the last layer.",
        author="A. Author",
        site_url="https://example.org/report/",
        intro=(
            "<p>What <em>words</em> look like inside a model.</p>\n<p>A second paragraph.</p>\n",
            EssayPlace(target="models/smol-30/#alone/layer-10,layer-11", caption="Before and <em>after</em>.", line=5),
        ),
        words=words,
        contexts=contexts,
        projections=PROJECTIONS,
        models=models,
        families=families("categories", "surface"),
        command="python generate.py",
        version="0.1.0",
    )
    return pages.with_downloads(report)


def hostile_report() -> Report:
    """One model, one context, one projection, and text that breaks pages which don't escape it."""
    words = WordList(categories=(Category(key="odd", label=HOSTILE, words=(HOSTILE, "a" * 300, "$x$", "%&'\"")),))
    context = Context(name="odd", label=HOSTILE, template=f"{HOSTILE}{{word}} ")
    model = model_report("odd", "N" * 200 + HOSTILE, 2, words, (context,), projections=PROJECTIONS[:1])
    return Report(
        title=HOSTILE,
        subtitle=None,
        author=HOSTILE,
        site_url=None,
        intro=(),
        words=words,
        contexts=(context,),
        projections=PROJECTIONS[:1],
        models=(model,),
        command=f"python generate.py --config '{HOSTILE}'",
        version="0.1.0",
    )


def twice(report: Report) -> Report:
    """With its one model once more, so that there is something to compare."""
    [model] = report.models
    return replace(report, models=(model, replace(model, slug=f"{model.slug}-2", name=f"{model.name} 2")))


def large_report(n_words: int, n_layers: int) -> Report:
    """One model in one context; the words of nine categories."""
    words = word_list(n_categories=9, n_words=1)
    each = [n_words // 9 + (index < n_words % 9) for index in range(9)]
    words = replace(
        words,
        categories=tuple(
            replace(category, words=tuple(f"w{index}x{row}" for row in range(each[index])))
            for index, category in enumerate(words.categories)
        ),
    )
    model = model_report("large", "large", n_layers, words, (ALONE,), projections=("standardized",))
    return replace(
        sample_report(), words=words, contexts=(ALONE,), models=(model,), projections=("standardized",), downloads={}
    )


def one_depth_report() -> Report:
    """One model of which there is the embedding only."""
    report = sample_report()
    model = model_report("flat", "Flat", 0, report.words, (SENTENCE,), measured=True)
    return replace(report, contexts=(SENTENCE,), models=(model,), downloads={})


def tiny_report() -> Report:
    """Two models of 3 and 2 layers, compared; 6 words in two contexts and projections, measured, and read with a lens by the first."""
    words, contexts = word_list(n_categories=2, n_words=3), (ALONE, SENTENCE)
    similarity = ModelSimilarity(
        model_a="tiny-3",
        model_b="tiny-2",
        context="alone",
        shared=layer_similarity(4, 3, 6),
        single_token=layer_similarity(4, 3, 5),
    )
    return replace(
        sample_report(),
        subtitle="How two language models arrange 6 words.",
        words=words,
        intro=("<p>Two layers.</p>\n", EssayPlace(target="#alone/layer-0,layer-2", caption="", line=3)),
        models=(
            with_lens(with_interventions(model_report("tiny-3", "Tiny-3", 3, words, contexts, measured=True)), words),
            without_lens(model_report("tiny-2", "Tiny-2", 2, words, contexts, measured=True)),
        ),
        similarities=(similarity,),
        differences=(differences("tiny-3", "tiny-2", "alone"),),
        downloads={},
    )


def lens_report() -> Report:
    """The sample report: its first model has a lens, its second can't have one."""
    report = sample_report()
    deep, shallow, lost = report.models
    return replace(report, models=(with_lens(deep, report.words), without_lens(shallow), lost))


def word_list(n_categories: int, n_words: int) -> WordList:
    return WordList(
        categories=tuple(
            Category(
                key=f"category_{index}",
                label=f"Category {index + 1}",
                words=tuple(f"word{index}{chr(97 + row)}" for row in range(n_words)),
            )
            for index in range(n_categories)
        )
    )


def model_report(
    slug: str,
    name: str,
    n_layers: int,
    words: WordList,
    contexts: tuple[Context, ...],
    *,
    projections: tuple[str, ...] = PROJECTIONS,
    quantization: str | None = None,
    problem_depth: int | None = None,
    measured: bool = False,
) -> ModelReport:
    card = ModelCard(
        source=f"package:{slug}/model",
        identity="sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        revision=None,
        architecture="LlamaModel",
        model_type="llama",
        n_layers=n_layers,
        width=576,
        embedding_width=576,
        n_parameters=134_515_008,
        vocabulary_size=49_152,
        dtype="float32",
        checkpoint_dtype=None if quantization else "bfloat16",
        quantization=quantization,
        tokenizer="GPT2Tokenizer",
        notes=("Weights were de-quantized while loading.",) if quantization else (),
        versions=(("torch", "2.13.0"), ("transformers", "5.24.0")),
    )
    return ModelReport(
        slug=slug,
        name=name,
        source=card.source,
        contexts=tuple(
            _context_report(slug, card, context, words, projections, problem_depth, measured) for context in contexts
        ),
    )


def _context_report(
    slug: str,
    card: ModelCard,
    context: Context,
    words: WordList,
    projections: tuple[str, ...],
    problem_depth: int | None,
    measured: bool,
) -> ContextReport:
    n_depths, n_words = card.n_layers + 1, len(words.words)
    tokenization = Tokenization(words=tuple(_tokenized(context, words)), read="last", notes=("A note on tokens.",))
    states = HiddenStates(
        card=card,
        context=context,
        tokenization=tokenization,
        module_paths=("model.embed_tokens", *(f"model.layers.{layer}" for layer in range(card.n_layers))),
        states=tuple(np.zeros((n_words, 2), dtype=np.float32) for _ in range(n_depths)),
        position0_values=np.zeros((n_depths, n_words, N_EXTREMES), dtype=np.float32),
        position0_dimensions=np.zeros((n_depths, n_words, N_EXTREMES), dtype=np.int32),
        captured_at="2026-11-24T21:30:00Z",
        batch_check=BATCH_CHECK,
        digest="0" * 64,
    )
    of_it = geometry(n_depths, n_words, projections, sink=context.name == "alone") if measured else None
    near = _neighbours(n_depths, n_words) if measured and problem_depth is None else None
    return ContextReport(
        states=states,
        projections=tuple(
            _projection_report(f"images/{slug}/{context.name}/{name}/{slug}", name, states, problem_depth)
            for name in projections
        ),
        geometry=of_it,
        neighbours=near,
        same_category=same_category(states, words.memberships, near) if near else None,
        heat_map=Image(path=f"images/{slug}/{context.name}/{slug}_words.webp", width=1040, height=1536, n_bytes=0)
        if near
        else None,
    )


def _neighbours(n_depths: int, n_words: int) -> Neighbours:
    """Of each word the five that follow it in the list, the nearest being one further at each depth."""
    depth, row, step = np.ogrid[:n_depths, :n_words, :5]
    return Neighbours(rows=(row + 1 + depth + step) % n_words)


def _tokenized(context: Context, words: WordList) -> Iterator[TokenizedWord]:
    """All words but the last are one token."""
    for row, word in enumerate(words.words):
        text, _, _ = context.fill(word)
        before = ("The", "Ġword", "Ġis") if context.name == "sentence" else ()
        own = (f"Ġ{word}",) if row < len(words.words) - 1 else (f"Ġ{word[:2]}", word[2:])
        pieces = before + own
        yield TokenizedWord(
            word=word,
            text=text,
            ids=tuple(range(len(pieces))),
            pieces=pieces,
            start=len(before),
            stop=len(pieces),
        )


def _projection_report(prefix: str, name: str, states: HiddenStates, problem_depth: int | None) -> ProjectionReport:
    n_depths, n_words = states.n_depths, len(states.tokenization.words)
    coordinates = np.random.default_rng(7).normal(size=(n_depths, n_words, 2))
    problem = Problem(kind="few_words", expected=3, got=2)
    projection = Projection(
        name=name,
        coordinates=coordinates,
        explained_variance_ratio=np.tile([0.488, 0.083], (n_depths, 1)),
        grid_coordinates=coordinates,
        reference=states.tokenization.reference,
        problems=tuple(problem if depth == problem_depth else None for depth in range(n_depths)),
        grid_problems=(None,) * n_depths,
        left_out=((),) * n_depths,
    )
    return ProjectionReport(
        projection=projection,
        plates=tuple(
            None if depth == problem_depth else _renditions("plate", f"{prefix}__{path}")
            for depth, path in enumerate(states.module_paths)
        ),
        grid=_renditions("grid", f"{prefix}_m.et"),
        strip=replace(_renditions("strip", f"{prefix}_strip"), dark=_renditions("strip", f"{prefix}_strip-dark")),
    )


def _renditions(kind: str, stem: str) -> Renditions:
    wide, phone = (
        Image(path=f"{stem}{ending}.webp", width=SIZES[kind][form][0], height=SIZES[kind][form][1], n_bytes=0)
        for form, ending in (("wide", ""), ("phone", "-phone"))
    )
    return Renditions(wide=wide, phone=phone)


# --- the report on disk --------------------------------------------------------------------------------------------


def images(report: Report) -> Iterator[Image]:
    """Every picture of the report, in both renditions."""
    for model in report.all_models:
        for context in (each for intact in model.contexts for each in (intact, *intact.interventions)):
            if context.heat_map:
                yield context.heat_map
            for shown in context.projections:
                for renditions in (*shown.plates, shown.grid, shown.strip, shown.strip and shown.strip.dark):
                    if renditions:
                        yield from (renditions.wide, renditions.phone)


def write_site(report: Report, folder: Path, only: str = "") -> Path:
    """The site with placeholder pictures: the whole of it, or of its pages ``only`` one, with what its plots are drawn from."""
    built = pages.build(report)
    if only:
        built = replace(built, pages=tuple(page for page in built.pages if page.view.frame.path == only))
    files = {path: text.encode() for path, text in render.render(built, FOLDERS).items()}
    files |= {
        path: asset if isinstance(asset, bytes) else asset.read_bytes()
        for path, asset in render.assets(FOLDERS).items()
    }
    files |= {path: b"" for path in report.downloads.values()}
    written = explore_data.scripts(report) if only else tables.files(report)
    files |= {path: text.encode() for path, text in written.items()}
    files |= {image.path: _placeholder(image.width, image.height) for image in images(report)}
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@cache
def _placeholder(width: int, height: int) -> bytes:
    """A frame and rows of dots: light, and of true size."""
    picture = PillowImage.new("P", (width, height), 0)
    picture.putpalette([255, 255, 255, 40, 40, 40, 204, 102, 119])
    draw = ImageDraw.Draw(picture)
    draw.rectangle((8, 8, width - 9, height - 9), outline=1)
    draw.point([(x, y) for x in range(20, width, 40) for y in range(20, height, 40)], fill=2)
    buffer = BytesIO()
    picture.save(buffer, "WEBP", lossless=True, method=0, quality=0)
    return buffer.getvalue()


# --- models compared --------------------------------------------------------------------------------------------------


def layer_similarity(n_depths_a: int, n_depths_b: int, n_words: int) -> LayerSimilarity:
    """One best match: the last depth of either model."""
    cka = np.full((n_depths_a, n_depths_b), 0.2)
    cka[-1, -1] = 0.9
    return LayerSimilarity(
        n_words=n_words,
        n_compared=n_words,
        least_words=16,
        cka=cka,
        neighbours=cka / 2,
        n_neighbours=10,
        chance=10 / (n_words - 1),
        cka_summary=BestMatch(value=0.62, low=0.58, high=0.66, chance=0.01, within_categories=0.47),
        neighbours_summary=BestMatch(value=0.31, low=0.25, high=0.37, chance=0.09, within_categories=0.29),
        beyond_categories=beyond_categories(np.array([9.0, 2.0]), np.array([True, False])),
    )


def beyond_categories(score: np.ndarray, holds: np.ndarray) -> Claim:
    """Decided, by CKA and by mutual neighbours."""
    return Claim(
        family="similarity",
        score=score,
        highest=np.linspace(0, 4, 1999, dtype=np.float32),
        is_eligible=np.isfinite(score),
        least_p_value=1 / 2000,
        p_value=np.where(np.isfinite(score), np.where(holds, 0.0005, 0.5), np.nan),
        holds=holds & np.isfinite(score),
    )


def compared_report(n_words: int = 13) -> Report:
    """The sample report with its two models compared in the first context; its first page opens with the break."""
    report = sample_report(n_words)
    similarity = ModelSimilarity(
        model_a="smol-30",
        model_b="mini-6",
        context="alone",
        shared=layer_similarity(31, 7, 116),
        single_token=layer_similarity(31, 7, 90),
    )
    return replace(
        report,
        opening=Opening(lead="break"),
        similarities=(similarity,),
        differences=(differences("smol-30", "mini-6", "alone"),),
    )


def many_models_report(n_models: int = 10, n_words: int = 13) -> Report:
    report = compared_report(n_words)
    deep, shallow, lost = report.models
    models = tuple(
        replace(deep if index % 2 == 0 else shallow, slug=f"model-{index}", name=f"Model number {index}")
        for index in range(n_models)
    )
    similarities = tuple(
        replace(report.similarities[0], model_a="model-0", model_b=f"model-{index}") for index in (1, 3, 5)
    )
    apart = tuple(differences(each.model_a, each.model_b, each.context) for each in similarities)
    return replace(report, models=(*models, lost), similarities=similarities, differences=apart)
