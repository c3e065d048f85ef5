"""Word × context → token ids, and which of them are the word's.

The word's tokens are found by their character offsets, never by counting from the end: encoders end a sequence with a
special token, and a template may have text after the word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tokviz.errors import CaptureError, ModelError
from tokviz.records import Context, Tokenization, TokenizedWord, WordList
from tokviz.text import counted, error_line, isolated

_LONGEST_NAME = 1_000
"""Characters of what a token decodes to, and of its name."""
_MOST_ON_AVERAGE, _MOST_BESIDES = 20, 20_000
"""Characters of all that the tokens of a text, or of a vocabulary, are called: per character or token, and besides."""
_SPACE_MARKS = "▁Ġ"
"""How SentencePiece and byte-level tokenizers write a space in a token's name."""


def tokenize(tokenizer: Any, words: tuple[str, ...], context: Context, read: str) -> Tokenization:
    """Tokenize every word in its context as the tokenizer does by default, with special tokens.

    A token belongs to the word when its span of characters overlaps the word's: it may begin with the space before the
    word, all tokens of a character that is split into bytes count. Special tokens, whose spans are empty, don't, nor
    does a token that is only the space before the word.

    Parameters
    ----------
    tokenizer : a transformers tokenizer that gives offsets.
    words : unique words; the result keeps their order.
    read : ``last``, ``first``, ``mean`` or an index in the text, see ``Tokenization``.

    Raises
    ------
    ModelError : the tokenizer gives no offsets, or fails.
    CaptureError : a word has no token in this context, or its text none at the index.
    """
    if not tokenizer.is_fast:
        raise ModelError(
            f"{type(tokenizer).__name__}: expected a tokenizer that gives character offsets (a tokenizer.json), got one"
            " without; save the model's fast tokenizer beside the weights"
        )
    placed = [_PlacedWord.of(word, context) for word in words]
    try:
        encoded = tokenizer([each.text for each in placed], return_offsets_mapping=True)
    except Exception as error:  # tokenizers raises nothing narrower
        raise ModelError(
            f"{type(tokenizer).__name__}: expected tokens of every text in context {context.name!r}, got {error_line(error)}; "
            "check that the tokenizer's files belong together"
        ) from error
    tokenized = tuple(
        _tokenized_word(tokenizer, context, each, ids, offsets)
        for each, ids, offsets in zip(placed, encoded["input_ids"], encoded["offset_mapping"], strict=True)
    )
    found = Tokenization(words=tokenized, read=read, notes=_notes(tokenizer, tokenized, context))
    if found.index is not None:
        said = f"Of each text the token at {read.replace('-', '−')} is read, special tokens included, and not the word’s own."
        found = replace(found, notes=(said, *found.notes))
    for each in () if found.index is None else tokenized:
        if not -len(each.ids) <= int(read) < len(each.ids):
            raise CaptureError(
                f"word {each.word!r} in context {context.name!r}: expected a token at the index {read} to be read, got a text of "
                f"{counted(len(each.ids), 'token')}, {each.text!r}; give another index, or remove the word"
            )
    return found


def texts_read(words: WordList, context: Context) -> list[str]:
    """What a tokenizer is given to tokenize words in a context, and to find out whether it ignores case."""
    if words.vocabulary is not None:
        return context.template.split("{word}")
    return [context.fill(form)[0] for word in words.words for form in (word, word.lower())]


@dataclass(frozen=True, kw_only=True)
class _PlacedWord:
    """A word in its context."""

    word: str
    text: str
    start: int
    """Index in ``text`` of the word's first character."""
    stop: int
    """One past its last character."""

    @classmethod
    def of(cls, word: str, context: Context) -> _PlacedWord:
        text, start, stop = context.fill(word)
        return cls(word=word, text=text, start=start, stop=stop)

    def overlaps(self, first: int, last: int) -> bool:
        """Whether a token that spans the characters from ``first`` to before ``last`` belongs to the word."""
        return first < last and first < self.stop and last > self.start


def _tokenized_word(
    tokenizer: Any, context: Context, placed: _PlacedWord, ids: list[int], offsets: list[tuple[int, int]]
) -> TokenizedWord:
    inside = [index for index, (first, last) in enumerate(offsets) if placed.overlaps(first, last)]
    if not inside:
        raise CaptureError(
            f"word {placed.word!r} in context {context.name!r}: expected at least one token in {placed.text!r}, got none "
            f"from {type(tokenizer).__name__}; remove the word or change the template"
        )
    pieces = _pieces(tokenizer, ids, len(placed.text.encode(errors="replace")))
    return TokenizedWord(
        word=placed.word,
        text=placed.text,
        ids=tuple(ids),
        pieces=pieces,
        start=_after_spaces(pieces, inside[0], inside[-1], placed.word),
        stop=inside[-1] + 1,
    )


