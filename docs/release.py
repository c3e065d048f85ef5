"""Whether tokviz is on a package index, as ``[tool.tokviz]`` of pyproject.toml says, and all texts that depend on it.

python docs/release.py write    write them as the setting has it: make install-lines
python docs/release.py check    exit with 1, and say why, if what is built now must not be published
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXTS = (
    "README.md",
    "docs/manual/tutorial/first-report.md",
    "docs/manual/tutorial/your-model.md",
    "docs/manual/how-to/clusters.md",
    "docs/manual/how-to/large-models.md",
    "docs/manual/how-to/notebooks.md",
)
NOTEBOOKS = tuple(
    f"examples/{name}.ipynb" for name in ("fine-tuning", "first-steps", "states-from-elsewhere", "your-checkpoint")
)
PASSAGES = (
    ("Python 3.11 or newer:\n", "Python 3.11 or newer. There is no release on a package index yet; in a checkout:\n"),
    (
        "You need Python 3.11 or newer. Begin in an empty folder.\n",
        "You need Python 3.11 or newer. There is no release on a package index yet: begin in a checkout of tokviz.\n",
    ),
    ("so `pip install tokviz-report` without an extra", "so `pip install .` without an extra"),
    ('"tokviz-report[', '".['),
    ("    Install `tokviz-report`. The command and", "    The command and"),
    ("gives, then `tokviz-report`.", "gives, then tokviz as above."),
)
"""How a text says it once there is a release, and until then; every passage is unlike every other."""
IN_NOTEBOOKS = (('\\"tokviz-report[', '\\"..['),)
"""The same in a notebook of ``examples/``, whose folder is the current one."""

_BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
_GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")
"""Colab opens notebooks of no other host, and installs a release only: it has no checkout."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """The setting."""

    released: bool
    repository: str
    """Its address; empty where there is none."""

    def written(self, text: str, passages: tuple[tuple[str, str], ...]) -> str:
        """A text with its passages in the form that fits."""
        for with_release, without in passages:
            old, new = (without, with_release) if self.released else (with_release, without)
            text = text.replace(old, new)
        return text

    def citation(self, text: str) -> str:
        """CITATION.cff with the repository's address, or without one."""
        lines = [line for line in text.splitlines(keepends=True) if not line.startswith("repository-code:")]
        return "".join(lines) + (f"repository-code: {json.dumps(self.repository)}\n" if self.repository else "")

    def notebook(self, text: str, name: str) -> str:
        """A notebook with its install line in the form that fits, and a badge that opens it where Colab can."""
        found = json.loads(self.written(text, IN_NOTEBOOKS))
        title, *lines = found["cells"][0]["source"]
        if lines[1].startswith(_BADGE):
            del lines[:2]
        if self.released and (place := _GITHUB.fullmatch(self.repository)):
            address = f"https://colab.research.google.com/github/{place[1]}/blob/main/{name}"
            lines = ["\n", f"{_BADGE}({address})\n", *lines]
        found["cells"][0]["source"] = [title, *lines]
        return json.dumps(found, indent=1, ensure_ascii=False) + "\n"

    @property
    def problem(self) -> str | None:
        """Why nothing may be published; None where it may."""
        if not self.repository.startswith("https://"):
            return (
                'expected the address of the repository in pyproject.toml, [tool.tokviz], repository = "https://…", so that '
                f"readers of the index find it, got {self.repository!r}"
            )
        if not self.released:
            return (
                "expected released = true in pyproject.toml, [tool.tokviz], got false; set it, and write all texts that say how "
                "tokviz is installed: make install-lines"
            )
        return None


def setting(root: Path = ROOT) -> Release:
    """What pyproject.toml says."""
    values = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["tokviz"]
    return Release(released=values["released"], repository=values["repository"])


def contents(release: Release, root: Path = ROOT) -> dict[str, str]:
    """File → what it should hold."""
    found = {name: (root / name).read_text(encoding="utf-8") for name in (*TEXTS, *NOTEBOOKS, "CITATION.cff")}
    return {
        name: release.citation(text)
        if name == "CITATION.cff"
        else (release.notebook(text, name) if name in NOTEBOOKS else release.written(text, PASSAGES))
        for name, text in found.items()
    }


def main() -> None:
    """Do what the command line says."""
    release = setting()
    if sys.argv[1:] == ["write"]:
        for name, content in contents(release).items():
            (ROOT / name).write_text(content, encoding="utf-8", newline="\n")
    elif sys.argv[1:] != ["check"]:
        sys.exit("expected write or check")
    elif release.problem:
        sys.exit(f"This can't be published: {release.problem}.")


if __name__ == "__main__":
    main()
