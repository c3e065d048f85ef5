"""Hidden states that were captured elsewhere, as numbers: studied and shown like those that tokviz captures."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tokviz import config as configuration
from tokviz.config import ReportConfig, expanded
from tokviz.errors import TokvizError
from tokviz.models.location import GIVEN
from tokviz.notebook import arguments
from tokviz.notebook.studies import Study
from tokviz.records import (
    N_EXTREMES,
    NOT_KNOWN,
    CapturedBatch,
    Context,
    ModelCard,
    Tokenization,
    TokenizedWord,
    depth_name,
)
from tokviz.run import places, prune
from tokviz.run.capturing.dates import now
from tokviz.run.plan.options import FORMS, Options
from tokviz.run.plan.report import Plan
from tokviz.run.store import entries, keys
from tokviz.run.store.artefacts import Store
from tokviz.run.store.states_file import CaptureDescription
from tokviz.text import error_line, one_line, path_in_line, shown, with_short_paths

NOTE = "The hidden states were passed in as numbers: how they were captured, and how the words were cut into tokens, is not recorded."
_MODULE_PATH = re.compile(r"\w[\w.-]{0,99}", re.ASCII)


@arguments.instead_of_options()
def from_arrays(
    states: Any,
    words: Any,
    *,
    name: str = "Given states",
    module_paths: Sequence[str] | None = None,
    cache: Path | str = ".cache",
    quiet: bool = False,
) -> Study:
    """States from elsewhere as a study: what is projected, measured, drawn and published of them is the same.

    Parameters
    ----------
    states : ``(n_depths, n_words, width)``, or a sequence of ``(n_words, width)`` per depth, which may differ in width: the embedding
        first, then the state after each layer; arrays of NumPy, tensors of torch, or the path of a ``.safetensors`` file whose
        tensors are the depths in the order of their names. With several contexts, a mapping: name of the context → these. Masked
        arrays are taken where nothing is masked.
    words : category → words, or a data frame with a column for each category or with the columns ``word`` and ``category``, or
        words alone. Rows are in this order, category by category, so that a data frame needs the rows of each category one after another;
        a word that stands in two categories has one row, at its first.
    name : of the model.
    module_paths : per depth the name under which it is shown; ``embedding``, ``layer 0``, … by default.
    cache : where states, projections and metrics are kept.
    quiet : whether nothing is said by what is made of the captures.

    Raises
    ------
    TokvizError : one line that says what was expected, what came and what to do.

    Examples
    --------
    >>> import numpy as np, tokviz
    >>> states = np.random.default_rng(0).normal(size=(3, 4, 16))
    >>> study = tokviz.from_arrays(states, {"colors": ["red", "blue"], "months": ["May", "June"]}, name="Noise")
    >>> study["Noise"]["given"].measure().spread.mean_norm.shape
    (3,)
    """
    cache = arguments.path("cache", cache)
    arguments.require_order(words)
    contexts = dict(states) if isinstance(states, Mapping) else {"given": states}
    if not contexts:
        raise TokvizError("states: expected the states of at least one context, got none")
    if unnamed := [each for each in contexts if not isinstance(each, str)]:
        raise TokvizError(
            f"states: expected names of contexts, and the states of each, got {shown(unnamed[0])} as a name"
        )
    if templates := [each for each in contexts if "{word}" in each]:
        raise TokvizError(f"states: expected names of contexts without {{word}}, got {shown(templates[0])} as a name")
    arrays = {context: _depths(each, context) for context, each in contexts.items()}
    paths = None if module_paths is None else _checked_paths(module_paths)
    config = _config(words, list(contexts), name, _digest(arrays, paths))
    options = Options(base=config.file.parent, output=Path("site"), cache=cache, draws=False, forms=FORMS[:1])
    places.check_cache(config, options)
    store = Store(options.cache)
    context_list = config.context_list
    for context, depths in zip(context_list, arrays.values(), strict=True):
        _check(depths, context.name, len(config.word_list.words), paths)
    for context, depths in zip(context_list, arrays.values(), strict=True):
        _store(store, config, context, depths, paths)
    entries.mark(options.cache)
    prune.note_use(store, config, options, prune.place_of(config, options))
    return Study(Plan(config, options, store), quiet=quiet)


def _depths(states: Any, context: str) -> list[np.ndarray]:
    """Per depth ``(n_words, width)`` float32."""
    kind = type(states).__name__
    if hasattr(states, "columns"):
        raise TokvizError(
            f"states, {context}: expected the states of each depth, got one {kind}; pass a list of them, one per depth"
        )
    if isinstance(states, str | Path):
        states = _from_file(expanded(states))
    try:
        given = [
            np.asarray(_unmasked(_on_cpu(depth), f"states, {context}, depth {index}"))
            for index, depth in enumerate(states)
        ]
        for depth in given:
            if what := _NO_NUMBERS.get(depth.dtype.kind):
                raise TokvizError(f"states, {context}: expected arrays of numbers, got {kind}: {what}")
        with np.errstate(over="ignore"):
            found = [depth.astype(np.float32) for depth in given]
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise TokvizError(f"states, {context}: expected arrays of numbers, got {kind}: {error_line(error)}") from error
    if not found:
        raise TokvizError(f"states, {context}: expected at least one depth, got none")
    for index, (depth, narrow) in enumerate(zip(given, found, strict=True)):
        _require_held(depth, narrow, f"states, {context}, depth {index}")
    return found


def _unmasked(depth: Any, where: str) -> Any:
    """What is masked is no state, whatever stands below the mask."""
    rows = depth if isinstance(depth, list | tuple | np.ma.MaskedArray) else ()
    row = next((index for index, each in enumerate(rows) if np.ma.is_masked(each)), None)
    if row is not None:
        raise TokvizError(
            f"{where}: expected a state for each word, got masked values in row {row}; leave this word out, or fill them"
        )
    return depth


_NO_NUMBERS = {"c": "complex numbers", "U": "text", "S": "text", "M": "dates", "m": "times"}
"""Kinds of NumPy that it makes numbers of, though they are none that states may be."""


def _require_held(given: np.ndarray, narrow: np.ndarray, where: str) -> None:
    overflown = np.argwhere(np.isinf(narrow))
    for place in overflown:
        value = float(given[tuple(place)])
        if np.isfinite(value):
            raise TokvizError(
                f"{where}: expected numbers that float32 holds, up to {np.finfo(np.float32).max:.2g}, got {value:.3g} in row "
                f"{place[0]}"
            )
    if given.any() and not narrow.any():
        least, most = np.finfo(np.float32).smallest_subnormal, float(np.abs(given).max())
        raise TokvizError(
            f"{where}: expected numbers that float32 holds, from {least:.2g}, got {most:.3g} as the largest |x|; multiply all "
            "depths by one number"
        )
    if narrow.ndim == 2 and (narrow == narrow[:1]).all() and (given != given[:1]).any():
        raise TokvizError(
            f"{where}: expected words whose states differ in float32, which holds about 7 digits, got differences that are "
            "smaller; subtract the words' mean"
        )


def _from_file(file: Path) -> list[np.ndarray]:
    from safetensors import SafetensorError, deserialize, safe_open

    try:
        with safe_open(file, framework="numpy") as tensors:
            dtypes = {name: tensors.get_slice(name).get_dtype() for name in sorted(tensors.keys(), key=_natural)}
            for name, dtype in dtypes.items():
                if dtype not in (*_OF_FILES, _BFLOAT16):
                    raise TokvizError(
                        f"{path_in_line(file)}, {name}: expected float32, float64, float16, bfloat16 or integers, got {dtype}; convert it"
                    )
            # NumPy doesn't know bfloat16, so that these are read as bytes.
            with_bytes = _BFLOAT16 in dtypes.values()
            raw = dict(deserialize(file.read_bytes())) if with_bytes else {}  # type: ignore[no-untyped-call]  # safetensors
            return [
                _widened(raw[name]) if dtype == _BFLOAT16 else tensors.get_tensor(name)
                for name, dtype in dtypes.items()
            ]
    except (OSError, SafetensorError) as error:
        raise TokvizError(
            f"{path_in_line(file)}: expected a safetensors file with a tensor per depth: {with_short_paths(one_line(str(error)))}"
        ) from error


_BFLOAT16 = "BF16"
_OF_FILES = ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")
"""Types of safetensors that NumPy has, too."""


def _widened(tensor: Mapping[str, Any]) -> np.ndarray:
    """float32 of bfloat16, which is its upper half."""
    return (
        (np.frombuffer(tensor["data"], dtype="<u2").astype(np.uint32) << 16).view(np.float32).reshape(tensor["shape"])
    )


def _natural(name: str) -> tuple[list[int], str]:
    """``embedding`` before ``layer.2``, and that before ``layer.10``."""
    return [int(number) for number in re.findall(r"[0-9]+", name)], name


def _on_cpu(depth: Any) -> Any:
    """A tensor of torch as NumPy takes it: bfloat16 isn't known there."""
    if not hasattr(depth, "detach"):
        return depth
    tensor = depth.detach().cpu()
    return (tensor if tensor.is_complex() or tensor.element_size() > _LARGEST else tensor.float()).numpy()


