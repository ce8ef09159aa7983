"""The longest file that is transcribed in this process, as its error tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wavescribe.errors import AudioTooLongError


@contextmanager
def naming_the_setting() -> Iterator[None]:
    """Add to the error of a file that is too long how its caller sets another limit: here there is no server's flag.

    Raises:
        AudioTooLongError: as it was raised inside.
    """
    try:
        yield
    except AudioTooLongError as error:
        message = f"{error}; set WAVESCRIBE_MAX_AUDIO_SECONDS for another one"
        raise AudioTooLongError(message, code=error.code, param=error.param) from error
