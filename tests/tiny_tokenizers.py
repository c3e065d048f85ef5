"""Small tokenizers of the kinds that models have; their vocabularies are written down.

Training would order them differently in every process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

TEXT = [
    "The word is cat. James Mary January firefighter Tuesday seven",
    "a doctor and a nurse in Paris, Tokyo or Oslo; the nurse is in February",
    "the the the is is word word cat cats catalogue Montréal naïve",
]


def byte_level(**options: Any) -> PreTrainedTokenizerFast:
    """Byte-level BPE as in GPT-2, Qwen and SmolLM: a leading space is ``Ġ``, an emoji becomes bytes, no BOS.

    Each word of ``TEXT`` is one token with its space, a short one also without.
    """
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    spaced = [word for line in TEXT for word, _ in split.pre_tokenize_str(line)]
    words = [*spaced, *(word[1:] for word in spaced if word.startswith("Ġ") and len(word) <= 5)]
    # From left to right; a pair that comes earlier is merged earlier.
    merges = {(word[:end], word[end]): None for word in words for end in range(1, len(word))}
    pieces = ["<end>", *sorted(split.alphabet()), *("".join(pair) for pair in merges)]
    raw = tokenizers.Tokenizer(models.BPE(vocab=numbered(pieces), merges=list(merges)))
    raw.pre_tokenizer = split
    raw.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<end>", **options)


def byte_level_bos() -> PreTrainedTokenizerFast:
    """As byte_level, with a BOS (OPT)."""
    tokenizer = byte_level(bos_token="<end>")
    raw = tokenizer.backend_tokenizer
    raw.post_processor = processors.TemplateProcessing(single="<end> $A", special_tokens=[("<end>", 0)])
    return tokenizer


def whole_words(words: Iterable[str]) -> PreTrainedTokenizerFast:
    """A token for each of ``words``, in their order, and none before the first of a text."""
    pieces = ["<pad>", "<end>", "<unk>", "The", "word", "is", *words]
    raw = tokenizers.Tokenizer(models.WordLevel(vocab=numbered(pieces), unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<end>", unk_token="<unk>")


def metaspace(*, bos: bool, eos: bool, prepend: bool = False) -> PreTrainedTokenizerFast:
    """Unigram over ``▁`` as in Gemma (BOS), Llama 2 (BOS and an added space) and T5 (a closing token).

    The short words of ``TEXT`` are tokens; long ones are split into characters.
    """
    special = ["<pad>", "</s>", "<s>", "<unk>"]
    words = {f"▁{word}": None for word in re.findall(r"\w+", " ".join(TEXT)) if len(word) <= 4}
    scores = dict.fromkeys(special, 0.0) | dict.fromkeys(["▁", *_characters()], -9.0) | dict.fromkeys(words, -5.0)
    raw = tokenizers.Tokenizer(models.Unigram(list(scores.items()), unk_id=special.index("<unk>")))
    raw.add_special_tokens(special)
    steps = [normalizers.Prepend("▁")] if prepend else []
    raw.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    raw.pre_tokenizer = pre_tokenizers.Split("▁", behavior="merged_with_next")
    raw.decoder = decoders.Metaspace()
    template = " ".join([*(["<s>"] if bos else []), "$A", *(["</s>"] if eos else [])])
    raw.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[(name, raw.token_to_id(name)) for name in ("<s>", "</s>")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>"
    )


def word_piece(*, lowercase: bool) -> PreTrainedTokenizerFast:
    """WordPiece between ``[CLS]`` and ``[SEP]`` as in BERT; it drops the leading space.

    Each word of ``TEXT`` is one token; others are split into characters.
    """
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    characters = [normalizer.normalize_str(character) for character in _characters()]
    words = re.findall(r"\w+", normalizer.normalize_str(" ".join(TEXT)))
    pieces = dict.fromkeys([*special, *characters, *(f"##{character}" for character in characters), *words])
    raw = tokenizers.Tokenizer(models.WordPiece(vocab=numbered(pieces), unk_token="[UNK]"))
    raw.add_special_tokens(special)
    raw.normalizer = normalizer
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, raw.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]"
    )


def numbered(pieces: Iterable[str]) -> dict[str, int]:
    """A vocabulary: each piece with its index as its id."""
    return {piece: index for index, piece in enumerate(pieces)}


def _characters() -> list[str]:
    return sorted(set("".join(TEXT)) - {" "})


def gemma_tokenizer() -> PreTrainedTokenizerFast:
    return metaspace(bos=True, eos=False)


def llama_tokenizer() -> PreTrainedTokenizerFast:
    return metaspace(bos=True, eos=False, prepend=True)


def t5_tokenizer() -> PreTrainedTokenizerFast:
    return metaspace(bos=False, eos=True)


def uncased() -> PreTrainedTokenizerFast:
    return word_piece(lowercase=True)


def cased() -> PreTrainedTokenizerFast:
    return word_piece(lowercase=False)
