"""tokviz: how language models arrange words, layer by layer, as a static site.

In a notebook::

    import tokviz

    captured = tokviz.study("Qwen/Qwen3-0.6B", {"colors": ["red", "green"], "months": ["May", "June"]})
    alone = captured["Qwen3-0.6B"]["alone"]
    alone.draw(6)
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing's own would take longer to import than all else before a signal is answered
if TYPE_CHECKING:
    from tokviz.notebook import Capture, Drawn, LensReading, ModelChange, Study, build, from_arrays, load, study

__version__ = "0.1.0"
__all__ = ["Capture", "Drawn", "LensReading", "ModelChange", "Study", "build", "from_arrays", "load", "study"]


def __getattr__(name: str) -> object:
    """Load the notebook's names on first use: the command doesn't need them."""
    if name in __all__:
        from tokviz import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'tokviz' has no attribute {name!r}", name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    return [*__all__, "__version__", "__doc__"]
