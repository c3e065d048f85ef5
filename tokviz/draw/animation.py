"""Plots of the site, one after the other, as an animated GIF or WebP that is light enough to be shared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import GifImagePlugin, Image, ImageDraw, WebPImagePlugin  # noqa: F401 - else Pillow loads all its formats

from tokviz.draw import encode
from tokviz.draw.style import HAIRLINE, INK, QUIET_INK
from tokviz.draw.typesetting import Typesetter, isolated, typesetter_for
from tokviz.records import Animation

FORMATS = {".gif": "GIF", ".webp": "WEBP"}
"""By the file's ending."""
SECONDS, LAST_SECONDS = 0.6, 2.0
"""That a frame is shown, and the last one, before it begins again."""
SIZES = ((1.0, 128), (1.0, 64), (1.0, 32), (1.0, 16), (0.85, 16), (0.7, 16), (0.56, 16))
"""Shares of a plot's width, each with so many colours; the first is taken that is light enough. A phone's plot is 716 pixels wide."""
SOURCE = 0.029
"""Of the width: the size of the source's text."""
HEADLINE = 0.038
"""The same of the headline's."""
MOST_SAMPLED = 8
"""Frames of which the colours are chosen: nearly all have the same."""
MOST_PIXELS, LEAST_SIDE = 10_000_000, 100
"""Of a plot: the largest that can be configured has 9 million."""
BAR = 6
"""How high the bar is that shows how far one has come, in pixels."""


def draw_animation(animation: Animation, ending: str, most_bytes: int) -> bytes | None:
    """The content of a file, as large as may be; None where even the smallest form has more than ``most_bytes``.

    Parameters
    ----------
    ending : ``.gif`` or ``.webp``.

    Raises
    ------
    OSError : a file can't be read, or is no WebP of a plot's size.
    """
    drawn = list(_drawn(animation))
    for share, n_colors in SIZES:
        width, height = (round(share * side) for side in drawn[0].size)
        sized = [each.resize((width, height), Image.Resampling.LANCZOS) if share < 1 else each for each in drawn]
        data = _encoded(_few_colors(sized, n_colors), FORMATS[ending])
        if len(data) <= most_bytes:
            return data
    return None


def _drawn(animation: Animation) -> Iterator[Image.Image]:
    """Each plot on white, with the headline above it, and the bar and the source below it."""
    head: Image.Image | None = None
    foot: Image.Image | None = None
    size: tuple[int, int] | None = None
    for file, depth in zip(animation.files, animation.depths, strict=True):
        with Image.open(file, formats=["WEBP"]) as opened:
            if opened.width * opened.height > MOST_PIXELS or min(opened.size) < LEAST_SIDE:
                raise OSError(f"{file.name}: expected a plot, got {opened.width} × {opened.height} pixels")
            plot = opened.convert("RGB")
        size = size or plot.size
        plot = plot if plot.size == size else plot.resize(size, Image.Resampling.LANCZOS)
        head, foot = head or _head(animation, plot.width), foot or _foot(animation, plot.width)
        below = head.height + plot.height
        whole = Image.new("RGB", (plot.width, below + foot.height), "white")
        whole.paste(head, (0, 0))
        whole.paste(plot, (0, head.height))
        whole.paste(foot, (0, below))
        _draw_bar(whole, below, depth, animation.n_depths)
        yield whole


def _draw_bar(whole: Image.Image, top: int, depth: int, n_depths: int) -> None:
    margin = whole.width // 40
    room = whole.width - 2 * margin
    ink = ImageDraw.Draw(whole)
    ink.rectangle((margin, top, margin + room - 1, top + BAR - 1), fill=HAIRLINE)
    ink.rectangle((margin, top, margin + round(room * (depth + 1) / n_depths) - 1, top + BAR - 1), fill=INK)


