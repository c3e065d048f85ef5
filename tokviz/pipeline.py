"""The whole run, from a configuration to a site: read ``run`` from top to bottom.

This is the only room that knows the others. torch, transformers, scikit-learn and Matplotlib are imported where
their work is due, so that a run with nothing to capture, project or draw starts in a fraction of a second.
"""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from tokviz import (
    __version__,
    executor,
    export,
    images,
    measuring,
    pages,
    plan,
    publish,
    sources,
    typefaces,
    views,
    voice,
)
from tokviz.config import ModelConfig, ReportConfig
from tokviz.drawing import Drawing, drawing, warm_up
from tokviz.errors import ConfigError, ModelError, TokvizError
from tokviz.measures import Geometry
from tokviz.progress import Reporter
from tokviz.records import (
    ContextReport,
    HiddenStates,
    Image,
    ModelReport,
    ModelSimilarity,
    Projection,
    ProjectionReport,
    Renditions,
    Report,
)
from tokviz.store import Store

TEMPLATES = Path(__file__).parent.parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run goes about its work; nothing here changes what the report says."""

    base: Path
    """The folder of the config: relative sources are looked for there."""
    output: Path
    cache: Path
    templates: Path = TEMPLATES
    jobs: int = field(default_factory=executor.default_jobs)
    device: str = "cpu"
    force: bool = False
    forms: tuple[str, ...] = plan.FORMS
    """Which forms of each picture are drawn; phones get the wide one where theirs is missing."""
    excerpts: bool = False
    """Whether each carousel is written once more, as a fragment for a blog."""
    command: str = "python generate.py"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did."""

    failures: tuple[ModelReport, ...]
    n_captured: int
    """Model × context captures that were made, not reused."""
    n_drawn: int
    n_images: int


@dataclass(frozen=True, kw_only=True)
class _Projected:
    """A projection and the pictures that show it, drawn or under way."""

    projection: Projection
    jobs: list[plan.PictureJob]


@dataclass(frozen=True, kw_only=True)
class _Context:
    """One model × context, projected."""

    states: HiddenStates
    ordinary: HiddenStates | None
    """A context of the same model, if not this one, in which words are read away from position 0."""
    projected: tuple[_Projected, ...]


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A model whose states are projected and measured, or the reason why they couldn't be."""

    model: ModelConfig
    failure: str | None = None
    contexts: tuple[_Context, ...] = ()
    geometries: tuple[Geometry, ...] = ()
    """As many as ``contexts``."""
    n_captured: int = 0


def run(config: ReportConfig, options: Options, reporter: Reporter) -> Outcome:
    """Capture, project, draw and publish whatever is due.

    Raises
    ------
    TokvizError : no model could be reported, or the site can't be written; the old site is untouched.
    """
    publish.check_replaceable(options.output)
    _now()  # a mistaken date is told before any work
    store = Store(options.cache)
    complaint = typefaces.complaint(config)
    if complaint:
        reporter.say(complaint)
    with drawing(lambda: executor.start(options.jobs, warm_up), store.put_image, reporter) as under_way:
        prepared = [_prepare(model, config, store, options, reporter, under_way) for model in config.models]
        if all(entry.failure for entry in prepared):
            reasons = "; ".join(f"{entry.model.display_name}: {entry.failure}" for entry in prepared)
            raise TokvizError(f"no model could be captured, so nothing was written: {reasons}")
        contexts = {entry.model.slug: [context.states for context in entry.contexts] for entry in prepared}
        similarities = tuple(
            measuring.similarity_of(pair, states, store, in_detail=in_detail, force=options.force)
            for pair, in_detail in config.pairs
            for states in zip(contexts[pair[0]], contexts[pair[1]], strict=False)  # a failed model has none
        )
        n_drawn = under_way.finish()

    reporter.say(f"Writing {options.output} …")
    pictures = _images(prepared, store)
    report = _report(config, options, prepared, similarities, pictures)
    files: dict[str, publish.Content] = {
        **pages.assets(options.templates),
        **pages.render(views.build(report), options.templates),
        **export.files(report),
        **{path: file for path, (_, file) in pictures.items()},
        ".nojekyll": "",
    }
    if options.excerpts:
        files_of_pictures = {path: file for path, (_, file) in pictures.items()}
        files |= pages.render_excerpts(views.excerpts(report), options.templates, files_of_pictures)
    voice.check(config, report, files)
    publish.publish(files, options.output)
    return Outcome(
        failures=tuple(model for model in report.models if model.failure),
        n_captured=sum(entry.n_captured for entry in prepared),
        n_drawn=n_drawn,
        n_images=len(pictures),
    )


