"""The languages that Qwen3-ASR transcribes, by ISO 639 code, under the names it was trained with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wavescribe.errors import InvalidRequestError

_LISTED = """
ar:Arabic yue:Cantonese zh:Chinese cs:Czech da:Danish nl:Dutch en:English fil:Filipino fi:Finnish fr:French
de:German el:Greek hi:Hindi hu:Hungarian id:Indonesian it:Italian ja:Japanese ko:Korean mk:Macedonian ms:Malay
fa:Persian pl:Polish pt:Portuguese ro:Romanian ru:Russian es:Spanish sv:Swedish th:Thai tr:Turkish vi:Vietnamese
"""

LANGUAGES: Final[Mapping[str, str]] = dict(pair.split(":") for pair in _LISTED.split())
_CODES = {name.lower(): code for code, name in LANGUAGES.items()}


def trained_name(code: str) -> str:
    """The name that is forced for a code.

    Raises:
        InvalidRequestError: not one of this model's languages.
    """
    if code not in LANGUAGES:
        raise InvalidRequestError(
            f"Qwen3-ASR does not know the language {code!r}; it knows {', '.join(LANGUAGES)}", param="language"
        )
    return LANGUAGES[code]


def code_of(name: str) -> str | None:
    """The code of a name that the model wrote, or None where it is none of its languages."""
    return _CODES.get(name.strip().lower())
