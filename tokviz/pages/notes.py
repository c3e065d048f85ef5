"""What the author says in a report: Markdown of the config → HTML, each text and link at an address that exists."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import replace

from tokviz.config import ModelConfig, ReportConfig, file_name
from tokviz.errors import ConfigError
from tokviz.pages.essay import asked
from tokviz.pages.essay.asked import PlaceError
from tokviz.pages.essay.shown import figure
from tokviz.pages.first.choice import choice, has_failed, row_addresses, unshown_rows
from tokviz.pages.frame.frame import model_path
from tokviz.pages.frame.pictures import depth_address
from tokviz.pages.model.page import note_addresses
from tokviz.pages.text import markdown
from tokviz.pages.text.placeholders import Placeholders
from tokviz.records import EssayPlace, ModelReport, Report
from tokviz.text import shown, suggestion

INDEX = "index.html"
MOST_TOLD = 20
"""Of mistakes."""
OWN_ADDRESSES = ("compare/", "explore/")
"""Pages whose fragments say what they show; they are no places of the page."""


def introduction(
    config: ReportConfig, placeholders: Placeholders, lost: Container[str] = ()
) -> tuple[str | EssayPlace, ...]:
    """The first page's introduction, HTML and places of the report; ``lost``: as in ``without``."""
    return tuple(markdown.parts(placeholders.filled(config.intro), INDEX, lost)) if config.intro else ()


def note(model: ModelConfig, lost: Container[str] = ()) -> str | None:
    """HTML of what is said of the model as a whole; ``lost``: as in ``without``."""
    return markdown.to_html(model.note, model_path(model.slug), lost) if model.note else None


def notes_by_address(model: ModelConfig, lost: Container[str] = ()) -> dict[str, str]:
    """Address on the model's page → HTML; ``lost``: as in ``without``."""
    page = model_path(model.slug)
    return {address: markdown.to_html(text, page, lost) for address, text in model.notes.items()}


def without(config: ReportConfig, report: Report, lost: Container[str]) -> Report:
    """The report with texts that neither link to nor show what it doesn't have; ``lost``: as ``check`` gives it."""
    placeholders = Placeholders(config.word_list, report.models)
    models = (
        replace(made, note=note(model, lost), notes=notes_by_address(model, lost))
        for model, made in zip(config.models, report.models, strict=True)
    )
    return replace(report, intro=introduction(config, placeholders, lost), models=tuple(models))


def check_before(config: ReportConfig) -> None:
    """What can be checked before any work: pictures from elsewhere, addresses, and models that the report doesn't have.

    Raises ``ConfigError``, as ``check`` does.
    """
    pages = [model_path(model.slug) for model in config.models]
    for key, _, text in _texts(config):
        name = f"{file_name(config.file)}: {key}"
        if markdown.is_too_nested(text):
            raise ConfigError(
                f"{name}: expected at most {markdown.MOST_NESTED // 2 - 2} quotes and lists within each other, got more"
            )
        for source in markdown.foreign_pictures(text):
            raise ConfigError(
                f"{name}: expected images of this report (images/…) or data: addresses, because pages request nothing from other hosts, got"
                f" {shown(source)}"
            )
        for place in markdown.places(text):
            where = _line_of(config, key, place)
            if key != "intro" or not place.is_alone:
                what = "in the introduction, alone in a paragraph"
                raise ConfigError(f"{where}: expected a place of the report {what}, got {shown(place.target)}")
            try:
                _check_names(config, asked.parse(place.target))
            except PlaceError as error:
                raise ConfigError(f"{where}: {error}") from None
        named = [path for path, _ in markdown.targets(text) if path.startswith("models/")]
        for problem in _missing(name, named, pages, "a link to a model’s page"):
            raise ConfigError(problem)


def _check_names(config: ReportConfig, wanted: asked.Asked) -> None:
    """Raise ``PlaceError`` where an address names a model or words that the configuration hasn't got."""
    slugs = [model.slug for model in config.models]
    contexts = [context.name for context in config.context_list]
    if not slugs and wanted.kind != "finding":
        raise PlaceError("expected a model whose plots can be shown, got a report without any")
    for slug in wanted.slugs:
        if slug not in slugs:
            raise PlaceError(f"no model {shown(slug)}{asked.among(slug, slugs)}")
    for plots in wanted.plots:  # captures with neurons set to a value are named after theirs
        if not any(plots.context == name or plots.context.startswith(f"{name}-") for name in contexts):
            raise PlaceError(f"no words {shown(plots.context)}{asked.among(plots.context, contexts)}")


def check(config: ReportConfig, report: Report, files: Mapping[str, object]) -> dict[str, str]:
    """See that every note has a place, that every link in one leads somewhere, and that what ``[finding]`` shows exists.

    Parameters
    ----------
    files : path from the site's root → content; pages are texts.

    Returns
    -------
    Where a part of the report failed, which its author couldn't foresee: what isn't there, in words → the file or place that a link leads
    to, if it is one.

    Raises
    ------
    ConfigError : of what didn't fail; names the text, what was expected and what came.
    """
    lacking: dict[str, str] = {}
    wrong: list[str] = []
    found = (*_without_place(config, report), *_leading_nowhere(config, report, files), *_not_shown(config, report))
    for problem, target, is_excused in found:
        if is_excused:
            lacking[problem] = target
        else:
            wrong.append(problem)
    if wrong:
        more = [f"and {len(wrong) - MOST_TOLD} more"] if len(wrong) > MOST_TOLD else []
        head = f"{file_name(config.file)}: {len(wrong)} mistakes in its texts"
        raise ConfigError(wrong[0] if len(wrong) == 1 else "\n  ".join((head, *wrong[:MOST_TOLD], *more)))
    return lacking