def describe(config: ReportConfig, options: Options) -> list[str]:
    """What ``run`` would capture, project and draw, and why; a line each."""
    publish.check_replaceable(options.output)
    store = Store(options.cache)
    lines = []
    for model in config.models:
        lines.append(f"{model.display_name} ({model.source})")
        jobs = plan.captures(config, model, sources.identity(model, options.base), store, force=options.force)
        for job in jobs:
            lines.append(f"  {job.context.label}: {_described(job, _stored(jobs), config, store, options)}")
    n_pages = 4 + len(config.models)
    lines.append(f"{n_pages} pages and the data files are always written, to {options.output}")
    return lines


def _described(
    job: plan.CaptureJob, stored: list[HiddenStates], config: ReportConfig, store: Store, options: Options
) -> str:
    if job.due or job.stored is None:
        return f"capture ({job.due}), then project and draw"
    parts = ["captured"]
    for name in config.projections:
        projection = store.find_projection(
            plan.projection_key(job.stored, name, measuring.ordinary_states(job.stored, stored))
        )
        if projection is None:
            parts.append(f"project {name} (not projected yet), then draw")
            continue
        pictures = _pictures(job, job.stored, projection, config, store, options)
        due = [picture.due for picture in pictures if picture.due]
        parts.append(
            f"{name}: draw {len(due)} of {len(pictures)} pictures ({due[0]})" if due else f"{name}: up to date"
        )
    return "; ".join(parts)


# --- one model: states, projections, pictures --------------------------------------------------------------------


def _prepare(
    model: ModelConfig, config: ReportConfig, store: Store, options: Options, reporter: Reporter, under_way: Drawing
) -> _Prepared:
    try:
        jobs = plan.captures(config, model, sources.identity(model, options.base), store, force=options.force)
        jobs = _due_when_damaged(jobs, config, store)
        due = [job for job in jobs if job.due]
        if due:
            under_way.start()  # they get ready while the model loads
            with sources.quiet_transformers():
                _capture(model, due, config, store, options, reporter)
            gc.collect()  # the model's memory is free before the next one loads
    except ModelError as error:
        reporter.say(f"{model.display_name} failed: {error}")
        return _Prepared(model=model, failure=str(error))

    captured = [_found(job, store) for job in jobs]
    contexts: list[_Context] = []
    for job, states in zip(jobs, captured, strict=True):
        ordinary = measuring.ordinary_states(states, captured)
        projected = []
        for name in config.projections:
            projection = _project(states, name, ordinary, store, force=options.force)
            pictures = _pictures(job, states, projection, config, store, options)
            for picture in pictures:
                if picture.due:
                    under_way.submit(picture.key, picture.picture)
            projected.append(_Projected(projection=projection, jobs=pictures))
        contexts.append(_Context(states=states, ordinary=ordinary, projected=tuple(projected)))
    # Measured while the pictures are drawn.
    geometries = [
        measuring.geometry_of(
            context.states,
            context.ordinary,
            [projected.projection for projected in context.projected],
            config.word_list,
            store,
            force=options.force,
        )
        for context in contexts
    ]
    under_way.keep_finished()
    return _Prepared(model=model, contexts=tuple(contexts), geometries=tuple(geometries), n_captured=len(due))


def _due_when_damaged(jobs: list[plan.CaptureJob], config: ReportConfig, store: Store) -> list[plan.CaptureJob]:
    """Stored states are read through only when something is to be made from them."""
    stored = _stored(jobs)

    def checked(job: plan.CaptureJob) -> plan.CaptureJob:
        if job.due or job.stored is None:
            return job
        keys = [
            plan.projection_key(job.stored, name, measuring.ordinary_states(job.stored, stored))
            for name in config.projections
        ]
        if all(store.has_projection(key) for key in keys) or store.states_are_intact(job.key):
            return job
        return replace(job, due="the stored states are damaged")

    return [checked(job) for job in jobs]


def _stored(jobs: list[plan.CaptureJob]) -> list[HiddenStates]:
    return [job.stored for job in jobs if job.stored is not None]


def _capture(
    model: ModelConfig,
    jobs: list[plan.CaptureJob],
    config: ReportConfig,
    store: Store,
    options: Options,
    reporter: Reporter,
) -> None:
    """Load the model once, capture every context that is due, store each as soon as it is there."""
    from tokviz import capture, tokens

    step = reporter.step(f"{model.display_name}: loading")
    loaded = sources.load(model, options.base, options.device)
    structure = capture.find_structure(loaded.module, loaded.base_model_prefix)
    step.advance()
    words = config.word_list.words
    for job in jobs:
        step = reporter.step(f"{model.display_name}: capturing, {job.context.label}", len(words))
        tokenization = tokens.tokenize(loaded.tokenizer, words, job.context, config.read)
        store.put_states(
            job.key,
            capture.capture(loaded.module, structure, tokenization, config.token_budget, on_progress=step.advance),
            card=loaded.card,
            context=job.context,
            tokenization=tokenization,
            module_paths=structure.module_paths,
            captured_at=_now(),
        )


