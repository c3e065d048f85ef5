"""Nothing is written where a report's own files are, and that is said before any work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tokviz import config as configuration
from tokviz.config import ReportConfig
from tokviz.errors import BackendError, PublishError, StoreError
from tokviz.run import places
from tokviz.run.plan.options import Options
from tokviz.run.work.processes import require_open_files

CONFIG = """
words = "lists/words.toml"
intro = "texts/intro.md"
[[models]]
source = "models/llama"
note = "notes/llama.md"
tokenizer = "tokenizers/llama"
"""


@pytest.fixture
def report(tmp_path: Path) -> ReportConfig:
    """A report whose files are in folders of their own."""
    texts = {
        "settings/report.toml": CONFIG,
        "settings/lists/words.toml": 'people = ["James"]',
        "settings/texts/intro.md": "Hello.",
        "settings/notes/llama.md": "Of mine.",
        "settings/models/llama/config.json": "{}",
        "settings/models/llama/model.safetensors": "",
        "settings/tokenizers/llama/tokenizer.json": "{}",
        "templates/page.html": "",
    }
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return configuration.load(tmp_path / "settings" / "report.toml")


def options(folder: Path, output: str = "site", cache: str = ".cache") -> Options:
    return Options(
        base=folder / "settings", output=folder / output, cache=folder / cache, templates=folder / "templates"
    )


@pytest.mark.parametrize(
    ("output", "cache"), [("site", "site"), ("site", "site/cache"), ("cache/site", "cache"), ("a/../cache", "cache")]
)
def test_site_and_cache_are_apart(report: ReportConfig, tmp_path: Path, output: str, cache: str) -> None:
    with pytest.raises(PublishError, match="expected two folders"):
        places.check(report, options(tmp_path, output, cache))


@pytest.mark.parametrize(
    ("folder", "named"),
    [
        ("settings", "the file report.toml"),
        (".", "the file report.toml"),
        ("settings/lists", "the file words.toml"),
        ("settings/texts", "the file intro.md"),
        ("settings/notes", "the file llama.md"),
        ("templates", "the templates templates"),
        ("settings/models", "the model llama"),
        ("settings/models/llama", "the model llama"),
        ("settings/tokenizers", "the model llama"),
    ],
)
def test_neither_holds_what_the_report_is_made_from(
    report: ReportConfig, tmp_path: Path, folder: str, named: str
) -> None:
    (tmp_path / folder / ".git").mkdir(parents=True)
    with pytest.raises(PublishError, match=f"^--cache .*{named}"):
        places.check(report, options(tmp_path, "../elsewhere/site", folder))
    (tmp_path / folder / "data").mkdir()
    (tmp_path / folder / "data" / "report.json").write_text('{"generator": "tokviz 1"}')  # a site, as far as that goes
    with pytest.raises(PublishError, match=f"^--output .*{named}"):
        places.check(report, options(tmp_path, folder, "../elsewhere/cache"))


@pytest.mark.parametrize("folder", ["templates/assets", "theme/assets/within"])
def test_neither_is_among_the_files_that_are_published(report: ReportConfig, tmp_path: Path, folder: str) -> None:
    (tmp_path / "theme" / "assets").mkdir(parents=True)
    themed = report.model_copy(update={"theme": "../theme"})
    said = f"{folder}: expected a folder outside of .*assets, all of which is published; name another"
    with pytest.raises(PublishError, match=f"^--output .*{said}"):
        places.check(themed, options(tmp_path, folder, "elsewhere"))
    with pytest.raises(PublishError, match=f"^--cache .*{said}"):
        places.check(themed, options(tmp_path, "elsewhere", folder))


def test_all_side_by_side_in_one_folder_is_the_usual_layout(report: ReportConfig, tmp_path: Path) -> None:
    places.check(report, options(tmp_path))
    places.check(report, options(tmp_path / "settings", "../settings/site", "../settings/.cache"))


def test_a_report_may_stand_in_its_models_own_folder(tmp_path: Path) -> None:
    (tmp_path / "report.toml").write_text('[words]\na = ["b"]\n[[models]]\nsource = "."\n')
    (tmp_path / "config.json").write_text("{}")
    report = configuration.load(tmp_path / "report.toml")
    places.check(report, Options(base=tmp_path, output=tmp_path / "site", cache=tmp_path / ".cache"))


def test_a_cache_that_is_no_folder_is_refused(report: ReportConfig, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to("nowhere")
    for cache in ("file", "file/cache", "dangling"):
        with pytest.raises(StoreError, match=r"^--cache .*expected a folder"):
            places.check(report, options(tmp_path, cache=cache))
    with pytest.raises(PublishError, match="dangling is a link to nothing"):
        options(tmp_path, cache="dangling/cache")


@pytest.mark.parametrize("kind", ["states", "images", "locks"])
def test_a_cache_that_lacks_room_for_a_folder_of_its_own_is_refused(
    report: ReportConfig, tmp_path: Path, kind: str
) -> None:
    (tmp_path / ".cache").mkdir()
    os.mkfifo(tmp_path / ".cache" / kind)
    with pytest.raises(StoreError, match=f"{kind}: expected a folder of the cache"):
        places.check(report, options(tmp_path))


@pytest.mark.parametrize("kind", ["states", "images", "fonts", "downloads"])
def test_a_copied_cache_leads_nowhere_else(report: ReportConfig, tmp_path: Path, kind: str) -> None:
    (tmp_path / ".cache").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / ".cache" / kind).symlink_to(tmp_path / "own")
    with pytest.raises(StoreError, match=f"{kind}: expected a folder of the cache, got a link; remove it"):
        places.check(report, options(tmp_path))


@pytest.mark.parametrize(
    ("limits", "raised"), [((24, 24), None), ((24, 1000), (64, 1000)), ((256, 256), (256, 256)), ((64, -1), (64, -1))]
)
def test_a_run_that_may_open_too_few_files_says_so_and_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], raised: tuple[int, int] | None
) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    now = [limits]
    monkeypatch.setattr(resource, "getrlimit", lambda _: now[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: now.append(new))
    if raised is None:
        with pytest.raises(
            BackendError, match=r"lets a run open 64 files at once, got a limit of 24; raise it \(ulimit -n\)"
        ):
            require_open_files(8)
    else:
        require_open_files(8)
        assert now[-1] == raised
