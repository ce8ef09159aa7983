"""The transcription events of a realtime session: deltas, drafts, completed and failed items."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from wavescribe.api.realtime.items import Items
from wavescribe.api.realtime.server_events import Frame, frame
from wavescribe.api.realtime.session_configuration import DRAFT, LOGPROBS, WORDS, SessionConfiguration
from wavescribe.streaming.events import Draft, Event, Settled, SettledWord, TurnEnded, TurnFailed

PREFIX = "conversation.item.input_audio_transcription"

LARGEST_EVENT = 1_000_000
"""Bytes of an event; stock clients take 1 MiB. A longer `completed` leaves out what its deltas had."""

LEAST_PROBABILITY = 1e-10


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a turn has no transcript.

    Attributes:
        code: of the error.
        message: with a place for the item's id.
    """

    code: str
    message: str


FAILED = Failure(code="inference_failed", message="Input transcription failed for item '{}'.")
GIVEN_UP = Failure(code="session_ended", message="The session ended before item '{}' was transcribed.")


class TranscriptionEvents:
    """Renders the text of one session's turns.

    Args:
        items: the session's items.
        sample_rate: samples per second of the core's positions.
    """

    def __init__(self, items: Items, sample_rate: int) -> None:
        self._items = items
        self._sample_rate = sample_rate
        self.offset_seconds = 0.0
        """Seconds since the session's start at the core's position 0, as far as they are known."""
        self._configurations: dict[int, SessionConfiguration] = {}
        """What held when a turn was committed, of turns that are not through."""
        self._silenced: set[int] = set()
        """Turns that the client has cleared and the core has not come to."""
        self._settled = ""
        """Text of the open turn so far."""
        self._told = 0
        """Characters of it that the client has."""
        self._words: list[SettledWord] = []
        self._told_words = 0
        self._language = ""

    def commit(self, turn: int, configuration: SessionConfiguration) -> None:
        """The client is told that a turn is committed: what is configured now holds to its end."""
        self._configurations[turn] = configuration

    def silence(self, turn: int) -> None:
        """The client is told that a turn is cleared: nothing more is said of it."""
        self._silenced.add(turn)

    def clear(self, turn: int) -> None:
        """The core has cleared a turn."""
        self._silenced.discard(turn)
        self._begin_turn()

    def give_up(self) -> list[Frame]:
        """The failures of all turns that were committed and are not through: the session ends before them."""
        return [frame for turn, how in list(self._configurations.items()) for frame in self._fail(turn, how, GIVEN_UP)]

    def render(self, event: Event, configuration: SessionConfiguration) -> list[Frame]:
        """The frames of an event; none while transcription is off, and what was not asked for is left out.

        Args:
            event: of the core.
            configuration: in effect now; a turn that was committed keeps the one of its commit.
        """
        match event:
            case Settled(turn=turn):
                return self._settle(event, self._of_turn(turn, configuration))
            case Draft(turn=turn, text=text):
                return self._draft(turn, text, self._of_turn(turn, configuration))
            case TurnEnded(turn=turn):
                return self._end(event, self._of_turn(turn, configuration))
            case TurnFailed(turn=turn):
                return self._fail(turn, self._of_turn(turn, configuration), FAILED)
            case _:
                return []

    def _of_turn(self, turn: int, configuration: SessionConfiguration) -> SessionConfiguration:
        return self._configurations.get(turn, configuration)

    def _settle(self, event: Settled, configuration: SessionConfiguration) -> list[Frame]:
        self._settled += event.delta
        self._words += event.words
        self._language = event.language
        if configuration.transcription is None or event.turn in self._silenced:
            return []
        return [self._delta(event.turn, configuration)]

    def _delta(self, turn: int, configuration: SessionConfiguration) -> Frame:
        """All settled text that the client does not have yet; some waits where transcription was off for a while."""
        delta, words = self._settled[self._told :], tuple(self._words[self._told_words :])
        self._told, self._told_words = len(self._settled), len(self._words)
        more = self._additions(words, configuration)
        return frame(f"{PREFIX}.delta", item_id=self._items.of_turn(turn).id, content_index=0, delta=delta, **more)

    def _draft(self, turn: int, text: str, configuration: SessionConfiguration) -> list[Frame]:
        wanted = configuration.transcription
        if wanted is None or not configuration.includes(DRAFT) or turn in self._silenced:
            return []
        # Nothing is known of a language that is to be detected until something has settled.
        code = wanted.language_code or self._language
        language = {"language": code} if code else {}
        item_id = self._items.of_turn(turn).id
        return [frame(f"{PREFIX}.text", item_id=item_id, content_index=0, **language, text=self._settled, stash=text)]

    def _end(self, event: TurnEnded, configuration: SessionConfiguration) -> list[Frame]:
        frames: list[Frame] = []
        if configuration.transcription is not None:
            if self._told < len(self._settled):
                frames.append(self._delta(event.turn, configuration))
            frames.append(self._completed(event, configuration))
        self._items.finish(event.turn, event.transcript)
        self._finish(event.turn)
        return frames

    def _completed(self, event: TurnEnded, configuration: SessionConfiguration) -> Frame:
        seconds = (event.end - event.start) / self._sample_rate
        fields: dict[str, Any] = {
            "item_id": self._items.of_turn(event.turn).id,
            "content_index": 0,
            "transcript": event.transcript,
            "usage": {"type": "duration", "seconds": round(seconds, 3)},
        }
        if event.language:
            fields["languages"] = [{"code": event.language}]
        whole = frame(f"{PREFIX}.completed", **fields, **self._additions(tuple(self._words), configuration))
        return whole if len(whole.text.encode()) <= LARGEST_EVENT else frame(f"{PREFIX}.completed", **fields)

    def _fail(self, turn: int, configuration: SessionConfiguration, failure: Failure) -> list[Frame]:
        item = self._items.finish(turn)
        self._finish(turn)
        if configuration.transcription is None:
            return []
        error = {"type": "server_error", "code": failure.code, "message": failure.message.format(item.id)}
        return [frame(f"{PREFIX}.failed", item_id=item.id, content_index=0, error=error)]

    def _finish(self, turn: int) -> None:
        self._configurations.pop(turn, None)
        self._begin_turn()

    def _begin_turn(self) -> None:
        self._settled, self._words = "", []
        self._told = self._told_words = 0

    def _additions(self, words: tuple[SettledWord, ...], configuration: SessionConfiguration) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if configuration.includes(LOGPROBS):
            more["logprobs"] = [_logprob(word) for word in words]
        if configuration.includes(WORDS):
            more["words"] = [self._word(word) for word in words]
        return more

    def _word(self, word: SettledWord) -> dict[str, Any]:
        """A word with its place in seconds since the session's start."""
        return {
            "word": word.text,
            "start": self._seconds(word.start),
            "end": self._seconds(word.end),
            "probability": round(_probability(word), 4),
        }

    def _seconds(self, position: int) -> float:
        return round(max(0.0, position / self._sample_rate + self.offset_seconds), 3)


def _logprob(word: SettledWord) -> dict[str, Any]:
    logprob = round(math.log(_probability(word)), 4)
    return {"token": word.text, "logprob": logprob, "bytes": list(word.text.encode(errors="replace"))}


def _probability(word: SettledWord) -> float:
    """Always a number whose logarithm is finite: comparisons with NaN are false."""
    return word.probability if word.probability > LEAST_PROBABILITY else LEAST_PROBABILITY
