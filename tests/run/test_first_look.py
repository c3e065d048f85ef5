"""A first look at a report that is still being made: what stands in the site while a run goes on, and what it never says."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import link_check
import pytest
from at_once import Listening, leave_pictures_blank, options, run_at_once
from families import Tiny
from invoking import run as command
from trees import facts

from tokviz.config import ReportConfig
from tokviz.errors import PublishError
from tokviz.run import making, pipeline
from tokviz.run.publishing import publish, sending, site
from tokviz.run.work import picture_queue

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {
    "words": {"people": ["James", "Mary", "doctor"], "times": ["January", "February", "Tuesday"]},
    "contexts": [
        {"name": "alone", "template": " {word}"},
        {"name": "sentence", "templates": ["The word is {word}", "I saw {word}"]},
    ],
    "plate_size": [750, 600],
    "models": [{"source": "qwen3", "note": "See [the curves](#curves)."}, {"source": "bert"}],
    "intro": "It changes [at one layer](models/qwen3/#alone/layer-1).",
}
Looks = tuple[Path, Path, Path, list[str]]
COMPARED = "In the whole report, what was measured and compared stands here."


def prepare(folder: Path, tiny: Tiny, patch: pytest.MonkeyPatch) -> Path:
    leave_pictures_blank(patch)
    for family in ("qwen3", "bert", "gpt2"):
        tiny.copy(family, folder / family)
    return folder


def copies(folder: Path, patch: pytest.MonkeyPatch) -> list[Path]:
    """Copies of the sites that runs put in place from now on, one after the other."""
    put, made = publish.publish, list[Path]()

    def copied(*arguments: Any) -> Any:
        spared = put(*arguments)
        made.append(folder / f"published-{len(list(folder.glob('published-*')))}")
        shutil.copytree(arguments[1], made[-1])
        return spared

    patch.setattr(publish, "publish", copied)
    return made


@pytest.fixture
def project(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return prepare(tmp_path, tiny, monkeypatch)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    return copies(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def looks(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Looks:
    """What a run of two models in two contexts puts in place, the site of one without a first look, what is said; not to be changed."""
    folder = tmp_path_factory.mktemp("looks")
    with pytest.MonkeyPatch.context() as patch:
        prepare(folder, tiny, patch)
        made = copies(folder, patch)
        said = run(folder, config()).heard
    run_at_once(config(), folder, output=folder / "site-of-once", cache=folder / "cache-of-once")
    early, whole = made
    return early, whole, folder / "site-of-once", said


def config(**changes: Any) -> ReportConfig:
    return ReportConfig.model_validate({**CONFIG, **changes})


def small(**changes: Any) -> ReportConfig:
    """In one context and one projection, where it doesn't matter what is in a look."""
    return config(**{"contexts": CONFIG["contexts"][:1], "projections": ["centered"], **changes})


def run(folder: Path, asked: ReportConfig | None = None, **changes: Any) -> Listening:
    heard = Listening()
    pipeline.run(asked or small(), options(folder, early=True, **changes), heard)
    return heard


def is_unfinished(site: Path) -> bool:
    return "unfinished" in json.loads((site / "data/report.json").read_bytes())


def pages(site: Path) -> dict[str, str]:
    return {file.relative_to(site).as_posix(): file.read_text(encoding="utf-8") for file in site.rglob("*.html")}


def test_plots_stand_first_and_the_whole_report_is_as_without_them(looks: Looks) -> None:
    early, whole, of_once, said = looks
    assert [is_unfinished(each) for each in (early, whole)] == [True, False]
    assert len(list((early / "images").rglob("*layer*.webp"))) == 2 * 2 * 3  # models, contexts, layers
    assert any("site/index.html: a first look at 2 models; all else follows" in line for line in said)
    assert facts(whole) == facts(of_once)


def test_it_says_what_is_to_come_and_nothing_of_what_is_not_known(looks: Looks) -> None:
    first, last, *_ = looks
    early, whole = pages(first), pages(last)
    found = json.loads((first / "data/report.json").read_bytes())["findings"]
    assert not any(each["announced"] or each["evidence"] for each in found)
    shown = {path: text for path, text in early.items() if path not in ("404.html",)}
    assert all(
        "A first look, from before the report was whole: it has plots of both models" in text for text in shown.values()
    )
    assert all("and no findings." in text for text in shown.values())
    assert "In the whole report, what was found, if anything, stands here." in early["index.html"]
    assert "In the whole report, what was measured of this model" in early["models/qwen3/index.html"]
    assert COMPARED in early["compare/index.html"]
    assert not any("not measured" in text or "no metrics" in text for text in early.values())
    assert "It changes" not in early["index.html"]  # the author's words, which may speak of what isn't there yet
    assert not any("In the whole report" in text or "first look" in text for text in whole.values())
    assert link_check.broken(first, first.rglob("*.html"), least=50) == []


def test_on_phones_its_pictures_have_the_sizes_of_the_whole_report_s(looks: Looks) -> None:
    """Strips and grids are there as images, plates are drawn by its pages: what is read stays where it is as the whole one comes."""
    early, whole, *_ = looks
    of_phones = {path.relative_to(early).as_posix() for path in early.rglob("*-phone.webp")}
    kinds = {re.sub(r".*qwen3(_.+)-phone.webp", r"\1", path) for path in of_phones if "qwen3" in path}
    assert kinds == {"_strip", "_strip-dark", "_m.et"}
    assert all((early / path).read_bytes() == (whole / path).read_bytes() for path in of_phones)
    sizes = [
        re.findall(r'<source media="\(max-width: 40rem\)[^>]*(width="\d+" height="\d+")', text)
        for text in (pages(each)["models/qwen3/index.html"] for each in (early, whole))
    ]
    assert set(sizes[0]) <= set(sizes[1])
    assert 'width="716" height="1000"' in sizes[0]


