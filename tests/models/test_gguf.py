"""GGUF files: how they are quantised, and that their states are those of the checkpoint."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sources import configured, refusal
from tiny_gguf import as_gguf, qwen2

from tokviz.capture import capture, find_structure
from tokviz.capture.tokens import tokenize
from tokviz.models import UntrainedModel, gguf_header, load
from tokviz.models.gguf_file import parsed_once, quantization_and_dtype
from tokviz.records import Context

ALONE = Context(name="alone", label="alone", template=" {word}")


@pytest.mark.parametrize(
    ("tensor_type", "file_type", "expected"),
    [
        ("F16", 1, (None, "float16")),
        ("F32", 0, (None, "float32")),
        ("Q8_0", 7, ("Q8_0 GGUF", None)),
        ("Q8_0", 15, ("Q4_K_M GGUF", None)),
        ("Q8_0", None, ("Q8_0 GGUF", None)),
        ("Q8_0", 1, ("Q8_0 GGUF", None)),
    ],
)
def test_the_quantisation_of_a_gguf_file_is_read(
    tmp_path: Path, tensor_type: str, file_type: int | None, expected: tuple[str | None, str | None]
) -> None:
    import gguf

    path = tmp_path / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    if file_type is not None:
        writer.add_file_type(file_type)
    kind = gguf.GGMLQuantizationType[tensor_type]
    weights = np.ones((32, 64), dtype=np.float32)
    writer.add_tensor("blk.0.weight", gguf.quantize(weights, kind), raw_dtype=kind)
    writer.add_tensor("norm.weight", np.ones(32, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert quantization_and_dtype(path) == expected


@pytest.mark.parametrize(
    ("tensor_type", "quantization", "on_disk", "tolerance"),
    [("F32", None, "float32", 1e-6), ("F16", None, "float16", 0.01), ("Q8_0", "Q8_0 GGUF", None, 0.05)],
)
def test_a_gguf_file_gives_the_states_of_the_checkpoint_it_was_made_from(
    tmp_path: Path, tensor_type: str, quantization: str | None, on_disk: str | None, tolerance: float
) -> None:
    as_gguf(qwen2(tmp_path / "whole"), tmp_path / "tiny.gguf", tensor_type)

    last_states = {}
    for source in ("whole", "tiny.gguf"):
        model = load(configured(source), tmp_path, "cpu")
        tokenization = tokenize(model.tokenizer, ("cat", "firefighters", "東"), ALONE, "last")
        structure = find_structure(model.module, model.base_model_prefix)
        (batch,) = capture(model.module, structure, tokenization, 65_536)
        last_states[source] = batch.states[-1]
    assert (model.card.quantization, model.card.checkpoint_dtype, model.card.dtype) == (
        quantization,
        on_disk,
        "float32",
    )
    assert "gguf" in dict(model.card.versions)
    assert any("GGUF file" in note for note in model.card.notes)
    error = np.linalg.norm(last_states["tiny.gguf"] - last_states["whole"]) / np.linalg.norm(last_states["whole"])
    assert error < tolerance


def test_a_gguf_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    embeddings = []
    for seed in (0, 1):
        # Written over in place, it would change under a reader that is still open.
        (tmp_path / "tiny.gguf").unlink(missing_ok=True)
        as_gguf(qwen2(tmp_path / f"seed-{seed}", seed), tmp_path / "tiny.gguf", "F32")
        model = load(configured("tiny.gguf"), tmp_path, "cpu")
        embeddings.append(model.module.get_parameter("embed_tokens.weight").detach().clone())
    assert not torch.equal(*embeddings)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets not everyone make links")
def test_a_gguf_file_that_is_a_link_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    for name in ("elsewhere", "here"):
        (tmp_path / name).mkdir()
    as_gguf(qwen2(tmp_path / "whole"), tmp_path / "elsewhere" / "tiny.gguf", "F32")
    (tmp_path / "here" / "tiny.gguf").symlink_to(tmp_path / "elsewhere" / "tiny.gguf")
    assert "got a link out of it: tiny.gguf; copy what it leads to" in refusal("tiny.gguf", tmp_path / "here")
    assert load(configured("tiny.gguf"), tmp_path / "elsewhere", "cpu").card.n_layers == 3


def test_a_gguf_file_has_an_untrained_model(tmp_path: Path) -> None:
    as_gguf(qwen2(tmp_path / "whole"), tmp_path / "tiny.gguf", "Q8_0")
    loaded = load(configured("tiny.gguf"), tmp_path, "cpu")
    layers = find_structure(loaded.module, loaded.base_model_prefix).layers
    module = UntrainedModel(loaded, layers).own_embedding(1)
    own, before = dict(module.named_parameters()), dict(loaded.module.named_parameters())
    assert {weight.dtype for weight in own.values()} == {torch.float32}
    assert {name for name, weight in own.items() if weight.ndim > 1 and torch.equal(weight, before[name])} == {
        "embed_tokens.weight"
    }


@pytest.mark.parametrize("kind", ["Q4_1", "Q8_0", "Q6_K", "BF16", "F16", "F32"])
@pytest.mark.parametrize("shape", [(512,), (32, 512), (24, 256), (7, 256), (2, 8, 256), (3, 4096)])
def test_weights_are_those_that_gguf_gives_by_itself(kind: str, shape: tuple[int, ...]) -> None:
    import gguf

    own, n_bytes = gguf.GGMLQuantizationType[kind], int(np.prod(shape)) * 4
    random = np.random.default_rng(0)
    if kind == "Q6_K":  # gguf can't make it
        found = gguf.GGML_QUANT_SIZES[own]
        stored = random.integers(0, 60, (*shape[:-1], shape[-1] // found[0] * found[1]), dtype=np.uint8)
    else:
        stored = gguf.quantize(random.normal(size=n_bytes // 4).astype(np.float32).reshape(shape), own)
    expected = gguf.dequantize(stored, own)
    with parsed_once():
        weights = gguf.dequantize(stored, own)
    assert weights.shape == expected.shape == shape
    np.testing.assert_array_equal(weights, expected)


def test_a_gguf_file_says_the_same_however_often_it_is_read(tmp_path: Path) -> None:
    import gguf
    from transformers import modeling_gguf_pytorch_utils as loader

    path = str(tmp_path / "tiny.gguf")
    as_gguf(qwen2(tmp_path / "whole"), Path(path), "Q8_0")
    alone, expected = gguf.GGUFReader(path), loader.load_gguf_checkpoint(path)
    with parsed_once():
        loader.load_gguf_checkpoint(path)["config"].clear()  # by one who asked for it
        assert loader.load_gguf_checkpoint(path, return_tensors=False) == expected
        reader = gguf.GGUFReader(path)
    assert {name: field.contents() for name, field in reader.fields.items()} == {
        name: field.contents() for name, field in alone.fields.items()
    }
    for own, other in zip(reader.tensors, alone.tensors, strict=True):
        assert (own.name, own.tensor_type, own.data.dtype) == (other.name, other.tensor_type, other.data.dtype)
        assert type(own.data) is np.ndarray
        np.testing.assert_array_equal(own.data, other.data)


def test_what_is_no_gguf_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"something else")
    assert "expected files that a model can be loaded of" in refusal("tiny.gguf", tmp_path)


def header(n_tensors: int, n_values: int, *rest: bytes) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, n_tensors, n_values) + b"".join(rest)


KEY = struct.pack("<Q", 1) + b"x"
LARGE = 2**60
UNTRUE = {
    "none": b"GGUF, or not",
    "values": header(0, LARGE),
    "tensors": header(LARGE, 0),
    "a key": header(0, 1, struct.pack("<Q", LARGE), b"x"),
    "a text": header(0, 1, KEY, struct.pack("<IQ", 8, LARGE), b"x"),
    "bytes": header(0, 1, KEY, struct.pack("<IIQ", 9, 0, LARGE)),  # gguf would read them one by one
    "texts": header(0, 1, KEY, struct.pack("<IIQ", 9, 8, LARGE), bytes(1_000)),
    "a shape": header(1, 0, KEY, struct.pack("<I", 2**31)),
    "lists": header(0, 1, KEY, struct.pack("<I", 9), struct.pack("<IQ", 9, 1) * 100_000),
    "an unknown type": header(0, 1, KEY, struct.pack("<I", 99)),
}


@pytest.mark.parametrize("name", UNTRUE)
def test_a_header_that_claims_more_than_the_file_holds_is_not_believed(tmp_path: Path, name: str) -> None:
    (tmp_path / "tiny.gguf").write_bytes(UNTRUE[name])
    assert "expected a GGUF file whose header can be read to its end, got " in refusal("tiny.gguf", tmp_path)


def test_a_key_or_a_name_longer_than_any_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    for length, n_tensors, said in (
        (2**33, 0, "a key of 8,589,934,592 bytes"),
        (65_536, 0, "a key of 65,536 bytes"),
        (2**33, 1, "a tensor whose name has 8,589,934,592 bytes"),
        (256, 1, "a tensor whose name has 256 bytes"),
    ):
        with file.open("wb") as written:
            written.write(header(n_tensors, 1 - n_tensors, struct.pack("<Q", length)))
            written.truncate(2**34)
        assert gguf_header.problem(file) == said
        assert gguf_header.shapes(file) == {}
    longest = struct.pack("<Q", 65_535) + bytes(65_535) + struct.pack("<IB", 0, 1)
    file.write_bytes(header(1, 1, longest, struct.pack("<Q", 255), b"w" * 255, struct.pack("<IQIQ", 1, 5, 0, 0)))
    assert gguf_header.shapes(file) == {"w" * 255: (5,)}


def test_an_axis_longer_than_any_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(header(1, 0, KEY, struct.pack("<IQQIQ", 2, 2**48, 0, 0, 0)))
    assert gguf_header.problem(tmp_path / "tiny.gguf") == "a tensor with an axis of 281,474,976,710,656"


@pytest.mark.parametrize(("kind", "n_bytes"), [(8, 8), (4, 4)])
def test_texts_and_numbers_are_counted_over_all_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: int, n_bytes: int
) -> None:
    """gguf makes an array of each of them."""
    monkeypatch.setattr(gguf_header, "_MOST_IN_LISTS", 5)
    file, three = tmp_path / "tiny.gguf", KEY + struct.pack("<IIQ", 9, kind, 3) + bytes(3 * n_bytes)
    file.write_bytes(header(0, 1, three))
    assert gguf_header.problem(file) is None
    file.write_bytes(header(0, 2, three, three))
    assert gguf_header.problem(file) == "lists of 6 texts and numbers"


def test_more_values_than_any_model_has_are_not_read(tmp_path: Path) -> None:
    file, value = tmp_path / "tiny.gguf", KEY + struct.pack("<IB", 0, 1)
    file.write_bytes(header(0, 10_000, *[value] * 10_000))
    assert gguf_header.problem(file) is None
    file.write_bytes(header(0, 10_001, *[value] * 10_001))
    assert gguf_header.problem(file) == "0 tensors and 10,001 values"


@pytest.mark.parametrize("length", [30, 30_000])
def test_a_file_that_is_cut_while_it_is_read_ends_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """As somebody would who copies another one over it."""
    file = tmp_path / "tiny.gguf"
    texts = [struct.pack("<Q", 100) + bytes(100)] * 10_000
    file.write_bytes(header(0, 1, KEY, struct.pack("<IIQ", 9, 8, len(texts)), *texts))
    assert gguf_header.problem(file) is None
    order = gguf_header._order

    def cut(start: bytes) -> str:
        os.truncate(file, length)
        return order(start)

    monkeypatch.setattr(gguf_header, "_order", cut)
    assert gguf_header.problem(file) == "one that claims more than the file holds"
    assert gguf_header.shapes(file) == {}


def test_a_true_header_is_believed_in_either_order_of_bytes(tmp_path: Path) -> None:
    for name, order in (("little", "<"), ("big", ">")):
        file = tmp_path / f"{name}.gguf"
        text = struct.pack(f"{order}Q", 1) + b"x"
        values = text + struct.pack(f"{order}I", 8) + text + text + struct.pack(f"{order}IIQ", 9, 4, 2) + bytes(8)
        tensor = text + struct.pack(f"{order}IQIQ", 1, 5, 0, 0)
        file.write_bytes(b"GGUF" + struct.pack(f"{order}IQQ", 3, 1, 2) + values + tensor)
        assert gguf_header.problem(file) is None
        file.write_bytes(file.read_bytes()[:-1])
        assert gguf_header.problem(file) == "one that claims more than the file holds"


@pytest.mark.parametrize(
    ("order", "kind", "form"), [("<", 4, "I"), (">", 4, "I"), ("<", 5, "i"), ("<", 10, "Q"), (">", 11, "q")]
)
def test_layers_without_tensors_are_refused_before_a_list_is_made_of_them(
    tmp_path: Path, order: str, kind: int, form: str
) -> None:
    file, key = tmp_path / "tiny.gguf", b"qwen2.block_count"
    for n_layers, said in (
        (1_000, None),
        (1_001, "1,001 layers of 0 tensors"),
        (2**31 - 1, "2,147,483,647 layers of 0 tensors"),
    ):
        value = struct.pack(f"{order}Q", len(key)) + key + struct.pack(f"{order}I{form}", kind, n_layers)
        file.write_bytes(b"GGUF" + struct.pack(f"{order}IQQ", 3, 0, 1) + value)
        assert gguf_header.problem(file) == said


def test_tensors_of_a_file_that_lie_over_each_other_are_refused(tmp_path: Path) -> None:
    """Else a small file could ask for any amount of memory."""
    import gguf

    path = tmp_path / "tiny.gguf"
    as_gguf(qwen2(tmp_path / "qwen2"), path, "F32")
    content = bytearray(path.read_bytes())
    tensors = gguf.GGUFReader(path).tensors
    for tensor in tensors:
        *before, offset = tensor.field.parts
        at = tensor.field.offset + sum(part.nbytes for part in before)
        content[at : at + offset.nbytes] = bytes(offset.nbytes)
    begin = min(int(tensor.data_offset) for tensor in tensors)
    path.write_bytes(content[: begin + max(int(tensor.n_bytes) for tensor in tensors)])
    assert "expected tensors one after the other, got " in refusal("tiny.gguf", tmp_path)


def test_a_token_longer_than_any_is_refused(tmp_path: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(tmp_path / "tiny.gguf", "llama")
    writer.add_token_list(["a", "b" * 200_000])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert "got a token of more than 100,000 bytes" in refusal("tiny.gguf", tmp_path)
