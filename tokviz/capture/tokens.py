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


def tokenize_vocabulary(tokenizer: Any, context: Context, read: str) -> Tokenization:
    """Every token that decodes to text of its own, as a word that is fed as exactly that token, in the order of ids.

    The context is put around it as token ids: the template's text before the word without the space at its end, which
    most tokens carry themselves, the token, the text after it, and what the tokenizer adds to every text. Left out are
    special tokens, parts of characters (bytes), blanks, and a token whose text an earlier one has too.

    Raises
    ------
    ModelError : no token decodes to text.
    """
    opening, closing = _special_around(tokenizer)
    before, after = context.template.split("{word}")
    head = (*opening, *tokenizer(before.rstrip(" "), add_special_tokens=False)["input_ids"])
    tail = (*_following(tokenizer, after), *closing)
    special = set(tokenizer.all_special_ids)
    names = tokenizer.convert_ids_to_tokens([*head, *tail])
    tokens: dict[str, int] = {}
    for token in range(len(tokenizer)):
        text = "" if token in special else _text_of(tokenizer, token)
        if text.strip() and "\N{REPLACEMENT CHARACTER}" not in text and text.isprintable():
            tokens.setdefault(text, token)
    if not tokens:
        raise ModelError(f"{type(tokenizer).__name__}: expected tokens that decode to text, got none")
    pieces = tokenizer.convert_ids_to_tokens(list(tokens.values()))
    words = tuple(
        TokenizedWord(
            word=text,
            text=f"{before.rstrip(' ')}{text}{after}",
            ids=(*head, token, *tail),
            pieces=(*names[: len(head)], piece, *names[len(head) :]),
            start=len(head),
            stop=len(head) + 1,
        )
        for (text, token), piece in zip(tokens.items(), pieces, strict=True)
    )
    left_out = len(tokenizer) - len(words)
    notes = [
        f"Every token that decodes to text of its own is a word; {left_out:,} of {len(tokenizer):,} tokens do not."
    ]
    if opening:
        notes.append(
            f"The tokenizer puts {' '.join(names[: len(opening)])} before the text, so position 0 is that token and not "
            "the word."
        )
    return Tokenization(words=words, read=read, notes=tuple(notes))


def _text_of(tokenizer: Any, token: int) -> str:
    """A token's text; its own space before it is kept where decoding drops it."""
    text = str(tokenizer.decode([token], clean_up_tokenization_spaces=False))
    starts_with_space = str(tokenizer.convert_ids_to_tokens(token)).startswith(tuple(_SPACE_MARKS))
    return f" {text}" if starts_with_space and not text.startswith(" ") else text


def _following(tokenizer: Any, after: str) -> list[int]:
    """The tokens of the text after a word; some tokenizers put a space of their own before the beginning of a text."""
    start, whole = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("a", f"a{after}"))
    follows = whole[: len(start)] == start
    return list(whole[len(start) :] if follows else tokenizer(after, add_special_tokens=False)["input_ids"])


def _special_around(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The special tokens that every text gets before and after it."""
    whole, plain = (tokenizer("a", add_special_tokens=added)["input_ids"] for added in (True, False))
    for n_before in range(len(whole) - len(plain) + 1):
        if whole[n_before : n_before + len(plain)] == plain:
            return tuple(whole[:n_before]), tuple(whole[n_before + len(plain) :])
    return (), ()


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
