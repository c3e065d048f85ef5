"""Nothing that is published names a folder, a user or the host of the machine that made it."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import ROOT, SMALL_CONFIG, generate_forked
from families import Tiny

from tokviz.cli.building import without_folders
from tokviz.config import ModelConfig
from tokviz.run.publishing.public import public_source, public_text

SECRETS = ("zoe-k7", "Desk of Zoë", "jobs-k7", "words-k7", "tokens-k7", "out-k7", "cache-k7")
"""Names of folders and of a user that stand nowhere else."""


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("org/name", "org/name"),
        ("gpt2", "gpt2"),
        ("package:name/model", "package:name/model"),
        ("models/llama", "models/llama"),
        ("./models/llama.gguf", "./models/llama.gguf"),
        ("https://huggingface.co/org/name", "https://huggingface.co/org/name"),
        ("/home/zoe/models/llama", "llama"),
        ("/home/zoe/models/llama/", "llama"),
        ("/home/zoe/models/tiny.gguf", "tiny.gguf"),
        ("~/models/llama", "llama"),
        ("~zoe/llama", "llama"),
        ("~zoe", "…"),
        ("~", "…"),
        ("/", "…"),
        ("../zoe/llama", "llama"),
        ("models/../../zoe/llama", "llama"),
        ("../..", "…"),
        (r"C:\Users\zoe\llama", "llama"),
        ("C:/Users/zoe/llama", "llama"),
        ("C:\\", "…"),
        (r"\\server\zoe\llama", "llama"),
        ("file:///home/zoe/llama", "llama"),
    ],
)
def test_a_source_is_shown_by_its_last_part_where_it_tells_of_a_machine(source: str, shown: str) -> None:
    assert public_source(source) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/zoe k/models/llama: expected x, got y", "llama: expected x, got y"),
        ("can't open /home/zoe k/models/llama/config.json", "can't open llama/config.json"),
        ("can't open '/opt/python/lib/site-packages/torch/nn.py'", "can't open '…/nn.py'"),
        (r"can't open C:\Users\zoe\nn.py or ~/x/nn.py", "can't open …/nn.py or …/nn.py"),
        ("the tokenizer is that of ../zoe/tokens, as configured", "the tokenizer is that of tokens, as configured"),
        ("its workers died, the last at tcp://10.0.0.3:4321, perhaps", "its workers died, the last at …, perhaps"),
        ("see https://huggingface.co/org/name/tree/main", "see https://huggingface.co/org/name/tree/main"),
        ("org/name: layers 1/2/3, model.layers.0", "org/name: layers 1/2/3, model.layers.0"),
        (f"the worker on {socket.gethostname()} runs", "the worker on … runs"),
    ],
)
def test_what_is_said_of_a_model_names_no_folder(text: str, shown: str) -> None:
    model = ModelConfig(source="/home/zoe k/models/llama", tokenizer="../zoe/tokens")
    assert public_text(text, model, Path("project")) == shown


def test_the_command_that_readers_see_names_no_folder_and_no_cluster() -> None:
    typed = [
        *(
            "--config",
            "/home/zoe/report.toml",
            "--output=/srv/out",
            "--force",
            "--cache",
            "/srv/cache",
            "--backend",
            "dask",
        ),
        *(
            "--address",
            "tcp://zoes-desk:8786",
            "--words=../zoe/words.toml",
            "--model",
            "~/llama",
            "--model",
            "org/name",
        ),
    ]
    assert without_folders(typed) == [
        *(
            "--config",
            "report.toml",
            "--force",
            "--backend",
            "dask",
            "--words=words.toml",
            "--model",
            "llama",
            "--model",
            "org/name",
        )
    ]


@pytest.fixture(scope="module")
def site(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made of models and files at absolute paths, under the home of a user of a name of their own."""
    top = tmp_path_factory.mktemp("top")
    home = top / "zoe-k7"
    folder = home / "Desk of Zoë" / "jobs-k7"
    whole, mute, tokens = folder / "whole", folder / "mute", folder / "tokens-k7" / "tiny-tokens"
    damaged, pickled, odd = folder / "damaged", folder / "pickled", folder / "odd"
    tiny.copy("llama", whole)
    for copy in (mute, tokens, damaged, pickled, odd):
        shutil.copytree(whole, copy)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (mute / name).unlink()
    (damaged / "model.safetensors").write_bytes(b"\0" * 20)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    (odd / "config.json").write_text("{")
    words = folder / "words-k7" / "few.toml"
    words.parent.mkdir()
    words.write_text(re.findall(r"\[words\]\n(.*?)\[\[", SMALL_CONFIG, re.DOTALL)[0], encoding="utf-8")
    tables = [
        f'source = "{whole}"\nnote = "As its authors made it."',
        f'source = "{mute}"\ntokenizer = "{tokens}"',
        'source = "../jobs-k7/whole"\nname = "Relative"',
        *(f'source = "{path}"' for path in (damaged, pickled, odd, folder / "jobs-k7" / "absent")),
    ]
    config = folder / "report.toml"
    config.write_text(SMALL_CONFIG + "".join(f"[[models]]\n{table}\n" for table in tables), encoding="utf-8")
    made = generate_forked(
        ROOT,
        *("--config", str(config), "--words", str(words), "--output", str(top / "out-k7"), "--svg", "--excerpts"),
        *("--cache", str(top / "cache-k7"), "--site-url", "https://example.org/report/"),
        HOME=str(home),
        USER="zoe-k7",
        LOGNAME="zoe-k7",
    )
    assert made.returncode == 3, made.stderr
    return top / "out-k7"


def published(site: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file, and with them the metadata of pictures, which nothing compresses."""
    for path in sorted(site.rglob("*")):
        if path.is_file():
            yield path.relative_to(site).as_posix(), path.read_bytes()


@pytest.mark.process
def test_no_published_file_names_a_folder_a_user_or_the_host(site: Path) -> None:
    program = b"".join(path.read_bytes() for path in (ROOT / "templates").rglob("*") if path.is_file())
    names = {
        *SECRETS,
        *(part for part in site.parts if part.startswith(("pytest", "top"))),
        str(ROOT),
        socket.gethostname(),
    }
    # A host may be called by a word of the program's own.
    names = {name for name in names if name.encode() not in program}
    assert set(SECRETS) <= names
    found = {
        (path, name)
        for path, content in published(site)
        for name in names
        if name.encode() in path.encode() + b"\n" + content
    }
    assert found == set()


@pytest.mark.process
def test_a_model_is_known_by_the_last_part_of_its_path(site: Path) -> None:
    pages = {path: content.decode() for path, content in published(site) if path.endswith(".html")}
    assert "<code>whole</code>" in pages["models/whole/index.html"]
    assert "that of tiny-tokens, as configured" in pages["models/mute/index.html"]
    assert "pickled: expected safetensors" in pages["models/pickled/index.html"]
    assert "--config report.toml --words few.toml" in pages["method/index.html"]
