"""View records → pages, through one Jinja environment."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
)

from tokviz.errors import ThemeError
from tokviz.pages.excerpt import Excerpt
from tokviz.pages.explained import Explainer
from tokviz.pages.parts import Frame
from tokviz.pages.site import SiteView
from tokviz.text import one_line, visible

ASSETS = "assets"
OWN_STYLES = f"{ASSETS}/theme.css"
"""A theme's stylesheet, which all pages take after their own."""
COMPILED = "tokviz_4_%s.cache"
"""Files of compiled templates, renumbered when the environment changes: Jinja looks at a template's text only."""


class _View(Protocol):
    """A page's record."""

    @property
    def frame(self) -> Frame: ...


def environment(folders: Sequence[Path], explainer: Explainer) -> Environment:
    """Escapes everything, shows what HTML doesn't take as code points, and raises on a name that a view record lacks.

    Parameters
    ----------
    folders : where templates are looked for, a theme's before those of tokviz; these are ``tokviz/NAME``, too, so that a theme's
        ``base.html`` may extend ``tokviz/base.html``.
    """
    jinja = Environment(
        loader=ChoiceLoader([FileSystemLoader(folders), PrefixLoader({"tokviz": FileSystemLoader(folders[-1])})]),
        bytecode_cache=_bytecode(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.filters["explain"] = explainer.explain
    jinja.globals["explained"] = explainer.explained
    return jinja


def _bytecode() -> FileSystemBytecodeCache | None:
    """Compiled templates, where Jinja keeps a user's own: compiling takes a tenth of a run in which nothing else changed."""
    try:
        return FileSystemBytecodeCache(pattern=COMPILED)
    except (OSError, RuntimeError):  # no such place on this machine, or it isn't the user's alone
        return None


def render(site: SiteView, folders: Sequence[Path]) -> dict[str, str]:
    """The text of every page, of its own scripts and of the author's look, keyed by its path from the site's root.

    Raises
    ------
    ThemeError : a template of the author's can't be filled.
    """
    with _theme_errors(folders):
        return _render(site, folders)


@contextmanager
def _theme_errors(folders: Sequence[Path]) -> Iterator[None]:
    """An error in an author’s template names its place; in one of tokviz’s it is a fault of the program."""
    try:
        yield
    except Exception as error:
        place = _place_in(folders[:-1], error)
        if place is None and isinstance(error, UnicodeDecodeError) and folders[:-1]:
            place = f"{folders[0]}: a template that is not UTF-8 text"
        if place is None:
            raise
        raise ThemeError(f"{place}: {one_line(str(error))}; mend the template, or leave theme out") from error


def _place_in(themes: Sequence[Path], error: Exception) -> str | None:
    """File and line of the innermost template of a theme that an error came from."""
    if isinstance(error, TemplateSyntaxError) and error.filename:
        places = [(error.filename, error.lineno)]
    else:
        places = [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(error.__traceback__)]
    for file, line in reversed(places):
        if any(Path(file).is_relative_to(theme) for theme in themes):
            return f"{file}, line {line}"
    if isinstance(error, TemplateNotFound) and themes:
        return str(themes[0])
    return None


def _render(site: SiteView, folders: Sequence[Path]) -> dict[str, str]:
    explainer = Explainer()
    jinja = environment(folders, explainer)

    def filled(template: str, view: _View) -> dict[str, str]:
        explainer.begin()
        return {view.frame.path: _filled(jinja, f"{template}.html", page=view, frame=view.frame)}

    pages = filled("index", site.index)
    for view in site.models:
        pages |= filled("model", view)
    if site.compare:
        pages |= filled("compare", site.compare)
        pages |= site.compare.scripts
    if site.layers:
        pages |= filled("layers", site.layers)
    if site.explore:
        pages |= filled("explore", site.explore)
    pages |= filled("method", site.method)
    if site.sitemap:
        pages["sitemap.xml"] = _filled(jinja, "sitemap.xml", site=site)
    pages |= site.styles
    pages[site.not_found.path] = _filled(jinja, "404.html", page=site.not_found)
    return pages


def _filled(jinja: Environment, template: str, **values: object) -> str:
    """A template with these values, without characters that pages can't show."""
    return visible(jinja.get_template(template).render(values))


def render_excerpts(views: Iterable[Excerpt], folders: Sequence[Path], pictures: Mapping[str, Path]) -> dict[str, str]:
    """The text of every fragment, keyed by its path from the site's root.

    Parameters
    ----------
    pictures : path from the site's root → the file that holds it; its bytes go into the fragment.
    """

    def data_address(path: str) -> str:
        return f"data:image/webp;base64,{base64.b64encode(pictures[path].read_bytes()).decode()}"

    jinja = environment(folders, Explainer())
    jinja.filters["data_address"] = data_address
    # Jekyll reads two braces as an order to itself.
    with _theme_errors(folders):
        return {
            view.path: _filled(jinja, "excerpt.html", view=view).replace("{{", "{&#123;").replace("{%", "{&#37;")
            for view in views
        }


def check_theme(theme: Path, own: Path) -> None:
    """Raise ``ThemeError`` where a theme would change nothing, or where one of its assets is in the way of tokviz's.

    Parameters
    ----------
    theme, own : the author's folder, and that of tokviz.
    """
    files, own_files = (
        {file.relative_to(folder) for file in folder.rglob("*") if file.is_file()} for folder in (theme, own)
    )
    if not files & {*own_files, Path(OWN_STYLES)}:
        visible_ones = (file for file in files if not file.name.startswith("."))
        first = min(visible_ones, key=lambda file: (len(file.parts), file), default=None)
        raise ThemeError(
            f"{theme}: expected a template or an asset that pages take, such as base.html or {OWN_STYLES}, got "
            f"{first.as_posix() if first else 'none'}; give it the name of one, or leave theme out"
        )
    for one, other, expected, got in ((files, own_files, "folder", "file"), (own_files, files, "file", "folder")):
        if in_the_way := sorted(one & {folder for file in other for folder in file.parents}):
            raise ThemeError(
                f"{theme / in_the_way[0]}: expected a {expected}, as tokviz has one of this name, got a {got}; rename it, or "
                "leave theme out"
            )


def assets(folders: Sequence[Path]) -> dict[str, Path]:
    """The source file of every asset, keyed by its path from the site's root; a theme's take the place of those of tokviz."""
    found: dict[str, Path] = {}
    for folder in (each / ASSETS for each in reversed(folders)):
        root = folder.resolve()
        # Neither what an editor or a system has left, nor a link that leads out.
        files = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and path.resolve().is_relative_to(root)
        )
        found |= {f"{ASSETS}/{path.relative_to(folder).as_posix()}": path for path in files}
    return found
