"""An engine without a model, which does what requests tell it: answer, raise, hang or die."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from wavescribe.engines.base import (
    Answer,
    DecodeRequest,
    EngineInfo,
    FileOptions,
    FileTranscription,
    Hypothesis,
    Piece,
    Samples,
    Segment,
    StateReport,
)
from wavescribe.errors import (
    ConfigurationError,
    EngineLostError,
    InvalidRequestError,
    ModelNotFoundError,
    WavescribeError,
    WeightsError,
)

RATE = 16_000
FOREVER = 1000.0


class ObedientEngine:
    """The context of a request, and the prompt of a file, say what is done.

    - `die`, `hang`, `raise`, `refuse`, `lose its device`: as they say;
    - `die at PATH` and so on: so, unless the file is there, which is made first: once;
    - anything else: answered with the id of the process.

    A file has a segment for each second; what its prompt says is done at its third one.
    """

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("obedient", RATE, ("en",), 30.0, True, True, True, False)

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        return [self._answer(request) for request in requests]

    def transcribe_file(self, samples: Samples, options: FileOptions) -> FileTranscription:
        if options.prompt == "refuse":
            obey("refuse")
        seconds = len(samples) // RATE
        return FileTranscription("en", 1.0, float(seconds), _segments(seconds, options.prompt))

    def close(self) -> None:
        pass

    def _answer(self, request: DecodeRequest) -> Hypothesis:
        obey(request.context)
        return Hypothesis((Piece((1,), str(os.getpid()), None, None, 1.0),), "en", 1.0, 0.0, 0.0)


class StatefulEngine(ObedientEngine):
    """As ObedientEngine, but each request is answered for itself, and with the streams of which it keeps something."""

    def __init__(self) -> None:
        self._kept: set[str] = set()

    def decode_each(self, requests: Sequence[DecodeRequest]) -> list[Answer]:
        return [self._answer_or_refusal(request) for request in requests]

    @property
    def state(self) -> StateReport:
        return StateReport(len(self._kept), 100 * len(self._kept), 7, 100)

    def forget(self, stream_id: str) -> None:
        obey(stream_id)
        self._kept.discard(stream_id)

    def _answer_or_refusal(self, request: DecodeRequest) -> Answer:
        self._kept |= {request.cache_key[0]} - {""}
        try:
            obey(request.context)
        except WavescribeError as error:
            return error
        return Hypothesis((Piece((1,), " ".join(sorted(self._kept)), None, None, 1.0),), "en", 1.0, 0.0, 0.0)


def _segments(seconds: int, command: str) -> Iterator[Segment]:
    for second in range(seconds):
        if second == 2:
            obey(command)
        yield Segment(second, 0, float(second), second + 1.0, f" w{second}", (), 0.0, 0.0, 1.0, 0.0)


def obey(command: str) -> None:
    """Do what a command says, if it is one."""
    what, _, marker = command.partition(" at ")
    if marker:
        if Path(marker).exists():
            return
        Path(marker).touch()
    match what:
        case "die":
            os._exit(3)
        case "hang":
            time.sleep(FOREVER)
        case "raise":
            raise RuntimeError("the model broke")
        case "lose its device":
            raise EngineLostError("the device failed")
        case "refuse":
            raise InvalidRequestError("not this one", code="invalid_value", param="language")
        case _:
            pass


def load() -> ObedientEngine:
    return ObedientEngine()


def load_stateful() -> StatefulEngine:
    return StatefulEngine()


def load_misconfigured() -> ObedientEngine:
    raise ConfigurationError("setting compute_type: int3 is none")


def load_unless_there(marker: str) -> ObedientEngine:
    """Die while loading once the file is there."""
    if Path(marker).exists():
        os._exit(4)
    return ObedientEngine()


def load_damaged() -> ObedientEngine:
    raise WeightsError("model.bin is damaged; install it anew")


def load_unknown() -> ObedientEngine:
    raise ModelNotFoundError("no model of that name", code="model_not_found")


def load_damaged_once_there(marker: str) -> ObedientEngine:
    """Fail once the file is there."""
    while not Path(marker).exists():
        time.sleep(0.01)
    return load_damaged()


def load_and_die() -> ObedientEngine:
    os._exit(5)


def load_endlessly_the_second_time(markers: str) -> ObedientEngine:
    """Load at once in the first process; in the next one say its id in a file of that name and go on for ever."""
    first, second = Path(markers, "first"), Path(markers, "second")
    if not first.exists():
        first.touch()
        return ObedientEngine()
    unfinished = second.with_suffix(".unfinished")
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(second)
    time.sleep(FOREVER)
    return ObedientEngine()
