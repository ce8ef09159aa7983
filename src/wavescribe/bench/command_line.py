"""The command line that is running, as it may be published: without keys, and without paths of this machine."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

SECRET = "--api-key"
MASK = "***"

KNOWN_PARAMETERS = ("model", "intent")
"""What a URL's query may have that is no secret; the values of all others are masked."""

_credentials = re.compile(r"(?<=://)[^/?#]*@")
_query = re.compile(r"(?<=\?).*?(?=,(?:model|key_env)=|$)")  # of a server to compare, options may follow
_parameter = re.compile(r"([^&=]+)=[^&]*")


def running_command() -> str:
    """What was typed."""
    return shlex.join(["wavescribe", *public_words(sys.argv[1:])])


def public_words(words: Iterable[str]) -> list[str]:
    """The words of a command line with keys masked and the names alone of files."""
    made: list[str] = []
    secret = False
    for word in words:
        made.append(MASK if secret else _public_word(word))
        secret = word == SECRET and not secret
    return made


def public_url(url: str) -> str:
    """A URL without user, password and the values of its query; options of a server to compare may follow it."""
    return _query.sub(lambda found: _masked(found[0]), _credentials.sub(f"{MASK}@", url))


def public_path(text: str) -> str:
    """The name alone of an absolute path; anything else as it is."""
    return Path(text).name if Path(text).is_absolute() else text


def _masked(query: str) -> str:
    return _parameter.sub(lambda each: each[0] if each[1] in KNOWN_PARAMETERS else f"{each[1]}={MASK}", query)


def _public_word(word: str) -> str:
    name, equals, value = word.partition("=")
    if equals and name.startswith("--"):
        return f"{name}={MASK if name == SECRET else _public_value(value)}"
    return _public_value(word)


def _public_value(value: str) -> str:
    if value.startswith("--") and (" " in value or "=" in value):  # flags of a server in one string
        return shlex.join(public_words(shlex.split(value)))
    return public_url(value) if "://" in value else public_path(value)
