"""From a request of the server to a step of the model."""

from __future__ import annotations

from collections.abc import Sequence

from wavescribe.engines.base import DecodeRequest
from wavescribe.engines.qwen3.languages import trained_name
from wavescribe.engines.qwen3.script import Script
from wavescribe.engines.qwen3.special_tokens import head
from wavescribe.engines.qwen3.stepper import StepRequest
from wavescribe.engines.qwen3.tokenizer import QwenTokenizer

MAXIMUM_CONTEXT_TOKENS = 1024
"""The context is prefilled once a segment; more than a page of it helps nobody."""

MAXIMUM_CHARACTERS = 8 * MAXIMUM_CONTEXT_TOKENS
"""Characters of the keywords, and of the text, that are looked at: a client may send millions, and a token of ordinary
text has four or five."""


def context_tokens(tokenizer: QwenTokenizer, context: str, keywords: Sequence[str]) -> tuple[int, ...]:
    """The system turn: keywords as plain words, then the client's text; where it is too long, the text's end."""
    words = " ".join(word.strip() for word in keywords).strip()[:MAXIMUM_CHARACTERS]
    text = " ".join(part for part in (words, context.strip()[-MAXIMUM_CHARACTERS:]) if part)
    whole = tokenizer.encode_known(text) if text else ()
    if len(whole) <= MAXIMUM_CONTEXT_TOKENS:
        return whole
    first = tokenizer.encode_known(words)[:MAXIMUM_CONTEXT_TOKENS] if words else ()
    return first + whole[len(whole) - (MAXIMUM_CONTEXT_TOKENS - len(first)) :]


def step_request(tokenizer: QwenTokenizer, request: DecodeRequest) -> StepRequest:
    """The step of a request.

    Raises:
        InvalidRequestError: the language is not one of the model's.
    """
    opening = tokenizer.tag(trained_name(request.language)) if request.language else ()
    script = Script(
        opening=opening,
        given=request.prefix,
        budget=request.token_budget,
        writes_tag=request.language is None,
    )
    return StepRequest(request.samples, script, head(context_tokens(tokenizer, request.context, request.keywords)))
