"""Token ids of the published vocabulary that the template and the decoder use."""

from __future__ import annotations

from typing import Final

END_OF_TEXT: Final = 151643
TURN_START: Final = 151644
TURN_END: Final = 151645
AUDIO_START: Final = 151669
AUDIO_END: Final = 151670
AUDIO_PAD: Final = 151676
ASR_TEXT: Final = 151704
TIMESTAMP: Final = 151705
FIRST_SPECIAL: Final = END_OF_TEXT
"""This id and all above are not ordinary text."""

NEWLINE: Final = 198
SYSTEM: Final = 8948
USER: Final = 872
ASSISTANT: Final = 77091

ENDS: Final = frozenset({END_OF_TEXT, TURN_END})
"""Tokens that end an answer."""

NEVER_WRITTEN: Final = (TURN_START, AUDIO_START, AUDIO_END, AUDIO_PAD)
"""Tokens of the template that no answer has; the model is not let choose them."""

HEAD_START: Final = (TURN_START, SYSTEM, NEWLINE)
"""Before the context in the system turn."""

HEAD_END: Final = (TURN_END, NEWLINE, TURN_START, USER, NEWLINE, AUDIO_START)
"""Between the context and the audio."""

TAIL: Final = (AUDIO_END, TURN_END, NEWLINE, TURN_START, ASSISTANT, NEWLINE)
"""After the audio; the answer follows."""


def head(context: tuple[int, ...] = ()) -> tuple[int, ...]:
    """The tokens before the audio, with the system turn's context."""
    return (*HEAD_START, *context, *HEAD_END)
