"""Text to token ids and back, from the files of a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE

from wavescribe.engines.qwen3.special_tokens import ASR_TEXT, AUDIO_PAD, AUDIO_START, FIRST_SPECIAL, TURN_START
from wavescribe.engines.unfinished_character import UnfinishedCharacter
from wavescribe.errors import WeightsError

WORDS: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen splits text before the byte pairs (its tokenizer.json)."""

KNOWN_IDS: Final = {
    "<|im_start|>": TURN_START,
    "<|audio_start|>": AUDIO_START,
    "<|audio_pad|>": AUDIO_PAD,
    "<asr_text>": ASR_TEXT,
}
"""Ids that this engine relies on."""

TEXTS_KNOWN: Final = 256
"""Texts whose tokens are kept by `encode_known`: the prompts of streams, which come again at each step."""


class QwenTokenizer:
    """The byte-level tokenizer of the model.

    Args:
        tokenizer: with the special tokens added.
        source: where it is from, for messages.

    Raises:
        WeightsError: the special tokens do not have the published ids.
    """

    def __init__(self, tokenizer: Tokenizer, source: str) -> None:
        self._tokenizer = tokenizer
        for content, known in KNOWN_IDS.items():
            found = tokenizer.token_to_id(content)
            if found != known:
                raise WeightsError(f"{source}: the tokenizer has id {found} for {content}, expected {known}")
        self.tag = lru_cache(maxsize=64)(self._tag)
        self.encode_known = lru_cache(maxsize=TEXTS_KNOWN)(self.encode)

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of plain text; special tokens written out in it are taken away.

        They are taken away as ids, in one pass: what is left around one is plain text, whatever it spells.
        """
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        return tuple(token for token in ids if token < FIRST_SPECIAL)

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of token ids, special tokens left out."""
        ordinary = [token for token in token_ids if token < FIRST_SPECIAL]
        text: str = self._tokenizer.decode(ordinary, skip_special_tokens=False)
        return text

    def pieces(self, token_ids: Sequence[int]) -> list[tuple[tuple[int, ...], str]]:
        """Split tokens into the smallest runs that are whole text.

        Tokens that share a character stay together, and so does a special token with what follows it. Bytes that
        belong to no character are told as U+FFFD with the text after them. A rest without whole text is left out.
        """
        runs: list[tuple[tuple[int, ...], str]] = []
        pending: list[int] = []
        unfinished, is_open = UnfinishedCharacter(), False
        for token in token_ids:
            pending.append(token)
            text = self.decode(pending)
            if token < FIRST_SPECIAL:
                is_open = unfinished.follows(text)
            if text and not is_open:
                runs.append((tuple(pending), text))
                pending, unfinished = [], UnfinishedCharacter()
        return runs

    def _tag(self, name: str) -> tuple[int, ...]:
        """The tokens of a forced language."""
        return (*self.encode(f"language {name}"), ASR_TEXT)


def read_tokenizer(directory: Path) -> QwenTokenizer:
    """The tokenizer of a checkpoint: tokenizer.json, or vocab.json with merges.txt and tokenizer_config.json.

    Raises:
        WeightsError: the files are missing or damaged.
    """
    try:
        if (directory / "tokenizer.json").is_file():
            return QwenTokenizer(Tokenizer.from_file(str(directory / "tokenizer.json")), str(directory))
        return QwenTokenizer(_assembled(directory), str(directory))
    except FileNotFoundError as error:
        raise WeightsError(
            f"{directory} has neither tokenizer.json nor vocab.json, merges.txt and tokenizer_config.json; "
            "copy the checkpoint again, all of its files"
        ) from error
    except WeightsError:
        raise
    except Exception as error:  # the tokenizers library raises plain Exception for damaged files
        raise WeightsError(f"the tokenizer files of {directory} cannot be read ({error}); copy them again") from error


def _assembled(directory: Path) -> Tokenizer:
    vocabulary = json.loads((directory / "vocab.json").read_text(encoding="utf-8"))
    lines = (directory / "merges.txt").read_text(encoding="utf-8").splitlines()
    merges = [(a, b) for a, _, b in (line.partition(" ") for line in lines if line and not line.startswith("#version"))]
    settings = json.loads((directory / "tokenizer_config.json").read_text(encoding="utf-8"))
    return byte_level(vocabulary, merges, settings.get("added_tokens_decoder", {}))


def byte_level(vocabulary: dict[str, int], merges: list[tuple[str, str]], added: dict[str, Any]) -> Tokenizer:
    """A byte-level tokenizer as Qwen's.

    Args:
        vocabulary: token (bytes as printable characters) to id.
        merges: pairs in order of rank.
        added: special tokens by id, as in tokenizer_config.json.
    """
    contents = {int(key): str(entry["content"]) for key, entry in added.items()}
    known = {**vocabulary, **{content: key for key, content in contents.items()}}
    tokenizer = Tokenizer(BPE(vocab=known, merges=merges, fuse_unk=False, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(WORDS), behavior="isolated", invert=False)
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(contents[key], normalized=False, special=True) for key in sorted(contents)]
    )
    return tokenizer
