"""View records → pages, through one Jinja environment."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

from tokviz.pages.excerpt import Excerpt
from tokviz.pages.site import SiteView
from tokviz.text import visible

ASSETS = "assets"
COMPILED = "tokviz_2_%s.cache"
"""Files of compiled templates, numbered anew when the environment changes: Jinja looks at a template's text only."""


def environment(templates: Path) -> Environment:
    """Escapes everything, shows what HTML doesn't take as code points, and raises on a name that a view record lacks."""
    return Environment(
        loader=FileSystemLoader(templates),
        bytecode_cache=_bytecode(),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _visible(value: object) -> object:
    """What a template places on a page, without characters that pages can't show."""
    if not isinstance(value, str):
        return value
    shown = visible(value)
    return value if shown == value else type(value)(shown)  # what is marked as safe HTML stays so


def _bytecode() -> FileSystemBytecodeCache | None:
    """Compiled templates, where Jinja keeps a user's own: compiling takes a tenth of a run in which nothing else changed."""
    try:
        return FileSystemBytecodeCache(pattern=COMPILED)
    except (OSError, RuntimeError):  # no such place on this machine, or it isn't the user's alone
        return None


def render(site: SiteView, templates: Path) -> dict[str, str]:
    """The text of every page and of its own scripts, keyed by its path from the site's root."""
    jinja = environment(templates)
    index, method, missing = (jinja.get_template(f"{name}.html") for name in ("index", "method", "404"))
    model = jinja.get_template("model.html")
    pages = {site.index.frame.path: index.render(page=site.index, frame=site.index.frame)}
    for view in site.models:
        pages[view.frame.path] = model.render(page=view, frame=view.frame)
    if site.compare:
        pages[site.compare.frame.path] = jinja.get_template("compare.html").render(
            page=site.compare, frame=site.compare.frame
        )
        pages |= site.compare.scripts
    if site.layers:
        pages[site.layers.frame.path] = jinja.get_template("layers.html").render(
            page=site.layers, frame=site.layers.frame
        )
    if site.explore:
        pages[site.explore.frame.path] = jinja.get_template("explore.html").render(
            page=site.explore, frame=site.explore.frame
        )
    pages[site.method.frame.path] = method.render(page=site.method, frame=site.method.frame)
    if site.sitemap:
        pages["sitemap.xml"] = jinja.get_template("sitemap.xml").render(site=site)
    pages[site.not_found.path] = missing.render(page=site.not_found)
    return pages


def render_excerpts(views: Iterable[Excerpt], templates: Path, pictures: Mapping[str, Path]) -> dict[str, str]:
    """The text of every fragment, keyed by its path from the site's root.

    Parameters
    ----------
    pictures : path from the site's root → the file that holds it; its bytes go into the fragment.
    """

    def data_address(path: str) -> str:
        return f"data:image/webp;base64,{base64.b64encode(pictures[path].read_bytes()).decode()}"

    jinja = environment(templates)
    jinja.filters["data_address"] = data_address
    template = jinja.get_template("excerpt.html")
    # Jekyll reads two braces as an order to itself.
    return {view.path: template.render(view=view).replace("{{", "{&#123;").replace("{%", "{&#37;") for view in views}


def assets(templates: Path) -> dict[str, Path]:
    """The source file of every asset, keyed by its path from the site's root."""
    folder = templates / ASSETS
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {f"{ASSETS}/{path.relative_to(folder).as_posix()}": path for path in files}
