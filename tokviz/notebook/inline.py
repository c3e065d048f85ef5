"""What a notebook shows of a capture: its facts beside the strip of its depths, and the explorer in a frame."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokviz.errors import TokvizError
from tokviz.notebook import arguments
from tokviz.pages import render, with_downloads
from tokviz.pages.downloads import tables
from tokviz.pages.explore.page import explore_page
from tokviz.pages.frame.look import styles
from tokviz.pages.site import Page
from tokviz.records import Report
from tokviz.text import path_in_line

_FONT = re.compile(r"@font-face \{[^}]*\}\n?")
"""Whose file isn't there."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Explorer:
    """The explorer of a report in a frame of its own; needs no other file and no network."""

    document: str
    height: int

    def __repr__(self) -> str:
        return "An explorer, to be shown in a notebook; document is its page, which .save(…) writes."

    def _repr_html_(self) -> str:
        page = html.escape(self.document, quote=True)
        return (
            f'<iframe title="Explorer" srcdoc="{page}" width="100%" height="{self.height}" style="border: 0" '
            'sandbox="allow-scripts"></iframe>'
        )

    def save(self, path: Path | str) -> None:
        """Write the page, which opens in any browser."""
        path = arguments.path("path", path)
        try:
            path.write_text(self.document, encoding="utf-8")
        except OSError as error:
            raise TokvizError(
                f"{path_in_line(path)}: expected a place to write to: {error.strerror or error}"
            ) from error


def explorer(report: Report, folders: Sequence[Path], height: int) -> Explorer:
    """The explorer of a report, with all that it loads within it."""
    view = explore_page(with_downloads(report))
    if view is None:
        raise TokvizError("explore: expected words, got a whole vocabulary, which has no explorer")
    frame, assets = view.frame, render.assets(folders)

    def text(link: str) -> str:
        content = assets[link.removeprefix("../")]
        return content.decode() if isinstance(content, bytes) else content.read_text(encoding="utf-8")

    own = (frame.to(f"assets/{name}") for name in ("site.css", "screens.css"))
    sheets = [*map(text, (*own, *view.stylesheets)), styles(report.look)]
    if report.own_styles:
        sheets.append(text(frame.to("assets/theme.css")))
    # The scripts of the page run when the data are there, which the first one takes.
    common, *others = [text(link) for link in frame.scripts if not link.endswith("/take.js")]
    data = (content for path, content in tables.files(report).items() if path.endswith(".js"))
    document = render.render_page(
        Page(template="notebook", view=view),
        folders,
        styles=[_FONT.sub("", sheet) for sheet in sheets if sheet],
        scripts=[script.replace("</script", "<\\/script") for script in (common, *data, *others)],
    )
    return Explorer(document=document, height=height)


def facts(rows: Iterable[tuple[str, str]], strip: bytes | None) -> str:
    """A table of two columns, and a picture below it."""
    cells = "".join(
        f'<tr><th style="text-align: left">{html.escape(name)}</th><td style="text-align: left">{html.escape(value)}</td></tr>'
        for name, value in rows
    )
    image = ""
    if strip is not None:
        source = f"data:image/png;base64,{base64.b64encode(strip).decode()}"
        image = f'<img src="{source}" alt="All depths as small plots" style="width: 100%; max-width: 1100px; background: #fff">'
    return f"<table>{cells}</table>{image}"
