"""The end by SIGTERM: what is open is closed first, then the process dies of the signal, as whoever sent it expects."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _Terminated(BaseException):
    """SIGTERM came. No `except Exception` may stop it on its way."""


@contextmanager
def ending_after_sigterm() -> Iterator[None]:
    """Leave the context by its `finally` clauses when SIGTERM comes, then let the signal end the process.

    By default it would end the process at once, and engines that hang, or a server that is measured, would outlive it.
    """
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except _Terminated:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise _Terminated
