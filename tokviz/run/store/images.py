"""Whether a stored image is one that tokviz draws: readers open it on the site's origin, and a cache may come from somebody else."""

from __future__ import annotations

import re
from xml.parsers import expat

_ELEMENTS = frozenset(
    ["svg", "title", "desc", "defs", "style", "g", "path", "use", "clipPath", "rect", "pattern", "image"]
)
"""Those of Matplotlib's drawings, and what says their names to readers; none of them runs anything."""
_ELSEWHERE = re.compile(r"url\((?!['\"]?#)|[@\\]|image-set", re.IGNORECASE)
"""In a style: what leads to another file, or hides that it does."""
_HERE = ("#", "data:image/png;base64,")


def is_drawn(data: bytes) -> bool:
    """Whether it is WebP, or an SVG without scripts, event attributes and links to elsewhere."""
    if not data.startswith(b"<svg"):
        return data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    parser, open_elements = expat.ParserCreate("utf-8"), [""]

    def start(name: str, attributes: dict[str, str]) -> None:
        open_elements.append(name)
        if name not in _ELEMENTS:
            raise ValueError(name)
        for key, value in attributes.items():
            leads_away = key.split(":")[-1] == "href" and not value.startswith(_HERE)
            if key.startswith("on") or leads_away or _ELSEWHERE.search(value):
                raise ValueError(key)

    def text(found: str) -> None:
        if open_elements[-1] == "style" and _ELSEWHERE.search(found):
            raise ValueError(found)

    def refuse(*_: object) -> None:
        raise ValueError("an instruction or entities")

    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler = start, text
    parser.EndElementHandler = lambda _: open_elements.pop()
    parser.ProcessingInstructionHandler = parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError):
        return False
    return True
