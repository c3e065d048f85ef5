"""Pictures, as notebooks show them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from tokviz.errors import TokvizError
from tokviz.notebook import arguments
from tokviz.records import Picture, SideBySide
from tokviz.text import path_in_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True, repr=False)
class Drawn:
    """A plot, a grid or two plots next to each other, as notebooks show them; ``figure`` is Matplotlib's.

    Examples
    --------
    >>> import tokviz
    >>> plot = tokviz.study("report.toml", quiet=True)["Tiny"]["alone"].draw("embedding")
    >>> plot.save("embedding.png")
    >>> plot.figure.get_size_inches() * plot.figure.dpi
    array([1500., 1200.])
    """

    picture: Picture | SideBySide

    def __repr__(self) -> str:
        from tokviz.draw import figures

        return ". ".join(figures.described(self.picture))

    @property
    def figure(self) -> Figure:
        """A new Matplotlib figure, to be changed or saved (``figure.savefig("layer.pdf")``)."""
        import matplotlib

        from tokviz.draw import figures

        # The caller's own settings neither change the picture nor are they changed.
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            return figures.draw(self.picture)

    def save(self, path: Path | str) -> None:
        """Write it as a file: ``.png``, ``.pdf``, ``.svg`` and what else Matplotlib writes by the name's ending."""
        path = arguments.path("path", path)
        try:
            self.figure.savefig(path)
        except OSError as error:
            raise TokvizError(
                f"{path_in_line(path)}: expected a place to write to: {error.strerror or error}"
            ) from error
        except ValueError as error:
            raise TokvizError(
                f"{path_in_line(path)}: expected a file name that ends with a format of Matplotlib: {error}"
            ) from error

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """At half its size, which is sharp on the screens of today."""
        from PIL import Image

        from tokviz.draw import encode

        pixels = Image.fromarray(encode.few_colors(encode.render(self.figure))[..., :3])
        buffer = BytesIO()
        pixels.save(buffer, "PNG", optimize=True)
        return buffer.getvalue(), {"width": pixels.width // 2, "height": pixels.height // 2}
