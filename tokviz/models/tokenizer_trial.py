"""A tokenizer's first reading, in a process of its own: some files end the process that reads with them, or take all of its memory.

That process has the library of tokenizers alone, without torch: it takes a tenth of a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokviz.errors import SourceError
from tokviz.text import counted

MOST_BYTES = 2 << 30
"""Of memory for the tokenizer and what it makes of the texts: half of what there is where the model is loaded."""
MOST_SECONDS = 120
"""Of a processor; of the clock ten times as many, as others may have the processors."""
MOST_PER_BYTE, MOST_ADDED = 8, 1000
"""Tokens of one text: a tokenizer without a vocabulary has one of each byte, and some of its own around it."""
TRIAL = """
import json, sys
given = json.load(sys.stdin)
sys.path[:] = given["path"]
try:
    import resource
    for limit, most in ((resource.RLIMIT_AS, given["bytes"]), (resource.RLIMIT_CPU, given["seconds"])):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (most if hard < 0 else min(most, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, ValueError, OSError):
    pass  # Windows and macOS have not all of these limits
from tokenizers import Tokenizer
try:
    tokenizer = Tokenizer.from_file(given["file"])
    tokenizer.no_truncation()  # as it is read with
    tokenizer.no_padding()
    lengths = [(len(tokenizer.encode(text).ids), len(text.encode(errors="replace"))) for text in given["texts"]]
    for token in range(tokenizer.get_vocab_size() if given["decodes"] else 0):
        tokenizer.decode([token])
    print(max((n for n, size in lengths if n > given["per_byte"] * size + given["added"]), default=0))
except Exception:
    print(0)  # said where it is loaded
"""
"""The program of that process."""


def try_tokenizer(folder: Path, texts: Sequence[str], where: str, *, decodes: bool = False) -> None:
    """Have the ``tokenizer.json`` of a folder read some texts, if there is one, and write each of its tokens, if that is asked for.

    Parameters
    ----------
    where : begins the message.

    Raises
    ------
    SourceError : the process that read them has ended, or one of them became far too many tokens.
    """
    file = folder / "tokenizer.json"
    if not file.is_file():
        return
    given = {
        "path": sys.path,
        "file": str(file),
        "texts": ["a", *dict.fromkeys(texts)],
        "decodes": decodes,
        "bytes": MOST_BYTES,
        "seconds": MOST_SECONDS,
        "per_byte": MOST_PER_BYTE,
        "added": MOST_ADDED,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", TRIAL],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=10 * MOST_SECONDS,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SourceError(_refusal(where, f"took more than {10 * MOST_SECONDS:,} seconds")) from None
    if done.returncode:
        raise SourceError(_refusal(where, _ended(done)))
    n_tokens = int(done.stdout.split()[-1])
    if n_tokens:
        raise SourceError(_refusal(where, f"made {counted(n_tokens, 'token')} of one of them"))


def refuse_too_many(where: str, read: Iterable[tuple[str, int]]) -> None:
    """Refuse a tokenizer of any kind that makes far too many tokens of a text; the forward pass would have no end.

    Parameters
    ----------
    where : begins the ``SourceError``.
    read : texts, and how many tokens each has become.
    """
    for text, n_tokens in read:
        if n_tokens > MOST_PER_BYTE * len(text.encode(errors="replace")) + MOST_ADDED:
            raise SourceError(
                f"{where}: expected at most {MOST_PER_BYTE} tokens of a byte of text, got {n_tokens:,} of {len(text):,} characters; fetch "
                "the tokenizer's files again, or choose another model"
            )


def _refusal(where: str, found: str) -> str:
    return (
        f"{where}: expected a tokenizer.json that reads the words in seconds, in less than {MOST_BYTES >> 30} GB, but the process "
        f"that tried {found}; fetch the file again, or choose another model"
    )


def _ended(done: subprocess.CompletedProcess[str]) -> str:
    return (
        f"was ended by signal {-done.returncode}" if done.returncode < 0 else f"failed with exit code {done.returncode}"
    )
