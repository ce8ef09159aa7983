"""A server of `bench compare` as it is named on the command line: its URL, and what its sessions need."""

from __future__ import annotations

import os

from wavescribe.bench.command_line import public_url
from wavescribe.bench.realtime_client import Target
from wavescribe.bench.stream_plan import Turns
from wavescribe.errors import ConfigurationError

MODEL, KEY_VARIABLE = "model", "key_env"


def compared_server(text: str, *, language: str, rate: int, turns: Turns, silence_ms: int) -> Target:
    """The target that `URL[,model=NAME][,key_env=VARIABLE]` names.

    Args:
        text: a URL, the transcription model's name, and the environment variable that has the key.
        language: ISO 639-1 code.
        rate: samples per second on the wire.
        turns: who ends turns.
        silence_ms: silence that ends a turn where the server ends them.

    Raises:
        ConfigurationError: an option is unknown, or the variable is not set.
    """
    url, *parts = text.split(",")
    options = dict(part.partition("=")[::2] for part in parts)
    if unknown := sorted(options.keys() - {MODEL, KEY_VARIABLE}):
        raise ConfigurationError(f"{text!r}: {unknown[0]!r} is unknown; a server is URL,model=NAME,key_env=VARIABLE")
    return Target(
        url,
        language=language,
        model=options.get(MODEL, ""),
        rate=rate,
        turns=turns,
        silence_ms=silence_ms,
        api_key=_key(text, options[KEY_VARIABLE]) if KEY_VARIABLE in options else "",
    )


def server_name(target: Target) -> str:
    """What it is called beside others: its URL without secrets, and the model where one was named."""
    return f"{public_url(target.url)} {target.model}".strip()


def _key(text: str, variable: str) -> str:
    key = os.environ.get(variable, "")
    if not key:
        raise ConfigurationError(f"{text!r}: the environment variable {variable!r} is not set")
    return key