def _is_whole(model: ModelReport) -> bool:
    """Whether the model was captured, and all that was asked with neurons set to a value."""
    return model.failure is None and not any(context.failed_interventions for context in model.contexts)


def _excuses(report: Report, path: str) -> bool:
    """Whether a file may not be as an author expects since something failed: of one model itself, of all others anything."""
    folder, _, rest = path.partition("/")
    if folder in ("models", "images"):
        of = {model.slug: model for model in report.all_models}.get(rest.partition("/")[0])
        return of is not None and not _is_whole(of)
    not_compared = (*report.not_compared, *(reason for each in report.series for reason in each.not_compared))
    return bool(not_compared) or not all(map(_is_whole, report.all_models))


Problem = tuple[str, str, bool]
"""What is wrong, the file or the place that a link leads to, and whether something that failed excuses it."""


def _without_place(config: ReportConfig, report: Report) -> Iterator[Problem]:
    """What is wrong with the addresses of notes, and with what ``[finding]`` shows."""
    for index, (model, made) in enumerate(zip(config.models, report.models, strict=True)):
        if made.failure is None:
            name = f"{file_name(config.file)}: models.{index}.notes"
            found = _missing(name, model.notes, note_addresses(made), "an address on the model’s page")
            yield from ((each, "", not _is_whole(made)) for each in found)
    by_slug = {model.slug: model for model in report.models}
    for index, row in enumerate((config.finding and config.finding.rows) or ()):
        made = by_slug[row.partition("/")[0]]
        if not has_failed(made, row):
            name = f"{file_name(config.file)}: finding.rows.{index}"
            found = _missing(name, [row], row_addresses(made), "a row that was captured")
            yield from ((each, "", False) for each in found)
    if report.opening and (chosen := choice(report)):
        known = [depth_address(depth) for depth in range(chosen.rows[0].states.n_depths)]
        for index, depth in enumerate((config.finding and config.finding.depths) or ()):
            name = f"{file_name(config.file)}: finding.depths.{index}"
            found = _missing(name, [depth], known, f"a depth of {chosen.model.display_name}")
            is_of_another = not all(map(_is_whole, report.models)) and (not report.opening.rows or unshown_rows(report))
            yield from ((each, "", bool(is_of_another)) for each in found)


def _leading_nowhere(config: ReportConfig, report: Report, files: Mapping[str, object]) -> Iterator[Problem]:
    """What is wrong with links."""
    for key, page, text in _texts(config):
        for path, fragment in markdown.targets(text):
            name, path = _link_of(config, key, text, (path, fragment)), path or page
            is_excused = _excuses(report, path)
            found = _missing(name, [path], files, "a link to a file of this report")
            yield from ((each, path, is_excused) for each in found)
            content = files.get(path)
            place = fragment.partition("+")[0]
            has_places = place and isinstance(content, str) and not path.startswith(OWN_ADDRESSES)
            if has_places and f'id="{place}"' not in str(content):
                problem = f"{name}: expected a link to a place of that page, got {shown(f'{path}#{place}')}"
                yield problem, f"{path}#{fragment}", is_excused


def _not_shown(config: ReportConfig, report: Report) -> Iterator[Problem]:
    """What is wrong with places that the introduction shows."""
    for place in report.intro:
        if isinstance(place, EssayPlace):
            try:
                figure(report, place, INDEX)
            except PlaceError as error:
                wanted = asked.parse(place.target)
                of = report.models if wanted.kind == "finding" else report.models[:1]
                slugs = wanted.slugs or [model.slug for model in of]
                is_excused = any(_excuses(report, model_path(slug)) for slug in slugs)
                yield f"{_line_of(config, 'intro', place)}: {error}", "", is_excused


def _line_of(config: ReportConfig, key: str, place: EssayPlace) -> str:
    """Where a place is written: file and line."""
    if key == "intro" and config.intro_file:
        return f"{file_name(config.intro_file)}:{place.line}"
    return f"{file_name(config.file)}: {key}, line {place.line}"


def _link_of(config: ReportConfig, key: str, text: str, link: tuple[str, str]) -> str:
    """Where a link is written: of an introduction in a file that file and the line."""
    if key != "intro" or not config.intro_file:
        return f"{file_name(config.file)}: {key}"
    path, fragment = link
    at = max(text.find(f"#{fragment}") if fragment else -1, text.find(path.removesuffix("index.html")) if path else -1)
    line = f":{text.count(chr(10), 0, at) + 1}" if at >= 0 else ""
    return f"{file_name(config.intro_file)}{line}"


def _texts(config: ReportConfig) -> Iterator[tuple[str, str, str]]:
    """Of every text its name in the config, the page where it is shown, and its Markdown."""
    if config.intro:
        yield "intro", INDEX, config.intro
    for index, model in enumerate(config.models):
        page = model_path(model.slug)
        if model.note:
            yield f"models.{index}.note", page, model.note
        for address, text in model.notes.items():
            yield f"models.{index}.notes.{address}", page, text


def _missing(name: str, wanted: Iterable[str], known: Collection[str], what: str) -> Iterator[str]:
    for target in wanted:
        if target not in known:
            yield f"{name}: expected {what}, got {shown(target)}{suggestion(target, known)}"
