"""Where a run reads and where it writes: places in each other's way are refused before any work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tokviz import models
from tokviz.config import ModelConfig, ReportConfig
from tokviz.errors import PublishError, SourceError, StoreError
from tokviz.pages import render
from tokviz.run.plan.options import Options
from tokviz.run.publishing import publish
from tokviz.run.store import entries
from tokviz.run.store.disk import shown_path
from tokviz.run.work.processes import require_open_files


def check(config: ReportConfig, options: Options) -> None:
    """Raise ``PublishError`` or ``StoreError`` when the site can't be written, or not without harm to other files.

    ``ThemeError`` where the author's theme can't be its look.
    """
    publish.check_replaceable(options.output)
    site, store = options.output.resolve(), options.cache.resolve()
    if site.is_relative_to(store) or store.is_relative_to(site):
        raise PublishError(
            f"--output {shown_path(options.output)}, --cache {shown_path(options.cache)}: expected two folders, neither within the other; name "
            "another for one"
        )
    if options.early_in is not None:
        publish.check_replaceable(options.early_in)
        if options.early_in.resolve() == site:
            raise PublishError(f"--early-in {shown_path(options.early_in)}: expected another folder than --output")
    _check_apart("--output", options.output, config, options)
    check_cache(config, options)
    if config.theme_folder is not None:
        render.check_theme(config.theme_folder, options.templates)


def check_cache(config: ReportConfig, options: Options) -> None:
    """The same for the cache alone; ``BackendError`` where too few files may be open for any of it."""
    if not options.place.is_cluster:
        require_open_files(options.jobs)
    cache = options.cache
    nearest = next(place for place in (cache, *cache.absolute().parents) if os.path.lexists(place))
    if not nearest.is_dir():
        raise StoreError(
            f"--cache {shown_path(cache)}: expected a folder or a place for one, but {shown_path(nearest)} is none; name another"
        )
    for folder in (cache / name for name in entries.FOLDERS):
        if folder.is_symlink():  # of a cache that was copied, it may lead anywhere
            raise StoreError(
                f"{shown_path(folder)}: expected a folder of the cache, got a link; remove it, or name the place of a whole cache "
                "with --cache"
            )
        if os.path.lexists(folder) and not folder.is_dir():
            raise StoreError(f"{shown_path(folder)}: expected a folder of the cache, got something else; move it")
    _check_apart("--cache", cache, config, options)


def _check_apart(option: str, folder: Path, config: ReportConfig, options: Options) -> None:
    resolved = folder.resolve()
    for what, place in _read(config, options):
        found = place.resolve()
        if found.is_relative_to(resolved):
            raise PublishError(
                f"{option} {shown_path(folder)}: expected a folder without the report's own files, it holds {what} {place.name}; name "
                "another"
            )
    for templates in (options.templates, config.theme_folder):
        if templates is not None and resolved.is_relative_to((templates / render.ASSETS).resolve()):
            raise PublishError(
                f"{option} {shown_path(folder)}: expected a folder outside of {shown_path(templates / render.ASSETS)}, all of which is "
                "published; name another"
            )


def _read(config: ReportConfig, options: Options) -> Iterator[tuple[str, Path]]:
    """What the report is made from, each with what it is."""
    yield from (("the file", file) for file in config.files)
    yield "the templates", options.templates
    if config.theme_folder is not None:
        yield "the theme", config.theme_folder
    for model in config.models:
        for source in (model, *([ModelConfig(source=model.tokenizer)] if model.tokenizer else [])):
            place = _place_of(source, options.base)
            if place is not None:
                yield "the model", place


def _place_of(model: ModelConfig, base: Path) -> Path | None:
    try:
        return models.locate(model, base).path
    except SourceError:
        return None  # the model's own failure, which is reported on its page
