"""One engine process, seen from the server: calls with a limit on how long an answer may take."""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
import struct
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from wavescribe.engines.base import Engine, StateReport
from wavescribe.engines.isolation.messages import Call, Decoded, Failed, Forgotten, Ready, Reply
from wavescribe.engines.isolation.worker import serve_engine
from wavescribe.errors import EngineError, EngineLostError

logger = logging.getLogger(__name__)

END_SECONDS = 2.0
"""How long a process may take to end once nobody asks it any more."""


class CallNotTakenError(EngineLostError):
    """The process was dead before it had the whole call: the call has no part in its death."""


class EngineProcess:
    """A process with an engine. It is started by the constructor, and ready once `wait_until_ready` returned.

    Args:
        load: loads the engine, in the process; it must be picklable.
        stall_seconds: longest time that an answer may take.
    """

    def __init__(self, load: Callable[[], Engine], stall_seconds: float) -> None:
        self._stall_seconds = stall_seconds
        # Processes that are forked from one with threads may hang: they are started anew.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        _limit_waits(ours, stall_seconds)
        self._connection: Connection[Any, Any] = ours
        self.state = StateReport()
        """What the engine kept of streams after its last call."""
        self._process = context.Process(target=serve_engine, args=(theirs, load), name="engine", daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self._process.pid

    def wait_until_ready(self) -> Ready:
        """Wait until the engine is loaded; returns what it says of itself.

        Raises:
            ConfigurationError: a setting has a value that the engine does not have.
            WeightsError: the weights are missing, damaged or not the pinned ones.
            ModelNotFoundError: no such model.
            EngineError: the engine cannot be loaded, or its process died.
        """
        try:
            self._connection.poll(None)
            reply: Reply = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost("died while it loaded the model") from error
        if isinstance(reply, Ready):
            self.state = reply.state or self.state
            return reply
        self.end()
        raise reply.error() if isinstance(reply, Failed) else EngineError(f"unexpected reply {type(reply).__name__}")

    def call(self, call: Call) -> Reply:
        """Make a call and wait for its answer; one at a time.

        Raises:
            CallNotTakenError: the process died before it had the call.
            EngineLostError: the process died or gave no answer in time; this process is of no use any more.
            WavescribeError: the engine failed on the call.
        """
        self._hand_over(call)
        try:
            reply = self._receive()
        except BlockingIOError as error:
            raise self._stopped() from error
        except (EOFError, OSError) as error:
            raise self._lost("died") from error
        if isinstance(reply, Failed):
            raise reply.error()
        if isinstance(reply, Decoded | Forgotten):
            self.state = reply.state or self.state
        return reply

    def _hand_over(self, call: Call) -> None:
        """Make a call and wait until the process has all of it: what can be sent need not arrive."""
        try:
            self._connection.send(call)
            self._receive()
        except BlockingIOError as error:
            raise self._stopped() from error
        except (EOFError, OSError) as error:
            raise CallNotTakenError(str(self._lost("died before a call"))) from error

    def _receive(self) -> Reply:
        if not self._connection.poll(self._stall_seconds):
            raise self._lost(f"gave no answer for {self._stall_seconds:g} s")
        reply: Reply = self._connection.recv()
        return reply

    def _stopped(self) -> EngineLostError:
        return self._lost(f"stopped in the middle of a call for {self._stall_seconds:g} s")

    def wait_until_dead(self) -> None:
        """Wait until the process has ended."""
        wait([self._process.sentinel])

    def bury(self) -> None:
        """The process was found dead while it had nothing to do."""
        self._lost("died")

    def release(self) -> None:
        """Give back the descriptors of a process that is dead and of no use to anybody."""
        self._process.join()
        self._process.close()

    def dismiss(self) -> None:
        """Tell the process that nobody asks it any more."""
        self._connection.close()

    def end(self) -> None:
        """End the process, by force if it does not end by itself."""
        self.dismiss()
        self._process.join(END_SECONDS)
        self._kill()

    def kill(self) -> None:
        """End the process at once, whatever it does; whoever waits for it hears that it died."""
        self._process.kill()

    def _lost(self, what: str) -> EngineLostError:
        self._kill()
        self._connection.close()
        message = f"the engine's process {self._process.pid} {what} (exit code {self._process.exitcode})"
        logger.error(message)
        return EngineLostError(message)

    def _kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()
        self._process.join()


def _limit_waits(connection: Connection[Any, Any], seconds: float) -> None:
    """Make reads and writes of a connection fail when nothing moves for so long.

    A process that is stopped does not read: what is larger than the buffer between the two would be waited for forever.
    """
    limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
    with socket.socket(fileno=os.dup(connection.fileno())) as end:
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            end.setsockopt(socket.SOL_SOCKET, option, limit)
