"""A notebook that makes a report's plots again from its downloads, with pandas and Matplotlib alone."""

from __future__ import annotations

import json
from string import Template

from tokviz.pages.frame.frame import data_path
from tokviz.records import ModelReport, Report, depth_name
from tokviz.records.look import MARKERS

NAME = "make-plots.ipynb"

_ABOUT = """\
# The plots of “$title”, made again

Run it where it lies in the report's folder, `data/`, or write the report's address into `SITE`. It needs pandas and Matplotlib, and
takes the coordinates as the report has them: hollow words don't set the axes."""
_READ = """\
import json
from io import BytesIO
from pathlib import Path
from urllib.request import urlopen

import matplotlib.pyplot as plt
import pandas as pd

SITE = $site  # the report's address, or its folder
MODEL, CONTEXT, PROJECTION = $chosen
# Models: $models
# Contexts: $contexts
# Projections: $projections


def read(path):
    return urlopen(f"{SITE}/{path}").read() if "://" in SITE else Path(SITE, path).read_bytes()


def table(path):
    # A word may be "null" or "NA": only coordinates are numbers.
    found = pd.read_csv(BytesIO(read(path)), keep_default_na=False, dtype=str)
    numbers = [name for name in found if "_pc" in name] + ["reference"]
    found[numbers] = found[numbers].apply(pd.to_numeric)
    return found


words = table(f"data/{MODEL}/{CONTEXT}/coordinates.csv")
report = json.loads(read("data/report.json"))
labels = {each["key"]: each["label"] for each in report["categories"]}
looks = $looks
words.head()"""
_DRAW = """\
def draw(layer, ax, columns=("pc1", "pc2"), names=True):
    here = words[words.layer == layer]
    x, y = (here[f"{PROJECTION}_{column}"] for column in columns)
    first = here.categories.str.split().str[0]
    for key, (color, marker) in looks.items():
        for is_filled in (True, False):
            own = (first == key) & ((here.reference == 1) == is_filled)
            ax.scatter(x[own], y[own], s=24, marker=marker, color=color if is_filled else "none", edgecolors=color, label=labels[key] if is_filled else None)
    for word, left, up in zip(here.word, x, y) if names else ():
        ax.annotate(word.replace("$$", r"\\$$"), (left, up), xytext=(3, 0), textcoords="offset points", fontsize="x-small", va="center")
    ax.set(title=layer, xlabel=columns[0].upper(), ylabel=columns[1].upper())
    ax.set_aspect("equal", adjustable="datalim")


figure, ax = plt.subplots(figsize=(11, 8), layout="constrained")
draw($layer, ax)
figure.legend(loc="outside right upper")
plt.show()"""
_GRID = """\
# All layers along the embedding's axes, each at its own scale.
layers = list(words.layer.unique())
figure, axes = plt.subplots(-(-len(layers) // 6), 6, figsize=(18, 3 * -(-len(layers) // 6)), squeeze=False, layout="constrained")
for layer, ax in zip(layers, axes.flat):
    draw(layer, ax, columns=("embedding_pc1", "embedding_pc2"), names=False)
    ax.set(xlabel="", ylabel="")
for ax in axes.flat[len(layers):]:
    ax.set_axis_off()
plt.show()"""


def downloads(report: Report) -> dict[str, str]:
    """Its name and its path from the site's root; none where there are no coordinates of words."""
    return {NAME: data_path(NAME)} if report.is_explorable else {}


def files(report: Report) -> dict[str, str]:
    """Its path and its text."""
    models = [each for each in report.models if each.contexts]
    return {path: _text(report, models) for path in downloads(report).values()}


def _text(report: Report, models: list[ModelReport]) -> str:
    first = models[0].contexts[0]
    marks = report.look.marks
    looks = {
        each.key: (marks.hue(index), MARKERS[marks.shape(index)]) for index, each in enumerate(report.words.categories)
    }
    values = {
        "title": report.title,
        "site": repr(report.site_url.rstrip("/") if report.site_url else ".."),
        "chosen": ", ".join(map(repr, (models[0].slug, first.states.context.name, report.projections[0]))),
        "models": ", ".join(each.slug for each in models),
        "contexts": ", ".join(each.states.context.name for each in models[0].captures),
        "projections": ", ".join(report.projections),
        "looks": repr(looks),
        "layer": repr(depth_name(first.states.n_depths - 1)),
    }
    about, *code = (Template(each).substitute(values) for each in (_ABOUT, _READ, _DRAW, _GRID))
    cells = [
        {"cell_type": "markdown", "id": "about", "metadata": {}, "source": about},
        *(
            {"cell_type": "code", "id": name, "metadata": {}, "execution_count": None, "outputs": [], "source": source}
            for name, source in zip(("read", "draw", "grid"), code, strict=True)
        ),
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"
