"""A cold run against the blog post's own way, alternating, on the same model, words and machine.

The post's way draws 31 unlabelled pictures of 640×480 and the grid. tokviz draws 31 labelled pictures of 1500×1200, six
times the pixels, and the same for phones, grids and strips, 66 in all; it measures every layer, and writes the pages around
them. Its draft draws pictures of the post's kind. Each is a process of its own, imports included.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import sample
from table import Row, against


def run(rounds: int = 5) -> list[Row]:
    model = sample.smollm2()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "words.json").write_text(json.dumps(sample.words()), encoding="utf-8")
        (work / "report.toml").write_text(sample.config({"SmolLM2-135M": model}), encoding="utf-8")
        post = work / "post"
        post.mkdir()

        def tokviz(*forms: str) -> None:
            with tempfile.TemporaryDirectory(dir=work) as fresh:
                sample.script("one_context.py", work / "report.toml", fresh, *forms)

        def posts_own_way() -> None:
            sample.script("posts_own_way.py", model, work / "words.json", post)

        ours = {
            "cold run, 66 images and all metrics / the post's own way": (0.7, lambda: tokviz("wide", "phone")),
            "cold run of a draft, 640×480 without / the post's own way": (0.5, lambda: tokviz("draft")),
        }
        return against(posts_own_way, ours, rounds=rounds)


if __name__ == "__main__":
    print(*run(), sep="\n")
