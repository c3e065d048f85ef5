"""View records → pages, through one Jinja environment."""

from __future__ import annotations

import base64
import marshal
import os
import re
import stat
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jinja2
import numpy as np
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, TemplateNotFound, TemplateSyntaxError
from jinja2.bccache import Bucket

from tokviz.errors import ThemeError
from tokviz.pages.essay.shown import Figure
from tokviz.pages.frame.pictures import slide_id
from tokviz.pages.frame.scripts import published
from tokviz.pages.site import Page, SiteView
from tokviz.pages.text import catalogue, wording
from tokviz.pages.text.glossary import Explainer
from tokviz.records import depth_name
from tokviz.text import isolated, one_line, ranged, shown, visible, visible_piece

ASSETS = "assets"
OWN_STYLES = f"{ASSETS}/theme.css"
"""A theme's stylesheet, which all pages take after their own."""
COMPILED_VERSION = 10
"""Raised when the environment changes, or the form of the files."""
FILTERS: dict[str, Callable[..., str]] = {
    **catalogue.FORMATS,
    **{each.__name__: each for each in (wording.day, wording.shortened, wording.visible_spaces)},
    **{each.__name__: each for each in (wording.weights_format, depth_name, isolated, visible_piece)},
    "counted": wording.count,
    "ends": ranged,
    "named_or_counted": wording.named_or_counted,
    "projection_label": wording.projection_label,
    "scores": lambda ends: wording.ranged(np.array(ends), wording.finer),
    "sentence": catalogue.sentence,
    "told": catalogue.text,
    "slide": lambda depth, context: slide_id(context, depth),
}
"""How templates write what records hold: numbers, depths, facts and addresses."""
_SHOWN = re.compile(r"(builtins|jinja2|markupsafe|tokviz\.records|tokviz\.pages)(\.|$)")
"""Whose objects' parts the templates of others may take."""
N_DIGEST = sha256().digest_size
"""Bytes of the checksum before a compiled template."""