_LARGEST = 4
"""Bytes of a number that float32 takes as it is."""


def _digest(arrays: Mapping[str, Sequence[np.ndarray]], module_paths: Sequence[str] | None) -> str:
    digest = hashlib.sha256(json.dumps(module_paths).encode())
    for context, depths in arrays.items():
        digest.update(json.dumps([context, len(depths)]).encode())
        for depth in depths:
            digest.update(f"{depth.shape}".encode())
            digest.update(np.ascontiguousarray(depth).data)
    return digest.hexdigest()[:16]


def _config(words: Any, contexts: Sequence[str], name: str, digest: str) -> ReportConfig:
    values: dict[str, Any] = {
        "models": [{"source": f"{GIVEN}{digest}", "name": name}],
        "words": arguments.words(words),
        # Contexts must differ in their templates; what stood around the words is not known.
        "contexts": [{"name": context, "template": f"{{word}} ({context})"} for context in contexts],
        "interventions": "off",
    }
    return configuration.validated(values, Path(os.curdir) / f"from_arrays({digest[:8]})")


def _checked_paths(module_paths: Any) -> tuple[str, ...]:
    """They stand on pages and in the names of files."""
    paths = tuple(module_paths) if isinstance(module_paths, list | tuple) else (module_paths,)
    for path in paths:
        if not isinstance(path, str) or not _MODULE_PATH.fullmatch(path) or paths.count(path) > 1:
            raise TokvizError(
                f"module_paths: expected a list of different names such as model.layers.0, of letters, digits, dots and _, got {path!r}"
            )
    return paths