def _pieces(tokenizer: Any, ids: Sequence[int], n_expected: int = 0) -> tuple[str, ...]:
    """The tokens' names; raises ``ModelError`` where the tokenizer adds one that it doesn't have, or names are too long.

    ``n_expected``: characters that they stand for.
    """
    pieces = tuple(tokenizer.convert_ids_to_tokens(list(ids)))
    _refuse_long(tokenizer, pieces, n_expected)
    if None in pieces:
        raise ModelError(
            f"{type(tokenizer).__name__}: expected tokens of its vocabulary, got the id {ids[pieces.index(None)]:,}, which it doesn't "
            "have; check that the tokenizer's files belong together"
        )
    return pieces


def _refuse_long(tokenizer: Any, texts: Sequence[str | None], n_expected: int) -> None:
    """Refuse what no token is called, or decodes to: it stands on pages once for each word, and in pictures.

    ``n_expected``: of how many characters or tokens these are.
    """
    lengths = [len(text or "") for text in texts]
    found, most = max(lengths, default=0), _LONGEST_NAME
    if found <= most:
        found, most = sum(lengths), _MOST_ON_AVERAGE * n_expected + _MOST_BESIDES
    if found > most:
        raise ModelError(
            f"{type(tokenizer).__name__}: expected names and texts of tokens of at most {most:,} characters, got {found:,}; check that the "
            "tokenizer's files belong together"
        )


def _after_spaces(pieces: tuple[str, ...], first: int, last: int, word: str) -> int:
    """The index of the word's first token that is not a space alone.

    Tokenizers that put a space before a word by themselves give it the offsets of the word's first character.
    """
    while first < last and not pieces[first].strip(_SPACE_MARKS) and not word.startswith(tuple(_SPACE_MARKS)):
        first += 1
    return first


# --- whole vocabularies ------------------------------------------------------------------------------------------


def tokenize_vocabulary(tokenizer: Any, context: Context, read: str) -> Tokenization:
    """Make every token that decodes to text of its own a word, fed as exactly that token, in the order of ids.

    The context is put around it as token ids: the template's text before the word without the space at its end, which
    most tokens carry themselves; the token; the text after it; and what the tokenizer adds to every text. Left out are
    special tokens, parts of characters (bytes), blanks, and a token with the same text as an earlier one.

    Parameters
    ----------
    tokenizer, context, read : as for ``tokenize``.

    Raises
    ------
    ModelError : no token decodes to text.
    """
    token_of = _tokens_with_text(tokenizer)
    if not token_of:
        raise ModelError(f"{type(tokenizer).__name__}: expected tokens that decode to text, got none")
    around = _Surroundings.of(tokenizer, context)
    pieces = tokenizer.convert_ids_to_tokens(list(token_of.values()))
    for texts in (pieces, list(token_of)):
        _refuse_long(tokenizer, texts, len(texts))
    words = tuple(around.put(text, token, piece) for (text, token), piece in zip(token_of.items(), pieces, strict=True))
    left_out = len(tokenizer) - len(words)
    notes = [
        f"Every token that decodes to text of its own is a word; {left_out:,} of {len(tokenizer):,} tokens do not."
    ]
    if around.n_special_before:
        notes.append(_something_before(around.head_pieces[: around.n_special_before]))
    return Tokenization(words=words, read=read, notes=tuple(notes))


@dataclass(frozen=True, kw_only=True)
class _Surroundings:
    """A context as token ids, to be put around a token."""

    before: str
    after: str
    head: tuple[int, ...]
    tail: tuple[int, ...]
    head_pieces: tuple[str, ...]
    tail_pieces: tuple[str, ...]
    n_special_before: int
    """How many tokens of ``head`` the tokenizer puts before every text."""

    @classmethod
    def of(cls, tokenizer: Any, context: Context) -> _Surroundings:
        opening, closing = special_around(tokenizer)
        before, after = context.template.split("{word}")
        before = before.rstrip(" ")
        head = (*opening, *tokenizer(before, add_special_tokens=False)["input_ids"])
        tail = (*_following(tokenizer, after), *closing)
        return cls(
            before=before,
            after=after,
            head=head,
            tail=tail,
            head_pieces=_pieces(tokenizer, head),
            tail_pieces=_pieces(tokenizer, tail),
            n_special_before=len(opening),
        )

    def put(self, text: str, token: int, piece: str) -> TokenizedWord:
        """Put the context around one token; ``piece`` is the tokenizer's name of it."""
        return TokenizedWord(
            word=text,
            text=f"{self.before}{text}{self.after}",
            ids=(*self.head, token, *self.tail),
            pieces=(*self.head_pieces, piece, *self.tail_pieces),
            start=len(self.head),
            stop=len(self.head) + 1,
        )