def environment(folders: Sequence[Path], explainer: Explainer) -> Environment:
    """Escapes everything, shows what HTML doesn't take as code points, and raises on a name that a view record lacks.

    Parameters
    ----------
    folders : where templates are looked for, a theme's before those of tokviz; these are ``tokviz/NAME``, too, so that a theme's
        ``base.html`` may extend ``tokviz/base.html``.
    """
    *themes, own = folders
    ours = FileSystemLoader(own)
    kind = _sandbox() if themes else Environment
    jinja = kind(
        loader=jinja2.ChoiceLoader([*map(_ThemeLoader, themes), ours, jinja2.PrefixLoader({"tokviz": ours})]),
        bytecode_cache=_bytecode(kind),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.filters |= FILTERS | {"explain": explainer.explain}
    jinja.globals["explained"] = explainer.explained
    return jinja


def _sandbox() -> type[Environment]:
    """For templates of others, which get at nothing but what they are given; imported only where there are some."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        """Takes parts of records and of what templates are made of only: an array could be written to any file."""

        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
            return _SHOWN.match(type(obj).__module__) is not None and super().is_safe_attribute(obj, attr, value)

    return Sandbox


# --- compiled templates ------------------------------------------------------------------------------------------


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates, where Jinja keeps a user's own: compiling takes a tenth of a run in which nothing else changed.

    They are code, and Python crashes on damaged code. So they stay out of tokviz's ``.cache/``, which people copy between
    machines and which holds data only, and each comes after a checksum. What can't be read is compiled again.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        content = _content(Path(self._get_cache_filename(bucket)))
        code = content[N_DIGEST:]
        if content[:N_DIGEST] == _digest(bucket, code):
            bucket.code = marshal.loads(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        code = marshal.dumps(bucket.code)
        bucket.write_bytecode = lambda file: file.write(_digest(bucket, code) + code)  # type: ignore[assignment, method-assign]
        with suppress(OSError):  # it is compiled again next time
            super().dump_bytecode(bucket)


def _digest(bucket: Bucket, code: bytes) -> bytes:
    """Of the template's text and of what it was compiled to."""
    return sha256(bucket.checksum.encode() + code).digest()


def _content(file: Path) -> bytes:
    """Nothing where there is no file that can be read; opening a pipe would wait for ever."""
    with suppress(OSError):
        if stat.S_ISREG(file.lstat().st_mode):
            return file.read_bytes()
    return b""


def _bytecode(kind: type[Environment]) -> FileSystemBytecodeCache | None:
    """Those of one kind of environment, which another one can't take: a sandbox checks what its code does."""
    made_by = f"{COMPILED_VERSION}_{MAGIC_NUMBER.hex()}_{jinja2.__version__}_{kind.__name__}"
    try:
        return _Compiled(pattern=f"tokviz_{made_by}_%s.cache")
    except (OSError, RuntimeError):  # no such place on this machine, or it isn't the user's alone
        return None


# --- pages -------------------------------------------------------------------------------------------------------


def render(site: SiteView, folders: Sequence[Path]) -> dict[str, str]:
    """The text of every page, and of what pages load that only this report has, keyed by its path from the site's root.

    Raises ``ThemeError`` where a template of the author's can't be filled.
    """
    explainer, files = Explainer(), dict(site.files)
    with _theme_errors(folders):
        jinja = environment(folders, explainer)
        for page in site.pages:
            explainer.begin()
            files[page.view.frame.path] = _filled_page(jinja, page)
        if site.sitemap:
            files["sitemap.xml"] = _filled(jinja, "sitemap.xml", site=site)
        files["404.html"] = _filled(jinja, "404.html", report=site.report)
    return files


def render_page(page: Page, folders: Sequence[Path], **values: object) -> str:
    """One page by itself; ``values``: what its template takes besides its record and its frame.

    Raises ``ThemeError``, as ``render`` does.
    """
    with _theme_errors(folders):
        return _filled_page(environment(folders, Explainer()), page, **values)


def _filled_page(jinja: Environment, page: Page, **values: object) -> str:
    frame = replace(page.view.frame, nav=page.nav)
    return _filled(jinja, f"{page.template}.html", page=page.view, frame=frame, **values)


def _filled(jinja: Environment, template: str, **values: object) -> str:
    """A template with these values, without characters that pages can't show."""
    return visible(jinja.get_template(template).render(values))


def in_address(picture: bytes) -> str:
    """A WebP picture as an address that holds it."""
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"


def render_excerpts(
    excerpts: Mapping[str, Sequence[str | Figure]], folders: Sequence[Path], pictures: Mapping[str, Path]
) -> dict[str, str]:
    """The text of every fragment, keyed by its path from the site's root; ``pictures``: by theirs, the files that go in."""

    def data_address(path: str) -> str:
        return in_address(pictures[unquote(path)].read_bytes())

    jinja = environment(folders, Explainer())
    jinja.filters["data_address"] = data_address
    # Jekyll reads two braces as an order to itself.
    with _theme_errors(folders):
        return {
            path: _filled(jinja, "excerpt.html", parts=parts).replace("{{", "{&#123;").replace("{%", "{&#37;")
            for path, parts in excerpts.items()
        }


# --- an author's theme -------------------------------------------------------------------------------------------


class _ThemeLoader(FileSystemLoader):
    """Of a theme: what goes wrong while a template is read and compiled names its file."""

    def load(
        self, environment: Environment, name: str, globals: MutableMapping[str, Any] | None = None
    ) -> jinja2.Template:
        try:
            return super().load(environment, name, globals)
        except (TemplateNotFound, TemplateSyntaxError):  # looked for elsewhere; knows its place
            raise
        except Exception as error:
            raise _theme_error(str(Path(self.searchpath[0], name)), error) from error


def _theme_error(place: str, error: Exception) -> ThemeError:
    if isinstance(error, TemplateNotFound):
        return ThemeError(
            f"{place}: expected a template of the theme or of tokviz, got {shown(error.name)}; mend the template, or leave theme out"
        )
    return ThemeError(f"{place}: {one_line(str(error))}; mend the template, or leave theme out")


@contextmanager
def _theme_errors(folders: Sequence[Path]) -> Iterator[None]:
    """An error in an author’s template names its place; in one of tokviz’s it is a fault of the program."""
    try:
        yield
    except ThemeError:
        raise
    except Exception as error:
        place = _place_in(folders[:-1], error)
        if place is None:
            raise
        raise _theme_error(place, error) from error


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


def check_theme(theme: Path, own: Path) -> None:
    """Raise ``ThemeError`` where a theme would change nothing, or where one of its assets is in the way of tokviz's.

    The same where it holds a link that leads out of it, a pipe or a device; ``own``: tokviz's folder.
    """
    for path in sorted(theme.rglob("*")):
        _check_entry(path, theme)
    files, own_files = (
        {file.relative_to(folder) for file in folder.rglob("*") if file.is_file()} for folder in (theme, own)
    )
    if not files & {*own_files, Path(OWN_STYLES)}:
        visible_ones = (file for file in files if not file.name.startswith("."))
        first = min(visible_ones, key=lambda file: (len(file.parts), file), default=None)
        raise ThemeError(
            f"{theme}: expected a template or an asset that pages take, such as base.html or {OWN_STYLES}, got "
            f"{one_line(first.as_posix()) if first else 'none'}; give it the name of one, or leave theme out"
        )
    for one, other, expected, got in ((files, own_files, "folder", "file"), (own_files, files, "file", "folder")):
        if in_the_way := sorted(one & {folder for file in other for folder in file.parents}):
            raise ThemeError(
                f"{theme / in_the_way[0]}: expected a {expected}, as tokviz has one of this name, got a {got}; rename it, or "
                "leave theme out"
            )


def _check_entry(path: Path, theme: Path) -> None:
    """A page would show what a link leads to, on whatever machine it is; who opens a pipe waits for ever."""
    # Unlike Path.resolve, this takes a link to itself.
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(theme)):
        raise ThemeError(
            f"{one_line(str(path))}: expected a file of the theme, got a link that leads out of it; put a copy in its "
            "place, or leave theme out"
        )
    if path.is_fifo() or path.is_char_device() or path.is_block_device():
        raise ThemeError(
            f"{one_line(str(path))}: expected a file or a folder, got a pipe or a device; remove it, or leave theme out"
        )


def assets(folders: Sequence[Path]) -> dict[str, Path | bytes]:
    """The source file of every asset, keyed by its path from the site's root; a theme's take the place of those of tokviz.

    Of scripts and styles, what is published of them.
    """
    found: dict[str, Path] = {}
    for place in reversed(folders):
        folder, root = place / ASSETS, place.resolve()
        # Neither what an editor or a system has left, nor a link that leads out.
        files = sorted(
            path
            for path in folder.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and path.resolve().is_relative_to(root)
        )
        found |= {f"{ASSETS}/{path.relative_to(folder).as_posix()}": path for path in files}
    own = folders[-1] / ASSETS
    return {path: published(file, own) for path, file in found.items()}
