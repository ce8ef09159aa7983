"""What a client has to send, kept until the server is known to have it."""

from __future__ import annotations

import base64
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

ACKNOWLEDGEMENT = "ack_"
"""Start of the event ids by which the server's answers tell how far it has read."""

NO_SUCH_ITEM = "item_acknowledgement"
"""An item that no session has: asking for it changes nothing, and the answer names the question's event id."""

COMMAND = "command_"
"""Start of the event ids of commits and clears."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Audio, or a command between audio.

    Attributes:
        kind: the event's type after "input_audio_buffer.".
        end: samples of audio up to here, since the session's start.
        pcm: the audio of an append.
    """

    kind: Literal["append", "commit", "clear"]
    end: int
    pcm: bytes = field(default=b"", repr=False)


class Outgoing:
    """Entries in order: those that were sent and not acknowledged, then those that were not sent.

    The protocol has no acknowledgements. Now and then an item that does not exist is asked for: the server reads in
    order, so its error, which carries the question's event id, tells that everything before has been read.

    Args:
        sample_rate: samples per second.
        acknowledge_seconds: audio between two questions.
    """

    def __init__(self, sample_rate: int, acknowledge_seconds: float) -> None:
        self._interval = round(acknowledge_seconds * sample_rate)
        self._entries: deque[Entry] = deque()
        self._dropped = 0
        """Entries that were acknowledged; the first of those in memory has this number."""
        self._next = 0
        """Number of the entry that is sent next."""
        self._end = 0
        self._held = 0
        self._asked_at = 0
        """Samples sent when the last question was."""

    @property
    def held_samples(self) -> int:
        """Samples in memory."""
        return self._held

    @property
    def acknowledged(self) -> int:
        """Samples that the server is known to have."""
        return self._end - self._held

    @property
    def end(self) -> int:
        """Samples put in so far."""
        return self._end

    def append(self, pcm: bytes) -> None:
        """Add audio: 16-bit PCM, in one event."""
        self._end += len(pcm) // 2
        self._held += len(pcm) // 2
        self._entries.append(Entry("append", self._end, pcm))

    def command(self, kind: Literal["commit", "clear"]) -> None:
        """Add a command at the audio put in so far."""
        self._entries.append(Entry(kind, self._end))

    def take(self) -> str | None:
        """The next frame, or None when there is nothing to send."""
        sent = self._next - self._dropped
        position = self._entries[sent - 1].end if sent else self._asked_at
        if position - self._asked_at >= self._interval:
            self._asked_at = position
            return _frame("conversation.item.retrieve", event_id=f"{ACKNOWLEDGEMENT}{self._next}", item_id=NO_SUCH_ITEM)
        if sent == len(self._entries):
            return None
        entry = self._entries[sent]
        self._next += 1
        if entry.kind == "append":
            return _frame("input_audio_buffer.append", audio=base64.b64encode(entry.pcm).decode())
        return _frame(f"input_audio_buffer.{entry.kind}", event_id=f"{COMMAND}{self._next}")

    def acknowledge(self, event_id: str) -> None:
        """The server answered a question."""
        self._drop(int(event_id.removeprefix(ACKNOWLEDGEMENT)))

    def resume(self, received: int) -> None:
        """Go on over a new connection.

        A command that stands where the server's audio ends may have arrived or not; it is sent again, and a server
        that had it finds nothing to do.

        Args:
            received: samples that the server has.
        """
        first = next((place for place, entry in enumerate(self._entries) if _is_missing(entry, received)), None)
        self._drop(self._dropped + (len(self._entries) if first is None else first))
        self._next = self._dropped
        self._asked_at = received

    def _drop(self, number: int) -> None:
        while self._dropped < number:
            self._held -= len(self._entries.popleft().pcm) // 2
            self._dropped += 1


def _is_missing(entry: Entry, received: int) -> bool:
    return entry.end > received or (entry.kind != "append" and entry.end == received)


def _frame(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})
