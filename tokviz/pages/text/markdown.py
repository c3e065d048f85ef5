"""The author's Markdown → safe HTML: CommonMark and tables, with raw HTML shown as text.

Links and pictures are written as seen from the site's root (``models/qwen3-4b/#alone/layer-6``), wherever the text stands.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tokviz.pages.text.wording import NBSP
from tokviz.records import EssayPlace

MOST_NESTED = 40
"""Tags of quotes and lists within each other, a list having two: what stands deeper, the parser leaves out."""

_OPEN = re.compile(r"(?<=\d) (?=[%±])|(?<=±) (?=\d)")
"""Where a line must not end: ``66 %``, ``1.20 ± 0.08``."""


def to_html(markdown: str, page: str, lost: Container[str] = ()) -> str:
    """All of ``parts`` but places."""
    return "".join(part for part in parts(markdown, page, lost) if isinstance(part, str))


def parts(markdown: str, page: str, lost: Container[str] = ()) -> list[str | EssayPlace]:
    """HTML that is safe to place in ``page`` as it is, and between it the pictures that are places of the report and stand alone.

    ``javascript:`` and the like are no links.

    Parameters
    ----------
    markdown : the author's text.
    page : path of the page from the site's root; the site's own links are made relative to it.
    lost : what isn't there, from the site's root: a file, of which a link becomes its text, and a picture its description; or a place,
        ``models/bert/index.html#grid``, of which a link leads to the page.
    """
    parser = _parser()
    tokens = parser.parse(markdown)
    for token in _texts(tokens):
        token.content = _OPEN.sub(NBSP, token.content)
    for token, attribute, target in _targets(tokens):
        path, hash_mark, fragment = target.partition("#")
        file = unquote(_file(path)) if path else page
        is_place_lost = f"{file}#{unquote(fragment)}" in lost
        if is_place_lost:
            hash_mark = fragment = ""
        if file in lost or (is_place_lost and not path):
            del token.attrs[attribute]
            if token.type == "image":
                token.type = "text"
                token.content = parser.renderer.renderInlineAsText(token.children, parser.options, {})  # type: ignore[attr-defined]
        elif path:
            path = posixpath.relpath(_file(path), posixpath.dirname(page) or ".")
            if ":" in path.partition("/")[0]:  # what was a file's name in a folder must not become a scheme
                path = f"./{path}"
            token.attrs[attribute] = path + hash_mark + fragment
    found: list[str | EssayPlace] = []
    for places, some in groupby(_blocks(tokens), lambda block: [*_places(block)]):
        if places and places[0].is_alone:
            found += places
        else:
            block = [token for each in some for token in each]
            found.append(str(parser.renderer.render(block, parser.options, {})))
    return found


def places(markdown: str) -> list[EssayPlace]:
    """The pictures that are places of the report, alone or not."""
    return [place for block in _blocks(_parsed(markdown)) for place in _places(block)]


def _blocks(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The parts of the text that stand under each other: paragraphs, lists, tables."""
    block: list[Token] = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield block
            block = []


def _places(block: Sequence[Token]) -> Iterator[EssayPlace]:
    parser = _parser()
    is_paragraph = [token.type for token in block] == ["paragraph_open", "inline", "paragraph_close"]
    for token in block:
        for image in _pictures(token.children or []):
            if is_place(target := str(image.attrs["src"])):
                first, _ = token.map or (0, 0)
                caption = str(parser.renderer.render(image.children or [], parser.options, {}))
                is_alone = is_paragraph and token.children == [image]
                yield EssayPlace(target=unquote(target), caption=caption, line=first + 1, is_alone=is_alone)


def _pictures(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "image":
            yield token
        else:
            yield from _pictures(token.children or [])


def is_place(target: str) -> bool:
    """Whether a picture's address is one of a page of the report, and no file with a picture."""
    path, hash_mark, _ = target.partition("#")
    return _is_own(target) and (bool(hash_mark) or path.endswith(("/", ".html")))


def targets(markdown: str) -> list[tuple[str, str]]:
    """What the text links to or shows of the site itself: path from the root (empty for the page itself), and fragment."""
    found = (target.partition("#") for _, _, target in _targets(_parsed(markdown)))
    return [(unquote(_file(path)) if path else "", unquote(fragment)) for path, _, fragment in found]


def foreign_pictures(markdown: str) -> list[str]:
    """The addresses of pictures that aren't the report's own: pages ask no other host for anything."""
    tokens = [token for block in _parsed(markdown) for token in (block, *(block.children or []))]
    sources = [str(token.attrs["src"]) for token in tokens if token.type == "image"]
    return [source for source in sources if not source.startswith("data:") and not _is_own(source)]


def is_too_nested(markdown: str) -> bool:
    """Whether quotes and lists stand within each other so deep that the parser leaves out what they hold."""
    return any(token.level >= MOST_NESTED - 1 for token in _parsed(markdown))


@lru_cache(maxsize=8)
def _parsed(markdown: str) -> list[Token]:
    """Tokens to read, not to change: several questions are asked of each text in turn."""
    return _parser().parse(markdown)


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "maxNesting": MOST_NESTED}).enable("table")


def _targets(tokens: list[Token]) -> Iterator[tuple[Token, str, str]]:
    """Every link that leads to this site, and every picture that is a file of it: the token, its attribute and what it says."""
    for token in tokens:
        attribute = {"link_open": "href", "image": "src"}.get(token.type)
        if attribute:
            target = str(token.attrs[attribute])
            if _is_own(target) and not (attribute == "src" and is_place(target)):
                yield token, attribute, target
        yield from _targets(token.children or [])


def _is_own(target: str) -> bool:
    try:
        parts = urlsplit(target)
    except ValueError:  # brackets that are no address of a host
        return False
    return not parts.scheme and not parts.netloc


def _texts(tokens: list[Token]) -> Iterator[Token]:
    """What is neither code nor markup."""
    for token in tokens:
        if token.type == "text":
            yield token
        yield from _texts(token.children or [])


def _file(path: str) -> str:
    """The page that a folder's address means: pages open from disk, too, where nobody serves an index."""
    path = path.lstrip("/")
    return f"{path}index.html" if not path or path.endswith("/") else path
