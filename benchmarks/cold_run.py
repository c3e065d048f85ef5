"""A first run against the blog post's own way, alternating, on the same model, words and machine.

The post's way draws 31 unlabelled pictures of 640×480 and the grid. tokviz draws 31 labelled pictures of 1500×1200, six
times the pixels, and the same for phones, grids and strips, 66 in all; it measures every layer, and writes the pages around
them. With interventions, which is what everyone gets, it captures the words three times more with neurons of the break set to
a value, measures these captures, draws one of them, and measures the next-token loss in five settings. Its draft draws pictures
of the post's kind. Each is a process of its own, imports included; tokviz is its command.
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
        for word in ("auto", "off"):
            text = sample.config({"SmolLM2-135M": model}, interventions=word)
            (work / f"{word}.toml").write_text(text, encoding="utf-8")
        post = work / "post"
        post.mkdir()

        def tokviz(word: str, *options: str) -> None:
            with tempfile.TemporaryDirectory(dir=work) as fresh:
                places = ("--cache", Path(fresh, "cache"), "--output", Path(fresh, "site"))
                sample.generate(sample.HERE.parent, "--config", work / f"{word}.toml", *places, *options)

        def posts_own_way() -> None:
            sample.script("posts_own_way.py", model, work / "words.json", post)

        ours = {
            "first run, interventions on / the post's own way": (1.6, lambda: tokviz("auto")),
            "first run, interventions off / the post's own way": (0.8, lambda: tokviz("off")),
            "first run, a draft, 640×480 without / the post's own way": (0.5, lambda: tokviz("off", "--draft")),
        }
        return against(posts_own_way, ours, rounds=rounds)


if __name__ == "__main__":
    print(*run(), sep="\n")
