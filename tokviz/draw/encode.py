"""Figures → bytes: WebP or PNG, lossless and in few enough colours to be light, or SVG."""

from __future__ import annotations

import re
from html import escape
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, WebPImagePlugin  # noqa: F401 - else Pillow loads all its formats to find this one

from tokviz.text import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_COLORS = 64
"""Text in nine hues, smoothed, looks the same in 64 colours as in thousands, at two thirds of the bytes."""
MOST_IN_PNG = 256
"""Cards are few, and their key has little of each hue, as have marks that are outlines."""
EXACT = 5 / 8
"""So much of them are the most frequent colours, kept as they are: paper, the marks' hues, frames."""

_WHITE = 0xFFFFFFFF


def encode(figure: Figure) -> bytes:
    """Draw ``figure`` and return a lossless WebP of at most ``N_COLORS`` colours, white kept exactly.

    Lossless because lossy WebP is larger for such pictures, and blurs them. From a quality of 25 on an eighth of the bytes is
    saved, in half as much time again: 20 milliseconds a plate. The same figure gives the same bytes.
    """
    pixels = few_colors(render(figure))
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True, method=2, quality=25)
    return buffer.getvalue()


def encode_png(figure: Figure) -> bytes:
    """Draw ``figure`` and return a PNG of at most ``MOST_IN_PNG`` colours. The same figure gives the same bytes."""
    pixels = few_colors(render(figure), MOST_IN_PNG)
    inks, which = np.unique(pixels.reshape(-1, 4).view(np.uint32), return_inverse=True)
    image = Image.fromarray(which.reshape(pixels.shape[:2]).astype(np.uint8), "P")
    image.putpalette(inks.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def encode_svg(figure: Figure, title: str, description: str) -> bytes:
    """Draw ``figure`` as an SVG with a title and a description. The same figure gives the same bytes.

    Text becomes outlines: readers see the fonts that it was drawn with, which they need not have. Nothing in the file
    names a host except the namespaces of the format.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    drawn = StringIO()
    bare: dict[str, str | None] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "tokviz"}):
        FigureCanvasSVG(figure).print_svg(drawn, metadata=bare)  # type: ignore[no-untyped-call]
    # What stands before the root element names a DTD on the web. A figure's points are its pixels.
    _, root, content = re.split(r"(<svg [^>]*>)", drawn.getvalue(), maxsplit=1)
    root = re.sub(r'(width|height)="([0-9.]+)pt"', r'\1="\2"', root)
    head = (
        f'{root[:-1]} role="img" aria-labelledby="title" aria-describedby="description">\n'
        f' <title id="title">{escape(visible(title))}</title>\n <desc id="description">{escape(visible(description))}</desc>'
    )
    return (head + content).encode()


def render(figure: Figure) -> np.ndarray:
    """The figure's pixels, ``(height, width, 4)`` uint8; the last, opacity, is 255 throughout."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # reading a size needs no Matplotlib

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # Matplotlib's own stubs leave the Agg backend out
    return np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]


def few_colors(pixels: np.ndarray, n_colors: int = N_COLORS) -> np.ndarray:
    """``pixels`` ``(height, width, 4)`` in at most ``n_colors`` colours, white and the most frequent ones unchanged."""
    packed = pixels.reshape(-1, 4).view(np.uint32).ravel()
    # Nine tenths of a picture are white, and of the rest much are runs of one colour: one pixel of each is sorted into a palette.
    drawn = np.flatnonzero(packed != _WHITE)
    shown = packed[drawn]
    starts = np.flatnonzero(np.concatenate([[True], shown[1:] != shown[:-1]])[: len(shown)])
    lengths = np.diff(starts, append=len(shown))
    inks, which = np.unique(shown[starts], return_inverse=True)
    counts = np.bincount(which, weights=lengths).astype(np.int64)
    if len(inks) >= n_colors:
        n_exact = round(EXACT * n_colors)
        colors = inks.view(np.uint8).reshape(-1, 4)
        rare = np.argsort(-counts, kind="stable")[n_exact - 1 :]
        # An eighth of the pixels weighs colours as well as all of them.
        copies = counts[rare] // 8 + 1
        shades = Image.fromarray(np.repeat(colors[rare, :3], copies, axis=0)[None])
        palette = shades.quantize(n_colors - n_exact, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        colors[rare, :3] = np.asarray(palette.convert("RGB"))[0, copies.cumsum() - 1]
    result = packed.copy()
    result[drawn] = np.repeat(inks[which], lengths)
    return result.view(np.uint8).reshape(pixels.shape)


def size(image: Path | bytes) -> tuple[int, int]:
    """Width and height of an encoded image in pixels, read off its header."""
    import imagesize  # loads what talks to networks, which drawing doesn't need

    width, height = imagesize.get(BytesIO(image) if isinstance(image, bytes) else image)
    return int(width), int(height)
