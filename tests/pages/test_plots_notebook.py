"""The notebook that a report carries draws the plots of the report."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from browser import served
from rendered import Rendered
from report_fixture import sample_report

from tokviz.pages.downloads import plots_notebook


def local() -> dict[str, Any]:
    """That of a report without an address."""
    (text,) = plots_notebook.files(replace(sample_report(), site_url=None)).values()
    return dict(json.loads(text))


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """What is defined when all its cells have run."""
    defined: dict[str, Any] = {}
    with mpl.rc_context({"backend": "agg"}):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                exec(cell["source"], defined)  # noqa: S102
    return defined


def drawn_by(defined: dict[str, Any], layer: str, **options: Any) -> np.ndarray:
    """Where marks stand: ``(n_words, 2)``, sorted."""
    figure, axes = plt.subplots()
    defined["draw"](layer, axes, **options)
    places = np.concatenate([each.get_offsets() for each in axes.collections])
    plt.close(figure)
    return np.asarray(sorted(places.tolist()))


def test_it_draws_every_word_where_the_report_has_it(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site / "data")
    report = sample_report()
    defined = run(local())
    projection = report.models[0].contexts[0].projections[0].projection
    for depth, layer in enumerate(dict.fromkeys(defined["words"].layer)):
        expected = np.asarray(sorted(projection.coordinates[depth].tolist()))
        assert np.allclose(drawn_by(defined, layer), expected, rtol=1e-4, atol=1e-5)
        in_first_axes = np.asarray(sorted(projection.grid_coordinates[depth].tolist()))
        shown = drawn_by(defined, layer, columns=("embedding_pc1", "embedding_pc2"))
        assert np.allclose(shown, in_first_axes, rtol=1e-4, atol=1e-5)
    plt.close("all")


def test_a_title_is_text_whatever_it_holds() -> None:
    (text,) = plots_notebook.files(replace(sample_report(), title='Odd "$layer" \\ ${words}')).values()
    assert json.loads(text)["cells"][0]["source"].startswith('# The plots of “Odd "$layer" \\ ${words}”')


def test_it_reads_a_report_by_its_address_and_words_that_read_as_numbers_or_formulas_are_words(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = shutil.copytree(site / "data", tmp_path / "host" / "data")
    report = sample_report()
    own = report.models[0]
    file = copied / own.slug / own.contexts[0].states.context.name / "coordinates.csv"
    first, second = report.words.words[:2]
    lines = file.read_text(encoding="utf-8").replace(f",{first},", ",null,").replace(f",{second},", ",$x^,")
    file.write_text(lines, encoding="utf-8")
    with served(tmp_path / "host") as address:
        (text,) = plots_notebook.files(replace(report, site_url=address)).values()
        monkeypatch.chdir(tmp_path)
        defined = run(json.loads(text))
    assert {"null", "$x^"} <= set(defined["words"].word)
    plt.gcf().canvas.draw()
    assert len(drawn_by(defined, "embedding")) == len(report.words.words)
    plt.close("all")


def test_the_method_page_links_to_it() -> None:
    found = Rendered(sample_report())["method/index.html"].all("a[href='../data/make-plots.ipynb']")
    assert [each.text for each in found] == ["make-plots.ipynb", "A notebook"]
