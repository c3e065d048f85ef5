"""requirements.txt and requirements-cluster.txt, made of the lists in pyproject.toml: ``make requirements``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
HEAD = "# Made of pyproject.toml by make requirements.\n"


def project() -> dict[str, Any]:
    """The metadata of the distribution."""
    values: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return values


def contents() -> dict[str, str]:
    """File → what it should hold."""
    values = project()
    extras = values["optional-dependencies"]
    lists = {
        "requirements.txt": [*extras["models"], *values["dependencies"]],
        "requirements-cluster.txt": extras["cluster"],
    }
    return {name: HEAD + "".join(f"{requirement}\n" for requirement in names) for name, names in lists.items()}


if __name__ == "__main__":
    for name, content in contents().items():
        (ROOT / name).write_text(content, encoding="utf-8", newline="\n")
