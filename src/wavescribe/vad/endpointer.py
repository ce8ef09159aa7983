"""The endpointer: where turns start and end, from speech probabilities alone, frame by frame on the audio clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wavescribe.vad.detector import FRAME_SAMPLES

HYSTERESIS = 0.15
"""Speech that has begun goes on down to this much below the threshold, as in Silero's own iterator."""

OPENING_FRAMES = 2
"""Speech frames in a row that start a turn; a click is shorter."""

Eagerness = Literal["low", "medium", "high", "auto"]

SEMANTIC_SILENCE: dict[Eagerness, tuple[float, float]] = {
    "low": (1.2, 8.0),
    "medium": (0.8, 4.0),
    "auto": (0.8, 4.0),
    "high": (0.4, 2.0),
}
"""Seconds of silence after a finished sentence, and the longest wait after an unfinished one."""

UNFINISHED_FACTOR = 2.5
"""How much longer than after a finished sentence the wait is when the text goes on."""


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """When a turn ends, in the words of the OpenAI API's `turn_detection`.

    Attributes:
        threshold: speech probability at which speech starts, 0 to 1.
        prefix_padding_seconds: audio before the speech that belongs to the turn.
        silence_seconds: silence that ends the turn.
        unfinished_silence_seconds: silence that ends it when its text does not end a sentence.
    """

    threshold: float = 0.5
    prefix_padding_seconds: float = 0.3
    silence_seconds: float = 0.5
    unfinished_silence_seconds: float = 0.5

    @classmethod
    def server_vad(
        cls, threshold: float = 0.5, prefix_padding_ms: int = 300, silence_duration_ms: int = 500
    ) -> TurnDetection:
        """The API's `server_vad`: silence alone decides."""
        silence = silence_duration_ms / 1000
        return cls(threshold, prefix_padding_ms / 1000, silence, silence)

    @classmethod
    def semantic_vad(cls, eagerness: Eagerness = "auto") -> TurnDetection:
        """The API's `semantic_vad`: a finished sentence ends the turn sooner than an unfinished one."""
        silence, longest = SEMANTIC_SILENCE[eagerness]
        return cls(silence_seconds=silence, unfinished_silence_seconds=min(silence * UNFINISHED_FACTOR, longest))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A turn starts or stops.

    Attributes:
        kind: which.
        position: absolute sample position: of a start, the speech's first sample less the prefix padding; of a stop,
            where the silence was long enough.
    """

    kind: Literal["start", "stop"]
    position: int


class Endpointer:
    """Follows the frames of one stream.

    Args:
        detection: when a turn ends.
        sample_rate: samples per second.
        floor: absolute sample position before which nothing belongs to a turn.
    """

    def __init__(self, detection: TurnDetection, sample_rate: int, floor: int = 0) -> None:
        self._detection = detection
        self._sample_rate = sample_rate
        self._floor = floor
        """Where the last turn ended; no padding reaches before it."""
        self._speaking = False
        self._run = 0
        self._speech_end = 0

    def hear(self, probability: float, frame_end: int, *, sentence_ended: bool) -> Endpoint | None:
        """Take the next frame.

        Args:
            probability: of speech, 0 to 1.
            frame_end: absolute sample position after the frame.
            sentence_ended: whether the turn's text so far ends a sentence.
        """
        threshold = self._detection.threshold
        if probability >= (max(threshold - HYSTERESIS, 0.01) if self._speaking else threshold):
            return self._hear_speech(frame_end)
        self._run = 0
        if self._speaking and frame_end - self._speech_end >= self._silence(sentence_ended):
            self.end_turn(frame_end)
            return Endpoint("stop", frame_end)
        return None

    def end_turn(self, position: int) -> None:
        """The turn ended at an absolute sample position, by silence or by the client."""
        self._speaking = False
        self._run = 0
        self._floor = position

    def _hear_speech(self, frame_end: int) -> Endpoint | None:
        self._run += 1
        self._speech_end = frame_end
        if self._speaking or self._run < OPENING_FRAMES:
            return None
        self._speaking = True
        padding = round(self._detection.prefix_padding_seconds * self._sample_rate)
        return Endpoint("start", max(self._floor, frame_end - self._run * FRAME_SAMPLES - padding))

    def _silence(self, sentence_ended: bool) -> float:
        detection = self._detection
        seconds = detection.silence_seconds if sentence_ended else detection.unfinished_silence_seconds
        return seconds * self._sample_rate
