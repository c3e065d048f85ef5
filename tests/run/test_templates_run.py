"""Several templates in one context through the whole run: what is captured, drawn and told of them."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from command import done, generate_blank
from families import Tiny
from invoking import foreseen
from related_fixture import CONFIG
from torch import nn

import tokviz
from tokviz import capture
from tokviz.errors import TokvizError
from tokviz.records import Context, Tokenization
from tokviz.run.capturing.one_model import _groups
from tokviz.run.plan.request import Template

pytestmark = pytest.mark.process

TEMPLATES = ("The word is {word}", "I saw {word}", "They often speak of {word}")


@pytest.fixture(scope="module")
def folder(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a report of a tiny model, made once with two templates and then with three."""
    folder = tmp_path_factory.mktemp("templates")
    tiny.copy("llama", folder / "llama")
    for n in (2, 3):
        write(folder, TEMPLATES[:n])
        if n == 3:
            plan = foreseen(folder)
            assert "in a text: captured; capture 1 more template (not captured yet), then measure" in plan
            assert "draw 0 of" not in plan
        made = done(generate_blank(folder))
    assert "(1 new capture, 0 new images)" in made
    return folder


def write(folder: Path, templates: tuple[str, ...]) -> None:
    contexts = f'[[contexts]]\nname = "alone"\ntemplate = " {{word}}"\n[[contexts]]\nname = "text"\nlabel = "in a text"\ntemplates = {json.dumps(templates)}\n'
    text = re.sub(r"\[\[contexts\]\].*?(?=\n\[)", "", CONFIG, flags=re.DOTALL)
    (folder / "report.toml").write_text(
        f'read = "first"\nplate_size = [750, 600]\n{contexts}[[models]]\nsource = "./llama"\n{text}', encoding="utf-8"
    )


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "site/data/llama" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tables_have_the_median_and_its_range(folder: Path) -> None:
    found = rows(folder, "text/templates.csv")
    assert {row["template"] for row in found} == set(TEMPLATES)
    assert {row["measure"] for row in found} == {
        "purity",
        "silhouette",
        "effective_rank",
        "relation pair",
        "order line",
    }
    names = ("effective_rank_lowest_template", "effective_rank", "effective_rank_highest_template")
    for row in rows(folder, "text/geometry.csv"):
        own = [each for each in found if each["measure"] == "effective_rank" and each["depth"] == row["depth"]]
        assert [float(row[name]) for name in names] == sorted(float(each["value"]) for each in own)
    assert not (folder / "site/data/llama/alone/templates.csv").exists()
    assert "effective_rank_lowest_template" not in rows(folder, "alone/geometry.csv")[0]


def test_pages_draw_the_first_and_tell_of_all(folder: Path) -> None:
    model = (folder / "site/models/llama/index.html").read_text(encoding="utf-8")
    assert "are medians over three sentences; vertical strokes reach from the lowest sentence to the highest." in model
    assert 'class="templates ' in model
    assert "templates.csv" in model
    method = (folder / "site/method/index.html").read_text(encoding="utf-8")
    assert all(template.split("{")[0].strip() in method for template in TEMPLATES)
    report = json.loads((folder / "site/data/report.json").read_text(encoding="utf-8"))
    assert [each["templates"] for each in report["contexts"]] == [[" {word}"], list(TEMPLATES)]
    images = [path.name for path in (folder / "site/images/llama/text").rglob("*.webp")]
    assert len([name for name in images if "embed_tokens" in name and "phone" not in name]) == 2


def test_a_notebook_has_the_states_in_each(folder: Path) -> None:
    own = tokviz.study(folder / "report.toml", cache=folder / ".cache", quiet=True)["llama"]["text"]
    assert list(own.templates) == list(TEMPLATES)
    assert [each.states.context.template for each in own.templates.values()] == list(TEMPLATES)
    first, second, _ = own.templates.values()
    assert (first[-1] == own[-1]).all()
    assert (second[-1] != own[-1]).any()
    frame = own.to_pandas("templates")
    assert set(frame["template"]) == set(TEMPLATES)
    said = r"expected one of .*, templates, .*which this capture has, or lens, which is fitted first, got 'wrong'"
    with pytest.raises(TokvizError, match=said):
        own.to_pandas("wrong")


def test_a_draft_has_the_first_only(folder: Path) -> None:
    done(generate_blank(folder, "--draft", "--output", "draft", "--cache", "of-draft"))
    assert len(list((folder / "of-draft" / "states").iterdir())) == 2, "one of each context"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_further_templates_go_through_the_model_together(monkeypatch: pytest.MonkeyPatch, is_streamed: bool) -> None:
    """Where weights are read in every pass, those of all contexts: one more reading for however many templates."""
    monkeypatch.setattr(capture, "is_streamed", lambda _: is_streamed)
    monkeypatch.setattr(capture, "sharing_passes", lambda _, drawn: [[index] for index in range(len(drawn))])
    due = [
        Template(
            key=f"{name}{number}",
            context=Context(name=name, label=name, template="{word}"),
            is_measured_only=number > 0,
        )
        for name in ("one", "other")
        for number in range(3)
    ]
    groups = _groups(nn.Linear(1, 1), due, {"{word}": Tokenization(words=(), read="last")})
    expected = [[0], [3], [1, 2, 4, 5]] if is_streamed else [[0], [3], [1, 2], [4, 5]]
    assert groups == [[due[index] for index in group] for group in expected]