def _check(depths: Sequence[np.ndarray], context: str, n_words: int, module_paths: Sequence[str] | None) -> None:
    for depth, states in enumerate(depths):
        where = f"states, {context}, depth {depth}"
        if states.ndim != 2 or len(states) != n_words or not states.shape[1]:
            raise TokvizError(f"{where}: expected shape ({n_words}, width), a row for each word, got {states.shape}")
        if not np.isfinite(states).all():
            row = int(np.flatnonzero(~np.isfinite(states).all(axis=1))[0])
            raise TokvizError(f"{where}: expected finite numbers, got NaN or infinity in row {row}")
    if module_paths is not None and len(module_paths) != len(depths):
        raise TokvizError(f"module_paths: expected {len(depths)}, one per depth, got {len(module_paths)}")


def _store(
    store: Store,
    config: ReportConfig,
    context: Context,
    depths: Sequence[np.ndarray],
    module_paths: Sequence[str] | None,
) -> None:
    """Under the key at which a report looks for them."""
    model, words = config.models[0], config.word_list
    key = keys.states_key(model, context, words, str(config.read), config.n_depths)
    n_depths, n_words, widths = len(depths), len(words.words), tuple(depth.shape[1] for depth in depths)
    card = ModelCard(
        source="numbers",
        identity=model.source.removeprefix(GIVEN),
        revision=None,
        architecture=NOT_KNOWN,
        model_type="",
        n_layers=n_depths - 1,
        width=depths[-1].shape[1],
        embedding_width=depths[0].shape[1],
        widths=widths if len({*widths[1:]}) > 1 else (),
        n_parameters=None,
        vocabulary_size=None,
        dtype=NOT_KNOWN,
        checkpoint_dtype=NOT_KNOWN,
        quantization=None,
        tokenizer=NOT_KNOWN,
        notes=(NOTE,),
    )
    if (found := store.find_states(key)) is not None and found.card == card:
        return
    description = CaptureDescription(
        card=card,
        context=context,
        tokenization=Tokenization(
            words=tuple(
                TokenizedWord(word=word, text=word, ids=(), pieces=(), start=0, stop=0) for word in words.words
            ),
            read=str(config.read),
        ),
        module_paths=tuple(module_paths or (depth_name(depth).replace(" ", ".") for depth in range(n_depths))),
        captured_at=now(os.environ.get("SOURCE_DATE_EPOCH")),
        batch_check=None,
    )
    with store.states_writer(key, description) as writer:
        writer.add(
            CapturedBatch(
                rows=np.arange(n_words),
                states=tuple(depths),
                # What stood at position 0 is not known.
                position0_values=np.full((n_depths, n_words, N_EXTREMES), np.nan, dtype=np.float32),
                position0_dimensions=np.zeros((n_depths, n_words, N_EXTREMES), dtype=np.int32),
            )
        )
