"""Word × context → token ids, and which of them are the word's.

The word's tokens are found by their character offsets, never by counting from the end: encoders close a sequence with
a token of their own, and a template may go on after the word.
"""

from __future__ import annotations

from typing import Any

from tokviz.errors import CaptureError, ModelError
from tokviz.records import Context, Tokenization, TokenizedWord

_SPACE_MARKS = "▁Ġ"
"""How SentencePiece and byte-level tokenizers write a space in a token's name."""


def tokenize(tokenizer: Any, words: tuple[str, ...], context: Context, read: str) -> Tokenization:
    """Cut every word, in its context, as the tokenizer does by default, special tokens included.

    A token belongs to the word when its span of characters overlaps the word's: a leading space inside it is fine,
    all the tokens of a character cut into bytes count, and special tokens, whose spans are empty, don't.

    Parameters
    ----------
    tokenizer : a transformers tokenizer that gives offsets.
    words : unique words; the result has them in this order.
    read : ``last``, ``first`` or ``mean``, see ``Tokenization``.

    Raises
    ------
    ModelError : the tokenizer gives no offsets.
    CaptureError : a word has no token in this context.
    """
    if not tokenizer.is_fast:
        raise ModelError(
            f"{type(tokenizer).__name__}: expected a tokenizer that gives character offsets (a tokenizer.json), got one"
            " without; save the model's fast tokenizer beside the weights"
        )
    filled = [context.fill(word) for word in words]
    encoded = tokenizer([text for text, _, _ in filled], return_offsets_mapping=True)
    tokenized = tuple(
        _tokenized_word(tokenizer, word, context, text, (start, end), ids, offsets)
        for word, (text, start, end), ids, offsets in zip(
            words, filled, encoded["input_ids"], encoded["offset_mapping"], strict=True
        )
    )
    return Tokenization(words=tokenized, read=read, notes=_notes(tokenizer, tokenized, context))


def _tokenized_word(
    tokenizer: Any,
    word: str,
    context: Context,
    text: str,
    span: tuple[int, int],
    ids: list[int],
    offsets: list[tuple[int, int]],
) -> TokenizedWord:
    start, end = span
    inside = [i for i, (first, last) in enumerate(offsets) if first < last and first < end and last > start]
    if not inside:
        raise CaptureError(
            f"word {word!r} in context {context.name!r}: expected at least one token in {text!r}, got none from "
            f"{type(tokenizer).__name__}; remove the word or change the template"
        )
    return TokenizedWord(
        word=word,
        text=text,
        ids=tuple(ids),
        pieces=tuple(tokenizer.convert_ids_to_tokens(ids)),
        start=inside[0],
        stop=inside[-1] + 1,
    )


# --- what a reader must know -------------------------------------------------------------------------------------


def _notes(tokenizer: Any, words: tuple[TokenizedWord, ...], context: Context) -> tuple[str, ...]:
    notes = (
        _added_before(tokenizer, words[0]),
        _added_space(tokenizer, words),
        _folded_case(tokenizer, words, context),
        _unknown(tokenizer, words),
    )
    return tuple(note for note in notes if note)


def _added_before(tokenizer: Any, word: TokenizedWord) -> str | None:
    # A setting such as ``add_bos_token`` doesn't tell what is really added; the ids do.
    n_before = _n_before(word, tokenizer(word.text, add_special_tokens=False)["input_ids"])
    if not n_before:
        return None
    names = " ".join(word.pieces[:n_before])
    return f"The tokenizer puts {names} before the text, so position 0 is that token and not the word."


def _n_before(word: TokenizedWord, plain: list[int]) -> int:
    """How many special tokens stand before the text."""
    last = len(word.ids) - len(plain)
    return next((n for n in range(last + 1) if list(word.ids[n : n + len(plain)]) == plain), 0)


def _added_space(tokenizer: Any, words: tuple[TokenizedWord, ...]) -> str | None:
    special = set(tokenizer.all_special_tokens)
    for word in words:
        name = "".join(piece for piece in word.pieces if piece not in special)
        n_marks = len(name) - len(name.lstrip(_SPACE_MARKS))
        if n_marks > len(word.text) - len(word.text.lstrip(" ")):
            return f"The tokenizer adds a space of its own before the text: {word.text!r} begins with {name[:24]}."
    return None


def _folded_case(tokenizer: Any, words: tuple[TokenizedWord, ...], context: Context) -> str | None:
    cased = next((word for word in words if word.word != word.word.lower()), None)
    if cased is None:
        return None
    lower, _, _ = context.fill(cased.word.lower())
    if tuple(tokenizer(lower)["input_ids"]) != cased.ids:
        return None
    return f"The tokenizer ignores case: it reads {cased.word} as {cased.word.lower()}."


def _unknown(tokenizer: Any, words: tuple[TokenizedWord, ...]) -> str | None:
    unknown = tokenizer.unk_token_id
    names = [word.word for word in words if unknown in word.ids[word.start : word.stop]]
    if not names:
        return None
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"The tokenizer knows no token for a part of: {', '.join(names[:5])}{more}; it reads {tokenizer.unk_token}."