def test_a_complete_report_stays_until_the_next_one_is_complete(project: Path, published: list[Path]) -> None:
    run_at_once(small(), project)
    published.clear()
    asked = small(models=[*CONFIG["models"], {"source": "gpt2"}])
    said = run(project, asked).heard
    assert [is_unfinished(each) for each in published] == [False]
    assert any("an earlier report, which stays until this one is complete" in line for line in said)


class KilledError(BaseException):
    """Nothing catches it, as nothing catches a kill."""


def test_a_run_that_is_stopped_leaves_it_it_is_sent_nowhere_and_the_next_run_goes_on(project: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making.Making, "end", lambda *_: (_ for _ in ()).throw(KilledError))
        with pytest.raises(KilledError):
            run(project)
    assert is_unfinished(project / "site")
    with pytest.raises(PublishError, match="expected a complete report, got a first look at one"):
        sending.changes(project / "site", project / "somewhere")
    (project / "site/own.txt").write_text("mine")
    run(project)
    assert not is_unfinished(project / "site")
    assert (project / "site/own.txt").read_text() == "mine"


def test_a_model_that_fails_is_left_to_the_whole_report(project: Path, published: list[Path]) -> None:
    asked = small(models=[{"source": "bert"}, {"source": "./absent"}], intro="Words.")
    said = run(project, asked).heard
    early, whole = published
    assert "it has plots of 1 of 2 models (1 other failed), and no findings" in pages(early)["index.html"]
    assert "absent" not in pages(early)["index.html"]
    assert "absent" in pages(whole)["index.html"]
    assert sum("error: absent" in line for line in said) == 1


def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a minute had passed, and making one took no time."""
    monkeypatch.setattr("tokviz.run.looks.SECONDS", -1.0)
    monkeypatch.setattr("tokviz.run.looks.SHARE", float("inf"))


def test_after_a_minute_no_further_model_is_waited_for(
    project: Path, published: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_waiting(monkeypatch)
    run(project)
    early, *_, whole = published
    assert sorted(each.name for each in (early / "models").iterdir()) == ["qwen3"]
    assert "it has plots of 1 of 2 models" in pages(early)["index.html"]
    assert sorted(each.name for each in (whole / "models").iterdir()) == ["bert", "qwen3"]


def test_it_is_made_again_as_further_models_are_captured(
    project: Path, published: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is captured and not drawn yet isn't among them, nor one that fails; the whole report is as it is without them."""
    without_waiting(monkeypatch)
    models = [{"source": each} for each in ("qwen3", "./absent", "bert", "gpt2")]
    asked = small(models=models, intro="Words.")
    drawn = picture_queue.PictureQueue.keep_finished

    def drawn_all(queue: picture_queue.PictureQueue) -> None:
        wait(queue._waiting)
        drawn(queue)

    monkeypatch.setattr(picture_queue.PictureQueue, "keep_finished", drawn_all)
    said = run(project, asked).heard
    *early, whole = published
    looks = [pages(each) for each in early]
    assert [len(list((each / "models").iterdir())) for each in early] == [1, 2, 3]
    for look, n_shown in zip(looks, (1, 2, 3), strict=True):
        assert f"it has plots of {n_shown} of 4 models (1 other failed)" in look["models/qwen3/index.html"]
    assert all(is_unfinished(each) and link_check.broken(each, each.rglob("*.html"), least=30) == [] for each in early)
    assert sum("error: absent" in line for line in said) == 1
    monkeypatch.setattr(picture_queue.PictureQueue, "keep_finished", drawn)
    run_at_once(asked, project, output=project / "site-of-once", cache=project / "cache-of-once")
    assert facts(whole) == facts(project / "site-of-once")


def test_models_that_are_not_drawn_yet_wait(
    project: Path, published: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_waiting(monkeypatch)
    queued = site.jobs_of
    monkeypatch.setattr(site, "jobs_of", lambda made: [replace(each, due="new") for each in queued(made)])
    run(project)
    assert [is_unfinished(each) for each in published] == [True, False]


@pytest.mark.parametrize(
    "changes", [{"force": True}, {"early": False}, {"forms": ("draft",)}], ids=["forced", "not asked", "draft"]
)
def test_there_is_none(project: Path, published: list[Path], changes: dict[str, Any]) -> None:
    pipeline.run(small(), options(project, **{"early": True, **changes}), Listening())
    assert [is_unfinished(each) for each in published] == [False]


def test_nor_where_all_is_captured(project: Path, published: list[Path]) -> None:
    run(project)
    shutil.rmtree(project / "site")
    published.clear()
    run(project)
    assert [is_unfinished(each) for each in published] == [False]


ASKED: list[tuple[list[str], str, dict[str, str], bool]] = [
    ([], "", {}, True),
    (["--no-early"], "", {}, False),
    ([], "early = false\n", {}, False),
    ([], "", {"CI": "true"}, False),
]


@pytest.mark.parametrize(("flags", "key", "environment", "expected"), ASKED)
def test_who_asks_for_it(
    flags: list[str],
    key: str,
    environment: dict[str, str],
    expected: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found: list[bool] = []

    def noted(_: object, asked: Any, __: object) -> Any:
        found.append(asked.early)
        raise PublishError("enough")

    monkeypatch.setattr(pipeline, "run", noted)
    (tmp_path / "report.toml").write_text(f'{key}[words]\nsome = ["a", "b"]\n\n[[models]]\nsource = "x"\n')
    command("build", "--config", str(tmp_path / "report.toml"), *flags)
    assert found == [expected]
