from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from wavescribe.serving.logs import FRAME_LOGGERS, configure_logging


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging is the process's: leave it as it was."""
    root, named = logging.getLogger(), [logging.getLogger(name) for name in (*FRAME_LOGGERS, "wavescribe.transcripts")]
    handlers, levels = root.handlers[:], [logger.level for logger in (root, *named)]
    yield
    root.handlers[:] = handlers
    for logger, level in zip((root, *named), levels, strict=True):
        logger.setLevel(level)


@pytest.mark.parametrize("with_transcripts", [False, True])
def test_frames_and_the_keys_in_handshakes_are_logged_at_no_level(with_transcripts: bool) -> None:
    configure_logging("json", "debug", with_transcripts=with_transcripts)
    assert logging.getLogger("wavescribe.serving").isEnabledFor(logging.DEBUG)
    for name in ("uvicorn.error", "websockets.server", "websockets.client"):
        assert not logging.getLogger(name).isEnabledFor(logging.DEBUG)
