"""What a model's files may cost: their settings never more for how large its weights are, and honest ones are never in the way."""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from sources import configured, edit_config, refusal
from tiny_gguf import as_gguf, qwen2

from tokviz.capture import memory
from tokviz.capture.hooks import forward, is_streamed
from tokviz.models import Folders, files, fitting, gguf_header, limits, load

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="The limits are those of Linux")

GIB = 2**30


@pytest.fixture(autouse=True)
def _files_that_are_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of gigabytes in tests, most of which are never written."""
    monkeypatch.setattr(files, "LEAST_WRITTEN", 0)


def lengthen(weights: Path, n_bytes: int) -> None:
    """Have the file say that it has one more tensor, of zeros that take no place on the disk."""
    content = weights.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, numbers = json.loads(content[8 : 8 + length]), content[8 + length :]
    place = [len(numbers), len(numbers) + n_bytes]
    header["unused"] = {"dtype": "F32", "shape": [n_bytes // 4], "data_offsets": place}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    weights.write_bytes(struct.pack("<Q", len(text)) + text + numbers)
    os.truncate(weights, weights.stat().st_size + n_bytes)


def taken(n_bytes: int) -> object:
    """Memory, not by glibc: after a refusal that one may take from elsewhere, which tests of what it keeps would see."""
    try:
        return mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        raise MemoryError from None


def test_large_weights_are_no_reason_to_refuse_a_model(gpt2: Path) -> None:
    """A library maps a file twice for a moment."""
    lengthen(gpt2 / "model.safetensors", 2 * GIB)
    assert load(configured("gpt2"), gpt2.parent, "cpu").card.n_layers == 3


def test_weights_that_are_read_in_every_pass_may_be_in_files_larger_than_the_memory(
    gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = torch.tensor([[1, 2]])
    expected = forward(load(configured("gpt2"), gpt2.parent, "cpu").module, ids, None)[0]
    lengthen(gpt2 / "model.safetensors", 2 * GIB)
    model = configured("gpt2", max_memory={"cpu": "20KB"})
    streamed = load(model, gpt2.parent, "cpu", Folders(offload=tmp_path / "offload")).module
    assert is_streamed(streamed)
    monkeypatch.setattr(memory, "free_bytes", lambda _: GIB)
    torch.testing.assert_close(forward(streamed, ids, None)[0], expected)


def test_settings_get_no_more_for_the_size_of_the_weights(gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither memory nor time."""
    import resource

    import transformers

    lengthen(gpt2 / "model.safetensors", 8 * GIB)
    of_settings: list[int] = []

    def boundless(*_: object, **__: object) -> object:
        of_settings.append(resource.getrlimit(resource.RLIMIT_CPU)[0])
        return taken(4 * GIB)

    monkeypatch.setattr(limits, "_ends_the_process", True)
    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", boundless)
    assert "expected a model that can be made in the memory that is free, got one that takes more" in refusal(
        "gpt2", gpt2.parent
    )
    assert of_settings[0] <= time.process_time() + 2 * limits.SECONDS


def test_a_gguf_file_gets_no_more_for_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    file = tmp_path / "tiny.gguf"
    as_gguf(qwen2(tmp_path / "qwen2"), file, "F32")
    os.truncate(file, file.stat().st_size + 8 * GIB)
    monkeypatch.setattr(gguf_header, "problem", lambda _: None)  # as if a tensor had them
    assert load(configured("tiny.gguf"), tmp_path, "cpu").card.n_layers == 3
    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", lambda *_, **__: taken(4 * GIB))
    assert "got one that takes more" in refusal("tiny.gguf", tmp_path)


def test_limits_end_with_an_error_too() -> None:
    import resource

    kinds = (resource.RLIMIT_DATA, resource.RLIMIT_CPU)
    before = [resource.getrlimit(kind) for kind in kinds]
    with pytest.raises(MemoryError), limits.limited("gpt2"):
        raise MemoryError
    found = [resource.getrlimit(kind) for kind in kinds]
    for kind, own in zip(kinds, before, strict=True):
        resource.setrlimit(kind, own)  # for the tests that follow
    assert found == before


def test_time_is_for_the_weights_that_a_model_has(gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    import transformers

    found: list[int] = []
    loads = transformers.AutoModel.from_pretrained

    def noted(*given: Any, **named: Any) -> Any:
        found.append(resource.getrlimit(resource.RLIMIT_CPU)[0])
        return loads(*given, **named)

    lengthen(gpt2 / "model.safetensors", 8 * GIB)
    monkeypatch.setattr(limits, "_ends_the_process", True)
    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", noted)
    load(configured("gpt2"), gpt2.parent, "cpu")
    assert len(found) == 2, "without values, and with them"
    assert max(found) <= time.process_time() + 2 * limits.SECONDS + 1


def test_tables_that_no_file_holds_are_bounded(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(configured("llama"), tmp_path, "cpu")
    monkeypatch.setattr(fitting, "_MOST_OF_TABLES", 8)
    assert "GB of tables that a model makes itself, as of positions, got " in refusal("llama", tmp_path)
    as_gguf(qwen2(tmp_path / "qwen2"), tmp_path / "tiny.gguf", "F32")
    assert "GB of tables that a model makes itself" in refusal("tiny.gguf", tmp_path)


@pytest.mark.parametrize(
    ("values", "most"),
    [
        ({"attention_window": [4, 9000]}, 8_192),
        ({"chunk_size": 6000}, 4_096),
        ({"mamba_chunk_size": 50_000}, 4_096),
        ({"lsh_attn_chunk_length": 4_000_003}, 4_096),
        ({"text_config": {"local_attn_chunk_length": 12_000}}, 4_096),
        ({"lsh_num_chunks_before": 10**9}, 1_000),
        ({"local_radius": 12_000}, 8_192),
    ],
    ids=str,
)
def test_windows_and_chunks_that_a_text_is_padded_to_are_bounded(gpt2: Path, values: dict[str, Any], most: int) -> None:
    edit_config(gpt2, **values)
    assert f", at most {most:,}, got " in refusal("gpt2", gpt2.parent)


def test_windows_and_chunks_of_real_models_are_read(gpt2: Path) -> None:
    """Of Longformer, Mamba2, Reformer, Llama 4, LongT5, and of a model that listens, too."""
    edit_config(
        gpt2,
        attention_window=[512] * 12,
        chunk_size=256,
        lsh_attn_chunk_length=64,
        attention_chunk_size=8192,
        local_radius=127,
        audio_chunk_size=480_000,
        acoustic_tokenizer_chunk_size=1_440_000,
        chunk_size_feed_forward=0,
    )
    load(configured("gpt2"), gpt2.parent, "cpu")
