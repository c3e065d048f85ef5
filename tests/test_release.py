"""What is said of how tokviz is installed: one setting for all texts, and nothing is published without an address."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import release
import schemas
from release import Release

ROOT = Path(__file__).parent.parent
WITHOUT, WITH = Release(released=False, repository=""), Release(released=True, repository="https://example.org/tokviz")
INSTALL = re.compile(r'(?:pip install|uvx --from)[^\n`]*?\\?"([^"\\]+)\\?"')
"""What is installed by a quoted name."""


def test_all_texts_are_as_the_setting_has_them() -> None:
    for name, content in release.contents(release.setting()).items():
        assert (ROOT / name).read_text(encoding="utf-8") == content, f"{name}: make install-lines"


def put(root: Path, found: Release) -> dict[str, str]:
    """Write all texts into a folder as a setting has them, and return them."""
    contents = release.contents(found, root)
    for name, text in contents.items():
        (root / name).write_text(text, encoding="utf-8", newline="\n")
    return contents


def test_one_setting_turns_all_of_them_over_and_back(tmp_path: Path) -> None:
    for name in release.contents(WITHOUT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    without, with_release, again = (put(tmp_path, each) for each in (WITHOUT, WITH, WITHOUT))
    assert again == without
    assert [name for name in without if without[name] == with_release[name]] == []
    for contents, begins in ((without, (".[", "..[")), (with_release, ("tokviz-report[",))):
        named = {name: INSTALL.findall(text) for name, text in contents.items()}
        ours = [what for each in named.values() for what in each if "minilm" not in what]
        assert len(ours) >= 9
        assert all(what.startswith(begins) for what in ours)
        for name in release.NOTEBOOKS:
            json.loads(contents[name])
    assert [name for name, text in without.items() if "`tokviz-report`" in text] == []
    said = "no release on a package index yet"
    assert all((said in without[name]) != (said in with_release[name]) for name in ("README.md", release.TEXTS[1]))
    assert 'repository-code: "https://example.org/tokviz"\n' in with_release["CITATION.cff"]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (WITHOUT, None),
        (WITH, None),
        (Release(released=False, repository="https://github.com/someone/tokviz"), None),
        (Release(released=True, repository="https://github.com/someone/tokviz"), "someone/tokviz"),
        (Release(released=True, repository="https://github.com/someone/tokviz.git"), "someone/tokviz"),
    ],
)
@pytest.mark.parametrize("name", release.NOTEBOOKS)
def test_a_badge_opens_a_notebook_where_colab_finds_it_and_a_release(
    found: Release, expected: str | None, name: str
) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    written = found.notebook(text, name)
    source = "".join(json.loads(written)["cells"][0]["source"])
    badges = re.findall(r"^\[!\[Open in Colab\]\(https://[^)]+\.svg\)\]\((.*)\)$", source, re.MULTILINE)
    address = f"https://colab.research.google.com/github/{expected}/blob/main/{name}"
    assert badges == ([address] if expected else [])
    assert found.notebook(written, name) == written
    assert release.setting().notebook(written, name) == text


def test_no_other_page_says_how_tokviz_is_installed() -> None:
    pages = [*(ROOT / "docs" / "manual").rglob("*.md"), *(ROOT / "examples").rglob("*.ipynb"), *ROOT.glob("*.md")]
    saying = {
        path.relative_to(ROOT).as_posix()
        for path in pages
        if any(
            "tokviz-report" in what or "[models" in what for what in INSTALL.findall(path.read_text(encoding="utf-8"))
        )
    }
    # What is missing of an installed tokviz is installed by its name, whether there is a release or not.
    assert saying - {"docs/manual/troubleshooting.md"} <= {*release.TEXTS, *release.NOTEBOOKS}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (WITHOUT, "repository = \"https://…\", so that readers of the index find it, got ''"),
        (Release(released=True, repository=""), "expected the address of the repository"),
        (Release(released=False, repository="https://example.org/tokviz"), "expected released = true"),
        (WITH, None),
    ],
)
def test_nothing_is_published_without_an_address_and_a_release(found: Release, said: str | None) -> None:
    assert (found.problem is None) == (said is None)
    assert said is None or said in str(found.problem)


@pytest.mark.process
def test_publishing_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    if not release.setting().problem:
        pytest.skip("there is a release")
    ran = subprocess.run(
        ["make", "--no-print-directory", "publish", f"PYTHON={sys.executable}", f"VENV={tmp_path}"],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode != 0
    assert ran.stderr.startswith("This can't be published: expected ")
    assert list(tmp_path.iterdir()) == []


def test_the_citation_is_what_citation_files_are() -> None:
    assert schemas.problem(schemas.CITATION, ROOT / "CITATION.cff") is None


def test_the_workflows_take_a_version_of_node_that_is_supported() -> None:
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"node-version: (\d+)", text)) <= {"22", "24"}
