"""Where steps are cut on the audio clock.

A segment is a stretch of speech between two pauses. Inside it a step is cut at every multiple of the step length;
a pause and the end of a turn cut a last step that closes the segment, and so does its length where the strategy has a
limit. The cuts are a function of the audio and the parameters alone: every decision at a position uses frames that end
at or before that position.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from wavescribe.streaming.parameters import StreamParameters
from wavescribe.vad.detector import FRAME_SAMPLES
from wavescribe.vad.endpointer import Endpoint, Endpointer, TurnDetection

SPEECH_STARTS = 0.5
"""Probability at which a frame counts as the beginning of speech."""

SPEECH_GOES_ON = 0.35
"""Probability above which speech that has begun goes on (hysteresis, as Silero's own iterator does)."""

SEARCH_SHARE = 4
"""In the last of so many parts of the longest segment it ends at the first frame without speech, to cut no word."""

OPENING_FRAMES = 2
"""Speech frames in a row that open a segment; a click is shorter."""


class CutKind(Enum):
    """Why a step is cut."""

    STEP = "step"
    LULL = "lull"
    SPEECH = "speech"
    PAUSE = "pause"
    FULL = "full"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class Cut:
    """A position where a step ends.

    Attributes:
        kind: why.
        position: absolute sample position; of SPEECH (a turn's speech starts) where the turn's audio begins.
        segment_start: absolute position where the open segment began, or None in silence.
        speech_end: absolute position where the last frame of speech ended.
        heard: whether the segment's last step was cut in a lull and nothing was said since.
    """

    kind: CutKind
    position: int
    segment_start: int | None
    speech_end: int = field(default=0, compare=False)
    heard: bool = False

    @property
    def is_final(self) -> bool:
        """Whether the segment ends here."""
        return self.kind in (CutKind.PAUSE, CutKind.FULL, CutKind.TURN)


class Segmenter:
    """Turns speech frames into cuts.

    Args:
        parameters: the stream's parameters; with turn detection, silence cuts turns too.
    """

    def __init__(self, parameters: StreamParameters) -> None:
        self.sentence_ended = True
        """Whether the turn's text so far ends a sentence; kept by the owner of the text."""
        self.skipped = 0
        """Steps that a larger minimum advance left out so far."""
        self._frames: deque[float] = deque()
        self._consumed = 0
        """Absolute position up to which frames have been looked at."""
        self._last_cut = 0
        self._floor = 0
        """No segment starts before this: audio up to here belongs to segments that were closed."""
        self._segment_start: int | None = None
        self._segment_limit: int | None = None
        """Most samples of the open segment, as the parameters were when it began."""
        self._speech_end = 0
        self._speech_run = 0
        self._speech_since_cut = False
        self._lulled = False
        """Whether the last step was cut in the lull that goes on."""
        self._lull_was_skipped = False
        """Whether the step of the lull that goes on was left out."""
        self._detection: TurnDetection | None = None
        self._endpointer: Endpointer | None = None
        self.reconfigure(parameters)

    def reconfigure(self, parameters: StreamParameters) -> None:
        """Take new parameters for what comes; turn detection that is new begins in silence."""
        self._gated = parameters.is_voice_gated
        chunk = parameters.recipe.chunk_seconds
        self._step = parameters.samples(parameters.step_seconds if self._gated else chunk)
        first = parameters.samples(parameters.first_step_seconds)
        self._first_step = max(first, self._step) if self._gated else self._step
        self._lull = parameters.samples(parameters.lull_seconds)
        self._pause = parameters.samples(parameters.pause_seconds)
        self._preroll = parameters.samples(parameters.preroll_seconds)
        self._longest = parameters.segment_limit
        detection = parameters.turn_detection
        if detection != self._detection:
            self._detection = detection
            self._endpointer = None if detection is None else Endpointer(detection, parameters.sample_rate, self._floor)

    def push(self, probabilities: Iterable[float]) -> None:
        """Take the speech probabilities of the next frames."""
        self._frames.extend(probabilities)

    @property
    def in_silence(self) -> bool:
        """Whether no segment is open and no speech has begun."""
        return self._segment_start is None and self._speech_run == 0

    @property
    def consumed(self) -> int:
        """Absolute position up to which the audio has been looked at."""
        return self._consumed

    @property
    def needed_from(self) -> int:
        """Absolute position of the first sample that a segment may still need."""
        if self._segment_start is not None:
            return self._segment_start
        return max(self._floor, self._consumed - self._preroll - OPENING_FRAMES * FRAME_SAMPLES)

    def abandon(self, position: int) -> None:
        """Give up the open segment: nothing before the position belongs to a later one."""
        self._floor = position
        self._segment_start = None
        self._speech_run = 0
        self._speech_since_cut = False
        self._lulled = False

    def clear(self, position: int) -> None:
        """Pass over everything before an absolute sample position, which has been received."""
        while self._frames and self._consumed + FRAME_SAMPLES <= position:
            self._frames.popleft()
            self._consumed += FRAME_SAMPLES
        self.abandon(position)
        self._last_cut = position
        self.sentence_ended = True
        if self._endpointer is not None:
            self._endpointer.end_turn(position)

    def next_cut(self, received: int, turn_end: int | None, minimum_advance: int = 0) -> Cut | None:
        """The next cut, or None until more audio is there.

        Args:
            received: absolute position up to which audio has been received.
            turn_end: absolute position where the current turn ends, or None while it is open.
            minimum_advance: samples that a step has to cover at least; steps before that are skipped.
        """
        while True:
            boundary = self._next_boundary(minimum_advance)
            limit = boundary if turn_end is None else min(boundary, turn_end)
            if self._frames and self._consumed + FRAME_SAMPLES <= limit:
                cut = self._consume(self._frames.popleft(), minimum_advance)
                if cut is not None:
                    return cut
            elif limit > received or self._consumed + FRAME_SAMPLES <= min(limit, received):
                return None
            elif limit == turn_end:
                return self._close(CutKind.TURN, limit)
            else:
                cut = self._step_at(limit)
                if cut is not None:
                    return cut

    def _next_boundary(self, minimum_advance: int) -> int:
        """The next place on the step grid that is far enough; what has been looked at lies before it.

        A minimum that has become smaller may make a place due that frames were looked at beyond.
        """
        boundary = self._last_cut + self._step
        while boundary - self._last_cut < minimum_advance or boundary < self._consumed:
            boundary += self._step
        return boundary

    def _consume(self, probability: float, minimum_advance: int) -> Cut | None:
        """Look at the next frame: it may end or start a turn, or complete the pause that closes the segment."""
        self._consumed += FRAME_SAMPLES
        paused = self._follow(probability)
        endpoint = self._endpoint(probability)
        if endpoint is not None and endpoint.kind == "stop":
            return self._close(CutKind.TURN, endpoint.position)
        if endpoint is not None:
            return Cut(CutKind.SPEECH, endpoint.position, None)
        if paused:
            return self._close(CutKind.PAUSE, self._consumed)
        if self._is_full(probability):
            return self._close(CutKind.FULL, self._consumed)
        return self._lull_step(minimum_advance)

    def _lull_step(self, minimum_advance: int) -> Cut | None:
        """A step where speech has paused: if nothing follows it is the segment's last, made before that is known."""
        lulls = self._segment_start is not None and self._consumed - self._speech_end >= self._lull
        if not lulls or not self._speech_since_cut:
            return None
        if self._consumed - self._last_cut < minimum_advance:
            self.skipped += not self._lull_was_skipped
            self._lull_was_skipped = True
            return None
        self._count_skipped(self._consumed)
        self._last_cut = self._consumed
        self._speech_since_cut = False
        self._lulled = True
        return Cut(CutKind.LULL, self._consumed, self._segment_start, self._speech_end)

    def _follow(self, probability: float) -> bool:
        """Open a segment where speech begins; True when its closing pause is complete."""
        if not self._gated or probability >= (SPEECH_STARTS if self._segment_start is None else SPEECH_GOES_ON):
            self._hear_speech()
            return False
        self._speech_run = 0
        return self._segment_start is not None and self._consumed - self._speech_end >= self._pause

    def _is_full(self, probability: float) -> bool:
        """Whether the open segment has to end: soon, and this frame has no speech, or with this frame."""
        if self._segment_start is None or self._segment_limit is None:
            return False
        left = self._segment_start + self._segment_limit - self._consumed
        soon = left <= self._segment_limit // SEARCH_SHARE
        return left < FRAME_SAMPLES or (soon and probability < SPEECH_GOES_ON)

    def _endpoint(self, probability: float) -> Endpoint | None:
        if self._endpointer is None:
            return None
        return self._endpointer.hear(probability, self._consumed, sentence_ended=self.sentence_ended)

    def _hear_speech(self) -> None:
        self._speech_run += 1
        self._speech_end = self._consumed
        self._lulled = self._lull_was_skipped = False
        if self._segment_start is not None:
            self._speech_since_cut = True
        elif self._speech_run >= OPENING_FRAMES:
            began = self._consumed - self._speech_run * FRAME_SAMPLES
            self._segment_start = max(self._floor, began - self._preroll)
            self._segment_limit = self._longest
            self._speech_since_cut = True
            self._last_cut = max(self._segment_start + self._first_step, self._consumed) - self._step

    def _step_at(self, position: int) -> Cut | None:
        self._count_skipped(position)
        self._last_cut = position
        if self._segment_start is None or not self._speech_since_cut:
            return None
        self._speech_since_cut = False
        return Cut(CutKind.STEP, position, self._segment_start, self._speech_end)

    def _count_skipped(self, position: int) -> None:
        """Count the places of the step grid with speech that lie between the last cut and one at this position."""
        if self._segment_start is None or not self._speech_since_cut:
            return
        # After a lull's step the grid would have begun anew.
        end = min(position, self._speech_end + self._lull) if self._lull_was_skipped else position
        self.skipped += max(0, end - self._last_cut - 1) // self._step

    def _close(self, kind: CutKind, position: int) -> Cut:
        self._count_skipped(position)
        cut = Cut(kind, position, self._segment_start, self._speech_end, heard=self._lulled)
        # A turn's end and a full segment's may come in the middle of a word: what follows starts just there. After a
        # pause the silence behind the speech may serve the next segment as pre-roll.
        if kind is CutKind.TURN and self._endpointer is not None:
            self._endpointer.end_turn(position)
        self.abandon(self._speech_end if kind is CutKind.PAUSE else position)
        self._last_cut = position
        return cut