def _found(job: plan.CaptureJob, store: Store) -> HiddenStates:
    states = job.stored if job.due is None else store.find_states(job.key)
    if states is None:
        raise TokvizError(
            f"{store.root}: the hidden states of {job.model.display_name} vanished while in use; run again"
        )
    return states


def _pictures(
    job: plan.CaptureJob,
    states: HiddenStates,
    projection: Projection,
    config: ReportConfig,
    store: Store,
    options: Options,
) -> list[plan.PictureJob]:
    return plan.pictures(
        job.model,
        states,
        job.context,
        projection,
        config.word_list,
        store,
        lettered=typefaces.installed().lettered,
        forms=options.forms,
        force=options.force,
    )


def _project(
    states: HiddenStates, name: str, ordinary: HiddenStates | None, store: Store, *, force: bool
) -> Projection:
    key = plan.projection_key(states, name, ordinary)
    projection = None if force else store.find_projection(key)
    if projection is None:
        from tokviz.projection import project

        massive = measuring.massive_dimensions(states, ordinary) if name == plan.WITHOUT_MASSIVE else None
        projection = project(states.states, states.tokenization.reference, name, massive)
        store.put_projection(key, projection)
    return projection


def _now() -> str:
    """ISO 8601 in UTC, to the second; ``SOURCE_DATE_EPOCH`` makes it repeatable (reproducible-builds.org)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        now = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            f"SOURCE_DATE_EPOCH: expected seconds since 1970, got {epoch!r}; correct or unset it"
        ) from None
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- the report, gathered ----------------------------------------------------------------------------------------


def _images(prepared: list[_Prepared], store: Store) -> dict[str, tuple[Image, Path]]:
    """Path from the site's root → the image's facts and its file in the store, for every picture of the report."""
    found = {}
    for entry in prepared:
        for context in entry.contexts:
            for job in (job for projected in context.projected for job in projected.jobs):
                file = store.find_image(job.key)
                if file is None:
                    raise TokvizError(f"{store.root}: the image of {job.path} vanished while in use; run again")
                width, height = images.size(file.read_bytes())
                facts = Image(path=job.path, width=width, height=height, n_bytes=file.stat().st_size)
                found[job.path] = (facts, file)
    return found


def _report(
    config: ReportConfig,
    options: Options,
    prepared: list[_Prepared],
    similarities: tuple[ModelSimilarity, ...],
    pictures: dict[str, tuple[Image, Path]],
) -> Report:
    def renditions(model: ModelConfig, context: str, projection: str, name: str) -> Renditions | None:
        forms = (*plan.FORMS, plan.SVG)
        paths = [plan.picture_path(model.slug, context, projection, name, form) for form in forms]
        wide, phone, svg = (pictures.get(path, (None, None))[0] for path in paths)
        return Renditions(wide=wide, phone=phone or wide, svg=svg) if wide else None

    def projection_report(model: ModelConfig, states: HiddenStates, projected: _Projected) -> ProjectionReport:
        context, projection = states.context.name, projected.projection
        return ProjectionReport(
            projection=projection,
            plates=tuple(
                renditions(model, context, projection.name, plan.plate_name(path)) for path in states.module_paths
            ),
            grid=renditions(model, context, projection.name, plan.GRID_NAME),
            strip=renditions(model, context, projection.name, plan.STRIP_NAME),
        )

    models = tuple(
        ModelReport(
            slug=entry.model.slug,
            name=entry.model.display_name,
            source=entry.model.source,
            failure=entry.failure,
            note=voice.note(entry.model),
            notes=voice.notes_by_address(entry.model),
            contexts=tuple(
                ContextReport(
                    states=context.states,
                    projections=tuple(
                        projection_report(entry.model, context.states, projected) for projected in context.projected
                    ),
                    geometry=geometry,
                )
                for context, geometry in zip(entry.contexts, entry.geometries, strict=True)
            ),
        )
        for entry in prepared
    )
    return Report(
        title=config.title,
        subtitle=config.subtitle,
        author=config.author,
        description=config.description,
        license=config.license,
        license_url=config.license_url,
        site_url=f"{config.site_url.rstrip('/')}/" if config.site_url else None,
        intro=voice.introduction(config),
        words=config.word_list,
        contexts=config.context_list,
        projections=tuple(config.projections),
        models=models,
        command=options.command,
        version=__version__,
        downloads={**export.downloads(models), **(_excerpt_downloads(models) if options.excerpts else {})},
        undrawn=typefaces.undrawn(config),
        similarities=similarities,
    )


def _excerpt_downloads(models: tuple[ModelReport, ...]) -> dict[str, str]:
    names = [(model.slug, context.states.context.name) for model in models for context in model.contexts]
    return {f"{slug}/{context}/excerpt.html": views.excerpt_path(slug, context) for slug, context in names}