def _tokens_with_text(tokenizer: Any) -> dict[str, int]:
    """Text → the first token that decodes to it, in the order of ids."""
    special = set(tokenizer.all_special_ids)
    token_of: dict[str, int] = {}
    for token in range(len(tokenizer)):
        text = "" if token in special else _text_of(tokenizer, token)
        if len(text) > _LONGEST_NAME:
            raise ModelError(
                f"{type(tokenizer).__name__}: expected tokens that decode to at most {_LONGEST_NAME:,} characters, got {len(text):,} of the "
                f"token {token:,}; check that the tokenizer's files belong together"
            )
        if text.strip() and "\N{REPLACEMENT CHARACTER}" not in text and text.isprintable():
            token_of.setdefault(text, token)
    return token_of


def _text_of(tokenizer: Any, token: int) -> str:
    """A token's text, with its leading space also where decoding drops that."""
    text = str(tokenizer.decode([token], clean_up_tokenization_spaces=False))
    starts_with_space = str(tokenizer.convert_ids_to_tokens(token)).startswith(tuple(_SPACE_MARKS))
    return f" {text}" if starts_with_space and not text.startswith(" ") else text


def _following(tokenizer: Any, after: str) -> list[int]:
    """The tokens of the text after a word, without the space that some tokenizers add at the beginning of a text."""
    start, whole = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("a", f"a{after}"))
    follows = whole[: len(start)] == start
    return list(whole[len(start) :] if follows else tokenizer(after, add_special_tokens=False)["input_ids"])


def special_around(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The special tokens that the tokenizer adds before and after every text."""
    whole, plain = (tokenizer("a", add_special_tokens=added)["input_ids"] for added in (True, False))
    for n_before in range(len(whole) - len(plain) + 1):
        if whole[n_before : n_before + len(plain)] == plain:
            return tuple(whole[:n_before]), tuple(whole[n_before + len(plain) :])
    return (), ()


# --- notes for the reader ----------------------------------------------------------------------------------------


def _notes(tokenizer: Any, words: tuple[TokenizedWord, ...], context: Context) -> tuple[str, ...]:
    notes = (
        _added_before(tokenizer, words[0]),
        _added_space(tokenizer, words),
        _folded_case(tokenizer, words, context),
        _unknown(tokenizer, words),
    )
    return tuple(note for note in notes if note)


def _added_before(tokenizer: Any, word: TokenizedWord) -> str | None:
    # Settings such as ``add_bos_token`` don't show what is really added; the ids do.
    n_before = _n_before(word, tokenizer(word.text, add_special_tokens=False)["input_ids"])
    return _something_before(word.pieces[:n_before]) if n_before else None


def _something_before(pieces: tuple[str, ...]) -> str:
    return f"The tokenizer puts {' '.join(map(isolated, pieces))} before the text, so position 0 is that token and not the word."


def _n_before(word: TokenizedWord, plain: list[int]) -> int:
    """How many special tokens come before the text."""
    last = len(word.ids) - len(plain)
    return next((n for n in range(last + 1) if list(word.ids[n : n + len(plain)]) == plain), 0)


def _added_space(tokenizer: Any, words: tuple[TokenizedWord, ...]) -> str | None:
    special = set(tokenizer.all_special_tokens)
    for word in words:
        name = "".join(piece for piece in word.pieces if piece not in special)
        text = word.text
        for piece in special.intersection(word.pieces):  # a template may hold some itself
            text = text.replace(piece, "")
        n_marks = len(name) - len(name.lstrip(_SPACE_MARKS))
        if n_marks > len(text) - len(text.lstrip(" ")):
            return f"The tokenizer adds a space of its own before the text: {text!r} begins with {name[:24]}."
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
    names = [word.word for word in words if unknown in word.word_ids]
    if not names:
        return None
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"The tokenizer knows no token for a part of: {', '.join(names[:5])}{more}; it reads {isolated(tokenizer.unk_token)}."
