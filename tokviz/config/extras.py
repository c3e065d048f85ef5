"""How what is missing is installed."""

from __future__ import annotations

DISTRIBUTION = "tokviz-report"
"""What package indexes call tokviz; the name tokviz is another project's there."""


def install(extra: str) -> str:
    """What installs an optional part of tokviz: ``models``, ``cluster``, ``serve`` or ``notebook``."""
    return f'install tokviz with its extra {extra}, in a checkout: pip install ".[{extra}]"'
