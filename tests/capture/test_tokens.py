"""Which tokens are a word's: found by characters, whatever the tokenizer adds or changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tiny_tokenizers
from tokenizers import models, pre_tokenizers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from tokviz.capture.tokens import tokenize, tokenize_vocabulary
from tokviz.errors import CaptureError, ModelError
from tokviz.records import Context, TokenizedWord


def context(template: str) -> Context:
    return Context(name="here", label="here", template=template)


def read(tokenizer: PreTrainedTokenizerBase, word: str, template: str) -> TokenizedWord:
    (tokenized,) = tokenize(tokenizer, (word,), context(template), "last").words
    return tokenized


@pytest.fixture(scope="module")
def byte_level() -> PreTrainedTokenizerFast:
    return tiny_tokenizers.byte_level()


@pytest.fixture(scope="module")
def uncased() -> PreTrainedTokenizerFast:
    return tiny_tokenizers.uncased()


@pytest.fixture(scope="module")
def gemma() -> PreTrainedTokenizerFast:
    return tiny_tokenizers.gemma_tokenizer()


@pytest.fixture(scope="module")
def llama() -> PreTrainedTokenizerFast:
    return tiny_tokenizers.llama_tokenizer()


@pytest.mark.parametrize(
    ("make", "template", "word", "pieces"),
    [
        ("byte_level", " {word}", "cat", ("Ġcat",)),
        ("byte_level", "{word}", "the", ("the",)),
        ("byte_level", "The word is {word}", "word", ("Ġword",)),
        ("byte_level", "the {word}, the", "the", ("Ġthe",)),
        ("byte_level", "({word})", "cat", ("cat",)),
        ("uncased", " {word}", "cat", ("cat",)),
        ("uncased", "{word} is the word", "word", ("word",)),
        ("uncased", "The {word}.", "Naïve", ("naive",)),
        ("gemma", " {word}", "cat", ("▁cat",)),
        ("gemma", "cat or {word}", "cat", ("▁cat",)),
        ("llama", "{word}", "cat", ("▁cat",)),
        ("llama", " {word}", "cat", ("▁cat",)),
    ],
)
def test_the_word_is_found_whatever_is_around_it(
    request: pytest.FixtureRequest, make: str, template: str, word: str, pieces: tuple[str, ...]
) -> None:
    assert read(request.getfixturevalue(make), word, template).word_pieces == pieces


def test_the_occurrence_of_the_word_counts_not_that_in_the_template(byte_level: PreTrainedTokenizerFast) -> None:
    tokenized = read(byte_level, "the", "the {word} the")
    assert tokenized.pieces == ("the", "Ġthe", "Ġthe")
    assert (tokenized.start, tokenized.stop) == (1, 2)


@pytest.mark.parametrize("word", ["🙂", "東京", "👩‍🚀", "naïve", "ñandú"])
@pytest.mark.parametrize("template", [" {word}", "The word is {word} or"])
def test_all_byte_tokens_of_a_character_are_the_words(
    byte_level: PreTrainedTokenizerFast, word: str, template: str
) -> None:
    tokenized = read(byte_level, word, template)
    decoded = byte_level.decode(list(tokenized.ids[tokenized.start : tokenized.stop]))
    assert isinstance(decoded, str)
    assert decoded.strip() == word


@pytest.mark.parametrize(
    ("make", "closing"),
    [(tiny_tokenizers.uncased, "[SEP]"), (tiny_tokenizers.t5_tokenizer, "</s>"), (tiny_tokenizers.cased, "[SEP]")],
)
def test_a_closing_token_is_never_read(make: Callable[[], PreTrainedTokenizerFast], closing: str) -> None:
    tokenized = read(make(), "cat", " {word}")
    assert tokenized.pieces[-1] == closing
    assert closing not in tokenized.word_pieces


def test_ids_are_what_the_tokenizer_gives_by_itself(uncased: PreTrainedTokenizerFast) -> None:
    words = ("James", "cat", "firefighter")
    tokenization = tokenize(uncased, words, context("The {word} is"), "last")
    assert [word.word for word in tokenization.words] == list(words)
    for word in tokenization.words:
        assert list(word.ids) == uncased(word.text)["input_ids"]


@pytest.mark.parametrize(("how", "position"), [("first", 2), ("last", 4), ("mean", 4)])
def test_read_says_which_position_counts(byte_level: PreTrainedTokenizerFast, how: str, position: int) -> None:
    tokenization = tokenize(byte_level, ("Zq!",), context("the {word} is"), how)
    assert tokenization.words[0].pieces == ("the", "Ġ", "Z", "q", "!", "Ġis")
    assert tokenization.position(0) == position


def cut_at_spaces() -> PreTrainedTokenizerFast:
    """As in XLM-R and T5: a text is split at its spaces, then each part gets a ``▁``, which has the offsets of a letter."""
    tokenizer = tiny_tokenizers.metaspace(bos=True, eos=True)
    raw: Any = tokenizer.backend_tokenizer
    raw.normalizer = None
    raw.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    return tokenizer


@pytest.mark.parametrize(
    "make",
    [cut_at_spaces, tiny_tokenizers.llama_tokenizer, tiny_tokenizers.gemma_tokenizer, tiny_tokenizers.byte_level],
)
@pytest.mark.parametrize("template", ["{word}", " {word}", "The word is {word} or"])
def test_a_space_that_is_a_token_of_its_own_is_no_token_of_the_word(
    make: Callable[[], PreTrainedTokenizerFast], template: str
) -> None:
    tokenizer = make()
    for word in ("firefighter", "doctors", "nurse"):
        tokenized = read(tokenizer, word, template)
        if tokenized.word_pieces[0].startswith("Ġ"):
            continue  # one token with its space
        assert "".join(tokenized.word_pieces) == word
        assert tokenized.n_tokens > 1
        (first,) = tokenize(tokenizer, (word,), context(template), "first").words
        assert first.pieces[first.start][:1] == word[0]


def test_a_space_within_a_word_is_one_of_its_tokens() -> None:
    assert read(cut_at_spaces(), "firefighter dog", "{word}").word_pieces[-5:] == ("r", "▁", "d", "o", "g")


def test_a_word_that_is_nothing_but_a_space_mark_keeps_it() -> None:
    assert read(cut_at_spaces(), "▁", "The {word}").word_pieces[0] == "▁"


def test_a_word_without_a_token_is_named(uncased: PreTrainedTokenizerFast) -> None:
    with pytest.raises(CaptureError, match=r"word '\\u200b' in context 'here'.*expected at least one token"):
        read(uncased, "\u200b", "The word is {word}")


def test_a_tokenizer_without_offsets_is_refused() -> None:
    from transformers import ByT5Tokenizer

    with pytest.raises(ModelError, match=r"ByT5Tokenizer.*offsets"):
        read(ByT5Tokenizer(), "cat", " {word}")


def test_a_tokenizer_that_fails_is_one_line() -> None:
    tokenizer = tiny_tokenizers.metaspace(bos=True, eos=False)
    raw: Any = tokenizer.backend_tokenizer
    raw.model = models.Unigram([("a", -1.0)], unk_id=None)
    with pytest.raises(
        ModelError, match=r"expected tokens of every text in context 'here', got \w+: .*belong together"
    ):
        read(tokenizer, "cat", " {word}")


# --- notes -------------------------------------------------------------------------------------------------------


def notes(tokenizer: PreTrainedTokenizerBase, template: str, *words: str) -> str:
    return " ".join(tokenize(tokenizer, words, context(template), "last").notes)


def test_a_plain_tokenizer_needs_no_note(byte_level: PreTrainedTokenizerFast) -> None:
    assert notes(byte_level, " {word}", "cat", "James") == ""
    assert notes(byte_level, "The word is {word}", "cat", "James") == ""


def test_a_bos_is_noted(
    gemma: PreTrainedTokenizerFast, uncased: PreTrainedTokenizerFast, byte_level: PreTrainedTokenizerFast
) -> None:
    assert "puts <s> before the text, so position 0 is that token" in notes(gemma, " {word}", "cat")
    assert "puts [CLS] before" in notes(uncased, " {word}", "cat")
    assert "before" not in notes(tiny_tokenizers.t5_tokenizer(), " {word}", "cat")


@pytest.mark.parametrize("template", ["{word}", " {word}", "The word is {word}"])
def test_a_space_that_the_tokenizer_adds_is_noted(
    llama: PreTrainedTokenizerFast, gemma: PreTrainedTokenizerFast, template: str
) -> None:
    assert "adds a space of its own" in notes(llama, template, "cat")
    assert "space" not in notes(gemma, template, "cat")


@pytest.mark.parametrize("template", ["<end> {word}", " <end> {word}", "<end>{word}", "<end><end> {word}"])
def test_a_space_of_the_template_after_a_special_token_is_no_added_one(
    byte_level: PreTrainedTokenizerFast, template: str
) -> None:
    assert "space" not in notes(byte_level, template, "cat")
    assert "space" not in notes(tiny_tokenizers.byte_level_bos(), template, "cat")


def test_a_space_that_is_added_after_a_special_token_of_the_template_is_noted() -> None:
    llama = tiny_tokenizers.llama_tokenizer()
    assert "adds a space of its own before the text: 'cat' begins with ▁cat." in notes(llama, "<s>{word}", "cat")
    assert "space" not in notes(tiny_tokenizers.gemma_tokenizer(), "<s> {word}", "cat")


def test_ignored_case_is_noted(uncased: PreTrainedTokenizerFast) -> None:
    assert "ignores case: it reads James as james" in notes(uncased, " {word}", "cat", "James")
    assert "case" not in notes(uncased, " {word}", "cat")
    assert "case" not in notes(tiny_tokenizers.cased(), " {word}", "James")


def test_unknown_words_are_noted(uncased: PreTrainedTokenizerFast) -> None:
    noted = notes(uncased, " {word}", "cat", "🙂", "東")
    assert "🙂, 東; it reads [UNK]" in noted
    assert "cat" not in noted


# --- a whole vocabulary ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        tiny_tokenizers.byte_level,
        tiny_tokenizers.uncased,
        tiny_tokenizers.gemma_tokenizer,
        tiny_tokenizers.llama_tokenizer,
    ],
)
def test_every_token_that_is_text_is_fed_as_itself(make: Callable[[], PreTrainedTokenizerFast]) -> None:
    tokenizer = make()
    tokenization = tokenize_vocabulary(tokenizer, context("The word is {word} or"), "last")
    around = {(word.ids[: word.start], word.ids[word.stop :]) for word in tokenization.words}
    assert len(around) == 1
    assert {word.n_tokens for word in tokenization.words} == {1}
    assert tokenization.reference.all()
    fed = [word.ids[word.start] for word in tokenization.words]
    assert fed == sorted(set(fed))
    assert not set(fed) & set(tokenizer.all_special_ids)
    texts = [word.word for word in tokenization.words]
    assert len(set(texts)) == len(texts)
    assert all(text.strip() and text.isprintable() for text in texts)
    # A word that is one token gets the same ids as in a list of words.
    alone = read(tokenizer, "cat", "The word is {word} or")
    if alone.n_tokens == 1:
        (same,) = (word for word in tokenization.words if word.ids[word.start] == alone.ids[alone.start])
        assert same.ids == alone.ids
        assert same.word.strip() == "cat"


def test_a_token_keeps_its_space_and_parts_of_characters_are_no_words(byte_level: PreTrainedTokenizerFast) -> None:
    tokenization = tokenize_vocabulary(byte_level, context(" {word}"), "last")
    texts = {word.word: word for word in tokenization.words}
    assert {" cat", "the", " the"} <= set(texts)
    assert texts[" cat"].ids == (byte_level.convert_tokens_to_ids("Ġcat"),)
    left_out = len(byte_level) - len(texts)
    assert left_out > 100, "bytes above ASCII are parts of characters"
    assert f"{left_out:,} of {len(byte_level):,} tokens do not" in tokenization.notes[0]


def test_what_a_tokenizer_adds_before_a_text_is_also_before_a_token(gemma: PreTrainedTokenizerFast) -> None:
    tokenization = tokenize_vocabulary(gemma, context(" {word}"), "last")
    assert {word.pieces[0] for word in tokenization.words} == {"<s>"}
    assert any("position 0 is that token" in note for note in tokenization.notes)
