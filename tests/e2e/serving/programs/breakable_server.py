"""The program with faults that a test asks for.

An engine that breaks on requests whose context (a session's prompt) says so: `raise!`, `die!`, `hang!`, `mute!`.
A wall clock that is moved by the days that the file named by CLOCK_FILE says, while it exists.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

REAL_TIME: Callable[[], float] = time.time
DAY = 86_400.0


def moved_time() -> float:
    """The wall clock as the test wants it."""
    try:
        days = float(Path(os.environ["CLOCK_FILE"]).read_text())
    except (KeyError, FileNotFoundError, ValueError):
        days = 0.0
    return REAL_TIME() + days * DAY


time.time = moved_time  # before anything else takes the function

from wavescribe.cli import main  # noqa: E402  # see above
from wavescribe.engines.base import DecodeRequest, Engine, Hypothesis  # noqa: E402
from wavescribe.engines.loading import load_engine  # noqa: E402
from wavescribe.serving import configured_engine  # noqa: E402

FOREVER = 1000.0


class BreakableEngine:
    """The real engine, which breaks on demand."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.info = engine.info
        self.transcribe_file = engine.transcribe_file
        self.close = engine.close

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        [request] = requests
        if "raise!" in request.context:
            raise RuntimeError("CUDA error at /opt/secret/kernel.cu:42")
        if "die!" in request.context:
            os._exit(3)
        if "hang!" in request.context:
            time.sleep(FOREVER)
        if "mute!" in request.context:
            return [Hypothesis((), "en", 1.0, 0.0, 0.0)]
        return self._engine.decode(requests)


def load_breakable(*arguments: Any, **options: Any) -> Engine:
    """As load_engine."""
    return BreakableEngine(load_engine(*arguments, **options))


if __name__ == "__main__":
    vars(configured_engine)["load_engine"] = load_breakable
    main.run()
