"""One realtime session played through the dialect, so that its server events are shown as they are really sent."""

from __future__ import annotations

import json
import re
from itertools import count
from typing import Any

from sources import members_of_call

from wavescribe.api.realtime.actions import Action
from wavescribe.api.realtime.client_events import parse_client_event
from wavescribe.api.realtime.dialect import Engine, RealtimeDialect
from wavescribe.api.realtime.server_events import Frame
from wavescribe.api.realtime.session_configuration import DRAFT, LOGPROBS, WORDS, SessionConfiguration
from wavescribe.streaming.events import (
    Draft,
    Event,
    Settled,
    SettledWord,
    SpeechStarted,
    SpeechStopped,
    TurnCleared,
    TurnCommitted,
    TurnEnded,
    TurnFailed,
)

RATE = 16_000
EXPIRES_AT = 1_798_765_200
ENGLISH = {"model": "whisper-1", "language": "en"}
UPDATE = {
    "type": "session.update",
    "session": {
        "type": "transcription",
        "audio": {"input": {"transcription": ENGLISH, "turn_detection": {"type": "server_vad"}}},
        "include": [DRAFT, WORDS, LOGPROBS],
    },
}
MANUAL = "gpt-realtime-whisper"
"""A model whose clients end turns themselves."""

BARE = {
    "type": "session.update",
    "session": {"audio": {"input": {"transcription": None, "noise_reduction": {"type": "near_field", "strength": 1}}}},
}

DETECTED = {"type": "session.update", "session": {"audio": {"input": {"transcription": {"model": MANUAL}}}}}

RESUMED: dict[str, Any] = {"session_id": "sess_0", "audio_received_ms": 5012.5}
"""What `session.resumed` says: it is sent outside of the dialect, so its members are compared with the source."""


class ScriptedSession:
    """Plays a session, and the beginning of one that has no end and little configured, and keeps their events."""

    def __init__(self) -> None:
        self._dialect = _dialect("whisper-base", EXPIRES_AT)
        self.events: list[dict[str, Any]] = []

    def play(self) -> dict[str, list[dict[str, Any]]]:
        """The events by type, in the order in which they first came."""
        self._keep(self._dialect.opened())
        self._receive(UPDATE)
        self._one_turn()
        item = next(event["item_id"] for event in self.events if event["type"] == "input_audio_buffer.committed")
        self._receive({"type": "conversation.item.retrieve", "item_id": item})
        self._receive({"type": "conversation.item.delete", "item_id": item})
        self._receive({"type": "session.update", "session": {"audio": {"input": {"turn_detection": None}}}})
        self._core(TurnCommitted(1, 2 * RATE, 3 * RATE))
        self._core(TurnFailed(1, "failed", 2 * RATE, 3 * RATE))
        self._receive({"type": "input_audio_buffer.clear"})
        self._core(TurnCleared(2, 3 * RATE))
        self._receive({"type": "input_audio_buffer.commit", "event_id": "mine"})
        self._receive({"type": "nonsense"})
        self._resumed()
        self._dialect = _dialect(MANUAL, None)
        self._keep(self._dialect.opened())
        self._receive(BARE)
        self._receive(DETECTED)
        by_type: dict[str, list[dict[str, Any]]] = {}
        for event in _with_short_ids(self.events):
            by_type.setdefault(event["type"], []).append(event)
        return by_type

    def _one_turn(self) -> None:
        words = (SettledWord("Good", 4800, 8000, 0.98), SettledWord(" morning.", 8000, 15200, 0.95))
        self._core(SpeechStarted(0, 0))
        self._core(Draft(0, "Good mourning", RATE))
        self._core(SpeechStopped(0, 2 * RATE))
        self._core(TurnCommitted(0, 0, 2 * RATE))
        self._core(Settled(0, "Good morning.", words, "en", 2 * RATE))
        self._core(TurnEnded(0, "Good morning.", "en", 0, 2 * RATE))

    def _resumed(self) -> None:
        if (sent := members_of_call("api/realtime_socket.py", "session.resumed")) != set(RESUMED):
            raise SystemExit(f"session.resumed has the members {sorted(sent)}, and the reference {sorted(RESUMED)}")
        self.events.append({"type": "session.resumed", "event_id": "event_last", **RESUMED})

    def _receive(self, event: dict[str, Any]) -> None:
        self._keep(self._dialect.apply(parse_client_event(json.dumps(event), self._dialect.audio_format)))

    def _core(self, event: Event) -> None:
        self._keep(self._dialect.render(event))

    def _keep(self, steps: list[Frame] | list[Frame | Action]) -> None:
        for step in steps:
            if isinstance(step, Frame):
                self.events.append(json.loads(step.text))


def _dialect(model: str, expires_at: int | None) -> RealtimeDialect:
    engine = Engine(RATE, ("en", "de"), lambda _: None)
    return RealtimeDialect("sess_0", SessionConfiguration.of_model(model), engine, expires_at=expires_at)


def _with_short_ids(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events with ids that are the same whenever they are made."""
    short: dict[str, str] = {}
    numbers = {"event": count(1), "item": count(1)}

    def shortened(found: re.Match[str]) -> str:
        if found[0] not in short:
            short[found[0]] = f"{found[1]}_{next(numbers[found[1]])}"
        return short[found[0]]

    short_ids: list[dict[str, Any]] = json.loads(
        re.sub(r"\b(event|item)_(?:[A-Za-z0-9]{21}|last)\b", shortened, json.dumps(events))
    )
    return short_ids