def _head(animation: Animation, width: int) -> Image.Image:
    """The headline, in as many lines as it needs; nothing where there is none."""
    size, setter = max(12.0, round(width * HEADLINE)), typesetter_for(animation.fonts)
    left = width // 40
    lines = setter.fitted(animation.headline, width - 2 * left, size, bold=True) if animation.headline else []
    head = Image.new("RGB", (width, round(size * (1.3 * len(lines) + 0.5)) if lines else 0), "white")
    for index, line in enumerate(lines):
        _write(head, setter, line, (left, size * (1.3 * index + 1.4)), size, bold=True)
    return head


def _foot(animation: Animation, width: int) -> Image.Image:
    """How the plots are made, and the source, each in a line."""
    size, setter = max(11.0, round(width * SOURCE)), typesetter_for(animation.fonts)
    left = width // 40
    room = width - 2 * left
    title = setter.shortened(animation.source, room * (0.6 if animation.address else 1.0), size, bold=True)
    beside = round(left + setter.width(title, size, bold=True) + size)
    lines = BAR + size * 1.3, BAR + size * 2.7
    foot = Image.new("RGB", (width, round(lines[1] + size * 0.7)), "white")
    _write(foot, setter, setter.shortened(animation.how, room, size * 0.85), (left, lines[0]), size * 0.85)
    _write(foot, setter, title, (left, lines[1]), size, bold=True)
    if animation.address:
        address = setter.shortened(animation.address, width - left - beside, size, middle=True)
        _write(foot, setter, address, (beside, lines[1]), size)
    return foot


def _write(
    image: Image.Image,
    setter: Typesetter,
    text: str,
    at: tuple[float, float],
    size: float,
    *,
    bold: bool = False,
) -> None:
    """``at``: where it starts, on its baseline."""
    written = setter.written(isolated(text), size, bold)
    mask = Image.fromarray(written.ink)
    image.paste(INK if bold else QUIET_INK, (round(at[0]) + written.left, round(at[1]) - written.top), mask)


def _few_colors(frames: Sequence[Image.Image], n_colors: int) -> list[Image.Image]:
    """All frames in the same colours, so that a category keeps its own."""
    some = np.unique(np.linspace(0, len(frames) - 1, MOST_SAMPLED).round().astype(int))
    sheet = np.concatenate([np.asarray(frames[index].convert("RGBA")) for index in some])
    inks = np.unique(encode.few_colors(sheet, n_colors).reshape(-1, 4).view(np.uint32))
    return [_nearest(each, inks.view(np.uint8).reshape(-1, 4)[:, :3]) for each in frames]


def _nearest(frame: Image.Image, palette: np.ndarray) -> Image.Image:
    """A frame in the colours of ``palette`` ``(n, 3)`` uint8. Pillow's own search isn't exact: white becomes gray."""
    pixels = np.ascontiguousarray(np.asarray(frame.convert("RGBA"))).reshape(-1, 4).view(np.uint32).ravel()
    found, which = np.unique(pixels, return_inverse=True)
    colors = found.view(np.uint8).reshape(-1, 4)[:, :3].astype(np.int32)
    # |a − b|² but for |a|², which is the same for all.
    inks = palette.astype(np.int32)
    away = (inks**2).sum(axis=1) - 2 * colors @ inks.T
    image = Image.fromarray(away.argmin(axis=1).astype(np.uint8)[which].reshape(frame.height, frame.width), "P")
    image.putpalette(palette.tobytes())
    return image


def _encoded(frames: Sequence[Image.Image], form: str) -> bytes:
    milliseconds = [round(1000 * SECONDS)] * (len(frames) - 1) + [round(1000 * LAST_SECONDS)]
    first, *others = frames if form == "GIF" else [each.convert("RGB") for each in frames]
    mark = b"made by tokviz"
    options: dict[str, Any] = (
        {"optimize": True, "comment": mark}
        if form == "GIF"
        else {"lossless": True, "quality": 60, "method": 4, "xmp": mark}
    )
    buffer = BytesIO()
    first.save(buffer, form, save_all=True, append_images=others, duration=milliseconds, loop=0, **options)
    return buffer.getvalue()
