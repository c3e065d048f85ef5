"""What a run has made → the report, and the files of its site."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from tokviz import __version__, pages
from tokviz.config import ModelConfig, ReportConfig
from tokviz.draw import encode
from tokviz.errors import TokvizError
from tokviz.pages import notes, render
from tokviz.pages.downloads import tables
from tokviz.pages.text.placeholders import Placeholders
from tokviz.records import (
    ContextReport,
    Image,
    ModelReport,
    NotCompared,
    Opening,
    Problem,
    Projection,
    ProjectionReport,
    Renditions,
    Report,
    SeriesReport,
)
from tokviz.run.kinds.interventions import Interventions
from tokviz.run.plan.options import DRAFT, SVG
from tokviz.run.plan.pairs import Compared
from tokviz.run.plan.pictures import Subject, Whole
from tokviz.run.plan.report import Plan
from tokviz.run.plan.steps import Meanwhile
from tokviz.run.plan.tree import Captured, ContextPlan, ModelPlan, PictureJob
from tokviz.run.publishing import deciding, publish
from tokviz.run.publishing.public import public_record, public_source, public_states, public_text
from tokviz.run.store.artefacts import Store
from tokviz.run.store.disk import shown_path


@dataclass(frozen=True, kw_only=True)
class Products:
    """What is made of one capture."""

    captured: Captured
    shown: tuple[tuple[Projection, tuple[PictureJob, ...]], ...]
    """Each projection with its pictures."""
    measuring: Meanwhile | None
    """None in a draft."""
    measures: Mapping[str, Any] = field(default_factory=dict)
    """By the names of the fields of ``ContextReport``, once all is measured."""
    heat_map: PictureJob | None = None
    """The same."""
    residual: np.ndarray | None = None
    """Of a checkpoint ``StepAxes.residual``."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A model, or the reason why it couldn't be captured."""

    plan: ModelPlan
    failure: str | None = None
    products: Mapping[str, Products] = field(default_factory=dict)
    """By the keys of ``plan.captured``."""


Images = Mapping[str, tuple[Image, Path]]
"""By path from the site's root the facts of pictures, and their files in the store."""


def find_images(made: Sequence[Made], store: Store, failed: Container[str] = ()) -> Images:
    """Every picture of the report, once all are drawn.

    Parameters
    ----------
    failed : the keys of those that couldn't be.

    Raises
    ------
    TokvizError : somebody removed one meanwhile.
    """
    return {job.path: _stored(job, store) for each in made for job in jobs_of(each) if job.key not in failed}


def jobs_of(made: Made) -> Iterator[PictureJob]:
    """All pictures of a model."""
    for each in made.products.values():
        yield from (job for _, pictures in each.shown for job in pictures)
        if each.heat_map:
            yield each.heat_map


def _stored(job: PictureJob, store: Store) -> tuple[Image, Path]:
    file = store.find_image(job.key)
    if file is None:
        raise TokvizError(f"{shown_path(store.root)}: the image of {job.path} vanished while in use; run again")
    width, height = encode.size(file)
    return Image(path=job.path, width=width, height=height, n_bytes=file.stat().st_size), file


# --- the report, gathered ----------------------------------------------------------------------------------------


def make_report(
    plan: Plan,
    made: Sequence[Made],
    series: tuple[SeriesReport, ...],
    compared: Compared,
    images: Images,
    undrawn: tuple[str, ...],
) -> Report:
    """``compared``: what is measured between models; ``undrawn``: the words that pictures show with code points."""
    models = tuple(model_report(each, images, plan.options.base, plan.store) for each in made)
    report = replace(
        report_of(models, plan),
        series=series,
        similarities=compared.similarities,
        differences=compared.differences,
        not_compared=tuple(_public(each, plan) for each in compared.failed),
        undrawn=undrawn,
    )
    return pages.with_downloads(deciding.decide(report), with_excerpts=plan.options.excerpts)


def _public(failed: NotCompared, plan: Plan) -> NotCompared:
    models = (each for each in plan.config.models if each.slug in (failed.model_a, failed.model_b))
    said = reduce(lambda text, model: public_text(text, model, plan.options.base), models, failed.failure)
    return replace(failed, failure=said)


def report_of(models: tuple[ModelReport, ...], plan: Plan) -> Report:
    """The report on some models, which aren't compared."""
    config, options = plan.config, plan.options
    placeholders = Placeholders(config.word_list, models)
    return Report(
        title=placeholders.filled(config.title),
        subtitle=config.subtitle and placeholders.filled(config.subtitle),
        author=config.author,
        description=config.description and placeholders.filled(config.description),
        license=config.license,
        license_url=config.license_url,
        site_url=f"{config.site_url.rstrip('/')}/" if config.site_url else None,
        intro=notes.introduction(config, placeholders),
        words=config.word_list,
        relations=config.relation_list,
        orders=config.order_list,
        contexts=config.context_list,
        projections=tuple(config.projections),
        models=models,
        command=options.command,
        opening=_opening(config),
        draft=options.is_draft,
        look=config.look,
        version=__version__,
        own_styles=any((folder / render.OWN_STYLES).is_file() for folder in folders(plan)[:-1]),
    )


