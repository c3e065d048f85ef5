"""What a notebook shows of a capture: its facts beside the strip of its depths, and the explorer in a frame."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokviz.errors import TokvizError
from tokviz.notebook import arguments
from tokviz.pages import build, render
from tokviz.pages.downloads import tables
from tokviz.records import Report

_SCRIPT = re.compile(r'<script src="\.\./(assets/[^"]+)"( defer)?></script>\n?')
_STYLE = re.compile(r'<link rel="stylesheet" href="\.\./(assets/[^"]+)">\n?')
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?')
_WITHOUT_SCRIPTS = re.compile(r"<noscript><link[^>]*></noscript>\n?")
_OUTSIDE = ".site-header, .site-footer, .explore-links, [data-take], .skip, main > .caption { display: none; } main { padding-top: .5rem; }"
"""What leads to other pages of a site, and there is no site."""
_FONT = re.compile(r"@font-face \{[^}]*\}\n?")


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
            raise TokvizError(f"{path}: expected a place to write to: {error.strerror or error}") from error


def explorer(report: Report, folders: Sequence[Path], height: int) -> Explorer:
    """The explore page of a report, with all that it loads within it."""
    view = build(report)
    page = render.render(view, folders)["explore/index.html"]
    page = _WITHOUT_SCRIPTS.sub("", page)
    assets: Mapping[str, Path | str] = {**render.assets(folders), **view.files}

    def text(path: str) -> str:
        content = assets[path]
        return content.read_text(encoding="utf-8") if isinstance(content, Path) else str(content)

    scripts = [path for path, _ in _SCRIPT.findall(page)]
    data = (content for path, content in tables.files(report).items() if path.endswith(".js"))
    styles = "\n".join(_FONT.sub("", text(path)) for path in _STYLE.findall(page))
    page = _STYLE.sub("", _SCRIPT.sub("", _POLICY.sub("", page)))
    page = page.replace("</head>", f"<style>{styles}\n{_OUTSIDE}</style>\n</head>", 1)
    # The scripts of the pages run when the page has been read; the data must be there before.
    common, *others = (text(path) for path in _in_order(scripts))
    return Explorer(document=page.replace("</body>", f"{_inline([common, *data, *others])}</body>", 1), height=height)


def _in_order(scripts: Iterable[str]) -> list[str]:
    """``common.js`` first, since it takes the data; without what only a site needs."""
    left_out = ("theme.js", "fonts.js", "opening.js", "take.js")
    found = [path for path in scripts if not path.endswith(left_out)]
    return sorted(found, key=lambda path: not path.endswith("/common.js"))


def _inline(scripts: Iterable[str]) -> str:
    return "".join("<script>{}</script>\n".format(script.replace("</script", "<\\/script")) for script in scripts)


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
