"""What MkDocs does besides: fills in the reference, takes plots from the sample report, links to it.

The manual is published in a folder of the sample report, so that ``report:models/`` in a page leads to the report's own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
SITE = ROOT / "site"
"""The sample report, as it is committed; a source distribution has only what the manual shows of it."""
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]  # the program that the reference describes is the one beside it

import charts
import reference
import sample_parts

_NEED_ADDRESS = {"404.html", "sitemap.xml"}
_GENERATED = re.compile(r"^<!-- reference: (\w+) -->$", re.MULTILINE)
_CHART = re.compile(r"^<!-- chart: (\w+)( log)? -->$", re.MULTILINE)
"""A column of ``geometry.csv``, and whether its axis is logarithmic."""
_TO_REPORT = re.compile(r'href="report:([^"#]*)')
_LINK_TO_REPORT = re.compile(r'<a href="report:[^>]*>(.*?)</a>', re.DOTALL)
_PARTS: dict[str, Callable[[], str]] = {
    "config": reference.config,
    "limits": reference.limits,
    "command": reference.command,
    "python": reference.python,
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leave out pages that need the address at which the manual will stand."""
    config.theme.static_templates -= _NEED_ADDRESS
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the plots that pages show; one that the report doesn't have is found by MkDocs as a broken link."""
    for name in _NEED_ADDRESS:
        if of_theme := files.get_file_from_path(name):
            files.remove(of_theme)
    texts = [file.content_string for file in files.documentation_pages()]
    for path, in_report in sample_parts.plots(texts):
        if (SITE / in_report).is_file():
            files.append(File.generated(config, path, abs_src_path=str(SITE / in_report)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put in the place of a mark what is made of the program, or of the sample's numbers."""
    markdown = _CHART.sub(lambda found: charts.chart(SITE / "data", found[1], is_log=bool(found[2])), markdown)
    try:
        return _GENERATED.sub(lambda found: _PARTS[found[1]](), markdown)
    except reference.MissingTextError as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from error


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead to the report around the manual; where there is none, what would lead there is plain text."""
    if not (SITE / "index.html").is_file():
        return _LINK_TO_REPORT.sub(r"\1", html)
    up = "../" * (page.url.count("/") + 1)

    def link(found: re.Match[str]) -> str:
        path = f"{found[1]}index.html" if found[1].endswith("/") or not found[1] else found[1]
        if not (SITE / path).is_file():
            raise PluginError(f"{page.file.src_uri}: expected a page of the sample report, got report:{found[1]}")
        return f'href="{up}{path}'

    return _TO_REPORT.sub(link, html)
