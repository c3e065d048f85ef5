"""What a second run of the sample report costs: nothing changed, a template or a note changed, each against a cold run."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

import sample
from table import Row, against


def run(rounds: int = 2) -> list[Row]:
    project = sample.HERE.parent
    with tempfile.TemporaryDirectory() as folder:
        # A copy, whose notes and templates may be changed.
        work = Path(folder)
        for name in ("tokviz", "templates", "notes"):
            shutil.copytree(project / name, work / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("generate.py", "report.toml"):
            shutil.copy(project / name, work / name)
        command = work / "generate.py"
        sample.generate(work, command=command)
        turns = itertools.count()

        def cold() -> None:
            with tempfile.TemporaryDirectory(dir=work) as fresh:
                cache, site = Path(fresh) / "cache", Path(fresh) / "site"
                sample.generate(work, "--cache", cache, "--output", site, command=command)

        def changed(path: Path, text: str) -> None:
            path.write_text(path.read_text(encoding="utf-8") + text.format(next(turns)), encoding="utf-8")
            sample.generate(work, command=command)

        ours = {
            "nothing changed / cold run of the sample": (0.025, lambda: sample.generate(work, command=command)),
            "a note changed / cold run of the sample": (
                0.03,
                lambda: changed(work / "notes" / "introduction.md", "\n\nNote {}.\n"),
            ),
            "a template changed / cold run of the sample": (
                0.03,
                lambda: changed(work / "templates" / "_parts.html", "\n{{# {} #}}\n"),
            ),
        }
        return against(cold, ours, rounds=rounds)


if __name__ == "__main__":
    print(*run(), sep="\n")
