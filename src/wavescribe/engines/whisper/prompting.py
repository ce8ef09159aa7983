"""The decoder's prompt: context, task tokens and the forced prefix."""

from __future__ import annotations

from collections.abc import Sequence

from faster_whisper.tokenizer import Tokenizer

from wavescribe.engines.base import DecodeRequest

MAXIMUM_CONTEXT_TOKENS = 64
"""Prompt tokens cost a prefill at every step; the last ones carry nearly all of their worth."""


def context_tokens(tokenizer: Tokenizer, context: str, keywords: Sequence[str]) -> list[int]:
    """Token ids of what the model should believe it has just written: keywords, then the text before."""
    words = ", ".join(keywords)
    text = " ".join(part for part in (words, context.strip()) if part)
    if not text:
        return []
    tokens: list[int] = tokenizer.encode(" " + text)
    return [tokenizer.sot_prev, *tokens[-MAXIMUM_CONTEXT_TOKENS:]]


def build_prompt(tokenizer: Tokenizer, request: DecodeRequest) -> list[int]:
    """The whole prompt of a request: [context] start-of-transcript sequence, no timestamps, forced prefix."""
    return [
        *context_tokens(tokenizer, request.context, request.keywords),
        *tokenizer.sot_sequence,
        tokenizer.no_timestamps,
        *request.prefix,
    ]
