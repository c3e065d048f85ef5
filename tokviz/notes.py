"""The author's Markdown → safe HTML: CommonMark, with raw HTML shown as text."""

from __future__ import annotations

from markdown_it import MarkdownIt


def to_html(markdown: str) -> str:
    """HTML that is safe to place in a page as it is; ``javascript:`` and the like are no links."""
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))
