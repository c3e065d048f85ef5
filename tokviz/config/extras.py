"""How what is missing is installed."""

from __future__ import annotations

DISTRIBUTION = "tokviz-report"
"""What package indexes call tokviz; the name tokviz is another project's there."""


def install(extra: str) -> str:
    """The command that installs an optional part of tokviz: ``models``, ``cluster``, ``serve`` or ``notebook``."""
    return f'pip install "{DISTRIBUTION}[{extra}]"'
