"""An engine whose work is done in processes of its own."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import TypeVar

from wavescribe.engines.base import (
    Answer,
    DecodeRequest,
    Engine,
    EngineInfo,
    FileOptions,
    FileTranscription,
    Hypothesis,
    Samples,
    Segment,
    StateReport,
)
from wavescribe.engines.isolation.messages import (
    Call,
    CloseFile,
    Decode,
    Decoded,
    FileOpened,
    Forget,
    NextOfFile,
    NextSegment,
    OpenFile,
    Ready,
    Reply,
)
from wavescribe.engines.isolation.places import Places
from wavescribe.engines.isolation.process import CallNotTakenError, EngineProcess
from wavescribe.errors import EngineError, EngineLostError, WavescribeError

logger = logging.getLogger(__name__)

RESTART_WAITS = (0.0, 1.0, 5.0, 15.0)
"""Seconds before each try to start a process anew; the last one goes on."""

ATTEMPTS = 2
"""How many processes one call may take with it before it fails."""

Result = TypeVar("Result")

PATIENCE_SECONDS = 60.0
"""Longer than a usual model takes to load."""


@dataclass(frozen=True, slots=True)
class _OpenedFile:
    """A file under way: the process that has it, its number there, and what is known of it."""

    process: EngineProcess
    number: int
    reply: FileOpened


class IsolatedEngine:
    """Several processes with one engine each, as one engine.

    A process that dies or hangs is replaced, and the call it had is made again on another one, once; a call that takes
    two processes with it fails with EngineLostError. Other calls notice nothing.

    Args:
        load: loads the engine, in each process; it must be picklable.
        processes: how many.
        stall_seconds: longest time that a call may take before its process is taken for hung.
        patience_seconds: how long a call waits for a process while none is left, and new ones are being started.

    Raises:
        WavescribeError: the engine cannot be loaded, as `load` says.
    """

    def __init__(
        self,
        load: Callable[[], Engine],
        processes: int,
        stall_seconds: float,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._load = load
        self._stall_seconds = stall_seconds
        self._wanted = processes
        self._places = Places(patience_seconds)
        self._numbers = itertools.count()
        self._closing = threading.Event()
        self._restarts = 0
        self._lock = threading.Lock()
        self._processes: list[EngineProcess] = []
        self._restarting: list[threading.Thread] = []
        self._starting: list[EngineProcess] = []
        """Processes that are to replace lost ones and load their model."""
        ready = self._start()
        self._info = ready.info
        self._keeps_state = ready.keeps_state

    @property
    def info(self) -> EngineInfo:
        """What the engine can do."""
        return self._info

    @property
    def state(self) -> StateReport | None:
        """What the processes keep of streams together, as each told after its last call; see KeepsState.state."""
        if not self._keeps_state:
            return None
        return sum((process.state for process in list(self._processes)), StateReport())

    @property
    def restarts(self) -> int:
        """Processes that were lost and replaced, or are being replaced."""
        return self._restarts

    @property
    def alive(self) -> int:
        """Processes that are at work or ready for it."""
        return self._places.alive

    @property
    def pids(self) -> list[int]:
        """Ids of the processes."""
        return [process.pid for process in self._processes if process.pid is not None]

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Decode windows; see Engine.decode."""
        answers = self.decode_each(requests)
        for answer in answers:
            if isinstance(answer, WavescribeError):
                raise answer
        return [answer for answer in answers if isinstance(answer, Hypothesis)]

    def decode_each(self, requests: Sequence[DecodeRequest]) -> list[Answer]:
        """Decode windows, each for itself where the engine can; see AnswersEach.decode_each."""
        call = Decode(tuple(requests))
        return self._made_again(lambda: self._decode(call))

    def forget(self, stream_id: str) -> None:
        """Free what the processes keep of a stream, each as soon as its call under way is done; see KeepsState.forget.

        A process that is lost on the way has forgotten everything.
        """
        if not self._keeps_state:
            return
        for process in list(self._processes):
            try:
                with self._places.this(process):
                    self._call(process, Forget(stream_id))
            except EngineLostError:
                logger.info("a stream has ended whose process is gone")

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        """Transcribe a whole recording; see Engine.transcribe_file. Between segments the process serves others."""
        opened = self._open(samples, options)
        file = opened.reply
        segments = self._all_segments(opened, samples, options)
        return FileTranscription(file.language, file.language_probability, file.duration, segments)

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            self._closing.set()
            for process in self._starting:
                process.kill()
        for thread in list(self._restarting):
            thread.join()
        processes = list(self._processes)
        for process in processes:
            process.dismiss()
        for process in processes:
            process.end()

    def _start(self) -> Ready:
        self._processes = [EngineProcess(self._load, self._stall_seconds) for _ in range(self._wanted)]
        try:
            ready = [process.wait_until_ready() for process in self._processes]
        except BaseException:  # an interrupt too: processes that load a model would go on with it
            for process in self._processes:
                process.end()
            raise
        for process in list(self._processes):
            self._employ(process)
        return ready[0]

    def _employ(self, process: EngineProcess) -> None:
        """Give a process work from now on, and notice its death also while it has none."""
        self._places.add(process)
        threading.Thread(target=self._watch, args=(process,), name="watch engine", daemon=True).start()

    def _watch(self, process: EngineProcess) -> None:
        process.wait_until_dead()
        if self._closing.is_set():
            return
        if self._places.lose_idle(process):
            process.bury()
            self._replace(process)
        process.release()

    def _made_again(self, make: Callable[[], Result]) -> Result:
        """Make a call, and again when it loses its process; one that was dead before it had the call does not count."""
        losses = 0
        while True:
            try:
                return make()
            except EngineLostError as error:
                losses += not isinstance(error, CallNotTakenError)
                if losses == ATTEMPTS or self._closing.is_set():
                    raise

    def _decode(self, call: Decode) -> list[Answer]:
        with self._places.live() as process:
            reply = self._call(process, call)
        if not isinstance(reply, Decoded):
            raise _unexpected(reply)
        return reply.each()

    def _open(self, samples: Samples, options: FileOptions) -> _OpenedFile:
        call = OpenFile(next(self._numbers), samples, options)
        return self._made_again(lambda: self._open_once(call))

    def _open_once(self, call: OpenFile) -> _OpenedFile:
        with self._places.file() as process:
            reply = self._call(process, call)
        if not isinstance(reply, FileOpened):
            raise _unexpected(reply)
        return _OpenedFile(process, call.number, reply)

    def _all_segments(self, file: _OpenedFile, samples: Samples, options: FileOptions) -> Iterator[Segment]:
        """The segments of a file; when its process is lost, it is begun again and goes on after what was given."""
        given = 0.0
        try:
            for segment in self._segments(file.process, file.number):
                yield segment
                given = segment.end
        except EngineLostError:
            logger.warning("a file is begun again on another engine process; %.1f s of it were done", given)
            again = self._open(samples, options)
            yield from dropwhile(lambda segment: segment.end <= given, self._segments(again.process, again.number))

    def _segments(self, process: EngineProcess, number: int) -> Iterator[Segment]:
        ended = False
        try:
            while True:
                with self._places.file(process):
                    reply = self._call(process, NextSegment(number))
                if not isinstance(reply, NextOfFile):
                    raise _unexpected(reply)
                if reply.segment is None:
                    ended = True
                    return
                yield reply.segment
        except WavescribeError:
            ended = True
            raise
        finally:
            if not ended:
                self._give_up(process, number)

    def _give_up(self, process: EngineProcess, number: int) -> None:
        try:
            with self._places.file(process):
                self._call(process, CloseFile(number))
        except EngineLostError:
            logger.info("a file was given up whose process is gone")

    def _call(self, process: EngineProcess, call: Call) -> Reply:
        try:
            return process.call(call)
        except EngineLostError:
            self._places.lose(process)
            self._replace(process)
            raise

    def _replace(self, lost: EngineProcess) -> None:
        with self._lock:
            self._processes.remove(lost)
            self._restarts += 1
            thread = threading.Thread(target=self._restart, name="restart engine", daemon=True)
            self._restarting.append(thread)
        thread.start()

    def _restart(self) -> None:
        for wait in itertools.chain(RESTART_WAITS, itertools.repeat(RESTART_WAITS[-1])):
            if self._closing.wait(wait) or self._try_restart():
                break
        with self._lock:
            self._restarting.remove(threading.current_thread())

    def _try_restart(self) -> bool:
        began = time.monotonic()
        try:
            process = self._started_anew()
        except (WavescribeError, OSError):
            if not self._closing.is_set():
                logger.exception("an engine process could not be started anew")
            return False
        with self._lock:
            self._processes.append(process)
        self._employ(process)
        logger.warning("an engine process was started anew in %.1f s", time.monotonic() - began)
        return True

    def _started_anew(self) -> EngineProcess:
        with self._lock:
            if self._closing.is_set():
                raise EngineError("the engine is being closed")
            process = EngineProcess(self._load, self._stall_seconds)
            self._starting.append(process)
        try:
            process.wait_until_ready()
        finally:
            with self._lock:
                self._starting.remove(process)
        return process


def _unexpected(reply: Reply) -> EngineError:
    return EngineError(f"the engine's process gave {type(reply).__name__}, which does not answer the call")
