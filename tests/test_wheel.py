"""What one installs: built, installed into an environment of its own, and used in folders that know nothing of the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requirements_files
import sample_parts
from families import Tiny
from narrow import present
from packaging.requirements import Requirement

pytestmark = [pytest.mark.process, pytest.mark.thorough]

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"


def build(folder: Path, output: Path, *targets: str) -> list[Path]:
    """Files that the build backend makes of the sources in ``folder``; nothing is fetched."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(output)]
    command += [word for target in targets for word in ("-t", target)]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return sorted(output.iterdir())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the source distribution."""
    wheel, source = build(ROOT, tmp_path_factory.mktemp("dist"), "sdist", "wheel")
    return wheel, source


class Installed:
    """An environment that has the wheel, and finds what it depends on among the packages of this one."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
        scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
        self.python, self.tokviz = scripts / "python", scripts / "tokviz"
        (site,) = (path for path in folder.rglob("site-packages") if path.is_dir())
        (site / "others.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
        install = ("-m", "pip", "--python", str(self.python), "install", "--quiet", "--no-deps", "--no-index")
        subprocess.run([sys.executable, *install, str(wheel)], check=True, timeout=120)
        self.environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(self, folder: Path, *command: str | Path) -> str:
        """What a command in ``folder`` prints."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=folder, check=False, capture_output=True, text=True, timeout=120, env=self.environment, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("environment"), built[0])


@pytest.fixture(scope="module")
def mine(tiny: Tiny) -> str:
    """A tiny checkpoint, as ``--model`` takes it."""
    return f"Mine={tiny('llama')}"


@pytest.fixture(scope="module")
def report(installed: Installed, mine: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a new report, drawn small in one projection, and the site that was made of it with a checkpoint from elsewhere."""
    folder = tmp_path_factory.mktemp("report")
    installed.run(folder, installed.tokviz, "init")
    config = (folder / "report.toml").read_text(encoding="utf-8")
    assert '["standardized", "centered"]\n' in config
    config = config.replace('["standardized", "centered"]\n', '["standardized"]\nplate_size = [750, 600]\n')
    (folder / "report.toml").write_text(config, encoding="utf-8")
    installed.run(folder, installed.tokviz, "build", "--model", mine)
    return folder


# --- what is in them -----------------------------------------------------------------------------------------------------


def test_the_wheel_holds_the_package_the_templates_and_the_sample(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = {path for path in (ROOT / "tokviz").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    expected = {path.relative_to(ROOT).as_posix() for path in package}
    for source, target in (("templates", "tokviz/templates"), ("notes", "tokviz/starters/sample/notes")):
        files = (path for path in (ROOT / source).rglob("*") if path.is_file())
        expected |= {f"{target}/{path.relative_to(ROOT / source).as_posix()}" for path in files}
    assert names == expected | {"tokviz/starters/sample/report.toml"}
    assert {"tokviz/py.typed", "tokviz/capture/loss_text.txt", "tokviz/draw/fonts/TokvizSans-Bold.ttf"} <= names


def test_the_metadata_says_what_is_needed_for_what(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(wheel.read(name))
    assert (metadata["Name"], metadata["Requires-Python"]) == ("tokviz-report", ">=3.11")
    needed = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    base = {each.name for each in needed if each.marker is None}
    assert base.isdisjoint({"torch", "transformers", "accelerate", "gguf"})
    assert base == {Requirement(text).name for text in requirements_files.project()["dependencies"]}
    assert set(metadata.get_all("Provides-Extra", [])) == {"models", "cluster", "serve", "notebook", "all"}
    authors = re.findall(r"^  - name: (.*)", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert metadata["Author"] == ", ".join(authors)


def test_the_source_distribution_is_complete(built: tuple[Path, Path], tmp_path: Path) -> None:
    wheel, source = built
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    for needed in ("generate.py", "report.toml", "Makefile", "requirements.txt", "tests/conftest.py", "LICENSE"):
        assert (folder / needed).is_file()
    of_sample = {path.relative_to(folder).as_posix() for path in (folder / "site").rglob("*") if path.is_file()}
    assert of_sample == {*sample_parts.parts(ROOT)}
    assert len(of_sample) < 30
    (again,) = build(folder, tmp_path / "again", "wheel")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert {item.filename: item.CRC for item in first.infolist()} == {
            item.filename: item.CRC for item in second.infolist()
        }


# --- in use --------------------------------------------------------------------------------------------------------------


def test_nothing_comes_from_the_checkout(installed: Installed, tmp_path: Path) -> None:
    code = "import tokviz, tokviz.cli.application as a, sys; print(tokviz.__file__, a.__file__, *sys.path, sep='\\n')"
    said = installed.run(tmp_path, installed.python, "-c", code)
    assert str(ROOT / "tokviz") not in said
    assert str(ROOT) not in said.splitlines()


def test_the_command_and_the_module_say_the_same(installed: Installed, tmp_path: Path) -> None:
    assert installed.run(tmp_path, installed.python, "-m", "tokviz", "--help") == installed.run(
        tmp_path, installed.tokviz, "--help"
    )


def test_what_a_report_has_captured_is_studied_from_python(
    installed: Installed, mine: str, report: Path, tmp_path: Path
) -> None:
    code = f"""
import sys, tokviz
config = tokviz.load({str(report / "report.toml")!r}, models=[{mine!r}])
print(tokviz.study(config, cache={str(report / ".cache")!r}, quiet=True)["Mine"]["alone"])
print("torch" in sys.modules)
"""
    said = installed.run(tmp_path, installed.python, "-c", code)
    first, *_, last = said.splitlines()
    assert first == "Mine, alone: 60 words, embedding and 3 layers of 32 dimensions"
    assert last == "False"


def test_a_new_report_is_built_with_ones_own_checkpoint(report: Path) -> None:
    assets = ROOT / "templates" / "assets"
    made = {path.relative_to(report / "site").as_posix() for path in (report / "site").rglob("*") if path.is_file()}
    assert {f"assets/{path.relative_to(assets).as_posix()}" for path in assets.rglob("*") if path.is_file()} <= made
    folder = "images/mine/alone/standardized/mine"
    assert {f"{folder}__model.layers.1.webp", f"{folder}_m.et-phone.webp", "explore/index.html"} <= made
    facts = json.loads((report / "site" / "data" / "report.json").read_text(encoding="utf-8"))
    assert facts["command"] == "tokviz build --model Mine=llama"


def test_a_report_of_ones_own_model_says_nothing_of_another(report: Path) -> None:
    page = (report / "site" / "index.html").read_text(encoding="utf-8")
    assert "<h1>Tokens, layer by layer</h1>" in page
    assert re.search(r"How a language model arranges 60.words", page)
    assert "Say here what you looked for" not in page


def test_the_site_is_made_elsewhere_from_what_is_kept(
    installed: Installed, mine: str, report: Path, tmp_path: Path
) -> None:
    config = ("--config", report / "report.toml", "--cache", report / ".cache")
    said = installed.run(tmp_path, installed.tokviz, *config, "--model", mine, "--output", tmp_path / "public")
    assert "(0 new captures, 0 new images)" in said
    assert (tmp_path / "public" / "models" / "mine" / "index.html").is_file()


def test_the_report_is_served(installed: Installed, mine: str, report: Path) -> None:
    command = (str(installed.tokviz), "serve", "--port", "0", "--model", mine)
    for port, process in serving(command, report, installed):
        for line in present(process.stdout):
            if "new images" in line:
                break
        connection = HTTPConnection(HOST, port, timeout=30)
        connection.request("GET", "/models/mine/")
        assert "Mine" in connection.getresponse().read().decode()


def serving(command: Sequence[str], folder: Path, installed: Installed) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    with subprocess.Popen(
        command, cwd=folder, env=installed.environment, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            first = present(process.stdout).readline()
            yield int(present(re.search(r":(\d+)/", first))[1]), process
        finally:
            process.terminate()


def test_a_wheel_is_no_checkout(installed: Installed, tmp_path: Path) -> None:
    """The sample's config comes along; ``generate.py`` does not."""
    installed.run(tmp_path, installed.tokviz, "init", "--template", "sample")
    sample = (ROOT / "report.toml").read_text(encoding="utf-8")
    assert (tmp_path / "report.toml").read_text(encoding="utf-8") == f"#:schema ./report.schema.json\n{sample}"
    assert {path.name for path in (tmp_path / "notes").iterdir()} == {path.name for path in (ROOT / "notes").iterdir()}


def test_the_manual_is_made_from_the_source_distribution(built: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    command = [sys.executable, "-P", "-m", "mkdocs", "build", "--strict", "-f", str(folder / "docs" / "mkdocs.yml")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    made = subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, timeout=120,
        env=environment | {"NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    pages = {path: path.read_text(encoding="utf-8") for path in (folder / ".docs-site").rglob("*.html")}
    assert [path for path, text in pages.items() if 'href="report:' in text] == []
    shown = [
        path.parent / source for path, text in pages.items() for source in re.findall(r'src="([^":]+\.webp)"', text)
    ]
    assert len(shown) >= 16
    assert all(path.is_file() for path in shown)
