"""What headers say of a model's size before a run: read of listed files only, bounded, and never a reason to end a report."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
import tiny_gguf
from command import generate_blank
from families import Tiny
from safetensors.numpy import load_file

from tokviz import models
from tokviz.config import ModelConfig
from tokviz.models import gguf_header, safetensors_header


def size(folder: Path) -> models.Size | None:
    return models.size(ModelConfig(source=folder.name), folder.parent)


def with_shape(file: Path, shape: list[int]) -> None:
    """One tensor of a safetensors file claims another shape."""
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    name = next(each for each in header if each.endswith("h.0.ln_1.weight"))
    header[name]["shape"] = shape
    written = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(written)) + written + content[8 + length :])


def test_it_is_that_of_the_weights(gpt2: Path) -> None:
    found = size(gpt2)
    assert found
    assert found.n_parameters == sum(each.size for each in load_file(gpt2 / "model.safetensors").values())
    assert found.n_layers == json.loads((gpt2 / "config.json").read_text())["n_layer"]


SHAPES = [[2**63] * 40, [2**63, 2**63], [-1, -(2**62)], [1] * 9, [2**63] * 100_000, [10**400]]


@pytest.mark.parametrize("shape", SHAPES, ids=["overflow", "product", "negative", "axes", "many axes", "digits"])
def test_of_a_shape_that_no_file_holds_nothing_is_known(gpt2: Path, shape: list[int]) -> None:
    with_shape(gpt2 / "model.safetensors", shape)
    assert size(gpt2) is None


@pytest.mark.parametrize("axis", [10**400, 2**48, -1, 1.5, "8", True])
def test_a_table_without_numbers_has_no_axis_that_no_file_holds(gpt2: Path, axis: Any) -> None:
    """Its numbers are none, so that no length of the file bounds it; a forecast multiplies by its words."""
    file = gpt2 / "model.safetensors"
    header = {
        "h.0.w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        "wte.weight": {"dtype": "F32", "shape": [axis, 0], "data_offsets": [4, 4]},
    }
    written = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(written)) + written + bytes(4))
    assert safetensors_header.tensors(file) == {}
    assert size(gpt2) is None


def test_a_table_without_numbers_tells_no_vocabulary(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    shapes = {b"blk.0.w": (1,), b"w": (2**40, 0)}
    tensors = [
        struct.pack("<Q", len(name)) + name + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, 0)
        for name, shape in shapes.items()
    ]
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 0) + b"".join(tensors))
    assert gguf_header.problem(file) is None
    assert models.size(ModelConfig(source="m.gguf"), tmp_path) is None


def test_what_is_not_listed_is_not_opened(gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path / "elsewhere.bin"
    outside.write_bytes(b"\0" * 100)
    (gpt2 / "other.safetensors").symlink_to(outside)
    (gpt2 / "more.safetensors").write_bytes(b"\0" * 100)
    seen: list[str] = []
    real = os.open

    def noted(path: Any, *rest: Any) -> int:
        seen.append(str(path))
        return real(path, *rest)

    monkeypatch.setattr(os, "open", noted)
    assert size(gpt2)
    assert any("model.safetensors" in each for each in seen)
    assert not any(each.endswith(("other.safetensors", "more.safetensors", "elsewhere.bin")) for each in seen)


def test_weights_that_link_out_of_the_folder_are_not_read(gpt2: Path, tmp_path: Path) -> None:
    target = (gpt2 / "model.safetensors").rename(tmp_path / "elsewhere.safetensors")
    (gpt2 / "model.safetensors").symlink_to(target)
    assert size(gpt2) is None


def test_headers_are_read_up_to_some_size(gpt2: Path) -> None:
    file = gpt2 / "model.safetensors"
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    padded = content[8 : 8 + length].ljust(16_000_000)
    names = [f"model-{index}.safetensors" for index in range(2)]
    for name in names:
        (gpt2 / name).write_bytes(struct.pack("<Q", len(padded)) + padded + content[8 + length :])
    file.unlink()
    index = {"weight_map": {f"x{name}": name for name in names}}
    (gpt2 / "model.safetensors.index.json").write_text(json.dumps(index))
    assert size(gpt2) is None


@pytest.mark.parametrize(("n_values", "length"), [(1, 10**9), (10**9, 1)], ids=["texts", "values"])
def test_a_gguf_header_of_a_billion_entries_is_not_followed(tmp_path: Path, n_values: int, length: int) -> None:
    file = tmp_path / "m.gguf"
    with file.open("wb") as written:
        written.write(b"GGUF" + struct.pack("<IQQ", 3, 1, n_values))
        written.write(struct.pack("<Q", 1) + b"a" + struct.pack("<IIQ", 9, 8, length))
        written.truncate(10**10)
    assert "1,000,000,000" in (gguf_header.problem(file) or "")
    assert models.size(ModelConfig(source="m.gguf"), tmp_path) is None


def test_that_of_gguf_is_known(tmp_path: Path) -> None:
    tiny_gguf.as_gguf(tiny_gguf.qwen2(tmp_path / "q"), tmp_path / "m.gguf", "F32")
    found = models.size(ModelConfig(source="m.gguf"), tmp_path)
    assert found
    assert found.is_gguf
    assert found.n_layers == json.loads((tmp_path / "q/config.json").read_text())["num_hidden_layers"]


@pytest.mark.process
def test_one_with_an_impossible_header_costs_itself_only(tiny: Tiny, tmp_path: Path) -> None:
    for name in ("good", "bad"):
        tiny.copy("gpt2", tmp_path / name)
    with_shape(tmp_path / "bad/model.safetensors", [2**63] * 40)
    (tmp_path / "words.toml").write_text('x = ["James", "Mary", "doctor"]\ny = ["January", "February", "Tuesday"]\n')
    done = generate_blank(tmp_path, "--model", "bad", "--model", "good", "--words", "words.toml")
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "site/models/good/index.html").is_file()