def _opening(config: ReportConfig) -> Opening | None:
    said = config.finding
    if said is None:
        return None
    depths = (0 if each == "embedding" else int(each.removeprefix("layer-")) + 1 for each in said.depths or ())
    return Opening(
        sentence=said.sentence,
        rows=tuple(said.rows or ()),
        depths=tuple(sorted(depths)),
        projection=said.projection,
        lead=said.lead,
    )


def model_report(made: Made, images: Images, base: Path, store: Store) -> ModelReport:
    """What is published of a model: nothing in it names a folder of this machine."""
    model = made.plan.model
    return ModelReport(
        slug=model.slug,
        name=model.display_name,
        source=public_source(model.source),
        failure=made.failure and public_text(made.failure, model, base),
        note=notes.note(model),
        notes=notes.notes_by_address(model),
        contexts=tuple(
            _context(each, made.products, images, base, store)
            for each in made.plan.contexts
            if each.key in made.products
        ),
    )


def _context(
    context: ContextPlan, made: Mapping[str, Products], images: Images, base: Path, store: Store
) -> ContextReport:
    """A context, with what was captured of it with neurons set to a value."""
    model = context.model
    own, *others = (made[key] for key in context.all_captured)
    shown = _projections(own, images)
    failures = (f"{each.what.described}: {each.failure}" for each in context.of(Interventions) if each.failure)
    return ContextReport(
        projections=shown,
        interventions=tuple(
            ContextReport(projections=_beginning_like(shown, each, images), **_others(each, images, model, base))
            for each in others
        ),
        failed_interventions=tuple(public_text(each, model, base) for each in failures),
        **_records(context, store, base),
        **_others(own, images, model, base),
    )


def _records(context: ContextPlan, store: Store, base: Path) -> dict[str, Any]:
    """What is captured beside states, and is no states, by the names of its fields."""
    found = {
        kind.field: store.find(each.key, each.record)
        for kind, beside in context.beside.items()
        for each in beside
        if each.record
    }
    return {name: public_record(record, context.model, base) for name, record in found.items()}


def _others(made: Products, images: Images, model: ModelConfig, base: Path) -> dict[str, Any]:
    """The fields of a ``ContextReport`` beside projections: states and measures."""
    measured = {name: public_record(record, model, base) for name, record in made.measures.items()}
    heat_map = images.get(made.heat_map.path) if made.heat_map else None
    return {
        "states": public_states(made.captured.states, model, base),
        "heat_map": heat_map and heat_map[0],
        **measured,
    }


def _projections(made: Products, images: Images) -> tuple[ProjectionReport, ...]:
    return tuple(_projection(*shown, images) for shown in made.shown)


def _beginning_like(intact: Sequence[ProjectionReport], made: Products, images: Images) -> tuple[ProjectionReport, ...]:
    """Before the layer whose neurons were set to a value the plates are those of the model as it is."""
    done = made.captured.states.intervention
    start = done.layer + 1 if done else 0
    return tuple(
        replace(own, plates=(*before.plates[:start], *own.plates[start:])) if any(own.plates) else own
        for before, own in zip(intact, _projections(made, images), strict=True)
    )


def _projection(projection: Projection, pictures: Sequence[PictureJob], images: Images) -> ProjectionReport:
    by_subject: dict[Subject, dict[str, Image]] = {}
    for job in pictures:
        form = "wide" if job.form == DRAFT else job.form
        if job.path in images:
            by_subject.setdefault(job.subject, {})[form] = images[job.path][0]

    def renditions(subject: Subject) -> Renditions | None:
        forms = by_subject.get(subject, {})
        wide = forms.get("wide")
        if wide is None:
            return None
        dark = renditions(Whole.DARK_STRIP) if subject is Whole.STRIP else None
        return Renditions(wide=wide, phone=forms.get("phone", wide), svg=forms.get(SVG), dark=dark)

    plates = tuple(renditions(depth) for depth in range(len(projection.problems)))
    asked = {job.subject for job in pictures}
    problems = tuple(
        Problem(kind="not_drawn") if depth in asked and plates[depth] is None else problem
        for depth, problem in enumerate(projection.problems)
    )
    return ProjectionReport(
        projection=replace(projection, problems=problems),
        plates=plates,
        grid=renditions(Whole.GRID),
        strip=renditions(Whole.STRIP),
    )


# --- the site's files --------------------------------------------------------------------------------------------


def make_files(report: Report, images: Images, cards: Mapping[str, Path], plan: Plan) -> dict[str, publish.Content]:
    """Path from the site's root → content."""
    options, places = plan.options, folders(plan)
    pictures = {path: file for path, (_, file) in images.items()}
    found: dict[str, publish.Content] = {
        **render.assets(places),
        **render.render(pages.build(report), places),
        **tables.files(report),
        **pictures,
        **cards,
        ".nojekyll": "",
    }
    if (font := plan.config.font_file) and report.look.font:
        found[report.look.font] = font
    if options.excerpts:
        found |= render.render_excerpts(pages.excerpts(report), places, pictures)
    return found


def folders(plan: Plan) -> tuple[Path, ...]:
    """Where templates and assets are looked for: in the author's theme, if there is one, then in those of tokviz."""
    theme = plan.config.theme_folder
    return (*(() if theme is None else (theme,)), plan.options.templates)
