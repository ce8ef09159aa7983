"""The transcription events of a realtime session: deltas, drafts, completed and failed items."""

from __future__ import annotations

import math
from typing import Any

from wavescribe.api.realtime.items import Items
from wavescribe.api.realtime.server_events import Frame, frame
from wavescribe.api.realtime.session_configuration import DRAFT, LOGPROBS, WORDS, SessionConfiguration
from wavescribe.streaming.events import Draft, Event, Settled, SettledWord, TurnEnded, TurnFailed

PREFIX = "conversation.item.input_audio_transcription"


class TranscriptionEvents:
    """Renders the text of one session's turns.

    Args:
        items: the session's items.
        sample_rate: samples per second of the core's positions.
    """

    def __init__(self, items: Items, sample_rate: int) -> None:
        self._items = items
        self._sample_rate = sample_rate
        self._settled = ""
        """Text of the open turn so far."""
        self._words: list[SettledWord] = []
        self._language = ""

    def render(self, event: Event, configuration: SessionConfiguration) -> list[Frame]:
        """The frames of an event; none while transcription is off, and what was not asked for is left out."""
        match event:
            case Settled():
                return self._settle(event, configuration) if configuration.transcription else []
            case Draft(turn=turn, text=text) if configuration.transcription and configuration.includes(DRAFT):
                return [self._draft(turn, text)]
            case TurnEnded():
                return self._end(event, configuration)
            case TurnFailed(turn=turn):
                return self._fail(turn, configuration)
            case _:
                return []

    def _settle(self, event: Settled, configuration: SessionConfiguration) -> list[Frame]:
        self._settled += event.delta
        self._words += event.words
        self._language = event.language
        item_id = self._items.of_turn(event.turn).id
        more = self._additions(event.words, configuration)
        return [frame(f"{PREFIX}.delta", item_id=item_id, content_index=0, delta=event.delta, **more)]

    def _draft(self, turn: int, text: str) -> Frame:
        item_id = self._items.of_turn(turn).id
        return frame(
            f"{PREFIX}.text",
            item_id=item_id,
            content_index=0,
            language=self._language,
            text=self._settled,
            stash=text,
        )

    def _end(self, event: TurnEnded, configuration: SessionConfiguration) -> list[Frame]:
        item = self._items.finish(event.turn, event.transcript)
        words = self._take_words()
        if configuration.transcription is None:
            return []
        seconds = (event.end - event.start) / self._sample_rate
        more = self._additions(words, configuration)
        if event.language:
            more["languages"] = [{"code": event.language}]
        return [
            frame(
                f"{PREFIX}.completed",
                item_id=item.id,
                content_index=0,
                transcript=event.transcript,
                usage={"type": "duration", "seconds": round(seconds, 3)},
                **more,
            )
        ]

    def _fail(self, turn: int, configuration: SessionConfiguration) -> list[Frame]:
        item = self._items.finish(turn)
        self._take_words()
        if configuration.transcription is None:
            return []
        message = f"Input transcription failed for item '{item.id}'."
        error = {"type": "server_error", "code": "inference_failed", "message": message}
        return [frame(f"{PREFIX}.failed", item_id=item.id, content_index=0, error=error)]

    def _take_words(self) -> tuple[SettledWord, ...]:
        words, self._words, self._settled = tuple(self._words), [], ""
        return words

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
            "start": round(word.start / self._sample_rate, 3),
            "end": round(word.end / self._sample_rate, 3),
            "probability": round(word.probability, 4),
        }


def _logprob(word: SettledWord) -> dict[str, Any]:
    probability = max(word.probability, 1e-10)
    return {"token": word.text, "logprob": round(math.log(probability), 4), "bytes": list(word.text.encode())}
