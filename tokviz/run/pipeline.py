"""The whole run, from a configuration to a site: read ``run`` from top to bottom.

This is the only room that knows the others. torch, transformers, scikit-learn and Matplotlib are imported where
their work is due, so that a run with nothing to capture, project or draw starts in a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tokviz import __version__, pages
from tokviz.config import ModelConfig, ReportConfig
from tokviz.draw import encode, preview, typefaces, warm_up
from tokviz.errors import ModelError, TokvizError
from tokviz.pages import notes, render, tables
from tokviz.records import (
    ContextReport,
    Geometry,
    HiddenStates,
    Image,
    ModelReport,
    ModelSimilarity,
    Neighbours,
    Plate,
    Projection,
    ProjectionReport,
    Renditions,
    Report,
)
from tokviz.run import keys, plan, publish, results, workers
from tokviz.run.capturing import Planned, captured
from tokviz.run.options import Options
from tokviz.run.picture_queue import Drawing, drawing
from tokviz.run.progress import Reporter
from tokviz.run.store import Store


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
    geometries: tuple[Geometry | None, ...] = ()
    neighbours: tuple[Neighbours | None, ...] = ()
    """As many as ``contexts``, as ``geometries`` are."""
    n_captured: int = 0


def run(config: ReportConfig, options: Options, reporter: Reporter) -> Outcome:
    """Capture, project, draw and publish whatever is due.

    Raises
    ------
    TokvizError : no model could be reported, or the site can't be written; the old site is untouched.
    """
    publish.check_replaceable(options.output)
    notes.check_before(config)
    store = Store(options.cache)
    missing = store.typefaces.missing(config.drawn_texts)
    complaint = typefaces.complaint(missing)
    if complaint:
        reporter.say(complaint)
    with drawing(partial(_start, options, reporter), store.put_image, reporter) as under_way:
        by_slug = {
            planned.model.slug: _prepare(planned, failure, config, store, options, reporter, under_way)
            for planned, failure in captured(config, store, options, reporter, under_way)
        }
        prepared = [by_slug[model.slug] for model in config.models]
        _refuse_none([(entry.model, entry.failure) for entry in prepared])
        contexts = {entry.model.slug: [context.states for context in entry.contexts] for entry in prepared}
        pairs = () if options.is_draft else config.pairs
        similarities = results.similarities_of(pairs, contexts, store, force=options.force)
        n_drawn = under_way.finish()

    pictures = _images(prepared, store)
    report = _report(config, options, prepared, similarities, pictures, missing)
    shown = pages.preview_plates(report)
    files: dict[str, publish.Content] = {}
    if report.site_url and shown:
        card = preview.draw(
            store.typefaces.if_drawable(report.title),
            store.typefaces.if_drawable(report.description or report.subtitle or ""),
            [pictures[image.path][1] for image in shown],
        )
        width, height = encode.size(card)
        report = replace(report, preview=Image(path=preview.PATH, width=width, height=height, n_bytes=len(card)))
        files[preview.PATH] = card
    files |= {
        **render.assets(options.templates),
        **render.render(pages.build(report), options.templates),
        **tables.files(report),
        **{path: file for path, (_, file) in pictures.items()},
        ".nojekyll": "",
    }
    if options.excerpts:
        files_of_pictures = {path: file for path, (_, file) in pictures.items()}
        files |= render.render_excerpts(pages.excerpts(report), options.templates, files_of_pictures)
    if not report.draft:  # nothing is measured in one, so that it has no stages to speak of
        notes.check(config, report, files)
    reporter.say(f"Writing {options.output} …")
    publish.publish(files, options.output)
    store.typefaces.keep_coverage()
    return Outcome(
        failures=tuple(model for model in report.models if model.failure),
        n_captured=sum(entry.n_captured for entry in prepared),
        n_drawn=n_drawn,
        n_images=len(pictures),
    )


def capture_only(config: ReportConfig, options: Options, reporter: Reporter) -> Outcome:
    """Capture into the cache whatever is due, draw and publish nothing: the rest can be made wherever the cache is.

    Raises
    ------
    TokvizError : no model could be captured.
    """
    store = Store(options.cache)
    options = replace(options, draws=False)
    outcomes: list[tuple[Planned, str | None]] = []
    with drawing(partial(_start, options, reporter), store.put_image, reporter) as under_way:
        for planned, failure in captured(config, store, options, reporter, under_way):
            if failure and len(config.models) > 1:
                reporter.say(f"{planned.model.display_name} failed: {failure}")
            outcomes.append((planned, str(failure) if failure else None))
    _refuse_none([(planned.model, failure) for planned, failure in outcomes])
    return Outcome(
        failures=tuple(_failed(planned.model, failure) for planned, failure in outcomes if failure),
        n_captured=sum(len(planned.due) for planned, failure in outcomes if not failure),
        n_drawn=0,
        n_images=0,
    )


def _failed(model: ModelConfig, failure: str) -> ModelReport:
    return ModelReport(slug=model.slug, name=model.display_name, source=model.source, failure=failure)


def _refuse_none(outcomes: list[tuple[ModelConfig, str | None]]) -> None:
    """Nothing is published when every model failed."""
    if all(failure for _, failure in outcomes):
        reasons = "; ".join(f"{model.display_name}: {failure}" for model, failure in outcomes)
        raise TokvizError(f"no model could be captured, so nothing was written: {reasons}")


def _start(options: Options, reporter: Reporter, libraries: Sequence[str]) -> Executor:
    return workers.start(options.place, options.jobs, libraries, warm_up, keys.made_by, reporter.say)


# --- one model: states, projections, pictures --------------------------------------------------------------------


def _prepare(
    planned: Planned,
    failure: ModelError | None,
    config: ReportConfig,
    store: Store,
    options: Options,
    reporter: Reporter,
    under_way: Drawing,
) -> _Prepared:
    model, jobs = planned.model, planned.jobs
    if failure:
        if len(config.models) > 1:
            reporter.say(f"{model.display_name} failed: {failure}")
        return _Prepared(model=model, failure=str(failure))

    stored = [_found(job, store) for job in jobs]
    ordinary = [results.ordinary_states(states, stored) for states in stored]
    projections = results.projections_of(
        list(zip(stored, ordinary, strict=True)),
        config.projections,
        store,
        force=options.force,
        # A cluster's workers need not see the cache.
        executor=None if options.place.is_cluster else under_way.idle,
    )
    contexts: list[_Context] = []
    for index, (job, states) in enumerate(zip(jobs, stored, strict=True)):
        projected = []
        for projection in projections[index]:
            pictures = _pictures(job, states, projection, config, store, options)
            # Grids take longest: begun last, one would keep a single process busy at the end.
            for picture in sorted(pictures, key=lambda each: isinstance(each.picture, Plate)):
                if picture.due:
                    under_way.submit(picture.key, picture.picture)
            projected.append(_Projected(projection=projection, jobs=pictures))
        contexts.append(_Context(states=states, ordinary=ordinary[index], projected=tuple(projected)))
        reasons = projected[0].projection.problems
        if all(reasons):
            reporter.say(f"{model.display_name}, {states.context.label}: no picture: {reasons[0]}")
    # Measured while the pictures are drawn.
    geometries: list[Geometry | None] = [None for _ in contexts]
    neighbours: list[Neighbours | None] = [None for _ in contexts]
    if not options.is_draft:
        geometries = [_measured(context, config, store, options) for context in contexts]
        neighbours = [results.neighbours_of(context.states, store, force=options.force) for context in contexts]
    under_way.keep_finished()
    return _Prepared(
        model=model,
        contexts=tuple(contexts),
        geometries=tuple(geometries),
        neighbours=tuple(neighbours),
        n_captured=len(planned.due),
    )


def _measured(context: _Context, config: ReportConfig, store: Store, options: Options) -> Geometry:
    projections = [projected.projection for projected in context.projected]
    words = config.words_of(context.states)
    return results.geometry_of(context.states, context.ordinary, projections, words, store, force=options.force)


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
        config.words_of(states),
        store,
        with_fonts=store.typefaces.with_fonts,
        forms=options.forms,
        force=options.force,
    )


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
                width, height = encode.size(file)
                facts = Image(path=job.path, width=width, height=height, n_bytes=file.stat().st_size)
                found[job.path] = (facts, file)
    return found


def _report(
    config: ReportConfig,
    options: Options,
    prepared: list[_Prepared],
    similarities: tuple[ModelSimilarity, ...],
    pictures: dict[str, tuple[Image, Path]],
    missing: frozenset[int],
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
            note=notes.note(entry.model),
            notes=notes.notes_by_address(entry.model),
            contexts=tuple(
                ContextReport(
                    states=context.states,
                    projections=tuple(
                        projection_report(entry.model, context.states, projected) for projected in context.projected
                    ),
                    geometry=geometry,
                    neighbours=neighbours,
                )
                for context, geometry, neighbours in zip(
                    entry.contexts, entry.geometries, entry.neighbours, strict=True
                )
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
        intro=notes.introduction(config),
        words=config.word_list,
        contexts=config.context_list,
        projections=tuple(config.projections),
        models=models,
        command=options.command,
        draft=options.is_draft,
        version=__version__,
        downloads={**tables.downloads(models), **(_excerpt_downloads(models) if options.excerpts else {})},
        undrawn=typefaces.undrawn(config.word_list.words, missing),
        similarities=similarities,
    )


def _excerpt_downloads(models: tuple[ModelReport, ...]) -> dict[str, str]:
    names = [(model.slug, context.states.context.name) for model in models for context in model.contexts]
    return {f"{slug}/{context}/excerpt.html": pages.excerpt_path(slug, context) for slug, context in names}
