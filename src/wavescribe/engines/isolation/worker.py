"""The inside of an engine's process: it loads the engine, then answers calls until nobody asks any more."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from wavescribe.engines.answers import decode_each, forget, state_of
from wavescribe.engines.base import Engine, KeepsState, Segment
from wavescribe.engines.isolation.messages import (
    Call,
    CloseFile,
    Decode,
    Decoded,
    Failed,
    FileOpened,
    Forget,
    Forgotten,
    NextOfFile,
    NextSegment,
    OpenFile,
    Ready,
    Reply,
    Taken,
)
from wavescribe.errors import EngineLostError


def serve_engine(connection: Connection[Any, Any], load: Callable[[], Engine]) -> None:
    """Load the engine and answer calls until the other end of the connection is closed.

    Args:
        connection: to the server.
        load: loads the engine.
    """
    # A signal to the whole group of processes is the server's to answer: it still needs its engine to finish turns.
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    try:
        engine = load()
    except Exception as error:  # whatever it is, the server has to be told
        with suppress(OSError):  # it needs no telling any more
            connection.send(Failed.of(error))
        return
    try:
        connection.send(Ready(engine.info, isinstance(engine, KeepsState), state_of(engine)))
        _answer_calls(connection, _Worker(engine))
    except (EOFError, OSError):  # the server is gone, or wants this process no more
        engine.close()


def _answer_calls(connection: Connection[Any, Any], worker: _Worker) -> None:
    while True:
        call: Call = connection.recv()
        connection.send(Taken())
        try:
            reply = worker.answer(call)
        except EngineLostError:  # of no use for any call: the end of this process has another one started
            raise
        except Exception as error:  # an engine may raise anything; it stays of use for other calls
            reply = Failed.of(error)
        connection.send(reply)


class _Worker:
    """Answers calls, and keeps the files under way."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._files: dict[int, Iterator[Segment]] = {}

    def answer(self, call: Call) -> Reply:
        match call:
            case Decode(requests=requests):
                return Decoded.of(decode_each(self._engine, requests), state_of(self._engine))
            case OpenFile():
                return self._open(call)
            case NextSegment(number=number):
                return self._next(number)
            case CloseFile(number=number):
                self._files.pop(number, None)
                return NextOfFile(None)
            case Forget(stream_id=stream_id):
                forget(self._engine, stream_id)
                return Forgotten(state_of(self._engine))

    def _open(self, call: OpenFile) -> FileOpened:
        file = self._engine.transcribe_file(call.samples, call.options)
        self._files[call.number] = file.segments
        return FileOpened(file.language, file.language_probability, file.duration)

    def _next(self, number: int) -> NextOfFile:
        try:
            segment = next(self._files[number], None)
        except Exception:
            del self._files[number]
            raise
        if segment is None:
            del self._files[number]
        return NextOfFile(segment)
